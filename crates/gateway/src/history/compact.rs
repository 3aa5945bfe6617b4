//! The sealing thread's part that joins small pages into longer ones, as stores of sorted runs do, so that history costs what its
//! samples cost, however they came. Every step is one commit of bounded size: a kill leaves the pages before it or after it.

use std::collections::BTreeMap;

use twin_historian::chunk;
use twin_historian::historian::{Blob, Change};
use twin_historian::{ChunkKey, Level};
use twin_model::{TimeRange, Timestamp};

use super::ends::{Notes, one};
use super::outside;
use super::sealer::{Sealer, Step};
use super::tiles::WIDE_BYTES;

/// A lane of a page that is being joined: its key, then its bytes.
type Lanes = BTreeMap<u32, (ChunkKey, Vec<Blob>)>;

impl Sealer {
    /// At the end of a round: whole states where news have piled up, and longer pages where they are small. `upto`: all
    /// before it is sealed.
    pub(super) fn settle(&mut self, upto: Timestamp) -> Step<()> {
        while let Some(at) = self.news.first().copied() {
            if self.instants.wants_whole(at) {
                self.make_whole(at)?;
            }
            self.news.remove(&at);
        }
        while let Some(start) = self.touched.first().copied() {
            self.grow(start, upto)?;
            self.touched.remove(&start);
        }
        Ok(())
    }

    fn grow(&mut self, start: Timestamp, upto: Timestamp) -> Step<()> {
        let Some(page) = self.tiles.find(start) else { return Ok(()) };
        self.tiles.refresh(self.reader.as_ref(), page)?;
        let gone = outside(self.reader.as_ref(), Level::Raw)?;
        let found = self.tiles.grown(self.reader.as_ref(), start, gone, upto, self.longest())?;
        match found {
            Some(range) => self.join_pages(range),
            None => Ok(()),
        }
    }

    /// The pages of a stretch as one.
    fn join_pages(&mut self, range: TimeRange) -> Step<()> {
        let Some((mut changes, lanes)) = self.joined(range)? else { return Ok(()) };
        for level in [Level::FiveMinutes, Level::Hour] {
            if level.slab(self.plan.slab) <= range.span() {
                // It stands in for them.
                changes.extend(self.reader.starting(level, range)?.into_iter().map(|kept| Change::Remove(kept.key)));
            }
        }
        let (inside, any_whole) = self.instants.inside(range);
        for at in &inside {
            changes.extend(self.reader.starting(Level::Carried, one(*at))?.into_iter().map(|kept| Change::Remove(kept.key)));
        }
        let mut notes = Notes::new();
        let whole = self.instants.is_whole(range.end);
        if any_whole && !whole {
            let (more, of_end) = self.whole_state(range.end, &lanes)?;
            changes.extend(more);
            notes = of_end;
        } else {
            for (key, pieces) in lanes.values() {
                self.carry_into(range.end, whole, key, pieces, &mut changes, &mut notes)?;
            }
        }
        self.submit(changes)?;
        inside.iter().for_each(|at| self.instants.forget(*at));
        self.noted(notes);
        self.tiles.refresh(self.reader.as_ref(), range)
    }

    /// Raw chunks of a stretch lane by lane: those that go and, in their place, one of each. None where a lane would be too large, or
    /// something can't be read: then all stays as it is.
    fn joined(&self, range: TimeRange) -> Step<Option<(Vec<Change>, Lanes)>> {
        let mut lanes: Lanes = BTreeMap::new();
        let mut gone = Vec::new();
        for kept in self.reader.starting(Level::Raw, range)? {
            let Some(bytes) = self.bytes(&kept.key)? else { return Ok(None) };
            gone.push(Change::Remove(kept.key));
            let new = ChunkKey { start: range.start, end: range.end, version: 0, ..kept.key };
            let (key, pieces) = lanes.entry(kept.key.first_signal).or_insert((new, Vec::new()));
            key.version = key.version.max(kept.key.version + 1);
            key.signals = key.signals.max(kept.key.signals);
            pieces.push(bytes);
        }
        for (key, pieces) in lanes.values_mut() {
            let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
            let Ok(joined) = chunk::gather(*key, &borrowed, &|signal| Some(signal)) else { return Ok(None) };
            if joined.bytes.len() > WIDE_BYTES || chunk::inspect(&joined.bytes).is_err() {
                return Ok(None);
            }
            *pieces = vec![joined.bytes.as_slice().into()];
            gone.push(Change::Put(joined));
        }
        Ok(Some((gone, lanes)))
    }
}
