//! The timelines of all rules and alarms of one record: which signal feeds which, what they weigh, and which have changed.

use twin_health::{Machine, Timeline};
use twin_model::{AlarmIndex, Model, RuleIndex, SignalIndex, Timestamp};

/// Bytes that the timelines of a record may take beyond their fixed part (about 300 bytes for each rule and alarm): what
/// was said when, and where folding can begin again.
pub const TIMELINE_BYTES: usize = if cfg!(target_arch = "wasm32") { 32 << 20 } else { 128 << 20 };

/// Which timelines a signal feeds.
#[derive(Debug, Clone, Default)]
struct Readers {
    rules: Vec<RuleIndex>,
    alarms: Vec<AlarmIndex>,
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Timelines {
    /// By [`RuleIndex`].
    pub(crate) rules: Vec<Timeline>,
    /// By [`AlarmIndex`].
    pub(crate) alarms: Vec<Timeline>,
    /// How often each of them was changed, by the same indices: views look again only at what is another than before.
    pub(crate) changes: (Vec<u32>, Vec<u32>),
    /// By [`SignalIndex`].
    readers: Vec<Readers>,
    /// Bytes of all of them, and from how many on the oldest outcomes go.
    bytes: usize,
    most: usize,
    budget: usize,
}

impl Timelines {
    /// Empty ones.
    pub(crate) fn new(model: &Model) -> Self {
        let mut readers = vec![Readers::default(); model.signals().len()];
        for (at, rule) in model.rules().iter().enumerate() {
            readers[rule.signal.at()].rules.push(RuleIndex::from_at(at));
        }
        for (at, alarm) in model.alarms().iter().enumerate() {
            readers[alarm.signal.at()].alarms.push(AlarmIndex::from_at(at));
        }
        let rules = vec![Timeline::default(); model.rules().len()];
        let alarms = vec![Timeline::default(); model.alarms().len()];
        let bytes = (rules.len() + alarms.len()) * Timeline::default().bytes();
        Self {
            changes: (vec![0; rules.len()], vec![0; alarms.len()]),
            rules,
            alarms,
            readers,
            bytes,
            most: bytes.saturating_add(TIMELINE_BYTES),
            budget: TIMELINE_BYTES,
        }
    }

    /// The same as they stand at `t`, to go on differently from there.
    pub(crate) fn forked(&self, t: Timestamp) -> Self {
        let mut forked = Self {
            rules: self.rules.iter().map(|timeline| timeline.forked(t)).collect(),
            alarms: self.alarms.iter().map(|timeline| timeline.forked(t)).collect(),
            readers: self.readers.clone(),
            changes: self.changes.clone(),
            ..*self
        };
        forked.set_budget(self.budget);
        forked
    }

    /// Whether any rule or alarm reads the signal.
    pub(crate) fn are_fed_by(&self, signal: SignalIndex) -> bool {
        self.readers.get(signal.at()).is_some_and(|readers| !readers.rules.is_empty() || !readers.alarms.is_empty())
    }

    /// Changes every timeline that a signal feeds.
    pub(crate) fn change(&mut self, model: &Model, signal: SignalIndex, f: &mut dyn FnMut(Machine<'_>, &mut Timeline)) {
        let Self { rules, alarms, changes, readers, bytes, .. } = self;
        let Some(readers) = readers.get(signal.at()) else { return };
        let mut one = |machine: Machine<'_>, timeline: &mut Timeline, changes: &mut u32| {
            let before = timeline.bytes();
            f(machine, timeline);
            *bytes = *bytes + timeline.bytes() - before;
            *changes = changes.wrapping_add(1);
        };
        for rule in &readers.rules {
            one(Machine::Rule(&model.rule(*rule).kind), &mut rules[rule.at()], &mut changes.0[rule.at()]);
        }
        for alarm in &readers.alarms {
            one(Machine::Alarm(&model.alarm(*alarm).condition), &mut alarms[alarm.at()], &mut changes.1[alarm.at()]);
        }
    }

    /// Bytes of all of them.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that they may take beyond their fixed part; [`TIMELINE_BYTES`] until said otherwise.
    pub(crate) fn set_budget(&mut self, bytes: usize) {
        self.budget = bytes;
        (self.bytes, self.most) = (self.count(), self.fixed().saturating_add(bytes));
        self.keep_small();
    }

    /// See [`Self::set_budget`].
    pub(crate) const fn budget(&self) -> usize {
        self.budget
    }

    fn fixed(&self) -> usize {
        (self.rules.len() + self.alarms.len()) * size_of::<Timeline>()
    }

    fn count(&self) -> usize {
        self.rules.iter().chain(&self.alarms).map(Timeline::bytes).sum()
    }

    /// Drops the oldest outcomes of the longest timelines until all fit again, with some room.
    pub(crate) fn keep_small(&mut self) {
        if self.bytes <= self.most {
            return;
        }
        let wanted = self.fixed().saturating_add(self.budget / 4 * 3);
        let (mut entries, mut checkpoints) = (32_768, 8);
        while self.bytes > wanted && entries >= 2 {
            for timeline in self.rules.iter_mut().chain(&mut self.alarms) {
                timeline.shrink(entries, checkpoints);
            }
            self.bytes = self.count();
            entries /= 2;
            checkpoints = if entries < 64 { checkpoints / 2 } else { checkpoints };
        }
        self.changes.0.iter_mut().chain(&mut self.changes.1).for_each(|count| *count = count.wrapping_add(1));
        // Where even the least is more than the budget, looking again pays only once there is more.
        self.most = self.fixed().saturating_add(self.budget).max(self.bytes / 4 * 5);
    }
}
