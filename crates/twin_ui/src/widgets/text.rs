//! Text painted into a place: elided at its edge, never spilling out of it.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align2, Color32, Galley, Pos2, Rect, Ui, pos2, vec2};

use crate::format::THIN;
use crate::theme::{Type, icon_font, tokens};

/// A line of text that ends in `…` where it is wider than `width`.
pub(crate) fn elided(ui: &Ui, text: &str, kind: Type, color: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), kind.font(), color);
    job.wrap = TextWrapping { max_width: width.max(0.0), max_rows: 1, break_anywhere: true, overflow_character: Some('…') };
    ui.painter().layout_job(job)
}

/// Paints one line into `rect` at `align`, elided to its width; returns where it stands.
pub(crate) fn text(ui: &Ui, rect: Rect, align: Align2, text: &str, kind: Type, color: Color32) -> Rect {
    let galley = elided(ui, text, kind, color, rect.width());
    let place = align.align_size_within_rect(galley.size(), rect);
    let place = place.translate(ui_round(ui, place.min) - place.min);
    ui.painter().galley(place.min, galley, color);
    place
}

fn ui_round(ui: &Ui, at: Pos2) -> Pos2 {
    let ppp = ui.pixels_per_point();
    pos2((at.x * ppp).round() / ppp, (at.y * ppp).round() / ppp)
}

/// Width of a line of text.
pub(crate) fn measure(ui: &Ui, text: &str, kind: Type) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), kind.font(), Color32::PLACEHOLDER).size().x
}

/// Paints an icon about a point.
pub(crate) fn icon(ui: &Ui, center: Pos2, icon: char, size: f32, color: Color32) {
    let galley = ui.painter().layout_no_wrap(icon.to_string(), icon_font(size), color);
    let at = ui_round(ui, center - galley.size() / 2.0);
    ui.painter().galley(at, galley, color);
}

/// Paints a number right-aligned in `rect`, its unit in the secondary colour after a thin space; the number ends where the
/// unit begins, so that digits of one list stand below each other where the units are alike.
pub(crate) fn number_unit(ui: &Ui, rect: Rect, number: &str, unit: &str, kind: Type, color: Color32) -> Rect {
    let t = tokens(ui);
    let mut job = LayoutJob::default();
    job.append(number, 0.0, TextFormat { font_id: kind.font(), color, ..Default::default() });
    if !unit.is_empty() {
        let unit_kind = if matches!(kind, Type::Large | Type::Title) { Type::Body } else { Type::Small };
        let format = TextFormat { font_id: unit_kind.font(), color: t.secondary, ..Default::default() };
        job.append(&format!("{THIN}{unit}"), 0.0, format);
    }
    job.wrap = TextWrapping { max_width: rect.width(), max_rows: 1, break_anywhere: true, overflow_character: Some('…') };
    let galley = ui.painter().layout_job(job);
    let place = Align2::RIGHT_CENTER.align_size_within_rect(galley.size(), rect);
    let place = place.translate(ui_round(ui, place.min) - place.min);
    ui.painter().galley(place.min, galley, color);
    place
}

/// Lays out wrapped text in the flow of a `Ui`.
pub(crate) fn paragraph(ui: &mut Ui, text: &str, kind: Type, color: Color32) -> Rect {
    let width = ui.available_width();
    let galley = ui.painter().layout(text.to_owned(), kind.font(), color, width);
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y), egui::Sense::hover());
    ui.painter().galley(rect.min, galley, color);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, text));
    rect
}
