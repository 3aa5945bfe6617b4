//! TwinMaker component types: their time series become the signals of an interface.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value as Json;
use twin_model::{AlarmState, SignalKind, Value, ValueKind, natural_order};

use super::super::Imported;
use crate::codes;
use crate::contents::{Contents, RawAlarm, RawSignal};
use crate::diag::Diagnostics;
use crate::interfaces::RawInterface;
use crate::read::Word;

/// The built-in type that every alarm type extends.
const BASIC_ALARM: &str = "com.amazon.iottwinmaker.alarm.basic";

/// Component types by id.
#[derive(Default)]
pub(super) struct Types {
    by_id: BTreeMap<String, Type>,
}

struct Type {
    from: Word,
    extends: Vec<String>,
    signals: Vec<(String, ValueKind)>,
}

impl Types {
    pub(super) fn add(&mut self, json: &Json, from: &Word, out: &mut Diagnostics) {
        let Some(id) = json.get("componentTypeId").and_then(Json::as_str) else {
            let message = format!("'{}' has no componentTypeId", from.as_str());
            out.error(codes::FILE_INVALID, &from.at, from.as_str(), message, "name a TwinMaker component type file".to_owned());
            return;
        };
        let texts = json.get("extendsFrom").and_then(Json::as_array).into_iter().flatten();
        let extends = texts.filter_map(Json::as_str).map(str::to_owned).collect();
        let mut signals = Vec::new();
        let properties = json.get("propertyDefinitions").and_then(Json::as_object).into_iter().flatten();
        for (name, property) in properties {
            if property.get("isTimeSeries").and_then(Json::as_bool) != Some(true) {
                continue;
            }
            let word = property.pointer("/dataType/type").and_then(Json::as_str).unwrap_or("DOUBLE");
            match value_kind(word) {
                Some(kind) => signals.push((name.clone(), kind)),
                None => {
                    let message = format!("time series '{name}' of '{id}' has type {word}, which no signal can carry");
                    out.info(codes::IMPORT_SKIPPED, &from.at, id, message, String::new());
                }
            }
        }
        signals.sort_by(|a, b| natural_order(&a.0, &b.0));
        self.by_id.insert(id.to_owned(), Type { from: from.clone(), extends, signals });
    }

    /// Whether components of this type report alarms: by what it extends, or, for unknown types, by name.
    pub(super) fn is_alarm(&self, id: &str) -> bool {
        match self.by_id.get(id) {
            Some(known) => {
                let (mut seen, mut stack) = (HashSet::new(), vec![known]);
                while let Some(it) = stack.pop() {
                    if it.extends.iter().any(|base| base == BASIC_ALARM) {
                        return true;
                    }
                    let new = it.extends.iter().filter(|base| seen.insert(base.as_str()));
                    stack.extend(new.filter_map(|base| self.by_id.get(base)));
                }
                false
            }
            None => id.rsplit('.').next().is_some_and(|last| last.to_ascii_lowercase().contains("alarm")),
        }
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The series of a type and of the types that it extends, as far as they are known, and the bases that are not.
    fn with_bases<'a>(&'a self, known: &'a Type) -> (BTreeMap<&'a str, ValueKind>, BTreeSet<&'a str>) {
        let (mut signals, mut unknown, mut seen) = (BTreeMap::new(), BTreeSet::new(), HashSet::new());
        let mut stack = vec![known];
        while let Some(it) = stack.pop() {
            for (name, kind) in &it.signals {
                signals.entry(name.as_str()).or_insert(*kind);
            }
            // Each base once, so that circles end.
            for base in it.extends.iter().filter(|base| *base != BASIC_ALARM && seen.insert(base.as_str())) {
                match self.by_id.get(base) {
                    Some(base) => stack.push(base),
                    None => {
                        unknown.insert(base.as_str());
                    }
                }
            }
        }
        (signals, unknown)
    }

    /// Adds an interface for each type that twins use and the site file does not define.
    pub(super) fn add_interfaces(
        &self,
        used: &BTreeSet<String>,
        defined: &HashSet<String>,
        all: &mut Imported,
        out: &mut Diagnostics,
    ) {
        for (id, known) in self.by_id.iter().filter(|(id, _)| used.contains(*id) && !defined.contains(*id)) {
            let mut contents = Contents::default();
            let (mut signals, unknown) = self.with_bases(known);
            if self.is_alarm(id) {
                // Exports write out what a type inherits, the basic alarm's series too.
                signals.insert("alarm_status", ValueKind::Text);
                contents.alarms.push(alarm(known));
            }
            contents.signals.extend(signals.into_iter().map(|(name, kind)| signal(name, kind, known)));
            for base in unknown {
                let message = format!("'{id}' extends '{base}', whose properties were not carried over");
                out.info(codes::IMPORT_SKIPPED, &known.from.at, id, message, "define the interface in the site file".to_owned());
            }
            all.interfaces.push(RawInterface {
                id: Word::new(id, &known.from.at),
                name: id.rsplit('.').next().map(str::to_owned),
                extends: None,
                source: None,
                bind: None,
                contents,
            });
        }
    }
}

fn value_kind(word: &str) -> Option<ValueKind> {
    Some(match word {
        "DOUBLE" => ValueKind::Float,
        "INTEGER" | "LONG" => ValueKind::Int,
        "BOOLEAN" => ValueKind::Bool,
        "STRING" => ValueKind::Text,
        _ => return None,
    })
}

fn signal(name: &str, kind: ValueKind, from: &Type) -> RawSignal {
    RawSignal {
        name: Word::new(name, &from.from.at),
        display_name: None,
        unit: None,
        kind: (kind != ValueKind::Float).then_some(SignalKind::Discrete),
        computed: None,
        expression: None,
        value: Some(kind),
        period: None,
        late_after: None,
        stale_after: None,
        range: None,
        source: None,
        source_key: None,
        remove: false,
    }
}

/// The four states of TwinMaker's basic alarm.
fn alarm(from: &Type) -> RawAlarm {
    let states = [
        ("ACTIVE", AlarmState::UnackActive),
        ("ACKNOWLEDGED", AlarmState::AckActive),
        ("SNOOZE_DISABLED", AlarmState::Shelved),
        ("NORMAL", AlarmState::Normal),
    ];
    RawAlarm {
        id: Word::new("alarm", &from.from.at),
        kind: Some("reported"),
        signal: Some(Word::new("alarm_status", &from.from.at)),
        priority: None,
        message: Some(Word::new("{name}", &from.from.at)),
        limit: None,
        deadband: None,
        on_delay: None,
        off_delay: None,
        ack: None,
        states: Some(states.into_iter().map(|(text, state)| (Value::text(text), state)).collect()),
        otherwise: None,
        remove: false,
    }
}
