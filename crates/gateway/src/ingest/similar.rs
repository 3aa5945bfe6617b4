//! What a sender may have meant by a name that no signal of its source has.

use twin_model::{Model, SourceIndex};
use twin_scene::site::diag::closest;

/// What of a source is called nearly so, by id or by key; costs a pass over all signals.
pub(super) fn similar<'a>(model: &'a Model, source: SourceIndex, name: &str) -> Option<&'a str> {
    let ours = model.signals().iter().filter(|signal| signal.source.is_none_or(|of| of == source));
    let names = ours.flat_map(|signal| {
        let key = Some(signal.source_key.as_str()).filter(|key| !key.is_empty() && signal.source == Some(source));
        [Some(signal.id.as_str()), key].into_iter().flatten()
    });
    closest(name, names)
}
