//! What it means that something which was kept can't be read: the one place that says so. What is known to be missing is never taken
//! for time in which nothing happened: readers get it by name, people once on the terminal, `/metrics` counts it and `/readyz` tells.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use twin_historian::historian::{Blob, Historian, KeepError};
use twin_historian::{ChunkKey, Level};
use twin_model::{Model, SignalIndex, TimeRange};

use crate::GatewayError;

/// What a keeper says is damaged where it isn't one piece.
pub(super) const THE_FILE: &str = "the database file";
/// Pieces that are remembered, so that each is counted and told once.
const REMEMBERED: usize = 10_000;
/// Pieces that the terminal names.
const NAMED: usize = 10;
/// Signals that words name; the others are counted.
const SIGNALS: usize = 3;

/// A stretch of kept history that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Source times that it is of, half-open.
    pub range: TimeRange,
    /// Whether it is what held at an instant, of which the readings are elsewhere.
    pub carried: bool,
    /// Keeper's numbers of the series that it may be of; none: nobody can tell.
    pub numbers: Option<Range<u32>>,
    /// Which piece it is.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

impl Missing {
    pub(super) fn of(key: &ChunkKey, why: String) -> Self {
        let numbers = key.first_signal..key.first_signal.saturating_add(key.signals);
        Self {
            range: key.range(),
            carried: key.level == Level::Carried,
            numbers: Some(numbers),
            what: format!("chunk {key}"),
            why,
        }
    }

    /// The site's signals that it may be of; `position` says which one has a number.
    pub fn signals(&self, model: &Model, position: impl Fn(u32) -> Option<SignalIndex>) -> Vec<SignalIndex> {
        match &self.numbers {
            Some(numbers) => numbers.clone().filter_map(position).collect(),
            None => model.signal_indices().collect(),
        }
    }
}

/// A keeper's error with the file that it is of: what is damaged comes with what to do.
pub(super) fn in_file(path: &Path, source: KeepError) -> GatewayError {
    match source {
        KeepError::Damaged { what, why } => {
            let why = if what == THE_FILE { why } else { format!("{what}: {why}") };
            GatewayError::Damaged { path: path.to_owned(), why }
        }
        source @ KeepError::Unavailable { .. } => GatewayError::History { path: path.to_owned(), source },
    }
}

/// For people: which time of which signals is missing.
pub(crate) fn words(model: &Model, range: TimeRange, signals: &[SignalIndex]) -> String {
    let named: Vec<&str> = signals.iter().take(SIGNALS).map(|signal| model.signal(*signal).id.as_str()).collect();
    let more = signals.len().saturating_sub(SIGNALS);
    let of = match (named.is_empty(), more) {
        (true, _) => "series that the site does not have".to_owned(),
        (false, 0) => named.join(", "),
        (false, more) => format!("{} and {more} more signals", named.join(", ")),
    };
    format!("history {} of {of} can't be read and is missing", crate::term::stretch(range))
}

/// A kept chunk, as a reader gets it.
pub(super) enum Piece {
    /// Its bytes.
    Whole(Blob),
    /// It was replaced or removed since the catalogue was read.
    Gone,
    /// It is there, and can't be read.
    Missing(Missing),
}

/// Reads a kept chunk.
///
/// # Errors
/// Where the keeper can't be reached now, which says nothing about the chunk.
pub(super) fn piece(keeper: &dyn Historian, key: &ChunkKey) -> Result<Piece, KeepError> {
    match keeper.chunk(key) {
        Ok(Some(bytes)) => Ok(Piece::Whole(bytes)),
        Ok(None) => Ok(Piece::Gone),
        Err(KeepError::Damaged { what, why }) => {
            let why = if what == THE_FILE { format!("{what} is damaged there: {why}") } else { why };
            Ok(Piece::Missing(Missing::of(key, why)))
        }
        Err(error) => Err(error),
    }
}

