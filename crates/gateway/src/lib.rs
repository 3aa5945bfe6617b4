//! The orrery command: server, sources, embedded historian and headless tools.
//!
//! The only crate that reads clocks, opens files and sockets, and spawns. Holds adapters around the pure crates and
//! refuses to know health rules, glTF and pixels. Read in this order: [`assemble`] (a site becomes a running plant),
//! [`sources`] (where samples come from), [`hub`] (who has seen what), [`stream`] and [`server`] (the way out),
//! [`history`] (where it is kept), [`publish`] (what viewers get of a site), [`headless`], [`exchange`] and [`cli`] (the commands
//! without a server).

pub mod accept;
pub mod access;
mod alarms;
mod answers;
pub mod app;
pub mod arrival;
pub mod assemble;
pub mod cli;
pub mod clock;
pub mod config;
mod counters;
mod error;
pub mod excerpt;
pub mod exchange;
pub mod files;
pub mod folder_file;
mod gathered;
pub mod headless;
pub mod history;
mod history_api;
mod http;
pub mod hub;
mod ingest;
pub mod lacks;
pub mod lease;
pub mod life;
mod log;
pub mod metrics;
mod mistaken;
pub mod pack;
pub mod page;
pub mod peers;
mod publication_api;
pub mod publish;
pub mod publisher;
pub mod ready;
pub mod recording;
pub mod remote;
pub mod revisions;
mod ring;
pub mod server;
pub mod site;
pub mod sources;
mod static_site;
pub mod stores;
mod stream;
mod term;
pub mod then;
pub mod tls;
mod turns;
pub mod vitals;
pub mod wire;
mod ws;

pub use error::GatewayError;
pub use ring::RingLimits;
