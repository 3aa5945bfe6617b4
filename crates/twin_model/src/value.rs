//! The values that a signal can take.

use std::fmt;
use std::sync::Arc;

/// One value as its source gave it.
#[derive(Debug, Clone)]
pub enum Value {
    /// A measured number (DTDL `double`). NaN and infinities are legal here and counted by the store.
    Float(f64),
    /// A whole number (DTDL `long`).
    Int(i64),
    /// A switch (DTDL `boolean`).
    Bool(bool),
    /// A word out of a small set (DTDL `Enum`) or free text (DTDL `string`).
    Text(Arc<str>),
}

/// Which variant of [`Value`] a signal carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// [`Value::Float`]
    Float,
    /// [`Value::Int`]
    Int,
    /// [`Value::Bool`]
    Bool,
    /// [`Value::Text`]
    Text,
}

impl ValueKind {
    /// All, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Float, Self::Int, Self::Bool, Self::Text];

    /// The word of files, wires and machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Text => "text",
        }
    }

    /// The kind that a word of [`Self::as_str`] means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What stands in for a value that is not there; it means nothing (see [`crate::Flags::NULL`]).
    pub fn placeholder(self) -> Value {
        match self {
            Self::Float => Value::Float(0.0),
            Self::Int => Value::Int(0),
            Self::Bool => Value::Bool(false),
            Self::Text => Value::text(""),
        }
    }
}

impl Value {
    /// Text value.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// Which kind it is.
    pub const fn kind(&self) -> ValueKind {
        match self {
            Self::Float(_) => ValueKind::Float,
            Self::Int(_) => ValueKind::Int,
            Self::Bool(_) => ValueKind::Bool,
            Self::Text(_) => ValueKind::Text,
        }
    }

    /// As a number: floats and integers as they are, `false` 0 and `true` 1; text has none.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(v) => Some(*v),
            Self::Int(v) => Some(*v as f64),
            Self::Bool(v) => Some(if *v { 1.0 } else { 0.0 }),
            Self::Text(_) => None,
        }
    }

    /// As text, where it is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl PartialEq for Value {
    /// Same kind and same bits: NaN equals itself and `-0.0` differs from `0.0`, so that "did it change" is exact.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(v) => write!(f, "{v}"),
            Self::Int(v) => write!(f, "{v}"),
            Self::Bool(v) => write!(f, "{v}"),
            Self::Text(v) => f.write_str(v),
        }
    }
}
