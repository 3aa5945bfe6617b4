//! Evaluates an expression over inputs with quality and time. Knows nothing of where inputs come from.

use std::sync::Arc;

use twin_model::{Quality, QualityClass, Value};

use crate::check::Expression;
use crate::function::Function;
use crate::input::{AsOf, Input};
use crate::math;
use crate::outcome::{Cause, Fault, FaultKind, Needed, Outcome};
use crate::steps::{Act, Step, Then};
use crate::syntax::Binary;
use crate::types::Type;

impl Expression {
    /// What the expression says. `read` gives an input by its place in [`Self::inputs`]; it is asked at most once for each, and
    /// only for those that are needed, in the order in which they are.
    ///
    /// An input that can't be used, and an operation that has no value, make a result without a value that is bad for that
    /// reason; both operands of an operator are read all the same, so that every reason is known.
    pub fn evaluate(&self, read: &mut dyn FnMut(usize) -> Input) -> Outcome {
        let mut machine = Machine::new(self, read);
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            machine.act(step);
            at = machine.then(step.then, at);
        }
        machine.finish()
    }

    /// The same with all inputs at hand, in the order of [`Self::inputs`]; those that are missing were never seen.
    pub fn evaluate_with(&self, inputs: &[Input]) -> Outcome {
        self.evaluate(&mut |at| inputs.get(at).cloned().unwrap_or_else(Input::unseen))
    }
}

/// A value on its way.
#[derive(Debug, Clone)]
enum Slot {
    Number(f64),
    Truth(bool),
    Text(Arc<str>),
    /// None, for a reason that is noted.
    Nothing,
}

impl Slot {
    /// As a number; texts have none, and types see to it that none is asked.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Truth(value) => Some(math::truth(*value)),
            Self::Text(_) | Self::Nothing => None,
        }
    }

    fn truth(&self) -> Option<bool> {
        self.number().map(math::is_true)
    }
}

struct Machine<'a> {
    expression: &'a Expression,
    read: &'a mut dyn FnMut(usize) -> Input,
    stack: Vec<Slot>,
    needed: Vec<Needed>,
    fault: Option<Fault>,
    /// The worst so far, and what it is of.
    worst: Option<(Quality, Cause)>,
}

impl<'a> Machine<'a> {
    fn new(expression: &'a Expression, read: &'a mut dyn FnMut(usize) -> Input) -> Self {
        Self { expression, read, stack: Vec::new(), needed: Vec::new(), fault: None, worst: None }
    }

    fn pop(&mut self) -> Slot {
        self.stack.pop().unwrap_or(Slot::Nothing)
    }

    fn act(&mut self, step: &Step) {
        let slot = match &step.act {
            Act::Number(value) => Slot::Number(*value),
            Act::Truth(value) => Slot::Truth(*value),
            Act::Text(text) => Slot::Text(text.clone()),
            Act::Read(input) => self.input(*input, step.column),
            Act::Neg => self.pop().number().map_or(Slot::Nothing, |value| Slot::Number(-value)),
            Act::Not => self.pop().truth().map_or(Slot::Nothing, |value| Slot::Truth(!value)),
            Act::Binary(op) => {
                let (right, left) = (self.pop(), self.pop());
                self.binary(*op, &left, &right, step.column)
            }
            Act::Call(function) => {
                let mut operands = [const { Slot::Nothing }; 3];
                let operands = &mut operands[..function.takes().min(3)];
                operands.iter_mut().rev().for_each(|operand| *operand = self.pop());
                self.call(*function, operands, step.column)
            }
            Act::Settle(ty) => {
                let slot = self.pop();
                match ty {
                    Type::Number => slot.number().map_or(Slot::Nothing, Slot::Number),
                    Type::Boolean => slot.truth().map_or(Slot::Nothing, Slot::Truth),
                    Type::Text => slot,
                }
            }
        };
        self.stack.push(slot);
    }

    /// Where it goes on after the node at `at`.
    fn then(&mut self, then: Then, at: usize) -> usize {
        match then {
            Then::Next => {}
            Then::Goto(end) => return end,
            Then::Fold(function, column) => {
                let (value, sofar) = (self.pop(), self.pop());
                let slot = self.call(function, &[sofar, value], column);
                self.stack.push(slot);
            }
            Then::Branch { otherwise, end } => match self.stack.last().and_then(Slot::truth) {
                None => return end,
                Some(truth) => {
                    self.pop();
                    if !truth {
                        return otherwise;
                    }
                }
            },
            Then::IfTrue(end) | Then::IfFalse(end) => {
                let goes_on = matches!(then, Then::IfTrue(_));
                if self.stack.last().and_then(Slot::truth) != Some(goes_on) {
                    return end;
                }
                self.pop();
            }
        }
        at + 1
    }

