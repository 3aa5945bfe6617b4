//! Immutable pieces of history for disk and wire: which piece, its bytes, its limits. Knows nothing of where they are kept.
//!
//! A chunk holds the samples of neighbouring signals over a stretch of time. The layout (version 1), byte by byte, is in
//! `docs/HISTORIAN.md`: a 48-byte header with a CRC-32 over everything after it, then one section per signal with a
//! column each for source times, delays of receipt, quality with flags, and values. Each column says how it is encoded;
//! the writer tries what fits and keeps the smallest.

mod bytes;
mod coarse;
mod columns;
mod cut;
mod level;
mod merge;
mod parts;
mod read;
mod write;

pub use coarse::{Coarse, coarsen, coarsen_into, least};
pub(crate) use coarse::{keep, mark};
pub use cut::{Census, Opened, open};
pub use level::Level;
pub use merge::{Run, carry, gather, inspect, known, mapped, merge, runs, same_samples, with_version, within, without};
pub use parts::{Proof, WRITTEN_BYTES, digest, hull, join};

pub(crate) use parts::{Strand, write_all};
pub(crate) use read::{Section, read};
pub(crate) use write::Writer;

use std::fmt;
use std::str::FromStr;

use twin_model::{TimeRange, Timestamp, limits};

/// First bytes of every chunk.
pub const MAGIC: [u8; 4] = *b"ORRC";

/// Whether bytes begin as a chunk does. A journal holds batches, and chunks of what did not reach it at first: this tells them apart.
pub fn is_chunk(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}
/// Version of the layout that is written, and the only one that is read.
pub const FORMAT: u8 = 1;
/// Bytes before the first section.
pub const HEADER_BYTES: usize = 48;
/// Longest chunk that is read.
pub const MAX_BYTES: usize = limits::CHUNK_READ_BYTES;
/// Most samples in one chunk.
pub const MAX_SAMPLES: u64 = limits::CHUNK_SAMPLES;
/// Most signals that one chunk may span.
pub const MAX_SIGNALS: u32 = 1 << 16;
/// Longest word of a text signal, in bytes of UTF-8. Longer ones are cut when written.
pub const MAX_WORD_BYTES: usize = limits::TEXT_BYTES;

/// Which piece of history a chunk is. Ordered by level, then signals, then time, then version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// How fine its samples are.
    pub level: Level,
    /// Index of the first signal that it may hold.
    pub first_signal: u32,
    /// How many neighbouring signals it spans.
    pub signals: u32,
    /// First instant that it may hold. A [`Level::Carried`] chunk holds what came before: there start and end are the one
    /// instant that it is the state of.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Of two chunks of one level for the same signals and time the higher version replaces the lower; 0 was never sealed.
    pub version: u32,
}

impl ChunkKey {
    /// The time that it spans.
    pub const fn range(&self) -> TimeRange {
        TimeRange::new(self.start, self.end)
    }

    /// The slot that the chunk takes: chunks that differ only in version and end take each other's place.
    pub const fn slot(&self) -> (Level, Timestamp, u32) {
        (self.level, self.start, self.first_signal)
    }

    /// The key as 29 bytes that sort like the key: the level's code, then big-endian fields, times with the sign bit flipped.
    pub fn to_bytes(&self) -> [u8; 29] {
        let mut out = [0; 29];
        out[0] = self.level.code();
        out[1..5].copy_from_slice(&self.first_signal.to_be_bytes());
        out[5..9].copy_from_slice(&self.signals.to_be_bytes());
        out[9..17].copy_from_slice(&(self.start.as_micros() as u64 ^ (1 << 63)).to_be_bytes());
        out[17..25].copy_from_slice(&(self.end.as_micros() as u64 ^ (1 << 63)).to_be_bytes());
        out[25..29].copy_from_slice(&self.version.to_be_bytes());
        out
    }
}

impl fmt::Display for ChunkKey {
    /// `<level>/<first signal>+<signals>/<start us>_<end us>/v<version>`, for logs and URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start.as_micros(), self.end.as_micros());
        write!(f, "{}/{}+{}/{start}_{end}/v{}", self.level, self.first_signal, self.signals, self.version)
    }
}

impl FromStr for ChunkKey {
    type Err = crate::HistorianError;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut parts = text.split('/');
            let level: Level = parts.next()?.parse().ok()?;
            let (first, signals) = parts.next()?.split_once('+')?;
            let (start, end) = parts.next()?.split_once('_')?;
            let version = parts.next()?.strip_prefix('v')?;
            let us = |text: &str| text.parse().ok().map(Timestamp::from_micros);
            let key = Self {
                level,
                first_signal: first.parse().ok()?,
                signals: signals.parse().ok()?,
                start: us(start)?,
                end: us(end)?,
                version: version.parse().ok()?,
            };
            (parts.next().is_none() && key.start <= key.end).then_some(key)
        };
        read().ok_or(crate::HistorianError::Key)
    }
}

/// A piece of history, ready to be stored or sent as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which piece.
    pub key: ChunkKey,
    /// Samples in it.
    pub samples: u32,
    /// Its bytes, header included.
    pub bytes: Vec<u8>,
}

/// Reads the key of a chunk without decoding it; checks magic, version and length of the header only.
///
/// # Errors
/// As [`Store::import_chunk`](crate::Store::import_chunk) for the header.
pub fn peek_key(bytes: &[u8]) -> Result<ChunkKey, crate::HistorianError> {
    read::header(bytes).map(|header| header.key)
}
