//! What a host page may say: one key and its value, understood or refused at once, so that the answer is true.
//!
//! Knows the site's names where it is loaded, and nothing of what the viewer does with a command.

use serde_json::Value;
use twin_engine::Basis;
use twin_model::{KnobIndex, Model, SignalIndex, Span, TimeRange, Timestamp, TwinIndex};
use twin_ui::Direction;
use twin_ui::view::Theme;

use crate::viewer::link::SitePose;
use crate::viewer::scene::Quality;

/// The commands, as `docs/EMBED.md` lists them.
pub(super) const KNOWN: [&str; 23] = [
    "select",
    "focus",
    "isolate",
    "seek",
    "as",
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

/// Longest horizon of a what-if run, in hours: ten years.
const MAX_HORIZON_H: f64 = 87_600.0;
/// Speeds that playing knows, without their sign.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=1000.0;

/// Understands one command. `model` is the site, once it is loaded.
///
/// # Errors
/// What is wrong with the value and what it should be.
pub(super) fn understand(key: &str, value: &Value, model: Option<&Model>) -> Result<Ask, String> {
    Ok(match key {
        "select" if value.is_null() => Ask::Select(None),
        "select" => Ask::Select(Some(twin(value, model)?)),
        "focus" => Ask::Focus(twin(value, model)?),
        "isolate" => Ask::Isolate(value.as_bool().ok_or("wants true or false")?),
        "seek" => Ask::Seek(time(value)?),
        "as" => Ask::As(value.as_str().and_then(|basis| basis.parse().ok()).ok_or("wants \"was\" or \"known\"")?),
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
        "step" => Ask::Step(match value.as_str() {
            Some("forward") => Direction::Forward,
            Some("back") => Direction::Back,
            _ => return Err("wants \"forward\" or \"back\"".to_owned()),
        }),
        "loop" => Ask::Loop(range(value)?),
        "range" => Ask::Range(range(value)?),
        "theme" => Ask::Theme(match value.as_str() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => return Err("wants \"dark\" or \"light\"".to_owned()),
        }),
        "quality" => Ask::Quality(match value.as_str() {
            Some("high") => Quality::High,
            Some("slim") => Quality::Slim,
            _ => return Err("wants \"high\" or \"slim\"".to_owned()),
        }),
        "chart" => chart(value, model)?,
        "knobs" => Ask::Knobs(knobs(value, model)?),
        "fork" => Ask::Fork(time(value)?),
        "horizonHours" => Ask::Horizon(Span::from_secs_f64(
            3600.0
                * number(value)
                    .filter(|hours| *hours > 0.0 && *hours <= MAX_HORIZON_H)
                    .ok_or_else(|| format!("wants a number of hours above 0, at most {MAX_HORIZON_H}"))?,
        )),
        "viewBranch" if value.is_null() => Ask::ViewBranch(None),
        "viewBranch" => {
            let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
            Ask::ViewBranch(Some(id.ok_or("wants a branch's number, or null for reality")?))
        }
        "historyMegabytes" => {
            Ask::HistoryMegabytes(number(value).filter(|megabytes| *megabytes > 0.0).ok_or("wants a number above 0")?)
        }
        "camera" => Ask::Camera(camera(value)?),
        _ => return Err(format!("is not a command; known: {}", KNOWN.join(", "))),
    })
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// A command without a value takes any, but for one that says the opposite.
fn plain(value: &Value, ask: Ask) -> Result<Ask, String> {
    if value == &Value::Bool(false) { Err("is done, not undone; leave it out or give true".to_owned()) } else { Ok(ask) }
}

fn time(value: &Value) -> Result<Timestamp, String> {
    let text = value.as_str().ok_or("wants a time as text, for example \"2026-03-02T08:15:04Z\"")?;
    text.parse().map_err(|error: twin_model::TimeError| error.to_string())
}

/// `["from", "to"]`, or null or false for none.
fn range(value: &Value) -> Result<Option<TimeRange>, String> {
    if value.is_null() || value == &Value::Bool(false) {
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
    match n.as_deref() {
        Some([x, y, z, yaw, pitch, distance]) if *distance as f32 > 0.0 => {
            let [yaw, pitch, distance] = [*yaw, *pitch, *distance].map(|n| n as f32);
            Ok(SitePose { target: glam::DVec3::new(*x, *y, *z), yaw, pitch, distance })
        }
        _ => Err("wants [x, y, z, yaw, pitch, distance] with a distance above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use twin_testkit::kit::SmallModel;

    use super::*;

    fn site() -> Model {
        let mut site = SmallModel::new();
        site.float("pump.flow");
        site.build()
    }

    /// Whether a value is taken; what is wrong with it otherwise.
    fn check(key: &str, value: &Value, understood: bool) {
        let answer = understand(key, value, Some(&site()));
        assert_eq!(answer.is_ok(), understood, "{key}: {value}: {answer:?}");
    }

    #[test]
    fn values_that_are_not_understood_are_refused() {
        for (key, value) in [
            ("seek", json!("yesterday")),
            ("seek", json!(5)),
            ("as", json!("read")),
            ("as", json!(true)),
            ("speed", json!("fast")),
            ("speed", json!(0)),
            ("step", json!("sideways")),
            ("step", Value::Null),
            ("theme", json!("pink")),
            ("quality", json!("best")),
            ("isolate", json!("yes")),
            ("loop", json!(["2026-03-02T08:00:00Z"])),
            ("loop", json!(["2026-03-02T08:00:00Z", "2026-03-02T07:00:00Z"])),
            ("range", json!("all")),
            ("select", json!("nobody")),
            ("focus", Value::Null),
            ("chart", json!("pump.pressure")),
            ("chart", json!({ "show": ["pump.pressure"] })),
            ("chart", json!({ "hide": ["pump.flow"] })),
            ("knobs", json!({ "speed": 1 })),
            ("horizonHours", json!(-1)),
            ("viewBranch", json!("first")),
            ("camera", json!([0, 0, 0, 0, 0])),
            ("camera", json!([0, 0, 0, 0, 0, 0])),
            ("historyMegabytes", json!(0)),
            ("play", json!(false)),
            ("dance", json!(1)),
        ] {
            check(key, &value, false);
        }
    }

    #[test]
    fn every_command_has_a_value_that_is_understood() {
        let day = json!(["2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z"]);
        for (key, value) in [
            ("select", Value::Null),
            ("select", json!("pump")),
            ("focus", json!("pump")),
            ("isolate", json!(true)),
            ("seek", json!("2026-03-02T08:15:04+01:00")),
            ("as", json!("known")),
            ("as", json!("was")),
            ("play", json!(true)),
            ("pause", json!({})),
            ("follow", Value::Null),
            ("speed", json!(-10)),
            ("step", json!("back")),
            ("loop", day.clone()),
            ("loop", Value::Null),
            ("theme", json!("light")),
            ("quality", json!("slim")),
            ("chart", json!("pump.flow")),
            ("chart", json!({ "show": ["pump.flow", "pump.flow"] })),
            ("chart", json!({ "show": [] })),
            ("knobs", json!({})),
            ("fork", json!("2026-03-02T08:15:04Z")),
            ("horizonHours", json!(0.5)),
            ("run", json!(true)),
            ("viewBranch", json!(3)),
            ("home", json!(1)),
            ("camera", json!([0, 1, 0, 0.4, 0.9, 14])),
            ("range", day),
            ("historyMegabytes", json!(1.5)),
        ] {
            check(key, &value, true);
        }
    }
}
