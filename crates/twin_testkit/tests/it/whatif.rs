//! The demo site's process models and knobs in what-if runs: they start where the plant is and answer the demo's questions.

use std::collections::BTreeMap;

use twin_model::{Model, SignalIndex, Span, TimeRange, Timestamp};
use twin_scenario::{Row, RowKind, Run, Scenario, Tracker, compare};
use twin_testkit::plant::Bottling;

use crate::site::{START, after, load};

/// Newest numbers of the plant at so many seconds after the start.
fn state_at(model: &Model, second: i64) -> BTreeMap<SignalIndex, f64> {
    let mut plant = Bottling::new(7, START);
    let columns: Vec<SignalIndex> = plant.signal_ids().map(|id| model.find_signal(id).expect(id)).collect();
    let mut newest = BTreeMap::new();
    plant.samples(TimeRange::new(after(second - 400), after(second)), None, &mut |column, sample| {
        if let Some(v) = sample.value.as_f64() {
            newest.insert(columns[column], v);
        }
    });
    newest
}

/// Runs a scenario to its end; every drained sample goes to `take`.
fn run(model: &Model, fork: i64, horizon: Span, knobs: &[(&str, f64)], take: &mut dyn FnMut(SignalIndex, Timestamp, f64)) {
    let state = state_at(model, fork);
    let setting = |(id, value): &(&str, f64)| {
        let at = model.knobs().iter().position(|knob| knob.id == *id).expect(id);
        (twin_model::KnobIndex::from_at(at), *value)
    };
    let scenario = Scenario {
        name: "test".into(),
        fork: after(fork),
        horizon,
        step: Span::from_secs(1),
        seed: 1,
        settings: knobs.iter().map(setting).collect(),
    };
    let mut run = Run::new(model, scenario, &|signal| state.get(&signal).copied()).expect("a run");
    assert!(run.left_out().is_empty(), "{:?}", run.left_out());
    while !run.step(100).done {
        run.drain(take);
    }
    run.drain(take);
}

fn tracked(model: &Model, fork: i64, horizon: Span, knobs: &[(&str, f64)]) -> (Tracker, BTreeMap<SignalIndex, f64>) {
    let mut tracker = Tracker::new(model);
    let mut last = BTreeMap::new();
    run(model, fork, horizon, knobs, &mut |signal, t, value| {
        tracker.push(signal, t, value);
        last.insert(signal, value);
    });
    (tracker, last)
}

/// Rows of a question, and the last values of baseline and scenario.
fn ask(
    fork: i64,
    horizon: Span,
    knobs: &[(&str, f64)],
) -> (Model, Vec<Row>, BTreeMap<SignalIndex, f64>, BTreeMap<SignalIndex, f64>) {
    let model = load().model;
    let (baseline, before) = tracked(&model, fork, horizon, &[]);
    let (scenario, then) = tracked(&model, fork, horizon, knobs);
    let rows = compare(&model, &baseline, &scenario, after(fork), horizon);
    (model, rows, before, then)
}

fn value(model: &Model, values: &BTreeMap<SignalIndex, f64>, id: &str) -> f64 {
    values.get(&model.find_signal(id).expect(id)).copied().expect(id)
}

#[test]
fn the_models_and_knobs_compile() {
    assert_eq!(twin_scenario::check(&load().model), []);
}

#[test]
fn a_faster_line_makes_more_and_runs_hotter() {
    let (model, rows, before, then) = ask(30, Span::from_secs(1_800), &[("conveyor-speed", 20.0)]);
    let ratio = |id: &str| value(&model, &then, id) / value(&model, &before, id);
    assert!((ratio("filler-01.rate") - 1.2).abs() < 0.01, "{}", ratio("filler-01.rate"));
    assert!(ratio("conveyor-03.speed") > 1.1);
    for warmer in ["filler-01.motor_temperature", "motor-03.winding_temperature", "conveyor-motor-02.winding_temperature"] {
        let rise = value(&model, &then, warmer) - value(&model, &before, warmer);
        assert!((0.3..40.0).contains(&rise), "{warmer} {rise} K");
    }
    let bottles = model.find_signal("filler-01.count").expect("the count");
    let row = rows.iter().find(|row| row.kind == RowKind::Amount && row.signal == bottles).expect("a row of bottles");
    assert!((row.delta.expect("a delta") - 20.0).abs() < 1.0 && row.better == Some(true), "{row:?}");
    assert!(rows.iter().any(|row| row.kind == RowKind::Energy && row.changed()), "energy changes");
    let failure = vibration_row(&model, &rows);
    assert!(failure.scenario < failure.baseline, "a faster line wears the bearing faster: {failure:?}");
}

