//! Folds a stretch of a timeline again whose samples changed, from the newest state that is certain to the first that is right again.
//!
//! [`Timeline::refold`] begins at a checkpoint, hundreds of samples back. Where stretches change all the time, as those of a signal
//! that follows from several sources do, each a little behind the other, that is too much.

use std::ops::ControlFlow;

use twin_model::{Span, Timestamp};

use crate::machine::{Machine, State};
use crate::timeline::{CHECKPOINTS, Checkpoint, Entry, MAX_ENTRIES, Timeline};
use crate::told::{History, newest, resume, upto};

/// What was folded anew.
struct Folded {
    timeline: Timeline,
    /// Entries of the old timeline that stay before it.
    kept: usize,
    /// From where on the old timeline is right again.
    met: Option<Timestamp>,
}

impl Timeline {
    /// Folds again after samples from `from` up to and with `last` were added or replaced by others; all that `history` gives counts as
    /// known. Samples before and after are what they were.
    ///
    /// Begins at the newest sample before that settles the state, which is mostly the first one looked at, and stops at the first
    /// one after it that settles it to what it was. What was said before `from` stays, also where the samples that it came from are not
    /// at hand any more.
    pub fn amend(&mut self, machine: Machine<'_>, history: &dyn History, from: Timestamp, last: Timestamp) {
        let Folded { timeline: mut new, kept, met } = self.folded(machine, history, from, last);
        let mut later = self.entries.split_off(kept.min(self.entries.len()));
        self.entries.append(&mut new.entries);
        let behind = self.checkpoints.partition_point(|checkpoint| checkpoint.t < from);
        let old = self.checkpoints.split_off(behind);
        self.checkpoints.extend(new.checkpoints.into_iter().filter(|checkpoint| checkpoint.t >= from));
        match (met, &new.tail) {
            (Some(met), Some(now)) => {
                later.retain(|entry| entry.since > met);
                self.entries.append(&mut later);
                let mut old: Vec<Checkpoint> = old.into_iter().filter(|checkpoint| checkpoint.t > met).collect();
                // The outcome goes on, and since when it does may be another instant now.
                for state in old.iter_mut().chain(&mut self.tail).map(|it| &mut it.state).filter(|state| state.since <= met) {
                    (state.since, state.cause) = (now.state.since, now.state.cause.clone());
                }
                self.checkpoints.append(&mut old);
            }
            _ => (self.tail, self.since_checkpoint) = (new.tail, new.since_checkpoint),
        }
        if self.entries.len() > MAX_ENTRIES {
            self.entries.drain(..MAX_ENTRIES / 4);
            self.known_from = self.entries.first().map(|entry| entry.since);
        }
        self.thin(CHECKPOINTS);
    }

    fn folded(&self, machine: Machine<'_>, history: &dyn History, from: Timestamp, last: Timestamp) -> Folded {
        let just_before = from - Span::from_micros(1);
        let (early, start) = resume(self, machine, history, from);
        let mut kept = early.len();
        // Where nothing was ever said, nothing before `from` said anything.
        let silent = if self.tail.is_none() { just_before } else { Timestamp::MIN };
        let begin = start.as_ref().map_or(silent, |start| start.t);
        let mut new = Self::going_on(start);
        history.known(begin, just_before, &mut |sample| {
            new.push(machine, sample);
            ControlFlow::Continue(())
        });
        // Where samples are not at hand any more, what was said then counts.
        let folded = new.at(just_before).or_else(|| newest(early, just_before).cloned());
        let same = |it: &Entry, said: &Entry| it.since == said.since && it.outcome.code == said.outcome.code;
        if let Some(said) = self.at(just_before)
            && !folded.is_some_and(|it| same(&it, &said))
        {
            kept = upto(self, just_before).len();
            new = Self::going_on(Some(Checkpoint { t: just_before, state: State::settled(&said) }));
        }
        let mut met = None;
        history.known(just_before.max(begin), Timestamp::MAX, &mut |sample| {
            new.push(machine, sample);
            let said = (sample.source_time > last).then(|| newest(&self.entries, sample.source_time)).flatten();
            let settled = said.and_then(|said| machine.settled_by(said.outcome, sample));
            if settled.is_some_and(|outcome| new.tail.as_ref().is_some_and(|tail| tail.state.is_settled_at(outcome))) {
                met = Some(sample.source_time);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        Folded { timeline: new, kept, met }
    }
}

#[cfg(test)]
mod tests;
