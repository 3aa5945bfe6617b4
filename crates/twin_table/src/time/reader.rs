//! Times one after the other: the rows before tell which pass of a doubled hour a row is of, and its own time when it was received.

use std::collections::HashMap;

use twin_model::Timestamp;

use super::order::{Opening, Order};
use super::{ReadTime, TimeCounts, TimeFault, TimeSpec, Zone};

/// How far the clock of a device may be ahead of the one that says when its readings were received, in microseconds: five minutes.
const AHEAD: i64 = 300_000_000;

/// Reads times in the order of their rows.
#[derive(Debug, Clone)]
pub struct TimeReader {
    spec: TimeSpec,
    order: Order,
    /// Rows of series that began within a doubled hour, which count as guesses until a later row tells their pass.
    openings: HashMap<u64, u64>,
    /// What was special so far.
    pub counts: TimeCounts,
}

impl TimeReader {
    /// A reader that has seen nothing.
    pub fn new(spec: TimeSpec) -> Self {
        Self { spec, order: Order::default(), openings: HashMap::new(), counts: TimeCounts::default() }
    }

    /// How it reads.
    pub fn spec(&self) -> &TimeSpec {
        &self.spec
    }

    /// Says that rows come newest first.
    pub fn descending(&mut self, yes: bool) {
        self.order.descending = yes;
    }

    /// Says that there are rows before the first one, so that nobody may wonder at where it begins.
    pub fn goes_on(&mut self) {
        self.order.goes_on = true;
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
        let (order, mut guess, mut pass, mut both) = (&self.order, false, None, None);
        let mut choose = |first, second| {
            let (t, unsure) = order.choose(series, first, second);
            (guess, pass, both) = (unsure, Some(t == second), Some([first, second]));
            t
        };
        let (read, mut seen) = self.spec.resolve(&self.spec.format, text, &mut choose)?;
        seen.guesses = u64::from(guess);
        let opening = both.map_or(Opening::None, |both| self.order.opening(series, both, (read.t.as_micros(), guess)));
        self.count_opening(series, opening, &mut seen);
        self.order.known = None;
        if self.wants_series() {
            self.order.note(series, read.t.as_micros(), pass);
        }
        self.counts.add(seen);
        Ok(ReadTime { guess, opening, ..read })
    }

    fn count_opening(&mut self, series: u64, opening: Opening, seen: &mut TimeCounts) {
        match opening {
            Opening::None => return,
            Opening::Begins => {
                self.openings.insert(series, 1);
            }
            Opening::GoesOn if seen.guesses > 0 => return,
            Opening::GoesOn => *self.openings.entry(series).or_default() += 1,
            Opening::Told => {
                let rows = self.openings.remove(&series).unwrap_or_default();
                self.counts.guesses = self.counts.guesses.saturating_sub(rows);
                return;
            }
        }
        seen.guesses = 1;
    }

    /// Reads when the row with the time `source` was received. Of an hour that came twice it is the first pass that is not before the
    /// row's own time, give or take [`AHEAD`]: whatever other rows say, nothing is received before it is measured.
    ///
    /// # Errors
    /// [`TimeFault`]; [`Self::explain`] has the words.
    pub fn read_receipt(&mut self, text: &str, source: Timestamp) -> Result<ReadTime, TimeFault> {
        let from = source.as_micros().saturating_sub(AHEAD);
        let (read, seen) =
            self.spec.resolve(&self.spec.format, text, &mut |first, second| if first >= from { first } else { second })?;
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
