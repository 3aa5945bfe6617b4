//! How long a silent peer keeps its seat: it is pinged while it says nothing, and let go when it does not even answer that.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When a silent peer is pinged, and when it is let go.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTimes {
    /// Silence after which a peer is pinged, and between pings.
    pub ping: Duration,
    /// Silence after which it is let go.
    pub lease: Duration,
}

impl Default for LeaseTimes {
    /// A ping every 10 s, the end after 25 s: two pings without an answer.
    fn default() -> Self {
        Self { ping: Duration::from_secs(10), lease: Duration::from_secs(25) }
    }
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing yet.
    Nothing,
    /// Ask whether the peer lives.
    Ping,
    /// The peer is gone.
    Over,
}

/// The lease of one peer.
pub(crate) struct Lease {
    times: LeaseTimes,
    heard: Instant,
    ping_at: Instant,
}

impl Lease {
    pub(crate) fn new(times: LeaseTimes) -> Self {
        let heard = Instant::now();
        Self { times, heard, ping_at: heard + times.ping }
    }

    /// The peer said something, or could not be listened to.
    pub(crate) fn renew(&mut self) {
        self.heard = Instant::now();
        self.ping_at = self.heard + self.times.ping;
    }

    /// Completes when something may be due.
    pub(crate) async fn due(&self) {
        sleep_until(self.ping_at.min(self.heard + self.times.lease)).await;
    }

    /// What is due now. A ping counts as sent.
    pub(crate) fn judge(&mut self) -> Due {
        let now = Instant::now();
        if now >= self.heard + self.times.lease {
            return Due::Over;
        }
        if now < self.ping_at {
            return Due::Nothing;
        }
        self.ping_at = now + self.times.ping;
        Due::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_pinged_twice_and_then_over_and_a_word_begins_anew() {
        let mut lease = Lease::new(LeaseTimes::default());
        let begun = Instant::now();
        let mut seen = Vec::new();
        for _ in 0..3 {
            lease.due().await;
            seen.push((begun.elapsed().as_secs(), lease.judge()));
        }
        assert_eq!(seen, [(10, Due::Ping), (20, Due::Ping), (25, Due::Over)]);
        lease.renew();
        assert_eq!(lease.judge(), Due::Nothing);
        lease.due().await;
        assert_eq!((begun.elapsed().as_secs(), lease.judge()), (35, Due::Ping));
    }
}
