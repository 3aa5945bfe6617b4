//! The asset tree: search, folding, roll-up status. Rows out of sight cost nothing but a look at their depth.

use std::collections::BTreeSet;

use egui::{Align2, CursorIcon, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::{AlarmState, Status, TwinIndex};

use super::bars;
use crate::command::UiCommand;
use crate::icon;
use crate::screen::{Screen, Width};
use crate::state::{Hits, Listed, UiState};
use crate::theme::{self, ICON, INDENT, S4, S8, S12, Type, tokens};
use crate::view::{TreeRow, ViewModel};
use crate::widgets::{
    alarm_mark, empty, find, focus_ring, found_text, freshness_icon, icon, icon_button, icon_button_lit, status_mark, text,
};

/// The asset tree.
pub(crate) fn tree(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let rect = ui.max_rect();
    let head = rect.with_max_y(rect.top() + 36.0);
    collect_rows(vm, state);
    header(ui, head, screen, vm, state);
    let mut top = head.bottom();
    if screen.width == Width::Sheet {
        let field = Rect::from_min_max(pos2(rect.left() + S12, top), pos2(rect.right() - S12, top + 34.0));
        bars::search(ui, field, true, state);
        top = field.bottom() + S8;
    }
    let body = Rect::from_min_max(pos2(rect.left(), top), rect.max);
    let mut inner = ui.new_child(egui::UiBuilder::new().id_salt("rows").max_rect(body));
    inner.shrink_clip_rect(body);
    if state.visible_rows.is_empty() {
        nothing(&mut inner, body, vm, state);
        return;
    }
    rows(&mut inner, screen, vm, state, out);
}

fn header(ui: &Ui, rect: Rect, screen: &Screen, vm: &ViewModel, state: &mut UiState) {
    let t = tokens(ui);
    let words = rect.shrink2(vec2(S12, 0.0));
    let title = text(ui, words, Align2::LEFT_CENTER, "Assets", Type::BodyBold, t.text);
    let all = vm.tree.len();
    let count = state.hits.count.map_or_else(|| all.to_string(), |hits| format!("{hits} of {all}"));
    let counted = text(ui, words.with_min_x(title.right() + S8), Align2::LEFT_CENTER, &count, Type::Small, t.faint);
    let response = ui.interact(counted, ui.id().with("count"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{count} twins")));
    let side = theme::DENSE.control - 4.0;
    let cell = |at: f32| {
        Rect::from_center_size(pos2(rect.right() - S12 - 4.0 - at * (side + 2.0), rect.center().y), theme::square(side))
    };
    let symbol = if screen.width == Width::Sheet { icon::X } else { icon::SIDEBAR_SIMPLE };
    if icon_button(ui, cell(0.0), symbol, "Close the tree").clicked() {
        if screen.width == Width::Sheet {
            state.sheet = None;
        } else {
            state.left_open = Some(false);
        }
    }
    let label = "Only what needs attention";
    if icon_button_lit(ui, cell(1.0), icon::FUNNEL_SIMPLE, label, state.troubled_only).clicked() {
        state.troubled_only = !state.troubled_only;
    }
    let folded = !state.folded.is_empty();
    let label = if folded { "Unfold all" } else { "Fold all" };
    if icon_button(ui, cell(2.0), icon::CARET_UP_DOWN, label).clicked() {
        if folded {
            state.folded.clear();
        } else {
            let parents = vm.tree.windows(2).filter(|pair| pair[1].depth > pair[0].depth).map(|pair| pair[0].twin);
            state.folded = parents.collect();
        }
    }
}

/// Which rows are shown: all not below a folded one; or, with a search or filter, the hits and their ancestors.
fn collect_rows(vm: &ViewModel, state: &mut UiState) {
    if let Some(twin) = state.reveal {
        unfold_ancestors(&vm.tree, twin, state);
    }
    let needle = state.search.trim().to_lowercase();
    let listed =
        Listed { needle: needle.clone(), troubled_only: state.troubled_only, folded: state.folded.clone(), stamp: vm.tree_stamp };
    // Panels are laid out far more often than rows change, and a plant may have tens of thousands.
    if state.listed.as_ref() == Some(&listed) {
        return;
    }
    state.listed = Some(listed);
    let mut shown = std::mem::take(&mut state.visible_rows);
    shown.clear();
    let filtering = !needle.is_empty() || state.troubled_only;
    let mut ancestors: Vec<(u16, u32)> = Vec::new();
    let mut folded_below: Option<u16> = None;
    let mut hits: Vec<(&str, TwinIndex)> = Vec::new();
    for (at, row) in vm.tree.iter().enumerate() {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        if filtering {
            ancestors.retain(|(depth, _)| *depth < row.depth);
            let fits_text = needle.is_empty() || find(&row.name, &needle).is_some() || find(&row.id, &needle).is_some();
            let fits_status = !state.troubled_only || row.is_pressing() || row.alarms > 0 && row.troubled == 0;
            if fits_text && fits_status {
                shown.extend(ancestors.iter().map(|(_, ancestor)| *ancestor));
                shown.push(at);
                hits.push((&row.name, row.twin));
                ancestors.clear();
            } else {
                ancestors.push((row.depth, at));
            }
            continue;
        }
        if folded_below.is_some_and(|depth| row.depth > depth) {
            continue;
        }
        folded_below = state.folded.contains(&row.twin).then_some(row.depth);
        shown.push(at);
    }
    state.visible_rows = shown;
    state.hits = Hits { count: filtering.then_some(hits.len()), namesakes: namesakes(hits) };
}

/// Of named twins those that are not alone with their name.
fn namesakes(mut named: Vec<(&str, TwinIndex)>) -> BTreeSet<TwinIndex> {
    named.sort_unstable();
    named.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1).flatten().map(|(_, twin)| *twin).collect()
}

fn unfold_ancestors(tree: &[TreeRow], twin: TwinIndex, state: &mut UiState) {
    let Some(at) = tree.iter().position(|row| row.twin == twin) else { return };
    let mut depth = tree.get(at).map_or(0, |row| row.depth);
    for row in tree.get(..at).unwrap_or_default().iter().rev() {
        if row.depth < depth {
            state.folded.remove(&row.twin);
            depth = row.depth;
        }
    }
}

fn nothing(ui: &mut Ui, body: Rect, vm: &ViewModel, state: &mut UiState) {
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(body.shrink2(vec2(S12, 0.0))));
    if vm.tree.is_empty() {
        empty(&mut inner, icon::CUBE, "No twins yet", "The tree fills when a site file with twins is loaded.");
        return;
    }
    if state.search.trim().is_empty() {
        empty(&mut inner, icon::CHECK_CIRCLE, "Nothing needs attention", "Every twin with signals is heard of and normal.");
    } else {
        let title = format!("Nothing is called “{}”", state.search.trim());
        empty(&mut inner, icon::MAGNIFYING_GLASS, &title, "Names and ids of twins are searched.");
    }
    let place = Rect::from_min_size(inner.next_widget_position(), vec2(140.0, theme::DENSE.control));
    if crate::widgets::button(&inner, place, None, "Show all twins", crate::widgets::ButtonKind::Normal).clicked() {
        state.search.clear();
        state.troubled_only = false;
    }
}

fn rows(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let height = screen.sizes.row;
    let shown = std::mem::take(&mut state.visible_rows);
    let target = state
        .reveal
        .take()
        .and_then(|twin| shown.iter().position(|at| vm.tree.get(*at as usize).is_some_and(|row| row.twin == twin)));
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = egui::ScrollArea::vertical().id_salt("tree").auto_shrink(false);
    area.show_viewport(ui, |ui, view| {
        let total = shown.len() as f32 * height;
        ui.set_height(total);
        let origin = ui.max_rect().min;
        let width = ui.max_rect().width();
        if let Some(target) = target {
            let place = Rect::from_min_size(origin + vec2(0.0, target as f32 * height), vec2(width, height));
            if !ui.clip_rect().contains_rect(place) {
                ui.scroll_to_rect(place, Some(egui::Align::Center));
            }
        }
        let first = (view.top() / height).floor().max(0.0) as usize;
        let last = ((view.bottom() / height).ceil().max(0.0) as usize).min(shown.len());
        for (nth, at) in shown.get(first..last).unwrap_or_default().iter().enumerate() {
            let Some(row) = vm.tree.get(*at as usize) else { continue };
            let place = Rect::from_min_size(origin + vec2(0.0, (first + nth) as f32 * height), vec2(width, height));
            let parent = vm.tree.get(*at as usize + 1).is_some_and(|next| next.depth > row.depth);
            let below = if parent && row.alarms > 0 { alarms_below(&vm.tree, *at as usize) } else { 0 };
            one_row(ui, place, row, parent.then_some(below), vm, state, out);
        }
    });
    state.visible_rows = shown;
}

/// Alarms of the children of a row, with everything below them.
fn alarms_below(tree: &[TreeRow], at: usize) -> u32 {
    let depth = tree.get(at).map_or(0, |row| row.depth);
    let below = tree.get(at + 1..).unwrap_or_default().iter().take_while(|row| row.depth > depth);
    below.filter(|row| row.depth == depth + 1).map(|row| row.alarms).sum()
}

fn one_row(
    ui: &Ui,
    rect: Rect,
    row: &TreeRow,
    below: Option<u32>,
    vm: &ViewModel,
    state: &mut UiState,
    out: &mut Vec<UiCommand>,
) {
    let t = tokens(ui);
    let (parent, below) = (below.is_some(), below.unwrap_or(0));
    let id = ui.id().with(("twin", row.twin));
    let response = ui.interact(rect, id, Sense::click());
    let selected = vm.selection.contains(&row.twin);
    let lit = response.hovered() || vm.hovered == Some(row.twin);
    if selected || lit {
        ui.painter().rect_filled(rect, 0.0, if selected { t.accent_weak } else { t.surface2 });
    }
    if selected {
        ui.painter().rect_filled(rect.with_max_x(rect.left() + theme::BOLD), 0.0, t.accent);
    }
    // Deep trees stop indenting, so that there is always room for the name.
    let depth = f32::from(row.depth.min(7));
    let mut x = rect.left() + S8 + depth * INDENT;
    let folded = state.folded.contains(&row.twin);
    if parent {
        caret(ui, pos2(x + ICON / 2.0, rect.center().y), row, folded, state);
    }
    x += ICON + S4;
    // Areas have no status of their own: they show the worst below them, smaller than what is meant itself.
    let stands_for = parent && (folded || !row.judged);
    let (status, size) = if stands_for { (row.rollup, 10.0) } else { (row.status, 12.0) };
    status_mark(ui, pos2(x + 6.0, rect.center().y), size, status);
    x += 12.0 + S8;
    // An alarm is marked where it is; an ancestor carries its mark only while it hides it.
    let hides = !parent || folded || row.alarms > below;
    let right = row_end(ui, rect, row, stands_for, hides);
    let ink = match (selected, row.status) {
        (true, _) => t.text,
        (_, Status::Unknown) if !parent => t.secondary,
        _ => t.text,
    };
    let kind = if parent && row.depth == 0 { Type::BodyBold } else { Type::Body };
    let place = Rect::from_min_max(pos2(x, rect.top()), pos2(right - S4, rect.bottom()));
    let name = if state.hits.namesakes.contains(&row.twin) { format!("{} · {}", row.name, row.id) } else { row.name.clone() };
    found_text(ui, place, &name, state.search.trim(), kind, ink);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, selected, &row.name));
    if response.hovered() {
        out.push(UiCommand::Hover(Some(row.twin)));
    }
    if response.double_clicked() {
        out.push(UiCommand::Focus(row.twin));
    } else if response.clicked() {
        let additive = ui.input(|i| i.modifiers.command || i.modifiers.shift);
        out.push(UiCommand::Select { twin: Some(row.twin), additive });
    }
    let _hint = response.on_hover_cursor(CursorIcon::PointingHand).on_hover_ui(|ui| hint(ui, row));
}

