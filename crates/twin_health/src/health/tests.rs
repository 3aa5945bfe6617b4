//! Promises of judging and explaining.

use std::collections::HashMap;

use twin_model::{Band, ModelBuilder, Quality, RuleIndex, Signal, SignalIndex, SignalKind, SiteInfo, Span, Unit, ValueKind};

use super::*;
use crate::machine::Machine;
use crate::timeline::{Entry, Timeline};

struct View {
    rules: HashMap<RuleIndex, Timeline>,
    samples: HashMap<SignalIndex, Sample>,
    t: Timestamp,
    down: Option<Timestamp>,
}

impl RuleView for View {
    fn rule(&self, rule: RuleIndex) -> Option<Entry> {
        self.rules.get(&rule)?.at(self.t)
    }
    fn sample(&self, signal: SignalIndex) -> Option<Sample> {
        self.samples.get(&signal).cloned()
    }
    fn last_known(&self, rule: RuleIndex) -> Option<(Status, Timestamp)> {
        self.rules.get(&rule)?.last_known(self.t)
    }
    fn source_offline(&self, _: SignalIndex) -> Option<Timestamp> {
        self.down
    }
}

fn vibration(twin: TwinIndex) -> Signal {
    Signal {
        id: "pump.vibration".into(),
        twin,
        name: "vibration".into(),
        display_name: "Vibration".into(),
        unit: Unit("mm/s".into()),
        kind: SignalKind::Analog,
        value_kind: ValueKind::Float,
        expected_period: Some(Span::from_secs(1)),
        late_after: None,
        stale_after: None,
        range: Some((0.0, 20.0)),
        source: None,
        source_key: String::new(),
    }
}

fn plant(if_silent: Status) -> Model {
    let mut b = ModelBuilder::new(SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() });
    let twin = b.twin("pump", "Pump", "i", None);
    let signal = b.signal(vibration(twin));
    b.rule(HealthRule {
        id: "vibration".into(),
        twin,
        signal,
        kind: RuleKind::Range {
            bands: vec![
                Band { limit: Limit::Above(4.5), status: Status::Maintenance },
                Band { limit: Limit::Above(7.1), status: Status::OutOfSpecification },
                Band { limit: Limit::Above(10.0), status: Status::Failure },
            ],
            deadband: 0.2,
            on_delay: Span::ZERO,
            off_delay: Span::ZERO,
        },
        note: "ISO 20816-3".into(),
    });
    b.rule(HealthRule { id: "stale".into(), twin, signal, kind: RuleKind::Stale { status: if_silent }, note: String::new() });
    b.build().unwrap()
}

/// One value at 100 s, seen `age_s` later, with the rule on age giving `if_silent` and the source perhaps down.
fn seen(sample: Sample, age_s: i64, if_silent: Status, down: Option<i64>) -> TwinHealth {
    let model = plant(if_silent);
    let mut timeline = Timeline::default();
    let machine = Machine::Rule(&model.rule(RuleIndex(0)).kind);
    timeline.push(machine, &Sample::float(Timestamp::from_secs(90), 20.0));
    timeline.push(machine, &sample);
    let t = Timestamp::from_secs(100 + age_s);
    let view = View {
        rules: [(RuleIndex(0), timeline)].into(),
        samples: [(SignalIndex(0), sample)].into(),
        t,
        down: down.map(Timestamp::from_secs),
    };
    let health = explain(&model, &Policy::default(), &view, TwinIndex(0), t);
    let judged = judge(&model, &Policy::default(), &view, TwinIndex(0), t);
    let last = health.last_known.map(|last| last.status);
    assert_eq!(judged, Judged { status: health.status, last_known: last, freshness: health.freshness });
    health
}

fn at(value: f64, age_s: i64) -> TwinHealth {
    seen(Sample::float(Timestamp::from_secs(100), value), age_s, Status::Failure, None)
}

fn silent(sample: Sample, age_s: i64, down: Option<i64>) -> (Status, Option<(Status, i64)>, String) {
    let health = seen(sample, age_s, Status::Unknown, down);
    let last = health.last_known.map(|last| (last.status, last.since.unwrap().as_micros() / 1_000_000));
    (health.status, last, health.reasons[0].text.clone())
}

