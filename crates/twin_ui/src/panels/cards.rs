//! What covers everything: fatal errors, the help sheet, toasts.

use egui::{Align2, Area, Context, Id, Order, Rect, Sense, Ui, pos2, vec2};

use super::viewport::picture;
use crate::command::UiCommand;
use crate::icon;
use crate::screen::{Screen, Width};
use crate::shortcuts::SHORTCUTS;
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, S16, S24, Type, tokens};
use crate::view::{ProblemView, ViewModel};
use crate::widgets::{ButtonKind, button, button_width, icon, icon_button, keycap, measure, segmented, text};

/// A problem after which nothing can be shown: what happened, where, what to do. Takes the whole screen.
pub(crate) fn fatal(ui: &mut Ui, rect: Rect, problem: &ProblemView, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 0.0, t.surface0);
    let width = 560.0f32.min(rect.width() - 2.0 * S16);
    let lay = |words: &str, kind: Type, color, wrap: f32| ui.painter().layout(words.to_owned(), kind.font(), color, wrap);
    let title = lay(&problem.title, Type::Large, t.text, width);
    let help = lay(&problem.help, Type::Body, t.text, width);
    let detail = lay(&problem.detail, Type::Small, t.secondary, width - 2.0 * S12);
    let box_height = detail.size().y.min(rect.height() * 0.4) + 2.0 * S12;
    let height = 44.0 + title.size().y + S12 + help.size().y + S16 + box_height + S16 + 32.0;
    let mut at = pos2(rect.center().x - width / 2.0, (rect.center().y - height / 2.0).max(rect.top() + S16));
    icon(ui, at + vec2(16.0, 16.0), picture(problem.kind), 32.0, t.text);
    at.y += 44.0;
    let (title_height, help_height) = (title.size().y, help.size().y);
    ui.painter().galley(at, title, t.text);
    at.y += title_height + S12;
    ui.painter().galley(at, help, t.text);
    at.y += help_height + S16;
    let place = Rect::from_min_size(at, vec2(width, box_height));
    ui.painter().rect_filled(place, theme::card_radius(), t.surface1);
    ui.painter_at(place).galley(at + theme::square(S12), detail, t.secondary);
    at.y += box_height + S16;
    let reload = Rect::from_min_size(at, vec2(button_width(ui, Some(icon::ARROW_CLOCKWISE), "Load again"), 32.0));
    if button(ui, reload, Some(icon::ARROW_CLOCKWISE), "Load again", ButtonKind::Primary).clicked() {
        out.push(if problem.can_retry { UiCommand::Retry(Some(problem.id)) } else { UiCommand::Reload });
    }
    let copy =
        Rect::from_min_size(pos2(reload.right() + S8, at.y), vec2(button_width(ui, Some(icon::COPY), "Copy the details"), 32.0));
    if button(ui, copy, Some(icon::COPY), "Copy the details", ButtonKind::Normal).clicked() {
        ui.ctx().copy_text(format!("{}\n{}\n{}", problem.title, problem.detail, problem.help));
    }
}

/// The help sheet: every shortcut, and how the plant is drawn.
pub(crate) fn help(ctx: &Context, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let row = 28.0;
    let wide = screen.width != Width::Sheet && screen.rect.width() > 700.0;
    let columns: f32 = if wide { 2.0 } else { 1.0 };
    let heights: Vec<f32> = SHORTCUTS.iter().map(|(_, keys)| 34.0 + row * keys.len() as f32).collect();
    let first = heights.first().copied().unwrap_or(0.0);
    let rest: f32 = heights.iter().skip(1).sum();
    let height = (56.0 + if wide { first.max(rest) } else { first + rest } + PICTURE + S16).min(screen.rect.height() - 2.0 * S16);
    let size = vec2((360.0 * columns).min(screen.rect.width() - 2.0 * S16), height);
    let place = Rect::from_center_size(screen.rect.center(), size);
    let area = Area::new(Id::new("twin_ui help")).order(Order::Foreground).fixed_pos(screen.rect.min).fade_in(false);
    area.show(ctx, |ui| {
        let t = tokens(ui);
        let back = ui.interact(screen.rect, ui.id().with("scrim"), theme::SWALLOW);
        ui.allocate_rect(screen.rect, Sense::hover());
        ui.painter().rect_filled(screen.rect, 0.0, t.scrim);
        ui.interact(place, ui.id().with("sheet"), theme::SWALLOW);
        ui.painter().add(t.float_shadow().as_shape(place, theme::card_radius()));
        ui.painter().rect(place, theme::card_radius(), t.surface1, t.hairline(), egui::StrokeKind::Inside);
        let head = Rect::from_min_size(place.min + vec2(S24, S12), vec2(place.width() - 2.0 * S24, 32.0));
        text(ui, head, Align2::LEFT_CENTER, "Shortcuts", Type::Title, t.text);
        let close = Rect::from_center_size(pos2(head.right() - 4.0, head.center().y), theme::square(28.0));
        if icon_button(ui, close, icon::X, "Close the help").clicked() || back.clicked() {
            state.help_open = false;
        }
        let body = Rect::from_min_max(pos2(place.left(), head.bottom() + S4), place.max - vec2(0.0, PICTURE + S8));
        let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(body));
        inner.shrink_clip_rect(body);
        egui::ScrollArea::vertical().id_salt("help").auto_shrink(false).show(&mut inner, |ui| {
            let width = (body.width() - (columns + 1.0) * S24) / columns;
            let origin = ui.max_rect().min + vec2(S24, 0.0);
            let mut at = origin;
            for (nth, (group, keys)) in SHORTCUTS.iter().enumerate() {
                if nth == 1 && wide {
                    at = origin + vec2(width + S24, 0.0);
                }
                at.y = shortcut_group(ui, Rect::from_min_size(at, vec2(width, 0.0)), group, keys, row);
            }
            ui.allocate_rect(Rect::from_min_max(ui.max_rect().min, pos2(body.right(), at.y)), Sense::hover());
        });
        let foot = Rect::from_min_max(pos2(place.left() + S24, body.bottom()), pos2(place.right() - S24, place.bottom() - S8));
        picture_choice(ui, foot, vm, out);
    });
}

