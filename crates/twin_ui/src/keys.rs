//! Keyboard shortcuts, those that `shortcuts` lists.

use egui::{Key, Modifiers, Ui};

use crate::command::{Direction, UiCommand};
use crate::screen::Width;
use crate::state::{Sheet, UiState};
use crate::view::{PlayMode, ViewModel};

/// Turns keys that no text field wants into commands.
pub(crate) fn handle(ui: &Ui, width: Width, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let ctx = ui.ctx();
    if ctx.text_edit_focused() {
        if ui.input(|i| i.key_pressed(Key::Escape)) {
            show_all(state);
        }
        return;
    }
    panels(ui, width, vm, state, out);
    // A focused button takes Space and arrows for itself.
    if ctx.memory(|m| m.focused().is_none()) {
        time(ui, vm, state, out);
    }
    plant(ui, vm, state, out);
}

fn pressed(ui: &Ui, key: Key) -> bool {
    ui.input_mut(|i| i.consume_key(Modifiers::NONE, key))
}

fn time(ui: &Ui, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    if pressed(ui, Key::Space) {
        out.push(if vm.clock.mode == PlayMode::Playing { UiCommand::Pause } else { play_or_pause(vm) });
    }
    for (key, direction) in [(Key::ArrowLeft, Direction::Back), (Key::ArrowRight, Direction::Forward)] {
        if ui.input_mut(|i| i.consume_key(Modifiers::COMMAND, key)) {
            out.push(UiCommand::StepEvent(direction));
        } else if pressed(ui, key) {
            out.push(UiCommand::StepSample(direction));
        }
    }
    if pressed(ui, Key::Home)
        && let Some(view) = state.time_view
    {
        out.push(UiCommand::Seek(view.start.max(vm.timeline.extent.start)));
    }
    if pressed(ui, Key::End) {
        out.push(UiCommand::Follow);
    }
    if let Some(on) = vm.clock.as_known
        && pressed(ui, Key::K)
    {
        out.push(UiCommand::ShowAsKnown(!on));
    }
    if let Some(judged) = vm.clock.judged
        && pressed(ui, Key::J)
    {
        out.push(UiCommand::JudgeByThen(!judged.by_then));
    }
}

/// Space while following stops the picture; otherwise it runs the clock.
fn play_or_pause(vm: &ViewModel) -> UiCommand {
    if vm.clock.runs() { UiCommand::Pause } else { UiCommand::Play }
}

fn plant(ui: &Ui, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    if let Some(twin) = vm.primary() {
        if pressed(ui, Key::F) {
            out.push(UiCommand::Focus(twin));
        }
        if pressed(ui, Key::I) {
            out.push(UiCommand::Isolate(!vm.isolated));
        }
    }
    if pressed(ui, Key::H) {
        out.push(UiCommand::Home);
    }
    if pressed(ui, Key::Escape) {
        if state.help_open {
            state.help_open = false;
        } else if show_all(state) {
            // What was typed goes before what was selected.
        } else if state.sheet == Some(Sheet::Right) {
            crate::panels::close_right(state, out);
        } else if state.sheet.is_some() {
            state.sheet = None;
        } else {
            out.push(UiCommand::Select { twin: None, additive: false });
        }
    }
}

/// Takes search and filter from the tree; whether there was one.
fn show_all(state: &mut UiState) -> bool {
    let narrowed = !state.search.is_empty() || state.troubled_only;
    state.search.clear();
    state.troubled_only = false;
    narrowed
}

fn panels(ui: &Ui, width: Width, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    use crate::panels::{open_right, toggle_theme};
    use crate::state::RightTab;
    if pressed(ui, Key::Slash) {
        state.focus_search = true;
    }
    if pressed(ui, Key::A) {
        open_right(width, RightTab::Alarms, state, out);
    }
    if pressed(ui, Key::W) {
        open_right(width, RightTab::WhatIf, state, out);
    }
    if pressed(ui, Key::C) {
        if width == Width::Sheet {
            state.sheet = (state.sheet != Some(Sheet::Chart)).then_some(Sheet::Chart);
        } else {
            state.chart_open = !state.chart_open;
        }
    }
    if pressed(ui, Key::T) {
        toggle_theme(vm, out);
    }
    if pressed(ui, Key::F3) {
        state.perf_open = !state.perf_open;
        out.push(UiCommand::ShowPerf(state.perf_open));
    }
    if ui.input_mut(|i| i.consume_key(Modifiers::SHIFT, Key::Questionmark) || i.consume_key(Modifiers::NONE, Key::Questionmark)) {
        state.help_open = !state.help_open;
    }
}
