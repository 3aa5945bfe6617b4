//! Tables of samples as Parquet.
#![no_main]

#[path = "../checks/samples_table.rs"]
mod check;
#[path = "../checks/pump.rs"]
mod pump;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::parquet(bytes));
