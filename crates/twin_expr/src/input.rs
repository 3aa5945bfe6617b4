//! What an expression reads: a value that may be missing, how far it can be used, and how old it is.

use std::fmt;

use twin_model::{Quality, Sample, Timestamp, Value};

/// As of when something holds. In order: what was never seen is the oldest, what holds always is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AsOf {
    /// Nothing was ever seen.
    Never,
    /// The source time of a reading.
    At(Timestamp),
    /// It depends on no reading.
    Always,
}

impl AsOf {
    /// The instant, where there is one.
    pub const fn instant(self) -> Option<Timestamp> {
        if let Self::At(t) = self { Some(t) } else { None }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never seen"),
            Self::At(t) => t.fmt(f),
            Self::Always => f.write_str("always"),
        }
    }
}

/// One signal as it stands when an expression is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The value; none where the source gave none.
    pub value: Option<Value>,
    /// How far it can be used.
    pub quality: Quality,
    /// Its source time.
    pub time: AsOf,
}

impl Input {
    /// A good reading.
    pub const fn good(value: Value, t: Timestamp) -> Self {
        Self { value: Some(value), quality: Quality::GOOD, time: AsOf::At(t) }
    }

    /// A signal of which nothing was ever seen: `Bad_WaitingForInitialData`.
    pub const fn unseen() -> Self {
        Self { value: None, quality: Quality::BAD_WAITING_FOR_INITIAL_DATA, time: AsOf::Never }
    }

    /// The same with another quality.
    #[must_use]
    pub fn with_quality(mut self, quality: Quality) -> Self {
        self.quality = quality;
        self
    }

    /// The value that may be computed with: there is one, it is a number where it claims to be, and its quality is not bad.
    /// The same rule as [`Sample::usable`].
    pub fn usable(&self) -> Option<&Value> {
        self.value.as_ref().filter(|value| !is_nan(value) && !self.quality.is_bad())
    }

    /// How far it can be used: its quality, at best bad where there is no value.
    pub fn judged_quality(&self) -> Quality {
        match &self.value {
            Some(value) if !is_nan(value) => self.quality,
            _ => self.quality.at_best_bad(),
        }
    }
}

impl From<&Sample> for Input {
    fn from(sample: &Sample) -> Self {
        Self { value: sample.given().cloned(), quality: sample.judged_quality(), time: AsOf::At(sample.source_time) }
    }
}

const fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(number) if number.is_nan())
}
