//! Expressions of process models: text in, a flat list of operations out. Knows signals only as numbers of columns.
//!
//! ```text
//! expression = sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]        1 for true, 0 for false; no chains
//! sum        = product { ("+" | "-") product }
//! product    = signed { ("*" | "/") signed }
//! signed     = "-" signed | "+" signed | power
//! power      = atom [ "^" signed ]                                       right to left: 2^3^2 is 2^9, -2^2 is -4
//! atom       = number | signal | function "(" expression { "," expression } ")" | "(" expression ")"
//! number     = 12 | 1.5 | .5 | 2e-3
//! signal     = letter or "_", then letters, digits, "_", and "-" or "." where another of these follows
//!            | "`" any characters but a backtick "`"
//! function   = abs(x) exp(x) ln(x) sqrt(x) pow(x, y) clamp(x, low, high) if(condition, a, b)
//!              min(a, b, ...) max(a, b, ...)
//! ```
//!
//! Ids contain minus signs: `tank-01.level-3` is one signal. Put spaces around a minus that subtracts. Anything but zero
//! and NaN is true; both branches of `if` are computed and one is taken. A word is a function only where `(` follows.

mod lex;
mod parse;

pub use parse::parse;

use crate::math;

/// Longest expression text, in bytes.
pub const MAX_LENGTH: usize = 4_096;
/// Deepest nesting of brackets, signs and powers.
pub const MAX_DEPTH: usize = 48;
/// Most intermediate values that an expression may need at once.
pub const MAX_STACK: usize = 64;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}; {hint}")]
pub struct ExprError {
    /// Where, in characters from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

impl ExprError {
    pub(crate) fn new(column: u32, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { column, message: message.into(), hint: hint.into() }
    }
}

/// One operation on the stack of intermediate values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Op {
    Number(f64),
    /// Pushes the value of a column.
    Load(u32),
    Neg,
    Abs,
    Exp,
    Ln,
    Sqrt,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Clamp,
    If,
}

impl Op {
    /// How many values it takes from the stack; every operation puts one back.
    const fn takes(self) -> usize {
        match self {
            Self::Number(_) | Self::Load(_) => 0,
            Self::Neg | Self::Abs | Self::Exp | Self::Ln | Self::Sqrt => 1,
            Self::Clamp | Self::If => 3,
            _ => 2,
        }
    }
}

/// A checked expression: evaluation cannot fail, recurse or allocate.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    ops: Box<[Op]>,
    inputs: Vec<u32>,
}

impl Program {
    /// The columns that it reads, ascending, each once.
    pub fn inputs(&self) -> &[u32] {
        &self.inputs
    }

    /// The value for these columns. Columns beyond the slice read as NaN. The result may be NaN or infinite; the bits of
    /// a NaN are not fixed across platforms, so do not keep them.
    pub fn eval(&self, columns: &[f64]) -> f64 {
        let mut stack = [0.0_f64; MAX_STACK];
        let mut top = 0;
        for op in &self.ops {
            top -= op.takes();
            stack[top] = apply(*op, &stack[top..], columns);
            top += 1;
        }
        stack[0]
    }

    /// The same program with every column renamed.
    pub(crate) fn renamed(&self, mut name: impl FnMut(u32) -> u32) -> Self {
        let rename = |op: &Op| if let Op::Load(column) = op { Op::Load(name(*column)) } else { *op };
        let ops: Box<[Op]> = self.ops.iter().map(rename).collect();
        let inputs = inputs_of(&ops);
        Self { ops, inputs }
    }
}

fn apply(op: Op, args: &[f64], columns: &[f64]) -> f64 {
    let [a, b, c] = [0, 1, 2].map(|at| args.get(at).copied().unwrap_or(f64::NAN));
    match op {
        Op::Number(v) => v,
        Op::Load(column) => columns.get(column as usize).copied().unwrap_or(f64::NAN),
        Op::Neg => -a,
        Op::Abs => a.abs(),
        Op::Exp => math::exp(a),
        Op::Ln => math::ln(a),
        Op::Sqrt => math::sqrt(a),
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Pow => math::pow(a, b),
        Op::Min => math::min(a, b),
        Op::Max => math::max(a, b),
        Op::Less => math::truth(a < b),
        Op::LessEqual => math::truth(a <= b),
        Op::Greater => math::truth(a > b),
        Op::GreaterEqual => math::truth(a >= b),
        Op::Equal => math::truth(a == b),
        Op::NotEqual => math::truth(a != b),
        Op::Clamp => math::clamp(a, b, c),
        Op::If => {
            if math::is_true(a) {
                b
            } else {
                c
            }
        }
    }
}

fn inputs_of(ops: &[Op]) -> Vec<u32> {
    let mut inputs: Vec<u32> = ops.iter().filter_map(|op| if let Op::Load(column) = op { Some(*column) } else { None }).collect();
    inputs.sort_unstable();
    inputs.dedup();
    inputs
}

#[cfg(test)]
mod tests;
