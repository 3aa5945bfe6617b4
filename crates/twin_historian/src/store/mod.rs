//! The store itself: one series per signal and the rules for what is taken in. The reads are in `reads`, `current` and `jump`,
//! chunks in `slabs`.

mod budget;
mod current;
mod evict;
mod hold;
mod jump;
mod known;
mod lanes;
mod reads;
mod reduce;
mod runs;
mod slabs;
mod texts;

pub use hold::{Known, ValueAt};
pub use runs::Run;
pub use slabs::Sealed;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use twin_model::{Flags, Quality, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use crate::chunk::{self, ChunkKey, Level};
use crate::counters::{BytesReport, Counters};
use crate::density::Density;
use crate::row::{BOOL, FLOAT, INT, Row, TEXT, kind_code};
use crate::series::{Inserted, Series, Shared, Words};
use crate::spec::{Appended, SignalSpec, StoreConfig};
use budget::Sweep;
use lanes::Lanes;
use texts::Texts;

/// A sample that was refused, kept for people to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantined {
    /// Its signal.
    pub signal: SignalIndex,
    /// As it came.
    pub sample: Sample,
}

/// What an imported chunk held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Which chunk it was.
    pub key: ChunkKey,
    /// Samples in it, those already held included.
    pub samples: u64,
    /// From its earliest to just after its latest sample; empty where it holds none.
    pub range: TimeRange,
}

/// What is kept, to be looked at, of a text that is too long.
const SHOWN_BYTES: usize = 256;

#[derive(Debug, Clone, Copy)]
struct SlabState {
    version: u32,
    dirty: bool,
}

/// One signal. On cache lines of its own, because a jump touches one line of each.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(crate) struct Column {
    pub(crate) series: Series,
    pub(crate) spec: SignalSpec,
    words: Option<Box<Words>>,
}

/// All samples of one site. See the crate's head for what it promises.
#[derive(Debug)]
pub struct Store {
    pub(crate) columns: Vec<Column>,
    pub(crate) shared: Shared,
    pub(crate) config: StoreConfig,
    pub(crate) counters: Counters,
    pub(crate) sweep: Sweep,
    /// Tells stores apart for cursors.
    identity: u64,
    density: Density,
    quarantine: VecDeque<Quarantined>,
    /// Which signals are kept together, and under which numbers.
    lanes: Lanes,
    /// Chunks handed out by [`Self::seal`] or read by [`Self::import_chunk`], by lane and slab start.
    slabs: BTreeMap<(u32, i64), SlabState>,
    /// Per lane the end of its latest sealed slab: newer samples cannot make a sealed slab dirty.
    sealed_end: Vec<i64>,
    /// The largest of `sealed_end`.
    any_sealed_end: i64,
    /// Stretches of which samples are kept elsewhere and not (all) here: merged, ascending.
    elsewhere: Vec<TimeRange>,
    /// Stretches that are here only at a coarser level: ascending, none overlapping another.
    coarse: Vec<(TimeRange, Level)>,
    /// Per lane: slabs before this are sealed, and only those that changed since are in `slabs`.
    given_up: Vec<i64>,
    /// Lane and start of slabs of which samples went before any chunk held them: only a journal may have them.
    missing: BTreeSet<(u32, i64)>,
    texts: Texts,
}

/// Cursors hold places that mean nothing in another store. A count, not a clock: it decides no answer.
static STORES: AtomicU64 = AtomicU64::new(1);

impl Clone for Store {
    fn clone(&self) -> Self {
        Self {
            columns: self.columns.clone(),
            shared: self.shared.clone(),
            config: self.config,
            counters: self.counters,
            sweep: self.sweep.clone(),
            identity: STORES.fetch_add(1, Ordering::Relaxed),
            density: self.density.clone(),
            quarantine: self.quarantine.clone(),
            lanes: self.lanes.clone(),
            slabs: self.slabs.clone(),
            sealed_end: self.sealed_end.clone(),
            any_sealed_end: self.any_sealed_end,
            elsewhere: self.elsewhere.clone(),
            coarse: self.coarse.clone(),
            given_up: self.given_up.clone(),
            missing: self.missing.clone(),
            texts: self.texts.clone(),
        }
    }
}

