//! The pass of a doubled hour, told by the order of a series' rows. Knows no zones: it chooses between two instants.

use std::collections::{HashMap, HashSet};

/// Series that are remembered to tell the two passes of an hour apart; beyond it they share one memory.
const SERIES: usize = 100_000;
/// Instants of doubled hours that are remembered, to see which pass of a late row is free.
const TAKEN: usize = 65_536;
/// A row this far behind the newest is a stray, and two in a row are another stretch of time, in microseconds: one day.
const STRAY: i64 = 86_400_000_000;

/// What is known of one series.
#[derive(Debug, Clone, Copy)]
struct Past {
    /// Its last row.
    last: i64,
    /// Its newest row, strays left out: a late row does not turn the clock back.
    front: i64,
    /// That one is of the later pass on the way of the rows: then nothing goes back to the other.
    changed: bool,
    /// The last two steps forward.
    steps: [Option<i64>; 2],
}

/// What a row of a doubled hour has to do with where its series begins, or goes on after a gap: within that hour no row before tells
/// which pass it is. It is taken for the pass that comes first on the way of the rows; rows that come later may tell that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opening {
    /// Nothing: rows before tell its pass.
    #[default]
    None,
    /// Its series begins with it.
    Begins,
    /// Its pass hangs on that of the row with which its series began.
    GoesOn,
    /// It is of the other pass, so that the rows with which its series began were read right.
    Told,
}

/// Tells the passes of a doubled hour apart. A table newest first is the mirror of one newest last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// The first row has rows before it, which were read elsewhere.
    pub(crate) goes_on: bool,
    /// Series that began within a doubled hour which is not over yet.
    openings: HashSet<u64>,
    /// The table is written newest first.
    pub(crate) descending: bool,
    /// The instant of the next time, known from an earlier reading.
    pub(crate) known: Option<i64>,
    past: HashMap<u64, Past>,
    taken: HashSet<(u64, i64)>,
}

impl Order {
    /// Keeps the time of a row; `second`: it is of a doubled hour, and whether of its second pass.
    pub(crate) fn note(&mut self, series: u64, t: i64, second: Option<bool>) {
        let series = self.shared(series);
        if second.is_some() && self.taken.len() < TAKEN {
            self.taken.insert((series, t));
        }
        let changed = second == Some(!self.descending);
        let t = self.along(t);
        if second.is_none() && !self.openings.is_empty() && self.past.get(&series).is_some_and(|past| t > past.front) {
            self.openings.remove(&series);
        }
        let past = self.past.entry(series).or_insert(Past { last: t, front: t, changed, steps: [None; 2] });
        let behind = past.front.saturating_sub(STRAY);
        if t > past.front {
            past.steps = [Some(t.saturating_sub(past.front)), past.steps[0]];
            (past.front, past.changed) = (t, changed);
        } else if t < behind && past.last < behind {
            (past.front, past.changed, past.steps) = (t, changed, [None; 2]);
        }
        past.last = t;
    }

    /// Which of two instants a row of the series means, and whether that is a guess. At the change of the hour the clock goes back by
    /// the doubled time less a step between rows, at a row out of order by a little: what is nearer counts. It is a guess where the one is
    /// less than half as far again as the other, and where both passes are over by a quarter of the doubled time.
    pub(crate) fn choose(&self, series: u64, first: i64, second: i64) -> (i64, bool) {
        if let Some(known) = self.known.filter(|known| [first, second].contains(known)) {
            return (known, false);
        }
        let series = self.shared(series);
        let (near, far) = if self.descending { (second, first) } else { (first, second) };
        let Some(past) = self.past.get(&series) else { return (near, false) };
        let (a, b, front) = (self.along(near), self.along(far), past.front);
        let (fold, back) = (b - a, front.saturating_sub(a));
        // On in the second pass, or back by little in it or behind it.
        if past.changed && b > front || (b..=b.saturating_add(fold / 4)).contains(&front) {
            return (far, false);
        }
        let step = past.steps.iter().flatten().min().copied();
        // Rows that are seldom: the pass whose row comes a step after the one before. On in the first pass, at least, or the same
        // reading again, give or take a little. What is three times as long, or longer than a day, is a gap and no step.
        let steps = || past.steps.iter().flatten().copied().filter(|one| step.is_some_and(|step| *one <= step.saturating_mul(3)));
        let seldom = |step: i64| step.saturating_mul(4) >= fold * 3;
        if let Some(step) = step.filter(|step| *step <= STRAY)
            && (seldom(step) && back <= fold / 4 || steps().any(seldom) && back < 0)
        {
            let by = |step: i64| {
                let off = |behind: i64| behind.saturating_sub(step).saturating_abs();
                let (stays, changes) = (off(-back), off(fold - back));
                let (best, other) = (stays.min(changes), stays.max(changes));
                (if changes < stays { far } else { near }, best.saturating_mul(3) >= other.saturating_mul(2))
            };
            let chosen = by(step).0;
            return (chosen, steps().any(|step| by(step) != (chosen, false)));
        }
        let step = step.filter(|step| step * 2 <= fold * 3);
        if back < 0 || step.is_none() && back == 0 {
            return (if back < 0 { near } else { far }, false);
        }
        // Both passes are over: nothing but which one is free speaks for either.
        if front > b {
            let free = |t| !self.taken.contains(&(series, t));
            return (if free(near) && !free(far) { near } else { far }, true);
        }
        let (stays, changes) = (back, (fold - step.unwrap_or(0) - back).abs());
        let (chosen, best, other) = if changes < stays { (far, changes, stays) } else { (near, stays, changes) };
        // Back by a little: where the other pass would come after a step like those before, nothing tells a row out of order.
        let usual = |step: i64| step <= 2 * fold && step * 3 >= (fold - back) * 2;
        if chosen == near && past.steps.iter().flatten().any(|step| usual(*step)) {
            return (far, true);
        }
        (chosen, best.saturating_mul(3) >= other.saturating_mul(2))
    }

