//! A what-if run that goes on in slices. Knows no clock and no store: values at the fork come in, samples go out.

use std::collections::BTreeMap;

use twin_model::{KnobIndex, Model, SignalIndex, Span, Timestamp};

use crate::ScenarioError;
use crate::cell::Cell;
use crate::fork::{self, Begin, LeftOut};
use crate::knobs::{self, Effect, Reset};
use crate::plan::{self, Plan, target_signal};

/// Most steps that a run may have, for example 115 days in steps of 1 s.
pub const MAX_STEPS: u64 = 10_000_000;
/// Outputs that may wait for [`Run::drain`]; a run with more refuses to step on (about 2 MiB).
pub const MAX_PENDING: usize = 65_536;

/// A question to the plant's models: what happens from `fork` on if these knobs are turned?
///
/// A run is a pure function of the model, the scenario and the values at the fork; the same everywhere to the bit.
/// The baseline of a scenario is the same scenario without settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name for people.
    pub name: String,
    /// The moment from which the future is computed.
    pub fork: Timestamp,
    /// How far ahead, longer than zero; the run ends at `fork + horizon`, included.
    pub horizon: Span,
    /// Time between outputs, longer than zero. The last step is shorter where it does not divide the horizon.
    /// States read the step before: keep it well below the time constants of models that feed back on each other.
    pub step: Span,
    /// Part of the scenario's identity. Models have no noise yet, so that nothing depends on it.
    pub seed: u64,
    /// Knob settings, in any order, each knob at most once. Setting a knob to its neutral value is no setting.
    pub settings: Vec<(KnobIndex, f64)>,
}

impl Scenario {
    /// The same question with no knob turned.
    #[must_use]
    pub fn baseline(&self) -> Self {
        Self { settings: Vec::new(), ..self.clone() }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Whether the horizon is reached; outputs may still wait to be drained.
    pub done: bool,
    /// Simulated share of the horizon, 0 to 1.
    pub fraction: f32,
    /// Simulated time after the fork.
    pub simulated: Span,
}

/// A model that gave no finite number somewhere in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The signal that it computes.
    pub signal: SignalIndex,
    /// The first instant without a number; the signal has its value of before there.
    pub first: Timestamp,
    /// At how many instants there was none; the value of before holds over those in a row.
    pub instants: u64,
}

/// A run in progress. Cancel it by dropping it.
///
/// At every instant, states (lag, integrate, growth) follow from all values one step before; then assignments follow
/// from the states and from each other, inputs first. Knobs act on outputs: a scaled integral is shown, and read by
/// others, scaled, while what it integrates stays. Bounds come last. A model that gives no finite number keeps its
/// value for that step, which [`Self::faults`] tells. Resets happen at the first instant at or after their moment.
/// Signals without a model hold their value at the fork.
///
/// Assignments and lags start exactly at the observed value: what a model gets wrong at the fork is carried on as a
/// constant output bias, as in model-predictive control ([`Self::offsets`]). A lag therefore counts as settled at the fork:
/// one that was still on its way there stays where it is until its inputs move. Models with
/// [`ProcessStart::Model`](twin_model::ProcessStart::Model) follow their equation instead, without a bias, and so do those without
/// an observed value ([`Self::begins`]).
#[derive(Debug)]
pub struct Run {
    scenario: Scenario,
    columns: Vec<f64>,
    states: Vec<Cell>,
    assigns: Vec<Cell>,
    /// Whether some model follows from itself.
    feeds_back: bool,
    /// Of `states`, for a full step.
    gains: Vec<f64>,
    held: Vec<Held>,
    effects: Vec<Vec<Effect>>,
    resets: Vec<Reset>,
    /// How many of `resets` have happened.
    resets_done: usize,
    left_out: Vec<LeftOut>,
    begins: Vec<Begin>,
    inputs: Vec<SignalIndex>,
    offsets: Vec<(SignalIndex, f64)>,
    emits: Vec<Emit>,
    pending: Vec<(SignalIndex, Timestamp, f64)>,
    steps: u64,
    steps_done: u64,
    /// First instant and count of those without a number, by column.
    faults: BTreeMap<usize, (Timestamp, u64)>,
    /// Columns without a number at the instant that is computed.
    lost: Vec<usize>,
}

/// A column that a knob targets and no model computes.
#[derive(Debug, Clone, Copy)]
struct Held {
    column: usize,
    value: f64,
}

/// A column that is handed out.
#[derive(Debug, Clone, Copy)]
struct Emit {
    column: usize,
    signal: SignalIndex,
    /// At every instant; else only at the fork, at changes and at the end.
    always: bool,
    last: f64,
}

