//! Where history is kept beyond the memory of one store: immutable chunks by key, and a journal of what no chunk holds yet.
//!
//! The trait is all that the gateway asks of a keeper; it knows no paths, files or queries, so that a database in one file
//! and a cluster of object stores can both be one. [`MemoryHistorian`] is the obvious reference, [`conformance`] the suite
//! that every implementation must pass. Refuses to know what is in a chunk beyond its key, and what time it is.

pub mod conformance;
mod memory;
mod retention;

pub use memory::MemoryHistorian;
pub use retention::{Limits, Retention};

use std::sync::Arc;

use twin_model::{Span, TimeRange, Timestamp};

use crate::chunk::{Chunk, ChunkKey, Level};

/// Bytes of a chunk or journal entry, shared.
pub type Blob = Arc<[u8]>;

/// A place in the journal; they ascend in the order of appending and are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// One change. Changes of one [`Historian::commit`] happen together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Keeps a chunk. It takes the place of the chunk of the same level, first signal and start, if its version is higher;
    /// of a chunk with the same or a lower version nothing happens (a retry is harmless).
    Put(Chunk),
    /// Forgets a chunk, if it is (still) the one kept under this key, version included.
    Remove(ChunkKey),
    /// Appends to the journal: bytes that the keeper does not look into, and the first and last source time in them.
    Append {
        /// From the first to the last source time in it (both inclusive; empty where it holds no samples).
        times: TimeRange,
        /// What the caller wants back after a restart.
        bytes: Blob,
        /// Samples in it, to be able to say what is missing where it is damaged; 0 where nobody counted.
        samples: u32,
    },
    /// Forgets journal entries up to and including `upto` whose last source time is before `before`: chunks hold them now.
    Trim {
        /// Newest entry that may go.
        upto: Position,
        /// Entries with samples at or after this instant stay.
        before: Timestamp,
    },
    /// Keeps a small text under a name, for example which signals the positions mean; an empty one forgets it.
    Note {
        /// Its name.
        name: String,
        /// The text.
        text: String,
    },
    /// Forgets everything.
    Clear,
}

/// A chunk in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub key: ChunkKey,
    /// Samples in it.
    pub samples: u32,
    /// Its length.
    pub bytes: u64,
    /// CRC-32 (ISO 3309) of all its bytes, as kept.
    pub crc: u32,
}

impl Kept {
    /// FNV-1a (64 bits) over the key's bytes and the checksum, little-endian: differs whenever the chunk does.
    pub fn tag(&self) -> u64 {
        let bytes = self.key.to_bytes().into_iter().chain(self.crc.to_le_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// All chunks of one level that begin at one instant, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How fine.
    pub level: Level,
    /// Where its chunks begin.
    pub start: Timestamp,
    /// Where the last of them ends.
    pub end: Timestamp,
    /// How many there are.
    pub chunks: u64,
    /// Samples in them.
    pub samples: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The wrapping sum of their [`Kept::tag`]s: another number whenever one of them is another.
    pub tag: u64,
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub position: Position,
    /// First and last source time.
    pub times: TimeRange,
    /// What was appended.
    pub bytes: Blob,
}

/// Why a keeper could not do something.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It is damaged: something that was kept is not what it was.
    #[error("{what} is damaged: {why}")]
    Damaged {
        /// Which piece.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// It cannot be reached or written now; trying again may help.
    #[error("history can't be {doing}: {why}")]
    Unavailable {
        /// Read or written.
        doing: &'static str,
        /// Why.
        why: String,
    },
}

/// A keeper of history for one site. One writer at a time; readers see whole commits only.
pub trait Historian: Send {
    /// Does all changes in order, or none. When it returns, they survive whatever the keeper promises to survive (a durable
    /// one: `kill -9` and, as far as its synchronisation is set so, a power cut). Returns the newest journal position.
    ///
    /// # Errors
    /// Nothing was changed then.
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError>;

    /// What is kept of a level about a stretch: chunks whose time meets it (for [`Level::Carried`]: whose instant lies in
    /// it), by start, then first signal.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn catalogue(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError>;

    /// The bytes of a chunk, just as they were put; none where this version of it is not kept (any more).
    ///
    /// # Errors
    /// Where it cannot be read, or is not what was put.
    fn chunk(&self, key: &ChunkKey) -> Result<Option<Blob>, KeepError>;

    /// The journal from a position on (exclusive), oldest first; `f` says whether to go on.
    ///
    /// # Errors
    /// Where it cannot be read. Entries that are damaged are given to `damaged` and do not end the reading.
    fn journal(
        &self,
        after: Position,
        f: &mut dyn FnMut(Entry) -> bool,
        damaged: &mut dyn FnMut(Position, String),
    ) -> Result<(), KeepError>;

    /// A note; none where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn note(&self, name: &str) -> Result<Option<String>, KeepError>;

    /// The catalogue summed up by start, ascending: what a time bar and a byte limit need, without a row for every lane. A keeper
    /// holds the sums ready; there are about as many pages as hours.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn pages(&self, level: Level, range: TimeRange) -> Result<Vec<Page>, KeepError>;

    /// The chunk that is kept of one level, start and first signal.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn kept(&self, level: Level, start: Timestamp, first_signal: u32) -> Result<Option<Kept>, KeepError> {
        let instant = TimeRange::new(start, start + Span::from_micros(1));
        let about = self.catalogue(level, instant)?;
        Ok(about.into_iter().find(|kept| kept.key.slot() == (level, start, first_signal)))
    }

    /// Chunks of a level that begin in `range`, by start, then first signal; unlike [`Self::catalogue`] nothing that began
    /// before it is looked at.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn starting(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        let about = self.catalogue(level, range)?;
        Ok(about.into_iter().filter(|kept| range.contains(kept.key.start)).collect())
    }

    /// Another handle on the same history that only reads, so that readers never wait for the writer. It sees what was
    /// committed before each of its calls, and refuses to commit.
    ///
    /// # Errors
    /// Where no further handle can be had.
    fn reader(&self) -> Result<Box<dyn Historian>, KeepError>;

    /// Looks, cheaply and from outside of what this handle remembers, whether whoever opens it next could read it. Says nothing
    /// about single chunks.
    ///
    /// # Errors
    /// Where it could not be read.
    fn sound(&self) -> Result<(), KeepError> {
        Ok(())
    }

    /// From the start of the first to the end of the last slab kept of a level; none where nothing is.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn extent(&self, level: Level) -> Result<Option<TimeRange>, KeepError>;

    /// Bytes of chunks kept of a level.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn bytes(&self, level: Level) -> Result<u64, KeepError>;
}

/// All levels, in the order of their codes.
pub const LEVELS: [Level; 4] = [Level::Raw, Level::FiveMinutes, Level::Hour, Level::Carried];

/// Whether a chunk of `level` that spans `chunk` is about `range`.
pub fn meets(level: Level, chunk: TimeRange, range: TimeRange) -> bool {
    if level == Level::Carried {
        return range.start <= chunk.start && chunk.start < range.end;
    }
    chunk.start < range.end && range.start < chunk.end
}
