//! Tables into a store: which rows are new, which are there already, which are refused and why.
//!
//! Importing twice changes nothing: a row changes history only where there is no sample at its signal and source time, or one
//! with an earlier received time (the store's own rule). At the same received time what is there stays, also against an
//! earlier row of the same table.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek as _};
use std::path::Path;

use super::reading::{Odd, Rules, TimesSeen};
use super::row::{Cells, Reason, Refusal, RowReader};
use super::{csv_read, parquet_read};
use crate::GatewayError;
use crate::gathered::Gathered;
use axum::body::Bytes;
use parquet::file::reader::ChunkReader;
use serde::Serialize;
use twin_historian::Store;
use twin_model::{Flags, Model, Sample, SignalIndex, Value};

/// First bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";
/// Rows named for each reason; the rest is only counted.
const NAMED: usize = 5;
/// Unknown signals that are told apart.
const UNKNOWN: usize = 1_000;

/// What became of the rows of all tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Rows read.
    pub rows: u64,
    /// Samples that history did not have.
    pub new: u64,
    /// Samples that took the place of one received earlier.
    pub replaced: u64,
    /// Samples that history has just so.
    pub already_there: u64,
    /// Samples left out because history has another one of the same source time that was not received earlier.
    pub kept: u64,
    /// Rows refused.
    pub refused: u64,
}

/// A refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The table.
    pub file: String,
    /// Where in it, from 1.
    pub row: u64,
    /// What `row` counts: `line` of a CSV file (the header is line 1), or `row` of a Parquet file.
    pub numbered: &'static str,
    /// What kind of mistake.
    pub reason: Reason,
    /// What stands in the row.
    pub what: String,
    /// How to mend it.
    pub help: String,
}

/// A row that is taken with a remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// The table.
    pub file: String,
    /// Where in it, from 1.
    pub row: u64,
    /// What `row` counts, as in [`Named`].
    pub numbered: &'static str,
    /// What kind of remark.
    pub kind: Odd,
    /// What stands in the row and what it is taken for.
    pub what: String,
}

/// Takes tables into a store.
pub struct Import<'a> {
    model: &'a Model,
    rules: Rules,
    store: &'a mut Store,
    /// What became of the rows.
    pub totals: Totals,
    refused: [u64; Reason::ALL.len()],
    named: Vec<Named>,
    unknown: BTreeSet<String>,
    odd: [u64; Odd::ALL.len()],
    noted: Vec<Noted>,
    times_seen: TimesSeen,
    waiting: Gathered,
}

/// Samples that wait to be put in order: whether rows come in one isn't known.
const WAITING: usize = 1 << 18;

impl<'a> Import<'a> {
    /// Nothing read yet. The store should keep everything ([`super::history`]).
    /// Cells are read by `rules`: what a time without offset means, how numbers are written, which years are believed.
    pub fn new(model: &'a Model, rules: impl Into<Rules>, store: &'a mut Store) -> Self {
        Self {
            model,
            rules: rules.into(),
            store,
            totals: Totals::default(),
            refused: [0; Reason::ALL.len()],
            named: Vec::new(),
            unknown: BTreeSet::new(),
            odd: [0; Odd::ALL.len()],
            noted: Vec::new(),
            times_seen: TimesSeen::default(),
            waiting: Gathered::new(WAITING),
        }
    }

