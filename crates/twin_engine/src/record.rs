//! One line of history: a store and what every rule and alarm said about it. Reality is one, each what-if branch another.

use std::ops::ControlFlow;

use twin_health::{Entry, Machine, Timeline, Told};
use twin_historian::{Appended, HistorianError, Level, SignalSpec, Store, StoreConfig};
use twin_model::{AlarmIndex, Flags, Model, RuleIndex, Sample, SignalIndex, Span, TimeRange, Timestamp};

use crate::basis;

/// What an ingest did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ingested {
    /// Samples taken in, late and replacing ones included.
    pub samples: u64,
    /// Samples put aside (unknown signal, too far in the future).
    pub quarantined: u64,
    /// Smallest range of source times that anything was added in; empty where nothing was.
    pub touched: Option<TimeRange>,
}

impl Ingested {
    fn touch(&mut self, t: Timestamp) {
        let one = TimeRange::new(t, t + Span::from_micros(1));
        self.touched = Some(self.touched.map_or(one, |range| range.union(one)));
    }
}

/// Which timelines a signal feeds.
#[derive(Debug, Clone, Default)]
struct Readers {
    rules: Vec<RuleIndex>,
    alarms: Vec<AlarmIndex>,
}

/// Bytes that the timelines of a record may take beyond their fixed part (about 300 bytes for each rule and alarm): what
/// was said when, and where folding can begin again.
pub const TIMELINE_BYTES: usize = if cfg!(target_arch = "wasm32") { 32 << 20 } else { 128 << 20 };

/// A store with the timelines of all rules and alarms.
#[derive(Debug, Clone)]
pub struct Record {
    store: Store,
    rules: Vec<Timeline>,
    alarms: Vec<Timeline>,
    readers: Vec<Readers>,
    /// Stretches whose samples were given up because they are kept elsewhere, sorted and apart: nobody was silent there.
    away: Vec<TimeRange>,
    /// Goes up with every change, so that views know when to look again.
    revision: u64,
    /// Bytes of all timelines, and from how many on the oldest outcomes go.
    timelines: (usize, usize),
    timeline_budget: usize,
    /// Rules and alarms judge predictions, too: of a what-if branch, which is made of them. In reality they judge what was measured.
    judges_predictions: bool,
}

impl Record {
    /// An empty one for a model.
    pub fn new(model: &Model, config: StoreConfig) -> Self {
        let mut readers = vec![Readers::default(); model.signals().len()];
        for (at, rule) in model.rules().iter().enumerate() {
            readers[rule.signal.at()].rules.push(RuleIndex::from_at(at));
        }
        for (at, alarm) in model.alarms().iter().enumerate() {
            readers[alarm.signal.at()].alarms.push(AlarmIndex::from_at(at));
        }
        let fixed = (model.rules().len() + model.alarms().len()) * Timeline::default().bytes();
        Self {
            timelines: (fixed, fixed.saturating_add(TIMELINE_BYTES)),
            timeline_budget: TIMELINE_BYTES,
            store: Store::new(model.signals().iter().map(SignalSpec::from), config),
            rules: vec![Timeline::default(); model.rules().len()],
            alarms: vec![Timeline::default(); model.alarms().len()],
            readers,
            away: Vec::new(),
            revision: 0,
            judges_predictions: false,
        }
    }

    /// An empty store whose rules and alarms go on from where `base` stands at `t`.
    #[must_use]
    pub fn forked(&self, model: &Model, t: Timestamp, config: StoreConfig) -> Self {
        let mut record = Self::new(model, config);
        record.rules = self.rules.iter().map(|timeline| timeline.forked(t)).collect();
        record.alarms = self.alarms.iter().map(|timeline| timeline.forked(t)).collect();
        record.set_timeline_budget(self.timeline_budget);
        record.judges_predictions = true;
        record
    }

    /// Bytes that timelines may take beyond their fixed part; [`TIMELINE_BYTES`] until said otherwise.
    pub fn set_timeline_budget(&mut self, bytes: usize) {
        self.timeline_budget = bytes;
        let fixed = (self.rules.len() + self.alarms.len()) * size_of::<Timeline>();
        self.timelines = (self.count_timelines(), fixed.saturating_add(bytes));
        self.keep_timelines_small();
    }

    /// Bytes held: samples and timelines.
    pub fn bytes(&self) -> usize {
        self.store.bytes().total() + self.timelines.0
    }

    /// Bytes of all timelines.
    pub fn timeline_bytes(&self) -> usize {
        self.timelines.0
    }

