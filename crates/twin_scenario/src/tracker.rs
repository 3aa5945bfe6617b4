//! What is kept of a run for comparing it: first crossings and sums, in bounded memory. Keeps no samples.

use twin_model::{AlarmCondition, AlarmIndex, Limit, Model, RuleIndex, RuleKind, SignalIndex, Status, Timestamp};

use crate::plan::target_signal;

/// Who wants to know when a limit is passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Watcher {
    /// A band of a range rule, and the status that it gives.
    Rule(RuleIndex, Status),
    /// A limit alarm.
    Alarm(AlarmIndex),
}

/// A limit and the first instant at which it is passed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Threshold {
    pub(crate) watcher: Watcher,
    pub(crate) signal: SignalIndex,
    pub(crate) limit: Limit,
    pub(crate) crossed: Option<Timestamp>,
}

/// What a signal did over a run, in its own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Value at the fork.
    pub first: f64,
    /// Newest value.
    pub last: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sum of all increases; what a counter counted, its resets ignored.
    pub increase: f64,
    /// Time integral in unit-seconds, each value held until the next.
    pub integral: f64,
    /// Time of the newest value.
    pub until: Timestamp,
}

impl Summary {
    const fn new(t: Timestamp, value: f64) -> Self {
        Self { first: value, last: value, min: value, max: value, increase: 0.0, integral: 0.0, until: t }
    }

    fn push(&mut self, t: Timestamp, value: f64) {
        self.integral += self.last * t.since(self.until).as_secs_f64();
        if value > self.last {
            self.increase += value - self.last;
        }
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        (self.last, self.until) = (value, t);
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Watched {
    signal: SignalIndex,
    summary: Option<Summary>,
    /// Positions in `Tracker::thresholds`.
    thresholds: Vec<usize>,
}

/// Collects what [`compare`](crate::compare) needs from the samples of one run. Its size depends on the model only.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracker {
    /// By signal.
    watched: Vec<Watched>,
    /// Bands by rule and in the order of the file, then alarms.
    thresholds: Vec<Threshold>,
}

impl Tracker {
    /// Watches all signals that a run of this model may hand out, those with a model and those that a knob targets; and the computed
    /// ones, which whoever keeps the samples derives.
    pub fn new(model: &Model) -> Self {
        let mut signals: Vec<SignalIndex> = model.processes().iter().map(|process| process.signal).collect();
        signals.extend(model.knobs().iter().flat_map(|knob| &knob.targets).map(target_signal));
        signals.extend(model.computed().iter().map(|computed| computed.signal));
        signals.sort_unstable();
        signals.dedup();
        let thresholds: Vec<Threshold> =
            all_thresholds(model).into_iter().filter(|t| signals.binary_search(&t.signal).is_ok()).collect();
        let at = |signal| thresholds.iter().enumerate().filter(move |(_, t)| t.signal == signal).map(|(at, _)| at).collect();
        let watched = signals.iter().map(|&signal| Watched { signal, summary: None, thresholds: at(signal) }).collect();
        Self { watched, thresholds }
    }

    /// Takes a sample of a run, in the order in which [`Run::drain`](crate::Run::drain) gives them. Signals that are not
    /// watched, samples out of order and values that are not finite are ignored.
    pub fn push(&mut self, signal: SignalIndex, t: Timestamp, value: f64) {
        let Ok(at) = self.watched.binary_search_by_key(&signal, |w| w.signal) else { return };
        let Some(watched) = self.watched.get_mut(at) else { return };
        if !value.is_finite() || watched.summary.is_some_and(|summary| t < summary.until) {
            return;
        }
        match &mut watched.summary {
            Some(summary) => summary.push(t, value),
            none => *none = Some(Summary::new(t, value)),
        }
        for at in &watched.thresholds {
            if let Some(threshold) = self.thresholds.get_mut(*at)
                && threshold.crossed.is_none()
                && passes(threshold.limit, value)
            {
                threshold.crossed = Some(t);
            }
        }
    }

    /// What a signal did so far; none where no sample of it came.
    pub fn summary(&self, signal: SignalIndex) -> Option<Summary> {
        let at = self.watched.binary_search_by_key(&signal, |w| w.signal).ok()?;
        self.watched.get(at)?.summary
    }

    pub(crate) fn thresholds(&self) -> &[Threshold] {
        &self.thresholds
    }

    pub(crate) fn summaries(&self) -> impl Iterator<Item = (SignalIndex, Summary)> + '_ {
        self.watched.iter().filter_map(|watched| Some((watched.signal, watched.summary?)))
    }
}

fn passes(limit: Limit, value: f64) -> bool {
    match limit {
        Limit::Above(limit) => value > limit,
        Limit::Below(limit) => value < limit,
    }
}

/// All bands with a status worse than normal, by rule; then all limit alarms.
fn all_thresholds(model: &Model) -> Vec<Threshold> {
    let mut all = Vec::new();
    for (at, rule) in model.rules().iter().enumerate() {
        let RuleKind::Range { bands, .. } = &rule.kind else { continue };
        for band in bands.iter().filter(|band| band.status > Status::Normal) {
            let watcher = Watcher::Rule(RuleIndex::from_at(at), band.status);
            all.push(Threshold { watcher, signal: rule.signal, limit: band.limit, crossed: None });
        }
    }
    for (at, alarm) in model.alarms().iter().enumerate() {
        let AlarmCondition::Limit { limit, .. } = alarm.condition else { continue };
        all.push(Threshold { watcher: Watcher::Alarm(AlarmIndex::from_at(at)), signal: alarm.signal, limit, crossed: None });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_increases_past_resets_and_integrates_held_values() {
        let at = Timestamp::from_secs;
        let mut summary = Summary::new(at(0), 10.0);
        for (t, value) in [(1, 12.0), (2, 0.0), (4, 3.0)] {
            summary.push(at(t), value);
        }
        let expected =
            Summary { first: 10.0, last: 3.0, min: 0.0, max: 12.0, increase: 5.0, integral: 10.0 + 12.0, until: at(4) };
        assert_eq!(summary, expected);
    }
}
