//! `orrery whatif`: the same what-if run as in the viewer, as a table.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use twin_engine::{Branch, EngineCommand, ModelStart};
use twin_model::{KnobIndex, Model, SignalIndex, Span, Timestamp};
use twin_scenario::{Row, RowKind, Scenario};

use super::state::LacksJson;
use crate::headless::{self, From, MAX_HORIZON};
use crate::{clock, term};

/// Steps of a run between two looks at whether it is done.
const SLICE: u32 = 100_000;

/// Arguments of `orrery whatif`.
#[derive(Debug, clap::Args)]
pub(super) struct WhatifArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// The moment to start from: RFC 3339, like 2026-03-02T08:15:04Z, or now
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    at: Timestamp,
    /// Turn a knob of the site; may be repeated; an id that is none is answered with those there are
    #[arg(long, value_name = "KNOB=VALUE")]
    set: Vec<String>,
    /// How far to look ahead, for example 8h
    #[arg(long, value_name = "TIME", value_parser = super::span, default_value = "8h")]
    horizon: Span,
    /// Time between computed points; default: a two-thousandth of the horizon, at least 1s
    #[arg(long, value_name = "TIME", value_parser = super::span)]
    step: Option<Span>,
    /// Read history from the data folder of `orrery serve --data`
    #[arg(long, value_name = "DIR", value_parser = super::data_folder(), conflicts_with = "recording")]
    data: Option<PathBuf>,
    /// Read history from a recording of this site
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// Where generators and CSV files begin that the site file starts "now"
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    start: Option<Timestamp>,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &WhatifArgs) -> Result<u8> {
    let (site, faults) = args.site.usable()?;
    let model = &site.loaded.model;
    let settings = args.set.iter().map(|text| setting(model, text)).collect::<Result<Vec<_>>>()?;
    if args.horizon <= Span::ZERO || args.horizon > MAX_HORIZON {
        bail!("the horizon must be longer than nothing and at most {MAX_HORIZON}");
    }
    let from = match (&args.data, &args.recording) {
        (Some(folder), _) => From::Data(folder.clone()),
        (None, Some(file)) => From::Recording(file.clone()),
        (None, None) => From::Sources,
    };
    let mut filled = headless::fill(&site, &from, args.at, args.start.unwrap_or_else(clock::wall))?;
    for remark in &filled.remarks {
        term::warn(remark);
    }
    let missing = filled.missing.iter().map(|lacks| super::state::lacks_json(model, lacks)).collect();
    let thousandth = Span::from_micros(args.horizon.as_micros() / 2_000);
    let step = args.step.unwrap_or_else(|| thousandth.max(Span::from_secs(1)));
    let scenario = Scenario { name: "what-if".to_owned(), fork: args.at, horizon: args.horizon, step, seed: 0, settings };
    filled.engine.apply(EngineCommand::Run(scenario))?;
    let id = loop {
        if let Some(id) = filled.engine.work(SLICE) {
            break id;
        }
    };
    let branch = filled.engine.branches().iter().find(|branch| branch.id == id).context("the run's result was lost")?;
    if args.json {
        term::say(&whatif_json(model, branch, missing, &filled.remarks));
    } else {
        people(model, branch);
    }
    // As for `state`: what is computed from less than the site names is said aloud.
    Ok(filled.code(faults))
}

fn setting(model: &Model, text: &str) -> Result<(KnobIndex, f64)> {
    let known = || model.knobs().iter().map(|knob| knob.id.as_str()).collect::<Vec<_>>().join(", ");
    let (id, value) = text.split_once('=').with_context(|| format!("'{text}' is not KNOB=VALUE"))?;
    let at = model.knobs().iter().position(|knob| knob.id == id.trim());
    let at = at.with_context(|| format!("there is no knob '{}'; the site has: {}", id.trim(), known()))?;
    let value: f64 = value.trim().parse().with_context(|| format!("'{value}' is not a number"))?;
    if let Some(knob) = model.knobs().get(at)
        && !(knob.min..=knob.max).contains(&value)
    {
        bail!("knob '{}' goes from {} to {} {}", knob.id, knob.min, knob.max, knob.unit);
    }
    Ok((KnobIndex::from_at(at), value))
}

#[derive(Serialize)]
struct WhatifJson<'a> {
    at: String,
    horizon_s: f64,
    settings: Vec<SettingJson<'a>>,
    rows: Vec<RowJson<'a>>,
    /// Process models of this run with how they begin.
    models: Vec<ModelJson<'a>>,
    /// Signals that models read at the departure and that can't be fully trusted, and why; only where there are some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    doubtful: Vec<SignalJson<'a>>,
    /// Signals whose numbers depend on the step of the run, and how; only where there are some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsteady: Vec<SignalJson<'a>>,
    /// Signals whose model gives no number somewhere in the run, and when; only where there are some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<SignalJson<'a>>,
    /// Signals that are not simulated, and why.
    left_out: Vec<SignalJson<'a>>,
    /// What was kept and can't be read; only where there is some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<LacksJson>,
    /// What is said on standard error of what it was read from.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    remarks: &'a [String],
}

#[derive(Serialize)]
struct ModelJson<'a> {
    signal: &'a str,
    /// `observed` or `model`: as the site file says, but `model` where no reading speaks for the departure. Integrals and growth always
    /// begin as observed.
    start: &'static str,
    /// The constant that is added to what the equation gives, in the signal's unit.
    offset: f64,
    unit: &'a str,
    /// Why it does not start from a reading that it asks for, or from one that is not good; only where it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct SignalJson<'a> {
    signal: &'a str,
    why: String,
}

