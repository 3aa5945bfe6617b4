//! How many samples of a table take the place of another of their signal and instant, also where their rows are no neighbours.

use twin_model::{Sample, SignalIndex, Timestamp};
use twin_table::{Report, TableError};

use super::{CsvFile, unread};

/// Samples that are compared, of 24 bytes each: the first so many. Of the others it is told where neighbours are of one instant.
const HELD: usize = 4_000_000;

/// Compares the samples of a file whose signals are in no order of time; it is read once more for it.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn count(file: &mut CsvFile) -> Result<(), TableError> {
    let mut table = file.whole()?;
    let (mut compared, mut samples) = (Compared::default(), Vec::new());
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
#[derive(Default)]
pub(super) struct Compared(Vec<(SignalIndex, Timestamp, u64)>);

impl Compared {
    /// Takes the samples of a row; false once it holds as many as it may.
    pub(super) fn add(&mut self, line: u64, samples: &[(SignalIndex, Sample)]) -> bool {
        let room = HELD - self.0.len();
        self.0.extend(samples.iter().take(room).map(|(signal, sample)| (*signal, sample.source_time, line)));
        self.0.len() < HELD
    }

    /// Notes how many have the signal and the instant of one before, and the first line with such a one.
    pub(super) fn finish(mut self, report: &mut Report) {
        // Those of one signal and instant stay in the order of the file.
        self.0.sort_by_key(|(signal, t, _)| (*signal, *t));
        let again = |pair: &&[(SignalIndex, Timestamp, u64)]| matches!(pair, [a, b] if (a.0, a.1) == (b.0, b.1));
        let lost = || self.0.windows(2).filter(again).filter_map(<[_]>::last);
        let all = lost().count() as u64;
        if all > report.overwritten {
            // What was not counted lies behind all that was.
            let first = lost().min_by_key(|(_, t, line)| (*line == 0, *line, *t));
            (report.overwritten, report.overwritten_first) = (all, first.map(|(_, t, line)| (*line, *t)));
        }
    }
}
