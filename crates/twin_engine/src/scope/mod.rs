//! What samples, rules and alarms say at an instant, in reality or in a branch.

mod derivation;

use std::borrow::Cow;

use twin_health::{Entry, Outcome, RuleView, Told};
use twin_model::{AlarmIndex, AlarmState, Model, RuleIndex, Sample, SignalIndex, Span, Status, Timestamp};

use crate::acknowledged;
use crate::computed::{Held, Kind};
use crate::record::Record;
use crate::sources::SourceLinks;

pub use derivation::{DerivationReport, InputReport};

/// Where a frame's samples and outcomes come from.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) model: &'a Model,
    pub(crate) reality: &'a Record,
    /// A branch and the instant at which it left reality.
    pub(crate) branch: Option<(&'a Record, Timestamp)>,
    pub(crate) links: &'a SourceLinks,
    pub(crate) t: Timestamp,
    /// By when a sample has to have been received to count; `None` where that does not matter, as in every branch.
    pub(crate) known: Option<Timestamp>,
}

impl<'a> Scope<'a> {
    /// The branch, where the instant lies beyond its fork.
    pub(crate) fn beyond_fork(&self) -> Option<(&'a Record, Timestamp)> {
        self.branch.filter(|(_, fork)| self.t > *fork)
    }

    /// The record whose rules and alarms speak at the instant.
    pub(crate) fn speaking(&self) -> &'a Record {
        self.beyond_fork().map_or(self.reality, |(record, _)| record)
    }

    fn told(&self, rule: RuleIndex) -> Told<'a> {
        self.speaking().told_rule(self.model, rule, (self.t, self.known))
    }

    /// Where an alarm stands at the instant, with what was acknowledged in reality (before the fork), and since when.
    pub(crate) fn alarm(&self, alarm: AlarmIndex) -> Option<(AlarmState, Timestamp)> {
        let upto = self.beyond_fork().map_or(self.t, |(_, fork)| fork);
        let told = self.speaking().told_alarm(self.model, alarm, (self.t, self.known));
        acknowledged::standing(self.model, &told, self.reality.store(), alarm, (self.t, upto, self.known))
    }

    /// What holds at the instant: measured, never predicted, by then, or what follows from that. Beyond a fork, what the branch does
    /// not compute is held as it was there.
    pub(crate) fn sample(&self, signal: SignalIndex) -> Option<Sample> {
        match self.reality.computed().kind(signal) {
            Kind::Nothing => None,
            Kind::Computed(place) => self.held(place).sample,
            Kind::Measured => self.measured(signal),
        }
    }

    /// What the computed signal at a place says at the instant, with its reasons.
    pub(crate) fn held(&self, place: usize) -> Held {
        self.reality.computed().held(place, &mut |signal| self.measured(signal))
    }

    /// What the value of a computed signal follows from; `None` of a measured one.
    pub(crate) fn derived_from(&self, signal: SignalIndex) -> Option<DerivationReport> {
        derivation::report(self, signal)
    }

    fn measured(&self, signal: SignalIndex) -> Option<Sample> {
        let Some((branch, fork)) = self.beyond_fork() else {
            return self.reality.inputs(self.known).latest(signal, self.t);
        };
        let computed = branch.store().latest_at(signal, self.t).map(|mut sample| {
            // A computed value stands until the next step; it does not age in between.
            sample.source_time = self.t;
            sample
        });
        computed.or_else(|| held(self.reality.inputs(None).latest(signal, fork)?, fork, self.t))
    }
}

/// A sample of the fork as it stands at `t`: its age does not grow, since nothing is being measured in a branch.
fn held(mut sample: Sample, fork: Timestamp, t: Timestamp) -> Option<Sample> {
    sample.source_time = sample.source_time + t.since(fork);
    Some(sample)
}

impl RuleView for Scope<'_> {
    fn rule(&self, rule: RuleIndex) -> Option<Entry> {
        self.told(rule).at(self.t)
    }

    fn sample(&self, signal: SignalIndex) -> Option<Sample> {
        Scope::sample(self, signal)
    }

    fn outcome(&self, rule: RuleIndex) -> Option<Outcome> {
        self.told(rule).outcome_at(self.t)
    }

    fn last_known(&self, rule: RuleIndex) -> Option<(Status, Timestamp)> {
        self.told(rule).last_known(self.t)
    }

    fn needed(&self, signal: SignalIndex) -> Option<Cow<'_, [SignalIndex]>> {
        match self.reality.computed().kind(signal) {
            Kind::Computed(place) => Some(Cow::Owned(self.held(place).needed)),
            Kind::Nothing => Some(Cow::Borrowed(&[])),
            Kind::Measured => None,
        }
    }

    fn derivation(&self, signal: SignalIndex) -> Option<String> {
        derivation::words(self, signal)
    }

    fn source_offline(&self, signal: SignalIndex) -> Option<Timestamp> {
        let t = match self.beyond_fork() {
            // What a branch computes needs no source.
            Some((branch, _)) if branch.store().latest_at(signal, self.t).is_some() => return None,
            Some((_, fork)) => fork,
            None => self.t,
        };
        let (since, up) = self.links.state(self.model.signal(signal).source?, t)?;
        (!up).then_some(since)
    }

    fn ahead(&self, signal: SignalIndex) -> Option<Span> {
        // Beyond a fork nothing is measured.
        let reality = self.beyond_fork().is_none().then_some(self.reality)?;
        reality.store().ahead_at(signal, self.t).as_ref().and_then(twin_health::clock_ahead)
    }

    fn slack(&self) -> Span {
        // Beyond a fork nothing ages.
        if self.beyond_fork().is_some() { Span::ZERO } else { self.reality.allowance_at(self.t) }
    }
}
