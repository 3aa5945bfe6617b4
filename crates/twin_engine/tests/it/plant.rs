//! A small plant for tests: a pump with vibration and temperature, a tank with a level alarm, a hall above both.

use twin_engine::{Engine, EngineConfig};
use twin_model::{
    AckPolicy, Alarm, AlarmCondition, Band, HealthRule, Knob, KnobTarget, Limit, Model, ModelBuilder, Priority, ProcessKind,
    ProcessModel, RuleKind, Sample, Signal, SignalIndex, SignalKind, SiteInfo, Span, Status, Timestamp, TwinIndex, Unit,
    ValueKind,
};

pub(crate) const VIBRATION: SignalIndex = SignalIndex(0);
pub(crate) const SPEED: SignalIndex = SignalIndex(1);
pub(crate) const LEVEL: SignalIndex = SignalIndex(2);
pub(crate) const HALL: TwinIndex = TwinIndex(0);
pub(crate) const PUMP: TwinIndex = TwinIndex(1);
pub(crate) const TANK: TwinIndex = TwinIndex(2);

pub(crate) fn signal(id: &str, twin: TwinIndex, unit: &str) -> Signal {
    let name = id.split('.').next_back().unwrap_or(id).to_owned();
    Signal {
        id: id.into(),
        twin,
        display_name: name.clone(),
        name,
        unit: Unit(unit.into()),
        kind: SignalKind::Analog,
        value_kind: ValueKind::Float,
        expected_period: Some(Span::from_secs(1)),
        late_after: None,
        stale_after: None,
        range: Some((0.0, 100.0)),
        source: None,
        source_key: id.into(),
    }
}

pub(crate) fn model() -> Model {
    model_with(5.0)
}

/// The same with another limit of maintenance for the vibration, in mm/s.
pub(crate) fn model_with(maintenance: f64) -> Model {
    let mut b = ModelBuilder::new(SiteInfo { id: "test".into(), name: "Test".into(), time_zone: "UTC".into() });
    let hall = b.twin("hall", "Hall", "Area", None);
    let pump = b.twin("pump", "Pump", "Pump", Some(hall));
    let tank = b.twin("tank", "Tank", "Tank", Some(hall));
    let vibration = b.signal(signal("pump.vibration", pump, "mm/s"));
    let speed = b.signal(signal("pump.speed", pump, "%"));
    let level = b.signal(signal("tank.level", tank, "%"));
    b.rule(HealthRule {
        id: "vibration".into(),
        twin: pump,
        signal: vibration,
        kind: RuleKind::Range {
            bands: vec![
                Band { limit: Limit::Above(maintenance), status: Status::Maintenance },
                Band { limit: Limit::Above(10.0), status: Status::Failure },
            ],
            deadband: 0.5,
            on_delay: Span::from_secs(2),
            off_delay: Span::ZERO,
        },
        note: String::new(),
    });
    b.rule(HealthRule {
        id: "quality".into(),
        twin: tank,
        signal: level,
        kind: RuleKind::Quality { uncertain: Status::OutOfSpecification, bad: Status::Failure },
        note: String::new(),
    });
    b.alarm(Alarm {
        id: "tank.high".into(),
        twin: tank,
        signal: level,
        priority: Priority::High,
        condition: AlarmCondition::Limit {
            limit: Limit::Above(90.0),
            deadband: 2.0,
            on_delay: Span::ZERO,
            off_delay: Span::ZERO,
            ack: AckPolicy::Auto,
        },
        message: "Tank level high".into(),
    });
    b.process(ProcessModel {
        signal: vibration,
        kind: ProcessKind::Growth,
        expr: "0.2 * pump.speed / 50".into(),
        clamp: Some((0.0, 50.0)),
        start: twin_model::ProcessStart::default(),
    });
    b.knob(knob(speed));
    b.build().expect("a sound plant")
}

fn knob(speed: SignalIndex) -> Knob {
    Knob {
        id: "speed".into(),
        display_name: "Pump speed".into(),
        targets: vec![KnobTarget::Scale(speed)],
        unit: "%".into(),
        min: -50.0,
        max: 100.0,
        neutral: 0.0,
        step: 5.0,
    }
}

pub(crate) fn engine() -> Engine {
    Engine::new(model(), EngineConfig::default())
}

pub(crate) fn at(s: i64) -> Timestamp {
    Timestamp::from_secs(s)
}

pub(crate) fn reading(signal: SignalIndex, s: i64, value: f64) -> (SignalIndex, Sample) {
    (signal, Sample::float(at(s), value))
}
