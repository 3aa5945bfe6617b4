//! What is here, judged by another model: as if that model had been there from the start.

use proptest::prelude::*;
use twin_engine::{Engine, EngineCommand, EngineConfig, SeekTo};
use twin_model::{Sample, SignalIndex, Span, TimeRange};

use crate::plant::{LEVEL, PUMP, SPEED, VIBRATION, at, engine, model_with, reading};

/// Everything that an engine says about a minute and a half.
fn said(e: &Engine) -> Vec<String> {
    let whole = TimeRange::new(at(-5), at(90));
    let mut said: Vec<String> = (-5..90).map(|t| format!("{:?}", e.state_at(at(t)))).collect();
    said.push(format!("{:?}", e.events(whole, 1_000)));
    said.push(format!("{:?} {:?}", e.status_strip(None, whole), e.status_strip(Some(PUMP), whole)));
    said
}

fn samples() -> impl Strategy<Value = Vec<(SignalIndex, Sample)>> {
    let signal = prop::sample::select(vec![VIBRATION, SPEED, LEVEL]);
    prop::collection::vec(
        (signal, 0i64..80, 0u32..110).prop_map(|(signal, t, value)| reading(signal, t, f64::from(value) / 9.0)),
        0..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 64 }))]

    #[test]
    fn another_model_judges_what_is_here_as_if_it_had_been_there_from_the_start(
        before in samples(), after in samples(), limits in (1u32..11, 1u32..11),
    ) {
        let (first, second) = (model_with(f64::from(limits.0)), model_with(f64::from(limits.1)));
        let mut changed = Engine::new(first.clone(), EngineConfig::default());
        changed.ingest(&before);
        changed.apply(EngineCommand::Seek(SeekTo::Exact(at(40)))).unwrap();
        changed.refresh();
        prop_assert!(changed.judge_by(second.clone()));
        prop_assert_eq!(changed.playback().playhead(), at(40), "the clock stands where it stood");
        changed.ingest(&after);
        let mut fresh = Engine::new(second, EngineConfig::default());
        fresh.ingest(&before);
        fresh.ingest(&after);
        prop_assert_eq!(said(&changed), said(&fresh));
        fresh.apply(EngineCommand::Seek(SeekTo::Exact(at(40)))).unwrap();
        fresh.refresh();
        let news = changed.refresh();
        prop_assert!(news.all, "every twin is looked at anew");
        prop_assert_eq!(format!("{:?}", changed.frame().twins), format!("{:?}", fresh.frame().twins));
        // And back again.
        prop_assert!(changed.judge_by(first.clone()));
        let mut fresh = Engine::new(first, EngineConfig::default());
        fresh.ingest(&before);
        fresh.ingest(&after);
        prop_assert_eq!(said(&changed), said(&fresh));
    }
}

#[test]
fn a_model_with_other_signals_or_a_what_if_branch_keeps_the_one_that_is_here() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 6.0), reading(SPEED, 0, 50.0)]);
    let before = said(&e);
    let mut other = twin_model::ModelBuilder::new(e.model().site().clone());
    other.twin("hall", "Hall", "Area", None);
    assert!(!e.judge_by(other.build().unwrap()), "its signals are others");
    assert_eq!(said(&e), before);
    let scenario = twin_scenario::Scenario {
        name: "as it is".into(),
        fork: at(0),
        horizon: Span::from_secs(60),
        step: Span::from_secs(1),
        seed: 1,
        settings: Vec::new(),
    };
    e.apply(EngineCommand::Run(scenario)).unwrap();
    assert!(!e.judge_by(model_with(7.0)), "a run is under way");
    while e.work(1_000).is_none() {}
    assert!(!e.judge_by(model_with(7.0)), "a branch is there");
}
