//! Computed signals as their users see them: what holds at an instant, in charts, rules, alarms, branches, and what it costs.

use std::collections::BTreeMap;

use proptest::prelude::*;
use twin_engine::{Basis, Engine, EngineCommand, EngineConfig, SeekTo};
use twin_expr::{AsOf, Expression, Input, Operand};
use twin_health::{Machine, Timeline};
use twin_model::{
    AlarmState, ComputedSignal, Flags, Freshness, KnobTarget, Model, ProcessKind, Quality, Sample, SignalIndex, SignalKind, Span,
    Status, TimeRange, Timestamp, Value, ValueKind,
};
use twin_scenario::Scenario;
use twin_testkit::kit::SmallModel;

use crate::plant::at;

const A: SignalIndex = SignalIndex(0);
const B: SignalIndex = SignalIndex(1);
const ON: SignalIndex = SignalIndex(2);
const DIFFERENCE: SignalIndex = SignalIndex(3);
const CHOICE: SignalIndex = SignalIndex(4);
const ABOVE: SignalIndex = SignalIndex(5);
const COMPUTED: [(SignalIndex, &str); 3] =
    [(DIFFERENCE, "a - b"), (CHOICE, "if(on, difference / b, m.a)"), (ABOVE, "difference > 3 or on")];

/// `a` every second, `b` every ten, a switch; their difference with a rule and an alarm, a choice and a condition with rules.
fn model() -> Model {
    let mut m = SmallModel::new();
    m.float("m.a");
    m.signal("m.b", SignalKind::Analog, ValueKind::Float, |s| s.expected_period = Some(Span::from_secs(10)));
    m.switch("m.on");
    for (name, kind) in [("m.difference", ValueKind::Float), ("m.choice", ValueKind::Float), ("m.above", ValueKind::Bool)] {
        m.signal(name, SignalKind::Analog, kind, |s| s.expected_period = None);
    }
    for (signal, expr) in COMPUTED {
        m.builder().computed(ComputedSignal { signal, expr: expr.to_owned() });
    }
    m.bands("m.difference", &[(3.0, Status::Maintenance), (6.0, Status::Failure)]);
    m.bands("m.choice", &[(2.0, Status::OutOfSpecification)]);
    m.alarm_above("m.high", "m.difference", 6.0);
    m.build()
}

fn engine() -> Engine {
    Engine::new(model(), EngineConfig::default())
}

fn a(s: i64, value: f64) -> (SignalIndex, Sample) {
    (A, Sample::float(at(s), value))
}

fn b(s: i64, value: f64) -> (SignalIndex, Sample) {
    (B, Sample::float(at(s), value))
}

fn shown(e: &mut Engine, s: i64, signal: SignalIndex) -> Option<(Option<Value>, i64)> {
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(s)))).unwrap();
    e.refresh();
    let sample = e.frame().snapshot.get(signal);
    assert_eq!(sample, e.sample(signal), "the picture and a single question agree");
    sample.map(|sample| (sample.given().cloned(), sample.source_time.as_micros() / 1_000_000))
}

fn float(value: f64) -> Option<Value> {
    Some(Value::Float(value))
}

#[test]
fn a_value_begins_with_the_last_of_its_inputs_and_is_as_old_as_the_oldest() {
    let mut e = engine();
    e.ingest(&[a(10, 7.0), a(11, 8.0), b(12, 5.0), a(13, 9.0), b(22, 1.0)]);
    let all = [9, 10, 11, 12, 13, 21, 22].map(|s| shown(&mut e, s, DIFFERENCE));
    let held = |value, s| Some((float(value), s));
    assert_eq!(all, [None, None, None, held(3.0, 11), held(4.0, 12), held(4.0, 12), held(8.0, 13)]);
}

