//! Pointer on the time bar: drag scrubs, Shift-drag selects a loop, the other buttons pan, the wheel zooms about the pointer.

use egui::{CursorIcon, PointerButton, Rect, Response, Sense, Ui, WidgetInfo, WidgetType};
use twin_model::{TimeRange, Timestamp};

use super::Scale;
use crate::command::UiCommand;
use crate::state::{BarDrag, UiState};
use crate::view::{PlayMode, ViewModel};

/// How near a tick a click must be to mean it, in points.
const SNAP: f32 = 5.0;
/// The shortest loop that a drag makes, in points.
const SHORTEST: f32 = 4.0;

/// Turns pointer and wheel on the time bar into commands; zoom and pan change the state at once.
pub(super) fn handle(
    ui: &Ui,
    plot: Rect,
    scale: Scale,
    vm: &ViewModel,
    state: &mut UiState,
    out: &mut Vec<UiCommand>,
) -> Response {
    let response = ui.interact(plot, ui.id().with("bar"), Sense::click_and_drag());
    let words = format!("Time bar, {}", state.zone.clock(vm.clock.playhead));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Slider, true, words.clone()));
    wheel(ui, &response, scale, vm, state);
    drag(ui, &response, scale, vm, state, out);
    if response.double_clicked() {
        state.fit(vm.timeline.extent);
    } else if response.clicked()
        && let Some(at) = response.interact_pointer_pos()
    {
        seek(snapped(scale, at.x, vm), vm, out);
    }
    if let Some(at) = response.hover_pos() {
        state.hover_time = Some(scale.t(at.x));
    }
    let shift = ui.input(|i| i.modifiers.shift);
    response.on_hover_cursor(if shift { CursorIcon::Text } else { CursorIcon::ResizeHorizontal })
}

/// Wheel and pinch over time bar or chart.
pub(super) fn wheel(ui: &Ui, response: &Response, scale: Scale, vm: &ViewModel, state: &mut UiState) {
    let Some(at) = response.hover_pos() else { return };
    let (scroll, pinch, shift) = ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta(), i.modifiers.shift));
    let following = vm.clock.mode == PlayMode::Following;
    // While following the live edge keeps its place, so zoom is about it.
    let about = if following { vm.clock.live_edge.unwrap_or(vm.clock.playhead) } else { scale.t(at.x) };
    let factor = f64::from(pinch) * if shift { 1.0 } else { f64::from(scroll.y / 240.0).exp() };
    if (factor - 1.0).abs() > 1e-4 {
        state.zoom(about, factor, vm.timeline.extent);
    }
    let sideways = scroll.x + if shift { scroll.y } else { 0.0 };
    if sideways != 0.0 && !following {
        state.pan(-f64::from(sideways / (scale.right - scale.left).max(1.0)));
    }
}

fn drag(ui: &Ui, response: &Response, scale: Scale, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let Some(at) = response.interact_pointer_pos() else {
        state.drag = None;
        return;
    };
    if response.drag_started() {
        let origin = ui.input(|i| i.pointer.press_origin()).unwrap_or(at);
        state.drag = Some(if !response.dragged_by(PointerButton::Primary) {
            BarDrag::Pan
        } else if ui.input(|i| i.modifiers.shift) {
            BarDrag::Select(scale.t(origin.x))
        } else {
            BarDrag::Scrub
        });
    }
    match state.drag {
        Some(BarDrag::Scrub) if response.dragged() => seek(scale.t(at.x), vm, out),
        Some(BarDrag::Select(from)) => {
            let to = scale.t(at.x);
            let range = TimeRange::new(from.min(to), from.max(to));
            if response.drag_stopped() {
                let wide = (scale.x(to) - scale.x(from)).abs() >= SHORTEST;
                out.push(UiCommand::SetLoop(wide.then_some(range)));
            }
        }
        Some(BarDrag::Pan) => state.pan(-f64::from(response.drag_delta().x / (scale.right - scale.left).max(1.0))),
        Some(BarDrag::Scrub) | None => {}
    }
    if response.drag_stopped() {
        state.drag = None;
    }
}

/// The range being selected, while it is.
pub(super) fn selecting(scale: Scale, pointer: Option<egui::Pos2>, state: &UiState) -> Option<TimeRange> {
    let (Some(BarDrag::Select(from)), Some(at)) = (state.drag, pointer) else {
        return None;
    };
    let to = scale.t(at.x);
    Some(TimeRange::new(from.min(to), from.max(to)))
}

/// Beyond the live edge there is nothing but live, unless a branch is on show.
pub(super) fn seek(t: Timestamp, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    match vm.clock.live_edge {
        Some(edge) if t >= edge && vm.shown_branch().is_none() => out.push(UiCommand::Follow),
        _ => out.push(UiCommand::Seek(t)),
    }
}

/// A click near a tick means the tick's very moment.
fn snapped(scale: Scale, x: f32, vm: &ViewModel) -> Timestamp {
    let near = vm.timeline.ticks.iter().map(|tick| (tick.t, (scale.x(tick.t) - x).abs())).filter(|(_, off)| *off <= SNAP);
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map_or_else(|| scale.t(x), |(t, _)| t)
}
