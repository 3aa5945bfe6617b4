//! What of a record concerns computed signals: every question about a signal, answered from its samples or derived, and timelines
//! that follow when what is read changes.

use std::collections::BTreeMap;

use twin_health::{Machine, Timeline, Told};
use twin_historian::{Direction, Envelope};
use twin_model::{AlarmIndex, Model, RuleIndex, SignalIndex, Span, TimeRange, Timestamp};

use super::Record;
use crate::basis;
use crate::computed::{self, Computed, Flow, Inputs, Kind, Version};

impl Record {
    /// The computed signals of the model, which every record of an engine shares.
    pub fn computed(&self) -> &Computed {
        &self.computed
    }

    /// The samples that computed signals read here, of what had been received by `known` where that matters.
    pub(crate) fn inputs(&self, known: Option<Timestamp>) -> Inputs<'_> {
        if self.judges_predictions { Inputs::branch(&self.store, &self.held) } else { Inputs::measured(&self.store, known) }
    }

    /// Which samples the computed signal at a place follows from: another version, other samples.
    pub(crate) fn version(&self, place: usize) -> Version {
        let own = self.versions.get(place).copied().unwrap_or_default();
        Version { own, record: self.taken_away + self.store.counters().thinned }
    }

    /// A signal over a range, measured or computed, from samples received by `known` where that matters.
    pub(crate) fn envelope(
        &self,
        signal: SignalIndex,
        (range, known): (TimeRange, Option<Timestamp>),
        points: usize,
    ) -> Envelope {
        match self.computed.kind(signal) {
            Kind::Computed(place) => computed::envelope(&self.computed, place, self.inputs(known), range, points),
            Kind::Measured | Kind::Nothing => basis::envelope(&self.store, signal, (range, known), points),
        }
    }

    /// When a signal next has a sample strictly after `t`, or strictly before it; of a computed one, when what it reads has.
    pub fn next_sample_time(&self, signal: SignalIndex, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        match self.computed.kind(signal) {
            Kind::Computed(place) => self.computed.next_change(place, &self.store, t, direction),
            Kind::Measured => self.store.next_sample_time(signal, t, direction),
            Kind::Nothing => None,
        }
    }

    /// What a rule says at `t`: as it was, or as far as had been received by `known`.
    pub(crate) fn told_rule(&self, model: &Model, rule: RuleIndex, when: (Timestamp, Option<Timestamp>)) -> Told<'_> {
        let it = model.rule(rule);
        self.told(Machine::Rule(&it.kind), self.rule_timeline(rule), it.signal, when)
    }

    /// What an alarm says at `t`: as it was, or as far as had been received by `known`.
    pub(crate) fn told_alarm(&self, model: &Model, alarm: AlarmIndex, when: (Timestamp, Option<Timestamp>)) -> Told<'_> {
        let it = model.alarm(alarm);
        self.told(Machine::Alarm(&it.condition), self.alarm_timeline(alarm), it.signal, when)
    }

    fn told<'a>(
        &'a self,
        machine: Machine<'_>,
        timeline: &'a Timeline,
        signal: SignalIndex,
        when: (Timestamp, Option<Timestamp>),
    ) -> Told<'a> {
        match self.computed.kind(signal) {
            Kind::Computed(place) => Flow::new(&self.computed, place, self.inputs(None)).told(machine, timeline, when),
            Kind::Nothing => Told::was(timeline),
            Kind::Measured => basis::told(&self.store, machine, timeline, signal, when),
        }
    }

    /// Brings up to date what follows from measured signals whose samples in these stretches (both ends within) are others than they
    /// were: values from there up to the signal's next sample are.
    pub(super) fn follow(&mut self, model: &Model, read: BTreeMap<SignalIndex, (Timestamp, Timestamp)>) {
        let mut changed: BTreeMap<usize, (Timestamp, Timestamp)> = BTreeMap::new();
        for (signal, (from, last)) in read {
            let next = self.inputs(None).next(signal, last);
            let last = next.map_or(Timestamp::MAX, |next| next - Span::from_micros(1));
            for place in self.computed.readers(signal) {
                if let Some(version) = self.versions.get_mut(place) {
                    *version += 1;
                }
                let slot = changed.entry(place).or_insert((from, last));
                *slot = (slot.0.min(from), slot.1.max(last));
            }
        }
        self.derive(model, changed);
    }

    /// Folds what computed signals say in these stretches into the timelines of their rules and alarms.
    fn derive(&mut self, model: &Model, changed: BTreeMap<usize, (Timestamp, Timestamp)>) {
        if let Some(waiting) = &mut self.waiting {
            for (place, (from, last)) in changed {
                let slot = waiting.entry(place).or_insert((from, last));
                *slot = (slot.0.min(from), slot.1.max(last));
            }
            return;
        }
        let Self { store, computed, held, judges_predictions, said, .. } = self;
        let inputs = if *judges_predictions { Inputs::branch(store, held) } else { Inputs::measured(store, None) };
        for (place, (from, last)) in changed {
            let Some(signal) = computed.plan().all().get(place).map(|it| it.signal) else { continue };
            let flow = Flow::new(computed, place, inputs);
            said.change(model, signal, &mut |machine, timeline| timeline.amend(machine, &flow, from, last));
        }
    }

    /// From here on rules and alarms of computed signals are not folded with every piece that is taken in, but once, by
    /// [`Self::settle`]: for whoever reads much in before anybody looks. Pieces of what such a signal reads that come one signal after
    /// the other would be folded again and again.
    pub fn hold_back(&mut self) {
        self.waiting.get_or_insert_default();
    }

    /// Folds what was held back, and holds nothing back any more.
    pub fn settle(&mut self, model: &Model) {
        if let Some(waiting) = self.waiting.take() {
            self.derive(model, waiting);
            self.revision += 1;
            self.said.keep_small();
        }
    }
}
