//! Painted marks: status shapes with their letters, alarm symbols, hatching, badges.

use std::f32::consts::{PI, TAU};

use egui::{Align2, Color32, Pos2, Rect, Response, Sense, Shape, Stroke, StrokeKind, Ui, pos2, vec2};
use twin_model::{AlarmState, Freshness, Priority, Status};

use super::text::{icon, measure, text};
use crate::icon;
use crate::theme::{self, S4, S8, Tokens, Type, mark_font, tokens};

fn polygon(center: Pos2, radius: f32, corners: u32, turn: f32) -> Vec<Pos2> {
    (0..corners)
        .map(|at| {
            let angle = turn + TAU * at as f32 / corners as f32;
            center + radius * vec2(angle.sin(), -angle.cos())
        })
        .collect()
}

/// Paints the mark of a status: its shape, and its letter where the mark is large enough to read it.
pub(crate) fn status_mark(ui: &Ui, center: Pos2, size: f32, status: Status) {
    let t = tokens(ui);
    let (fill, edge) = (t.status(status), Stroke::new(theme::HAIR, t.status_edge));
    let r = size / 2.0;
    let painter = ui.painter();
    let letter_at = match status {
        Status::Normal => {
            painter.circle_filled(center, r * 0.5, fill);
            return;
        }
        Status::Unknown => {
            painter.circle_stroke(center, r * 0.62, Stroke::new(theme::LINE, fill));
            if size >= 14.0 {
                letter(ui, center, size * 0.86, '?', t.secondary);
            }
            return;
        }
        Status::Maintenance => {
            painter.rect(Rect::from_center_size(center, theme::square(size * 0.86)), 1.5, fill, edge, StrokeKind::Inside);
            center
        }
        Status::OutOfSpecification => {
            painter.add(Shape::convex_polygon(polygon(center + vec2(0.0, r * 0.22), r * 1.14, 3, 0.0), fill, edge));
            center + vec2(0.0, r * 0.26)
        }
        Status::FunctionCheck => {
            painter.add(Shape::convex_polygon(polygon(center, r * 1.08, 4, 0.0), fill, edge));
            center
        }
        Status::Failure => {
            painter.circle(center, r, fill, edge);
            if size < 14.0 {
                let arm = r * 0.42;
                let cross = Stroke::new(size * 0.14, t.on_status(status));
                painter.line_segment([center + vec2(-arm, -arm), center + vec2(arm, arm)], cross);
                painter.line_segment([center + vec2(-arm, arm), center + vec2(arm, -arm)], cross);
            }
            center
        }
    };
    if size >= 14.0
        && let Some(symbol) = status.letter()
    {
        let scale = if matches!(status, Status::OutOfSpecification | Status::FunctionCheck) { 0.82 } else { 1.0 };
        letter(ui, letter_at, size * scale, symbol, t.on_status(status));
    }
}

fn letter(ui: &Ui, center: Pos2, size: f32, symbol: char, color: Color32) {
    ui.painter().text(center, Align2::CENTER_CENTER, symbol, mark_font(size), color);
}

/// Paints the symbol of an alarm: a shape and number per priority, filled while unacknowledged, an outline once seen.
pub(crate) fn alarm_mark(ui: &Ui, center: Pos2, size: f32, priority: Priority, state: AlarmState) {
    let t = tokens(ui);
    let r = size / 2.0;
    let outline = match priority {
        Priority::Critical => polygon(center, r * 1.06, 8, PI / 8.0),
        Priority::High => polygon(center, r * 1.2, 4, PI / 4.0),
        Priority::Medium => polygon(center, r * 1.06, 6, PI / 6.0),
        Priority::Low => polygon(center, r, 24, 0.0),
    };
    let (fill, edge, ink) = match state {
        AlarmState::UnackActive => (t.text, t.text, t.surface0),
        AlarmState::AckActive => (t.surface2, t.text, t.text),
        AlarmState::ReturnedUnack => (Color32::TRANSPARENT, t.secondary, t.secondary),
        AlarmState::Normal | AlarmState::Shelved | AlarmState::SuppressedByDesign | AlarmState::OutOfService => {
            (Color32::TRANSPARENT, t.faint, t.faint)
        }
    };
    if state == AlarmState::ReturnedUnack {
        let mut closed = outline.clone();
        closed.extend(outline.first().copied());
        ui.painter().extend(Shape::dashed_line(&closed, Stroke::new(theme::HAIR, edge), 3.0, 2.0));
    } else {
        ui.painter().add(Shape::convex_polygon(outline, fill, Stroke::new(theme::LINE * 0.8, edge)));
    }
    let symbol = match state {
        AlarmState::Shelved => 'S',
        AlarmState::SuppressedByDesign => 'D',
        AlarmState::OutOfService => 'O',
        _ => char::from(b'0' + priority.number()),
    };
    letter(ui, center, size, symbol, ink);
}

/// Diagonal lines over a rectangle.
pub(crate) fn hatch(ui: &Ui, rect: Rect, color: Color32) {
    if !rect.is_positive() {
        return;
    }
    let painter = ui.painter_at(rect);
    let step = theme::HATCH_STEP;
    // Anchored to the screen, not to the rectangle: neighbouring stretches join and the lines stand still while it grows.
    let first = ((rect.left() - rect.height() + rect.top()) / step).floor() * step - rect.top();
    let mut x = first;
    let mut shapes = Vec::new();
    while x < rect.right() + rect.height() {
        let line = [pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())];
        shapes.push(Shape::line_segment(line, Stroke::new(theme::HAIR, color)));
        x += step;
    }
    painter.extend(shapes);
}