/// What a running program knows of damage.
#[derive(Debug, Default)]
pub(super) struct Damage {
    pieces: Mutex<BTreeSet<String>>,
    /// Pieces, each once.
    count: AtomicU64,
    /// Reads that failed because the keeper could not be reached.
    refused: AtomicU64,
    /// Why the keeper as a whole can't be read any more.
    whole: OnceLock<String>,
    /// What was not read at the start, so that memory lacks it.
    absent: OnceLock<Vec<Missing>>,
}

impl Damage {
    /// A piece can't be read: counts it and says so, the first time; whether this is it.
    pub(super) fn piece(&self, what: &str, why: &str) -> bool {
        let Some(known) = self.remember(what) else { return false };
        match known {
            0..NAMED => crate::term::warn(&format!(
                "{what} of the kept history is damaged: {why}; readers are told that it is missing; `orrery fsck` says what was in it"
            )),
            NAMED => crate::term::warn("more of the kept history is damaged; `orrery fsck` lists it"),
            _ => {}
        }
        true
    }

    /// How many were known before; none where it is known.
    fn remember(&self, what: &str) -> Option<usize> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pieces.len();
        let new = known < REMEMBERED && pieces.insert(what.to_owned());
        if new {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        new.then_some(known)
    }

    /// What could not be read at the start. The terminal was told.
    pub(super) fn at_start(&self, missing: &[Missing]) {
        for missing in missing {
            self.remember(&missing.what);
        }
        // A damaged journal entry is set aside by this start, and nothing vouches for the times that it claims.
        let chunks = missing.iter().filter(|missing| missing.numbers.is_some() && !missing.carried);
        self.absent.get_or_init(|| chunks.cloned().collect());
    }

    /// What memory lacks because it could not be read at the start.
    pub(super) fn absent(&self) -> &[Missing] {
        self.absent.get().map_or(&[], Vec::as_slice)
    }

    /// A read failed. Where that is damage, looks whether the keeper as a whole is hurt.
    pub(super) fn failed(&self, error: &KeepError, keeper: &dyn Historian) {
        match error {
            KeepError::Damaged { what, why } => {
                if what == THE_FILE {
                    self.look(keeper);
                }
                // Nothing where the look said so already.
                self.piece(what, why);
            }
            KeepError::Unavailable { .. } => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "kept history was not to be had for a reader");
            }
        }
    }

    /// Readers were told of these.
    pub(super) fn missing(&self, missing: &[Missing], keeper: &dyn Historian) {
        for one in missing {
            // Known ones are not looked at again: whoever asks often costs nothing.
            if self.piece(&one.what, &one.why) && one.why.starts_with(THE_FILE) {
                self.look(keeper);
            }
        }
    }

    /// Looks whether a start could read what is kept; from the first time that it could not, nothing is acknowledged any more.
    pub(super) fn look(&self, keeper: &dyn Historian) {
        if self.whole.get().is_some() {
            return;
        }
        if let Err(KeepError::Damaged { what, why }) = keeper.sound()
            && self.whole.set(why.clone()).is_ok()
        {
            self.remember(THE_FILE);
            crate::term::warn(&format!(
                "kept history can't be read any more: {what} is damaged: {why}; nothing more is written or acknowledged, because no \
                 start could read it; stop the server, and save what can be read with `orrery fsck --repair`"
            ));
        }
    }

    /// Why the keeper as a whole can't be read any more; none where it can.
    pub(super) fn whole(&self) -> Option<&str> {
        self.whole.get().map(String::as_str)
    }

    /// Fails where the keeper as a whole can't be read any more.
    pub(super) fn sound(&self) -> Result<(), KeepError> {
        self.whole().map_or(Ok(()), |why| Err(KeepError::Damaged { what: THE_FILE.to_owned(), why: why.to_owned() }))
    }

    /// Pieces that can't be read, each once.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Reads that failed because the keeper could not be reached.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_counts_once_however_often_it_is_asked_for() {
        let damage = Damage::default();
        for _ in 0..100 {
            damage.piece("chunk 1", "torn");
            damage.piece("chunk 2", "torn");
        }
        assert_eq!((damage.count(), damage.whole()), (2, None));
    }
}
