//! `orrery state`: the health of every twin at an instant. Its JSON is a contract (docs/CLI.md).

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;
use twin_engine::{AlarmReport, Basis, DerivationReport, InputReport, StateReport, TwinReport};
use twin_historian::Level;
use twin_model::{AlarmState, Model, Status, Timestamp, Value};

use super::usable;
use crate::headless::{self, From};
use crate::lacks::Lacks;
use crate::recording::{self, Recording};
use crate::then::{Chosen, Judged, model_at};
use crate::{clock, term};

/// Arguments of `orrery state`.
#[derive(Debug, clap::Args)]
pub(super) struct StateArgs {
    /// Site file, or a folder with a site.toml; not needed with --recording
    #[arg(value_name = "SITE", required_unless_present = "recording")]
    site: Option<PathBuf>,
    #[command(flatten)]
    allow: super::AllowArgs,
    /// The instant: RFC 3339, like 2026-03-02T08:15:04Z, or now
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    at: Timestamp,
    /// As it was known then: only what had been received by that instant, instead of everything measured by then
    #[arg(long)]
    as_known: bool,
    /// Read history from the data folder of `orrery serve --data`
    #[arg(long, value_name = "DIR", value_parser = super::data_folder(), conflicts_with = "recording")]
    data: Option<PathBuf>,
    /// Read a recording, which holds its own site
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    #[command(flatten)]
    then: super::ThenArgs,
    /// Where generators and CSV files begin that the site file starts "now"
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    start: Option<Timestamp>,
    /// Only twins with something to report
    #[arg(long)]
    problems: bool,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &StateArgs) -> Result<u8> {
    let mut faults = 0;
    let judged;
    let filled = match (&args.recording, &args.site) {
        (Some(path), _) => {
            let recording = recording::read_as(path, args.then.reading(args.at))?;
            judged = of_recording(&recording);
            headless::fill_from_recording(&recording)
        }
        (None, Some(site)) => {
            let (site, found) = usable(site, &args.allow)?;
            faults = found;
            let from = args.data.clone().map_or(From::Sources, From::Data);
            let Chosen { model, revision, remark } =
                model_at(&site, &args.then.kept(args.data.as_deref()), args.at, args.then.judge_by).context(super::NOT_THEN)?;
            judged = revision;
            if let Some(remark) = remark {
                term::warn(&remark);
            }
            headless::fill_by(&site, model, &from, args.at, args.start.unwrap_or_else(clock::wall))?
        }
        (None, None) => anyhow::bail!("name a site or a recording"),
    };
    for remark in &filled.remarks {
        term::warn(remark);
    }
    let detail = filled.engine.reality().store().detail_at(args.at);
    if detail != Level::Raw {
        term::warn(&format!(
            "of {} only extracts are kept ({detail}): some readings of each such stretch, each with its own time; others between them \
             were newer",
            args.at
        ));
    }
    let mut report = filled.engine.state_by(args.at, if args.as_known { Basis::Known } else { Basis::Was });
    if args.problems {
        report.twins.retain(|twin| twin.judged && twin.status != Status::Normal || in_alarm(twin));
    }
    if args.json {
        let model = filled.engine.model();
        let missing = filled.missing.iter().map(|lacks| lacks_json(model, lacks)).collect();
        term::say(&json(&report, detail, missing, judged, &filled.remarks));
    } else {
        people(&report, judged, args.problems);
    }
    Ok(filled.code(faults))
}

/// By which revision of a recording that holds several.
fn of_recording(recording: &Recording) -> Option<Judged> {
    let (newest, shown) = (recording.manifests().last()?, recording.manifest()?);
    let several = recording.manifests().any(|manifest| manifest.revision != newest.revision);
    // Nobody has looked at the site file, if there still is one.
    several.then_some(Judged { number: shown.revision, valid_from: shown.valid_from, now: false })
}

fn in_alarm(twin: &TwinReport) -> bool {
    twin.alarms.iter().any(|alarm| asks(alarm.state))
}

/// Whether an alarm asks for a person: active, or waiting to be acknowledged.
fn asks(state: AlarmState) -> bool {
    state.is_active() || state.is_unacknowledged()
}

/// The report in the form that `docs/CLI.md` promises.
pub fn state_json(report: &StateReport) -> String {
    json(report, Level::Raw, Vec::new(), None, &[])
}

fn json(report: &StateReport, detail: Level, missing: Vec<LacksJson>, judged: Option<Judged>, remarks: &[String]) -> String {
    let out = StateJson {
        at: report.at.to_string(),
        basis: report.basis.as_str(),
        revision: judged.map(|judged| RevisionJson {
            number: judged.number,
            valid_from: judged.valid_from.to_string(),
            now: judged.now,
        }),
        detail: (detail != Level::Raw).then(|| detail.to_string()),
        missing,
        remarks,
        twins: report.twins.iter().map(twin_json).collect(),
    };
    serde_json::to_string_pretty(&out).unwrap_or_default()
}

