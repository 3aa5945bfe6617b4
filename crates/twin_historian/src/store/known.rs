//! Reads by what had been received: the same questions as in `reads` and `current`, answered as somebody could have at an
//! instant, before what came late had come.
//!
//! A sample is known from its received time on. One that was replaced by a later received sample of the same source time
//! is not kept: between the two receipts nothing is known of that source time. It is never claimed that more was known
//! than had been received.

use std::ops::ControlFlow;

use twin_model::{Flags, Sample, SignalIndex, TimeRange, Timestamp};

use super::Store;
use crate::envelope::Envelope;
use crate::snapshot::{Cursor, Snapshot};

impl Store {
    /// What held at `t` as far as had been received by `known`: the newest such sample at or before it that was measured,
    /// predictions left out.
    ///
    /// Costs one look for each block of up to 128 samples at or before `t` that was received later, and the decoding of
    /// those that may hold the answer; where samples are not late, as much as [`Self::measured_at`].
    pub fn known_at(&self, signal: SignalIndex, t: Timestamp, known: Timestamp) -> Option<Sample> {
        let column = self.columns.get(signal.at())?;
        column.series.known_at(&self.shared.arena, t.as_micros(), known.as_micros()).and_then(|row| column.sample(&row))
    }

    /// Source time of the oldest sample in `range` that had not been received by `known`; none where all had. Looks at no
    /// sample that is older than the signal's longest delay before `known`.
    pub fn first_unknown(&self, signal: SignalIndex, range: TimeRange, known: Timestamp) -> Option<Timestamp> {
        let series = &self.columns.get(signal.at())?.series;
        let (from, to) = (range.start.as_micros(), range.end.as_micros());
        series.first_unknown(&self.shared.arena, from, to, known.as_micros()).map(Timestamp::from_micros)
    }

    /// Every sample with a source time in `range` that had been received by `known`, in source-time order, until `f` breaks.
    pub fn for_each_known(
        &self,
        signal: SignalIndex,
        range: TimeRange,
        known: Timestamp,
        f: &mut dyn FnMut(&Sample) -> ControlFlow<()>,
    ) {
        let Some(column) = self.columns.get(signal.at()) else { return };
        let span = (range.start.as_micros(), range.end.as_micros());
        let mut give = |row: &crate::row::Row| match column.sample(row) {
            Some(sample) => f(&sample),
            None => ControlFlow::Continue(()),
        };
        let _stopped_early = column.series.for_each_known(&self.shared.arena, span, known.as_micros(), &mut give);
    }

    /// As [`Self::envelope`], from samples that had been received by `known`.
    pub fn envelope_known(&self, signal: SignalIndex, range: TimeRange, max_points: usize, known: Timestamp) -> Envelope {
        let gap_after = self.columns.get(signal.at()).and_then(|column| column.spec.gap_after);
        self.envelope_of(signal, range, max_points, (gap_after, known.as_micros()))
    }

    /// What held at `t` of all signals as far as had been received by `known`: [`Self::known_at`] of each, at the cost of
    /// [`Self::snapshot_at`] and a walk back for those whose newest sample does not count. `cursor` as there.
    pub fn known_snapshot_at(&self, t: Timestamp, known: Timestamp, cursor: &mut Cursor, out: &mut Snapshot) {
        self.snapshot_at(t, cursor, out);
        for (at, column) in self.columns.iter().enumerate() {
            let counts = out.received[at] <= known.as_micros() && !Flags(out.flags[at]).has(Flags::PREDICTED);
            if out.kind[at] != 0 && !counts {
                let row = column.series.known_at(&self.shared.arena, t.as_micros(), known.as_micros());
                out.put(at, row, |code| column.word(code).cloned());
            }
        }
    }
}
