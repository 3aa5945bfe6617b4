//! The store's speed and size on a plant-like load. Brings no clock: the caller does.
//!
//! What is measured is fixed here so that the program, the example and the page report the same things; results are in
//! `docs/PERFORMANCE.md`.

mod plant;

pub use plant::{Plant, Random};

use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp};

use crate::{Chunk, Cursor, Snapshot, Store, StoreConfig};

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

    /// Samples of the run.
    pub fn samples(self) -> f64 {
        self.signals as f64 * self.seconds as f64
    }
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
    let (mut store, ingest_s) = ingest(config, clock);
    let mut rows = sizes(&store, config);
    rows.push(row("ingest_samples_s", config.samples() / ingest_s, "samples/s", Some(5e6)));
    rows.extend(instants(&store, config, clock));
    rows.extend(chunks(&mut store, config, clock));
    drop(store);
    rows.push(row("ingest_late_samples_s", late(config.seed, clock), "samples/s", None));
    let (scattered, bytes) = scattered(config.seed, clock);
    rows.push(row("ingest_scattered_samples_s", scattered, "samples/s", None));
    rows.push(row("scattered_bytes_to_ordered", bytes, "", None));
    let (thinning, bytes) = thinning(config.seed, clock);
    rows.push(row("ingest_thinning_samples_s", thinning, "samples/s", None));
    rows.push(row("thinning_bytes_of_budget", bytes, "", None));
    rows.extend(day(config.seed, clock));
    rows
}

/// The rows that a browser is judged by: ingest, jump, drag and range, in the order of [`run`].
pub fn reads(config: BenchConfig, clock: &mut dyn FnMut() -> f64) -> Vec<BenchRow> {
    let (store, ingest_s) = ingest(config, clock);
    let mut rows = vec![row("ingest_samples_s", config.samples() / ingest_s, "samples/s", Some(5e6))];
    rows.extend(instants(&store, config, clock));
    drop(store);
    rows.extend(day(config.seed, clock));
    rows
}

/// A figure.
pub const fn row(id: &'static str, value: f64, unit: &'static str, must: Option<f64>) -> BenchRow {
    BenchRow { id, value, unit, must }
}

/// Memory by part. The parts sum up to the first row; all capacity counts, whether in use or not.
fn sizes(store: &Store, config: BenchConfig) -> Vec<BenchRow> {
    let bytes = store.bytes();
    let each = |part: usize| part as f64 / config.samples();
    let other = bytes.late + bytes.text + bytes.density + bytes.other;
    vec![
        row("bytes_per_sample", each(bytes.total()), "bytes", Some(1.5)),
        row("bytes_blocks", each(bytes.blocks), "bytes", None),
        row("bytes_heads", each(bytes.heads), "bytes", None),
        row("bytes_directory", each(bytes.directory), "bytes", None),
        row("bytes_signals", each(bytes.signals), "bytes", None),
        row("bytes_other", each(other), "bytes", None),
    ]
}

/// Jumps and drag steps.
fn instants(store: &Store, config: BenchConfig, clock: &mut dyn FnMut() -> f64) -> Vec<BenchRow> {
    let jumps = jumps(store, config, clock);
    let drags = drags(store, config, clock);
    vec![
        row("jump_p50_ms", percentile(&jumps, 50) * 1e3, "ms", None),
        row("jump_p99_ms", percentile(&jumps, 99) * 1e3, "ms", Some(10.0)),
        row("drag_p50_ms", percentile(&drags, 50) * 1e3, "ms", None),
        row("drag_p99_ms", percentile(&drags, 99) * 1e3, "ms", Some(3.0)),
    ]
}