#[test]
fn what_cannot_be_used_gives_no_value_and_says_why() {
    let mut e = engine();
    let bad = b(20, 5.0);
    e.ingest(&[a(10, 7.0), b(10, 5.0), (bad.0, bad.1.with_quality(Quality::BAD_SENSOR_FAILURE))]);
    assert_eq!(shown(&mut e, 20, DIFFERENCE), Some((None, 10)));
    assert_eq!(e.sample(DIFFERENCE).map(|it| it.judged_quality()), Some(Quality::BAD_SENSOR_FAILURE));
    // A division by zero is one of its own; the switch is off first.
    let switch = |s, on| (ON, Sample::new(at(s), Value::Bool(on)));
    e.ingest(&[switch(30, false), b(31, 0.0), switch(32, true)]);
    assert_eq!([31, 32].map(|s| shown(&mut e, s, CHOICE)), [Some((float(7.0), 10)), Some((None, 10))]);
    let derivation = e.derivation(CHOICE).unwrap();
    assert_eq!(derivation.expression, "if(on, difference / b, m.a)");
    assert!(derivation.text.contains("division by zero at column 19"), "{}", derivation.text);
    let inputs: Vec<_> = derivation.inputs.iter().map(|it| (it.id.as_str(), it.value.clone(), it.age)).collect();
    let age = |s| Some(Span::from_secs(s));
    assert_eq!(
        inputs,
        [("m.on", Some(Value::Bool(true)), age(0)), ("m.difference", float(7.0), age(22)), ("m.b", float(0.0), age(1))]
    );
    assert_eq!(derivation.not_needed, ["m.a"]);
}

#[test]
fn a_stale_input_makes_it_stale_by_its_own_limits_and_only_where_it_is_needed() {
    let mut e = engine();
    let switch = |s, on| (ON, Sample::new(at(s), Value::Bool(on)));
    let mut samples: Vec<_> = (0..300).map(|s| a(s, 4.0)).collect();
    samples.extend((0..=5).map(|s| b(s * 10, 2.0)));
    samples.push(switch(0, false));
    e.ingest(&samples);
    // b has a period of 10 s: stale from 100 s after 50 s on.
    let fresh = |e: &mut Engine, s, signal| {
        shown(e, s, signal);
        e.freshness(signal)
    };
    let difference = [70, 81, 150, 151].map(|s| fresh(&mut e, s, DIFFERENCE));
    assert_eq!(difference, [Freshness::Live, Freshness::Late, Freshness::Late, Freshness::Stale]);
    assert_eq!(fresh(&mut e, 250, CHOICE), Freshness::Live, "only a is needed while it is off");
    let report = e.state_at(at(200)).twins.remove(0);
    let reason = report.reasons.iter().find(|reason| reason.signal == "m.difference").unwrap();
    assert!(reason.text.contains("no value for 2 min") && reason.text.contains("b 2 2 min ago"), "{}", reason.text);
    assert_eq!(report.freshness, Freshness::Stale);
    let strip = e.status_strip(Some(twin_model::TwinIndex(0)), TimeRange::new(at(60), at(300)));
    let stale: Vec<_> = strip.iter().filter(|span| span.stale).map(|span| span.range).collect();
    assert_eq!(stale, [TimeRange::new(at(150), at(300))], "{strip:?}");
}

/// What a rule with these bands says: the obvious twin, by hand.
fn banded(value: f64) -> Status {
    match value {
        v if v > 6.0 => Status::Failure,
        v if v > 3.0 => Status::Maintenance,
        _ => Status::Normal,
    }
}

