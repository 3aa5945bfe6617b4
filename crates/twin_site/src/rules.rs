//! Rules, alarms and process models of one twin, with their signals found and their kinds complete.

use std::collections::HashSet;

use twin_model::{
    AckPolicy, Alarm, AlarmCondition, AlarmState, HealthRule, ModelBuilder, Priority, ProcessKind, ProcessModel, ProcessStart,
    RuleKind, SignalIndex, Span, Status, Value, ValueKind,
};

use super::codes;
use super::computed;
use super::contents::{RawAlarm, RawProcess, RawRule};
use super::diag::{Diagnostics, Location};
use super::names::{FullTwin, Names};
use super::read::Word;
use super::{sense, template};

/// Adds everything that judges `twin`. A twin without a rule of its own gets, per signal, one on quality and one on age.
///
/// Returns where each process model is written, in the order in which they were added.
pub(crate) fn add(twin: &FullTwin, names: &Names, builder: &mut ModelBuilder, out: &mut Diagnostics) -> Vec<Location> {
    for raw in &twin.contents.rules {
        if let Some(rule) = rule(raw, twin, names, out) {
            builder.rule(rule);
        }
    }
    if twin.contents.rules.is_empty() {
        default_rules(twin, names, builder);
    }
    for raw in &twin.contents.alarms {
        if let Some(alarm) = alarm(raw, twin, names, out) {
            builder.alarm(alarm);
        }
    }
    let mut modelled = HashSet::new();
    let mut written = Vec::new();
    for raw in &twin.contents.processes {
        if let Some(process) = process(raw, twin, names, out) {
            if modelled.insert(process.signal) {
                builder.process(process);
                written.push(raw.expr.as_ref().unwrap_or(&raw.signal).at.clone());
            } else {
                let message = format!("signal '{}' of '{}' has two process models", raw.signal.as_str(), twin.id.as_str());
                out.error(codes::PROCESS_DUPLICATE, &raw.signal.at, twin.id.as_str(), message, "delete one".to_owned());
            }
        }
    }
    written
}

fn default_rules(twin: &FullTwin, names: &Names, builder: &mut ModelBuilder) {
    for raw in &twin.contents.signals {
        let Some(signal) = names.find_signal(&format!("{}.{}", twin.id.as_str(), raw.name.as_str())) else { continue };
        // What a computed signal follows from is judged where it is measured.
        if names.is_computed(signal) {
            continue;
        }
        let mut push = |id: String, kind: RuleKind| {
            builder.rule(HealthRule { id, twin: twin.index, signal, kind, note: String::new() });
        };
        push(
            format!("quality-{}", raw.name.as_str()),
            RuleKind::Quality { uncertain: Status::OutOfSpecification, bad: Status::Failure },
        );
        push(format!("stale-{}", raw.name.as_str()), RuleKind::Stale { status: Status::Unknown });
    }
}

/// A signal of the same twin by name, else any by its whole id.
fn find(word: &Word, what: &str, twin: &FullTwin, names: &Names, out: &mut Diagnostics) -> Option<SignalIndex> {
    let text = template::fill(word, &twin.vars, &twin.id, out);
    if text.contains('{') {
        return None;
    }
    let own = names.find_signal(&format!("{}.{text}", twin.id.as_str()));
    let found = own.or_else(|| names.find_signal(&text));
    if found.is_none() {
        let own = twin.contents.signals.iter().map(|signal| signal.name.as_str());
        let candidates: Vec<&str> = if text.contains('.') { names.signal_ids().collect() } else { own.collect() };
        let otherwise = "name a signal of the twin, or any signal as <twin id>.<signal name>";
        let help = out.suggest(&text, candidates, otherwise);
        let message = format!("{what} of twin '{}' reads '{text}', which is no signal", twin.id.as_str());
        out.error(codes::SIGNAL_UNKNOWN, &word.at, twin.id.as_str(), message, help);
    }
    found
}

fn lacks(id: &Word, what: &str, key: &str, twin: &FullTwin, out: &mut Diagnostics) {
    let (lack, help) = lacking(key);
    let message = format!("{what} '{}' of twin '{}' {lack}", id.as_str(), twin.id.as_str());
    out.error(codes::RULE_INCOMPLETE, &id.at, twin.id.as_str(), message, help);
}

/// What is wrong with a part that needs a key, and what to do. A time constant may be there and be zero.
pub(super) fn lacking(key: &str) -> (String, String) {
    match key {
        "tau" => {
            let help =
                "write how long it takes to get 63 % of the way, for example tau = \"20min\"; kind = \"assign\" follows at once";
            ("has no 'tau' longer than zero".to_owned(), help.to_owned())
        }
        _ => (format!("has no '{key}'"), format!("add {key} = \u{2026}")),
    }
}

