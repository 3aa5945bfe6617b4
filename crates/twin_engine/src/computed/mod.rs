//! Signals that follow from others: derived from the samples of what they read whenever somebody asks, stored nowhere.
//!
//! Two times belong to a computed value. It came *into force* with the newest sample of what it reads: charts, rules and alarms go by
//! that, so that a rule turns when the value does. It is *as of* the oldest sample that it was needed for: its age, and with it its
//! freshness, goes by that (decisions/0024).
//!
//! Knows stores and expressions. Nothing of after an instant has any influence on what is said of it.

mod chart;
mod flow;
mod slots;
mod walk;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use twin_expr::{AsOf, Evaluated, Input, Outcome, Plan};
use twin_historian::{Direction, Store};
use twin_model::{Flags, Model, Sample, SignalIndex, Span, TimeRange, Timestamp, ValueKind};

use crate::basis;

pub(crate) use chart::envelope;
pub(crate) use flow::Flow;
pub(crate) use slots::{Slots, Version};
pub(crate) use walk::walk;

const MICROSECOND: Span = Span::from_micros(1);

/// What a signal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It has samples.
    Measured,
    /// It follows from others; its place in the plan.
    Computed(usize),
    /// It should, and can't be computed: it never has a value.
    Nothing,
}

/// The computed signals of a model, over whatever store. Shared by all records of an engine.
#[derive(Debug)]
pub struct Computed {
    plan: Plan,
    kinds: Vec<Kind>,
    /// By signal: the places of computed signals that follow from it.
    readers: Vec<Vec<u32>>,
    /// By place: the kind of its values, and from how far apart samples of what it reads leave a gap.
    value_kinds: Vec<ValueKind>,
    gaps: Vec<Vec<Option<Span>>>,
    evaluations: AtomicU64,
}

impl Computed {
    /// Of a model. What can't be computed never has a value; [`Plan::of`] says why.
    pub fn new(model: &Model) -> Self {
        let plan = Plan::of(model).0;
        let mut kinds = vec![Kind::Measured; model.signals().len()];
        let mut readers = vec![Vec::new(); model.signals().len()];
        for computed in model.computed() {
            if let Some(kind) = kinds.get_mut(computed.signal.at()) {
                *kind = plan.place(computed.signal).map_or(Kind::Nothing, Kind::Computed);
            }
        }
        for (place, computed) in plan.all().iter().enumerate() {
            for read in &computed.measured {
                readers[read.at()].push(place as u32);
            }
        }
        let value_kinds = plan.all().iter().map(|it| model.signal(it.signal).value_kind).collect();
        let gaps = plan.all().iter().map(|it| it.measured.iter().map(|at| model.signal(*at).late_limit()).collect()).collect();
        Self { plan, kinds, readers, value_kinds, gaps, evaluations: AtomicU64::new(0) }
    }

    /// How often an expression was evaluated so far, by anybody who shares this: what deriving costs.
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// Every value of a computed signal with an instant of coming into force in `range`, in order of these, until `f` breaks. Each is a
    /// sample with that instant as its source time, and the newest receipt among the samples that it was needed for. Instants at
    /// which something that was needed had never been seen are passed over.
    ///
    /// Predictions count for nothing. Of a signal that is not computed nothing is said.
    pub fn for_each(&self, store: &Store, signal: SignalIndex, range: TimeRange, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        let Kind::Computed(place) = self.kind(signal) else { return };
        walk(self, place, Inputs::measured(store, None), range, &mut |change| match &change.sample {
            Some(sample) => f(sample),
            None => ControlFlow::Continue(()),
        });
    }

    /// Whether a signal follows from others, also where it can't be computed.
    pub fn is_computed(&self, signal: SignalIndex) -> bool {
        self.kind(signal) != Kind::Measured
    }

    pub(crate) fn kind(&self, signal: SignalIndex) -> Kind {
        self.kinds.get(signal.at()).copied().unwrap_or(Kind::Measured)
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The places of those that follow from a measured signal.
    pub(crate) fn readers(&self, signal: SignalIndex) -> impl Iterator<Item = usize> + '_ {
        self.readers.get(signal.at()).into_iter().flatten().map(|place| *place as usize)
    }

    /// The measured signals that the one at a place follows from.
    pub(crate) fn reads(&self, place: usize) -> &[SignalIndex] {
        self.plan.all().get(place).map_or(&[], |it| &it.measured)
    }

    fn gaps(&self, place: usize) -> &[Option<Span>] {
        self.gaps.get(place).map_or(&[], Vec::as_slice)
    }

    /// What the one at a place says, with the samples that `read` gives.
    pub(crate) fn evaluate(&self, place: usize, read: &mut dyn FnMut(SignalIndex) -> Option<Sample>) -> Evaluated {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        self.plan.evaluate(place, &mut |signal| read(signal).as_ref().map_or_else(Input::unseen, Input::from))
    }

    /// What holds at `t`: its source time is that of the oldest sample that was needed. None before something that is needed was
    /// seen.
    pub(crate) fn at(&self, place: usize, inputs: &Inputs<'_>, t: Timestamp) -> Held {
        self.held(place, &mut |signal| inputs.latest(signal, t))
    }