fn hint(ui: &mut Ui, row: &TreeRow) {
    let t = tokens(ui);
    ui.label(egui::RichText::new(&row.name).font(Type::BodyBold.font()).color(t.text));
    let was = row.last_known.map_or_else(String::new, |was| format!(", was {}", was.label()));
    let mut line = format!("{}{was} · {}", row.status.label(), row.freshness.label());
    if !row.judged {
        line = format!("{} at worst below", row.rollup.label());
    }
    if row.troubled > 0 {
        line.push_str(&format!("\n{} below need attention", row.troubled));
    }
    if row.silent > 0 {
        line.push_str(&format!("\n{} below can't be judged", row.silent));
    }
    ui.label(egui::RichText::new(line).font(Type::Small.font()).color(t.secondary));
}

fn caret(ui: &Ui, center: egui::Pos2, row: &TreeRow, folded: bool, state: &mut UiState) {
    let t = tokens(ui);
    let place = Rect::from_center_size(center, theme::square(ICON + 4.0));
    let response = ui.interact(place, ui.id().with(("fold", row.twin)), Sense::click());
    let ink = if response.hovered() { t.text } else { t.faint };
    icon(ui, center, if folded { icon::CARET_RIGHT } else { icon::CARET_DOWN }, 12.0, ink);
    let label = format!("{} {}", if folded { "Unfold" } else { "Fold" }, row.name);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::CollapsingHeader, true, label.clone()));
    if response.clicked() && !state.folded.remove(&row.twin) {
        state.folded.insert(row.twin);
    }
}

