//! Times one after the other: the rows before tell which pass of a doubled hour a row is of, and its own time when it was received.

use twin_model::Timestamp;

use super::order::Order;
use super::{ReadTime, TimeCounts, TimeFault, TimeSpec, Zone};

/// How far the clock of a device may be ahead of the one that says when its readings were received, in microseconds: five minutes.
const AHEAD: i64 = 300_000_000;

/// Reads times in the order of their rows.
#[derive(Debug, Clone)]
pub struct TimeReader {
    spec: TimeSpec,
    order: Order,
    /// What was special so far.
    pub counts: TimeCounts,
}

impl TimeReader {
    /// A reader that has seen nothing.
    pub fn new(spec: TimeSpec) -> Self {
        Self { spec, order: Order::default(), counts: TimeCounts::default() }
    }

    /// How it reads.
    pub fn spec(&self) -> &TimeSpec {
        &self.spec
    }

    /// Says that rows come newest first.
    pub fn descending(&mut self, yes: bool) {
        self.order.descending = yes;
    }

    /// Whether rows come newest first.
    pub fn is_descending(&self) -> bool {
        self.order.descending
    }

    /// Whether it matters which series a time belongs to.
    pub fn wants_series(&self) -> bool {
        self.spec.format.needs_zone() && self.spec.zone.as_ref().is_some_and(Zone::changes)
    }

    /// Reads the time of the next row of a series (any number that stands for it).
    ///
    /// # Errors
    /// [`TimeFault`]; [`Self::explain`] has the words.
    pub fn read(&mut self, series: u64, text: &str) -> Result<ReadTime, TimeFault> {
        let (order, mut guess, mut pass) = (&self.order, false, None);
        let mut choose = |first, second| {
            let (t, unsure) = order.choose(series, first, second);
            (guess, pass) = (unsure, Some(t == second));
            t
        };
        let (read, mut seen) = self.spec.resolve(&self.spec.format, text, &mut choose)?;
        seen.guesses = u64::from(guess);
        self.order.known = None;
        if self.wants_series() {
            self.order.note(series, read.t.as_micros(), pass);
        }
        self.counts.add(seen);
        Ok(ReadTime { guess, ..read })
    }

    /// Reads when the row with the time `source` was received. Of an hour that came twice it is the first pass that is not before the
    /// row's own time, give or take [`AHEAD`]: whatever other rows say, nothing is received before it is measured.
    ///
    /// # Errors
    /// [`TimeFault`]; [`Self::explain`] has the words.
    pub fn read_receipt(&mut self, text: &str, source: Timestamp) -> Result<ReadTime, TimeFault> {
        let from = source.as_micros().saturating_sub(AHEAD);
        let (read, seen) = self.spec.resolve(&self.spec.format, text, &mut |first, second| if first >= from { first } else { second })?;
        self.counts.add(seen);
        Ok(read)
    }

    /// Says which instant the next time is, where only the rows before told it: for a row that is read again alone.
    pub fn expect(&mut self, t: Timestamp) {
        self.order.known = Some(t.as_micros());
    }

    /// A fault in words: what stands there, and what would mend it.
    pub fn explain(&self, text: &str, fault: &TimeFault) -> String {
        self.spec.explain(text, fault)
    }
}