    /// The same with the samples that `read` gives, which all lie at or before the instant.
    pub(crate) fn held(&self, place: usize, read: &mut dyn FnMut(SignalIndex) -> Option<Sample>) -> Held {
        let mut seen = Seen::default();
        let evaluated = self.evaluate(place, &mut |signal| {
            let sample = read(signal);
            seen.note(sample.as_ref());
            sample
        });
        let Some(outcome) = evaluated.outcome else { return Held::default() };
        let time = match outcome.time {
            AsOf::Never => None,
            AsOf::At(t) => Some(t),
            // Nothing that was read decides it: it stands since anything that it names last spoke.
            AsOf::Always => self.reads(place).iter().filter_map(|signal| Some(read(*signal)?.source_time)).max(),
        };
        let sample = time.map(|t| self.sample(place, &outcome, t, &seen));
        Held { sample, needed: evaluated.needed, outcome: Some(outcome) }
    }

    fn sample(&self, place: usize, outcome: &Outcome, t: Timestamp, seen: &Seen) -> Sample {
        let kind = self.value_kinds.get(place).copied().unwrap_or(ValueKind::Float);
        let sample = match &outcome.value {
            Some(value) => Sample::new(t, value.clone()).with_quality(outcome.quality),
            None => Sample::without_value(t, kind, outcome.quality),
        };
        Sample { received_time: seen.received.unwrap_or(t), flags: sample.flags.with(seen.flags), ..sample }
    }

    /// What rules and alarms get where something that is needed was never seen: no value, of a signal that chooses what it needs.
    fn without_value(&self, place: usize, t: Timestamp, outcome: &Outcome) -> Option<Sample> {
        let chooses = self.plan.all().get(place)?.chooses;
        let kind = self.value_kinds.get(place).copied().unwrap_or(ValueKind::Float);
        chooses.then(|| Sample::without_value(t, kind, outcome.quality))
    }

    /// When what the one at a place reads next had a sample, strictly after or before `t`.
    pub(crate) fn next_change(&self, place: usize, store: &Store, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        let times = self.reads(place).iter().filter_map(|signal| store.next_sample_time(*signal, t, direction));
        if direction == Direction::Forward { times.min() } else { times.max() }
    }
}

/// What a computed signal says at an instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    /// Its value, as of the oldest needed; none before that was seen.
    pub(crate) sample: Option<Sample>,
    /// The measured signals that were needed.
    pub(crate) needed: Vec<SignalIndex>,
    /// With its reasons.
    pub(crate) outcome: Option<Outcome>,
}

/// What is remembered of the samples that were read.
#[derive(Debug, Default)]
struct Seen {
    received: Option<Timestamp>,
    flags: Flags,
}

impl Seen {
    fn note(&mut self, sample: Option<&Sample>) {
        let Some(sample) = sample else { return };
        self.received = self.received.max(Some(sample.received_time));
        for flag in [Flags::SIMULATED, Flags::PREDICTED] {
            if sample.flags.has(flag) {
                self.flags = self.flags.with(flag);
            }
        }
    }
}

/// The samples that computed signals read: one line of history, on one basis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    store: &'a Store,
    /// What holds of signals that the store has no samples of, ascending: what a branch was forked with.
    held: &'a [(SignalIndex, Sample)],
    /// By when a sample has to have been received to count; `None` where that does not matter.
    known: Option<Timestamp>,
    /// Whether predictions count, of which branches are made.
    predictions: bool,
}

impl<'a> Inputs<'a> {
    /// What was measured.
    pub(crate) fn measured(store: &'a Store, known: Option<Timestamp>) -> Self {
        Self { store, held: &[], known, predictions: false }
    }

    /// What a branch computes, on top of what held at its fork.
    pub(crate) fn branch(store: &'a Store, held: &'a [(SignalIndex, Sample)]) -> Self {
        Self { store, held, known: None, predictions: true }
    }

    /// The newest sample of a measured signal at or before `t`.
    pub(crate) fn latest(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        if !self.predictions {
            return basis::latest(self.store, signal, t, self.known);
        }
        let held = || self.held.binary_search_by_key(&signal, |(at, _)| *at).ok().and_then(|at| self.held.get(at));
        self.store.latest_at(signal, t).or_else(|| held().map(|(_, sample)| sample.clone()))
    }

    /// When the next sample of a measured signal was taken, strictly after `t`.
    pub(crate) fn next(&self, signal: SignalIndex, t: Timestamp) -> Option<Timestamp> {
        // Mostly there is none, and finding that out is cheap.
        self.store.next_sample_time(signal, t, Direction::Forward)?;
        let mut next = None;
        self.for_each(signal, t, Timestamp::MAX, &mut |sample| {
            next = Some(sample.source_time);
            ControlFlow::Break(())
        });
        next
    }

    /// The samples of a measured signal strictly after one instant, up to and with another.
    fn for_each(&self, signal: SignalIndex, after: Timestamp, upto: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        // Before all time there is nothing.
        let from = if after == Timestamp::MIN { after } else { after + MICROSECOND };
        let end = if upto == Timestamp::MAX { upto } else { upto + MICROSECOND };
        let counts = |sample: &Sample| self.predictions || !sample.flags.has(Flags::PREDICTED);
        let known = self.known.unwrap_or(Timestamp::MAX);
        self.store.for_each_known(signal, TimeRange::new(from, end), known, &mut |sample| {
            if counts(sample) { f(sample) } else { ControlFlow::Continue(()) }
        });
    }
}