impl Store {
    /// An empty store; the n-th spec is about `SignalIndex(n)`.
    pub fn new(specs: impl IntoIterator<Item = SignalSpec>, config: StoreConfig) -> Self {
        let columns: Vec<Column> =
            specs.into_iter().map(|spec| Column { series: Series::default(), spec, words: None }).collect();
        let config = StoreConfig {
            lane_signals: config.lane_signals.clamp(1, chunk::MAX_SIGNALS),
            slab: config.slab.max(Span::from_secs(1)),
            ..config
        };
        let lanes = Lanes::by_position(columns.len() as u32, config.lane_signals);
        let count = lanes.kept.len();
        Self {
            shared: Shared::new(columns.len(), config.budget_bytes),
            texts: Texts::new(columns.iter().map(|column| column.spec.value_kind)),
            missing: BTreeSet::new(),
            columns,
            config,
            counters: Counters::default(),
            sweep: Sweep::default(),
            identity: STORES.fetch_add(1, Ordering::Relaxed),
            density: Density::default(),
            quarantine: VecDeque::new(),
            lanes,
            slabs: BTreeMap::new(),
            sealed_end: vec![i64::MIN; count],
            any_sealed_end: i64::MIN,
            elsewhere: Vec::new(),
            coarse: Vec::new(),
            given_up: vec![i64::MIN; count],
        }
    }

    /// Says under which numbers a keeper knows the signals: the n-th has `numbers[n]`, and `given` numbers have been given out to
    /// anybody so far. From here on [`Self::seal`] and what belongs to it speak of lanes of these numbers, and so does
    /// [`Self::import_kept`]. To be called on a store that has not sealed or imported anything. False, and nothing changed, where
    /// there are not as many numbers as signals, or two are the same.
    pub fn number(&mut self, numbers: &[u32], given: u32) -> bool {
        let lanes = Lanes::by_number(numbers, given, self.config.lane_signals).filter(|_| numbers.len() == self.columns.len());
        let Some(lanes) = lanes else { return false };
        let count = lanes.kept.len();
        self.lanes = lanes;
        self.slabs.clear();
        (self.sealed_end, self.given_up) = (vec![i64::MIN; count], vec![i64::MIN; count]);
        self.any_sealed_end = i64::MIN;
        true
    }

    /// The signal under a keeper's number ([`Self::number`]); none where it is no signal here.
    pub fn position(&self, number: u32) -> Option<SignalIndex> {
        self.lanes.signal(number)
    }

    /// Number of signals.
    pub fn signals(&self) -> usize {
        self.columns.len()
    }

    /// The settings, as corrected by [`Self::new`].
    pub const fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// Takes one sample in. Any order of source times is welcome; ascending order per signal is cheapest. What no chunk may
    /// hold (a text over [`chunk::MAX_WORD_BYTES`]) is refused here, whoever brings it.
    pub fn append(&mut self, signal: SignalIndex, sample: &Sample) -> Appended {
        let Some(column) = self.columns.get_mut(signal.at()) else {
            self.counters.unknown_signal += 1;
            self.quarantine(signal, sample);
            return Appended::Quarantined;
        };
        let (t, r) = (sample.source_time.as_micros(), sample.received_time.as_micros());
        if let Value::Text(text) = &sample.value
            && text.len() > chunk::MAX_WORD_BYTES
        {
            self.counters.too_large += 1;
            let shown = text.get(..text.floor_char_boundary(SHOWN_BYTES)).unwrap_or_default();
            self.quarantine(signal, &Sample { value: Value::text(shown), ..sample.clone() });
            return Appended::Quarantined;
        }
        if t > r {
            let ahead = Span::from_micros(t.saturating_sub(r));
            if !sample.flags.has(Flags::PREDICTED) {
                self.counters.max_ahead = self.counters.max_ahead.max(ahead);
                if ahead > self.config.future_limit {
                    self.counters.quarantined += 1;
                    self.quarantine(signal, sample);
                    return Appended::Quarantined;
                }
                self.counters.ahead_of_received += 1;
            }
        }
        let bits = match &sample.value {
            Value::Float(v) => {
                self.counters.nan += u64::from(v.is_nan());
                self.counters.infinite += u64::from(v.is_infinite());
                v.to_bits()
            }
            Value::Int(v) => *v as u64,
            Value::Bool(v) => u64::from(*v),
            Value::Text(v) => {
                let words = column.words.get_or_insert_default();
                let before = words.bytes();
                let code = words.code(v);
                self.texts.bytes += words.bytes() - before;
                code
            }
        };
        let kind = sample.value.kind();
        self.counters.kind_mismatch += u64::from(kind != column.spec.value_kind);
        self.counters.backward += u64::from(column.series.previous_time().is_some_and(|previous| t < previous));
        let row = Row { t, r, bits, q: sample.quality.bits(), f: sample.flags.0, k: kind_code(kind) };
        let appended = self.insert(signal, row);
        if row.k == TEXT {
            self.keep_texts();
        }
        appended
    }

