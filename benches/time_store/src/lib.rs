//! The time store beside its peers: one seeded load, one plan of reads, one way to time them, and a fingerprint of the answers
//! so that nobody is praised for a wrong one.
//!
//! Knows loads and clocks. Each peer is a module (`orrery`, `maps`, `sqlite`) or a program of its own (`benches/rerun`,
//! `benches/duckdb`), and runs in a process of its own, so that the growth of the resident set is that peer's memory.

pub mod maps;
pub mod orrery;
pub mod peer;
pub mod plan;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod table;

pub use peer::{Bucket, Figures, Peer, State, measure};
pub use plan::Plan;
