//! What is painted on the time bar: ticks, status strip, density, gaps, branches, live edge, loop, playhead.

mod ticks;

use egui::{
    Align2, Color32, CursorIcon, Rect, Response, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2, vec2,
};
use twin_model::{Span, Status, TimeRange, Timestamp};

use super::{Scale, axis, input};
use crate::command::UiCommand;
use crate::state::{BarDrag, UiState};
use crate::theme::{self, BRANCH_LANE, S4, S8, Tokens, Type, tokens};
use crate::view::{BranchView, StatusSpan, TimelineView, ViewModel};
use crate::widgets::{hatch, icon, measure, text};
use crate::{format, icon};

/// Vertical places of the lanes.
struct Lanes {
    ticks: Rect,
    status: Rect,
    density: Rect,
    branches: Rect,
    axis: Rect,
}

impl Lanes {
    fn of(plot: Rect, branches: usize) -> Self {
        let lane = |top: f32, height: f32| Rect::from_min_size(pos2(plot.left(), plot.top() + top), vec2(plot.width(), height));
        let extra = branches as f32 * BRANCH_LANE;
        Self {
            ticks: lane(5.0, 15.0),
            status: lane(23.0, 7.0),
            density: lane(32.0, 18.0),
            branches: lane(50.0, extra),
            axis: lane(52.0 + extra, 16.0),
        }
    }

    fn all(&self) -> Rect {
        self.ticks.union(self.density).union(self.branches)
    }
}

/// What the time bar says before there is any time.
pub(super) fn nothing(ui: &Ui, plot: Rect) {
    let t = tokens(ui);
    text(ui, plot, Align2::CENTER_CENTER, "The time bar fills when the first values arrive", Type::Small, t.faint);
}

/// Paints everything on the bar.
pub(super) fn paint(
    ui: &mut Ui,
    plot: Rect,
    scale: Scale,
    vm: &ViewModel,
    state: &UiState,
    response: &Response,
    out: &mut Vec<UiCommand>,
) {
    let shown = vm.what_if.branches.len().min(3);
    let lanes = Lanes::of(plot, shown);
    let skip = vm.what_if.branches.len() - shown;
    ui.scope_builder(egui::UiBuilder::new().id_salt("lanes").max_rect(plot), |ui| {
        ui.shrink_clip_rect(plot.expand2(vec2(S4, 0.0)));
        background(ui, &lanes, scale, vm);
        axis_marks(ui, &lanes, scale, vm, state);
        status_strip(ui, lanes.status, scale, &vm.timeline.status);
        density(ui, lanes.density, scale, vm);
        thinned(ui, &lanes, scale, vm);
        unloaded(ui, &lanes, scale, vm);
        gaps(ui, &lanes, scale, vm);
        outside(ui, &lanes, scale, vm);
        folded(ui, &lanes, scale);
        for (nth, branch) in vm.what_if.branches.iter().skip(skip).enumerate() {
            branch_lane(ui, &lanes, nth, scale, branch, out);
        }
        let marks = ticks::seen(scale, vm);
        edge(ui, &lanes, scale, vm, &marks);
        looped(ui, &lanes, scale, vm, state, response, out);
        if vm.clock.is_as_known() {
            index_words(ui, &lanes, scale);
        }
        ghost(ui, &lanes, scale, state);
        playhead(ui, &lanes, scale, vm, state);
        // Over the playhead: what just happened lies under it all the while the live edge is followed.
        ticks::paint(ui, lanes.ticks, &marks);
    });
    hints(ui, response, scale, vm, state);
}

/// The empty lanes, up to the live edge: time that has not come has none.
fn background(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel) {
    let t = tokens(ui);
    let end = vm.clock.live_edge.map_or(scale.right, |edge| scale.x(edge).clamp(scale.left, scale.right));
    ui.painter().rect_filled(lanes.status.with_max_x(end), 2.0, t.surface2);
    ui.painter().hline(lanes.density.left()..=end, lanes.density.bottom(), t.hairline());
    let rest = [pos2(end + 5.0, lanes.status.center().y), pos2(scale.right, lanes.status.center().y)];
    if rest[1].x > rest[0].x {
        ui.painter().extend(Shape::dotted_line(&rest, t.line, 5.0, 0.9));
    }
}

