//! The chart drawer: chosen signals over the same stretch as the time bar, one lane per unit.

use egui::{Align2, Color32, Rect, Sense, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::{Limit, SignalKind, Status, TimeRange, Timestamp};

use super::{Columns, axis, columns, input, scale};
use crate::command::UiCommand;
use crate::icon;
use crate::screen::{Screen, Width};
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, Type, tokens};
use crate::view::{PlayMode, SeriesView, ViewModel};
use crate::widgets::{LineStyle, Plot, Scale, dashed_h, empty, envelope, icon_button, number_unit, status_mark, text};
use crate::{format, widgets};

/// Lanes at most; signals of further units share the last.
const MOST_LANES: usize = 3;

/// Series of one unit, with their places in the order of choice.
struct Lane<'a> {
    unit: &'a str,
    series: Vec<(usize, &'a SeriesView)>,
}

fn units(vm: &ViewModel) -> Vec<Lane<'_>> {
    let mut out: Vec<Lane<'_>> = Vec::new();
    for (nth, series) in vm.chart.series.iter().enumerate() {
        let full = out.len() >= MOST_LANES;
        match out.iter_mut().position(|lane| lane.unit == series.unit) {
            Some(at) => out[at].series.push((nth, series)),
            None if full => {
                if let Some(last) = out.last_mut() {
                    last.series.push((nth, series));
                }
            }
            None => out.push(Lane { unit: &series.unit, series: vec![(nth, series)] }),
        }
    }
    out
}

/// The chart drawer.
pub(crate) fn chart(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let rect = ui.max_rect();
    let at = columns(rect, screen);
    close(ui, rect, screen, state);
    if vm.chart.series.is_empty() {
        let width = 420.0f32.min(rect.width() - 2.0 * S12);
        let mut inner =
            ui.new_child(egui::UiBuilder::new().max_rect(Rect::from_center_size(rect.center(), vec2(width, rect.height()))));
        empty(
            &mut inner,
            icon::CHART_LINE,
            "No signals chosen",
            "Press signals in the inspector to draw them here, over the same time as the bar below.",
        );
        return;
    }
    let narrow = screen.width == Width::Sheet;
    let legend_height = if narrow { 24.0 } else { 0.0 };
    let plot = Rect::from_min_max(at.plot.min + vec2(0.0, S12 + legend_height), at.plot.max - vec2(0.0, S4));
    if narrow {
        legend_line(ui, Rect::from_min_size(rect.min + vec2(S12, S4), vec2(rect.width() - 48.0, legend_height)), vm);
    } else {
        legend(ui, at, vm, state, out);
    }
    let Some(scale) = scale(plot, vm, state) else { return };
    let response = ui.interact(plot, ui.id().with("plot"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, "Chart"));
    input::wheel(ui, &response, scale, vm, state);
    if response.dragged() && !response.drag_started() {
        state.pan(-f64::from(response.drag_delta().x / plot.width().max(1.0)));
    } else if response.clicked()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        input::seek(scale.t(pointer.x), vm, out);
    }
    if let Some(pointer) = response.hover_pos() {
        state.hover_time = Some(scale.t(pointer.x));
    }
    let scale = super::scale(plot, vm, state).unwrap_or(scale);
    paint(ui, plot, at.right, scale, vm, state);
    if response.hovered()
        && let Some(pointer) = response.hover_pos()
    {
        hover(ui, plot, scale, pointer.x, vm, state);
    }
}

fn close(ui: &Ui, rect: Rect, screen: &Screen, state: &mut UiState) {
    let place = Rect::from_min_size(pos2(rect.right() - S12 - 22.0, rect.top() + S4), theme::square(24.0));
    if icon_button(ui, place, icon::X, "Close the chart").clicked() {
        if screen.width == Width::Sheet {
            state.sheet = None;
        } else {
            state.chart_open = false;
        }
    }
}

