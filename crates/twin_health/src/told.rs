//! What a machine says at an instant: as it was, from its timeline, or as it was known, without what had not been received.

use std::borrow::Cow;
use std::ops::ControlFlow;

use twin_model::{Sample, Span, Status, Timestamp};

use crate::machine::{Machine, Outcome, State};
use crate::timeline::{Checkpoint, Entry, Timeline};

/// Samples that are looked at backwards for one that settles the state; beyond it folding begins at a checkpoint.
const LOOK_BACK: usize = if cfg!(test) { 4 } else { 256 };
/// Samples folded before it is looked whether the timeline is right again: at first, and at most.
const WAITS: (usize, usize) = if cfg!(test) { (1, 4) } else { (16, 256) };
const MICROSECOND: Span = Span::from_micros(1);

/// The samples of a machine's signal.
pub trait History {
    /// The newest sample strictly before an instant, known or not.
    fn before(&self, t: Timestamp) -> Option<Sample>;
    /// The oldest sample strictly after one instant, up to and with another, that is not known: its source time.
    fn unknown(&self, after: Timestamp, upto: Timestamp) -> Option<Timestamp>;
    /// The known samples strictly after one instant, up to and with another, in order of source time.
    fn known(&self, after: Timestamp, upto: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>);
    /// Whether the known sample of an instant is the one that the timeline folded. One of a signal that follows from others is another
    /// while a sample of these is still to come.
    fn shared(&self, _: Timestamp) -> bool {
        true
    }
}

/// What a machine said: the part of its timeline that is shared with other answers, and what follows.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    early: &'a [Entry],
    late: Cow<'a, Timeline>,
}

impl<'a> Told<'a> {
    /// As it was: by source time, with everything that is known by now.
    pub const fn was(timeline: &'a Timeline) -> Self {
        Self { early: &[], late: Cow::Borrowed(timeline) }
    }

    /// As it was known at `t`, where the sample of `unknown` is the oldest at or before `t` that had not been received.
    ///
    /// Up to there the timeline is right. Its state there is found at the newest sample before that settles it, which is
    /// mostly the first one looked at, else folded from the last checkpoint; then the known samples are folded.
    pub fn known(timeline: &'a Timeline, machine: Machine<'_>, history: &dyn History, unknown: Timestamp, t: Timestamp) -> Self {
        let just_before = unknown - MICROSECOND;
        let (mut early, start) = resume(timeline, machine, history, unknown);
        let from = start.as_ref().map_or(Timestamp::MIN, |start| start.t);
        let mut late = Timeline::going_on(start);
        let fold = |late: &mut Timeline, after: Timestamp, upto: Timestamp| {
            history.known(after, upto, &mut |sample| {
                late.push(machine, sample);
                ControlFlow::Continue(())
            });
        };
        fold(&mut late, from, just_before);
        // Where samples are not at hand any more, what was said then counts.
        let same = |it: &Entry, said: &Entry| it.since == said.since && it.outcome.code == said.outcome.code;
        if let Some(said) = timeline.at(just_before)
            && !(Told { early, late: Cow::Borrowed(&late) }).at(just_before).is_some_and(|it| same(&it, &said))
        {
            early = upto(timeline, just_before);
            late = Timeline::going_on(Some(Checkpoint { t: just_before, state: State::settled(&said) }));
        }
        let mut from = just_before.max(from);
        // Where both go on alike, what follows is right again in the timeline, up to the next sample that was still to come.
        let mut wait = WAITS.0;
        while let Some(alike) = fold_until_alike(&mut late, timeline, machine, history, (from, t), wait) {
            wait = (wait * 2).min(WAITS.1);
            let next = history.unknown(alike, t).unwrap_or(t + MICROSECOND);
            from = go_along(&mut late, timeline, machine, history, (alike, next));
            if next > t {
                fold(&mut late, from, t);
                break;
            }
        }
        Self { early, late: Cow::Owned(late) }
    }

    /// The state at `t`; `None` before the first sample.
    pub fn at(&self, t: Timestamp) -> Option<Entry> {
        self.late.at(t).or_else(|| newest(self.early, t).cloned())
    }

    /// The outcome at `t`, without its cause.
    pub fn outcome_at(&self, t: Timestamp) -> Option<Outcome> {
        match &self.late {
            Cow::Borrowed(timeline) => timeline.outcome_at(t),
            // What is folded on begins with a state that need not be among its entries.
            Cow::Owned(_) => self.at(t).map(|entry| entry.outcome),
        }
    }

    /// The last judgement at or before `t`, also where the newest sample had nothing to judge: its status and since when.
    pub fn last_known(&self, t: Timestamp) -> Option<(Status, Timestamp)> {
        if let Cow::Borrowed(timeline) = &self.late {
            return timeline.last_known(t);
        }
        let now = self.at(t)?;
        let status = now.outcome.last_status();
        if status == Status::Unknown || now.outcome.status() == status {
            return (status != Status::Unknown).then_some((status, now.since));
        }
        let all = self.early.iter().chain(&self.late.entries);
        let known = all.rev().find(|entry| entry.since <= t && entry.outcome.status() == status);
        known.map(|entry| (status, entry.since))
    }

