//! The layout: where every panel stands at every size of the screen, and how much of it is left for 3D.

use egui::{Context, Id, LayerId, Order, Rect, Ui, UiBuilder, pos2};

use crate::command::UiCommand;
use crate::format::Zone;
use crate::screen::{Screen, Width};
use crate::state::{Sheet, UiState};
use crate::theme::{self, tokens};
use crate::view::{Severity, ViewModel};
use crate::{keys, panels, time_bar};

/// What the host needs to know after a pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShellOutput {
    /// The part of the screen that is left for the 3D view, in egui points.
    pub viewport: Rect,
    /// Whether the pointer belongs to a panel, a floating card or a drag that began on one; 3D ignores it then.
    pub captures_pointer: bool,
    /// Whether the keyboard belongs to a text field.
    pub captures_keyboard: bool,
}

/// Where everything stands.
#[derive(Debug, Clone, Copy)]
struct Places {
    top: Rect,
    bottom: Rect,
    tabs: Option<Rect>,
    chart: Option<Rect>,
    left: Option<Rect>,
    right: Option<Rect>,
    left_rail: Option<Rect>,
    right_rail: Option<Rect>,
    viewport: Rect,
    /// Side panels and sheets lie over the 3D view instead of beside it.
    over: bool,
}

fn places(screen: &Screen, vm: &ViewModel, state: &UiState) -> Places {
    let Screen { rect, width, sizes } = *screen;
    let cut = |top: f32, bottom: f32| Rect::from_min_max(pos2(rect.left(), top), pos2(rect.right(), bottom));
    let top = cut(rect.top(), rect.top() + sizes.top);
    let tabs = (sizes.tabs > 0.0).then(|| cut(rect.bottom() - sizes.tabs, rect.bottom()));
    let floor = tabs.map_or(rect.bottom(), |tabs| tabs.top());
    let lanes = vm.what_if.branches.len().min(3) as f32 * theme::BRANCH_LANE;
    let bottom = cut(floor - sizes.bottom - lanes, floor);
    let mut middle = cut(top.bottom(), bottom.top());
    let mut out = Places {
        top,
        bottom,
        tabs,
        chart: None,
        left: None,
        right: None,
        left_rail: None,
        right_rail: None,
        viewport: middle,
        over: width != Width::Full,
    };
    if width == Width::Sheet {
        lay_sheet(&mut out, middle, sizes.drawer, state.sheet);
        return out;
    }
    if state.chart_open {
        let drawer = sizes.drawer.min(middle.height() * 0.5);
        out.chart = Some(Rect::from_min_max(pos2(middle.left(), middle.bottom() - drawer), middle.max));
        middle.max.y -= drawer;
    }
    let full = width == Width::Full;
    let (left_open, right_open) = (state.left_open.unwrap_or(full), state.right_open.unwrap_or(full));
    let rails = !full;
    let left_rail = rails || !left_open;
    let right_rail = rails || !right_open;
    if left_rail {
        out.left_rail = Some(middle.with_max_x(middle.left() + sizes.rail));
        middle.min.x += sizes.rail;
    }
    if right_rail {
        out.right_rail = Some(middle.with_min_x(middle.right() - sizes.rail));
        middle.max.x -= sizes.rail;
    }
    if left_open {
        out.left = Some(middle.with_max_x(middle.left() + sizes.left));
        if full {
            middle.min.x += sizes.left;
        }
    }
    if right_open {
        out.right = Some(middle.with_min_x((middle.right() - sizes.right).max(middle.left())));
        if full {
            middle.max.x -= sizes.right;
        }
    }
    out.viewport = middle;
    out
}

/// The one sheet of a telephone over `middle`, from below.
fn lay_sheet(out: &mut Places, middle: Rect, drawer: f32, sheet: Option<Sheet>) {
    let from_below = |height: f32| Rect::from_min_max(pos2(middle.left(), middle.bottom() - height), middle.max);
    let height = (middle.height() * 0.62).max(220.0).min(middle.height());
    match sheet {
        Some(Sheet::Assets) => out.left = Some(from_below(height)),
        Some(Sheet::Right) => out.right = Some(from_below(height)),
        Some(Sheet::Chart) => out.chart = Some(from_below(drawer)),
        None => {}
    }
    // What the sheet is about stays in sight above it.
    let covered = [out.left, out.right, out.chart].into_iter().flatten().map(|sheet| sheet.top());
    out.viewport.max.y = covered.fold(middle.bottom(), f32::min);
}

