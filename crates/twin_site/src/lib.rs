//! The site file: what exists, how it is drawn, what feeds it, what counts as healthy.
//!
//! Holds the reader of `site.toml`, which keeps what is good and reports the rest by file, line and remedy; imports of twins from other
//! tools ([`import`]); which nodes of models show which twin ([`bind`]); and [`check`], which looks at all of it together. Refuses to open
//! files (the caller reads them) and to evaluate anything. Start at [`load`]; `docs/SITE.md` is the reference for people.

pub mod bind;
pub mod bindings;
mod build;
pub mod check;
pub mod codes;
mod computed;
pub(crate) mod contents;
pub mod diag;
pub mod import;
pub(crate) mod interfaces;
mod knobs;
mod misread;
pub mod models;
mod names;
pub mod paths;
pub(crate) mod read;
mod rules;
pub mod schema;
mod secrets;
mod sense;
mod source_keys;
mod sources;
pub mod spec;
mod tables;
mod template;
pub(crate) mod twins;
mod unfinished;
pub(crate) mod validate;
mod view;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use toml::de::DeTable;
use twin_model::{Model, SignalIndex, SiteInfo, SourceIndex, TwinIndex};

pub use bindings::{BindKey, BindingDef};
pub use build::{MAX_SIGNALS, MAX_TWINS};
pub use diag::{Diagnostic, Diagnostics, Location, Severity, closest};
pub use misread::Misread;
pub use models::ModelAsset;
pub use read::StartAt;
pub use secrets::TokenSource;
pub use source_keys::SourceClock;
pub use sources::{SourceDef, SourceKind};
pub use tables::{CsvSource, SiteTimes, ZoneFrom};
pub use twin_table::{Column, KeyPart, Layout as CsvLayout};
pub use view::Settings;

use twin_table::{Feed, Feeds};

use bind::{AssetNodes, BindReport, Glob};
use bindings::RawBinding;
use import::Anchor;
use read::{Section, Word};
use validate::SourceText;

/// Largest site file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;
/// Most bindings in one site, after lists are taken apart.
pub const MAX_BINDINGS: usize = 1_000_000;

/// Reads a file that the site file names, by its path relative to the site file. The error is words for people.
pub type ReadFile<'a> = dyn FnMut(&str) -> Result<Vec<u8>, String> + 'a;

/// A site as far as it could be understood.
#[derive(Debug, Clone)]
pub struct LoadedSite {
    /// Twins, signals, rules and so on.
    pub model: Model,
    /// Placed model files, in file order, imported ones last.
    pub assets: Vec<ModelAsset>,
    /// Which nodes show which twin: those written with twins and interfaces, then models and `[[bindings]]`, then imports.
    pub bindings: Vec<BindingDef>,
    /// Twins that have no geometry on purpose, in model order.
    pub no_geometry: Vec<TwinIndex>,
    /// Whether a signal has a source of its own, or of its twin, so that no other table is read for it; by `SignalIndex`.
    pub decided: Vec<bool>,
    /// Where each twin is written, by `TwinIndex`.
    pub twin_locations: Vec<Location>,
    /// Where the expression of each process model is written, in model order.
    pub process_locations: Vec<Location>,
    /// One entry per [`SourceIndex`] of the model.
    pub sources: Vec<SourceDef>,
    /// What times without an offset mean, and which are believed.
    pub times: SiteTimes,
    /// Points in space that an import attaches to twins.
    pub anchors: Vec<Anchor>,
    /// How the viewer starts, and what `orrery check` accepts.
    pub settings: Settings,
    /// Everything that is wrong or worth knowing, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether there is anything to serve: the file is TOML and holds at least one twin or model.
    pub usable: bool,
}

impl LoadedSite {
    /// Whether a finding of severity error exists.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Paths of all model files, each once, in the order of first use.
    pub fn model_files(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.assets.iter().map(|asset| asset.path.as_str()).filter(|path| seen.insert(*path)).collect()
    }

    /// Which signals a source feeds, by the key under which it knows them.
    pub fn signals_by_key(&self, source: SourceIndex) -> BTreeMap<&str, Vec<SignalIndex>> {
        let mut by_key: BTreeMap<&str, Vec<SignalIndex>> = BTreeMap::new();
        for (at, signal) in self.model.signals().iter().enumerate() {
            if signal.source == Some(source) {
                by_key.entry(signal.source_key.as_str()).or_default().push(SignalIndex::from_at(at));
            }
        }
        by_key
    }

