//! The sealing thread's part about pages of more than one slab, which hold what is sparse: where the news of a lane go, and what
//! becomes of a page that gets too full.

use twin_historian::chunk::{self, Census, Opened, Proof};
use twin_historian::historian::{Blob, Change, KeepError};
use twin_historian::{Chunk, ChunkKey, HistorianError, Level, Sealed};
use twin_model::{Span, TimeRange, Timestamp};

use super::outside;
use super::sealer::{Sealer, Step};
use super::tiles::{WIDE_BYTES, WIDE_PAGE_BYTES, WIDE_SAMPLES, cell};
use crate::stores::ALWAYS;

/// A slab with this many samples of a lane is dense enough not to be looked at more closely.
const DENSE: u32 = 8_192;

impl Sealer {
    /// What a lane has new: one slab or a run of them, cut along the pages that are kept.
    pub(super) fn take(&mut self, sealed: &Sealed) -> Step<()> {
        let key = sealed.chunk.key;
        let slab = self.slab_of(key.start);
        let alone = key.end <= slab.end;
        let short = match self.tiles.find(key.start) {
            Some(page) => page.span() <= self.plan.slab,
            None => sealed.chunk.samples >= DENSE || slab.end <= outside(self.reader.as_ref(), Level::Raw)?,
        };
        if alone && short {
            return self.lane(sealed, &[]);
        }
        let opened = match chunk::open(&sealed.chunk.bytes) {
            Ok(opened) => opened,
            Err(error) => return Err(damaged(&key, &error)),
        };
        let census = opened.census(self.plan.slab);
        self.place(sealed, &opened, &census, ALWAYS, self.longest())
    }

    /// As [`Self::take`] for a slab of which memory gave up something, with `more` of it from the journal.
    pub(super) fn take_with(&mut self, sealed: &Sealed, more: &[Proof]) -> Step<()> {
        let short = self.tiles.find(sealed.chunk.key.start).is_none_or(|page| page.span() <= self.plan.slab);
        if short {
            return self.lane(sealed, more);
        }
        for Proof { chunk, digest } in more {
            self.take(&Sealed { chunk: chunk.clone(), whole: false, missing: false, digest: *digest })?;
        }
        if sealed.chunk.samples == 0 { Ok(()) } else { self.take(&Sealed { whole: false, ..sealed.clone() }) }
    }

    /// Puts the part of the news that begins in `range` where it belongs; new pages are at most `most` long.
    fn place(&mut self, sealed: &Sealed, opened: &Opened, census: &[Census], range: TimeRange, most: Span) -> Step<()> {
        let gone = outside(self.reader.as_ref(), Level::Raw)?;
        let mut at = census.partition_point(|one| one.start < range.start);
        while let Some(next) = census.get(at).filter(|next| next.start < range.end) {
            let slab = self.slab_of(next.start);
            let page = match self.tiles.find(next.start) {
                _ if slab.end <= gone => slab,
                Some(page) => page,
                None => self.tiles.choose(next.start, census, sealed.chunk.key.end, most),
            };
            if let Some(piece) = opened.within(page, sealed.chunk.key.version) {
                if page.span() <= self.plan.slab {
                    let whole = sealed.whole && page == sealed.chunk.key.range();
                    let digest = chunk::digest(&piece.bytes).map_err(|error| damaged(&piece.key, &error))?;
                    self.lane(&Sealed { chunk: piece, whole, missing: false, digest }, &[])?;
                } else {
                    self.wide(sealed, opened, census, page, &piece)?;
                }
            }
            at = census.partition_point(|one| one.start < page.end).max(at + 1);
        }
        Ok(())
    }

    /// News of a lane into a page of more than one slab.
    fn wide(&mut self, sealed: &Sealed, opened: &Opened, census: &[Census], page: TimeRange, piece: &Chunk) -> Step<()> {
        let kept = self.reader.starting(Level::Raw, page)?;
        let kept: Vec<_> = kept.into_iter().filter(|kept| kept.key.first_signal == piece.key.first_signal).collect();
        let mut pieces: Vec<Blob> = Vec::new();
        for one in &kept {
            // What can't be read is set aside by the keeper when something takes its place.
            pieces.extend(self.bytes(&one.key)?.filter(|bytes| chunk::inspect(bytes).is_ok()));
        }
        let old = pieces.first().cloned().filter(|_| kept.len() == 1 && pieces.len() == 1);
        pieces.push(piece.bytes.as_slice().into());
        let signals = kept.iter().map(|one| one.key.signals).fold(piece.key.signals, u32::max);
        let version = kept.iter().map(|one| one.key.version).max().unwrap_or(0) + 1;
        let key = ChunkKey { start: page.start, end: page.end, signals, version, ..piece.key };
        let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
        let joined = chunk::gather(key, &borrowed, &|signal| Some(signal)).map_err(|error| damaged(&key, &error))?;
        let is_kept = self.tiles.find(page.start).is_some();
        let full = u64::from(joined.samples) > WIDE_SAMPLES || joined.bytes.len() > WIDE_BYTES;
        if full || (is_kept && self.tiles.tile(page.start).bytes > WIDE_PAGE_BYTES) {
            let shorter = self.tiles.shorter(page.span()).unwrap_or(self.plan.slab);
            if !is_kept || self.split(page)? {
                return self.place(sealed, opened, census, page, shorter);
            }
        }
        if old.is_some_and(|old| chunk::same_samples(&old, &joined.bytes)) {
            return Ok(());
        }
        let mut changes: Vec<Change> =
            kept.iter().filter(|one| one.key.start != page.start).map(|one| Change::Remove(one.key)).collect();
        let fine: Vec<Blob> = vec![joined.bytes.as_slice().into()];
        let (samples, bytes) = (u64::from(joined.samples), joined.bytes.len() as u64);
        let proof = vec![(key, joined.bytes.clone())];
        changes.push(Change::Put(joined));
        for level in [Level::FiveMinutes, Level::Hour] {
            if page.span() < level.slab(self.plan.slab) && page.end > outside(self.reader.as_ref(), level)? {
                changes.extend(self.coarsened(level, &fine)?);
            }
        }
        let notes = self.ends(&key, page, &fine, &mut changes)?;
        self.submit(changes)?;
        if let Err(error @ KeepError::Damaged { .. }) = self.prove_same(&proof) {
            self.hold_journal(&error);
        }
        self.noted(notes);
        let before: u64 = kept.iter().map(|one| one.bytes).sum();
        self.tiles.note(
            page,
            samples.saturating_sub(kept.iter().map(|one| u64::from(one.samples)).sum()),
            bytes.saturating_sub(before),
        );
        self.touched.insert(page.start);
        Ok(())
    }

