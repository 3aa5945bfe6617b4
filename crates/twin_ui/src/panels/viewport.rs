//! What floats over the 3D view: marks at parts, legend, orientation, banners, the frame around what is not real.

mod legend;
mod marks;
mod overlays;
mod problems;

pub(super) use problems::picture;

use egui::{Align2, Color32, CursorIcon, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_model::{Freshness, Status};

use crate::command::{Side, UiCommand};
use crate::screen::{Screen, Width};
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, Type, tokens};
use crate::view::{CameraView, HoverView, LinkState, PlayMode, ViewModel};
use crate::widgets::{ButtonKind, button, button_width, icon, icon_button, measure, status_mark, text};
use crate::{format, icon};

/// Everything over the 3D view.
pub(crate) fn viewport(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let rect = ui.max_rect();
    if let Some(loading) = &vm.loading {
        overlays::loading(ui, rect, loading, state);
        problems::problems(ui, rect, vm, state, out);
        return;
    }
    marks::marks(ui, rect, vm, out);
    if vm.no_model {
        overlays::no_model(ui, rect, state);
    }
    if let Some(branch) = vm.shown_branch() {
        not_real(ui, rect, screen, &branch.name, state, out);
    }
    if vm.clock.is_as_known() {
        as_known(ui, rect, screen, state, out);
    } else if let Some(revision) = vm.clock.revision_of_then() {
        of_then(ui, rect, screen, revision, state, out);
    }
    let top = connection(ui, rect, screen, vm, state, out);
    if let Some(camera) = vm.camera {
        orientation(ui, rect, screen, camera, state, out);
    }
    legend::legend(ui, rect, screen, vm, state);
    problems::problems(ui, rect.with_min_y(top), vm, state, out);
    if state.perf_open {
        overlays::perf(ui, rect, vm, state);
    }
    if let Some(hover) = &vm.hover
        && rect.contains(hover.at)
        && !state.blocked.iter().any(|blocked| blocked.contains(hover.at))
    {
        hover_card(ui, rect, hover);
    }
}

/// A card that floats over the 3D view; the pointer over it does not reach the plant.
fn float(ui: &Ui, rect: Rect, state: &mut UiState) {
    let t = tokens(ui);
    state.block(rect);
    ui.interact(rect, ui.id().with(("float", state.blocked.len())), theme::SWALLOW);
    ui.painter().add(t.float_shadow().as_shape(rect, theme::card_radius()));
    ui.painter().rect(rect, theme::card_radius(), t.glass, t.hairline(), StrokeKind::Inside);
}

/// What the orientation mark takes of the upper right corner.
const ORIENTATION: f32 = 80.0;

/// Left edge and width of something at the top of the view that wants a width: in the middle where there is room for it
/// beside the orientation mark, else more to the left. On a telephone the mark stands below it.
fn beside_orientation(rect: Rect, screen: &Screen, wanted: f32) -> (f32, f32) {
    let taken = if screen.width == Width::Sheet { S12 } else { ORIENTATION + S12 };
    let (left, right) = (rect.left() + S12, rect.right() - taken);
    let width = wanted.min(right - left).max(0.0);
    ((rect.center().x - width / 2.0).min(right - width).max(left), width)
}

/// Whether a banner at the top says that this is not the plant of now.
fn is_framed(vm: &ViewModel) -> bool {
    vm.shown_branch().is_some() || vm.clock.is_as_known() || vm.clock.revision_of_then().is_some()
}

/// The frame and banner around what is not real.
fn not_real(ui: &Ui, rect: Rect, screen: &Screen, name: &str, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let look = Banner { symbol: icon::FLASK, fill: t.what_if, ink: t.on_what_if };
    if banner(ui, rect, screen, &look, (&format!("Not real: {name}"), "Back to reality"), state).clicked() {
        out.push(UiCommand::ViewBranch(None));
    }
}

/// The frame and banner around what leaves out what had not arrived.
fn as_known(ui: &Ui, rect: Rect, screen: &Screen, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let look = Banner { symbol: icon::EYE, fill: t.accent, ink: t.on_accent };
    if banner(ui, rect, screen, &look, ("As it was known then", "As it was"), state).clicked() {
        out.push(UiCommand::ShowAsKnown(false));
    }
}

/// The frame and banner around a plant as its site was then: rules, names and geometry may be others than today's.
fn of_then(ui: &Ui, rect: Rect, screen: &Screen, revision: u64, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let look = Banner { symbol: icon::CLOCK_COUNTER_CLOCKWISE, fill: t.accent, ink: t.on_accent };
    let words = format!("Site of then: revision {revision}");
    if banner(ui, rect, screen, &look, (&words, "Today's site"), state).clicked() {
        out.push(UiCommand::JudgeByThen(false));
    }
}

