//! CSV files as sources: opened, looked through, and played in order of time. How they are read is in `twin_table`.

mod again;
mod apart;
mod index;
mod judge;
mod merge;
mod play;
mod spread;
mod told;

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use twin_model::{Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp};
use twin_site::{CsvSource, Misread, SourceDef, StartAt};
use twin_table::{Feeds, Report, Table, TableError};

use crate::gathered::Gathered;
use crate::site::Site;
use apart::Apart;
use index::{Index, Segment};
use merge::{Due, Merge, Step};

pub use judge::judge;
pub use play::{CsvReplay, Unusable};

/// Bytes read at once.
const BUFFER: usize = 1 << 18;

/// Samples that are handed over at once.
const SLICE: usize = 50_000;
/// The same of a file in no order of time.
const SORTED: usize = 1 << 20;

/// Takes samples that were read, and may take them out.
type Take<'a> = dyn FnMut(&mut Vec<(SignalIndex, Sample)>) + 'a;

/// A CSV file that was looked through: it can be read, and where its rows are in time is known.
pub struct CsvFile {
    /// The source.
    pub source: SourceIndex,
    /// How it is described.
    pub def: CsvSource,
    /// What was found in it.
    pub report: Report,
    feeds: Feeds,
    known: twin_table::table::Known,
    file: File,
    index: Index,
}

impl CsvFile {
    /// Looks through the file of a source; `now` tells which rows lie ahead.
    ///
    /// # Errors
    /// Where it can't be read, is not what it is declared to be, or gives nothing.
    pub fn open(site: &Site, source: &SourceDef, def: &CsvSource, now: Timestamp) -> Result<Self, TableError> {
        if let Some(Misread { what, help, .. }) = source.misread.clone() {
            return Err(TableError { key: "path", what, help });
        }
        let feeds = site.loaded.feeds(source);
        let (file, report, known, index) = {
            let mut table = table(site, def, &feeds)?;
            let (mut builder, mut samples) = (index::Builder::new(now), Vec::new());
            while let Some(place) = table.next(&mut samples).map_err(unread)? {
                builder.add(&place)?;
                samples.clear();
            }
            (open(site, def)?, table.report.clone(), table.known(), builder.finish())
        };
        told::usable(&report)?;
        if def.repeat && index.extent().is_none_or(TimeRange::is_empty) {
            let what = "all its rows have one time, so it can't be played in a loop".to_owned();
            return Err(TableError { key: "loop", what, help: "delete loop = true".to_owned() });
        }
        let mut opened = Self { source: source.index, def: def.clone(), report, feeds, known, file, index };
        if opened.report.crossed && !opened.def.table.by_receipt() {
            again::count(&mut opened, again::HELD)?;
        }
        Ok(opened)
    }

    /// First and last recorded time, without rows far away from all others; `None` without rows.
    pub fn extent(&self) -> Option<TimeRange> {
        self.index.extent()
    }

    /// What a person should know about the file; `id` is the source's.
    pub fn remarks(&self, id: &str) -> Vec<String> {
        let mut all = told::remarks(id, &self.def, &self.report);
        all.extend(told::spread(&self.def, &self.index).map(|(_, words)| format!("source '{id}': {words}")));
        all
    }

    /// How far recorded times are moved where `start` in the site file says so; `now` is what it calls now.
    pub fn shift(&self, now: Timestamp) -> Span {
        let Some(extent) = self.extent() else { return Span::ZERO };
        match self.def.start {
            StartAt::Recorded => Span::ZERO,
            StartAt::Now => now.since(extent.start),
            StartAt::Instant(t) => t.since(extent.start),
        }
    }

    /// Hands every sample to `take`, times moved by `shift`: in the order of the file, or where that is none of time, each signal's in
    /// order of time within large slices. Of samples of one signal and instant the last of the file comes last.
    ///
    /// # Errors
    /// Where the file can't be read on.
    pub fn each(&mut self, shift: Span, take: &mut Take<'_>) -> Result<(), TableError> {
        if self.def.table.by_receipt() {
            return self.each_apart(shift, take);
        }
        let crossed = self.report.crossed;
        let mut gathered = Gathered::new(if crossed { SORTED } else { SLICE });
        let mut table = self.whole()?;
        loop {
            let from = gathered.samples.len();
            let more = table.next(&mut gathered.samples).map_err(unread)?.is_some();
            move_by(shift, gathered.samples.get_mut(from..).unwrap_or_default());
            if gathered.is_full() || !more {
                if crossed {
                    gathered.sort();
                }
                take(&mut gathered.samples);
                gathered.clear();
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// The same of a file whose times are those of receipt, in order of time: what came at once has times of its own, and they are the
    /// same here as where a clock runs.
    fn each_apart(&mut self, shift: Span, take: &mut Take<'_>) -> Result<(), TableError> {
        let (mut merge, mut apart, mut gathered) = (Merge::default(), Apart::default(), Gathered::new(SLICE));
        loop {
            let more = match merge.step(self, Timestamp::MAX)? {
                Step::Row(mut row) => {
                    move_by(shift, &mut row.samples);
                    apart.put(&mut row.samples);
                    gathered.samples.append(&mut row.samples);
                    true
                }
                Step::Opened => true,
                Step::Wait | Step::Over => false,
            };
            if gathered.is_full() || !more {
                take(&mut gathered.samples);
                gathered.clear();
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Reads the file from its first row.
    fn whole(&mut self) -> Result<Table<'_, BufReader<&File>>, TableError> {
        self.file.rewind().map_err(unread)?;
        Table::open(BufReader::with_capacity(BUFFER, &self.file), &self.def.table, &self.feeds)
    }

    /// Reads the rows of a segment: due time, and the samples.
    fn rows(&mut self, segment: &Segment) -> Result<Vec<Due>, TableError> {
        self.file.seek(SeekFrom::Start(segment.offset)).map_err(unread)?;
        let mut bytes = vec![0; segment.bytes as usize];
        self.file.read_exact(&mut bytes).map_err(unread)?;
        let mut table = Table::again(bytes.as_slice(), &self.def.table, &self.feeds, &self.known, &segment.place());
        let mut rows = Vec::with_capacity(segment.rows as usize);
        let mut samples = Vec::new();
        while let Some(place) = table.next(&mut samples).map_err(unread)? {
            let due = place.received.max(place.time);
            rows.push(Due { t: due, samples: std::mem::take(&mut samples) });
        }
        rows.sort_by_key(|row| row.t);
        Ok(rows)
    }
}

/// Moves the times of samples.
fn move_by(shift: Span, samples: &mut [(SignalIndex, Sample)]) {
    for (_, sample) in samples {
        sample.source_time = sample.source_time + shift;
        sample.received_time = sample.received_time + shift;
    }
}

fn table<'a>(site: &Site, def: &'a CsvSource, feeds: &'a Feeds) -> Result<Table<'a, BufReader<File>>, TableError> {
    Table::open(BufReader::with_capacity(BUFFER, open(site, def)?), &def.table, feeds)
}

fn open(site: &Site, def: &CsvSource) -> Result<File, TableError> {
    site.open(&def.path).map_err(|why| TableError {
        key: "path",
        what: format!("can't read it: {why}"),
        help: "check the path, which is relative to the site file".to_owned(),
    })
}

#[allow(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn unread(error: std::io::Error) -> TableError {
    let what = format!("it can't be read: {error}; was it changed while it is in use?");
    TableError { key: "path", what, help: String::new() }
}

#[cfg(test)]
mod tests;
