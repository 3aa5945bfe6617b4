//! The site's clock as far as it can be told from here: the server's, carried on by our own between two messages.

use twin_model::{Span, Timestamp};

/// A running copy of the server's clock. A replay's clock may run at any speed.
#[derive(Debug, Clone, Default)]
pub struct SiteClock {
    base: Option<(Timestamp, f64)>,
    rate: f64,
}

impl SiteClock {
    /// Takes the server's time in at `local` seconds of our monotonic clock.
    pub fn hear(&mut self, server: Timestamp, local: f64) {
        let Some((before, at)) = self.base else {
            self.base = Some((server, local));
            self.rate = 1.0;
            return;
        };
        let elapsed = local - at;
        // Too soon after the last one to say anything about the rate.
        if elapsed < 0.8 {
            return;
        }
        let rate = server.since(before).as_secs_f64() / elapsed;
        // Networks jitter; a replay at another speed differs by more than that.
        self.rate = if (rate - 1.0).abs() < 0.08 { 1.0 } else { rate.clamp(0.0, 10_000.0) };
        let expected = self.at(local).unwrap_or(server);
        // Messages only ever come late: small steps back are latency, large ones another clock.
        let behind = expected.since(server);
        let keep = self.rate == 1.0 && behind > Span::ZERO && behind < Span::from_millis(400);
        self.base = Some((if keep { expected } else { server }, local));
    }

    /// Stands still at an instant: of a plant that nobody hears anything of any more.
    pub fn stand(&mut self, at: Timestamp) {
        (self.base, self.rate) = (Some((at, 0.0)), 0.0);
    }

    /// Now, by the site's clock; `None` before the first message.
    pub fn at(&self, local: f64) -> Option<Timestamp> {
        self.base.map(|(server, at)| server + Span::from_secs_f64((local - at).max(0.0) * self.rate))
    }

    /// How fast the site's clock runs against ours.
    pub fn rate(&self) -> f64 {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_on_between_messages() {
        let mut clock = SiteClock::default();
        assert_eq!(clock.at(0.0), None);
        clock.hear(Timestamp::from_secs(100), 5.0);
        assert_eq!(clock.at(7.5), Some(Timestamp::from_millis(102_500)));
    }

    #[test]
    fn a_late_message_does_not_turn_time_back() {
        let mut clock = SiteClock::default();
        clock.hear(Timestamp::from_secs(100), 0.0);
        clock.hear(Timestamp::from_millis(104_800), 5.0);
        assert_eq!(clock.at(5.0), Some(Timestamp::from_secs(105)));
    }

    #[test]
    fn a_fast_replay_is_followed() {
        let mut clock = SiteClock::default();
        clock.hear(Timestamp::from_secs(0), 0.0);
        clock.hear(Timestamp::from_secs(60), 2.0);
        assert_eq!(clock.rate(), 30.0);
        assert_eq!(clock.at(3.0), Some(Timestamp::from_secs(90)));
    }
}