    /// Reads a table; what it is stands in its first bytes.
    ///
    /// # Errors
    /// Where it can't be read to its end, or its columns say too little.
    pub fn table(&mut self, path: &Path) -> Result<(), GatewayError> {
        let unread = |source| GatewayError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unread)?;
        let mut magic = Vec::new();
        (&mut file).take(PARQUET.len() as u64).read_to_end(&mut magic).map_err(unread)?;
        file.rewind().map_err(unread)?;
        let name = path.display().to_string();
        let done = if magic == PARQUET {
            self.parquet(&name, file)
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet")) {
            Err("it is no Parquet file, or an unfinished one".to_owned())
        } else {
            self.csv(&name, BufReader::with_capacity(1 << 18, file))
        };
        done.map_err(|why| GatewayError::Table { path: path.to_owned(), why })
    }

    /// Reads a table that is in memory; `name` stands for it in reports.
    ///
    /// # Errors
    /// The words of [`Self::table`], without the path.
    pub fn bytes(&mut self, name: &str, table: Vec<u8>) -> Result<(), String> {
        if table.starts_with(PARQUET) { self.parquet(name, Bytes::from(table)) } else { self.csv(name, table.as_slice()) }
    }

    fn parquet(&mut self, name: &str, table: impl ChunkReader + 'static) -> Result<(), String> {
        let mut rows = RowReader::new(self.model, &self.rules);
        let read = parquet_read::read(table, &mut |row, cells| self.row(&mut rows, (name, row, "row"), cells));
        self.times_seen.add(rows.times_seen());
        self.put_waiting();
        read
    }

    fn csv(&mut self, name: &str, table: impl Read) -> Result<(), String> {
        let mut rows = RowReader::new(self.model, &self.rules);
        let rules = self.rules.clone();
        let read = csv_read::read(table, &rules, &mut |line, cells| self.row(&mut rows, (name, line, "line"), cells));
        self.times_seen.add(rows.times_seen());
        self.put_waiting();
        read
    }

    fn row(&mut self, rows: &mut RowReader<'_>, place: (&str, u64, &'static str), cells: Result<&Cells<'_>, Refusal>) {
        self.totals.rows += 1;
        match cells.and_then(|cells| rows.sample(cells)) {
            Ok((signal, sample)) => {
                self.wait(signal, sample);
                rows.odd().for_each(|(kind, what)| self.note(place, kind, what));
            }
            Err(refusal) => self.refuse(place, refusal),
        }
    }

    fn note(&mut self, (file, row, numbered): (&str, u64, &'static str), kind: Odd, what: String) {
        let count = Odd::ALL.iter().position(|odd| *odd == kind).and_then(|at| self.odd.get_mut(at));
        if let Some(count) = count {
            *count += 1;
        }
        if self.noted.iter().filter(|noted| noted.kind == kind).count() < NAMED {
            self.noted.push(Noted { file: file.to_owned(), row, numbered, kind, what });
        }
    }

    fn wait(&mut self, signal: SignalIndex, sample: Sample) {
        self.waiting.samples.push((signal, sample));
        if self.waiting.is_full() {
            self.put_waiting();
        }
    }

    /// Puts what waits into the store; of one signal and instant in the order of the rows.
    fn put_waiting(&mut self) {
        self.waiting.sort();
        for (signal, sample) in std::mem::take(&mut self.waiting.samples) {
            self.sample(signal, &sample);
        }
        self.waiting.clear();
    }

    fn sample(&mut self, signal: SignalIndex, sample: &Sample) {
        let held = self.store.latest_at(signal, sample.source_time).filter(|held| held.source_time == sample.source_time);
        let count = match held {
            None => &mut self.totals.new,
            Some(held) if same(&held, sample) => {
                self.totals.already_there += 1;
                return;
            }
            Some(held) if held.received_time < sample.received_time => &mut self.totals.replaced,
            Some(_) => {
                self.totals.kept += 1;
                return;
            }
        };
        *count += 1;
        self.store.append(signal, sample);
    }

    fn refuse(&mut self, (file, row, numbered): (&str, u64, &'static str), refusal: Refusal) {
        self.totals.refused += 1;
        let count = Reason::ALL.iter().position(|reason| *reason == refusal.reason).and_then(|at| self.refused.get_mut(at));
        let Some(count) = count else { return };
        *count += 1;
        // An unknown signal has many rows; the first says it all.
        if refusal.reason == Reason::UnknownSignal
            && (self.unknown.len() >= UNKNOWN || !self.unknown.insert(refusal.what.clone()))
        {
            return;
        }
        if self.named.iter().filter(|named| named.reason == refusal.reason).count() < NAMED {
            let (reason, what, help) = (refusal.reason, refusal.what, refusal.help.into_owned());
            self.named.push(Named { file: file.to_owned(), row, numbered, reason, what, help });
        }
    }

    /// The first refused rows of each kind, in the order of the tables.
    pub fn named(&self) -> &[Named] {
        &self.named
    }

    /// Refused rows by reason.
    pub fn refused(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.refused)
    }

    /// The first rows of each kind of remark, in the order of the tables.
    pub fn noted(&self) -> &[Noted] {
        &self.noted
    }

    /// Remarks by kind.
    pub fn odd(&self) -> impl Iterator<Item = (Odd, u64)> {
        Odd::ALL.into_iter().zip(self.odd)
    }

    /// What was special about times.
    pub const fn times_seen(&self) -> TimesSeen {
        self.times_seen
    }

    /// Whether history changed.
    pub const fn changed(&self) -> bool {
        self.totals.new > 0 || self.totals.replaced > 0
    }
}

/// Alike to the bit, except that one NaN is as good as another: CSV can't tell them apart.
fn same(held: &Sample, sample: &Sample) -> bool {
    let nan = |value: &Value| matches!(value, Value::Float(v) if v.is_nan());
    let none = held.flags.has(Flags::NULL) && sample.flags.has(Flags::NULL);
    let value = none || held.value == sample.value || (nan(&held.value) && nan(&sample.value));
    value && held.received_time == sample.received_time && held.quality == sample.quality && held.flags == sample.flags
}
