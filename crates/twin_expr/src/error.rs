//! What is wrong with an expression and where. Texts are for the person who wrote it.

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

/// A name or text as a message repeats it: its beginning, where it is long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
