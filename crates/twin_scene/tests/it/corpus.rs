//! What fuzzing found worth keeping, through the same checks as under the fuzzer.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::Path;

#[path = "../../../../fuzz/checks/model_file.rs"]
mod model_file;
#[path = "../../../../fuzz/checks/site_file.rs"]
mod site_file;

/// Feeds every kept file of a target to its check.
fn check_all(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{} files in {}", files.len(), folder.display());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| check(&bytes));
        assert!(outcome.is_ok(), "{} fails its check: the words of it are above", file.display());
    }
}

#[test]
fn every_kept_site_file_passes_its_check() {
    check_all("site_file", site_file::check);
}

#[test]
fn every_kept_model_file_passes_its_check() {
    check_all("model_file", model_file::check);
}