#[derive(Serialize)]
struct SettingJson<'a> {
    knob: &'a str,
    value: f64,
    unit: &'a str,
}

#[derive(Serialize)]
struct RowJson<'a> {
    kind: &'static str,
    signal: &'a str,
    rule: Option<&'a str>,
    alarm: Option<&'a str>,
    status: Option<&'static str>,
    label: &'a str,
    unit: &'a str,
    baseline: Option<f64>,
    scenario: Option<f64>,
    delta: Option<f64>,
    delta_unit: &'a str,
    better: Option<bool>,
}

fn whatif_json(model: &Model, branch: &Branch, missing: Vec<LacksJson>, remarks: &[String]) -> String {
    let scenario = &branch.scenario;
    let setting = |(knob, value): &(KnobIndex, f64)| {
        let knob = model.knobs().get(knob.at())?;
        Some(SettingJson { knob: &knob.id, value: *value, unit: &knob.unit })
    };
    let signal = |(signal, why): (SignalIndex, String)| SignalJson { signal: model.signal(signal).id.as_str(), why };
    let out = WhatifJson {
        at: scenario.fork.to_string(),
        horizon_s: scenario.horizon.as_secs_f64(),
        settings: scenario.settings.iter().filter_map(setting).collect(),
        rows: branch.comparison.iter().map(|row| row_json(model, row)).collect(),
        models: models(model, branch).map(|start| model_json(model, branch, start)).collect(),
        doubtful: branch.doubtful.iter().cloned().map(signal).collect(),
        unsteady: branch.unsteady_in_words(model).into_iter().map(signal).collect(),
        held: branch.held_in_words().into_iter().map(signal).collect(),
        left_out: branch.left_out.iter().map(|left| signal((left.signal, branch.why_left_out(model, left)))).collect(),
        missing,
        remarks,
    };
    serde_json::to_string_pretty(&out).unwrap_or_default()
}

/// The models of the run in the order of the site; without those that it did without.
fn models<'a>(model: &'a Model, branch: &'a Branch) -> impl Iterator<Item = &'a ModelStart> {
    model.processes().iter().filter_map(|process| {
        let at = branch.starts.binary_search_by_key(&process.signal, |start| start.signal).ok()?;
        branch.starts.get(at)
    })
}

fn model_json<'a>(model: &'a Model, branch: &Branch, begun: &'a ModelStart) -> ModelJson<'a> {
    let it = model.signal(begun.signal);
    let offset = branch.offsets.iter().find(|(signal, _)| *signal == begun.signal).map_or(0.0, |(_, offset)| *offset);
    let (start, why) = (begun.start.as_str(), begun.why.as_deref());
    ModelJson { signal: it.id.as_str(), start, offset, unit: &it.unit.0, why }
}

fn row_json<'a>(model: &'a Model, row: &'a Row) -> RowJson<'a> {
    RowJson {
        kind: match row.kind {
            RowKind::TimeToStatus => "time_to_status",
            RowKind::TimeToAlarm => "time_to_alarm",
            RowKind::Amount => "amount",
            RowKind::Energy => "energy",
        },
        signal: model.signal(row.signal).id.as_str(),
        rule: row.rule.map(|rule| model.rule(rule).id.as_str()),
        alarm: row.alarm.map(|alarm| model.alarm(alarm).id.as_str()),
        status: row.status.map(twin_model::Status::as_str),
        label: &row.label,
        unit: &row.unit,
        baseline: row.baseline,
        scenario: row.scenario,
        delta: row.delta,
        delta_unit: row.delta_unit,
        better: row.better,
    }
}

fn people(model: &Model, branch: &Branch) {
    let scenario = &branch.scenario;
    let turned: Vec<String> = scenario
        .settings
        .iter()
        .filter_map(|(knob, value)| {
            model.knobs().get(knob.at()).map(|knob| format!("{} {value} {}", knob.display_name, knob.unit))
        })
        .collect();
    let turned = if turned.is_empty() { "nothing changed".to_owned() } else { turned.join(", ") };
    term::say(&format!("from {} for {}: {turned}", scenario.fork, scenario.horizon));
    let number = |v: Option<f64>, unit: &str| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.2} {unit}"));
    let mut rows = Vec::new();
    for row in branch.comparison.iter().filter(|row| row.changed()) {
        let mark = match row.better {
            Some(true) => "better",
            Some(false) => "worse",
            None => "",
        };
        let delta = row.delta.map_or_else(|| "-".to_owned(), |v| format!("{v:+.2} {}", row.delta_unit));
        rows.push(vec![
            row.label.clone(),
            number(row.baseline, &row.unit),
            number(row.scenario, &row.unit),
            delta,
            mark.to_owned(),
        ]);
    }
    if !branch.simulates() {
        term::say("nothing can be simulated from this moment");
    } else if rows.is_empty() {
        term::say("no status, no alarm and no amount would be different");
    } else {
        term::say(&term::table(&["WHAT", "AS IT IS", "WHAT IF", "CHANGE", ""], &rows));
    }
    for remark in branch.remarks(model, 5) {
        term::say(&remark);
    }
    term::say("computed by the site's process models; not a measurement");
}
