//! A site's process models, checked and compiled once. Knows nothing of values, knob settings or time.

use std::collections::{BTreeMap, BTreeSet};

use twin_expr::program::{self, Program};
use twin_model::{KnobTarget, Model, ProcessKind, ProcessModel, ProcessStart, SignalIndex, ValueKind};

use crate::ScenarioError;

/// Unknown ids for which a likely one is looked up; a site that is wrong throughout need not wait for thousands.
const MAX_SUGGESTIONS: usize = 50;
/// Characters of an expression that an error repeats.
const MAX_QUOTE: usize = 200;

/// How one signal follows from others, in columns.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// The column that it computes.
    pub(crate) column: usize,
    /// How.
    pub(crate) kind: ProcessKind,
    /// From what.
    pub(crate) program: Program,
    /// Bounds, low and high.
    pub(crate) clamp: Option<(f64, f64)>,
    /// Where it begins.
    pub(crate) start: ProcessStart,
}

/// The compiled models. Columns are the signals that are modelled, read by a model or turned by a knob.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Signals of the columns, ascending.
    pub(crate) signals: Vec<SignalIndex>,
    /// Lag, integrate and growth models, by column; they read the previous step.
    pub(crate) states: Vec<Rule>,
    /// Assign models, each after the assign models that it reads.
    pub(crate) assigns: Vec<Rule>,
}

impl Plan {
    /// Whether some model follows from itself, by way of others or at once. What a lag does to its own value is none of that: its steps
    /// are exact whatever their length.
    pub(crate) fn feeds_back(&self) -> bool {
        let rules: BTreeMap<usize, &Rule> = self.states.iter().chain(&self.assigns).map(|rule| (rule.column, rule)).collect();
        // Takes away whatever reads nothing that is left: what then remains reads each other in a circle, or what is in one.
        let mut left: BTreeSet<usize> = rules.keys().copied().collect();
        loop {
            let reads = |column: &usize| {
                let inputs = rules.get(column).into_iter().flat_map(|rule| rule.program.inputs());
                inputs.into_iter().any(|input| left.contains(&(*input as usize)))
            };
            let free: Vec<usize> = left.iter().filter(|column| !reads(column)).copied().collect();
            if free.is_empty() {
                return !left.is_empty();
            }
            free.iter().for_each(|column| {
                left.remove(column);
            });
        }
    }

    /// The column of a signal.
    pub(crate) fn column(&self, signal: SignalIndex) -> Option<usize> {
        self.signals.binary_search(&signal).ok()
    }
}

/// Everything that is wrong with the site's process models and knobs, in model order; empty where all is well.
///
/// The faults of a scenario itself (settings, horizon, missing values) are found by [`Run::new`](crate::Run::new).
pub fn check(model: &Model) -> Vec<ScenarioError> {
    compile(model).err().unwrap_or_default()
}

/// Compiles all models.
///
/// # Errors
/// Everything that [`check`] finds.
pub(crate) fn compile(model: &Model) -> Result<Plan, Vec<ScenarioError>> {
    let mut errors = Vec::new();
    let mut programs: BTreeMap<SignalIndex, (&ProcessModel, Program)> = BTreeMap::new();
    let mut suggestions = MAX_SUGGESTIONS;
    for process in model.processes() {
        check_shape(model, process, &mut errors);
        match compile_one(model, process, &mut suggestions) {
            Ok(program) => {
                if programs.insert(process.signal, (process, program)).is_some() {
                    errors.push(ScenarioError::TwoModels { signal: id(model, process.signal) });
                }
            }
            Err(error) => errors.push(error),
        }
    }
    check_knobs(model, &mut errors);
    let signals = columns(model, &programs, &mut errors);
    let rules: Vec<Rule> = programs.values().filter_map(|(process, program)| rule(&signals, process, program)).collect();
    let (assigns, states) = rules.into_iter().partition(|rule| rule.kind == ProcessKind::Assign);
    let assigns = in_order(model, &signals, assigns, &mut errors);
    if errors.is_empty() { Ok(Plan { signals, states, assigns }) } else { Err(errors) }
}

fn id(model: &Model, signal: SignalIndex) -> String {
    model.signal(signal).id.to_string()
}

