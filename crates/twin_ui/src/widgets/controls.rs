//! Buttons, sliders, segmented switches and section headings, painted at a given place.

use egui::{
    Align2, Color32, CursorIcon, Id, Key, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use super::marks::status_mark;
use super::text::{icon, measure, paragraph, text};
use crate::theme::{self, HAIR, ICON, ICON_BIG, S4, S8, S12, S16, Type, control_radius, tokens};

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ButtonKind {
    /// The one thing to do here.
    Primary,
    /// One of several.
    Normal,

    /// Starts or leaves what is not real.
    WhatIf,
}

/// Paints the ring of keyboard focus.
pub(crate) fn focus_ring(ui: &Ui, response: &Response) {
    if response.has_focus() {
        let stroke = Stroke::new(theme::BOLD, tokens(ui).accent);
        ui.painter().rect_stroke(response.rect, control_radius(), stroke, StrokeKind::Inside);
    }
}

/// A square button with an icon; `label` is its tooltip and its name for assistive technology.
pub(crate) fn icon_button(ui: &Ui, rect: Rect, symbol: char, label: &str) -> Response {
    icon_button_lit(ui, rect, symbol, label, false)
}

/// The same, shown as switched on where `lit`.
pub(crate) fn icon_button_lit(ui: &Ui, rect: Rect, symbol: char, label: &str, lit: bool) -> Response {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.id().with(("icon", label)), Sense::click());
    let fill = if response.is_pointer_button_down_on() {
        t.surface3
    } else if response.hovered() {
        t.surface2
    } else if lit {
        t.accent_weak
    } else {
        Color32::TRANSPARENT
    };
    ui.painter().rect_filled(rect, control_radius(), fill);
    let ink = match (ui.is_enabled(), lit, response.hovered()) {
        (false, ..) => t.line,
        (_, true, _) => t.accent,
        (_, _, true) => t.text,
        _ => t.secondary,
    };
    icon(ui, rect.center(), symbol, ICON, ink);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, ui.is_enabled(), lit, label));
    response.on_hover_text(label).on_hover_cursor(CursorIcon::PointingHand)
}

/// Width that [`button`] wants.
pub(crate) fn button_width(ui: &Ui, symbol: Option<char>, label: &str) -> f32 {
    let text = measure(ui, label, Type::BodyBold);
    (text + 2.0 * S12 + symbol.map_or(0.0, |_| ICON + S4)).ceil()
}

