//! History as chunks: which slabs of which lanes are sealed, what leaves and what comes in.
//!
//! A lane is a run of signals with neighbouring numbers, a slab a stretch of time that begins at a whole multiple of its length.
//! One lane of one slab is one chunk.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use twin_model::{SignalIndex, TimeRange, Timestamp};

use super::lanes::{Lane, by_position};
use super::{Column, Imported, SlabState, Store};
use crate::chunk::{self, Chunk, ChunkKey, Level, Proof, Section, Strand};
use crate::error::HistorianError;
use crate::row::{Row, TEXT, closed};
use crate::series::Inserted;

/// Fewer imported rows than this go in like late samples, which leaves the newest samples' head alone.
const FEW_ROWS: usize = 48;

/// A chunk to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The chunk.
    pub chunk: Chunk,
    /// Whether it holds all that the store ever took in of its stretch. Otherwise samples were thinned or are kept
    /// elsewhere only ([`Store::note_elsewhere`]), and it must be merged ([`chunk::merge`]) into the one kept before.
    pub whole: bool,
    /// Whether the byte budget took samples of its stretch away that no chunk may hold yet. They are in the journal, where there
    /// is one, and have to be read from there before it lets go of them.
    pub missing: bool,
    /// What reading the chunk back must give ([`chunk::digest`]).
    pub digest: u64,
}

impl Store {
    /// The chunks to keep: every slab of every lane that ended at or before `upto` and has samples that no sealed or
    /// imported chunk has. Late samples make a slab dirty again: it comes back under the same key but a higher version,
    /// and replaces its predecessor, or is merged into it where memory no longer holds all of it ([`Sealed::whole`]).
    /// Ordered by lane and time.
    pub fn seal(&mut self, upto: Timestamp) -> Vec<Sealed> {
        self.seal_some(upto, usize::MAX)
    }

    /// As [`Self::seal`], but stops once it has at least `enough` chunks; what is left comes with the next calls. Packing costs
    /// about 0.1 us a sample: with many signals, call this between other work when a slab has ended.
    pub fn seal_some(&mut self, upto: Timestamp, enough: usize) -> Vec<Sealed> {
        let mut chunks: Vec<Sealed> = Vec::new();
        for lane in 0..self.lanes.kept.len() {
            if chunks.len() >= enough {
                break;
            }
            chunks.extend(self.seal_at(lane, upto, enough - chunks.len()));
        }
        chunks
    }

    /// As [`Self::seal_some`] for the lane that begins with the number `first_signal`, at least `enough` chunks of it.
    pub fn seal_lane(&mut self, first_signal: u32, upto: Timestamp, enough: usize) -> Vec<Sealed> {
        self.lanes.find(first_signal).map(|lane| self.seal_at(lane, upto, enough)).unwrap_or_default()
    }

    fn seal_at(&mut self, lane: usize, upto: Timestamp, enough: usize) -> Vec<Sealed> {
        let slab = self.config.slab.as_micros();
        let end = upto.as_micros().div_euclid(slab).saturating_mul(slab);
        let mut chunks: Vec<Sealed> = Vec::new();
        for start in self.unsealed_slabs(lane, end) {
            if chunks.len() >= enough {
                break;
            }
            chunks.extend(self.seal_slab(lane, start));
        }
        chunks
    }

    /// One slab of a lane: its chunks, counted as sealed from here on.
    pub(super) fn seal_slab(&mut self, lane: usize, start: i64) -> Vec<Sealed> {
        let state = self.slabs.entry((lane as u32, start)).or_insert(SlabState { version: 0, dirty: false });
        state.version = state.version.saturating_add(1);
        state.dirty = false;
        let version = state.version;
        let end = start.saturating_add(self.config.slab.as_micros());
        self.note_sealed(lane, end);
        let whole = !self.thinned_in(lane, start, end);
        let missing = self.missing.remove(&(lane as u32, start)) || self.given_up_in(lane, start, end);
        let mut out = Vec::new();
        let span = TimeRange::new(us(start), us(end));
        if let Some(lane) = self.lanes.kept.get(lane) {
            self.export_span(lane, span, version, &mut out);
            if out.is_empty() {
                // All of its samples went: a chunk without any says where they have to be looked for.
                out.push(Proof::empty(key_of(lane, span, version)));
            }
        }
        out.into_iter().map(|Proof { chunk, digest }| Sealed { chunk, whole, missing, digest }).collect()
    }

