//! Branches: they start from the plant as it was, stay apart from reality, and say what changes.

use twin_engine::{BranchId, Engine, EngineCommand, EngineConfig, SeekTo};
use twin_model::{
    Flags, KnobIndex, ModelBuilder, ProcessKind, ProcessModel, ProcessStart, RuleIndex, Signal, SiteInfo, Span, Status,
};
use twin_scenario::Scenario;

use crate::plant::{PUMP, SPEED, VIBRATION, at, engine, reading, signal};

fn plant() -> Engine {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 2.0), reading(SPEED, 0, 50.0), reading(VIBRATION, 100, 2.0), reading(VIBRATION, 200, 3.0)]);
    e
}

fn run(e: &mut Engine, settings: Vec<(KnobIndex, f64)>) -> BranchId {
    let scenario = Scenario {
        name: "Faster".into(),
        fork: at(100),
        horizon: Span::from_secs(12 * 3600),
        step: Span::from_secs(60),
        seed: 1,
        settings,
    };
    e.apply(EngineCommand::Run(scenario)).expect("a run that can start");
    for _ in 0..10_000 {
        if let Some(branch) = e.work(7) {
            return branch;
        }
    }
    panic!("the run never ends");
}

#[test]
fn a_faster_pump_fails_sooner_and_the_table_says_so() {
    let mut e = plant();
    run(&mut e, vec![(KnobIndex(0), 100.0)]);
    let branch = &e.branches()[0];
    let row = branch.comparison.iter().find(|row| row.status == Some(Status::Failure)).unwrap();
    // ln(10 / 2) / 0.2 per hour, and twice as fast.
    assert!((row.baseline.unwrap() - 8.047).abs() < 0.1, "{row:?}");
    assert!((row.scenario.unwrap() - 4.024).abs() < 0.1, "{row:?}");
    assert_eq!(row.better, Some(false));
}

#[test]
fn a_branch_scrubs_like_history_and_reality_is_untouched() {
    let mut e = plant();
    let before = e.state_at(at(200));
    let id = run(&mut e, vec![(KnobIndex(0), 100.0)]);
    assert_eq!(e.shown_branch().unwrap().id, id);
    e.apply(EngineCommand::Seek(SeekTo::Clamped(at(100 + 5 * 3600)))).unwrap();
    e.refresh();
    assert_eq!(e.frame().twins[PUMP.at()].status, Status::Failure);
    assert!(e.sample(VIBRATION).unwrap().flags.has(Flags::PREDICTED));
    assert_eq!(e.sample(SPEED).unwrap().value.as_f64(), Some(100.0));
    assert_eq!(e.state_at(at(200)), before);
    e.apply(EngineCommand::View(None)).unwrap();
    e.refresh();
    assert!(!e.sample(VIBRATION).unwrap().flags.has(Flags::PREDICTED));
}

#[test]
fn without_changes_the_branch_equals_its_projection_bit_for_bit() {
    let mut e = plant();
    run(&mut e, Vec::new());
    let branch = &e.branches()[0];
    for s in (100..43_000).step_by(601) {
        let of = |record: &twin_engine::Record| {
            record.store().latest_at(VIBRATION, at(s)).and_then(|x| x.value.as_f64()).map(f64::to_bits)
        };
        assert_eq!(of(&branch.record), of(&branch.projection), "at {s}");
    }
}

#[test]
fn before_its_fork_a_branch_shows_what_reality_said() {
    let mut e = plant();
    run(&mut e, vec![(KnobIndex(0), 100.0)]);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(50)))).unwrap();
    let said = e.reality().rule_at(RuleIndex(0), at(50));
    assert!(said.is_some() && e.rule(RuleIndex(0)) == said);
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let mut e = plant();
    let scenario = Scenario {
        name: "x".into(),
        fork: at(100),
        horizon: Span::from_secs(86_400),
        step: Span::from_secs(1),
        seed: 1,
        settings: Vec::new(),
    };
    e.apply(EngineCommand::Run(scenario)).unwrap();
    assert!(e.work(10).is_none() && e.running().is_some());
    e.apply(EngineCommand::CancelRun).unwrap();
    assert!(e.running().is_none() && e.branches().is_empty());
}

#[test]
fn a_deleted_branch_gives_the_view_back_to_reality() {
    let mut e = plant();
    let id = run(&mut e, Vec::new());
    e.apply(EngineCommand::Delete(id)).unwrap();
    assert!(e.shown_branch().is_none());
    assert!(e.apply(EngineCommand::View(Some(id))).is_err());
}