/// Both lanes of data over a stretch.
fn data_lanes(lanes: &Lanes, (from, to): (f32, f32)) -> Rect {
    Rect::from_x_y_ranges(from..=to, lanes.status.top()..=lanes.density.bottom())
}

/// Words over a stretch, where they fit without being shortened.
fn name_stretch(ui: &Ui, part: Rect, words: &str) {
    let t = tokens(ui);
    let wanted = measure(ui, words, Type::Small);
    if part.width() > wanted + 2.0 * S8 {
        let place = Rect::from_center_size(part.center(), vec2(wanted + S8, 14.0));
        ui.painter().rect_filled(place, theme::control_radius(), t.surface0);
        text(ui, place, Align2::CENTER_CENTER, words, Type::Small, t.secondary);
    }
}

/// Says of strip and marks what they are while everything else is shown as it was known: an index of what happened, which steps
/// between events go by (decision 0019). At the left, where the playhead seldom is.
fn index_words(ui: &Ui, lanes: &Lanes, scale: Scale) {
    let t = tokens(ui);
    let words = "Strip and marks: as it was";
    let width = measure(ui, words, Type::Small) + S8;
    let place = Rect::from_min_size(lanes.density.left_top() + vec2(S4, 1.0), vec2(width, 15.0));
    if place.right() < scale.right {
        ui.painter().rect_filled(place, theme::control_radius(), t.surface0);
        text(ui, place, Align2::CENTER_CENTER, words, Type::Small, t.secondary);
    }
}

/// Time before everything that is kept: dark.
fn outside(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel) {
    let t = tokens(ui);
    let Some(kept) = vm.timeline.retained_from else { return };
    let x = scale.x(kept).min(scale.right);
    if x <= scale.left {
        return;
    }
    let gone = data_lanes(lanes, (scale.left, x));
    ui.painter().rect_filled(gone, 0.0, if t.dark { t.ground_top } else { t.surface3 });
    ui.painter().vline(x, gone.y_range(), t.hairline());
    let words = if vm.timeline.expired { "not kept" } else { "before the first value" };
    if gone.width() > measure(ui, words, Type::Small) + 2.0 * S8 {
        text(ui, gone, Align2::CENTER_CENTER, words, Type::Small, t.faint);
    }
}

/// Long empty stretches, folded: a break in the lanes.
fn folded(ui: &Ui, lanes: &Lanes, scale: Scale) {
    let t = tokens(ui);
    for fold in scale.folds() {
        let (from, to) = (scale.x(fold.start), scale.x(fold.end));
        let part = data_lanes(lanes, (from, to));
        ui.painter().rect_filled(part, 0.0, t.surface0);
        break_lines(ui, (from, to), part);
        let y = lanes.density.center().y;
        let middle = f32::midpoint(from, to);
        icon(ui, pos2(middle - 4.0, y), icon::CARET_RIGHT, 10.0, t.secondary);
        icon(ui, pos2(middle + 4.0, y), icon::CARET_LEFT, 10.0, t.secondary);
    }
}

/// Where time is folded: a jagged line at either side.
pub(super) fn break_lines(ui: &Ui, (from, to): (f32, f32), part: Rect) {
    let t = tokens(ui);
    for x in [from, to] {
        let teeth = (part.height() / 3.0).ceil().max(1.0) as usize;
        let line = (0..=teeth).map(|nth| {
            let aside = if nth % 2 == 0 { -1.5 } else { 1.5 };
            pos2(x + aside, part.top() + part.height() * nth as f32 / teeth as f32)
        });
        ui.painter().add(Shape::line(line.collect(), Stroke::new(theme::HAIR, t.faint)));
    }
}

