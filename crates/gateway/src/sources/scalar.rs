//! One value of a sender's line, as its sender wrote it.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A value of JSON as the text that its sender wrote: no digit is lost on the way to the reader of cells.
pub(super) enum Scalar<'a> {
    Null,
    Text(Cow<'a, str>),
    /// A number, true or false.
    Literal(&'a str),
    /// A list or an object.
    Other,
}

/// Looks at a value that serde_json has read.
pub(super) fn scalar(raw: &RawValue) -> Scalar<'_> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'n') => Scalar::Null,
        // serde_json has looked at it: without an escape it is what stands between the quotes.
        Some(b'"') if !text.as_bytes().contains(&b'\\') => Scalar::Text(Cow::Borrowed(text.trim_matches('"'))),
        Some(b'"') => serde_json::from_str(text).map_or(Scalar::Other, |text: String| Scalar::Text(Cow::Owned(text))),
        Some(b'{' | b'[') | None => Scalar::Other,
        Some(_) => Scalar::Literal(text),
    }
}
