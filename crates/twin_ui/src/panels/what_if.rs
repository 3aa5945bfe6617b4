//! The what-if panel: when to depart, what to change, run, compare, keep or forget.

use egui::{Align2, CursorIcon, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::Span;

use crate::command::UiCommand;
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, Type, tokens};
use crate::view::{BranchView, KnobView, ResultRow, ResultsView, RunView, Trend, ViewModel};
use crate::widgets::{
    ButtonKind, button, empty, focus_ring, hatch, icon, icon_button, icon_button_lit, measure, number_unit, paragraph, section,
    segmented, slider, text,
};
use crate::{format, icon};

const HORIZONS: [(&str, Span); 4] = [
    ("1 h", Span::from_secs(3_600)),
    ("6 h", Span::from_secs(21_600)),
    ("1 d", Span::from_secs(86_400)),
    ("7 d", Span::from_secs(604_800)),
];

/// The what-if panel.
pub(crate) fn what_if(ui: &mut Ui, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let body = ui.max_rect();
    egui::ScrollArea::vertical().id_salt("what-if").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = S4;
        egui::Frame::NONE.inner_margin(egui::Margin::same(S12 as i8)).show(ui, |ui| {
            ui.set_width(body.width() - 2.0 * S12);
            if vm.what_if.knobs.is_empty() {
                empty(ui, icon::FLASK, "Nothing to turn", "This site names no knobs. A planner sets them up in the site file: speeds, loads, set-points, the day of a repair.");
                return;
            }
            departure(ui, vm, state, out);
            section(ui, "Change", "");
            for knob in &vm.what_if.knobs {
                knob_row(ui, knob, out);
            }
            ui.add_space(S8);
            run(ui, vm, out);
            if let Some(results) = &vm.what_if.results {
                table(ui, results);
            }
            branches(ui, vm, state, out);
        });
    });
}

fn departure(ui: &mut Ui, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    let at = text(ui, row, Align2::LEFT_CENTER, "Departs at", Type::SmallBold, t.secondary);
    let place = Rect::from_min_size(pos2(row.right() - 24.0, row.top() + 2.0), theme::square(24.0));
    if icon_button(ui, place, icon::PUSH_PIN, "Depart at the moment on screen").clicked() {
        out.push(UiCommand::SetFork(vm.clock.playhead));
    }
    let fork = format!("{} {}", state.zone.date(vm.what_if.fork), state.zone.clock(vm.what_if.fork));
    text(
        ui,
        Rect::from_min_max(pos2(at.right() + S8, row.top()), pos2(place.left() - S4, row.bottom())),
        Align2::RIGHT_CENTER,
        &fork,
        Type::Body,
        t.text,
    );
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    let at = text(ui, row, Align2::LEFT_CENTER, "Looks ahead", Type::SmallBold, t.secondary);
    let labels = HORIZONS.map(|(label, _)| label);
    let chosen = HORIZONS.iter().position(|(_, span)| *span == vm.what_if.horizon).unwrap_or(usize::MAX);
    let place = row.with_min_x((at.right() + S12).max(row.right() - 168.0));
    if let Some((_, span)) = segmented(ui, place, &labels, chosen, "horizon").and_then(|at| HORIZONS.get(at)) {
        out.push(UiCommand::SetHorizon(*span));
    }
}

fn knob_row(ui: &mut Ui, knob: &KnobView, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 46.0), Sense::hover());
    let upper = rect.with_max_y(rect.top() + 22.0);
    let changed = (knob.value - knob.neutral).abs() > knob.step.abs() * 0.5;
    // A knob whose neutral setting is zero changes by a difference; others are set.
    let words = if knob.neutral == 0.0 { format::difference(knob.value) } else { format::number(knob.value) };
    let place = number_unit(ui, upper, &words, &knob.unit, Type::BodyBold, if changed { t.what_if } else { t.secondary });
    text(ui, upper.with_max_x(place.left() - S8), Align2::LEFT_CENTER, &knob.name, Type::Body, t.text);
    let rail = Rect::from_min_max(pos2(rect.left() - 6.0, rect.top() + 22.0), pos2(rect.right() + 6.0, rect.bottom() - 2.0));
    if let Some(value) = slider(ui, rail, &knob.name, knob.value, (knob.min, knob.max), knob.neutral, knob.step) {
        out.push(UiCommand::SetKnob { knob: knob.knob, value });
    }
}