/// A button with words and perhaps an icon.
pub(crate) fn button(ui: &Ui, rect: Rect, symbol: Option<char>, label: &str, kind: ButtonKind) -> Response {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.id().with(("button", label)), Sense::click());
    let (fill, ink) = match kind {
        ButtonKind::Primary => (t.accent, t.on_accent),
        ButtonKind::WhatIf => (t.what_if, t.on_what_if),
        ButtonKind::Normal => (t.surface2, t.text),
    };
    let fill = if !ui.is_enabled() {
        t.surface2
    } else if response.is_pointer_button_down_on() {
        fill.lerp_to_gamma(t.surface0, 0.16)
    } else if response.hovered() {
        fill.lerp_to_gamma(t.text, 0.10)
    } else {
        fill
    };
    let ink = if ui.is_enabled() { ink } else { t.faint };
    ui.painter().rect_filled(rect, control_radius(), fill);
    let wanted = measure(ui, label, Type::BodyBold) + symbol.map_or(0.0, |_| ICON + S4);
    let mut inner = Rect::from_center_size(rect.center(), vec2(wanted.min(rect.width() - S8), rect.height()));
    if let Some(symbol) = symbol {
        icon(ui, pos2(inner.left() + ICON / 2.0, inner.center().y), symbol, ICON, ink);
        inner.min.x += ICON + S4;
    }
    text(ui, inner.expand2(vec2(1.0, 0.0)), Align2::CENTER_CENTER, label, Type::BodyBold, ink);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, ui.is_enabled(), label));
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// A row of choices of which one holds; returns the one that was pressed.
pub(crate) fn segmented(ui: &Ui, rect: Rect, labels: &[&str], chosen: usize, salt: &str) -> Option<usize> {
    let t = tokens(ui);
    ui.painter().rect(rect, control_radius(), t.surface1, t.hairline(), StrokeKind::Inside);
    let width = rect.width() / labels.len().max(1) as f32;
    let mut pressed = None;
    for (at, label) in labels.iter().enumerate() {
        let cell = Rect::from_min_size(rect.min + vec2(width * at as f32, 0.0), vec2(width, rect.height()));
        let response = ui.interact(cell, ui.id().with((salt, at)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        let lit = at == chosen;
        if lit || response.hovered() {
            let fill = if lit { t.surface3 } else { t.surface2 };
            ui.painter().rect_filled(cell.shrink(2.0), control_radius(), fill);
        }
        let ink = if lit { t.text } else { t.secondary };
        text(ui, cell, Align2::CENTER_CENTER, label, if lit { Type::SmallBold } else { Type::Small }, ink);
        focus_ring(ui, &response);
        response.widget_info(|| WidgetInfo::selected(WidgetType::RadioButton, true, lit, *label));
        if response.clicked() {
            pressed = Some(at);
        }
    }
    pressed
}

/// A slider whose fill starts at the neutral setting; returns the new value while it changes. Double-click: neutral.
pub(crate) fn slider(ui: &Ui, rect: Rect, label: &str, value: f64, range: (f64, f64), neutral: f64, step: f64) -> Option<f64> {
    let t = tokens(ui);
    let (low, high) = range;
    let response = ui.interact(rect, ui.id().with(("slider", label)), Sense::click_and_drag());
    let rail = Rect::from_center_size(rect.center(), vec2(rect.width() - S12, 4.0));
    let span = (high - low).max(f64::MIN_POSITIVE);
    let x_of = |v: f64| rail.left() + rail.width() * ((v - low) / span).clamp(0.0, 1.0) as f32;
    let mut next = None;
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) {
        let raw = low + span * f64::from(((at.x - rail.left()) / rail.width()).clamp(0.0, 1.0));
        next = Some(raw);
    }
    if response.double_clicked() {
        next = Some(neutral);
    }
    if response.has_focus() {
        let nudge = ui.input(|i| f64::from(i.num_presses(Key::ArrowRight) as i32 - i.num_presses(Key::ArrowLeft) as i32));
        if nudge != 0.0 {
            next = Some(value + nudge * step);
        }
    }
    let next = next.map(|v| snap(v, low, high, step, neutral)).filter(|v| (v - value).abs() > f64::EPSILON);
    let shown = next.unwrap_or(value);
    let changed = (shown - neutral).abs() > step * 0.5;
    ui.painter().rect_filled(rail, 2.0, t.surface3);
    let (x, x0) = (x_of(shown), x_of(neutral));
    let fill = if changed { t.what_if } else { t.accent };
    ui.painter().rect_filled(Rect::from_x_y_ranges(x.min(x0)..=x.max(x0), rail.y_range()), 2.0, fill);
    ui.painter().vline(x0, rail.center().y - 6.0..=rail.center().y + 6.0, Stroke::new(HAIR, t.faint));
    let hot = response.hovered() || response.dragged();
    ui.painter().circle(pos2(x, rail.center().y), if hot { 8.0 } else { 7.0 }, t.text, Stroke::new(theme::BOLD, t.surface1));
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::slider(true, shown, label));
    let _shown = response.on_hover_cursor(CursorIcon::ResizeHorizontal);
    next
}

fn snap(value: f64, low: f64, high: f64, step: f64, neutral: f64) -> f64 {
    let snapped = if step > 0.0 { neutral + ((value - neutral) / step).round() * step } else { value };
    snapped.clamp(low, high)
}

/// Heading of a part of a panel with a faint count at its right.
pub(crate) fn section(ui: &mut Ui, title: &str, right: &str) -> Rect {
    let t = tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    text(ui, rect, Align2::LEFT_CENTER, title, Type::SmallBold, t.secondary);
    text(ui, rect, Align2::RIGHT_CENTER, right, Type::Small, t.faint);
    rect
}

/// A clickable row with a status mark and words, for relationships and search results.
pub(crate) fn link_row(
    ui: &mut Ui,
    height: f32,
    status: twin_model::Status,
    lead: &str,
    name: &str,
    id: impl std::hash::Hash + std::fmt::Debug,
) -> Response {
    let t = tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let response = ui.interact(rect, ui.id().with(Id::new(id)), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(S4, 0.0)), control_radius(), t.surface2);
    }
    let lead_at = text(ui, rect, Align2::LEFT_CENTER, lead, Type::Small, t.faint);
    let mark = pos2(lead_at.right().max(rect.left() + 76.0) + S12, rect.center().y);
    status_mark(ui, mark, 10.0, status);
    let words = Rect::from_min_max(pos2(mark.x + S12, rect.top()), rect.max);
    text(ui, words, Align2::LEFT_CENTER, name, Type::Body, t.text);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("{lead} {name}")));
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// What an empty panel says: what would fill it, and perhaps what to press.
pub(crate) fn empty(ui: &mut Ui, symbol: char, title: &str, help: &str) {
    let t = tokens(ui);
    ui.add_space(S24_TOP);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ICON_BIG), Sense::hover());
    icon(ui, Pos2::new(rect.left() + ICON_BIG / 2.0, rect.center().y), symbol, ICON_BIG, t.faint);
    ui.add_space(S8);
    paragraph(ui, title, Type::BodyBold, t.text);
    paragraph(ui, help, Type::Body, t.secondary);
    ui.add_space(S16);
}

const S24_TOP: f32 = theme::S24;
