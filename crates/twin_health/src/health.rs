//! A twin at an instant: status, freshness, score and the reasons, from rule outcomes and newest samples.
//!
//! A judgement counts only while its input is current. The rule of a signal that is stale, offline, never seen or without a
//! usable value says unknown, and what it said last is kept apart (decision 0015).

use twin_model::{Freshness, HealthRule, Limit, Model, RuleKind, Sample, Status, Timestamp, TwinIndex};

use crate::reason::{Reason, reason};
use crate::text::clock;
use crate::view::{RuleView, by_age, given, input};

/// Which status wins when several hold. NE 107 names no order beyond F and C; vendors differ on S and M.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// From best to worst; statuses left out rank below all others.
    pub order: Vec<Status>,
}

impl Default for Policy {
    /// [`Status::BY_RANK`]: F over C over S over M over unknown over normal.
    fn default() -> Self {
        Self { order: Status::BY_RANK.to_vec() }
    }
}

impl Policy {
    /// Position of a status, higher is worse.
    pub fn rank(&self, status: Status) -> usize {
        self.order.iter().position(|each| *each == status).map_or(0, |at| at + 1)
    }

    /// The worse of two.
    pub fn worse(&self, a: Status, b: Status) -> Status {
        if a != b && self.rank(b) > self.rank(a) { b } else { a }
    }
}

/// The last judgement of a twin that can't be judged now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastKnown {
    /// What it was.
    pub status: Status,
    /// Since when it had been that.
    pub since: Option<Timestamp>,
}

/// A twin at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinHealth {
    /// Worst status of its rules, unknown among them where one can't judge.
    pub status: Status,
    /// 1 far from every limit, 0 at the worst one; `None` without range rules that have a current number.
    pub score: Option<f64>,
    /// Since when it has that status.
    pub since: Option<Timestamp>,
    /// What its rules said before some of them fell silent, where that was worse or nothing else is known.
    pub last_known: Option<LastKnown>,
    /// Worst freshness among its signals that were ever seen; never seen where none was.
    pub freshness: Freshness,
    /// Every rule that is not normal, worst first, then by rule order.
    pub reasons: Vec<Reason>,
}

/// A twin without words: what a whole site is coloured, counted and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// As in [`TwinHealth`].
    pub status: Status,
    /// As in [`TwinHealth`].
    pub last_known: Option<Status>,
    /// As in [`TwinHealth`].
    pub freshness: Freshness,
}

/// Status and freshness of a twin, without words.
pub fn judge<V: RuleView + ?Sized>(model: &Model, policy: &Policy, view: &V, twin: TwinIndex, t: Timestamp) -> Judged {
    let it = model.twin(twin);
    let (freshness, trusted) = twin_freshness(model, view, twin, t);
    let (mut status, mut last, mut silent) = (None, Status::Unknown, false);
    for &index in &it.rules {
        let (given, outcome) = view.given(model, index, t);
        status = Some(status.map_or(given, |had| policy.worse(had, given)));
        if let Some(outcome) = outcome {
            silent |= given == Status::Unknown;
            let known = if given == Status::Unknown { outcome.last_status() } else { given };
            last = if last == Status::Unknown { known } else { policy.worse(last, known) };
        }
    }
    let Some(status) = status else {
        let status = without_rules(freshness, trusted);
        let last_known = (status == Status::Unknown && freshness != Freshness::NeverSeen).then_some(Status::Normal);
        return Judged { status, last_known, freshness };
    };
    let last_known = (silent && tells_more(policy, status, last)).then_some(last);
    Judged { status, last_known, freshness }
}

/// Whether a last judgement says something that the status does not.
fn tells_more(policy: &Policy, status: Status, last: Status) -> bool {
    last != Status::Unknown && (status == Status::Unknown || policy.rank(last) > policy.rank(status))
}

/// A twin that nothing judges is normal while all that was ever heard of it is current and of some use.
fn without_rules(freshness: Freshness, trusted: bool) -> Status {
    if freshness.is_current() && trusted { Status::Normal } else { Status::Unknown }
}

