//! A keeper in memory: the reference for every other one, and the history of a gateway without a disk.

use std::collections::BTreeMap;

use twin_model::{TimeRange, Timestamp};

use super::{Blob, Change, Entry, Historian, KeepError, Kept, Position, meets};
use crate::chunk::{ChunkKey, Level};

/// Order of the catalogue: level, start, first signal.
type Place = (Level, Timestamp, u32);

/// Keeps everything in maps. Survives nothing.
#[derive(Debug, Default)]
pub struct MemoryHistorian {
    chunks: BTreeMap<Place, (Kept, Blob)>,
    journal: BTreeMap<Position, (TimeRange, Blob)>,
    notes: BTreeMap<String, String>,
    newest: Position,
    bytes: BTreeMap<Level, u64>,
    /// Length of the longest chunk, so that a look-up of a stretch knows how far back a chunk that meets it may begin.
    longest: BTreeMap<Level, i64>,
}

impl MemoryHistorian {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Put(chunk) => {
                let key = chunk.key;
                let place = (key.level, key.start, key.first_signal);
                if self.chunks.get(&place).is_some_and(|(old, _)| old.key.version >= key.version) {
                    return;
                }
                let bytes = chunk.bytes.len() as u64;
                let kept = Kept { key, samples: chunk.samples, bytes, crc: crc32fast::hash(&chunk.bytes) };
                let old = self.chunks.insert(place, (kept, chunk.bytes.as_slice().into()));
                let sum = self.bytes.entry(key.level).or_default();
                *sum = *sum + bytes - old.map_or(0, |(old, _)| old.bytes);
                let longest = self.longest.entry(key.level).or_default();
                *longest = (*longest).max(key.range().span().as_micros());
            }
            Change::Remove(key) => {
                let place = (key.level, key.start, key.first_signal);
                if self.chunks.get(&place).is_some_and(|(kept, _)| kept.key == *key)
                    && let Some((kept, _)) = self.chunks.remove(&place)
                {
                    *self.bytes.entry(key.level).or_default() -= kept.bytes;
                }
            }
            Change::Append { times, bytes } => {
                self.newest = Position(self.newest.0 + 1);
                self.journal.insert(self.newest, (*times, bytes.clone()));
            }
            Change::Trim { upto, before } => self.journal.retain(|at, (times, _)| at > upto || times.end >= *before),
            Change::Note { name, text } if text.is_empty() => drop(self.notes.remove(name)),
            Change::Note { name, text } => drop(self.notes.insert(name.clone(), text.clone())),
            Change::Clear => *self = Self { newest: self.newest, ..Self::default() },
        }
    }
}

impl Historian for MemoryHistorian {
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError> {
        changes.iter().for_each(|change| self.apply(change));
        Ok(self.newest)
    }

    fn catalogue(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let reach = self.longest.get(&level).copied().unwrap_or(0);
        let from = Timestamp::from_micros(range.start.as_micros().saturating_sub(reach));
        let about = self.chunks.range((level, from, 0)..(level, range.end, 0)).map(|(_, (kept, _))| *kept);
        Ok(about.filter(|kept| meets(level, kept.key.range(), range)).collect())
    }

    fn chunk(&self, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
        let found = self.chunks.get(&(key.level, key.start, key.first_signal));
        Ok(found.filter(|(kept, _)| kept.key == *key).map(|(_, bytes)| bytes.clone()))
    }

    fn journal(
        &self,
        after: Position,
        f: &mut dyn FnMut(Entry) -> bool,
        _: &mut dyn FnMut(Position, String),
    ) -> Result<(), KeepError> {
        let entries = self.journal.range(Position(after.0.saturating_add(1))..);
        for (position, (times, bytes)) in entries {
            if !f(Entry { position: *position, times: *times, bytes: bytes.clone() }) {
                break;
            }
        }
        Ok(())
    }

    fn note(&self, name: &str) -> Result<Option<String>, KeepError> {
        Ok(self.notes.get(name).cloned())
    }

    fn extent(&self, level: Level) -> Result<Option<TimeRange>, KeepError> {
        let of_level = self.chunks.range((level, Timestamp::MIN, 0)..=(level, Timestamp::MAX, u32::MAX));
        Ok(of_level.map(|(_, (kept, _))| kept.key.range()).reduce(TimeRange::union))
    }

    fn bytes(&self, level: Level) -> Result<u64, KeepError> {
        Ok(self.bytes.get(&level).copied().unwrap_or(0))
    }
}
