//! The demo plant as a source, or as several: site sources with the same plant, seed and start share one plant.

use twin_model::{Model, Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::LinkState;
use twin_testkit::plant::{Bottling, story};

use super::{Polled, Source};

/// Before this much time ahead of the start, history holds measured values every [`HISTORY_PERIOD`] only.
const FULL_RATE: Span = Span::from_secs(1_800);
/// Period of measured values in older history.
const HISTORY_PERIOD: Span = Span::from_secs(10);

/// See the module's head.
pub struct SyntheticSource {
    plant: Bottling,
    start: Timestamp,
    /// The model's signal of each of the plant's; `None` where the site has no such signal or takes it from elsewhere.
    signals: Vec<Option<SignalIndex>>,
    links: Vec<(SourceIndex, bool)>,
    done: Timestamp,
}

impl SyntheticSource {
    /// The bottling plant for the `sources` of a model that it stands behind; its story begins at `start`.
    pub fn bottling(model: &Model, sources: &[SourceIndex], seed: u64, start: Timestamp) -> Self {
        let plant = Bottling::new(seed, start);
        let ours = |signal: SignalIndex| {
            let source = model.signal(signal).source;
            source.is_none_or(|source| sources.contains(&source)).then_some(signal)
        };
        let signals = plant.signal_ids().map(|id| model.find_signal(id).and_then(ours)).collect();
        let drops = |source: &SourceIndex| model.sources().get(source.at()).is_some_and(|s| s.id == story::DROPPED_SOURCE);
        let links = sources.iter().map(|source| (*source, drops(source))).collect();
        Self { start: plant.start(), plant, signals, links, done: start }
    }

    /// First instant of its history.
    pub fn first(&self) -> Timestamp {
        self.plant.first()
    }

    /// Signals of the plant that the site has.
    pub fn matched(&self) -> usize {
        self.signals.iter().flatten().count()
    }

    /// Changes of its links before `end`, in time order.
    pub fn link_changes(&self, end: Timestamp) -> Vec<(SourceIndex, Timestamp, bool)> {
        let mut changes = Vec::new();
        let mut telling = self.start;
        while telling < end {
            for (phase, up) in [(story::SOURCE_DOWN, false), (story::SOURCE_UP, true)] {
                let t = telling + Span::from_secs(phase);
                let links = self.links.iter().filter(|(_, drops)| *drops && t < end);
                changes.extend(links.map(|(link, _)| (*link, t, up)));
            }
            telling = telling + Span::from_secs(story::PERIOD);
        }
        changes
    }

    fn take(&mut self, range: TimeRange, least: Option<Span>, take: &mut dyn FnMut(SignalIndex, Sample)) {
        let signals = &self.signals;
        self.plant.samples(range, least, &mut |at, sample| {
            if let Some(Some(signal)) = signals.get(at) {
                take(*signal, sample);
            }
        });
    }
}

impl Source for SyntheticSource {
    fn history(&mut self, range: TimeRange, take: &mut dyn FnMut(SignalIndex, Sample)) {
        let range = TimeRange::new(range.start.max(self.plant.first()), range.end);
        let split = (range.end - FULL_RATE).max(range.start);
        self.take(TimeRange::new(range.start, split), Some(HISTORY_PERIOD), take);
        self.take(TimeRange::new(split, range.end), None, take);
        self.done = range.end;
    }

    fn stands_for(&self) -> Vec<SourceIndex> {
        self.links.iter().map(|(source, _)| *source).collect()
    }

    fn poll(&mut self, now: Timestamp, out: &mut Polled) {
        if now > self.done {
            let range = TimeRange::new(self.done, now);
            let samples = &mut out.samples;
            self.take(range, None, &mut |signal, sample| samples.push((signal, sample)));
            self.done = now;
        }
        let phase = now.since(self.start).as_micros().div_euclid(1_000_000).rem_euclid(story::PERIOD);
        let down = (story::SOURCE_DOWN..story::SOURCE_UP).contains(&phase) && now >= self.start;
        for (link, drops) in &self.links {
            let lost = *drops && down;
            let state = if lost { LinkState::Down } else { LinkState::Up };
            out.links.push((*link, state, if lost { "no answer from the fleet manager".to_owned() } else { String::new() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let text = "[site]\nid = \"s\"\n[[twins]]\nid = \"filler-bearing-01\"\nbind = false\nsignals = [{ name = \"vibration_rms\" }]\n\
                    [[sources]]\nid = \"condition-monitoring\"\nkind = \"synthetic\"\nplant = \"bottling\"\n\
                    [[sources]]\nid = \"fleet\"\nkind = \"synthetic\"\nplant = \"bottling\"\nfeeds = [\"agv*\"]\n";
        twin_site::load(text, "site.toml", &mut |_| Err(String::new())).model
    }

    #[test]
    fn history_and_live_samples_meet_without_gap_or_overlap() {
        let model = model();
        let sources = [SourceIndex(0), SourceIndex(1)];
        let start = Timestamp::from_secs(1_772_439_304);
        let mut source = SyntheticSource::bottling(&model, &sources, 7, start);
        assert_eq!(source.matched(), 1);
        let mut samples = Vec::new();
        let hour = TimeRange::new(start - Span::from_secs(3_600), start);
        source.history(hour, &mut |signal, sample| samples.push((signal, sample)));
        let mut polled = Polled::default();
        for tenth in 0..300 {
            source.poll(start + Span::from_millis(tenth * 100), &mut polled);
        }
        samples.append(&mut polled.samples);
        let times: Vec<Timestamp> = samples.iter().map(|(_, sample)| sample.source_time).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "in order, each once");
        let last: Vec<i64> = times.windows(2).rev().take(1_500).map(|pair| pair[1].since(pair[0]).as_micros()).collect();
        assert!(last.iter().all(|step| *step == last[0]), "the last half hour and now have the same pace");
        assert!(times.len() > 1_800 + 150, "{}", times.len());
    }

    #[test]
    fn the_link_of_the_story_goes_down_and_comes_back() {
        let start = Timestamp::from_secs(1_772_439_304);
        let mut source = SyntheticSource::bottling(&model(), &[SourceIndex(0), SourceIndex(1)], 7, start);
        let mut states = |s| {
            let mut polled = Polled::default();
            source.poll(start + Span::from_secs(s), &mut polled);
            polled.links.iter().map(|(_, state, _)| *state).collect::<Vec<_>>()
        };
        assert_eq!(states(story::SOURCE_DOWN - 1), [LinkState::Up, LinkState::Up]);
        assert_eq!(states(story::SOURCE_DOWN), [LinkState::Up, LinkState::Down]);
        assert_eq!(states(story::SOURCE_UP), [LinkState::Up, LinkState::Up]);
        let changes = source.link_changes(start + Span::from_secs(story::SOURCE_UP + 1));
        assert_eq!(changes.iter().map(|(_, _, up)| *up).collect::<Vec<_>>(), [false, true]);
    }
}
