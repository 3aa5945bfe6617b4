//! How current a value is, judged against the cursor.

use twin_model::{Freshness, Quality, Sample, Signal, Span, Timestamp};

/// A source time up to this long after its receipt says nothing about a clock. Ours: clocks that are set by NTP over a plant's
/// network differ by milliseconds, those that people set by seconds.
pub const CLOCK_TOLERANCE: Span = Span::from_secs(2);

/// By how much the clock of a source ran ahead when it sent this reading; `None` within [`CLOCK_TOLERANCE`].
pub fn clock_ahead(sample: &Sample) -> Option<Span> {
    Some(sample.source_time.since(sample.received_time)).filter(|ahead| *ahead > CLOCK_TOLERANCE)
}

/// Freshness of a signal at `t`, from its newest sample at or before `t`.
///
/// Age counts from the source time (field rule 5.2.1). Signals that report only changes have no limits and stay live while
/// their source does. A sample of quality `Bad_NoCommunication` is the source's goodbye: offline until the next one.
pub fn freshness(signal: &Signal, latest: Option<&Sample>, t: Timestamp, source_offline: bool) -> Freshness {
    let Some(sample) = latest else {
        return if source_offline { Freshness::Offline } else { Freshness::NeverSeen };
    };
    freshness_of_parts(signal, sample.source_time, sample.quality, t, source_offline)
}

/// The same from the parts that matter, for columns that hold no whole samples.
pub fn freshness_of_parts(signal: &Signal, taken: Timestamp, quality: Quality, t: Timestamp, source_offline: bool) -> Freshness {
    Ages::of(signal).freshness(taken, quality, t, source_offline)
}

/// From which age on a signal's value is late and stale: all that its freshness needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    late: Option<Span>,
    stale: Option<Span>,
}

impl Ages {
    /// Of a signal.
    pub fn of(signal: &Signal) -> Self {
        Self { late: signal.late_limit(), stale: signal.stale_limit() }
    }

    /// Freshness at `t` of a value taken at `taken`, as [`freshness`] defines it.
    pub fn freshness(self, taken: Timestamp, quality: Quality, t: Timestamp, source_offline: bool) -> Freshness {
        if source_offline || quality == Quality::BAD_NO_COMMUNICATION {
            return Freshness::Offline;
        }
        let age = t.since(taken);
        if self.stale.is_some_and(|limit| age > limit) {
            Freshness::Stale
        } else if self.late.is_some_and(|limit| age > limit) {
            Freshness::Late
        } else {
            Freshness::Live
        }
    }
}

#[cfg(test)]
mod tests {
    use twin_model::{SignalKind, Span, TwinIndex, Unit, ValueKind};

    use super::*;

    fn signal(period: Option<i64>) -> Signal {
        Signal {
            id: "a.b".into(),
            twin: TwinIndex(0),
            name: "b".into(),
            display_name: "B".into(),
            unit: Unit::default(),
            kind: SignalKind::Analog,
            value_kind: ValueKind::Float,
            expected_period: period.map(Span::from_secs),
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: String::new(),
        }
    }

    fn check(period: Option<i64>, age: i64, expected: Freshness) {
        let sample = Sample::float(Timestamp::from_secs(1_000), 1.0);
        assert_eq!(freshness(&signal(period), Some(&sample), Timestamp::from_secs(1_000 + age), false), expected);
    }

    #[test]
    fn age_decides_against_the_expected_period() {
        check(Some(1), 3, Freshness::Live);
        check(Some(1), 4, Freshness::Late);
        check(Some(1), 11, Freshness::Stale);
    }

    #[test]
    fn a_clock_is_ahead_from_more_than_two_seconds_on() {
        let sent = |ahead: i64| Sample {
            received_time: Timestamp::from_secs(100),
            ..Sample::float(Timestamp::from_secs(100 + ahead), 1.0)
        };
        assert_eq!([-300, 0, 2].map(|ahead| clock_ahead(&sent(ahead))), [None; 3]);
        assert_eq!([3, 300].map(|ahead| clock_ahead(&sent(ahead))), [3, 300].map(|s| Some(Span::from_secs(s))));
    }

    #[test]
    fn signals_that_report_changes_do_not_age() {
        check(None, 1_000_000, Freshness::Live);
    }

    #[test]
    fn a_dead_link_outranks_age_and_nothing_seen_is_its_own_state() {
        let sample = Sample::float(Timestamp::from_secs(0), 1.0);
        let t = Timestamp::from_secs(0);
        assert_eq!(freshness(&signal(Some(1)), Some(&sample), t, true), Freshness::Offline);
        let goodbye = sample.with_quality(Quality::BAD_NO_COMMUNICATION);
        assert_eq!(freshness(&signal(Some(1)), Some(&goodbye), t, false), Freshness::Offline);
        assert_eq!(freshness(&signal(Some(1)), None, t, false), Freshness::NeverSeen);
    }
}