#[test]
fn a_rule_and_an_alarm_turn_when_the_value_does() {
    let mut e = engine();
    let samples = [a(0, 5.0), b(0, 4.0), a(1, 8.0), a(2, 8.0), b(10, 1.0), a(11, 2.0)];
    e.ingest(&samples);
    // By hand: 1 at 0 s, 4 at 1 s, 7 at 10 s, 1 at 11 s.
    let expected = [(0, 1.0), (1, 4.0), (2, 4.0), (9, 4.0), (10, 7.0), (11, 1.0), (12, 1.0)];
    for (s, value) in expected {
        assert_eq!(shown(&mut e, s, DIFFERENCE).unwrap().0, float(value));
        let rule = e.rule(twin_model::RuleIndex(0)).unwrap();
        assert_eq!(rule.outcome.status(), banded(value), "at {s} s");
        let alarm = e.frame().alarms.iter().any(|it| it.state == AlarmState::UnackActive);
        assert_eq!(alarm, value > 6.0, "at {s} s");
    }
    assert_eq!(e.rule(twin_model::RuleIndex(0)).map(|entry| entry.since), Some(at(11)));
    let changes: Vec<i64> = e.events(TimeRange::new(at(0), at(20)), 100).iter().map(|it| it.t.as_micros() / 1_000_000).collect();
    assert_eq!(changes, [1, 10, 10, 11, 11]);
    // A late one in between is seen at once.
    e.ingest(&[b(5, 9.0)]);
    let says = |e: &mut Engine, s| (shown(e, s, DIFFERENCE), e.rule(twin_model::RuleIndex(0)).unwrap().outcome.status());
    assert_eq!(says(&mut e, 7), (Some((float(-1.0), 2)), Status::Normal));
    assert_eq!(says(&mut e, 10), (Some((float(7.0), 2)), Status::Failure));
}

#[test]
fn charts_show_a_value_for_every_sample_of_an_input_and_break_where_one_was_silent() {
    let mut e = engine();
    let mut samples: Vec<_> = (0..100).map(|s| a(s, s as f64)).collect();
    samples.extend([0, 10, 20, 70, 80, 90].map(|s| b(s, 1.0)));
    e.ingest(&samples);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(95)))).unwrap();
    let chart = e.series(DIFFERENCE, TimeRange::new(at(5), at(200)), 1_000).envelope;
    let points: Vec<(i64, f64)> = chart.buckets.iter().map(|it| (it.first.t.as_micros() / 1_000_000, it.first.v)).collect();
    // b may be 30 s old; nothing from after the playhead.
    let expected: Vec<(i64, f64)> = (5..=95).filter(|s| *s <= 50 || *s >= 70).map(|s| (s, s as f64 - 1.0)).collect();
    assert_eq!(points, expected);
    assert_eq!(chart.gaps, [TimeRange::new(at(50), at(70))]);
    assert_eq!(chart.before.map(|it| it.source_time), Some(at(4)));
    assert!(chart.after.is_none());
    // Few buckets keep the peaks.
    let coarse = e.series(DIFFERENCE, TimeRange::new(at(0), at(100)), 8).envelope;
    assert!(coarse.buckets.len() <= 9 && coarse.min_max() == Some((-1.0, 94.0)), "{coarse:?}");
}

#[test]
fn a_chart_of_too_many_samples_says_that_it_is_thinned_and_its_points_are_real() {
    let mut e = engine();
    let value = |s: i64| f64::from((s % 977) as i32) - if s == 50_000 { 5_000.0 } else { 0.0 };
    let samples: Vec<_> = (0..80_000).map(|s| a(s, value(s))).chain((0..8_000).map(|s| b(s * 10, 1.0))).collect();
    e.ingest(&samples);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(100_000)))).unwrap();
    let before = e.reality().computed().evaluations();
    let range = TimeRange::new(at(0), at(80_000));
    let chart = e.series(DIFFERENCE, range, 400).envelope;
    assert_eq!(chart.thinned, [range]);
    assert!(e.reality().computed().evaluations() - before < 4_000);
    assert_eq!(chart.min_max(), Some((value(50_000) - 1.0, 975.0)), "the extremes of an input are looked at");
    for point in chart.buckets.iter().flat_map(|it| [it.first, it.min, it.max, it.last]) {
        assert_eq!(point.v, value(point.t.as_micros() / 1_000_000) - 1.0);
    }
}

#[test]
fn samples_of_a_computed_signal_are_put_aside() {
    let mut e = engine();
    e.ingest(&[a(0, 1.0), b(0, 1.0)]);
    let done = e.ingest(&[(DIFFERENCE, Sample::float(at(0), 99.0))]);
    assert_eq!((done.samples, done.quarantined), (0, 1));
    assert_eq!(shown(&mut e, 1, DIFFERENCE), Some((float(0.0), 0)));
}

