//! What is known about a signal besides its samples.

use crate::{SignalId, SourceIndex, Span, TwinIndex, ValueKind};

/// Unit text as shown to people and matched between files, for example `°C`, `mm/s`, `1/min`. Empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Unit(pub String);

/// How the signal behaves, which decides how it is held between samples and drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalKind {
    /// Continuous quantity: drawn as a line.
    Analog,
    /// Holds a state until the next sample: drawn as steps.
    Discrete,
    /// Only grows, apart from resets: shown as a rate or a difference.
    Counter,
}

/// What stands between two samples. Never used to look ahead: interpolation needs both ends at or before the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldPolicy {
    /// The last value holds.
    Hold,
    /// Charts may draw a straight line between two known samples, labelled as interpolated.
    Linear,
}

/// A signal of a twin (DTDL Telemetry or Property).
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// `<twin id>.<name>`.
    pub id: SignalId,
    /// The twin that it belongs to.
    pub twin: TwinIndex,
    /// Name within the twin, for example `bearing_temperature`.
    pub name: String,
    /// Words for people, for example `Bearing temperature`.
    pub display_name: String,
    /// Unit of the values.
    pub unit: Unit,
    /// How it behaves.
    pub kind: SignalKind,
    /// Which values it takes.
    pub value_kind: ValueKind,
    /// Time between samples when all is well; `None` for signals that report only changes.
    pub expected_period: Option<Span>,
    /// Age from which a value counts as late; default three expected periods.
    pub late_after: Option<Span>,
    /// Age from which a value counts as stale; default ten expected periods.
    pub stale_after: Option<Span>,
    /// Range that the instrument can measure, `(low, high)`, in `unit`.
    pub range: Option<(f64, f64)>,
    /// The source that feeds it, where known.
    pub source: Option<SourceIndex>,
    /// Name under which the source knows it; the id where the source uses ours.
    pub source_key: String,
}

impl Signal {
    /// Age from which a value counts as late: as given, else three expected periods, else never.
    pub fn late_limit(&self) -> Option<Span> {
        self.late_after.or_else(|| self.expected_period.map(|period| period * 3))
    }

    /// Age from which a value counts as stale: as given, else ten expected periods, else never.
    pub fn stale_limit(&self) -> Option<Span> {
        self.stale_after.or_else(|| self.expected_period.map(|period| period * 10))
    }

    /// How values are held between samples.
    pub const fn hold_policy(&self) -> HoldPolicy {
        match self.kind {
            SignalKind::Analog => HoldPolicy::Linear,
            SignalKind::Discrete | SignalKind::Counter => HoldPolicy::Hold,
        }
    }
}
