//! Where a run begins: the value of every column at the fork, and which models can run at all. Knows no knobs.

use twin_model::{Model, ProcessKind, ProcessStart, SignalIndex};

use crate::cell::{Cell, bounded};
use crate::plan::{Plan, Rule};

/// A model that a run does without. Its signal holds its value at the fork, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// The modelled signal.
    pub signal: SignalIndex,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why a run does without a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutReason {
    /// This signal, the model's own or an input, has no value at the fork.
    NoValue(SignalIndex),
    /// The expression gives no finite number at the fork.
    NotFinite,
}

impl LeftOut {
    /// One sentence for people.
    pub fn describe(&self, model: &Model) -> String {
        self.describe_with(model, &|_| None)
    }

    /// The same with what is known about why a signal has no value that counts, for example `last reading is 3 h old`.
    pub fn describe_with(&self, model: &Model, why: &dyn Fn(SignalIndex) -> Option<String>) -> String {
        let signal = &model.signal(self.signal).id;
        match self.reason {
            LeftOutReason::NoValue(missing) => {
                let who = if missing == self.signal { "it".to_owned() } else { format!("'{}'", model.signal(missing).id) };
                format!("'{signal}' is not simulated: {who} {}", without_value(why(missing).as_deref()))
            }
            LeftOutReason::NotFinite => {
                format!("'{signal}' is not simulated: its expression gives no number at the chosen moment")
            }
        }
    }
}

/// `has no value at the chosen moment`, with the reason where it is known.
pub(crate) fn without_value(why: Option<&str>) -> String {
    match why {
        None => "has no value at the chosen moment".to_owned(),
        Some(why) => format!("has no usable value at the chosen moment ({why})"),
    }
}

/// Where a model of a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// The modelled signal.
    pub signal: SignalIndex,
    /// At the signal's value at the fork, or as the equation says; the latter also where there is no value.
    pub start: ProcessStart,
    /// Whether the value at the fork had a part in it; `None` of an assignment as its equation says, which asks for none.
    pub took_value: Option<bool>,
}

/// The beginning of a run.
#[derive(Debug)]
pub(crate) struct Start {
    /// By column: its value; NaN where there is none.
    pub(crate) columns: Vec<f64>,
    /// Models of states that run, by column.
    pub(crate) states: Vec<Cell>,
    /// Assignments that run, inputs first.
    pub(crate) assigns: Vec<Cell>,
    /// Models that do not, by signal.
    pub(crate) left_out: Vec<LeftOut>,
    /// Where those that run begin, by signal.
    pub(crate) begins: Vec<Begin>,
}

impl Start {
    /// Signals that models which run read and none of them computes.
    pub(crate) fn inputs(&self, plan: &Plan) -> Vec<SignalIndex> {
        let runs = |signal: SignalIndex| self.begins.binary_search_by_key(&signal, |begin| begin.signal).is_ok();
        let signal = |column: usize| plan.signals.get(column).copied();
        let rules = plan.states.iter().chain(&plan.assigns).filter(|rule| signal(rule.column).is_some_and(runs));
        let read = rules.flat_map(|rule| rule.program.inputs().iter().map(|input| *input as usize));
        let mut inputs: Vec<SignalIndex> = read.filter_map(signal).filter(|signal| !runs(*signal)).collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }
}

