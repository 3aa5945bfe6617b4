//! Which of two questions about an instant is answered: what was measured by then, or what had been received by then.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;

use twin_health::{History, Machine, Timeline, Told};
use twin_historian::{Envelope, Store};
use twin_model::{Flags, Sample, SignalIndex, Span, TimeRange, Timestamp};

/// What counts as the state of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Basis {
    /// As it was: everything with a source time up to the instant, also what was received later.
    #[default]
    Was,
    /// As it was known: of that only what had been received by the instant. What came late is missing until it came, and
    /// with it what rules and alarms made of it.
    Known,
}

impl Basis {
    /// Its word in links, commands, addresses and `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Was => "was",
            Self::Known => "known",
        }
    }

    /// By when a sample has to have been received to count at `t`; `None` where that does not matter.
    pub(crate) fn known_at(self, t: Timestamp) -> Option<Timestamp> {
        (self == Self::Known).then_some(t)
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Basis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Was, Self::Known].into_iter().find(|basis| basis.as_str() == text);
        known.ok_or_else(|| {
            format!("'{text}' is no way to ask about an instant; write was (as it was) or known (as it was known)")
        })
    }
}

/// What holds at `t`, of what had been received by `known` where that matters.
pub(crate) fn latest(store: &Store, signal: SignalIndex, t: Timestamp, known: Option<Timestamp>) -> Option<Sample> {
    match known {
        None => store.measured_at(signal, t),
        Some(known) => store.known_at(signal, t, known),
    }
}

/// A signal over a range, from samples received by `known` where that matters.
pub(crate) fn envelope(
    store: &Store,
    signal: SignalIndex,
    (range, known): (TimeRange, Option<Timestamp>),
    points: usize,
) -> Envelope {
    match known {
        None => store.envelope(signal, range, points),
        Some(known) => store.envelope_known(signal, range, points, known),
    }
}

/// What a machine of a signal says at `t`. Where everything up to `t` had been received by `known`, both answers are one.
pub(crate) fn told<'a>(
    store: &Store,
    machine: Machine<'_>,
    timeline: &'a Timeline,
    signal: SignalIndex,
    (t, known): (Timestamp, Option<Timestamp>),
) -> Told<'a> {
    let Some(known) = known else { return Told::was(timeline) };
    let upto = TimeRange::new(Timestamp::MIN, t + Span::from_micros(1));
    match store.first_unknown(signal, upto, known) {
        None => Told::was(timeline),
        Some(unknown) => Told::known(timeline, machine, &Known { store, signal, known }, unknown, t),
    }
}

/// What was measured of a signal, by what had been received. Predictions are not judged in reality.
struct Known<'a> {
    store: &'a Store,
    signal: SignalIndex,
    known: Timestamp,
}

impl History for Known<'_> {
    fn before(&self, t: Timestamp) -> Option<Sample> {
        self.store.measured_at(self.signal, t - Span::from_micros(1))
    }

    fn unknown(&self, after: Timestamp, upto: Timestamp) -> Option<Timestamp> {
        let step = Span::from_micros(1);
        self.store.first_unknown(self.signal, TimeRange::new(after + step, upto + step), self.known)
    }

    fn known(&self, after: Timestamp, upto: Timestamp, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        let step = Span::from_micros(1);
        // Before all time there is nothing.
        let from = if after == Timestamp::MIN { after } else { after + step };
        let measured = |sample: &Sample| !sample.flags.has(Flags::PREDICTED);
        self.store.for_each_known(self.signal, TimeRange::new(from, upto + step), self.known, &mut |sample| {
            if measured(sample) { f(sample) } else { ControlFlow::Continue(()) }
        });
    }
}