#[test]
fn all_branches_share_one_budget() {
    let mut e = twin_engine::Engine::new(
        crate::plant::model(),
        twin_engine::EngineConfig { branch_bytes: 400_000, max_branches: 50, ..twin_engine::EngineConfig::default() },
    );
    e.ingest(&(0..=60).map(|s| crate::plant::reading(crate::plant::VIBRATION, s, 1.0)).collect::<Vec<_>>());
    e.ingest(&[crate::plant::reading(crate::plant::SPEED, 60, 50.0)]);
    let mut most = 0;
    for run in 0..12 {
        let scenario = twin_scenario::Scenario {
            name: format!("run {run}"),
            fork: crate::plant::at(60),
            horizon: twin_model::Span::from_secs(3_000),
            step: twin_model::Span::from_secs(1),
            seed: 0,
            settings: vec![(twin_model::KnobIndex(0), 10.0)],
        };
        e.apply(twin_engine::EngineCommand::Run(scenario)).unwrap();
        while e.work(1_000).is_none() {}
        most = most.max(e.branch_bytes());
        assert!(!e.branches().is_empty() && e.shown_branch().is_some());
    }
    assert!(most <= 400_000, "{most} bytes");
    assert!(e.branches().len() < 12, "the oldest were forgotten");
}

/// Signals of the hall with their ranges and what each is off its equation at the fork, where the equation says 20 °C; what
/// the page writes below the results of a run, at most `most` remarks of a kind.
fn remarks(signals: &[(&str, f64, f64)], kind: &ProcessKind, start: ProcessStart, most: usize) -> Vec<String> {
    let mut b = ModelBuilder::new(SiteInfo { id: "test".into(), name: "Test".into(), time_zone: "UTC".into() });
    let hall = b.twin("hall", "Hall", "Area", None);
    let outside = b.signal(signal("hall.outside", hall, "°C"));
    let mut readings = vec![reading(outside, 100, 10.0)];
    for (id, range, off) in signals {
        let it = b.signal(Signal { range: Some((0.0, *range)), ..signal(id, hall, "°C") });
        let (kind, expr) = (kind.clone(), "2 * hall.outside".to_owned());
        b.process(ProcessModel { signal: it, kind, expr, clamp: None, start });
        readings.push(reading(it, 100, 20.0 + off));
    }
    let mut e = Engine::new(b.build().unwrap(), EngineConfig::default());
    e.ingest(&readings);
    run(&mut e, Vec::new());
    e.branches()[0].remarks(e.model(), most)
}

fn kinds() -> [ProcessKind; 2] {
    [ProcessKind::Assign, ProcessKind::Lag { tau: Span::from_secs(600) }]
}

#[test]
fn a_model_that_starts_as_observed_says_how_far_it_runs_off_its_equation() {
    for kind in kinds() {
        let said = |off: f64| remarks(&[("hall.air", 50.0, off)], &kind, ProcessStart::Observed, 3);
        assert_eq!(said(3.0), ["hall.air: starts as observed, so its model runs +3\u{2009}°C off its equation"]);
        assert_eq!(said(-3.0), ["hall.air: starts as observed, so its model runs −3\u{2009}°C off its equation"]);
        assert_eq!(said(0.0), <[&str; 0]>::default(), "what is right needs no remark: {kind:?}");
    }
}

#[test]
fn a_model_that_starts_as_its_equation_says_has_no_offset_to_tell_of() {
    for kind in kinds() {
        let said = remarks(&[("hall.air", 50.0, 3.0)], &kind, ProcessStart::Model, 3);
        assert_eq!(said, <[&str; 0]>::default(), "{kind:?}");
    }
}

#[test]
fn the_offsets_that_are_largest_for_their_instruments_are_named_and_the_rest_are_counted() {
    // 3 of 300 is less than 1 of 10.
    let signals = [("hall.a", 300.0, 3.0), ("hall.b", 10.0, 1.0), ("hall.c", 100.0, -50.0), ("hall.d", 100.0, 0.1)];
    let of = |most| remarks(&signals, &ProcessKind::Assign, ProcessStart::Observed, most);
    let named = |said: &[String]| -> Vec<String> { said.iter().map(|it| it.split(':').next().unwrap().to_owned()).collect() };
    assert_eq!(named(&of(4)), ["hall.c", "hall.b", "hall.a", "hall.d"]);
    assert_eq!(named(&of(2)), ["hall.c", "hall.b", "and 2 more models with an offset"]);
}
