//! The time store beside two obvious alternatives on the same load: a `BTreeMap` per signal, and rows in SQLite.
//!
//! `cargo run --release --manifest-path benches/time_store/Cargo.toml [-- SIGNALS SECONDS]`. Times are medians on the wall;
//! memory is the growth of the resident set (Linux).

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use rusqlite::{Connection, params};
use twin_historian::bench::Plant;
use twin_historian::{Cursor, Snapshot, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp};

const DAY: i64 = 86_400;
const JUMPS: i64 = 21;

fn main() -> rusqlite::Result<()> {
    let mut args = std::env::args().skip(1).filter_map(|arg| arg.parse::<i64>().ok());
    let signals = args.next().unwrap_or(1_000) as usize;
    let seconds = args.next().unwrap_or(3_600);
    println!("{signals} signals x {seconds} s at 1 Hz; range: {DAY} samples of one signal to 1,000 points");
    println!("{:10} {:>12} {:>14} {:>10} {:>10}", "", "bytes/sample", "ingest/s", "jump ms", "range ms");
    store(signals, seconds);
    maps(signals, seconds);
    sqlite(signals, seconds)
}

fn report(name: &str, bytes: f64, ingest: f64, jump: f64, range: f64) {
    println!("{name:10} {bytes:12.2} {ingest:14.0} {:10.3} {:10.3}", jump * 1e3, range * 1e3);
}

/// Feeds the load second by second; returns the seconds spent in `put`.
fn feed(signals: usize, seconds: i64, mut put: impl FnMut(&[Sample])) -> f64 {
    let mut plant = Plant::new(signals, 1);
    let mut batch = Vec::new();
    let mut spent = 0.0;
    for second in 0..seconds {
        plant.second(Timestamp::from_secs(second), &mut batch);
        let before = Instant::now();
        put(&batch);
        spent += before.elapsed().as_secs_f64();
    }
    spent
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn timed<R>(f: impl FnOnce() -> R) -> f64 {
    let before = Instant::now();
    black_box(f());
    before.elapsed().as_secs_f64()
}

/// The instants jumped to.
fn instants(seconds: i64) -> impl Iterator<Item = i64> {
    (0..JUMPS).map(move |at| (at * 7_919 + 13) * 1_000_000 % (seconds * 1_000_000))
}

fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).map_or(f64::NAN, |pages| pages * 4096.0)
}

fn store(signals: usize, seconds: i64) {
    let unlimited = StoreConfig { budget_bytes: usize::MAX, ..StoreConfig::default() };
    let fill = |signals: usize, seconds: i64| {
        let mut store = Store::new(Plant::new(signals, 1).specs(), unlimited);
        let spent = feed(signals, seconds, |batch| {
            for (at, sample) in batch.iter().enumerate() {
                store.append(SignalIndex::from_at(at), sample);
            }
        });
        (store, spent)
    };
    let (store, spent) = fill(signals, seconds);
    let samples = signals as f64 * seconds as f64;
    let mut shot = Snapshot::new();
    let jump = |t| timed(|| store.snapshot_at(Timestamp::from_micros(t), &mut Cursor::new(), &mut shot));
    let jumps = median(instants(seconds).map(jump).collect());
    let (day, _) = fill(1, DAY);
    let range = TimeRange::new(Timestamp::from_secs(0), Timestamp::from_secs(DAY));
    let ranges = median((0..21).map(|_| timed(|| day.envelope(SignalIndex(0), range, 1_000))).collect());
    report("orrery", store.bytes().total() as f64 / samples, samples / spent, jumps, ranges);
}

