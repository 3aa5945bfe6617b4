//! Loading with its real bytes and stages, performance figures.

use egui::{Align2, Color32, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::float;
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, S16, S24, Type, tokens};
use crate::view::{LoadingView, PerfRow, StageState, StageView, ViewModel};
use crate::widgets::{empty, icon, text};
use crate::{format, icon};

/// Loading: every stage, what is done of it, bytes in all.
pub(super) fn loading(ui: &Ui, rect: Rect, loading: &LoadingView, state: &mut UiState) {
    let t = tokens(ui);
    let row = 26.0;
    let width = 380.0f32.min(rect.width() - 2.0 * S16);
    let height = S24 + 34.0 + row * loading.stages.len() as f32 + S16;
    let card = Rect::from_center_size(rect.center(), vec2(width, height));
    float(ui, card, state);
    let inner = card.shrink2(vec2(S24, 0.0));
    let head = Rect::from_min_size(pos2(inner.left(), card.top() + S12), vec2(inner.width(), 26.0));
    text(ui, head, Align2::LEFT_CENTER, "Opening the site", Type::Title, t.text);
    let (done, total) = totals(loading);
    if done > 0 {
        let words =
            total.map_or_else(|| format::bytes(done), |total| format!("{} of {}", format::bytes(done), format::bytes(total)));
        text(ui, head, Align2::RIGHT_CENTER, &words, Type::Small, t.secondary);
    }
    let part = loading.fraction();
    let bar = Rect::from_min_size(pos2(inner.left(), head.bottom() + S8), vec2(inner.width(), 4.0));
    ui.painter().rect_filled(bar, 2.0, t.surface3);
    ui.painter().rect_filled(bar.with_max_x(bar.left() + bar.width() * part), 2.0, t.accent);
    let response = ui.interact(bar.expand(4.0), ui.id().with("loading"), Sense::hover());
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::ProgressIndicator, true, format!("Opening the site, {:.0} %", part * 100.0))
    });
    let mut y = bar.bottom() + S12;
    for stage in &loading.stages {
        stage_row(ui, Rect::from_min_size(pos2(inner.left(), y), vec2(inner.width(), row)), stage);
        y += row;
    }
}

fn stage_row(ui: &Ui, row: Rect, stage: &StageView) {
    let t = tokens(ui);
    let (symbol, ink) = match stage.state {
        StageState::Waiting => (icon::CIRCLE_NOTCH, t.line),
        StageState::Running => (icon::CIRCLE_NOTCH, t.accent),
        StageState::Done => (icon::CHECK, t.secondary),
        StageState::Failed => (icon::X_CIRCLE, t.text),
    };
    icon(ui, pos2(row.left() + 8.0, row.center().y), symbol, 15.0, ink);
    let words = match (stage.bytes, stage.total) {
        (0, None) => String::new(),
        (bytes, Some(total)) if stage.state != StageState::Done => {
            format!("{} of {}", format::bytes(bytes), format::bytes(total))
        }
        (bytes, _) => format::bytes(bytes),
    };
    let at = text(ui, row, Align2::RIGHT_CENTER, &words, Type::Small, t.faint);
    let ink = if stage.state == StageState::Waiting { t.faint } else { t.text };
    text(
        ui,
        Rect::from_min_max(pos2(row.left() + 24.0, row.top()), pos2(at.left() - S8, row.bottom())),
        Align2::LEFT_CENTER,
        &stage.name,
        Type::Body,
        ink,
    );
}

fn totals(loading: &LoadingView) -> (u64, Option<u64>) {
    let done = loading.stages.iter().map(|stage| stage.bytes).sum();
    let known = loading.stages.iter().filter_map(|stage| stage.total).sum::<u64>();
    (done, (known >= done && known > 0).then_some(known))
}

