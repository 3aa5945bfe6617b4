//! Kinds of values that expressions give.

use twin_model::ValueKind;

/// What kind of value an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// A 64-bit floating point number. Whole numbers of signals are exact up to 2^53.
    Number,
    /// True or false.
    Boolean,
    /// A text.
    Text,
}

impl From<ValueKind> for Type {
    fn from(kind: ValueKind) -> Self {
        match kind {
            ValueKind::Float | ValueKind::Int => Self::Number,
            ValueKind::Bool => Self::Boolean,
            ValueKind::Text => Self::Text,
        }
    }
}
