//! The store's speed and size on a plant-like load. Brings no clock: the caller does.
//!
//! What is measured is fixed here so that the program, the example and the page report the same things; results are in
//! `docs/PERFORMANCE.md`.

mod plant;

pub use plant::Plant;

use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp};

use crate::{Cursor, Snapshot, Store, StoreConfig};

/// Size of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BenchConfig {
    /// Signals, each with one sample a second.
    pub signals: usize,
    /// Length of the history that is ingested.
    pub seconds: i64,
    /// Jumps and drag steps that are timed.
    pub reads: usize,
    /// Seed of the load and of the instants read.
    pub seed: u64,
}

impl BenchConfig {
    /// 50,000 signals by one hour: 180 million samples, about 300 MB.
    pub const FULL: Self = Self { signals: 50_000, seconds: 3_600, reads: 400, seed: 1 };
    /// 5,000 signals by one hour. Its jump and drag times are those of 5,000 signals.
    pub const QUICK: Self = Self { signals: 5_000, seconds: 3_600, reads: 400, seed: 1 };
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchRow {
    /// Stable name.
    pub id: &'static str,
    /// What was measured.
    pub value: f64,
    /// Unit of `value`.
    pub unit: &'static str,
    /// The limit, where there is one: an upper one, for `samples/s` a lower one.
    pub must: Option<f64>,
}

impl BenchRow {
    /// Whether the limit is kept.
    pub fn passes(&self) -> bool {
        self.must.is_none_or(|must| if self.unit == "samples/s" { self.value >= must } else { self.value <= must })
    }
}

/// First instant of the load: 2026-03-02T00:00:00Z.
const START: Timestamp = Timestamp::from_secs(1_772_409_600);

/// Runs everything. `clock` gives seconds from any origin; it is read around each measured step only.
pub fn run(config: BenchConfig, clock: &mut dyn FnMut() -> f64) -> Vec<BenchRow> {
    let mut rows = Vec::new();
    let (store, ingest_s) = ingest(config, clock);
    let samples = config.signals as f64 * config.seconds as f64;
    let bytes = store.bytes();
    let mut put = |id, value, unit, must| rows.push(BenchRow { id, value, unit, must });
    put("bytes_per_sample", bytes.total() as f64 / samples, "bytes", Some(1.5));
    put("bytes_blocks", bytes.blocks as f64 / samples, "bytes", None);
    put("bytes_heads", bytes.heads as f64 / samples, "bytes", None);
    put("bytes_directory", bytes.directory as f64 / samples, "bytes", None);
    put("bytes_signals", bytes.signals as f64 / samples, "bytes", None);
    put("ingest_samples_s", samples / ingest_s, "samples/s", Some(5e6));
    let jumps = jumps(&store, config, clock);
    put("jump_p50_ms", percentile(&jumps, 50) * 1e3, "ms", None);
    put("jump_p99_ms", percentile(&jumps, 99) * 1e3, "ms", Some(10.0));
    let drags = drags(&store, config, clock);
    put("drag_p50_ms", percentile(&drags, 50) * 1e3, "ms", None);
    put("drag_p99_ms", percentile(&drags, 99) * 1e3, "ms", Some(3.0));
    drop(store);
    for row in chunks(config.seed, clock) {
        rows.push(row);
    }
    let mut put = |id, value, unit, must| rows.push(BenchRow { id, value, unit, must });
    put("ingest_late_samples_s", late(config.seed, clock), "samples/s", None);
    let (thinning, bytes) = thinning(config.seed, clock);
    put("ingest_thinning_samples_s", thinning, "samples/s", None);
    put("thinning_bytes_of_budget", bytes, "", None);
    let ranges = ranges(config.seed, clock);
    put("range_24h_p50_ms", percentile(&ranges, 50) * 1e3, "ms", None);
    put("range_24h_ms", percentile(&ranges, 99) * 1e3, "ms", Some(1.0));
    rows
}

/// The load of a whole run in a store without a budget, and the seconds that appending took.
pub fn ingest(config: BenchConfig, clock: &mut dyn FnMut() -> f64) -> (Store, f64) {
    let mut plant = Plant::new(config.signals, config.seed);
    let unlimited = StoreConfig { budget_bytes: usize::MAX, ..StoreConfig::default() };
    let mut store = Store::new(plant.specs(), unlimited);
    let mut batch: Vec<Sample> = Vec::new();
    let mut spent = 0.0;
    for second in 0..config.seconds {
        plant.second(START + Span::from_secs(second), &mut batch);
        let before = clock();
        for (at, sample) in batch.iter().enumerate() {
            store.append(SignalIndex::from_at(at), sample);
        }
        spent += clock() - before;
    }
    (store, spent)
}

/// Seconds per snapshot at random instants, each with a cursor that knows nothing.
fn jumps(store: &Store, config: BenchConfig, clock: &mut dyn FnMut() -> f64) -> Vec<f64> {
    let mut random = plant::Random(config.seed);
    let mut out = Snapshot::new();
    let mut cursor = Cursor::new();
    let mut timed = |t: Timestamp, clock: &mut dyn FnMut() -> f64| {
        let before = clock();
        store.snapshot_at(t, &mut cursor, &mut out);
        clock() - before
    };
    timed(START, clock);
    let span = config.seconds as u64 * 1_000_000;
    (0..config.reads).map(|_| timed(START + Span::from_micros((random.next() % span) as i64), clock)).collect()
}

/// Seconds per snapshot when dragging back and forth: steps of up to ten seconds, now and then a new place.
fn drags(store: &Store, config: BenchConfig, clock: &mut dyn FnMut() -> f64) -> Vec<f64> {
    let mut random = plant::Random(config.seed ^ 0xD4A6);
    let mut out = Snapshot::new();
    let mut cursor = Cursor::new();
    let mut times = Vec::with_capacity(config.reads);
    let span = config.seconds * 1_000_000;
    let mut t = 0;
    for step in 0..config.reads {
        let new_place = step % 100 == 0;
        t = if new_place { (random.next() % span as u64) as i64 } else { t + (random.next() % 20_000_000) as i64 - 10_000_000 };
        t = t.clamp(0, span);
        let before = clock();
        store.snapshot_at(START + Span::from_micros(t), &mut cursor, &mut out);
        let spent = clock() - before;
        if !new_place {
            times.push(spent);
        }
    }
    times
}

/// Sealed chunks of 640 signals by one hour: size on disk and wire, and the speed of writing and reading them.
fn chunks(seed: u64, clock: &mut dyn FnMut() -> f64) -> [BenchRow; 3] {
    let config = BenchConfig { signals: 640, seconds: 3_600, reads: 0, seed };
    let samples = (config.signals as i64 * config.seconds) as f64;
    let (mut store, _) = ingest(config, clock);
    let before = clock();
    let chunks = store.seal(START + Span::from_secs(config.seconds));
    let sealed = clock() - before;
    let bytes: usize = chunks.iter().map(|chunk| chunk.chunk.bytes.len()).sum();
    let mut back = Store::new(Plant::new(config.signals, seed).specs(), *store.config());
    let before = clock();
    let read = chunks.iter().filter(|chunk| back.import_chunk(&chunk.chunk.bytes).is_ok()).count();
    let imported = clock() - before;
    debug_assert_eq!(read, chunks.len());
    let row = |id, value, unit| BenchRow { id, value, unit, must: None };
    [
        row("chunk_bytes_per_sample", bytes as f64 / samples, "bytes"),
        row("seal_samples_s", samples / sealed, "samples/s"),
        row("import_samples_s", samples / imported, "samples/s"),
    ]
}

/// Samples a second where one in fifty comes up to ten minutes late.
fn late(seed: u64, clock: &mut dyn FnMut() -> f64) -> f64 {
    const SIGNALS: usize = 2_000;
    const SECONDS: i64 = 3_600;
    let mut plant = Plant::new(SIGNALS, seed);
    let mut random = plant::Random(seed);
    let mut store = Store::new(plant.specs(), StoreConfig::default());
    let mut delayed: std::collections::BTreeMap<i64, Vec<(SignalIndex, Sample)>> = std::collections::BTreeMap::new();
    let mut batch = Vec::new();
    let mut spent = 0.0;
    for second in 0..SECONDS {
        let now = START + Span::from_secs(second);
        plant.second(now, &mut batch);
        let mut coming: Vec<(SignalIndex, Sample)> = delayed.remove(&second).unwrap_or_default();
        for (at, sample) in batch.drain(..).enumerate() {
            let r = random.next();
            if r.is_multiple_of(50) {
                let until = second + 1 + (r >> 32) as i64 % 600;
                let received_time = START + Span::from_secs(until);
                delayed.entry(until).or_default().push((SignalIndex::from_at(at), Sample { received_time, ..sample }));
            } else {
                coming.push((SignalIndex::from_at(at), sample));
            }
        }
        let before = clock();
        for (signal, sample) in &coming {
            store.append(*signal, sample);
        }
        spent += clock() - before;
    }
    store.counters().stored as f64 / spent
}

/// Samples a second, and the share of the budget in use at the end, where the budget holds a quarter of what comes.
fn thinning(seed: u64, clock: &mut dyn FnMut() -> f64) -> (f64, f64) {
    const SIGNALS: usize = 500;
    const SECONDS: i64 = 28_800;
    let mut plant = Plant::new(SIGNALS, seed);
    let budget_bytes = SIGNALS * SECONDS as usize / 4;
    let mut store = Store::new(plant.specs(), StoreConfig { budget_bytes, ..StoreConfig::default() });
    let mut batch = Vec::new();
    let mut spent = 0.0;
    for second in 0..SECONDS {
        plant.second(START + Span::from_secs(second), &mut batch);
        let before = clock();
        for (at, sample) in batch.iter().enumerate() {
            store.append(SignalIndex::from_at(at), sample);
        }
        spent += clock() - before;
    }
    let samples = (SIGNALS as i64 * SECONDS) as f64;
    (samples / spent, store.bytes().total() as f64 / budget_bytes as f64)
}

/// Seconds per envelope of 24 h of one signal in 1,000 points, over signals of every sort.
fn ranges(seed: u64, clock: &mut dyn FnMut() -> f64) -> Vec<f64> {
    const DAY: i64 = 86_400;
    let (store, _) = ingest(BenchConfig { signals: 40, seconds: DAY + 600, reads: 0, seed }, clock);
    let mut out = Vec::new();
    for round in 0..10 {
        for signal in 0..40 {
            let from = START + Span::from_secs(round * 60) + Span::from_micros(round * 333_333);
            let range = TimeRange::new(from, from + Span::from_secs(DAY));
            let before = clock();
            let envelope = store.envelope(SignalIndex(signal), range, 1_000);
            let spent = clock() - before;
            debug_assert!(envelope.samples() >= 86_000);
            out.push(spent);
        }
    }
    out
}

/// The value that `percent` of the values do not exceed (nearest rank).
fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).copied().unwrap_or(0.0)
}