    /// Whether a sample says again what is held at its source time already: the same value, quality and flags, received no earlier.
    /// Whoever keeps the receipt of the first loses nothing, and what was known when stays true. Only what is here can tell. One that does is
    /// counted as a duplicate, and must not be appended.
    pub fn repeats(&mut self, signal: SignalIndex, sample: &Sample) -> bool {
        let Some(column) = self.columns.get(signal.at()) else { return false };
        let t = sample.source_time.as_micros();
        if column.series.last_time().is_none_or(|newest| t > newest) {
            return false;
        }
        let held = column.series.at(&self.shared.arena, t).filter(|row| row.t == t).and_then(|row| column.sample(&row));
        let repeats = held.is_some_and(|held| {
            let same = held.value == sample.value && (held.quality, held.flags) == (sample.quality, sample.flags);
            same && held.received_time <= sample.received_time
        });
        self.counters.duplicates += u64::from(repeats);
        repeats
    }

    fn insert(&mut self, signal: SignalIndex, row: Row) -> Appended {
        let column = &mut self.columns[signal.at()];
        let inserted = column.series.insert(signal.0, &row, &mut self.shared);
        if inserted != Inserted::Outdated {
            self.counters.stored += 1;
            self.touch_slab(signal, row.t);
        }
        self.keep_budget();
        match inserted {
            Inserted::New => {
                self.density.add(row.t);
                Appended::New
            }
            Inserted::Late => {
                self.density.add(row.t);
                self.counters.late += 1;
                Appended::Late
            }
            Inserted::Replaced(differs) => {
                self.counters.duplicates += 1;
                self.counters.duplicates_replaced += u64::from(differs);
                Appended::Duplicate
            }
            Inserted::Outdated => {
                self.counters.duplicates += 1;
                Appended::Duplicate
            }
        }
    }

    fn quarantine(&mut self, signal: SignalIndex, sample: &Sample) {
        if self.config.quarantine_kept == 0 {
            return;
        }
        if self.quarantine.len() >= self.config.quarantine_kept {
            self.quarantine.pop_front();
        }
        self.quarantine.push_back(Quarantined { signal, sample: sample.clone() });
    }

    /// The newest refused samples, oldest first.
    pub fn quarantined(&self) -> impl Iterator<Item = &Quarantined> {
        self.quarantine.iter()
    }

    /// Totals.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Heap bytes by part.
    pub fn bytes(&self) -> BytesReport {
        let (blocks, waste) = self.shared.arena.bytes();
        let sum = |part: fn(&Column) -> usize| self.columns.iter().map(part).sum();
        BytesReport {
            signals: self.columns.capacity() * size_of::<Column>(),
            heads: sum(|c| c.series.head_bytes()),
            blocks,
            waste,
            directory: sum(|c| c.series.directory_bytes()),
            late: sum(|c| c.series.late_bytes()),
            text: sum(|c| c.words.as_ref().map_or(0, |words| words.bytes())),
            density: self.density.bytes(),
            other: self.quarantine.capacity() * size_of::<Quarantined>()
                + self.slabs.len() * 32
                + self.sealed_end.len() * 8
                + self.missing.len() * 24,
        }
    }
}

impl Column {
    fn word(&self, code: u64) -> Option<&Arc<str>> {
        self.words.as_ref()?.word(code)
    }

    fn sample(&self, row: &Row) -> Option<Sample> {
        let value = match row.k {
            FLOAT => Value::Float(f64::from_bits(row.bits)),
            INT => Value::Int(row.bits as i64),
            BOOL => Value::Bool(row.bits != 0),
            TEXT => Value::Text(self.word(row.bits)?.clone()),
            _ => return None,
        };
        Some(Sample {
            source_time: Timestamp::from_micros(row.t),
            received_time: Timestamp::from_micros(row.r),
            value,
            quality: Quality::from_bits(row.q),
            flags: Flags(row.f),
        })
    }
}
