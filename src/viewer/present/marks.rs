//! What lies over the 3D view: marks at twins, and the card under the pointer.

use twin_health::text::quantity;
use twin_model::{AlarmState, SignalKind};
use twin_ui::view::{HoverView, Marker};

use crate::viewer::input::project;
use crate::viewer::state::Viewer;

/// Marks over the 3D view; near ones merge, so that this bounds work, not ink.
const MARKERS: usize = 600;

pub(super) fn markers(viewer: &Viewer) -> Vec<Marker> {
    let (Some(engine), Some(stage), Some(shell)) = (&viewer.engine, &viewer.stage, viewer.shell) else { return Vec::new() };
    let area = area_of(shell.viewport);
    let model = engine.model();
    let mut wanted = Vec::new();
    for (index, state) in model.twin_indices().zip(&engine.frame().twins) {
        let selected = viewer.selection.contains(&index);
        let alarm = state.alarm.filter(|(_, state)| *state != AlarmState::Normal);
        let troubled = state.status.is_trouble();
        if selected || alarm.is_some() || troubled {
            wanted.push((index, state.status, selected, alarm));
        }
    }
    if wanted.len() > MARKERS {
        // What is left out is what presses least.
        wanted.sort_by_key(|(index, status, selected, alarm)| {
            let priority = alarm.map_or(u8::MAX, |(priority, _)| priority.number());
            (!*selected, priority, std::cmp::Reverse(*status), *index)
        });
        wanted.truncate(MARKERS);
    }
    let mut out = Vec::new();
    for (index, status, selected, alarm) in wanted {
        let Some((min, max)) = stage.body(index) else { continue };
        let top = glam::Vec3::new((min.x + max.x) * 0.5, max.y, (min.z + max.z) * 0.5);
        if let Some(at) = project(viewer, top, area) {
            let name = model.twin(index).display_name.clone();
            let at = egui_pos(at);
            out.push(Marker { twin: index, at, name, status, alarm, selected });
        }
    }
    out
}

pub(super) fn hover(viewer: &Viewer) -> Option<HoverView> {
    let (twin, (x, y), engine) = (viewer.hovered?, viewer.hover_at?, viewer.engine.as_ref()?);
    let model = engine.model();
    let state = engine.frame().twins.get(twin.at())?;
    let signal = model.twin(twin).signals.iter().copied().find(|signal| model.signal(*signal).kind == SignalKind::Analog);
    let line = signal.and_then(|signal| {
        let sample = engine.sample(signal)?;
        let value = match sample.given() {
            Some(value) => quantity(value.as_f64()?, &model.signal(signal).unit.0),
            None => "no value".to_owned(),
        };
        let age = engine.playback().playhead().since(sample.source_time).as_micros() / 1_000_000;
        Some(format!("{} {value}, {age} s ago, {}", model.signal(signal).display_name, sample.judged_quality().class().as_str()))
    });
    Some(HoverView {
        name: model.twin(twin).display_name.clone(),
        status: state.status,
        freshness: state.freshness,
        line: line.unwrap_or_default(),
        at: egui_pos(bevy::math::Vec2::new(x, y)),
    })
}

pub(super) fn egui_pos(at: bevy::math::Vec2) -> bevy_egui::egui::Pos2 {
    bevy_egui::egui::pos2(at.x, at.y)
}

/// An egui rectangle as Bevy's.
pub fn area_of(rect: bevy_egui::egui::Rect) -> bevy::math::Rect {
    bevy::math::Rect::new(rect.min.x, rect.min.y, rect.max.x, rect.max.y)
}