fn run(ui: &mut Ui, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    if let Some(running) = &vm.what_if.running {
        progress(ui, running, out);
        return;
    }
    let changed = vm.what_if.is_changed();
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::hover());
    let reset = changed.then(|| Rect::from_min_size(pos2(row.right() - 76.0, row.top()), vec2(76.0, row.height())));
    let main = row.with_max_x(reset.map_or(row.right(), |reset| reset.left() - S8));
    let label = if changed { "Run the scenario" } else { "Run the baseline" };
    if button(ui, main, Some(icon::PLAY), label, ButtonKind::WhatIf).clicked() {
        out.push(UiCommand::RunScenario);
    }
    if let Some(reset) = reset
        && button(ui, reset, None, "Reset", ButtonKind::Normal).clicked()
    {
        out.push(UiCommand::ResetKnobs);
    }
    if let Some(error) = &vm.what_if.error {
        ui.add_space(S4);
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
        icon(ui, pos2(row.left() + 8.0, row.center().y), icon::WARNING_CIRCLE, 16.0, t.text);
        text(ui, row.with_min_x(row.left() + 22.0), Align2::LEFT_CENTER, "The run did not finish", Type::SmallBold, t.text);
        paragraph(ui, error, Type::Small, t.secondary);
    }
}

fn progress(ui: &mut Ui, running: &RunView, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    let cancel = Rect::from_min_size(pos2(row.right() - 76.0, row.top() + 4.0), vec2(76.0, 32.0));
    let main = row.with_max_x(cancel.left() - S12);
    let upper = main.with_max_y(main.top() + 22.0);
    let percent = format!("{:.0}{}%", running.progress.clamp(0.0, 1.0) * 100.0, format::THIN);
    let width = measure(ui, &percent, Type::SmallBold);
    text(ui, upper, Align2::RIGHT_CENTER, &percent, Type::SmallBold, t.text);
    let words = format!("{} ahead", format::span(running.simulated));
    text(ui, upper.with_max_x(upper.right() - width - S8), Align2::LEFT_CENTER, &words, Type::Small, t.secondary);
    let bar = Rect::from_min_size(pos2(main.left(), main.top() + 26.0), vec2(main.width(), 4.0));
    ui.painter().rect_filled(bar, 2.0, t.surface3);
    ui.painter().rect_filled(bar.with_max_x(bar.left() + bar.width() * running.progress.clamp(0.0, 1.0)), 2.0, t.what_if);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ProgressIndicator, true, format!("{} {percent}", running.name)));
    if button(ui, cancel, None, "Cancel", ButtonKind::Normal).clicked() {
        out.push(UiCommand::CancelScenario);
    }
}

fn table(ui: &mut Ui, results: &ResultsView) {
    let t = tokens(ui);
    ui.add_space(S8);
    section(ui, "What changes", &results.name);
    let frame = egui::Frame::NONE.fill(t.surface1).corner_radius(theme::card_radius()).stroke(t.hairline());
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_width(ui.available_width());
        if results.rows.is_empty() {
            let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::hover());
            let words =
                if results.simulated { "Nothing changes within this time." } else { "Nothing can be simulated from here." };
            text(ui, row.shrink2(vec2(S12, 0.0)), Align2::LEFT_CENTER, words, Type::Small, t.secondary);
        }
        for (nth, result) in results.rows.iter().enumerate() {
            result_row(ui, result, nth > 0);
        }
    });
    for remark in &results.remarks {
        ui.add_space(S4);
        ui.label(egui::RichText::new(remark).font(Type::Small.font()).color(t.secondary));
    }
}

