//! The state of every twin at an instant as plain data: what `orrery state` prints and tests compare.

use twin_health::{LastKnown, Reason, RuleView as _, signal_freshness};
use twin_model::{
    AlarmIndex, AlarmState, Freshness, Model, Priority, Quality, Sample, SignalIndex, Span, Status, Timestamp, Value,
};

use crate::Basis;
use crate::scope::{DerivationReport, Scope};

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

impl AlarmReport {
    /// One that was never judged stands as normal.
    pub(crate) fn of(scope: &Scope<'_>, at: AlarmIndex) -> Self {
        let alarm = scope.model.alarm(at);
        let standing = scope.alarm(at);
        Self {
            id: alarm.id.clone(),
            state: standing.map_or(AlarmState::Normal, |(state, _)| state),
            priority: alarm.priority,
            since: standing.map(|(_, since)| since),
        }
    }
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

impl ReasonReport {
    /// The same with ids in place of numbers.
    pub(crate) fn of(model: &Model, reason: &Reason) -> Self {
        let signal = model.signal(reason.signal);
        Self {
            rule: model.rule(reason.rule).id.clone(),
            signal: signal.id.to_string(),
            value: reason.value.clone(),
            unit: signal.unit.0.clone(),
            time: reason.time,
            quality: reason.quality,
            text: reason.text.clone(),
        }
    }
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

impl SignalReport {
    /// A signal of the model at the scope's instant.
    pub(crate) fn of(scope: &Scope<'_>, at: SignalIndex) -> Self {
        let signal = scope.model.signal(at);
        let sample = scope.sample(at);
        Self {
            id: signal.id.to_string(),
            unit: signal.unit.0.clone(),
            time: sample.as_ref().map(|sample| sample.source_time),
            quality: sample.as_ref().map_or(Quality::BAD, Sample::judged_quality),
            age: sample.as_ref().map(|sample| scope.t.since(sample.source_time)),
            freshness: signal_freshness(scope.model, scope, at, scope.t),
            value: sample.as_ref().and_then(Sample::given).cloned(),
            ahead: scope.ahead(at),
            derivation: scope.derived_from(at),
        }
    }
}
