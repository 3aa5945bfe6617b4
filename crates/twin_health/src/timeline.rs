//! What a machine said when: its outcomes over time, kept right when samples come late.
//!
//! The state at any t is exactly what folding every sample with a source time up to t gives, with time advanced to t.

use std::ops::ControlFlow;

use twin_model::{Sample, Span, Status, TimeRange, Timestamp};

use crate::machine::{Cause, Machine, Outcome, State};

/// Samples between two new checkpoints. A late sample costs about this many steps, an old one about as many as it is old.
const CHECKPOINT_EVERY: u32 = if cfg!(test) { 16 } else { 512 };
/// Checkpoints kept per timeline, the further apart the older they are.
pub(crate) const CHECKPOINTS: usize = 8;
/// Entries kept per timeline; beyond that the oldest quarter is dropped and [`Timeline::known_from`] moves up.
pub(crate) const MAX_ENTRIES: usize = 65_536;

/// An outcome and when it began.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Since when.
    pub since: Timestamp,
    /// What.
    pub outcome: Outcome,
    /// The sample that brought it about.
    pub cause: Cause,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    /// Source time of the last sample folded.
    pub(crate) t: Timestamp,
    pub(crate) state: State,
}

/// Reads the samples with `source_time >= from` in order, until told to stop.
pub type Replay<'a> = dyn FnMut(Timestamp, &mut dyn FnMut(&Sample) -> ControlFlow<()>) + 'a;

/// Outcomes of one machine over time.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    pub(crate) entries: Vec<Entry>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    pub(crate) tail: Option<Checkpoint>,
    pub(crate) since_checkpoint: u32,
    pub(crate) known_from: Option<Timestamp>,
}

impl Timeline {
    /// One that goes on from a state and has recorded nothing.
    pub(crate) fn going_on(tail: Option<Checkpoint>) -> Self {
        Self { tail, ..Self::default() }
    }

    /// Source time of the newest sample folded.
    pub fn newest(&self) -> Option<Timestamp> {
        self.tail.as_ref().map(|tail| tail.t)
    }

    /// Before this, outcomes were dropped to stay within bounds.
    pub fn known_from(&self) -> Option<Timestamp> {
        self.known_from
    }

    /// Takes a sample that is not older than any before. Returns whether the recorded outcomes changed.
    ///
    /// A sample older than [`Self::newest`] must go through [`Self::refold`] instead and is refused here.
    pub fn push(&mut self, machine: Machine<'_>, sample: &Sample) -> bool {
        if self.newest().is_some_and(|newest| sample.source_time < newest) {
            return false;
        }
        self.fold(machine, sample, Timestamp::MIN)
    }

    /// Takes the next sample in; outcomes that began before `from` are known already and are not recorded again.
    fn fold(&mut self, machine: Machine<'_>, sample: &Sample, from: Timestamp) -> bool {
        let (state, adopted) = machine.step(self.tail.take().map(|tail| tail.state), sample);
        let mut changed = false;
        for state in adopted.into_iter().filter(|state| state.since >= from) {
            changed = true;
            self.record(state);
        }
        let tail = Checkpoint { t: sample.source_time, state };
        self.since_checkpoint += 1;
        if self.since_checkpoint >= CHECKPOINT_EVERY {
            self.since_checkpoint = 0;
            self.checkpoints.push(tail.clone());
            self.thin(CHECKPOINTS);
        }
        self.tail = Some(tail);
        changed
    }

    fn record(&mut self, state: State) {
        // Two outcomes at one instant: the later one counts.
        if self.entries.last().is_some_and(|last| last.since == state.since) {
            self.entries.pop();
        }
        self.entries.push(Entry { since: state.since, outcome: state.outcome, cause: state.cause });
        if self.entries.len() > MAX_ENTRIES {
            self.entries.drain(..MAX_ENTRIES / 4);
            self.known_from = self.entries.first().map(|entry| entry.since);
        }
    }

    /// Keeps at most so many checkpoints: of all but the newest and the oldest, those go first that stand closest for their age.
    pub(crate) fn thin(&mut self, most: usize) {
        while self.checkpoints.len() > most.max(2) {
            let newest = self.checkpoints.last().map_or(Timestamp::MIN, |last| last.t);
            let crowded = |three: &[Checkpoint]| {
                let room = three[2].t.since(three[0].t).as_micros() as f64;
                room / (newest.since(three[1].t).as_micros() as f64).max(1.0)
            };
            let all = self.checkpoints.windows(3).map(crowded).enumerate();
            let Some((at, _)) = all.min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
            self.checkpoints.remove(at + 1);
        }
    }

