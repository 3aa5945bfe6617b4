//! From the engine's frame to palette texels: the only place where health becomes colour codes.

use bevy::prelude::*;
use twin_health::palette::{UNBOUND, ViewFlags, texel, unbound_texel};
use twin_model::{Freshness, Status};

use super::scene::SceneAssets;
use super::state::{Viewer, ViewerCell};

/// Brings the palette texture up to date; at most one upload per frame, none where nothing changed.
pub fn paint(viewer: NonSend<'_, ViewerCell>, mut assets: ResMut<'_, SceneAssets>, mut images: ResMut<'_, Assets<Image>>) {
    let mut viewer = viewer.borrow_mut();
    let viewer = &mut *viewer;
    if !std::mem::take(&mut viewer.dirty.palette) || !compute(viewer) {
        return;
    }
    let Some(stage) = &viewer.stage else { return };
    let Some(mut image) = images.get_mut(&assets.palette) else {
        viewer.dirty.palette = true;
        return;
    };
    assets.isolated = viewer.isolated;
    assets.any_ghosts = stage.texels.iter().any(is_faint);
    if let Some(data) = &mut image.data {
        for (slot, texel) in data.chunks_exact_mut(4).zip(&stage.texels) {
            slot.copy_from_slice(texel);
        }
    }
}

/// Whether a part is drawn by the faint pipeline, as `marks.wgsl` decides it too: what was never seen is, unless it is selected,
/// because the selection's outline is only hidden behind what is solid.
fn is_faint([status, freshness, _, flags]: &[u8; 4]) -> bool {
    let never_seen = *status != UNBOUND && *freshness == Freshness::NeverSeen.code();
    flags & ViewFlags::GHOST != 0 || (never_seen && flags & ViewFlags::SELECTED == 0)
}

/// Fills the texels for what is shown now; true where any of them changed.
fn compute(viewer: &mut Viewer) -> bool {
    let shown = if viewer.isolated { viewer.selected_with_children() } else { Vec::new() };
    let selected = viewer.selection.clone();
    let (hovered, hovered_part, isolated) = (viewer.hovered, viewer.hovered_part, viewer.isolated);
    let Some(engine) = &viewer.engine else { return false };
    let model = engine.model().clone();
    let frame = engine.frame();
    let Some(stage) = &mut viewer.stage else { return false };
    let mut changed = false;
    for (at, part) in stage.plan.parts.iter().enumerate() {
        let mut flags = 0;
        if isolated && part.twin.is_none_or(|twin| !shown.contains(&twin)) {
            flags |= ViewFlags::GHOST;
        }
        let hover = hovered_part.is_some_and(|hit| hit.at() == at && part.twin.is_none());
        if hover || (part.twin.is_some() && part.twin == hovered) {
            flags |= ViewFlags::HOVERED;
        }
        if part.twin.is_some_and(|twin| selected.contains(&twin)) {
            flags |= ViewFlags::SELECTED;
        }
        let flags = ViewFlags(flags);
        // A twin without signals has no health of its own: an area, or a wall. It keeps its material.
        let judged = part.twin.filter(|twin| model.twin(*twin).is_judged());
        let new = match judged.and_then(|twin| frame.twins.get(twin.at())) {
            Some(state) if state.status == Status::Unknown && frame.t.is_none() => unbound_texel(flags),
            Some(state) => texel(state.status, state.freshness, state.alarm, flags),
            None => unbound_texel(flags),
        };
        if stage.texels[at] != new {
            stage.texels[at] = new;
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_seen_is_faint_until_it_is_selected_and_a_ghost_always() {
        let check = |freshness: Freshness, flags: u8, faint: bool| {
            assert_eq!(is_faint(&texel(Status::Unknown, freshness, None, ViewFlags(flags))), faint, "{freshness:?} {flags}");
        };
        check(Freshness::NeverSeen, 0, true);
        check(Freshness::NeverSeen, ViewFlags::HOVERED, true);
        check(Freshness::NeverSeen, ViewFlags::SELECTED, false);
        check(Freshness::Offline, 0, false);
        check(Freshness::Live, ViewFlags::GHOST, true);
        assert!(!is_faint(&unbound_texel(ViewFlags(0))));
    }
}
