//! One line of history: a store and what every rule and alarm said about it. Reality is one, each what-if branch another.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use twin_health::{Entry, Timeline};
use twin_historian::{Appended, HistorianError, Level, SignalSpec, Store, StoreConfig};
use twin_model::{AlarmIndex, Flags, Model, RuleIndex, Sample, SignalIndex, Span, TimeRange, Timestamp};

use crate::computed::Computed;
use crate::timelines::Timelines;

mod follow;

/// What an ingest did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ingested {
    /// Samples taken in, late and replacing ones included.
    pub samples: u64,
    /// Samples put aside (unknown signal, one that is computed, too far in the future).
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

/// A store with the timelines of all rules and alarms.
#[derive(Debug, Clone)]
pub struct Record {
    store: Store,
    said: Timelines,
    /// Stretches whose samples were given up because they are kept elsewhere, sorted and apart: nobody was silent there.
    away: Vec<TimeRange>,
    /// Goes up with every change, so that views know when to look again.
    revision: u64,
    /// Rules and alarms judge predictions, too: of a what-if branch, which is made of them. In reality they judge what was measured.
    judges_predictions: bool,
    /// Signals that follow from others, derived from the samples whenever somebody asks.
    computed: Arc<Computed>,
    /// Of a branch: what held at its fork of the signals that computed ones read, ascending.
    held: Vec<(SignalIndex, Sample)>,
    /// By place of a computed signal: goes up with every sample of what it reads.
    versions: Vec<u64>,
    /// Goes up with everything that is taken away.
    taken_away: u64,
    /// Which signal each number in chunks is; none where numbers are positions of the model.
    numbers: Option<Arc<[Option<SignalIndex>]>>,
    /// Stretches of computed signals that are folded later, once, from first to last: while much is read in.
    waiting: Option<BTreeMap<usize, (Timestamp, Timestamp)>>,
}

impl Record {
    /// An empty one for a model.
    pub fn new(model: &Model, config: StoreConfig) -> Self {
        Self::with(model, config, Arc::new(Computed::new(model)))
    }

    fn with(model: &Model, config: StoreConfig, computed: Arc<Computed>) -> Self {
        Self {
            store: Store::new(model.signals().iter().map(SignalSpec::from), config),
            said: Timelines::new(model),
            away: Vec::new(),
            revision: 0,
            judges_predictions: false,
            versions: vec![0; computed.plan().all().len()],
            computed,
            held: Vec::new(),
            taken_away: 0,
            numbers: None,
            waiting: None,
        }
    }

    /// Says which signal each number in chunks is that come from now on ([`Self::import`]); at first they are positions of the model.
    pub(crate) fn number(&mut self, ids: &[Option<SignalIndex>]) {
        let positions = ids.iter().enumerate().all(|(at, id)| *id == Some(SignalIndex::from_at(at)));
        self.numbers = (!positions).then(|| ids.into());
    }

    /// The signal of a number in chunks.
    fn numbered(&self, number: u32) -> Option<SignalIndex> {
        match &self.numbers {
            Some(ids) => ids.get(number as usize).copied().flatten(),
            None => Some(SignalIndex(number)),
        }
    }

    /// An empty store whose rules and alarms go on from where `base` stands at `t`. Computed signals go on from
    /// signals that are `current` at that instant.
    #[must_use]
    pub(crate) fn forked(&self, model: &Model, t: Timestamp, config: StoreConfig, current: &dyn Fn(SignalIndex) -> bool) -> Self {
        let read = (0..model.signals().len()).map(SignalIndex::from_at).filter(|at| self.computed.readers(*at).next().is_some());
        let current = read.filter(|signal| current(*signal));
        let held = current.filter_map(|signal| Some((signal, self.inputs(None).latest(signal, t)?))).collect();
        let said = self.said.forked(t);
        Self { said, held, judges_predictions: true, ..Self::with(model, config, self.computed.clone()) }
    }

    /// Has the same samples judged by the rules and alarms of another model, as if it had been there from the start. False, and nothing
    /// changed, where its signals are others: samples would mean something else.
    pub(crate) fn judge_by(&mut self, model: &Model, before: &Model) -> bool {
        let computed = Computed::new(model);
        let signals = (0..model.signals().len()).map(SignalIndex::from_at);
        let same = model.signals().len() == before.signals().len()
            && model
                .signals()
                .iter()
                .zip(before.signals())
                .all(|(a, b)| a.id == b.id && SignalSpec::from(a) == SignalSpec::from(b))
            && signals.clone().all(|signal| computed.is_computed(signal) == self.computed.is_computed(signal));
        if !same {
            return false;
        }
        let budget = self.said.budget();
        self.versions = vec![0; computed.plan().all().len()];
        (self.computed, self.said, self.waiting) = (Arc::new(computed), Timelines::new(model), None);
        self.said.set_budget(budget);
        if let Some(all) = self.store.extent() {
            let measured = signals.filter(|signal| !self.computed.is_computed(*signal));
            let (judged, read): (Vec<_>, Vec<_>) = (
                measured.clone().filter(|signal| self.said.are_fed_by(*signal)).collect(),
                measured.filter(|signal| self.computed.readers(*signal).next().is_some()).collect(),
            );
            for signal in judged {
                self.refold(model, signal, all.start, all.end);
            }
            self.follow(model, read.into_iter().map(|signal| (signal, (all.start, all.end))).collect());
            self.said.keep_small();
        }
        self.revision += 1;
        true
    }

