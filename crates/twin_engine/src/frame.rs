//! What is shown at one instant: state per twin and active alarms, from one record or a branch beside it.

use std::borrow::Cow;

use twin_health::{Entry, Outcome, Policy, RuleView, given_in, judge};
use twin_historian::{Cursor, Snapshot};
use twin_model::{
    AlarmIndex, AlarmState, Freshness, Model, Priority, Quality, RuleIndex, Sample, SignalIndex, Span, Status, Timestamp, Twin,
    TwinIndex,
};

use crate::changed::Changed;
use crate::computed::{Kind, Slots};
use crate::recall::Recall;
use crate::scope::Scope;

/// One twin at the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwinState {
    /// Its own status.
    pub status: Status,
    /// What its rules said before some of them fell silent, where that was worse or nothing else is known: the second key to
    /// sort by, so that a silent machine that was failing stands above one that was well.
    pub last_known: Option<Status>,
    /// Its own freshness.
    pub freshness: Freshness,
    /// Its most urgent alarm that is not normal.
    pub alarm: Option<(Priority, AlarmState)>,
    /// Worst status of it and everything below it; what only groups others has no say. Unknown where nothing is judged.
    pub rollup: Status,
    /// How many below it are in trouble: neither normal nor unknown.
    pub troubled: u32,
    /// How many below it can't be judged: unknown, but no mere groups.
    pub silent: u32,
    /// Active alarms of it and everything below it.
    pub alarms: u32,
    /// Most urgent priority among those.
    pub rollup_priority: Option<Priority>,
}

impl TwinState {
    const NOTHING: Self = Self {
        status: Status::Unknown,
        last_known: None,
        freshness: Freshness::NeverSeen,
        alarm: None,
        rollup: Status::Unknown,
        troubled: 0,
        silent: 0,
        alarms: 0,
        rollup_priority: None,
    };
}

/// An alarm that is not normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveAlarm {
    /// Which.
    pub alarm: AlarmIndex,
    /// Where it stands.
    pub state: AlarmState,
    /// Since when.
    pub since: Timestamp,
}

/// Everything that is shown at one instant.
#[derive(Debug, Clone)]
pub struct ViewFrame {
    /// The instant.
    pub t: Option<Timestamp>,
    /// What holds per signal at the instant, computed ones included, predictions left out; of a branch, at its fork.
    pub snapshot: Snapshot,
    /// By [`TwinIndex`].
    pub twins: Vec<TwinState>,
    /// Alarms that are not normal, in model order.
    pub alarms: Vec<ActiveAlarm>,
    pub(crate) cursor: Cursor,
    /// What computed signals say in reality at the snapshot's instant.
    derived: Slots,
    /// What they say in the branch on show, beyond its fork.
    beyond: Slots,
    /// What of the frame before stands still; `None` where each is to be made of the timelines alone, as tests and baselines do.
    recall: Option<Recall>,
    /// Of the frame before, to tell what changed.
    before: (Vec<TwinState>, Vec<ActiveAlarm>),
}

impl Default for ViewFrame {
    fn default() -> Self {
        Self { recall: Some(Recall::default()), ..Self::plain() }
    }
}

/// The same view with samples taken from a snapshot instead of the store.
struct Snapped<'a> {
    scope: &'a Scope<'a>,
    snapshot: &'a Snapshot,
    /// Where it holds: of reality.
    recall: Option<&'a Recall>,
    /// What computed signals say at the instant, in reality or the branch.
    derived: &'a Slots,
}

impl Snapped<'_> {
    fn computed(&self, signal: SignalIndex) -> Kind {
        self.scope.reality.computed().kind(signal)
    }
}

