//! Puts twins and interfaces together into a model: signals first, then everything that refers to signals.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use twin_model::{
    ComputedSignal, Interface, Model, ModelBuilder, Relationship, Signal, SignalId, SignalIndex, SignalKind, SiteInfo, Source,
    SourceIndex, TwinIndex, Unit, ValueKind, limits,
};

use super::bindings::{Bind, RawBinding};
use super::codes;
use super::computed::{self, Written};
use super::contents::{Contents, RawSignal};
use super::diag::{Diagnostics, Location};
use super::interfaces::Interfaces;
use super::knobs::{self, RawKnob};
use super::names::{FullTwin, Names};
use super::read::Word;
use super::rules;
use super::sources::{self, RawSource};
use super::template;
use super::twins::RawTwin;
use super::unfinished;
use crate::bind::Glob;

/// Most twins in one site.
pub const MAX_TWINS: usize = 200_000;
/// Most signals in one site.
pub const MAX_SIGNALS: usize = 1_000_000;

/// Most signals, rules, alarms and process models together.
const MAX_PARTS: usize = if cfg!(test) { 100_000 } else { 2_000_000 };

/// Everything that was read, before names are resolved.
pub(crate) struct Parts {
    pub(crate) site: SiteInfo,
    pub(crate) interfaces: Interfaces,
    pub(crate) twins: Vec<RawTwin>,
    pub(crate) sources: Vec<RawSource>,
    pub(crate) knobs: Vec<RawKnob>,
}

/// What a build gives.
pub(crate) struct Built {
    pub(crate) model: Model,
    /// Twins that have no geometry on purpose.
    pub(crate) no_geometry: Vec<TwinIndex>,
    /// By `SignalIndex`: its source is its own, or its twin's, and no other table that names it is read for it.
    pub(crate) decided: Vec<bool>,
    /// What `bind` of twins and interfaces says, in model order.
    pub(crate) bindings: Vec<RawBinding>,
    /// By `TwinIndex`.
    pub(crate) twin_locations: Vec<Location>,
    /// Of the expressions of process models, in model order.
    pub(crate) process_locations: Vec<Location>,
}

/// Resolves all names and makes the model.
pub(crate) fn build(parts: Parts, out: &mut Diagnostics) -> Built {
    let mut builder = ModelBuilder::new(parts.site);
    for (id, interface) in &parts.interfaces.list {
        builder.interface(Interface { id: id.text.to_string(), display_name: interface.name.clone() });
    }
    for source in &parts.sources {
        builder.source(Source { id: source.id.text.to_string(), kind: source.kind.as_str().to_owned() });
    }
    let raw = unique_twins(parts.twins, out);
    let mut names = Names {
        twin_order: raw.iter().map(|twin| twin.id.text.clone()).collect(),
        twins: raw.iter().enumerate().map(|(at, twin)| (twin.id.text.clone(), TwinIndex::from_at(at))).collect(),
        ..Names::default()
    };
    let parents = parents(&raw, &names, out);
    let feeds = Feeds::new(&parts.sources, out);
    let mut full: Vec<FullTwin> = Vec::with_capacity(raw.len());
    let mut total = 0;
    for (twin, parent) in raw.iter().zip(&parents) {
        let interface = twin.interface.as_ref().map(|word| word.as_str()).unwrap_or_default();
        let index = builder.twin(&*twin.id.text, twin.name.as_deref().unwrap_or(twin.id.as_str()), interface, *parent);
        let mut one = full_twin(index, twin, parent.and_then(|p| raw.get(p.at())), &parts.interfaces, total, out);
        total += one.contents.len();
        if names.list.len() + one.contents.signals.len() > MAX_SIGNALS {
            too_many(&format!("{MAX_SIGNALS} signals"), &twin.id, out);
            one.contents = Contents::default();
        }
        full.push(one);
        signals(twin, full.last(), &parts.interfaces, &feeds, &mut names, out);
    }
    for signal in &names.list {
        builder.signal(signal.clone());
    }
    for it in &names.computed {
        builder.computed(ComputedSignal { signal: it.signal, expr: it.text.clone() });
    }
    let decided = std::mem::take(&mut names.decided);
    feeds.report_unknown(&names, out);
    unfinished::report(&parts.interfaces, &raw, &parts.sources, out);
    let mut process_locations = Vec::new();
    for (twin, raw) in full.iter().zip(&raw) {
        process_locations.extend(rules::add(twin, &names, &mut builder, out));
        relationships(twin.index, raw, &names, &mut builder, out);
    }
    for knob in knobs::resolve(parts.knobs, &names, out) {
        builder.knob(knob);
    }
    let (bindings, no_geometry) = bindings(&full, &raw, &parts.interfaces, out);
    let twin_locations = raw.iter().map(|twin| twin.id.at.clone()).collect();
    let model = finish(builder, out);
    computed::report(&model, &names.computed, out);
    Built { model, no_geometry, decided, bindings, twin_locations, process_locations }
}

