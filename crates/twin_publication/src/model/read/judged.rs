//! From rows to rules and alarms.

use twin_model::{
    AckPolicy, Alarm, AlarmCondition, Band, HealthRule, Limit, Priority, RuleKind, SignalIndex, Span, TwinIndex, Value,
};

use super::Read;
use crate::error::PublicationError;
use crate::list::Num;
use crate::model::rows::{AlarmRow, BandRow, CaseRow, Document, RuleRow, Text, ValueRow};
use crate::model::words::{alarm_state, status, unknown};

fn deadband(number: Num, place: impl FnOnce() -> String) -> Read<f64> {
    if number.0 >= 0.0 { Ok(number.0) } else { Err(PublicationError::invalid(place(), "a deadband is zero or more")) }
}

fn value(row: &ValueRow<'_>) -> Value {
    match row {
        ValueRow::Float(Num(v)) => Value::Float(*v),
        ValueRow::Int(v) => Value::Int(*v),
        ValueRow::Bool(v) => Value::Bool(*v),
        ValueRow::Text(v) => Value::text(v),
    }
}

fn limit(above: Option<Num>, below: Option<Num>, place: impl FnOnce() -> String) -> Read<Limit> {
    match (above, below) {
        (Some(Num(v)), None) => Ok(Limit::Above(v)),
        (None, Some(Num(v))) => Ok(Limit::Below(v)),
        _ => Err(PublicationError::invalid(place(), "write exactly one of above and below")),
    }
}

fn needed<'a>(word: Option<&'a Text<'_>>, place: impl FnOnce() -> String) -> Read<&'a str> {
    word.map(|word| &**word).ok_or_else(|| PublicationError::invalid(place(), "it is missing, and this kind needs it"))
}

fn cases<T>(rows: &[CaseRow<'_>], place: &str, of: impl Fn(&str, String) -> Read<T>) -> Read<Vec<(Value, T)>> {
    let case = |(at, row): (usize, &CaseRow<'_>)| Ok((value(&row.value), of(&row.is, format!("{place}[{at}].is"))?));
    rows.iter().enumerate().map(case).collect()
}

/// The twin of a row that reads a signal: its own, else the signal's. A signal for acknowledgements is in no row and has none.
fn judged(twin: Option<u32>, signal: u32, document: &Document<'_>, place: impl FnOnce() -> String) -> Read<TwinIndex> {
    let of_signal = || document.signals.0.get(signal as usize).map(|row| row.twin);
    let missing =
        || PublicationError::invalid(place(), format!("there is no signal number {signal} that would say which twin is meant"));
    twin.or_else(of_signal).map(TwinIndex).ok_or_else(missing)
}

/// The rule of a row.
pub(super) fn rule(row: &RuleRow<'_>, at: usize, document: &Document<'_>) -> Read<HealthRule> {
    let place = |field: &str| format!("rules[{at}].{field}");
    let word = |word: Option<&Text<'_>>, field: &str| status(needed(word, || place(field))?, || place(field));
    let kind = match &*row.kind {
        "range" => {
            let band = |(n, band): (usize, &BandRow<'_>)| {
                let here = || format!("rules[{at}].bands[{n}]");
                Ok(Band { limit: limit(band.above, band.below, here)?, status: status(&band.status, here)? })
            };
            RuleKind::Range {
                bands: row.bands.0.iter().enumerate().map(band).collect::<Read<_>>()?,
                deadband: deadband(row.deadband, || place("deadband"))?,
                on_delay: Span::from_micros(row.on_delay_us),
                off_delay: Span::from_micros(row.off_delay_us),
            }
        }
        "match" => RuleKind::Match {
            cases: cases(&row.cases.0, &place("cases"), |word, here| status(word, || here))?,
            otherwise: word(row.otherwise.as_ref(), "otherwise")?,
        },
        "quality" => {
            RuleKind::Quality { uncertain: word(row.uncertain.as_ref(), "uncertain")?, bad: word(row.bad.as_ref(), "bad")? }
        }
        "stale" => RuleKind::Stale { status: word(row.status.as_ref(), "status")? },
        other => return Err(unknown(place("kind"), other, ["range", "match", "quality", "stale"].into_iter())),
    };
    Ok(HealthRule {
        id: row.id.to_string(),
        twin: judged(row.twin, row.signal, document, || place("signal"))?,
        signal: SignalIndex(row.signal),
        kind,
        note: row.note.to_string(),
    })
}

/// The alarm of a row.
pub(super) fn alarm(row: &AlarmRow<'_>, at: usize, document: &Document<'_>) -> Read<Alarm> {
    let place = |field: &str| format!("alarms[{at}].{field}");
    let condition = match &*row.kind {
        "limit" => AlarmCondition::Limit {
            limit: limit(row.above, row.below, || place("above"))?,
            deadband: deadband(row.deadband, || place("deadband"))?,
            on_delay: Span::from_micros(row.on_delay_us),
            off_delay: Span::from_micros(row.off_delay_us),
            ack: if row.acknowledge { AckPolicy::Required } else { AckPolicy::Auto },
        },
        "reported" => AlarmCondition::Reported {
            states: cases(&row.states.0, &place("states"), |word, here| alarm_state(word, || here))?,
            otherwise: alarm_state(needed(row.otherwise.as_ref(), || place("otherwise"))?, || place("otherwise"))?,
        },
        other => return Err(unknown(place("kind"), other, ["limit", "reported"].into_iter())),
    };
    let priority = Priority::from_number(row.priority);
    Ok(Alarm {
        id: row.id.to_string(),
        twin: judged(row.twin, row.signal, document, || place("signal"))?,
        signal: SignalIndex(row.signal),
        priority: priority.ok_or_else(|| PublicationError::invalid(place("priority"), "priorities are 1, 2, 3 and 4"))?,
        condition,
        message: row.message.to_string(),
    })
}
