//! What a host page may say: one key and its value, understood or refused at once, so that the answer is true.
//!
//! Knows the site's names where it is loaded, and nothing of what the viewer does with a command.

use serde_json::Value;
use twin_engine::Basis;
use twin_model::{KnobIndex, Model, SignalIndex, Span, TimeRange, Timestamp, TwinIndex};
use twin_scenario::MAX_STEPS;
use twin_ui::Direction;
use twin_ui::view::Theme;

use crate::session::HISTORY_MIB;
use crate::viewer::commands::RUN_STEP_S;
use crate::viewer::link::{MAX_REACH_M, MIN_DISTANCE_M, PITCH, SPEEDS, SitePose};
use crate::viewer::scene::Quality;

/// The commands, as `docs/EMBED.md` lists them.
pub(super) const KNOWN: [&str; 24] = [
    "select",
    "focus",
    "isolate",
    "seek",
    "as",
    "judgeBy",
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

/// A command that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ask {
    Select(Option<TwinIndex>),
    Focus(TwinIndex),
    Isolate(bool),
    Seek(Timestamp),
    As(Basis),
    /// Whether by the revision of then.
    JudgeBy(bool),
    Play,
    Pause,
    Follow,
    Speed(f64),
    Step(Direction),
    Loop(Option<TimeRange>),
    Theme(Theme),
    Quality(Quality),
    /// Puts a signal into the chart or takes it out.
    ToggleChart(SignalIndex),
    /// Shows these signals and no others; none closes the chart.
    Chart(Vec<SignalIndex>),
    Knobs(Vec<(KnobIndex, f64)>),
    Fork(Timestamp),
    Horizon(Span),
    Run,
    ViewBranch(Option<u32>),
    Home,
    Camera(SitePose),
    Range(Option<TimeRange>),
    HistoryMegabytes(f64),
}

/// What the names and numbers in commands may stand for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'a> {
    /// The site, once it is loaded.
    pub(super) model: Option<&'a Model>,
    /// Numbers of the what-if branches that there are.
    pub(super) branches: &'a [u32],
}

/// Longest horizon of a what-if run, in hours: as far as its steps reach, some three years.
const MAX_HORIZON_H: f64 = (MAX_STEPS * RUN_STEP_S as u64 / 3600) as f64;

/// Understands one command.
///
/// # Errors
/// What is wrong with the value and what it should be; reads on from the command's name.
pub(super) fn understand(key: &str, value: &Value, known: Known<'_>) -> Result<Ask, String> {
    let model = known.model;
    Ok(match key {
        "select" if value.is_null() => Ask::Select(None),
        "select" => Ask::Select(Some(twin(value, model)?)),
        "focus" => Ask::Focus(twin(value, model)?),
        "isolate" => Ask::Isolate(value.as_bool().ok_or("wants true or false")?),
        "seek" => Ask::Seek(time(value)?),
        "as" => Ask::As(value.as_str().and_then(|basis| basis.parse().ok()).ok_or("wants \"was\" or \"known\"")?),
        "judgeBy" => Ask::JudgeBy(either(value, [("then", true), ("now", false)])?),
        "play" => plain(value, Ask::Play)?,
        "pause" => plain(value, Ask::Pause)?,
        "follow" => plain(value, Ask::Follow)?,
        "run" => plain(value, Ask::Run)?,
        "home" => plain(value, Ask::Home)?,
        "speed" => Ask::Speed(
            number(value)
                .filter(|speed| SPEEDS.contains(&speed.abs()))
                .ok_or_else(|| format!("wants a number from {} to {}, negative for backwards", SPEEDS.start(), SPEEDS.end()))?,
        ),
        "step" => Ask::Step(either(value, [("forward", Direction::Forward), ("back", Direction::Back)])?),
        "loop" => Ask::Loop(range(value)?),
        "range" => Ask::Range(range(value)?),
        "theme" => Ask::Theme(either(value, [("dark", Theme::Dark), ("light", Theme::Light)])?),
        "quality" => Ask::Quality(either(value, [("high", Quality::High), ("slim", Quality::Slim)])?),
        "chart" => chart(value, model)?,
        "knobs" => Ask::Knobs(knobs(value, model)?),
        "fork" => Ask::Fork(time(value)?),
        "horizonHours" => Ask::Horizon(
            number(value)
                .filter(|hours| *hours <= MAX_HORIZON_H)
                .map(|hours| Span::from_secs_f64(3600.0 * hours))
                .filter(|span| *span > Span::ZERO)
                .ok_or_else(|| format!("wants a number of hours above 0, at most {MAX_HORIZON_H}"))?,
        ),
        "viewBranch" if value.is_null() => Ask::ViewBranch(None),
        "viewBranch" => {
            let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
            let id = id.ok_or("wants a branch's number, or null for reality")?;
            if !known.branches.contains(&id) {
                return Err(format!("there is no branch {id}; getState().branches has those that there are"));
            }
            Ask::ViewBranch(Some(id))
        }
        "historyMegabytes" => Ask::HistoryMegabytes(
            number(value)
                .filter(|megabytes| HISTORY_MIB.contains(megabytes))
                .ok_or_else(|| format!("wants a number from {} to {}", HISTORY_MIB.start(), HISTORY_MIB.end()))?,
        ),
        "camera" => Ask::Camera(camera(value)?),
        _ => return Err(format!("is not a command; known: {}", KNOWN.join(", "))),
    })
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// A command that is done or left out: nothing but `true` says so without doubt.
fn plain(value: &Value, ask: Ask) -> Result<Ask, String> {
    if value == &Value::Bool(true) { Ok(ask) } else { Err("wants true; leave it out where it is not to be done".to_owned()) }
}

/// One of two words, for what it stands for.
fn either<T>(value: &Value, known: [(&str, T); 2]) -> Result<T, String> {
    let words = known.each_ref().map(|(word, _)| *word);
    let found = known.into_iter().find(|(word, _)| value.as_str() == Some(*word));
    found.map(|(_, it)| it).ok_or_else(|| format!("wants \"{}\" or \"{}\"", words[0], words[1]))
}

fn time(value: &Value) -> Result<Timestamp, String> {
    let text = value.as_str().ok_or("wants a time as text, for example \"2026-03-02T08:15:04Z\"")?;
    text.parse().map_err(|error: twin_model::TimeError| error.to_string())
}

/// `["from", "to"]`, or null for none.
fn range(value: &Value) -> Result<Option<TimeRange>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let Some([from, to]) = value.as_array().map(Vec::as_slice) else {
        return Err("wants [\"from\", \"to\"], or null for none".to_owned());
    };
    let range = TimeRange::new(time(from)?, time(to)?);
    if range.start < range.end { Ok(Some(range)) } else { Err("wants a range that ends after it begins".to_owned()) }
}