/// What `bind` of twins and of their interfaces says, and the twins that have no geometry on purpose.
fn bindings(
    full: &[FullTwin],
    raw: &[RawTwin],
    interfaces: &Interfaces,
    out: &mut Diagnostics,
) -> (Vec<RawBinding>, Vec<TwinIndex>) {
    let (mut bindings, mut no_geometry) = (Vec::new(), Vec::new());
    for (twin, raw) in full.iter().zip(raw) {
        let inherited = raw.interface.as_ref().and_then(|word| interfaces.get(word.as_str())).and_then(|it| it.bind.as_ref());
        if bindings.len() >= super::MAX_BINDINGS {
            too_many(&format!("{} bindings", super::MAX_BINDINGS), &raw.id, out);
            break;
        }
        match (&raw.bind, inherited) {
            // A twin's own texts are taken as they stand: node names may hold braces.
            (Some(Bind::To(own)), _) => bindings.extend(own.iter().cloned()),
            (None, Some(template @ Bind::To(_))) => bindings.extend(template.for_twin(&raw.id, &twin.vars, out)),
            (Some(Bind::Nothing), _) | (None, Some(Bind::Nothing)) => no_geometry.push(twin.index),
            (None, None) => {}
        }
    }
    (bindings, no_geometry)
}

/// Everything was checked on the way; should a check have been missed, the site is empty rather than wrong.
fn finish(builder: ModelBuilder, out: &mut Diagnostics) -> Model {
    builder.build().unwrap_or_else(|error| {
        let at = Location { file: "".into(), line: 0, column: 0 };
        out.error(codes::FILE_INVALID, &at, "", error.to_string(), "report this: the loader should have said where".to_owned());
        let site = SiteInfo { id: String::new(), name: String::new(), time_zone: "UTC".to_owned() };
        ModelBuilder::new(site).build().unwrap_or_else(|_| unreachable!("an empty model has nothing to refuse"))
    })
}

fn too_many(what: &str, twin: &Word, out: &mut Diagnostics) {
    let message = format!("more than {what}; twin '{}' has none", twin.as_str());
    out.error(codes::TOO_MANY, &twin.at, twin.as_str(), message, "split the site".to_owned());
}

fn unique_twins(raw: Vec<RawTwin>, out: &mut Diagnostics) -> Vec<RawTwin> {
    let mut seen: HashMap<Arc<str>, Location> = HashMap::new();
    let mut kept = Vec::with_capacity(raw.len());
    for twin in raw {
        if let Some(first) = seen.get(&twin.id.text) {
            let message = format!("twin '{}' is defined twice; the first is at {first}", twin.id.as_str());
            out.error(codes::ID_DUPLICATE, &twin.id.at, twin.id.as_str(), message, "rename or delete this one".to_owned());
        } else if kept.len() >= MAX_TWINS {
            let message = format!("more than {MAX_TWINS} twins; the rest is left out");
            out.error(codes::TOO_MANY, &twin.id.at, twin.id.as_str(), message, "split the site".to_owned());
            break;
        } else {
            seen.insert(twin.id.text.clone(), twin.id.at.clone());
            kept.push(twin);
        }
    }
    kept
}

/// The parent of each twin; dangling ones and circles are reported and cut.
fn parents(raw: &[RawTwin], names: &Names, out: &mut Diagnostics) -> Vec<Option<TwinIndex>> {
    let mut parents: Vec<Option<TwinIndex>> = Vec::with_capacity(raw.len());
    for twin in raw {
        let parent = twin.parent.as_ref().and_then(|word| {
            let found = names.find_twin(word.as_str());
            if found.is_none() {
                let help = out.suggest(word.as_str(), names.twin_ids(), "define it, or delete 'parent'");
                let message = format!("the parent of '{}' is '{}', which is no twin", twin.id.as_str(), word.as_str());
                out.error(codes::TWIN_UNKNOWN, &word.at, twin.id.as_str(), message, help);
            }
            found
        });
        parents.push(parent);
    }
    // 0 = not looked at, 1 = on the current walk, 2 = known to end at a root.
    let mut mark = vec![0_u8; raw.len()];
    for start in 0..raw.len() {
        let (mut walk, mut at) = (Vec::new(), Some(start));
        while let Some(i) = at.filter(|i| mark[*i] == 0) {
            mark[i] = 1;
            walk.push(i);
            at = parents[i].map(TwinIndex::at);
        }
        if let (Some(i), Some(last)) = (at.filter(|i| mark[*i] == 1), walk.last()) {
            let place = raw[*last].parent.as_ref().map_or(&raw[*last].id.at, |word| &word.at);
            let message = format!("twin '{}' is contained in itself", raw[i].id.as_str());
            let help = "follow the parents and break the circle; this one is left out".to_owned();
            out.error(codes::TWIN_CYCLE, place, raw[*last].id.as_str(), message, help);
            parents[*last] = None;
        }
        for i in walk {
            mark[i] = 2;
        }
    }
    parents
}

