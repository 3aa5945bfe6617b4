//! Carries out what a person asked for. Each wish is one arm; what it means is the engine's business.

use twin_engine::{Basis, EngineCommand, SeekTo};
use twin_model::{AlarmIndex, KnobIndex, SignalIndex, TwinIndex};
use twin_scenario::Scenario;
use twin_ui::view::Theme;
use twin_ui::{Direction, Side, UiCommand};

use super::framing::box_to_frame;
use super::scene::Quality;
use super::scene::camera::Pose;
use super::state::Viewer;
use crate::platform;

/// Step of a what-if run, in seconds: fine enough for minutes of thermal lag, coarse enough for days.
pub(super) const RUN_STEP_S: i64 = 10;

/// Carries out everything that waits. Of several seeks in one frame only the last one counts.
pub fn apply_all(viewer: &mut Viewer) {
    let wishes: Vec<UiCommand> = viewer.wishes.drain(..).collect();
    let last_seek = wishes.iter().rposition(|wish| matches!(wish, UiCommand::Seek(_)));
    for (at, wish) in wishes.into_iter().enumerate() {
        if matches!(wish, UiCommand::Seek(_)) && Some(at) != last_seek {
            continue;
        }
        apply(viewer, wish);
    }
}

fn engine(viewer: &mut Viewer, command: EngineCommand) {
    if let Some(engine) = &mut viewer.engine
        && let Err(error) = engine.apply(command)
    {
        viewer.run_error = Some(error.to_string());
    }
    viewer.dirty.panels = true;
    viewer.dirty.palette = true;
    viewer.dirty.link = true;
}

fn direction(direction: Direction) -> twin_engine::Direction {
    match direction {
        Direction::Back => twin_engine::Direction::Back,
        Direction::Forward => twin_engine::Direction::Forward,
    }
}

fn apply(viewer: &mut Viewer, wish: UiCommand) {
    match wish {
        UiCommand::Select { twin, additive } => select(viewer, twin, additive),
        UiCommand::Hover(twin) => {
            viewer.hovered = twin;
            viewer.dirty.palette = true;
        }
        UiCommand::Focus(twin) => focus(viewer, twin),
        UiCommand::Isolate(on) => isolate(viewer, on),
        UiCommand::Seek(t) => engine(viewer, EngineCommand::Seek(SeekTo::Clamped(t))),
        UiCommand::Play => engine(viewer, EngineCommand::Play),
        UiCommand::Pause => engine(viewer, EngineCommand::Pause),
        UiCommand::Follow => engine(viewer, EngineCommand::Follow),
        UiCommand::SetSpeed(speed) => engine(viewer, EngineCommand::SetSpeed(speed)),
        UiCommand::ShowAsKnown(on) => engine(viewer, EngineCommand::SetBasis(if on { Basis::Known } else { Basis::Was })),
        UiCommand::JudgeByThen(then) => viewer.judge_by_then(then),
        UiCommand::StepEvent(to) => engine(viewer, EngineCommand::StepEvent(direction(to))),
        UiCommand::StepSample(to) => step_sample(viewer, to),
        UiCommand::SetLoop(range) => engine(viewer, EngineCommand::Select(range)),
        UiCommand::ShowRange(range) => {
            viewer.range = Some(range);
            viewer.dirty.panels = true;
        }
        UiCommand::SetTheme(theme) => set_theme(viewer, theme),
        UiCommand::ToggleChart(signal) => toggle_chart(viewer, signal),
        UiCommand::ClearChart => {
            viewer.chart.clear();
            viewer.dirty.panels = true;
            viewer.dirty.link = true;
        }
        UiCommand::Acknowledge(alarm) => acknowledge(viewer, alarm),
        UiCommand::OpenWhatIf(open) => open_what_if(viewer, open),
        UiCommand::SetFork(t) => {
            viewer.fork = Some(t);
            viewer.dirty.panels = true;
        }
        UiCommand::SetHorizon(span) => {
            viewer.horizon = span;
            viewer.dirty.panels = true;
        }
        UiCommand::SetKnob { knob, value } => set_knob(viewer, knob, value),
        UiCommand::ResetKnobs => reset_knobs(viewer),
        UiCommand::RunScenario => run(viewer),
        UiCommand::CancelScenario => engine(viewer, EngineCommand::CancelRun),
        UiCommand::ViewBranch(branch) => engine(viewer, EngineCommand::View(branch.map(|id| twin_engine::BranchId(id.0)))),
        UiCommand::DeleteBranch(id) => engine(viewer, EngineCommand::Delete(twin_engine::BranchId(id.0))),
        UiCommand::Home => go_home(viewer),
        UiCommand::LookFrom(side) => look_from(viewer, side),
        UiCommand::CopyLink => viewer.ui.toast("Link to this view copied"),
        UiCommand::Retry(problem) => {
            viewer.session.retry();
            viewer.problems.retain(|each| Some(each.id) != problem);
        }
        UiCommand::DismissProblem(id) => viewer.problems.retain(|each| each.id != id),
        UiCommand::Reload => platform::reload(),
        UiCommand::ShowPerf(on) => viewer.perf = on,
        UiCommand::SetQuality(high) => {
            viewer.set_quality(if high { Quality::High } else { Quality::Slim });
            viewer.dirty.panels = true;
        }
    }
}

fn select(viewer: &mut Viewer, twin: Option<TwinIndex>, additive: bool) {
    match twin {
        None if !additive => viewer.selection.clear(),
        None => {}
        Some(twin) => {
            let had = viewer.selection.contains(&twin);
            if !additive {
                viewer.selection.clear();
            } else if had {
                viewer.selection.retain(|each| *each != twin);
            }
            if !(additive && had) {
                viewer.selection.push(twin);
            }
        }
    }
    viewer.isolated &= !viewer.selection.is_empty();
    viewer.dirty.panels = true;
    viewer.dirty.palette = true;
    viewer.dirty.outline = true;
    viewer.dirty.link = true;
}

