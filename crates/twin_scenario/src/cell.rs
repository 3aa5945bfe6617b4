//! One model in motion: its state, its bias and how a step of time changes it. Knows nothing of knobs or signals.

use twin_expr::math;
use twin_model::{ProcessKind, ProcessStart, Span};

use crate::plan::Rule;

const SECONDS_PER_HOUR: f64 = 3_600.0;

/// A model with its state.
///
/// Assign and lag models that start as observed carry a constant output bias, as in model-predictive control (Qin and Badgwell, "A survey of
/// industrial model predictive control technology", 2003, section on output feedback): the difference between what was
/// observed and what the model computes at the fork is added to everything that it computes later. It is kept as
/// `anchor + (computed − origin)`, not as one number, so that the output equals the anchor to the bit as long as the
/// computed value has not moved. Models that start as the equation says have anchor and origin zero, which adds nothing.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) rule: Rule,
    /// The filtered expression of a lag, which is its value where it starts as the equation says; the value of an integral or
    /// a growth; unused by an assignment.
    state: f64,
    /// Observed value at the fork, or the value of the last reset.
    anchor: f64,
    /// What the model computed when the anchor was taken.
    origin: f64,
    /// A reset that waits for the next output of an assignment, which alone knows its origin.
    waiting: Option<f64>,
}

impl Cell {
    /// Starts at `observed`, or as the equation says, whatever the rule wants where there is a value; `computed` is the expression
    /// at the fork.
    pub(crate) fn new(rule: Rule, start: ProcessStart, observed: f64, computed: f64) -> Self {
        let (state, anchor, origin) = match (&rule.kind, start) {
            (ProcessKind::Assign | ProcessKind::Lag { .. }, ProcessStart::Observed) => (computed, observed, computed),
            (ProcessKind::Assign, ProcessStart::Model) => (computed, 0.0, 0.0),
            (ProcessKind::Lag { .. }, ProcessStart::Model) => (observed, 0.0, 0.0),
            (ProcessKind::Integrate | ProcessKind::Growth, _) => (observed, observed, computed),
        };
        Self { rule, state, anchor, origin, waiting: None }
    }

    /// The constant that is added to everything that the model computes; zero where it follows its equation.
    pub(crate) fn offset(&self) -> f64 {
        match self.rule.kind {
            ProcessKind::Assign | ProcessKind::Lag { .. } => self.anchor - self.origin,
            ProcessKind::Integrate | ProcessKind::Growth => 0.0,
        }
    }

    /// What [`Self::advance`] needs to know about the length of a step: the settled share of a lag (exact for an input
    /// that holds over the step), the seconds of an integral, the hours of a growth.
    pub(crate) fn gain(&self, step: Span) -> f64 {
        let seconds = step.as_secs_f64();
        match self.rule.kind {
            ProcessKind::Lag { tau } => -math::exp_m1(-seconds / tau.as_secs_f64()),
            ProcessKind::Growth => seconds / SECONDS_PER_HOUR,
            ProcessKind::Assign | ProcessKind::Integrate => seconds,
        }
    }

    /// Moves a state over one step with the columns of the step before. False where the result would not be a number;
    /// the state then stays.
    pub(crate) fn advance(&mut self, columns: &[f64], gain: f64) -> bool {
        let input = self.rule.program.eval(columns);
        let next = match self.rule.kind {
            ProcessKind::Assign => return true,
            ProcessKind::Lag { .. } => self.state + gain * (input - self.state),
            ProcessKind::Integrate => self.bounded(self.state + input * gain),
            ProcessKind::Growth => self.bounded(self.state * math::exp(input * gain)),
        };
        if next.is_finite() {
            self.state = next;
        }
        next.is_finite()
    }

    /// Starts anew from a value.
    pub(crate) fn reset(&mut self, value: f64) {
        match self.rule.kind {
            ProcessKind::Assign => self.waiting = Some(value),
            ProcessKind::Lag { .. } if self.rule.start == ProcessStart::Model => self.state = self.bounded(value),
            ProcessKind::Lag { .. } => (self.anchor, self.origin) = (value, self.state),
            ProcessKind::Integrate | ProcessKind::Growth => self.state = self.bounded(value),
        }
    }

    /// The value now, before knobs and bounds. Assignments read the columns of now.
    pub(crate) fn output(&mut self, columns: &[f64]) -> f64 {
        let computed = match self.rule.kind {
            ProcessKind::Integrate | ProcessKind::Growth => return self.state,
            ProcessKind::Lag { .. } => self.state,
            ProcessKind::Assign => self.rule.program.eval(columns),
        };
        if computed.is_finite()
            && let Some(value) = self.waiting.take()
        {
            (self.anchor, self.origin) = (value, computed);
        }
        self.anchor + (computed - self.origin)
    }

    /// The value moved into the model's bounds.
    pub(crate) fn bounded(&self, value: f64) -> f64 {
        bounded(&self.rule, value)
    }
}

/// The value moved into a rule's bounds.
pub(crate) fn bounded(rule: &Rule, value: f64) -> f64 {
    rule.clamp.map_or(value, |(low, high)| math::clamp(value, low, high))
}