    /// Cuts a page into the next shorter ones, in one commit; false where something in it can't be read, so that it stays as it is.
    pub(super) fn split(&mut self, page: TimeRange) -> Step<bool> {
        let Some(shorter) = self.tiles.shorter(page.span()) else { return Ok(false) };
        let (mut gone, mut puts, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for kept in self.reader.starting(Level::Raw, page)? {
            let Some(opened) = self.bytes(&kept.key)?.and_then(|bytes| chunk::open(&bytes).ok()) else { return Ok(false) };
            gone.push(Change::Remove(kept.key));
            let census = opened.census(self.plan.slab);
            for range in cells(&census, shorter) {
                let Some(part) = opened.within(range, kept.key.version + 1) else { continue };
                if range.end != page.end {
                    let fine: [Blob; 1] = [part.bytes.as_slice().into()];
                    let whole = self.instants.is_whole(range.end);
                    self.carry_into(range.end, whole, &part.key, &fine, &mut puts, &mut notes)?;
                }
                puts.push(Change::Put(part));
            }
            for level in [Level::FiveMinutes, Level::Hour] {
                let slab = level.slab(self.plan.slab);
                if shorter < slab && slab <= page.span() && page.end > outside(self.reader.as_ref(), level)? {
                    puts.extend(self.shown_at(level, &opened, &census)?);
                }
            }
        }
        gone.extend(puts);
        self.submit(gone)?;
        self.noted(notes);
        self.tiles.refresh(self.reader.as_ref(), page)?;
        Ok(true)
    }

    /// What a coarser level keeps of samples that stood in for it until now.
    pub(super) fn shown_at(&self, level: Level, opened: &Opened, census: &[Census]) -> Step<Vec<Change>> {
        let mut changes = Vec::new();
        for range in cells(census, level.slab(self.plan.slab)) {
            if let Some(part) = opened.within(range, 1) {
                changes.extend(self.coarsened(level, &[part.bytes.into()])?);
            }
        }
        Ok(changes)
    }

    /// The slab that holds an instant.
    pub(super) fn slab_of(&self, t: Timestamp) -> TimeRange {
        let start = t.floor_to(self.plan.slab);
        TimeRange::new(start, start + self.plan.slab)
    }

    /// How long a page may be: whole pages go when their time is over, and should not stay much longer than was asked.
    pub(super) fn longest(&self) -> Span {
        let age = self.plan.retention.raw.age;
        age.map_or(Span::from_micros(i64::MAX), |age| Span::from_micros(age.as_micros() / 4).max(self.plan.slab))
    }

    /// Reads back what was put: only then may the journal let go of it.
    fn prove_same(&self, proof: &[(ChunkKey, Vec<u8>)]) -> Step<()> {
        for (key, bytes) in proof {
            let why = match self.reader.chunk(key)? {
                Some(found) if *found == **bytes => match chunk::inspect(&found) {
                    Ok(_) => continue,
                    Err(error) => error.to_string(),
                },
                Some(_) => "other bytes are read from it than were written".to_owned(),
                None => "it is not there after it was written".to_owned(),
            };
            return Err(KeepError::Damaged { what: format!("chunk {key}"), why });
        }
        Ok(())
    }
}

fn damaged(key: &ChunkKey, error: &HistorianError) -> KeepError {
    KeepError::Damaged { what: format!("chunk {key}"), why: error.to_string() }
}

/// The stretches of a length that hold samples, ascending.
fn cells(census: &[Census], span: Span) -> Vec<TimeRange> {
    let mut cells: Vec<TimeRange> = Vec::new();
    for one in census {
        if cells.last().is_none_or(|last| one.start >= last.end) {
            let short = TimeRange::new(one.start, one.start + span);
            cells.push(cell(one.start, span).unwrap_or(short));
        }
    }
    cells
}
