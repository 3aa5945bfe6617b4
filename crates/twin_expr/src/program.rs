//! Expressions of process models: numbers in, a number out, many times over. Knows signals only as numbers of columns.
//!
//! Truths are 1 and 0 here, anything but zero and NaN is true, and NaN goes through: a run decides what becomes of it. Texts are
//! refused. Where [`Expression`](crate::Expression) has a value, this has the same bits.

use crate::error::{ExprError, shown};
use crate::function::Function;
use crate::syntax::{Binary, Node, Syntax};
use crate::{MAX_STACK, math};

/// One operation on the stack of intermediate values.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
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
    Not,
    And,
    Or,
    Clamp,
    If,
}

impl Op {
    /// How many values it takes from the stack; every operation puts one back.
    const fn takes(self) -> usize {
        match self {
            Self::Number(_) | Self::Load(_) => 0,
            Self::Neg | Self::Not | Self::Abs | Self::Exp | Self::Ln | Self::Sqrt => 1,
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

/// Compiles the expression of a process model. `resolve` gives the column of a signal id, or a hint for people where there is
/// none; it is asked once for each id, in order of appearance.
///
/// # Errors
/// The first fault of grammar, else the first unknown signal, else the first text.
pub fn parse(text: &str, resolve: &mut dyn FnMut(&str) -> Result<u32, String>) -> Result<Program, ExprError> {
    Program::compile(&crate::parse::parse(text)?, resolve)
}

impl Program {
    /// The same of what is parsed already.
    ///
    /// # Errors
    /// As [`parse`], but for the grammar.
    pub fn compile(syntax: &Syntax, resolve: &mut dyn FnMut(&str) -> Result<u32, String>) -> Result<Self, ExprError> {
        let mut columns = Vec::with_capacity(syntax.names.len());
        for (id, at) in &syntax.names {
            columns.push(resolve(id).map_err(|hint| unknown(id, *at, &hint))?);
        }
        let mut ops = Vec::with_capacity(syntax.nodes.len());
        for ((node, place), user) in syntax.walk().zip(syntax.users()) {
            match node {
                Node::Text(text) => {
                    let message = format!("a process model computes with numbers, and \"{}\" is a text", shown(text));
                    return Err(ExprError::new(place.column, message, "compare numbers or switches instead"));
                }
                Node::Number(value) => ops.push(Op::Number(*value)),
                Node::Truth(value) => ops.push(Op::Number(math::truth(*value))),
                // A name always has its column; u32::MAX reads as NaN.
                Node::Signal(at) => ops.push(Op::Load(columns.get(*at).copied().unwrap_or(u32::MAX))),
                Node::Neg => ops.push(Op::Neg),
                Node::Not => ops.push(Op::Not),
                Node::Binary(op) => ops.push(binary(*op)),
                Node::Call(function, _) if function.folds() => {}
                Node::Call(function, _) => ops.push(call(*function)),
            }
            // Pair by pair as the values come, so that many of them never wait at once.
            if let Some((user, 1..)) = user
                && let Some(Node::Call(function, _)) = syntax.nodes.get(user)
                && function.folds()
            {
                ops.push(call(*function));
            }
        }
        let inputs = inputs_of(&ops);
        Ok(Self { ops: ops.into(), inputs })
    }

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
    #[must_use]
    pub fn renamed(&self, mut name: impl FnMut(u32) -> u32) -> Self {
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
        Op::Not => math::truth(!math::is_true(a)),
        Op::And => math::truth(math::is_true(a) && math::is_true(b)),
        Op::Or => math::truth(math::is_true(a) || math::is_true(b)),
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

/// What is said of an id that is no signal.
pub(crate) fn unknown(id: &str, column: u32, hint: &str) -> ExprError {
    let minus = if id.contains('-') { "; a minus that subtracts needs spaces around it" } else { "" };
    ExprError::new(column, format!("there is no signal '{}'", shown(id)), format!("{hint}{minus}"))
}

const fn binary(op: Binary) -> Op {
    match op {
        Binary::Or => Op::Or,
        Binary::And => Op::And,
        Binary::Less => Op::Less,
        Binary::LessEqual => Op::LessEqual,
        Binary::Greater => Op::Greater,
        Binary::GreaterEqual => Op::GreaterEqual,
        Binary::Equal => Op::Equal,
        Binary::NotEqual => Op::NotEqual,
        Binary::Add => Op::Add,
        Binary::Sub => Op::Sub,
        Binary::Mul => Op::Mul,
        Binary::Div => Op::Div,
        Binary::Pow => Op::Pow,
    }
}

const fn call(function: Function) -> Op {
    match function {
        Function::Min => Op::Min,
        Function::Max => Op::Max,
        Function::Abs => Op::Abs,
        Function::Exp => Op::Exp,
        Function::Ln => Op::Ln,
        Function::Sqrt => Op::Sqrt,
        Function::Pow => Op::Pow,
        Function::Clamp => Op::Clamp,
        Function::If => Op::If,
    }
}
