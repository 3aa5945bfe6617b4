//! Pointer, touch and keys over the 3D view: orbit, pan, zoom, hover and click. Panels come first.

use bevy::input::mouse::{MouseScrollUnit, MouseWheel};
use bevy::input::touch::Touches;
use bevy::prelude::*;
use bevy::window::{PrimaryWindow, WindowEvent};
use bevy_egui::input::EguiWantsInput;
use twin_model::TwinIndex;
use twin_scene::bvh::Ray;
use twin_scene::cells::CellHit;
use twin_ui::UiCommand;

use super::scene::FOV_Y;
use super::state::{Viewer, ViewerCell};

/// A press that moved less than this many points is a click.
const CLICK_POINTS: f32 = 4.0;
/// Two clicks within this many seconds are a double-click.
const DOUBLE_CLICK_S: f64 = 0.35;

/// What a press over the 3D view has become.
#[derive(Default)]
pub struct Gesture {
    /// Where the button went down, and the point of the scene under it.
    press: Option<(Vec2, Option<Vec3>)>,
    dragging: bool,
    last: Vec2,
    last_click: Option<(f64, Option<TwinIndex>)>,
    /// Presses that became this one click: slow frames merge a double-click into one.
    presses: usize,
    pinch: Option<(Vec2, f32)>,
    hover_from: Option<Vec2>,
}

/// Where the pointer was when a button last went down in this frame (in a slow frame it has moved on since), and how many
/// times one did.
fn pressed_at(events: &mut MessageReader<'_, '_, WindowEvent>, from: &mut Option<Vec2>) -> (Option<Vec2>, usize) {
    let (mut pressed, mut presses) = (None, 0);
    for event in events.read() {
        match event {
            WindowEvent::CursorMoved(moved) => *from = Some(moved.position),
            WindowEvent::MouseButtonInput(button) if button.state.is_pressed() => {
                pressed = *from;
                presses += 1;
            }
            _ => {}
        }
    }
    (pressed, presses)
}

/// Turns input into camera motion and selection.
#[allow(clippy::too_many_arguments, reason = "a system takes what it reads")]
pub fn pointer(
    viewer: NonSend<'_, ViewerCell>,
    mut gesture: Local<'_, Gesture>,
    window: Query<'_, '_, &Window, With<PrimaryWindow>>,
    buttons: Res<'_, ButtonInput<MouseButton>>,
    keys: Res<'_, ButtonInput<KeyCode>>,
    mut wheel: MessageReader<'_, '_, MouseWheel>,
    mut events: MessageReader<'_, '_, WindowEvent>,
    mut pointer_at: Local<'_, Option<Vec2>>,
    touches: Res<'_, Touches>,
    wants: Res<'_, EguiWantsInput>,
) {
    let mut viewer = viewer.borrow_mut();
    let viewer = &mut *viewer;
    let (pressed, presses) = pressed_at(&mut events, &mut pointer_at);
    let Ok(window) = window.single() else { return };
    viewer.scale_factor = window.scale_factor();
    let Some(shell) = viewer.shell else { return };
    let area = Rect::new(shell.viewport.min.x, shell.viewport.min.y, shell.viewport.max.x, shell.viewport.max.y);
    let cursor = window.cursor_position();
    let free = !shell.captures_pointer;
    let scroll: f32 =
        wheel.read().map(|event| event.y * if event.unit == MouseScrollUnit::Line { 1.0 } else { 1.0 / 53.0 }).sum();

    if touch(viewer, &mut gesture, &touches, area, free) {
        return;
    }
    let inside = cursor.filter(|at| free && area.contains(*at));
    if scroll != 0.0
        && let Some(at) = inside
    {
        let anchor = pick(viewer, at, area).map(|hit| hit.point);
        viewer.orbit.zoom(0.88_f32.powf(scroll.clamp(-6.0, 6.0)), anchor);
        viewer.dirty.link = true;
    }
    let any_down = buttons.any_just_pressed([MouseButton::Left, MouseButton::Middle, MouseButton::Right]);
    let start = pressed.or(cursor).filter(|at| free && area.contains(*at));
    if any_down && let Some(at) = start {
        let point = pick(viewer, at, area).map(|hit| hit.point);
        // A press that was let go and followed by this one within the frame was a click.
        let before = if gesture.press.is_some() && !gesture.dragging { gesture.presses } else { 0 };
        let presses = before + presses.max(1);
        *gesture = Gesture { press: Some((at, point)), last: at, last_click: gesture.last_click, presses, ..Gesture::default() };
    }
    if let (Some((start, point)), Some(at)) = (gesture.press, cursor) {
        let delta = at - gesture.last;
        gesture.last = at;
        gesture.dragging |= (at - start).length() > CLICK_POINTS;
        if gesture.dragging && delta != Vec2::ZERO {
            let shift = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
            if buttons.pressed(MouseButton::Left) && !shift {
                let pivot = point.unwrap_or(viewer.orbit.pose.target);
                viewer.orbit.orbit_about(pivot, delta, area.height());
            } else {
                viewer.orbit.pan(delta, area.height(), FOV_Y);
            }
            viewer.dirty.link = true;
        }
    }
    if !buttons.any_pressed([MouseButton::Left, MouseButton::Middle, MouseButton::Right])
        && let Some((start, _)) = gesture.press.take()
        && !gesture.dragging
    {
        let additive = keys.any_pressed([KeyCode::ControlLeft, KeyCode::ControlRight, KeyCode::SuperLeft]);
        click(viewer, &mut gesture, start, area, additive);
    }
    if gesture.press.is_none() && gesture.hover_from != inside {
        gesture.hover_from = inside;
        hover(viewer, inside, area);
    }
    if !shell.captures_keyboard && !wants.wants_keyboard_input() {
        camera_keys(viewer, &keys, area);
    }
}

