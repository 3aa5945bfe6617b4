//! Chunks of history behind a checksum that is made right.
#![no_main]

#[path = "../checks/chunk.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::behind_a_good_checksum(bytes));