/// Reads the fork. Observed values of modelled signals are moved into the model's bounds; values that are not finite
/// count as missing; assign and lag models whose own value is missing begin at what they compute, without an offset.
pub(crate) fn start(plan: &Plan, observed: &dyn Fn(SignalIndex) -> Option<f64>) -> Start {
    let mut columns: Vec<f64> = plan.signals.iter().map(|s| observed(*s).filter(|v| v.is_finite()).unwrap_or(f64::NAN)).collect();
    for rule in plan.states.iter().chain(&plan.assigns) {
        if let Some(value) = columns.get_mut(rule.column) {
            *value = bounded(rule, *value);
        }
    }
    let read: Vec<bool> = columns.iter().map(|value| value.is_finite()).collect();
    // What is read by others starts where it will be: assignments that follow their equation do so at the fork already, before
    // anything is derived from them, and again once all that they read is there.
    follow(plan, &read, &mut columns);
    while derive(plan, &mut columns) {}
    follow(plan, &read, &mut columns);
    let (mut left_out, mut begins) = (Vec::new(), Vec::new());
    let mut cells = |rules: &[Rule]| -> Vec<Cell> {
        let mut cells = Vec::with_capacity(rules.len());
        for rule in rules {
            let Some(&signal) = plan.signals.get(rule.column) else { continue };
            let start = begins_at(rule, &read);
            match cell(plan, rule, start, &columns) {
                Ok(cell) => {
                    cells.push(cell);
                    begins.push(Begin { signal, start, took_value: took_value(rule, &read) });
                }
                Err(reason) => left_out.push(LeftOut { signal, reason }),
            }
        }
        cells
    };
    let (states, assigns) = (cells(&plan.states), cells(&plan.assigns));
    left_out.sort_by_key(|left| left.signal);
    begins.sort_by_key(|begin| begin.signal);
    Start { columns, states, assigns, left_out, begins }
}

/// Where a model begins: nothing is observed where there was no value.
fn begins_at(rule: &Rule, read: &[bool]) -> ProcessStart {
    match rule.kind {
        // They know no other start: without a value they do not run at all.
        ProcessKind::Integrate | ProcessKind::Growth => ProcessStart::Observed,
        _ if has_read(rule, read) => rule.start,
        _ => ProcessStart::Model,
    }
}

fn took_value(rule: &Rule, read: &[bool]) -> Option<bool> {
    (rule.kind != ProcessKind::Assign || rule.start != ProcessStart::Model).then(|| has_read(rule, read))
}

fn has_read(rule: &Rule, read: &[bool]) -> bool {
    read.get(rule.column).copied().unwrap_or_default()
}

/// Gives assignments that begin as their equation says what it says, inputs first, as far as their inputs are known.
fn follow(plan: &Plan, read: &[bool], columns: &mut [f64]) {
    for rule in plan.assigns.iter().filter(|rule| begins_at(rule, read) == ProcessStart::Model) {
        if rule.program.inputs().iter().any(|input| !known(columns, *input as usize)) {
            continue;
        }
        let computed = bounded(rule, rule.program.eval(columns));
        if let Some(column) = columns.get_mut(rule.column)
            && computed.is_finite()
        {
            *column = computed;
        }
    }
}

/// One pass that fills missing values of assign and lag models from their inputs. True while it found one.
fn derive(plan: &Plan, columns: &mut [f64]) -> bool {
    let mut found = false;
    for rule in plan.assigns.iter().chain(plan.states.iter().filter(|rule| matches!(rule.kind, ProcessKind::Lag { .. }))) {
        if known(columns, rule.column) || rule.program.inputs().iter().any(|input| !known(columns, *input as usize)) {
            continue;
        }
        let value = bounded(rule, rule.program.eval(columns));
        if let Some(column) = columns.get_mut(rule.column)
            && value.is_finite()
        {
            *column = value;
            found = true;
        }
    }
    found
}

fn known(columns: &[f64], column: usize) -> bool {
    columns.get(column).is_some_and(|value| value.is_finite())
}

fn cell(plan: &Plan, rule: &Rule, start: ProcessStart, columns: &[f64]) -> Result<Cell, LeftOutReason> {
    let reads = rule.program.inputs().iter().map(|input| *input as usize);
    // Inputs first: a missing input is why an assignment has no value of its own.
    if let Some(missing) = reads.chain([rule.column]).find(|column| !known(columns, *column)) {
        return Err(plan.signals.get(missing).map_or(LeftOutReason::NotFinite, |signal| {
            // With all inputs there, an assign or lag model without a value computed none.
            let computes = matches!(rule.kind, ProcessKind::Assign | ProcessKind::Lag { .. });
            if missing == rule.column && computes { LeftOutReason::NotFinite } else { LeftOutReason::NoValue(*signal) }
        }));
    }
    let computed = rule.program.eval(columns);
    if !computed.is_finite() {
        return Err(LeftOutReason::NotFinite);
    }
    let observed = columns.get(rule.column).copied().unwrap_or(computed);
    Ok(Cell::new(rule.clone(), start, observed, computed))
}