/// What to do about a view without a plant in it.
pub(super) fn no_model(ui: &mut Ui, rect: Rect, state: &mut UiState) {
    let width = 380.0f32.min(rect.width() - 2.0 * S16);
    let place = Rect::from_center_size(rect.center(), vec2(width, 152.0f32.min(rect.height() - 2.0 * S12)));
    float(ui, place, state);
    let body = place.shrink2(vec2(S24, 0.0));
    let mut inner = ui.new_child(egui::UiBuilder::new().id_salt("no model").max_rect(body));
    inner.shrink_clip_rect(body);
    let help = "Tree, values, chart and alarms work without one. To see the plant, name a GLB file under [[models]] in the \
                site file and load again.";
    empty(&mut inner, icon::CUBE, "This site has no 3D model", help);
}

/// Performance figures: frame times as bars, the rest as lines.
pub(super) fn perf(ui: &Ui, rect: Rect, vm: &ViewModel, state: &mut UiState) {
    let t = tokens(ui);
    let row = 18.0;
    let width = 236.0;
    let samples = if vm.perf.samples.is_empty() { 0.0 } else { row * vm.perf.samples.len() as f32 + S12 + row };
    let height = (84.0 + row * vm.perf.rows.len() as f32 + S8 + samples).min(rect.height() - 2.0 * S12);
    let card = Rect::from_min_size(pos2(rect.left() + S12, rect.top() + S12), vec2(width, height));
    float(ui, card, state);
    let inner = card.shrink2(vec2(S12, S8));
    let last = vm.perf.frame_ms.last().copied().unwrap_or(0.0);
    let worst = vm.perf.frame_ms.iter().copied().fold(0.0f32, f32::max);
    let head = inner.with_max_y(inner.top() + 20.0);
    text(ui, head, Align2::LEFT_CENTER, &format!("Frame {last:.1}{}ms", format::THIN), Type::SmallBold, t.text);
    text(ui, head, Align2::RIGHT_CENTER, &format!("worst {worst:.1}{}ms", format::THIN), Type::Small, t.secondary);
    let plot = Rect::from_min_size(pos2(inner.left(), head.bottom() + S4), vec2(inner.width(), 40.0));
    ui.painter().rect_filled(plot, 2.0, t.surface2);
    let top = worst.max(20.0);
    let budget = plot.bottom() - plot.height() * (16.7 / top);
    ui.painter().extend(Shape::dashed_line(
        &[pos2(plot.left(), budget), pos2(plot.right(), budget)],
        Stroke::new(theme::HAIR, t.faint),
        3.0,
        3.0,
    ));
    let count = 106usize;
    let step = plot.width() / count as f32;
    for (nth, ms) in vm.perf.frame_ms.iter().rev().take(count).enumerate() {
        let x = plot.right() - (nth as f32 + 1.0) * step;
        let bar = Rect::from_min_max(
            pos2(x, plot.bottom() - plot.height() * (ms / top).min(1.0)),
            pos2(x + (step - 0.5).max(0.5), plot.bottom()),
        );
        ui.painter().rect_filled(bar, 0.0, if *ms > 16.7 { t.text } else { t.accent });
    }
    let mut y = plot.bottom() + S8;
    let line = |y: f32| Rect::from_min_size(pos2(inner.left(), y), vec2(inner.width(), row));
    let figure = |y: f32, figure: &PerfRow, quiet: Color32| {
        let (kind, ink) = if figure.odd { (Type::SmallBold, t.text) } else { (Type::Small, quiet) };
        let at = text(ui, line(y), Align2::RIGHT_CENTER, &figure.value, kind, ink);
        text(ui, line(y).with_max_x(at.left() - S8), Align2::LEFT_CENTER, &figure.name, Type::Small, t.secondary);
    };
    for one in &vm.perf.rows {
        figure(y, one, t.text);
        y += row;
    }
    if vm.perf.samples.is_empty() {
        return;
    }
    ui.painter().hline(inner.x_range(), y + S4, Stroke::new(theme::HAIR, t.line));
    y += S12;
    text(ui, line(y), Align2::LEFT_CENTER, "Samples", Type::SmallBold, t.text);
    y += row;
    // In a small window the last ones do not fit; they are on `/metrics` all the same.
    for one in vm.perf.samples.iter().take(((inner.bottom() - y) / row).max(0.0) as usize) {
        figure(y, one, t.faint);
        y += row;
    }
}
