//! What-if runs through the public API, one binary.

mod determinism;
mod faults;
mod knobs;
mod plant;
mod process;
mod table;