/// What is wrong with a name before anybody can know it.
pub(super) const NOT_LOADED: &str = "names something of the site, which is not loaded yet";

fn loaded(model: Option<&Model>) -> Result<&Model, String> {
    model.ok_or_else(|| NOT_LOADED.to_owned())
}

fn twin(value: &Value, model: Option<&Model>) -> Result<TwinIndex, String> {
    let id = value.as_str().ok_or("wants a twin id as text")?;
    loaded(model)?.find_twin(id).ok_or_else(|| format!("there is no twin '{id}'"))
}

fn signal(value: &Value, model: Option<&Model>) -> Result<SignalIndex, String> {
    let id = value.as_str().ok_or("wants signal ids as texts")?;
    loaded(model)?.find_signal(id).ok_or_else(|| format!("there is no signal '{id}'"))
}

/// A signal id, or `{"show": [ids]}`.
fn chart(value: &Value, model: Option<&Model>) -> Result<Ask, String> {
    let Some(object) = value.as_object() else { return signal(value, model).map(Ask::ToggleChart) };
    let show = match (object.get("show").and_then(Value::as_array), object.len()) {
        (Some(show), 1) => show,
        _ => return Err("wants {\"show\": [signal ids]}, or one signal id to put in or take out".to_owned()),
    };
    let mut signals = Vec::with_capacity(show.len());
    for id in show {
        let signal = signal(id, model)?;
        if !signals.contains(&signal) {
            signals.push(signal);
        }
    }
    Ok(Ask::Chart(signals))
}

fn knobs(value: &Value, model: Option<&Model>) -> Result<Vec<(KnobIndex, f64)>, String> {
    let object = value.as_object().ok_or("wants {\"knob id\": number, ...}")?;
    let known = loaded(model)?.knobs();
    let one = |(id, setting): (&String, &Value)| {
        let at = known.iter().position(|knob| knob.id == *id).ok_or_else(|| format!("there is no knob '{id}'"))?;
        let (low, high) = known.get(at).map_or((f64::MIN, f64::MAX), |knob| (knob.min, knob.max));
        let setting = number(setting).filter(|setting| (low..=high).contains(setting));
        setting
            .map(|setting| (KnobIndex::from_at(at), setting))
            .ok_or_else(|| format!("'{id}' wants a number from {low} to {high}"))
    };
    object.iter().map(one).collect()
}

fn camera(value: &Value) -> Result<SitePose, String> {
    let n: Option<Vec<f64>> = value.as_array().and_then(|list| list.iter().map(number).collect());
    let n = n.and_then(|n| <[f64; 6]>::try_from(n).ok()).filter(|[.., pitch, _]| PITCH.contains(pitch));
    n.and_then(SitePose::new).ok_or_else(|| {
        format!(
            "wants [x, y, z, yaw, pitch, distance]: places up to {MAX_REACH_M} m from the origin, a pitch from {} to {}, and a \
             distance from {MIN_DISTANCE_M} to {MAX_REACH_M}",
            PITCH.start(),
            PITCH.end()
        )
    })
}

#[cfg(test)]
mod tests;
