//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

#[path = "../../../../fuzz/checks/access_file.rs"]
mod access_file;
#[path = "../../../../fuzz/checks/ingest_line.rs"]
mod ingest_line;
#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/pump.rs"]
mod pump;
#[path = "../../../../fuzz/checks/salvaged.rs"]
mod salvaged;
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

#[test]
fn every_kept_line_passes_its_check() {
    kept::check_all("ingest_line", ingest_line::check);
}

#[test]
fn every_kept_access_file_passes_its_check() {
    kept::check_all("access_file", access_file::check);
}

#[test]
fn every_kept_damaged_database_passes_its_check() {
    kept::check_all("salvaged", salvaged::check);
}