impl RuleView for Snapped<'_> {
    fn rule(&self, rule: RuleIndex) -> Option<Entry> {
        self.scope.rule(rule)
    }

    fn sample(&self, signal: SignalIndex) -> Option<Sample> {
        match self.computed(signal) {
            Kind::Computed(place) => self.derived.sample(place).cloned(),
            _ if self.scope.beyond_fork().is_some() => self.scope.sample(signal),
            _ => self.snapshot.get(signal),
        }
    }

    fn outcome(&self, rule: RuleIndex) -> Option<Outcome> {
        self.scope.outcome(rule)
    }

    fn given(&self, model: &Model, rule: RuleIndex, t: Timestamp) -> (Status, Option<Outcome>) {
        let recall = self.recall.filter(|_| self.scope.known.is_none());
        recall.map_or_else(|| given_in(self, model, rule, t), |recall| recall.rule(rule))
    }

    fn last_known(&self, rule: RuleIndex) -> Option<(Status, Timestamp)> {
        self.scope.last_known(rule)
    }

    fn needed(&self, signal: SignalIndex) -> Option<Cow<'_, [SignalIndex]>> {
        match self.computed(signal) {
            Kind::Computed(place) => Some(Cow::Borrowed(self.derived.needed(place))),
            Kind::Nothing => Some(Cow::Borrowed(&[])),
            Kind::Measured => None,
        }
    }

    fn taken(&self, signal: SignalIndex) -> Option<(Timestamp, Quality)> {
        if let Kind::Computed(place) = self.computed(signal) {
            return self.derived.sample(place).map(|sample| (sample.source_time, sample.judged_quality()));
        }
        if self.scope.beyond_fork().is_some() {
            return self.scope.taken(signal);
        }
        Some((self.snapshot.source_time(signal)?, self.snapshot.quality(signal)?))
    }

    fn current(&self, model: &Model, signal: SignalIndex, t: Timestamp) -> Option<(Freshness, bool)> {
        match self.recall {
            Some(recall) => recall.current(signal),
            None => self.scope.current(model, signal, t),
        }
    }

    fn source_offline(&self, signal: SignalIndex) -> Option<Timestamp> {
        self.scope.source_offline(signal)
    }

    fn slack(&self) -> Span {
        self.scope.slack()
    }
}

impl ViewFrame {
    /// One that remembers nothing of the frame before: slower, and what the other is compared with.
    pub(crate) fn plain() -> Self {
        Self {
            t: None,
            snapshot: Snapshot::new(),
            twins: Vec::new(),
            alarms: Vec::new(),
            cursor: Cursor::new(),
            derived: Slots::default(),
            beyond: Slots::default(),
            recall: None,
            before: (Vec::new(), Vec::new()),
        }
    }

    /// Fills the frame for the scope's instant, and says what of it is another than before.
    pub(crate) fn compute(&mut self, scope: &Scope<'_>, policy: &Policy) -> Changed {
        let base = scope.beyond_fork().map_or(scope.t, |(_, fork)| fork);
        let store = scope.reality.store();
        match scope.known {
            None => store.measured_snapshot_at(base, &mut self.cursor, &mut self.snapshot),
            Some(known) => store.known_snapshot_at(base, known, &mut self.cursor, &mut self.snapshot),
        }
        let (reality, computed) = (scope.reality, scope.reality.computed());
        let inputs = reality.inputs(scope.known);
        self.derived.bring(computed, &inputs, base, &|place| reality.version(place), &mut self.snapshot);
        // One that can't be computed has no value, whatever somebody kept under its name.
        let never = scope.model.computed().iter().filter(|it| computed.kind(it.signal) == Kind::Nothing);
        never.for_each(|it| self.snapshot.set(it.signal, None));
        if scope.beyond_fork().is_some() {
            self.beyond.fill(computed, &|signal| scope.sample(signal));
        }
        self.t = Some(scope.t);
        std::mem::swap(&mut self.before.0, &mut self.twins);
        std::mem::swap(&mut self.before.1, &mut self.alarms);
        self.alarms.clear();
        self.twins.clear();
        self.twins.resize(scope.model.twins().len(), TwinState::NOTHING);
        self.judge_all(scope, policy);
        self.collect_alarms(scope);
        self.roll_up(scope.model, policy);
        self.changed()
    }

