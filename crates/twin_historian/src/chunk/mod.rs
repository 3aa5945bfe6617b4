//! Immutable pieces of history for disk and wire: which piece, its bytes, its limits. Knows nothing of where they are kept.
//!
//! A chunk holds the samples of neighbouring signals over a stretch of time. The layout (version 1), byte by byte, is in
//! `docs/HISTORIAN.md`: a 48-byte header with a CRC-32 over everything after it, then one section per signal with a
//! column each for source times, delays of receipt, quality with flags, and values. Each column says how it is encoded;
//! the writer tries what fits and keeps the smallest.

mod bytes;
mod columns;
mod read;
mod write;

pub(crate) use read::{Section, read};
pub(crate) use write::Writer;

use std::fmt;

use twin_model::{TimeRange, Timestamp};

/// First bytes of every chunk.
pub const MAGIC: [u8; 4] = *b"ORRC";
/// Version of the layout that is written, and the only one that is read.
pub const FORMAT: u8 = 1;
/// Bytes before the first section.
pub const HEADER_BYTES: usize = 48;
/// Longest chunk that is read.
pub const MAX_BYTES: usize = 64 << 20;
/// Most samples in one chunk.
pub const MAX_SAMPLES: u64 = 1 << 22;
/// Most signals that one chunk may span.
pub const MAX_SIGNALS: u32 = 1 << 16;
/// Longest word of a text signal, in bytes of UTF-8. Longer ones are cut when written.
pub const MAX_WORD_BYTES: usize = 1 << 16;

/// Which piece of history a chunk is. Ordered by signals, then time, then version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// Index of the first signal that it may hold.
    pub first_signal: u32,
    /// How many neighbouring signals it spans.
    pub signals: u32,
    /// First instant that it may hold.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Of two chunks for the same signals and time the higher version replaces the lower; 0 was never sealed.
    pub version: u32,
}

impl ChunkKey {
    /// The time that it spans.
    pub const fn range(&self) -> TimeRange {
        TimeRange::new(self.start, self.end)
    }

    /// The key as 28 bytes that sort like the key: big-endian fields, times with the sign bit flipped.
    pub fn to_bytes(&self) -> [u8; 28] {
        let mut out = [0; 28];
        out[0..4].copy_from_slice(&self.first_signal.to_be_bytes());
        out[4..8].copy_from_slice(&self.signals.to_be_bytes());
        out[8..16].copy_from_slice(&(self.start.as_micros() as u64 ^ (1 << 63)).to_be_bytes());
        out[16..24].copy_from_slice(&(self.end.as_micros() as u64 ^ (1 << 63)).to_be_bytes());
        out[24..28].copy_from_slice(&self.version.to_be_bytes());
        out
    }
}

impl fmt::Display for ChunkKey {
    /// `<first signal>+<signals>/<start us>-<end us>/v<version>`, for logs and URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start.as_micros(), self.end.as_micros());
        write!(f, "{}+{}/{start}-{end}/v{}", self.first_signal, self.signals, self.version)
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
