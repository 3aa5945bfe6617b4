//! Binary frames of senders.
#![no_main]

#[path = "../checks/ingest_frame.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