impl Run {
    /// Prepares a run. `state_at_fork` gives the value of a signal that may speak for the fork, switches as 0 and 1. Where there is
    /// none, or one that is not finite, assignments and lags begin as their equation says ([`Self::begins`]), and models that
    /// can't do without it are left out ([`Self::left_out`]).
    ///
    /// # Errors
    /// Everything that is wrong with the site's models and knobs, or else with the scenario; never empty.
    pub fn new(
        model: &Model,
        scenario: Scenario,
        state_at_fork: &dyn Fn(SignalIndex) -> Option<f64>,
    ) -> Result<Self, Vec<ScenarioError>> {
        let plan = plan::compile(model)?;
        let mut errors = Vec::new();
        let steps = count_steps(&scenario, &mut errors);
        let start = fork::start(&plan, state_at_fork);
        let has_value = |column: usize| start.columns.get(column).is_some_and(|v| v.is_finite());
        let turned = knobs::turn(model, &plan, &scenario, &has_value, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let held = held_columns(model, &plan, &start);
        let mut run = Self {
            feeds_back: plan.feeds_back(),
            gains: start.states.iter().map(|cell| cell.gain(scenario.step)).collect(),
            emits: emits(&plan, &start, &held),
            offsets: offsets(&plan, &start),
            inputs: start.inputs(&plan),
            columns: start.columns,
            states: start.states,
            assigns: start.assigns,
            left_out: start.left_out,
            begins: start.begins,
            effects: turned.effects,
            resets: turned.resets,
            resets_done: 0,
            pending: Vec::new(),
            steps_done: 0,
            faults: BTreeMap::new(),
            lost: Vec::new(),
            scenario,
            held,
            steps,
        };
        run.settle();
        Ok(run)
    }

    /// Simulates at most `budget_steps` steps further. Slicing never changes a result.
    ///
    /// Stops early while [`MAX_PENDING`] outputs or more wait: drain after every call.
    pub fn step(&mut self, budget_steps: u32) -> Progress {
        for _ in 0..budget_steps {
            if self.is_done() || self.pending.len() >= MAX_PENDING {
                break;
            }
            self.advance();
        }
        self.progress()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let simulated = self.simulated();
        let fraction = simulated.as_secs_f64() / self.scenario.horizon.as_secs_f64();
        Progress { done: self.is_done(), fraction: fraction as f32, simulated }
    }

    /// Whether the horizon is reached.
    pub const fn is_done(&self) -> bool {
        self.steps_done >= self.steps
    }

    /// Hands out the samples produced since the last call, by time and then by signal: every simulated signal at the
    /// fork and after every step; signals that a knob targets and no model computes at the fork, at changes and at the
    /// end. Times lie in `fork..=fork + horizon`; values are finite. Store them as predicted.
    pub fn drain(&mut self, take: &mut dyn FnMut(SignalIndex, Timestamp, f64)) {
        for (signal, t, value) in self.pending.drain(..) {
            take(signal, t, value);
        }
    }

    /// What is being run.
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The signals that [`Self::drain`] hands out, ascending.
    pub fn signals(&self) -> impl Iterator<Item = SignalIndex> + '_ {
        self.emits.iter().map(|emit| emit.signal)
    }

    /// Models that this run does without, by signal.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Where the models that run begin, by signal.
    pub fn begins(&self) -> &[Begin] {
        &self.begins
    }

    /// Signals that models which run read and none of them computes, in ascending order: what they were at the fork counts all along.
    pub fn inputs(&self) -> &[SignalIndex] {
        &self.inputs
    }

    /// What models that start as observed carry on from the fork, in the signal's unit: the observed value minus what the
    /// equation gives there. By signal; models without a difference are left out. A later reset changes it for its signal.
    pub fn offsets(&self) -> &[(SignalIndex, f64)] {
        &self.offsets
    }

    /// Whether some model of the site follows from itself, so that its numbers depend on the step: one that is long beside the time in which
    /// the models answer each other makes them swing or run away ([`depends_on_step`](crate::depends_on_step) tells).
    pub const fn feeds_back(&self) -> bool {
        self.feeds_back
    }

    /// Models that gave no finite number at some instants up to now, for example where they divide by zero, and kept their value;
    /// by signal.
    pub fn faults(&self) -> Vec<Fault> {
        let of = |emit: &Emit| {
            let (first, instants) = *self.faults.get(&emit.column)?;
            Some(Fault { signal: emit.signal, first, instants })
        };
        self.emits.iter().filter_map(of).collect()
    }

    fn simulated(&self) -> Span {
        let steps = i64::try_from(self.steps_done).unwrap_or(i64::MAX);
        (self.scenario.step * steps).min(self.scenario.horizon)
    }

    fn advance(&mut self) {
        let before = self.simulated();
        self.steps_done += 1;
        let length = self.simulated() - before;
        let full = length == self.scenario.step;
        for (cell, gain) in self.states.iter_mut().zip(&self.gains) {
            let gain = if full { *gain } else { cell.gain(length) };
            if !cell.advance(&self.columns, gain) {
                self.lost.push(cell.rule.column);
            }
        }
        self.settle();
    }

