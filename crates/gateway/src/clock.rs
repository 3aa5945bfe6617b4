//! The gateway's clocks: the wall, and the clock of a replay. The only place that asks what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use twin_model::{Span, Timestamp};

/// The wall clock.
#[allow(clippy::disallowed_methods, reason = "the gateway is where clocks are read")]
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[allow(clippy::disallowed_methods, reason = "the gateway is where clocks are read")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// What "now" means on a server: the wall clock for live data, a running copy of the past for a replay.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    replay: Option<Replay>,
}

#[derive(Debug, Clone, Copy)]
struct Replay {
    started: Instant,
    origin: Timestamp,
    speed: f64,
    end: Timestamp,
}

impl Clock {
    /// The wall clock. Where it is set back, a stretch of receive times comes twice; order is by source time anyway.
    pub fn live() -> Self {
        Self { replay: None }
    }

    /// A clock that starts at `origin`, runs `speed` times as fast as the wall and stops at `end`.
    pub fn replay(origin: Timestamp, speed: f64, end: Timestamp) -> Self {
        Self { replay: Some(Replay { started: instant(), origin, speed, end }) }
    }

    /// A clock that shows `origin` at this moment and runs like the wall from there: a live server on a day of one's choice.
    pub fn from(origin: Timestamp) -> Self {
        Self::replay(origin, 1.0, Timestamp::MAX)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let Some(replay) = &self.replay else { return wall() };
        let passed = replay.started.elapsed().as_secs_f64() * replay.speed;
        (replay.origin + Span::from_secs_f64(passed)).min(replay.end)
    }

    /// How long it takes until the clock shows an instant; `None` where it never will.
    pub fn until(&self, at: Timestamp) -> Option<Duration> {
        let (speed, end) = self.replay.as_ref().map_or((1.0, Timestamp::MAX), |replay| (replay.speed, replay.end));
        let left = at.since(self.now()).as_secs_f64().max(0.0);
        if at > end { None } else { Duration::try_from_secs_f64(left / speed).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_starts_at_its_origin_and_stops_at_its_end() {
        let (origin, end) = (Timestamp::from_secs(1_000), Timestamp::from_secs(2_000));
        let slow = Clock::replay(origin, 1e-9, end).now();
        assert!(slow >= origin && slow < Timestamp::from_secs(1_001));
        assert_eq!(Clock::replay(origin, f64::INFINITY, end).now(), end);
    }

    #[test]
    fn a_clock_says_how_long_it_takes_to_an_instant_and_that_it_never_gets_behind_its_end() {
        let (origin, end) = (Timestamp::from_secs(1_000), Timestamp::from_secs(2_000));
        let fast = Clock::replay(origin, 10.0, end);
        let wait = fast.until(Timestamp::from_secs(1_900)).unwrap();
        assert!(wait <= Duration::from_secs(90) && wait > Duration::from_secs(30), "{wait:?}");
        assert_eq!(fast.until(Timestamp::from_secs(900)), Some(Duration::ZERO));
        assert_eq!(fast.until(Timestamp::from_secs(2_001)), None);
        assert_eq!(Clock::replay(origin, f64::INFINITY, end).until(end), Some(Duration::ZERO));
    }
}
