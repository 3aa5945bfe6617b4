//! What an acknowledgement changes, when, and for how long.

use twin_engine::{Basis, Direction, Engine, EngineCommand, EngineConfig, Event, EventKind, SeekTo};
use twin_model::{
    AckPolicy, Alarm, AlarmCondition, AlarmIndex, AlarmState, Limit, ModelBuilder, Priority, Sample, Signal, SignalIndex,
    SignalKind, SiteInfo, Span, TimeRange, Unit, Value, ValueKind,
};

use crate::plant::at;

const LEVEL: SignalIndex = SignalIndex(0);

/// A tank whose high level has to be acknowledged.
fn tank() -> Engine {
    let mut b = ModelBuilder::new(SiteInfo { id: "t".into(), name: "T".into(), time_zone: "UTC".into() });
    let twin = b.twin("tank", "Tank", "Tank", None);
    let signal = b.signal(Signal {
        id: "tank.level".into(),
        twin,
        name: "level".into(),
        display_name: "Level".into(),
        unit: Unit("%".into()),
        kind: SignalKind::Analog,
        value_kind: ValueKind::Float,
        expected_period: None,
        late_after: None,
        stale_after: None,
        range: None,
        source: None,
        source_key: "tank.level".into(),
    });
    b.alarm(Alarm {
        id: "tank.high".into(),
        twin,
        signal,
        priority: Priority::High,
        condition: AlarmCondition::Limit {
            limit: Limit::Above(90.0),
            deadband: 0.0,
            on_delay: Span::ZERO,
            off_delay: Span::ZERO,
            ack: AckPolicy::Required,
        },
        message: "Tank level high".into(),
    });
    Engine::new(b.build().unwrap(), EngineConfig::default())
}

fn levels(e: &mut Engine, levels: &[(i64, f64)]) {
    let samples: Vec<_> = levels.iter().map(|(s, v)| (LEVEL, Sample::float(at(*s), *v))).collect();
    e.ingest(&samples);
}

fn acknowledge(e: &mut Engine, s: i64) {
    let signal = e.model().acknowledgements(AlarmIndex(0)).expect("this alarm has to be acknowledged");
    e.ingest(&[(signal, Sample::new(at(s), Value::text("Ann")))]);
}

/// State and since when, by the report and by the picture, which say the same.
fn look(e: &mut Engine, s: i64) -> (AlarmState, Option<i64>) {
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(s)))).unwrap();
    e.refresh();
    let alarm = e.state_at(at(s)).twins.remove(0).alarms.remove(0);
    let shown = e.frame().alarms.first().map_or(AlarmState::Normal, |active| active.state);
    assert_eq!(shown, alarm.state, "at {s}");
    (alarm.state, alarm.since.map(|since| since.as_micros() / 1_000_000))
}

#[test]
fn an_acknowledgement_is_seen_from_its_instant_on_and_not_before() {
    let mut e = tank();
    levels(&mut e, &[(0, 50.0), (10, 95.0), (30, 50.0), (50, 95.0)]);
    acknowledge(&mut e, 20);
    for (s, expected) in [
        (5, (AlarmState::Normal, Some(0))),
        (19, (AlarmState::UnackActive, Some(10))),
        (20, (AlarmState::AckActive, Some(20))),
        (29, (AlarmState::AckActive, Some(20))),
        (30, (AlarmState::Normal, Some(30))),
        (50, (AlarmState::UnackActive, Some(50))),
    ] {
        assert_eq!(look(&mut e, s), expected, "at {s}");
    }
    let events = e.events(TimeRange::new(at(0), at(60)), 100);
    let states: Vec<_> = events
        .iter()
        .map(|Event { t, kind }| match kind {
            EventKind::Alarm(_, state) => (t.as_micros() / 1_000_000, *state),
            EventKind::Status(..) => panic!("there is no rule"),
        })
        .collect();
    let expected =
        [(10, AlarmState::UnackActive), (20, AlarmState::AckActive), (30, AlarmState::Normal), (50, AlarmState::UnackActive)];
    assert_eq!(states, expected);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(12)))).unwrap();
    e.apply(EngineCommand::StepEvent(Direction::Forward)).unwrap();
    assert_eq!(e.playback().playhead(), at(20));
}

#[test]
fn a_returned_alarm_waits_until_someone_has_seen_it() {
    let mut e = tank();
    levels(&mut e, &[(0, 50.0), (10, 95.0), (20, 50.0)]);
    assert_eq!(look(&mut e, 3_000), (AlarmState::ReturnedUnack, Some(20)));
    acknowledge(&mut e, 40);
    acknowledge(&mut e, 45);
    assert_eq!(look(&mut e, 39), (AlarmState::ReturnedUnack, Some(20)));
    assert_eq!(look(&mut e, 40).0, AlarmState::Normal);
    // One that came before the alarm says nothing about it.
    let mut e = tank();
    acknowledge(&mut e, 5);
    levels(&mut e, &[(0, 50.0), (10, 95.0), (20, 50.0)]);
    assert_eq!(look(&mut e, 30).0, AlarmState::ReturnedUnack);
}

#[test]
fn an_acknowledgement_that_comes_late_is_put_where_it_belongs() {
    let mut e = tank();
    levels(&mut e, &[(0, 50.0), (10, 95.0), (30, 50.0), (50, 95.0), (60, 50.0)]);
    acknowledge(&mut e, 70);
    acknowledge(&mut e, 15);
    assert_eq!(look(&mut e, 16), (AlarmState::AckActive, Some(15)));
    assert_eq!(look(&mut e, 40).0, AlarmState::Normal);
    assert_eq!(look(&mut e, 61).0, AlarmState::ReturnedUnack);
    assert_eq!(look(&mut e, 70).0, AlarmState::Normal);
}

#[test]
fn an_acknowledgement_that_came_late_was_not_known_before() {
    let mut e = tank();
    levels(&mut e, &[(0, 50.0), (10, 95.0), (60, 95.0)]);
    let signal = e.model().acknowledgements(AlarmIndex(0)).expect("this alarm has to be acknowledged");
    e.ingest(&[(signal, Sample { received_time: at(40), ..Sample::new(at(20), Value::text("Ann")) })]);
    let state = |s, basis| e.state_by(at(s), basis).twins.remove(0).alarms.remove(0).state;
    assert_eq!((state(30, Basis::Was), state(30, Basis::Known)), (AlarmState::AckActive, AlarmState::UnackActive));
    assert_eq!((state(40, Basis::Was), state(40, Basis::Known)), (AlarmState::AckActive, AlarmState::AckActive));
}
