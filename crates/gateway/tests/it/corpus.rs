//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/samples_table.rs"]
mod samples_table;

#[test]
fn every_kept_csv_table_passes_its_check() {
    kept::check_all("samples_csv", samples_table::csv);
}

#[test]
fn every_kept_parquet_table_passes_its_check() {
    kept::check_all("samples_parquet", samples_table::parquet);
}