/// Everything about a twin at an instant.
pub fn explain(model: &Model, policy: &Policy, view: &dyn RuleView, twin: TwinIndex, t: Timestamp) -> TwinHealth {
    let it = model.twin(twin);
    let judged = judge(model, policy, view, twin, t);
    let mut since: Option<Timestamp> = None;
    let mut known: Option<Timestamp> = None;
    let mut score: Option<f64> = None;
    let mut reasons: Vec<(Reason, Option<Status>)> = Vec::new();
    for &index in &it.rules {
        let rule = model.rule(index);
        let input = input(model, view, rule.signal, t);
        let by_age = by_age(&rule.kind);
        let entry = if by_age.is_some() { None } else { view.rule(index) };
        let given = given(by_age, input.freshness, entry.as_ref().map(|entry| entry.outcome));
        let began = input.silent_since.or_else(|| entry.as_ref().map(|entry| entry.since));
        let last = if by_age.is_some() { None } else { view.last_known(index) };
        if given == judged.status {
            since = joined(given, since, began);
        }
        let held = if given == Status::Unknown { last } else { began.filter(|_| by_age.is_none()).map(|began| (given, began)) };
        if let Some((status, began)) = held.filter(|(status, _)| Some(*status) == judged.last_known) {
            known = joined(status, known, Some(began));
        }
        let latest = view.sample(rule.signal);
        let current = latest.as_ref().filter(|_| input.freshness.is_current());
        if let Some(margin) = current.and_then(|sample| margin(model, rule, sample)) {
            score = Some(score.map_or(margin, |score: f64| score.min(margin)));
        }
        if given != Status::Normal {
            let before = last.map(|(status, _)| status);
            let mut reason = reason(model, index, given, entry.as_ref(), latest.as_ref(), (input, before), t);
            if let Some(from) = view.derivation(rule.signal) {
                reason.text.push_str(&format!("; {from}"));
            }
            if let Some(ahead) = view.ahead(rule.signal) {
                reason.text.push_str(&format!("; {}", clock(ahead)));
            }
            // Several rules on one silent signal have one thing to say: what was worst.
            let said = reasons.iter().position(|(each, _)| each.signal == reason.signal && each.status == given);
            match said.filter(|_| given == Status::Unknown) {
                Some(at) if reasons[at].1 < before => reasons[at] = (reason, before),
                Some(_) => {}
                None => reasons.push((reason, before)),
            }
        }
    }
    // What is known to be wrong comes first, then what was wrong before it fell silent.
    let rank = |(reason, before): &(Reason, Option<Status>)| (policy.rank(reason.status), *before);
    reasons.sort_by(|a, b| rank(b).cmp(&rank(a)).then(a.0.rule.cmp(&b.0.rule)));
    let reasons = reasons.into_iter().map(|(reason, _)| reason).collect();
    let last_known = judged.last_known.map(|status| LastKnown { status, since: known });
    TwinHealth { status: judged.status, score, since, last_known, freshness: judged.freshness, reasons }
}

/// In trouble since the first rule said so; well only since the last one stopped.
fn joined(status: Status, a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    let both = a.into_iter().chain(b);
    if status == Status::Normal { both.max() } else { both.min() }
}

/// Worst among the signals ever seen, so that one silent sensor shows; signals never seen count only where all are. And
/// whether none of those seen is bad.
fn twin_freshness<V: RuleView + ?Sized>(model: &Model, view: &V, twin: TwinIndex, t: Timestamp) -> (Freshness, bool) {
    let mut worst: Option<Freshness> = None;
    let mut trusted = true;
    for &signal in &model.twin(twin).signals {
        let Some((one, usable)) = view.current(model, signal, t) else { continue };
        trusted &= usable;
        worst = Some(worst.map_or(one, |worst| worst.max(one)));
    }
    (worst.unwrap_or(Freshness::NeverSeen), trusted)
}

/// How much room is left: for each side of a range rule `(limit − value) / (limit − reference)`, clamped to 0..1.
///
/// `limit` is that of the worst band on the side, `reference` the far end of the instrument's range on the other side, or
/// zero. Our own measure, linear on purpose; it ranks parts of a kind and is not a probability.
fn margin(model: &Model, rule: &HealthRule, sample: &Sample) -> Option<f64> {
    let RuleKind::Range { bands, .. } = &rule.kind else { return None };
    let value = sample.usable_number().filter(|value| value.is_finite())?;
    let range = model.signal(rule.signal).range;
    let worst = bands.iter().map(|band| band.status).max()?;
    bands
        .iter()
        .filter(|band| band.status == worst)
        .filter_map(|band| {
            let (room, whole) = match band.limit {
                Limit::Above(limit) => (limit - value, limit - range.map_or(0.0, |(low, _)| low)),
                Limit::Below(limit) => (value - limit, range.map_or(0.0, |(_, high)| high) - limit),
            };
            (whole > 0.0).then(|| (room / whole).clamp(0.0, 1.0))
        })
        .reduce(f64::min)
}

#[cfg(test)]
mod tests;
