//! Any number of plain synthetic signals at 1 Hz, for measuring the server.

use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};

use super::{Polled, Source};

/// `count` signals, each a slow wave of two decimals, one sample a second, spread evenly over the second.
pub struct Waves {
    count: u32,
    /// Next due tick of a tenth of a second.
    next: i64,
}

impl Waves {
    /// Starts with the samples after `start`.
    pub fn new(count: u32, start: Timestamp) -> Self {
        Self { count, next: start.as_micros().div_euclid(100_000) + 1 }
    }
}

impl Source for Waves {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn poll(&mut self, now: Timestamp, out: &mut Polled) {
        while self.next * 100_000 <= now.as_micros() {
            let tenth = self.next;
            self.next += 1;
            let t = Timestamp::from_micros(tenth * 100_000);
            let first = u32::try_from(tenth.rem_euclid(10)).unwrap_or(0);
            for id in (first..self.count).step_by(10) {
                let wave = (f64::from(id) * 0.7 + t.as_secs_f64() % 100_000.0 * 0.05).sin() * 20.0 + 60.0;
                out.samples.push((SignalIndex(id), Sample::new(t, Value::Float((wave * 100.0).round() / 100.0))));
            }
        }
    }
}
