//! Lines of senders.
#![no_main]

#[path = "../checks/ingest_line.rs"]
mod check;
#[path = "../checks/pump.rs"]
mod pump;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
