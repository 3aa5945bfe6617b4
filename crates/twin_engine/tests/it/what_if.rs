//! Branches: they start from the plant as it was, stay apart from reality, and say what changes.

use twin_engine::{Branch, BranchId, Engine, EngineCommand, EngineConfig, ModelStart, SeekTo};
use twin_model::{
    Band, ComputedSignal, Flags, HealthRule, Knob, KnobIndex, KnobTarget, Limit, ModelBuilder, ProcessKind, ProcessModel,
    ProcessStart, Quality, RuleIndex, RuleKind, Sample, Signal, SignalIndex, SignalKind, SiteInfo, Source, SourceIndex, Span,
    Status, ValueKind,
};
use twin_scenario::Scenario;
use twin_testkit::kit::SmallModel;

use crate::plant::{PUMP, SPEED, VIBRATION, at, engine, reading, signal};

fn plant() -> Engine {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 2.0), reading(SPEED, 0, 50.0), reading(VIBRATION, 100, 2.0), reading(SPEED, 100, 50.0)]);
    e.ingest(&[reading(VIBRATION, 200, 3.0)]);
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

/// A source with a link, and a machine whose signals are read from it: every kind of model, and what it needs.
struct Machine {
    e: Engine,
    link: SourceIndex,
}

const BEARING: SignalIndex = SignalIndex(0);
const POWER: SignalIndex = SignalIndex(1);
const HEAT: SignalIndex = SignalIndex(2);
const LOAD: SignalIndex = SignalIndex(3);

/// Departs here: a reading of this second is good, one of second 0 is three hours old.
const FORK: i64 = 10_800;

impl Machine {
    fn new() -> Self {
        let mut b = ModelBuilder::new(SiteInfo { id: "test".into(), name: "Test".into(), time_zone: "UTC".into() });
        let link = b.source(Source { id: "line".into(), kind: "websocket".into() });
        let machine = b.twin("m", "Machine", "Machine", None);
        let from_line = |id: &str, unit: &str| Signal { source: Some(link), ..signal(id, machine, unit) };
        let bearing = b.signal(from_line("m.bearing", "mm/s"));
        let power = b.signal(from_line("m.power", "kW"));
        let heat = b.signal(from_line("m.heat", "°C"));
        // What drives them comes on another way, and does not age.
        let load = b.signal(Signal { expected_period: None, ..signal("m.load", machine, "%") });
        let mut process = |signal, kind, expr: &str| {
            let (clamp, start) = (Some((0.0, 150.0)), ProcessStart::Observed);
            b.process(ProcessModel { signal, kind, expr: expr.to_owned(), clamp, start });
        };
        process(bearing, ProcessKind::Growth, "0.1 * m.load / 50");
        process(power, ProcessKind::Assign, "2 * m.load");
        process(heat, ProcessKind::Lag { tau: Span::from_secs(600) }, "20 + m.power / 10");
        b.rule(HealthRule {
            id: "worn".into(),
            twin: machine,
            signal: bearing,
            kind: RuleKind::Range {
                bands: vec![Band { limit: Limit::Above(7.0), status: Status::Failure }],
                deadband: 0.0,
                on_delay: Span::ZERO,
                off_delay: Span::ZERO,
            },
            note: String::new(),
        });
        b.knob(Knob {
            id: "load".into(),
            display_name: "Load".into(),
            targets: vec![KnobTarget::Scale(load)],
            unit: "%".into(),
            min: -50.0,
            max: 100.0,
            neutral: 0.0,
            step: 5.0,
        });
        let mut e = Engine::new(b.build().unwrap(), EngineConfig::default());
        e.ingest(&[reading(LOAD, FORK, 50.0)]);
        Self { e, link }
    }

    fn with(samples: &[(SignalIndex, Sample)]) -> Self {
        let mut it = Self::new();
        it.e.ingest(samples);
        it
    }