/// Stretches of which only some samples are kept are lighter, under a fine line that says where they end.
fn thinned(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel) {
    let t = tokens(ui);
    for range in &vm.timeline.thinned {
        let Some(cut) = scale.cut(*range) else { continue };
        let part = data_lanes(lanes, cut);
        // Every other line of pixels: lighter, whatever lies below.
        for row in 0..(part.height() / 2.0) as usize {
            let y = part.top() + 2.0 * row as f32 + 0.5;
            ui.painter().hline(part.x_range(), y, Stroke::new(theme::HAIR, t.surface0));
        }
        let line = [part.left_bottom() - vec2(0.0, 1.0), part.right_bottom() - vec2(0.0, 1.0)];
        ui.painter().extend(Shape::dotted_line(&line, t.faint, 4.0, 0.8));
    }
}

fn axis_marks(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel, state: &UiState) {
    let t = tokens(ui);
    let playhead = chip_center(scale, vm.clock.playhead);
    let mut written = f32::NEG_INFINITY;
    let marks = axis::marks(scale.range, scale.full_width(), 84.0, &state.zone);
    for mark in marks.iter().filter(|mark| !scale.is_folded(mark.t)) {
        let x = scale.x(mark.t).round() + 0.5;
        let ink = if mark.day { t.secondary } else { t.faint };
        let top = if mark.day { lanes.status.top() } else { lanes.density.bottom() };
        ui.painter().vline(x, top..=lanes.density.bottom() + 4.0, Stroke::new(theme::HAIR, t.line));
        let half = measure(ui, &mark.label, Type::Small) / 2.0;
        let hidden = (x - playhead).abs() < half + CHIP / 2.0 + S4;
        // Beside a folded stretch marks stand nearer than elsewhere.
        if !hidden && x - half > (scale.left - 2.0).max(written) && x + half < scale.right + 2.0 {
            written = x + half + S4;
            let place = Rect::from_center_size(pos2(x, lanes.axis.center().y), vec2(2.0 * half + 2.0, 14.0));
            text(ui, place, Align2::CENTER_CENTER, &mark.label, if mark.day { Type::SmallBold } else { Type::Small }, ink);
        }
    }
}

/// The colour of a stretch: normal is quiet, everything else is its fill.
fn strip_color(t: &Tokens, status: Status) -> Color32 {
    match status {
        Status::Normal => t.status(Status::Normal).lerp_to_gamma(t.surface2, 0.55),
        Status::Unknown => t.surface2,
        other => t.status(other),
    }
}

fn status_strip(ui: &Ui, lane: Rect, scale: Scale, spans: &[StatusSpan]) {
    let t = tokens(ui);
    for span in spans {
        let Some((from, to)) = scale.cut(span.range) else { continue };
        let part = Rect::from_x_y_ranges(from..=to.max(from + 1.0), lane.y_range());
        ui.painter().rect_filled(part, 0.0, strip_color(t, span.status));
        if span.stale {
            hatch(ui, part, t.surface0.gamma_multiply(0.8));
        }
        if part.width() > 18.0
            && span.status.is_trouble()
            && let Some(letter) = span.status.letter()
        {
            ui.painter().text(
                part.left_center() + vec2(8.0, 0.0),
                Align2::CENTER_CENTER,
                letter,
                theme::mark_font(11.0),
                t.on_status(span.status),
            );
        }
    }
}