fn click(viewer: &mut Viewer, gesture: &mut Gesture, at: Vec2, area: Rect, additive: bool) {
    let merged = std::mem::take(&mut gesture.presses) > 1;
    // Two clicks can't be told apart more finely than frames come.
    let frame = f64::from(viewer.frame_ms.back().copied().unwrap_or(0.0)) / 1e3;
    let window = DOUBLE_CLICK_S.max(frame * 3.0).min(1.5);
    let now = crate::platform::monotonic();
    let twin = pick(viewer, at, area).and_then(|hit| viewer.stage.as_ref()?.twin_of(hit.part));
    let double = merged || gesture.last_click.is_some_and(|(t, before)| now - t < window && before == twin);
    gesture.last_click = (!double).then_some((now, twin));
    if double {
        // The first click of a merged pair selected nothing.
        viewer.wishes.extend(merged.then_some(UiCommand::Select { twin, additive: false }));
        let wish = twin.map_or(UiCommand::Home, UiCommand::Focus);
        viewer.wishes.push_back(wish);
    } else {
        viewer.wishes.push_back(UiCommand::Select { twin, additive });
    }
}

fn hover(viewer: &mut Viewer, at: Option<Vec2>, area: Rect) {
    let hit = at.and_then(|at| pick(viewer, at, area));
    let part = hit.map(|hit| hit.part);
    let twin = part.and_then(|part| viewer.stage.as_ref()?.twin_of(part));
    viewer.hover_at = at.map(|at| (at.x, at.y));
    if part != viewer.hovered_part || twin != viewer.hovered {
        viewer.hovered_part = part;
        viewer.hovered = twin;
        viewer.dirty.palette = true;
    }
    viewer.dirty.panels = true;
}