    /// What a run from there with a load 20 % up gives, and what a reader is told of it.
    fn run(&mut self) -> (&Branch, Vec<String>) {
        let scenario = Scenario {
            name: "as it is".into(),
            fork: at(FORK),
            horizon: Span::from_secs(12 * 3_600),
            step: Span::from_secs(60),
            seed: 1,
            settings: vec![(KnobIndex(0), 20.0)],
        };
        self.e.apply(EngineCommand::Run(scenario)).expect("a run that can start");
        while self.e.work(1_000).is_none() {}
        let branch = self.e.branches().last().unwrap();
        (branch, branch.remarks(self.e.model(), 9))
    }

    fn status(&self) -> Status {
        self.e.state_at(at(FORK)).twins[0].status
    }
}

/// Machines of which one signal has nothing that speaks for the fork, in every way, with the words for it. What it had would be a
/// failure.
fn machines(signal: SignalIndex) -> impl Iterator<Item = (Machine, &'static str)> {
    let of = |value: f64, quality: Quality| (signal, Sample::float(at(FORK), value).with_quality(quality));
    let null = |quality: Quality| (signal, Sample::without_value(at(FORK), ValueKind::Float, quality));
    let good = || reading(signal, FORK - 1, 9.0);
    let cases = [
        (vec![reading(signal, 0, 9.0)], true, "last reading is 3 h old"),
        (vec![reading(signal, FORK, 9.0)], false, "link down since 1970-01-01T02:59:59Z"),
        (vec![good(), of(9.0, Quality::BAD_SENSOR_FAILURE)], true, "quality bad_sensor_failure"),
        (vec![good(), of(9.0, Quality::BAD_NO_COMMUNICATION)], true, "quality bad_no_communication"),
        (vec![good(), null(Quality::BAD)], true, "last reading has no value"),
        (vec![good(), null(Quality::BAD_DATA_LOST)], true, "last reading has no value, quality bad_data_lost"),
        (vec![good(), of(f64::INFINITY, Quality::GOOD)], true, "last reading is no finite number"),
        (Vec::new(), true, "no reading"),
    ];
    cases.into_iter().map(|(samples, up, why)| {
        let mut it = Machine::with(&samples);
        it.e.note_link(it.link, at(FORK - 1), up);
        (it, why)
    })
}

fn begun(signal: SignalIndex, start: ProcessStart, took_reading: bool, why: Option<&str>) -> ModelStart {
    ModelStart { signal, start, took_reading, why: why.map(str::to_owned) }
}

#[test]
fn a_reading_that_is_good_at_the_departure_is_where_a_run_starts() {
    let mut it = Machine::with(&[reading(BEARING, FORK, 2.0), reading(POWER, FORK - 5, 110.0), reading(HEAT, FORK, 30.0)]);
    let (branch, remarks) = it.run();
    assert!(remarks.iter().all(|said| said.contains("off its equation")), "{remarks:?}");
    let observed = |signal| begun(signal, ProcessStart::Observed, true, None);
    assert_eq!(branch.starts, [observed(BEARING), observed(POWER), observed(HEAT)]);
    assert_eq!(branch.offsets, [(POWER, 10.0), (HEAT, -1.0)]);
    let first = |signal| branch.projection.store().latest_at(signal, at(FORK)).unwrap().value.as_f64();
    assert_eq!([BEARING, POWER, HEAT].map(first), [Some(2.0), Some(110.0), Some(30.0)]);
}

#[test]
fn what_is_unknown_at_the_departure_does_not_fail_at_once_in_a_run_from_there() {
    for (mut it, why) in machines(BEARING) {
        // Whether an infinity is a failure is the rule's to say; a run has no use for it.
        assert!(it.status() == Status::Unknown || why.contains("finite"), "{why}");
        let (branch, remarks) = it.run();
        let rows: Vec<_> = branch.comparison.iter().filter(|row| row.signal == BEARING).collect();
        assert!(rows.is_empty(), "{why}: {rows:?}");
        assert!(branch.starts.iter().all(|start| start.signal != BEARING), "{why}");
        let said = format!("'m.bearing' is not simulated: it has no usable value at the chosen moment ({why})");
        assert!(remarks.contains(&said), "{why}: {remarks:?}");
    }
}

