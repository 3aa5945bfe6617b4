//! How tables of samples are read: one reader of times, one of cells, one of rows, for every door that takes texts.
//!
//! Holds what a table may look like ([`TableDef`]) and the readers ([`Table`], [`TimeReader`], [`CellRules`]). Refuses to open
//! files, to ask for the time and to know what values mean; bytes come through [`std::io::Read`]. Nothing is guessed: what fits
//! no declaration is counted and named with its line and with what would mend it (docs/decisions/0014). Read in this order:
//! [`time`], [`cell`], [`rows`], [`table`].

pub mod cell;
pub mod names;
pub mod rows;
pub mod table;
pub mod time;

pub use cell::{Cell, CellRules, Codes, Nulls, NumberStyle, QualityReader};
pub use names::visible;
pub use rows::{Encoding, Row, RowReader};
pub use table::{
    Column, Empty, Feed, Feeds, KeyPart, Layout, Place, QualityColumn, Report, Seen, Table, TableDef, TableError, TimeColumns,
};
pub use time::{TimeFault, TimeFormat, TimeReader, TimeSpec, Unit, Years, Zone};

/// Longest piece of a cell that a message repeats, in characters.
const QUOTED: usize = 40;
/// Of a name in a list, which may be a line that is no header.
const LISTED: usize = 80;

/// A piece of text of outside for a message: in quotes, at most so long, what can't be seen by its number.
pub fn quoted(text: &str) -> String {
    format!("'{}'", visible(&beginning(text, QUOTED)).replace('\'', "\\'"))
}

/// A name of outside in a list of names: without quotes, for the rest as [`quoted`].
pub fn listed(name: &str) -> String {
    visible(&beginning(name, LISTED))
}

fn beginning(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
