//! The protocol as its peers see it: golden bytes, round trips, hostile bytes, size on the wire.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod corpus;
mod golden;
mod hostile;
mod roundtrip;
mod size;