#[derive(Serialize)]
struct StateJson<'a> {
    at: String,
    basis: &'static str,
    /// The revision of the site by which it was judged, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<RevisionJson>,
    /// The level of which the readings are, where not every reading of then is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<LacksJson>,
    /// What is said on standard error of what it was read from.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    remarks: &'a [String],
    twins: Vec<TwinJson>,
}

#[derive(Serialize)]
struct RevisionJson {
    number: u64,
    valid_from: String,
    /// Whether it is that of the site file as it is now.
    now: bool,
}

/// A stretch of history that can't be read.
#[derive(Serialize)]
pub(super) struct LacksJson {
    /// None where nobody knows from when on.
    from: Option<String>,
    /// None where nobody knows until when.
    to: Option<String>,
    signals: Vec<String>,
    why: String,
}

pub(super) fn lacks_json(model: &Model, lacks: &Lacks) -> LacksJson {
    LacksJson {
        from: term::in_calendar(lacks.range.start),
        to: term::in_calendar(lacks.range.end),
        signals: lacks.signals.iter().map(|signal| model.signal(*signal).id.as_str().to_owned()).collect(),
        why: lacks.why.clone(),
    }
}

#[derive(Serialize)]
struct TwinJson {
    id: String,
    interface: String,
    status: &'static str,
    score: Option<f64>,
    since: Option<String>,
    last_known: Option<LastKnownJson>,
    freshness: &'static str,
    alarms: Vec<AlarmJson>,
    reasons: Vec<ReasonJson>,
    signals: Vec<SignalJson>,
    outlooks: Vec<OutlookJson>,
}

#[derive(Serialize)]
struct LastKnownJson {
    status: &'static str,
    since: Option<String>,
}

#[derive(Serialize)]
struct OutlookJson {
    rule: String,
    signal: String,
    status: &'static str,
    limit: f64,
    unit: String,
    time: String,
}

#[derive(Serialize)]
struct AlarmJson {
    id: String,
    state: &'static str,
    priority: u8,
    since: Option<String>,
}

#[derive(Serialize)]
struct ReasonJson {
    rule: String,
    signal: String,
    value: serde_json::Value,
    unit: String,
    time: Option<String>,
    quality: String,
    text: String,
}

#[derive(Serialize)]
struct SignalJson {
    id: String,
    value: serde_json::Value,
    unit: String,
    time: Option<String>,
    age_s: Option<f64>,
    quality: String,
    freshness: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead_s: Option<f64>,
    /// Of a computed signal: what its value follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    computed: Option<ComputedJson>,
}

#[derive(Serialize)]
struct ComputedJson {
    expression: String,
    text: String,
    inputs: Vec<InputJson>,
    not_needed: Vec<String>,
}

#[derive(Serialize)]
struct InputJson {
    id: String,
    value: serde_json::Value,
    unit: String,
    time: Option<String>,
    age_s: Option<f64>,
    quality: String,
    freshness: &'static str,
}

fn computed_json(derivation: &DerivationReport) -> ComputedJson {
    let input = |input: &InputReport| InputJson {
        id: input.id.clone(),
        value: value_json(input.value.as_ref()),
        unit: input.unit.clone(),
        time: text(input.time),
        age_s: input.age.map(twin_model::Span::as_secs_f64),
        quality: input.quality.to_string(),
        freshness: input.freshness.as_str(),
    };
    ComputedJson {
        expression: derivation.expression.clone(),
        text: derivation.text.clone(),
        inputs: derivation.inputs.iter().map(input).collect(),
        not_needed: derivation.not_needed.clone(),
    }
}

fn text(t: Option<Timestamp>) -> Option<String> {
    t.map(|t| t.to_string())
}

/// Numbers that JSON cannot say become texts.
fn value_json(value: Option<&Value>) -> serde_json::Value {
    match value {
        None => serde_json::Value::Null,
        Some(Value::Float(v)) => serde_json::Number::from_f64(*v).map_or_else(|| v.to_string().into(), Into::into),
        Some(Value::Int(v)) => (*v).into(),
        Some(Value::Bool(v)) => (*v).into(),
        Some(Value::Text(v)) => v.to_string().into(),
    }
}