fn rule(raw: &RawRule, twin: &FullTwin, names: &Names, out: &mut Diagnostics) -> Option<HealthRule> {
    let what = format!("rule '{}'", raw.id.as_str());
    let Some(word) = &raw.signal else {
        lacks(&raw.id, "rule", "signal", twin, out);
        return None;
    };
    let Some(kind) = raw.kind else {
        lacks(&raw.id, "rule", "kind", twin, out);
        return None;
    };
    let signal = find(word, &what, twin, names, out)?;
    sense::rule_keys(raw, kind, twin, out);
    let kind = rule_kind(raw, kind, signal, twin, names, out)?;
    Some(HealthRule { id: raw.id.text.to_string(), twin: twin.index, signal, kind, note: raw.note.clone().unwrap_or_default() })
}

fn rule_kind(
    raw: &RawRule,
    kind: &str,
    signal: SignalIndex,
    twin: &FullTwin,
    names: &Names,
    out: &mut Diagnostics,
) -> Option<RuleKind> {
    Some(match kind {
        "range" => {
            if names.value_kind(signal) == ValueKind::Text {
                let message = format!("rule '{}' of twin '{}' compares a text with numbers", raw.id.as_str(), twin.id.as_str());
                out.error(codes::VALUE_KIND, &raw.id.at, twin.id.as_str(), message, "use kind = \"match\"".to_owned());
                return None;
            }
            let Some(bands) = raw.bands.clone().filter(|bands| !bands.is_empty()) else {
                lacks(&raw.id, "rule", "bands", twin, out);
                return None;
            };
            if !sense::bands(&bands, &raw.id, twin, out) {
                return None;
            }
            RuleKind::Range {
                bands,
                deadband: raw.deadband.unwrap_or(0.0),
                on_delay: raw.on_delay.unwrap_or(Span::ZERO),
                off_delay: raw.off_delay.unwrap_or(Span::ZERO),
            }
        }
        "match" => {
            let Some(cases) = raw.cases.as_ref().filter(|cases| !cases.is_empty()) else {
                lacks(&raw.id, "rule", "cases", twin, out);
                return None;
            };
            let cases = cases
                .iter()
                .filter_map(|(value, status)| Some((fitting(value, names.value_kind(signal), &raw.id, twin, out)?, *status)));
            let cases: Vec<_> = cases.collect();
            sense::cases(&cases, &format!("rule '{}'", raw.id.as_str()), &raw.id.at, twin, out);
            RuleKind::Match { cases, otherwise: raw.otherwise.unwrap_or(Status::Normal) }
        }
        "quality" => RuleKind::Quality {
            uncertain: raw.uncertain.unwrap_or(Status::OutOfSpecification),
            bad: raw.bad.unwrap_or(Status::Failure),
        },
        _ => RuleKind::Stale { status: raw.status.unwrap_or(Status::Unknown) },
    })
}

/// The value in the kind that the signal carries, so that comparison by kind and bits works.
fn fitting(value: &Value, kind: ValueKind, id: &Word, twin: &FullTwin, out: &mut Diagnostics) -> Option<Value> {
    let fitted = match (kind, value) {
        (ValueKind::Float, Value::Int(n)) => Some(Value::Float(*n as f64)),
        (ValueKind::Int, Value::Float(n)) if n.fract() == 0.0 && n.abs() < 9e15 => Some(Value::Int(*n as i64)),
        _ if value.kind() == kind => Some(value.clone()),
        _ => None,
    };
    if fitted.is_none() {
        let kind = kind.as_str();
        let message =
            format!("'{}' of twin '{}' waits for {value}, but its signal carries {kind} values", id.as_str(), twin.id.as_str());
        let help = "write the value in that kind (text in quotes, true, 1, 1.5), or set 'value' of the signal".to_owned();
        out.error(codes::VALUE_KIND, &id.at, twin.id.as_str(), message, help);
    }
    fitted
}

