//! Chunks of history as they are.
#![no_main]

#[path = "../checks/chunk.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::as_it_is(bytes));