fn density(ui: &Ui, lane: Rect, scale: Scale, vm: &ViewModel) {
    let t = tokens(ui);
    let view = &vm.timeline.density;
    let (Some(range), Some(most)) = (view.range, view.buckets.iter().max().copied().filter(|most| *most > 0)) else {
        return;
    };
    let step = range.span().as_micros() as f64 / view.buckets.len() as f64;
    let painter = ui.painter_at(lane);
    // One silhouette without gaps: even sampling is an even band, not a barcode.
    let edge = |nth: usize| scale.x(range.start + Span::from_micros((step * nth as f64) as i64)).round();
    let shapes = view.buckets.iter().enumerate().filter(|(_, count)| **count > 0).map(|(nth, count)| {
        // Square root: one sample in a bucket is still to be seen beside a thousand.
        let height = (lane.height() * 0.8 * (*count as f32 / most as f32).sqrt()).max(1.0);
        let bar = Rect::from_min_max(pos2(edge(nth), lane.bottom() - height), pos2(edge(nth + 1), lane.bottom()));
        Shape::rect_filled(bar, 0.0, t.density)
    });
    painter.extend(shapes);
}

/// What is known of a stretch that is not in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    /// On its way.
    Coming,
    /// Kept by the gateway; comes when it is looked at.
    Away,
    /// Asked for in vain.
    Lost,
}

/// Stretches that are known but not in memory: dotted while they are on their way, empty where the gateway keeps them. Neither
/// looks like a gap, which is hatched.
fn unloaded(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel) {
    let t = tokens(ui);
    for (range, absent) in absent(&vm.timeline) {
        let Some(cut) = scale.cut(range) else { continue };
        let part = data_lanes(lanes, cut);
        ui.painter().rect_filled(part, 0.0, t.surface0);
        if absent == Absent::Coming {
            for y in [lanes.status.center().y, lanes.density.top() + 6.0, lanes.density.bottom() - 4.0] {
                let line = [pos2(part.left() + 3.0, y), pos2(part.right(), y)];
                ui.painter().extend(Shape::dotted_line(&line, t.line, 6.0, 1.2));
            }
        }
        let words = match absent {
            Absent::Coming => "loading",
            Absent::Away => "not loaded",
            Absent::Lost => "could not be loaded",
        };
        name_stretch(ui, part, words);
    }
}

/// Kept by somebody, not in memory here: the known time without what is loaded.
pub(super) fn missing(timeline: &TimelineView) -> Vec<TimeRange> {
    let mut out = Vec::new();
    if timeline.loaded.is_empty() {
        return out;
    }
    let mut from = timeline.retained_from.unwrap_or(timeline.extent.start).max(timeline.extent.start);
    for range in &timeline.loaded {
        if from < range.start {
            out.push(TimeRange::new(from, range.start));
        }
        from = from.max(range.end);
    }
    out
}

/// The missing stretches, told apart.
fn absent(timeline: &TimelineView) -> Vec<(TimeRange, Absent)> {
    let mut out = Vec::new();
    for whole in missing(timeline) {
        let mut from = whole.start;
        let marked = timeline.coming.iter().map(|range| (*range, Absent::Coming));
        let mut marked: Vec<_> = marked.chain(timeline.lost.iter().map(|range| (*range, Absent::Lost))).collect();
        marked.sort_by_key(|(range, _)| range.start);
        for (range, what) in marked {
            let part = range.intersect(TimeRange::new(from, whole.end));
            if part.is_empty() {
                continue;
            }
            if from < part.start {
                out.push((TimeRange::new(from, part.start), Absent::Away));
            }
            out.push((part, what));
            from = part.end;
        }
        if from < whole.end {
            out.push((TimeRange::new(from, whole.end), Absent::Away));
        }
    }
    out
}

fn gaps(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel) {
    let t = tokens(ui);
    for gap in &vm.timeline.gaps {
        let Some((from, to)) = scale.cut(*gap) else { continue };
        let part = Rect::from_x_y_ranges(from..=to.max(from + 2.0), lanes.status.top()..=lanes.density.bottom());
        ui.painter().rect_filled(part, 0.0, t.surface0);
        hatch(ui, part, t.hatch);
    }
}