    /// What the row for which [`Self::choose`] took `chosen` has to do with the beginning of its series; asked before [`Self::note`].
    pub(crate) fn opening(&mut self, series: u64, [first, second]: [i64; 2], (chosen, guess): (i64, bool)) -> Opening {
        if self.known.is_some_and(|known| known == chosen) {
            return Opening::None;
        }
        let series = self.shared(series);
        let near = if self.descending { second } else { first };
        let (a, fold) = (self.along(near), second - first);
        let begins = match self.past.get(&series) {
            None => !self.goes_on,
            // After a gap either pass may be the first with a row, unless the steps before the gap are as long.
            Some(past) => {
                let chosen = self.along(chosen);
                let as_usual = |step: i64| (past.front.saturating_add(step) - chosen).abs() <= fold / 4;
                a.saturating_sub(past.front) > fold && !past.steps.iter().flatten().any(|step| as_usual(*step))
            }
        };
        if begins {
            self.openings.insert(series);
            return Opening::Begins;
        }
        if self.openings.is_empty() || !self.openings.contains(&series) {
            return Opening::None;
        }
        if chosen == near {
            return Opening::GoesOn;
        }
        self.openings.remove(&series);
        if guess { Opening::None } else { Opening::Told }
    }

    fn shared(&self, series: u64) -> u64 {
        if self.past.len() < SERIES || self.past.contains_key(&series) { series } else { 0 }
    }

    /// A time on an axis along which rows rise.
    const fn along(&self, t: i64) -> i64 {
        if self.descending { t.saturating_neg() } else { t }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 3_600;

    #[test]
    fn the_same_reading_again_is_the_second_pass_only_where_rows_are_an_hour_apart() {
        let mut order = Order::default();
        assert_eq!(order.choose(1, HOUR, 2 * HOUR), (HOUR, false), "nothing before it");
        order.note(1, HOUR, Some(false));
        assert_eq!(order.choose(1, HOUR, 2 * HOUR), (2 * HOUR, false), "the same reading again");
        assert_eq!(order.choose(2, HOUR, 2 * HOUR), (HOUR, false), "another series");
        order.note(1, HOUR + MINUTE, Some(false));
        assert_eq!(order.choose(1, HOUR + MINUTE, 2 * HOUR + MINUTE), (HOUR + MINUTE, false), "a row a minute, written twice");
        let mut order = Order { descending: true, ..Order::default() };
        assert_eq!(order.choose(1, HOUR, 2 * HOUR).0, 2 * HOUR);
        order.note(1, 2 * HOUR, Some(true));
        assert_eq!(order.choose(1, HOUR, 2 * HOUR).0, HOUR);
    }

    #[test]
    fn a_late_row_of_a_pass_that_is_over_is_a_guess_at_the_free_one() {
        let mut order = Order::default();
        for t in [HOUR, 2 * HOUR + 10 * MINUTE, 3 * HOUR, 3 * HOUR + 10 * MINUTE] {
            order.note(0, t, (t < 3 * HOUR).then_some(t >= 2 * HOUR));
        }
        assert_eq!(
            order.choose(0, HOUR + 10 * MINUTE, 2 * HOUR + 10 * MINUTE),
            (HOUR + 10 * MINUTE, true),
            "the second is taken"
        );
        assert_eq!(order.choose(0, HOUR, 2 * HOUR), (2 * HOUR, true), "the first is taken");
    }
}
