//! How the caller answers for rules and samples at an instant, and what follows for one rule and one signal.

use std::borrow::Cow;

use twin_model::{Freshness, Model, Quality, RuleIndex, RuleKind, Sample, SignalIndex, Span, Status, Timestamp};

use crate::freshness::freshness_of_parts;
use crate::machine::Outcome;
use crate::timeline::Entry;

/// How the caller answers for rules and samples at the instant in question.
pub trait RuleView {
    /// What a rule says, if it has seen a sample.
    fn rule(&self, rule: RuleIndex) -> Option<Entry>;
    /// The same without its cause: what a whole site is coloured by.
    fn outcome(&self, rule: RuleIndex) -> Option<Outcome> {
        self.rule(rule).map(|entry| entry.outcome)
    }
    /// The last judgement of a rule and since when it had held.
    fn last_known(&self, rule: RuleIndex) -> Option<(Status, Timestamp)>;
    /// The newest sample of a signal at or before the instant.
    fn sample(&self, signal: SignalIndex) -> Option<Sample>;
    /// When the newest sample of a signal was taken, and how far it can be used ([`Sample::judged_quality`]).
    fn taken(&self, signal: SignalIndex) -> Option<(Timestamp, Quality)> {
        self.sample(signal).map(|sample| (sample.source_time, sample.judged_quality()))
    }
    /// What a rule gives at `t`, the instant, and what its timeline says, which a rule on age has none of.
    fn given(&self, model: &Model, rule: RuleIndex, t: Timestamp) -> (Status, Option<Outcome>) {
        given_in(self, model, rule, t)
    }
    /// How current a signal is at `t`, the instant, and whether its sample is of any use (its quality is not bad); `None` where it was
    /// never seen and its source is not known to be down. A computed one is as current as the worst of what its value is needed for,
    /// each by its own limits.
    fn current(&self, model: &Model, signal: SignalIndex, t: Timestamp) -> Option<(Freshness, bool)> {
        let down = self.source_offline(signal).is_some();
        match self.taken(signal) {
            Some((at, quality)) => {
                let own = freshness_of_parts(model.signal(signal), at, quality, t - self.slack(), down);
                let of = |it: &SignalIndex| self.current(model, *it, t).map_or(Freshness::NeverSeen, |(freshness, _)| freshness);
                let needed = self.needed(signal).unwrap_or_default();
                Some((needed.iter().map(of).fold(own, Freshness::max), !quality.is_bad()))
            }
            None => down.then_some((Freshness::Offline, true)),
        }
    }
    /// Since when the source of a signal is known to be down at the instant.
    fn source_offline(&self, signal: SignalIndex) -> Option<Timestamp>;
    /// By how much the clock of the signal's source runs ahead, where a reading of it lies ahead of the instant.
    fn ahead(&self, _: SignalIndex) -> Option<Span> {
        None
    }
    /// Of a computed signal the measured ones that its value at the instant was needed for; `None` of a measured signal.
    fn needed(&self, _: SignalIndex) -> Option<Cow<'_, [SignalIndex]>> {
        None
    }
    /// Of a computed signal what its value follows from, in words; `None` of a measured signal.
    fn derivation(&self, _: SignalIndex) -> Option<String> {
        None
    }
    /// How old a value may look only because an extract of the samples is at hand instead of all: not counted as age.
    fn slack(&self) -> Span {
        Span::ZERO
    }
}

/// What a rule has to go by at the instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input {
    /// How current its signal is.
    pub(crate) freshness: Freshness,
    /// Since when it has not been current, where that can be said.
    pub(crate) silent_since: Option<Timestamp>,
}

pub(crate) fn input(model: &Model, view: &dyn RuleView, signal: SignalIndex, t: Timestamp) -> Input {
    let own = input_itself(model, view, signal, t);
    let Some(needed) = view.needed(signal) else { return own };
    // A computed signal is as current as the worst of what it is computed from, each by its own limits.
    needed.iter().map(|it| input_itself(model, view, *it, t)).fold(own, |worst, it| {
        let since = match worst.freshness.cmp(&it.freshness) {
            std::cmp::Ordering::Less => it.silent_since,
            std::cmp::Ordering::Greater => worst.silent_since,
            std::cmp::Ordering::Equal => worst.silent_since.into_iter().chain(it.silent_since).min(),
        };
        Input { freshness: worst.freshness.max(it.freshness), silent_since: since }
    })
}

/// The same by the signal's own samples and limits.
fn input_itself(model: &Model, view: &dyn RuleView, signal: SignalIndex, t: Timestamp) -> Input {
    let down = view.source_offline(signal);
    let Some((taken, quality)) = view.taken(signal) else {
        let freshness = if down.is_some() { Freshness::Offline } else { Freshness::NeverSeen };
        return Input { freshness, silent_since: down };
    };
    let spec = model.signal(signal);
    let freshness = freshness_of_parts(spec, taken, quality, t - view.slack(), down.is_some());
    let silent_since = match freshness {
        Freshness::Stale => spec.stale_limit().map(|limit| taken + limit),
        Freshness::Offline => down.or(Some(taken)),
        _ => None,
    };
    Input { freshness, silent_since }
}

/// What a rule gives in a view, asked for piece by piece: what [`RuleView::given`] is where nothing better is at hand.
pub fn given_in<V: RuleView + ?Sized>(view: &V, model: &Model, rule: RuleIndex, t: Timestamp) -> (Status, Option<Outcome>) {
    let it = model.rule(rule);
    let by_age = by_age(&it.kind);
    let freshness = view.current(model, it.signal, t).map_or(Freshness::NeverSeen, |(freshness, _)| freshness);
    let outcome = if by_age.is_some() { None } else { view.outcome(rule) };
    (given(by_age, freshness, outcome), outcome)
}

/// The status that a rule on age gives while stale; `None` for all others.
pub fn by_age(kind: &RuleKind) -> Option<Status> {
    if let RuleKind::Stale { status } = kind { Some(*status) } else { None }
}

/// What a rule gives: its outcome while its input is current, else unknown, or what a rule on age ([`by_age`]) says about that.
pub fn given(by_age: Option<Status>, freshness: Freshness, outcome: Option<Outcome>) -> Status {
    match (by_age, freshness) {
        (Some(_), Freshness::Live | Freshness::Late) => Status::Normal,
        (Some(status), Freshness::Stale | Freshness::Offline) => Status::Unknown.max(status),
        (None, Freshness::Live | Freshness::Late) => outcome.map_or(Status::Unknown, Outcome::status),
        _ => Status::Unknown,
    }
}

/// How current a signal is at `t`; of a computed one, no more than what its value is needed for.
pub fn signal_freshness(model: &Model, view: &dyn RuleView, signal: SignalIndex, t: Timestamp) -> Freshness {
    input(model, view, signal, t).freshness
}

/// What one rule gives at `t`.
pub fn rule_status(model: &Model, view: &dyn RuleView, rule: RuleIndex, t: Timestamp) -> Status {
    view.given(model, rule, t).0
}
