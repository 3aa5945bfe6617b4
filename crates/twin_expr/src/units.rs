//! Units of what is added and subtracted. Knows them as texts; what converts into what is not asked.

use twin_model::Unit;

use crate::error::{Finding, shown};
use crate::function::Function;
use crate::syntax::{Binary, Node, Syntax};

/// Findings of one expression that are told: nobody reads more.
const MAX_FINDINGS: usize = 20;

/// What is known of a subtree's unit.
#[derive(Clone, Copy, PartialEq)]
enum Known<'a> {
    /// Nothing: a number in the text, or what comes of `*`, `/` and functions, since a factor may convert. Fits anything.
    Nothing,
    One(&'a Unit),
    /// Different ones were put together, which is said already or for the writer to know.
    Several,
}

/// The unit of the result, where it follows from the inputs', and a finding for each sum and difference of two different ones.
pub(crate) fn check(syntax: &Syntax, inputs: &[Unit]) -> (Option<Unit>, Vec<Finding>) {
    let mut stack: Vec<Known<'_>> = Vec::new();
    let mut findings = Vec::new();
    for (node, place) in syntax.walk() {
        let operands = stack.split_off(stack.len().saturating_sub(node.takes()));
        stack.push(match (node, operands.as_slice()) {
            (Node::Signal(at), _) => inputs.get(*at).filter(|unit| !unit.0.is_empty()).map_or(Known::Nothing, Known::One),
            (Node::Neg | Node::Call(Function::Abs, _), [unit]) => *unit,
            (Node::Binary(op @ (Binary::Add | Binary::Sub)), [left, right]) => {
                if let (Known::One(left), Known::One(right)) = (left, right)
                    && left != right
                    && findings.len() < MAX_FINDINGS
                {
                    findings.push(finding(*op, left, right, place.column));
                }
                common(&operands)
            }
            (Node::Call(Function::If, _), [_, branches @ ..]) => common(branches),
            (Node::Call(Function::Min | Function::Max | Function::Clamp, _), values) => common(values),
            _ => Known::Nothing,
        });
    }
    let unit = if let Some(Known::One(unit)) = stack.pop() { Some(unit.clone()) } else { None };
    (unit, findings)
}

/// The one unit of all of which something is known.
fn common<'a>(units: &[Known<'a>]) -> Known<'a> {
    let known = units.iter().copied().filter(|unit| *unit != Known::Nothing);
    known.reduce(|all, unit| if all == unit { all } else { Known::Several }).unwrap_or(Known::Nothing)
}

fn finding(op: Binary, left: &Unit, right: &Unit, column: u32) -> Finding {
    let (left, right) = (shown(&left.0), shown(&right.0));
    let message = match op {
        Binary::Sub => format!("{right} is subtracted from {left}"),
        _ => format!("{right} is added to {left}"),
    };
    Finding { column, message, hint: format!("convert one of them with a factor, so that both are in {left}") }
}
