//! A harness about the whole shell.

use egui::{Pos2, Rect, vec2};
use egui_kittest::Harness;
use twin_ui::view::ViewModel;
use twin_ui::{ShellOutput, UiCommand, UiState, shell};

/// What a test looks at.
pub(crate) struct Rig {
    /// What is shown.
    pub(crate) vm: ViewModel,
    /// What the panels remember.
    pub(crate) state: UiState,
    /// Commands of all passes so far.
    pub(crate) commands: Vec<UiCommand>,
    /// What the shell told the host last.
    pub(crate) output: ShellOutput,
    installed: bool,
}

/// A harness at a size.
pub(crate) fn rig(size: (f32, f32), vm: ViewModel, state: UiState) -> Harness<'static, Rig> {
    let nowhere = ShellOutput { viewport: Rect::NOTHING, captures_pointer: false, captures_keyboard: false };
    let rig = Rig { vm, state, commands: Vec::new(), output: nowhere, installed: false };
    let mut harness = Harness::builder().with_size(vec2(size.0, size.1)).build_ui_state(
        |ui, rig: &mut Rig| {
            if !rig.installed {
                twin_ui::theme::install(ui.ctx());
                rig.installed = true;
                // Fonts arrive with the next pass.
                ui.ctx().request_repaint();
                return;
            }
            rig.output = shell(ui.ctx(), &rig.vm, &mut rig.state, &mut rig.commands);
        },
        rig,
    );
    harness.run_steps(4);
    harness
}

/// At 1280x720, as it opens.
pub(crate) fn wide(vm: ViewModel) -> Harness<'static, Rig> {
    rig((1280.0, 720.0), vm, UiState::default())
}

/// The commands since the last call, without the ones that follow from layout.
pub(crate) fn taken(harness: &mut Harness<'static, Rig>) -> Vec<UiCommand> {
    harness.run_steps(2);
    let mut commands = std::mem::take(&mut harness.state_mut().commands);
    commands.retain(|command| !matches!(command, UiCommand::ShowRange(_) | UiCommand::Hover(_)));
    commands
}

/// Presses and releases at a place.
pub(crate) fn press(harness: &mut Harness<'static, Rig>, at: Pos2) {
    harness.hover_at(at);
    harness.run_steps(1);
    harness.drag_at(at);
    harness.run_steps(1);
    harness.drop_at(at);
    harness.run_steps(1);
}

/// Drags from one place to another in some steps.
pub(crate) fn drag(harness: &mut Harness<'static, Rig>, from: Pos2, to: Pos2) {
    harness.hover_at(from);
    harness.run_steps(1);
    harness.drag_at(from);
    harness.run_steps(1);
    for part in [0.3, 0.7, 1.0] {
        harness.hover_at(from + (to - from) * part);
        harness.run_steps(1);
    }
    harness.drop_at(to);
    harness.run_steps(1);
}

/// What the panels remember, changed.
pub(crate) fn with(change: impl FnOnce(&mut UiState)) -> UiState {
    let mut state = UiState::default();
    change(&mut state);
    state
}