/// One finger orbits, two pan and pinch, a tap selects. True while fingers are down.
fn touch(viewer: &mut Viewer, gesture: &mut Gesture, touches: &Touches, area: Rect, free: bool) -> bool {
    let fingers: Vec<_> = touches.iter().collect();
    match fingers[..] {
        [one] => {
            let at = one.position();
            if touches.iter_just_pressed().next().is_some() && free && area.contains(at) {
                let point = pick(viewer, at, area).map(|hit| hit.point);
                gesture.press = Some((at, point));
                gesture.dragging = false;
            } else if let Some((start, point)) = gesture.press {
                gesture.dragging |= (at - start).length() > CLICK_POINTS * 2.0;
                if gesture.dragging {
                    let pivot = point.unwrap_or(viewer.orbit.pose.target);
                    viewer.orbit.orbit_about(pivot, one.delta(), area.height());
                    viewer.dirty.link = true;
                }
            }
            gesture.pinch = None;
            true
        }
        [a, b, ..] => {
            let (middle, apart) = ((a.position() + b.position()) * 0.5, a.position().distance(b.position()).max(1.0));
            // Both fingers may land in one frame: then nothing was pressed before, and the point between them is held.
            if gesture.press.is_none() && gesture.pinch.is_none() && free && area.contains(middle) {
                gesture.press = Some((middle, pick(viewer, middle, area).map(|hit| hit.point)));
            }
            if let Some((last_middle, last_apart)) = gesture.pinch
                && gesture.press.is_some()
            {
                viewer.orbit.pan(middle - last_middle, area.height(), FOV_Y);
                viewer.orbit.zoom(last_apart / apart, gesture.press.and_then(|(_, point)| point));
                viewer.dirty.link = true;
            }
            gesture.pinch = Some((middle, apart));
            gesture.dragging = true;
            true
        }
        [] => {
            let lifted = touches.iter_just_released().next().map(|finger| finger.position());
            if let Some(at) = lifted {
                if gesture.press.take().is_some() && !gesture.dragging {
                    click(viewer, gesture, at, area, false);
                }
                gesture.pinch = None;
                return true;
            }
            false
        }
    }
}

/// Keys for people without a pointer: shifted arrows turn, page keys zoom. Plain arrows belong to the time bar.
fn camera_keys(viewer: &mut Viewer, keys: &ButtonInput<KeyCode>, area: Rect) {
    if keys.any_pressed([KeyCode::ControlLeft, KeyCode::ControlRight, KeyCode::AltLeft]) {
        return;
    }
    let held = |code: KeyCode| if keys.pressed(code) { 1.0 } else { 0.0 };
    let turn = Vec2::new(held(KeyCode::KeyA) - held(KeyCode::KeyD), held(KeyCode::KeyW) - held(KeyCode::KeyS)) * 8.0;
    if turn != Vec2::ZERO {
        viewer.orbit.orbit(turn, area.height());
        viewer.dirty.link = true;
    }
    let zoom = held(KeyCode::PageDown) + held(KeyCode::Minus) - held(KeyCode::PageUp) - held(KeyCode::Equal);
    if zoom != 0.0 {
        viewer.orbit.zoom(1.03_f32.powf(zoom), None);
        viewer.dirty.link = true;
    }
}

/// What lies under a point of the screen; ghosts let the ray through.
pub fn pick(viewer: &mut Viewer, at: Vec2, area: Rect) -> Option<CellHit> {
    let isolated = viewer.isolated.then(|| viewer.selected_with_children());
    let ray = ray_at(viewer, at, area);
    let stage = viewer.stage.as_mut()?;
    stage.pick(&ray, isolated.as_deref())
}

fn ray_at(viewer: &Viewer, at: Vec2, area: Rect) -> Ray {
    let pose = viewer.orbit.pose;
    let tan = (FOV_Y * 0.5).tan();
    let centre = area.center();
    let x = (at.x - centre.x) / (area.height() * 0.5) * tan;
    let y = -(at.y - centre.y) / (area.height() * 0.5) * tan;
    Ray::new(pose.eye(), pose.rotation() * Vec3::new(x, y, -1.0))
}

/// Where a point of the scene is on the screen, in egui points; `None` behind the camera or outside the view.
pub fn project(viewer: &Viewer, point: Vec3, area: Rect) -> Option<Vec2> {
    let pose = viewer.orbit.pose;
    let v = pose.rotation().inverse() * (point - pose.eye());
    if v.z > -0.05 {
        return None;
    }
    let scale = area.height() * 0.5 / (FOV_Y * 0.5).tan();
    let at = area.center() + Vec2::new(v.x, -v.y) / -v.z * scale;
    area.contains(at).then_some(at)
}
