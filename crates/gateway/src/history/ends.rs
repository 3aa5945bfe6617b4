//! The sealing thread's part about what is carried: what pages end with, and whole states now and then.

use std::collections::BTreeMap;

use twin_historian::chunk;
use twin_historian::historian::{Blob, Change};
use twin_historian::{ChunkKey, Level};
use twin_model::{Span, TimeRange, Timestamp};

use super::carried::{Note, end_of};
use super::sealer::{Sealer, Step, carry};

/// What a step writes of carried state besides other things, to be noted once it is committed.
pub(super) type Notes = Vec<Note>;

impl Sealer {
    /// What a lane of a page ends with (`pieces`: all of the lane in it), kept at its end; and in the whole states after it, as far as
    /// it is news to them.
    pub(super) fn ends(&self, key: &ChunkKey, page: TimeRange, pieces: &[Blob], changes: &mut Vec<Change>) -> Step<Notes> {
        let mut notes = Notes::new();
        self.carry_into(page.end, self.instants.is_whole(page.end), key, pieces, changes, &mut notes)?;
        for later in self.instants.wholes_after(page.end) {
            if !self.carry_into(later, true, key, pieces, changes, &mut notes)? {
                // What came after it here is newer in all that follow, too.
                break;
            }
        }
        Ok(notes)
    }

    /// Puts what pieces end with into the carried chunk of a lane at an instant; false where that changes nothing.
    pub(super) fn carry_into(
        &self,
        at: Timestamp,
        whole: bool,
        key: &ChunkKey,
        pieces: &[Blob],
        changes: &mut Vec<Change>,
        notes: &mut Notes,
    ) -> Step<bool> {
        let kept = self.reader.kept(Level::Carried, at, key.first_signal)?;
        let old = match &kept {
            Some(kept) => self.bytes(&kept.key)?,
            None => None,
        };
        let slot = ChunkKey { level: Level::Carried, start: at, end: end_of(at, whole), version: 1, ..*key };
        // News are told anew from their page; a whole state keeps what it had.
        let borrowed: Vec<&[u8]> = old.iter().filter(|_| whole).chain(pieces).map(|bytes| &**bytes).collect();
        let Some(chunk) = carry(slot, &borrowed) else { return Ok(false) };
        if old.is_some_and(|old| chunk::same_samples(&old, &chunk.bytes)) {
            return Ok(false);
        }
        let version = kept.map_or(0, |kept| kept.key.version) + 1;
        let Ok(chunk) = chunk::with_version(&chunk.bytes, version) else { return Ok(false) };
        notes.push(Note { at, whole, bytes: chunk.bytes.len() as u64, before: kept.map_or(0, |kept| kept.bytes) });
        changes.push(Change::Put(chunk));
        Ok(true)
    }

    /// After a commit.
    pub(super) fn noted(&mut self, notes: Notes) {
        for note in notes {
            self.instants.note(note);
            self.news.insert(note.at);
        }
    }

    /// The carried chunks of all lanes that together are the state at an instant, by first signal, oldest first.
    pub(super) fn state_at(&self, at: Timestamp) -> Step<BTreeMap<u32, (ChunkKey, Vec<Blob>)>> {
        let mut lanes: BTreeMap<u32, (ChunkKey, Vec<Blob>)> = BTreeMap::new();
        for instant in self.instants.chain(at) {
            for kept in self.reader.starting(Level::Carried, one(instant))? {
                let Some(bytes) = self.bytes(&kept.key)? else { continue };
                let (key, pieces) = lanes.entry(kept.key.first_signal).or_insert((kept.key, Vec::new()));
                key.signals = key.signals.max(kept.key.signals);
                pieces.push(bytes);
            }
        }
        Ok(lanes)
    }

    /// Where the news up to an instant have grown large: the whole state in their place, in one commit.
    pub(super) fn make_whole(&mut self, at: Timestamp) -> Step<()> {
        let (changes, notes) = self.whole_state(at, &BTreeMap::new())?;
        self.submit(changes)?;
        self.noted(notes);
        Ok(())
    }

    /// The whole state at an instant from what is kept and `more` of some lanes, in the place of what is there.
    pub(super) fn whole_state(&self, at: Timestamp, more: &BTreeMap<u32, (ChunkKey, Vec<Blob>)>) -> Step<(Vec<Change>, Notes)> {
        let there = self.reader.starting(Level::Carried, one(at))?;
        let mut lanes = self.state_at(at)?;
        for (first, (key, pieces)) in more {
            lanes.entry(*first).or_insert((*key, Vec::new())).1.extend(pieces.iter().cloned());
        }
        // All go before any comes: an instant is of one kind.
        let mut changes: Vec<Change> = there.iter().map(|kept| Change::Remove(kept.key)).collect();
        let mut notes = Notes::new();
        for (key, pieces) in lanes.into_values() {
            let version = there.iter().map(|kept| kept.key).find(|there| there.first_signal == key.first_signal);
            let version = version.map_or(1, |there| there.version.saturating_add(1));
            let slot = ChunkKey { level: Level::Carried, start: at, end: end_of(at, true), version, ..key };
            let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
            let Some(chunk) = carry(slot, &borrowed) else { continue };
            notes.push(Note { at, whole: true, bytes: chunk.bytes.len() as u64, before: 0 });
            changes.push(Change::Put(chunk));
        }
        if let Some(first) = notes.first_mut() {
            first.before = there.iter().map(|kept| kept.bytes).sum();
        }
        Ok((changes, notes))
    }
}

/// The stretch of just one instant.
pub(super) fn one(at: Timestamp) -> TimeRange {
    TimeRange::new(at, at + Span::from_micros(1))
}