/// The row of the bearing's failure band.
fn vibration_row<'a>(model: &Model, rows: &'a [Row]) -> &'a Row {
    let vibration = model.find_signal("filler-bearing-01.vibration_rms").expect("the signal");
    let of = |row: &&Row| row.signal == vibration && row.status == Some(twin_model::Status::Failure);
    rows.iter().find(of).expect("a row of the bearing's failure")
}

#[test]
fn a_hotter_day_warms_every_motor_by_as_much() {
    let (model, _, before, then) = ask(-300, Span::from_secs(4 * 3_600), &[("ambient", 8.0)]);
    for id in [
        "filler-01.motor_temperature",
        "motor-01.winding_temperature",
        "filler-bearing-01.temperature",
        "transformer-01.winding_temperature",
    ] {
        let rise = value(&model, &then, id) - value(&model, &before, id);
        assert!((6.0..8.5).contains(&rise), "{id} {rise} K");
    }
    assert!(value(&model, &then, "chiller-01.power") > value(&model, &before, "chiller-01.power"));
}

/// Seconds in which the vibration stands above the trip limit.
fn seconds_in_failure(model: &Model, knobs: &[(&str, f64)]) -> usize {
    let vibration = model.find_signal("filler-bearing-01.vibration_rms");
    let mut seconds = 0;
    run(model, 30, Span::from_secs(3_600), knobs, &mut |signal, _, v| {
        seconds += usize::from(Some(signal) == vibration && v > 8.9);
    });
    seconds
}

#[test]
fn a_postponed_replacement_leaves_the_bearing_in_failure_for_longer() {
    let model = load().model;
    let planned = seconds_in_failure(&model, &[]);
    let postponed = seconds_in_failure(&model, &[("bearing-replacement", 0.5)]);
    assert!((400..600).contains(&planned), "{planned} s until the planned replacement");
    assert!(postponed.abs_diff(planned + 1_800) < 20, "{postponed} s");
    let lubricated = seconds_in_failure(&model, &[("lubrication", -50.0)]);
    assert!(lubricated < planned, "slower growth: {lubricated} s");
}

#[test]
fn warmer_chilled_water_warms_the_product() {
    let (model, _, before, then) = ask(-300, Span::from_secs(1_800), &[("chilled-water", 4.0)]);
    for id in ["chiller-01.supply_temperature", "filler-01.product_temperature", "tank-02.temperature"] {
        let rise = value(&model, &then, id) - value(&model, &before, id);
        assert!((2.5..4.2).contains(&rise), "{id} {rise} K");
    }
    assert!(value(&model, &then, "chiller-01.power") < value(&model, &before, "chiller-01.power"));
}

/// The run is held against what the plant did: forked at 30 s, the bearing at 90 s, the counters and temperatures.
#[test]
fn a_forecast_of_a_minute_is_what_the_plant_then_did() {
    let model = load().model;
    let mut last = BTreeMap::new();
    run(&model, 30, Span::from_secs(60), &[], &mut |signal, _, value| {
        last.insert(signal, value);
    });
    let measured = state_at(&model, 90);
    for (id, share) in [
        ("filler-bearing-01.vibration_rms", 0.03),
        ("filler-bearing-01.temperature", 0.06),
        ("filler-01.count", 0.000_01),
        ("filler-01.motor_temperature", 0.03),
        ("heat-exchanger-01.product_in_temperature", 0.06),
        ("switchgear-01.energy", 0.000_02),
    ] {
        let (says, was) = (value(&model, &last, id), value(&model, &measured, id));
        assert!((says - was).abs() <= share * was.abs(), "{id}: forecast {says}, measured {was}");
    }
}
