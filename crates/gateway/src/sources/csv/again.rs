//! How many samples of a table take the place of another of their signal and instant, also where their rows are no neighbours.

use twin_model::{Sample, SignalIndex, Timestamp};
use twin_table::{Report, TableError};

use super::{CsvFile, unread};

/// Samples that are compared, of 24 bytes each: the first so many. Of the others it is told where neighbours are of one instant, and
/// how many they are.
pub(super) const HELD: usize = 4_000_000;

/// Compares the samples of a file whose signals are in no order of time, the first `most`; it is read once more for it.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn count(file: &mut CsvFile, most: usize) -> Result<(), TableError> {
    file.report.uncompared = file.report.samples.saturating_sub(most as u64);
    let mut table = file.whole()?;
    let (mut compared, mut samples) = (Compared::new(most), Vec::new());
    while let Some(place) = table.next(&mut samples).map_err(unread)? {
        if !compared.add(place.line, &samples) {
            break;
        }
        samples.clear();
    }
    compared.finish(&mut file.report);
    Ok(())
}

/// Samples in the order of the file: signal, instant and line, 0 where it was not counted.
pub(super) struct Compared {
    all: Vec<(SignalIndex, Timestamp, u64)>,
    most: usize,
}

impl Compared {
    /// None yet, and never more than `most`.
    pub(super) const fn new(most: usize) -> Self {
        Self { all: Vec::new(), most }
    }

    /// Takes the samples of a row; false once it holds as many as it may.
    pub(super) fn add(&mut self, line: u64, samples: &[(SignalIndex, Sample)]) -> bool {
        let room = self.most - self.all.len();
        self.all.extend(samples.iter().take(room).map(|(signal, sample)| (*signal, sample.source_time, line)));
        self.all.len() < self.most
    }

    /// Notes how many have the signal and the instant of one before, and the first line with such a one.
    pub(super) fn finish(mut self, report: &mut Report) {
        // Those of one signal and instant stay in the order of the file.
        self.all.sort_by_key(|(signal, t, _)| (*signal, *t));
        let again = |pair: &&[(SignalIndex, Timestamp, u64)]| matches!(pair, [a, b] if (a.0, a.1) == (b.0, b.1));
        let lost = || self.all.windows(2).filter(again).filter_map(<[_]>::last);
        let all = lost().count() as u64;
        if all > report.overwritten {
            // What was not counted lies behind all that was.
            let first = lost().min_by_key(|(_, t, line)| (*line == 0, *line, *t));
            (report.overwritten, report.overwritten_first) = (all, first.map(|(_, t, line)| (*line, *t)));
        }
    }
}
