//! Tables of samples, Parquet and CSV.
#![no_main]

#[path = "../checks/samples_table.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