#[test]
fn what_cannot_be_computed_never_has_a_value() {
    let mut m = SmallModel::new();
    m.float("m.a");
    let broken = m.float("m.broken");
    let circle = m.float("m.circle");
    m.builder().computed(ComputedSignal { signal: broken, expr: "a +".into() });
    m.builder().computed(ComputedSignal { signal: circle, expr: "circle + a".into() });
    m.bands("m.broken", &[(1.0, Status::Failure)]);
    let mut e = Engine::new(m.build(), EngineConfig::default());
    e.ingest(&[a(0, 5.0), (broken, Sample::float(at(0), 9.0))]);
    assert_eq!([broken, circle].map(|signal| shown(&mut e, 1, signal)), [None, None]);
    assert_eq!(e.rule_status(twin_model::RuleIndex(0)), Status::Unknown);
    assert_eq!(e.derivation(broken).unwrap().text, "it can't be computed; orrery check says why");
    assert!(e.series(broken, TimeRange::new(at(0), at(9)), 10).envelope.buckets.is_empty());
}

#[test]
fn in_a_branch_it_follows_from_what_is_simulated_and_what_was_held() {
    let mut m = SmallModel::new();
    m.float("m.a");
    m.float("m.b");
    let difference = m.signal("m.difference", SignalKind::Analog, ValueKind::Float, |s| s.expected_period = None);
    m.builder().computed(ComputedSignal { signal: difference, expr: "a - b".into() });
    m.process("m.a", ProcessKind::Integrate, "0.01");
    m.bands("m.difference", &[(3.0, Status::Failure)]);
    m.alarm_above("m.high", "m.difference", 5.0);
    m.knob("more", vec![KnobTarget::Offset(A)]);
    let mut e = Engine::new(m.build(), EngineConfig::default());
    e.ingest(&[a(0, 5.0), b(0, 4.0), a(100, 5.0), b(100, 4.0)]);
    let scenario = Scenario {
        name: "more".into(),
        fork: at(100),
        horizon: Span::from_secs(1_000),
        step: Span::from_secs(10),
        seed: 1,
        settings: Vec::new(),
    };
    e.apply(EngineCommand::Run(scenario)).unwrap();
    while e.work(10).is_none() {
        assert!(e.running().is_some());
    }
    // a grows by 0.01 a second, b stays as it was: 3 is passed after 200 s, 5 after 400 s.
    for (s, status) in [(100, Status::Normal), (290, Status::Normal), (310, Status::Failure), (1_100, Status::Failure)] {
        let held = shown(&mut e, s, SignalIndex(9));
        assert_eq!(held, None);
        e.apply(EngineCommand::Seek(SeekTo::Exact(at(s)))).unwrap();
        e.refresh();
        let value = e.sample(difference).and_then(|it| it.usable_number()).unwrap();
        assert!((value - (1.0 + (s - 100) as f64 * 0.01)).abs() < 1e-9, "{value} at {s} s");
        assert_eq!(e.rule_status(twin_model::RuleIndex(0)), status, "at {s} s");
        assert_eq!(e.frame().twins[0].status, status);
        assert_eq!(e.freshness(difference), Freshness::Live);
    }
    let chart = e.series(difference, TimeRange::new(at(0), at(1_100)), 500);
    assert_eq!(chart.envelope.min_max(), Some((1.0, 1.0)));
    assert_eq!(chart.branch.unwrap().min_max().map(|(low, high)| (low, (high * 1e9).round() / 1e9)), Some((1.0, 10.9)));
    let rows = &e.branches()[0].comparison;
    let times: Vec<_> = rows.iter().filter(|row| row.signal == difference && row.unit == "h").map(|row| row.baseline).collect();
    assert_eq!(times.len(), 2, "{rows:?}");
    assert!(times.iter().zip([210.0, 410.0]).all(|(hours, s)| (hours.unwrap() * 3_600.0 - s).abs() <= 10.0), "{times:?}");
}

