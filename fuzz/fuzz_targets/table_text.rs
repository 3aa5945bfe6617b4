//! Tables of sources, under any description.
#![no_main]

#[path = "../checks/table_text.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