/// Names and values at the playhead, left of the plot.
fn legend(ui: &mut Ui, at: Columns, vm: &ViewModel, _state: &UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let place = at.left.shrink2(vec2(S12, S8));
    let mut inner = ui.new_child(egui::UiBuilder::new().id_salt("legend").max_rect(place));
    inner.shrink_clip_rect(place);
    inner.spacing_mut().item_spacing.y = 0.0;
    egui::ScrollArea::vertical().id_salt("series").auto_shrink(false).show(&mut inner, |ui| {
        for (nth, series) in vm.chart.series.iter().enumerate() {
            let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::hover());
            let response = ui.interact(row, ui.id().with(("series", series.signal)), Sense::click());
            let color = t.series_color(nth);
            let bar = Rect::from_min_size(row.min + vec2(0.0, 6.0), vec2(3.0, row.height() - 12.0));
            ui.painter().rect_filled(bar, 1.5, color);
            let inner = row.with_min_x(row.left() + S12);
            let (upper, lower) = (inner.with_max_y(inner.center().y + 1.0), inner.with_min_y(inner.center().y - 1.0));
            let value = series.at_playhead.map_or_else(|| "–".to_owned(), format::steady);
            let unit = if series.at_playhead.is_some() { series.unit.as_str() } else { "" };
            let value_at = number_unit(ui, upper, &value, unit, Type::BodyBold, t.text);
            text(ui, upper.with_max_x(value_at.left() - S8), Align2::LEFT_CENTER, &series.name, Type::Body, t.text);
            text(ui, lower.with_max_x(row.right() - 24.0), Align2::LEFT_CENTER, &series.twin_name, Type::Small, t.faint);
            let label = format!("Take {} of {} off the chart", series.name, series.twin_name);
            response.widget_info(|| {
                let label = format!("{} of {}: {}", series.name, series.twin_name, format::with_unit(&value, unit));
                WidgetInfo::labeled(WidgetType::Label, true, label)
            });
            let off = Rect::from_center_size(pos2(row.right() - 9.0, lower.center().y), theme::square(18.0));
            let pressed = ui.interact(off, ui.id().with(("off", series.signal)), Sense::click());
            if response.hovered() || pressed.hovered() {
                widgets::icon(ui, off.center(), icon::X, 12.0, if pressed.hovered() { t.text } else { t.faint });
            }
            pressed.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, label.clone()));
            if pressed.on_hover_text("Take it off the chart").clicked() {
                out.push(UiCommand::ToggleChart(series.signal));
            }
        }
    });
}

fn legend_line(ui: &Ui, rect: Rect, vm: &ViewModel) {
    let t = tokens(ui);
    let mut x = rect.left();
    for (nth, series) in vm.chart.series.iter().enumerate() {
        let bar = Rect::from_center_size(pos2(x + 6.0, rect.center().y), vec2(12.0, 3.0));
        ui.painter().rect_filled(bar, 1.5, t.series_color(nth));
        let value = series.at_playhead.map_or_else(|| "–".to_owned(), format::steady);
        let words = format!("{} {}", series.name, format::with_unit(&value, &series.unit));
        let at = text(ui, rect.with_min_x(x + 18.0), Align2::LEFT_CENTER, &words, Type::Small, t.secondary);
        x = at.right() + S12;
        if x > rect.right() - 40.0 {
            break;
        }
    }
}

fn paint(ui: &mut Ui, plot: Rect, right: Rect, scale: Scale, vm: &ViewModel, state: &UiState) {
    let t = tokens(ui);
    let lanes = units(vm);
    let gap = 10.0;
    let height = (plot.height() - gap * (lanes.len().saturating_sub(1)) as f32) / lanes.len().max(1) as f32;
    for fold in scale.folds() {
        super::lanes::break_lines(ui, (scale.x(fold.start), scale.x(fold.end)), plot);
    }
    let marks = axis::marks(scale.range, scale.full_width(), 84.0, &state.zone);
    for mark in marks.iter().filter(|mark| !scale.is_folded(mark.t)) {
        ui.painter().vline(scale.x(mark.t).round() + 0.5, plot.y_range(), Stroke::new(theme::HAIR, t.line.gamma_multiply(0.5)));
    }
    for (nth, lane) in lanes.iter().enumerate() {
        let rect = Rect::from_min_size(plot.min + vec2(0.0, nth as f32 * (height + gap)), vec2(plot.width(), height));
        one_lane(ui, rect, right, scale, lane, vm);
    }
    let x = scale.x(vm.clock.playhead);
    if plot.x_range().contains(x) {
        let ink = if vm.shown_branch().is_some() { t.what_if } else { t.accent };
        ui.painter().vline(x, plot.top() - S12..=plot.bottom() + S8, Stroke::new(theme::LINE, ink));
    }
}

/// How much of a line's ink is left where it shows what came after the instant on screen: known, but not part of it.
const LATER: f32 = 0.34;

