//! `orrery bench view`: what a viewer pays per frame at scale. Its JSON is a contract (docs/CLI.md).

use anyhow::Result;
use serde::Serialize;
use twin_engine::bench::{self, ViewConfig};
use twin_historian::bench::BenchRow;

use super::bench_rows::{Row, json, machine, table};
use crate::clock::instant;
use crate::term;

/// Arguments of `orrery bench view`.
#[derive(Debug, clap::Args)]
pub(super) struct ViewArgs {
    /// A tenth: 5,000 signals, 500 twins, 10,000 parts, 500 changes a second; the figures are those of that size
    #[arg(long)]
    quick: bool,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

/// What a reader of `--quick` must not forget.
const QUICK_NOTE: &str = "a tenth of the size; figures are scaled by nothing, and the musts are meant for the whole";

#[derive(Serialize)]
struct Report {
    machine: String,
    signals: usize,
    twins: usize,
    parts: usize,
    changes_a_second: usize,
    quick: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    rows: Vec<Row>,
}

pub(super) fn run(args: &ViewArgs) -> Result<u8> {
    let config = if args.quick { ViewConfig::QUICK } else { ViewConfig::FULL };
    let origin = instant();
    let rows = bench::run(config, &mut || origin.elapsed().as_secs_f64());
    if args.json {
        let report = Report {
            machine: machine(),
            signals: config.signals(),
            twins: config.twins,
            parts: config.parts(),
            changes_a_second: config.changes,
            quick: args.quick,
            note: args.quick.then_some(QUICK_NOTE),
            rows: json(&rows),
        };
        term::say(&serde_json::to_string_pretty(&report)?);
    } else {
        people(config, &rows);
    }
    Ok(0)
}

fn people(config: ViewConfig, rows: &[BenchRow]) {
    let (signals, twins, parts, changes) = (config.signals(), config.twins, config.parts(), config.changes);
    term::say(&format!("{}, {signals} signals, {twins} twins, {parts} parts, {changes} changes a second", machine()));
    term::say(&table(rows));
    if config == ViewConfig::QUICK {
        term::say(&format!("Quick: {QUICK_NOTE}."));
    }
}
