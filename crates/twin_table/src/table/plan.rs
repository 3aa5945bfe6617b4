//! From the names of a header to positions: which cell of a row is what. Names that are missing or double are errors.

use std::sync::Arc;

use super::def::{Column, Feed, Feeds, KeyPart, Layout, TableDef, TableError, TimeColumns};
use crate::names::{compared, composed, lookalike};
use crate::{listed, quoted};

/// How an error begins that says which name is missing.
pub(super) const MISSING: &str = "it has no column ";
/// Names that an error lists at most.
const LISTED: usize = 30;

/// Positions in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) names: Vec<String>,
    /// A first cell without a name comes before the named ones (as R writes names of rows).
    pub(super) shift: usize,
    pub(super) time: (usize, Option<usize>),
    pub(super) received: Option<usize>,
    pub(super) quality: Option<usize>,
    pub(super) cells: Cells,
    /// What stands for an empty cell of a key (Influx `#default`).
    pub(super) defaults: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cells {
    Long(Vec<(usize, Vec<Part>)>),
    Wide(Vec<(usize, Arc<[Feed]>)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    Cell(usize),
}

impl Plan {
    /// Looks up every column that the table is declared to have.
    pub(super) fn new(def: &TableDef, feeds: &Feeds, names: Vec<String>, shift: usize) -> Result<Self, TableError> {
        let at = |column: &Column, key| position(column, &names, shift, def, key);
        let time = match &def.time {
            TimeColumns::One(column) => (at(column, "time")?, None),
            TimeColumns::DateAndTime(date, time) => (at(date, "time")?, Some(at(time, "time")?)),
        };
        let cells = match &def.layout {
            Layout::Long { values } => {
                let part = |part: &KeyPart| match part {
                    KeyPart::Text(text) => Ok(Part::Text(text.clone())),
                    KeyPart::Column(column) => at(column, "key").map(Part::Cell),
                };
                let value = |(column, key): &(Column, Vec<KeyPart>)| {
                    Ok((at(column, "value")?, key.iter().map(part).collect::<Result<_, TableError>>()?))
                };
                Cells::Long(values.iter().map(value).collect::<Result<_, TableError>>()?)
            }
            Layout::Wide { columns } => {
                let column = |(column, key): &(Column, String)| {
                    Ok((at(column, "columns")?, feeds.get(&*composed(key)).cloned().unwrap_or_default().into()))
                };
                Cells::Wide(columns.iter().map(column).collect::<Result<_, TableError>>()?)
            }
        };
        let received = def.received.as_ref().map(|column| at(column, "received")).transpose()?;
        let quality = def.quality.as_ref().map(|quality| at(&quality.column, "quality")).transpose()?;
        Ok(Self { names, shift, time, received, quality, cells, defaults: Vec::new() })
    }

    /// The same for a header further down, which may lack columns: series come and go in a log, and each table of Influx has
    /// only its own tags. What it lacks has no readings (of a key: is empty), and is told as the second value.
    ///
    /// # Errors
    /// [`TableError`] where it has no time, no receipt or quality that is declared, no values at all, or names twice.
    pub(super) fn later(
        def: &TableDef,
        feeds: &Feeds,
        names: Vec<String>,
        shift: usize,
    ) -> Result<(Self, Vec<String>), TableError> {
        let mut without = Vec::new();
        let mut there = |column: &Column| {
            let name = lacking(column, &names);
            without.extend(name.map(quoted));
            name.is_none()
        };
        let layout = match &def.layout {
            Layout::Wide { columns } => {
                Layout::Wide { columns: columns.iter().filter(|(column, _)| there(column)).cloned().collect() }
            }
            Layout::Long { values } => {
                let mut kept: Vec<(Column, Vec<KeyPart>)> = values.iter().filter(|(value, _)| there(value)).cloned().collect();
                let parts = kept.iter_mut().flat_map(|(_, key)| key);
                parts.for_each(|part| {
                    if matches!(&*part, KeyPart::Column(column) if !there(column)) {
                        *part = KeyPart::Text(String::new());
                    }
                });
                Layout::Long { values: kept }
            }
        };
        without.dedup();
        let empty = match &layout {
            Layout::Wide { columns } => columns.is_empty(),
            Layout::Long { values } => values.is_empty(),
        };
        // Nothing of it is asked for: the error that names the first missing column says it best.
        let def = if empty { def } else { &TableDef { layout, ..def.clone() } };
        Ok((Self::new(def, feeds, names, shift)?, without))
    }

    /// Cells that a row should have; 0 where nobody said.
    pub(super) fn width(&self) -> usize {
        if self.names.is_empty() { 0 } else { self.names.len() + self.shift }
    }

    /// The name over the time, where there is one.
    pub(super) fn time_name(&self) -> Option<&str> {
        self.names.get(self.time.0.checked_sub(self.shift)?).map(String::as_str)
    }
}

/// The name of a column that a header lacks.
fn lacking<'c>(column: &'c Column, names: &[String]) -> Option<&'c str> {
    match column {
        Column::Index(_) => None,
        Column::Name(name) => Some(name.trim()).filter(|name| names.iter().all(|known| compared(known) != compared(name))),
    }
}

