//! The rows of `orrery bench time` about sparse history: hourly values, and samples scattered over years. What they cost on disk, beside
//! the plainest thing that keeps the same, one row a sample in an SQLite table.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rusqlite::Connection;
use twin_historian::bench::BenchRow;
use twin_model::{Model, Sample, SignalIndex, SignalKind, Timestamp, Value, ValueKind};

use super::bench::model_of;
use super::bench_disk::Disk;
use crate::clock::instant;
use crate::history::{Database, FILE};
use crate::hub::Hub;
use crate::ring::RingLimits;
use crate::stores::empty_store;

/// Hourly values: as many signals and hours as the transformer of the public data set ETTh1 has.
const HOURLY: (usize, i64) = (7, 17_420);
/// Samples of one signal, in a site of so many, over so many years.
const SCATTERED: (usize, i64, i64) = (1_000, 6_400, 18);
const HOUR: i64 = 3_600_000_000;
/// 2006-01-01.
const START: i64 = 1_136_073_600_000_000;

type Load = Vec<(SignalIndex, Sample)>;

/// Bytes a sample on disk and CPU-bound seconds of both shapes, and how many times the table is larger.
pub(super) fn run(seed: u64, disk: &Disk) -> Result<Vec<BenchRow>> {
    let row = |id, value, unit, must| BenchRow { id, value, unit, must };
    let hourly = measure(HOURLY.0, &hourly(seed), disk)?;
    let scattered = measure(SCATTERED.1 as usize, &scattered(seed), disk)?;
    Ok(vec![
        row("hourly_disk_bytes", hourly.bytes, "bytes/sample", Some(4.0)),
        row("hourly_seal_s", hourly.seconds, "s", Some(1.0)),
        row("hourly_table_ratio", hourly.table / hourly.bytes, "x", None),
        row("scattered_disk_bytes", scattered.bytes, "bytes/sample", Some(1_000.0)),
        row("scattered_table_ratio", scattered.table / scattered.bytes, "x", None),
    ])
}

/// Measured with three decimals and read as numbers of 32 bits, as in ETTh1.
fn hourly(seed: u64) -> Load {
    let mut dice = seed;
    let mut all = Load::new();
    for hour in 0..HOURLY.1 {
        for signal in 0..HOURLY.0 {
            let noise = (next(&mut dice) % 4_000) as f64 / 1_000.0;
            let day = (hour % 24) as f64 / 24.0 * std::f64::consts::TAU;
            let v = f64::from((((10.0 + 5.0 * day.sin() + noise) * 1_000.0).round() / 1_000.0) as f32);
            all.push((SignalIndex(signal as u32), sample(START + hour * HOUR, v)));
        }
    }
    all
}

fn scattered(seed: u64) -> Load {
    let mut dice = seed;
    let span = SCATTERED.2 as u64 * 365 * 24 * HOUR as u64;
    let mut times: Vec<i64> = (0..SCATTERED.0).map(|_| START + (next(&mut dice) % span) as i64).collect();
    times.sort_unstable();
    times.dedup();
    times.iter().enumerate().map(|(at, t)| (SignalIndex(0), sample(*t, at as f64))).collect()
}

fn sample(t: i64, v: f64) -> Sample {
    Sample::new(Timestamp::from_micros(t), Value::Float(v))
}

/// splitmix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct Measured {
    /// On disk, of a sample, beyond what the database takes empty.
    bytes: f64,
    /// From the first slab handed over to the last commit.
    seconds: f64,
    /// The same in the table.
    table: f64,
}

fn measure(signals: usize, load: &Load, disk: &Disk) -> Result<Measured> {
    let folder = disk.folder("sparse")?;
    let model: Arc<Model> = Arc::new(model_of((0..signals).map(|_| (SignalKind::Analog, ValueKind::Float))));
    let empty = size(&written(&folder.path().join("empty"), &model, &Load::new())?.0)?;
    let (path, seconds) = written(&folder.path().join("full"), &model, load)?;
    let each = |bytes: u64| bytes.saturating_sub(empty) as f64 / load.len() as f64;
    let mut back = empty_store(&model, usize::MAX / 2);
    let loaded = Database::open_to_read(path.parent().unwrap_or(&path))?.load(&model, &mut back)?;
    anyhow::ensure!(loaded.unreadable == 0, "{} pieces of the run's database can't be read", loaded.unreadable);
    let found = back.counters().imported + back.counters().stored;
    anyhow::ensure!(found as usize == load.len(), "{found} of {} samples are in the database", load.len());
    let bytes = each(size(&path)?);
    let table = folder.path().join("table.sqlite3");
    Ok(Measured { bytes, seconds, table: table_bytes(&table, load)? as f64 / load.len() as f64 })
}

/// The database of a load, closed, and how long sealing it took.
fn written(folder: &Path, model: &Arc<Model>, load: &Load) -> Result<(PathBuf, f64)> {
    let mut store = empty_store(model, 1 << 30);
    let persist = Database::open(folder)?.start(model, &mut store)?;
    for (signal, sample) in load {
        store.append(*signal, sample);
    }
    let end = store.extent().map_or(Timestamp::MIN, |extent| extent.end) + store.config().slab;
    let hub = Hub::new(model.clone(), Timestamp::MIN, RingLimits::default(), store, Some(persist));
    let begun = instant();
    hub.seal(end);
    let fine = hub.persist().is_none_or(crate::history::Persist::sync);
    let seconds = begun.elapsed().as_secs_f64();
    anyhow::ensure!(fine, "the run's database could not be written");
    drop(hub);
    Ok((folder.join(FILE), seconds))
}

fn table_bytes(path: &Path, load: &Load) -> Result<u64> {
    let mut connection = Connection::open(path).context("can't make the table")?;
    let sql = "CREATE TABLE sample (signal INTEGER, t INTEGER, received INTEGER, v REAL, PRIMARY KEY (signal, t)) WITHOUT ROWID";
    connection.execute_batch(sql)?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO sample VALUES (?1, ?2, ?3, ?4)")?;
        for (signal, sample) in load {
            let (t, received) = (sample.source_time.as_micros(), sample.received_time.as_micros());
            insert.execute((signal.0, t, received, sample.value.as_f64()))?;
        }
    }
    transaction.commit()?;
    drop(connection);
    size(path)
}

fn size(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path).context("the run's database is not there")?.len())
}
