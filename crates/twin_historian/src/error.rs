//! Why a chunk cannot be read.

/// What is wrong with bytes that should be a chunk. The store is unchanged when one of these is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistorianError {
    /// Not a chunk at all.
    #[error("these bytes are not a history chunk (they must begin with 'ORRC')")]
    Magic,
    /// Written by a newer program.
    #[error("history chunk has format version {0}, this program reads version 1; update the program")]
    Version(u8),
    /// A level that this program does not know.
    #[error("history chunk has level {0}, which this program does not know; update the program")]
    Level(u8),
    /// A text that should name a chunk.
    #[error("not the key of a history chunk; write <level>/<first signal>+<signals>/<start us>_<end us>/v<version>")]
    Key,
    /// Chunks that should become one.
    #[error("history chunks can't be merged: {0}")]
    Unlike(&'static str),
    /// Cut short.
    #[error("history chunk ends in the middle of its {0}")]
    Truncated(&'static str),
    /// Damaged.
    #[error("history chunk is damaged: checksum {found:08x} instead of {expected:08x}")]
    Checksum {
        /// As written in the chunk.
        expected: u32,
        /// Of the bytes at hand.
        found: u32,
    },
    /// More of something than this program accepts.
    #[error("history chunk has {found} {what}, at most {limit} are accepted")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// How many may be.
        limit: u64,
    },
    /// A signal that this store does not have.
    #[error("history chunk is about signal number {signal}, but there are only {count}; it belongs to another site file")]
    UnknownSignal {
        /// The index.
        signal: u64,
        /// Signals in the store.
        count: usize,
    },
    /// Well-formed bytes with impossible content.
    #[error("history chunk is inconsistent: {0}")]
    Corrupt(&'static str),
}
