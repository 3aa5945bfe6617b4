//! Writes an expression as text that parses to the same tree, with as few brackets as that takes.

use std::fmt;

use crate::lex;
use crate::syntax::{Binary, Node, Syntax, binding};

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Texts of complete subtrees, and how tightly each holds together.
        let mut stack: Vec<(String, u8)> = Vec::new();
        for node in &self.nodes {
            let operands = stack.split_off(stack.len().saturating_sub(node.takes()));
            stack.push(self.write(node, operands));
        }
        stack.iter().try_for_each(|(text, _)| f.write_str(text))
    }
}

impl Syntax {
    fn write(&self, node: &Node, operands: Vec<(String, u8)>) -> (String, u8) {
        let mut operands = operands.into_iter();
        let mut next = |binding| operands.next().map(|operand| held(operand, binding)).unwrap_or_default();
        match node {
            Node::Number(value) => (number(*value), binding::ATOM),
            Node::Truth(value) => (value.to_string(), binding::ATOM),
            Node::Text(text) => (quoted(text), binding::ATOM),
            Node::Signal(at) => (self.names.get(*at).map(|(name, _)| signal(name)).unwrap_or_default(), binding::ATOM),
            Node::Neg => (format!("-{}", next(binding::SIGN)), binding::SIGN),
            Node::Not => (format!("not {}", next(binding::NOT)), binding::NOT),
            Node::Binary(op) => {
                let (left, right) = sides(*op);
                let mut text = next(left);
                text.push(' ');
                text.push_str(op.as_str());
                text.push(' ');
                text.push_str(&next(right));
                (text, op.binding())
            }
            Node::Call(function, _) => {
                let values: Vec<String> = operands.map(|(text, _)| text).collect();
                (format!("{}({})", function.as_str(), values.join(", ")), binding::ATOM)
            }
        }
    }
}

/// How tightly the operands of an operator must hold together to stand without brackets.
const fn sides(op: Binary) -> (u8, u8) {
    match op {
        Binary::Pow => (binding::ATOM, binding::SIGN),
        _ if op.binding() == binding::COMPARE => (binding::SUM, binding::SUM),
        _ => (op.binding(), op.binding() + 1),
    }
}

fn held((text, holds): (String, u8), binding: u8) -> String {
    if holds >= binding { text } else { format!("({text})") }
}

/// The shorter of the two ways to write it, so that 1e300 has no three hundred zeros.
fn number(value: f64) -> String {
    let (plain, power) = (format!("{value}"), format!("{value:e}"));
    if power.len() < plain.len() { power } else { plain }
}

/// A text in quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A signal's id, in backticks where it is no bare word.
pub(crate) fn signal(id: &str) -> String {
    if lex::is_bare(id) { id.to_owned() } else { format!("`{id}`") }
}
