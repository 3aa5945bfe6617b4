//! As it was, and as it was known: what came late is missing until it came, with all that follows from it.

use proptest::prelude::*;
use twin_engine::{Basis, Engine, EngineCommand, SeekTo};
use twin_model::{AlarmState, Flags, Quality, Sample, SignalIndex, Span, Status, TimeRange, Value};

use crate::plant::{LEVEL, PUMP, VIBRATION, at, engine, reading};

/// A reading of `taken` seconds that was received at `received` seconds.
fn late(signal: SignalIndex, taken: i64, received: i64, value: f64) -> (SignalIndex, Sample) {
    let (signal, sample) = reading(signal, taken, value);
    (signal, Sample { received_time: at(received), ..sample })
}

/// Of every reading the one that the store keeps: of one source time the later received, of equals the later one.
fn kept(all: Vec<(SignalIndex, Sample)>) -> Vec<(SignalIndex, Sample)> {
    let mut kept = std::collections::BTreeMap::new();
    for (signal, sample) in all {
        let slot = kept.entry((sample.source_time, signal)).or_insert_with(|| sample.clone());
        if sample.received_time >= slot.received_time {
            *slot = sample;
        }
    }
    kept.into_iter().map(|((_, signal), sample)| (signal, sample)).collect()
}

fn shown(e: &mut Engine, s: i64, basis: Basis) -> Vec<(Status, twin_model::Freshness, u32, Option<Value>)> {
    e.apply(EngineCommand::SetBasis(basis)).unwrap();
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(s)))).unwrap();
    e.refresh();
    let frame = e.frame();
    let values = (0..3).map(|signal| frame.snapshot.get(SignalIndex(signal)).map(|sample| sample.value));
    frame.twins.iter().zip(values).map(|(twin, value)| (twin.status, twin.freshness, twin.alarms, value)).collect()
}

proptest! {
    #[test]
    fn as_known_is_what_an_engine_says_that_has_only_what_had_been_received(
        readings in proptest::collection::vec((0_u32..3, 0_i64..300, 0_u8..120, 0_u8..5, 0_i64..200, 0_u8..8), 1..400),
    ) {
        let readings = readings.into_iter().map(|(signal, taken, value, how, by, odd)| {
            let (signal, sample) = late(SignalIndex(signal), taken, taken + if how == 0 { by } else { i64::from(how) - 1 }, f64::from(value));
            let flags = if odd == 1 { Flags::PREDICTED } else { Flags::NONE };
            let quality = if odd == 0 { Quality::BAD } else { Quality::GOOD };
            (signal, Sample { flags, quality, ..sample })
        });
        let all = kept(readings.collect());
        let mut whole = engine();
        whole.ingest(&all);
        for t in (0..320).step_by(7) {
            let received: Vec<_> = all.iter().filter(|(_, sample)| sample.received_time <= at(t)).cloned().collect();
            let mut then = engine();
            then.ingest(&received);
            let known = whole.state_by(at(t), Basis::Known);
            prop_assert_eq!(known.basis, Basis::Known);
            prop_assert_eq!(known.twins, then.state_at(at(t)).twins, "at {}", t);
            // The picture says the same as the report, and so do single questions.
            prop_assert_eq!(shown(&mut whole, t, Basis::Known), shown(&mut then, t, Basis::Was), "at {}", t);
            prop_assert_eq!(&whole.frame().alarms, &then.frame().alarms);
            prop_assert_eq!(whole.explain(PUMP), then.explain(PUMP));
            let range = TimeRange::new(at(t - 60), at(t + 60));
            prop_assert_eq!(whole.series(VIBRATION, range, 20).envelope.buckets, then.series(VIBRATION, range, 20).envelope.buckets);
            prop_assert_eq!(whole.state_at(at(t)).basis, Basis::Was);
        }
    }
}