/// Where time that has not come begins.
fn edge(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel, marks: &[ticks::Cluster]) {
    let t = tokens(ui);
    let Some(edge) = vm.clock.live_edge else { return };
    let x = scale.x(edge);
    if x >= scale.right || x < scale.left {
        return;
    }
    let all = Rect::from_min_max(pos2(x, lanes.ticks.top()), pos2(scale.right, lanes.density.bottom()));
    ui.painter().vline(x, all.y_range(), Stroke::new(theme::LINE, t.secondary));
    let words = Rect::from_min_max(pos2(x + 5.0, lanes.ticks.top()), pos2(scale.right, lanes.ticks.bottom()));
    let word = measure(ui, "live", Type::Small);
    let taken = marks.iter().map(ticks::Cluster::extent).any(|(from, to)| to > x && from < words.left() + word + S4);
    if words.width() > word && !taken {
        text(ui, words, Align2::LEFT_CENTER, "live", Type::Small, t.faint);
    }
}

fn branch_lane(ui: &Ui, lanes: &Lanes, nth: usize, scale: Scale, branch: &BranchView, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let y = lanes.branches.top() + nth as f32 * BRANCH_LANE + 1.0;
    let lane = Rect::from_min_size(pos2(scale.left, y), vec2(scale.right - scale.left, BRANCH_LANE - 3.0));
    let Some((from, to)) = scale.cut(branch.range) else { return };
    let strip = Rect::from_x_y_ranges((from + 8.0).min(to)..=to, lane.y_range());
    let ink = if branch.shown { t.what_if } else { t.what_if.gamma_multiply(0.55) };
    let start = scale.x(branch.range.start);
    if start >= scale.left {
        let leave = pos2(start, lanes.status.center().y);
        let curve =
            [leave, pos2(start, lane.center().y - 2.0), pos2(start + 2.0, lane.center().y), pos2(start + 8.0, lane.center().y)];
        ui.painter().add(Shape::line(curve.to_vec(), Stroke::new(theme::LINE, ink)));
        ui.painter().circle_filled(leave, 3.0, ink);
    }
    ui.painter().rect_filled(strip, 2.0, t.what_if_weak);
    for span in branch.status.iter().filter(|span| span.status.is_trouble()) {
        if let Some((from, to)) = scale.cut(span.range) {
            let part = Rect::from_x_y_ranges(from.max(strip.left())..=to.max(from + 1.0), lane.y_range());
            ui.painter().rect_filled(part, 0.0, t.status(span.status));
        }
    }
    hatch(ui, strip, ink);
    if branch.shown {
        ui.painter().rect_stroke(strip, 2.0, Stroke::new(theme::HAIR, t.what_if), StrokeKind::Outside);
    }
    let response = ui.interact(strip.expand2(vec2(0.0, 1.0)), ui.id().with(("lane", branch.id)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, branch.shown, format!("Lane of {}", branch.name)));
    if response.clicked() {
        out.push(UiCommand::ViewBranch((!branch.shown).then_some(branch.id)));
    }
    let _hint = response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(format!("Not real: {}", branch.name));
}

fn looped(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel, state: &UiState, response: &Response, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let selecting = input::selecting(scale, response.interact_pointer_pos(), state);
    let Some(range) = selecting.or(vm.timeline.looped) else { return };
    let Some((from, to)) = scale.cut(range) else { return };
    let part = Rect::from_x_y_ranges(from..=to, lanes.all().y_range());
    ui.painter().rect_filled(part, 0.0, t.accent.gamma_multiply(0.14));
    let stroke = Stroke::new(theme::BOLD, t.accent);
    for (x, inward, real) in [(from, 5.0, scale.x(range.start) >= scale.left), (to, -5.0, scale.x(range.end) <= scale.right)] {
        if real {
            ui.painter().vline(x, part.y_range(), stroke);
            ui.painter().hline(if inward > 0.0 { x..=x + inward } else { x + inward..=x }, part.top(), stroke);
            ui.painter().hline(if inward > 0.0 { x..=x + inward } else { x + inward..=x }, part.bottom(), stroke);
        }
    }
    if selecting.is_none() && part.width() > 40.0 {
        let place = Rect::from_center_size(pos2(to - 11.0, part.top() + 9.0), theme::square(16.0));
        let close = ui.interact(place, ui.id().with("unloop"), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        icon(ui, place.center(), icon::X, 11.0, if close.hovered() { t.text } else { t.accent });
        close.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, "Stop repeating"));
        if close.on_hover_text("Stop repeating").clicked() {
            out.push(UiCommand::SetLoop(None));
        }
    }
}