fn maps(signals: usize, seconds: i64) {
    let fill = |signals: usize, seconds: i64| {
        let mut maps: Vec<BTreeMap<Timestamp, Sample>> = vec![BTreeMap::new(); signals];
        let spent = feed(signals, seconds, |batch| {
            for (map, sample) in maps.iter_mut().zip(batch) {
                map.insert(sample.source_time, sample.clone());
            }
        });
        (maps, spent)
    };
    let before = resident();
    let (maps, spent) = fill(signals, seconds);
    let bytes = resident() - before;
    let samples = signals as f64 * seconds as f64;
    let state = |t: i64| {
        maps.iter().map(|m| m.range(..=Timestamp::from_micros(t)).next_back().map(|(_, s)| s.clone())).collect::<Vec<_>>()
    };
    let jumps = median(instants(seconds).map(|t| timed(|| state(t))).collect());
    let (day, _) = fill(1, DAY);
    let width = Span::from_micros(DAY * 1_000_000 / 999 + 1).as_micros();
    let envelope = || {
        let mut buckets: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (t, sample) in day[0].range(Timestamp::from_secs(0)..Timestamp::from_secs(DAY)) {
            let Some(v) = sample.value.as_f64() else { continue };
            let bucket = buckets.entry(t.as_micros().div_euclid(width)).or_insert((v, v));
            *bucket = (bucket.0.min(v), bucket.1.max(v));
        }
        buckets
    };
    let ranges = median((0..21).map(|_| timed(envelope)).collect());
    report("BTreeMap", bytes / samples, samples / spent, jumps, ranges);
}

fn sqlite(signals: usize, seconds: i64) -> rusqlite::Result<()> {
    let path = std::env::temp_dir().join(format!("orrery-peers-{}.sqlite3", std::process::id()));
    let open = || -> rusqlite::Result<Connection> {
        drop(std::fs::remove_file(&path));
        let db = Connection::open(&path)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
             CREATE TABLE sample (signal INTEGER, t INTEGER, received INTEGER, v REAL, quality INTEGER, flags INTEGER,
                                  PRIMARY KEY (signal, t)) WITHOUT ROWID;
             CREATE TABLE signal (id INTEGER PRIMARY KEY);",
        )?;
        Ok(db)
    };
    let fill = |db: &Connection, signals: usize, seconds: i64| -> rusqlite::Result<f64> {
        for signal in 0..signals {
            db.execute("INSERT INTO signal VALUES (?1)", [signal as i64])?;
        }
        db.execute_batch("BEGIN")?;
        let mut insert = db.prepare("INSERT OR REPLACE INTO sample VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut result = Ok(0);
        let spent = feed(signals, seconds, |batch| {
            for (at, s) in batch.iter().enumerate() {
                let (t, r) = (s.source_time.as_micros(), s.received_time.as_micros());
                let done = insert.execute(params![at as i64, t, r, s.value.as_f64(), s.quality.bits(), s.flags.0]);
                result = std::mem::replace(&mut result, Ok(0)).and(done);
            }
        });
        result?;
        let committed = timed(|| db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"));
        Ok(spent + committed)
    };
    let samples = signals as f64 * seconds as f64;
    let db = open()?;
    let spent = fill(&db, signals, seconds)?;
    let bytes = std::fs::metadata(&path).map_or(f64::NAN, |file| file.len() as f64);
    let mut latest = db.prepare(
        "SELECT signal.id, (SELECT v FROM sample WHERE sample.signal = signal.id AND t <= ?1 ORDER BY t DESC LIMIT 1) FROM signal",
    )?;
    let mut state =
        |t: i64| latest.query_map([t], |row| row.get::<_, Option<f64>>(1)).map(|rows| rows.filter_map(Result::ok).count());
    let jumps = median(instants(seconds).map(|t| timed(|| state(t))).collect());
    let day = Connection::open_in_memory()?;
    day.execute_batch("CREATE TABLE sample (signal INTEGER, t INTEGER, received INTEGER, v REAL, quality INTEGER, flags INTEGER, PRIMARY KEY (signal, t)) WITHOUT ROWID; CREATE TABLE signal (id INTEGER PRIMARY KEY);")?;
    fill(&day, 1, DAY)?;
    let width = DAY * 1_000_000 / 999 + 1;
    let mut buckets =
        day.prepare("SELECT t / ?1, MIN(v), MAX(v) FROM sample WHERE signal = 0 AND t >= 0 AND t < ?2 GROUP BY t / ?1")?;
    let mut envelope = || {
        buckets.query_map([width, DAY * 1_000_000], |row| row.get::<_, i64>(0)).map(|rows| rows.filter_map(Result::ok).count())
    };
    let ranges = median((0..21).map(|_| timed(&mut envelope)).collect());
    report("SQLite", bytes / samples, samples / spent, jumps, ranges);
    drop(std::fs::remove_file(&path));
    Ok(())
}
