//! What the store counts and how many bytes each of its parts holds.

use twin_model::Span;

/// Totals since the store was made. Shown to people and on `/metrics`; never used in decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Samples taken into the store by append (new, late and duplicates that replaced their predecessor).
    pub stored: u64,
    /// Samples behind their signal's newest one.
    pub late: u64,
    /// Times at which a signal's source time went back compared with the sample appended just before.
    pub backward: u64,
    /// Samples with the source time of a sample already held.
    pub duplicates: u64,
    /// Duplicates that differed from the sample they replaced in value, quality or flags.
    pub duplicates_replaced: u64,
    /// Samples refused because their source time was beyond the future limit.
    pub quarantined: u64,
    /// Samples refused because their text was longer than any chunk may hold.
    pub too_large: u64,
    /// Samples refused because the store has no such signal.
    pub unknown_signal: u64,
    /// Stored samples whose source time was after their received time.
    pub ahead_of_received: u64,
    /// The largest lead of a source time over its received time, quarantined samples included.
    pub max_ahead: Span,
    /// Stored samples that are NaN.
    pub nan: u64,
    /// Stored samples that are infinite.
    pub infinite: u64,
    /// Stored samples of another kind than their signal declares.
    pub kind_mismatch: u64,
    /// Samples that came in chunks.
    pub imported: u64,
    /// Samples that the byte budget took away.
    pub thinned: u64,
    /// Samples that the budget of texts took away.
    pub texts_given_up: u64,
}

/// Heap bytes by part, from the capacities of its containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BytesReport {
    /// The fixed record of each signal.
    pub signals: usize,
    /// Samples not yet compressed.
    pub heads: usize,
    /// Compressed blocks with the summary of each, space left by replaced blocks included.
    pub blocks: usize,
    /// Of `blocks`: space that no block uses any more.
    pub waste: usize,
    /// Where each block lies and when it starts.
    pub directory: usize,
    /// Late samples waiting to be folded in.
    pub late: usize,
    /// Words of text signals.
    pub text: usize,
    /// Sample counts over time.
    pub density: usize,
    /// Everything else: quarantine, chunk bookkeeping, thinned ranges.
    pub other: usize,
}

impl BytesReport {
    /// All parts together (`waste` is already in `blocks`).
    pub const fn total(&self) -> usize {
        self.signals + self.heads + self.blocks + self.directory + self.late + self.text + self.density + self.other
    }
}