fn full_twin(
    index: TwinIndex,
    twin: &RawTwin,
    parent: Option<&RawTwin>,
    interfaces: &Interfaces,
    before: usize,
    out: &mut Diagnostics,
) -> FullTwin {
    let inherited = twin.interface.as_ref().and_then(|word| interfaces.get(word.as_str())).map_or(0, |it| it.contents.len());
    let contents = match twin.interface.as_ref().map(|word| (word, interfaces.get(word.as_str()))) {
        _ if before + inherited + twin.contents.len() > MAX_PARTS => {
            too_many(&format!("{MAX_PARTS} signals, rules, alarms and process models"), &twin.id, out);
            Contents::default()
        }
        Some((_, Some(interface))) => interface.contents.changed_by(&twin.contents, out),
        Some((word, None)) => {
            let help = out.suggest(word.as_str(), interfaces.ids(), "define it under [[interfaces]], or delete 'interface'");
            let message = format!("twin '{}' has interface '{}', which is not defined", twin.id.as_str(), word.as_str());
            out.error(codes::INTERFACE_UNKNOWN, &word.at, twin.id.as_str(), message, help);
            twin.contents.clone()
        }
        None => Contents::default().changed_by(&twin.contents, out),
    };
    let mut vars = twin.vars.clone();
    vars.insert("twin".to_owned(), twin.id.text.to_string());
    vars.insert("name".to_owned(), twin.name.clone().unwrap_or_else(|| twin.id.text.to_string()));
    if let Some(parent) = parent {
        vars.insert("parent".to_owned(), parent.id.text.to_string());
    }
    FullTwin { index, contents, vars, id: twin.id.clone() }
}

/// Which source feeds a signal where the signal does not say.
struct Feeds<'a> {
    sources: &'a [RawSource],
    naming: BTreeMap<&'a str, Vec<(usize, &'a Word, &'a str)>>,
    globs: Vec<(usize, Glob)>,
}

impl<'a> Feeds<'a> {
    fn new(sources: &'a [RawSource], out: &mut Diagnostics) -> Self {
        let globs = sources
            .iter()
            .enumerate()
            .flat_map(|(at, source)| source.feeds.iter().map(move |word| (at, Glob::new(word.as_str()))));
        Self { sources, naming: sources::wide_columns(sources, out), globs: globs.collect() }
    }

    fn named(&self, word: &Word, subject: &str, out: &mut Diagnostics) -> Option<usize> {
        let found = self.sources.iter().position(|source| source.id.text == word.text);
        if found.is_none() {
            let help = out.suggest(word.as_str(), self.sources.iter().map(|s| s.id.as_str()), "define it under [[sources]]");
            out.error(codes::SOURCE_UNKNOWN, &word.at, subject, format!("there is no source '{}'", word.as_str()), help);
        }
        found
    }

    fn unnamed(&self, signal: &str) -> Option<usize> {
        if let Some((_, glob)) = self.globs.iter().find(|(_, glob)| glob.matches(signal)) {
            return self.globs.iter().find(|(_, other)| std::ptr::eq(other, glob)).map(|(at, _)| *at);
        }
        (self.sources.len() == 1 && self.globs.is_empty() && self.naming.is_empty()).then_some(0)
    }

    /// The columns that name a signal: of each source the first, in the order of the file.
    fn naming(&self, signal: &str) -> &[(usize, &'a Word, &'a str)] {
        self.naming.get(signal).map_or(&[], Vec::as_slice)
    }

