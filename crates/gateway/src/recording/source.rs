//! A recording played again: its samples at the pace at which they were received.

use twin_model::{Sample, SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_protocol::{LinkChange, LinkState};

use super::Recording;
use crate::sources::{Polled, Source};

/// Hands out a recording's samples at the pace at which they were received.
pub struct RecordedSource {
    samples: Vec<(Timestamp, SignalIndex, Sample)>,
    links: Vec<LinkChange>,
    sources: usize,
    at: usize,
    link_at: usize,
    /// The last instant at which something happens.
    end: Timestamp,
}

impl RecordedSource {
    /// Takes the samples and links out of a recording.
    pub fn new(recording: &mut Recording) -> Self {
        let end = recording.extent().map_or(Timestamp::MIN, |extent| extent.end);
        let mut newest = Timestamp::MIN;
        let due = |(signal, sample): (SignalIndex, Sample)| {
            newest = newest.max(sample.received_time);
            (newest, signal, sample)
        };
        let samples = std::mem::take(&mut recording.samples).into_iter().map(due).collect();
        let mut links = std::mem::take(&mut recording.links);
        links.sort_by_key(|link| link.at);
        Self { samples, links, sources: recording.model().sources().len(), at: 0, link_at: 0, end }
    }
}

impl Source for RecordedSource {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn poll(&mut self, now: Timestamp, out: &mut Polled) {
        while let Some((due, signal, sample)) = self.samples.get(self.at)
            && *due <= now
        {
            out.samples.push((*signal, sample.clone()));
            self.at += 1;
        }
        while let Some(link) = self.links.get(self.link_at)
            && link.at <= now
        {
            out.links.push((SourceIndex(link.source), link.state, String::new()));
            self.link_at += 1;
        }
        if self.at >= self.samples.len() && now >= self.end {
            let over = |source| (SourceIndex::from_at(source), LinkState::Ended, "the recording is over".to_owned());
            out.links.extend((0..self.sources).map(over));
        }
    }
}
