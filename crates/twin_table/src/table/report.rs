//! What was odd about a table: counted by kind, the first few named with their lines.

use std::collections::BTreeMap;

use crate::time::TimeCounts;

/// Faults of a kind that are named; the rest is counted.
pub const NAMED: usize = 5;
/// Unknown keys and qualities that are told apart.
const TOLD_APART: usize = 1_000;

/// A kind of oddity, in the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// Rows without a time that can be read; they are left out.
    Time,
    /// Rows of the hour that came twice, of which nothing tells which pass they are.
    Guess,
    /// Readings near a change of the clock that take the place of another of their signal and instant.
    Lost,
    /// Rows further ahead of their receipt than the store takes them; they are kept aside.
    Ahead,
    /// Rows with a time of receipt that can't be read; they count as received at their own time.
    Receipt,
    /// Rows with more or fewer cells than the header; what can't be told apart is a reading without a value.
    Row,
    /// Quotes that never close; the row is read as it stands.
    Quote,
    /// Cells that can't be read; they are readings without a value.
    Value,
    /// Whole numbers with more digits than the signal keeps.
    Rounded,
    /// Qualities that are no known word; they count as uncertain.
    Quality,
    /// Units that differ from those of the signal.
    Unit,
}

impl Seen {
    /// What is counted, for a message that begins with the number.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Time => "rows have no time that can be read and are left out",
            Self::Guess => "rows are of an hour that came twice, and nothing tells which it was, so that it is a guess",
            Self::Lost => "readings near a change of the clock take the place of one of the same signal and instant",
            Self::Ahead => "rows are more than an hour ahead of the receipt that they name and are set aside",
            Self::Receipt => "rows have no time of receipt that can be read and count as received at their own time",
            Self::Row => "rows don't fit the header",
            Self::Quote => "quotes never close",
            Self::Value => "cells can't be used and count as readings without a value",
            Self::Rounded => "whole numbers lose digits; give their signals value = \"int\"",
            Self::Quality => "qualities are no known word and count as uncertain",
            Self::Unit => "units are not those of the signals",
        }
    }
}

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line in the file, from 1.
    pub line: u64,
    /// What stands there and what is wrong with it.
    pub what: String,
}

/// What a reading of a table came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Rows of data.
    pub rows: u64,
    /// Rows with a time.
    pub timed: u64,
    /// Samples, with those without a value.
    pub samples: u64,
    /// Of them: without a value.
    pub without_value: u64,
    /// Of them: at an instant at which the row before, or near a change of the clock any row, already had one of the signal. The later
    /// row counts.
    pub overwritten: u64,
    /// What was special about times.
    pub times: TimeCounts,
    /// Long layout: keys that no signal has, with how often they came.
    pub unknown_keys: BTreeMap<String, u64>,
    /// Wide layout: cells of each column by its position, and how many of them are empty.
    pub columns: Vec<(u64, u64)>,
    odd: BTreeMap<Seen, (u64, Vec<Fault>)>,
}

impl Report {
    pub(crate) fn note(&mut self, seen: Seen, line: u64, what: impl FnOnce() -> String) {
        self.note_all(seen, 1, line, what);
    }

    /// Notes several at once, of which the first is on `line`.
    pub(crate) fn note_all(&mut self, seen: Seen, all: u64, line: u64, what: impl FnOnce() -> String) {
        let (count, named) = self.odd.entry(seen).or_default();
        *count += all;
        if named.len() < NAMED {
            named.push(Fault { line, what: what() });
        }
    }

    pub(crate) fn unknown(&mut self, key: &str) {
        if self.unknown_keys.len() < TOLD_APART || self.unknown_keys.contains_key(key) {
            *self.unknown_keys.entry(key.to_owned()).or_default() += 1;
        }
    }

    /// This report of a beginning with that of an end, whose lines nobody counted.
    #[must_use]
    pub fn with_end(mut self, end: Self) -> Self {
        for (seen, (count, named)) in end.odd {
            let (all, kept) = self.odd.entry(seen).or_default();
            *all += count;
            let room = NAMED.saturating_sub(kept.len());
            kept.extend(named.into_iter().take(room).map(|fault| Fault { line: 0, ..fault }));
        }
        self.times.add(end.times);
        (self.rows, self.timed, self.samples) = (self.rows + end.rows, self.timed + end.timed, self.samples + end.samples);
        self
    }

    /// How many there are of a kind, and the first of them.
    pub fn of(&self, seen: Seen) -> (u64, &[Fault]) {
        self.odd.get(&seen).map_or((0, &[]), |(count, named)| (*count, named))
    }

    /// Every kind that was seen.
    pub fn all(&self) -> impl Iterator<Item = (Seen, u64, &[Fault])> {
        self.odd.iter().map(|(seen, (count, named))| (*seen, *count, named.as_slice()))
    }
}