    /// Says which columns beside that of the signal's source are read for it, too, and which are not.
    fn report_others(&self, own: Option<usize>, signal: &str, out: &mut Diagnostics) {
        let naming = self.naming(signal);
        let Some(first) = own.or_else(|| naming.first().map(|(at, ..)| *at)) else { return };
        let Some(first_id) = self.sources.get(first).map(|source| source.id.as_str()) else { return };
        for (at, named, column) in naming.iter().filter(|(at, ..)| *at != first) {
            if own.is_some() {
                let id = self.sources.get(*at).map_or("", |source| source.id.as_str());
                let message =
                    format!("column '{column}' of source '{id}' is not read for '{signal}', whose own source is '{first_id}'");
                let help = format!("take it out of the columns, or delete source = \"{first_id}\" of the signal");
                out.warning(codes::KEY_UNUSED, &named.at, id, message, help);
            } else {
                let message = format!("signal '{signal}' is fed by source '{first_id}', too; both are read");
                let help = "where both have a sample of one instant, the one that came later counts".to_owned();
                out.info(codes::SOURCE_SHARED, &named.at, signal, message, help);
            }
        }
    }

    fn report_unknown(&self, names: &Names, out: &mut Diagnostics) {
        for source in self.sources {
            for (signal, column) in &source.columns {
                if names.find_signal(signal.as_str()).is_none() {
                    let help = out.suggest(signal.as_str(), names.signal_ids(), "signals are called <twin id>.<signal name>");
                    let message = format!("column '{column}' feeds '{}', which is no signal", signal.as_str());
                    out.error(codes::SIGNAL_UNKNOWN, &signal.at, source.id.as_str(), message, help);
                }
            }
            for word in &source.feeds {
                let glob = Glob::new(word.as_str());
                if !names.signal_ids().any(|id| glob.matches(id)) {
                    let message = format!("'{}' of source '{}' fits no signal", word.as_str(), source.id.as_str());
                    let help = "signals are called <twin id>.<signal name>; * stands for any text".to_owned();
                    out.warning(codes::KEY_UNUSED, &word.at, source.id.as_str(), message, help);
                }
            }
        }
    }
}

fn signals(
    twin: &RawTwin,
    full: Option<&FullTwin>,
    interfaces: &Interfaces,
    feeds: &Feeds<'_>,
    names: &mut Names,
    out: &mut Diagnostics,
) {
    let Some(full) = full else { return };
    let inherited = twin.interface.as_ref().and_then(|word| interfaces.get(word.as_str())).and_then(|it| it.source.as_ref());
    let default = twin.source.as_ref().or(inherited);
    let default = default.and_then(|word| feeds.named(word, twin.id.as_str(), out));
    for raw in &full.contents.signals {
        let id = format!("{}.{}", twin.id.as_str(), raw.name.as_str());
        if let Some(alarm) = id.strip_suffix(twin_model::ACKNOWLEDGED) {
            let message =
                format!("signals that end in '{}' hold who acknowledged an alarm, here '{alarm}'", twin_model::ACKNOWLEDGED);
            out.error(codes::ID_DUPLICATE, &raw.name.at, &id, message, "rename the signal".to_owned());
            continue;
        }
        if raw.computed == Some(true) {
            follows(raw, full, &id, feeds, names, out);
            continue;
        }
        if let Some(word) = &raw.expression {
            let message = format!("the expression of '{id}' does nothing: its kind is not computed");
            out.warning_once(codes::KEY_UNUSED, &word.at, twin.id.as_str(), message, "write kind = \"computed\", or delete it");
        }
        let own = raw.source.as_ref().and_then(|word| feeds.named(word, &id, out));
        // Its own source goes before whoever else names it, that of its twin before those whose globs fit.
        let naming = feeds.naming(&id);
        let column = naming.iter().find(|(at, ..)| own.is_none_or(|own| own == *at));
        let decided = own.or(default.filter(|_| naming.is_empty()));
        let source = own.or(column.map(|(at, ..)| *at)).or(default).or_else(|| feeds.unnamed(&id));
        feeds.report_others(own, &id, out);
        let key = raw.source_key.as_ref().map(|word| template::fill(word, &full.vars, &full.id, out));
        let key = key.or_else(|| column.map(|(.., column)| (*column).to_owned())).unwrap_or_else(|| match &twin.data_id {
            Some(data) => format!("{data}.{}", raw.name.as_str()),
            None => id.clone(),
        });
        if names.find_signal(&id).is_some() {
            let message = format!("two signals would be called '{id}'");
            out.error(codes::ID_DUPLICATE, &raw.name.at, &id, message, "rename the twin or the signal".to_owned());
            continue;
        }
        names.signals.insert(SignalId::new(id.as_str()), SignalIndex::from_at(names.list.len()));
        let signal = signal(raw, full.index, &id, source, key);
        super::sense::ages(&signal, &raw.name.at, twin.id.as_str(), out);
        names.list.push(signal);
        names.decided.push(decided.is_some());
    }
}

