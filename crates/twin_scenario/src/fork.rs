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
        let signal = &model.signal(self.signal).id;
        match self.reason {
            LeftOutReason::NoValue(missing) if missing == self.signal => {
                format!("'{signal}' is not simulated: it has no value at the chosen moment")
            }
            LeftOutReason::NoValue(missing) => {
                format!("'{signal}' is not simulated: '{}' has no value at the chosen moment", model.signal(missing).id)
            }
            LeftOutReason::NotFinite => {
                format!("'{signal}' is not simulated: its expression gives no number at the chosen moment")
            }
        }
    }
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
}

/// Reads the fork. Observed values of modelled signals are moved into the model's bounds; values that are not finite
/// count as missing; assign and lag models whose own value is missing begin at what they compute.
pub(crate) fn start(plan: &Plan, observed: &dyn Fn(SignalIndex) -> Option<f64>) -> Start {
    let mut columns: Vec<f64> = plan.signals.iter().map(|s| observed(*s).filter(|v| v.is_finite()).unwrap_or(f64::NAN)).collect();
    for rule in plan.states.iter().chain(&plan.assigns) {
        if let Some(value) = columns.get_mut(rule.column) {
            *value = bounded(rule, *value);
        }
    }
    while derive(plan, &mut columns) {}
    // What is read by others starts where it will be: assignments that follow their equation do so at the fork already.
    for rule in plan.assigns.iter().filter(|rule| rule.start == ProcessStart::Model) {
        let computed = bounded(rule, rule.program.eval(&columns));
        if let Some(column) = columns.get_mut(rule.column)
            && computed.is_finite()
        {
            *column = computed;
        }
    }
    let mut left_out = Vec::new();
    let states = cells(plan, &plan.states, &columns, &mut left_out);
    let assigns = cells(plan, &plan.assigns, &columns, &mut left_out);
    left_out.sort_by_key(|left| left.signal);
    Start { columns, states, assigns, left_out }
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

fn cells(plan: &Plan, rules: &[Rule], columns: &[f64], left_out: &mut Vec<LeftOut>) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(rules.len());
    for rule in rules {
        match cell(plan, rule, columns) {
            Ok(cell) => cells.push(cell),
            Err(reason) => left_out.extend(plan.signals.get(rule.column).map(|&signal| LeftOut { signal, reason })),
        }
    }
    cells
}

fn cell(plan: &Plan, rule: &Rule, columns: &[f64]) -> Result<Cell, LeftOutReason> {
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
    Ok(Cell::new(rule.clone(), observed, computed))
}