fn one_lane(ui: &mut Ui, rect: Rect, right: Rect, scale: Scale, lane: &Lane<'_>, vm: &ViewModel) {
    let t = tokens(ui);
    let y = extent(lane);
    let plot = Plot { rect, scale, y };
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(theme::HAIR, t.line));
    let mut labels: Vec<f32> = Vec::new();
    for (_, series) in &lane.series {
        for band in &series.bands {
            let value = match band.limit {
                Limit::Above(v) | Limit::Below(v) => v,
            };
            let at = plot.y(value);
            if !rect.y_range().contains(at) {
                continue;
            }
            dashed_h(ui, (rect.left(), rect.right()), at, t.secondary.gamma_multiply(0.7));
            if labels.iter().all(|other| (other - at).abs() > 12.0) {
                labels.push(at);
                axis_label(ui, rect, right, at, &format::number(value), Some(band.status));
            }
        }
    }
    let mut unit = lane.unit;
    for value in grid(y, rect.height()).into_iter().rev() {
        let at = plot.y(value);
        if labels.iter().all(|other| (other - at).abs() > 12.0) && at > rect.top() + 4.0 {
            ui.painter().hline(rect.x_range(), at, Stroke::new(theme::HAIR, t.line.gamma_multiply(0.4)));
            // The topmost value carries the unit.
            axis_label(ui, rect, right, at, &format::with_unit(&format::number(value), std::mem::take(&mut unit)), None);
        }
    }
    for (_, series) in &lane.series {
        for gap in &series.gaps {
            if let Some((from, to)) = scale.cut(seen_of_gap(*gap, vm.clock.playhead)) {
                widgets::hatch(ui, Rect::from_x_y_ranges(from..=to, rect.y_range()), t.hatch);
            }
        }
    }
    let whole = rect.expand(1.0);
    if vm.clock.mode == PlayMode::Following {
        lines(ui, whole, &plot, lane, 1.0);
    } else {
        let now = scale.x(vm.clock.playhead).clamp(whole.left(), whole.right());
        lines(ui, whole.with_max_x(now), &plot, lane, 1.0);
        lines(ui, whole.with_min_x(now), &plot, lane, LATER);
    }
    if !unit.is_empty() {
        let corner = Rect::from_min_size(rect.min + vec2(S4, 0.0), vec2(80.0, 14.0));
        text(ui, corner, Align2::LEFT_CENTER, unit, Type::Small, t.faint);
    }
}

/// The lines of a lane within a part of it, `ink` of 0 to 1 above the ground.
fn lines(ui: &mut Ui, part: Rect, plot: &Plot, lane: &Lane<'_>, ink: f32) {
    if !part.is_positive() {
        return;
    }
    let t = tokens(ui);
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(part));
    inner.shrink_clip_rect(part);
    for (nth, series) in &lane.series {
        // Opaque: what is see-through looks different in every way of blending.
        let color = t.surface0.lerp_to_gamma(t.series_color(*nth), ink);
        let steps = series.kind != SignalKind::Analog;
        let baseline = LineStyle { color: t.surface0.lerp_to_gamma(t.faint, ink), width: 1.0, steps, dashed: true };
        envelope(&inner, plot, &series.baseline, &[], baseline);
        envelope(&inner, plot, &series.points, &series.gaps, LineStyle { color, width: theme::LINE, steps, dashed: false });
    }
}

/// What is known of a gap at an instant: never more than until then.
fn seen_of_gap(gap: TimeRange, playhead: Timestamp) -> TimeRange {
    TimeRange::new(gap.start, gap.end.min(playhead).max(gap.start))
}

/// The words of a horizontal line: right of the plot, or within it where there is no room.
fn axis_label(ui: &Ui, rect: Rect, right: Rect, y: f32, words: &str, status: Option<Status>) {
    let t = tokens(ui);
    let ink = if status.is_some() { t.secondary } else { t.faint };
    if right.width() < 48.0 {
        let place = Rect::from_min_max(pos2(rect.right() - 56.0, y - 13.0), pos2(rect.right() - S4, y));
        let at = text(ui, place, Align2::RIGHT_CENTER, words, Type::Small, ink);
        if let Some(status) = status {
            status_mark(ui, pos2(at.left() - 8.0, at.center().y), 8.0, status);
        }
        return;
    }
    let left = rect.right() + if status.is_some() { 20.0 } else { 7.0 };
    if let Some(status) = status {
        status_mark(ui, pos2(rect.right() + 11.0, y), 9.0, status);
    }
    let place = Rect::from_min_max(pos2(left, y - 7.0), pos2(right.right() - 30.0, y + 7.0));
    text(ui, place, Align2::LEFT_CENTER, words, Type::Small, ink);
}

