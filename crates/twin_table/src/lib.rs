//! How tables of samples are read: one reader of times, one of cells, one of rows, for every door that takes texts.
//!
//! Holds what a table may look like ([`TableDef`]) and the readers ([`Table`], [`TimeReader`], [`CellRules`]). Refuses to open
//! files, to ask for the time and to know what values mean; bytes come through [`std::io::Read`]. Nothing is guessed: what fits
//! no declaration is counted and named with its line and with what would mend it (docs/decisions/0014). Read in this order:
//! [`time`], [`cell`], [`rows`], [`table`].

pub mod cell;
pub mod rows;
pub mod table;
pub mod time;

pub use cell::{Cell, CellRules, Codes, NumberStyle, QualityReader};
pub use rows::{Encoding, Row, RowReader};
pub use table::{
    Column, Empty, Feed, Feeds, KeyPart, Layout, Place, QualityColumn, Report, Seen, Table, TableDef, TableError, TimeColumns,
};
pub use time::{TimeFault, TimeFormat, TimeReader, TimeSpec, Years, Zone};

/// Longest piece of a cell that a message repeats, in characters.
const QUOTED: usize = 40;

/// A piece of text for a message.
pub fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("'{}'", short.escape_debug())
}
