//! The demo plant's first minutes: every beat of the story is visible at its time, and nothing shows before it happens.

use twin_engine::{Engine, EngineConfig, StateReport, TwinReport};
use twin_model::{AlarmState, Freshness, Sample, SignalIndex, Span, Status, TimeRange, Timestamp};
use twin_site::{LoadedSite, load};
use twin_testkit::plant::Bottling;

fn site() -> LoadedSite {
    let text = std::fs::read_to_string("assets/sites/bottling/site.toml").expect("the demo site");
    load(&text, "site.toml", &mut |path| Err(format!("the demo imports nothing, not {path}")))
}

fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

/// An engine that has seen the plant from a minute before the start to four minutes after.
fn told() -> Engine {
    let site = site();
    assert!(site.diagnostics.is_empty(), "{:?}", site.diagnostics.first());
    let mut plant = Bottling::new(7, start());
    let ids: Vec<SignalIndex> = plant.signal_ids().map(|id| site.model.find_signal(id).expect("a signal of the site")).collect();
    let mut samples: Vec<(SignalIndex, Sample)> = Vec::new();
    let range = TimeRange::new(start() - Span::from_secs(60), start() + Span::from_secs(240));
    plant.samples(range, None, &mut |at, sample| samples.push((ids[at], sample)));
    let mut engine = Engine::new(site.model, EngineConfig::default());
    for batch in samples.chunks(500) {
        engine.ingest(batch);
    }
    engine
}

fn at(engine: &Engine, seconds: i64) -> StateReport {
    engine.state_at(start() + Span::from_secs(seconds))
}

fn twin<'a>(report: &'a StateReport, id: &str) -> &'a TwinReport {
    report.twins.iter().find(|twin| twin.id == id).expect("a twin of the site")
}

#[test]
fn the_bearing_goes_from_normal_to_failure() {
    let engine = told();
    let beats = [(10, Status::Normal), (40, Status::Maintenance), (80, Status::OutOfSpecification), (130, Status::Failure)];
    for (seconds, expected) in beats {
        let report = at(&engine, seconds);
        let bearing = twin(&report, "filler-bearing-01");
        assert_eq!(bearing.status, expected, "after {seconds} s: {:?}", bearing.reasons);
        assert_eq!(bearing.reasons.is_empty(), expected == Status::Normal);
    }
}

#[test]
fn one_sensor_goes_stale_and_comes_back() {
    let engine = told();
    assert_eq!(twin(&at(&engine, 10), "mixer-01").freshness, Freshness::Live);
    assert_eq!(twin(&at(&engine, 120), "mixer-01").freshness, Freshness::Stale);
    assert_eq!(twin(&at(&engine, 200), "mixer-01").freshness, Freshness::Live);
}

#[test]
fn a_source_drops_off_and_returns() {
    let engine = told();
    assert_eq!(twin(&at(&engine, 60), "agv-01").freshness, Freshness::Live);
    assert_eq!(twin(&at(&engine, 100), "agv-01").freshness, Freshness::Offline);
    assert_eq!(twin(&at(&engine, 180), "agv-01").freshness, Freshness::Live);
}

#[test]
fn a_process_alarm_rises_and_clears() {
    let engine = told();
    let state = |seconds| {
        let report = at(&engine, seconds);
        twin(&report, "tank-02").alarms.iter().find(|alarm| alarm.id.contains("high")).unwrap().state
    };
    assert_eq!(state(20), AlarmState::Normal);
    assert_eq!(state(75), AlarmState::UnackActive);
    assert_eq!(state(150), AlarmState::Normal);
}
