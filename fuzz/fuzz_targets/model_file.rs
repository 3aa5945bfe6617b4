//! Model files, as they are and as the two parts of a GLB.
#![no_main]

#[path = "../checks/model_file.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
