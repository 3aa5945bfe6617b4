//! The clock right of the time bar: the instant on screen, how far it lies behind live, the way back.

use egui::{Align2, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::command::UiCommand;
use crate::format;
use crate::icon;
use crate::state::UiState;
use crate::theme::{S8, Type, tokens};
use crate::view::{PlayMode, ViewModel};
use crate::widgets::{ButtonKind, button, text};

/// Clock, date, and the way back to live.
pub(super) fn readout(ui: &Ui, rect: Rect, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let now = vm.clock.playhead;
    let ink = if vm.shown_branch().is_some() { t.what_if } else { t.text };
    let clock = rect.with_max_y(rect.top() + 22.0);
    if state.time_view().is_none() {
        text(ui, clock, Align2::RIGHT_CENTER, "–", Type::Large, t.faint);
        return;
    }
    let words = state.zone.clock(now);
    let at = text(ui, clock, Align2::RIGHT_CENTER, &words, Type::Large, ink);
    let response = ui.interact(at, ui.id().with("clock"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("Time on screen: {words}")));
    let _hint = response.on_hover_text(state.zone.both(now));
    let date = Rect::from_min_size(pos2(rect.left(), clock.bottom()), vec2(rect.width(), 14.0));
    let words = format!("{} · {}", state.zone.date(now), state.zone.abbreviation(now));
    text(ui, date, Align2::RIGHT_CENTER, &words, Type::Small, t.secondary);
    let last = Rect::from_min_max(pos2(rect.left(), date.bottom() + 1.0), pos2(rect.right(), date.bottom() + 21.0));
    back(ui, last, vm, out);
}

/// The same in one line.
pub(super) fn narrow(ui: &Ui, rect: Rect, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let away = vm.clock.mode != PlayMode::Following && vm.clock.live_edge.is_some();
    let now = vm.clock.playhead;
    if state.time_view().is_none() {
        return;
    }
    let upper = rect.with_max_y(rect.center().y + 4.0);
    let lower = rect.with_min_y(rect.center().y + 4.0).translate(vec2(0.0, -2.0));
    let mut right = rect.right();
    if away {
        let place = Rect::from_min_size(pos2(right - 52.0, rect.center().y - 14.0), vec2(52.0, 28.0));
        if button(ui, place, None, if vm.clock.copy { "End" } else { "Live" }, ButtonKind::Primary).clicked() {
            out.push(UiCommand::Follow);
        }
        right = place.left() - S8;
    }
    text(ui, upper.with_max_x(right), Align2::RIGHT_CENTER, &state.zone.clock(now), Type::Title, t.text);
    text(ui, lower.with_max_x(right), Align2::RIGHT_CENTER, &state.zone.date(now), Type::Small, t.secondary);
}

fn back(ui: &Ui, rect: Rect, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let clock = &vm.clock;
    let return_to = if clock.copy { "To the end" } else { "Return to live" };
    match (clock.mode, clock.live_edge, clock.lag) {
        (PlayMode::Following, ..) if clock.copy => {
            text(ui, rect, Align2::RIGHT_CENTER, "the end", Type::Small, t.faint);
        }
        (PlayMode::Following, _, Some(lag)) => {
            let fresh = lag.as_micros() < 100_000;
            let words = if fresh { "up to date".to_owned() } else { format!("{} behind", format::span(lag)) };
            text(ui, rect, Align2::RIGHT_CENTER, &words, Type::Small, t.faint);
        }
        (PlayMode::Following, ..) | (_, None, _) => {}
        (_, Some(_), _) => {
            let width = crate::widgets::button_width(ui, Some(icon::CARET_DOUBLE_RIGHT), return_to) - 8.0;
            let place = rect.with_min_x((rect.right() - width).max(rect.left() - S8));
            if button(ui, place, Some(icon::CARET_DOUBLE_RIGHT), return_to, ButtonKind::Normal).clicked() {
                out.push(UiCommand::Follow);
            }
        }
    }
}
