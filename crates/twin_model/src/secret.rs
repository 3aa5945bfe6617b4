//! A text that must not be shown: a token. It has no `Display`, its `Debug` says nothing, and whoever needs the text asks
//! for it by name.

use std::fmt;

/// A token or password. Compare hashes instead of these where an attacker could measure the time.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes a text out of sight.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text. Not for messages, logs, files or addresses.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(\u{2026})")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_not_in_what_is_printed_for_debugging() {
        let shown = format!("{:?} {:#?}", Secret::new("open sesame"), Some(Secret::new("open sesame")));
        assert!(!shown.contains("sesame"), "{shown}");
        assert_eq!(Secret::new("open sesame").expose(), "open sesame");
    }
}
