//! The what-if panel: knobs, the run under way, what changes.

use twin_engine::Engine;
use twin_health::text::quantity;
use twin_scenario::RowKind;
use twin_ui::view::{BranchId, BranchView, KnobView, ResultRow, ResultsView, RunView, Trend, WhatIfView};

use crate::viewer::state::Viewer;

pub(super) fn what_if(viewer: &Viewer, engine: &Engine) -> WhatIfView {
    let model = engine.model();
    let knobs = model.knobs().iter().enumerate().map(|(at, knob)| KnobView {
        knob: twin_model::KnobIndex::from_at(at),
        name: knob.display_name.clone(),
        unit: knob.unit.clone(),
        min: knob.min,
        max: knob.max,
        neutral: knob.neutral,
        step: knob.step,
        value: viewer.knobs.get(at).copied().unwrap_or(knob.neutral),
    });
    let shown = engine.shown_branch();
    let branches = engine.branches().iter().enumerate().map(|(nth, branch)| BranchView {
        id: BranchId(branch.id.0),
        name: branch.scenario.name.clone(),
        range: branch.range,
        shown: shown.is_some_and(|shown| shown.id == branch.id),
        status: viewer.kept.strips.get(nth).cloned().unwrap_or_default(),
    });
    let results = shown.or_else(|| engine.branches().last()).map(|branch| ResultsView {
        branch: BranchId(branch.id.0),
        name: branch.scenario.name.clone(),
        rows: branch.comparison.iter().filter(|row| row.changed()).take(40).map(result_row).collect(),
        simulated: branch.simulates(),
        remarks: branch.remarks(model, 3),
    });
    WhatIfView {
        knobs: knobs.collect(),
        fork: viewer.fork.unwrap_or_else(|| engine.playback().playhead()),
        horizon: viewer.horizon,
        running: engine.running().map(|(name, progress)| RunView {
            name: name.to_owned(),
            progress: progress.fraction,
            simulated: progress.simulated,
        }),
        branches: branches.collect(),
        results,
        error: viewer.run_error.clone(),
    }
}

pub(super) fn result_row(row: &twin_scenario::Row) -> ResultRow {
    let is_time = matches!(row.kind, RowKind::TimeToStatus | RowKind::TimeToAlarm);
    let cell = |value: Option<f64>| match value {
        Some(hours) if is_time => duration(hours),
        Some(value) => quantity(value, &row.unit),
        None if is_time => "not reached".to_owned(),
        None => "–".to_owned(),
    };
    let delta = match (row.delta, row.baseline, row.scenario) {
        (Some(hours), ..) if is_time => format!("{}{}", if hours > 0.0 { "+" } else { "−" }, duration(hours.abs())),
        (Some(percent), ..) => format!("{}{}", if percent > 0.0 { "+" } else { "" }, quantity(percent, row.delta_unit)),
        (None, None, Some(_)) if is_time => "reached".to_owned(),
        (None, Some(_), None) if is_time => "avoided".to_owned(),
        _ => String::new(),
    };
    ResultRow {
        what: row.label.clone(),
        baseline: cell(row.baseline),
        scenario: cell(row.scenario),
        delta,
        trend: match row.better {
            Some(true) => Trend::Better,
            Some(false) => Trend::Worse,
            None => Trend::Same,
        },
    }
}

/// Hours as people say them.
pub(super) fn duration(hours: f64) -> String {
    let minutes = (hours * 60.0).round();
    if minutes < 60.0 {
        format!("{minutes:.0}\u{2009}min")
    } else {
        format!("{:.0}\u{2009}h {:02.0}\u{2009}min", (minutes / 60.0).floor(), minutes % 60.0)
    }
}
