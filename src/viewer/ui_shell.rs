//! Calls the panels inside egui's pass and keeps what they asked for.

use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::{EguiContexts, EguiRenderOutput};
use twin_ui::UiCommand;

use super::state::Viewer;

/// Longest click in seconds; egui's own limit, 0.8 s, is two frames of a software renderer.
const MAX_CLICK_S: f64 = 5.0;

/// Draws once more after glyphs were added to the fonts' texture: a safeguard against a blank digit that stays, which would
/// be a wrong number on the screen.
pub fn redraw_for_new_glyphs(outputs: Query<'_, '_, &EguiRenderOutput>, mut redraw: MessageWriter<'_, RequestRedraw>) {
    if outputs.iter().any(|output| !output.textures_delta.set.is_empty()) {
        redraw.write(RequestRedraw);
    }
}

/// Runs the panels; their wishes are carried out at the start of the next frame.
pub fn panels(mut contexts: EguiContexts<'_, '_>, mut viewer: NonSendMut<'_, Viewer>, mut installed: Local<'_, bool>) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    if !*installed {
        *installed = true;
        twin_ui::theme::install(&ctx);
        // A press and its release may lie far apart where pictures are slow to draw; it is a click all the same.
        ctx.options_mut(|options| options.input_options.max_click_duration = MAX_CLICK_S);
        // Fonts count from the next pass on.
        ctx.request_repaint();
        return Ok(());
    }
    let viewer = &mut *viewer;
    let mut wishes = Vec::new();
    let output = twin_ui::shell(&ctx, &viewer.vm, &mut viewer.ui, &mut wishes);
    if viewer.shell.is_none_or(|before| before.viewport != output.viewport) {
        viewer.dirty.panels = true;
        ctx.request_repaint();
    }
    viewer.shell = Some(output);
    for wish in wishes {
        if wish == UiCommand::CopyLink {
            ctx.copy_text(crate::platform::link_with(&viewer.current_link().to_fragment()));
        }
        viewer.wishes.push_back(wish);
    }
    if !viewer.wishes.is_empty() {
        ctx.request_repaint();
    }
    Ok(())
}
