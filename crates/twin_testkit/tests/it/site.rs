//! The demo site's file against the generator that feeds it: names, ranges, rules, the visible story, process models.

use std::collections::BTreeMap;
use std::path::PathBuf;

use twin_health::{Machine, State};
use twin_model::{
    AlarmCondition, AlarmState, Model, ProcessKind, RuleKind, Sample, SignalIndex, SignalKind, Span, Status, TimeRange,
    Timestamp, Value, ValueKind,
};
use twin_site::LoadedSite;
use twin_site::check::{AssetState, check};
use twin_testkit::plant::{Bottling, HISTORY, story};

/// 2026-03-02T10:00:00Z, a working morning.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_772_445_600);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/sites/bottling")
}

pub(crate) fn load() -> LoadedSite {
    let text = std::fs::read_to_string(folder().join("site.toml")).expect("the demo site");
    twin_site::load(&text, "site.toml", &mut |path| std::fs::read(folder().join(path)).map_err(|error| error.to_string()))
}

pub(crate) fn after(seconds: i64) -> Timestamp {
    START + Span::from_secs(seconds)
}

#[test]
fn the_site_loads_without_a_finding() {
    let site = load();
    for finding in &site.diagnostics {
        eprintln!("{finding:?}");
    }
    assert!(site.diagnostics.is_empty());
    assert!(site.model.twins().len() >= 62, "{}", site.model.twins().len());
    assert!(site.model.signals().len() >= 300, "{}", site.model.signals().len());
    assert!(site.model.knobs().len() >= 4);
    assert!(site.model.alarms().len() >= 20);
}

#[test]
fn every_twin_measures_or_contains_something() {
    for twin in load().model.twins() {
        assert!(!twin.signals.is_empty() || !twin.children.is_empty(), "{}", twin.id);
    }
}

#[test]
fn the_site_declares_exactly_the_signals_of_the_plant() {
    let model = load().model;
    let plant = Bottling::new(7, START);
    let infos: BTreeMap<&str, _> = plant.signals().iter().map(|info| (info.id.as_str(), info)).collect();
    for signal in model.signals() {
        let info = infos.get(signal.id.as_str()).unwrap_or_else(|| panic!("the plant has no {}", signal.id));
        assert_eq!(signal.kind, info.kind, "{}", signal.id);
        assert_eq!(signal.value_kind, info.value_kind, "{}", signal.id);
        assert_eq!(signal.expected_period, info.period, "{}", signal.id);
        assert_eq!(signal.range, info.range, "{}", signal.id);
        assert_eq!(signal.unit.0, if info.unit == "1" { "1" } else { info.unit }, "{}", signal.id);
        let source = signal.source.map(|at| model.sources()[at.at()].id.as_str());
        assert_eq!(source, Some(info.source), "{}", signal.id);
    }
    for id in infos.keys() {
        assert!(model.find_signal(id).is_some(), "the site does not declare {id}");
    }
}

/// History is made at ten seconds; nothing may look late or stale for that alone.
#[test]
fn ages_allow_for_a_history_of_ten_seconds() {
    for signal in load().model.signals() {
        if signal.expected_period.is_some() {
            assert!(signal.late_limit() > Some(Span::from_secs(10)), "{}", signal.id);
            assert!(signal.stale_limit() > signal.late_limit(), "{}", signal.id);
        }
    }
}

#[test]
fn words_in_rules_and_alarms_are_words_of_the_plant() {
    let model = load().model;
    let plant = Bottling::new(7, START);
    let known = |signal: SignalIndex, value: &Value| {
        let id = model.signal(signal).id.as_str();
        let info = plant.signals().iter().find(|info| info.id == id).expect("a signal of the plant");
        value.as_text().is_some_and(|word| info.words.contains(&word))
    };
    for rule in model.rules() {
        if let RuleKind::Match { cases, .. } = &rule.kind {
            assert!(cases.iter().all(|(value, _)| known(rule.signal, value)), "{} of {}", rule.id, model.twin(rule.twin).id);
        }
    }
    for alarm in model.alarms() {
        if let AlarmCondition::Reported { states, .. } = &alarm.condition {
            assert!(states.iter().all(|(value, _)| known(alarm.signal, value)), "{}", alarm.id);
        }
    }
}

