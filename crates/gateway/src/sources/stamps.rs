//! Times for readings that take the time of their receipt. Several that are received at one instant each get a time of their own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use twin_model::{SignalIndex, Span, Timestamp};

/// A time that was given out and is further ahead than this is from before the clock was set back.
const AHEAD: Span = Span::from_secs(1);

/// The last time that each signal of a source was given: one for each signal of the site at most.
#[derive(Debug, Default)]
pub(super) struct Stamps(Mutex<HashMap<SignalIndex, Timestamp>>);

impl Stamps {
    /// The time of a reading that is received `now`: a microsecond after the one before it where that had this very time. None takes
    /// another's place, and their order stays.
    pub(super) fn next(&self, signal: SignalIndex, now: Timestamp) -> Timestamp {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.get(&signal).copied().filter(|before| *before >= now && before.since(now) < AHEAD);
        let stamp = before.map_or(now, |before| before + Span::from_micros(1));
        last.insert(signal, stamp);
        stamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_of_one_instant_have_times_of_their_own_and_a_clock_that_is_set_back_is_followed() {
        let (stamps, now) = (Stamps::default(), Timestamp::from_secs(1_000));
        let next = |signal: u32, t: Timestamp| stamps.next(SignalIndex(signal), t).since(now).as_micros();
        assert_eq!((0..3).map(|_| next(0, now)).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(next(1, now), 0, "of each signal");
        assert_eq!(next(0, now + Span::from_micros(1)), 3, "never twice, never back");
        assert_eq!(next(0, now + Span::from_micros(9)), 9);
        assert_eq!(next(0, now - Span::from_secs(3_600)), -3_600_000_000);
    }
}
