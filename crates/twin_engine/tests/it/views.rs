//! What is shown at an instant: status, roll-up, alarms, seeks and steps.

use twin_engine::{Direction, EngineCommand, PlayState, SeekTo};
use twin_model::{AlarmState, Freshness, Priority, Span, Status, TimeRange};

use crate::plant::{HALL, LEVEL, PUMP, TANK, VIBRATION, at, engine, reading};

#[test]
fn a_seek_shows_the_plant_as_it_was() {
    let mut e = engine();
    e.ingest(&[
        reading(VIBRATION, 0, 1.0),
        reading(VIBRATION, 10, 7.0),
        reading(VIBRATION, 20, 12.0),
        reading(VIBRATION, 30, 1.0),
    ]);
    for (t, expected) in
        [(5, Status::Normal), (11, Status::Normal), (12, Status::Maintenance), (22, Status::Failure), (30, Status::Normal)]
    {
        e.apply(EngineCommand::Seek(SeekTo::Exact(at(t)))).unwrap();
        e.refresh();
        assert_eq!(e.frame().twins[PUMP.at()].status, expected, "at {t}");
    }
}

#[test]
fn trouble_rolls_up_to_the_hall_but_is_not_its_own() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 1.0), reading(VIBRATION, 1, 12.0), reading(VIBRATION, 5, 12.0), reading(LEVEL, 0, 95.0)]);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(5)))).unwrap();
    e.refresh();
    let hall = e.frame().twins[HALL.at()];
    assert_eq!((hall.status, hall.rollup, hall.troubled, hall.alarms), (Status::Unknown, Status::Failure, 1, 1));
    assert_eq!(e.frame().twins[TANK.at()].alarm, Some((Priority::High, AlarmState::UnackActive)));
}

#[test]
fn an_old_value_is_never_fresh() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 1.0)]);
    e.tick(Some(at(100)), Span::ZERO, true);
    e.refresh();
    assert_eq!(e.frame().twins[PUMP.at()].freshness, Freshness::Stale);
}

#[test]
fn steps_go_to_the_neighbouring_events_and_pause() {
    let mut e = engine();
    e.ingest(&[reading(LEVEL, 0, 50.0), reading(LEVEL, 10, 95.0), reading(LEVEL, 20, 50.0), reading(LEVEL, 60, 50.0)]);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(0)))).unwrap();
    e.apply(EngineCommand::StepEvent(Direction::Forward)).unwrap();
    assert_eq!((e.playback().playhead(), e.playback().state()), (at(10), PlayState::Paused));
    e.apply(EngineCommand::StepEvent(Direction::Forward)).unwrap();
    assert_eq!(e.playback().playhead(), at(20));
    e.apply(EngineCommand::StepEvent(Direction::Forward)).unwrap();
    assert_eq!(e.playback().playhead(), at(20), "nothing further on");
    e.apply(EngineCommand::StepEvent(Direction::Back)).unwrap();
    assert_eq!(e.playback().playhead(), at(10));
}

#[test]
fn new_data_does_not_disturb_a_paused_view() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 1.0), reading(VIBRATION, 10, 2.0)]);
    e.apply(EngineCommand::Seek(SeekTo::Clamped(at(5)))).unwrap();
    e.ingest(&[reading(VIBRATION, 20, 50.0)]);
    e.tick(Some(at(20)), Span::from_secs(1), true);
    assert_eq!(e.playback().playhead(), at(5));
    assert_eq!(e.sample(VIBRATION).unwrap().value.as_f64(), Some(1.0));
}

#[test]
fn charts_hold_nothing_from_after_the_playhead() {
    let mut e = engine();
    let all: Vec<_> = (0..100).map(|t| reading(VIBRATION, t, t as f64)).collect();
    e.ingest(&all);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(40)))).unwrap();
    let series = e.series(VIBRATION, TimeRange::new(at(0), at(100)), 500);
    assert_eq!(series.envelope.buckets.last().unwrap().last.v, 40.0);
    assert!(series.envelope.after.is_none());
}

#[test]
fn the_strip_of_the_site_is_the_worst_of_its_twins() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 1.0), reading(VIBRATION, 10, 12.0), reading(VIBRATION, 20, 1.0), reading(LEVEL, 0, 1.0)]);
    let strip = e.status_strip(None, TimeRange::new(at(0), at(30)));
    let got: Vec<(i64, Status)> = strip.iter().map(|s| (s.range.start.as_micros() / 1_000_000, s.status)).collect();
    // The tank is silent from 10 s on.
    assert_eq!(got, [(0, Status::Normal), (10, Status::Unknown), (12, Status::Failure), (20, Status::Unknown)]);
}

#[test]
fn a_hall_is_as_its_machines_are_and_a_silent_machine_is_not_well() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 12.0), reading(VIBRATION, 3, 12.0), reading(VIBRATION, 4, 1.0), reading(LEVEL, 4, 50.0)]);
    let mut look = |s: i64| {
        e.apply(EngineCommand::Seek(SeekTo::Exact(at(s)))).unwrap();
        e.refresh();
        let hall = e.frame().twins[HALL.at()];
        (hall.rollup, hall.troubled, hall.silent, e.frame().twins[PUMP.at()].last_known)
    };
    assert_eq!(look(3), (Status::Failure, 1, 1, None), "the tank was not seen yet");
    assert_eq!(look(4), (Status::Normal, 0, 0, None), "a hall of healthy machines is normal");
    assert_eq!(look(60), (Status::Unknown, 0, 2, Some(Status::Normal)));
    e.ingest(&[reading(VIBRATION, 70, 12.0), reading(VIBRATION, 73, 12.0)]);
    let report = e.state_at(at(3_000));
    let pump = report.twins.iter().find(|twin| twin.id == "pump").unwrap();
    let last = pump.last_known.unwrap();
    assert_eq!((pump.status, last.status, last.since), (Status::Unknown, Status::Failure, Some(at(72))));
    assert_eq!(pump.reasons[0].text, "vibration: no value for 48 min; was Failure");
    assert!(!report.twins[0].judged && report.twins[1].judged);
}

#[test]
fn the_state_report_is_sorted_and_says_why() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 12.0), reading(VIBRATION, 3, 12.0)]);
    let report = e.state_at(at(3));
    let ids: Vec<&str> = report.twins.iter().map(|twin| twin.id.as_str()).collect();
    assert_eq!(ids, ["hall", "pump", "tank"]);
    let pump = &report.twins[1];
    assert_eq!(pump.reasons[0].text, "vibration 12\u{2009}mm/s is above 10\u{2009}mm/s");
    assert_eq!(pump.signals[0].age, Some(Span::ZERO));
    assert_eq!(pump.signals[1].value, None);
}
