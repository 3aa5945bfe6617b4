//! When something that is derived from history is worth computing again. Knows neither what it is nor what time it is.

/// Shortest wait between two computations that only new data asks for, in seconds.
pub const LEAST_WAIT_S: f64 = 0.25;
/// Longest wait, in seconds: a slow machine still shows what arrived.
pub const MOST_WAIT_S: f64 = 5.0;
/// Waits are this many times as long as the computation took: at most a twentieth of the time goes into it.
pub const WAIT_PER_COST: f64 = 20.0;

/// Remembers what a result was computed for, and how long that took.
///
/// `A` is what a person chose (selection, zoom, branch): when it changes the result is computed at once. `F` is what flows by
/// itself (revision of the data, a range that slides with the live edge): when only it changes the result is computed again
/// after a wait. So data that arrives in a hundred batches a second costs at most four computations a second, and at most
/// 5 % of the time ([`WAIT_PER_COST`]) unless that would mean waiting longer than [`MOST_WAIT_S`].
#[derive(Debug, Clone)]
pub struct Renewal<A, F> {
    made_for: Option<(A, F)>,
    made_at: f64,
    cost: f64,
}

impl<A, F> Default for Renewal<A, F> {
    fn default() -> Self {
        Self { made_for: None, made_at: 0.0, cost: 0.0 }
    }
}

impl<A: PartialEq, F: PartialEq> Renewal<A, F> {
    /// Whether to compute now, in seconds of a clock that never goes back.
    pub fn is_due(&self, asked: &A, flowing: &F, now: f64) -> bool {
        match &self.made_for {
            Some((had, _)) if had != asked => true,
            Some((_, had)) => had != flowing && now - self.made_at >= self.wait(),
            None => true,
        }
    }

    /// Notes a computation that took `cost` seconds and ended at `now`.
    pub fn done(&mut self, asked: A, flowing: F, now: f64, cost: f64) {
        (self.made_for, self.made_at, self.cost) = (Some((asked, flowing)), now, cost.max(0.0));
    }

    /// Forgets everything: the next question is answered with yes.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn wait(&self) -> f64 {
        (self.cost * WAIT_PER_COST).clamp(LEAST_WAIT_S, MOST_WAIT_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cost: f64, asked: &str, revision: u64, after: f64, expected: bool) {
        let mut renewal = Renewal::default();
        renewal.done("pump".to_owned(), 7_u64, 100.0, cost);
        assert_eq!(renewal.is_due(&asked.to_owned(), &revision, 100.0 + after), expected);
    }

    #[test]
    fn what_a_person_asks_for_comes_at_once() {
        check(1.0, "tank", 7, 0.0, true);
        assert!(Renewal::<u8, u8>::default().is_due(&1, &1, 0.0));
    }

    #[test]
    fn nothing_new_is_nothing_to_do() {
        check(0.0, "pump", 7, 1_000.0, false);
    }

    #[test]
    fn new_data_waits_a_quarter_second_or_twenty_times_the_cost() {
        check(0.001, "pump", 8, 0.2, false);
        check(0.001, "pump", 8, 0.3, true);
        check(0.1, "pump", 8, 1.9, false);
        check(0.1, "pump", 8, 2.1, true);
        check(10.0, "pump", 8, 5.1, true);
    }

    #[test]
    fn a_hundred_batches_a_second_cost_at_most_four_computations_a_second() {
        let mut renewal = Renewal::default();
        let mut count = 0;
        for batch in 0..1_000_u64 {
            let now = batch as f64 / 100.0;
            if renewal.is_due(&(), &batch, now) {
                renewal.done((), batch, now, 0.004);
                count += 1;
            }
        }
        assert!((38..=41).contains(&count), "{count}");
    }
}