    /// Everything that happens at one instant: resets, outputs, samples.
    fn settle(&mut self) {
        let now = self.simulated();
        while let Some(reset) = self.resets.get(self.resets_done).copied().filter(|reset| reset.at <= now) {
            self.resets_done += 1;
            self.reset(reset);
        }
        for held in &self.held {
            show(&mut self.columns, &self.effects, held.column, held.value, None);
        }
        for cell in self.states.iter_mut().chain(&mut self.assigns) {
            let raw = cell.output(&self.columns);
            if !show(&mut self.columns, &self.effects, cell.rule.column, raw, Some(cell)) {
                self.lost.push(cell.rule.column);
            }
        }
        self.note(self.scenario.fork + now);
        self.emit(self.scenario.fork + now);
    }

    fn reset(&mut self, reset: Reset) {
        for cell in self.states.iter_mut().chain(&mut self.assigns).filter(|cell| cell.rule.column == reset.column) {
            cell.reset(reset.value);
        }
        for held in self.held.iter_mut().filter(|held| held.column == reset.column) {
            held.value = reset.value;
        }
    }

    /// Counts what has no number at this instant.
    fn note(&mut self, t: Timestamp) {
        self.lost.sort_unstable();
        self.lost.dedup();
        for column in self.lost.drain(..) {
            self.faults.entry(column).or_insert((t, 0)).1 += 1;
        }
    }

    fn emit(&mut self, t: Timestamp) {
        let edge = self.steps_done == 0 || self.is_done();
        for emit in &mut self.emits {
            let value = self.columns.get(emit.column).copied().unwrap_or(emit.last);
            if emit.always || edge || value.to_bits() != emit.last.to_bits() {
                self.pending.push((emit.signal, t, value));
                emit.last = value;
            }
        }
    }
}

/// Writes an output through knobs and bounds into its column; false where that gives no finite number.
fn show(columns: &mut [f64], effects: &[Vec<Effect>], column: usize, raw: f64, cell: Option<&Cell>) -> bool {
    let turned = effects.get(column).into_iter().flatten().fold(raw, |value, effect| effect.apply(value));
    let value = cell.map_or(turned, |cell| cell.bounded(turned));
    if let Some(place) = columns.get_mut(column)
        && value.is_finite()
    {
        *place = value;
    }
    value.is_finite()
}

fn count_steps(scenario: &Scenario, errors: &mut Vec<ScenarioError>) -> u64 {
    let (horizon, step) = (scenario.horizon.as_micros(), scenario.step.as_micros());
    if horizon <= 0 {
        errors.push(ScenarioError::Horizon);
    }
    if step <= 0 {
        errors.push(ScenarioError::Step);
    }
    let (Ok(horizon), Ok(step)) = (u64::try_from(horizon), u64::try_from(step.max(1))) else { return 0 };
    let steps = horizon.div_ceil(step);
    if errors.is_empty() && steps > MAX_STEPS {
        errors.push(ScenarioError::TooManySteps { steps, limit: MAX_STEPS });
    }
    steps
}

/// Columns that knobs target, that have a value and that no running model computes.
fn held_columns(model: &Model, plan: &Plan, start: &fork::Start) -> Vec<Held> {
    let mut columns: Vec<usize> =
        model.knobs().iter().flat_map(|knob| &knob.targets).filter_map(|target| plan.column(target_signal(target))).collect();
    columns.sort_unstable();
    columns.dedup();
    let computed = |column: usize| start.states.iter().chain(&start.assigns).any(|cell| cell.rule.column == column);
    let value = |column: usize| start.columns.get(column).copied().filter(|v| v.is_finite());
    let held = columns.into_iter().filter(|column| !computed(*column));
    held.filter_map(|column| Some(Held { column, value: value(column)? })).collect()
}

fn offsets(plan: &Plan, start: &fork::Start) -> Vec<(SignalIndex, f64)> {
    let cells = start.states.iter().chain(&start.assigns);
    let of = |cell: &Cell| Some((*plan.signals.get(cell.rule.column)?, cell.offset()));
    let mut offsets: Vec<_> = cells.filter_map(of).filter(|(_, offset)| *offset != 0.0).collect();
    offsets.sort_by_key(|(signal, _)| *signal);
    offsets
}

fn emits(plan: &Plan, start: &fork::Start, held: &[Held]) -> Vec<Emit> {
    let computed = start.states.iter().chain(&start.assigns).map(|cell| (cell.rule.column, true));
    let mut columns: Vec<(usize, bool)> = computed.chain(held.iter().map(|held| (held.column, false))).collect();
    columns.sort_unstable();
    let emit = |(column, always)| Some(Emit { column, signal: *plan.signals.get(column)?, always, last: f64::NAN });
    columns.into_iter().filter_map(emit).collect()
}