fn position(column: &Column, names: &[String], shift: usize, def: &TableDef, key: &'static str) -> Result<usize, TableError> {
    let name = match column {
        Column::Index(at) => return Ok(*at),
        Column::Name(name) => name.trim(),
    };
    let mut found = names.iter().enumerate().filter(|(_, known)| *known == name).map(|(at, _)| at).peekable();
    // The very characters first; else those that look the same.
    let alike = names.iter().enumerate().filter(|(_, known)| compared(known) == compared(name)).map(|(at, _)| at);
    let mut alike = if found.peek().is_some() { None } else { Some(alike) }.into_iter().flatten();
    let mut next = || found.next().or_else(|| alike.next());
    match (next(), next()) {
        (Some(at), None) => Ok(at + shift),
        (Some(first), Some(second)) => {
            let what = format!("its columns {} and {} (counted from 1) are both called {}", first + 1, second + 1, quoted(name));
            let help = "rename one; or write header = false, skip one line more, and count columns from 0";
            Err(TableError::new(key, what, help))
        }
        (None, _) => Err(missing(name, names, def, key)),
    }
}

/// Says what the table has instead, and what that looks like.
fn missing(name: &str, names: &[String], def: &TableDef, key: &'static str) -> TableError {
    let listed: Vec<String> = names.iter().take(LISTED).map(|name| listed(name)).collect();
    let more = if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    let what = format!("{MISSING}{}; it has: {}{more}", quoted(name), listed.join(", "));
    if let [only] = names
        && let Some(other) =
            [',', ';', '\t', '|'].into_iter().find(|c| only.contains(*c) && u8::try_from(*c) != Ok(def.separator))
    {
        let other = if other == '\t' { "\\t".to_owned() } else { other.to_string() };
        return TableError::new("separator", what, format!("is separator = \"{other}\" meant?"));
    }
    if names.iter().any(|name| name.contains(char::REPLACEMENT_CHARACTER)) {
        return TableError::new(key, what, "its names are not UTF-8: write encoding = \"windows-1252\"");
    }
    if let Some(help) = names.iter().find_map(|known| lookalike(name, known)) {
        return TableError::new(key, what, help);
    }
    let same = names.iter().find(|known| known.to_lowercase() == name.to_lowercase());
    let help = same.map_or_else(String::new, |same| format!("is {} meant?", quoted(same)));
    TableError::new(key, what, help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CellRules, TimeSpec};

    fn plan(columns: &[&str], names: &[&str]) -> Result<Plan, TableError> {
        let columns = columns.iter().map(|name| (Column::Name((*name).to_owned()), (*name).to_owned())).collect();
        let def = TableDef {
            separator: b';',
            encoding: None,
            skip_lines: 0,
            header: true,
            units_row: false,
            time: TimeColumns::One(Column::Name("t".to_owned())),
            times: TimeSpec::default(),
            received: None,
            layout: Layout::Wide { columns },
            quality: None,
            cells: CellRules::default(),
            empty: super::super::Empty::NoValue,
        };
        Plan::new(&def, &Feeds::new(), names.iter().map(|name| (*name).to_owned()).collect(), 0)
    }

    #[test]
    fn a_name_must_be_there_once() {
        assert_eq!(plan(&["A "], &["t", "A"]).unwrap().width(), 2);
        for (columns, names, part) in [
            (["B"], vec!["t", "A"], "it has no column 'B'; it has: t, A"),
            (["A"], vec!["t", "A", "x", "A"], "columns 2 and 4 (counted from 1) are both called 'A'"),
            (["A"], vec!["t", "a"], "is 'a' meant?"),
            (["A"], vec!["t,A"], "is separator = \",\" meant?"),
            (["F\u{fc}llen"], vec!["t", "F\u{fffd}llen"], "write encoding = \"windows-1252\""),
        ] {
            let error = plan(&columns, &names).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(plan(&["A"], &["t", "A", "x", "x", "", ""]).is_ok(), "names that nobody uses may be double");
    }
}
