//! Play, step, speed, loop, zoom: the controls left of the time bar.

use egui::{Align2, CursorIcon, Popup, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::command::{Direction, UiCommand};
use crate::screen::{Screen, Width};
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, Type, tokens};
use crate::view::{PlayMode, ViewModel};
use crate::widgets::{focus_ring, icon, icon_button, icon_button_lit, text};
use crate::{format, icon};

/// Speeds on offer, plant seconds per second.
const SPEEDS: [f64; 9] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 300.0, 1000.0];

/// Side of the small buttons in the lower row.
const ZOOM: f32 = 24.0;

/// The controls in two rows.
pub(super) fn controls(ui: &mut Ui, rect: Rect, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let full = screen.width == Width::Full;
    let upper = Rect::from_min_size(rect.min + vec2(S8, S8), vec2(rect.width() - S8 - S12, 32.0));
    let x = main_buttons(ui, upper.left(), upper.center().y, vm, out);
    speed_button(ui, Rect::from_min_size(pos2(x + S4, upper.center().y - 14.0), vec2(54.0, 28.0)), vm, out);
    if full {
        let place = Rect::from_min_size(pos2(x + S4 + 58.0, upper.center().y - 14.0), theme::square(28.0));
        loop_button(ui, place, vm, state, out);
    }
    let lower = Rect::from_min_max(
        pos2(rect.left() + S12, upper.bottom() + 3.0),
        pos2(rect.right() - S8, rect.bottom().min(upper.bottom() + 29.0)),
    );
    let t = tokens(ui);
    let right = as_known_button(ui, zoom_buttons(ui, lower, full, vm, state), lower.center().y, vm, out);
    let right = judged_button(ui, right, lower.center().y, vm, out);
    let ink = if vm.clock.buffering { t.accent } else { t.secondary };
    text(ui, lower.with_max_x(right - S4), Align2::LEFT_CENTER, mode_words(vm), Type::Small, ink);
}

/// The controls in one row, with the clock at its right.
pub(super) fn narrow(ui: &mut Ui, rect: Rect, _screen: &Screen, vm: &ViewModel, _state: &mut UiState, out: &mut Vec<UiCommand>) {
    let x = main_buttons(ui, rect.left() + S8, rect.center().y, vm, out);
    speed_button(ui, Rect::from_min_size(pos2(x + S4, rect.center().y - 14.0), vec2(54.0, 28.0)), vm, out);
    let mut left = x + 62.0;
    if vm.clock.as_known.is_some() {
        left += ZOOM + S4;
        as_known_button(ui, left, rect.center().y, vm, out);
    }
    if vm.clock.judged.is_some() {
        left += ZOOM + S4;
        judged_button(ui, left, rect.center().y, vm, out);
    }
    super::readout::narrow(ui, Rect::from_min_max(pos2(left + S8, rect.top()), rect.max - vec2(S12, 0.0)), vm, _state, out);
}

fn main_buttons(ui: &Ui, left: f32, y: f32, vm: &ViewModel, out: &mut Vec<UiCommand>) -> f32 {
    let cell = |at: f32| Rect::from_min_size(pos2(left + at, y - 14.0), theme::square(28.0));
    if icon_button(ui, cell(0.0), icon::SKIP_BACK, "Previous event (Ctrl ←)").clicked() {
        out.push(UiCommand::StepEvent(Direction::Back));
    }
    play_button(ui, Rect::from_center_size(pos2(left + 50.0, y), theme::square(34.0)), vm, out);
    if icon_button(ui, cell(72.0), icon::SKIP_FORWARD, "Next event (Ctrl →)").clicked() {
        out.push(UiCommand::StepEvent(Direction::Forward));
    }
    left + 100.0
}

