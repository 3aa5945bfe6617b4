//! Plays a CSV file in order of time.

use twin_model::{Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::LinkState;

use super::super::{Polled, Source};
use super::apart::Apart;
use super::merge::{Merge, Step};
use super::{CsvFile, move_by};
use crate::term;

/// Samples of one poll; the rest comes with the next.
const PER_POLL: usize = 100_000;

/// See the module's head. Times keep their spacing: `start` moves all of them alike, speed is the clock's.
pub struct CsvReplay {
    file: CsvFile,
    /// What is added to recorded times.
    shift: Span,
    merge: Merge,
    /// Of a table whose times are those of receipt.
    apart: Option<Apart>,
    broken: Option<String>,
}

impl CsvReplay {
    /// Plays a file; `now` is the moment that the site file calls now.
    pub fn new(file: CsvFile, now: Timestamp) -> Self {
        let shift = file.shift(now);
        let apart = file.def.table.by_receipt().then(Apart::default);
        Self { file, shift, merge: Merge::default(), apart, broken: None }
    }

    /// First and last moment that it plays, where it plays no loop; `None` without rows.
    pub fn extent(&self) -> Option<TimeRange> {
        self.file.extent().map(|extent| TimeRange::new(extent.start + self.shift, extent.end + self.shift))
    }

    /// Whether everything was handed out, but for rows far away from all others: the clock of a recording ends before them.
    fn ended(&self, now: Timestamp) -> bool {
        let left = self.merge.next(&self.file);
        let over = |extent: TimeRange| now - self.shift >= extent.end && left.is_some_and(|segment| segment.first > extent.end);
        self.merge.is_idle() && (left.is_none() || self.file.extent().is_some_and(over))
    }
}

impl Source for CsvReplay {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn stands_for(&self) -> Vec<SourceIndex> {
        vec![self.file.source]
    }

    fn poll(&mut self, now: Timestamp, out: &mut Polled) {
        let full = out.samples.len() + PER_POLL;
        // Steps are counted, too: rows may hold nothing for anyone, and a loop has no end.
        for _ in 0..PER_POLL {
            if self.broken.is_some() || out.samples.len() >= full {
                break;
            }
            match self.merge.step(&mut self.file, now - self.shift) {
                Ok(Step::Row(mut row)) => {
                    move_by(self.shift, &mut row.samples);
                    if let Some(apart) = &mut self.apart {
                        apart.put(&mut row.samples);
                    }
                    out.samples.append(&mut row.samples);
                }
                Ok(Step::Opened) => {}
                Ok(Step::Over) if self.file.def.repeat => {
                    // One usual step lies between the last row and the first of the next round. Rows far away come once.
                    let Some(extent) = self.file.extent() else { break };
                    self.shift = self.shift + extent.span() + self.file.index.step;
                    self.merge.begin_at(&self.file, extent.start);
                }
                Ok(Step::Wait | Step::Over) => break,
                Err(error) => {
                    term::warn(&format!("{}: {error}; its source is down until the server is started again", self.file.def.path));
                    self.broken = Some(error.to_string());
                }
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
