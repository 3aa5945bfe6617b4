//! Access files, and names by which a gateway is called.
#![no_main]

#[path = "../checks/access_file.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
