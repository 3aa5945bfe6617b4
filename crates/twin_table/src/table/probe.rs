//! The beginning of a table: its header, its units, and what its first rows tell about all of them.

use std::io::Read;

use twin_model::Timestamp;

use super::plan::{Cells, Plan};
use super::{Table, TableError, cell, names, text};
use crate::cell::{Cell, ReadQuality, Texts, Unreadable};
use crate::names::composed;
use crate::quoted;
use crate::rows::Row;
use crate::table::report::Seen;
use crate::{QualityReader, TimeReader};

/// Rows that are looked at before the first is handed out.
const PROBED: usize = 200;

impl<R: Read> Table<'_, R> {
    pub(super) fn begin(&mut self) -> Result<(), TableError> {
        let mut header = Vec::new();
        if self.def.header {
            header = self.header()?;
        }
        let mut plan = Plan::new(self.def, self.feeds, header, 0)?;
        plan.defaults = std::mem::take(&mut self.defaults);
        self.plans = vec![plan.clone().into()];
        if self.def.units_row {
            self.units(&plan)?;
        }
        while self.held.len() < PROBED {
            let mut row = Row::default();
            if !self.read(&mut row).map_err(|e| TableError::read(&e))? {
                break;
            }
            self.held.push_back(row);
        }
        if self.row_names(&plan) {
            let defaults = std::mem::take(&mut plan.defaults);
            plan = Plan { defaults, ..Plan::new(self.def, self.feeds, plan.names, 1)? };
            self.plans = vec![plan.clone().into()];
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
                return Err(TableError::new("path", "the file is empty", ""));
            }
            if !separator_said && says_separator(&row) {
                separator_said = true;
                continue;
            }
            let first = row.cells.get(0).unwrap_or_default();
            if !["#datatype", "#group", "#default"].iter().any(|name| first.starts_with(name.as_bytes())) {
                return Ok(names(&row.cells));
            }
            self.annotated = true;
            if first.starts_with(b"#default") {
                self.defaults = names(&row.cells);
            }
        }
    }

    /// Compares a row of units with those of the signals.
    fn units(&mut self, plan: &Plan) -> Result<(), TableError> {
        let mut row = Row::default();
        self.rows.read(&mut row, &|_| false).map_err(|e| TableError::read(&e))?;
        let Cells::Wide(columns) = &plan.cells else { return Ok(()) };
        for (at, feeds) in columns {
            let unit = cell(&row.cells, *at).unwrap_or_default().trim_matches(['[', ']', '(', ')', ' ']);
            for feed in feeds
                .iter()
                .filter(|feed| !unit.is_empty() && !feed.unit.is_empty() && !twin_model::unit::alike(&feed.unit, unit))
            {
                let name = plan.names.get(*at).cloned().unwrap_or_default();
                self.report.note(Seen::Unit, row.line, || {
                    format!(
                        "column {} is in {}, its signal in {}; nothing is converted",
                        quoted(&name),
                        quoted(unit),
                        quoted(&feed.unit)
                    )
                });
            }
        }
        Ok(())
    }

    /// Whether every row has one cell more than there are names, and its last is never empty: then the first has no name (R
    /// writes names of rows so). Where the last is empty, rows end with a separator.
    fn row_names(&self, plan: &Plan) -> bool {
        let width = plan.names.len();
        let longer = |row: &Row| row.cells.len() == width + 1 && cell(&row.cells, width) != Some("");
        width > 0 && !self.held.is_empty() && self.held.iter().all(longer)
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
                let what = format!(
                    "line {}: the quality {} is a number of OPC DA, where 192 is good and 0 is bad",
                    row.line,
                    quoted(word)
                );
                return Err(TableError::new("quality", what, "write quality = { column = \"\u{2026}\", codes = \"opc_da\" }"));
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
                let what = format!("line {}: {} has a comma or groups of digits, and nobody said which", row.line, quoted(&text));
                let help = "write decimal = \",\" (and thousands = \".\" where there are any), or decimal = \".\" with thousands = \",\"";
                return Err(TableError::new("decimal", what, help));
            }
        }
        Ok(())
    }
}

/// Whether a row is `sep=;`, with whatever separator.
fn says_separator(row: &Row) -> bool {
    let said =
        cell(&row.cells, 0).and_then(|first| first.split_at_checked(4)).filter(|(word, _)| word.eq_ignore_ascii_case("sep="));
    said.is_some_and(|(_, rest)| rest.chars().count() <= 1)
        && row.cells.iter().skip(1).all(<[u8]>::is_empty)
        && row.cells.len() <= 2
}
