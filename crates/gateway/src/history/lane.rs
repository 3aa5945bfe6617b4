//! One lane of the keeper with changes that are not committed yet: the chunks about a stretch, however many there are, and
//! others put in their place. A slab may be kept in parts, because a chunk has a bound in bytes. Writes nothing itself.

use std::collections::BTreeMap;

use twin_historian::chunk::{self, Proof};
use twin_historian::historian::{Blob, Change, Historian, KeepError};
use twin_historian::{Chunk, ChunkKey, Level};
use twin_model::{TimeRange, Timestamp};

use super::damage::{self, Missing, Piece};

/// A chunk of the lane: its key, and its bytes where they can be read.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) key: ChunkKey,
    pub(super) bytes: Option<Blob>,
}

/// See the module's head.
pub(super) struct Lane<'a> {
    reader: &'a dyn Historian,
    first_signal: u32,
    put: BTreeMap<(Level, Timestamp), Proof>,
    gone: BTreeMap<(Level, Timestamp), ChunkKey>,
    /// Kept chunks that turned out to be damaged.
    pub(super) damaged: Vec<Missing>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(reader: &'a dyn Historian, first_signal: u32) -> Self {
        Self { reader, first_signal, put: BTreeMap::new(), gone: BTreeMap::new(), damaged: Vec::new() }
    }

    /// Keys of the chunks of a level whose time meets `range`, ascending.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub(super) fn keys(&self, level: Level, range: TimeRange) -> Result<Vec<ChunkKey>, KeepError> {
        let mut keys: BTreeMap<Timestamp, ChunkKey> = BTreeMap::new();
        for page in self.reader.pages(level, range)? {
            if self.gone.contains_key(&(level, page.start)) || self.put.contains_key(&(level, page.start)) {
                continue;
            }
            if let Some(kept) = self.reader.kept(level, page.start, self.first_signal)? {
                keys.insert(page.start, kept.key);
            }
        }
        let put = self.put.range((level, Timestamp::MIN)..(level, range.end));
        keys.extend(put.map(|((_, start), proof)| (*start, proof.chunk.key)));
        let meets = |key: &ChunkKey| key.start < range.end && range.start < key.end;
        Ok(keys.into_values().filter(meets).collect())
    }

    /// The bytes of one of them; none where it is gone or damaged (the keeper sets what is damaged aside when it is replaced).
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub(super) fn bytes(&mut self, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
        if let Some(proof) = self.put.get(&(key.level, key.start)) {
            return Ok(Some(proof.chunk.bytes.as_slice().into()));
        }
        match damage::piece(self.reader, key)? {
            Piece::Whole(bytes) => Ok(Some(bytes)),
            Piece::Gone => Ok(None),
            Piece::Missing(missing) => {
                self.damaged.push(missing);
                Ok(None)
            }
        }
    }

    /// The chunks of a level about `range` and about what they reach over, with their bytes; and that stretch.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub(super) fn about(&mut self, level: Level, range: TimeRange) -> Result<(Vec<Part>, TimeRange), KeepError> {
        let mut range = range;
        loop {
            let keys = self.keys(level, range)?;
            let wide = chunk::hull(keys.iter().copied()).map_or(range, |hull| hull.union(range));
            if wide == range {
                let parts = keys.into_iter().map(|key| Ok(Part { key, bytes: self.bytes(&key)? }));
                return Ok((parts.collect::<Result<_, KeepError>>()?, range));
            }
            range = wide;
        }
    }

    /// Puts `new` in the place of `old`, under versions above those that are or were there. Nothing where that changes nothing.
    /// Returns the chunks as they are kept then.
    pub(super) fn replace(&mut self, old: &[Part], new: Vec<Proof>) -> Vec<Chunk> {
        let same = |(old, new): (&Part, &Proof)| {
            old.key.range() == new.chunk.key.range()
                && old.bytes.as_ref().is_some_and(|bytes| chunk::same_samples(bytes, &new.chunk.bytes))
        };
        if old.len() == new.len() && !new.is_empty() && old.iter().zip(&new).all(same) {
            return Vec::new();
        }
        let version = old.iter().map(|part| part.key.version).max().unwrap_or(0).saturating_add(1);
        for part in old {
            let slot = (part.key.level, part.key.start);
            // What only was to be put is simply not put.
            if self.put.remove(&slot).is_none() {
                self.gone.insert(slot, part.key);
            }
        }
        let mut out = Vec::new();
        for Proof { chunk, digest } in new {
            let version = version.max(chunk.key.version);
            let chunk = if chunk.key.version == version { Ok(chunk) } else { chunk::with_version(&chunk.bytes, version) };
            // What was just written has a header.
            let Ok(chunk) = chunk else { continue };
            out.push(chunk.clone());
            self.put.insert((chunk.key.level, chunk.key.start), Proof { chunk, digest });
        }
        out
    }

    /// All changes, to be committed together, and what reading the chunks back must give.
    pub(super) fn changes(self) -> (Vec<Change>, Vec<(ChunkKey, u64)>) {
        let kept_slot = |slot: &(Level, Timestamp)| !self.put.contains_key(slot);
        let mut changes: Vec<Change> =
            self.gone.iter().filter(|(slot, _)| kept_slot(slot)).map(|(_, key)| Change::Remove(*key)).collect();
        let proofs = self.put.values().map(|proof| (proof.chunk.key, proof.digest)).collect();
        changes.extend(self.put.into_values().map(|proof| Change::Put(proof.chunk)));
        (changes, proofs)
    }
}