    fn input(&mut self, input: usize, column: u32) -> Slot {
        let at = match self.needed.iter().position(|needed| needed.input == input) {
            Some(at) => at,
            None => {
                let given = (self.read)(input);
                let at = self.needed.len();
                self.note(given.judged_quality(), Cause::Needed(at));
                self.needed.push(Needed { input, given });
                at
            }
        };
        let ty = self.expression.inputs.get(input).map(|operand| Type::from(operand.kind));
        let slot = match (self.needed.get(at).and_then(|needed| needed.given.usable()), ty) {
            (None, _) => return Slot::Nothing,
            (Some(Value::Float(value)), Some(Type::Number)) => Some(Slot::Number(*value)),
            (Some(Value::Int(value)), Some(Type::Number)) => Some(Slot::Number(*value as f64)),
            (Some(Value::Bool(value)), Some(Type::Boolean)) => Some(Slot::Truth(*value)),
            (Some(Value::Text(text)), Some(Type::Text)) => Some(Slot::Text(text.clone())),
            (Some(_), _) => None,
        };
        slot.unwrap_or_else(|| self.fail(FaultKind::WrongKind, column))
    }

    fn binary(&mut self, op: Binary, left: &Slot, right: &Slot, column: u32) -> Slot {
        if let (Slot::Text(left), Slot::Text(right)) = (left, right) {
            return Slot::Truth((left == right) == (op == Binary::Equal));
        }
        let (Some(a), Some(b)) = (left.number(), right.number()) else { return Slot::Nothing };
        let value = match op {
            Binary::Less => return Slot::Truth(a < b),
            Binary::LessEqual => return Slot::Truth(a <= b),
            Binary::Greater => return Slot::Truth(a > b),
            Binary::GreaterEqual => return Slot::Truth(a >= b),
            Binary::Equal => return Slot::Truth(a == b),
            Binary::NotEqual => return Slot::Truth(a != b),
            // These two are settled from one side or the other and never come here.
            Binary::And | Binary::Or => return Slot::Nothing,
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Pow => math::pow(a, b),
        };
        if value.is_finite() {
            return Slot::Number(value);
        }
        let kind = match op {
            Binary::Div if b == 0.0 => FaultKind::DivisionByZero,
            Binary::Pow => FaultKind::of_power(a, value),
            _ if value.is_nan() => FaultKind::Undefined,
            _ => FaultKind::TooLarge,
        };
        self.fail(kind, column)
    }

    fn call(&mut self, function: Function, operands: &[Slot], column: u32) -> Slot {
        let mut numbers = [f64::NAN; 3];
        for (number, operand) in numbers.iter_mut().zip(operands) {
            let Some(value) = operand.number() else { return Slot::Nothing };
            *number = value;
        }
        let [a, b, c] = numbers;
        let value = match function {
            // These choose among numbers that are there, and pass an infinite one on.
            Function::Min => return Slot::Number(math::min(a, b)),
            Function::Max => return Slot::Number(math::max(a, b)),
            Function::Abs => return Slot::Number(a.abs()),
            Function::Clamp => return Slot::Number(math::clamp(a, b, c)),
            Function::Exp => math::exp(a),
            Function::Ln => math::ln(a),
            Function::Sqrt => math::sqrt(a),
            Function::Pow => math::pow(a, b),
            // Settled from its branches.
            Function::If => return Slot::Nothing,
        };
        if value.is_finite() {
            return Slot::Number(value);
        }
        self.fail(FaultKind::of_function(function, &numbers, value), column)
    }

    fn fail(&mut self, kind: FaultKind, column: u32) -> Slot {
        if self.fault.is_none() {
            self.fault = Some(Fault { column, kind });
            self.note(kind.quality(), Cause::Fault);
        }
        Slot::Nothing
    }

    /// Keeps the worst; of the same severity a reason before the plain word, then the first.
    fn note(&mut self, quality: Quality, cause: Cause) {
        if self.worst.is_none_or(|(worst, _)| rank(quality) > rank(worst)) {
            self.worst = Some((quality, cause));
        }
    }

    fn finish(mut self) -> Outcome {
        let quality = self.worst.map_or(Quality::GOOD, |(quality, _)| quality);
        let value = match self.pop() {
            Slot::Number(value) => Some(Value::Float(value)),
            Slot::Truth(value) => Some(Value::Bool(value)),
            Slot::Text(text) => Some(Value::Text(text)),
            Slot::Nothing => None,
        };
        let oldest = (0..self.needed.len()).min_by_key(|at| self.needed.get(*at).map(|needed| needed.given.time));
        let time = oldest.and_then(|at| self.needed.get(at)).map_or(AsOf::Always, |needed| needed.given.time);
        Outcome {
            quality: if value.is_some() { quality } else { quality.at_best_bad() },
            value,
            time,
            needed: self.needed,
            fault: self.fault,
            quality_from: self.worst.map(|(_, cause)| cause),
            time_from: oldest,
        }
    }
}

/// How bad, and whether it says why.
const fn rank(quality: Quality) -> (QualityClass, bool) {
    (quality.class(), quality.bits() & 0x3FFF != 0)
}
