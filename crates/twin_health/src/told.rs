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
        let same = settled.is_some_and(|outcome| late.tail.as_ref().is_some_and(|tail| tail.state.is_settled_at(outcome)));
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
fn upto(timeline: &Timeline, t: Timestamp) -> &[Entry] {
    timeline.entries.get(..timeline.entries.partition_point(|entry| entry.since <= t)).unwrap_or_default()
}

fn newest(entries: &[Entry], t: Timestamp) -> Option<&Entry> {
    entries.get(entries.partition_point(|entry| entry.since <= t).checked_sub(1)?)
}

/// The state from which to fold on: that after all samples up to its time, at or before `unknown`; and what was said until then.
fn resume<'a>(
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
    let begun = before.last().map(|entry| Checkpoint { t: entry.since - MICROSECOND, state: State::settled(entry) });
    if let (Some(entry), Some(begun)) = (before.last(), &begun) {
        let mut t = unknown;
        for _ in 0..LOOK_BACK {
            let Some(sample) = history.before(t).filter(|sample| sample.source_time >= entry.since) else {
                return (before, Some(begun.clone()));
            };
            if let Some(outcome) = machine.settled_by(entry.outcome, &sample) {
                let state = State::settled(entry).with(outcome);
                return (before, Some(Checkpoint { t: sample.source_time, state }));
            }
            t = sample.source_time;
        }
    }
    // Folding records anew what began after the checkpoint.
    let checkpoint = timeline.checkpoints.iter().rfind(|checkpoint| checkpoint.t < unknown);
    match checkpoint.filter(|checkpoint| begun.as_ref().is_none_or(|begun| checkpoint.t > begun.t)) {
        Some(checkpoint) => (upto(timeline, checkpoint.t), Some(checkpoint.clone())),
        None => (before, begun),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twin_model::{AckPolicy, AlarmCondition, Band, Limit, Quality, RuleKind, Value};

    use super::*;
    use crate::machine::Cause;

    /// Samples in order of source time, and until when they had been received.
    struct Samples<'a>(&'a [Sample], Timestamp);

    impl History for Samples<'_> {
        fn before(&self, t: Timestamp) -> Option<Sample> {
            self.0.iter().rfind(|sample| sample.source_time < t).cloned()
        }

        fn unknown(&self, after: Timestamp, upto: Timestamp) -> Option<Timestamp> {
            let inside = self.0.iter().filter(|it| it.source_time > after && it.source_time <= upto);
            inside.clone().find(|it| it.received_time > self.1).map(|it| it.source_time)
        }

        fn known(&self, after: Timestamp, upto: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
            let inside =
                self.0.iter().filter(|it| it.source_time > after && it.source_time <= upto && it.received_time <= self.1);
            let _stopped_early = inside.clone().try_for_each(f);
        }
    }

    fn band(limit: Limit, status: Status) -> Band {
        Band { limit, status }
    }

    fn rules() -> Vec<RuleKind> {
        let range = |bands: Vec<Band>, deadband, on, off| RuleKind::Range {
            bands,
            deadband,
            on_delay: Span::from_secs(on),
            off_delay: Span::from_secs(off),
        };
        vec![
            range(vec![band(Limit::Above(5.0), Status::Maintenance), band(Limit::Above(8.0), Status::Failure)], 1.0, 30, 20),
            // Either side gives the same: which one was passed decides until when it is held.
            range(vec![band(Limit::Below(2.0), Status::Maintenance), band(Limit::Above(8.0), Status::Maintenance)], 3.0, 0, 5),
            range(vec![band(Limit::Above(6.0), Status::Normal), band(Limit::Above(3.0), Status::Failure)], 2.0, 7, 0),
            RuleKind::Match { cases: vec![(Value::Float(3.0), Status::Unknown)], otherwise: Status::Normal },
            RuleKind::Quality { uncertain: Status::Maintenance, bad: Status::Failure },
        ]
    }

    fn alarms() -> Vec<AlarmCondition> {
        let limit = |ack| AlarmCondition::Limit {
            limit: Limit::Above(5.0),
            deadband: 2.0,
            on_delay: Span::from_secs(12),
            off_delay: Span::from_secs(4),
            ack,
        };
        vec![limit(AckPolicy::Required), limit(AckPolicy::Auto)]
    }

    fn folded(machine: Machine<'_>, samples: impl Iterator<Item = Sample>) -> Timeline {
        let mut timeline = Timeline::default();
        for sample in samples {
            timeline.push(machine, &sample);
        }
        timeline
    }

    /// An entry, but for the bands passed: a timeline keeps those of its beginning, folding those of its end.
    fn said(entry: Option<&Entry>) -> Option<(Timestamp, u8, Status, Cause)> {
        entry.map(|it| (it.since, it.outcome.code, it.outcome.last_status(), it.cause.clone()))
    }

    proptest! {
        #[test]
        fn as_known_is_the_fold_of_what_had_been_received(
            readings in proptest::collection::vec((1_i64..9, 0_u8..10, 0_u8..12, 0_i64..400), 1..700),
            seed: u64,
        ) {
            let mut t = 0;
            let samples: Vec<Sample> = readings
                .iter()
                .map(|(step, value, odd, late)| {
                    t += step;
                    let sample = Sample::float(Timestamp::from_secs(t), f64::from(*value));
                    let quality = [Quality::BAD, Quality::UNCERTAIN, Quality::GOOD][usize::from(*odd).min(2)];
                    let late = if odd % 3 == 0 { *late } else { late % 2 };
                    Sample { quality, received_time: Timestamp::from_secs(t + late), ..sample }
                })
                .collect();
            let (rules, alarms) = (rules(), alarms());
            let machines = rules.iter().map(Machine::Rule).chain(alarms.iter().map(Machine::Alarm));
            for (nth, machine) in machines.enumerate() {
                let timeline = folded(machine, samples.iter().cloned());
                for step in 0..25_u64 {
                    let at = (seed >> 8).wrapping_mul(step + 1).wrapping_add(nth as u64) % (t as u64 * 1_000 + 5_000);
                    let at = Timestamp::from_millis(at as i64);
                    let known = samples.iter().filter(|it| it.source_time <= at && it.received_time <= at).cloned();
                    let slow = folded(machine, known);
                    let unknown = samples.iter().find(|it| it.source_time <= at && it.received_time > at);
                    let told = match unknown {
                        Some(unknown) => Told::known(&timeline, machine, &Samples(&samples, at), unknown.source_time, at),
                        None => Told::was(&timeline),
                    };
                    prop_assert_eq!(said(told.at(at).as_ref()), said(slow.at(at).as_ref()), "machine {} at {}", nth, at);
                    let codes = [told.outcome_at(at), slow.outcome_at(at)].map(|it| it.map(|it| (it.code, it.last_status())));
                    prop_assert_eq!(codes[0], codes[1], "machine {} at {}", nth, at);
                    prop_assert_eq!(told.last_known(at), slow.last_known(at), "machine {} at {}", nth, at);
                    let since = slow.at(at).map_or(at, |entry| entry.since);
                    prop_assert_eq!(said(told.before(since)), said(slow.before(since)), "machine {} at {}", nth, at);
                }
            }
        }
    }
}
