//! Walks over the instants at which a computed signal may change: those at which anything that it reads has a sample.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use twin_expr::{AsOf, Outcome};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp};

use super::{Computed, Inputs, MICROSECOND, Seen};

/// Samples that are fetched of a signal at first, and of all together at most.
const FETCH: (usize, usize) = (2, 8_192);

/// One instant of change.
pub(crate) struct Change<'a> {
    /// The value with the instant as its source time; none where something that is needed was never seen.
    pub(crate) sample: Option<Sample>,
    pub(crate) t: Timestamp,
    pub(crate) outcome: &'a Outcome,
    /// The measured signals that were needed.
    pub(crate) needed: &'a [SignalIndex],
    /// What holds of those that are read, in their order.
    lanes: &'a [Lane],
}

impl Change<'_> {
    /// When the sample of one that is read was taken, by its place among them.
    pub(crate) fn taken(&self, at: usize) -> Option<Timestamp> {
        self.lanes.get(at)?.current.as_ref().map(|sample| sample.source_time)
    }
}

/// One signal that is read.
struct Lane {
    signal: SignalIndex,
    current: Option<Sample>,
    ahead: VecDeque<Sample>,
    /// Fetched up to here, and whether that was all there is.
    fetched: Timestamp,
    done: bool,
}

/// Derives a computed signal at every instant of `range` at which what it reads has a sample, in order, until `f` breaks. Costs as much
/// as there are samples in the range.
pub(crate) fn walk(
    computed: &Computed,
    place: usize,
    inputs: Inputs<'_>,
    range: TimeRange,
    f: &mut dyn FnMut(Change<'_>) -> ControlFlow<()>,
) {
    if range.is_empty() {
        return;
    }
    // Half-open at the end; without an end open at both.
    let after = if range.start == Timestamp::MIN { range.start } else { range.start - MICROSECOND };
    let upto = if range.end == Timestamp::MAX { range.end } else { range.end - MICROSECOND };
    let lane = |signal: &SignalIndex| Lane {
        signal: *signal,
        current: inputs.latest(*signal, after),
        ahead: VecDeque::new(),
        fetched: after,
        done: false,
    };
    let mut lanes: Vec<Lane> = computed.reads(place).iter().map(lane).collect();
    let most = (FETCH.1 / lanes.len().max(1)).max(FETCH.0);
    let mut fetch = FETCH.0;
    loop {
        for lane in &mut lanes {
            lane.fill(&inputs, upto, fetch);
        }
        fetch = (fetch * 2).min(most);
        // As far as every lane is known; those that are done say nothing more.
        let known = lanes.iter().filter(|lane| !lane.done).map(|lane| lane.fetched).min().unwrap_or(upto);
        while let Some(t) = lanes.iter().filter_map(Lane::next).min().filter(|t| *t <= known) {
            lanes.iter_mut().for_each(|lane| lane.advance(t));
            if step(computed, place, &lanes, t, f).is_break() {
                return;
            }
        }
        if lanes.iter().all(|lane| lane.done && lane.ahead.is_empty()) {
            return;
        }
    }
}

fn step(
    computed: &Computed,
    place: usize,
    lanes: &[Lane],
    t: Timestamp,
    f: &mut dyn FnMut(Change<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut seen = Seen::default();
    let evaluated = computed.evaluate(place, &mut |signal| {
        let at = lanes.binary_search_by_key(&signal, |lane| lane.signal).ok();
        let sample = at.and_then(|at| lanes.get(at)?.current.clone());
        seen.note(sample.as_ref());
        sample
    });
    let Some(outcome) = &evaluated.outcome else { return ControlFlow::Break(()) };
    let sample = (outcome.time != AsOf::Never).then(|| computed.sample(place, outcome, t, &seen));
    f(Change { sample, t, outcome, needed: &evaluated.needed, lanes })
}

impl Lane {
    /// Fetches where there is nothing ahead.
    fn fill(&mut self, inputs: &Inputs<'_>, upto: Timestamp, count: usize) {
        if self.done || !self.ahead.is_empty() {
            return;
        }
        let ahead = &mut self.ahead;
        inputs.for_each(self.signal, self.fetched, upto, &mut |sample| {
            ahead.push_back(sample.clone());
            if ahead.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        self.done = self.ahead.len() < count;
        self.fetched = self.ahead.back().map_or(upto, |sample| sample.source_time);
    }

    fn next(&self) -> Option<Timestamp> {
        self.ahead.front().map(|sample| sample.source_time)
    }

    /// Moves to an instant that is not after the next sample.
    fn advance(&mut self, t: Timestamp) {
        if self.next() == Some(t) {
            self.current = self.ahead.pop_front();
        }
    }
}
