//! Calls the panels inside egui's pass and keeps what they asked for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::egui::{Event, Modifiers};
use bevy_egui::{EguiContexts, EguiInput, EguiRenderOutput};
use twin_ui::UiCommand;

use super::state::ViewerCell;

/// Longest click in seconds; egui's own limit, 0.8 s, is two frames of a software renderer.
const MAX_CLICK_S: f64 = 5.0;

/// Draws once more after glyphs were added to the fonts' texture: a safeguard against a blank digit that stays, which would
/// be a wrong number on the screen.
pub fn redraw_for_new_glyphs(outputs: Query<'_, '_, &EguiRenderOutput>, mut redraw: MessageWriter<'_, RequestRedraw>) {
    if outputs.iter().any(|output| !output.textures_delta.set.is_empty()) {
        redraw.write(RequestRedraw);
    }
}

/// When the panels want to be drawn again, as egui says. Kept by us, because the plugin draws at once whatever was asked for, and half
/// a second's wait (a tooltip, a message that fades) would draw all the time.
#[derive(Resource, Clone, Default)]
pub struct PanelsDue(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    after: Option<Duration>,
    /// Frames that are still owed to a wish for one at once.
    owed: u32,
}

impl PanelsDue {
    /// Frames for a wish for one at once: egui lets things settle for another.
    const SETTLES: u32 = 2;

    fn ask(&self, delay: Duration) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if delay.is_zero() {
            asked.owed = Self::SETTLES;
        }
        asked.after = Some(asked.after.map_or(delay, |before| before.min(delay)));
    }

    /// How long the panels can wait, as of their last pass; for ever where there is none.
    pub fn take(&self) -> Option<Duration> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let after = asked.after.take();
        if asked.owed == 0 {
            return after;
        }
        asked.owed -= 1;
        Some(Duration::ZERO)
    }
}

/// Leaves out of egui's input that the same keys are held as before. The plugin says so with every frame, and egui wants to be drawn
/// again after every event: the panels would never rest.
pub fn only_changes(mut inputs: Query<'_, '_, &mut EguiInput>, mut held: Local<'_, Option<Modifiers>>) {
    for mut input in &mut inputs {
        input.events.retain(|event| match event {
            Event::ModifiersChanged(now) => held.replace(*now) != Some(*now),
            // egui forgets them when the window is left.
            Event::WindowFocused(_) => {
                *held = None;
                true
            }
            _ => true,
        });
    }
}

/// Runs the panels; their wishes are carried out at the start of the next frame.
pub fn panels(
    mut contexts: EguiContexts<'_, '_>,
    viewer: NonSend<'_, ViewerCell>,
    due: Res<'_, PanelsDue>,
    mut installed: Local<'_, bool>,
) -> Result {
    let mut viewer = viewer.borrow_mut();
    let viewer = &mut *viewer;
    let ctx = contexts.ctx_mut()?.clone();
    if !*installed {
        *installed = true;
        twin_ui::theme::install(&ctx);
        // A press and its release may lie far apart where pictures are slow to draw; it is a click all the same.
        ctx.options_mut(|options| options.input_options.max_click_duration = MAX_CLICK_S);
        let due = due.clone();
        ctx.set_request_repaint_callback(move |wish| due.ask(wish.delay));
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
    if viewer.wishes_press() {
        ctx.request_repaint();
    }
    Ok(())
}
