//! Expressions of process models and over signals.
#![no_main]

#[path = "../checks/expression.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
