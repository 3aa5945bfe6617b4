//! What a host page may ask and say: `window.orrery.getState()` and `.command()`. Tests drive the viewer through the same.

mod ask;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Weak;
use std::sync::Arc;

use serde_json::{Value, json};
use twin_engine::{Basis, Engine, PlayState};
use twin_historian::pager::Cover;
use twin_model::{Model, Status, TimeRange};
use twin_ui::UiCommand;
use twin_ui::view::Theme;

use super::scene::Quality;
use super::state::Viewer;
use crate::platform::Waker;
use ask::{Ask, KNOWN, Known};

/// Commands that wait for the next frame; more are refused.
const MAX_WAITING: usize = 256;

thread_local! {
    /// Who answers `getState`; pages ask between frames.
    static VIEWER: RefCell<Weak<RefCell<Viewer>>> = const { RefCell::new(Weak::new()) };
    static WAITING: RefCell<VecDeque<Value>> = const { RefCell::new(VecDeque::new()) };
    /// The site and the numbers of its branches, for the names in commands; refreshed every frame.
    static SITE: RefCell<(Option<Arc<Model>>, Vec<u32>)> = const { RefCell::new((None, Vec::new())) };
    static ADMITTED: Cell<bool> = const { Cell::new(false) };
    static WAKER: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// What wakes the viewer when a command arrives: a paused plant draws nothing until somebody asks.
pub fn wake_with(waker: Waker) {
    WAKER.set(Some(waker));
}

/// The page has another token than the one that was refused: the viewer connects again.
pub fn admitted() {
    ADMITTED.set(true);
    if let Some(wake) = WAKER.with_borrow(Clone::clone) {
        wake();
    }
}

/// Who answers `getState`.
pub fn answer_for(viewer: Weak<RefCell<Viewer>>) {
    VIEWER.set(viewer);
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

/// The state as JSON text, as of the last frame. Made when asked for: a page at rest costs nothing.
pub fn state() -> String {
    let viewer = VIEWER.with_borrow(Weak::upgrade);
    // Held only within a frame, when no page is heard.
    let viewer = viewer.as_ref().and_then(|viewer| viewer.try_borrow().ok());
    let begun = viewer.filter(|viewer| viewer.frames > 0);
    begun.map_or_else(|| json!({ "phase": "starting" }), |viewer| describe(&viewer)).to_string()
}

/// Takes a command as JSON text; it is carried out before the next frame, or when the plant is first drawn. Answers `{"ok": true}`, or
/// `{"ok": false, "error": ...}` where nothing of it will be done.
pub fn command(text: &str) -> String {
    let taken = match serde_json::from_str::<Value>(text) {
        Err(error) => Err(format!("not JSON: {error}")),
        Ok(Value::Object(object)) => match faults(&object) {
            Some(why) => Err(why),
            None if queue(Value::Object(object)) => Ok(()),
            None => Err(format!("{MAX_WAITING} commands are waiting for the next frame already; send this one later")),
        },
        Ok(_) => Err("a command is an object, for example {\"seek\": \"2026-03-02T08:15:04Z\"}".to_owned()),
    };
    taken.map_or_else(|why| json!({ "ok": false, "error": why }), |()| json!({ "ok": true })).to_string()
}

/// What is wrong with any of an object's commands; none is carried out then.
fn faults(object: &serde_json::Map<String, Value>) -> Option<String> {
    if object.is_empty() {
        return Some(format!("an empty command; known: {}", KNOWN.join(", ")));
    }
    let (model, branches) = SITE.with_borrow(Clone::clone);
    let known = Known { model: model.as_deref(), branches: &branches };
    object.iter().find_map(|(key, value)| match ask::understand(key, value, known) {
        Ok(_) => None,
        // Judged again when it is carried out.
        Err(why) if why == ask::NOT_LOADED => None,
        Err(why) if KNOWN.contains(&key.as_str()) => Some(format!("{key}: {why}")),
        Err(_) => Some(format!("unknown command '{key}'; known: {}", KNOWN.join(", "))),
    })
}

/// Turns waiting commands into wishes, once there is a plant to apply them to.
pub fn drain(viewer: &mut Viewer) {
    if ADMITTED.take() {
        viewer.session.retry();
    }
    if viewer.stage.is_none() {
        return;
    }
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

/// Carries out what was understood when it came, against the site as it is now.
fn one(viewer: &mut Viewer, key: &str, value: &Value) -> Result<(), String> {
    let (model, branches) = (viewer.model().cloned(), branches(viewer));
    let wish = match ask::understand(key, value, Known { model: model.as_deref(), branches: &branches })? {
        Ask::Select(twin) => UiCommand::Select { twin, additive: false },
        Ask::Focus(twin) => UiCommand::Focus(twin),
        Ask::Isolate(on) => UiCommand::Isolate(on),
        Ask::Seek(t) => UiCommand::Seek(t),
        Ask::As(basis) => UiCommand::ShowAsKnown(basis == Basis::Known),
        Ask::JudgeBy(then) => UiCommand::JudgeByThen(then),
        Ask::Play => UiCommand::Play,
        Ask::Pause => UiCommand::Pause,
        Ask::Follow => UiCommand::Follow,
        Ask::Speed(speed) => UiCommand::SetSpeed(speed),
        Ask::Step(to) => UiCommand::StepEvent(to),
        Ask::Loop(range) => UiCommand::SetLoop(range),
        Ask::Theme(theme) => UiCommand::SetTheme(theme),
        Ask::Quality(quality) => UiCommand::SetQuality(quality == Quality::High),
        Ask::ToggleChart(signal) => {
            viewer.ui.chart_open = true;
            UiCommand::ToggleChart(signal)
        }
        Ask::Chart(signals) => {
            viewer.ui.chart_open = !signals.is_empty();
            viewer.chart = signals;
            viewer.dirty.panels = true;
            viewer.dirty.link = true;
            return Ok(());
        }
        Ask::Knobs(settings) => {
            viewer.wishes.extend(settings.into_iter().map(|(knob, value)| UiCommand::SetKnob { knob, value }));
            return Ok(());
        }
        Ask::Fork(t) => UiCommand::SetFork(t),
        Ask::Horizon(span) => UiCommand::SetHorizon(span),
        Ask::Run => UiCommand::RunScenario,
        Ask::ViewBranch(id) => UiCommand::ViewBranch(id.map(twin_ui::view::BranchId)),
        Ask::Home => UiCommand::Home,
        Ask::Camera(pose) => {
            viewer.orbit.pose = pose.pose(viewer.origin());
            viewer.dirty.link = true;
            return Ok(());
        }
        Ask::Range(range) => {
            let extent = viewer.vm.timeline.extent;
            viewer.ui.fit(range.unwrap_or(extent));
            return Ok(());
        }
        Ask::HistoryMegabytes(megabytes) => {
            viewer.session.set_history_budget(megabytes);
            return Ok(());
        }
    };
    viewer.wishes.push_back(wish);
    Ok(())
}

/// Writes down what the names in commands are looked up in until the next frame.
pub fn note_site(viewer: &Viewer) {
    SITE.set((viewer.model().cloned(), branches(viewer)));
}

/// Numbers of the what-if branches that there are.
fn branches(viewer: &Viewer) -> Vec<u32> {
    viewer.engine.iter().flat_map(|engine| engine.branches()).map(|branch| branch.id.0).collect()
}

fn span(range: TimeRange) -> Value {
    json!([range.start.to_string(), range.end.to_string()])
}

/// The whole state, as `docs/EMBED.md` describes it.
fn describe(viewer: &Viewer) -> Value {
    let mut out = of_program(viewer);
    if let Some(shell) = viewer.shell {
        let r = shell.viewport;
        out["viewport"] = json!([r.min.x, r.min.y, r.max.x, r.max.y]);
    }
    if let Some(engine) = &viewer.engine {
        add_plant(&mut out, viewer, engine);
    }
    out
}

/// What there is of it before there is a plant.
fn of_program(viewer: &Viewer) -> Value {
    let phase = match (&viewer.published, &viewer.stage) {
        (None, _) => "connecting",
        (Some(_), None) => "loading",
        (Some(_), Some(_)) => "running",
    };
    let link = match viewer.session.link().phase() {
        crate::session::LinkPhase::Connecting => "connecting",
        crate::session::LinkPhase::Up => "up",
        crate::session::LinkPhase::Down => "down",
        crate::session::LinkPhase::None => "none",
    };
    let problems: Vec<Value> = viewer.problems.iter().map(|p| json!({ "title": p.title, "detail": p.detail })).collect();
    json!({
        "phase": phase,
        "frame": viewer.frames,
        "link": link,
        "shutOut": viewer.session.link().shut_out(),
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
    })
}

/// What there is of it with a plant.
fn add_plant(out: &mut Value, viewer: &Viewer, engine: &Engine) {
    let model = engine.model();
    out["time"] = time(viewer, engine);
    let charted = viewer.chart.iter().map(|signal| model.signal(*signal).id.as_str());
    out["chart"] = json!({ "open": viewer.ui.chart_open, "show": charted.collect::<Vec<_>>() });
    let knobs = model.knobs().iter().zip(&viewer.knobs).map(|(knob, setting)| (knob.id.clone(), (*setting).into()));
    out["knobs"] = Value::Object(knobs.collect());
    out["fork"] = viewer.fork.map(|t| t.to_string()).into();
    out["horizonHours"] = (viewer.horizon.as_secs_f64() / 3600.0).into();
    out["selection"] = viewer.selection.iter().map(|twin| model.twin(*twin).id.to_string()).collect::<Vec<_>>().into();
    let counts: serde_json::Map<String, Value> =
        Status::ALL.iter().map(|status| (status.as_str().to_owned(), viewer.vm.status_counts.of(*status).into())).collect();
    out["status"] = Value::Object(counts);
    out["twins"] = twins(viewer, engine);
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
    out["runError"] = viewer.run_error.clone().into();
    out["running"] =
        engine.running().map_or(Value::Null, |(name, progress)| json!({ "name": name, "fraction": progress.fraction }));
}

fn time(viewer: &Viewer, engine: &Engine) -> Value {
    let playback = engine.playback();
    json!({
        "playhead": playback.playhead().to_string(),
        "state": match playback.state() {
            PlayState::Following => "following",
            PlayState::Paused => "paused",
            PlayState::Playing => "playing",
        },
        "as": engine.asked_basis().as_str(),
        "judgeBy": if viewer.by_now { "now" } else { "then" },
        "revision": viewer.published.as_ref().map(|published| published.manifest.revision),
        "speed": playback.speed(),
        "buffering": playback.buffering(),
        "ended": playback.ended(),
        "detail": engine.reality().store().detail_at(playback.playhead()).to_string(),
        "loop": playback.selection().map(span),
        "liveEdge": engine.live_edge().map(|t| t.to_string()),
        "extent": engine.bounds().map(span),
        "range": viewer.range.map(span),
    })
}

/// How every twin is, and where on the screen it stands.
fn twins(viewer: &Viewer, engine: &Engine) -> Value {
    let area = viewer.shell.map(|shell| super::present::area_of(shell.viewport));
    let model = engine.model();
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
                "lastKnown": state.last_known.map(Status::as_str),
                "freshness": state.freshness.as_str(),
                "alarm": state.alarm.map(|(priority, state)| json!({ "priority": priority.number(), "state": state.as_str() })),
                "screen": screen.map(|at| [at.x, at.y]),
            });
            (model.twin(index).id.to_string(), value)
        })
        .collect();
    Value::Object(twins)
}

#[cfg(test)]
mod tests;