/// Lays out and runs every panel. Call it once inside an egui pass, after [`crate::theme::install`] was called once.
///
/// Wishes are appended to `out`. The host draws 3D below egui in [`ShellOutput::viewport`]; nothing is painted there but legend, marks and cards.
pub fn shell(ctx: &Context, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) -> ShellOutput {
    let mut wishes = Vec::new();
    let output = pass(ctx, vm, state, &mut wishes);
    out.append(&mut wishes);
    output
}

fn pass(ctx: &Context, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) -> ShellOutput {
    prepare(ctx, vm, state);
    let screen = Screen::of(ctx);
    let at = places(&screen, vm, state);
    let builder = UiBuilder::new().layer_id(LayerId::background()).max_rect(screen.rect);
    let mut root = Ui::new(ctx.clone(), Id::new("twin_ui"), builder);
    let ui = &mut root;
    state.blocked.clear();
    if let Some(fatal) = vm.problems.iter().find(|problem| problem.severity == Severity::Fatal) {
        panels::fatal(ui, screen.rect, fatal, out);
        return ShellOutput { viewport: at.viewport, captures_pointer: true, captures_keyboard: true };
    }
    keys::handle(ui, screen.width, vm, state, out);
    over_viewport(ui, &screen, &at, vm, state, out);
    around_viewport(ui, &screen, &at, vm, state, out);
    if state.help_open {
        panels::help(ctx, &screen, vm, state, out);
    }
    panels::toasts(ctx, at.viewport, state);
    after(ctx, vm, state, out);
    ShellOutput {
        viewport: at.viewport,
        captures_pointer: captures_pointer(ctx, at.viewport, state),
        captures_keyboard: ctx.text_edit_focused(),
    }
}

fn prepare(ctx: &Context, vm: &ViewModel, state: &mut UiState) {
    if state.applied != Some((vm.theme, vm.reduced_motion)) {
        theme::apply(ctx, vm.theme);
        let seconds = if vm.reduced_motion { 0.0 } else { 0.12 };
        ctx.all_styles_mut(|style| style.animation_time = seconds);
        state.applied = Some((vm.theme, vm.reduced_motion));
    }
    if state.zone.name() != vm.site.time_zone {
        state.zone = Zone::named(&vm.site.time_zone);
    }
    state.hover_time = None;
    state.slide(vm);
    if state.last_primary != vm.primary() {
        state.last_primary = vm.primary();
        state.reveal = vm.primary();
    }
}

/// A panel's own `Ui`: clipped to its place, filled with its surface.
fn region<R>(ui: &mut Ui, rect: Rect, id: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 0.0, t.surface0);
    // Swallows the pointer, so that a click beside a widget does not reach the 3D view.
    ui.interact(rect, ui.id().with((id, "floor")), theme::SWALLOW);
    let mut inner = ui.new_child(UiBuilder::new().id_salt(id).max_rect(rect));
    inner.shrink_clip_rect(rect);
    add(&mut inner)
}

fn over_viewport(ui: &mut Ui, screen: &Screen, at: &Places, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let mut inner = ui.new_child(UiBuilder::new().id_salt("viewport").max_rect(at.viewport));
    inner.shrink_clip_rect(at.viewport);
    panels::viewport(&mut inner, screen, vm, state, out);
}

fn around_viewport(ui: &mut Ui, screen: &Screen, at: &Places, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    region(ui, at.top, "top", |ui| panels::top_bar(ui, screen, vm, state, out));
    if let Some(rect) = at.left_rail {
        region(ui, rect, "left-rail", |ui| panels::left_rail(ui, state));
        edge(ui, [rect.right_top(), rect.right_bottom()]);
    }
    if let Some(rect) = at.right_rail {
        region(ui, rect, "right-rail", |ui| panels::right_rail(ui, screen, vm, state, out));
        edge(ui, [rect.left_top(), rect.left_bottom()]);
    }
    if let Some(rect) = at.chart {
        region(ui, rect, "chart", |ui| time_bar::chart(ui, screen, vm, state, out));
        edge(ui, [rect.left_top(), rect.right_top()]);
    }
    region(ui, at.bottom, "time", |ui| time_bar::time_bar(ui, screen, vm, state, out));
    edge(ui, [at.bottom.left_top(), at.bottom.right_top()]);
    edge(ui, [at.top.left_bottom(), at.top.right_bottom()]);
    if let Some(rect) = at.tabs {
        region(ui, rect, "tabs", |ui| panels::bottom_tabs(ui, vm, state, out));
        edge(ui, [rect.left_top(), rect.right_top()]);
    }
    if let Some(rect) = at.left {
        side(ui, rect, at.over, state);
        region(ui, rect, "left", |ui| panels::tree(ui, screen, vm, state, out));
        edge(ui, [rect.right_top(), rect.right_bottom()]);
    }
    if let Some(rect) = at.right {
        side(ui, rect, at.over, state);
        region(ui, rect, "right", |ui| panels::right(ui, screen, vm, state, out));
        edge(ui, [rect.left_top(), rect.left_bottom()]);
    }
}