#[test]
fn a_judgement_whose_input_has_fallen_silent_is_none_and_is_remembered() {
    let value = |v| Sample::float(Timestamp::from_secs(100), v);
    let was = |status, since| Some((status, since));
    let unknown = Status::Unknown;
    assert_eq!(
        silent(value(1.0), 185, None),
        (unknown, was(Status::Normal, 100), "Vibration: no value for 3 min; was Normal".into())
    );
    assert_eq!(
        silent(value(20.0), 185, None),
        (unknown, was(Status::Failure, 90), "Vibration: no value for 3 min; was Failure".into())
    );
    assert_eq!(
        silent(value(5.0), 2, Some(101)),
        (
            unknown,
            was(Status::Maintenance, 100),
            "Vibration: its source has been offline for 1 s; was Maintenance required".into()
        )
    );
    let none = Sample::without_value(Timestamp::from_secs(100), ValueKind::Float, Quality::GOOD);
    assert_eq!(silent(none, 0, None), (unknown, was(Status::Failure, 90), "Vibration has no value; was Failure".into()));
    let bad = value(1.0).with_quality(Quality::BAD_SENSOR_FAILURE);
    assert_eq!(
        silent(bad, 0, None),
        (unknown, was(Status::Failure, 90), "Vibration has no usable value: bad sensor failure; was Failure".into())
    );
    let nan = value(f64::NAN);
    let health = seen(nan, 0, Status::Unknown, None);
    assert_eq!((health.status, health.score, health.reasons[0].value.clone()), (unknown, None, None));
    assert!(health.reasons[0].quality.is_bad());
}

#[test]
fn silence_has_one_reason_for_each_signal_and_says_since_when() {
    let health = seen(Sample::float(Timestamp::from_secs(100), 1.0), 60, Status::Unknown, None);
    assert_eq!(health.reasons.len(), 1, "{:?}", health.reasons);
    // Ten periods of a second after the last value.
    assert_eq!((health.since, health.reasons[0].since), (Some(Timestamp::from_secs(110)), Timestamp::from_secs(110)));
}

#[test]
fn a_late_value_still_counts() {
    let health = seen(Sample::float(Timestamp::from_secs(100), 5.0), 9, Status::Unknown, None);
    assert_eq!((health.status, health.freshness, health.last_known), (Status::Maintenance, Freshness::Late, None));
}

#[test]
fn a_rule_on_age_that_calls_silence_normal_is_not_believed() {
    assert_eq!(seen(Sample::float(Timestamp::from_secs(100), 1.0), 60, Status::Normal, None).status, Status::Unknown);
}

#[test]
fn a_twin_without_rules_is_unknown_once_it_is_silent_or_says_nothing() {
    let mut b = ModelBuilder::new(SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() });
    let twin = b.twin("pump", "Pump", "i", None);
    b.signal(vibration(twin));
    let model = b.build().unwrap();
    let ask = |sample: Option<Sample>, t| {
        let samples = sample.map(|sample| (SignalIndex(0), sample)).into_iter().collect();
        let view = View { rules: HashMap::new(), samples, t: Timestamp::from_secs(t), down: None };
        let judged = judge(&model, &Policy::default(), &view, TwinIndex(0), view.t);
        (judged.status, judged.last_known)
    };
    let value = Sample::float(Timestamp::from_secs(100), 1.0);
    assert_eq!(ask(Some(value.clone()), 101), (Status::Normal, None));
    assert_eq!(ask(Some(value.clone()), 200), (Status::Unknown, Some(Status::Normal)));
    assert_eq!(ask(Some(value.with_quality(Quality::BAD)), 101).0, Status::Unknown);
    assert_eq!(ask(None, 101), (Status::Unknown, None));
}

#[test]
fn a_reason_names_value_limit_and_what_comes_next() {
    let health = at(7.8, 0);
    assert_eq!(health.status, Status::OutOfSpecification);
    let reason = &health.reasons[0];
    assert_eq!(reason.text, "Vibration 7.8\u{2009}mm/s is above 7.1\u{2009}mm/s");
    assert_eq!((reason.threshold, reason.next), (Some(7.1), Some((10.0, Status::Failure))));
    assert!((health.score.unwrap() - 0.22).abs() < 1e-9);
}

#[test]
fn nothing_seen_is_unknown_not_normal() {
    let model = plant(Status::Unknown);
    let view = View { rules: HashMap::new(), samples: HashMap::new(), t: Timestamp::from_secs(0), down: None };
    let health = explain(&model, &Policy::default(), &view, TwinIndex(0), view.t);
    assert_eq!((health.status, health.freshness), (Status::Unknown, Freshness::NeverSeen));
    assert!(health.score.is_none() && health.last_known.is_none());
    assert_eq!(health.reasons[0].text, "Vibration: no value yet");
}

#[test]
fn a_stale_rule_speaks_up_while_the_old_status_stays_visible_as_stale() {
    let health = at(1.0, 60);
    assert_eq!((health.status, health.freshness), (Status::Failure, Freshness::Stale));
    assert_eq!(health.reasons[0].text, "Vibration has not been heard of for 60 s");
}

#[test]
fn the_order_is_configurable() {
    let mut policy = Policy::default();
    assert_eq!(policy.worse(Status::Maintenance, Status::OutOfSpecification), Status::OutOfSpecification);
    policy.order = vec![Status::Unknown, Status::Normal, Status::OutOfSpecification, Status::Maintenance, Status::Failure];
    assert_eq!(policy.worse(Status::Maintenance, Status::OutOfSpecification), Status::Maintenance);
}
