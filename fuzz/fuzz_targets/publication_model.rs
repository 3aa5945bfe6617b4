//! Models of publications.
#![no_main]

#[path = "../checks/publication_model.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