    /// What each key of a table source feeds: the signals that its columns name, and those of the model that know it by a key.
    pub fn feeds(&self, source: &SourceDef) -> Feeds {
        let mut feeds = Feeds::new();
        let mut add = |key: &str, at: SignalIndex| {
            let signal = self.model.signal(at);
            let feed = Feed { signal: at, kind: signal.value_kind, unit: signal.unit.0.clone() };
            let all = feeds.entry(twin_table::names::composed(key).into_owned()).or_default();
            if !all.contains(&feed) {
                all.push(feed);
            }
        };
        let globs: Vec<Glob> = source.feeds.iter().map(|glob| Glob::new(glob)).collect();
        // A source of its own, or of its twin, is the only one that a signal has.
        let others = |at: SignalIndex| {
            let decided = self.decided.get(at.at()).copied().unwrap_or(false);
            decided && self.model.signal(at).source != Some(source.index)
        };
        for at in self.model.signal_indices().filter(|at| !others(*at)) {
            let signal = self.model.signal(at);
            if signal.source == Some(source.index) || globs.iter().any(|glob| glob.matches(signal.id.as_str())) {
                add(&signal.source_key, at);
            }
        }
        for (id, column) in &source.columns {
            if let Some(at) = self.model.find_signal(id).filter(|at| !others(*at)) {
                add(column, at);
            }
        }
        feeds
    }

    /// Resolves the bindings over the nodes of the assets that could be read.
    pub fn bind(&self, nodes: &[AssetNodes<'_>]) -> BindReport {
        bind::resolve(&bind::Input {
            model: &self.model,
            assets: &self.assets,
            bindings: &self.bindings,
            no_geometry: &self.no_geometry,
            nodes,
        })
    }
}

/// Reads a site file given as bytes; see [`load`].
pub fn load_bytes(bytes: &[u8], file_name: &str, read_file: &mut ReadFile<'_>) -> LoadedSite {
    match std::str::from_utf8(bytes) {
        Ok(text) => load(text, file_name, read_file),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = String::from_utf8_lossy(before);
            let source = SourceText::new(file_name, &text);
            let mut out = Diagnostics::default();
            let message = "the file is not UTF-8 text from here on".to_owned();
            out.error(codes::FILE_INVALID, &source.at(text.len()), "", message, "save it as UTF-8".to_owned());
            unusable(file_name, out)
        }
    }
}

/// Reads a site file. Never fails: what cannot be understood is left out and reported.
///
/// `file_name` is used in findings only. `read_file` is asked for imports, never for models or recordings.
pub fn load(text: &str, file_name: &str, read_file: &mut ReadFile<'_>) -> LoadedSite {
    let mut out = Diagnostics::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = SourceText::new(file_name, if text.len() > MAX_FILE_BYTES { "" } else { text });
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} MiB; at most {} are read", text.len() >> 20, MAX_FILE_BYTES >> 20);
        out.error(codes::FILE_TOO_LARGE, &Location::whole(&source.file), "", message, "split the site".to_owned());
        return unusable(file_name, out);
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or_else(|| Location::whole(&source.file), |span| source.at(span.start));
        let help = "see toml.io for the syntax; texts need quotes, tables [x] or [[x]]".to_owned();
        out.error(codes::TOML_SYNTAX, &at, "", error.message().replace('\n', ", "), help);
    }
    if !errors.is_empty() {
        return unusable(file_name, out);
    }
    validate::table(&source, &spec::ROOT, root.get_ref(), 0, "", &mut out);
    assemble(&Section::new(&source, &spec::ROOT, root.get_ref(), 0), &source.file, read_file, out)
}

fn unusable(file_name: &str, out: Diagnostics) -> LoadedSite {
    let file: Arc<str> = file_name.into();
    let parts = build::Parts {
        site: SiteInfo { id: String::new(), name: String::new(), time_zone: "UTC".to_owned() },
        interfaces: interfaces::Interfaces::default(),
        twins: Vec::new(),
        sources: Vec::new(),
        knobs: Vec::new(),
    };
    let model = build::build(parts, &mut Diagnostics::default()).model;
    LoadedSite {
        model,
        assets: Vec::new(),
        bindings: Vec::new(),
        no_geometry: Vec::new(),
        decided: Vec::new(),
        twin_locations: Vec::new(),
        process_locations: Vec::new(),
        sources: Vec::new(),
        times: SiteTimes::default(),
        anchors: Vec::new(),
        settings: Settings::default(),
        diagnostics: out.finish(&file),
        usable: false,
    }
}