    /// What was said before an outcome that began at `since`.
    pub fn before(&self, since: Timestamp) -> Option<&Entry> {
        self.late.before(since).or_else(|| newest(self.early, since - MICROSECOND))
    }
}

/// Folds the known samples of a stretch, open at its start; stops where the state is the timeline's again, as far as what follows
/// depends on it, and returns when. Looks for that once `wait` samples are folded: looking costs about as much as folding some.
fn fold_until_alike(
    late: &mut Timeline,
    timeline: &Timeline,
    machine: Machine<'_>,
    history: &dyn History,
    (from, to): (Timestamp, Timestamp),
    wait: usize,
) -> Option<Timestamp> {
    let (mut alike, mut folded) = (None, 0);
    history.known(from, to, &mut |sample| {
        late.push(machine, sample);
        folded += 1;
        let said = (folded >= wait).then(|| newest(&timeline.entries, sample.source_time)).flatten();
        let settled = said.and_then(|said| machine.settled_by(said.outcome, sample));
        let same = settled.is_some_and(|outcome| late.tail.as_ref().is_some_and(|tail| tail.state.is_settled_at(outcome)))
            && history.shared(sample.source_time);
        if same {
            alike = Some(sample.source_time);
        }
        if same { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    alike
}

/// Takes over what the timeline says from an instant at which both go on alike up to `next`, before which nothing was still to
/// come; returns from where to fold on.
fn go_along(
    late: &mut Timeline,
    timeline: &Timeline,
    machine: Machine<'_>,
    history: &dyn History,
    (alike, next): (Timestamp, Timestamp),
) -> Timestamp {
    let (said, resumed) = resume(timeline, machine, history, next);
    let Some(mut resumed) = resumed.filter(|resumed| resumed.t > alike) else { return alike };
    let news = said.get(said.partition_point(|entry| entry.since <= alike)..).unwrap_or_default();
    late.entries.extend(news.iter().cloned());
    if let Some(tail) = late.tail.take().filter(|_| news.is_empty()) {
        // The outcome goes on since when it was known, which may be another instant than since when it was.
        resumed.state.since = tail.state.since;
        resumed.state.cause = tail.state.cause;
    }
    let from = resumed.t;
    late.tail = Some(resumed);
    from
}

/// What a timeline had said by `t`.
pub(crate) fn upto(timeline: &Timeline, t: Timestamp) -> &[Entry] {
    timeline.entries.get(..timeline.entries.partition_point(|entry| entry.since <= t)).unwrap_or_default()
}

pub(crate) fn newest(entries: &[Entry], t: Timestamp) -> Option<&Entry> {
    entries.get(entries.partition_point(|entry| entry.since <= t).checked_sub(1)?)
}

/// The state from which to fold on: that after all samples up to its time, at or before `unknown`; and what was said until then.
pub(crate) fn resume<'a>(
    timeline: &'a Timeline,
    machine: Machine<'_>,
    history: &dyn History,
    unknown: Timestamp,
) -> (&'a [Entry], Option<Checkpoint>) {
    // A sample that nobody judges, such as a prediction, may be the oldest that was still to come.
    if let Some(tail) = timeline.tail.as_ref().filter(|tail| tail.t < unknown) {
        return (upto(timeline, tail.t), Some(tail.clone()));
    }
    let before = upto(timeline, unknown - MICROSECOND);
    // The newest after which nothing else was still waiting for its delay.
    let certain = before.iter().rev().take(LOOK_BACK).position(|entry| machine.begins_settled(entry));
    if let Some(entry) = before.last() {
        let mut t = unknown;
        for _ in 0..LOOK_BACK {
            let Some(sample) = history.before(t).filter(|sample| sample.source_time >= entry.since) else {
                // No sample since it began: where that is certain, so is all until now.
                if certain == Some(0) {
                    return (before, Some(begun(entry)));
                }
                break;
            };
            if let Some(outcome) = machine.settled_by(entry.outcome, &sample) {
                let state = State::settled(entry).with(outcome);
                return (before, Some(Checkpoint { t: sample.source_time, state }));
            }
            t = sample.source_time;
        }
    }
    // Folding records anew what began after the checkpoint, and after the entry.
    let early = certain.and_then(|back| before.get(..before.len() - back)).unwrap_or_default();
    let begun = early.last().map(begun);
    let checkpoint = timeline.checkpoints.iter().rfind(|checkpoint| checkpoint.t < unknown);
    match checkpoint.filter(|checkpoint| begun.as_ref().is_none_or(|begun| checkpoint.t > begun.t)) {
        Some(checkpoint) => (upto(timeline, checkpoint.t), Some(checkpoint.clone())),
        None => (early, begun),
    }
}

/// The state just before an entry's own samples.
fn begun(entry: &Entry) -> Checkpoint {
    Checkpoint { t: entry.since - MICROSECOND, state: State::settled(entry) }
}

#[cfg(test)]
mod tests;
