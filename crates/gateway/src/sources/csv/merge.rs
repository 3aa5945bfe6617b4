//! The rows of a file in order of time: stretches of it are read when their first row is due, and merged row by row.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::vec::IntoIter;

use twin_model::{Sample, SignalIndex, Timestamp};
use twin_table::TableError;

use super::CsvFile;
use super::index::Segment;

/// A row's samples and when they are due.
pub(super) struct Due {
    pub(super) t: Timestamp,
    pub(super) samples: Vec<(SignalIndex, Sample)>,
}

/// What the next step came to.
pub(super) enum Step {
    /// The next row.
    Row(Due),
    /// A stretch was opened.
    Opened,
    /// Nothing more is due yet.
    Wait,
    /// Nothing is left.
    Over,
}

/// How far a file was read.
#[derive(Default)]
pub(super) struct Merge {
    /// Next stretch.
    next: usize,
    /// Next row of every open stretch: when it is due, where the stretch lies, and which it is. Of rows of one instant that of the
    /// later place in the file comes last and counts, as it does where a file is read from its first to its last row.
    heads: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    open: BTreeMap<usize, (Due, IntoIter<Due>)>,
}

impl Merge {
    /// The stretch that is opened next.
    pub(super) fn next<'a>(&self, file: &'a CsvFile) -> Option<&'a Segment> {
        file.index.segments.get(self.next)
    }

    /// Whether no row of an open stretch waits.
    pub(super) fn is_idle(&self) -> bool {
        self.heads.is_empty()
    }

    /// Goes on with the first stretch that begins at `start` or later.
    pub(super) fn begin_at(&mut self, file: &CsvFile, start: Timestamp) {
        self.next = file.index.segments.partition_point(|segment| segment.first < start);
    }

    /// One step towards the moment `upto`.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub(super) fn step(&mut self, file: &mut CsvFile, upto: Timestamp) -> Result<Step, TableError> {
        let head = self.heads.peek().map(|Reverse(head)| *head);
        match (self.next(file).copied(), head) {
            (Some(segment), _) if head.is_none_or(|(t, ..)| segment.first <= t) => {
                if segment.first > upto {
                    return Ok(Step::Wait);
                }
                self.next += 1;
                let mut rows = file.rows(&segment)?.into_iter();
                self.put(self.next - 1, segment.offset, rows.next(), rows);
                Ok(Step::Opened)
            }
            (_, Some((t, offset, at))) if t <= upto => {
                self.heads.pop();
                let Some((row, mut rest)) = self.open.remove(&at) else { return Ok(Step::Opened) };
                self.put(at, offset, rest.next(), rest);
                Ok(Step::Row(row))
            }
            (None, None) => Ok(Step::Over),
            _ => Ok(Step::Wait),
        }
    }

    fn put(&mut self, at: usize, offset: u64, first: Option<Due>, rest: IntoIter<Due>) {
        if let Some(first) = first {
            self.heads.push(Reverse((first.t, offset, at)));
            self.open.insert(at, (first, rest));
        }
    }
}
