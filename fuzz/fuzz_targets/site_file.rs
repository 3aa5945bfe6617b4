//! Site files.
#![no_main]

#[path = "../checks/site_file.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