/// How a banner and its frame look.
struct Banner {
    symbol: char,
    fill: Color32,
    ink: Color32,
}

/// A frame around the view and a banner that says why, with the way out of it.
fn banner(
    ui: &Ui,
    rect: Rect,
    screen: &Screen,
    look: &Banner,
    (words, back): (&str, &str),
    state: &mut UiState,
) -> egui::Response {
    ui.painter().rect_stroke(rect, 0.0, Stroke::new(theme::FRAME, look.fill), StrokeKind::Inside);
    let width = measure(ui, words, Type::BodyBold) + button_width(ui, None, back) + 16.0 + 5.0 * S8;
    let (left, width) = beside_orientation(rect, screen, width);
    let place = Rect::from_min_size(pos2(left, rect.top()), vec2(width, 36.0));
    let radius = egui::CornerRadius { nw: 0, ne: 0, sw: theme::R_CARD as u8, se: theme::R_CARD as u8 };
    state.block(place);
    ui.painter().rect_filled(place, radius, look.fill);
    icon(ui, pos2(place.left() + S12 + 8.0, place.center().y), look.symbol, 16.0, look.ink);
    let press =
        Rect::from_min_max(pos2(place.right() - button_width(ui, None, back) - S4, place.top() + S4), place.max - vec2(S4, S4));
    let label = Rect::from_min_max(pos2(place.left() + S12 + 22.0, place.top()), pos2(press.left() - S4, place.bottom()));
    text(ui, label, Align2::LEFT_CENTER, words, Type::BodyBold, look.ink);
    let response = ui.interact(press, ui.id().with(("banner", back)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    let fill = look.ink.gamma_multiply(if response.hovered() { 0.28 } else { 0.16 });
    ui.painter().rect_filled(press, theme::control_radius(), fill);
    text(ui, press, Align2::CENTER_CENTER, back, Type::SmallBold, look.ink);
    crate::widgets::focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, back));
    response
}