fn play_button(ui: &Ui, rect: Rect, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let runs = vm.clock.runs();
    let label = if runs { "Pause" } else { "Play" };
    let response = ui.interact(rect, ui.id().with("play"), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    let accent = if vm.shown_branch().is_some() { t.what_if } else { t.accent };
    let on_accent = if vm.shown_branch().is_some() { t.on_what_if } else { t.on_accent };
    let following = runs && vm.clock.mode == PlayMode::Following;
    let (mut fill, ink) = if following { (t.surface2, t.text) } else { (accent, on_accent) };
    if response.hovered() {
        fill = fill.lerp_to_gamma(t.text, 0.14);
    }
    ui.painter().circle_filled(rect.center(), rect.width() / 2.0, fill);
    icon(ui, rect.center() + vec2(if runs { 0.0 } else { 1.0 }, 0.0), if runs { icon::PAUSE } else { icon::PLAY }, 18.0, ink);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, label));
    if response.clicked() {
        out.push(if runs { UiCommand::Pause } else { UiCommand::Play });
    }
    let _hint = response.on_hover_text(format!("{label} (Space)"));
}

fn speed_button(ui: &mut Ui, rect: Rect, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.id().with("speed"), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    let odd = (vm.clock.speed - 1.0).abs() > f64::EPSILON;
    if response.hovered() {
        ui.painter().rect_filled(rect, theme::control_radius(), t.surface2);
    }
    let ink = if odd && vm.clock.mode != PlayMode::Following { t.accent } else { t.secondary };
    let words = rect.with_max_x(rect.right() - 19.0);
    text(ui, words, Align2::RIGHT_CENTER, &format::speed(vm.clock.speed), Type::BodyBold, ink);
    icon(ui, pos2(rect.right() - 9.0, rect.center().y), icon::CARET_UP, 10.0, t.faint);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, format!("Speed {}", format::speed(vm.clock.speed))));
    let popup = Popup::menu(&response).align(egui::RectAlign::TOP_START).width(176.0);
    popup.show(|ui| speed_menu(ui, vm, out));
}

fn speed_menu(ui: &mut Ui, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let (head, _) = ui.allocate_exact_size(vec2(168.0, 26.0), Sense::hover());
    text(ui, head.with_max_x(head.center().x).shrink2(vec2(S8, 0.0)), Align2::LEFT_CENTER, "Backwards", Type::Small, t.faint);
    text(ui, head.with_min_x(head.center().x).shrink2(vec2(S8, 0.0)), Align2::LEFT_CENTER, "Forwards", Type::Small, t.faint);
    for speed in SPEEDS {
        let (row, _) = ui.allocate_exact_size(vec2(168.0, 26.0), Sense::hover());
        for (speed, place) in [(-speed, row.with_max_x(row.center().x)), (speed, row.with_min_x(row.center().x))] {
            let label = format::speed(speed);
            let response = ui.interact(place, ui.id().with(("speed", label.as_str())), Sense::click());
            let lit = (vm.clock.speed - speed).abs() < f64::EPSILON;
            if lit || response.hovered() {
                let fill = if lit { t.accent_weak } else { t.surface2 };
                ui.painter().rect_filled(place.shrink(1.0), theme::control_radius(), fill);
            }
            let ink = if lit { t.accent } else { t.text };
            text(
                ui,
                place.shrink2(vec2(S8, 0.0)),
                Align2::LEFT_CENTER,
                &label,
                if lit { Type::BodyBold } else { Type::Body },
                ink,
            );
            response.widget_info(|| WidgetInfo::selected(WidgetType::RadioButton, true, lit, &label));
            if response.clicked() {
                out.push(UiCommand::SetSpeed(speed));
                ui.close();
            }
        }
    }
}

/// Loops the visible stretch, or stops looping.
fn loop_button(ui: &Ui, rect: Rect, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    let on = vm.timeline.looped.is_some();
    let label = if on { "Stop repeating" } else { "Repeat what is visible (Shift-drag selects)" };
    if icon_button_lit(ui, rect, icon::REPEAT, label, on).clicked() {
        out.push(UiCommand::SetLoop(if on { None } else { state.time_view }));
    }
}

