//! What of a changed site may be shown while the plant of the old one runs: its signals and sources stay what they are until a
//! restart.
//!
//! Viewers resolve the dictionary of the stream by signal id, and history names sources by their position. So a model may have
//! fewer signals than run, and whatever else it likes; a signal that does not run, or that runs as another, would be shown as if
//! it were silent, or with values that mean something else. See decision 0025.

use std::sync::Arc;

use twin_model::{Model, Signal, SignalIndex, Source};
use twin_site::{LoadedSite, SiteTimes, SourceDef, SourceKind};

/// The plant that runs.
pub(crate) struct Running {
    model: Arc<Model>,
    /// Without the places where they are written.
    sources: Vec<SourceDef>,
    times: SiteTimes,
    /// By signal: whether it has a source of its own.
    decided: Vec<bool>,
}

/// How a changed site fits the plant that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All that changed is what viewers are shown.
    Whole,
    /// Viewers can be shown it; what is told here takes a restart.
    Shown(String),
    /// Viewers would be shown what does not run; nothing can change before a restart.
    Not(String),
}

impl Running {
    /// The plant of a site.
    pub(crate) fn of(site: &LoadedSite) -> Self {
        Self {
            model: Arc::new(site.model.clone()),
            sources: site.sources.iter().map(placeless).collect(),
            times: site.times.clone(),
            decided: site.decided.clone(),
        }
    }

    /// See [`Fit`]; with the first thing that does not fit, in words.
    pub(crate) fn fit(&self, site: &LoadedSite) -> Fit {
        let (old, new) = (&*self.model, &site.model);
        if old.site().id != new.site().id {
            return Fit::Not(format!("the site's id was '{}' and is '{}'", old.site().id, new.site().id));
        }
        if let Some(why) = sources_differ(old.sources(), new.sources()) {
            return Fit::Not(why);
        }
        if let Some(why) = new.signal_indices().find_map(|signal| self.signal_differs(new, signal)) {
            return Fit::Not(why);
        }
        let sources: Vec<SourceDef> = site.sources.iter().map(placeless).collect();
        if let Some((_, changed)) = self.sources.iter().zip(&sources).find(|(old, new)| old != new) {
            return Fit::Shown(format!("source '{}' is described otherwise than it runs", changed.id));
        }
        if let Some(id) = self.read_otherwise(site) {
            return Fit::Shown(format!("tables feed signal '{id}' otherwise than they do now"));
        }
        if self.times != site.times {
            return Fit::Shown("times without an offset are read otherwise than they are now".to_owned());
        }
        // What was computed came from nowhere, and goes without a trace.
        let gone = |at: &SignalIndex| !old.is_computed(*at) && new.find_signal(old.signal(*at).id.as_str()).is_none();
        if let Some(gone) = old.signal_indices().find(gone) {
            let id = old.signal(gone).id.as_str();
            return Fit::Shown(format!("signal '{id}' still comes in and is kept, though the site has it no more"));
        }
        Fit::Whole
    }

    /// Why a signal of a new model is not one that runs.
    fn signal_differs(&self, new: &Model, at: SignalIndex) -> Option<String> {
        let signal = new.signal(at);
        let id = signal.id.as_str();
        let Some(known) = self.model.find_signal(id) else {
            // Derived where it is shown: nothing has to run for it.
            return (!new.is_computed(at)).then(|| format!("signal '{id}' is new"));
        };
        if new.is_computed(at) != self.model.is_computed(known) {
            return Some(format!("signal '{id}' is computed in one and not in the other"));
        }
        if new.is_computed(at) {
            return None;
        }
        let facet = different(self.model.signal(known), signal)?;
        Some(format!("signal '{id}' has another {facet}"))
    }

    /// A signal for which other tables are read now.
    fn read_otherwise<'a>(&self, site: &'a LoadedSite) -> Option<&'a str> {
        let decided = |list: &[bool], at: SignalIndex| list.get(at.at()).copied().unwrap_or(false);
        let other = |at: &SignalIndex| {
            let known = self.model.find_signal(site.model.signal(*at).id.as_str());
            known.is_some_and(|known| decided(&self.decided, known) != decided(&site.decided, *at))
        };
        site.model.signal_indices().find(other).map(|at| site.model.signal(at).id.as_str())
    }
}

/// What makes a signal another one for whoever feeds or stores it.
pub(crate) fn different(old: &Signal, new: &Signal) -> Option<&'static str> {
    [
        ("kind of values", old.value_kind != new.value_kind),
        ("kind", old.kind != new.kind),
        ("unit", old.unit != new.unit),
        ("source", old.source != new.source),
        ("name at its source", old.source_key != new.source_key),
    ]
    .into_iter()
    .find_map(|(facet, differs)| differs.then_some(facet))
}

/// Why the sources of one model are not those of another.
pub(crate) fn sources_differ(old: &[Source], new: &[Source]) -> Option<String> {
    if let Some((old, new)) = old.iter().zip(new).find(|(old, new)| old != new) {
        return Some(format!("in the place of source '{}' ({}) stands '{}' ({})", old.id, old.kind, new.id, new.kind));
    }
    let more = new.get(old.len()).map(|source| format!("source '{}' is new", source.id));
    more.or_else(|| old.get(new.len()).map(|source| format!("source '{}' is gone", source.id)))
}

/// A source without the places where its keys stand, which a comment moves.
fn placeless(def: &SourceDef) -> SourceDef {
    let mut def = def.clone();
    def.at.line = 0;
    def.at.column = 0;
    if let Some(misread) = &mut def.misread {
        (misread.at.line, misread.at.column) = (0, 0);
    }
    if let SourceKind::Csv(csv) = &mut def.kind {
        csv.places.clear();
    }
    def
}