/// A signal that follows from others: nothing feeds it.
fn follows(raw: &RawSignal, full: &FullTwin, id: &str, feeds: &Feeds<'_>, names: &mut Names, out: &mut Diagnostics) {
    if names.find_signal(id).is_some() {
        let message = format!("two signals would be called '{id}'");
        out.error(codes::ID_DUPLICATE, &raw.name.at, id, message, "rename the twin or the signal".to_owned());
        return;
    }
    for (key, word) in [("source", &raw.source), ("source_key", &raw.source_key)] {
        if let Some(word) = word {
            let message = format!("signal '{id}' is computed, and its {key} feeds nothing");
            out.warning_once(codes::COMPUTED_FED, &word.at, id, message, "delete it, or the expression and kind = \"computed\"");
        }
    }
    for (at, named, column) in feeds.naming(id) {
        let source = feeds.sources.get(*at).map_or("", |source| source.id.as_str());
        let message = format!("column '{column}' of source '{source}' is not read for '{id}', which is computed");
        out.warning(codes::COMPUTED_FED, &named.at, id, message, "take it out of the columns".to_owned());
    }
    let within = names.computed_bytes <= limits::COMPUTED_BYTES;
    let filled = |word: &Word, out: &mut Diagnostics| template::fill(word, &full.vars, &full.id, out);
    // The first beyond the limit is kept, for the plan to say so; of the others nobody needs the text.
    let text = raw.expression.as_ref().filter(|_| within).map(|word| filled(word, out));
    names.computed_bytes += text.as_ref().map_or(0, String::len);
    if raw.expression.as_ref().is_none_or(|word| word.as_str().trim().is_empty()) {
        let at = raw.expression.as_ref().map_or(&raw.name.at, |word| &word.at);
        let message = format!("computed signal '{id}' has no expression");
        let help = "add expression = \"\u{2026}\", such as \"inlet - outlet\"".to_owned();
        out.error(codes::RULE_INCOMPLETE, at, full.id.as_str(), message, help);
    }
    let index = SignalIndex::from_at(names.list.len());
    let at = raw.expression.as_ref().map_or(&raw.name.at, |word| &word.at).clone();
    names.computed.push(Written { signal: index, text: text.unwrap_or_default().trim().to_owned(), at });
    names.signals.insert(SignalId::new(id), index);
    let signal = signal(&RawSignal { kind: None, ..raw.clone() }, full.index, id, None, id.to_owned());
    super::sense::ages(&signal, &raw.name.at, full.id.as_str(), out);
    names.list.push(signal);
    // No table is read for it.
    names.decided.push(true);
}

fn signal(raw: &RawSignal, twin: TwinIndex, id: &str, source: Option<usize>, source_key: String) -> Signal {
    let value_kind = raw.value.unwrap_or(ValueKind::Float);
    let kind = raw.kind.unwrap_or(if value_kind == ValueKind::Float { SignalKind::Analog } else { SignalKind::Discrete });
    Signal {
        id: id.into(),
        twin,
        name: raw.name.text.to_string(),
        display_name: raw.display_name.clone().unwrap_or_else(|| words(raw.name.as_str())),
        unit: Unit(raw.unit.clone().unwrap_or_default()),
        kind,
        value_kind,
        expected_period: raw.period,
        late_after: raw.late_after,
        stale_after: raw.stale_after,
        range: raw.range,
        source: source.map(SourceIndex::from_at),
        source_key,
    }
}

/// `bearing_temperature` as `Bearing temperature`.
fn words(name: &str) -> String {
    let text = name.replace(['_', '-'], " ");
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn relationships(source: TwinIndex, raw: &RawTwin, names: &Names, builder: &mut ModelBuilder, out: &mut Diagnostics) {
    for (name, target) in &raw.relationships {
        match names.find_twin(target.as_str()) {
            Some(target) => builder.relationship(Relationship { name: name.text.to_string(), source, target }),
            None => {
                let help = out.suggest(target.as_str(), names.twin_ids(), "define the twin, or delete the relationship");
                let message = format!("'{}' {} '{}', which is no twin", raw.id.as_str(), name.as_str(), target.as_str());
                out.error(codes::TWIN_UNKNOWN, &target.at, raw.id.as_str(), message, help);
            }
        }
    }
}
