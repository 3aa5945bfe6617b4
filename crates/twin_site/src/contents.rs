//! Signals, rules, alarms and process models as written, every field optional, so that twins can change what their
//! interface says field by field.

use std::collections::{HashMap, HashSet};

use twin_model::{AckPolicy, AlarmState, Band, Limit, Priority, SignalKind, Span, Status, Value, ValueKind};

use super::codes;
use super::diag::{Diagnostics, Location};
use super::read::{Section, Word};
use super::validate;

/// What an interface or a twin says about signals, rules, alarms and process models.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    pub(crate) signals: Vec<RawSignal>,
    pub(crate) rules: Vec<RawRule>,
    pub(crate) alarms: Vec<RawAlarm>,
    pub(crate) processes: Vec<RawProcess>,
}

#[derive(Debug, Clone)]
pub(crate) struct RawSignal {
    pub(crate) name: Word,
    pub(crate) display_name: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) kind: Option<SignalKind>,
    /// Whether `kind` says that it follows from others; none where there is no `kind`.
    pub(crate) computed: Option<bool>,
    pub(crate) expression: Option<Word>,
    pub(crate) value: Option<ValueKind>,
    pub(crate) period: Option<Span>,
    pub(crate) late_after: Option<Span>,
    pub(crate) stale_after: Option<Span>,
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) source: Option<Word>,
    pub(crate) source_key: Option<Word>,
    pub(crate) remove: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RawRule {
    pub(crate) id: Word,
    pub(crate) kind: Option<&'static str>,
    pub(crate) signal: Option<Word>,
    pub(crate) bands: Option<Vec<Band>>,
    pub(crate) deadband: Option<f64>,
    pub(crate) on_delay: Option<Span>,
    pub(crate) off_delay: Option<Span>,
    pub(crate) cases: Option<Vec<(Value, Status)>>,
    pub(crate) otherwise: Option<Status>,
    pub(crate) uncertain: Option<Status>,
    pub(crate) bad: Option<Status>,
    pub(crate) status: Option<Status>,
    pub(crate) note: Option<String>,
    pub(crate) remove: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RawAlarm {
    pub(crate) id: Word,
    pub(crate) kind: Option<&'static str>,
    pub(crate) signal: Option<Word>,
    pub(crate) priority: Option<Priority>,
    pub(crate) message: Option<Word>,
    pub(crate) limit: Option<Limit>,
    pub(crate) deadband: Option<f64>,
    pub(crate) on_delay: Option<Span>,
    pub(crate) off_delay: Option<Span>,
    pub(crate) ack: Option<AckPolicy>,
    pub(crate) states: Option<Vec<(Value, AlarmState)>>,
    pub(crate) otherwise: Option<AlarmState>,
    pub(crate) remove: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RawProcess {
    pub(crate) signal: Word,
    pub(crate) kind: Option<&'static str>,
    pub(crate) expr: Option<Word>,
    pub(crate) tau: Option<Span>,
    pub(crate) clamp: Option<(f64, f64)>,
    pub(crate) start: Option<&'static str>,
    pub(crate) remove: bool,
}

/// Something with a name that can be changed by another of the same name.
trait Part: Clone {
    fn name(&self) -> &Word;
    fn removes(&self) -> bool;
    /// Takes over every field that `other` gives.
    fn change(&mut self, other: &Self);
}

macro_rules! part {
    ($type:ident, $name:ident; $($field:ident),*) => {
        impl Part for $type {
            fn name(&self) -> &Word {
                &self.$name
            }
            fn removes(&self) -> bool {
                self.remove
            }
            fn change(&mut self, other: &Self) {
                self.$name = other.$name.clone();
                $(if other.$field.is_some() { self.$field.clone_from(&other.$field); })*
            }
        }
    };
}

part!(RawSignal, name; display_name, unit, kind, computed, expression, value, period, late_after, stale_after, range, source, source_key);
part!(RawRule, id; kind, signal, bands, deadband, on_delay, off_delay, cases, otherwise, uncertain, bad, status, note);
part!(RawAlarm, id; kind, signal, priority, message, limit, deadband, on_delay, off_delay, ack, states, otherwise);
part!(RawProcess, signal; kind, expr, tau, clamp, start);

impl Contents {
    /// Reads the four lists of an interface or a twin.
    pub(crate) fn read(section: &Section<'_>, out: &mut Diagnostics) -> Self {
        for (list, name) in [("signals", "name"), ("rules", "id"), ("alarms", "id"), ("processes", "signal")] {
            section.tables(list).iter().for_each(|part| removal(part, name, out));
        }
        section.tables("signals").iter().for_each(|signal| spans(signal, out));
        Self {
            signals: unique(section.tables("signals").iter().filter_map(signal), "signal", out),
            rules: unique(
                section.tables("rules").iter().filter_map(|rule| self::rule(rule, out)).collect::<Vec<_>>(),
                "rule",
                out,
            ),
            alarms: unique(section.tables("alarms").iter().filter_map(|it| alarm(it, out)).collect::<Vec<_>>(), "alarm", out),
            processes: unique(section.tables("processes").iter().filter_map(process), "process model of signal", out),
        }
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        self.signals.len() + self.rules.len() + self.alarms.len() + self.processes.len()
    }

    /// These contents with the changes of `over`.
    pub(crate) fn changed_by(&self, over: &Self, out: &mut Diagnostics) -> Self {
        Self {
            signals: merge(&self.signals, &over.signals, "signal", out),
            rules: merge(&self.rules, &over.rules, "rule", out),
            alarms: merge(&self.alarms, &over.alarms, "alarm", out),
            processes: merge(&self.processes, &over.processes, "process model of signal", out),
        }
    }
}

fn merge<P: Part>(base: &[P], over: &[P], what: &str, out: &mut Diagnostics) -> Vec<P> {
    if over.is_empty() {
        return base.to_vec();
    }
    let mut all: Vec<Option<P>> = base.iter().cloned().map(Some).collect();
    let places: HashMap<&str, usize> = base.iter().enumerate().map(|(at, part)| (part.name().as_str(), at)).collect();
    for change in over {
        let name = change.name();
        match places.get(name.as_str()).and_then(|at| all.get_mut(*at)) {
            Some(slot) if change.removes() => *slot = None,
            Some(Some(part)) => part.change(change),
            Some(None) => {}
            None if change.removes() => {
                let help = out.suggest(name.as_str(), base.iter().map(|part| part.name().as_str()), "delete this entry");
                let message = format!("there is no {what} '{}' to remove", name.as_str());
                out.warning(codes::KEY_UNUSED, &name.at, name.as_str(), message, help);
            }
            None => all.push(Some(change.clone())),
        }
    }
    all.into_iter().flatten().collect()
}

fn unique<P: Part>(parts: impl IntoIterator<Item = P>, what: &str, out: &mut Diagnostics) -> Vec<P> {
    let mut all: Vec<P> = Vec::new();
    let mut names = HashSet::new();
    for part in parts {
        let name = part.name();
        if names.insert(name.text.clone()) {
            all.push(part);
        } else {
            let message = format!("{what} '{}' is written twice in one list", name.as_str());
            out.error(codes::ID_DUPLICATE, &name.at, name.as_str(), message, "rename or delete the second".to_owned());
        }
    }
    all
}

fn signal(s: &Section<'_>) -> Option<RawSignal> {
    Some(RawSignal {
        name: s.word("name")?,
        display_name: s.text("display_name"),
        unit: s.text("unit"),
        kind: s.choice("kind").and_then(|word| match word {
            "counter" => Some(SignalKind::Counter),
            "discrete" => Some(SignalKind::Discrete),
            "computed" => None,
            _ => Some(SignalKind::Analog),
        }),
        computed: s.choice("kind").map(|word| word == "computed"),
        expression: s.word("expression"),
        value: s.choice("value").map(|word| match word {
            "int" => ValueKind::Int,
            "bool" => ValueKind::Bool,
            "text" => ValueKind::Text,
            _ => ValueKind::Float,
        }),
        period: s.duration("period").filter(|span| *span > Span::ZERO),
        late_after: s.duration("late_after").filter(|span| *span > Span::ZERO),
        stale_after: s.duration("stale_after").filter(|span| *span > Span::ZERO),
        range: s.range("range"),
        source: s.word("source"),
        source_key: s.word("source_key"),
        remove: s.bool("remove").unwrap_or(false),
    })
}

fn rule(s: &Section<'_>, out: &mut Diagnostics) -> Option<RawRule> {
    let bands = s.has("bands").then(|| s.tables("bands").iter().filter_map(|band| self::band(band, out)).collect());
    let cases = s
        .has("cases")
        .then(|| s.tables("cases").iter().filter_map(|case| Some((case.scalar("value")?, case.status("status")?))).collect());
    Some(RawRule {
        id: s.word("id")?,
        kind: s.choice("kind"),
        signal: s.word("signal"),
        bands,
        deadband: not_negative(s, "deadband", out),
        on_delay: s.duration("on_delay"),
        off_delay: s.duration("off_delay"),
        cases,
        otherwise: s.status("otherwise"),
        uncertain: s.status("uncertain"),
        bad: s.status("bad"),
        status: s.status("status"),
        note: s.text("note"),
        remove: s.bool("remove").unwrap_or(false),
    })
}

fn band(s: &Section<'_>, out: &mut Diagnostics) -> Option<Band> {
    Some(Band { limit: limit(s, true, out)?, status: s.status("status")? })
}

/// `above` or `below`, never both; `needed` says whether one must be there.
fn limit(s: &Section<'_>, needed: bool, out: &mut Diagnostics) -> Option<Limit> {
    let complain = |out: &mut Diagnostics, at: &Location, message: &str| {
        out.error(
            codes::RULE_INCOMPLETE,
            at,
            "",
            message.to_owned(),
            "write either above = \u{2026} or below = \u{2026}".to_owned(),
        );
    };
    match (s.has("above"), s.has("below")) {
        (true, true) => {
            complain(out, &s.at_key("below"), "'above' and 'below' stand side by side");
            None
        }
        (false, false) => {
            if needed {
                complain(out, &s.at(), "a limit is missing");
            }
            None
        }
        (true, false) => s.number("above").map(Limit::Above),
        (false, true) => s.number("below").map(Limit::Below),
    }
}

fn not_negative(s: &Section<'_>, key: &'static str, out: &mut Diagnostics) -> Option<f64> {
    let number = s.number(key)?;
    if number >= 0.0 {
        return Some(number);
    }
    let message = format!("{key} cannot be negative: {number}");
    out.error(codes::VALUE_INVALID, &s.at_key(key), key, message, "write zero or more".to_owned());
    None
}

fn alarm(s: &Section<'_>, out: &mut Diagnostics) -> Option<RawAlarm> {
    let states = s.has("states").then(|| {
        let case = |case: &Section<'_>| Some((case.scalar("value")?, AlarmState::parse(case.choice("state")?)?));
        s.tables("states").iter().filter_map(case).collect()
    });
    Some(RawAlarm {
        id: s.word("id")?,
        kind: s.choice("kind"),
        signal: s.word("signal"),
        priority: s.raw("priority").and_then(priority),
        message: s.word("message"),
        limit: limit(s, false, out),
        deadband: not_negative(s, "deadband", out),
        on_delay: s.duration("on_delay"),
        off_delay: s.duration("off_delay"),
        ack: s.choice("acknowledge").map(|word| if word == "required" { AckPolicy::Required } else { AckPolicy::Auto }),
        states,
        otherwise: s.choice("otherwise").and_then(AlarmState::parse),
        remove: s.bool("remove").unwrap_or(false),
    })
}

fn priority(value: &toml::de::DeValue<'_>) -> Option<Priority> {
    match value.as_str() {
        Some("critical") => Some(Priority::Critical),
        Some("high") => Some(Priority::High),
        Some("medium") => Some(Priority::Medium),
        Some("low") => Some(Priority::Low),
        Some(_) => None,
        None => Priority::from_number(u8::try_from(validate::integer(value)?).ok()?),
    }
}

fn process(s: &Section<'_>) -> Option<RawProcess> {
    Some(RawProcess {
        signal: s.word("signal")?,
        kind: s.choice("kind"),
        expr: s.word("expr"),
        tau: s.duration("tau"),
        clamp: s.range("clamp"),
        start: s.choice("start"),
        remove: s.bool("remove").unwrap_or(false),
    })
}

/// Other keys beside `remove = true`.
fn removal(s: &Section<'_>, name: &'static str, out: &mut Diagnostics) {
    if s.bool("remove") == Some(true)
        && let [first, ..] = s.keys_beside(&[name, "remove"])[..]
    {
        let message = format!("'{first}' does nothing beside remove = true");
        out.warning(codes::KEY_UNUSED, &s.at_key(first), first, message, "delete it, or 'remove'".to_owned());
    }
}

/// Ages of zero, at which every value is late or stale at once.
fn spans(s: &Section<'_>, out: &mut Diagnostics) {
    for key in ["period", "late_after", "stale_after"].into_iter().filter(|key| s.duration(key) == Some(Span::ZERO)) {
        let message = format!("{key} cannot be zero: no value would ever be current");
        out.error(codes::VALUE_INVALID, &s.at_key(key), key, message, "write the time, or delete the key".to_owned());
    }
}
