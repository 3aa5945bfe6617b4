//! Side panels when there is no room for them: rails, tabs at the bottom, and the tabs of the right side panel.

use egui::{Align2, CursorIcon, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::{alarms, inspector, what_if};
use crate::command::UiCommand;
use crate::icon;
use crate::screen::{Screen, Width};
use crate::state::{RightTab, Sheet, UiState};
use crate::theme::{self, ICON, S4, S8, S12, Type, tokens};
use crate::view::ViewModel;
use crate::widgets::{badge, focus_ring, icon, icon_button, icon_button_lit, measure, text};

/// Whether the right side panel is open at a tab.
pub(crate) fn is_open(width: Width, tab: RightTab, state: &UiState) -> bool {
    let open = match width {
        Width::Sheet => state.sheet == Some(Sheet::Right),
        Width::Rails => state.right_open.unwrap_or(false),
        Width::Full => state.right_open.unwrap_or(true),
    };
    open && state.right_tab == tab
}

/// Opens the right side panel at a tab, or closes it where that tab is open.
pub(crate) fn open_right(width: Width, tab: RightTab, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let open = !is_open(width, tab, state);
    state.right_tab = tab;
    if width == Width::Sheet {
        state.sheet = open.then_some(Sheet::Right);
    } else {
        state.right_open = Some(open);
    }
    if tab == RightTab::WhatIf {
        out.push(UiCommand::OpenWhatIf(open));
    }
}

/// Closes the right side panel, whatever it shows; the host hears of a what-if panel that goes.
pub(crate) fn close_right(state: &mut UiState, out: &mut Vec<UiCommand>) {
    let covered = state.sheet == Some(Sheet::Right);
    if covered {
        state.sheet = None;
    } else {
        state.right_open = Some(false);
    }
    if state.right_tab == RightTab::WhatIf {
        out.push(UiCommand::OpenWhatIf(false));
    }
}

/// The rail that stands for the tree.
pub(crate) fn left_rail(ui: &mut Ui, state: &mut UiState) {
    let rect = ui.max_rect();
    let open = state.left_open == Some(true);
    let place = cell(rect, 0);
    if icon_button_lit(ui, place, icon::TREE_STRUCTURE, "Assets", open).clicked() {
        state.left_open = Some(!open);
    }
    if icon_button(ui, cell(rect, 1), icon::MAGNIFYING_GLASS, "Search (/)").clicked() {
        state.left_open = Some(true);
        state.focus_search = true;
    }
}

/// The rail that stands for the right side panel.
pub(crate) fn right_rail(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let rect = ui.max_rect();
    let t = tokens(ui);
    for (at, (tab, symbol, label)) in TABS.into_iter().enumerate() {
        let open = is_open(screen.width, tab, state);
        let place = cell(rect, at);
        let response = icon_button_lit(ui, place, symbol, label, open);
        let active = vm.alarms.iter().filter(|alarm| alarm.asks()).count();
        if tab == RightTab::Alarms && active > 0 {
            badge(ui, pos2(place.right() + 3.0, place.top() + 4.0), &active.to_string(), t.text, t.surface0);
        }
        if response.clicked() {
            open_right(screen.width, tab, state, out);
        }
    }
}

const TABS: [(RightTab, char, &str); 3] = [
    (RightTab::Inspect, icon::INFO, "Inspect"),
    (RightTab::Alarms, icon::BELL, "Alarms"),
    (RightTab::WhatIf, icon::FLASK, "What-if"),
];

fn cell(rail: Rect, at: usize) -> Rect {
    let side = theme::DENSE.control;
    Rect::from_center_size(pos2(rail.center().x, rail.top() + 22.0 + at as f32 * 36.0), theme::square(side))
}

/// The tab bar at the bottom of a narrow screen.
pub(crate) fn bottom_tabs(ui: &mut Ui, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let rect = ui.max_rect();
    let tabs: [(char, &str, Sheet, Option<RightTab>); 5] = [
        (icon::TREE_STRUCTURE, "Assets", Sheet::Assets, None),
        (icon::INFO, "Inspect", Sheet::Right, Some(RightTab::Inspect)),
        (icon::BELL, "Alarms", Sheet::Right, Some(RightTab::Alarms)),
        (icon::CHART_LINE, "Chart", Sheet::Chart, None),
        (icon::FLASK, "What-if", Sheet::Right, Some(RightTab::WhatIf)),
    ];
    let width = rect.width() / tabs.len() as f32;
    for (at, (symbol, label, sheet, tab)) in tabs.into_iter().enumerate() {
        let place = Rect::from_min_size(rect.min + vec2(width * at as f32, 0.0), vec2(width, rect.height()));
        let lit = state.sheet == Some(sheet) && tab.is_none_or(|tab| tab == state.right_tab);
        let response = ui.interact(place, ui.id().with(("tab", label)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        let ink = if lit { t.accent } else { t.secondary };
        icon(ui, pos2(place.center().x, place.top() + 18.0), symbol, ICON + 4.0, ink);
        let words = Rect::from_min_max(pos2(place.left(), place.top() + 30.0), place.max - vec2(0.0, S4));
        text(ui, words, Align2::CENTER_CENTER, label, Type::Small, ink);
        let active = vm.alarms.iter().filter(|alarm| alarm.asks()).count();
        if tab == Some(RightTab::Alarms) && active > 0 {
            badge(ui, pos2(place.center().x + 22.0, place.top() + 12.0), &active.to_string(), t.text, t.surface0);
        }
        focus_ring(ui, &response);
        response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, lit, label));
        if response.clicked() {
            state.right_tab = tab.unwrap_or(state.right_tab);
            state.sheet = (!lit).then_some(sheet);
            if tab == Some(RightTab::WhatIf) {
                out.push(UiCommand::OpenWhatIf(!lit));
            }
        }
    }
}

/// The right side panel with its tabs.
pub(crate) fn right(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let rect = ui.max_rect();
    let head = rect.with_max_y(rect.top() + 36.0);
    tabs(ui, head, screen, vm, state, out);
    let body = rect.with_min_y(head.bottom());
    let mut inner = ui.new_child(egui::UiBuilder::new().id_salt(state.right_tab).max_rect(body));
    inner.shrink_clip_rect(body);
    match state.right_tab {
        RightTab::Inspect => inspector::inspector(&mut inner, screen, vm, state, out),
        RightTab::Alarms => alarms::alarms(&mut inner, screen, vm, state, out),
        RightTab::WhatIf => what_if::what_if(&mut inner, vm, state, out),
    }
}

fn tabs(ui: &Ui, rect: Rect, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    ui.painter().hline(rect.x_range(), rect.bottom(), t.hairline());
    let mut x = rect.left() + S4;
    for (tab, _, label) in TABS {
        let lit = state.right_tab == tab;
        let active = vm.alarms.iter().filter(|alarm| alarm.asks()).count();
        let count = (tab == RightTab::Alarms && active > 0).then(|| active.to_string());
        let words = measure(ui, label, Type::BodyBold);
        let extra = count.as_ref().map_or(0.0, |count| measure(ui, count, Type::Small) + S4 + 2.0);
        let place = Rect::from_min_size(pos2(x, rect.top()), vec2(words + extra + 2.0 * S8, rect.height()));
        let response = ui.interact(place, ui.id().with(("tab", label)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        let ink = if lit || response.hovered() { t.text } else { t.secondary };
        let inner = place.shrink2(vec2(S8, 0.0));
        let at = text(ui, inner, Align2::LEFT_CENTER, label, if lit { Type::BodyBold } else { Type::Body }, ink);
        if let Some(count) = count {
            text(ui, inner.with_min_x(at.right() + S4), Align2::LEFT_CENTER, &count, Type::Small, t.secondary);
        }
        if lit {
            let mark = if tab == RightTab::WhatIf { t.what_if } else { t.accent };
            let line = Rect::from_min_max(pos2(inner.left(), rect.bottom() - 2.0), pos2(inner.right(), rect.bottom()));
            ui.painter().rect_filled(line, 1.0, mark);
        }
        focus_ring(ui, &response);
        response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, lit, format!("{label} tab")));
        if response.clicked() {
            state.right_tab = tab;
            if tab == RightTab::WhatIf && !lit {
                out.push(UiCommand::OpenWhatIf(true));
            }
        }
        x = place.right() + S4;
    }
    let side = theme::DENSE.control - 4.0;
    let close = Rect::from_center_size(pos2(rect.right() - S12 - 4.0, rect.center().y), theme::square(side));
    let symbol = if screen.width == Width::Sheet { icon::X } else { icon::CARET_DOUBLE_RIGHT };
    if icon_button(ui, close, symbol, "Close the panel").clicked() {
        close_right(state, out);
    }
}
