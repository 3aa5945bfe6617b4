//! Figures of a benchmark as `orrery bench time` and `orrery bench view` give them, and the machine that they are of.

use serde::Serialize;
use twin_historian::bench::BenchRow;

use crate::term;

/// A figure in JSON (docs/CLI.md).
#[derive(Serialize)]
pub(super) struct Row {
    id: &'static str,
    value: f64,
    unit: &'static str,
    must: Option<f64>,
}

/// For programs.
pub(super) fn json(rows: &[BenchRow]) -> Vec<Row> {
    rows.iter().map(|row| Row { id: row.id, value: row.value, unit: row.unit, must: row.must }).collect()
}

/// For people, with what the project asks of itself and whether it is met.
pub(super) fn table(rows: &[BenchRow]) -> String {
    let line = |row: &BenchRow| {
        let verdict = row.must.map_or(String::new(), |must| {
            let way = if row.unit == "samples/s" { "at least" } else { "at most" };
            format!("{way} {must}: {}", if row.passes() { "met" } else { "MISSED" })
        });
        vec![row.id.to_owned(), format!("{:.3}", row.value), row.unit.to_owned(), verdict]
    };
    term::table(&["ROW", "VALUE", "UNIT", "MUST"], &rows.iter().map(line).collect::<Vec<_>>())
}

/// Cores and processor, as the system names them.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    format!("{cores} cores, {}", name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()))
}
