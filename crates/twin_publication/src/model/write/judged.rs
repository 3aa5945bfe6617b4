//! From rules and alarms to rows.

use twin_model::{
    AckPolicy, Alarm, AlarmCondition, AlarmState, Band, HealthRule, Limit, Model, RuleKind, SignalIndex, Status, TwinIndex, Value,
};

use super::text;
use crate::list::Num;
use crate::model::rows::{AlarmRow, BandRow, CaseRow, RuleRow, Text, ValueRow};

fn value(value: &Value) -> ValueRow<'_> {
    match value {
        Value::Float(v) => ValueRow::Float(Num(*v)),
        Value::Int(v) => ValueRow::Int(*v),
        Value::Bool(v) => ValueRow::Bool(*v),
        Value::Text(v) => ValueRow::Text(text(v)),
    }
}

fn bounds(limit: Limit) -> (Option<Num>, Option<Num>) {
    match limit {
        Limit::Above(v) => (Some(Num(v)), None),
        Limit::Below(v) => (None, Some(Num(v))),
    }
}

/// What a reader knows of signals when it comes to rules and alarms: the first `own` of the model.
pub(super) struct Known<'a> {
    /// The model.
    pub(super) model: &'a Model,
    /// How many signals of it are in rows.
    pub(super) own: usize,
}

impl Known<'_> {
    /// The twin that is written, because it is not the one that the signal tells.
    fn other_twin(&self, twin: TwinIndex, signal: SignalIndex) -> Option<u32> {
        let told = signal.at() < self.own && self.model.signal(signal).twin == twin;
        (!told).then_some(twin.0)
    }
}

/// The row of a rule.
pub(super) fn rule<'a>(rule: &'a HealthRule, known: &Known<'_>) -> RuleRow<'a> {
    let row = RuleRow {
        id: text(&rule.id),
        signal: rule.signal.0,
        twin: known.other_twin(rule.twin, rule.signal),
        note: text(&rule.note),
        ..RuleRow::default()
    };
    match &rule.kind {
        RuleKind::Range { bands, deadband, on_delay, off_delay } => {
            let band = |band: &Band| {
                let (above, below) = bounds(band.limit);
                BandRow { above, below, status: status(band.status) }
            };
            RuleRow {
                kind: text("range"),
                bands: bands.iter().map(band).collect(),
                deadband: Num(*deadband),
                on_delay_us: on_delay.as_micros(),
                off_delay_us: off_delay.as_micros(),
                ..row
            }
        }
        RuleKind::Match { cases, otherwise } => {
            let case = |(of, is): &'a (Value, Status)| CaseRow { value: value(of), is: status(*is) };
            RuleRow { kind: text("match"), cases: cases.iter().map(case).collect(), otherwise: Some(status(*otherwise)), ..row }
        }
        RuleKind::Quality { uncertain, bad } => {
            RuleRow { kind: text("quality"), uncertain: Some(status(*uncertain)), bad: Some(status(*bad)), ..row }
        }
        RuleKind::Stale { status: stale } => RuleRow { kind: text("stale"), status: Some(status(*stale)), ..row },
    }
}

/// The row of an alarm.
pub(super) fn alarm<'a>(alarm: &'a Alarm, known: &Known<'_>) -> AlarmRow<'a> {
    let row = AlarmRow {
        id: text(&alarm.id),
        signal: alarm.signal.0,
        twin: known.other_twin(alarm.twin, alarm.signal),
        priority: alarm.priority.number(),
        message: text(&alarm.message),
        ..AlarmRow::default()
    };
    match &alarm.condition {
        AlarmCondition::Limit { limit, deadband, on_delay, off_delay, ack } => {
            let (above, below) = bounds(*limit);
            AlarmRow {
                kind: text("limit"),
                above,
                below,
                deadband: Num(*deadband),
                on_delay_us: on_delay.as_micros(),
                off_delay_us: off_delay.as_micros(),
                acknowledge: *ack == AckPolicy::Required,
                ..row
            }
        }
        AlarmCondition::Reported { states, otherwise } => {
            let state = |state: &AlarmState| Text::Borrowed(state.as_str());
            let case = |(of, is): &'a (Value, AlarmState)| CaseRow { value: value(of), is: state(is) };
            AlarmRow {
                kind: text("reported"),
                states: states.iter().map(case).collect(),
                otherwise: Some(state(otherwise)),
                ..row
            }
        }
    }
}

fn status(status: Status) -> Text<'static> {
    Text::Borrowed(status.as_str())
}
