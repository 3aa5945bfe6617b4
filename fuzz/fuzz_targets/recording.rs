//! Recordings, as they are and with records whose checksums are made right.
#![no_main]

#[path = "../checks/recording.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
