//! What-if runs through the public API, one binary.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod determinism;
mod faults;
mod knobs;
mod plant;
mod process;
mod table;