/// Folds every rule and alarm of the site over a time of the plant; `seen` gets each change.
fn fold(model: &Model, from: i64, to: i64, least: Option<Span>, seen: &mut dyn FnMut(bool, usize, f64, &State)) {
    let mut plant = Bottling::new(7, START);
    let columns: Vec<SignalIndex> = plant.signal_ids().map(|id| model.find_signal(id).expect(id)).collect();
    let mut machines: Vec<Vec<(bool, usize)>> = vec![Vec::new(); model.signals().len()];
    for (at, rule) in model.rules().iter().enumerate() {
        machines[rule.signal.at()].push((true, at));
    }
    for (at, alarm) in model.alarms().iter().enumerate() {
        machines[alarm.signal.at()].push((false, at));
    }
    let mut states: BTreeMap<(bool, usize), State> = BTreeMap::new();
    plant.samples(TimeRange::new(after(from), after(to)), least, &mut |column, sample| {
        for key in &machines[columns[column].at()] {
            let machine =
                if key.0 { Machine::Rule(&model.rules()[key.1].kind) } else { Machine::Alarm(&model.alarms()[key.1].condition) };
            let (state, adopted) = machine.step(states.remove(key), &sample);
            for state in &adopted {
                seen(key.0, key.1, state.since.since(START).as_secs_f64(), state);
            }
            states.insert(*key, state);
        }
    });
}

#[test]
fn the_story_is_told_by_the_rules() {
    let model = load().model;
    let mut bearing = Vec::new();
    let mut alarm = Vec::new();
    let mut others = BTreeMap::new();
    fold(&model, -600, 700, None, &mut |is_rule, at, second, state| {
        if is_rule {
            let rule = &model.rules()[at];
            let twin = model.twin(rule.twin).id.as_str();
            if twin == "filler-bearing-01" && rule.id == "vibration" {
                bearing.push((state.outcome.status(), second));
            } else if state.outcome.status() != Status::Normal && second > 0.0 {
                others.entry(format!("{twin} {}", rule.id)).or_insert((second, state.outcome.status()));
            }
        } else if model.alarms()[at].id == story::ALARM {
            alarm.push((state.outcome.alarm(), second));
        }
    });
    eprintln!("bearing {bearing:?}\nalarm {alarm:?}\nothers {others:#?}");
    let told = [
        (Status::Maintenance, story::MAINTENANCE + 5),
        (Status::OutOfSpecification, story::OUT_OF_SPECIFICATION + 5),
        (Status::Failure, story::FAILURE + 5),
    ];
    for (status, second) in told {
        let when = bearing.iter().find(|(s, _)| *s == status).expect("the status is reached").1;
        assert!((when - second as f64).abs() <= 5.0, "{status:?} at {when}, told {second}");
    }
    assert_eq!(bearing.last().map(|(s, _)| *s), Some(Status::Normal), "repaired at the end");
    let rises = alarm.iter().find(|(s, _)| *s == AlarmState::UnackActive).expect("the alarm rises").1;
    let clears = alarm.iter().find(|(s, t)| *s == AlarmState::Normal && *t > rises).expect("the alarm clears").1;
    assert!((44.0..56.0).contains(&rises) && (90.0..110.0).contains(&clears), "rises {rises}, clears {clears}");
}

/// Normal operation is quiet: in the day before, few rules leave normal, and the told incidents are among them.
#[test]
fn the_day_before_is_mostly_quiet() {
    let model = load().model;
    let mut changes: BTreeMap<String, usize> = BTreeMap::new();
    let mut alarms: BTreeMap<String, usize> = BTreeMap::new();
    fold(&model, -HISTORY, 0, Some(Span::from_secs(10)), &mut |is_rule, at, _, state| {
        if is_rule && state.outcome.status() != Status::Normal {
            let rule = &model.rules()[at];
            *changes.entry(format!("{} {}", model.twin(rule.twin).id, rule.id)).or_default() += 1;
        } else if !is_rule && state.outcome.alarm().is_active() {
            *alarms.entry(model.alarms()[at].id.clone()).or_default() += 1;
        }
    });
    eprintln!("rules {changes:#?}\nalarms {alarms:#?}");
    for expected in
        ["filler-bearing-01 vibration", "labeller-01 state", "compressor-01 state", "chiller-01 state", "ahu-02 filter"]
    {
        assert!(changes.contains_key(expected), "{expected}");
    }
    for expected in ["compressor-01.trip", "chiller-01.supply-warm", "filler-bearing-01.vibration-trip"] {
        assert!(alarms.contains_key(expected), "{expected}");
    }
    for (rule, count) in &changes {
        assert!(*count <= 40, "{rule} leaves normal {count} times a day");
    }
    let total: usize = alarms.values().sum();
    assert!(total <= 144, "{total} alarms a day; EEMUA 191 calls one in ten minutes manageable");
}

