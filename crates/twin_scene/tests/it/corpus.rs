//! What fuzzing found worth keeping, through the same checks as under the fuzzer.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/scene_cell.rs"]
pub(crate) mod scene_cell;
#[path = "../../../../fuzz/checks/scene_index.rs"]
pub(crate) mod scene_index;

#[test]
fn every_kept_index_passes_its_check() {
    kept::check_all("scene_index", scene_index::check);
}

#[test]
fn every_kept_cell_passes_its_check() {
    kept::check_all("scene_cell", scene_cell::check);
}
