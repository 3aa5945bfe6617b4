//! A table as samples, row by row: the one policy for headers, widths, quotes, units, repeated headers and odd cells.
//!
//! Refuses a table as a whole only where its rows could be taken for something else than they are: a column that is missing or
//! double, numbers with commas that nobody declared, numbers of OPC DA in a column of OPC UA. Everything else is counted and named.

mod def;
mod plan;
mod probe;
pub mod report;
mod row;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Read};
use std::sync::Arc;

use twin_model::{Sample, SignalIndex, Timestamp};

pub use def::{Column, Empty, Feed, Feeds, KeyPart, Layout, QualityColumn, TableDef, TableError, TimeColumns};
pub use report::{Fault, Report, Seen, Undeclared};

use crate::cell::{Texts, is_no_value};
use crate::rows::{Cells, Encoding, Row, RowReader};
use crate::time::{TimeReader, TimeSpec};
use plan::Plan;

/// Headers of one file that are told apart (Influx writes one for each table).
const MAX_PLANS: usize = 1_000;

/// Where a row stands, so that it can be read again alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line in the file, from 1.
    pub line: u64,
    /// Its first byte.
    pub offset: u64,
    /// Its bytes, up to the next row.
    pub bytes: u64,
    /// Its time.
    pub time: Timestamp,
    /// When it was received: its own column, else its time.
    pub received: Timestamp,
    /// Only the rows before told the time; read again alone it is taken from here.
    pub by_order: bool,
    /// Which of the file's headers it is under.
    pub plan: usize,
}

/// What is needed to read rows of a file that was looked at before.
#[derive(Debug, Clone)]
pub struct Known {
    encoding: Encoding,
    line_end: u8,
    plans: Vec<Arc<Plan>>,
    annotated: bool,
    descending: bool,
}

/// Times that a signal's rows had so far.
#[derive(Debug, Clone, Copy)]
struct Met {
    last: Timestamp,
    first: Timestamp,
    newest: Timestamp,
}

impl Met {
    const NOTHING: Self = Self { last: Timestamp::MIN, first: Timestamp::MAX, newest: Timestamp::MIN };
}

/// Where a series began within an hour that came twice.
#[derive(Debug, Clone, Copy)]
struct Began {
    line: u64,
    /// What its time is taken for.
    t: Timestamp,
    /// It and the rows behind it whose time hangs on its own.
    rows: u64,
}

/// Reads a table. See the module's head.
pub struct Table<'a, R> {
    rows: RowReader<R>,
    def: &'a TableDef,
    feeds: &'a Feeds,
    plans: Vec<Arc<Plan>>,
    /// Position in `plans`.
    plan: usize,
    /// Rows that were looked at before the first was handed out.
    held: VecDeque<Row>,
    spare: Row,
    times: TimeReader,
    texts: Texts,
    /// By signal, to see what is overwritten.
    met: Vec<Met>,
    /// Signals and instants of rows near a change of the clock, where rows that are no neighbours may mean the same instant.
    changes: HashSet<(SignalIndex, Timestamp)>,
    /// The row at hand is one.
    near_change: bool,
    /// See [`TableDef::by_receipt`].
    by_receipt: bool,
    /// By series: where it began within an hour that came twice, as long as no row told which it was.
    openings: HashMap<u64, Began>,
    /// Rows whose first cell begins with `#` are about the columns.
    annotated: bool,
    /// The next row is a header.
    header_next: bool,
    /// The next row holds units, unless it is a reading.
    units_next: bool,
    /// The line of a header that can't be used: the rows under it are nobody's, least of all the columns' of the header before.
    unusable: Option<u64>,
    defaults: Vec<String>,
    /// What was odd so far.
    pub report: Report,
}

