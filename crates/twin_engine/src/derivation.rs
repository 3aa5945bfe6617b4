//! What a computed signal follows from at an instant, for people: each input with its value and its age.

use twin_expr::{AsOf, NeededRow};
use twin_health::text::{lasting, quantity};
use twin_model::{SignalIndex, Value};

use crate::computed::Kind;
use crate::frame::Scope;
use crate::report::{DerivationReport, InputReport};

/// Inputs that a sentence names.
const NAMED: usize = 4;

/// Everything about where a computed signal has its value from; `None` of a measured one.
pub(crate) fn report(scope: &Scope<'_>, signal: SignalIndex) -> Option<DerivationReport> {
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
pub(crate) fn words(scope: &Scope<'_>, signal: SignalIndex) -> Option<String> {
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
