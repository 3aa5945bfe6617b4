//! `orrery bench time`: the time store's figures, and how fast samples come to rest on disk. Its JSON is a contract (docs/CLI.md).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, Result};
use serde::Serialize;
use twin_historian::bench::{self, BenchConfig, BenchRow, Plant};
use twin_model::{Sample, SignalIndex, Span, Timestamp};

use super::bench::model_of;
use crate::clock::{instant, wall};
use crate::history::Database;
use crate::hub::{Hub, empty_store};
use crate::ring::RingLimits;
use crate::term;

/// Signals of the run that goes to disk, and its seconds of plant time.
const DURABLE: (usize, i64) = (5_000, 400);
/// Batches between two waits for the disk: the queue in front of it is bounded, and what it gives up must not count as fast.
const BATCHES_A_SYNC: i64 = 20;

/// Arguments of `orrery bench time`.
#[derive(Debug, clap::Args)]
pub(super) struct TimeArgs {
    /// 5,000 signals instead of 50,000; jump and drag figures are those of 5,000 signals then
    #[arg(long)]
    quick: bool,
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
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: &'static str,
    value: f64,
    unit: &'static str,
    must: Option<f64>,
}

pub(super) fn run(args: &TimeArgs) -> Result<u8> {
    let config = if args.quick { BenchConfig::QUICK } else { BenchConfig::FULL };
    let origin = instant();
    let mut rows = bench::run(config, &mut || origin.elapsed().as_secs_f64());
    let after_ingest = rows.iter().position(|row| row.id == "ingest_samples_s").map_or(rows.len(), |at| at + 1);
    rows.insert(after_ingest, durable(config.seed)?);
    if args.json {
        let rows = rows.iter().map(|row| Row { id: row.id, value: row.value, unit: row.unit, must: row.must }).collect();
        let note = args.quick.then_some(QUICK_NOTE);
        let report = Report { machine: machine(), signals: config.signals, quick: args.quick, note, rows };
        term::say(&serde_json::to_string_pretty(&report)?);
    } else {
        people(config, &rows);
    }
    Ok(0)
}

fn people(config: BenchConfig, rows: &[BenchRow]) {
    let line = |row: &BenchRow| {
        let verdict = row.must.map_or(String::new(), |must| {
            let way = if row.unit == "samples/s" { "at least" } else { "at most" };
            format!("{way} {must}: {}", if row.passes() { "met" } else { "MISSED" })
        });
        vec![row.id.to_owned(), format!("{:.3}", row.value), row.unit.to_owned(), verdict]
    };
    term::say(&format!("{}, {} signals x {} s at 1 Hz", machine(), config.signals, config.seconds));
    term::say(&term::table(&["ROW", "VALUE", "UNIT", "MUST"], &rows.iter().map(line).collect::<Vec<_>>()));
    if config == BenchConfig::QUICK {
        term::say(&format!("Quick: {QUICK_NOTE}."));
    }
}

/// Cores and processor, as the system names them.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    format!("{cores} cores, {}", name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()))
}

/// Samples a second from the gateway's inbox through store, batch and queue to a committed transaction (write-ahead log,
/// synchronous FULL) in a folder of its own.
fn durable(seed: u64) -> Result<BenchRow> {
    let (signals, seconds) = DURABLE;
    let mut plant = Plant::new(signals, seed);
    let model = Arc::new(model_of(plant.specs().into_iter().map(|spec| (spec.kind, spec.value_kind))));
    let folder = Folder(std::env::temp_dir().join(format!("orrery-bench-{}", std::process::id())));
    let mut store = empty_store(&model, 1 << 30);
    let database = Database::open(&folder.0).context("can't open a database for the run")?;
    let persist = database.start(&model, &mut store).context("can't start writing")?;
    let first = wall();
    let hub = Hub::new(model, first, RingLimits::default(), store, Some(persist));
    let mut values: Vec<Sample> = Vec::new();
    let mut spent = 0.0;
    for second in 0..seconds {
        plant.second(first + Span::from_secs(second - seconds), &mut values);
        let batch: Vec<(SignalIndex, Sample)> = stamped(&mut values, first);
        let started = instant();
        hub.ingest(&batch);
        hub.flush();
        if (second + 1) % BATCHES_A_SYNC == 0
            && let Some(persist) = hub.persist()
        {
            persist.sync();
        }
        spent += started.elapsed().as_secs_f64();
    }
    let lost = hub.persist().map_or(0, |persist| persist.totals().given_up.load(Ordering::Relaxed));
    anyhow::ensure!(lost == 0, "the disk gave up {lost} batches; the figure would be a lie");
    let value = (signals as f64 * seconds as f64) / spent;
    Ok(BenchRow { id: "durable_samples_s", value, unit: "samples/s", must: Some(5e5) })
}

/// The values with their signals, received now: the past of their source times is no skewed clock's.
fn stamped(values: &mut Vec<Sample>, received: Timestamp) -> Vec<(SignalIndex, Sample)> {
    let numbered = values.drain(..).enumerate();
    numbered.map(|(at, sample)| (SignalIndex::from_at(at), Sample { received_time: received, ..sample })).collect()
}

/// A folder that goes with the run.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is a file in a folder for temporary things.
        std::fs::remove_dir_all(&self.0).ok();
    }
}
