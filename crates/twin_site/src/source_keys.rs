//! What sources of every kind share: the keys that each kind has, whose clock counts, and what a missing key is answered with.

use super::codes;
use super::diag::Diagnostics;
use super::read::{Section, Word};

/// Whose clock says when a reading was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceClock {
    /// The source's own.
    #[default]
    Source,
    /// That of whoever received it: the source's own is wrong, or it has none.
    Received,
}

impl SourceClock {
    pub(super) fn read(s: &Section<'_>) -> Self {
        if s.choice("clock") == Some("received") { Self::Received } else { Self::Source }
    }
}

/// Keys that not every kind of source has, with the kinds that have them.
pub(crate) const KEYS_OF_KIND: [(&str, &[&str]); 30] = [
    ("plant", &["synthetic"]),
    ("seed", &["synthetic"]),
    ("start", &["synthetic", "csv"]),
    ("token", &["websocket"]),
    ("time", &["csv", "websocket"]),
    ("zone", &["csv", "websocket"]),
    ("quality", &["csv", "websocket"]),
    ("path", &["csv"]),
    ("layout", &["csv"]),
    ("separator", &["csv"]),
    ("encoding", &["csv"]),
    ("header", &["csv"]),
    ("units_row", &["csv"]),
    ("skip_lines", &["csv"]),
    ("decimal", &["csv"]),
    ("thousands", &["csv"]),
    ("on", &["csv"]),
    ("off", &["csv"]),
    ("received", &["csv"]),
    ("clock", &["csv", "websocket"]),
    ("key", &["csv"]),
    ("value", &["csv"]),
    ("values", &["csv"]),
    ("columns", &["csv"]),
    ("null", &["csv"]),
    ("empty", &["csv"]),
    ("speed", &["csv"]),
    ("loop", &["csv"]),
    ("id", &["synthetic", "csv", "websocket"]),
    ("feeds", &["synthetic", "csv", "websocket"]),
];

/// Says that a source lacks a key.
pub(super) fn incomplete<T>(s: &Section<'_>, id: &Word, key: &str, out: &mut Diagnostics) -> Option<T> {
    // A key of the wrong type was reported before.
    if !s.has(key) {
        let message = format!("source '{}' has no '{key}'", id.as_str());
        let help = format!("add {key} = \u{2026}; docs/SITE.md lists what each kind of source needs");
        out.error(codes::KEY_MISSING, &s.at(), id.as_str(), message, help);
    }
    None
}

/// A whole number that is not negative.
pub(super) fn whole(s: &Section<'_>, key: &'static str, out: &mut Diagnostics) -> Option<u64> {
    let number = s.integer(key)?;
    let whole = u64::try_from(number).ok();
    if whole.is_none() {
        let message = format!("{key} cannot be negative: {number}");
        out.error(codes::VALUE_INVALID, &s.at_key(key), key, message, "write zero or more".to_owned());
    }
    whole
}
