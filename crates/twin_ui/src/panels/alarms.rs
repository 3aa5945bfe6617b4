//! The alarm list: active before returned, unacknowledged before acknowledged, most urgent first, newest first.

use egui::{Align2, CursorIcon, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::{AlarmState, Span};

use crate::command::UiCommand;
use crate::screen::Screen;
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, Type, tokens};
use crate::view::{AlarmRow, ViewModel};
use crate::widgets::{alarm_mark, empty, focus_ring, icon, icon_button, measure, text};
use crate::{format, icon};

/// More alarms than this in [`FLOOD_SPAN`] are a flood (EEMUA 191: ten in ten minutes).
const FLOOD: usize = 10;
const FLOOD_SPAN: Span = Span::from_secs(600);

/// The alarm list.
pub(crate) fn alarms(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    let body = ui.max_rect();
    if vm.alarms.is_empty() {
        let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(body.shrink2(vec2(S12, 0.0))));
        empty(
            &mut inner,
            icon::CHECK_CIRCLE,
            "No alarms",
            "At this moment nothing asks for an operator. Ticks on the time bar show when something did.",
        );
        return;
    }
    let sorted = sorted(&vm.alarms);
    let top = summary(ui, body, vm);
    let list = body.with_min_y(top);
    let mut inner = ui.new_child(egui::UiBuilder::new().id_salt("list").max_rect(list));
    inner.shrink_clip_rect(list);
    inner.spacing_mut().item_spacing.y = 0.0;
    let height = screen.sizes.row_two + 8.0;
    egui::ScrollArea::vertical().id_salt("alarms").auto_shrink(false).show_rows(&mut inner, height, sorted.len(), |ui, range| {
        for alarm in sorted.get(range).unwrap_or_default() {
            row(ui, height, alarm, vm, state, out);
        }
    });
}

/// The order of the list, most pressing first.
fn sorted(alarms: &[AlarmRow]) -> Vec<&AlarmRow> {
    let mut rows: Vec<&AlarmRow> = alarms.iter().collect();
    rows.sort_by_key(|alarm| {
        (!alarm.state.is_active(), rank(alarm.state), alarm.priority, std::cmp::Reverse(alarm.since), alarm.alarm)
    });
    rows
}

fn rank(state: AlarmState) -> u8 {
    match state {
        AlarmState::UnackActive => 0,
        AlarmState::AckActive => 1,
        AlarmState::ReturnedUnack => 2,
        AlarmState::Shelved => 3,
        AlarmState::SuppressedByDesign => 4,
        AlarmState::OutOfService => 5,
        AlarmState::Normal => 6,
    }
}

fn summary(ui: &Ui, body: Rect, vm: &ViewModel) -> f32 {
    let t = tokens(ui);
    let unseen = vm.alarms.iter().filter(|alarm| alarm.state.is_unacknowledged()).count();
    let active = vm.alarms.iter().filter(|alarm| alarm.state.is_active()).count();
    let recent =
        vm.alarms.iter().filter(|alarm| vm.clock.playhead.since(alarm.since) < FLOOD_SPAN && alarm.state.is_active()).count();
    let mut y = body.top() + S4;
    if recent > FLOOD {
        let words = format!("Flood: {recent} alarms in 10 minutes");
        let place = Rect::from_min_size(pos2(body.left() + S12, y + S4), vec2(body.width() - 2.0 * S12, 28.0));
        ui.painter().rect_filled(place, theme::control_radius(), t.text);
        icon(ui, pos2(place.left() + 16.0, place.center().y), icon::WARNING, 16.0, t.surface0);
        text(ui, place.with_min_x(place.left() + 30.0), Align2::LEFT_CENTER, &words, Type::SmallBold, t.surface0);
        y = place.bottom() + S4;
    }
    let row = Rect::from_min_size(pos2(body.left() + S12, y), vec2(body.width() - 2.0 * S12, 28.0));
    let words = format!("{active} active, {unseen} unacknowledged");
    text(ui, row, Align2::LEFT_CENTER, &words, Type::Small, t.secondary);
    row.bottom()
}

