//! The time bar and the chart above it: one horizontal scale, one playhead, one visible stretch.

mod axis;
mod chart;
mod input;
mod lanes;
mod readout;
mod transport;

pub(crate) use chart::chart;

use egui::{Rect, Ui, pos2};
use twin_model::{Span, TimeRange, Timestamp};

use crate::command::UiCommand;
use crate::shell::{Screen, Width};
use crate::state::UiState;
use crate::theme::{S8, S12};
use crate::view::ViewModel;

/// Time from left to right.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    range: TimeRange,
    left: f32,
    right: f32,
}

impl Scale {
    fn x(&self, t: Timestamp) -> f32 {
        let span = self.range.span().as_micros().max(1) as f64;
        let part = (t.as_micros() as f64 - self.range.start.as_micros() as f64) / span;
        // Far outside is as good as outside; infinities upset the tessellator.
        self.left + (part.clamp(-8.0, 9.0) as f32) * (self.right - self.left)
    }

    fn t(&self, x: f32) -> Timestamp {
        let part = f64::from((x - self.left) / (self.right - self.left).max(1.0));
        self.range.start + Span::from_micros((part * self.range.span().as_micros() as f64) as i64)
    }

    /// The part of a range that is in sight, as horizontal places.
    fn cut(&self, range: TimeRange) -> Option<(f32, f32)> {
        let seen = range.intersect(self.range);
        (!seen.is_empty()).then(|| (self.x(seen.start), self.x(seen.end)))
    }
}

/// The columns that time bar and chart share, so that one playhead runs through both.
#[derive(Debug, Clone, Copy)]
struct Columns {
    left: Rect,
    plot: Rect,
    right: Rect,
}

fn columns(rect: Rect, screen: &Screen) -> Columns {
    let (left, right) = match screen.width {
        Width::Full => (screen.sizes.left, screen.sizes.readout),
        Width::Rails => (168.0, 132.0),
        Width::Sheet => (S12, S12),
    };
    Columns {
        left: rect.with_max_x(rect.left() + left),
        plot: Rect::from_min_max(pos2(rect.left() + left, rect.top()), pos2(rect.right() - right, rect.bottom())),
        right: rect.with_min_x(rect.right() - right),
    }
}

fn scale(plot: Rect, state: &UiState) -> Option<Scale> {
    state.time_view.map(|range| Scale { range, left: plot.left(), right: plot.right() })
}

/// The time bar.
pub(crate) fn time_bar(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let rect = ui.max_rect();
    let bar = if screen.width == Width::Sheet {
        let controls = rect.with_max_y(rect.top() + 44.0);
        transport::narrow(ui, controls, screen, vm, state, out);
        rect.with_min_y(controls.bottom())
    } else {
        let columns = columns(rect, screen);
        transport::controls(ui, columns.left, screen, vm, state, out);
        readout::readout(ui, columns.right.shrink2(egui::vec2(S12, S8)), vm, state, out);
        rect
    };
    let plot = columns(bar, screen).plot;
    let Some(scale) = scale(plot, state) else {
        lanes::nothing(ui, plot);
        return;
    };
    let response = input::handle(ui, plot, scale, vm, state, out);
    // Input may have zoomed: paint what it left.
    let scale = self::scale(plot, state).unwrap_or(scale);
    lanes::paint(ui, plot, scale, vm, state, &response, out);
}