    /// Keeps the newest `entries` outcomes and at most `checkpoints` checkpoints, and gives the room back. What was said before
    /// is gone ([`Self::known_from`]).
    pub fn shrink(&mut self, entries: usize, checkpoints: usize) {
        if self.entries.len() > entries.max(2) {
            self.entries.drain(..self.entries.len() - entries.max(2));
            self.known_from = self.entries.first().map(|entry| entry.since);
        }
        self.thin(checkpoints);
        if checkpoints == 0 {
            self.checkpoints.clear();
        }
        self.entries.shrink_to_fit();
        self.checkpoints.shrink_to_fit();
    }

    /// Folds again after samples at or after `from` were added to the store, reading them with `replay`.
    ///
    /// Stops as soon as a checkpoint beyond `upto` (the newest sample added) is met in the same state as before. What was said
    /// before `from` stays, also where the samples that it came from are not at hand any more.
    pub fn refold(&mut self, machine: Machine<'_>, from: Timestamp, upto: Timestamp, replay: &mut Replay<'_>) {
        // A checkpoint at exactly `from` may have folded a sample that has been replaced: go before it.
        let keep = self.checkpoints.partition_point(|checkpoint| checkpoint.t < from);
        let old_checkpoints = self.checkpoints.split_off(keep);
        let start = self.checkpoints.last().cloned();
        let resume = start.as_ref().map_or(Timestamp::MIN, |checkpoint| checkpoint.t);
        let cut = self.entries.partition_point(|entry| entry.since < from);
        let old_entries = self.entries.split_off(cut);
        let old_tail = self.tail.take();
        let old_since = std::mem::take(&mut self.since_checkpoint);
        self.tail = start;

        let mut converged: Option<usize> = None;
        let mut next_old = 0;
        let mut reached = false;
        replay(resume, &mut |sample| {
            // The checkpoint's own samples are folded in already.
            if sample.source_time <= resume && resume != Timestamp::MIN {
                return ControlFlow::Continue(());
            }
            // Samples of one instant belong together: compare with an old checkpoint only once its instant is over.
            while let Some(old) = old_checkpoints.get(next_old).filter(|old| old.t < sample.source_time) {
                let same = self.tail.as_ref().is_some_and(|tail| tail.t == old.t && tail.state == old.state);
                if old.t > upto && same {
                    converged = Some(next_old);
                    return ControlFlow::Break(());
                }
                next_old += 1;
            }
            if !reached && sample.source_time >= from {
                reached = true;
                self.agree(from, true);
            }
            self.fold(machine, sample, from);
            ControlFlow::Continue(())
        });
        if !reached {
            self.agree(from, false);
        }
        if let Some(at) = converged {
            let met = old_checkpoints[at].t;
            self.entries.extend(old_entries.into_iter().filter(|entry| entry.since > met));
            // The part of the count that belongs to the last old checkpoint is still right.
            self.checkpoints.retain(|checkpoint| checkpoint.t < met);
            self.checkpoints.extend(old_checkpoints.into_iter().skip(at));
            self.tail = old_tail;
            self.since_checkpoint = old_since;
        }
    }

    /// Brings what was folded up to `t` and what is remembered of then together. A delay that ended without another sample is
    /// recorded now where a sample `follows`, and goes on pending where none does: one may still come before it ends. Where they
    /// differ otherwise, samples were missing, and what is remembered counts.
    fn agree(&mut self, t: Timestamp, follows: bool) {
        let just_before = t - Span::from_micros(1);
        let steps = self.tail.as_ref().map(|tail| tail.state.steps(just_before)).unwrap_or_default();
        let known = self.entries.last().map(|known| (known.outcome.code, known.since));
        let reached = match known {
            None => (!steps.is_empty()).then_some(0),
            Some((code, _)) => steps.iter().position(|state| state.outcome.code == code),
        };
        match (reached, known) {
            (Some(reached), _) if !follows || reached + 1 == steps.len() => {}
            (Some(reached), _) => {
                for state in steps.into_iter().skip(reached + 1) {
                    self.record(state.clone());
                    if let Some(tail) = &mut self.tail {
                        tail.state = state;
                    }
                }
            }
            (None, Some((_, since))) => {
                let t = self.tail.as_ref().map_or(since, |tail| tail.t.max(since));
                self.tail = self.entries.last().map(|known| Checkpoint { t, state: State::settled(known) });
            }
            (None, None) => {}
        }
    }

