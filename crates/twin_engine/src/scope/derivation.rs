//! What a computed signal follows from at an instant, for people: each input with its value and its age.

use twin_expr::{AsOf, NeededRow};
use twin_health::text::{lasting, quantity};
use twin_model::{Freshness, Quality, SignalIndex, Span, Timestamp, Value};

use super::Scope;
use crate::computed::Kind;

/// Inputs that a sentence names.
const NAMED: usize = 4;

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

/// Everything about where a computed signal has its value from; `None` of a measured one.
pub(super) fn report(scope: &Scope<'_>, signal: SignalIndex) -> Option<DerivationReport> {
    let expression = scope.model.computation(signal)?.expr.clone();
    let Kind::Computed(place) = scope.reality.computed().kind(signal) else {
        let text = "it can't be computed; orrery check says why".to_owned();
        return Some(DerivationReport { expression, text, inputs: Vec::new(), not_needed: Vec::new() });
    };
    let it = scope.reality.computed().plan().all().get(place)?;
    let explanation = it.expression.explain(&scope.held(place).outcome?);
    let input = |row: &NeededRow| InputReport {
        id: scope.model.signal(row.signal).id.to_string(),
        value: row.value.clone(),
        unit: row.unit.0.clone(),
        time: row.time.instant(),
        age: row.time.instant().map(|t| scope.t.since(t)),
        quality: row.quality,
        freshness: twin_health::signal_freshness(scope.model, scope, row.signal, scope.t),
    };
    let unread = |id: &String| scope.model.find_signal_from(scope.model.signal(signal).twin, id);
    Some(DerivationReport {
        expression,
        text: explanation.to_string(),
        inputs: explanation.needed.iter().map(input).collect(),
        not_needed: explanation.not_needed.iter().filter_map(unread).map(|at| scope.model.signal(at).id.to_string()).collect(),
    })
}

/// The same in half a sentence: `from Inlet 45 °C 2 s ago, Outlet 44 °C 61 s ago`.
pub(super) fn words(scope: &Scope<'_>, signal: SignalIndex) -> Option<String> {
    let Kind::Computed(place) = scope.reality.computed().kind(signal) else { return None };
    let outcome = scope.held(place).outcome?;
    let it = scope.reality.computed().plan().all().get(place)?;
    let explanation = it.expression.explain(&outcome);
    let fault = explanation.fault.map(|fault| format!("{fault}, "));
    let mut named: Vec<String> = explanation.needed.iter().take(NAMED).map(|row| input(scope, row)).collect();
    if explanation.needed.len() > NAMED {
        named.push(format!("and {} more", explanation.needed.len() - NAMED));
    }
    if named.is_empty() {
        return fault.map(|fault| fault.trim_end_matches(", ").to_owned());
    }
    Some(format!("{}from {}", fault.unwrap_or_default(), named.join(", ")))
}

fn input(scope: &Scope<'_>, row: &NeededRow) -> String {
    let name = &scope.model.signal(row.signal).display_name;
    let value = match &row.value {
        None => "without a value".to_owned(),
        Some(Value::Text(word)) => word.to_string(),
        Some(Value::Bool(on)) => (if *on { "on" } else { "off" }).to_owned(),
        Some(value) => quantity(value.as_f64().unwrap_or(f64::NAN), &row.unit.0),
    };
    match row.time {
        AsOf::Never => format!("{name} never seen"),
        AsOf::Always => format!("{name} {value}"),
        AsOf::At(t) => format!("{name} {value} {} ago", lasting(scope.t.since(t))),
    }
}
