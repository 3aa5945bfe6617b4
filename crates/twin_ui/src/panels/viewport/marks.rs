//! Marks at parts: one each while there are few, one with a count where many crowd. Refuses to know the camera.

use std::cmp::Reverse;

use egui::{Align2, CursorIcon, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::{AlarmState, Status, TwinIndex};

use crate::command::UiCommand;
use crate::theme::{self, S8, S12, Type, tokens};
use crate::view::{Marker, ViewModel};
use crate::widgets::{alarm_mark, measure, status_mark, text};

/// Above this number of marks, near ones merge: each of them then says less than all of them hide.
const MANY: usize = 20;
/// How near, in points, marks are that merge: three marks side by side.
const NEAR: f32 = 72.0;
/// Names that the hint of merged marks gives.
const NAMED: usize = 5;

/// Marks that share a place, the most pressing first; never empty.
#[derive(Debug, Clone, PartialEq)]
struct Group<'a> {
    members: Vec<&'a Marker>,
    /// The middle of their parts' anchors.
    at: Pos2,
}

/// Lower is more pressing: alarms before statuses, by priority, unacknowledged ones first.
fn pressing(mark: &Marker) -> (bool, u8, bool, Reverse<Status>, TwinIndex) {
    let priority = mark.alarm.map_or(0, |(priority, _)| priority.number());
    let seen = mark.alarm.is_none_or(|(_, state)| state != AlarmState::UnackActive);
    (mark.alarm.is_none(), priority, seen, Reverse(mark.status), mark.twin)
}

/// Merges near marks where there are many. Who belongs together depends on places and twins alone, so that it stays while
/// values change; selected marks stay by themselves.
fn groups<'a>(marks: &[&'a Marker]) -> Vec<Group<'a>> {
    let crowded = marks.iter().filter(|mark| !mark.selected).count() > MANY;
    let mut in_order = marks.to_vec();
    in_order.sort_by_key(|mark| mark.twin);
    let mut out: Vec<Group<'a>> = Vec::new();
    for mark in in_order {
        // Until the end a group stands where its first member does.
        let near =
            |group: &&mut Group<'_>| crowded && !mark.selected && !group.members[0].selected && group.at.distance(mark.at) < NEAR;
        match out.iter_mut().filter(near).min_by(|a, b| a.at.distance(mark.at).total_cmp(&b.at.distance(mark.at))) {
            Some(group) => group.members.push(mark),
            None => out.push(Group { members: vec![mark], at: mark.at }),
        }
    }
    for group in &mut out {
        let sum = group.members.iter().fold(Vec2::ZERO, |sum, mark| sum + mark.at.to_vec2());
        group.at = (sum / group.members.len() as f32).to_pos2();
        group.members.sort_by_key(|mark| pressing(mark));
    }
    out.sort_by_key(|group| (!group.members[0].selected, pressing(group.members[0])));
    out
}

/// Alarms always, names of what is selected. Later marks give way to earlier ones.
pub(super) fn marks(ui: &Ui, rect: Rect, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let mut taken: Vec<Rect> = Vec::new();
    let seen: Vec<&Marker> = vm.markers.iter().filter(|marker| rect.contains(marker.at)).collect();
    for group in groups(&seen) {
        let [marker, others @ ..] = group.members.as_slice() else { continue };
        let alone = others.is_empty();
        let width = match (alone, marker.selected) {
            (true, true) => measure(ui, &marker.name, Type::SmallBold) + 42.0,
            (true, false) => 24.0,
            (false, _) => measure(ui, &group.members.len().to_string(), Type::SmallBold) + 24.0 + S12,
        };
        let size = vec2(width, 24.0);
        // Above the part where there is room, then right, left and below; a count stands among its parts.
        let lift = if alone { 44.0 } else { 20.0 };
        let spots =
            [vec2(0.0, -lift), vec2(size.x * 0.5 + 26.0, -22.0), vec2(-size.x * 0.5 - 26.0, -22.0), vec2(0.0, lift - 4.0)];
        let place = spots
            .iter()
            .map(|by| Rect::from_center_size(group.at + *by, size))
            .find(|place| rect.contains_rect(*place) && !taken.iter().any(|other| other.expand(2.0).intersects(*place)));
        let Some(place) = place else { continue };
        taken.push(place);
        if alone {
            one(ui, place, marker, vm, out);
        } else {
            several(ui, place, &group, vm, out);
        }
    }
}

fn anchor(ui: &Ui, at: Pos2) {
    let t = tokens(ui);
    ui.painter().circle(at, 2.5, t.text, Stroke::new(theme::HAIR, t.surface0));
}

/// The pill with the symbol of a mark at its left end.
fn pill(ui: &Ui, place: Rect, marker: &Marker, vm: &ViewModel) {
    let t = tokens(ui);
    let edge = if marker.selected { Stroke::new(theme::LINE, t.text) } else { t.hairline() };
    ui.painter().rect(place, place.height() / 2.0, t.glass, edge, StrokeKind::Inside);
    let center = pos2(place.left() + 12.0, place.center().y);
    match marker.alarm {
        Some((priority, state)) => {
            let on = vm.reduced_motion || ui.input(|i| i.time).rem_euclid(1.0) < 0.5;
            if state == AlarmState::UnackActive && on {
                ui.painter().circle_stroke(center, 11.0, Stroke::new(theme::HAIR, t.secondary));
            }
            alarm_mark(ui, center, 14.0, priority, state);
        }
        None => status_mark(ui, center, 14.0, marker.status),
    }
}