/// A level that rises over its limit at 100; the device was cut off, and its readings came at 500.
fn cut_off() -> Engine {
    let mut e = engine();
    e.ingest(&[reading(LEVEL, 90, 50.0)]);
    let stored: Vec<_> = (100..200).map(|s| late(LEVEL, s, 500, 95.0)).collect();
    e.ingest(&stored);
    e.ingest(&[reading(LEVEL, 501, 94.0)]);
    e
}

fn level(e: &Engine, s: i64, basis: Basis) -> (Option<Value>, AlarmState) {
    let report = e.state_by(at(s), basis);
    let tank = report.twins.iter().find(|twin| twin.id == "tank").unwrap();
    (tank.signals[0].value.clone(), tank.alarms[0].state)
}

#[test]
fn an_alarm_of_late_readings_was_not_known_before_they_came() {
    let e = cut_off();
    let number = |v: f64| Some(Value::Float(v));
    for (s, was, known) in [
        (95, (number(50.0), AlarmState::Normal), (number(50.0), AlarmState::Normal)),
        (150, (number(95.0), AlarmState::UnackActive), (number(50.0), AlarmState::Normal)),
        (499, (number(95.0), AlarmState::UnackActive), (number(50.0), AlarmState::Normal)),
        (500, (number(95.0), AlarmState::UnackActive), (number(95.0), AlarmState::UnackActive)),
        (501, (number(94.0), AlarmState::UnackActive), (number(94.0), AlarmState::UnackActive)),
    ] {
        assert_eq!((level(&e, s, Basis::Was), level(&e, s, Basis::Known)), (was, known), "at {s}");
    }
    // Once they have come, the alarm began when the level rose.
    let alarm = &e.state_by(at(500), Basis::Known).twins[2].alarms[0];
    assert_eq!((alarm.id.as_str(), alarm.since), ("tank.high", Some(at(100))));
}

#[test]
fn a_delay_that_late_readings_would_have_ended_runs_out_as_known() {
    let mut e = engine();
    // Over the limit from 10 on; what says otherwise at 11 comes only at 100.
    e.ingest(&[
        reading(VIBRATION, 5, 1.0),
        reading(VIBRATION, 10, 6.0),
        late(VIBRATION, 11, 100, 1.0),
        reading(VIBRATION, 14, 6.0),
    ]);
    let status = |s, basis| e.state_by(at(s), basis).twins.iter().find(|twin| twin.id == "pump").unwrap().status;
    assert_eq!((status(12, Basis::Was), status(12, Basis::Known)), (Status::Normal, Status::Maintenance));
    let since = |basis| e.state_by(at(17), basis).twins.iter().find(|twin| twin.id == "pump").unwrap().since;
    assert_eq!((since(Basis::Was), since(Basis::Known)), (Some(at(16)), Some(at(12))));
}

#[test]
fn at_the_live_edge_there_is_no_difference_and_a_switch_is_remembered() {
    let mut e = cut_off();
    e.tick(Some(at(501)), Span::from_millis(20), true);
    e.apply(EngineCommand::SetBasis(Basis::Known)).unwrap();
    e.apply(EngineCommand::Follow).unwrap();
    assert_eq!((e.asked_basis(), e.basis()), (Basis::Known, Basis::Was));
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(150)))).unwrap();
    assert_eq!((e.asked_basis(), e.basis()), (Basis::Known, Basis::Known));
    e.refresh();
    assert_eq!(e.sample(LEVEL).map(|sample| sample.value), Some(Value::Float(50.0)));
    // The same instant shows something else at once when the switch is turned.
    e.apply(EngineCommand::SetBasis(Basis::Was)).unwrap();
    assert!(e.refresh().moved);
    assert_eq!(e.sample(LEVEL).map(|sample| sample.value), Some(Value::Float(95.0)));
}

#[test]
fn charts_show_as_known_only_what_had_come() {
    let mut e = cut_off();
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(300)))).unwrap();
    let samples = |e: &Engine| e.series(LEVEL, TimeRange::new(at(0), at(600)), 100).envelope.samples();
    assert_eq!(samples(&e), 101);
    e.apply(EngineCommand::SetBasis(Basis::Known)).unwrap();
    assert_eq!(samples(&e), 1);
}
