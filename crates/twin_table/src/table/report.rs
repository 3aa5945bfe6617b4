//! What was odd about a table: counted by kind, the first few named with their lines.

use std::collections::BTreeMap;

use twin_model::Timestamp;

use super::TableError;
use crate::quoted;
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
    /// Places that are broken off or hold NUL bytes; what is broken off gives readings without a value.
    Broken,
    /// Quotes that never close; the row is read as it stands.
    Quote,
    /// Cells that can't be read; they are readings without a value.
    Value,
    /// Numbers with more digits than the signal keeps, or closer to zero than it can be.
    Rounded,
    /// Qualities that are no known word; they count as uncertain, or as bad where they begin with it.
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
            Self::Broken => "places are broken off or hold NUL bytes, as a power cut leaves them",
            Self::Quote => "quotes never close",
            Self::Value => "cells can't be used and count as readings without a value",
            Self::Rounded => "numbers lose digits; whole ones keep them where the signal has value = \"int\"",
            Self::Quality => "qualities are no known word and count as uncertain, or as bad where they begin with it",
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

/// A cell that is read otherwise once somebody says how the table is written. Then all others may be, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undeclared {
    /// It is a quality with a number of OPC DA; else a number with a comma or groups.
    pub quality: bool,
    /// Line in the file, from 1; 0 where it was not counted.
    pub line: u64,
    /// What stands there.
    pub text: String,
}

impl Undeclared {
    /// Why the table is refused.
    pub fn error(&self) -> TableError {
        let at = if self.line == 0 { "near the end".to_owned() } else { format!("line {}", self.line) };
        let text = quoted(&self.text);
        if self.quality {
            let what = format!("{at}: the quality {text} is a number of OPC DA, where 192 is good and 0 is bad");
            return TableError::new("quality", what, "write quality = { column = \"\u{2026}\", codes = \"opc_da\" }");
        }
        let what = format!("{at}: {text} has a comma or groups of digits, and nobody said which");
        let help = "write decimal = \",\" (and thousands = \".\" where there are any), or decimal = \".\" with thousands = \",\"";
        TableError::new("decimal", what, help)
    }
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
    /// The first of those: its line, 0 where it was not counted, and its instant.
    pub overwritten_first: Option<(u64, Timestamp)>,
    /// A signal's rows are in no order of time, so that there may be more of those whose rows are no neighbours.
    pub crossed: bool,
    /// The last samples, so many, of such a file that has more than can be compared: only neighbours of them were.
    pub uncompared: u64,
    /// What was special about times.
    pub times: TimeCounts,
    /// Long layout: keys that no signal has, with how often they came.
    pub unknown_keys: BTreeMap<String, u64>,
    /// Wide layout: cells of each column by its position, and how many of them are empty.
    pub columns: Vec<(u64, u64)>,
    /// The first cell for which the table is to be refused, wherever it stands.
    pub undeclared: Option<Undeclared>,
    /// The line from which on quotes mean nothing, because too many never closed: more may be.
    pub literal_from: Option<u64>,
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
        self.undeclared = self.undeclared.or(end.undeclared.map(|found| Undeclared { line: 0, ..found }));
        self.times.add(end.times);
        (self.rows, self.timed, self.samples) = (self.rows + end.rows, self.timed + end.timed, self.samples + end.samples);
        self
    }

    /// How many of a kind there are, in words.
    pub fn words(&self, seen: Seen, count: u64) -> String {
        match self.literal_from.filter(|_| seen == Seen::Quote) {
            Some(line) => format!("at least {count} {}, and from line {line} on all quotes are read as they stand", seen.words()),
            None => format!("{count} {}", seen.words()),
        }
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