fn alarm(raw: &RawAlarm, twin: &FullTwin, names: &Names, out: &mut Diagnostics) -> Option<Alarm> {
    let what = format!("alarm '{}'", raw.id.as_str());
    let Some(word) = &raw.signal else {
        lacks(&raw.id, "alarm", "signal", twin, out);
        return None;
    };
    let Some(kind) = raw.kind else {
        lacks(&raw.id, "alarm", "kind", twin, out);
        return None;
    };
    let signal = find(word, &what, twin, names, out)?;
    sense::alarm_keys(raw, kind, twin, out);
    let condition = if kind == "limit" {
        let Some(limit) = raw.limit else {
            lacks(&raw.id, "alarm", "above or below", twin, out);
            return None;
        };
        AlarmCondition::Limit {
            limit,
            deadband: raw.deadband.unwrap_or(0.0),
            on_delay: raw.on_delay.unwrap_or(Span::ZERO),
            off_delay: raw.off_delay.unwrap_or(Span::ZERO),
            ack: raw.ack.unwrap_or(AckPolicy::Auto),
        }
    } else {
        let Some(states) = raw.states.as_ref().filter(|states| !states.is_empty()) else {
            lacks(&raw.id, "alarm", "states", twin, out);
            return None;
        };
        let fit =
            |(value, state): &(Value, AlarmState)| Some((fitting(value, names.value_kind(signal), &raw.id, twin, out)?, *state));
        let states: Vec<_> = states.iter().filter_map(fit).collect();
        sense::cases(&states, &what, &raw.id.at, twin, out);
        AlarmCondition::Reported { states, otherwise: raw.otherwise.unwrap_or(AlarmState::Normal) }
    };
    let message = raw.message.as_ref().map(|word| template::fill(word, &twin.vars, &twin.id, out));
    let name = twin.vars.get("name").map_or("", String::as_str);
    Some(Alarm {
        id: format!("{}.{}", twin.id.as_str(), raw.id.as_str()),
        twin: twin.index,
        signal,
        priority: raw.priority.unwrap_or(Priority::Medium),
        condition,
        message: message.unwrap_or_else(|| format!("{name}: {}", raw.id.as_str())),
    })
}

fn process(raw: &RawProcess, twin: &FullTwin, names: &Names, out: &mut Diagnostics) -> Option<ProcessModel> {
    let (Some(expr), Some(kind)) = (&raw.expr, raw.kind) else {
        lacks(&raw.signal, "the process model of", if raw.expr.is_none() { "expr" } else { "kind" }, twin, out);
        return None;
    };
    let signal = find(&raw.signal, "a process model", twin, names, out)?;
    let help = "delete it: in a run the signal follows from what it is computed from";
    if !computed::measured(names.is_computed(signal), &raw.signal, "a process model drives", codes::COMPUTED_FED, help, out) {
        return None;
    }
    let kind = match kind {
        "assign" => ProcessKind::Assign,
        "integrate" => ProcessKind::Integrate,
        "growth" => ProcessKind::Growth,
        _ => {
            let Some(tau) = raw.tau.filter(|tau| *tau > Span::ZERO) else {
                lacks(&raw.signal, "the process model of", "tau", twin, out);
                return None;
            };
            ProcessKind::Lag { tau }
        }
    };
    let text = template::fill(expr, &twin.vars, &twin.id, out);
    if !check_expression(&text, expr, twin, names, out) {
        return None;
    }
    if raw.tau.is_some() && !matches!(kind, ProcessKind::Lag { .. }) {
        let message = format!("tau of the process model of '{}' does nothing: only lag has a time constant", raw.signal.as_str());
        out.warning_once(codes::KEY_UNUSED, &raw.signal.at, twin.id.as_str(), message, "delete it; kind = \"lag\" reads it");
    }
    let start = match raw.start {
        Some(word) if matches!(kind, ProcessKind::Integrate | ProcessKind::Growth) => {
            let message = format!("start = \"{word}\" has no effect: this kind of process always begins at the observed value");
            out.warning(codes::KEY_UNUSED, &raw.signal.at, twin.id.as_str(), message, "delete it".to_owned());
            ProcessStart::Observed
        }
        Some("model") => ProcessStart::Model,
        _ => ProcessStart::Observed,
    };
    Some(ProcessModel { signal, kind, expr: text, clamp: raw.clamp, start })
}

/// Names every whole id that is no signal. Says nothing about grammar: that is said of the whole model. False where the process can't
/// be kept, because it reads what a run does not compute with.
fn check_expression(text: &str, at: &Word, twin: &FullTwin, names: &Names, out: &mut Diagnostics) -> bool {
    let Ok(syntax) = twin_expr::parse(text) else { return true };
    let mut keep = true;
    for (_, message, help) in computed::odd_bounds(&syntax, &format!("the process model of '{}'", twin.id.as_str())) {
        out.warning_once(codes::EXPRESSION_BOUNDS, &at.at, twin.id.as_str(), message, &help);
    }
    for name in syntax.names().filter(|name| name.contains('.')) {
        match names.find_signal(name) {
            None => {
                let otherwise = "name signals as <twin id>.<signal name>, and put spaces around minus";
                let help = out.suggest(name, names.signal_ids(), otherwise);
                let message = format!("the process model of '{}' mentions '{name}', which is no signal", twin.id.as_str());
                out.error(codes::EXPRESSION_REFERENCE, &at.at, twin.id.as_str(), message, help);
            }
            Some(signal) => {
                let help = "write its expression there: a run computes with signals that are measured or have a process";
                let word = Word::new(name, &at.at);
                let what = format!("the process model of '{}' reads", twin.id.as_str());
                keep &= computed::measured(names.is_computed(signal), &word, &what, codes::PROCESS_INVALID, help, out);
            }
        }
    }
    keep
}
