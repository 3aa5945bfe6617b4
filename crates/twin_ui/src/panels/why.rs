//! The "why" card: the rule behind a colour, its value, limit and next limit, since when.

use egui::{Align2, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::{Status, Timestamp};

use crate::command::UiCommand;
use crate::format;
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, Type, tokens};
use crate::view::{OutlookView, ReasonView, ViewModel};
use crate::widgets::{number_unit, paragraph, scale_of_bands, status_mark, text};

/// One reason; the first is unfolded, the others are a line.
pub(crate) fn card(
    ui: &mut Ui,
    reason: &ReasonView,
    unfolded: bool,
    vm: &ViewModel,
    state: &mut UiState,
    out: &mut Vec<UiCommand>,
) {
    let t = tokens(ui);
    let frame = egui::Frame::NONE.fill(t.surface1).corner_radius(theme::card_radius()).stroke(t.hairline()).inner_margin(S12);
    let inner = frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = S4;
        ui.set_width(ui.available_width());
        title(ui, reason);
        paragraph(ui, &reason.text, Type::Body, t.text);
        if !reason.bands.bands.is_empty() {
            ui.add_space(S4);
            let (scale, _) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::hover());
            scale_of_bands(ui, scale, &reason.bands, reason.value);
        }
        if !unfolded {
            return;
        }
        facts(ui, reason, vm, state);
        if let (Some((next, status)), Some(at)) = (reason.next, reason.next_at) {
            let limit = format::with_unit(&format::number(next), &reason.unit);
            foretold(ui, &format!("Reaches {limit} {}", ahead(at, vm)), status, at, vm, state);
        }
        if !reason.note.is_empty() {
            ui.add_space(S4);
            paragraph(ui, &reason.note, Type::Small, t.faint);
        }
    });
    let response = ui.interact(inner.response.rect, ui.id().with(("why", &reason.rule, reason.signal)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Why: {}", reason.text)));
    if response.clicked() {
        state.chart_open = true;
        let charted = vm.chart.series.iter().any(|series| series.signal == reason.signal);
        if !charted {
            out.push(UiCommand::ToggleChart(reason.signal));
        }
    }
    let _hint = response.on_hover_text("Press to see it in the chart");
    ui.add_space(S4);
}

/// A value that is within its limits now and will not be if it goes on like this.
pub(crate) fn outlook(ui: &mut Ui, outlook: &OutlookView, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let frame = egui::Frame::NONE.fill(t.surface1).corner_radius(theme::card_radius()).stroke(t.hairline()).inner_margin(S12);
    let inner = frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = S4;
        ui.set_width(ui.available_width());
        let limit = format::with_unit(&format::number(outlook.limit), &outlook.unit);
        let words = format!("{} reaches {limit} {}", outlook.signal_name, ahead(outlook.at, vm));
        foretold(ui, &words, outlook.status, outlook.at, vm, state);
    });
    let response = ui.interact(inner.response.rect, ui.id().with(("outlook", outlook.signal)), Sense::click());
    if response.clicked() {
        state.chart_open = true;
        if !vm.chart.series.iter().any(|series| series.signal == outlook.signal) {
            out.push(UiCommand::ToggleChart(outlook.signal));
        }
    }
    let read = format::span(outlook.window);
    let _hint =
        response.on_hover_text(format!("A straight line through the last {read}, drawn on. Press to see it in the chart"));
    ui.add_space(S4);
}

/// "in about 6 h at the current trend".
fn ahead(at: Timestamp, vm: &ViewModel) -> String {
    format!("in about {} at the current trend", format::about(at.since(vm.clock.playhead)))
}

/// Something that has not happened: in the colour of what is not real, and called what it is.
fn foretold(ui: &mut Ui, words: &str, status: Status, at: Timestamp, vm: &ViewModel, state: &UiState) {
    let t = tokens(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let lead = text(ui, row, Align2::LEFT_CENTER, "Prediction", Type::SmallBold, t.what_if);
    status_mark(ui, pos2(lead.right() + S12 + 2.0, row.center().y), 12.0, status);
    let (day, minute) = (state.zone.day(at), state.zone.minute(at));
    let when = if day == state.zone.day(vm.clock.playhead) { format!("about {minute}") } else { format!("about {day} {minute}") };
    text(ui, row.with_min_x(lead.right() + 26.0), Align2::RIGHT_CENTER, &when, Type::Small, t.faint);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("Prediction: {words}")));
    paragraph(ui, words, Type::Small, t.text);
}

fn title(ui: &mut Ui, reason: &ReasonView) {
    let t = tokens(ui);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let lead = text(ui, row, Align2::LEFT_CENTER, "Why", Type::SmallBold, t.secondary);
    status_mark(ui, pos2(lead.right() + S12 + 2.0, row.center().y), 12.0, reason.status);
    let rule = row.with_min_x(lead.right() + 26.0);
    text(ui, rule, Align2::RIGHT_CENTER, &reason.rule, Type::Small, t.faint);
}

fn facts(ui: &mut Ui, reason: &ReasonView, vm: &ViewModel, state: &UiState) {
    if let Some(value) = reason.value {
        number(ui, &reason.signal_name, value, &reason.unit, true);
    }
    if let Some(threshold) = reason.threshold {
        number(ui, "Limit passed", threshold, &reason.unit, false);
    }
    if let Some((next, status)) = reason.next {
        let row = number(ui, "Next limit", next, &reason.unit, false);
        status_mark(ui, pos2(row.left() + 74.0, row.center().y), 10.0, status);
    }
    if let Some(since) = reason.since {
        let held = format::span(vm.clock.playhead.since(since));
        line(ui, "Since", &format!("{}, {held}", state.zone.brief(since, vm.clock.playhead)));
    }
}

fn line(ui: &mut Ui, label: &str, value: &str) {
    let t = tokens(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let at = text(ui, row, Align2::LEFT_CENTER, label, Type::Small, t.secondary);
    text(ui, row.with_min_x(at.right() + S8), Align2::RIGHT_CENTER, value, Type::Small, t.text);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{label}: {value}")));
}

fn number(ui: &mut Ui, label: &str, value: f64, unit: &str, strong: bool) -> egui::Rect {
    let t = tokens(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let kind = if strong { Type::SmallBold } else { Type::Small };
    let words = format::number(value);
    let place = number_unit(ui, row, &words, unit, kind, t.text);
    text(ui, row.with_max_x(place.left() - S8), Align2::LEFT_CENTER, label, Type::Small, t.secondary);
    response
        .widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{label}: {}", format::with_unit(&words, unit))));
    row
}