/// A day of one signal to 1,000 points.
fn day(seed: u64, clock: &mut dyn FnMut() -> f64) -> [BenchRow; 2] {
    let ranges = ranges(seed, clock);
    [
        row("range_24h_p50_ms", percentile(&ranges, 50) * 1e3, "ms", None),
        row("range_24h_ms", percentile(&ranges, 99) * 1e3, "ms", Some(1.0)),
    ]
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

/// Everything of the run as sealed chunks: their size on disk and wire, and the speed of writing and reading them.
fn chunks(store: &mut Store, config: BenchConfig, clock: &mut dyn FnMut() -> f64) -> [BenchRow; 4] {
    // So many at a time: nobody holds all chunks of a plant at once.
    const AT_ONCE: usize = 16;
    let end = START + Span::from_secs(config.seconds) + store.config().slab;
    let mut back = Store::new(Plant::new(config.signals, config.seed).specs(), *store.config());
    let (mut bytes, mut sealed, mut imported, mut read) = (0, 0.0, 0.0, 0);
    loop {
        let before = clock();
        let sealed_now = store.seal_some(end, AT_ONCE);
        sealed += clock() - before;
        let chunks: Vec<Chunk> = sealed_now.into_iter().map(|sealed| sealed.chunk).collect();
        if chunks.is_empty() {
            break;
        }
        bytes += chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
        // The first ones come back, so that memory does not hold the whole load twice.
        if read == 0 {
            let before = clock();
            read = chunks.iter().filter_map(|chunk| back.import_chunk(&chunk.bytes).ok()).map(|chunk| chunk.samples).sum();
            imported = clock() - before;
        }
    }
    [
        row("disk_bytes_per_sample", bytes as f64 / config.samples(), "bytes", Some(1.5)),
        // The same under its first name, which readers of the JSON may know.
        row("chunk_bytes_per_sample", bytes as f64 / config.samples(), "bytes", None),
        row("seal_samples_s", config.samples() / sealed, "samples/s", None),
        row("import_samples_s", read as f64 / imported, "samples/s", None),
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

/// Samples a second where half a million of one signal come in no order at all, one by one, and how many times the memory they take then.
fn scattered(seed: u64, clock: &mut dyn FnMut() -> f64) -> (f64, f64) {
    const SAMPLES: usize = 500_000;
    let (mut plant, mut random) = (Plant::new(1, seed), plant::Random(seed));
    let (mut all, mut batch) = (Vec::with_capacity(SAMPLES), Vec::new());
    for second in 0..SAMPLES {
        plant.second(START + Span::from_secs(second as i64), &mut batch);
        all.append(&mut batch);
    }
    let mut filled = |batch: &[Sample]| {
        let mut store = Store::new(plant.specs(), StoreConfig::default());
        let before = clock();
        for sample in batch {
            store.append(SignalIndex(0), sample);
        }
        (store.counters().stored as f64 / (clock() - before), store.bytes().total() as f64)
    };
    let (_, ordered) = filled(&all);
    // The shuffle of Fisher and Yates.
    for at in (1..all.len()).rev() {
        all.swap(at, (random.next() % (at as u64 + 1)) as usize);
    }
    let (rate, bytes) = filled(&all);
    (rate, bytes / ordered)
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

/// Seconds per envelope of 24 h of one signal in 1,000 points, over signals of every sort. The blocks of a signal lie
/// between those of the plant's other signals, as they do in a store that was fed live; one signal alone would be read in
/// a row. No signal is asked twice, so that none is found in the processor's cache.
fn ranges(seed: u64, clock: &mut dyn FnMut() -> f64) -> Vec<f64> {
    const DAY: i64 = 86_400;
    const SIGNALS: u32 = 400;
    let (store, _) = ingest(BenchConfig { signals: SIGNALS as usize, seconds: DAY + 600, reads: 0, seed }, clock);
    let mut out = Vec::new();
    for signal in 0..SIGNALS {
        let from = START + Span::from_micros(i64::from(signal) * 1_333_333);
        let range = TimeRange::new(from, from + Span::from_secs(DAY));
        let before = clock();
        let envelope = store.envelope(SignalIndex(signal), range, 1_000);
        let spent = clock() - before;
        debug_assert!(envelope.samples() >= 86_000);
        out.push(spent);
    }
    out
}

/// The value that `percent` of the values do not exceed (nearest rank).
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).copied().unwrap_or(0.0)
}