#[test]
fn a_model_that_can_do_without_a_reading_starts_as_its_equation_says_and_why_is_told() {
    for signal in [POWER, HEAT] {
        for (mut it, why) in machines(signal) {
            let (branch, remarks) = it.run();
            let start = branch.starts.iter().find(|start| start.signal == signal).unwrap();
            assert_eq!(*start, begun(signal, ProcessStart::Model, false, Some(why)));
            assert!(branch.offsets.iter().all(|(of, _)| *of != signal), "{why}");
            // Power is twice the load of 50 %, heat follows that; with the load 20 % up, power is 120 kW from the fork on.
            let value =
                |record: &twin_engine::Record, s| record.store().latest_at(signal, at(s)).unwrap().value.as_f64().unwrap();
            let (base, more) = if signal == POWER { (100.0, 120.0) } else { (30.0, 32.0) };
            for s in [FORK, FORK + 40_000] {
                assert!((value(&branch.projection, s) - base).abs() < 1e-9, "{why}");
            }
            assert!((value(&branch.record, FORK + 40_000) - more).abs() < 1e-9, "{why}");
            let id = if signal == POWER { "m.power" } else { "m.heat" };
            let said = format!("{id}: starts from its model, not from a reading: {why}");
            assert!(remarks.contains(&said), "{why}: {remarks:?}");
        }
    }
}

#[test]
fn an_uncertain_reading_counts_as_it_does_for_rules_and_is_told() {
    let of = |signal, value| (signal, Sample::float(at(FORK), value).with_quality(Quality::UNCERTAIN_LAST_USABLE));
    let mut it = Machine::with(&[of(BEARING, 9.0), of(POWER, 110.0)]);
    assert_eq!(it.status(), Status::Failure, "the same rule as for health");
    let (branch, remarks) = it.run();
    let why = Some("quality uncertain_last_usable");
    assert_eq!(branch.starts[..2], [BEARING, POWER].map(|signal| begun(signal, ProcessStart::Observed, true, why)));
    let said = "m.bearing: starts from a reading that can't be fully trusted: quality uncertain_last_usable";
    assert!(remarks.contains(&said.to_owned()), "{remarks:?}");
}

#[test]
fn an_uncertain_value_that_models_read_is_told() {
    let mut e = engine();
    let speed = reading(SPEED, 100, 50.0);
    e.ingest(&[reading(VIBRATION, 100, 2.0), (speed.0, speed.1.with_quality(Quality::UNCERTAIN_LAST_USABLE))]);
    run(&mut e, Vec::new());
    let branch = &e.branches()[0];
    assert_eq!(branch.doubtful, [(SPEED, "quality uncertain_last_usable".to_owned())]);
    let said = "pump.speed: models read a value that can't be fully trusted: quality uncertain_last_usable".to_owned();
    let remarks = branch.remarks(e.model(), 3);
    assert!(remarks.contains(&said), "{remarks:?}");
}

#[test]
fn a_run_does_without_a_model_whose_input_says_nothing_about_the_departure_and_names_it() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 100, 2.0), reading(SPEED, 0, 50.0)]);
    run(&mut e, Vec::new());
    let remarks = e.branches()[0].remarks(e.model(), 3);
    let why = "'pump.speed' has no usable value at the chosen moment (last reading is 100 s old)";
    assert_eq!(remarks, [format!("'pump.vibration' is not simulated: {why}")]);
}

#[test]
fn a_knob_whose_target_says_nothing_about_the_departure_is_refused_with_the_reason() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 100, 2.0), reading(SPEED, 0, 50.0)]);
    let scenario = Scenario {
        name: "x".into(),
        fork: at(100),
        horizon: Span::from_secs(600),
        step: Span::from_secs(1),
        seed: 1,
        settings: vec![(KnobIndex(0), 10.0)],
    };
    let refused = e.apply(EngineCommand::Run(scenario)).unwrap_err().to_string();
    let why = "knob 'speed' changes 'pump.speed', which has no usable value at the chosen moment (last reading is 100 s old)";
    assert!(refused.contains(why) && refused.ends_with("choose another one"), "{refused}");
}