/// A side panel over the 3D view keeps the pointer from it and casts a shadow on it.
fn side(ui: &Ui, rect: Rect, over: bool, state: &mut UiState) {
    if over {
        state.block(rect);
        let t = tokens(ui);
        ui.painter().add(t.float_shadow().as_shape(rect, 0.0));
    }
}

fn edge(ui: &Ui, line: [egui::Pos2; 2]) {
    ui.painter().line_segment(line, tokens(ui).hairline());
}

fn after(ctx: &Context, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    if let Some(range) = state.time_view
        && state.sent_range != Some(range)
    {
        state.sent_range = Some(range);
        out.push(UiCommand::ShowRange(range));
    }
    let hovered = out.iter().rev().find_map(|command| match command {
        UiCommand::Hover(twin) => Some(*twin),
        _ => None,
    });
    out.retain(|command| !matches!(command, UiCommand::Hover(_)));
    if hovered.flatten() != state.sent_hover {
        state.sent_hover = hovered.flatten();
        out.push(UiCommand::Hover(state.sent_hover));
    }
    let blinking = vm.alarms.iter().any(|alarm| alarm.state == twin_model::AlarmState::UnackActive);
    if blinking && !vm.reduced_motion {
        ctx.request_repaint_after(std::time::Duration::from_millis(500));
    }
}

fn captures_pointer(ctx: &Context, viewport: Rect, state: &UiState) -> bool {
    if ctx.egui_is_using_pointer() || ctx.any_popup_open() || state.help_open {
        return true;
    }
    let Some(at) = ctx.pointer_latest_pos() else {
        return false;
    };
    let floats =
        ctx.layer_id_at(at).is_some_and(|layer| !matches!(layer.order, Order::Background | Order::Tooltip | Order::Debug));
    floats || !viewport.contains(at) || state.blocked.iter().any(|rect| rect.contains(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::SiteView;
    use egui::vec2;

    fn check(size: (f32, f32), expect: Width) -> Places {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(size.0, size.1));
        let ctx = Context::default();
        let input = egui::RawInput { screen_rect: Some(rect), ..Default::default() };
        let mut seen = None;
        ctx.run_ui(input, |ui| seen = Some(Screen::of(ui.ctx()))).drop_without_applying_deltas();
        let screen = seen.expect("ran");
        assert_eq!(screen.width, expect);
        places(&screen, &ViewModel::empty(SiteView::default()), &UiState::default())
    }

    #[test]
    fn panels_and_viewport_tile_a_wide_screen() {
        let at = check((1280.0, 720.0), Width::Full);
        assert_eq!(at.left.map(|r| r.width()), Some(240.0));
        assert_eq!(at.right.map(|r| r.width()), Some(300.0));
        assert_eq!(at.viewport, Rect::from_min_max(pos2(240.0, 40.0), pos2(980.0, 648.0)));
    }

    #[test]
    fn side_panels_become_rails_below_a_thousand_points() {
        let at = check((800.0, 600.0), Width::Rails);
        assert!(at.left.is_none() && at.right.is_none());
        assert_eq!(at.viewport.width(), 720.0);
    }

    #[test]
    fn a_sheet_leaves_the_plant_in_sight_above_it() {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(390.0, 844.0));
        let screen = Screen { rect, width: Width::Sheet, sizes: crate::theme::TOUCH };
        for sheet in [Sheet::Assets, Sheet::Right, Sheet::Chart] {
            let state = UiState { sheet: Some(sheet), ..UiState::default() };
            let at = places(&screen, &ViewModel::empty(SiteView::default()), &state);
            let covering = at.left.or(at.right).or(at.chart).expect("a sheet");
            assert_eq!(at.viewport.bottom(), covering.top(), "{sheet:?}");
            assert!(at.viewport.height() > 200.0, "{sheet:?}: {:?}", at.viewport);
        }
    }

    #[test]
    fn a_telephone_keeps_most_of_its_screen_for_the_plant() {
        let at = check((390.0, 844.0), Width::Sheet);
        assert!(at.viewport.height() > 600.0 && at.viewport.width() == 390.0);
    }
}