fn assemble(root: &Section<'_>, file: &Arc<str>, read_file: &mut ReadFile<'_>, mut out: Diagnostics) -> LoadedSite {
    let out_ref = &mut out;
    let mut raw_bindings = Vec::new();
    let mut assets = models::read(root, &mut raw_bindings, out_ref);
    let mut raw_interfaces = interfaces::read(root, out_ref);
    let mut twins = twins::read(root, out_ref);
    bindings::read(root, &mut raw_bindings, out_ref);
    let times = tables::site_times(root, out_ref);
    let sources = sources::read(root, &times, out_ref);
    let knobs = knobs::read(root, out_ref);
    let settings = view::read(root, out_ref);
    let defined: HashSet<String> = raw_interfaces.iter().map(|interface| interface.id.text.to_string()).collect();
    let imported = import::read(root, &defined, read_file, out_ref);
    raw_interfaces.extend(imported.interfaces);
    import::add_twins(&mut twins, imported.twins, out_ref);
    assets.extend(imported.assets);
    raw_bindings.extend(imported.bindings);
    let interfaces = interfaces::resolve(raw_interfaces, out_ref);
    let source_defs: Vec<SourceDef> = sources.iter().enumerate().map(|(at, source)| source_def(at, source)).collect();
    let build::Built { model, no_geometry, decided, bindings: own, twin_locations, process_locations } =
        build::build(build::Parts { site: site_info(root), interfaces, twins, sources, knobs }, out_ref);
    let raw_bindings = own.into_iter().chain(raw_bindings).collect();
    report_unfed(&model, &source_defs, file, out_ref);
    let bindings = resolve_bindings(raw_bindings, &model, &assets, out_ref);
    let settings = view::resolve(settings, &model, out_ref);
    let anchors = imported.anchors.into_iter().map(|anchor| anchor.resolve(&model)).collect();
    let usable = !model.twins().is_empty() || !assets.is_empty();
    if !usable {
        let message = "the site has neither twins nor models".to_owned();
        out.error(
            codes::SITE_EMPTY,
            &Location::whole(file),
            "",
            message,
            "add [[twins]] or [[models]]; docs/SITE.md shows how".to_owned(),
        );
    }
    let allowed = |finding: &Diagnostic| settings.allow.iter().any(|code| code == finding.code);
    let diagnostics = out.finish(file).into_iter().filter(|finding| !allowed(finding)).collect();
    LoadedSite {
        model,
        assets,
        bindings,
        no_geometry,
        decided,
        twin_locations,
        process_locations,
        sources: source_defs,
        times,
        anchors,
        settings,
        diagnostics,
        usable,
    }
}

fn site_info(root: &Section<'_>) -> SiteInfo {
    let section = root.table("site");
    let text = |key: &str| section.as_ref().and_then(|section| section.text(key));
    let id =
        section.as_ref().and_then(|section| section.word("id")).map_or_else(|| "site".to_owned(), |word| word.text.to_string());
    SiteInfo {
        name: text("name").unwrap_or_else(|| id.clone()),
        time_zone: text("time_zone").unwrap_or_else(|| "UTC".to_owned()),
        id,
    }
}

fn source_def(at: usize, source: &sources::RawSource) -> SourceDef {
    SourceDef {
        index: SourceIndex::from_at(at),
        id: source.id.text.to_string(),
        kind: source.kind.clone(),
        at: source.id.at.clone(),
        columns: source.columns.iter().map(|(signal, column)| (signal.text.to_string(), column.clone())).collect(),
        feeds: source.feeds.iter().map(|glob| glob.text.to_string()).collect(),
        misread: source.misread.clone(),
    }
}

/// One finding per twin: with several sources, a signal that none is named for stays empty for ever.
fn report_unfed(model: &Model, sources: &[SourceDef], file: &Arc<str>, out: &mut Diagnostics) {
    if sources.is_empty() {
        return;
    }
    for twin in model.twins() {
        let unfed: Vec<&str> = twin
            .signals
            .iter()
            .filter(|at| !model.is_computed(**at))
            .map(|at| model.signal(*at))
            .filter(|s| s.source.is_none())
            .map(|s| s.name.as_str())
            .collect();
        if !unfed.is_empty() {
            let message = format!("no source is named for {} of twin '{}'", unfed.join(", "), twin.id);
            let help = "set 'source' of the twin, its interface or the signal, or 'feeds' of a source".to_owned();
            out.warning(codes::SIGNAL_UNFED, &Location::whole(file), twin.id.as_str(), message, help);
        }
    }
}

fn resolve_bindings(raw: Vec<RawBinding>, model: &Model, assets: &[ModelAsset], out: &mut Diagnostics) -> Vec<BindingDef> {
    let models: HashSet<&str> = assets.iter().map(|asset| asset.id.as_str()).collect();
    let mut bindings = Vec::with_capacity(raw.len().min(MAX_BINDINGS));
    for binding in raw {
        if bindings.len() >= MAX_BINDINGS {
            let message = format!("more than {MAX_BINDINGS} bindings; the rest is left out");
            out.error(codes::TOO_MANY, &binding.at, binding.twin.as_str(), message, "use globs".to_owned());
            break;
        }
        let twin = model.find_twin(binding.twin.as_str());
        if twin.is_none() {
            let help = out.suggest(binding.twin.as_str(), model.twins().iter().map(|t| t.id.as_str()), "define the twin");
            let message = format!("a binding names '{}', which is no twin", binding.twin.as_str());
            out.error(codes::TWIN_UNKNOWN, &binding.twin.at, binding.twin.as_str(), message, help);
        }
        let unknown = binding.model.as_ref().filter(|word: &&Word| !models.contains(word.as_str()));
        if let Some(word) = unknown {
            let help = out.suggest(word.as_str(), assets.iter().map(|asset| asset.id.as_str()), "define it under [[models]]");
            let message =
                format!("a binding of '{}' names model '{}', which does not exist", binding.twin.as_str(), word.as_str());
            out.error(codes::MODEL_UNKNOWN, &word.at, binding.twin.as_str(), message, help);
        }
        if let (Some(twin), None) = (twin, unknown) {
            let model = binding.model.map(|word| word.text.to_string());
            bindings.push(BindingDef { twin, model, keys: binding.keys, at: binding.at });
        }
    }
    bindings
}

#[cfg(test)]
mod tests;