impl<'a, R: Read> Table<'a, R> {
    /// Reads the header and looks at the first rows.
    ///
    /// # Errors
    /// [`TableError`] where the table can't be what it is declared to be.
    pub fn open(input: R, def: &'a TableDef, feeds: &'a Feeds) -> Result<Self, TableError> {
        let mut rows = RowReader::new(input, def.separator, def.encoding).map_err(|e| TableError::read(&e))?;
        let skipped = rows.skip_lines(def.skip_lines).map_err(|e| TableError::read(&e))?;
        if skipped < def.skip_lines {
            let what = match skipped {
                0 => return Err(TableError::new("path", "the file is empty", "")),
                lines => format!("it has only {lines} lines, and skip_lines = {} leaves none of them", def.skip_lines),
            };
            return Err(TableError::new("skip_lines", what, "skip fewer lines"));
        }
        let mut table = Self {
            rows,
            def,
            feeds,
            plans: Vec::new(),
            plan: 0,
            held: VecDeque::new(),
            spare: Row::default(),
            times: TimeReader::new(def.times.clone()),
            texts: Texts::default(),
            met: Vec::new(),
            changes: HashSet::new(),
            near_change: false,
            by_receipt: def.by_receipt(),
            openings: HashMap::new(),
            annotated: false,
            header_next: false,
            units_next: false,
            unusable: None,
            defaults: Vec::new(),
            report: Report::default(),
        };
        table.begin()?;
        Ok(table)
    }

    /// Reads rows of a file that was opened before, from the row at `place` on. That row comes out as it did before, also where only
    /// the rows before it told its time.
    pub fn again(input: R, def: &'a TableDef, feeds: &'a Feeds, known: &Known, place: &Place) -> Self {
        let rows = RowReader::at(input, def.separator, known.encoding, place.offset, place.line).ending_with(known.line_end);
        let mut times = TimeReader::new(def.times.clone());
        times.descending(known.descending);
        times.goes_on();
        if place.by_order {
            times.expect(place.time);
        }
        Self {
            rows,
            def,
            feeds,
            plans: known.plans.clone(),
            plan: place.plan,
            held: VecDeque::new(),
            spare: Row::default(),
            times,
            texts: Texts::default(),
            met: Vec::new(),
            changes: HashSet::new(),
            near_change: false,
            by_receipt: def.by_receipt(),
            openings: HashMap::new(),
            annotated: known.annotated,
            header_next: false,
            units_next: false,
            unusable: None,
            defaults: Vec::new(),
            report: Report::default(),
        }
    }

    /// Leaves out what is left of the line at hand: for a reader that begins anywhere.
    ///
    /// # Errors
    /// Where the file can't be read on.
    pub fn skip_to_next_line(&mut self) -> io::Result<()> {
        self.rows.skip_lines(1).map(|_| ())
    }

    /// What [`Self::again`] needs.
    pub fn known(&self) -> Known {
        Known {
            encoding: self.rows.encoding(),
            line_end: self.rows.line_end(),
            plans: self.plans.clone(),
            annotated: self.annotated,
            descending: self.times.is_descending(),
        }
    }

    /// Appends the samples of the next row that has a time and gives its place; `None` at the end.
    ///
    /// # Errors
    /// Where the file can't be read on.
    pub fn next(&mut self, out: &mut Vec<(SignalIndex, Sample)>) -> io::Result<Option<Place>> {
        loop {
            let row = match self.held.pop_front() {
                Some(row) => row,
                None => {
                    let mut row = std::mem::take(&mut self.spare);
                    if !self.read(&mut row)? {
                        self.note_openings();
                        self.report.times = self.times.counts;
                        return Ok(None);
                    }
                    row
                }
            };
            let place = if self.is_about_columns(&row) { None } else { self.row(&row, out) };
            self.report.literal_from = self.rows.literal_from();
            self.spare = row;
            if place.is_some() {
                self.report.times = self.times.counts;
                return Ok(place);
            }
        }
    }

    fn read(&mut self, row: &mut Row) -> io::Result<bool> {
        let (plan, times) = (self.plans.get(self.plan), &self.def.times);
        self.rows.read(row, &|cells| plan.is_some_and(|plan| is_row(cells, plan, times)))
    }

