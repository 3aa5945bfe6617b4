//! Chosen signals over a range, for charts and sparklines: envelopes with gaps, never a sample from after the cursor.

use twin_historian::Envelope;
use twin_model::{SignalIndex, TimeRange, Timestamp};

/// One signal over a range.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartSeries {
    /// The signal.
    pub signal: SignalIndex,
    /// Reality, up to the fork where a branch is shown.
    pub envelope: Envelope,
    /// The branch from its fork on.
    pub branch: Option<Envelope>,
    /// What would happen without the changes, from the fork on.
    pub projection: Option<Envelope>,
}

/// The part of a range that lies at or before `t`.
pub(crate) fn upto(range: TimeRange, t: Timestamp) -> TimeRange {
    let after = t + twin_model::Span::from_micros(1);
    TimeRange::new(range.start, range.end.min(after).max(range.start))
}