/// Tells the three links apart where one is broken; returns how far down it reaches.
fn connection(ui: &Ui, rect: Rect, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) -> f32 {
    let Some((title, detail)) = trouble(vm, state) else {
        return rect.top();
    };
    let t = tokens(ui);
    let top = rect.top() + if is_framed(vm) { 46.0 } else { S12 };
    let retry = vm.links.gateway == LinkState::Down;
    let action = if retry { button_width(ui, None, "Try now") + S8 } else { 0.0 };
    let wanted = (measure(ui, &title, Type::BodyBold).max(measure(ui, &detail, Type::Small)) + 132.0 + action + 3.0 * S12).ceil();
    let (left, width) = beside_orientation(rect, screen, wanted);
    let place = Rect::from_min_size(pos2(left, top), vec2(width, 52.0));
    float(ui, place, state);
    let links = Rect::from_min_size(place.min + vec2(S12, 0.0), vec2(120.0, place.height()));
    diagram(ui, links, vm);
    let right = place.right() - S12 - action;
    let words = Rect::from_min_max(pos2(links.right() + S12, place.top() + 8.0), pos2(right, place.bottom() - 8.0));
    text(ui, words.with_max_y(words.center().y), Align2::LEFT_CENTER, &title, Type::BodyBold, t.text);
    text(ui, words.with_min_y(words.center().y), Align2::LEFT_CENTER, &detail, Type::Small, t.secondary);
    let response = ui.interact(place, ui.id().with("connection"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{title}. {detail}")));
    if retry {
        let press =
            Rect::from_min_max(pos2(right + S8, place.center().y - 14.0), pos2(place.right() - S12, place.center().y + 14.0));
        if button(ui, press, None, "Try now", ButtonKind::Normal).clicked() {
            out.push(UiCommand::Retry(None));
        }
    }
    place.bottom()
}

fn trouble(vm: &ViewModel, state: &UiState) -> Option<(String, String)> {
    let now = vm.clock.playhead;
    let since =
        |at: Option<twin_model::Timestamp>| at.map_or(String::new(), |at| format!(" since {}", state.zone.brief(at, now)));
    let links = &vm.links;
    // Links are as they are now, whatever instant is on show. Devices are judged at that instant.
    let elsewhere =
        vm.shown_branch().is_some() || vm.clock.mode != PlayMode::Following && vm.clock.live_edge.is_some_and(|edge| edge > now);
    let lead = if elsewhere { "Now: " } else { "" };
    if matches!(links.gateway, LinkState::Down) {
        if let Some(words) = &links.refused {
            let title = format!("{lead}The gateway does not let this screen in{}", since(links.gateway_since));
            return Some((title, words.clone()));
        }
        let again = links.retry_in.map_or(String::new(), |wait| format!(" Next try in {}.", format::span(wait)));
        let newest = vm
            .clock
            .live_edge
            .map_or(String::new(), |edge| format!("The newest values are from {}.", state.zone.brief(edge, now)));
        return Some((format!("{lead}No link to the gateway{}", since(links.gateway_since)), format!("{newest}{again}")));
    }
    if links.gateway == LinkState::Connecting {
        return Some(("Connecting to the gateway".to_owned(), "History already loaded can be looked at meanwhile.".to_owned()));
    }
    let down: Vec<_> = links.sources_down().collect();
    if let [only] = down.as_slice() {
        let title = format!("{lead}Source {} does not answer{}", only.name, since(only.since));
        return Some((title, "The gateway is reachable; values of this source stand still.".to_owned()));
    }
    if !down.is_empty() {
        let names = down.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
        return Some((format!("{lead}{} sources do not answer", down.len()), format!("{names}. Their values stand still.")));
    }
    let devices = links.devices_down();
    (devices > 0).then(|| {
        let title = if devices == 1 { "1 device does not answer".to_owned() } else { format!("{devices} devices do not answer") };
        (title, "Gateway and sources are reachable; look for the hatched parts.".to_owned())
    })
}

/// Screen, gateway, source, device; the broken link is crossed out.
fn diagram(ui: &Ui, rect: Rect, vm: &ViewModel) {
    let t = tokens(ui);
    let symbols = [icon::DESKTOP, icon::DATABASE, icon::PLUGS_CONNECTED, icon::GAUGE];
    let gateway = vm.links.gateway;
    let sources_ok = vm.links.sources_down().next().is_none();
    let links = [
        gateway == LinkState::Up,
        gateway == LinkState::Up && sources_ok,
        gateway == LinkState::Up && vm.links.devices_down() == 0,
    ];
    let step = rect.width() / 4.0;
    let at = |nth: usize| pos2(rect.left() + step * (nth as f32 + 0.5), rect.center().y);
    let first_broken = links.iter().position(|ok| !ok);
    for (nth, symbol) in symbols.into_iter().enumerate() {
        // What lies behind the first broken link is not known, so it is faint rather than well or ill.
        let known = first_broken.is_none_or(|broken| nth <= broken);
        icon(ui, at(nth), symbol, 18.0, if known { t.text } else { t.faint });
    }
    for nth in 0..links.len() {
        let (from, to) = (at(nth) + vec2(11.0, 0.0), at(nth + 1) - vec2(11.0, 0.0));
        if first_broken == Some(nth) {
            let middle = from + (to - from) / 2.0;
            icon(ui, middle, icon::X, 11.0, t.text);
        } else {
            let ink = if first_broken.is_none_or(|broken| nth < broken) { t.secondary } else { t.line };
            ui.painter().line_segment([from, to], Stroke::new(theme::LINE, ink));
        }
    }
}

/// Three axes that turn with the camera, and the way home.
fn orientation(ui: &Ui, rect: Rect, screen: &Screen, camera: CameraView, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let top = rect.top() + if screen.width == Width::Sheet && vm_banner_below(state) { 72.0 } else { S12 };
    let radius = 26.0;
    let center = pos2(rect.right() - S12 - radius - 8.0, top + radius + 8.0);
    let (sin_yaw, cos_yaw) = camera.yaw.sin_cos();
    let (sin_pitch, cos_pitch) = camera.pitch.sin_cos();
    // Camera axes: right, up and towards the viewer, for a camera that looks along −Z at yaw 0.
    let project = |v: [f32; 3]| {
        let x = v[0] * cos_yaw + v[2] * sin_yaw;
        let depth = -v[0] * sin_yaw + v[2] * cos_yaw;
        let y = v[1] * cos_pitch - depth * sin_pitch;
        (vec2(x, -y) * radius, depth * cos_pitch + v[1] * sin_pitch)
    };
    let mut ends = [
        ([1.0, 0.0, 0.0], Side::Right, "Look from the right"),
        ([-1.0, 0.0, 0.0], Side::Left, "Look from the left"),
        ([0.0, 1.0, 0.0], Side::Top, "Look from above"),
        ([0.0, 0.0, 1.0], Side::Front, "Look from the front"),
        ([0.0, 0.0, -1.0], Side::Rear, "Look from the rear"),
    ]
    .map(|(axis, side, label)| (project(axis), axis, side, label));
    ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
    state.block(Rect::from_center_size(center, theme::square(2.0 * radius + S12)));
    ui.painter().circle(center, radius + 8.0, t.glass, t.hairline());
    for ((at, depth), axis, side, label) in ends {
        let negative = axis.iter().sum::<f32>() < 0.0;
        let near = ((depth + 1.0) / 2.0).clamp(0.0, 1.0);
        let ink = t.line.lerp_to_gamma(if negative { t.faint } else { t.text }, 0.35 + 0.65 * near);
        let end = center + at;
        if !negative {
            ui.painter().line_segment([center, end], Stroke::new(theme::LINE, ink));
        }
        let place = Rect::from_center_size(end, theme::square(16.0));
        let response =
            ui.interact(place, ui.id().with(("side", label)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        let size = if negative { 3.0 } else { 6.5 };
        let fill = if response.hovered() { t.accent } else { ink };
        ui.painter().circle_filled(end, if response.hovered() { 7.0 } else { size }, fill);
        if !negative {
            let name = if axis[0] > 0.0 {
                "X"
            } else if axis[1] > 0.0 {
                "Y"
            } else {
                "Z"
            };
            ui.painter().text(end, Align2::CENTER_CENTER, name, theme::mark_font(13.0), t.surface0);
        }
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, label));
        if response.on_hover_text(label).clicked() {
            out.push(UiCommand::LookFrom(side));
        }
    }
    let home = Rect::from_center_size(pos2(center.x, center.y + radius + 26.0), theme::square(28.0));
    state.block(home);
    ui.painter().rect(home, theme::control_radius(), t.glass, t.hairline(), StrokeKind::Inside);
    if icon_button(ui, home, icon::CORNERS_OUT, "Show the whole site (H)").clicked() {
        out.push(UiCommand::Home);
    }
}

fn vm_banner_below(state: &UiState) -> bool {
    !state.blocked.is_empty()
}

/// What the pointer is over, beside the pointer.
fn hover_card(ui: &Ui, rect: Rect, hover: &HoverView) {
    let t = tokens(ui);
    let width = (measure(ui, &hover.name, Type::BodyBold) + 20.0).max(measure(ui, &hover.line, Type::Small)) + 2.0 * S12;
    let height = if hover.line.is_empty() { 28.0 } else { 46.0 };
    let size = vec2(width.min(320.0), height);
    let mut min: Pos2 = hover.at + vec2(16.0, 16.0);
    if min.x + size.x > rect.right() - S8 {
        min.x = hover.at.x - 12.0 - size.x;
    }
    if min.y + size.y > rect.bottom() - S8 {
        min.y = hover.at.y - 12.0 - size.y;
    }
    let place = Rect::from_min_size(min, size);
    ui.painter().add(t.float_shadow().as_shape(place, theme::card_radius()));
    ui.painter().rect(place, theme::card_radius(), t.glass, t.hairline(), StrokeKind::Inside);
    let inner = place.shrink2(vec2(S12, 5.0));
    let upper = if hover.line.is_empty() { inner } else { inner.with_max_y(inner.center().y) };
    status_mark(ui, pos2(inner.left() + 6.0, upper.center().y), 12.0, hover.status);
    text(ui, upper.with_min_x(inner.left() + 18.0), Align2::LEFT_CENTER, &hover.name, Type::BodyBold, t.text);
    let ink: Color32 = if hover.freshness == Freshness::Live && hover.status != Status::Unknown { t.secondary } else { t.faint };
    if !hover.line.is_empty() {
        text(ui, inner.with_min_y(inner.center().y), Align2::LEFT_CENTER, &hover.line, Type::Small, ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{DENSE, TOUCH};

    #[test]
    fn what_stands_at_the_top_never_lies_under_the_orientation_mark() {
        let check = |width: f32, wanted: f32, expect: (f32, f32)| {
            let rect = Rect::from_min_size(pos2(100.0, 40.0), vec2(width, 400.0));
            let screen = Screen { rect, width: Width::Full, sizes: DENSE };
            assert_eq!(beside_orientation(rect, &screen, wanted), expect, "{wanted} in {width}");
        };
        check(740.0, 300.0, (320.0, 300.0));
        check(740.0, 600.0, (148.0, 600.0));
        check(740.0, 900.0, (112.0, 636.0));
        let rect = Rect::from_min_size(pos2(0.0, 40.0), vec2(390.0, 300.0));
        let screen = Screen { rect, width: Width::Sheet, sizes: TOUCH };
        assert_eq!(beside_orientation(rect, &screen, 500.0), (12.0, 366.0));
    }
}