/// Fit, zoom out, zoom in, chart; returns where they begin.
fn zoom_buttons(ui: &Ui, rect: Rect, full: bool, vm: &ViewModel, state: &mut UiState) -> f32 {
    let side = ZOOM;
    let cell =
        |at: f32| Rect::from_min_size(pos2(rect.right() - side * (at + 1.0), rect.center().y - side / 2.0), theme::square(side));
    let label = if state.chart_open { "Hide the chart (C)" } else { "Show the chart (C)" };
    if icon_button_lit(ui, cell(0.0), icon::CHART_LINE, label, state.chart_open).clicked() {
        state.chart_open = !state.chart_open;
    }
    if icon_button(ui, cell(1.0), icon::ARROWS_OUT_LINE_HORIZONTAL, "Fit all time").clicked() {
        state.fit(vm.timeline.extent);
    }
    if !full {
        return cell(1.0).left();
    }
    if icon_button(ui, cell(2.0), icon::MAGNIFYING_GLASS_PLUS, "Zoom in").clicked() {
        state.zoom(vm.clock.playhead, 2.0, vm.timeline.extent);
    }
    if icon_button(ui, cell(3.0), icon::MAGNIFYING_GLASS_MINUS, "Zoom out").clicked() {
        state.zoom(vm.clock.playhead, 0.5, vm.timeline.extent);
    }
    let foldable = state.time_view.is_some_and(|view| !super::folds::empty_stretches(vm, view).is_empty());
    if !foldable {
        return cell(3.0).left();
    }
    let label = if state.fold_empty { "Show stretches without data at full length" } else { "Fold long stretches without data" };
    // Two arrows that meet, like those in the fold itself.
    let pressed = icon_button_lit(ui, cell(4.0), ' ', label, state.fold_empty).clicked();
    let ink = if state.fold_empty { tokens(ui).accent } else { tokens(ui).secondary };
    for (aside, symbol) in [(-5.0, icon::CARET_RIGHT), (5.0, icon::CARET_LEFT)] {
        icon(ui, cell(4.0).center() + vec2(aside, 0.0), symbol, 12.0, ink);
    }
    if pressed {
        state.fold_empty = !state.fold_empty;
    }
    cell(4.0).left()
}

/// Switches between as it was and as it was known, where that makes a difference; returns where it begins.
fn as_known_button(ui: &Ui, right: f32, y: f32, vm: &ViewModel, out: &mut Vec<UiCommand>) -> f32 {
    let Some(on) = vm.clock.as_known else { return right };
    let label = if on { "Show it as it was (K)" } else { "Show it as it was known then (K)" };
    switch(ui, (right, y), icon::EYE, label, on, || out.push(UiCommand::ShowAsKnown(!on)))
}

/// Switches between the site as it was then and as it is now, where they differ; returns where it begins.
fn judged_button(ui: &Ui, right: f32, y: f32, vm: &ViewModel, out: &mut Vec<UiCommand>) -> f32 {
    let Some(on) = vm.clock.judged.map(|judged| judged.by_then) else { return right };
    let label = if on { "Judge it by today's site (J)" } else { "Judge it by the site of then (J)" };
    switch(ui, (right, y), icon::CLOCK_COUNTER_CLOCKWISE, label, on, || out.push(UiCommand::JudgeByThen(!on)))
}

/// A small button that is lit while it is on, left of `right`; returns where it begins.
fn switch(ui: &Ui, (right, y): (f32, f32), symbol: char, label: &str, on: bool, pressed: impl FnOnce()) -> f32 {
    let place = Rect::from_min_size(pos2(right - ZOOM, y - ZOOM / 2.0), theme::square(ZOOM));
    if icon_button_lit(ui, place, symbol, label, on).clicked() {
        pressed();
    }
    place.left()
}

fn mode_words(vm: &ViewModel) -> &'static str {
    if vm.clock.buffering {
        return "Loading history…";
    }
    match (vm.clock.mode, vm.shown_branch().is_some()) {
        (PlayMode::Paused, false) if vm.clock.ended && vm.clock.speed < 0.0 => "At the beginning",
        (PlayMode::Paused, _) if vm.clock.ended => "At the end",
        (PlayMode::Following, _) if vm.clock.copy => "At the end",
        (PlayMode::Following, _) => "Following live",
        (PlayMode::Playing, true) => "Playing, not real",
        (PlayMode::Paused, true) => "Paused, not real",
        (PlayMode::Playing, false) => "Playing",
        (PlayMode::Paused, false) => "Paused",
    }
}
