//! The gateway from outside: a real server, real sockets, real files.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![allow(clippy::print_stderr, reason = "skipped tests say so")]
#![allow(clippy::disallowed_methods, reason = "tests of the gateway read clocks as it does")]

mod access;
mod acknowledge;
mod acknowledged;
mod ahead;
mod assets;
mod commands;
mod computed;
mod cookie_factory;
mod corpus;
mod cost;
mod disk;
mod exchange;
mod help;
mod http;
mod ingest;
mod installed;
mod keepers;
mod kill;
mod known;
mod limits;
mod lost;
mod mending;
mod missing;
mod peers;
mod publication;
mod publication_folder;
mod python_client;
mod readers;
mod recording_spoilt;
mod recording_versions;
mod recordings;
mod resume;
mod retention;
mod revisions;
mod revisions_then;
mod salvage;
mod secrets;
mod series;
mod silence;
mod silent;
mod slow_clients;
mod spans;
mod stops;
mod stream;
mod tables;
mod tables_played;
mod tls;
mod units;
mod unread;
mod vitals;
mod wal_damage;
mod words;
mod world;
