//! Samples as tables for other programs: one row a sample, as Parquet or CSV, out of and into the history of a site.
//!
//! Holds the columns (format version 1, docs/HISTORIAN.md section 5), their writers and readers, and the rules of an
//! import. Refuses to know how history lies on disk, apart from [`history`], which is the only file here that opens it.
//! Rows stream: a writer holds one row group at most, a reader one batch.

mod cells;
mod csv_read;
mod csv_write;
mod guard;
pub mod history;
mod import;
mod meant;
mod output;
mod parquet_claims;
mod parquet_pages;
mod parquet_read;
mod parquet_shapes;
mod parquet_write;
mod reading;
mod row;

use std::ops::ControlFlow;
use std::path::Path;

use twin_engine::Computed;
use twin_historian::Store;
use twin_model::{Flags, Model, Sample, SignalIndex, TimeRange, ValueKind};

use crate::GatewayError;

pub use import::{Import, Named, Noted, Totals};
pub use reading::{Odd, Rules, TimesSeen};
pub use row::Reason;

/// Version of the columns and their meaning.
pub const FORMAT: u32 = 1;

/// The columns in their order. Readers go by name; unknown columns are passed over.
pub const COLUMNS: [&str; 13] = [
    "signal",
    "source_time",
    "received_time",
    "kind",
    "value_double",
    "value_int64",
    "value_bool",
    "value_text",
    "unit",
    "quality",
    "quality_name",
    "flags",
    "flag_names",
];

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values, UTF-8, RFC 4180 with line feeds.
    Csv,
}

/// Takes the rows of a table in their order.
trait RowSink {
    /// One row.
    fn row(&mut self, signal: SignalIndex, sample: &Sample) -> Result<(), String>;
    /// After the last row: writes what is held and what ends the file.
    fn finish(self: Box<Self>) -> Result<(), String>;
}

/// What an export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Rows: one a sample.
    pub rows: u64,
    /// Signals that have any.
    pub signals: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether whoever read the output went away before its end: `rows` were given out by then, and not all need have been read.
    pub cut: bool,
}

/// Writes the samples of `signals` (in that order) with a source time in `range` to `path`, or to standard output where it
/// is `-`. A file gets its name when it is whole. Where `computed` is given, those of computed signals are derived from the store; else
/// they have none, whatever is kept under their names from before they were.
///
/// # Errors
/// Where it can't be written. A reader of standard output that goes away is no error.
pub fn export(
    model: &Model,
    from: (&Store, Option<&Computed>),
    signals: &[SignalIndex],
    range: TimeRange,
    format: Format,
    path: &Path,
) -> Result<Exported, GatewayError> {
    let failed = |source| GatewayError::Write { path: path.to_owned(), source };
    let output = output::Output::create(path).map_err(failed)?;
    let mut done = Exported::default();
    let written = write(model, from, signals, range, format, &output, &mut done);
    let cut = output.reader_left();
    match written {
        Err(why) if !cut => Err(failed(std::io::Error::other(why))),
        _ => Ok(Exported { bytes: output.keep().map_err(failed)?, cut, ..done }),
    }
}

fn write(
    model: &Model,
    (store, computed): (&Store, Option<&Computed>),
    signals: &[SignalIndex],
    range: TimeRange,
    format: Format,
    output: &output::Output,
    done: &mut Exported,
) -> Result<(), String> {
    let mut sink: Box<dyn RowSink + '_> = match format {
        Format::Csv => Box::new(csv_write::CsvRows::begin(model, output.writer())?),
        Format::Parquet => Box::new(parquet_write::ParquetRows::begin(model, output.writer())?),
    };
    for signal in signals {
        let mut result = Ok(());
        let before = done.rows;
        let mut row = |sample: &Sample| {
            done.rows += 1;
            result = sink.row(*signal, sample);
            if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        match computed.filter(|computed| computed.is_computed(*signal)) {
            Some(computed) => computed.for_each(store, *signal, range, &mut row),
            None if model.is_computed(*signal) => {}
            None => store.for_each_sample(*signal, range, &mut row),
        }
        done.signals += u64::from(done.rows > before);
        result?;
    }
    sink.finish()
}

/// The word for a kind of value in the column `kind`; `value_<word>` is the column that holds the value.
const fn kind_word(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Float => "double",
        ValueKind::Int => "int64",
        ValueKind::Bool => "bool",
        ValueKind::Text => "text",
    }
}

/// Flags with a name, in the order of their bits.
const FLAG_NAMES: [(Flags, &str); 5] = [
    (Flags::HISTORICAL, "historical"),
    (Flags::SIMULATED, "simulated"),
    (Flags::PREDICTED, "predicted"),
    (Flags::MANUAL, "manual"),
    (Flags::NULL, "null"),
];

/// The names of the flags that are set, with `|` between; empty without any.
fn flag_names(flags: Flags) -> String {
    let names: Vec<&str> = FLAG_NAMES.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| *name).collect();
    names.join("|")
}
