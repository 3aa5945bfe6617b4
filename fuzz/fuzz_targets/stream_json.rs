//! The JSON form of the stream, both directions.
#![no_main]

#[path = "../checks/stream_json.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
