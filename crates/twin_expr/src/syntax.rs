//! What an expression says, as a tree without types. Knows signals only by their ids, and nothing of values.
//!
//! The tree lies flat, operands before what uses them, left before right: a sum of two thousand terms is a tree two thousand
//! deep, and neither printing, typing nor evaluating it may cost stack.

use std::sync::Arc;

use crate::error::Finding;
use crate::function::Function;

/// One node; its operands are the last complete subtrees before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Number(f64),
    Truth(bool),
    Text(Arc<str>),
    /// A signal, by its place in [`Syntax::names`].
    Signal(usize),
    Neg,
    Not,
    Binary(Binary),
    /// A function and how many values stand in its brackets.
    Call(Function, usize),
}

impl Node {
    /// How many operands it has.
    pub(crate) const fn takes(&self) -> usize {
        match self {
            Self::Number(_) | Self::Truth(_) | Self::Text(_) | Self::Signal(_) => 0,
            Self::Neg | Self::Not => 1,
            Self::Binary(_) => 2,
            Self::Call(_, count) => *count,
        }
    }
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

/// How tightly operators bind, loosest first.
pub(crate) mod binding {
    pub(crate) const OR: u8 = 1;
    pub(crate) const AND: u8 = 2;
    pub(crate) const NOT: u8 = 3;
    pub(crate) const COMPARE: u8 = 4;
    pub(crate) const SUM: u8 = 5;
    pub(crate) const PRODUCT: u8 = 6;
    pub(crate) const SIGN: u8 = 7;
    pub(crate) const POWER: u8 = 8;
    pub(crate) const ATOM: u8 = 9;
}

impl Binary {
    /// How tightly it binds.
    pub(crate) const fn binding(self) -> u8 {
        match self {
            Self::Or => binding::OR,
            Self::And => binding::AND,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual | Self::Equal | Self::NotEqual => binding::COMPARE,
            Self::Add | Self::Sub => binding::SUM,
            Self::Mul | Self::Div => binding::PRODUCT,
            Self::Pow => binding::POWER,
        }
    }

    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Pow => "^",
        }
    }
}

/// Where a node stands in the text, in characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Of its first character, operands included.
    pub(crate) start: u32,
    /// Of the operator, the function or the value itself.
    pub(crate) column: u32,
}

/// A parsed expression. Two are equal where they say the same, whatever their spaces and needless brackets.
#[derive(Debug, Clone)]
pub struct Syntax {
    pub(crate) nodes: Vec<Node>,
    pub(crate) places: Vec<Place>,
    pub(crate) names: Vec<(String, u32)>,
}

impl Syntax {
    /// The ids of the signals that it names, each once, in order of appearance.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// What can be computed and was hardly meant: a `clamp` between two numbers of which the lower is the greater, which gives the
    /// upper whatever stands before them.
    pub fn oddities(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        // Of each subtree its number, where it is one that stands in the text.
        let mut stack: Vec<Option<f64>> = Vec::new();
        for (node, place) in self.walk() {
            let operands = stack.split_off(stack.len().saturating_sub(node.takes()));
            if let (Node::Call(Function::Clamp, _), [_, Some(low), Some(high)]) = (node, operands.as_slice())
                && low > high
            {
                let message = format!("clamp between {low} and {high} holds no value, and gives {high} always");
                found.push(Finding { column: place.column, message, hint: "write the lower bound first".to_owned() });
            }
            stack.push(match (node, operands.as_slice()) {
                (Node::Number(value), _) => Some(*value),
                (Node::Neg, [value]) => value.map(|value| -value),
                _ => None,
            });
        }
        found
    }

    /// Of each node what it is an operand of: that node, and which of its operands, from 0. None for the whole.
    pub(crate) fn users(&self) -> Vec<Option<(usize, usize)>> {
        let mut users = vec![None; self.nodes.len()];
        let mut roots: Vec<usize> = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let operands = roots.split_off(roots.len().saturating_sub(node.takes()));
            for (which, operand) in operands.into_iter().enumerate() {
                if let Some(user) = users.get_mut(operand) {
                    *user = Some((at, which));
                }
            }
            roots.push(at);
        }
        users
    }

    /// Nodes with their places, operands first.
    pub(crate) fn walk(&self) -> impl Iterator<Item = (&Node, Place)> {
        self.nodes.iter().zip(self.places.iter().copied())
    }
}

impl PartialEq for Syntax {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.names().eq(other.names())
    }
}
