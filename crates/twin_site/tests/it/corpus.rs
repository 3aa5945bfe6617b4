//! What fuzzing found worth keeping, through the same checks as under the fuzzer.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/model_file.rs"]
mod model_file;
#[path = "../../../../fuzz/checks/site_file.rs"]
mod site_file;

#[test]
fn every_kept_site_file_passes_its_check() {
    kept::check_all("site_file", site_file::check);
}

#[test]
fn every_kept_model_file_passes_its_check() {
    kept::check_all("model_file", model_file::check);
}
