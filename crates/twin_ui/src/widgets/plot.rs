//! Lines over time: sparklines, min/max envelopes, scales of thresholds.

use egui::{Align2, Color32, Mesh, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};
use twin_model::{Limit, Status, TimeRange, Timestamp};

use super::marks::status_mark;
use super::scale::Scale;
use super::text::text;
use crate::format;
use crate::theme::{self, HAIR, S4, Type, tokens};
use crate::view::{BandsView, EnvelopePoint};

/// Maps time and value to a rectangle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plot {
    /// Where.
    pub(crate) rect: Rect,
    /// Time from left to right.
    pub(crate) scale: Scale,
    /// Smallest and largest value.
    pub(crate) y: (f64, f64),
}

impl Plot {
    /// Horizontal place of an instant; outside the rectangle for instants out of range.
    pub(crate) fn x(&self, t: Timestamp) -> f32 {
        self.scale.x(t)
    }

    /// Vertical place of a value.
    pub(crate) fn y(&self, value: f64) -> f32 {
        let (low, high) = self.y;
        let part = ((value - low) / (high - low).max(f64::MIN_POSITIVE)).clamp(-4.0, 5.0);
        self.rect.bottom() - part as f32 * self.rect.height()
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineStyle {
    /// Its colour.
    pub(crate) color: Color32,
    /// Its width.
    pub(crate) width: f32,
    /// Whether it holds each value until the next sample.
    pub(crate) steps: bool,
    /// Whether it is dashed.
    pub(crate) dashed: bool,
}

/// Draws an envelope: a band from min to max and a line through the newest values, broken where a gap lies between points.
pub(crate) fn envelope(ui: &Ui, plot: &Plot, points: &[EnvelopePoint], gaps: &[TimeRange], style: LineStyle) {
    let painter = ui.painter_at(plot.rect.expand(1.0));
    let mut run: Vec<EnvelopePoint> = Vec::new();
    let mut shapes = Vec::new();
    let mut gap = 0;
    for point in points {
        while gaps.get(gap).is_some_and(|range| range.end <= run.last().map_or(Timestamp::MIN, |p| p.t)) {
            gap += 1;
        }
        let broken =
            run.last().is_some_and(|last| gaps.get(gap).is_some_and(|range| range.start >= last.t && range.start < point.t))
                || !point.last.is_finite();
        if broken {
            draw_run(plot, &run, style, &mut shapes);
            run.clear();
        }
        if point.last.is_finite() {
            run.push(*point);
        }
    }
    draw_run(plot, &run, style, &mut shapes);
    painter.extend(shapes);
}

fn draw_run(plot: &Plot, run: &[EnvelopePoint], style: LineStyle, shapes: &mut Vec<Shape>) {
    let stroke = Stroke::new(style.width, style.color);
    if let [only] = run {
        shapes.push(Shape::circle_filled(pos2(plot.x(only.t), plot.y(f64::from(only.last))), style.width, style.color));
        return;
    }
    if run.is_empty() {
        return;
    }
    if run.iter().any(|p| p.max > p.min) && !style.dashed {
        shapes.push(band(plot, run, style.color.gamma_multiply(0.22)));
    }
    let mut line: Vec<Pos2> = Vec::with_capacity(run.len() * 2);
    for point in run {
        let at = pos2(plot.x(point.t), plot.y(f64::from(point.last)));
        if style.steps
            && let Some(before) = line.last().copied()
        {
            line.push(pos2(at.x, before.y));
        }
        line.push(at);
    }
    if style.dashed {
        shapes.extend(Shape::dashed_line(&line, stroke, 5.0, 4.0));
    } else {
        shapes.push(Shape::line(line, stroke));
    }
}

fn band(plot: &Plot, run: &[EnvelopePoint], color: Color32) -> Shape {
    let mut mesh = Mesh::default();
    for (at, point) in run.iter().enumerate() {
        let x = plot.x(point.t);
        mesh.colored_vertex(pos2(x, plot.y(f64::from(point.max))), color);
        mesh.colored_vertex(pos2(x, plot.y(f64::from(point.min))), color);
        if at > 0 {
            let v = at as u32 * 2;
            mesh.add_triangle(v - 2, v - 1, v);
            mesh.add_triangle(v - 1, v + 1, v);
        }
    }
    Shape::mesh(mesh)
}

/// A small line without axes, with a dot at its end.
pub(crate) fn sparkline(ui: &Ui, rect: Rect, points: &[EnvelopePoint], color: Color32, steps: bool) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return;
    };
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for point in points.iter().filter(|p| p.last.is_finite()) {
        low = low.min(f64::from(point.min));
        high = high.max(f64::from(point.max));
    }
    if !(low.is_finite() && high.is_finite()) {
        return;
    }
    // A still signal is a line in the middle, not noise blown up to the full height.
    let pad = (high - low).max(high.abs().max(low.abs()) * 0.004).max(1e-9);
    let middle = f64::midpoint(low, high);
    let scale = Scale::new(TimeRange::new(first.t, last.t), rect.left(), rect.right());
    let plot = Plot { rect, scale, y: (middle - pad * 0.55, middle + pad * 0.55) };
    envelope(ui, &plot, points, &[], LineStyle { color, width: 1.2, steps, dashed: false });
    ui.painter().circle_filled(pos2(plot.x(last.t), plot.y(f64::from(last.last))), 2.0, color);
}

