//! A computed signal as a machine sees it: its changes in order, what of them was known when, and timelines kept right.

use std::ops::ControlFlow;

use twin_health::{History, Machine, Timeline, Told};
use twin_historian::Direction;
use twin_model::{Sample, TimeRange, Timestamp};

use super::{Computed, Inputs, MICROSECOND, walk};

/// The changes of one computed signal.
///
/// Where everything that it reads is always needed it says nothing up to the first sample of the last of these, and something ever after.
/// Where it chooses it may come to need what was never seen: then it is there, and has no value.
pub(crate) struct Flow<'a> {
    computed: &'a Computed,
    place: usize,
    /// With everything that is known by now.
    all: Inputs<'a>,
    /// With what counts.
    counts: Inputs<'a>,
}

impl<'a> Flow<'a> {
    /// Everything counts.
    pub(crate) fn new(computed: &'a Computed, place: usize, all: Inputs<'a>) -> Self {
        Self { computed, place, all, counts: all }
    }

    /// What a machine says at `t`, of what had been received by `known` where that matters. Where everything up to `t` had been, both
    /// answers are one.
    pub(crate) fn told<'t>(
        mut self,
        machine: Machine<'_>,
        timeline: &'t Timeline,
        (t, known): (Timestamp, Option<Timestamp>),
    ) -> Told<'t> {
        let Some(known) = known else { return Told::was(timeline) };
        self.counts = Inputs { known: Some(known), ..self.all };
        match self.unknown(Timestamp::MIN, t) {
            None => Told::was(timeline),
            Some(unknown) => Told::known(timeline, machine, &self, unknown, t),
        }
    }

    fn range(after: Timestamp, upto: Timestamp) -> TimeRange {
        let from = if after == Timestamp::MIN { after } else { after + MICROSECOND };
        TimeRange::new(from, if upto == Timestamp::MAX { upto } else { upto + MICROSECOND })
    }
}

impl History for Flow<'_> {
    fn before(&self, t: Timestamp) -> Option<Sample> {
        let t = self.computed.next_change(self.place, self.all.store, t, Direction::Backward)?;
        let held = self.computed.at(self.place, &self.all, t);
        match held.sample {
            Some(sample) => Some(Sample { source_time: t, ..sample }),
            None => self.computed.without_value(self.place, t, &held.outcome?),
        }
    }

    /// The value is what it was as long as everything that it reads is; behind an instant at which that is so, up to the first sample
    /// that was still to come.
    fn unknown(&self, after: Timestamp, upto: Timestamp) -> Option<Timestamp> {
        let known = self.counts.known?;
        let range = Self::range(after, upto);
        self.computed.reads(self.place).iter().filter_map(|signal| self.all.store.first_unknown(*signal, range, known)).min()
    }

    fn known(&self, after: Timestamp, upto: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        walk(self.computed, self.place, self.counts, Self::range(after, upto), &mut |change| match &change.sample {
            Some(sample) => f(sample),
            None => match self.computed.without_value(self.place, change.t, change.outcome) {
                Some(nothing) => f(&nothing),
                None => ControlFlow::Continue(()),
            },
        });
    }

    fn shared(&self, t: Timestamp) -> bool {
        self.counts.known.is_none()
            || self.computed.reads(self.place).iter().all(|signal| self.all.latest(*signal, t) == self.counts.latest(*signal, t))
    }
}
