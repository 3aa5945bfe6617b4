//! What holds at an instant, and what lies ahead of it: the one place that knows that newest isn't current.
//!
//! A prediction is never what holds, nor is anything of a time that has not come: a source whose clock runs ahead puts its
//! readings into history at once and they come into force when their time does. Until then [`Store::ahead_at`] has them.

use twin_model::{Flags, Sample, SignalIndex, Timestamp};

use super::Store;
use crate::snapshot::{Cursor, Snapshot};

impl Store {
    /// What holds at `t`: the newest sample at or before it that was measured, predictions ([`Flags::PREDICTED`]) left out. None
    /// where that is not among the newest 16,384 by then.
    pub fn measured_at(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        let column = self.columns.get(signal.at())?;
        column.series.measured_at(&self.shared.arena, t.as_micros()).and_then(|row| column.sample(&row))
    }

    /// The newest sample that is neither store-and-forward data nor a prediction, wherever it lies. A late sample never moves it back.
    pub fn live(&self, signal: SignalIndex) -> Option<Sample> {
        let column = self.columns.get(signal.at())?;
        column.series.at(&self.shared.arena, column.series.live_time()?).and_then(|row| column.sample(&row))
    }

    /// The newest sample of those that lie ahead of `t` although they had been received by then: its source's clock runs ahead.
    /// Neither store-and-forward data nor a prediction. Looked for as far ahead as
    /// [`StoreConfig::future_limit`](crate::StoreConfig::future_limit) lets samples in, and among the newest 16,384 there.
    pub fn ahead_at(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        let column = self.columns.get(signal.at())?;
        let until = t.as_micros().saturating_add(self.config.future_limit.as_micros());
        let row = column.series.ahead_of(&self.shared.arena, t.as_micros(), until)?;
        column.sample(&row)
    }

    /// What holds at `t` of all signals: [`Self::measured_at`] of each. `cursor` as in [`Self::snapshot_at`].
    pub fn measured_snapshot_at(&self, t: Timestamp, cursor: &mut Cursor, out: &mut Snapshot) {
        self.snapshot_at(t, cursor, out);
        for (at, column) in self.columns.iter().enumerate() {
            if out.flags.get(at).is_some_and(|flags| Flags(*flags).has(Flags::PREDICTED)) {
                let row = column.series.measured_at(&self.shared.arena, t.as_micros());
                out.put(at, row, |code| column.word(code).cloned());
            }
        }
    }
}
