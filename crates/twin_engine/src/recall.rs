//! What a frame remembers of the one before: what each rule and alarm said and for how long that stands, and how current each signal is.
//!
//! A site is judged sixty times a second while it is followed, and hardly anything changes from one frame to the next. Outcomes
//! stand between two entries of a timeline ([`Timeline::outcome_span`]), so most are read from one small array instead of being searched
//! for in a timeline each. Ages change with every frame, but depend on the newest samples alone: one pass in the order of signals.

use twin_health::{Ages, Outcome, Timeline};
use twin_health::{by_age, given};
use twin_historian::Snapshot;
use twin_model::{AlarmIndex, Freshness, Model, RuleIndex, SignalIndex, SourceIndex, Span, Status, TimeRange, Timestamp};

use crate::computed::{Computed, Slots};
use crate::record::Record;
use crate::sources::SourceLinks;

/// One outcome, and between which instants it stands.
#[derive(Debug, Clone, Copy)]
struct Standing {
    outcome: Option<Outcome>,
    within: TimeRange,
    /// As [`Record::changes`] counts.
    changes: u32,
}

/// Stands at no instant: is looked up when first asked for.
const NOWHERE: Standing =
    Standing { outcome: None, within: TimeRange { start: Timestamp::MAX, end: Timestamp::MIN }, changes: 0 };

/// What ages a signal and what a rule reads, of all of them next to each other: the model's own entries hold names, too, and would be
/// read from all over the memory.
#[derive(Debug, Clone, Default)]
struct Specs {
    /// By signal: late and stale from which age on, and the source.
    signals: Vec<(Ages, Option<SourceIndex>)>,
    /// By rule: its signal, and what it gives by age.
    rules: Vec<(SignalIndex, Option<Status>)>,
}

/// See the module. Of reality as it was; branches and what was known at an instant are asked for one by one. For one model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recall {
    specs: Option<Box<Specs>>,
    rules: Vec<Standing>,
    alarms: Vec<Standing>,
    /// By rule.
    given: Vec<Status>,
    /// By signal: `None` where it was never seen and its source is not known to be down; else how current, and whether it is of use.
    current: Vec<Option<(Freshness, bool)>>,
    /// By source.
    down: Vec<bool>,
}

impl Recall {
    /// Brings how current each signal is up to `t`, ages shortened by `slack`. The samples are those of the snapshot.
    pub(crate) fn ages(&mut self, model: &Model, snapshot: &Snapshot, links: &SourceLinks, (t, slack): (Timestamp, Span)) {
        let specs = self.specs.get_or_insert_with(|| Box::new(Specs::of(model)));
        self.down.clear();
        self.down.extend((0..model.sources().len()).map(|at| links.is_down(SourceIndex::from_at(at), t)));
        self.current.clear();
        self.current.extend(specs.signals.iter().enumerate().map(|(at, (ages, source))| {
            let index = SignalIndex::from_at(at);
            let down = source.is_some_and(|source| self.down.get(source.at()).copied().unwrap_or(false));
            let Some((taken, quality)) = snapshot.source_time(index).zip(snapshot.quality(index)) else {
                return down.then_some((Freshness::Offline, true));
            };
            Some((ages.freshness(taken, quality, t - slack, down), !quality.is_bad()))
        }));
    }

    /// A computed signal is as current as the worst of what its value was needed for; after [`Self::ages`].
    pub(crate) fn ages_of_computed(&mut self, computed: &Computed, derived: &Slots) {
        for (place, it) in computed.plan().all().iter().enumerate() {
            let Some((own, usable)) = self.current(it.signal) else { continue };
            let of = |it: &SignalIndex| self.current(*it).map_or(Freshness::NeverSeen, |(freshness, _)| freshness);
            let worst = derived.needed(place).iter().map(of).fold(own, Freshness::max);
            if let Some(slot) = self.current.get_mut(it.signal.at()) {
                *slot = Some((worst, usable));
            }
        }
    }

    /// Brings what rules and alarms say up to `t`, after [`Self::ages`].
    pub(crate) fn outcomes(&mut self, model: &Model, record: &Record, t: Timestamp) {
        let specs = self.specs.get_or_insert_with(|| Box::new(Specs::of(model)));
        let (rules, alarms) = record.changes();
        bring(&mut self.rules, rules, t, |at| record.rule_timeline(RuleIndex::from_at(at)));
        bring(&mut self.alarms, alarms, t, |at| record.alarm_timeline(AlarmIndex::from_at(at)));
        self.given.clear();
        self.given.extend(specs.rules.iter().zip(&self.rules).map(|((signal, by_age), standing)| {
            let current = self.current.get(signal.at()).copied().flatten();
            given(*by_age, current.map_or(Freshness::NeverSeen, |(freshness, _)| freshness), standing.outcome)
        }));
    }

    /// What a rule gives, and what its timeline says; after [`Self::outcomes`].
    pub(crate) fn rule(&self, rule: RuleIndex) -> (Status, Option<Outcome>) {
        let by_age = self.specs.as_ref().and_then(|specs| specs.rules.get(rule.at())?.1);
        let outcome = self.rules.get(rule.at()).filter(|_| by_age.is_none()).and_then(|standing| standing.outcome);
        (self.given.get(rule.at()).copied().unwrap_or(Status::Unknown), outcome)
    }

    /// What the machine of an alarm says, after [`Self::outcomes`].
    pub(crate) fn alarm(&self, alarm: AlarmIndex) -> Option<Outcome> {
        self.alarms.get(alarm.at())?.outcome
    }

    /// How current a signal is, after [`Self::ages`].
    pub(crate) fn current(&self, signal: SignalIndex) -> Option<(Freshness, bool)> {
        self.current.get(signal.at()).copied().flatten()
    }
}

impl Specs {
    fn of(model: &Model) -> Self {
        let rules = model.rules().iter();
        Self {
            signals: model.signals().iter().map(|signal| (Ages::of(signal), signal.source)).collect(),
            rules: rules.map(|rule| (rule.signal, by_age(&rule.kind))).collect(),
        }
    }
}

/// Looks up again what does not stand at `t`, or whose timeline has changed.
fn bring<'a>(all: &mut Vec<Standing>, changes: &[u32], t: Timestamp, timeline: impl Fn(usize) -> &'a Timeline) {
    all.resize(changes.len(), NOWHERE);
    for (at, (standing, changes)) in all.iter_mut().zip(changes).enumerate() {
        if standing.changes != *changes || !standing.within.contains(t) {
            let (outcome, within) = timeline(at).outcome_span(t);
            *standing = Standing { outcome, within, changes: *changes };
        }
    }
}

#[cfg(test)]
mod tests;
