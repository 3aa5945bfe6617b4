//! A clock that only tests turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use twin_model::{Span, Timestamp};

/// A clock that stands still until it is turned. Clones show the same time.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_micros())))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    /// Turns it by `span`, backwards where negative, and says what it shows then.
    pub fn advance(&self, span: Span) -> Timestamp {
        let now = self.now() + span;
        self.set(now);
        now
    }

    /// Sets it.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_time() {
        let clock = FakeClock::at(Timestamp::from_secs(10));
        let other = clock.clone();
        assert_eq!(clock.advance(Span::from_secs(5)), Timestamp::from_secs(15));
        assert_eq!(other.now(), Timestamp::from_secs(15));
        other.set(Timestamp::from_secs(3));
        assert_eq!(clock.now(), Timestamp::from_secs(3));
    }
}