    /// Starts of the slabs of a lane before `end` that hold samples and are new or dirty.
    pub(super) fn unsealed_slabs(&self, lane: usize, end: i64) -> Vec<i64> {
        let slab = self.config.slab.as_micros();
        let given_up = self.given_up.get(lane).copied().unwrap_or(i64::MIN);
        let Some(members) = self.lanes.kept.get(lane) else { return Vec::new() };
        let mut starts = Vec::new();
        let mut next = i64::MIN;
        while let Some(t) = self.next_in(members, next)
            && t < end
        {
            let start = t.div_euclid(slab).saturating_mul(slab);
            // Of what was given up only leftovers are here, but for slabs that changed since.
            if self.slabs.get(&(lane as u32, start)).map_or(start >= given_up, |state| state.dirty) {
                starts.push(start);
            }
            next = start.saturating_add(slab);
        }
        let gone = self.missing.range((lane as u32, i64::MIN)..(lane as u32, end)).map(|(_, start)| *start);
        starts.extend(gone);
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    /// Notes that samples of a slab went; where no chunk holds them, they have to be found when it is sealed.
    pub(crate) fn note_missing(&mut self, signal: SignalIndex, start: i64) {
        let lane = self.lanes.of(signal);
        let given_up = self.given_up.get(lane as usize).copied().unwrap_or(i64::MIN);
        if self.slabs.get(&(lane, start)).map_or(start >= given_up, |state| state.dirty) {
            self.missing.insert((lane, start));
        }
    }

    /// Everything with a source time in `range` as chunks, cut at slab and lane edges, unsealed samples included, under the
    /// positions of the signals. The store does not remember that it was exported. Ordered by key.
    pub fn export_chunks(&self, range: TimeRange) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for (at, lane) in by_position(self.columns.len() as u32, self.config.lane_signals).enumerate() {
            // Where a keeper's lanes are others, no chunk of it is this one.
            let sealed = self.lanes.positions().then_some(at as u32);
            self.export_lane(&lane, sealed, range, &mut chunks);
        }
        chunks.into_iter().map(|proof| proof.chunk).collect()
    }

    /// Everything of the lane that begins with `first_signal` in `range`, as chunks of one stretch with their digests.
    pub fn prove_lane(&self, first_signal: u32, range: TimeRange) -> Vec<Proof> {
        let mut out = Vec::new();
        if let Some(lane) = self.lanes.find(first_signal).and_then(|lane| self.lanes.kept.get(lane)) {
            self.export_span(lane, range, 0, &mut out);
        }
        out
    }

