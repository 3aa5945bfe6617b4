//! What a host page may ask and say: `window.orrery.getState()` and `.command()`. Tests drive the viewer through the same.

use std::cell::RefCell;
use std::collections::VecDeque;

use serde_json::{Value, json};
use twin_engine::PlayState;
use twin_historian::pager::Cover;
use twin_model::{Status, TimeRange, TwinIndex};
use twin_ui::UiCommand;
use twin_ui::view::Theme;

use super::scene::Quality;
use super::state::Viewer;
use crate::platform::Waker;

/// Commands that wait for the next frame; more are refused.
const MAX_WAITING: usize = 256;

thread_local! {
    /// The newest answer to `getState`, refreshed every frame; pages ask between frames.
    static STATE: RefCell<String> = const { RefCell::new(String::new()) };
    static WAITING: RefCell<VecDeque<Value>> = const { RefCell::new(VecDeque::new()) };
    static WAKER: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// What wakes the viewer when a command arrives: a paused plant draws nothing until somebody asks.
pub fn wake_with(waker: Waker) {
    WAKER.set(Some(waker));
}

/// Queues a command; false where too many wait already.
fn queue(command: Value) -> bool {
    let (room, first) = WAITING.with_borrow_mut(|waiting| {
        let (room, first) = (waiting.len() < MAX_WAITING, waiting.is_empty());
        if room {
            waiting.push_back(command);
        }
        (room, first)
    });
    // Once until the next frame: in a browser each wake puts the frame off to the next turn of the screen, so that a page
    // that commands at every turn would never see one.
    if first && let Some(wake) = WAKER.with_borrow(Clone::clone) {
        wake();
    }
    room
}

/// The state as JSON text, as of the last frame.
pub fn state() -> String {
    let text = STATE.with_borrow(Clone::clone);
    if text.is_empty() { json!({ "phase": "starting" }).to_string() } else { text }
}

/// Takes a command as JSON text; it is carried out before the next frame. Answers `{"ok": true}` or `{"error": ...}`.
pub fn command(text: &str) -> String {
    let answer = match serde_json::from_str::<Value>(text) {
        Err(error) => json!({ "error": format!("not JSON: {error}") }),
        Ok(Value::Object(object)) => match object.keys().find(|key| !KNOWN.contains(&key.as_str())).cloned() {
            Some(key) => json!({ "error": format!("unknown command '{key}'; known: {}", KNOWN.join(", ")) }),
            None if queue(Value::Object(object)) => json!({ "ok": true }),
            None => json!({ "error": "too many commands are waiting" }),
        },
        Ok(_) => json!({ "error": "a command is an object, for example {\"seek\": \"2026-03-02T08:15:04Z\"}" }),
    };
    answer.to_string()
}

const KNOWN: [&str; 22] = [
    "select",
    "focus",
    "isolate",
    "seek",
    "play",
    "pause",
    "follow",
    "speed",
    "step",
    "loop",
    "theme",
    "quality",
    "chart",
    "knobs",
    "fork",
    "horizonHours",
    "run",
    "viewBranch",
    "home",
    "camera",
    "range",
    "historyMegabytes",
];

/// Turns waiting commands into wishes.
pub fn drain(viewer: &mut Viewer) {
    let waiting: Vec<Value> = WAITING.with_borrow_mut(|waiting| waiting.drain(..).collect());
    for command in waiting {
        let Some(object) = command.as_object() else { continue };
        for (key, value) in object {
            if let Err(why) = one(viewer, key, value) {
                tracing::warn!("command {key}: {why}");
            }
        }
    }
}

fn twin(viewer: &Viewer, value: &Value) -> Result<TwinIndex, String> {
    let id = value.as_str().ok_or("wants a twin id")?;
    let model = viewer.model().ok_or("the site is not loaded yet")?;
    model.find_twin(id).ok_or_else(|| format!("there is no twin '{id}'"))
}

/// `["from", "to"]`; none for anything else.
fn range(value: &Value) -> Result<Option<TimeRange>, String> {
    let Some([from, to]) = value.as_array().map(Vec::as_slice) else { return Ok(None) };
    let time = |v: &Value| v.as_str().unwrap_or_default().parse().map_err(|error: twin_model::TimeError| error.to_string());
    Ok(Some(TimeRange::new(time(from)?, time(to)?)))
}

/// What is here of history: `[from, to, level]`, or `coming`, `away`, `lost` in place of the level.
fn cover(viewer: &Viewer) -> Vec<Value> {
    let words = |cover: Cover| match cover {
        Cover::Here(level) => level.to_string(),
        Cover::Coming => "coming".to_owned(),
        Cover::Away => "away".to_owned(),
        Cover::Lost => "lost".to_owned(),
    };
    let all = viewer.session.history().cover().iter();
    all.map(|(range, cover)| json!([range.start.to_string(), range.end.to_string(), words(*cover)])).collect()
}

fn one(viewer: &mut Viewer, key: &str, value: &Value) -> Result<(), String> {
    let wish = match key {
        "select" if value.is_null() => UiCommand::Select { twin: None, additive: false },
        "select" => UiCommand::Select { twin: Some(twin(viewer, value)?), additive: false },
        "focus" => UiCommand::Focus(twin(viewer, value)?),
        "isolate" => UiCommand::Isolate(value.as_bool().unwrap_or(true)),
        "seek" => UiCommand::Seek(value.as_str().ok_or("wants a time")?.parse().map_err(|error| format!("{error}"))?),
        "play" => UiCommand::Play,
        "pause" => UiCommand::Pause,
        "follow" => UiCommand::Follow,
        "speed" => UiCommand::SetSpeed(value.as_f64().ok_or("wants a number")?),
        "step" => UiCommand::StepEvent(if value == "back" { twin_ui::Direction::Back } else { twin_ui::Direction::Forward }),
        "loop" => UiCommand::SetLoop(range(value)?),
        "theme" => UiCommand::SetTheme(if value == "light" { Theme::Light } else { Theme::Dark }),
        "quality" => {
            viewer.set_quality(if value == "high" { Quality::High } else { Quality::Slim });
            return Ok(());
        }
        "chart" => {
            let model = viewer.model().ok_or("the site is not loaded yet")?;
            let signal = model.find_signal(value.as_str().unwrap_or_default()).ok_or("there is no such signal")?;
            viewer.ui.chart_open = true;
            UiCommand::ToggleChart(signal)
        }
        "knobs" => {
            let model = viewer.model().ok_or("the site is not loaded yet")?.clone();
            for (id, setting) in value.as_object().into_iter().flatten() {
                let at =
                    model.knobs().iter().position(|knob| knob.id == *id).ok_or_else(|| format!("there is no knob '{id}'"))?;
                let value = setting.as_f64().ok_or("a knob wants a number")?;
                viewer.wishes.push_back(UiCommand::SetKnob { knob: twin_model::KnobIndex::from_at(at), value });
            }
            return Ok(());
        }
        "fork" => UiCommand::SetFork(value.as_str().ok_or("wants a time")?.parse().map_err(|error| format!("{error}"))?),
        "horizonHours" => UiCommand::SetHorizon(twin_model::Span::from_secs_f64(value.as_f64().unwrap_or(8.0) * 3600.0)),
        "run" => UiCommand::RunScenario,
        "viewBranch" => UiCommand::ViewBranch(value.as_u64().map(|id| twin_ui::view::BranchId(id as u32))),
        "home" => UiCommand::Home,
        "range" => {
            let extent = viewer.vm.timeline.extent;
            viewer.ui.fit(range(value)?.unwrap_or(extent));
            return Ok(());
        }
        "historyMegabytes" => {
            let megabytes = value.as_f64().filter(|mb| mb.is_finite() && *mb > 0.0).ok_or("wants a number above 0")?;
            viewer.session.set_history_budget((megabytes * 1e6) as u64);
            return Ok(());
        }
        "camera" => {
            let n: Vec<f32> = value.as_array().into_iter().flatten().filter_map(|v| Some(v.as_f64()? as f32)).collect();
            let [x, y, z, yaw, pitch, distance] = n[..] else { return Err("wants [x, y, z, yaw, pitch, distance]".into()) };
            viewer.orbit.pose = super::scene::camera::Pose { target: glam::Vec3::new(x, y, z), yaw, pitch, distance };
            viewer.dirty.link = true;
            return Ok(());
        }
        _ => return Err("unknown".into()),
    };
    viewer.wishes.push_back(wish);
    Ok(())
}

/// Writes down what `getState` answers until the next frame.
pub fn publish(viewer: &Viewer, frame: u64) {
    let text = describe(viewer, frame).to_string();
    STATE.with_borrow_mut(|state| *state = text);
}

fn describe(viewer: &Viewer, frame: u64) -> Value {
    let phase = match (&viewer.served, &viewer.stage) {
        (None, _) => "connecting",
        (Some(_), None) => "loading",
        (Some(_), Some(_)) => "running",
    };
    let link = match viewer.session.link().phase() {
        crate::session::LinkPhase::Connecting => "connecting",
        crate::session::LinkPhase::Up => "up",
        crate::session::LinkPhase::Down => "down",
    };
    let problems: Vec<Value> = viewer.problems.iter().map(|p| json!({ "title": p.title, "detail": p.detail })).collect();
    let mut out = json!({
        "phase": phase,
        "frame": frame,
        "link": link,
        "fragment": viewer.current_link().to_fragment(),
        "problems": problems,
        "theme": if viewer.vm.theme == Theme::Light { "light" } else { "dark" },
        "quality": if viewer.quality == Quality::High { "high" } else { "slim" },
        "isolated": viewer.isolated,
        "historyBusy": viewer.session.history().is_busy(),
        "cover": cover(viewer),
        "historyBytes": viewer.session.history().bytes,
        "storeBytes": viewer.engine.as_ref().map(|engine| engine.reality().store().bytes().total()),
        "gaps": viewer.session.gaps.iter().map(|gap| json!([gap.start.to_string(), gap.end.to_string()])).collect::<Vec<_>>(),
        "frameMs": viewer.frame_ms.iter().copied().map(f64::from).collect::<Vec<_>>(),
        "firstPicture": viewer.first_picture,
        "samples": viewer.session.link().counts.samples,
        "connections": viewer.session.link().counts.connections,
    });
    if let Some(shell) = viewer.shell {
        let r = shell.viewport;
        out["viewport"] = json!([r.min.x, r.min.y, r.max.x, r.max.y]);
    }
    let Some(engine) = &viewer.engine else { return out };
    let model = engine.model();
    let playback = engine.playback();
    out["time"] = json!({
        "playhead": playback.playhead().to_string(),
        "state": match playback.state() {
            PlayState::Following => "following",
            PlayState::Paused => "paused",
            PlayState::Playing => "playing",
        },
        "speed": playback.speed(),
        "buffering": playback.buffering(),
        "ended": playback.ended(),
        "detail": engine.reality().store().detail_at(playback.playhead()).to_string(),
        "liveEdge": engine.live_edge().map(|t| t.to_string()),
        "extent": engine.bounds().map(|range| json!([range.start.to_string(), range.end.to_string()])),
    });
    out["selection"] = viewer.selection.iter().map(|twin| model.twin(*twin).id.to_string()).collect::<Vec<_>>().into();
    let counts: serde_json::Map<String, Value> =
        Status::ALL.iter().map(|status| (status.as_str().to_owned(), viewer.vm.status_counts.of(*status).into())).collect();
    out["status"] = Value::Object(counts);
    let area = viewer.shell.map(|shell| super::present::area_of(shell.viewport));
    let twins: serde_json::Map<String, Value> = model
        .twin_indices()
        .zip(&engine.frame().twins)
        .map(|(index, state)| {
            let screen = area.and_then(|area| {
                let (min, max) = viewer.stage.as_ref()?.body(index)?;
                super::input::project(viewer, (min + max) * 0.5, area)
            });
            let value = json!({
                "status": state.status.as_str(),
                "freshness": state.freshness.as_str(),
                "alarm": state.alarm.map(|(priority, state)| json!({ "priority": priority.number(), "state": state.as_str() })),
                "screen": screen.map(|at| [at.x, at.y]),
            });
            (model.twin(index).id.to_string(), value)
        })
        .collect();
    out["twins"] = Value::Object(twins);
    out["branches"] = engine
        .branches()
        .iter()
        .map(|branch| {
            json!({
                "id": branch.id.0,
                "name": branch.scenario.name,
                "range": [branch.range.start.to_string(), branch.range.end.to_string()],
                "shown": engine.shown_branch().is_some_and(|shown| shown.id == branch.id),
                "rows": branch.comparison.iter().filter(|row| row.changed()).count(),
            })
        })
        .collect::<Vec<_>>()
        .into();
    out["running"] =
        engine.running().map_or(Value::Null, |(name, progress)| json!({ "name": name, "fraction": progress.fraction }));
    out
}