/// A dashed horizontal line.
pub(crate) fn dashed_h(ui: &Ui, x: (f32, f32), y: f32, color: Color32) {
    let line = [pos2(x.0, y), pos2(x.1, y)];
    ui.painter().extend(Shape::dashed_line(&line, Stroke::new(HAIR, color), 4.0, 4.0));
}

fn limit_value(limit: Limit) -> f64 {
    match limit {
        Limit::Above(v) | Limit::Below(v) => v,
    }
}

/// A horizontal scale of the bands of a rule with the value on it: where it stands, and how far it is to the next limit.
/// Wants 34 points of height.
pub(crate) fn scale_of_bands(ui: &Ui, rect: Rect, bands: &BandsView, value: Option<f64>) {
    let t = tokens(ui);
    let Some((low, high)) = extent(bands, value) else {
        return;
    };
    let bar = Rect::from_min_size(pos2(rect.left(), rect.top() + 10.0), vec2(rect.width(), 8.0));
    let x_of = |v: f64| bar.left() + bar.width() * ((v - low) / (high - low)).clamp(0.0, 1.0) as f32;
    ui.painter().rect_filled(bar, 2.0, t.surface3);
    let mut sorted = bands.bands.clone();
    sorted.sort_by_key(|band| band.status);
    for band in &sorted {
        let x = x_of(limit_value(band.limit));
        let part = match band.limit {
            Limit::Above(_) => Rect::from_x_y_ranges(x..=bar.right(), bar.y_range()),
            Limit::Below(_) => Rect::from_x_y_ranges(bar.left()..=x, bar.y_range()),
        };
        ui.painter().rect_filled(part, 2.0, t.status(band.status));
        ui.painter().vline(x, bar.y_range(), Stroke::new(theme::BOLD, t.surface1));
    }
    let mut taken = f32::NEG_INFINITY;
    let mut limits: Vec<(f64, Status)> = sorted.iter().map(|band| (limit_value(band.limit), band.status)).collect();
    limits.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (limit, status) in limits {
        let words = format::number(limit);
        let x = x_of(limit);
        let label = Rect::from_center_size(pos2(x, bar.bottom() + 9.0), vec2(52.0, 12.0));
        let label = label
            .translate(vec2((rect.left() - label.left() - 10.0).max(0.0) - (label.right() - rect.right() - 10.0).max(0.0), 0.0));
        if label.center().x - 17.0 < taken {
            continue;
        }
        let at = text(ui, label, Align2::CENTER_CENTER, &words, Type::Small, t.faint);
        status_mark(ui, pos2(at.left() - 7.0, at.center().y), 7.0, status);
        taken = at.right() + S4;
    }
    if let Some(value) = value {
        let x = x_of(value);
        let tip = pos2(x, bar.top() + 1.0);
        let pointer = vec![tip, tip + vec2(-5.0, -9.0), tip + vec2(5.0, -9.0)];
        ui.painter().add(Shape::convex_polygon(pointer, t.text, Stroke::new(HAIR, t.surface1)));
        ui.painter().vline(x, bar.y_range(), Stroke::new(theme::BOLD, t.text));
    }
}

fn extent(bands: &BandsView, value: Option<f64>) -> Option<(f64, f64)> {
    let limits = bands.bands.iter().map(|band| limit_value(band.limit));
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for v in limits.chain(value.filter(|v| v.is_finite())) {
        low = low.min(v);
        high = high.max(v);
    }
    if !(low.is_finite() && high.is_finite()) {
        return None;
    }
    let pad = ((high - low) * 0.3).max(high.abs() * 0.05).max(1e-9);
    let (mut from, mut to) = (low - pad, high + pad);
    if let Some((range_low, range_high)) = bands.range {
        // The instrument's range is an edge only where it lies near: a 0..1000 sensor would squeeze its bands otherwise.
        from = from.max(range_low.min(low));
        to = to.min(range_high.max(high));
    }
    if low >= 0.0 {
        from = from.max(0.0);
    }
    (to > from).then_some((from, to))
}
