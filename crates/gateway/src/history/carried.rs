//! What holds where pages begin. At the end of every page what it ended with is kept, the newest sample of each signal in it;
//! now and then, when these news have grown to as much, the whole state instead. The state at an instant is the last whole state
//! with all news since. So this costs as much as changes, not signals times instants.
//!
//! In the keeper both are [`Level::Carried`] chunks that start at the instant. Those of a whole state end there, too; those of
//! news end one microsecond later.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use twin_historian::Level;
use twin_historian::historian::{Historian, KeepError, Page};
use twin_model::{Span, TimeRange, Timestamp};

use crate::stores::ALWAYS;

/// News of fewer bytes than this make no whole state worth its header.
const LEAST: u64 = 2_048;
/// What a chunk of news has beyond its instant.
const NEWS: Span = Span::from_micros(1);

/// Whether a page of [`Level::Carried`] is a whole state.
pub(super) fn is_whole(page: &Page) -> bool {
    page.end <= page.start
}

/// Where a carried chunk ends.
pub(super) fn end_of(at: Timestamp, whole: bool) -> Timestamp {
    if whole { at } else { at + NEWS }
}

/// The instants whose carried chunks together are the state at `at`: from the last whole state on. Empty where nothing is kept.
///
/// # Errors
/// Where the keeper cannot be read.
pub(super) fn chain(keeper: &dyn Historian, at: Timestamp) -> Result<TimeRange, KeepError> {
    let end = at + NEWS;
    let pages = keeper.pages(Level::Carried, TimeRange::new(Timestamp::MIN, end))?;
    let base = pages.iter().rfind(|page| is_whole(page)).or(pages.first()).map_or(end, |page| page.start);
    Ok(TimeRange::new(base, end))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instant {
    whole: bool,
    bytes: u64,
}

/// The instants of a keeper.
#[derive(Debug, Default)]
pub(super) struct Instants(BTreeMap<Timestamp, Instant>);

impl Instants {
    /// Those of a keeper.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn load(keeper: &dyn Historian) -> Result<Self, KeepError> {
        let pages = keeper.pages(Level::Carried, ALWAYS)?;
        Ok(Self(pages.iter().map(|page| (page.start, Instant { whole: is_whole(page), bytes: page.bytes })).collect()))
    }

    /// Whether a chunk for an instant is to be a whole state: what is there already says so, else only the first of all is,
    /// before which nothing was.
    pub(super) fn is_whole(&self, at: Timestamp) -> bool {
        match self.0.get(&at) {
            Some(instant) => instant.whole,
            None => self.0.range(..at).next().is_none(),
        }
    }

    /// The instants of the state at `at`, ascending, `at` included where something is kept of it.
    pub(super) fn chain(&self, at: Timestamp) -> Vec<Timestamp> {
        let mut chain = Vec::new();
        for (instant, one) in self.0.range(..=at).rev() {
            chain.push(*instant);
            if one.whole {
                break;
            }
        }
        chain.reverse();
        chain
    }

    /// Whole states after an instant, ascending.
    pub(super) fn wholes_after(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        self.0.range((Excluded(at), Unbounded)).filter(|(_, one)| one.whole).map(|(at, _)| *at)
    }

    /// Instants strictly inside a stretch, and whether any is a whole state.
    pub(super) fn inside(&self, range: TimeRange) -> (Vec<Timestamp>, bool) {
        if range.start >= range.end {
            return (Vec::new(), false);
        }
        let inside = self.0.range((Excluded(range.start), Excluded(range.end)));
        let any = inside.clone().any(|(_, one)| one.whole);
        (inside.map(|(at, _)| *at).collect(), any)
    }

    /// Whether the news up to an instant have grown to as much as the whole state before them.
    pub(super) fn wants_whole(&self, at: Timestamp) -> bool {
        let mut news = 0;
        for (_, one) in self.0.range(..=at).rev() {
            if one.whole {
                return news > 0 && news >= one.bytes.max(LEAST);
            }
            news += one.bytes;
        }
        false
    }

    /// Notes what was written of an instant.
    pub(super) fn note(&mut self, note: Note) {
        let one = self.0.entry(note.at).or_insert(Instant { whole: note.whole, bytes: 0 });
        one.whole = note.whole;
        one.bytes = (one.bytes + note.bytes).saturating_sub(note.before);
    }

    /// Forgets an instant.
    pub(super) fn forget(&mut self, at: Timestamp) {
        self.0.remove(&at);
    }
}

/// A carried chunk that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) at: Timestamp,
    pub(super) whole: bool,
    pub(super) bytes: u64,
    /// Bytes of the chunk whose place it takes.
    pub(super) before: u64,
}