#[test]
fn inputs_that_do_not_change_cost_no_evaluation() {
    let mut m = SmallModel::new();
    m.float("m.a");
    m.float("m.b");
    m.float("m.other");
    for at in 0..10_000 {
        let signal = m.float(&format!("m.c{at}"));
        m.builder().computed(ComputedSignal { signal, expr: format!("a - b + {at}") });
    }
    m.bands("m.c5", &[(1.0, Status::Failure)]);
    let mut e = Engine::new(m.build(), EngineConfig::default());
    e.ingest(&[a(0, 5.0), b(0, 4.0)]);
    e.tick(Some(at(1)), Span::ZERO, true);
    e.refresh();
    let evaluations = |e: &Engine| e.reality().computed().evaluations();
    let before = evaluations(&e);
    assert!(before >= 10_000);
    // Time goes on, others change, the playhead moves, and nothing of it concerns them.
    for s in 2..50 {
        e.ingest(&[(SignalIndex(2), Sample::float(at(s), s as f64))]);
        e.tick(Some(at(s)), Span::from_secs(1), true);
        assert!(e.refresh().moved);
    }
    for s in [40, 10, 1, 49] {
        e.apply(EngineCommand::Seek(SeekTo::Exact(at(s)))).unwrap();
        assert!(e.refresh().moved);
    }
    assert_eq!(evaluations(&e), before);
    // One sample of an input: one evaluation each, and one more for the rule.
    e.ingest(&[a(50, 6.0)]);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(50)))).unwrap();
    e.refresh();
    let once = evaluations(&e) - before;
    assert!((10_000..10_010).contains(&once), "{once}");
}

#[test]
fn a_sample_that_comes_a_little_late_costs_a_handful_of_evaluations_whatever_lies_before() {
    for length in [1_000, 20_000] {
        let mut e = engine();
        e.ingest(&(0..length).map(|s| a(s, 1.0)).chain((0..length).map(|s| b(s, 0.5))).collect::<Vec<_>>());
        let before = e.reality().computed().evaluations();
        for s in 0..100 {
            e.ingest(&[a(length + s, 1.0)]);
            e.ingest(&[b(length + s - 1, 0.5)]);
        }
        let each = (e.reality().computed().evaluations() - before) as f64 / 200.0;
        assert!(each < 30.0, "{each} of {length}");
    }
}

#[test]
fn what_is_held_back_is_the_same_once_it_is_settled() {
    let (mut eager, mut patient) = (engine(), engine());
    patient.hold_back();
    for s in 0..50 {
        for e in [&mut eager, &mut patient] {
            e.ingest(&[a(s, (s % 9) as f64)]);
        }
    }
    for s in [0, 10, 20, 30, 40] {
        for e in [&mut eager, &mut patient] {
            e.ingest(&[b(s, 1.0)]);
        }
    }
    patient.settle();
    for s in 0..60 {
        assert_eq!(eager.state_at(at(s)), patient.state_at(at(s)));
    }
}

/// What the expressions say of the samples that hold at `t`: the obvious twin.
fn oracle(
    expressions: &BTreeMap<SignalIndex, Expression>,
    signal: SignalIndex,
    held: &dyn Fn(SignalIndex) -> Option<Sample>,
) -> Input {
    match expressions.get(&signal) {
        None => held(signal).as_ref().map_or_else(Input::unseen, Input::from),
        Some(expression) => {
            let inputs: Vec<Input> = expression.inputs().iter().map(|it| oracle(expressions, it.signal, held)).collect();
            expression.evaluate_with(&inputs).as_input()
        }
    }
}

fn expressions(model: &Model) -> BTreeMap<SignalIndex, Expression> {
    let operand = |name: &str| {
        let signal = model.find_signal(name).or_else(|| model.find_signal(&format!("m.{name}"))).ok_or_else(String::new)?;
        let it = model.signal(signal);
        Ok::<_, String>(Operand { signal, kind: it.value_kind, unit: it.unit.clone() })
    };
    COMPUTED.iter().map(|(signal, expr)| (*signal, Expression::compile(expr, &mut |name| operand(name)).unwrap())).collect()
}