fn isolate(viewer: &mut Viewer, on: bool) {
    viewer.isolated = on && !viewer.selection.is_empty();
    viewer.dirty.palette = true;
    viewer.dirty.panels = true;
    viewer.dirty.link = true;
}

/// To the next sample of the twin that was selected last.
fn step_sample(viewer: &mut Viewer, to: Direction) {
    let signals = match (viewer.selection.last(), viewer.model()) {
        (Some(twin), Some(model)) => model.twin(*twin).signals.clone(),
        _ => Vec::new(),
    };
    engine(viewer, EngineCommand::StepSample(signals, direction(to)));
}

fn set_theme(viewer: &mut Viewer, theme: Theme) {
    viewer.vm.theme = theme;
    let name = if theme == Theme::Light { "light" } else { "dark" };
    platform::store_setting("theme", name);
    viewer.dirty.style = true;
}

fn toggle_chart(viewer: &mut Viewer, signal: SignalIndex) {
    match viewer.chart.iter().position(|each| *each == signal) {
        Some(at) => {
            viewer.chart.remove(at);
        }
        None => viewer.chart.push(signal),
    }
    viewer.dirty.panels = true;
    viewer.dirty.link = true;
}

fn acknowledge(viewer: &mut Viewer, alarm: AlarmIndex) {
    if let Some(engine) = &viewer.engine {
        let id = engine.model().alarm(alarm).id.clone();
        viewer.session.acknowledge(&id);
    }
}

fn open_what_if(viewer: &mut Viewer, open: bool) {
    viewer.fork = viewer.engine.as_ref().filter(|_| open).map(|engine| engine.playback().playhead());
    viewer.run_error = None;
    viewer.dirty.panels = true;
}

fn set_knob(viewer: &mut Viewer, knob: KnobIndex, value: f64) {
    if let Some(setting) = viewer.knobs.get_mut(knob.at()) {
        *setting = value;
    }
    viewer.dirty.panels = true;
}

fn reset_knobs(viewer: &mut Viewer) {
    if let Some(model) = viewer.model() {
        viewer.knobs = model.knobs().iter().map(|knob| knob.neutral).collect();
    }
    viewer.dirty.panels = true;
}

fn go_home(viewer: &mut Viewer) {
    if let Some(home) = viewer.home_pose() {
        viewer.orbit.go(home);
        viewer.dirty.link = true;
    }
}

/// Flies to a twin with everything below it; twins without geometry leave the camera where it is.
fn focus(viewer: &mut Viewer, twin: TwinIndex) {
    let twins = viewer.with_children(&[twin]);
    let Some(stage) = &viewer.stage else { return };
    let Some((min, max)) = box_to_frame(&stage.boxes_of(&twins)) else { return };
    let aspect = viewer.shell.map_or(1.6, |shell| shell.viewport.width() / shell.viewport.height().max(1.0));
    // Some of the surroundings stay in the picture, so that the part is seen in its place.
    let grown = (max - min) * 0.35 + glam::Vec3::splat(0.3);
    let now = viewer.orbit.pose;
    let pitch = now.pitch.clamp(0.3, 0.8);
    let pose = Pose::framing(min - grown, max + grown, now.yaw, pitch, super::scene::FOV_Y, aspect.max(0.2));
    viewer.orbit.go(pose);
    viewer.dirty.link = true;
}

fn look_from(viewer: &mut Viewer, side: Side) {
    let Some(home) = viewer.home_pose() else { return };
    let half = std::f32::consts::FRAC_PI_2;
    let (yaw, pitch) = match side {
        Side::Top => (0.0, half - 0.02),
        Side::Front => (0.0, 0.12),
        Side::Rear => (std::f32::consts::PI, 0.12),
        Side::Left => (-half, 0.12),
        Side::Right => (half, 0.12),
    };
    let Some(stage) = &viewer.stage else { return };
    let aspect = viewer.shell.map_or(1.6, |shell| shell.viewport.width() / shell.viewport.height().max(1.0));
    let bounds = stage.index().bounds;
    let pose = Pose::framing(bounds.min, bounds.max, yaw, pitch, super::scene::FOV_Y, aspect.max(0.2));
    viewer.orbit.go(Pose { target: home.target, ..pose });
    viewer.dirty.link = true;
}

fn run(viewer: &mut Viewer) {
    let Some(model) = viewer.model().cloned() else { return };
    let Some(now) = viewer.engine.as_ref().map(|engine| engine.playback().playhead()) else { return };
    let settings: Vec<(KnobIndex, f64)> = viewer
        .knobs
        .iter()
        .enumerate()
        .map(|(at, value)| (KnobIndex::from_at(at), *value))
        .filter(|(knob, value)| *value != model.knobs()[knob.at()].neutral)
        .collect();
    let words: Vec<String> = settings
        .iter()
        .map(|(knob, value)| {
            let knob = &model.knobs()[knob.at()];
            let sign = if *value > 0.0 { "+" } else { "" };
            format!("{} {sign}{}", knob.display_name, twin_health::text::quantity(*value, &knob.unit))
        })
        .collect();
    let name = if words.is_empty() { "No change".to_owned() } else { words.join(", ") };
    viewer.run_error = None;
    let fork = viewer.fork.unwrap_or(now);
    let step = twin_model::Span::from_secs(RUN_STEP_S);
    engine(viewer, EngineCommand::Run(Scenario { name, fork, horizon: viewer.horizon, step, seed: 1, settings }));
}
