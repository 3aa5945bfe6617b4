//! Why a model file cannot be loaded, and the list of what was repaired.

use thiserror::Error;

use twin_scene::geometry::Warning;

/// Why a model file cannot be loaded. Every variant names the part of the file, what is wrong and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GlbError {
    /// The container or the JSON breaks the format so that nothing sensible can be shown.
    #[error("{at}: {what}; {help}")]
    Malformed {
        /// JSON pointer (`/nodes/3/children/0`) or a part of the container (`GLB header`).
        at: String,
        /// What is wrong.
        what: String,
        /// How to mend it.
        help: String,
    },
    /// The file needs an extension that this loader does not read.
    #[error("{at}: needs the extension {extension}, which is not supported; {help}")]
    Unsupported {
        /// Where it is asked for.
        at: String,
        /// The extension's name.
        extension: String,
        /// How to convert the file.
        help: String,
    },
    /// The file is larger than the caller allows.
    #[error("{at}: {found} {what} exceed the limit of {limit}; {help}")]
    Limit {
        /// Where the limit was met.
        at: String,
        /// What is counted.
        what: &'static str,
        /// How many were met (at least).
        found: u64,
        /// How many are allowed.
        limit: u64,
        /// How to mend it.
        help: String,
    },
    /// A buffer file beside the model could not be read.
    #[error("{at}: file \"{uri}\" cannot be read: {reason}; {help}")]
    File {
        /// Where the file is named.
        at: String,
        /// The decoded relative path.
        uri: String,
        /// Why it cannot be read.
        reason: String,
        /// How to mend it.
        help: String,
    },
}

impl GlbError {
    pub(super) fn malformed(at: impl Into<String>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Malformed { at: at.into(), what: what.into(), help: help.into() }
    }

    /// The part of the file that is at fault.
    pub fn at(&self) -> &str {
        match self {
            Self::Malformed { at, .. } | Self::Unsupported { at, .. } | Self::Limit { at, .. } | Self::File { at, .. } => at,
        }
    }

    /// How to mend the file.
    pub fn help(&self) -> &str {
        match self {
            Self::Malformed { help, .. }
            | Self::Unsupported { help, .. }
            | Self::Limit { help, .. }
            | Self::File { help, .. } => help,
        }
    }
}

/// More warnings than this say nothing new, and a hostile file could make millions.
const MAX_WARNINGS: usize = 200;
/// A file may name things with megabytes of text; a message quotes only the beginning.
const MAX_QUOTE: usize = 80;

/// Collects warnings, bounded.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    list: Vec<Warning>,
    dropped: usize,
    dropped_matters: bool,
}

impl Warnings {
    /// A remark: what is shown is what the file says.
    pub(super) fn add(&mut self, at: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Warning { at: at.into(), message: message.into(), help: help.into(), matters: false });
    }

    /// Something may be missing, or elsewhere, or of another shape than the file says.
    pub(super) fn fault(&mut self, at: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Warning { at: at.into(), message: message.into(), help: help.into(), matters: true });
    }

    fn push(&mut self, warning: Warning) {
        if self.list.len() < MAX_WARNINGS {
            self.list.push(warning);
        } else {
            self.dropped += 1;
            self.dropped_matters |= warning.matters;
        }
    }

    pub(super) fn into_list(mut self) -> Vec<Warning> {
        if self.dropped > 0 {
            let message = format!("{} further warnings are not listed", self.dropped);
            self.list.push(Warning { at: "file".to_owned(), message, help: String::new(), matters: self.dropped_matters });
        }
        self.list
    }
}

/// The beginning of outside text, fit for one line of a message.
pub(super) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_QUOTE).is_some() {
        short.push('…');
    }
    short
}
