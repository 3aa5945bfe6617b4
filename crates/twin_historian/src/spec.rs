//! What the store is told about signals and limits, and what it says about each appended sample.

use twin_model::{Signal, SignalKind, Span, ValueKind};

/// What the store needs to know about a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalSpec {
    /// How it behaves.
    pub kind: SignalKind,
    /// Which values it takes. A sample of another kind is stored all the same and counted.
    pub value_kind: ValueKind,
    /// Two samples further apart than this have a gap between them; `None` for signals that report only changes.
    pub gap_after: Option<Span>,
}

impl SignalSpec {
    /// A signal that reports when it pleases: no stretch without samples is a gap.
    pub const fn new(kind: SignalKind, value_kind: ValueKind) -> Self {
        Self { kind, value_kind, gap_after: None }
    }

    /// The same signal with a gap limit.
    #[must_use]
    pub const fn with_gap_after(mut self, gap_after: Span) -> Self {
        self.gap_after = Some(gap_after);
        self
    }
}

impl From<&Signal> for SignalSpec {
    /// Gaps begin where the signal counts as late (by default three expected periods).
    fn from(signal: &Signal) -> Self {
        Self { kind: signal.kind, value_kind: signal.value_kind, gap_after: signal.late_limit() }
    }
}

/// Limits and sizes of a [`Store`](crate::Store).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// Bytes that the store may hold, all parts together; beyond it the oldest raw samples are thinned.
    pub budget_bytes: usize,
    /// A source time this far after the received time is taken for a wrong clock and quarantined. Predicted samples
    /// ([`Flags::PREDICTED`](twin_model::Flags::PREDICTED)) are exempt.
    pub future_limit: Span,
    /// How many quarantined samples are kept for inspection, newest last.
    pub quarantine_kept: usize,
    /// Neighbouring signals that share a chunk.
    pub lane_signals: u32,
    /// Length of a chunk in time; slabs begin at whole multiples since the epoch.
    pub slab: Span,
}

impl Default for StoreConfig {
    /// 256 MiB, one hour of clock skew, chunks of 64 signals by one hour.
    fn default() -> Self {
        Self {
            budget_bytes: 256 << 20,
            future_limit: twin_model::limits::AHEAD,
            quarantine_kept: 256,
            lane_signals: 64,
            slab: Span::from_secs(3_600),
        }
    }
}

impl StoreConfig {
    /// The same for samples whose clocks were judged when they came, or need not be: none is taken for wrong.
    #[must_use]
    pub const fn believing(self) -> Self {
        Self { future_limit: Span::from_micros(i64::MAX), ..self }
    }
}

/// What became of an appended sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Appended {
    /// It is now the newest of its signal by source time.
    New,
    /// It went into history, behind the signal's newest sample, which stays the newest.
    Late,
    /// Its signal had a sample of this source time; the later received of the two is kept (equal: the later appended).
    Duplicate,
    /// It was not stored: its source time lies too far in the future, or the store has no such signal.
    Quarantined,
}

/// Which way to step in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To later instants.
    Forward,
    /// To earlier instants.
    Backward,
}
