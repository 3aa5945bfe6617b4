//! What rules remember stays within its budget, however long a plant runs and however much a value chatters.

use twin_engine::{Engine, EngineConfig};
use twin_model::{
    Band, HealthRule, Limit, Model, ModelBuilder, RuleKind, Sample, Signal, SignalIndex, SignalKind, SiteInfo, Span, Status,
    Timestamp, TwinIndex, Unit, ValueKind,
};

const SIGNALS: u32 = 40;

/// A plant with a rule on every signal.
fn plant() -> Model {
    let mut b = ModelBuilder::new(SiteInfo { id: "p".into(), name: "P".into(), time_zone: "UTC".into() });
    for at in 0..SIGNALS {
        let twin = b.twin(format!("m-{at}").as_str(), "Motor", "Motor", None);
        let id = format!("m-{at}.current");
        let signal = b.signal(Signal {
            id: id.as_str().into(),
            twin,
            name: "current".into(),
            display_name: "Current".into(),
            unit: Unit("A".into()),
            kind: SignalKind::Analog,
            value_kind: ValueKind::Float,
            expected_period: Some(Span::from_secs(1)),
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: id,
        });
        b.rule(HealthRule {
            id: "current".into(),
            twin,
            signal,
            kind: RuleKind::Range {
                bands: vec![Band { limit: Limit::Above(10.0), status: Status::Failure }],
                deadband: 0.0,
                on_delay: Span::from_secs(3),
                off_delay: Span::ZERO,
            },
            note: String::new(),
        });
    }
    b.build().unwrap()
}

/// Runs the plant from `from` to `to` seconds, as a live stream brings it; the most bytes that timelines took.
fn run(e: &mut Engine, (from, to): (i64, i64), value: impl Fn(i64) -> f64) -> usize {
    let mut most = 0;
    for s in from..to {
        let t = Timestamp::from_secs(s);
        let batch: Vec<_> = (0..SIGNALS).map(|at| (SignalIndex(at), Sample::float(t, value(s)))).collect();
        e.ingest(&batch);
        most = most.max(e.reality().timeline_bytes());
    }
    most
}

#[test]
fn a_steady_plant_needs_no_more_after_a_day_than_after_an_hour() {
    let mut e = Engine::new(plant(), EngineConfig::default());
    let hour = run(&mut e, (0, 3_600 * 2), |_| 1.0);
    let day = run(&mut e, (3_600 * 2, 30_000), |_| 1.0);
    assert!(day < 2 * hour && day / SIGNALS as usize <= 2_000, "{hour} and {day} bytes");
}

#[test]
fn chatter_drops_the_oldest_outcomes_and_never_the_newest() {
    let budget = 300_000;
    let mut e = Engine::new(plant(), EngineConfig { timeline_bytes: budget, ..EngineConfig::default() });
    let fixed = e.reality().timeline_bytes();
    let most = run(&mut e, (0, 6_000), |s| if s / 5 % 2 == 0 { 1.0 } else { 20.0 });
    assert!(most <= fixed + budget + budget / 4, "{most} bytes");
    let rule = e.model().twin(TwinIndex(0)).rules[0];
    let said = |e: &Engine, s: i64| e.reality().rule_at(rule, Timestamp::from_secs(s)).map(|entry| entry.outcome.status());
    assert_eq!(said(&e, 5_999), Some(Status::Failure));
    assert_eq!(said(&e, 5_992), Some(Status::Normal));
    assert_eq!(said(&e, 8), None, "long ago is forgotten, not made up");
}
