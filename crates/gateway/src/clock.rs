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
    started: Instant,
    origin: Timestamp,
    speed: f64,
    end: Timestamp,
}

impl Clock {
    /// The wall clock, monotonic from here on: a stepped system clock does not make time run backwards.
    pub fn live() -> Self {
        Self { started: instant(), origin: wall(), speed: 1.0, end: Timestamp::MAX }
    }

    /// A clock that starts at `origin`, runs `speed` times as fast as the wall and stops at `end`.
    pub fn replay(origin: Timestamp, speed: f64, end: Timestamp) -> Self {
        Self { started: instant(), origin, speed, end }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let passed = self.started.elapsed().as_secs_f64() * self.speed;
        (self.origin + Span::from_secs_f64(passed)).min(self.end)
    }
}