    /// Bytes that timelines may take beyond their fixed part; [`TIMELINE_BYTES`] until said otherwise.
    pub fn set_timeline_budget(&mut self, bytes: usize) {
        self.said.set_budget(bytes);
    }

    /// Bytes held: samples and timelines.
    pub fn bytes(&self) -> usize {
        self.store.bytes().total() + self.said.bytes()
    }

    /// Bytes of all timelines.
    pub fn timeline_bytes(&self) -> usize {
        self.said.bytes()
    }

    /// The samples.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Changes whenever anything was taken in.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How often the timelines of rules and of alarms were changed, by index.
    pub(crate) fn changes(&self) -> (&[u32], &[u32]) {
        (&self.said.changes.0, &self.said.changes.1)
    }

    /// What a rule says at `t`.
    pub fn rule_at(&self, rule: RuleIndex, t: Timestamp) -> Option<Entry> {
        self.said.rules.get(rule.at())?.at(t)
    }

    /// What an alarm says at `t`.
    pub fn alarm_at(&self, alarm: AlarmIndex, t: Timestamp) -> Option<Entry> {
        self.said.alarms.get(alarm.at())?.at(t)
    }

    /// Timeline of a rule of the model.
    pub fn rule_timeline(&self, rule: RuleIndex) -> &Timeline {
        &self.said.rules[rule.at()]
    }

    /// Timeline of an alarm of the model.
    pub fn alarm_timeline(&self, alarm: AlarmIndex) -> &Timeline {
        &self.said.alarms[alarm.at()]
    }

    /// Takes samples in, in any order; rules see them in source-time order.
    pub fn ingest(&mut self, model: &Model, samples: &[(SignalIndex, Sample)]) -> Ingested {
        let mut done = Ingested::default();
        // Signals with late data, and from when to when: folded again once, at the end.
        let mut late: BTreeMap<SignalIndex, (Timestamp, Timestamp)> = BTreeMap::new();
        // Signals that computed ones read, and from when to when something of them changed.
        let mut changed: BTreeMap<SignalIndex, (Timestamp, Timestamp)> = BTreeMap::new();
        for (signal, sample) in samples {
            if self.computed.is_computed(*signal) {
                done.quarantined += 1;
                continue;
            }
            let outcome = self.store.append(*signal, sample);
            if outcome == Appended::Quarantined {
                done.quarantined += 1;
                continue;
            }
            done.samples += 1;
            let t = sample.source_time;
            done.touch(t);
            if self.computed.readers(*signal).next().is_some() {
                let slot = changed.entry(*signal).or_insert((t, t));
                *slot = (slot.0.min(t), slot.1.max(t));
            }
            if !self.said.are_fed_by(*signal) || outcome != Appended::Duplicate && !self.judges(sample) {
                continue;
            }
            match late.get_mut(signal) {
                Some((from, upto)) => (*from, *upto) = ((*from).min(t), (*upto).max(t)),
                None if outcome == Appended::New => {
                    self.said.change(model, *signal, &mut |machine, timeline| _ = timeline.push(machine, sample));
                }
                None => _ = late.insert(*signal, (t, t)),
            }
        }
        for (signal, (from, upto)) in late {
            self.refold(model, signal, from, upto);
        }
        self.follow(model, changed);
        if done.samples > 0 {
            self.revision += 1;
        }
        self.said.keep_small();
        done
    }

    /// Takes a sealed chunk of history in.
    ///
    /// # Errors
    /// Where the bytes are no chunk that fits this model; nothing was taken in then.
    pub fn import(&mut self, model: &Model, chunk: &[u8]) -> Result<Ingested, HistorianError> {
        let imported = match &self.numbers {
            None => self.store.import_chunk(chunk)?,
            Some(ids) => self.store.import_renumbered(chunk, ids)?,
        };
        let mut done = Ingested { samples: imported.samples, ..Ingested::default() };
        if imported.samples == 0 {
            return Ok(done);
        }
        done.touched = Some(imported.range);
        self.is_back(imported.range);
        let mut changed = BTreeMap::new();
        for at in imported.key.first_signal..imported.key.first_signal.saturating_add(imported.key.signals) {
            let Some(signal) = self.numbered(at) else { continue };
            if self.said.are_fed_by(signal) && !self.computed.is_computed(signal) {
                self.refold(model, signal, imported.range.start, imported.range.end);
            }
            if self.computed.readers(signal).next().is_some() {
                changed.insert(signal, (imported.range.start, imported.range.end));
            }
        }
        self.follow(model, changed);
        self.said.keep_small();
        self.revision += 1;
        Ok(done)
    }

    /// Keeps of samples that are kept elsewhere only what a coarser level has; none for [`Level::Raw`]. What rules and alarms
    /// said of that time is remembered.
    pub fn reduce(&mut self, range: TimeRange, level: Level) -> u64 {
        let gone = self.store.reduce(range, level);
        if gone > 0 {
            self.taken_away += 1;
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
        let Self { store, said, judges_predictions, .. } = self;
        let mut replay = |start: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>| {
            let range = TimeRange::new(start, Timestamp::MAX);
            store.for_each_sample(signal, range, &mut |sample| {
                if *judges_predictions || !predicted(sample) { f(sample) } else { ControlFlow::Continue(()) }
            });
        };
        said.change(model, signal, &mut |machine, timeline| timeline.refold(machine, from, upto, &mut replay));
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
