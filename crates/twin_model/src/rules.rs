//! Definitions of health rules and alarms. Their evaluation lives in `twin_health`.

use crate::{AlarmState, SignalIndex, Span, Status, TwinIndex, Value};

/// A limit that a number can pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Passed by values greater than this.
    Above(f64),
    /// Passed by values less than this.
    Below(f64),
}

/// One band of a range rule: passing `limit` gives `status`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The limit.
    pub limit: Limit,
    /// Status while it is passed.
    pub status: Status,
}

/// Most bands of a range rule. More than a person can tell apart; the site's reader refuses them.
pub const MAX_BANDS: usize = 32;

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// Numeric bands, at most [`MAX_BANDS`]. Of all passed bands the worst status counts.
    Range {
        /// The bands in the order of the file.
        bands: Vec<Band>,
        /// How far the value must come back inside a limit before the band is left, in the signal's unit, zero or more.
        deadband: f64,
        /// How long a worse status must hold before it counts.
        on_delay: Span,
        /// How long a better status must hold before it counts.
        off_delay: Span,
    },
    /// Exact values, first match wins.
    Match {
        /// Value and status pairs in the order of the file.
        cases: Vec<(Value, Status)>,
        /// Status of any other value.
        otherwise: Status,
    },
    /// Quality of the value, whatever it is.
    Quality {
        /// Status while the quality is uncertain.
        uncertain: Status,
        /// Status while it is bad.
        bad: Status,
    },
    /// Age of the value: status once it is stale. Freshness itself is always shown apart.
    Stale {
        /// Status while stale or offline, where that is worse than unknown.
        status: Status,
    },
}

/// A rule that turns one signal into a status of one twin.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthRule {
    /// Id, unique within the twin, for example `bearing-vibration`.
    pub id: String,
    /// The twin whose status it contributes to.
    pub twin: TwinIndex,
    /// The signal that it reads.
    pub signal: SignalIndex,
    /// What it looks at.
    pub kind: RuleKind,
    /// Source of the thresholds or advice for people, for example `ISO 20816-3 zone C`. May be empty.
    pub note: String,
}

/// Alarm priority, most urgent first (ISA-18.2 recommends three or four).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// 1
    Critical,
    /// 2
    High,
    /// 3
    Medium,
    /// 4
    Low,
}

impl Priority {
    /// 1 to 4, most urgent first.
    pub const fn number(self) -> u8 {
        match self {
            Self::Critical => 1,
            Self::High => 2,
            Self::Medium => 3,
            Self::Low => 4,
        }
    }

    /// The priority of a number from 1 to 4.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Critical),
            2 => Some(Self::High),
            3 => Some(Self::Medium),
            4 => Some(Self::Low),
            _ => None,
        }
    }
}

/// What happens when an unacknowledged alarm clears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckPolicy {
    /// It returns to normal by itself: the source has no acknowledgement.
    Auto,
    /// It waits as returned-unacknowledged until the source reports an acknowledgement.
    Required,
}

/// When an alarm is active.
#[derive(Debug, Clone, PartialEq)]
pub enum AlarmCondition {
    /// A number passes a limit.
    Limit {
        /// The limit.
        limit: Limit,
        /// How far it must come back before the alarm clears, in the signal's unit.
        deadband: f64,
        /// How long the limit must be passed first.
        on_delay: Span,
        /// How long it must be back first.
        off_delay: Span,
        /// What happens when it clears.
        ack: AckPolicy,
    },
    /// The source runs the alarm itself and reports its state as a value.
    Reported {
        /// Value and state pairs; first match wins.
        states: Vec<(Value, AlarmState)>,
        /// State of any other value.
        otherwise: AlarmState,
    },
}

/// An alarm of a twin (ISA-18.2): something that needs an operator's response, apart from health status.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Id, unique within the site, for example `tank-02.high-level`.
    pub id: String,
    /// The twin that it belongs to.
    pub twin: TwinIndex,
    /// The signal that it reads.
    pub signal: SignalIndex,
    /// How urgent it is.
    pub priority: Priority,
    /// When it is active.
    pub condition: AlarmCondition,
    /// Message for the operator, for example `Tank 2 level high`.
    pub message: String,
}
