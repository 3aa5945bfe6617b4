//! Levels of cells of a scene in pieces.
#![no_main]

#[path = "../checks/scene_cell.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