type Readings = Vec<(SignalIndex, Sample)>;

/// Readings of three signals in any order, bad ones, ones without a value, predictions and late ones among them.
fn readings() -> impl Strategy<Value = Readings> {
    let one = (0_u32..3, 0_i64..200, 0_u8..10, 0_u8..24, prop_oneof![3 => 0_i64..2, 1 => 0_i64..90]);
    proptest::collection::vec(one, 0..160).prop_map(|all| {
        let made = all.into_iter().map(|(signal, taken, value, odd, lag)| {
            let value = if signal == 2 { Value::Bool(value > 4) } else { Value::Float(f64::from(value)) };
            let quality = [Quality::BAD, Quality::UNCERTAIN, Quality::BAD_NO_COMMUNICATION].get(usize::from(odd)).copied();
            let mut sample = Sample::new(at(taken), value).with_quality(quality.unwrap_or(Quality::GOOD));
            sample.received_time = at(taken + lag);
            sample.flags = if odd == 5 { Flags::PREDICTED } else { Flags::NONE };
            if odd == 6 {
                sample = Sample {
                    received_time: sample.received_time,
                    ..Sample::without_value(at(taken), sample.value.kind(), Quality::GOOD)
                };
            }
            (SignalIndex(signal), sample)
        });
        // Of one source time one reading: which of two counts is the store's, and tested there.
        let mut kept: BTreeMap<(SignalIndex, Timestamp), (SignalIndex, Sample)> = BTreeMap::new();
        let order: Vec<_> = made.collect();
        for (signal, sample) in &order {
            kept.entry((*signal, sample.source_time)).or_insert_with(|| (*signal, sample.clone()));
        }
        order
            .into_iter()
            .filter(|(signal, sample)| kept.remove(&(*signal, sample.source_time)).is_some_and(|first| first.1 == *sample))
            .collect()
    })
}

fn config() -> ProptestConfig {
    let long = std::env::var_os("ORRERY_LONG_TESTS").is_some();
    ProptestConfig { cases: if long { 4_000 } else { 96 }, failure_persistence: None, ..ProptestConfig::default() }
}