/// What a mark does when it is pressed or pointed at: it stands for a twin.
fn press(ui: &Ui, place: Rect, marker: &Marker, words: &str, out: &mut Vec<UiCommand>) -> egui::Response {
    let response =
        ui.interact(place, ui.id().with(("marker", marker.twin)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, words));
    if response.clicked() {
        out.push(UiCommand::Select { twin: Some(marker.twin), additive: false });
    }
    if response.hovered() {
        out.push(UiCommand::Hover(Some(marker.twin)));
    }
    response
}

fn one(ui: &Ui, place: Rect, marker: &Marker, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let from = pos2(marker.at.x.clamp(place.left() + 6.0, place.right() - 6.0), marker.at.y.clamp(place.top(), place.bottom()));
    ui.painter().line_segment([from, marker.at], Stroke::new(theme::FRAME, t.surface0.gamma_multiply(0.7)));
    ui.painter().line_segment([from, marker.at], Stroke::new(theme::HAIR, t.text));
    anchor(ui, marker.at);
    let response = press(ui, place, marker, &format!("Mark of {}", marker.name), out);
    pill(ui, place, marker, vm);
    if marker.selected {
        let words = place.with_min_x(place.left() + 28.0);
        text(ui, words, Align2::LEFT_CENTER, &marker.name, Type::SmallBold, t.text);
    } else {
        let _hint = response.on_hover_text(&marker.name);
    }
}

/// Many in one: the most pressing symbol and how many there are; a press selects the most pressing twin.
fn several(ui: &Ui, place: Rect, group: &Group<'_>, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let Some(worst) = group.members.first() else { return };
    for member in &group.members {
        anchor(ui, member.at);
    }
    let count = group.members.len();
    let response = press(ui, place, worst, &format!("Marks of {count} twins, worst {}", worst.name), out);
    pill(ui, place, worst, vm);
    let words = Rect::from_min_max(pos2(place.left() + 24.0, place.top()), pos2(place.right() - S8, place.bottom()));
    text(ui, words, Align2::LEFT_CENTER, &count.to_string(), Type::SmallBold, t.text);
    let mut names: Vec<&str> = group.members.iter().take(NAMED).map(|member| member.name.as_str()).collect();
    let more = format!("and {} more", count.saturating_sub(NAMED));
    if count > NAMED {
        names.push(&more);
    }
    let _hint = response.on_hover_text(names.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_model::Priority;

    fn mark(twin: u32, at: (f32, f32), alarm: Option<(Priority, AlarmState)>) -> Marker {
        Marker {
            twin: TwinIndex(twin),
            at: pos2(at.0, at.1),
            name: format!("twin {twin}"),
            status: Status::Maintenance,
            alarm,
            selected: false,
        }
    }

    /// Marks along a line, as far apart as said.
    fn row(count: u32, apart: f32) -> Vec<Marker> {
        (0..count).map(|nth| mark(nth, (nth as f32 * apart, 100.0), None)).collect()
    }

    fn grouped(marks: &[Marker]) -> Vec<Vec<u32>> {
        let marks: Vec<&Marker> = marks.iter().collect();
        groups(&marks).iter().map(|group| group.members.iter().map(|mark| mark.twin.0).collect()).collect()
    }

    fn sorted(mut groups: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort_unstable();
        groups
    }

    #[test]
    fn few_marks_stay_by_themselves_however_near() {
        assert_eq!(grouped(&row(20, 1.0)).len(), 20);
    }

    #[test]
    fn of_many_marks_near_ones_merge_and_far_ones_do_not() {
        assert_eq!(grouped(&row(21, 1.0)).len(), 1);
        assert_eq!(grouped(&row(21, 100.0)).len(), 21);
        let of_each = grouped(&row(30, 24.0));
        assert!(of_each.iter().all(|group| group.len() == 3), "{of_each:?}");
    }

    #[test]
    fn nothing_is_lost_or_counted_twice() {
        let marks: Vec<Marker> =
            (0..500u32).map(|n| mark(n, ((n * 7_919 % 740) as f32, (n * 104_729 % 560) as f32), None)).collect();
        let mut all: Vec<u32> = grouped(&marks).concat();
        all.sort_unstable();
        assert_eq!(all, (0..500).collect::<Vec<_>>());
        assert!(grouped(&marks).len() < 120, "{}", grouped(&marks).len());
    }

    #[test]
    fn the_most_pressing_speaks_for_all() {
        let mut marks = row(30, 1.0);
        marks[4].alarm = Some((Priority::Low, AlarmState::UnackActive));
        marks[9].alarm = Some((Priority::High, AlarmState::AckActive));
        marks[20].alarm = Some((Priority::High, AlarmState::UnackActive));
        marks[25].status = Status::Failure;
        assert_eq!(grouped(&marks)[0][..5], [20, 9, 4, 25, 0]);
    }

    #[test]
    fn groups_stay_while_values_change() {
        let calm = row(60, 17.0);
        let mut upset = calm.clone();
        for marker in &mut upset {
            marker.status = Status::Failure;
            marker.alarm = (marker.twin.0 % 3 == 0).then_some((Priority::Critical, AlarmState::UnackActive));
        }
        assert_eq!(sorted(grouped(&upset)), sorted(grouped(&calm)));
        upset.reverse();
        assert_eq!(sorted(grouped(&upset)), sorted(grouped(&calm)), "nor on the order they come in");
    }

    #[test]
    fn what_is_selected_stays_by_itself_and_comes_first() {
        let mut marks = row(30, 1.0);
        marks[12].selected = true;
        let got = grouped(&marks);
        assert_eq!((got.len(), &got[0]), (2, &vec![12]));
        assert_eq!(got[1].len(), 29);
    }
}
