//! What an expression gives: a value with quality and time, and where these come from.

use std::fmt;

use twin_model::{Quality, Value};

use crate::function::Function;
use crate::input::{AsOf, Input};

/// The result of one evaluation.
///
/// It is never newer than its oldest needed input and never better than its worst. Needed is what was read on the way to it:
/// operands of `+`, comparisons and functions always, of `if`, `and` and `or` only what decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The value; none exactly where the quality is bad. Numbers are [`Value::Float`] and never NaN; they are infinite
    /// only where an infinite input is passed on, by a choice or a sign; where arithmetic gives infinity there is no value.
    pub value: Option<Value>,
    /// How far it can be used: the worst of the needed inputs and faults. Within good, uncertain or bad a reason counts
    /// before the plain word, and of two reasons the first that was met.
    pub quality: Quality,
    /// As of when: the oldest of the needed inputs.
    pub time: AsOf,
    /// The inputs that were needed, each once, in the order in which they were read.
    pub needed: Vec<Needed>,
    /// The first operation that gave no value although its operands had one.
    pub fault: Option<Fault>,
    /// What set the quality; none where nothing was needed and nothing failed.
    pub quality_from: Option<Cause>,
    /// Which of `needed` set the time, the first of equals; none where nothing was needed.
    pub time_from: Option<usize>,
}

impl Outcome {
    /// The result as an input of another expression.
    pub fn as_input(&self) -> Input {
        Input { value: self.value.clone(), quality: self.quality, time: self.time }
    }
}

/// An input that was needed, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Its place in [`Expression::inputs`](crate::Expression::inputs).
    pub input: usize,
    /// What was read.
    pub given: Input,
}

/// What set a quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An input, by its place in [`Outcome::needed`].
    Needed(usize),
    /// The fault of [`Outcome::fault`].
    Fault,
}

/// An operation that has no value for its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands in the expression, in characters from 1.
    pub column: u32,
    /// What failed.
    pub kind: FaultKind,
}

/// What can fail with values that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Division by zero, or zero to a negative power.
    DivisionByZero,
    /// A logarithm of zero or less.
    Logarithm,
    /// The square root of a negative number.
    Root,
    /// A power that is no real number.
    Power,
    /// A result without meaning, such as infinity minus infinity.
    Undefined,
    /// A result beyond what a number holds (1.8e308).
    TooLarge,
    /// A value of another kind than its signal says, such as a text where a number is due.
    WrongKind,
}

impl FaultKind {
    /// What a result that an operation could not give is said to be: numbers out of range as that, operands for which the
    /// operation is not defined as invalid arguments (OPC 10000-4, 7.39.2: `Bad_OutOfRange`, `Bad_InvalidArgument`,
    /// `Bad_TypeMismatch`).
    pub const fn quality(self) -> Quality {
        match self {
            Self::DivisionByZero | Self::Logarithm | Self::Root | Self::Power | Self::Undefined => Quality::from_bits(0x80AB),
            Self::TooLarge => Quality::BAD_OUT_OF_RANGE,
            Self::WrongKind => Quality::from_bits(0x8074),
        }
    }

    /// Of a function whose result is not finite.
    pub(crate) fn of_function(function: Function, operands: &[f64], result: f64) -> Self {
        let first = operands.first().copied().unwrap_or(f64::NAN);
        match function {
            Function::Ln if first <= 0.0 => Self::Logarithm,
            Function::Sqrt if first < 0.0 => Self::Root,
            Function::Pow => Self::of_power(first, result),
            _ if result.is_nan() => Self::Undefined,
            _ => Self::TooLarge,
        }
    }

    /// Of a power that is not finite.
    pub(crate) fn of_power(base: f64, result: f64) -> Self {
        if base == 0.0 {
            Self::DivisionByZero
        } else if result.is_nan() {
            Self::Power
        } else {
            Self::TooLarge
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DivisionByZero => "division by zero",
            Self::Logarithm => "logarithm of zero or less",
            Self::Root => "square root of a negative number",
            Self::Power => "a power that is no real number",
            Self::Undefined => "a result that is no number",
            Self::TooLarge => "a result too large for a number",
            Self::WrongKind => "a value of another kind than its signal says",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at column {}", self.kind, self.column)
    }
}