/// What changes, from what to what, by how much; in a line more where the texts are long.
fn result_row(ui: &mut Ui, result: &ResultRow, ruled: bool) {
    let t = tokens(ui);
    let (symbol, ink) = match result.trend {
        Trend::Better => (Some(icon::ARROW_UP_RIGHT), t.text),
        Trend::Worse => (Some(icon::WARNING), t.text),
        Trend::Same => (None, t.faint),
    };
    let width = ui.available_width() - 2.0 * S12;
    let change = measure(ui, &result.baseline, Type::Small) + measure(ui, &result.scenario, Type::Small) + 24.0;
    let delta = measure(ui, &result.delta, Type::BodyBold) + symbol.map_or(0.0, |_| 20.0);
    let long = change + delta + S12 > width;
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), if long { 66.0 } else { 48.0 }), Sense::hover());
    if ruled {
        ui.painter().hline(row.x_range(), row.top(), t.hairline());
    }
    let line = |nth: f32| Rect::from_min_size(row.min + vec2(S12, 6.0 + 18.0 * nth), vec2(width, 18.0));
    text(ui, line(0.0), Align2::LEFT_CENTER, &result.what, Type::Body, t.text);
    let from = text(ui, line(1.0), Align2::LEFT_CENTER, &result.baseline, Type::Small, t.secondary);
    icon(ui, pos2(from.right() + 11.0, from.center().y), icon::ARROW_RIGHT, 11.0, t.faint);
    text(ui, line(1.0).with_min_x(from.right() + 22.0), Align2::LEFT_CENTER, &result.scenario, Type::Small, t.what_if);
    let last = line(if long { 2.0 } else { 1.0 });
    let at = text(ui, last, Align2::RIGHT_CENTER, &result.delta, Type::BodyBold, ink);
    if let Some(symbol) = symbol {
        icon(ui, pos2(at.left() - 12.0, last.center().y), symbol, 14.0, t.secondary);
    }
    let word = match result.trend {
        Trend::Better => "better",
        Trend::Worse => "worse",
        Trend::Same => "unchanged",
    };
    let label = format!("{}: {} instead of {}, {}, {word}", result.what, result.scenario, result.baseline, result.delta);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, label.clone()));
    let _hint = response.on_hover_text(label.clone());
}

fn branches(ui: &mut Ui, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    if vm.what_if.branches.is_empty() {
        return;
    }
    ui.add_space(S8);
    section(ui, "Scenarios so far", &vm.what_if.branches.len().to_string());
    for branch in &vm.what_if.branches {
        branch_row(ui, branch, state, out);
    }
}

fn branch_row(ui: &mut Ui, branch: &BranchView, state: &UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    let response =
        ui.interact(rect, ui.id().with(("branch", branch.id)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    if response.hovered() || branch.shown {
        let fill = if branch.shown { t.what_if_weak } else { t.surface2 };
        ui.painter().rect_filled(rect.expand2(vec2(S4, 0.0)), theme::control_radius(), fill);
    }
    let sample = Rect::from_center_size(pos2(rect.left() + 10.0, rect.center().y), vec2(16.0, 16.0));
    ui.painter().rect_filled(sample, 3.0, t.what_if.gamma_multiply(0.35));
    hatch(ui, sample, t.what_if);
    let trash = Rect::from_center_size(pos2(rect.right() - 14.0, rect.center().y), theme::square(26.0));
    let eye = trash.translate(vec2(-28.0, 0.0));
    let words = Rect::from_min_max(pos2(sample.right() + S12, rect.top() + 3.0), pos2(eye.left() - S4, rect.bottom() - 3.0));
    let (upper, lower) = (words.with_max_y(words.center().y), words.with_min_y(words.center().y));
    text(ui, upper, Align2::LEFT_CENTER, &branch.name, Type::Body, t.text);
    let span = format!("from {} for {}", state.zone.minute(branch.range.start), format::span(branch.range.span()));
    text(ui, lower, Align2::LEFT_CENTER, &span, Type::Small, t.faint);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, branch.shown, format!("Scenario {}", branch.name)));
    let ui = &ui.new_child(egui::UiBuilder::new().id_salt(branch.id).max_rect(rect));
    let label = if branch.shown { "Back to reality" } else { "Show it" };
    if icon_button_lit(ui, eye, icon::EYE, label, branch.shown).clicked() || response.clicked() {
        out.push(UiCommand::ViewBranch((!branch.shown).then_some(branch.id)));
    }
    if icon_button(ui, trash, icon::TRASH, "Forget it").clicked() {
        out.push(UiCommand::DeleteBranch(branch.id));
    }
}
