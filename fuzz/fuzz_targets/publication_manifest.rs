//! Manifests of publications, and lists of revisions.
#![no_main]

#[path = "../checks/publication_manifest.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
