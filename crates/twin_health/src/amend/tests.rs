//! An amended timeline is the one that folding everything anew gives, and what it costs follows what changed.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use twin_model::{AckPolicy, AlarmCondition, Band, Limit, Quality, RuleKind, Sample, Span, Status};

use super::*;

/// Samples by source time, and how many were handed out.
struct Samples {
    all: BTreeMap<Timestamp, Sample>,
    read: Cell<usize>,
}

impl Samples {
    fn new(all: BTreeMap<Timestamp, Sample>) -> Self {
        Self { all, read: Cell::new(0) }
    }
}

impl History for Samples {
    fn before(&self, t: Timestamp) -> Option<Sample> {
        self.read.set(self.read.get() + 1);
        self.all.range(..t).next_back().map(|(_, sample)| sample.clone())
    }

    fn unknown(&self, _: Timestamp, _: Timestamp) -> Option<Timestamp> {
        None
    }

    fn known(&self, after: Timestamp, upto: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        for (t, sample) in &self.all {
            if *t > after && *t <= upto {
                self.read.set(self.read.get() + 1);
                if f(sample).is_break() {
                    return;
                }
            }
        }
    }
}

fn rule() -> RuleKind {
    let band = |limit, status| Band { limit: Limit::Above(limit), status };
    RuleKind::Range {
        bands: vec![band(5.0, Status::Maintenance), band(8.0, Status::Failure)],
        deadband: 1.0,
        on_delay: Span::from_secs(3),
        off_delay: Span::from_secs(2),
    }
}

fn condition() -> AlarmCondition {
    AlarmCondition::Limit {
        limit: Limit::Above(7.0),
        deadband: 2.0,
        on_delay: Span::from_secs(2),
        off_delay: Span::from_secs(1),
        ack: AckPolicy::Required,
    }
}

fn sample((t, value): (i64, u8)) -> Sample {
    let sample = Sample::float(Timestamp::from_millis(t), f64::from(value % 12));
    if value >= 110 { sample.with_quality(Quality::BAD) } else { sample }
}

/// The obvious twin: everything folded anew.
fn whole(machine: Machine<'_>, samples: &Samples) -> Timeline {
    let mut timeline = Timeline::default();
    samples.all.values().for_each(|sample| {
        timeline.push(machine, sample);
    });
    timeline
}

fn seen(timeline: &Timeline, t: i64) -> Option<(Timestamp, u8)> {
    timeline.at(Timestamp::from_millis(t)).map(|entry| (entry.since, entry.outcome.code))
}

proptest! {
    #[test]
    fn an_amended_timeline_is_the_one_of_everything_folded_anew(
        values in proptest::collection::vec((0_i64..60_000, 0_u8..120), 0..400),
        changes in proptest::collection::vec((0_i64..60_000, 0_i64..9_000, 0_u8..120), 1..8),
        alarm: bool,
    ) {
        let (rule, condition) = (rule(), condition());
        let machine = if alarm { Machine::Alarm(&condition) } else { Machine::Rule(&rule) };
        let mut samples = Samples::new(values.into_iter().map(|it| (Timestamp::from_millis(it.0), sample(it))).collect());
        let mut timeline = whole(machine, &samples);
        for (from, width, value) in changes {
            let (first, last) = (Timestamp::from_millis(from), Timestamp::from_millis(from + width));
            // One is there that was not, or is another one, and those behind it are others, as those of what follows from it are.
            samples.all.insert(first, sample((from, value)));
            samples.all.range_mut(first..=last).for_each(|(_, it)| it.value = twin_model::Value::Float(f64::from(value % 11)));
            timeline.amend(machine, &samples, first, last);
            let fresh = whole(machine, &samples);
            for t in (0..70_000).step_by(500).chain([from - 1, from, from + 1, from + width, from + width + 1]) {
                prop_assert_eq!(seen(&timeline, t), seen(&fresh, t), "at {}", t);
            }
            let codes = |timeline: &Timeline| timeline.entries.iter().map(|it| (it.since, it.outcome.code)).collect::<Vec<_>>();
            prop_assert_eq!(codes(&timeline), codes(&fresh));
            prop_assert_eq!(timeline.newest(), fresh.newest());
        }
        // It goes on as the other does.
        let mut fresh = whole(machine, &samples);
        for t in [61_000, 62_000, 66_000] {
            let next = sample((t, 9));
            prop_assert_eq!(timeline.push(machine, &next), fresh.push(machine, &next));
            prop_assert_eq!(seen(&timeline, t + 4_000), seen(&fresh, t + 4_000));
        }
    }
}

#[test]
fn what_waits_behind_a_status_that_began_by_its_delay_goes_on_waiting() {
    let rule = rule();
    let machine = Machine::Rule(&rule);
    // Failure; at 43,529 ms both maintenance and normal are on their way, and a late sample comes just after the first of them.
    let given = [(33_833, 9), (41_530, 5), (43_529, 0), (45_529, 0)];
    let mut samples = Samples::new(given.map(|it| (Timestamp::from_millis(it.0), sample(it))).into());
    let mut timeline = whole(machine, &samples);
    let late = (43_531, 0);
    let t = Timestamp::from_millis(late.0);
    samples.all.insert(t, sample(late));
    timeline.amend(machine, &samples, t, t);
    let normal = (Timestamp::from_millis(45_529), Status::Normal.code());
    assert_eq!((seen(&timeline, 46_000), seen(&whole(machine, &samples), 46_000)), (Some(normal), Some(normal)));
}

#[test]
fn what_a_late_sample_costs_does_not_grow_with_what_lies_before_and_behind_it() {
    let rule = rule();
    let machine = Machine::Rule(&rule);
    for length in [1_000, 20_000] {
        let all = (0..length).map(|t| (Timestamp::from_secs(t), Sample::float(Timestamp::from_secs(t), 1.0))).collect();
        let mut samples = Samples::new(all);
        let mut timeline = whole(machine, &samples);
        let t = Timestamp::from_millis(length * 500 + 250);
        samples.all.insert(t, Sample::float(t, 2.0));
        timeline.amend(machine, &samples, t, t);
        assert!(samples.read.get() <= 4, "{} of {length}", samples.read.get());
    }
}
