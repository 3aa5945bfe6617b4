//! What a table is declared to be, and which signals its columns feed. Data only.

use std::collections::HashMap;

use twin_model::{SignalIndex, ValueKind};

use crate::{CellRules, Codes, Encoding, TimeSpec};

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its position, from 0.
    Index(usize),
}

/// Where the time of a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeColumns {
    /// In one column.
    One(Column),
    /// The date in one, the time of day in another; they are read as one text with a blank between.
    DateAndTime(Column, Column),
}

/// How rows become samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A row says in its cells which series it is of.
    Long {
        /// Columns of values, each with the parts of the key that is matched with the source keys of signals.
        values: Vec<(Column, Vec<KeyPart>)>,
    },
    /// One column per signal.
    Wide {
        /// Column, and the key under which [`Feeds`] knows its signals: the column as it is written in the site file.
        columns: Vec<(Column, String)>,
    },
}

/// A piece of a key template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// Text as it stands.
    Text(String),
    /// The row's text in a column.
    Column(Column),
}

/// The column of the quality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityColumn {
    /// Where it stands.
    pub column: Column,
    /// What numbers in it mean.
    pub codes: Codes,
}

/// What an empty cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Empty {
    /// A reading without a value: the instrument was asked and gave nothing. Its quality is bad.
    #[default]
    NoValue,
    /// No reading: the row is about other columns, as in tables that join series of different times.
    NoSample,
}

/// How a table is to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDef {
    /// Byte between cells.
    pub separator: u8,
    /// Encoding, where it was declared; a byte order mark wins.
    pub encoding: Option<Encoding>,
    /// Lines to leave out at the start.
    pub skip_lines: usize,
    /// Whether the first row names the columns.
    pub header: bool,
    /// Whether the row after that holds units.
    pub units_row: bool,
    /// Columns of the time.
    pub time: TimeColumns,
    /// How times are written.
    pub times: TimeSpec,
    /// Column of the time of receipt, written like the time; that of the time itself where no other clock counts.
    pub received: Option<Column>,
    /// Long or wide.
    pub layout: Layout,
    /// Column of the quality.
    pub quality: Option<QualityColumn>,
    /// How cells are written.
    pub cells: CellRules,
    /// What an empty cell is.
    pub empty: Empty,
}

impl TableDef {
    /// Whether its times are those of receipt: readings of a signal with one time are several that came at once, and none takes another's
    /// place. Whoever keeps them gives each a time of its own.
    pub fn by_receipt(&self) -> bool {
        matches!((&self.time, &self.received), (TimeColumns::One(time), Some(received)) if time == received)
    }
}

/// A signal that a column feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The signal.
    pub signal: SignalIndex,
    /// What it takes.
    pub kind: ValueKind,
    /// Its unit, to compare a row of units with.
    pub unit: String,
}

/// Which signals a key feeds: source keys of a long table, columns of a wide one; keys as [`composed`](crate::names::composed) spells them.
pub type Feeds = HashMap<String, Vec<Feed>>;

/// Why a table can't be read at all, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}{help}", if help.is_empty() { "" } else { "; " })]
pub struct TableError {
    /// Key of the site file that is to be looked at, for example `columns`.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// How to mend it; may be empty.
    pub help: String,
}

impl TableError {
    pub(crate) fn new(key: &'static str, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key, what: what.into(), help: help.into() }
    }

    pub(crate) fn read(error: &std::io::Error) -> Self {
        // What is no text says itself what it is.
        match error.kind() {
            std::io::ErrorKind::InvalidData => Self::new("path", error.to_string(), ""),
            _ => Self::new("path", format!("it can't be read: {error}"), ""),
        }
    }
}
