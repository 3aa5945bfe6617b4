//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/table_text.rs"]
mod table_text;

#[test]
fn every_kept_table_passes_its_check() {
    kept::check_all("table_text", table_text::check);
}
