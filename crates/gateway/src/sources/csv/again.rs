//! How many samples of a table take the place of another of their signal and instant, also where their rows are no neighbours.

use std::collections::HashSet;

use twin_model::{Sample, SignalIndex, Timestamp};
use twin_table::{Report, TableError};

use super::CsvFile;
use super::merge::{Merge, Step};

/// Samples of a look at a table that are held to be compared: 24 bytes each.
const HELD: usize = 1_000_000;

/// Counts them over a whole file whose signals are in no order, row by row in order of time: then those of one instant are
/// neighbours. Of a table with times of receipt these are not all: one that corrects another of long ago is none.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn count(file: &mut CsvFile) -> Result<(), TableError> {
    let (mut merge, mut last) = (Merge::default(), Vec::new());
    let (mut all, mut first) = (0, None);
    loop {
        let row = match merge.step(file, Timestamp::MAX)? {
            Step::Row(row) => row,
            Step::Opened => continue,
            Step::Wait | Step::Over => break,
        };
        for (signal, sample) in row.samples {
            if last.len() <= signal.at() {
                last.resize(signal.at() + 1, None);
            }
            let Some(last) = last.get_mut(signal.at()) else { continue };
            if last.replace(sample.source_time) == Some(sample.source_time) {
                all += 1;
                first.get_or_insert((row.line, sample.source_time));
            }
        }
    }
    note(&mut file.report, all, first);
    Ok(())
}

fn note(report: &mut Report, all: u64, first: Option<(u64, Timestamp)>) {
    if all > report.overwritten {
        (report.overwritten, report.overwritten_first) = (all, first);
    }
}

/// Compares what a look at parts of a table saw, as long as it is not too much to hold.
#[derive(Default)]
pub(super) struct Compared {
    held: HashSet<(SignalIndex, Timestamp)>,
    all: u64,
    first: Option<(u64, Timestamp)>,
}

impl Compared {
    /// Takes the samples of a row; line 0 where it was not counted.
    pub(super) fn add(&mut self, line: u64, samples: &[(SignalIndex, Sample)]) {
        for (signal, sample) in samples {
            if self.held.len() < HELD && !self.held.insert((*signal, sample.source_time)) {
                self.all += 1;
                self.first.get_or_insert((line, sample.source_time));
            }
        }
    }

    /// What it came to.
    pub(super) fn finish(self, report: &mut Report) {
        note(report, self.all, self.first);
    }
}