fn twin_json(twin: &TwinReport) -> TwinJson {
    TwinJson {
        id: twin.id.clone(),
        interface: twin.interface.clone(),
        status: twin.status.as_str(),
        score: twin.score,
        since: text(twin.since),
        last_known: twin.last_known.map(|last| LastKnownJson { status: last.status.as_str(), since: text(last.since) }),
        freshness: twin.freshness.as_str(),
        alarms: twin
            .alarms
            .iter()
            .map(|alarm| AlarmJson {
                id: alarm.id.clone(),
                state: alarm.state.as_str(),
                priority: alarm.priority.number(),
                since: text(alarm.since),
            })
            .collect(),
        reasons: twin
            .reasons
            .iter()
            .map(|reason| ReasonJson {
                rule: reason.rule.clone(),
                signal: reason.signal.clone(),
                value: value_json(reason.value.as_ref()),
                unit: reason.unit.clone(),
                time: text(reason.time),
                quality: reason.quality.to_string(),
                text: reason.text.clone(),
            })
            .collect(),
        signals: twin
            .signals
            .iter()
            .map(|signal| SignalJson {
                id: signal.id.clone(),
                value: value_json(signal.value.as_ref()),
                unit: signal.unit.clone(),
                time: text(signal.time),
                age_s: signal.age.map(twin_model::Span::as_secs_f64),
                quality: signal.quality.to_string(),
                freshness: signal.freshness.as_str(),
                ahead_s: signal.ahead.map(twin_model::Span::as_secs_f64),
                computed: signal.derivation.as_ref().map(computed_json),
            })
            .collect(),
        outlooks: twin
            .outlooks
            .iter()
            .map(|outlook| OutlookJson {
                rule: outlook.rule.clone(),
                signal: outlook.signal.clone(),
                status: outlook.status.as_str(),
                limit: outlook.limit,
                unit: outlook.unit.clone(),
                time: outlook.time.to_string(),
            })
            .collect(),
    }
}

/// The id of an alarm, with its state where that is not plainly active and unacknowledged.
fn alarm_words(alarm: &AlarmReport) -> String {
    match alarm.state {
        AlarmState::UnackActive => alarm.id.clone(),
        AlarmState::ReturnedUnack => format!("{} (returned, unacknowledged)", alarm.id),
        state => format!("{} ({})", alarm.id, state.as_str()),
    }
}

/// The first reason of its status, and whether its clock runs ahead, which need not be what made it so.
fn why(twin: &TwinReport) -> String {
    let mut words = twin.reasons.first().map_or_else(String::new, |reason| reason.text.clone());
    if let Some(ahead) = twin.ahead().map(twin_health::text::clock)
        && !words.ends_with(&ahead)
    {
        words.push_str(if words.is_empty() { "" } else { "; " });
        words.push_str(&ahead);
    }
    words
}

fn people(report: &StateReport, judged: Option<Judged>, problems: bool) {
    let mut rows = Vec::new();
    for twin in &report.twins {
        let asking = twin.alarms.iter().filter(|alarm| asks(alarm.state));
        let active: Vec<String> = asking.map(alarm_words).collect();
        let reason = why(twin);
        let fresh = twin.freshness.as_str().to_owned();
        let status = if twin.judged { twin.status.as_str() } else { "-" };
        rows.push(vec![twin.id.clone(), status.to_owned(), fresh, active.join(", "), reason]);
    }
    let basis = match report.basis {
        Basis::Was => "as it was",
        Basis::Known => "as it was known then",
    };
    let by = judged.map_or_else(String::new, |judged| {
        let whose = if judged.now { "the site as it is now" } else { "the site as it was then" };
        format!("; judged by revision {} (valid from {}), {whose}", judged.number, judged.valid_from)
    });
    term::say(&format!("at {}, {basis}{by}", report.at));
    term::say(&term::table(&["TWIN", "STATUS", "DATA", "ALARMS", "WHY"], &rows));
    term::say(&counts(report, problems));
}

/// How many twins have which status, and how many alarms there are.
fn counts(report: &StateReport, problems: bool) -> String {
    // What only groups others has no status to count.
    let count = |status: Status| report.twins.iter().filter(|twin| twin.judged && twin.status == status).count();
    let states: Vec<String> =
        Status::BY_RANK.into_iter().rev().filter(|s| count(*s) > 0).map(|s| format!("{} {}", count(s), s.as_str())).collect();
    let all = report.twins.iter().flat_map(|twin| &twin.alarms);
    let unacknowledged = all.clone().filter(|alarm| alarm.state.is_unacknowledged()).count();
    let active = all.filter(|alarm| alarm.state.is_active()).count();
    let alarms = format!("{active} alarms active, {unacknowledged} unacknowledged");
    match (report.twins.is_empty(), states.is_empty()) {
        (true, _) if problems => format!("no problems; {alarms}"),
        (_, true) => alarms,
        (_, false) => format!("{}; {alarms}", states.join(", ")),
    }
}
