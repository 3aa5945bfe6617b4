//! The words of the model's form, and what they mean. Each list of words is in one place and used in both directions.

use twin_model::{AlarmState, ProcessStart, SignalKind, Status, ValueKind};

use crate::error::PublicationError;

/// Words for something, in the order in which messages name them.
pub(super) struct Words<T: 'static>(&'static [(&'static str, T)]);

pub(super) const SIGNAL_KIND: Words<SignalKind> =
    Words(&[("analog", SignalKind::Analog), ("discrete", SignalKind::Discrete), ("counter", SignalKind::Counter)]);

const fn kind(kind: ValueKind) -> (&'static str, ValueKind) {
    (kind.as_str(), kind)
}

pub(super) const VALUE_KIND: Words<ValueKind> =
    Words(&[kind(ValueKind::Float), kind(ValueKind::Int), kind(ValueKind::Bool), kind(ValueKind::Text)]);

pub(super) const PROCESS_START: Words<ProcessStart> =
    Words(&[(ProcessStart::Observed.as_str(), ProcessStart::Observed), (ProcessStart::Model.as_str(), ProcessStart::Model)]);

impl<T: Copy + PartialEq> Words<T> {
    /// The word; `None` for the first, which is what is meant where nothing is written.
    pub(super) fn write(&self, value: T) -> Option<&'static str> {
        self.0.iter().skip(1).find(|(_, known)| *known == value).map(|(word, _)| *word)
    }

    /// The meaning of a word; the first where there is none.
    pub(super) fn read(&self, word: Option<&str>, at: impl FnOnce() -> String) -> Result<T, PublicationError> {
        let first = self.0.first().filter(|_| word.is_none());
        let found = first.or_else(|| self.0.iter().find(|(known, _)| Some(*known) == word));
        found.map(|(_, value)| *value).ok_or_else(|| unknown(at(), word.unwrap_or(""), self.0.iter().map(|(word, _)| *word)))
    }
}

/// A word that this version does not know.
pub(super) fn unknown(at: String, word: &str, known: impl Iterator<Item = &'static str>) -> PublicationError {
    let word: String = word.chars().take(60).collect();
    let known = known.collect::<Vec<_>>().join(", ");
    let why =
        format!("'{word}' is not known here, but {known}; reload the page or install the newer Orrery where the site has it");
    PublicationError::invalid(at, why)
}

pub(super) fn status(word: &str, at: impl FnOnce() -> String) -> Result<Status, PublicationError> {
    Status::parse(word).ok_or_else(|| unknown(at(), word, Status::BY_RANK.into_iter().map(Status::as_str)))
}

pub(super) fn alarm_state(word: &str, at: impl FnOnce() -> String) -> Result<AlarmState, PublicationError> {
    AlarmState::parse(word).ok_or_else(|| unknown(at(), word, AlarmState::ALL.into_iter().map(AlarmState::as_str)))
}
