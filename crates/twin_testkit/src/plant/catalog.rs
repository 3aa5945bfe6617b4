//! The signals of the plant: how each is measured, and the dense table in which the simulation writes the truth.

use std::sync::Arc;

use twin_model::{SignalKind, Span, ValueKind};

/// How a true quantity becomes a reading.
#[derive(Clone, Copy)]
pub(crate) enum Read {
    /// A measured number, rounded to so many decimals.
    Float { digits: u8 },
    /// A meter that only grows, rounded down to so many decimals.
    Meter { digits: u8 },
    /// A count of pieces.
    Count,
    /// A contact.
    Switch,
    /// The word of a code.
    Words(&'static [&'static str]),
}

/// One column of an equipment type: a signal that each of its twins has.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    unit: &'static str,
    read: Read,
    /// Seconds between samples; 0 for signals that report changes.
    period: u16,
    range: Option<(f64, f64)>,
    /// Standard deviation of the instrument's noise.
    noise: f64,
}

/// A measured number: unit, seconds between samples, range of the instrument, decimals, noise.
pub(crate) const fn float(
    name: &'static str,
    unit: &'static str,
    period: u16,
    range: (f64, f64),
    digits: u8,
    noise: f64,
) -> Column {
    Column { name, unit, read: Read::Float { digits }, period, range: Some(range), noise }
}

/// A meter that only grows.
pub(crate) const fn meter(name: &'static str, unit: &'static str, period: u16, digits: u8) -> Column {
    Column { name, unit, read: Read::Meter { digits }, period, range: None, noise: 0.0 }
}

/// A count of pieces.
pub(crate) const fn count(name: &'static str, period: u16) -> Column {
    Column { name, unit: "1", read: Read::Count, period, range: None, noise: 0.0 }
}

/// A contact that reports changes.
pub(crate) const fn switch(name: &'static str) -> Column {
    Column { name, unit: "", read: Read::Switch, period: 0, range: None, noise: 0.0 }
}

/// A state that reports changes.
pub(crate) const fn words(name: &'static str, words: &'static [&'static str]) -> Column {
    Column { name, unit: "", read: Read::Words(words), period: 0, range: None, noise: 0.0 }
}

/// The controllers that deliver the signals. Each scans its signals at one instant of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    /// Line controller.
    Line,
    /// Process controller.
    Process,
    /// Building and utilities.
    Utilities,
    /// Condition monitoring.
    Condition,
    /// Robots, vehicles and their scanner: the source that drops off in the story.
    Fleet,
}

impl Link {
    /// Every link, in the order in which they scan within a second.
    pub(crate) const ALL: [Self; 5] = [Self::Line, Self::Process, Self::Utilities, Self::Condition, Self::Fleet];

    /// Id of the source in the site file.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Line => "plc-line",
            Self::Process => "plc-process",
            Self::Utilities => "bms",
            Self::Condition => "condition-monitoring",
            Self::Fleet => "fleet",
        }
    }

    /// Microseconds into the second at which it scans.
    pub(crate) const fn scan_us(self) -> i64 {
        self as i64 * 150_000
    }

    /// Shortest way to the gateway in microseconds.
    pub(crate) const fn latency_us(self) -> i64 {
        match self {
            Self::Line | Self::Process => 12_000,
            Self::Utilities => 45_000,
            Self::Condition => 30_000,
            Self::Fleet => 80_000,
        }
    }
}

/// What is known about one signal of the plant.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalInfo {
    /// `<twin>.<name>`.
    pub id: String,
    /// Id of the source that delivers it.
    pub source: &'static str,
    /// Unit of its values; `1` for counts, empty for states.
    pub unit: &'static str,
    /// How it behaves.
    pub kind: SignalKind,
    /// Which values it takes.
    pub value_kind: ValueKind,
    /// Time between samples in live mode; `None` for signals that report changes (and a heartbeat).
    pub period: Option<Span>,
    /// Range of the instrument, both ends inclusive.
    pub range: Option<(f64, f64)>,
    /// The words that a state can be; empty for everything else.
    pub words: &'static [&'static str],
}

pub(crate) struct Entry {
    pub(crate) read: Read,
    pub(crate) period: i64,
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) noise: f64,
    pub(crate) link: Link,
    /// The words as shared texts, made once.
    pub(crate) texts: Vec<Arc<str>>,
}

/// All signals, in the order of registration.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) infos: Vec<SignalInfo>,
    pub(crate) entries: Vec<Entry>,
}

impl Catalog {
    /// Registers the columns of one twin and returns where they lie.
    pub(crate) fn group<const N: usize>(&mut self, twin: &str, link: Link, columns: &[Column; N]) -> Group<N> {
        let base = self.entries.len();
        for column in columns {
            self.push(twin, link, column);
        }
        Group { base }
    }

    fn push(&mut self, twin: &str, link: Link, column: &Column) {
        let (kind, value_kind) = match column.read {
            Read::Float { .. } => (SignalKind::Analog, ValueKind::Float),
            Read::Meter { .. } => (SignalKind::Counter, ValueKind::Float),
            Read::Count => (SignalKind::Counter, ValueKind::Int),
            Read::Switch => (SignalKind::Discrete, ValueKind::Bool),
            Read::Words(_) => (SignalKind::Discrete, ValueKind::Text),
        };
        let texts = if let Read::Words(words) = column.read { words.iter().map(|&w| w.into()).collect() } else { Vec::new() };
        self.infos.push(SignalInfo {
            id: format!("{twin}.{}", column.name),
            source: link.id(),
            unit: column.unit,
            kind,
            value_kind,
            period: (column.period > 0).then(|| Span::from_secs(i64::from(column.period))),
            range: column.range,
            words: if let Read::Words(words) = column.read { words } else { &[] },
        });
        self.entries.push(Entry {
            read: column.read,
            period: i64::from(column.period),
            range: column.range,
            noise: column.noise,
            link,
            texts,
        });
    }

    /// Position of a signal.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.infos.iter().position(|info| info.id == id)
    }
}

/// Where the `N` signals of one twin lie in the truth.
#[derive(Clone, Copy)]
pub(crate) struct Group<const N: usize> {
    base: usize,
}

impl<const N: usize> Group<N> {
    /// Writes the truth of this second, in the order of the columns.
    pub(crate) fn put(self, truth: &mut [f64], values: [f64; N]) {
        if let Some(slots) = truth.get_mut(self.base..self.base + N) {
            slots.copy_from_slice(&values);
        }
    }
}

/// `1.0` for true: contacts are kept as numbers in the truth.
pub(crate) const fn on(state: bool) -> f64 {
    if state { 1.0 } else { 0.0 }
}