/// In steady running the process models say what the plant measures, so that a what-if run starts without a jump.
#[test]
fn process_models_agree_with_the_plant_in_steady_running() {
    let model = load().model;
    let mut plant = Bottling::new(7, START);
    let columns: Vec<SignalIndex> = plant.signal_ids().map(|id| model.find_signal(id).expect(id)).collect();
    // Means over a quiet minute before the story.
    let mut sums = vec![(0.0, 0.0); model.signals().len()];
    plant.samples(TimeRange::new(after(-130), after(-70)), None, &mut |column, sample: Sample| {
        if let Some(v) = sample.value.as_f64() {
            let slot = &mut sums[columns[column].at()];
            *slot = (slot.0 + v, slot.1 + 1.0);
        }
    });
    let means: Vec<f64> = sums.iter().map(|(sum, n)| sum / n).collect();
    let mut wrong = Vec::new();
    for process in model.processes() {
        let signal = model.signal(process.signal);
        let mut resolve = |id: &str| model.find_signal(id).map(|at| at.0).ok_or_else(|| format!("no signal {id}"));
        let program = twin_expr::program::parse(&process.expr, &mut resolve).unwrap_or_else(|e| panic!("{}: {e}", signal.id));
        let says = program.eval(&means);
        let says = process.clamp.map_or(says, |(low, high)| says.clamp(low, high));
        assert!(says.is_finite(), "{} = {says}", signal.id);
        for input in program.inputs() {
            assert_ne!(model.signals()[*input as usize].value_kind, ValueKind::Text, "{} reads a word", signal.id);
        }
        let measured = means[process.signal.at()];
        let slow = matches!(process.kind, ProcessKind::Lag { tau } if tau >= Span::from_secs(300));
        let compares = matches!(process.kind, ProcessKind::Assign | ProcessKind::Lag { .. });
        // Slow lags may still be on their way; tank levels and compressors cycle.
        let room = if slow { 0.12 } else { 0.06 } * measured.abs().max(says.abs()) + 0.4;
        if compares && (says - measured).abs() > room {
            wrong.push(format!("{}: measured {measured:.3}, model {says:.3}", signal.id));
        }
    }
    assert!(model.processes().len() > 80, "{}", model.processes().len());
    eprintln!("{wrong:#?}");
    // These cycle in the plant (batches, compressors) or catch up after a stop (buffers); their models give the mean.
    let allowed = [
        "tank-01.inflow",
        "tank-03.inflow",
        "switchgear-01.active_power",
        "utilities.power",
        "pump-04.",
        "motor-04.",
        "palletizer-01.",
        "wrapper-01.",
        "packing-line.throughput",
    ];
    wrong.retain(|line| !allowed.iter().any(|id| line.starts_with(id)));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_numbers_have_process_models_and_counters_are_integrated() {
    let model = load().model;
    for process in model.processes() {
        let signal = model.signal(process.signal);
        assert!(matches!(signal.value_kind, ValueKind::Float | ValueKind::Int), "{}", signal.id);
        if signal.kind == SignalKind::Counter {
            assert_eq!(process.kind, ProcessKind::Integrate, "{}", signal.id);
        }
    }
}

/// What `orrery check` says of the demo: nothing. Each twin has its nodes, each node with geometry its twin or is architecture.
#[test]
fn every_twin_and_node_of_the_hall_is_bound() {
    let site = load();
    let bytes = std::fs::read(folder().join("hall.glb")).expect("the hall");
    let mut none = |path: &str| Err(format!("{path}: the hall is one file"));
    let hall = twin_geometry::glb::load(&bytes, &mut none, &twin_geometry::glb::Limits::default()).expect("a readable hall");
    let report = check(&site, &[AssetState::of(0, &hall)]);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.summary.bound_twins, report.summary.twins);
    assert!(report.summary.nodes >= 400, "{:?}", report.summary);
}
