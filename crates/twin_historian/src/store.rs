//! The store itself: one series per signal, the rules for what is taken in, and the reads.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use twin_model::{Flags, Quality, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use crate::budget::Sweep;
use crate::chunk::{self, Chunk, ChunkKey, Section};
use crate::counters::{BytesReport, Counters};
use crate::density::Density;
use crate::envelope::{Builder, Envelope, bucket_width};
use crate::error::HistorianError;
use crate::row::{BOOL, FLOAT, INT, Row, TEXT, kind_code};
use crate::series::{Aim, Inserted, Place, Series, Shared, Words};
use crate::snapshot::{Cursor, Snapshot};
use crate::spec::{Appended, Direction, SignalSpec, StoreConfig};

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

/// Signals that are read in step when a snapshot is taken.
const JUMP_BATCH: usize = 128;

/// Samples beyond which [`Store::density`] answers from counts by second instead of from the samples.
const EXACT_DENSITY: u64 = 100_000;

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
    /// Chunks handed out by [`Self::seal`] or read by [`Self::import_chunk`], by lane and slab start.
    slabs: BTreeMap<(u32, i64), SlabState>,
    /// Per lane the end of its latest sealed slab: newer samples cannot make a sealed slab dirty.
    sealed_end: Vec<i64>,
    /// The largest of `sealed_end`.
    any_sealed_end: i64,
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
            slabs: self.slabs.clone(),
            sealed_end: self.sealed_end.clone(),
            any_sealed_end: self.any_sealed_end,
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
        let lanes = columns.len().div_ceil(config.lane_signals as usize);
        Self {
            columns,
            shared: Shared::default(),
            config,
            counters: Counters::default(),
            sweep: Sweep::default(),
            identity: STORES.fetch_add(1, Ordering::Relaxed),
            density: Density::default(),
            quarantine: VecDeque::new(),
            slabs: BTreeMap::new(),
            sealed_end: vec![i64::MIN; lanes],
            any_sealed_end: i64::MIN,
        }
    }

    /// Number of signals.
    pub fn signals(&self) -> usize {
        self.columns.len()
    }

    /// The settings, as corrected by [`Self::new`].
    pub const fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// Takes one sample in. Any order of source times is welcome; ascending order per signal is cheapest.
    pub fn append(&mut self, signal: SignalIndex, sample: &Sample) -> Appended {
        let Some(column) = self.columns.get_mut(signal.at()) else {
            self.counters.unknown_signal += 1;
            self.quarantine(signal, sample);
            return Appended::Quarantined;
        };
        let (t, r) = (sample.source_time.as_micros(), sample.received_time.as_micros());
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
            Value::Text(v) => column.words.get_or_insert_default().code(v),
        };
        let kind = sample.value.kind();
        self.counters.kind_mismatch += u64::from(kind != column.spec.value_kind);
        self.counters.backward += u64::from(column.series.previous_time().is_some_and(|previous| t < previous));
        let row = Row { t, r, bits, q: sample.quality.bits(), f: sample.flags.0, k: kind_code(kind) };
        self.insert(signal, row)
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

    /// The newest sample at or before `t`.
    pub fn latest_at(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        let column = self.columns.get(signal.at())?;
        column.series.at(&self.shared.arena, t.as_micros()).and_then(|row| column.sample(&row))
    }

    /// The newest sample that is not store-and-forward data ([`Flags::HISTORICAL`]): what "now" shows. A late sample
    /// never moves it back.
    pub fn live(&self, signal: SignalIndex) -> Option<Sample> {
        let column = self.columns.get(signal.at())?;
        column.series.at(&self.shared.arena, column.series.live_time()?).and_then(|row| column.sample(&row))
    }

    /// The state of all signals at `t` into `out`. `cursor` remembers places between calls; steps to nearby instants with
    /// the same cursor are cheaper than jumps, and any cursor gives the same answer.
    pub fn snapshot_at(&self, t: Timestamp, cursor: &mut Cursor, out: &mut Snapshot) {
        if (cursor.store, cursor.revision) != (self.identity, self.shared.revision) {
            cursor.places.clear();
            (cursor.store, cursor.revision) = (self.identity, self.shared.revision);
        }
        cursor.places.resize(self.columns.len(), Place::NOWHERE);
        out.t = t;
        out.resize(self.columns.len());
        let mut first = 0;
        for (columns, places) in self.columns.chunks(JUMP_BATCH).zip(cursor.places.chunks_mut(JUMP_BATCH)) {
            self.snapshot_batch(t.as_micros(), first, columns, places, out);
            first += columns.len();
        }
    }

    /// In three passes, so that the waits for memory of different signals overlap: fields, directory entries, blocks.
    fn snapshot_batch(&self, t: i64, first: usize, columns: &[Column], places: &mut [Place], out: &mut Snapshot) {
        let arena = &self.shared.arena;
        let mut aims = [Aim::Nowhere; JUMP_BATCH];
        for ((column, place), aim) in columns.iter().zip(&*places).zip(&mut aims) {
            *aim = if place.holds(t) { Aim::Known } else { column.series.aim(t) };
        }
        for ((column, place), aim) in columns.iter().zip(&mut *places).zip(&mut aims) {
            if let Aim::Block(guess) = *aim {
                *place = column.series.place(guess, t);
                *aim = Aim::Known;
            }
        }
        for (at, ((column, place), aim)) in columns.iter().zip(places).zip(&aims).enumerate() {
            let row = match aim {
                Aim::Known => Some(place.row(arena, t)),
                Aim::Head => column.series.head_row(t),
                Aim::Anywhere => column.series.at(arena, t),
                Aim::Nowhere | Aim::Block(_) => None,
            };
            out.put(first + at, row, |code| column.word(code).cloned());
        }
    }

    /// Every sample with a source time in `range`, in source-time order, until `f` breaks.
    pub fn for_each_sample(&self, signal: SignalIndex, range: TimeRange, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        let Some(column) = self.columns.get(signal.at()) else { return };
        let (from, to) = (range.start.as_micros(), range.end.as_micros());
        let _stopped_early = column.series.for_each(&self.shared.arena, from, to, &mut |row| match column.sample(row) {
            Some(sample) => f(&sample),
            None => ControlFlow::Continue(()),
        });
    }

    /// One signal over a range in at most about `max_points` buckets (at least 2), every peak kept. Gaps by the signal's
    /// [`SignalSpec::gap_after`].
    pub fn envelope(&self, signal: SignalIndex, range: TimeRange, max_points: usize) -> Envelope {
        let gap_after = self.columns.get(signal.at()).and_then(|column| column.spec.gap_after);
        self.envelope_with(signal, range, max_points, gap_after)
    }

    /// As [`Self::envelope`], with a gap limit of the caller's.
    pub fn envelope_with(&self, signal: SignalIndex, range: TimeRange, max_points: usize, gap_after: Option<Span>) -> Envelope {
        let range = self.close_range(signal, range);
        let mut envelope = Envelope {
            range,
            width: Span::from_micros(1),
            buckets: Vec::new(),
            gaps: Vec::new(),
            before: None,
            after: None,
            thinned: Vec::new(),
        };
        let Some(column) = self.columns.get(signal.at()) else { return envelope };
        let arena = &self.shared.arena;
        let (from, to) = (range.start.as_micros(), range.end.as_micros().max(range.start.as_micros()));
        let width = bucket_width(range, column.series.count_in(arena, from, to), max_points);
        let mut builder = Builder::new(width, gap_after);
        let before = from.checked_sub(1).and_then(|t| column.series.at(arena, t));
        if let Some(row) = before.filter(|row| row.number().is_some()) {
            builder.before(row.t);
        }
        column.series.envelope(arena, from, to, &mut builder);
        let after = match to.checked_sub(1) {
            Some(t) => column.series.after(arena, t),
            None => column.series.at(arena, to),
        };
        let after_drawn = after.filter(|row| row.number().is_some()).map(|row| row.t);
        builder.next_gap(after_drawn.and_then(|t| column.series.gap_before(arena, t, builder.gap_after())));
        (envelope.buckets, envelope.gaps) = builder.finish(after_drawn);
        envelope.width = Span::from_micros(width);
        envelope.before = before.and_then(|row| column.sample(&row));
        envelope.after = after.and_then(|row| column.sample(&row));
        let thinned = column.series.thinned_range(arena).map(|thinned| thinned.intersect(range));
        envelope.thinned = thinned.filter(|thinned| !thinned.is_empty()).into_iter().collect();
        envelope
    }

    /// Replaces open ends by the signal's extent.
    fn close_range(&self, signal: SignalIndex, range: TimeRange) -> TimeRange {
        let Some(extent) = self.extent_of(signal) else { return range };
        let start = if range.start == Timestamp::MIN { extent.start.min(range.end) } else { range.start };
        let end = if range.end == Timestamp::MAX { extent.end.max(range.start) } else { range.end };
        TimeRange::new(start, end)
    }

    /// Source time of the signal's next sample strictly after `t`, or strictly before it.
    pub fn next_sample_time(&self, signal: SignalIndex, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        let series = &self.columns.get(signal.at())?.series;
        let row = match direction {
            Direction::Forward => series.after(&self.shared.arena, t.as_micros()),
            Direction::Backward => series.at(&self.shared.arena, t.as_micros().checked_sub(1)?),
        };
        row.map(|row| Timestamp::from_micros(row.t))
    }

    /// From the first to just after the last sample of any signal.
    pub fn extent(&self) -> Option<TimeRange> {
        let first = self.columns.iter().filter_map(|c| c.series.first_time()).min()?;
        let last = self.columns.iter().filter_map(|c| c.series.last_time()).max()?;
        Some(closed(first, last))
    }

    /// From the signal's first to just after its last sample.
    pub fn extent_of(&self, signal: SignalIndex) -> Option<TimeRange> {
        let series = &self.columns.get(signal.at())?.series;
        Some(closed(series.first_time()?, series.last_time()?))
    }

    /// Samples over all signals in each of `buckets` equal parts of `range`. Exact up to 100,000 samples in the range;
    /// beyond that from counts by second (older than some days: by 16 minutes) divided in proportion. Samples that were
    /// thinned still count.
    pub fn density(&self, range: TimeRange, buckets: usize) -> Vec<u32> {
        let mut out = vec![0_u32; buckets];
        if buckets == 0 || range.is_empty() {
            return out;
        }
        if self.density.about(range) > EXACT_DENSITY {
            self.density.spread(range, &mut out);
            return out;
        }
        if self.thinned().is_some_and(|thinned| !thinned.intersect(range).is_empty()) {
            self.density.spread(range, &mut out);
            return out;
        }
        let start = i128::from(range.start.as_micros());
        let span = i128::from(range.end.as_micros()) - start;
        for column in &self.columns {
            let _never_stops =
                column.series.for_each(&self.shared.arena, range.start.as_micros(), range.end.as_micros(), &mut |row| {
                    let bucket = (i128::from(row.t) - start) * buckets as i128 / span;
                    if let Some(slot) = usize::try_from(bucket).ok().and_then(|at| out.get_mut(at)) {
                        *slot = slot.saturating_add(1);
                    }
                    ControlFlow::Continue(())
                });
        }
        out
    }

    /// The stretch in which the byte budget took samples of any signal away. Reads in it answer from the samples that
    /// stayed: first, last, lowest, highest, worst and the edges of gaps of every stretch of 128 or more.
    pub fn thinned(&self) -> Option<TimeRange> {
        let ranges = self.columns.iter().filter_map(|column| column.series.thinned_range(&self.shared.arena));
        ranges.reduce(TimeRange::union)
    }

    /// Samples with an earlier source time than this were dropped for the byte budget; none where nothing was.
    pub const fn dropped_before(&self) -> Option<Timestamp> {
        self.sweep.dropped_before()
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
            pyramid: 0,
            late: sum(|c| c.series.late_bytes()),
            text: sum(|c| c.words.as_ref().map_or(0, |words| words.bytes())),
            density: self.density.bytes(),
            other: self.quarantine.capacity() * size_of::<Quarantined>() + self.slabs.len() * 32 + self.sealed_end.len() * 8,
        }
    }

    /// The word of a text signal's code ([`Point::v`](crate::Point::v) of a text signal).
    pub fn word(&self, signal: SignalIndex, code: f64) -> Option<&str> {
        self.columns.get(signal.at())?.word(code as u64).map(|word| &**word)
    }

    /// The chunks to keep: every slab of every lane that ended at or before `upto` and has samples that no sealed or
    /// imported chunk has. Late samples make a slab dirty again: it comes back whole, under the same key but a higher
    /// version, and replaces its predecessor. Ordered by key.
    pub fn seal(&mut self, upto: Timestamp) -> Vec<Chunk> {
        let slab = self.config.slab.as_micros();
        let end = upto.as_micros().div_euclid(slab).saturating_mul(slab);
        let mut chunks = Vec::new();
        for lane in 0..self.sealed_end.len() {
            for start in self.unsealed_slabs(lane, end) {
                let state = self.slabs.entry((lane as u32, start)).or_insert(SlabState { version: 0, dirty: false });
                state.version = state.version.saturating_add(1);
                state.dirty = false;
                let version = state.version;
                self.note_sealed(lane, start.saturating_add(slab));
                self.export_lane(lane, start, start.saturating_add(slab), version, &mut chunks);
            }
        }
        chunks
    }

    /// Starts of the slabs of a lane before `end` that hold samples and are new or dirty.
    fn unsealed_slabs(&self, lane: usize, end: i64) -> Vec<i64> {
        let slab = self.config.slab.as_micros();
        let columns = self.lane(lane).1;
        let mut starts = Vec::new();
        let mut next = i64::MIN;
        while let Some(t) = columns.iter().filter_map(|c| c.series.at_or_after(&self.shared.arena, next)).min()
            && t < end
        {
            let start = t.div_euclid(slab).saturating_mul(slab);
            if self.slabs.get(&(lane as u32, start)).is_none_or(|state| state.dirty) {
                starts.push(start);
            }
            next = start.saturating_add(slab);
        }
        starts
    }

    /// Everything with a source time in `range` as chunks, cut at slab and lane edges, unsealed samples included. The store
    /// does not remember that it was exported. Ordered by key.
    pub fn export_chunks(&self, range: TimeRange) -> Vec<Chunk> {
        let slab = self.config.slab.as_micros();
        let mut chunks = Vec::new();
        for lane in 0..self.sealed_end.len() {
            let mut next = range.start.as_micros();
            while let Some(t) = self.lane(lane).1.iter().filter_map(|c| c.series.at_or_after(&self.shared.arena, next)).min()
                && t < range.end.as_micros()
            {
                let start = t.div_euclid(slab).saturating_mul(slab);
                let end = start.saturating_add(slab);
                let version = self.slabs.get(&(lane as u32, start)).map_or(0, |state| state.version);
                let (from, to) = (start.max(range.start.as_micros()), end.min(range.end.as_micros()));
                self.export_lane(lane, from, to, version, &mut chunks);
                if end <= t {
                    break;
                }
                next = end;
            }
        }
        chunks
    }

    /// First signal and columns of a lane.
    fn lane(&self, lane: usize) -> (u32, &[Column]) {
        let width = self.config.lane_signals as usize;
        let first = (lane * width).min(self.columns.len());
        let end = (first + width).min(self.columns.len());
        (first as u32, &self.columns[first..end])
    }

    /// Encodes `[from, to)` of a lane, halving the time where one chunk would hold too many samples.
    fn export_lane(&self, lane: usize, from: i64, to: i64, version: u32, chunks: &mut Vec<Chunk>) {
        let (first_signal, columns) = self.lane(lane);
        let samples: u64 = columns.iter().map(|c| c.series.count_in(&self.shared.arena, from, to)).sum();
        if samples == 0 {
            return;
        }
        if samples > chunk::MAX_SAMPLES && to.saturating_sub(from) > 1 {
            let middle = from + to.saturating_sub(from) / 2;
            self.export_lane(lane, from, middle, version, chunks);
            self.export_lane(lane, middle, to, version, chunks);
            return;
        }
        let key = ChunkKey {
            first_signal,
            signals: columns.len() as u32,
            start: Timestamp::from_micros(from),
            end: Timestamp::from_micros(to),
            version,
        };
        let mut writer = chunk::Writer::new(key);
        let mut rows = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            rows.clear();
            let _never_stops = column.series.for_each(&self.shared.arena, from, to, &mut |row| {
                rows.push(*row);
                ControlFlow::Continue(())
            });
            writer.signal(at as u32, &rows, &|code| column.word(code).map_or("", |word| word));
        }
        chunks.push(writer.finish());
    }

    /// Takes in the samples of a chunk, under the same rule for equal source times as append; what is already held stays.
    /// They are history: nothing is counted late or quarantined. A chunk that covers a whole slab counts as sealed.
    ///
    /// # Errors
    /// [`HistorianError`] where the bytes are not a chunk that fits this store; nothing was taken in then.
    pub fn import_chunk(&mut self, bytes: &[u8]) -> Result<Imported, HistorianError> {
        let (key, sections) = chunk::read(bytes, self.columns.len())?;
        let fresh = self.note_imported(&key);
        let mut imported = Imported { key, samples: 0, range: TimeRange::new(Timestamp::MAX, Timestamp::MIN) };
        for section in &sections {
            self.import_section(section, &mut imported);
        }
        if let Some(slab) = fresh
            && let Some(state) = self.slabs.get_mut(&slab)
        {
            state.dirty = false;
        }
        Ok(imported)
    }

    /// Marks the slab of a whole-slab chunk as sealed; returns it if this store held nothing of it before.
    fn note_imported(&mut self, key: &ChunkKey) -> Option<(u32, i64)> {
        let slab = self.config.slab.as_micros();
        let (from, to) = (key.start.as_micros(), key.end.as_micros());
        let lane = key.first_signal / self.config.lane_signals;
        let whole = key.first_signal.is_multiple_of(self.config.lane_signals)
            && key.signals as usize == self.lane(lane as usize).1.len()
            && from.rem_euclid(slab) == 0
            && to.checked_sub(from) == Some(slab);
        if !whole || self.lane(lane as usize).1.iter().any(|c| c.series.count_in(&self.shared.arena, from, to) > 0) {
            return None;
        }
        self.slabs.insert((lane, from), SlabState { version: key.version, dirty: false });
        self.note_sealed(lane as usize, to);
        Some((lane, from))
    }

    fn import_section(&mut self, section: &Section, imported: &mut Imported) {
        let (Some(first), Some(last)) = (section.rows.first(), section.rows.last()) else { return };
        imported.samples += section.rows.len() as u64;
        imported.range = imported.range.union(closed(first.t, last.t));
        let signal = SignalIndex(section.signal);
        let column = &mut self.columns[signal.at()];
        let codes: Vec<u64> = section.words.iter().map(|word| column.words.get_or_insert_default().code(word)).collect();
        let code = |row: &Row| if row.k == TEXT { codes.get(row.bits as usize).copied().unwrap_or(0) } else { row.bits };
        let rows: Vec<Row> = section.rows.iter().map(|row| Row { bits: code(row), ..*row }).collect();
        // Older history that does not mix with what is held goes in at once.
        let behind = column.series.last_time().is_some_and(|newest| last.t < newest);
        if behind && column.series.count_in(&self.shared.arena, first.t, last.t.saturating_add(1)) == 0 {
            column.series.fold(signal.0, &mut self.shared);
            column.series.merge(signal.0, &rows, &mut self.shared);
            if let Some(live) = rows.iter().rfind(|row| !Flags(row.f).has(Flags::HISTORICAL)) {
                column.series.note_live(live.t);
            }
            rows.iter().for_each(|row| self.note_import(signal, row.t, Inserted::Late));
        } else {
            for row in &rows {
                let inserted = self.columns[signal.at()].series.insert(signal.0, row, &mut self.shared);
                self.note_import(signal, row.t, inserted);
            }
        }
        self.keep_budget();
    }

    fn note_import(&mut self, signal: SignalIndex, t: i64, inserted: Inserted) {
        if matches!(inserted, Inserted::New | Inserted::Late) {
            self.density.add(t);
            self.counters.imported += 1;
        }
        if !matches!(inserted, Inserted::Outdated | Inserted::Replaced(false)) {
            self.touch_slab(signal, t);
        }
    }

    fn note_sealed(&mut self, lane: usize, end: i64) {
        self.sealed_end[lane] = self.sealed_end[lane].max(end);
        self.any_sealed_end = self.any_sealed_end.max(end);
    }

    /// Notes that a slab which was sealed has changed.
    fn touch_slab(&mut self, signal: SignalIndex, t: i64) {
        if t >= self.any_sealed_end {
            return;
        }
        let lane = signal.0 / self.config.lane_signals;
        if t >= self.sealed_end[lane as usize] {
            return;
        }
        let slab = self.config.slab.as_micros();
        if let Some(state) = self.slabs.get_mut(&(lane, t.div_euclid(slab).saturating_mul(slab))) {
            state.dirty = true;
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

/// The half-open range that holds both instants.
pub(crate) fn closed(first: i64, last: i64) -> TimeRange {
    TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(last.saturating_add(1)))
}
