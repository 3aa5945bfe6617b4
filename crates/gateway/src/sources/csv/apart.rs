//! Rows of a table whose times are those of receipt: readings of a signal that came at once stand a microsecond apart, in the order of
//! the rows, as those do that senders send.

use std::collections::HashMap;

use twin_model::{Sample, SignalIndex, Span, Timestamp};

/// The time of receipt of each signal's last row, and the time that it was given.
#[derive(Debug, Default)]
pub(super) struct Apart(HashMap<SignalIndex, (Timestamp, Timestamp)>);

impl Apart {
    /// Gives the samples of the next row times of their own. Rows come in order of time.
    pub(super) fn put(&mut self, samples: &mut [(SignalIndex, Sample)]) {
        for (signal, sample) in samples {
            let received = sample.source_time;
            let before = self.0.get(signal).filter(|(row, given)| *row <= received && received <= *given);
            let given = before.map_or(received, |(_, given)| *given + Span::from_micros(1));
            self.0.insert(*signal, (received, given));
            (sample.source_time, sample.received_time) = (given, given);
        }
    }
}

#[cfg(test)]
mod tests {
    use twin_model::Value;

    use super::*;

    #[test]
    fn readings_of_one_instant_are_a_microsecond_apart_and_their_order_stays() {
        let mut apart = Apart::default();
        let mut next = |signal: u32, micros: i64| {
            let sample = Sample::new(Timestamp::from_micros(micros), Value::Float(1.0));
            let mut row = [(SignalIndex(signal), sample)];
            apart.put(&mut row);
            assert_eq!(row[0].1.source_time, row[0].1.received_time);
            row[0].1.source_time.as_micros()
        };
        assert_eq!([next(0, 5), next(0, 5), next(1, 5), next(0, 5), next(0, 6), next(0, 99)], [5, 6, 5, 7, 8, 99]);
        assert_eq!(next(0, 20), 20, "a round that begins again");
    }
}