/// The newest of the samples that count.
fn newest(all: &Readings, signal: SignalIndex, t: Timestamp, known: Timestamp) -> Option<Sample> {
    let counts = |it: &&(SignalIndex, Sample)| {
        it.0 == signal && it.1.source_time <= t && it.1.received_time <= known && !it.1.flags.has(Flags::PREDICTED)
    };
    all.iter().filter(counts).map(|(_, sample)| sample).max_by_key(|sample| sample.source_time).cloned()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn at_every_instant_it_is_the_expression_over_what_holds_then(readings in readings(), pieces in 1_usize..40) {
        let model = model();
        let expressions = expressions(&model);
        let mut e = Engine::new(model.clone(), EngineConfig::default());
        for piece in readings.chunks(pieces) {
            e.ingest(piece);
        }
        for t in (0..220).step_by(3) {
            for basis in [Basis::Was, Basis::Known] {
                e.apply(EngineCommand::SetBasis(basis)).unwrap();
                e.apply(EngineCommand::Seek(SeekTo::Exact(at(t)))).unwrap();
                e.refresh();
                let known = if basis == Basis::Known { at(t) } else { Timestamp::MAX };
                for (signal, _) in COMPUTED {
                    let says = oracle(&expressions, signal, &|signal| newest(&readings, signal, at(t), known));
                    let sample = e.frame().snapshot.get(signal);
                    prop_assert_eq!(&sample, &e.sample(signal));
                    match says.time {
                        AsOf::Never => prop_assert_eq!(sample, None, "{} at {}", signal.0, t),
                        time => {
                            let sample = sample.ok_or_else(|| TestCaseError::fail(format!("nothing at {t}")))?;
                            prop_assert_eq!(sample.given(), says.value.as_ref(), "{} at {}", signal.0, t);
                            prop_assert_eq!(sample.judged_quality(), says.quality);
                            if let AsOf::At(time) = time {
                                prop_assert_eq!(sample.source_time, time);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn its_rules_say_what_folding_its_values_at_every_sample_of_its_inputs_says(readings in readings(), pieces in 1_usize..40) {
        let model = model();
        let expressions = expressions(&model);
        let mut e = Engine::new(model.clone(), EngineConfig::default());
        for piece in readings.chunks(pieces) {
            e.ingest(piece);
        }
        for t in (0..220).step_by(7) {
            for basis in [Basis::Was, Basis::Known] {
                let known = if basis == Basis::Known { at(t) } else { Timestamp::MAX };
                e.apply(EngineCommand::SetBasis(basis)).unwrap();
                e.apply(EngineCommand::Seek(SeekTo::Exact(at(t)))).unwrap();
                for (index, rule) in model.rules().iter().enumerate() {
                    let mut timeline = Timeline::default();
                    let mut times: Vec<Timestamp> = readings
                        .iter()
                        .filter(|(_, it)| it.source_time <= at(t) && it.received_time <= known && !it.flags.has(Flags::PREDICTED))
                        .filter(|(signal, _)| rule.signal != DIFFERENCE || *signal != ON)
                        .map(|(_, it)| it.source_time)
                        .collect();
                    times.sort_unstable();
                    times.dedup();
                    for time in times {
                        let says = oracle(&expressions, rule.signal, &|signal| newest(&readings, signal, time, known));
                        // The second chooses: it may come to need what was never seen.
                        if says.time != AsOf::Never || rule.signal == CHOICE {
                            let sample = match says.value {
                                Some(value) => Sample::new(time, value).with_quality(says.quality),
                                None => Sample::without_value(time, ValueKind::Float, says.quality),
                            };
                            timeline.push(Machine::Rule(&rule.kind), &sample);
                        }
                    }
                    let expected = timeline.at(at(t)).map(|entry| (entry.since, entry.outcome.code));
                    let got = e.rule(twin_model::RuleIndex::from_at(index)).map(|entry| (entry.since, entry.outcome.code));
                    prop_assert_eq!(got, expected, "rule {} at {} by {}", index, t, basis);
                }
            }
        }
    }
}

#[test]
fn stepping_goes_to_the_samples_of_what_is_read_and_chunks_of_history_are_followed() {
    let mut e = engine();
    e.ingest(&[a(10, 7.0), b(12, 5.0), a(20, 9.0)]);
    let mut step = |direction| {
        e.apply(EngineCommand::StepSample(vec![DIFFERENCE], direction)).unwrap();
        e.playback().playhead()
    };
    assert_eq!(step(twin_engine::Direction::Forward), at(10));
    assert_eq!([twin_engine::Direction::Forward; 2].map(&mut step), [at(12), at(20)]);
    assert_eq!(step(twin_engine::Direction::Back), at(12));
    // The same as chunks, the later one first.
    let mut store = twin_historian::Store::new(
        model().signals().iter().map(twin_historian::SignalSpec::from),
        twin_historian::StoreConfig { slab: Span::from_secs(5), lane_signals: 1, ..twin_historian::StoreConfig::default() },
    );
    let samples = [a(1, 9.0), b(2, 1.0), a(6, 2.0), b(12, -3.0)];
    samples.iter().for_each(|(signal, sample)| {
        store.append(*signal, sample);
    });
    let mut live = engine();
    live.ingest(&samples);
    let mut paged = engine();
    for chunk in store.export_chunks(TimeRange::new(Timestamp::MIN, Timestamp::MAX)).iter().rev() {
        paged.import_chunk(&chunk.bytes).unwrap();
    }
    for s in 0..20 {
        assert_eq!(paged.state_at(at(s)), live.state_at(at(s)), "at {s} s");
        assert_eq!(shown(&mut paged, s, DIFFERENCE), shown(&mut live, s, DIFFERENCE));
    }
}
