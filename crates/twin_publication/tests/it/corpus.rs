//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/publication_manifest.rs"]
pub(crate) mod publication_manifest;
#[path = "../../../../fuzz/checks/publication_model.rs"]
pub(crate) mod publication_model;

#[test]
fn every_kept_manifest_passes_its_check() {
    kept::check_all("publication_manifest", publication_manifest::check);
}

#[test]
fn every_kept_model_passes_its_check() {
    kept::check_all("publication_model", publication_model::check);
}