    /// Headers after the first, and annotations of Influx.
    fn is_about_columns(&mut self, row: &Row) -> bool {
        let Some(first) = row.cells.get(0) else { return false };
        if self.annotated && first.starts_with(b"#") || is_annotation(first) {
            self.annotated = true;
            self.header_next = true;
            if first.starts_with(b"#default") {
                self.defaults = names(&row.cells);
            }
            return true;
        }
        if !self.def.header {
            return false;
        }
        let Some(plan) = self.plans.get(self.plan) else { return false };
        if std::mem::take(&mut self.units_next) && !is_row(&row.cells, plan, &self.def.times) {
            let plan = plan.clone();
            self.compare_units(&plan, row);
            return true;
        }
        let is_time = |cell: &str| is_time(cell, plan, &self.def.times);
        let named = row.names_again(plan.time.0, plan.time_name().unwrap_or_default(), &plan.names, &is_time)
            || row.after_blank && names_others(&row.cells, plan, &is_time);
        if !(self.header_next || named) {
            return false;
        }
        self.header_next = false;
        self.units_next = self.def.units_row;
        let found = names(&row.cells);
        if found == plan.names && self.defaults.is_empty() {
            self.unusable = None;
            return true;
        }
        let shift = plan.shift;
        self.unusable = self.header_again(row.line, found, shift).err().map(|why| {
            let why = format!("another header, but {why}");
            self.report.note(Seen::Row, row.line, || why);
            row.line
        });
        true
    }

    /// Another header from here on.
    fn header_again(&mut self, line: u64, names: Vec<String>, shift: usize) -> Result<(), String> {
        let (mut plan, without) = Plan::later(self.def, self.feeds, names, shift).map_err(|error| error.to_string())?;
        plan.defaults = std::mem::take(&mut self.defaults);
        if let Some(same) = self.plans.iter().position(|known| **known == plan) {
            self.plan = same;
            return Ok(());
        }
        if self.plans.len() >= MAX_PLANS {
            return Err(format!("there are more than {MAX_PLANS} different ones"));
        }
        if !without.is_empty() {
            self.report.note(Seen::Row, line, || format!("another header, without {}", without.join(", ")));
        }
        self.plan = self.plans.len();
        self.plans.push(Arc::new(plan));
        Ok(())
    }
}

/// Whether a line by itself would be a row of the table: it has the right number of cells and a time in its place.
fn is_row(cells: &Cells, plan: &Plan, times: &TimeSpec) -> bool {
    let (width, at) = (plan.width(), plan.time.0);
    // Before the first rows are seen, nobody knows whether a cell without a name comes first.
    let fits = |at: usize| cell(cells, at).is_some_and(|text| times.fits(text) || plan.time.1.is_some() && !text.is_empty());
    (width == 0 || cells.len() == width || cells.len() == width + 1) && cells.len() > 1 && (fits(at) || fits(at + 1))
}

/// Whether what stands where the time is may be one, or the date of one.
fn is_time(cell: &str, plan: &Plan, times: &TimeSpec) -> bool {
    times.fits(cell) || plan.time.1.is_some() && cell.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a row behind a blank line is the header of another table: words, one for each column and none like another, without a time.
fn names_others(cells: &Cells, plan: &Plan, is_time: &dyn Fn(&str) -> bool) -> bool {
    let mut seen = HashSet::new();
    let is_name = |cell: &[u8]| {
        let first = cell.iter().find(|byte| !byte.is_ascii_whitespace());
        let word = first.is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
        word && text(cell).is_some_and(|name| !is_no_value(name) && !is_time(name) && seen.insert(name.to_owned()))
    };
    cells.len() > 1 && cells.len() == plan.width() && cells.iter().all(is_name)
}

/// Whether a row that begins so is an annotation of Influx.
fn is_annotation(first: &[u8]) -> bool {
    [b"#datatype".as_slice(), b"#group", b"#default"].iter().any(|name| first.starts_with(name))
}

/// A cell's bytes as text, blanks cut; `None` where they are no UTF-8.
fn text(cell: &[u8]) -> Option<&str> {
    std::str::from_utf8(cell).ok().map(str::trim)
}

fn cell(cells: &Cells, at: usize) -> Option<&str> {
    cells.get(at).and_then(text)
}

/// A header's names, blanks cut, without those at its end that are empty.
fn names(cells: &Cells) -> Vec<String> {
    let mut names: Vec<String> = cells.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
    while names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
}

#[cfg(test)]
mod tests;
