//! What is shown of twins, signals, reasons and alarms.

use twin_model::{
    AlarmIndex, AlarmState, Band, Freshness, Priority, Quality, SignalIndex, SignalKind, Span, Status, Timestamp, TwinIndex,
    Value,
};

use super::EnvelopePoint;

/// One twin in the asset tree.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeRow {
    /// The twin.
    pub twin: TwinIndex,
    /// Its id; searched too.
    pub id: String,
    /// Words for people.
    pub name: String,
    /// Depth below the roots, which have 0.
    pub depth: u16,
    /// Whether anything can be said about its own health; what only groups others has no status.
    pub judged: bool,
    /// Its own status.
    pub status: Status,
    /// What its rules said before some of them fell silent, where that was worse or nothing else is known.
    pub last_known: Option<Status>,
    /// Worst status of it and everything below.
    pub rollup: Status,
    /// How many below it (not itself) are neither normal nor unknown.
    pub troubled: u32,
    /// How many below it (not itself) can't be judged.
    pub silent: u32,
    /// Its own freshness.
    pub freshness: Freshness,
    /// Active alarms of it and everything below.
    pub alarms: u32,
    /// Most urgent priority among those.
    pub priority: Option<Priority>,
}

impl TreeRow {
    /// Whether a person should look at it: in trouble, or silent.
    pub fn is_pressing(&self) -> bool {
        self.judged && self.status > Status::Normal
    }

    /// What to sort by, higher first: its status, then what it was before it fell silent.
    pub fn urgency(&self) -> (Status, Option<Status>) {
        (self.status, self.last_known)
    }
}

/// The bands that a value is judged by, for the scale in the "why" card and for threshold lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BandsView {
    /// Bands in any order.
    pub bands: Vec<Band>,
    /// What the instrument can measure, `(low, high)`.
    pub range: Option<(f64, f64)>,
}

/// One reason for a status.
#[derive(Debug, Clone, PartialEq)]
pub struct ReasonView {
    /// What it gives.
    pub status: Status,
    /// Name of the rule, for example `bearing-vibration`.
    pub rule: String,
    /// Source of the threshold or advice; may be empty.
    pub note: String,
    /// The signal that it reads.
    pub signal: SignalIndex,
    /// Words for the signal.
    pub signal_name: String,
    /// One sentence, for example `Vibration 7.4 mm/s is above 7.1 mm/s`.
    pub text: String,
    /// The value that it judged.
    pub value: Option<f64>,
    /// Unit of value and limits.
    pub unit: String,
    /// The limit that is passed.
    pub threshold: Option<f64>,
    /// The next limit towards worse, with the status it gives.
    pub next: Option<(f64, Status)>,
    /// When [`Self::next`] is passed if the value goes on as it does: a prediction, marked as such.
    pub next_at: Option<Timestamp>,
    /// Since when it holds.
    pub since: Option<Timestamp>,
    /// All bands of the rule.
    pub bands: BandsView,
}

/// Where a value that nothing is wrong with is going: a prediction from its trend.
#[derive(Debug, Clone, PartialEq)]
pub struct OutlookView {
    /// The signal.
    pub signal: SignalIndex,
    /// Words for the signal.
    pub signal_name: String,
    /// The limit that it is going to pass.
    pub limit: f64,
    /// Unit of the limit.
    pub unit: String,
    /// What passing it gives.
    pub status: Status,
    /// When, at the current trend.
    pub at: Timestamp,
    /// The stretch of history that the trend was read from.
    pub window: Span,
}

/// One signal in the inspector.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalView {
    /// The signal.
    pub signal: SignalIndex,
    /// Words for people.
    pub name: String,
    /// Newest value at or before the playhead; `None` where the newest reading has none.
    pub value: Option<Value>,
    /// Unit; empty where there is none.
    pub unit: String,
    /// When the device took it.
    pub time: Option<Timestamp>,
    /// How old it is at the playhead.
    pub age: Option<Span>,
    /// How far it can be used.
    pub quality: Quality,
    /// How current it is.
    pub freshness: Freshness,
    /// Status that its rules give; normal where it has none.
    pub status: Status,
    /// How it behaves; discrete ones are drawn as steps.
    pub kind: SignalKind,
    /// The last stretch before the playhead, oldest first; about 60 points. Empty: no line.
    pub spark: Vec<EnvelopePoint>,
    /// Whether it is in the chart.
    pub charted: bool,
    /// By how much the clock of its source runs ahead, where a reading of it lies ahead of the playhead.
    pub ahead: Option<Span>,
}

/// A relationship of the inspected twin.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationView {
    /// Name, for example `feeds`.
    pub name: String,
    /// The other end.
    pub other: TwinIndex,
    /// Words for the other end.
    pub other_name: String,
    /// Status of the other end.
    pub other_status: Status,
    /// Whether it goes from the inspected twin to the other.
    pub outgoing: bool,
}

/// The twin in the inspector.
#[derive(Debug, Clone, PartialEq)]
pub struct InspectorView {
    /// The twin.
    pub twin: TwinIndex,
    /// Its id.
    pub id: String,
    /// Words for people.
    pub name: String,
    /// What it is, for example `Pump`.
    pub interface: String,
    /// Its ancestors, root first.
    pub path: Vec<(TwinIndex, String)>,
    /// Its status.
    pub status: Status,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What it was before it, or part of it, fell silent, and since when it had been that.
    pub last_known: Option<(Status, Option<Timestamp>)>,
    /// How current its data is.
    pub freshness: Freshness,
    /// Health score from 0 (failed) to 1 (as new), where rules give one.
    pub score: Option<f64>,
    /// Why it has its status, worst first.
    pub reasons: Vec<ReasonView>,
    /// What its rules within limits will say next if things go on as they do, soonest first. Predictions, marked as such.
    pub outlooks: Vec<OutlookView>,
    /// Its signals, in model order.
    pub signals: Vec<SignalView>,
    /// Its relationships.
    pub relations: Vec<RelationView>,
}

/// One alarm that is not normal.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmRow {
    /// The alarm.
    pub alarm: AlarmIndex,
    /// The twin that it belongs to.
    pub twin: TwinIndex,
    /// Words for the twin.
    pub twin_name: String,
    /// Message for the operator.
    pub message: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands in its life.
    pub state: AlarmState,
    /// Whether a person can acknowledge it here; others are their source's business.
    pub can_acknowledge: bool,
    /// Since when it is in this state.
    pub since: Timestamp,
}

impl AlarmRow {
    /// Whether it asks for a person: active, or waiting to be acknowledged.
    pub fn asks(&self) -> bool {
        self.state.is_active() || self.state.is_unacknowledged()
    }
}

/// Twins by status, indexed by [`Status::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts(pub [u32; 6]);

/// Twins by freshness, indexed by [`Freshness::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FreshnessCounts(pub [u32; 5]);

impl StatusCounts {
    /// How many twins have a status.
    pub fn of(&self, status: Status) -> u32 {
        self.0.get(usize::from(status.code())).copied().unwrap_or(0)
    }
}

impl FreshnessCounts {
    /// How many twins have a freshness.
    pub fn of(&self, freshness: Freshness) -> u32 {
        self.0.get(usize::from(freshness.code())).copied().unwrap_or(0)
    }
}
