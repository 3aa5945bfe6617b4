//! History as chunks: which slabs of which lanes are sealed, what leaves and what comes in.
//!
//! A lane is a run of neighbouring signals, a slab a stretch of time that begins at a whole multiple of its length. One
//! lane of one slab is one chunk.

use std::ops::ControlFlow;

use twin_model::{Flags, SignalIndex, TimeRange, Timestamp};

use super::{Column, SlabState, Store, closed};
use crate::chunk::{self, Chunk, ChunkKey, Section};
use crate::error::HistorianError;
use crate::row::{Row, TEXT};
use crate::series::Inserted;
use crate::store::Imported;

impl Store {
    /// The chunks to keep: every slab of every lane that ended at or before `upto` and has samples that no sealed or
    /// imported chunk has. Late samples make a slab dirty again: it comes back whole, under the same key but a higher
    /// version, and replaces its predecessor; where samples of it were thinned since, what is left and what came late goes
    /// into a chunk that starts some microseconds before the slab and stands beside the older one. Ordered by lane and time.
    pub fn seal(&mut self, upto: Timestamp) -> Vec<Chunk> {
        self.seal_some(upto, usize::MAX)
    }

    /// As [`Self::seal`], but stops once it has at least `enough` chunks; what is left comes with the next calls. Packing costs
    /// about 0.1 us a sample: with many signals, call this between other work when a slab has ended.
    pub fn seal_some(&mut self, upto: Timestamp, enough: usize) -> Vec<Chunk> {
        let slab = self.config.slab.as_micros();
        let end = upto.as_micros().div_euclid(slab).saturating_mul(slab);
        let mut chunks = Vec::new();
        for lane in 0..self.sealed_end.len() {
            for start in self.unsealed_slabs(lane, end) {
                if chunks.len() >= enough {
                    return chunks;
                }
                let state = self.slabs.entry((lane as u32, start)).or_insert(SlabState { version: 0, dirty: false });
                state.version = state.version.saturating_add(1);
                state.dirty = false;
                let version = state.version;
                let end = start.saturating_add(slab);
                self.note_sealed(lane, end);
                // Samples that were thinned here are still in the chunk sealed before: what came since goes beside it, under
                // a key of its own (an earlier start), instead of in its place.
                let supplement = version > 1 && self.thinned_in(lane, start, end);
                let from = if supplement { start.saturating_sub(i64::from(version)) } else { start };
                self.export_span(lane, TimeRange::new(us(from), us(end)), start, version, &mut chunks);
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

    /// Whether the byte budget took samples of a lane away between two instants.
    fn thinned_in(&self, lane: usize, from: i64, to: i64) -> bool {
        let slab = TimeRange::new(us(from), us(to));
        let thinned = |c: &Column| c.series.thinned_range(&self.shared.arena).is_some_and(|t| !t.intersect(slab).is_empty());
        self.sweep.dropped_before().is_some_and(|t| t > slab.start) || self.lane(lane).1.iter().any(thinned)
    }

    /// Encodes `[from, to)` of a lane.
    fn export_lane(&self, lane: usize, from: i64, to: i64, version: u32, chunks: &mut Vec<Chunk>) {
        self.export_span(lane, TimeRange::new(us(from), us(to)), from, version, chunks);
    }

    /// Encodes the samples of a lane from `from` to the end of `span` under the key of `span`, halving the time where one
    /// chunk would hold too many samples.
    fn export_span(&self, lane: usize, span: TimeRange, from: i64, version: u32, chunks: &mut Vec<Chunk>) {
        let to = span.end.as_micros();
        let (first_signal, columns) = self.lane(lane);
        let samples: u64 = columns.iter().map(|c| c.series.count_in(&self.shared.arena, from, to)).sum();
        if samples == 0 {
            return;
        }
        if samples > chunk::MAX_SAMPLES && to.saturating_sub(from) > 1 {
            let middle = from + to.saturating_sub(from) / 2;
            self.export_span(lane, TimeRange::new(span.start, us(middle)), from, version, chunks);
            self.export_lane(lane, middle, to, version, chunks);
            return;
        }
        let key = ChunkKey { first_signal, signals: columns.len() as u32, start: span.start, end: span.end, version };
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
    pub(super) fn touch_slab(&mut self, signal: SignalIndex, t: i64) {
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

const fn us(t: i64) -> Timestamp {
    Timestamp::from_micros(t)
}