    /// The state at `t`; `None` before the first sample.
    pub fn at(&self, t: Timestamp) -> Option<Entry> {
        if let Some(tail) = self.tail.as_ref().filter(|tail| tail.t <= t) {
            let state = tail.state.at(t);
            return Some(Entry { since: state.since, outcome: state.outcome, cause: state.cause });
        }
        let after = self.entries.partition_point(|entry| entry.since <= t);
        after.checked_sub(1).map(|at| self.entries[at].clone())
    }

    /// The outcome at `t`, without its cause: what a whole site is coloured by.
    pub fn outcome_at(&self, t: Timestamp) -> Option<Outcome> {
        if let Some(tail) = self.tail.as_ref().filter(|tail| tail.t <= t)
            && tail.state.due().is_some_and(|due| due <= t)
        {
            return Some(tail.state.at(t).outcome);
        }
        let after = self.entries.partition_point(|entry| entry.since <= t);
        after.checked_sub(1).map(|at| self.entries[at].outcome)
    }

    /// The outcome at `t` as in [`Self::outcome_at`], and between which instants it stays that, the second not included, while
    /// no sample is added: who asks again within them need not.
    pub fn outcome_span(&self, t: Timestamp) -> (Option<Outcome>, TimeRange) {
        let matures = self.tail.as_ref().and_then(|tail| Some((tail, tail.state.due()?.max(tail.t))));
        if let Some((tail, at)) = matures
            && at <= t
        {
            let state = tail.state.at(t);
            let until = state.due().unwrap_or(Timestamp::MAX);
            return (Some(state.outcome), TimeRange::new(at.max(state.since), until));
        }
        let after = self.entries.partition_point(|entry| entry.since <= t);
        let now = after.checked_sub(1).map(|at| &self.entries[at]);
        let next = self.entries.get(after).map_or(Timestamp::MAX, |entry| entry.since);
        let until = matures.map_or(next, |(_, at)| at.min(next));
        (now.map(|now| now.outcome), TimeRange::new(now.map_or(Timestamp::MIN, |now| now.since), until))
    }

    /// The last judgement at or before `t`, also where the newest sample had nothing to judge: its status and since when.
    pub fn last_known(&self, t: Timestamp) -> Option<(Status, Timestamp)> {
        let now = self.at(t)?;
        let status = now.outcome.last_status();
        if status == Status::Unknown || now.outcome.status() == status {
            return (status != Status::Unknown).then_some((status, now.since));
        }
        let upto = self.entries.partition_point(|entry| entry.since <= t);
        let known = self.entries.iter().take(upto).rev().find(|entry| entry.outcome.status() == status);
        known.map(|entry| (status, entry.since))
    }

    /// What was said before an outcome that began at `since`.
    pub fn before(&self, since: Timestamp) -> Option<&Entry> {
        let upto = self.entries.partition_point(|entry| entry.since < since);
        upto.checked_sub(1).and_then(|at| self.entries.get(at))
    }

    /// Outcomes that began within a range, oldest first. A pending one that matures before `range.end` is not among them.
    pub fn within(&self, range: TimeRange) -> &[Entry] {
        let from = self.entries.partition_point(|entry| entry.since < range.start);
        let to = self.entries.partition_point(|entry| entry.since < range.end);
        self.entries.get(from..to.max(from)).unwrap_or_default()
    }

    /// When the first outcome after `t` began.
    pub fn next_after(&self, t: Timestamp) -> Option<Timestamp> {
        let at = self.entries.partition_point(|entry| entry.since <= t);
        self.entries.get(at).map(|entry| entry.since)
    }

    /// When the last outcome before `t` began.
    pub fn previous_before(&self, t: Timestamp) -> Option<Timestamp> {
        let at = self.entries.partition_point(|entry| entry.since < t);
        at.checked_sub(1).map(|at| self.entries[at].since)
    }

    /// The timeline as it was at `t`, to go on differently from there (a what-if branch).
    ///
    /// Delays pending at `t` are not carried over: the branch's own first samples start them anew. What was said before that,
    /// and the last judgement, are.
    #[must_use]
    pub fn forked(&self, t: Timestamp) -> Self {
        let Some(entry) = self.at(t) else { return Self::default() };
        let state = State::settled(&entry);
        let known = self.last_known(t).and_then(|(_, since)| self.before(since + twin_model::Span::from_micros(1)));
        let mut entries: Vec<Entry> = known.into_iter().chain(self.before(entry.since)).cloned().collect();
        entries.dedup_by_key(|entry| entry.since);
        entries.retain(|each| each.since < entry.since);
        entries.push(entry);
        Self { entries, checkpoints: Vec::new(), tail: Some(Checkpoint { t, state }), since_checkpoint: 0, known_from: None }
    }

