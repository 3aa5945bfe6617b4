//! Where a token comes from: the environment, a file, or (with a warning) the site file itself. Reads neither of them.

use toml::de::DeValue;
use twin_model::Secret;

/// Where the token of a source is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// It stands in the site file.
    Literal(Secret),
    /// An environment variable of this name holds it.
    Env(String),
    /// This file, relative to the site file, holds it and nothing else but white space around it.
    File(String),
    /// Something is written, but it is no token. Nobody gets in: a typing error must not open the door.
    Unusable,
}

/// Longest token, in bytes; a header must hold it.
const TOKEN_BYTES: usize = 1_024;

/// Reads the value of a key `token`.
pub(crate) fn token(value: &DeValue<'_>) -> TokenSource {
    match value {
        DeValue::String(text) if is_token(text) => TokenSource::Literal(Secret::new(text.as_ref())),
        DeValue::Table(table) if table.len() == 1 => {
            let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
            match (text("env"), text("file")) {
                (Some(name), None) if is_name(name) => TokenSource::Env(name.to_owned()),
                (None, Some(path)) if !path.trim().is_empty() => TokenSource::File(path.replace('\\', "/")),
                _ => TokenSource::Unusable,
            }
        }
        _ => TokenSource::Unusable,
    }
}

/// What fits into a header as it is: printable, no blank at its ends.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= TOKEN_BYTES && text.trim() == text && !text.chars().any(char::is_control)
}

/// A portable name of an environment variable (POSIX, chapter 8), in either case.
fn is_name(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.bytes().all(word) && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}
