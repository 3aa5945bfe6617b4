//! Damaged databases and their logs.
#![no_main]

#[path = "../checks/salvaged.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