fn check_shape(model: &Model, process: &ProcessModel, errors: &mut Vec<ScenarioError>) {
    let signal = id(model, process.signal);
    if let ProcessKind::Lag { tau } = process.kind
        && tau.as_micros() <= 0
    {
        errors.push(ScenarioError::Tau { signal: signal.clone() });
    }
    if let Some((low, high)) = process.clamp {
        // One infinite bound is a fair way to say "at least"; NaN and crossed bounds hold no value.
        if low.is_nan() || high.is_nan() || low > high || low == f64::INFINITY || high == f64::NEG_INFINITY {
            errors.push(ScenarioError::Clamp { signal: signal.clone(), low, high });
        }
    }
    if model.signal(process.signal).value_kind == ValueKind::Text {
        let user = format!("the model of '{signal}'");
        errors.push(ScenarioError::TextSignal { user, modelled: Some(signal.clone()), signal });
    }
}

fn compile_one(model: &Model, process: &ProcessModel, suggestions: &mut usize) -> Result<Program, ScenarioError> {
    let mut resolve = |wanted: &str| match model.find_signal(wanted) {
        Some(signal) => Ok(signal.0),
        None => Err(suggest(model, wanted, suggestions)),
    };
    program::parse(&process.expr, &mut resolve).map_err(|error| ScenarioError::Expr {
        signal: id(model, process.signal),
        expr: process.expr.chars().take(MAX_QUOTE).collect(),
        error,
    })
}

fn suggest(model: &Model, wanted: &str, left: &mut usize) -> String {
    let found = if *left > 0 { twin_expr::nearest(wanted, model.signals().iter().map(|s| s.id.as_str())) } else { None };
    *left = left.saturating_sub(1);
    match found {
        Some(near) => format!("did you mean '{near}'?"),
        None => "signals are written <twin id>.<signal name>".to_owned(),
    }
}

fn check_knobs(model: &Model, errors: &mut Vec<ScenarioError>) {
    for knob in model.knobs() {
        for target in &knob.targets {
            let signal = target_signal(target);
            if model.signal(signal).value_kind == ValueKind::Text {
                let user = format!("knob '{}'", knob.id);
                errors.push(ScenarioError::TextSignal { user, modelled: None, signal: id(model, signal) });
            }
            if let KnobTarget::ResetAt { value, .. } = target
                && !value.is_finite()
            {
                errors.push(ScenarioError::ResetValue { knob: knob.id.clone(), signal: id(model, signal) });
            }
        }
    }
}

/// The signal of a target.
pub(crate) const fn target_signal(target: &KnobTarget) -> SignalIndex {
    match target {
        KnobTarget::Scale(signal) | KnobTarget::Offset(signal) | KnobTarget::Set(signal) | KnobTarget::ResetAt { signal, .. } => {
            *signal
        }
    }
}

fn columns(
    model: &Model,
    programs: &BTreeMap<SignalIndex, (&ProcessModel, Program)>,
    errors: &mut Vec<ScenarioError>,
) -> Vec<SignalIndex> {
    let mut signals: Vec<SignalIndex> = programs.keys().copied().collect();
    for (signal, (_, program)) in programs {
        for input in program.inputs().iter().copied().map(SignalIndex) {
            if model.signal(input).value_kind == ValueKind::Text {
                let modelled = id(model, *signal);
                let user = format!("the model of '{modelled}'");
                errors.push(ScenarioError::TextSignal { user, modelled: Some(modelled), signal: id(model, input) });
            }
            signals.push(input);
        }
    }
    signals.extend(model.knobs().iter().flat_map(|knob| &knob.targets).map(target_signal));
    signals.sort_unstable();
    signals.dedup();
    signals
}

fn rule(signals: &[SignalIndex], process: &ProcessModel, program: &Program) -> Option<Rule> {
    let column = |signal: SignalIndex| signals.binary_search(&signal).ok();
    let program = program.renamed(|signal| column(SignalIndex(signal)).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX));
    let (clamp, start) = (process.clamp, process.start);
    Some(Rule { column: column(process.signal)?, kind: process.kind.clone(), program, clamp, start })
}

fn in_order(model: &Model, signals: &[SignalIndex], rules: Vec<Rule>, errors: &mut Vec<ScenarioError>) -> Vec<Rule> {
    let at: BTreeMap<usize, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.column, at)).collect();
    let reads: Vec<Vec<usize>> = rules
        .iter()
        .map(|rule| rule.program.inputs().iter().filter_map(|input| at.get(&(*input as usize)).copied()).collect())
        .collect();
    match twin_expr::after_inputs(&reads) {
        Ok(order) => order.into_iter().filter_map(|at| rules.get(at).cloned()).collect(),
        Err(circles) => {
            let name = |at: &usize| rules.get(*at).and_then(|r| signals.get(r.column)).map(|s| id(model, *s));
            for circle in circles {
                errors.push(ScenarioError::Cycle { signals: circle.iter().filter_map(name).collect() });
            }
            rules
        }
    }
}
