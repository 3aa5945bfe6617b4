//! Calls the panels inside egui's pass and keeps what they asked for.

use bevy::prelude::*;
use bevy_egui::EguiContexts;
use twin_ui::UiCommand;

use super::state::Viewer;

/// Runs the panels; their wishes are carried out at the start of the next frame.
pub fn panels(mut contexts: EguiContexts<'_, '_>, mut viewer: NonSendMut<'_, Viewer>, mut installed: Local<'_, bool>) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    if !*installed {
        *installed = true;
        twin_ui::theme::install(&ctx);
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