/// Smallest and largest value of a lane with a little room; limits count where they lie near.
fn extent(lane: &Lane<'_>) -> (f64, f64) {
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for point in
        lane.series.iter().flat_map(|(_, series)| series.points.iter().chain(&series.baseline)).filter(|p| p.last.is_finite())
    {
        low = low.min(f64::from(point.min));
        high = high.max(f64::from(point.max));
    }
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    let size = (high - low).max(high.abs() * 0.02).max(1e-6);
    for (_, series) in &lane.series {
        for band in &series.bands {
            let value = match band.limit {
                Limit::Above(v) | Limit::Below(v) => v,
            };
            if value > low - size * 0.8 && value < high + size * 0.8 {
                low = low.min(value);
                high = high.max(value);
            }
        }
    }
    let pad = (high - low).max(size) * 0.08;
    (low - pad, high + pad)
}

/// Round values at a readable distance.
fn grid((low, high): (f64, f64), height: f32) -> Vec<f64> {
    let wanted = (high - low) / f64::from((height / 24.0).max(1.0));
    if !wanted.is_finite() || wanted <= 0.0 {
        return Vec::new();
    }
    let power = 10f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= wanted).unwrap_or(power * 10.0);
    let first = (low / step).ceil();
    (0..24).map(|nth| (first + f64::from(nth)) * step).take_while(|value| *value <= high).collect()
}

/// Line, time and values at the pointer.
fn hover(ui: &Ui, plot: Rect, scale: Scale, x: f32, vm: &ViewModel, state: &UiState) {
    let t = tokens(ui);
    let at = scale.t(x);
    ui.painter().vline(x, plot.y_range(), Stroke::new(theme::HAIR, t.secondary));
    let lines: Vec<(Color32, &str, String)> = vm
        .chart
        .series
        .iter()
        .enumerate()
        .map(|(nth, series)| {
            let words = value_at(series, at)
                .map_or_else(|| "no data".to_owned(), |v| format::with_unit(&format::steady(f64::from(v)), &series.unit));
            (t.series_color(nth), series.name.as_str(), words)
        })
        .collect();
    let title = state.zone.brief(at, vm.clock.playhead);
    let name_width = lines
        .iter()
        .map(|(_, name, words)| widgets::measure(ui, name, Type::Small) + widgets::measure(ui, words, Type::SmallBold))
        .fold(0.0, f32::max);
    let size = vec2((name_width + 20.0 + S12).clamp(120.0, 280.0) + 2.0 * S8, 22.0 + lines.len() as f32 * 17.0 + S8);
    let left = if x + 14.0 + size.x < plot.right() { x + 14.0 } else { x - 14.0 - size.x };
    let place = Rect::from_min_size(pos2(left, plot.top()), size);
    let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Tooltip, ui.id().with("readout")));
    painter.add(t.float_shadow().as_shape(place, theme::card_radius()));
    painter.rect(place, theme::card_radius(), t.surface1, t.hairline(), egui::StrokeKind::Inside);
    painter.text(place.min + vec2(S8, 5.0), Align2::LEFT_TOP, title, Type::SmallBold.font(), t.text);
    for (nth, (color, name, words)) in lines.into_iter().enumerate() {
        let y = place.top() + 24.0 + nth as f32 * 17.0;
        painter.rect_filled(Rect::from_min_size(pos2(place.left() + S8, y + 6.0), vec2(10.0, 3.0)), 1.5, color);
        painter.text(pos2(place.left() + S8 + 15.0, y), Align2::LEFT_TOP, name, Type::Small.font(), t.secondary);
        painter.text(pos2(place.right() - S8, y), Align2::RIGHT_TOP, words, Type::SmallBold.font(), t.text);
    }
}

/// The newest value at or before an instant; none within a gap.
fn value_at(series: &SeriesView, t: Timestamp) -> Option<f32> {
    if series.gaps.iter().any(|gap| gap.contains(t)) {
        return None;
    }
    let after = series.points.partition_point(|point| point.t <= t);
    series.points.get(after.checked_sub(1)?).map(|point| point.last).filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_known_up_to_the_playhead() {
        let check = |gap: (i64, i64), playhead: i64, expect: (i64, i64)| {
            let range = |(a, b): (i64, i64)| TimeRange::new(Timestamp::from_secs(a), Timestamp::from_secs(b));
            assert_eq!(seen_of_gap(range(gap), Timestamp::from_secs(playhead)), range(expect), "{gap:?} at {playhead}");
        };
        check((10, 20), 30, (10, 20));
        check((10, 20), 15, (10, 15));
        check((10, 20), 5, (10, 10));
    }

    #[test]
    fn grid_values_are_round() {
        assert_eq!(grid((0.0, 10.0), 100.0), [0.0, 5.0, 10.0]);
        assert_eq!(grid((68.2, 71.9), 120.0), [69.0, 70.0, 71.0]);
        assert!(grid((1.0, 1.0), 100.0).is_empty());
    }
}
