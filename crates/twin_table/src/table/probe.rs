//! The beginning of a table: its header, its units, and what its first rows tell about all of them.

use std::io::Read;

use twin_model::Timestamp;

use super::def::Feed;
use super::plan::{self, Cells, Plan};
use super::{Table, TableError, Undeclared, cell, is_annotation, is_row, names, text};
use crate::cell::{Cell, ReadQuality, Texts, Unreadable};
use crate::names::composed;
use crate::quoted;
use crate::rows::{Oddity, Row};
use crate::table::report::Seen;
use crate::{QualityReader, TimeReader};

/// Rows that are looked at before the first is handed out.
const PROBED: usize = 200;
/// Lines below the first among which a header is looked for that was not there.
const HEADER_WITHIN: usize = 50;

impl<R: Read> Table<'_, R> {
    pub(super) fn begin(&mut self) -> Result<(), TableError> {
        let mut header = Vec::new();
        if self.def.header {
            header = self.header()?;
        }
        let mut plan = match Plan::new(self.def, self.feeds, header.clone(), 0) {
            Ok(plan) => plan,
            Err(error) => return Err(self.instead(error, &header)),
        };
        plan.defaults = std::mem::take(&mut self.defaults);
        self.plans = vec![plan.clone().into()];
        if self.def.units_row {
            self.units()?;
        }
        while self.held.len() < PROBED {
            let mut row = Row::default();
            if !self.read(&mut row).map_err(|e| TableError::read(&e))? {
                break;
            }
            self.held.push_back(row);
        }
        if self.longer(&plan) {
            let named = Plan::new(self.def, self.feeds, plan.names.clone(), 1)?;
            if self.row_names(&plan, &named) {
                plan = Plan { defaults: std::mem::take(&mut plan.defaults), ..named };
                self.plans = vec![plan.clone().into()];
            }
        }
        self.times.descending(self.falls(&plan));
        self.styles(&plan)
    }

    /// The first row that is no annotation of Influx, and no word about the separator, which spreadsheets want and write.
    fn header(&mut self) -> Result<Vec<String>, TableError> {
        let mut row = Row::default();
        let mut separator_said = false;
        loop {
            if !self.rows.read(&mut row, &|_| false).map_err(|e| TableError::read(&e))? {
                return Err(match self.def.skip_lines {
                    0 => TableError::new("path", "the file is empty", ""),
                    n => TableError::new("skip_lines", format!("nothing stands behind its first {n} lines"), "skip fewer lines"),
                });
            }
            if self.passed_over(&row) {
                continue;
            }
            if !separator_said && row.says_separator() {
                separator_said = true;
                continue;
            }
            let first = row.cells.get(0).unwrap_or_default();
            if !is_annotation(first) {
                return Ok(names(&row.cells));
            }
            self.annotated = true;
            if first.starts_with(b"#default") {
                self.defaults = names(&row.cells);
            }
        }
    }

    /// Reads the row of units; one that is a reading is told, and stays one.
    fn units(&mut self) -> Result<(), TableError> {
        let mut row = Row::default();
        let Some(plan) = self.plans.first().cloned() else { return Ok(()) };
        if !self.rows.read(&mut row, &|_| false).map_err(|e| TableError::read(&e))? {
            return Ok(());
        }
        if is_row(&row.cells, &plan, &self.def.times) {
            self.report.note(Seen::Unit, row.line, || "units_row says that it holds units, and it is a reading".to_owned());
            self.held.push_back(row);
        } else {
            self.compare_units(&plan, &row);
        }
        Ok(())
    }

    /// Compares a row of units with those of the signals.
    pub(super) fn compare_units(&mut self, plan: &Plan, row: &Row) {
        let Cells::Wide(columns) = &plan.cells else { return };
        for (at, feeds) in columns {
            let unit = cell(&row.cells, *at).unwrap_or_default().trim_matches(['[', ']', '(', ')', ' ']);
            let differs = |feed: &&Feed| !unit.is_empty() && !feed.unit.is_empty() && !twin_model::unit::alike(&feed.unit, unit);
            for feed in feeds.iter().filter(differs) {
                let name = plan.names.get(*at).cloned().unwrap_or_default();
                let (name, unit, own) = (quoted(&name), quoted(unit), quoted(&feed.unit));
                self.report.note(Seen::Unit, row.line, || {
                    format!("column {name} is in {unit}, its signal in {own}; nothing is converted")
                });
            }
        }
    }

    /// Whether every row has one cell more than there are names, and its last is never empty but in quotes: then the first may have
    /// no name (R writes names of rows so). Where the last is empty, rows end with a separator.
    fn longer(&self, plan: &Plan) -> bool {
        let width = plan.names.len();
        let filled = |row: &Row| cell(&row.cells, width) != Some("") || row.cells.was_quoted(width);
        let longer = |row: &Row| row.cells.len() == width + 1 && filled(row);
        width > 0 && self.whole().next().is_some() && self.whole().all(longer)
    }

    /// Rows that were read as they were written.
    fn whole(&self) -> impl Iterator<Item = &Row> {
        let gone = |oddity: Oddity| !matches!(oddity, Oddity::OpenQuote(_) | Oddity::LongQuote(_));
        self.held.iter().filter(move |row| !row.oddity.is_some_and(gone))
    }

    /// Whether the additional cell of longer rows is a name of theirs: no time stands where the header has it, and one does a cell
    /// further on. Else every other cell would go under the name of its neighbour, looking as good as before.
    fn row_names(&self, plan: &Plan, named: &Plan) -> bool {
        let has_time = |row: &Row, plan: &Plan| {
            let text = self.time_text(row, plan);
            text.is_some_and(|text| TimeReader::new(self.def.times.clone()).read(0, &text).is_ok())
        };
        self.whole().all(|row| !has_time(row, plan)) && self.whole().any(|row| has_time(row, named))
    }

    /// Why a table can't be read whose first line does not have the names, after a look at what it has instead.
    fn instead(&mut self, error: TableError, header: &[String]) -> TableError {
        if !error.what.starts_with(plan::MISSING) {
            return error;
        }
        let first = header.first().map(|name| name.to_lowercase()).unwrap_or_default();
        if ["<!doctype", "<html", "<table", "<?xml", "<head", "<body"].iter().any(|tag| first.starts_with(tag)) {
            return TableError::new(
                "path",
                "it is a page of HTML or XML and no table of text",
                "export the table itself, as CSV",
            );
        }
        if first.starts_with('{') || first.starts_with("[{") || first == "[" {
            return TableError::new("path", "it looks like JSON and is no table of text", "export it as CSV, a row a line");
        }
        let mut row = Row::default();
        for _ in 0..HEADER_WITHIN {
            if !self.rows.read(&mut row, &|_| false).unwrap_or(false) {
                break;
            }
            if Plan::new(self.def, self.feeds, names(&row.cells), 0).is_ok() {
                let (line, above) = (row.line, row.line - 1);
                let help = format!("its line {line} has the names: write skip_lines = {above}");
                return TableError::new("skip_lines", error.what, help);
            }
        }
        let times = TimeReader::new(self.def.times.clone());
        if error.help.is_empty() && header.iter().any(|name| times.clone().read(0, name).is_ok()) {
            let help = "its first line looks like a row of data: where a table has no names, write header = false and count columns from 0";
            return TableError::new("header", error.what, help);
        }
        error
    }

    /// Whether the newest row comes first.
    fn falls(&self, plan: &Plan) -> bool {
        let mut reader = TimeReader::new(self.def.times.clone());
        let mut times: Vec<Timestamp> = Vec::new();
        for row in &self.held {
            times.extend(self.time_text(row, plan).and_then(|text| reader.read(0, &text).ok()).map(|read| read.t));
        }
        let falling = times.windows(2).filter(|pair| pair.last() < pair.first()).count();
        let rising = times.windows(2).filter(|pair| pair.last() > pair.first()).count();
        falling > rising
    }

    /// Refuses numbers whose style nobody declared, where they might be taken for others.
    fn styles(&self, plan: &Plan) -> Result<(), TableError> {
        let qualities = QualityReader { codes: self.def.quality.as_ref().map_or_else(Default::default, |quality| quality.codes) };
        for row in &self.held {
            if let Some(word) = plan.quality.and_then(|at| cell(&row.cells, at))
                && qualities.read(word) == ReadQuality::LooksLikeOpcDa
            {
                return Err(Undeclared { quality: true, line: row.line, text: word.to_owned() }.error());
            }
            let style = |at: usize, kind| {
                let text = row.cells.get(at).and_then(text)?;
                let read = self.def.cells.read(text, kind, &mut Texts::default());
                (read == Cell::Unreadable(Unreadable::OtherStyle)).then(|| text.to_owned())
            };
            let found = match &plan.cells {
                Cells::Wide(columns) => {
                    columns.iter().find_map(|(at, feeds)| feeds.iter().find_map(|feed| style(*at, feed.kind)))
                }
                Cells::Long(values) => values.iter().find_map(|(at, parts)| {
                    let key = super::row::key(parts, &row.cells, plan);
                    self.feeds.get(&*composed(&key))?.iter().find_map(|feed| style(*at, feed.kind))
                }),
            };
            if let Some(text) = found {
                return Err(Undeclared { quality: false, line: row.line, text }.error());
            }
        }
        Ok(())
    }
}
