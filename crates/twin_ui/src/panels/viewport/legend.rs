//! The legend: shape, letter, colour, pattern and count of every status; unfolded also of every freshness.

use egui::{Align2, CursorIcon, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::{Freshness, Status};

use super::float;
use crate::icon;
use crate::screen::{Screen, Width};
use crate::state::UiState;
use crate::theme::{S4, S8, S12, Type, tokens};
use crate::view::ViewModel;
use crate::widgets::{focus_ring, icon, measure, status_mark, swatch, text};

/// Worst first.
fn order() -> impl Iterator<Item = Status> {
    Status::BY_RANK.into_iter().rev()
}

/// The legend, at the lower left of the 3D view.
pub(super) fn legend(ui: &Ui, rect: Rect, screen: &Screen, vm: &ViewModel, state: &mut UiState) {
    if vm.tree.is_empty() {
        return;
    }
    if state.legend_open && rect.height() > 300.0 {
        unfolded(ui, rect, vm, state);
    } else {
        folded(ui, rect, screen, vm, state);
    }
}

fn folded(ui: &Ui, rect: Rect, screen: &Screen, vm: &ViewModel, state: &mut UiState) {
    let t = tokens(ui);
    let narrow = screen.width == Width::Sheet;
    let shown: Vec<(Status, String)> =
        order().filter(|s| vm.status_counts.of(*s) > 0).map(|s| (s, vm.status_counts.of(s).to_string())).collect();
    let width = shown.iter().map(|(_, count)| 16.0 + S4 + measure(ui, count, Type::Small) + S12).sum::<f32>() + 26.0 + S8;
    let place =
        Rect::from_min_size(pos2(rect.left() + S12, rect.bottom() - S12 - 30.0), vec2(width.min(rect.width() - 24.0), 30.0));
    float(ui, place, state);
    let response = ui.interact(place, ui.id().with("legend"), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    let mut x = place.left() + S12;
    for (status, count) in &shown {
        status_mark(ui, pos2(x + 7.0, place.center().y), 14.0, *status);
        let at = text(ui, place.with_min_x(x + 16.0 + S4), Align2::LEFT_CENTER, count, Type::Small, t.secondary);
        x = at.right() + S12;
    }
    let ink = if response.hovered() { t.text } else { t.faint };
    icon(ui, pos2(place.right() - 14.0, place.center().y), icon::CARET_UP, 12.0, ink);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, "Unfold the legend"));
    if response.clicked() && !narrow {
        state.legend_open = true;
    }
    let words = shown.iter().map(|(status, count)| format!("{count} {}", status.label())).collect::<Vec<_>>().join("\n");
    let _hint = response.on_hover_text(words);
}

fn unfolded(ui: &Ui, rect: Rect, vm: &ViewModel, state: &mut UiState) {
    let t = tokens(ui);
    let row = 22.0;
    let fresh: Vec<Freshness> = Freshness::ALL.into_iter().filter(|f| *f != Freshness::Live).collect();
    let height = row * (Status::BY_RANK.len() + fresh.len()) as f32 + 36.0 + 26.0 + S8;
    let place = Rect::from_min_size(pos2(rect.left() + S12, rect.bottom() - S12 - height), vec2(244.0, height));
    float(ui, place, state);
    let head = Rect::from_min_size(place.min, vec2(place.width(), 36.0));
    let response = ui.interact(head, ui.id().with("legend"), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    text(ui, head.shrink2(vec2(S12, 0.0)), Align2::LEFT_CENTER, "Condition of a twin", Type::SmallBold, t.secondary);
    icon(
        ui,
        pos2(head.right() - 16.0, head.center().y),
        icon::CARET_DOWN,
        12.0,
        if response.hovered() { t.text } else { t.faint },
    );
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, "Fold the legend"));
    if response.clicked() {
        state.legend_open = false;
    }
    let mut y = head.bottom();
    for status in order() {
        let line = Rect::from_min_size(pos2(place.left() + S12, y), vec2(place.width() - 2.0 * S12, row));
        status_mark(ui, pos2(line.left() + 8.0, line.center().y), 15.0, status);
        swatch(ui, Rect::from_center_size(pos2(line.left() + 36.0, line.center().y), vec2(24.0, 12.0)), status, Freshness::Live);
        words(ui, line, status.label(), vm.status_counts.of(status));
        y += row;
    }
    let title = Rect::from_min_size(pos2(place.left() + S12, y + S4), vec2(place.width() - 2.0 * S12, 22.0));
    text(ui, title, Align2::LEFT_CENTER, "How current its data is", Type::SmallBold, t.secondary);
    y = title.bottom();
    for freshness in fresh {
        let line = Rect::from_min_size(pos2(place.left() + S12, y), vec2(place.width() - 2.0 * S12, row));
        if let Some(symbol) = crate::widgets::freshness_icon(freshness) {
            icon(ui, pos2(line.left() + 8.0, line.center().y), symbol, 14.0, t.secondary);
        }
        swatch(
            ui,
            Rect::from_center_size(pos2(line.left() + 36.0, line.center().y), vec2(24.0, 12.0)),
            Status::Normal,
            freshness,
        );
        words(ui, line, freshness.label(), vm.freshness_counts.of(freshness));
        y += row;
    }
}

fn words(ui: &Ui, line: Rect, label: &str, count: u32) {
    let t = tokens(ui);
    let ink = if count > 0 { t.text } else { t.faint };
    text(ui, line.with_min_x(line.left() + 56.0), Align2::LEFT_CENTER, label, Type::Small, ink);
    text(ui, line, Align2::RIGHT_CENTER, &count.to_string(), Type::Small, if count > 0 { t.secondary } else { t.faint });
}