/// A faint line at the pointer.
fn ghost(ui: &Ui, lanes: &Lanes, scale: Scale, state: &UiState) {
    let t = tokens(ui);
    if state.drag.is_some() {
        return;
    }
    if let Some(at) = state.hover_time {
        ui.painter().vline(scale.x(at), lanes.all().y_range(), Stroke::new(theme::HAIR, t.faint));
    }
}

/// Width that the playhead's time takes at most.
const CHIP: f32 = 68.0;

/// Where the playhead's time stands: under it, but within the bar.
fn chip_center(scale: Scale, playhead: Timestamp) -> f32 {
    let half = CHIP / 2.0;
    scale.x(playhead).clamp(scale.left + half, (scale.right - half).max(scale.left + half))
}

fn playhead(ui: &Ui, lanes: &Lanes, scale: Scale, vm: &ViewModel, state: &UiState) {
    let t = tokens(ui);
    let x = scale.x(vm.clock.playhead);
    if x < scale.left - 1.0 || x > scale.right + 1.0 {
        let (at, symbol) =
            if x < scale.left { (scale.left + 8.0, icon::CARET_LEFT) } else { (scale.right - 8.0, icon::CARET_RIGHT) };
        icon(ui, pos2(at, lanes.axis.center().y), symbol, 14.0, t.accent);
        return;
    }
    let (ink, on) = if vm.shown_branch().is_some() { (t.what_if, t.on_what_if) } else { (t.accent, t.on_accent) };
    let top = lanes.ticks.top() - 3.0;
    ui.painter().vline(x, top..=lanes.axis.top() + 2.0, Stroke::new(theme::FRAME + 1.0, t.surface0));
    ui.painter().vline(x, top..=lanes.axis.top() + 2.0, Stroke::new(theme::BOLD, ink));
    let handle =
        vec![pos2(x - 5.0, top), pos2(x + 5.0, top), pos2(x + 5.0, top + 4.0), pos2(x, top + 9.0), pos2(x - 5.0, top + 4.0)];
    ui.painter().add(Shape::convex_polygon(handle, ink, Stroke::new(theme::HAIR, t.surface0)));
    let words = state.zone.clock(vm.clock.playhead);
    let width = measure(ui, &words, Type::SmallBold) + S8 + 2.0;
    let center = chip_center(scale, vm.clock.playhead);
    let chip = Rect::from_center_size(pos2(center, lanes.axis.center().y), vec2(width, 16.0));
    ui.painter().rect_filled(chip, theme::control_radius(), ink);
    text(ui, chip, Align2::CENTER_CENTER, &words, Type::SmallBold, on);
}

/// Time at the pointer in both zones, and what lies there.
fn hints(ui: &Ui, response: &Response, scale: Scale, vm: &ViewModel, state: &UiState) {
    if state.drag.is_some_and(|drag| drag == BarDrag::Pan) || !response.hovered() {
        return;
    }
    let Some(at) = response.hover_pos() else { return };
    let mut words = state.zone.both(scale.t(at.x));
    for line in ticks::near(scale, at.x, vm).into_iter().take(5) {
        words.push('\n');
        words.push_str(&line);
    }
    let t = scale.t(at.x);
    if let Some(span) = vm.timeline.status.iter().find(|span| span.range.contains(t)) {
        let stale = if span.stale { ", from data of which some is stale" } else { "" };
        // The strip is an index of what happened, on either side of the playhead.
        let basis = if vm.clock.is_as_known() { ", as it was" } else { "" };
        words.push_str(&format!("\n{}{basis}: {}{stale}", vm.timeline.status_of, span.status.label()));
    }
    for line in stretch_words(&vm.timeline, t) {
        words.push('\n');
        words.push_str(line);
    }
    if let Some(fold) = scale.folds().find(|fold| fold.contains(t)) {
        words.push_str(&format!("\nFolded: {} without data", format::span(fold.span())));
    }
    let t = tokens(ui);
    let show = response.clone();
    let _hint = show.on_hover_ui_at_pointer(|ui| {
        ui.label(egui::RichText::new(words).font(Type::Small.font()).color(t.text));
    });
}

