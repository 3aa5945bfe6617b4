//! `orrery bench time`: the time store's figures, and how fast samples come to rest on disk. Its JSON is a contract (docs/CLI.md).

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use twin_historian::bench::{self, BenchConfig, BenchRow};

use super::bench_disk::Disk;
use super::bench_rows::{Row, json, machine, table};
use crate::clock::instant;
use crate::term;

/// Arguments of `orrery bench time`.
#[derive(Debug, clap::Args)]
pub(super) struct TimeArgs {
    /// 5,000 signals instead of 50,000; jump and drag figures are those of 5,000 signals then
    #[arg(long)]
    quick: bool,
    /// Where the databases of the run go [default: the folder for temporary things; where that is in memory, the current one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

/// What a reader of `--quick` must not forget.
const QUICK_NOTE: &str = "jump and drag are those of 5,000 signals, scaled by nothing; the musts are meant for 50,000";

#[derive(Serialize)]
struct Report {
    machine: String,
    signals: usize,
    quick: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    disk: Disk,
    rows: Vec<Row>,
}

pub(super) fn run(args: &TimeArgs) -> Result<u8> {
    let config = if args.quick { BenchConfig::QUICK } else { BenchConfig::FULL };
    let disk = Disk::choose(args.data.as_deref())?;
    let origin = instant();
    let mut rows = bench::run(config, &mut || origin.elapsed().as_secs_f64());
    let after_ingest = rows.iter().position(|row| row.id == "ingest_samples_s").map_or(rows.len(), |at| at + 1);
    rows.splice(after_ingest..after_ingest, super::bench_durable::run(config.signals, config.seed, &disk)?);
    rows.extend(super::bench_sparse::run(config.seed, &disk)?);
    if args.json {
        let rows = json(&rows);
        let note = args.quick.then_some(QUICK_NOTE);
        let report = Report { machine: machine(), signals: config.signals, quick: args.quick, note, disk, rows };
        term::say(&serde_json::to_string_pretty(&report)?);
    } else {
        people(config, &rows);
        term::say(&disk.words());
    }
    Ok(0)
}

fn people(config: BenchConfig, rows: &[BenchRow]) {
    term::say(&format!("{}, {} signals x {} s at 1 Hz", machine(), config.signals, config.seconds));
    term::say(&table(rows));
    if config == BenchConfig::QUICK {
        term::say(&format!("Quick: {QUICK_NOTE}."));
    }
}
