//! Why a result is what it is, for people: what was needed, and what set its quality and its time.

use std::fmt;

use twin_model::{Quality, SignalIndex, Unit, Value};

use crate::check::Expression;
use crate::input::AsOf;
use crate::outcome::{Cause, Fault, Outcome};

/// A result with its reasons. Prints as one sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The value of the result.
    pub value: Option<Value>,
    /// Its unit, where known.
    pub unit: Option<Unit>,
    /// Its quality.
    pub quality: Quality,
    /// Its time.
    pub time: AsOf,
    /// The inputs that were needed, in the order in which they were read.
    pub needed: Vec<NeededRow>,
    /// Ids of the inputs that were not, in order of appearance.
    pub not_needed: Vec<String>,
    /// The operation that has no value.
    pub fault: Option<Fault>,
    /// Whether it is the fault that set the quality.
    pub fault_sets_quality: bool,
}

/// An input that was needed.
#[derive(Debug, Clone, PartialEq)]
pub struct NeededRow {
    /// Its id as the expression has it.
    pub id: String,
    /// The signal.
    pub signal: SignalIndex,
    /// Its unit; empty where none is known.
    pub unit: Unit,
    /// Its value; none where there is none.
    pub value: Option<Value>,
    /// How far it can be used.
    pub quality: Quality,
    /// Its source time.
    pub time: AsOf,
    /// Whether the result has its quality from here.
    pub sets_quality: bool,
    /// Whether the result has its time from here.
    pub sets_time: bool,
}

impl Expression {
    /// Why `outcome`, which is this expression's, is what it is.
    pub fn explain(&self, outcome: &Outcome) -> Explanation {
        let id = |input: usize| self.syntax.names.get(input).map(|(name, _)| name.clone()).unwrap_or_default();
        let row = |(at, needed): (usize, &crate::Needed)| {
            let operand = self.inputs.get(needed.input)?;
            Some(NeededRow {
                id: id(needed.input),
                signal: operand.signal,
                unit: operand.unit.clone(),
                value: needed.given.value.clone(),
                quality: needed.given.judged_quality(),
                time: needed.given.time,
                sets_quality: outcome.quality_from == Some(Cause::Needed(at)),
                sets_time: outcome.time_from == Some(at),
            })
        };
        let unread = |input: &usize| !outcome.needed.iter().any(|needed| needed.input == *input);
        Explanation {
            value: outcome.value.clone(),
            unit: self.unit().cloned(),
            quality: outcome.quality,
            time: outcome.time,
            needed: outcome.needed.iter().enumerate().filter_map(row).collect(),
            not_needed: (0..self.inputs.len()).filter(unread).map(id).collect(),
            fault: outcome.fault,
            fault_sets_quality: outcome.quality_from == Some(Cause::Fault),
        }
    }
}

impl fmt::Display for Explanation {
    /// Such as `no value, bad_sensor_failure: 'm.b' is bad_sensor_failure; as of 2026-03-02T08:15:00Z, the time of 'm.a'`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{value}")?,
            None => f.write_str("no value")?,
        }
        if let (Some(_), Some(unit)) = (&self.value, &self.unit) {
            write!(f, " {}", unit.0)?;
        }
        write!(f, ", {}", self.quality)?;
        let worst = self.needed.iter().find(|row| row.sets_quality && !self.quality.is_good());
        match (&self.fault, worst) {
            (Some(fault), _) if self.fault_sets_quality => write!(f, ": {fault}")?,
            (_, Some(row)) if row.time == AsOf::Never => write!(f, ": '{}' was never seen", row.id)?,
            (_, Some(row)) => write!(f, ": '{}' is {}", row.id, row.quality)?,
            _ => {}
        }
        match (self.time, self.needed.iter().find(|row| row.sets_time)) {
            (AsOf::At(t), Some(row)) => write!(f, "; as of {t}, the time of '{}'", row.id),
            (AsOf::Always, _) => f.write_str("; depends on no signal"),
            _ => Ok(()),
        }
    }
}
