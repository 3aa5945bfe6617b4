//! Binary frames of the stream, both directions.
#![no_main]

#[path = "../checks/stream_frame.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