/// What is special about the data at an instant.
fn stretch_words(timeline: &TimelineView, t: Timestamp) -> Vec<&'static str> {
    if timeline.retained_from.is_some_and(|kept| t < kept) {
        return vec![if timeline.expired { "Nothing is kept from before then" } else { "Before the first value" }];
    }
    let mut out = Vec::new();
    if let Some((_, absent)) = absent(timeline).iter().find(|(range, _)| range.contains(t)) {
        out.push(match absent {
            Absent::Coming => "On its way from the gateway",
            Absent::Away => "Not loaded: the gateway keeps it, and sends it when you go there",
            Absent::Lost => "Could not be loaded; it is tried again when the connection is back",
        });
    } else if timeline.gaps.iter().any(|gap| gap.contains(t)) {
        out.push("No data: a link was down");
    }
    if timeline.thinned.iter().any(|range| range.contains(t)) {
        out.push("Thinned: lowest and highest values are here, not every sample");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(a: i64, b: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_secs(a), Timestamp::from_secs(b))
    }

    fn timeline() -> TimelineView {
        TimelineView {
            retained_from: Some(Timestamp::from_secs(100)),
            loaded: vec![range(300, 400), range(600, 1_000)],
            gaps: vec![range(700, 720)],
            thinned: vec![range(300, 350)],
            ..TimelineView::empty(range(0, 1_000))
        }
    }

    #[test]
    fn what_is_missing_is_what_is_kept_and_not_loaded() {
        assert_eq!(missing(&timeline()), [range(100, 300), range(400, 600)]);
        assert_eq!(missing(&TimelineView::empty(range(0, 10))), []);
    }

    #[test]
    fn missing_stretches_are_cut_where_they_differ() {
        let timeline = TimelineView { coming: vec![range(150, 350)], lost: vec![range(450, 500)], ..timeline() };
        let expected = [
            (range(100, 150), Absent::Away),
            (range(150, 300), Absent::Coming),
            (range(400, 450), Absent::Away),
            (range(450, 500), Absent::Lost),
            (range(500, 600), Absent::Away),
        ];
        assert_eq!(absent(&timeline), expected);
    }

    #[test]
    fn loaded_loading_gone_thinned_and_gap_are_told_apart() {
        let check = |coming: bool, t: i64, expected: &[&str]| {
            let coming = if coming { vec![range(150, 300)] } else { Vec::new() };
            let timeline = TimelineView { coming, lost: vec![range(450, 500)], ..timeline() };
            let got: Vec<String> =
                stretch_words(&timeline, Timestamp::from_secs(t)).iter().map(|words| words[..7].to_owned()).collect();
            assert_eq!(got, expected, "at {t}");
        };
        check(true, 50, &["Before "]);
        check(true, 200, &["On its "]);
        check(false, 200, &["Not loa"]);
        check(true, 120, &["Not loa"]);
        check(true, 460, &["Could n"]);
        check(true, 320, &["Thinned"]);
        check(true, 380, &[]);
        check(true, 710, &["No data"]);
        let expired = TimelineView { expired: true, ..timeline() };
        assert_eq!(stretch_words(&expired, Timestamp::from_secs(50)), ["Nothing is kept from before then"]);
    }
}
