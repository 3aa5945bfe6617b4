//! Plays a CSV file in order of time: stretches are read when the clock reaches them, and merged row by row.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::vec::IntoIter;

use twin_model::{Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::LinkState;

use super::super::{Polled, Source};
use super::CsvFile;

/// Samples of one poll; the rest comes with the next.
const PER_POLL: usize = 100_000;

/// A row's samples and when they are due.
pub(super) struct Due {
    pub(super) t: Timestamp,
    pub(super) samples: Vec<(SignalIndex, Sample)>,
}

/// See the module's head. Times keep their spacing: `start` moves all of them alike, speed is the clock's.
pub struct CsvReplay {
    file: CsvFile,
    /// What is added to recorded times.
    shift: Span,
    /// Next stretch.
    next: usize,
    /// Next row of every open stretch: when it is due, and which stretch it is of.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    open: BTreeMap<usize, (Due, IntoIter<Due>)>,
    broken: Option<String>,
}

impl CsvReplay {
    /// Plays a file; `now` is the moment that the site file calls now.
    pub fn new(file: CsvFile, now: Timestamp) -> Self {
        let shift = file.shift(now);
        Self { file, shift, next: 0, heads: BinaryHeap::new(), open: BTreeMap::new(), broken: None }
    }

    /// First and last moment that it plays, where it plays no loop; `None` without rows.
    pub fn extent(&self) -> Option<TimeRange> {
        self.file.extent().map(|extent| TimeRange::new(extent.start + self.shift, extent.end + self.shift))
    }

    /// Takes up the rows of a stretch.
    fn open(&mut self, at: usize) {
        let Some(segment) = self.file.index.segments.get(at).copied() else { return };
        match self.file.rows(&segment) {
            Ok(rows) => {
                let mut rows = rows.into_iter();
                if let Some(first) = rows.next() {
                    self.heads.push(Reverse((first.t, at)));
                    self.open.insert(at, (first, rows));
                }
            }
            Err(error) => self.broken = Some(error.to_string()),
        }
    }

    /// Hands out the next row that is due.
    fn hand_out(&mut self, at: usize, out: &mut Polled) {
        self.heads.pop();
        let Some((row, mut rest)) = self.open.remove(&at) else { return };
        for (signal, mut sample) in row.samples {
            sample.source_time = sample.source_time + self.shift;
            sample.received_time = sample.received_time + self.shift;
            out.samples.push((signal, sample));
        }
        if let Some(next) = rest.next() {
            self.heads.push(Reverse((next.t, at)));
            self.open.insert(at, (next, rest));
        }
    }

    /// Whether everything was handed out, but for rows far away from all others: the clock of a recording ends before them.
    fn ended(&self, now: Timestamp) -> bool {
        let left = self.file.index.segments.get(self.next);
        let over = |extent: TimeRange| now - self.shift >= extent.end && left.is_some_and(|segment| segment.first > extent.end);
        self.heads.is_empty() && (left.is_none() || self.file.extent().is_some_and(over))
    }
}

impl Source for CsvReplay {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn stands_for(&self) -> Vec<SourceIndex> {
        vec![self.file.source]
    }

    fn poll(&mut self, now: Timestamp, out: &mut Polled) {
        let recorded = |shift: Span| now - shift;
        let full = out.samples.len() + PER_POLL;
        // Steps are counted, too: rows may hold nothing for anyone, and a loop has no end.
        for _ in 0..PER_POLL {
            if self.broken.is_some() || out.samples.len() >= full {
                break;
            }
            let head = self.heads.peek().map(|Reverse((t, _))| *t);
            let start = self.file.index.segments.get(self.next).map(|segment| segment.first);
            match (start, self.heads.peek().map(|Reverse(head)| *head)) {
                (Some(start), _) if head.is_none_or(|head| start <= head) => {
                    if start > recorded(self.shift) {
                        break;
                    }
                    self.next += 1;
                    self.open(self.next - 1);
                }
                (_, Some((t, at))) if t <= recorded(self.shift) => self.hand_out(at, out),
                (None, None) if self.file.def.repeat => {
                    // One usual step lies between the last row and the first of the next round. Rows far away come once.
                    let Some(extent) = self.file.extent() else { break };
                    self.shift = self.shift + extent.span() + self.file.index.step;
                    self.next = self.file.index.segments.partition_point(|segment| segment.first < extent.start);
                }
                _ => break,
            }
        }
        let (state, detail) = match &self.broken {
            Some(why) => (LinkState::Down, why.clone()),
            None if self.ended(now) && !self.file.def.repeat => (LinkState::Ended, "the recording is over".to_owned()),
            None => (LinkState::Up, String::new()),
        };
        out.links.push((self.file.source, state, detail));
    }
}

/// Stands for a source that can't be used: its link is down and says why.
pub struct Unusable {
    source: SourceIndex,
    why: String,
}

impl Unusable {
    /// The source and what is wrong with it.
    pub fn new(source: SourceIndex, why: String) -> Self {
        Self { source, why }
    }

    /// The source.
    pub fn source(&self) -> SourceIndex {
        self.source
    }
}

impl Source for Unusable {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn stands_for(&self) -> Vec<SourceIndex> {
        vec![self.source]
    }

    fn poll(&mut self, _: Timestamp, out: &mut Polled) {
        out.links.push((self.source, LinkState::Down, self.why.clone()));
    }
}
