//! The state of every twin at an instant as plain data: what `orrery state` prints and tests compare.

use twin_health::LastKnown;
use twin_model::{AlarmState, Freshness, Priority, Quality, Span, Status, Timestamp, Value};

use crate::Basis;

/// A site at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct StateReport {
    /// The instant.
    pub at: Timestamp,
    /// As it was, or as it was known.
    pub basis: Basis,
    /// Sorted by id.
    pub twins: Vec<TwinReport>,
}

/// A twin at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinReport {
    /// Its id.
    pub id: String,
    /// Its interface.
    pub interface: String,
    /// Its status.
    pub status: Status,
    /// 1 far from every limit, 0 at the worst.
    pub score: Option<f64>,
    /// Since when it has the status.
    pub since: Option<Timestamp>,
    /// What its rules said before some of them fell silent, where that was worse or nothing else is known.
    pub last_known: Option<LastKnown>,
    /// Whether it has anything to be judged by; what only groups others hasn't.
    pub judged: bool,
    /// How current its data is.
    pub freshness: Freshness,
    /// Its alarms, normal ones included, in model order.
    pub alarms: Vec<AlarmReport>,
    /// Why it has the status, worst first.
    pub reasons: Vec<ReasonReport>,
    /// Its signals, in model order.
    pub signals: Vec<SignalReport>,
    /// Worse limits that its values run into if they go on as before: predictions from what was known at the instant.
    pub outlooks: Vec<OutlookReport>,
}

impl TwinReport {
    /// By how much a clock of its sources runs ahead, the furthest of them.
    pub fn ahead(&self) -> Option<Span> {
        self.signals.iter().filter_map(|signal| signal.ahead).max()
    }
}

/// A worse limit ahead.
#[derive(Debug, Clone, PartialEq)]
pub struct OutlookReport {
    /// Id of the rule.
    pub rule: String,
    /// Id of the signal.
    pub signal: String,
    /// What passing the limit gives.
    pub status: Status,
    /// The limit.
    pub limit: f64,
    /// Unit of the limit.
    pub unit: String,
    /// When the trend meets it.
    pub time: Timestamp,
}

/// An alarm at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmReport {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: AlarmState,
    /// How urgent it is.
    pub priority: Priority,
    /// Since when; `None` where its signal was never seen.
    pub since: Option<Timestamp>,
}

/// A reason at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ReasonReport {
    /// Id of the rule.
    pub rule: String,
    /// Id of the signal.
    pub signal: String,
    /// Newest value; `None` where the newest sample has none.
    pub value: Option<Value>,
    /// Unit of the value.
    pub unit: String,
    /// Its source time.
    pub time: Option<Timestamp>,
    /// Its quality.
    pub quality: Quality,
    /// One plain sentence.
    pub text: String,
}

/// A signal at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalReport {
    /// Its id.
    pub id: String,
    /// Newest value at or before the instant; `None` where the newest sample has none.
    pub value: Option<Value>,
    /// Unit of the value.
    pub unit: String,
    /// Its source time.
    pub time: Option<Timestamp>,
    /// Its quality; bad where there is no value.
    pub quality: Quality,
    /// Age at the instant.
    pub age: Option<Span>,
    /// How current it is.
    pub freshness: Freshness,
    /// By how much the clock of its source runs ahead, where a reading that had been received by the instant lies ahead of it.
    pub ahead: Option<Span>,
    /// Of a computed signal, what its value follows from.
    pub derivation: Option<DerivationReport>,
}

/// What the value of a computed signal follows from.
#[derive(Debug, Clone, PartialEq)]
pub struct DerivationReport {
    /// The expression, as it is written.
    pub expression: String,
    /// One plain sentence: value, quality and what set it, and as of when.
    pub text: String,
    /// The inputs that were needed, measured or computed, in the order in which they were read.
    pub inputs: Vec<InputReport>,
    /// Ids of the inputs that were not.
    pub not_needed: Vec<String>,
}

/// An input of a computed signal.
#[derive(Debug, Clone, PartialEq)]
pub struct InputReport {
    /// Its id.
    pub id: String,
    /// Its value; `None` where there is none.
    pub value: Option<Value>,
    /// Unit of the value.
    pub unit: String,
    /// Its source time; `None` where it was never seen.
    pub time: Option<Timestamp>,
    /// Its age at the instant.
    pub age: Option<Span>,
    /// How far it can be used.
    pub quality: Quality,
    /// How current it is.
    pub freshness: Freshness,
}
