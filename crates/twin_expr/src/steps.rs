//! The order in which an expression is evaluated: its nodes, and which of them are passed over. Knows no values.

use std::sync::Arc;

use crate::function::Function;
use crate::syntax::{Binary, Node, Place, Syntax};
use crate::types::Type;

/// What is done at a node, and where it goes on.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) act: Act,
    pub(crate) then: Then,
    /// Column of the node in the text.
    pub(crate) column: u32,
}

/// What is done at a node with the values of its operands.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Number(f64),
    Truth(bool),
    Text(Arc<str>),
    Read(usize),
    Neg,
    Not,
    Binary(Binary),
    Call(Function),
    /// The value that is there already, as the node's type has it.
    Settle(Type),
}

/// Where it goes on, given the value that the node gave.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    Next,
    /// The condition of an `if`: taken away; on with its first branch where it is true, else at `otherwise`. Without a value at
    /// `end`, with that.
    Branch {
        otherwise: usize,
        end: usize,
    },
    /// The first branch of an `if`: on at its end.
    Goto(usize),
    /// The left side of `and`: where it is true, taken away and on with the right side; else on at the end with it.
    IfTrue(usize),
    /// The left side of `or`, the other way round.
    IfFalse(usize),
    /// A later value of a function that folds: put together with what there is so far.
    Fold(Function, u32),
}

/// The steps of a tree, one for each node.
pub(crate) fn compile(syntax: &Syntax, types: &[Type]) -> Box<[Step]> {
    let users = syntax.users();
    // Of each `if`, where its second branch begins: after the root of its first.
    let mut seconds = vec![0; syntax.nodes.len()];
    for (at, user) in users.iter().enumerate() {
        if let Some((user, 1)) = user
            && let Some(second) = seconds.get_mut(*user)
        {
            *second = at + 1;
        }
    }
    let then = |user: Option<(usize, usize)>| {
        let Some((end, which)) = user else { return Then::Next };
        match (syntax.nodes.get(end), which) {
            (Some(Node::Call(Function::If, _)), 0) => Then::Branch { otherwise: seconds.get(end).copied().unwrap_or(end), end },
            (Some(Node::Call(Function::If, _)), 1) => Then::Goto(end),
            (Some(Node::Binary(Binary::And)), 0) => Then::IfTrue(end),
            (Some(Node::Binary(Binary::Or)), 0) => Then::IfFalse(end),
            (Some(Node::Call(function, _)), 1..) if function.folds() => {
                Then::Fold(*function, syntax.places.get(end).map_or(1, |place| place.column))
            }
            _ => Then::Next,
        }
    };
    let step = |(((node, place), user), ty): (((&Node, Place), _), &Type)| Step {
        act: act(node, *ty),
        then: then(user),
        column: place.column,
    };
    syntax.walk().zip(users.iter().copied()).zip(types).map(step).collect()
}

fn act(node: &Node, ty: Type) -> Act {
    match node {
        Node::Number(value) => Act::Number(*value),
        Node::Truth(value) => Act::Truth(*value),
        Node::Text(text) => Act::Text(text.clone()),
        Node::Signal(at) => Act::Read(*at),
        Node::Neg => Act::Neg,
        Node::Not => Act::Not,
        Node::Binary(Binary::And | Binary::Or) | Node::Call(Function::If, _) => Act::Settle(ty),
        Node::Call(function, _) if function.folds() => Act::Settle(ty),
        Node::Binary(op) => Act::Binary(*op),
        Node::Call(function, _) => Act::Call(*function),
    }
}
