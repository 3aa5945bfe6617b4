//! Marks of a time axis: round local times at a readable distance. Refuses to know painting.

use twin_model::{Span, TimeRange, Timestamp};

use crate::format::Zone;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Distances that people count in.
const STEPS: [i64; 30] = [
    SECOND / 100,
    SECOND / 20,
    SECOND / 10,
    SECOND / 2,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    56 * DAY,
    91 * DAY,
    182 * DAY,
    364 * DAY,
];

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where.
    pub(super) t: Timestamp,
    /// Its words, for example `14:05` or `21 Nov`.
    pub(super) label: String,
    /// Whether a day begins here.
    pub(super) day: bool,
}

/// The distance of marks so that they stand at least `least` points apart on a range that is `width` points wide.
fn step(range: TimeRange, width: f32, least: f32) -> Span {
    let per_point = range.span().as_micros() as f64 / f64::from(width.max(1.0));
    let wanted = per_point * f64::from(least);
    let step = STEPS.into_iter().find(|step| *step as f64 >= wanted).unwrap_or(364 * DAY);
    Span::from_micros(step)
}

/// The marks of a range, at most a few hundred.
pub(super) fn marks(range: TimeRange, width: f32, least: f32, zone: &Zone) -> Vec<Mark> {
    let step = step(range, width, least);
    if range.is_empty() || width <= 0.0 {
        return Vec::new();
    }
    let mut marks = Vec::new();
    let mut t = align(range.start, step, zone);
    while t < range.end && marks.len() < 400 {
        if t >= range.start {
            marks.push(mark(t, step, zone));
        }
        // Aligned anew each time, so that marks stay on round local times across a change of the clocks.
        let next = align(t + step + Span::from_micros(step.as_micros() / 2), step, zone);
        t = if next > t { next } else { t + step };
    }
    marks
}

/// The last round local time at or before `t`.
fn align(t: Timestamp, step: Span, zone: &Zone) -> Timestamp {
    let offset = zone.offset(t);
    let local = (t + offset).floor_to(step);
    // The clocks may have changed in between: the offset of the result counts.
    local - zone.offset(local - offset)
}

fn mark(t: Timestamp, step: Span, zone: &Zone) -> Mark {
    let local = (t + zone.offset(t)).as_micros();
    let day = local.rem_euclid(DAY) == 0;
    let label = if day {
        zone.day(t)
    } else if step.as_micros() < SECOND {
        let tenths = local.rem_euclid(SECOND) / 10_000;
        format!("{}.{tenths:02}", zone.clock(t))
    } else if step.as_micros() < MINUTE {
        zone.clock(t)
    } else {
        zone.minute(t)
    };
    Mark { t, label, day }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, width: f32, expect: &[&str]) {
        let range = TimeRange::new(from.parse().expect("literal"), to.parse().expect("literal"));
        let labels: Vec<String> =
            marks(range, width, 80.0, &Zone::named("Europe/Berlin")).into_iter().map(|mark| mark.label).collect();
        assert_eq!(labels, expect);
    }

    #[test]
    fn marks_are_round_local_times() {
        check(
            "2026-11-21T13:01:00Z",
            "2026-11-21T13:16:00Z",
            600.0,
            &["14:02", "14:04", "14:06", "14:08", "14:10", "14:12", "14:14"],
        );
    }

    #[test]
    fn days_are_named() {
        check("2026-11-20T16:00:00Z", "2026-11-21T16:00:00Z", 400.0, &["18:00", "21 Nov", "06:00", "12:00"]);
    }

    #[test]
    fn marks_stay_on_local_midnight_across_the_change_of_clocks() {
        check("2026-10-24T10:00:00Z", "2026-10-26T10:00:00Z", 200.0, &["25 Oct", "26 Oct"]);
    }

    #[test]
    fn an_absurd_range_ends() {
        let range = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
        assert!(marks(range, 1000.0, 80.0, &Zone::named("UTC")).len() <= 400);
    }
}
