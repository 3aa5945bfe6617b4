//! As known is the fold of what had been received, at every instant and for every kind of machine.

use proptest::prelude::*;
use twin_model::{AckPolicy, AlarmCondition, Band, Limit, Quality, RuleKind, Value};

use super::*;
use crate::machine::Cause;

/// Samples in order of source time, and until when they had been received.
struct Samples<'a>(&'a [Sample], Timestamp);

impl History for Samples<'_> {
    fn before(&self, t: Timestamp) -> Option<Sample> {
        self.0.iter().rfind(|sample| sample.source_time < t).cloned()
    }

    fn unknown(&self, after: Timestamp, upto: Timestamp) -> Option<Timestamp> {
        let inside = self.0.iter().filter(|it| it.source_time > after && it.source_time <= upto);
        inside.clone().find(|it| it.received_time > self.1).map(|it| it.source_time)
    }

    fn known(&self, after: Timestamp, upto: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        let inside = self.0.iter().filter(|it| it.source_time > after && it.source_time <= upto && it.received_time <= self.1);
        let _stopped_early = inside.clone().try_for_each(f);
    }
}

fn band(limit: Limit, status: Status) -> Band {
    Band { limit, status }
}

fn rules() -> Vec<RuleKind> {
    let range = |bands: Vec<Band>, deadband, on, off| RuleKind::Range {
        bands,
        deadband,
        on_delay: Span::from_secs(on),
        off_delay: Span::from_secs(off),
    };
    vec![
        range(vec![band(Limit::Above(5.0), Status::Maintenance), band(Limit::Above(8.0), Status::Failure)], 1.0, 30, 20),
        // Either side gives the same: which one was passed decides until when it is held.
        range(vec![band(Limit::Below(2.0), Status::Maintenance), band(Limit::Above(8.0), Status::Maintenance)], 3.0, 0, 5),
        range(vec![band(Limit::Above(6.0), Status::Normal), band(Limit::Above(3.0), Status::Failure)], 2.0, 7, 0),
        RuleKind::Match { cases: vec![(Value::Float(3.0), Status::Unknown)], otherwise: Status::Normal },
        RuleKind::Quality { uncertain: Status::Maintenance, bad: Status::Failure },
    ]
}

fn alarms() -> Vec<AlarmCondition> {
    let limit = |ack| AlarmCondition::Limit {
        limit: Limit::Above(5.0),
        deadband: 2.0,
        on_delay: Span::from_secs(12),
        off_delay: Span::from_secs(4),
        ack,
    };
    vec![limit(AckPolicy::Required), limit(AckPolicy::Auto)]
}

fn folded(machine: Machine<'_>, samples: impl Iterator<Item = Sample>) -> Timeline {
    let mut timeline = Timeline::default();
    for sample in samples {
        timeline.push(machine, &sample);
    }
    timeline
}

/// An entry, but for the bands passed: a timeline keeps those of its beginning, folding those of its end.
fn said(entry: Option<&Entry>) -> Option<(Timestamp, u8, Status, Cause)> {
    entry.map(|it| (it.since, it.outcome.code, it.outcome.last_status(), it.cause.clone()))
}

proptest! {
    #[test]
    fn as_known_is_the_fold_of_what_had_been_received(
        readings in proptest::collection::vec((1_i64..9, 0_u8..10, 0_u8..12, 0_i64..400), 1..700),
        seed: u64,
    ) {
        let mut t = 0;
        let samples: Vec<Sample> = readings
            .iter()
            .map(|(step, value, odd, late)| {
                t += step;
                let sample = Sample::float(Timestamp::from_secs(t), f64::from(*value));
                let quality = [Quality::BAD, Quality::UNCERTAIN, Quality::GOOD][usize::from(*odd).min(2)];
                let late = if odd % 3 == 0 { *late } else { late % 2 };
                Sample { quality, received_time: Timestamp::from_secs(t + late), ..sample }
            })
            .collect();
        let (rules, alarms) = (rules(), alarms());
        let machines = rules.iter().map(Machine::Rule).chain(alarms.iter().map(Machine::Alarm));
        for (nth, machine) in machines.enumerate() {
            let timeline = folded(machine, samples.iter().cloned());
            for step in 0..25_u64 {
                let at = (seed >> 8).wrapping_mul(step + 1).wrapping_add(nth as u64) % (t as u64 * 1_000 + 5_000);
                let at = Timestamp::from_millis(at as i64);
                let known = samples.iter().filter(|it| it.source_time <= at && it.received_time <= at).cloned();
                let slow = folded(machine, known);
                let unknown = samples.iter().find(|it| it.source_time <= at && it.received_time > at);
                let told = match unknown {
                    Some(unknown) => Told::known(&timeline, machine, &Samples(&samples, at), unknown.source_time, at),
                    None => Told::was(&timeline),
                };
                prop_assert_eq!(said(told.at(at).as_ref()), said(slow.at(at).as_ref()), "machine {} at {}", nth, at);
                let codes = [told.outcome_at(at), slow.outcome_at(at)].map(|it| it.map(|it| (it.code, it.last_status())));
                prop_assert_eq!(codes[0], codes[1], "machine {} at {}", nth, at);
                prop_assert_eq!(told.last_known(at), slow.last_known(at), "machine {} at {}", nth, at);
                let since = slow.at(at).map_or(at, |entry| entry.since);
                prop_assert_eq!(said(told.before(since)), said(slow.before(since)), "machine {} at {}", nth, at);
            }
        }
    }
}
