//! One plant for all revisions of a recording, so that it can be played: a stream has one dictionary, and links are at positions of
//! one list of sources, while viewers change over from revision to revision.
//!
//! What a server showed while it ran fits together ([`crate::publish`] sees to that); a recording that goes on over its restart
//! may hold revisions that do not. The newest ones that do are played.

use std::sync::Arc;

use twin_model::{Model, ModelBuilder, Signal, SignalIndex};
use twin_publication::ViewerModel;

use crate::publish::running::{different, sources_differ};

/// See the module's head.
pub(super) struct OnePlant {
    /// The first revision that fits all later ones.
    pub(super) first: usize,
    /// Sources, and every signal that has values in any of them.
    pub(super) model: Model,
    /// Why the one before does not fit.
    pub(super) why: Option<String>,
}

impl OnePlant {
    /// Of revisions in their order; there is at least one. `None` of none.
    pub(super) fn of(viewers: &[&Arc<ViewerModel>]) -> Option<Self> {
        let (newest, earlier) = viewers.split_last()?;
        let mut out = Self { first: earlier.len(), model: newest.model.clone(), why: None };
        let mut after = *newest;
        for viewer in earlier.iter().rev() {
            // Other findings, or another scene, and the same model.
            if !Arc::ptr_eq(viewer, after) {
                match widened(&out.model, &viewer.model) {
                    Ok(None) => {}
                    Ok(Some(wider)) => out.model = wider,
                    Err(why) => {
                        out.why = Some(why);
                        break;
                    }
                }
            }
            after = viewer;
            out.first -= 1;
        }
        Some(out)
    }
}

/// A plant with the signals that only an earlier model has behind its own; `None` where there are none.
fn widened(plant: &Model, earlier: &Model) -> Result<Option<Model>, String> {
    if plant.site().id != earlier.site().id {
        return Err(format!("the site's id was '{}' and is '{}'", earlier.site().id, plant.site().id));
    }
    if let Some(why) = sources_differ(earlier.sources(), plant.sources()) {
        return Err(why);
    }
    let mut more: Vec<SignalIndex> = Vec::new();
    for at in earlier.signal_indices() {
        let signal = earlier.signal(at);
        let id = signal.id.as_str();
        match plant.find_signal(id) {
            // Derived where it is shown: nobody sends it.
            None if earlier.is_computed(at) => {}
            None => more.push(at),
            Some(known) if plant.is_computed(known) != earlier.is_computed(at) => {
                return Err(format!("signal '{id}' is computed in one and not in the other"));
            }
            Some(known) if !plant.is_computed(known) => {
                if let Some(facet) = different(signal, plant.signal(known)) {
                    return Err(format!("signal '{id}' has another {facet}"));
                }
            }
            Some(_) => {}
        }
    }
    if more.is_empty() { Ok(None) } else { with(plant, earlier, &more).map(Some) }
}

/// A plant and more signals. Only what is stored and sent has a part in it: no rule, no alarm.
fn with(plant: &Model, earlier: &Model, more: &[SignalIndex]) -> Result<Model, String> {
    let mut builder = ModelBuilder::new(plant.site().clone());
    for source in plant.sources() {
        builder.source(source.clone());
    }
    for twin in plant.twins() {
        builder.twin(twin.id.clone(), &twin.display_name, &twin.interface, twin.parent);
    }
    for signal in plant.signals() {
        builder.signal(signal.clone());
    }
    for computed in plant.computed() {
        builder.computed(computed.clone());
    }
    let mut gone = std::collections::BTreeMap::new();
    for signal in more.iter().map(|at| earlier.signal(*at)) {
        let theirs = earlier.twin(signal.twin);
        let twin = plant.find_twin(theirs.id.as_str()).unwrap_or_else(|| {
            *gone
                .entry(theirs.id.as_str())
                .or_insert_with(|| builder.twin(theirs.id.clone(), &theirs.display_name, &theirs.interface, None))
        });
        builder.signal(Signal { twin, ..signal.clone() });
    }
    builder.build().map_err(|error| error.to_string())
}