/// Height of the choice at the foot of the help sheet.
const PICTURE: f32 = 44.0;

/// How much goes into the picture of the plant.
fn picture_choice(ui: &Ui, rect: Rect, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    ui.painter().hline(rect.x_range(), rect.top(), t.hairline());
    let place = Rect::from_center_size(pos2(rect.right() - 80.0, rect.center().y), vec2(160.0, 28.0));
    let words = rect.with_max_x(place.left() - S8);
    let lead = text(ui, words, Align2::LEFT_CENTER, "Picture", Type::Body, t.text);
    let hint = if vm.high_quality { "shadows and materials; wants a fast machine" } else { "runs everywhere" };
    text(ui, words.with_min_x(lead.right() + S12), Align2::LEFT_CENTER, hint, Type::Small, t.faint);
    if let Some(chosen) = segmented(ui, place, &["Quick", "High"], usize::from(vm.high_quality), "picture")
        && (chosen == 1) != vm.high_quality
    {
        out.push(UiCommand::SetQuality(chosen == 1));
    }
}

fn shortcut_group(ui: &Ui, top: Rect, group: &str, keys: &[(&str, &str)], row: f32) -> f32 {
    let t = tokens(ui);
    let title = Rect::from_min_size(top.min, vec2(top.width(), 30.0));
    text(ui, title, Align2::LEFT_CENTER, group, Type::SmallBold, t.secondary);
    let mut y = title.bottom();
    for (key, words) in keys {
        let line = Rect::from_min_size(pos2(top.left(), y), vec2(top.width(), row));
        ui.painter().hline(line.x_range(), line.top(), t.hairline());
        let cap = keycap(ui, pos2(line.right(), line.center().y), key);
        text(ui, line.with_max_x(cap.left() - S8), Align2::LEFT_CENTER, words, Type::Body, t.text);
        y += row;
    }
    y + S4
}

/// Seconds that a toast stays.
const STAY: f64 = 4.0;

/// Short messages at the bottom of the 3D view.
pub(crate) fn toasts(ctx: &Context, viewport: Rect, state: &mut UiState) {
    if state.toasts.is_empty() {
        return;
    }
    let now = ctx.input(|i| i.time);
    for toast in &mut state.toasts {
        toast.since.get_or_insert(now);
    }
    state.toasts.retain(|toast| toast.since.is_none_or(|since| now - since < STAY));
    ctx.request_repaint_after(std::time::Duration::from_millis(500));
    let toasts = &state.toasts;
    let area =
        Area::new(Id::new("twin_ui toasts")).order(Order::Foreground).interactable(false).fixed_pos(viewport.min).fade_in(false);
    area.show(ctx, |ui| {
        let t = tokens(ui);
        let mut y = viewport.bottom() - S16;
        for toast in toasts.iter().rev() {
            let width = (measure(ui, &toast.text, Type::Body) + 24.0 + 2.0 * S12).min(viewport.width() - 2.0 * S12);
            let place = Rect::from_min_size(pos2(viewport.center().x - width / 2.0, y - 36.0), vec2(width, 36.0));
            ui.painter().add(t.float_shadow().as_shape(place, theme::card_radius()));
            ui.painter().rect(place, theme::card_radius(), t.surface2, t.hairline(), egui::StrokeKind::Inside);
            icon(ui, pos2(place.left() + S12 + 8.0, place.center().y), toast.symbol, 16.0, t.accent);
            text(ui, place.with_min_x(place.left() + S12 + 24.0), Align2::LEFT_CENTER, &toast.text, Type::Body, t.text);
            y = place.top() - S8;
        }
    });
}
