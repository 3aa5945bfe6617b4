//! Computed signals, rules, alarms and process models of interfaces that no twin has and nobody extends: nothing is left that could complete
//! them. Those of twins are judged where they are resolved.

use std::collections::{BTreeSet, HashSet};

use twin_model::Span;

use super::codes;
use super::contents::{Contents, RawAlarm, RawProcess, RawRule, RawSignal};
use super::diag::Diagnostics;
use super::interfaces::Interfaces;
use super::read::Word;
use super::rules::lacking;
use super::sources::RawSource;
use super::twins::RawTwin;

/// Says what is missing in interfaces that stand for themselves.
pub(super) fn report(interfaces: &Interfaces, twins: &[RawTwin], sources: &[RawSource], out: &mut Diagnostics) {
    let sources: BTreeSet<&str> = sources.iter().map(|source| source.id.as_str()).collect();
    let relied_on: HashSet<&str> = twins
        .iter()
        .filter(|twin| twin.source.is_none())
        .filter_map(|twin| twin.interface.as_ref())
        .map(|word| word.as_str())
        .collect();
    let used: HashSet<&str> = twins.iter().filter_map(|twin| twin.interface.as_ref()).map(|word| word.as_str()).collect();
    for (id, interface) in &interfaces.list {
        // Where a twin takes it over it is said there; where another interface does, for that one.
        let taken = relied_on.contains(id.as_str()) || interface.extended;
        if let Some(word) = interface.source.as_ref().filter(|word| !taken && !sources.contains(word.as_str())) {
            let help = out.suggest(word.as_str(), sources.iter().copied(), "define it under [[sources]]");
            out.error(codes::SOURCE_UNKNOWN, &word.at, id.as_str(), format!("there is no source '{}'", word.as_str()), help);
        }
        if used.contains(id.as_str()) || interface.extended {
            continue;
        }
        for (what, part, key) in missing(&interface.contents) {
            let (lack, help) = lacking(key);
            let message = format!("{what} '{}' of interface '{}' {lack}", part.as_str(), id.as_str());
            out.error(codes::RULE_INCOMPLETE, &part.at, id.as_str(), message, help);
        }
    }
}

fn missing(contents: &Contents) -> impl Iterator<Item = (&'static str, &Word, &'static str)> {
    let rules = contents.rules.iter().filter_map(|raw| Some(("rule", &raw.id, rule(raw)?)));
    let alarms = contents.alarms.iter().filter_map(|raw| Some(("alarm", &raw.id, alarm(raw)?)));
    let processes = contents.processes.iter().filter_map(|raw| Some(("the process model of", &raw.signal, process(raw)?)));
    let signals = contents.signals.iter().filter_map(|raw| Some(("computed signal", &raw.name, signal(raw)?)));
    signals.chain(rules).chain(alarms).chain(processes)
}

fn signal(raw: &RawSignal) -> Option<&'static str> {
    let empty = raw.expression.as_ref().is_none_or(|word| word.as_str().trim().is_empty());
    (!raw.remove && raw.computed == Some(true) && empty).then_some("expression")
}

fn rule(raw: &RawRule) -> Option<&'static str> {
    let none = |empty: Option<bool>, key| empty.unwrap_or(true).then_some(key);
    match (&raw.signal, raw.kind) {
        _ if raw.remove => None,
        (None, _) => Some("signal"),
        (_, None) => Some("kind"),
        (_, Some("range")) => none(raw.bands.as_ref().map(Vec::is_empty), "bands"),
        (_, Some("match")) => none(raw.cases.as_ref().map(Vec::is_empty), "cases"),
        _ => None,
    }
}

fn alarm(raw: &RawAlarm) -> Option<&'static str> {
    match (&raw.signal, raw.kind) {
        _ if raw.remove => None,
        (None, _) => Some("signal"),
        (_, None) => Some("kind"),
        (_, Some("limit")) => raw.limit.is_none().then_some("above or below"),
        _ => raw.states.as_ref().is_none_or(Vec::is_empty).then_some("states"),
    }
}

fn process(raw: &RawProcess) -> Option<&'static str> {
    match (&raw.expr, raw.kind) {
        _ if raw.remove => None,
        (None, _) => Some("expr"),
        (_, None) => Some("kind"),
        (_, Some("lag")) => raw.tau.is_none_or(|tau| tau <= Span::ZERO).then_some("tau"),
        _ => None,
    }
}
