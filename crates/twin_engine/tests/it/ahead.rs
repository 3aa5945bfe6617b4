//! Newest isn't current: what lies ahead of an instant, or was predicted, has no say about it.

use twin_engine::{Engine, EngineCommand, SeekTo};
use twin_model::{AlarmState, Flags, Freshness, Sample, SignalIndex, Span, Status, TimeRange, Timestamp};

use crate::plant::{LEVEL, PUMP, TANK, VIBRATION, at, engine, reading};

/// A reading of a clock that runs ahead: received at `r`.
fn early(signal: SignalIndex, s: i64, r: i64, value: f64) -> (SignalIndex, Sample) {
    (signal, Sample { received_time: at(r), ..Sample::float(at(s), value) })
}

fn forecast(signal: SignalIndex, s: i64, value: f64) -> (SignalIndex, Sample) {
    (signal, Sample { flags: Flags::PREDICTED, received_time: at(0), ..Sample::float(at(s), value) })
}

fn shown(e: &mut Engine, signal: SignalIndex, t: Timestamp) -> Option<f64> {
    e.apply(EngineCommand::Seek(SeekTo::Exact(t))).unwrap();
    e.refresh();
    let one = e.sample(signal);
    assert_eq!(e.frame().snapshot.get(signal), one, "the frame says the same");
    one.and_then(|sample| sample.value.as_f64())
}

#[test]
fn a_reading_comes_into_force_when_its_time_comes() {
    let mut e = engine();
    e.ingest(&[reading(LEVEL, 0, 50.0), early(LEVEL, 300, 1, 95.0), reading(LEVEL, 2, 51.0), reading(LEVEL, 299, 52.0)]);
    for (t, expected) in [(1, 50.0), (2, 51.0), (299, 52.0), (300, 95.0), (301, 95.0)] {
        assert_eq!(shown(&mut e, LEVEL, at(t)), Some(expected), "at {t}");
        let alarm = e.frame().twins[TANK.at()].alarm.map(|(_, state)| state);
        assert_eq!(alarm, (t >= 300).then_some(AlarmState::UnackActive), "at {t}");
        assert_eq!(e.state_at(at(t)).twins[2].alarms[0].state.is_active(), t >= 300);
    }
}

#[test]
fn a_prediction_neither_holds_nor_judges_nor_is_a_sign_of_life() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 1.0), forecast(VIBRATION, 10, 12.0), forecast(VIBRATION, 20, 12.0)]);
    e.ingest(&[forecast(LEVEL, 5, 95.0), reading(VIBRATION, 15, 2.0)]);
    assert_eq!(shown(&mut e, VIBRATION, at(14)), Some(1.0));
    assert_eq!(shown(&mut e, VIBRATION, at(15)), Some(2.0));
    assert_eq!(shown(&mut e, VIBRATION, at(60)), Some(2.0));
    let pump = e.frame().twins[PUMP.at()];
    assert_eq!((pump.status, pump.freshness), (Status::Unknown, Freshness::Stale), "nothing was measured for 45 s");
    assert_eq!(pump.last_known, Some(Status::Normal));
    assert_eq!(shown(&mut e, LEVEL, at(60)), None);
    assert_eq!((e.frame().twins[TANK.at()].alarm, e.frame().twins[TANK.at()].freshness), (None, Freshness::NeverSeen));
    // The strip of the time bar says so, too.
    let strip = e.status_strip(Some(PUMP), TimeRange::new(at(0), at(60)));
    assert!(strip.iter().all(|span| span.status != Status::Failure), "{strip:?}");
    // In whatever order they come.
    let mut other = engine();
    other.ingest(&[reading(VIBRATION, 15, 2.0), forecast(VIBRATION, 20, 12.0), forecast(VIBRATION, 10, 12.0)]);
    other.ingest(&[forecast(LEVEL, 5, 95.0), reading(VIBRATION, 0, 1.0)]);
    for t in 0..70 {
        assert_eq!(other.state_at(at(t)), e.state_at(at(t)), "at {t}");
    }
}

#[test]
fn a_what_if_run_starts_from_what_was_measured() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 100, 2.0), forecast(VIBRATION, 100, 9.0), early(VIBRATION, 400, 100, 50.0)]);
    e.ingest(&[forecast(VIBRATION, 99, 9.0), reading(VIBRATION, 99, 2.0), reading(crate::plant::SPEED, 100, 50.0)]);
    let scenario = twin_scenario::Scenario {
        name: "as it is".into(),
        fork: at(100),
        horizon: Span::from_secs(3_600),
        step: Span::from_secs(1),
        seed: 1,
        settings: Vec::new(),
    };
    e.apply(EngineCommand::Run(scenario)).unwrap();
    while e.work(10_000).is_none() {}
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(101)))).unwrap();
    let after = e.sample(VIBRATION).unwrap().value.as_f64().unwrap();
    assert!((after - 2.0).abs() < 0.01, "{after}");
}