    /// As [`Self::export_chunks`], under the numbers of [`Self::number`].
    pub fn export_kept(&self, range: TimeRange) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for (at, lane) in self.lanes.kept.iter().enumerate() {
            self.export_lane(lane, Some(at as u32), range, &mut chunks);
        }
        chunks.into_iter().map(|proof| proof.chunk).collect()
    }

    fn export_lane(&self, lane: &Lane, sealed: Option<u32>, range: TimeRange, chunks: &mut Vec<Proof>) {
        let slab = self.config.slab.as_micros();
        let mut next = range.start.as_micros();
        while let Some(t) = self.next_in(lane, next)
            && t < range.end.as_micros()
        {
            let start = t.div_euclid(slab).saturating_mul(slab);
            let end = start.saturating_add(slab);
            let version = sealed.and_then(|at| self.slabs.get(&(at, start))).map_or(0, |state| state.version);
            let (from, to) = (start.max(range.start.as_micros()), end.min(range.end.as_micros()));
            self.export_span(lane, TimeRange::new(us(from), us(to)), version, chunks);
            if end <= t {
                break;
            }
            next = end;
        }
    }

    /// What holds just before `t` for the signals of the lane that begins with the number `first_signal`: a [`Level::Carried`]
    /// chunk with each signal's newest sample before `t`. None where no signal of it had been seen by then.
    pub fn carried(&self, first_signal: u32, t: Timestamp, version: u32) -> Option<Chunk> {
        let lane = self.lanes.kept.get(self.lanes.find(first_signal)?)?;
        let before = t.as_micros().checked_sub(1)?;
        let key = ChunkKey { level: Level::Carried, first_signal, signals: lane.width, start: t, end: t, version };
        let mut writer = chunk::Writer::new(key);
        let mut any = false;
        for (offset, column) in self.members(lane) {
            if let Some(row) = column.series.at(&self.shared.arena, before) {
                any = true;
                writer.signal(offset, &[row], &|code| column.word(code).map_or("", |word| word));
            }
        }
        any.then(|| writer.finish())
    }

    /// Start of the first slab that was sealed or given up and has samples since that no chunk holds; none where there is none.
    pub fn first_changed(&self) -> Option<Timestamp> {
        self.slabs.iter().filter(|(_, state)| state.dirty).map(|((_, start), _)| us(*start)).min()
    }

    /// First numbers of all lanes, ascending.
    pub fn lanes(&self) -> impl Iterator<Item = u32> + '_ {
        self.lanes.kept.iter().map(|lane| lane.first)
    }

    /// Columns of a lane by its place.
    pub(super) fn columns_at(&self, lane: usize) -> impl Iterator<Item = &Column> {
        self.lanes.kept.get(lane).into_iter().flat_map(|lane| self.members(lane)).map(|(_, column)| column)
    }

    /// First number of the n-th lane; none after the last.
    pub fn lane_at(&self, n: usize) -> Option<u32> {
        self.lanes.kept.get(n).map(|lane| lane.first)
    }

    /// Offsets and columns of a lane.
    fn members<'a>(&'a self, lane: &'a Lane) -> impl Iterator<Item = (u32, &'a Column)> {
        lane.members.iter().filter_map(|(offset, column)| Some((*offset, self.columns.get(*column as usize)?)))
    }

    /// The first source time of a lane at or after an instant.
    fn next_in(&self, lane: &Lane, t: i64) -> Option<i64> {
        self.members(lane).filter_map(|(_, column)| column.series.at_or_after(&self.shared.arena, t)).min()
    }

    /// Whether there may be samples of a lane between two instants that are not here: the byte budget took them away, they are
    /// kept elsewhere, or they are of series that are no signals here.
    fn thinned_in(&self, place: usize, from: i64, to: i64) -> bool {
        if !self.lanes.kept.get(place).is_some_and(Lane::complete) {
            return true;
        }
        let slab = TimeRange::new(us(from), us(to));
        self.elsewhere.iter().any(|range| !range.intersect(slab).is_empty()) || self.given_up_in(place, from, to)
    }

    /// Whether the byte budget took samples of a lane away between two instants, which a journal may still have.
    pub(super) fn given_up_in(&self, lane: usize, from: i64, to: i64) -> bool {
        self.took_from(self.columns_at(lane), TimeRange::new(us(from), us(to)))
    }

    /// Encodes the samples of a lane in `span`, cut in time where one chunk would be too large.
    pub(super) fn export_span(&self, lane: &Lane, span: TimeRange, version: u32, chunks: &mut Vec<Proof>) {
        let (from, to) = (span.start.as_micros(), span.end.as_micros());
        let samples: u64 = self.members(lane).map(|(_, c)| c.series.count_in(&self.shared.arena, from, to)).sum();
        if samples == 0 {
            return;
        }
        if samples > chunk::MAX_SAMPLES && to.saturating_sub(from) > 1 {
            let middle = from + to.saturating_sub(from) / 2;
            self.export_span(lane, TimeRange::new(us(from), us(middle)), version, chunks);
            self.export_span(lane, TimeRange::new(us(middle), us(to)), version, chunks);
            return;
        }
        let key = key_of(lane, span, version);
        let mut all: Vec<(u32, Vec<Row>)> = Vec::with_capacity(lane.members.len());
        for (offset, column) in self.members(lane) {
            let mut rows = Vec::new();
            let _never_stops = column.series.for_each(&self.shared.arena, from, to, &mut |row| {
                rows.push(*row);
                ControlFlow::Continue(())
            });
            all.push((offset, rows));
        }
        let strands: Vec<Strand<'_>> = all.iter().map(|(offset, rows)| (*offset, rows.as_slice())).collect();
        let word = |offset: u32, code: u64| {
            let place = lane.members.binary_search_by_key(&offset, |(offset, _)| *offset).ok();
            let column = place.and_then(|at| self.columns.get(lane.members.get(at)?.1 as usize));
            column.and_then(|column| column.word(code)).map_or("", |word| word)
        };
        chunk::write_all(key, &strands, &word, chunks);
    }

    /// Takes in the samples of a chunk, under the same rule for equal source times as append; what is already held stays.
    /// They are history: nothing is counted late or quarantined. A chunk that covers a whole slab counts as sealed.
    ///
    /// # Errors
    /// [`HistorianError`] where the bytes are not a chunk that fits this store; nothing was taken in then.
    pub fn import_chunk(&mut self, bytes: &[u8]) -> Result<Imported, HistorianError> {
        let (key, sections) = chunk::read(bytes, self.columns.len())?;
        let fresh = if self.lanes.positions() { self.note_imported(&key, &sections) } else { Vec::new() };
        Ok(self.import_sections(key, fresh, &sections))
    }

    /// As [`Self::import_chunk`] for a chunk under the numbers of [`Self::number`]; series that are no signals here are left out.
    ///
    /// # Errors
    /// [`HistorianError`] where the bytes are not a chunk; nothing was taken in then.
    pub fn import_kept(&mut self, bytes: &[u8]) -> Result<Imported, HistorianError> {
        let (key, mut sections) = chunk::read(bytes, u32::MAX as usize)?;
        let fresh = self.note_imported(&key, &sections);
        renumber(&mut sections, &|number| self.lanes.signal(number));
        Ok(self.import_sections(key, fresh, &sections))
    }

    /// As [`Self::import_chunk`] for a chunk under the numbers of a dictionary: `ids` says which signal each of them is here. Series that
    /// are no signals here are left out.
    ///
    /// # Errors
    /// [`HistorianError`] where the bytes are not a chunk of that dictionary; nothing was taken in then.
    pub fn import_renumbered(&mut self, bytes: &[u8], ids: &[Option<SignalIndex>]) -> Result<Imported, HistorianError> {
        let (key, mut sections) = chunk::read(bytes, ids.len())?;
        let known = self.columns.len();
        renumber(&mut sections, &|number| ids.get(number as usize).copied().flatten().filter(|signal| signal.at() < known));
        Ok(self.import_sections(key, Vec::new(), &sections))
    }

    fn import_sections(&mut self, key: ChunkKey, fresh: Vec<(u32, i64)>, sections: &[Section]) -> Imported {
        let mut imported = Imported { key, samples: 0, range: TimeRange::new(Timestamp::MAX, Timestamp::MIN) };
        for section in sections {
            self.import_section(section, &mut imported);
        }
        for slab in fresh {
            if let Some(state) = self.slabs.get_mut(&slab) {
                state.dirty = false;
            }
        }
        imported
    }

    /// Marks the slabs of a chunk of whole slabs as sealed, as far as it has samples of them; returns them if this store held
    /// nothing of its time before.
    fn note_imported(&mut self, key: &ChunkKey, sections: &[Section]) -> Vec<(u32, i64)> {
        let slab = self.config.slab.as_micros();
        let (from, to) = (key.start.as_micros(), key.end.as_micros());
        let Some(place) = self.lanes.find(key.first_signal) else { return Vec::new() };
        let Some(lane) = self.lanes.kept.get(place) else { return Vec::new() };
        // A narrower one is from before its last numbers were given: they have nothing of that time then.
        let whole = key.signals <= lane.width && from.rem_euclid(slab) == 0 && to.rem_euclid(slab) == 0 && to > from;
        if key.level != Level::Raw
            || !whole
            || self.members(lane).any(|(_, c)| c.series.count_in(&self.shared.arena, from, to) > 0)
        {
            return Vec::new();
        }
        let lane = place as u32;
        let rows = sections.iter().flat_map(|section| &section.rows);
        let starts: BTreeSet<i64> = if to.checked_sub(from) == Some(slab) {
            BTreeSet::from([from])
        } else {
            rows.map(|row| row.t.div_euclid(slab).saturating_mul(slab)).collect()
        };
        let places: Vec<(u32, i64)> = starts.into_iter().map(|start| (lane, start)).collect();
        self.slabs.extend(places.iter().map(|place| (*place, SlabState { version: key.version, dirty: false })));
        self.note_sealed(lane as usize, to);
        places
    }

    fn import_section(&mut self, section: &Section, imported: &mut Imported) {
        let (Some(first), Some(last)) = (section.rows.first(), section.rows.last()) else { return };
        imported.samples += section.rows.len() as u64;
        imported.range = imported.range.union(closed(first.t, last.t));
        let signal = SignalIndex(section.signal);
        let column = &mut self.columns[signal.at()];
        let before = column.words.as_ref().map_or(0, |words| words.bytes());
        let codes: Vec<u64> = section.words.iter().map(|word| column.words.get_or_insert_default().code(word)).collect();
        self.texts.bytes += column.words.as_ref().map_or(0, |words| words.bytes()) - before;
        let code = |row: &Row| if row.k == TEXT { codes.get(row.bits as usize).copied().unwrap_or(0) } else { row.bits };
        let rows: Vec<Row> = section.rows.iter().map(|row| Row { bits: code(row), ..*row }).collect();
        let newest = column.series.last_time().unwrap_or(i64::MIN);
        let (behind, ahead) = rows.split_at(rows.partition_point(|row| row.t < newest));
        self.import_behind(signal, behind, imported.key.level);
        for row in ahead {
            let inserted = self.columns[signal.at()].series.insert(signal.0, row, &mut self.shared);
            self.note_import(signal, row.t, inserted, imported.key.level);
        }
        self.keep_budget();
        self.keep_texts();
    }

    /// Rows that are older than the signal's newest: compared with what is held, and what is new goes in at once.
    fn import_behind(&mut self, signal: SignalIndex, rows: &[Row], level: Level) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
        let mut held = Vec::new();
        let series = &self.columns[signal.at()].series;
        let _never_stops = series.for_each(&self.shared.arena, first.t, last.t.saturating_add(1), &mut |row| {
            held.push(*row);
            ControlFlow::Continue(())
        });
        let mut held = held.iter().peekable();
        let mut fresh = Vec::new();
        for row in rows {
            while held.next_if(|old| old.t < row.t).is_some() {}
            let inserted = match held.next_if(|old| old.t == row.t) {
                None => Inserted::Late,
                Some(old) if old.r > row.r || old == row => continue,
                Some(old) => Inserted::Replaced((old.bits, old.q, old.f, old.k) != (row.bits, row.q, row.f, row.k)),
            };
            fresh.push(*row);
            self.note_import(signal, row.t, inserted, level);
        }
        if fresh.is_empty() {
            return;
        }
        let series = &mut self.columns[signal.at()].series;
        if fresh.len() < FEW_ROWS {
            for row in &fresh {
                series.insert(signal.0, row, &mut self.shared);
            }
            return;
        }
        series.fold(signal.0, &mut self.shared);
        series.merge(signal.0, &fresh, &mut self.shared);
        series.note_merged(&fresh);
    }

    /// What is carried in or coarse is kept as such elsewhere: it makes no raw slab dirty.
    fn note_import(&mut self, signal: SignalIndex, t: i64, inserted: Inserted, level: Level) {
        if matches!(inserted, Inserted::New | Inserted::Late) {
            self.density.add(t);
            self.counters.imported += 1;
        }
        if level == Level::Raw && !matches!(inserted, Inserted::Outdated | Inserted::Replaced(false)) {
            self.touch_slab(signal, t);
        }
    }

    pub(super) fn note_sealed(&mut self, lane: usize, end: i64) {
        self.sealed_end[lane] = self.sealed_end[lane].max(end);
        self.any_sealed_end = self.any_sealed_end.max(end);
    }

    /// Notes that a slab which was sealed has changed.
    #[inline]
    pub(super) fn touch_slab(&mut self, signal: SignalIndex, t: i64) {
        if t < self.any_sealed_end {
            self.touch_sealed(signal, t);
        }
    }

    fn touch_sealed(&mut self, signal: SignalIndex, t: i64) {
        let lane = self.lanes.of(signal);
        if t >= self.sealed_end[lane as usize] {
            return;
        }
        let slab = self.config.slab.as_micros();
        let start = t.div_euclid(slab).saturating_mul(slab);
        if let Some(state) = self.slabs.get_mut(&(lane, start)) {
            state.dirty = true;
        } else if start < self.given_up[lane as usize] {
            self.slabs.insert((lane, start), SlabState { version: 0, dirty: true });
        }
    }
}

/// The key of a raw chunk of a lane.
const fn key_of(lane: &Lane, span: TimeRange, version: u32) -> ChunkKey {
    let (first_signal, signals) = (lane.first, lane.width);
    ChunkKey { level: Level::Raw, first_signal, signals, start: span.start, end: span.end, version }
}

const fn us(t: i64) -> Timestamp {
    Timestamp::from_micros(t)
}

/// Gives sections the numbers of signals here; those that are none are left out.
fn renumber(sections: &mut Vec<Section>, of: &dyn Fn(u32) -> Option<SignalIndex>) {
    sections.retain_mut(|section| match of(section.signal) {
        Some(signal) => {
            section.signal = signal.0;
            true
        }
        None => false,
    });
}
