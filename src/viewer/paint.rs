//! From the engine's frame to the palette texture: the codes of parts that changed, and one upload.

use bevy::prelude::*;
use twin_engine::Marks;

use super::scene::SceneAssets;
use super::state::{Viewer, ViewerCell};

/// Brings the palette texture up to date; at most one upload per frame, none where nothing changed.
pub fn paint(viewer: NonSend<'_, ViewerCell>, mut assets: ResMut<'_, SceneAssets>, mut images: ResMut<'_, Assets<Image>>) {
    let mut viewer = viewer.borrow_mut();
    let viewer = &mut *viewer;
    if !std::mem::take(&mut viewer.dirty.palette) || !update(viewer) {
        return;
    }
    let Some(stage) = &mut viewer.stage else { return };
    let Some(mut image) = images.get_mut(&assets.palette) else {
        viewer.repaint();
        return;
    };
    assets.isolated = viewer.isolated;
    assets.any_ghosts = stage.codes.any_faint();
    if let Some(data) = &mut image.data {
        // A part has a slot in each cell that has something of it.
        let (codes, slots) = (stage.codes.codes(), stage.index().slots());
        for (texel, part) in data.as_chunks_mut::<4>().0.iter_mut().zip(slots) {
            if let Some(code) = codes.get(part.at()) {
                *texel = *code;
            }
        }
    }
}

/// Works out the codes for what is shown now; true where any of them changed.
fn update(viewer: &mut Viewer) -> bool {
    let shown = viewer.isolated.then(|| viewer.selected_with_children());
    let (Some(engine), Some(stage)) = (&viewer.engine, &mut viewer.stage) else { return false };
    let marks = Marks {
        selected: &viewer.selection,
        isolated: shown.as_deref(),
        hovered: viewer.hovered,
        hovered_part: viewer.hovered_part.map(|part| part.0),
    };
    let changed = std::mem::take(&mut viewer.changed);
    stage.codes.update(engine.model(), engine.frame(), &changed, &marks)
}
