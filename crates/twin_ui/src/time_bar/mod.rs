//! The time bar and the chart above it: one horizontal scale, one playhead, one visible stretch.

mod axis;
mod chart;
mod folds;
mod input;
mod lanes;
mod readout;
mod transport;

pub(crate) use chart::chart;

use egui::{Rect, Ui, pos2};

use crate::command::UiCommand;
use crate::screen::{Screen, Width};
use crate::state::UiState;
use crate::theme::{S8, S12};
use crate::view::ViewModel;
use crate::widgets::Scale;

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

/// The scale that time bar and chart share. Folds depend on data and on what is in sight, never on the playhead: nothing moves
/// while somebody scrubs.
fn scale(plot: Rect, vm: &ViewModel, state: &UiState) -> Option<Scale> {
    let range = state.time_view?;
    let scale = Scale::new(range, plot.left(), plot.right());
    Some(if state.fold_empty { scale.folded(folds::empty_stretches(vm, range)) } else { scale })
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
    let Some(scale) = scale(plot, vm, state) else {
        lanes::nothing(ui, plot);
        return;
    };
    let response = input::handle(ui, plot, scale, vm, state, out);
    // Input may have zoomed: paint what it left.
    let scale = self::scale(plot, vm, state).unwrap_or(scale);
    lanes::paint(ui, plot, scale, vm, state, &response, out);
}
