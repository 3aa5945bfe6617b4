//! A keeper in memory: the reference for every other one, and the history of a gateway without a disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use twin_model::{TimeRange, Timestamp};

use super::{Blob, Change, Entry, Historian, KeepError, Kept, Page, Position, meets};
use crate::chunk::{ChunkKey, Level};

/// Order of the catalogue: level, start, first signal.
type Place = (Level, Timestamp, u32);

/// Keeps everything in maps, shared with its readers. Survives nothing.
#[derive(Debug, Default)]
pub struct MemoryHistorian {
    all: Arc<Mutex<All>>,
    /// One of [`Historian::reader`].
    reads_only: bool,
}

#[derive(Debug, Default)]
struct All {
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

    fn all(&self) -> MutexGuard<'_, All> {
        // Changes to maps do not panic half way.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
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
            Change::Append { times, bytes, .. } => {
                self.newest = Position(self.newest.0 + 1);
                self.journal.insert(self.newest, (*times, bytes.clone()));
            }
            Change::Trim { upto, before } => self.journal.retain(|at, (times, _)| at > upto || times.end >= *before),
            Change::Note { name, text } if text.is_empty() => {
                self.notes.remove(name);
            }
            Change::Note { name, text } => {
                self.notes.insert(name.clone(), text.clone());
            }
            Change::Clear => *self = Self { newest: self.newest, ..Self::default() },
        }
    }
}

impl Historian for MemoryHistorian {
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError> {
        if self.reads_only {
            return Err(KeepError::Unavailable { doing: "written", why: "this handle only reads".to_owned() });
        }
        let mut all = self.all();
        changes.iter().for_each(|change| all.apply(change));
        Ok(all.newest)
    }

    fn catalogue(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.all();
        let reach = all.longest.get(&level).copied().unwrap_or(0);
        let from = Timestamp::from_micros(range.start.as_micros().saturating_sub(reach));
        let about = all.chunks.range((level, from, 0)..(level, range.end, 0)).map(|(_, (kept, _))| *kept);
        Ok(about.filter(|kept| meets(level, kept.key.range(), range)).collect())
    }

    fn chunk(&self, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
        let all = self.all();
        let found = all.chunks.get(&key.slot());
        Ok(found.filter(|(kept, _)| kept.key == *key).map(|(_, bytes)| bytes.clone()))
    }

    fn journal(
        &self,
        after: Position,
        f: &mut dyn FnMut(Entry) -> bool,
        _: &mut dyn FnMut(Position, String),
    ) -> Result<(), KeepError> {
        // Copied out (the bytes are shared), so that `f` may take its time.
        let all = self.all();
        let entries = all.journal.range(Position(after.0.saturating_add(1))..);
        let entry = |(position, (times, bytes)): (&Position, &(TimeRange, Blob))| Entry {
            position: *position,
            times: *times,
            bytes: bytes.clone(),
        };
        let entries: Vec<Entry> = entries.map(entry).collect();
        drop(all);
        for entry in entries {
            if !f(entry) {
                break;
            }
        }
        Ok(())
    }

    fn note(&self, name: &str) -> Result<Option<String>, KeepError> {
        Ok(self.all().notes.get(name).cloned())
    }

    fn pages(&self, level: Level, range: TimeRange) -> Result<Vec<Page>, KeepError> {
        let mut pages: Vec<Page> = Vec::new();
        for kept in self.catalogue(level, range)? {
            let (start, end) = (kept.key.start, kept.key.end);
            if pages.last().is_none_or(|last| last.start != start) {
                pages.push(Page { level, start, end, chunks: 0, samples: 0, bytes: 0, tag: 0 });
            }
            if let Some(page) = pages.last_mut() {
                page.end = page.end.max(end);
                page.chunks += 1;
                page.samples += u64::from(kept.samples);
                page.bytes += kept.bytes;
                page.tag = page.tag.wrapping_add(kept.tag());
            }
        }
        Ok(pages)
    }

    fn kept(&self, level: Level, start: Timestamp, first_signal: u32) -> Result<Option<Kept>, KeepError> {
        Ok(self.all().chunks.get(&(level, start, first_signal)).map(|(kept, _)| *kept))
    }

    fn starting(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.all();
        Ok(all.chunks.range((level, range.start, 0)..(level, range.end, 0)).map(|(_, (kept, _))| *kept).collect())
    }

    fn reader(&self) -> Result<Box<dyn Historian>, KeepError> {
        Ok(Box::new(Self { all: self.all.clone(), reads_only: true }))
    }

    fn extent(&self, level: Level) -> Result<Option<TimeRange>, KeepError> {
        let all = self.all();
        let of_level = all.chunks.range((level, Timestamp::MIN, 0)..=(level, Timestamp::MAX, u32::MAX));
        Ok(of_level.map(|(_, (kept, _))| kept.key.range()).reduce(TimeRange::union))
    }

    fn bytes(&self, level: Level) -> Result<u64, KeepError> {
        Ok(self.all().bytes.get(&level).copied().unwrap_or(0))
    }
}
