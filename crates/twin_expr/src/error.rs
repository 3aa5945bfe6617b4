//! What is wrong with an expression, or looks so, and where. Texts are for the person who wrote it.

use std::fmt;

/// Characters of a name or text that a message repeats.
const MAX_SHOWN: usize = 80;

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

/// What looks wrong with an expression that can be evaluated all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where, in characters from 1.
    pub column: u32,
    /// What looks wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}; {}", self.column, self.message, self.hint)
    }
}

/// A name or text as a message repeats it: its beginning, where it is long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
