//! What-if knobs: reading and resolving their signals.

use std::collections::HashSet;

use twin_model::{Knob, KnobTarget, Span};

use super::codes;
use super::computed;
use super::diag::Diagnostics;
use super::names::Names;
use super::read::{Section, Word};

/// A knob whose signals are not resolved yet.
#[derive(Debug)]
pub(crate) struct RawKnob {
    id: Word,
    name: Option<String>,
    unit: Option<String>,
    min: f64,
    max: f64,
    neutral: Option<f64>,
    step: Option<f64>,
    targets: Vec<RawTarget>,
}

#[derive(Debug)]
struct RawTarget {
    how: &'static str,
    signal: Word,
    to: f64,
    planned: Span,
}

/// Reads `[[knobs]]`.
pub(crate) fn read(root: &Section<'_>, out: &mut Diagnostics) -> Vec<RawKnob> {
    let mut all: Vec<RawKnob> = Vec::new();
    let mut ids = HashSet::new();
    for section in root.tables("knobs") {
        let Some(knob) = one(&section, out) else { continue };
        if !ids.insert(knob.id.text.clone()) {
            let message = format!("knob '{}' is defined twice", knob.id.as_str());
            out.error(codes::ID_DUPLICATE, &knob.id.at, knob.id.as_str(), message, "rename or delete one".to_owned());
        } else {
            all.push(knob);
        }
    }
    all
}

fn one(s: &Section<'_>, out: &mut Diagnostics) -> Option<RawKnob> {
    let knob = RawKnob {
        id: s.word("id")?,
        name: s.text("name"),
        unit: s.text("unit"),
        min: s.number("min")?,
        max: s.number("max")?,
        neutral: s.number("neutral"),
        step: s.number("step"),
        targets: s.tables("targets").iter().filter_map(|section| target(section, out)).collect(),
    };
    if s.raw("targets").and_then(|value| value.as_array()).is_some_and(|targets| targets.is_empty()) {
        let message = format!("knob '{}' changes nothing: it has no targets", knob.id.as_str());
        let help = "write targets = [{ scale = \"<signal id>\" }], or offset, set, reset".to_owned();
        out.error(codes::RULE_INCOMPLETE, &s.at_key("targets"), knob.id.as_str(), message, help);
        return None;
    }
    let neutral = knob.neutral.unwrap_or(0.0);
    let complaint = if knob.min >= knob.max {
        Some((s.at_key("max"), format!("min {} is not less than max {}", knob.min, knob.max)))
    } else if !(knob.min..=knob.max).contains(&neutral) {
        Some((s.at_key("neutral"), format!("the neutral setting {neutral} is not between {} and {}", knob.min, knob.max)))
    } else if knob.step.is_some_and(|step| step <= 0.0) {
        Some((s.at_key("step"), "step is not positive".to_owned()))
    } else {
        None
    };
    let Some((at, message)) = complaint else { return Some(knob) };
    let help = "min < max, neutral between them, step above zero".to_owned();
    out.error(codes::VALUE_INVALID, &at, knob.id.as_str(), format!("knob '{}': {message}", knob.id.as_str()), help);
    None
}

fn target(s: &Section<'_>, out: &mut Diagnostics) -> Option<RawTarget> {
    let ways: Vec<&'static str> = ["scale", "offset", "set", "reset"].into_iter().filter(|way| s.has(way)).collect();
    if !ways.contains(&"reset") {
        for key in ["to", "planned"].into_iter().filter(|key| s.has(key)) {
            let message = format!("'{key}' of a knob target does nothing without 'reset'");
            out.warning(
                codes::KEY_UNUSED,
                &s.at_key(key),
                "targets",
                message,
                "delete it, or write reset = \"\u{2026}\"".to_owned(),
            );
        }
    }
    let [how] = ways.as_slice() else {
        let help = "write exactly one of scale, offset, set, reset".to_owned();
        out.error(codes::RULE_INCOMPLETE, &s.at(), "targets", format!("a knob target has {} of them", ways.len()), help);
        return None;
    };
    Some(RawTarget {
        how,
        signal: s.word(how)?,
        to: s.number("to").unwrap_or(0.0),
        planned: s.duration("planned").unwrap_or(Span::ZERO),
    })
}

/// Resolves the signals; targets without a signal are reported and left out.
pub(crate) fn resolve(raw: Vec<RawKnob>, names: &Names, out: &mut Diagnostics) -> Vec<Knob> {
    raw.into_iter().map(|knob| resolve_one(knob, names, out)).collect()
}

fn resolve_one(raw: RawKnob, names: &Names, out: &mut Diagnostics) -> Knob {
    let mut targets = Vec::with_capacity(raw.targets.len());
    let mut unit = raw.unit;
    for target in raw.targets {
        let Some(signal) = names.find_signal(target.signal.as_str()) else {
            let help = out.suggest(target.signal.as_str(), names.signal_ids(), "signals are <twin>.<name>");
            let message = format!("knob '{}' changes '{}', which is no signal", raw.id.as_str(), target.signal.as_str());
            out.error(codes::SIGNAL_UNKNOWN, &target.signal.at, raw.id.as_str(), message, help);
            continue;
        };
        let help = "turn a signal that it follows from";
        if !computed::measured(names.is_computed(signal), &target.signal, "a knob turns", codes::COMPUTED_FED, help, out) {
            continue;
        }
        unit = unit.or_else(|| Some(default_unit(target.how, names.unit(signal))));
        targets.push(match target.how {
            "scale" => KnobTarget::Scale(signal),
            "offset" => KnobTarget::Offset(signal),
            "set" => KnobTarget::Set(signal),
            _ => KnobTarget::ResetAt { signal, value: target.to, planned: target.planned },
        });
    }
    Knob {
        display_name: raw.name.unwrap_or_else(|| raw.id.text.to_string()),
        id: raw.id.text.to_string(),
        targets,
        unit: unit.unwrap_or_default(),
        min: raw.min,
        max: raw.max,
        neutral: raw.neutral.unwrap_or(0.0),
        step: raw.step.unwrap_or((raw.max - raw.min) / 100.0),
    }
}

fn default_unit(how: &str, unit: &str) -> String {
    match how {
        "scale" => "%".to_owned(),
        "reset" => "h".to_owned(),
        _ => unit.to_owned(),
    }
}