#[test]
fn what_follows_from_a_reading_that_says_nothing_about_the_departure_is_not_compared() {
    let mut m = SmallModel::new();
    let a = m.float("m.a");
    let b = m.signal("m.b", SignalKind::Analog, ValueKind::Float, |s| s.expected_period = Some(Span::from_secs(1)));
    let sum = m.signal("m.sum", SignalKind::Analog, ValueKind::Float, |s| s.expected_period = None);
    m.builder().computed(ComputedSignal { signal: sum, expr: "a + b".into() });
    m.process("m.a", ProcessKind::Integrate, "0.01");
    m.bands("m.sum", &[(3.0, Status::Failure)]);
    let model = m.build();
    for (old, rows) in [(0, 1), (1_000, 0)] {
        let mut e = Engine::new(model.clone(), EngineConfig::default());
        e.ingest(&[reading(a, 100 + old, 1.0), reading(b, 100, 9.0)]);
        let scenario = Scenario {
            name: "as it is".into(),
            fork: at(100 + old),
            horizon: Span::from_secs(600),
            step: Span::from_secs(10),
            seed: 1,
            settings: Vec::new(),
        };
        e.apply(EngineCommand::Run(scenario)).unwrap();
        while e.work(1_000).is_none() {}
        let branch = &e.branches()[0];
        assert_eq!(branch.comparison.iter().filter(|row| row.signal == sum).count(), rows, "{old} s old");
        let failed = e.branch_strip(branch, None).iter().any(|span| span.status == Status::Failure);
        assert_eq!(failed, rows == 1, "{old} s old");
    }
}

#[test]
fn a_model_that_gives_no_number_in_the_changed_plant_alone_is_named_with_its_moment() {
    let mut m = SmallModel::new();
    let load = m.float("m.load");
    let room = m.float("m.room");
    m.process("m.room", ProcessKind::Assign, "1000 / (60 - m.load)");
    let knob = m.knob("load", vec![KnobTarget::Offset(load)]);
    let mut e = Engine::new(m.build(), EngineConfig::default());
    e.ingest(&[reading(load, 100, 50.0), reading(room, 100, 100.0)]);
    for (settings, held) in [(vec![(knob, 10.0)], true), (vec![(knob, 5.0)], false)] {
        run(&mut e, settings);
        let branch = e.branches().last().unwrap();
        let remarks = branch.remarks(e.model(), 5).join("\n");
        let said = "m.room: its model gives no number at 721 instants of the run, from 1970-01-01T00:01:40Z on, and its value of before is held there";
        assert_eq!(remarks.contains(said), held, "{remarks}");
        assert_eq!(branch.held_in_words().len(), usize::from(held));
        assert!(branch.projection_held.is_empty(), "{:?}", branch.projection_held);
    }
}

#[test]
fn numbers_that_are_the_steps_and_not_the_models_are_told() {
    let mut m = SmallModel::new();
    let goal = m.float("m.goal");
    let x = m.float("m.x");
    // Answers within ten minutes: a step of half an hour is beyond what an explicit step can follow, one of a minute is not.
    m.process("m.x", ProcessKind::Integrate, "(m.goal - m.x) / 600");
    let model = m.build();
    for (step, told) in [(1_800, true), (60, false)] {
        let mut e = Engine::new(model.clone(), EngineConfig::default());
        e.ingest(&[reading(goal, 100, 20.0), reading(x, 100, 25.0)]);
        let (name, fork, horizon) = ("long".to_owned(), at(100), Span::from_secs(30 * 86_400));
        let scenario = Scenario { name, fork, horizon, step: Span::from_secs(step), seed: 1, settings: Vec::new() };
        e.apply(EngineCommand::Run(scenario)).unwrap();
        while e.work(1_000).is_none() {}
        let remarks = e.branches()[0].remarks(e.model(), 5).join("\n");
        assert_eq!(remarks.contains("m.x: its numbers depend on the step of"), told, "{remarks}");
        assert_eq!(e.branches()[0].unsteady.len(), usize::from(told));
    }
}