/// What stands at the right end of a row, from the edge inwards: alarm, trouble below, freshness. Returns where it begins.
fn row_end(ui: &Ui, rect: Rect, row: &TreeRow, stands_for: bool, marked: bool) -> f32 {
    let t = tokens(ui);
    let mut x = rect.right() - S12;
    if let Some(priority) = row.priority.filter(|_| row.alarms > 0 && marked) {
        alarm_mark(ui, pos2(x - 6.0, rect.center().y), 13.0, priority, AlarmState::UnackActive);
        x -= 13.0 + S4 + 2.0;
    }
    if row.troubled > 0 && !stands_for {
        let count = row.troubled.to_string();
        let at = text(ui, rect.with_max_x(x), Align2::RIGHT_CENTER, &count, Type::Small, t.secondary);
        status_mark(ui, pos2(at.left() - 8.0, rect.center().y), 8.0, row.rollup);
        x = at.left() - 16.0;
    } else if row.troubled > 0 {
        let at = text(ui, rect.with_max_x(x), Align2::RIGHT_CENTER, &row.troubled.to_string(), Type::Small, t.secondary);
        x = at.left() - S4;
    }
    if let Some(symbol) = freshness_icon(row.freshness) {
        icon(ui, pos2(x - 7.0, rect.center().y), symbol, 14.0, t.faint);
        x -= 14.0 + S4;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::SiteView;
    use twin_model::Freshness;

    fn row(twin: u32, depth: u16, name: &str, status: Status) -> TreeRow {
        TreeRow {
            twin: TwinIndex(twin),
            id: name.to_lowercase().replace(' ', "-"),
            name: name.to_owned(),
            depth,
            status,
            rollup: status,
            judged: status != Status::Unknown,
            last_known: None,
            silent: 0,
            troubled: 0,
            freshness: Freshness::Live,
            alarms: 0,
            priority: None,
        }
    }

    fn check(change: impl FnOnce(&mut UiState), expect: &[u32]) {
        let mut vm = ViewModel::empty(SiteView::default());
        vm.tree = vec![
            row(0, 0, "Hall", Status::Unknown),
            row(1, 1, "Filling line", Status::Unknown),
            row(2, 2, "Filler", Status::Failure),
            row(3, 2, "Capper", Status::Normal),
            row(4, 1, "Utilities", Status::Unknown),
            row(5, 2, "Kühler", Status::Normal),
        ];
        let mut state = UiState::default();
        change(&mut state);
        collect_rows(&vm, &mut state);
        assert_eq!(state.visible_rows, expect);
    }

    #[test]
    fn everything_is_shown_at_first() {
        check(|_| {}, &[0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn folding_hides_what_is_below() {
        check(|state| state.folded.extend([TwinIndex(1)]), &[0, 1, 4, 5]);
    }

    #[test]
    fn a_hit_brings_its_ancestors() {
        check(|state| state.search = "CAPP".to_owned(), &[0, 1, 3]);
        check(|state| state.search = "kühl".to_owned(), &[0, 4, 5]);
        check(|state| state.search = "nothing like this".to_owned(), &[]);
    }

    #[test]
    fn the_filter_keeps_what_needs_attention() {
        check(|state| state.troubled_only = true, &[0, 1, 2]);
    }

    #[test]
    fn a_silent_twin_needs_attention_whatever_it_was_before_and_is_found_by_name() {
        let mut vm = ViewModel::empty(SiteView::default());
        let silent = |twin, name, before| TreeRow {
            judged: true,
            last_known: Some(before),
            silent: 1,
            freshness: Freshness::Stale,
            ..row(twin, 1, name, Status::Unknown)
        };
        vm.tree = vec![
            row(0, 0, "Hall", Status::Normal),
            silent(1, "Filler", Status::Normal),
            silent(2, "Capper", Status::Failure),
            row(3, 1, "Cooler", Status::Normal),
        ];
        let mut state = UiState { troubled_only: true, ..UiState::default() };
        collect_rows(&vm, &mut state);
        assert_eq!((&state.visible_rows[..], state.hits.count), (&[0, 1, 2][..], Some(2)), "one that was normal, too");
        state.search = "fill".to_owned();
        collect_rows(&vm, &mut state);
        assert_eq!((&state.visible_rows[..], state.hits.count), (&[0, 1][..], Some(1)));
        // The one that was worst stands first where they are sorted by what presses.
        assert!(vm.tree[2].urgency() > vm.tree[1].urgency() && vm.tree[1].urgency() > vm.tree[3].urgency());
    }

    #[test]
    fn hits_are_counted_without_their_ancestors_and_namesakes_are_known() {
        let mut vm = ViewModel::empty(SiteView::default());
        vm.tree = vec![
            row(0, 0, "Hall", Status::Normal),
            row(1, 1, "Motor", Status::Normal),
            row(2, 1, "Motor", Status::Failure),
            row(3, 1, "Motor hood", Status::Normal),
        ];
        let mut state = UiState { search: "moto".to_owned(), ..UiState::default() };
        collect_rows(&vm, &mut state);
        assert_eq!(state.hits.count, Some(3));
        assert_eq!(state.hits.namesakes, BTreeSet::from([TwinIndex(1), TwinIndex(2)]));
        state.search.clear();
        collect_rows(&vm, &mut state);
        assert_eq!(state.hits, Hits::default());
    }

    #[test]
    fn a_selected_twin_is_unfolded_to() {
        check(
            |state| {
                state.folded.extend([TwinIndex(0), TwinIndex(1), TwinIndex(4)]);
                state.reveal = Some(TwinIndex(3));
            },
            &[0, 1, 2, 3, 4],
        );
    }
}