    fn count_timelines(&self) -> usize {
        self.rules.iter().chain(&self.alarms).map(Timeline::bytes).sum()
    }

    /// Drops the oldest outcomes of the longest timelines until all fit again, with some room.
    fn keep_timelines_small(&mut self) {
        if self.timelines.0 <= self.timelines.1 {
            return;
        }
        let fixed = (self.rules.len() + self.alarms.len()) * size_of::<Timeline>();
        let wanted = fixed.saturating_add(self.timeline_budget / 4 * 3);
        let (mut entries, mut checkpoints) = (32_768, 8);
        while self.timelines.0 > wanted && entries >= 2 {
            for timeline in self.rules.iter_mut().chain(&mut self.alarms) {
                timeline.shrink(entries, checkpoints);
            }
            self.timelines.0 = self.count_timelines();
            entries /= 2;
            checkpoints = if entries < 64 { checkpoints / 2 } else { checkpoints };
        }
        // Where even the least is more than the budget, looking again pays only once there is more.
        self.timelines.1 = fixed.saturating_add(self.timeline_budget).max(self.timelines.0 / 4 * 5);
    }

    /// The samples.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Changes whenever anything was taken in.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What a rule says at `t`: as it was, or as far as had been received by `known`.
    pub(crate) fn told_rule(&self, model: &Model, rule: RuleIndex, when: (Timestamp, Option<Timestamp>)) -> Told<'_> {
        let it = model.rule(rule);
        basis::told(&self.store, Machine::Rule(&it.kind), self.rule_timeline(rule), it.signal, when)
    }

    /// What an alarm says at `t`: as it was, or as far as had been received by `known`.
    pub(crate) fn told_alarm(&self, model: &Model, alarm: AlarmIndex, when: (Timestamp, Option<Timestamp>)) -> Told<'_> {
        let it = model.alarm(alarm);
        basis::told(&self.store, Machine::Alarm(&it.condition), self.alarm_timeline(alarm), it.signal, when)
    }

    /// What a rule says at `t`.
    pub fn rule_at(&self, rule: RuleIndex, t: Timestamp) -> Option<Entry> {
        self.rules.get(rule.at())?.at(t)
    }

    /// What an alarm says at `t`.
    pub fn alarm_at(&self, alarm: AlarmIndex, t: Timestamp) -> Option<Entry> {
        self.alarms.get(alarm.at())?.at(t)
    }

    /// Timeline of a rule of the model.
    pub fn rule_timeline(&self, rule: RuleIndex) -> &Timeline {
        &self.rules[rule.at()]
    }

    /// Timeline of an alarm of the model.
    pub fn alarm_timeline(&self, alarm: AlarmIndex) -> &Timeline {
        &self.alarms[alarm.at()]
    }

    /// Takes samples in, in any order; rules see them in source-time order.
    pub fn ingest(&mut self, model: &Model, samples: &[(SignalIndex, Sample)]) -> Ingested {
        let mut done = Ingested::default();
        // Signals with late data, and from when to when: folded again once, at the end.
        let mut late: Vec<(SignalIndex, Timestamp, Timestamp)> = Vec::new();
        for (signal, sample) in samples {
            let outcome = self.store.append(*signal, sample);
            if outcome == Appended::Quarantined {
                done.quarantined += 1;
                continue;
            }
            done.samples += 1;
            done.touch(sample.source_time);
            let Some(readers) = self.readers.get(signal.at()).filter(|readers| !readers.is_empty()) else { continue };
            if outcome != Appended::Duplicate && !self.judges(sample) {
                continue;
            }
            let waiting = late.iter().position(|(each, ..)| each == signal);
            if outcome == Appended::New && waiting.is_none() {
                for rule in &readers.rules {
                    let timeline = &mut self.rules[rule.at()];
                    let before = timeline.bytes();
                    timeline.push(Machine::Rule(&model.rule(*rule).kind), sample);
                    self.timelines.0 = self.timelines.0 + timeline.bytes() - before;
                }
                for alarm in &readers.alarms {
                    let timeline = &mut self.alarms[alarm.at()];
                    let before = timeline.bytes();
                    timeline.push(Machine::Alarm(&model.alarm(*alarm).condition), sample);
                    self.timelines.0 = self.timelines.0 + timeline.bytes() - before;
                }
            } else {
                let t = sample.source_time;
                match waiting {
                    Some(at) => late[at] = (*signal, late[at].1.min(t), late[at].2.max(t)),
                    None => late.push((*signal, t, t)),
                }
            }
        }
        for (signal, from, upto) in late {
            self.refold(model, signal, from, upto);
        }
        if done.samples > 0 {
            self.revision += 1;
        }
        self.keep_timelines_small();
        done
    }

    /// Takes a sealed chunk of history in.
    ///
    /// # Errors
    /// Where the bytes are no chunk that fits this model; nothing was taken in then.
    pub fn import(&mut self, model: &Model, chunk: &[u8]) -> Result<Ingested, HistorianError> {
        let imported = self.store.import_chunk(chunk)?;
        let mut done = Ingested { samples: imported.samples, ..Ingested::default() };
        if imported.samples == 0 {
            return Ok(done);
        }
        done.touched = Some(imported.range);
        self.is_back(imported.range);
        for at in imported.key.first_signal..imported.key.first_signal.saturating_add(imported.key.signals) {
            let signal = SignalIndex(at);
            if self.readers.get(signal.at()).is_some_and(|readers| !readers.is_empty()) {
                self.refold(model, signal, imported.range.start, imported.range.end);
            }
        }
        self.keep_timelines_small();
        self.revision += 1;
        Ok(done)
    }

    /// Keeps of samples that are kept elsewhere only what a coarser level has; none for [`Level::Raw`]. What rules and alarms
    /// said of that time is remembered.
    pub fn reduce(&mut self, range: TimeRange, level: Level) -> u64 {
        let gone = self.store.reduce(range, level);
        if gone > 0 {
            if level == Level::Raw {
                self.away.push(range);
                self.away = TimeRange::merged(std::mem::take(&mut self.away));
            }
            self.revision += 1;
        }
        gone
    }

    /// Says at which level a stretch is held now.
    pub fn note_detail(&mut self, range: TimeRange, level: Level) {
        self.store.note_detail(range, level);
        self.is_back(range);
        self.revision += 1;
    }

    fn is_back(&mut self, range: TimeRange) {
        self.away = self.away.iter().flat_map(|away| without(*away, range)).collect();
    }

    /// How much of a value's age at `t` may come from not having all samples here: the bucket of an extract, or the time since
    /// a stretch began whose samples are elsewhere.
    pub(crate) fn allowance_at(&self, t: Timestamp) -> Span {
        let away = self.away.iter().find(|away| away.contains(t)).map(|away| t.since(away.start));
        self.store.allowance_at(t).max(away.unwrap_or(Span::ZERO))
    }

    /// What is left of stretches of silence once those are taken out whose samples are elsewhere.
    pub(crate) fn but_away(&self, silent: Vec<TimeRange>) -> Vec<TimeRange> {
        self.away.iter().fold(silent, |left, away| left.into_iter().flat_map(|part| without(part, *away)).collect())
    }

    /// Whether rules and alarms have a say about a sample.
    fn judges(&self, sample: &Sample) -> bool {
        self.judges_predictions || !predicted(sample)
    }

    fn refold(&mut self, model: &Model, signal: SignalIndex, from: Timestamp, upto: Timestamp) {
        let Self { store, rules, alarms, readers, timelines, judges_predictions, .. } = self;
        let mut replay = |start: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>| {
            let range = TimeRange::new(start, Timestamp::MAX);
            store.for_each_sample(signal, range, &mut |sample| {
                if *judges_predictions || !predicted(sample) { f(sample) } else { ControlFlow::Continue(()) }
            });
        };
        let readers = &readers[signal.at()];
        for rule in &readers.rules {
            let before = rules[rule.at()].bytes();
            rules[rule.at()].refold(Machine::Rule(&model.rule(*rule).kind), from, upto, &mut replay);
            timelines.0 = timelines.0 + rules[rule.at()].bytes() - before;
        }
        for alarm in &readers.alarms {
            let before = alarms[alarm.at()].bytes();
            alarms[alarm.at()].refold(Machine::Alarm(&model.alarm(*alarm).condition), from, upto, &mut replay);
            timelines.0 = timelines.0 + alarms[alarm.at()].bytes() - before;
        }
    }
}

fn predicted(sample: &Sample) -> bool {
    sample.flags.has(Flags::PREDICTED)
}

/// The parts of a range before and after another.
fn without(range: TimeRange, other: TimeRange) -> impl Iterator<Item = TimeRange> {
    let before = TimeRange::new(range.start, range.end.min(other.start));
    let after = TimeRange::new(range.start.max(other.end), range.end);
    [before, after].into_iter().filter(|part| !part.is_empty())
}

impl Readers {
    fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.alarms.is_empty()
    }
}