fn row(ui: &mut Ui, height: f32, alarm: &AlarmRow, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let response =
        ui.interact(rect, ui.id().with(("alarm", alarm.alarm)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    let selected = vm.selection.contains(&alarm.twin);
    if response.hovered() || selected {
        ui.painter().rect_filled(rect, 0.0, if selected { t.accent_weak } else { t.surface2 });
    }
    let inner = rect.shrink2(vec2(S12, 0.0));
    ui.painter().hline(inner.x_range(), rect.bottom(), egui::Stroke::new(theme::HAIR, t.line.gamma_multiply(0.5)));
    let center = pos2(inner.left() + 10.0, rect.center().y);
    alarm_mark(ui, center, 18.0, alarm.priority, alarm.state);
    blink(ui, center, alarm.state, vm.reduced_motion);
    let words = inner.with_min_x(inner.left() + 32.0);
    let age = format::span(vm.clock.playhead.since(alarm.since));
    let (upper, lower) = (words.with_max_y(rect.center().y + 2.0), words.with_min_y(rect.center().y));
    let age_width = measure(ui, &age, Type::Small);
    text(ui, upper.translate(vec2(0.0, 3.0)), Align2::RIGHT_CENTER, &age, Type::Small, t.secondary);
    let quiet = !alarm.state.is_active();
    let message = upper.with_max_x(upper.right() - age_width - S8).translate(vec2(0.0, 3.0));
    let kind = if alarm.state == AlarmState::UnackActive { Type::BodyBold } else { Type::Body };
    text(ui, message, Align2::LEFT_CENTER, &alarm.message, kind, if quiet { t.secondary } else { t.text });
    let mut line = lower.translate(vec2(0.0, -3.0));
    if alarm.can_acknowledge && alarm.state.is_unacknowledged() {
        let place = Rect::from_center_size(pos2(line.right() - 10.0, line.center().y - 1.0), theme::square(22.0));
        line.max.x = place.left() - S4;
        let label = format!("Acknowledge: {}", alarm.message);
        // Of the alarm, not of its words: many alarms say the same.
        let button = ui.new_child(egui::UiBuilder::new().id_salt(("acknowledge", alarm.alarm)).max_rect(place));
        if icon_button(&button, place, icon::CHECK_CIRCLE, &label).clicked() {
            out.push(UiCommand::Acknowledge(alarm.alarm));
        }
    }
    let at = state_word(alarm.state);
    let word_width = measure(ui, at, Type::Small);
    text(ui, line, Align2::RIGHT_CENTER, at, Type::Small, t.faint);
    text(ui, line.with_max_x(line.right() - word_width - S8), Align2::LEFT_CENTER, &alarm.twin_name, Type::Small, t.secondary);
    focus_ring(ui, &response);
    response.widget_info(|| {
        let label = format!("Alarm priority {}: {}, {}", alarm.priority.number(), alarm.message, alarm.state.label());
        WidgetInfo::selected(WidgetType::Button, true, selected, label)
    });
    if response.hovered() {
        out.push(UiCommand::Hover(Some(alarm.twin)));
    }
    if response.double_clicked() {
        out.push(UiCommand::Focus(alarm.twin));
    } else if response.clicked() {
        out.push(UiCommand::Select { twin: Some(alarm.twin), additive: false });
    }
    let _hint = response.on_hover_ui(|ui| {
        ui.label(egui::RichText::new(&alarm.message).font(Type::BodyBold.font()).color(t.text));
        let words = format!(
            "{} · {}\nPriority {} · since\n{}",
            alarm.twin_name,
            alarm.state.label(),
            alarm.priority.number(),
            state.zone.both(alarm.since)
        );
        ui.label(egui::RichText::new(words).font(Type::Small.font()).color(t.secondary));
    });
}

fn state_word(state: AlarmState) -> &'static str {
    match state {
        AlarmState::UnackActive => "not acknowledged",
        AlarmState::AckActive => "acknowledged",
        AlarmState::ReturnedUnack => "returned, not seen",
        AlarmState::Shelved => "shelved",
        AlarmState::SuppressedByDesign => "suppressed",
        AlarmState::OutOfService => "out of service",
        AlarmState::Normal => "normal",
    }
}

/// A ring that comes and goes about an unacknowledged alarm, once a second; steady under reduced motion.
fn blink(ui: &Ui, center: egui::Pos2, state: AlarmState, still: bool) {
    if state != AlarmState::UnackActive {
        return;
    }
    let on = still || ui.input(|i| i.time).rem_euclid(1.0) < 0.5;
    if on {
        ui.painter().circle_stroke(center, 13.0, egui::Stroke::new(theme::HAIR, tokens(ui).secondary));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_model::{AlarmIndex, Priority, Timestamp, TwinIndex};

    fn alarm(at: u32, state: AlarmState, priority: Priority, since: i64) -> AlarmRow {
        AlarmRow {
            alarm: AlarmIndex(at),
            twin: TwinIndex(0),
            twin_name: String::new(),
            message: String::new(),
            priority,
            state,
            can_acknowledge: true,
            since: Timestamp::from_secs(since),
        }
    }

    #[test]
    fn active_before_returned_then_unseen_then_priority_then_newest() {
        let rows = [
            alarm(0, AlarmState::ReturnedUnack, Priority::Critical, 9),
            alarm(1, AlarmState::AckActive, Priority::Critical, 9),
            alarm(2, AlarmState::UnackActive, Priority::Low, 1),
            alarm(3, AlarmState::UnackActive, Priority::High, 1),
            alarm(4, AlarmState::UnackActive, Priority::High, 5),
        ];
        let order: Vec<u32> = sorted(&rows).iter().map(|row| row.alarm.0).collect();
        assert_eq!(order, [4, 3, 2, 1, 0]);
    }
}