    /// Bytes held, texts of causes not counted.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.entries.capacity() * size_of::<Entry>() + self.checkpoints.capacity() * size_of::<Checkpoint>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twin_model::{Band, Limit, RuleKind};

    use super::*;

    fn rule() -> RuleKind {
        RuleKind::Range {
            bands: vec![
                Band { limit: Limit::Above(5.0), status: Status::Maintenance },
                Band { limit: Limit::Above(8.0), status: Status::Failure },
            ],
            deadband: 1.0,
            on_delay: Span::from_secs(3),
            off_delay: Span::from_secs(2),
        }
    }

    /// The obvious twin: fold everything up to t.
    fn slow(kind: &RuleKind, samples: &[Sample], t: Timestamp) -> Option<(Timestamp, u8)> {
        let mut state = None;
        for sample in samples.iter().filter(|sample| sample.source_time <= t) {
            state = Some(Machine::Rule(kind).step(state, sample).0);
        }
        state.map(|state| state.at(t)).map(|state| (state.since, state.outcome.code))
    }

    fn replay<'a>(samples: &'a [Sample]) -> Box<Replay<'a>> {
        Box::new(move |from, f| {
            for sample in samples.iter().filter(|sample| sample.source_time >= from) {
                if f(sample).is_break() {
                    return;
                }
            }
        })
    }

    proptest! {
        #[test]
        fn a_timeline_equals_the_fold_at_every_instant(
            values in proptest::collection::vec((0_i64..3_000, 0_u8..11), 1..1_500),
            order in proptest::collection::vec(any::<u16>(), 1_500),
            batch in 1_usize..200,
        ) {
            let kind = rule();
            let machine = Machine::Rule(&kind);
            // Arrival order: mostly in time order, with some late ones.
            let mut arriving: Vec<(i64, i64, f64)> = values
                .iter()
                .enumerate()
                .map(|(at, (t, v))| (t + if order[at] % 7 == 0 { i64::from(order[at]) } else { 0 }, *t, f64::from(*v)))
                .collect();
            arriving.sort_by_key(|(arrival, t, _)| (*arrival, *t));
            let mut store: Vec<Sample> = Vec::new();
            let mut timeline = Timeline::default();
            for group in arriving.chunks(batch) {
                let mut late: Option<(Timestamp, Timestamp)> = None;
                for (_, t, v) in group {
                    let t = Timestamp::from_secs(*t);
                    let sample = Sample::float(t, *v);
                    let place = store.partition_point(|s| s.source_time < t);
                    if store.get(place).is_some_and(|s| s.source_time == t) {
                        store[place] = sample.clone();
                        late = Some(late.map_or((t, t), |(a, b)| (a.min(t), b.max(t))));
                    } else {
                        let at_end = place == store.len();
                        store.insert(place, sample.clone());
                        if at_end && late.is_none() {
                            timeline.push(machine, &sample);
                        } else {
                            late = Some(late.map_or((t, t), |(a, b)| (a.min(t), b.max(t))));
                        }
                    }
                }
                if let Some((from, upto)) = late {
                    timeline.refold(machine, from, upto, &mut *replay(&store));
                }
            }
            for t in (0..3_010).step_by(3) {
                let t = Timestamp::from_secs(t);
                let expected = slow(&kind, &store, t);
                let got = timeline.at(t).map(|entry| (entry.since, entry.outcome.code));
                prop_assert_eq!(got, expected, "at {}", t);
                prop_assert_eq!(timeline.outcome_at(t).map(|outcome| outcome.code), expected.map(|(_, code)| code));
            }
        }
    }

    #[test]
    fn checkpoints_stay_few_and_the_older_the_further_apart() {
        let kind = rule();
        let mut timeline = Timeline::default();
        for t in 0..100_000 {
            timeline.push(Machine::Rule(&kind), &Sample::float(Timestamp::from_secs(t), 1.0));
        }
        let ages: Vec<i64> = timeline.checkpoints.iter().map(|each| 100_000 - each.t.as_micros() / 1_000_000).collect();
        assert_eq!(ages.len(), CHECKPOINTS);
        assert!(ages.windows(2).all(|pair| pair[0] > pair[1]) && ages[CHECKPOINTS - 1] <= 16, "{ages:?}");
        assert!(ages[CHECKPOINTS / 2] < 30_000, "half of them lie in the last third: {ages:?}");
    }

    #[test]
    fn what_was_said_of_samples_that_are_gone_stays_when_later_ones_come_late() {
        let kind = rule();
        let all: Vec<Sample> =
            (0..400).map(|t| Sample::float(Timestamp::from_secs(t), if (100..140).contains(&t) { 9.0 } else { 1.0 })).collect();
        let mut timeline = Timeline::default();
        for sample in &all {
            timeline.push(Machine::Rule(&kind), sample);
        }
        let said = timeline.within(TimeRange::new(Timestamp::MIN, Timestamp::from_secs(300))).to_vec();
        let left = &all[250..];
        let from = Timestamp::from_secs(300);
        timeline.refold(Machine::Rule(&kind), from, from, &mut *replay(left));
        assert_eq!(timeline.within(TimeRange::new(Timestamp::MIN, from)), said);
        assert_eq!(timeline.at(Timestamp::from_secs(399)).map(|entry| entry.outcome.status()), Some(Status::Normal));
        let left = &all[390..];
        let from = Timestamp::from_secs(120);
        timeline.refold(Machine::Rule(&kind), from, from, &mut *replay(left));
        assert_eq!(timeline.outcome_at(Timestamp::from_secs(119)).map(Outcome::status), Some(Status::Failure));
    }

    #[test]
    fn a_delay_goes_on_pending_where_nothing_was_added_to_its_signal() {
        let kind = rule();
        let mut timeline = Timeline::default();
        let first = Sample::float(Timestamp::from_secs(10), 6.0);
        timeline.push(Machine::Rule(&kind), &first);
        // A chunk of other signals, of a time after the delay's end.
        let after = Timestamp::from_secs(20);
        timeline.refold(Machine::Rule(&kind), after, after, &mut *replay(std::slice::from_ref(&first)));
        let status = |timeline: &Timeline, s| timeline.at(Timestamp::from_secs(s)).map(|entry| entry.outcome.status());
        assert_eq!((status(&timeline, 12), status(&timeline, 13)), (Some(Status::Normal), Some(Status::Maintenance)));
        // What comes between ends it.
        timeline.push(Machine::Rule(&kind), &Sample::float(Timestamp::from_secs(11), 1.0));
        assert_eq!(status(&timeline, 14), Some(Status::Normal));
    }

    #[test]
    fn shrinking_drops_the_oldest_and_says_so() {
        let kind = rule();
        let mut timeline = Timeline::default();
        for t in 0..4_000 {
            timeline.push(Machine::Rule(&kind), &Sample::float(Timestamp::from_secs(t), if t / 10 % 2 == 0 { 1.0 } else { 9.0 }));
        }
        let (now, whole) = (timeline.at(Timestamp::from_secs(4_000)), timeline.bytes());
        timeline.shrink(10, 0);
        assert!(timeline.bytes() < whole / 10 && timeline.known_from().is_some());
        assert_eq!(timeline.at(Timestamp::from_secs(4_000)), now);
    }

    #[test]
    fn steps_find_the_neighbouring_outcomes() {
        let kind = RuleKind::Range {
            bands: vec![Band { limit: Limit::Above(5.0), status: Status::Failure }],
            deadband: 0.0,
            on_delay: Span::ZERO,
            off_delay: Span::ZERO,
        };
        let mut timeline = Timeline::default();
        for (t, v) in [(0, 1.0), (10, 9.0), (20, 1.0)] {
            timeline.push(Machine::Rule(&kind), &Sample::float(Timestamp::from_secs(t), v));
        }
        assert_eq!(timeline.next_after(Timestamp::from_secs(10)), Some(Timestamp::from_secs(20)));
        assert_eq!(timeline.previous_before(Timestamp::from_secs(10)), Some(Timestamp::from_secs(0)));
        assert_eq!(timeline.within(TimeRange::new(Timestamp::from_secs(5), Timestamp::from_secs(20))).len(), 1);
    }

    #[test]
    fn a_fork_starts_from_the_state_at_its_instant() {
        let kind = rule();
        let mut timeline = Timeline::default();
        for t in 0..20 {
            timeline.push(Machine::Rule(&kind), &Sample::float(Timestamp::from_secs(t), 6.0));
        }
        let fork = timeline.forked(Timestamp::from_secs(10));
        assert_eq!(fork.at(Timestamp::from_secs(10)).unwrap().outcome.status(), Status::Maintenance);
        assert_eq!(fork.newest(), Some(Timestamp::from_secs(10)));
    }
}
