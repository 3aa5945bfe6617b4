//! The bar at the top: site, search, how live the picture is, alarms, what-if, theme, help.

use egui::{Align2, Rect, Sense, TextEdit, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::rails::{is_open, open_right};
use crate::command::UiCommand;
use crate::screen::{Screen, Width};
use crate::state::{RightTab, UiState};
use crate::theme::{self, ICON, S4, S8, S12, S16, Type, tokens};
use crate::view::{LinkState, PlayMode, Theme, ViewModel};
use crate::widgets::{badge, focus_ring, icon, icon_button, icon_button_lit, keycap, measure, pill, text};
use crate::{format, icon};

/// Asks for the other theme.
pub(crate) fn toggle_theme(vm: &ViewModel, out: &mut Vec<UiCommand>) {
    out.push(UiCommand::SetTheme(if vm.theme == Theme::Dark { Theme::Light } else { Theme::Dark }));
}

/// The bar at the top.
pub(crate) fn top_bar(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let rect = ui.max_rect();
    let narrow = screen.width == Width::Sheet;
    let name_right = site_name(ui, rect, vm, if narrow { 128.0 } else { screen.sizes.left });
    let right = buttons(ui, rect, screen, vm, state, out);
    let mut left = name_right;
    if !narrow {
        let width = if screen.width == Width::Full { 280.0 } else { 190.0 };
        let from = if screen.width == Width::Full { rect.left() + screen.sizes.left + S12 } else { name_right + S12 };
        let field = Rect::from_min_size(pos2(from, rect.center().y - 14.0), vec2(width, 28.0));
        search(ui, field, false, state);
        left = field.right();
    }
    live_pill(ui, rect, (left + S12, right - S8), screen, vm, out);
}

fn site_name(ui: &Ui, rect: Rect, vm: &ViewModel, width: f32) -> f32 {
    let t = tokens(ui);
    let center = pos2(rect.left() + S16 + 4.0, rect.center().y);
    // The mark: a planet on its orbit, with the moon that a twin is.
    ui.painter().circle_stroke(center, 8.0, egui::Stroke::new(theme::LINE, t.faint));
    ui.painter().circle_filled(center, 3.0, t.text);
    ui.painter().circle_filled(center + vec2(5.7, -5.7), 3.2, t.accent);
    let words = Rect::from_min_max(pos2(center.x + S16, rect.top()), pos2(rect.left() + width - S4, rect.bottom()));
    let at = text(ui, words, Align2::LEFT_CENTER, &vm.site.name, Type::Title, t.text);
    let response = ui.interact(at, ui.id().with("site"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &vm.site.name));
    let _hint = response.on_hover_text(format!("{}\n{} twins · times in {}", vm.site.name, vm.tree.len(), vm.site.time_zone));
    at.right()
}

/// The search field; what it finds is shown by the tree.
pub(crate) fn search(ui: &mut Ui, rect: Rect, touch: bool, state: &mut UiState) {
    let t = tokens(ui);
    ui.painter().rect(rect, theme::control_radius(), t.surface1, t.hairline(), egui::StrokeKind::Inside);
    icon(ui, pos2(rect.left() + S8 + ICON / 2.0, rect.center().y), icon::MAGNIFYING_GLASS, ICON, t.faint);
    let place =
        Rect::from_min_max(pos2(rect.left() + S16 + ICON, rect.top() + 2.0), pos2(rect.right() - 30.0, rect.bottom() - 2.0));
    let edit = TextEdit::singleline(&mut state.search)
        .id_salt("search")
        .frame(egui::Frame::NONE)
        .hint_text(egui::RichText::new("Search twins").color(t.faint))
        .font(Type::Body.font())
        .vertical_align(egui::Align::Center)
        .desired_width(place.width());
    let response = ui.put(place, edit);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Search twins"));
    if std::mem::take(&mut state.focus_search) {
        response.request_focus();
        if state.sheet.is_none() {
            state.left_open = Some(true);
        }
    }
    if response.has_focus() {
        let ring = egui::Stroke::new(theme::LINE, t.accent);
        ui.painter().rect_stroke(rect, theme::control_radius(), ring, egui::StrokeKind::Inside);
    }
    let end = pos2(rect.right() - S4, rect.center().y);
    if !state.search.is_empty() {
        let clear = Rect::from_center_size(end - vec2(11.0, 0.0), theme::square(22.0));
        if icon_button(ui, clear, icon::X, "Clear the search").clicked() {
            state.search.clear();
        }
    } else if !response.has_focus() && !touch {
        keycap(ui, end - vec2(2.0, 0.0), "/");
    }
}

/// How live the picture is, in the middle of the bar; returns to live when pressed.
fn live_pill(ui: &Ui, rect: Rect, room: (f32, f32), screen: &Screen, vm: &ViewModel, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let clock = &vm.clock;
    let narrow = screen.width == Width::Sheet;
    // A lag that rounds to nothing needs no words.
    let lag = clock.lag.filter(|lag| lag.as_micros() >= 100_000).map(format::span);
    let branch = vm.shown_branch();
    let down = vm.links.gateway == LinkState::Down;
    let (symbol, label, colors, live) = match (branch, clock.mode) {
        (Some(_), _) => (icon::FLASK, "Not real".to_owned(), (t.what_if_weak, t.what_if), false),
        (None, PlayMode::Following) if clock.copy => {
            (icon::CLOCK_COUNTER_CLOCKWISE, "Published copy".to_owned(), (t.surface2, t.text), true)
        }
        (None, PlayMode::Following) if down => (icon::WIFI_SLASH, "Not connected".to_owned(), (t.surface2, t.text), true),
        (None, PlayMode::Following) => {
            let behind = lag.filter(|_| !narrow).map_or(String::new(), |lag| format!("  {lag} behind"));
            (icon::BROADCAST, format!("Live{behind}"), (t.surface2, t.text), true)
        }
        (None, _) if clock.live_edge.is_none() && vm.timeline.extent.is_empty() => {
            (icon::HOURGLASS, "No data yet".to_owned(), (t.surface2, t.secondary), true)
        }
        (None, _) if clock.live_edge.is_none() => {
            (icon::CLOCK_COUNTER_CLOCKWISE, "Recording".to_owned(), (t.surface2, t.secondary), true)
        }
        (None, _) if clock.buffering => (icon::HOURGLASS, "Loading history".to_owned(), (t.surface2, t.text), false),
        (None, _) => {
            let behind = format::span(clock.behind());
            let words = match (narrow, clock.copy) {
                (true, _) => format!("{behind} ago"),
                (false, true) if clock.behind() == twin_model::Span::ZERO => "Published copy".to_owned(),
                (false, true) => format!("Published copy  {behind} before its end"),
                (false, false) => format!("History  {behind} behind live"),
            };
            (icon::CLOCK_COUNTER_CLOCKWISE, words, (t.accent_weak, t.accent), false)
        }
    };
    let (from, to) = room;
    let wanted = |words: &str| measure(ui, words, Type::SmallBold) + 2.0 * S12 + 14.0 + S8;
    // Where the whole sentence does not fit, its first word does.
    let label = if wanted(&label) > to - from { label.split("  ").next().unwrap_or_default().to_owned() } else { label };
    let width = wanted(&label).min(to - from);
    if width < 40.0 {
        return;
    }
    let center = rect.center().x.clamp(from + width / 2.0, to - width / 2.0);
    let place = Rect::from_center_size(pos2(center, rect.center().y), vec2(width, 24.0));
    let action = match (live, branch.is_some()) {
        (true, _) => None,
        (false, true) => Some("Back to reality"),
        (false, false) if clock.copy => Some("To its end"),
        (false, false) => Some("Return to live"),
    };
    let response = pill(ui, place, Some(symbol), &label, colors, action);
    if response.clicked() {
        out.push(if branch.is_some() { UiCommand::ViewBranch(None) } else { UiCommand::Follow });
    }
    let hint = state_hint(vm);
    let _hint = response.on_hover_text(hint);
}

fn state_hint(vm: &ViewModel) -> String {
    match vm.clock.mode {
        _ if vm.clock.copy => {
            "A copy of the plant as it was published: there is no live data. Drag the time bar to look back.".to_owned()
        }
        PlayMode::Following => "The picture follows the plant. Drag the time bar to look back.".to_owned(),
        _ if vm.clock.buffering => "History is on its way from the gateway. Press to return to live.".to_owned(),
        _ if vm.clock.live_edge.is_some() => {
            let extract = vm.clock.extract.as_ref().map_or(String::new(), |what| format!(" from {what}: extremes are exact"));
            format!("The picture shows the past{extract}. Press to return to live.")
        }
        _ => "A recording: there is no live data.".to_owned(),
    }
}

/// The buttons at the right end; returns where they begin.
fn buttons(ui: &Ui, rect: Rect, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) -> f32 {
    let side = screen.sizes.control;
    let mut x = rect.right() - S8;
    let mut next = |width: f32| {
        x -= width;
        let place = Rect::from_min_size(pos2(x, rect.center().y - side / 2.0), vec2(width, side));
        x -= S4 / 2.0;
        place
    };
    if icon_button_lit(ui, next(side), icon::QUESTION, "Help and shortcuts (?)", state.help_open).clicked() {
        state.help_open = !state.help_open;
    }
    let (symbol, label) = if vm.theme == Theme::Dark { (icon::SUN, "Light theme (T)") } else { (icon::MOON, "Dark theme (T)") };
    if icon_button(ui, next(side), symbol, label).clicked() {
        toggle_theme(vm, out);
    }
    if screen.width != Width::Sheet {
        if icon_button(ui, next(side), icon::LINK, "Copy a link to this view").clicked() {
            out.push(UiCommand::CopyLink);
        }
        let words = screen.width == Width::Full;
        let open = is_open(screen.width, RightTab::WhatIf, state);
        let place = next(word_width(ui, side, "What-if", words));
        if word_button(ui, place, icon::FLASK, "What-if", words, open, "What-if: try a change (W)").clicked() {
            open_right(screen.width, RightTab::WhatIf, state, out);
        }
    }
    alarms_button(ui, &mut next, screen, vm, state, out);
    x
}

fn alarms_button(
    ui: &Ui,
    next: &mut impl FnMut(f32) -> Rect,
    screen: &Screen,
    vm: &ViewModel,
    state: &mut UiState,
    out: &mut Vec<UiCommand>,
) {
    let t = tokens(ui);
    let side = screen.sizes.control;
    let words = screen.width == Width::Full;
    let active = vm.alarms.iter().filter(|alarm| alarm.state.is_active()).count();
    let waiting = vm.alarms.iter().filter(|alarm| alarm.state.is_unacknowledged()).count();
    let unseen = waiting > 0;
    let asking = vm.alarms.iter().filter(|alarm| alarm.asks()).count();
    let open = is_open(screen.width, RightTab::Alarms, state);
    let count = asking.to_string();
    let extra = if asking > 0 { (measure(ui, &count, Type::SmallBold) + S8).max(18.0) + S4 } else { 0.0 };
    let place = next(word_width(ui, side, "Alarms", words) + extra);
    let words_at = place.with_max_x(place.right() - extra);
    let symbol = if unseen { icon::BELL_RINGING } else { icon::BELL };
    let hint = match active {
        0 if waiting > 0 => format!("No active alarms, {waiting} unacknowledged (A)"),
        0 => "No active alarms (A)".to_owned(),
        1 => "1 active alarm (A)".to_owned(),
        n => format!("{n} active alarms (A)"),
    };
    let response = word_button_in(ui, place, words_at, symbol, "Alarms", words, open, &hint);
    if asking > 0 {
        let (fill, ink) = if unseen { (t.text, t.surface0) } else { (t.surface3, t.text) };
        badge(ui, pos2(place.right() - S4, place.center().y), &count, fill, ink);
    }
    if response.clicked() {
        open_right(screen.width, RightTab::Alarms, state, out);
    }
}

fn word_width(ui: &Ui, side: f32, label: &str, words: bool) -> f32 {
    if words { side + measure(ui, label, Type::Body) + S8 } else { side }
}

fn word_button(ui: &Ui, rect: Rect, symbol: char, label: &str, words: bool, lit: bool, hint: &str) -> egui::Response {
    word_button_in(ui, rect, rect, symbol, label, words, lit, hint)
}

#[allow(clippy::too_many_arguments, reason = "one paint call with its texts; a struct would only rename the arguments")]
fn word_button_in(
    ui: &Ui,
    rect: Rect,
    words_at: Rect,
    symbol: char,
    label: &str,
    words: bool,
    lit: bool,
    hint: &str,
) -> egui::Response {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.id().with(("word", label)), Sense::click());
    let fill = match (response.hovered(), lit) {
        (true, _) => t.surface2,
        (_, true) => t.accent_weak,
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, theme::control_radius(), fill);
    let ink = if lit { t.accent } else { t.secondary };
    icon(ui, pos2(words_at.left() + S4 + ICON / 2.0 + 2.0, rect.center().y), symbol, ICON, ink);
    if words {
        let place = words_at.with_min_x(words_at.left() + S12 + ICON);
        text(ui, place, Align2::LEFT_CENTER, label, Type::Body, if lit { t.accent } else { t.text });
    }
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, lit, label));
    response.on_hover_text(hint).on_hover_cursor(egui::CursorIcon::PointingHand)
}