/// A piece of surface as it looks in 3D: fill, pattern of the status, hatch of the freshness.
pub(crate) fn swatch(ui: &Ui, rect: Rect, status: Status, freshness: Freshness) {
    let t = tokens(ui);
    let painter = ui.painter_at(rect);
    let base = match freshness {
        Freshness::Live | Freshness::Late => t.status_aged(status, freshness),
        Freshness::Stale => t.status_aged(status, freshness).lerp_to_gamma(t.surface2, 0.45),
        Freshness::Offline => t.status(Status::Unknown).lerp_to_gamma(t.surface2, 0.4),
        Freshness::NeverSeen => Color32::TRANSPARENT,
    };
    painter.rect_filled(rect, 2.0, base);
    let ink = Color32::from_black_alpha(if t.dark { 150 } else { 110 });
    if freshness == Freshness::Live {
        pattern(&painter, rect, status, ink);
    }
    if matches!(freshness, Freshness::Stale | Freshness::Offline) {
        hatch(ui, rect, ink);
    }
    if freshness == Freshness::NeverSeen || status == Status::Normal {
        let edge = if freshness == Freshness::NeverSeen { t.secondary } else { t.line };
        painter.rect_stroke(rect, 2.0, Stroke::new(theme::HAIR, edge), StrokeKind::Inside);
    }
}

fn pattern(painter: &egui::Painter, rect: Rect, status: Status, ink: Color32) {
    let cell = 4.0;
    let (columns, rows) = ((rect.width() / cell) as i32 + 1, (rect.height() / cell) as i32 + 1);
    let at = |column: i32, row: i32| rect.min + vec2(column as f32 * cell, row as f32 * cell);
    match status {
        Status::OutOfSpecification => {
            for (column, row) in (0..columns).flat_map(|c| (0..rows).map(move |r| (c, r))) {
                painter.circle_filled(at(column, row) + theme::square(cell / 2.0), 0.8, ink);
            }
        }
        Status::FunctionCheck => {
            for row in 0..rows {
                painter.hline(rect.x_range(), at(0, row).y + cell / 2.0, Stroke::new(1.2, ink));
            }
        }
        Status::Unknown => {
            for (column, row) in (0..columns).flat_map(|c| (0..rows).map(move |r| (c, r))) {
                if (column + row) % 2 == 0 {
                    painter.rect_filled(Rect::from_min_size(at(column, row), theme::square(cell)), 0.0, ink.gamma_multiply(0.6));
                }
            }
        }
        Status::Normal | Status::Maintenance | Status::Failure => {}
    }
}

/// The icon that tells how current data is; nothing while it is live.
pub(crate) fn freshness_icon(freshness: Freshness) -> Option<char> {
    match freshness {
        Freshness::Live => None,
        Freshness::Late => Some(icon::CLOCK),
        Freshness::Stale => Some(icon::HOURGLASS),
        Freshness::Offline => Some(icon::WIFI_SLASH),
        Freshness::NeverSeen => Some(icon::CIRCLE_NOTCH),
    }
}

/// A small rounded count, right-aligned at a point; returns its rectangle.
pub(crate) fn badge(ui: &Ui, right_center: Pos2, count: &str, fill: Color32, ink: Color32) -> Rect {
    let width = (measure(ui, count, Type::SmallBold) + S8).max(18.0);
    let rect = Rect::from_min_size(right_center - vec2(width, 8.0), vec2(width, 16.0));
    ui.painter().rect_filled(rect, 8.0, fill);
    text(ui, rect, Align2::CENTER_CENTER, count, Type::SmallBold, ink);
    rect
}

/// A key on the keyboard, right-aligned at a point; returns its rectangle.
pub(crate) fn keycap(ui: &Ui, right_center: Pos2, key: &str) -> Rect {
    let t = tokens(ui);
    let width = (measure(ui, key, Type::Small) + S8).max(18.0);
    let rect = Rect::from_min_size(right_center - vec2(width, 9.0), vec2(width, 18.0));
    ui.painter().rect(rect, 3.0, t.surface2, t.hairline(), StrokeKind::Inside);
    text(ui, rect, Align2::CENTER_CENTER, key, Type::Small, t.secondary);
    rect
}

/// A rounded label with an icon, as wide as its text, at a left-centre point. `press` makes it a button.
pub(crate) fn pill(
    ui: &Ui,
    rect: Rect,
    symbol: Option<char>,
    label: &str,
    colors: (Color32, Color32),
    press: Option<&str>,
) -> Response {
    let (fill, ink) = colors;
    let sense = if press.is_some() { Sense::click() } else { Sense::hover() };
    let response = ui.interact(rect, ui.id().with(("pill", press.unwrap_or(label))), sense);
    ui.painter().rect_filled(
        rect,
        rect.height() / 2.0,
        if press.is_some() && response.hovered() { lift(tokens(ui), fill) } else { fill },
    );
    let mut inner = rect.shrink2(vec2(S8 + 2.0, 0.0));
    if let Some(symbol) = symbol {
        icon(ui, pos2(inner.left() + 7.0, inner.center().y), symbol, 14.0, ink);
        inner.min.x += 14.0 + S4 + 2.0;
    }
    text(ui, inner, Align2::LEFT_CENTER, label, Type::SmallBold, ink);
    let kind = if press.is_some() { egui::WidgetType::Button } else { egui::WidgetType::Label };
    response.widget_info(|| egui::WidgetInfo::labeled(kind, true, press.unwrap_or(label)));
    response
}

fn lift(t: &Tokens, fill: Color32) -> Color32 {
    fill.lerp_to_gamma(t.text, 0.12)
}