    fn judge_all(&mut self, scope: &Scope<'_>, policy: &Policy) {
        let beyond = scope.beyond_fork().is_some();
        let derived = if beyond { &self.beyond } else { &self.derived };
        let mut recall = self.recall.as_mut().filter(|_| !beyond);
        if let Some(recall) = &mut recall {
            recall.ages(scope.model, &self.snapshot, scope.links, (scope.t, scope.slack()));
            recall.ages_of_computed(scope.reality.computed(), derived);
            if scope.known.is_none() {
                recall.outcomes(scope.model, scope.reality, scope.t);
            }
        }
        let view = Snapped { scope, snapshot: &self.snapshot, recall: recall.map(|recall| &*recall), derived };
        for (twin, state) in scope.model.twin_indices().zip(&mut self.twins) {
            let judged = judge(scope.model, policy, &view, twin, scope.t);
            (state.status, state.freshness, state.rollup) = (judged.status, judged.freshness, judged.status);
            state.last_known = judged.last_known;
        }
    }

    fn changed(&self) -> Changed {
        let (twins, alarms) = &self.before;
        if twins.len() != self.twins.len() {
            return Changed::everything();
        }
        let pairs = twins.iter().zip(&self.twins).enumerate();
        let others = pairs.filter(|(_, (before, now))| before != now).map(|(at, _)| TwinIndex::from_at(at));
        Changed { moved: true, all: false, twins: others.collect(), alarms: *alarms != self.alarms, branch: false }
    }

    fn collect_alarms(&mut self, scope: &Scope<'_>) {
        let recall = self.recall.as_ref().filter(|_| scope.beyond_fork().is_none() && scope.known.is_none());
        for at in 0..scope.model.alarms().len() {
            let index = AlarmIndex::from_at(at);
            // Acknowledging makes nothing of an alarm whose condition is normal.
            let said = recall.map(|recall| recall.alarm(index).map_or(AlarmState::Normal, |said| said.alarm()));
            if said == Some(AlarmState::Normal) {
                continue;
            }
            let Some((state, since)) = scope.alarm(index) else { continue };
            if state == AlarmState::Normal {
                continue;
            }
            self.alarms.push(ActiveAlarm { alarm: index, state, since });
            let alarm = scope.model.alarm(index);
            let twin = &mut self.twins[alarm.twin.at()];
            let more_urgent = twin.alarm.is_none_or(|(priority, had)| {
                (had.is_active(), std::cmp::Reverse(priority), had)
                    < (state.is_active(), std::cmp::Reverse(alarm.priority), state)
            });
            if more_urgent {
                twin.alarm = Some((alarm.priority, state));
            }
        }
    }

    /// Adds every twin to its ancestors, and the active alarms to their twins and theirs. Walks up from each: trees are a handful
    /// of levels deep.
    fn roll_up(&mut self, model: &Model, policy: &Policy) {
        // Whether a roll-up has anything in it yet: a hall of healthy machines is normal, not unknown.
        let mut holds: Vec<bool> = model.twins().iter().map(Twin::is_judged).collect();
        for twin in model.twin_indices().filter(|twin| model.twin(*twin).is_judged()) {
            let own = self.twins[twin.at()];
            let mut at = model.twin(twin).parent;
            while let Some(parent) = at {
                let state = &mut self.twins[parent.at()];
                let first = !std::mem::replace(&mut holds[parent.at()], true);
                state.rollup = if first { own.status } else { policy.worse(state.rollup, own.status) };
                state.troubled += u32::from(own.status.is_trouble());
                state.silent += u32::from(own.status == Status::Unknown);
                at = model.twin(parent).parent;
            }
        }
        for active in self.alarms.iter().filter(|active| active.state.is_active()) {
            let alarm = model.alarm(active.alarm);
            let mut at = Some(alarm.twin);
            while let Some(twin) = at {
                let state = &mut self.twins[twin.at()];
                state.alarms += 1;
                state.rollup_priority = Some(state.rollup_priority.map_or(alarm.priority, |had| had.min(alarm.priority)));
                at = model.twin(twin).parent;
            }
        }
    }
}
