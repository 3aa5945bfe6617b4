//! The table of what a scenario changes against its baseline. Knows nothing of how the two were computed.

use twin_model::{
    AlarmIndex, Limit, Model, ProcessKind, RuleIndex, Signal, SignalIndex, SignalKind, Span, Status, Timestamp, TwinIndex,
};

use crate::tracker::{Summary, Threshold, Tracker, Watcher};

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// Time until a band of a health rule is reached.
    TimeToStatus,
    /// Time until an alarm's limit is passed.
    TimeToAlarm,
    /// How much was counted or integrated.
    Amount,
    /// How much energy was used.
    Energy,
}

/// One line of the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is about.
    pub kind: RowKind,
    /// The signal that it is read from.
    pub signal: SignalIndex,
    /// The health rule, for [`RowKind::TimeToStatus`].
    pub rule: Option<RuleIndex>,
    /// The alarm, for [`RowKind::TimeToAlarm`].
    pub alarm: Option<AlarmIndex>,
    /// The status that is reached, for [`RowKind::TimeToStatus`].
    pub status: Option<Status>,
    /// Words for people.
    pub label: String,
    /// Unit of `baseline` and `scenario`: hours for times, the signal's unit for amounts, `kWh` for used power.
    pub unit: String,
    /// Without the settings. For times: none where it is not reached within the horizon.
    pub baseline: Option<f64>,
    /// With the settings; none as above.
    pub scenario: Option<f64>,
    /// For times: scenario minus baseline, in hours. For the rest: the change in percent of the baseline's size; none
    /// where that is zero and the scenario's is not.
    pub delta: Option<f64>,
    /// Unit of `delta`: `h` or `%`.
    pub delta_unit: &'static str,
    /// Whether the change is for the better: later (or no) trouble, less energy, more counted (fewer for counters named
    /// after losses). None where nothing changes or nobody can tell.
    pub better: Option<bool>,
}

impl Row {
    /// Whether the scenario differs from the baseline.
    pub fn changed(&self) -> bool {
        self.baseline != self.scenario
    }
}

/// Counters whose names contain one of these count something unwanted.
const LOSSES: [&str; 8] = ["reject", "scrap", "waste", "defect", "loss", "fault", "stop", "downtime"];

/// Compares two runs of the same model, fork and horizon: a row for each worse-than-normal band of a range rule, then for
/// each limit alarm, on signals that both runs handed out; then amounts of counters and integrals, and energy. Times are
/// those of the first sample past the limit at or after `fork`, without the rules' delays; already past it at the fork
/// is zero. Samples after `fork + horizon` count for nothing in times.
///
/// Energy is read from signals in units of energy; for twins without one, from signals in W, kW or MW.
/// Trackers of different models give no rows.
pub fn compare(model: &Model, baseline: &Tracker, scenario: &Tracker, fork: Timestamp, horizon: Span) -> Vec<Row> {
    let mut rows = Vec::new();
    for (b, s) in baseline.thresholds().iter().zip(scenario.thresholds()) {
        let same = b.watcher == s.watcher && b.signal == s.signal && b.signal.at() < model.signals().len();
        if same && baseline.summary(b.signal).is_some() && scenario.summary(s.signal).is_some() {
            rows.extend(time_row(model, b, s, fork, horizon));
        }
    }
    let metered = metered_twins(model, baseline);
    for (signal, b) in baseline.summaries().filter(|(signal, _)| signal.at() < model.signals().len()) {
        // Beyond all numbers there is nothing to compare; what ran away is told elsewhere.
        let summed = |it: &Summary| it.integral.is_finite() && it.increase.is_finite();
        if let Some(s) = scenario.summary(signal).filter(|s| summed(s) && summed(&b)) {
            rows.extend(amount_row(model, signal, &b, &s, &metered));
        }
    }
    rows.sort_by_key(|row| row.kind);
    rows
}

fn time_row(model: &Model, b: &Threshold, s: &Threshold, fork: Timestamp, horizon: Span) -> Option<Row> {
    let hours = |crossed: Option<Timestamp>| {
        let after = crossed?.since(fork).max(Span::ZERO);
        (after <= horizon).then(|| after.as_secs_f64() / 3_600.0)
    };
    let (baseline, scenario) = (hours(b.crossed), hours(s.crossed));
    let better = match (baseline, scenario) {
        (None, None) => None,
        (Some(b), Some(s)) if b == s => None,
        (Some(b), Some(s)) => Some(s > b),
        (_, never) => Some(never.is_none()),
    };
    let (rule, status, alarm) = match b.watcher {
        Watcher::Rule(rule, status) => (Some(rule), Some(status), None),
        Watcher::Alarm(alarm) => (None, None, Some(alarm)),
    };
    let message = alarm.and_then(|alarm| model.alarms().get(alarm.at())).map(|alarm| alarm.message.clone());
    Some(Row {
        kind: if rule.is_some() { RowKind::TimeToStatus } else { RowKind::TimeToAlarm },
        signal: b.signal,
        rule,
        alarm,
        status,
        label: message.filter(|text| !text.is_empty()).unwrap_or_else(|| limit_label(model, b)),
        unit: "h".to_owned(),
        baseline,
        scenario,
        delta: scenario.zip(baseline).map(|(s, b)| s - b),
        delta_unit: "h",
        better,
    })
}

fn limit_label(model: &Model, threshold: &Threshold) -> String {
    let signal = model.signal(threshold.signal);
    let (side, limit) = match threshold.limit {
        Limit::Above(limit) => ("above", limit),
        Limit::Below(limit) => ("below", limit),
    };
    format!("{} {side} {limit} {}", name(model, signal), signal.unit.0).trim_end().to_owned()
}

fn name(model: &Model, signal: &Signal) -> String {
    format!("{}: {}", model.twin(signal.twin).display_name, signal.display_name)
}

/// How a signal is measured over a run.
enum Measure {
    Energy(f64, f64),
    Amount(f64, f64),
}

fn amount_row(model: &Model, signal: SignalIndex, b: &Summary, s: &Summary, metered: &[TwinIndex]) -> Option<Row> {
    let definition = model.signal(signal);
    let measure = measure(model, signal, b, s, metered)?;
    let (kind, baseline, scenario) = match measure {
        Measure::Energy(b, s) => (RowKind::Energy, b, s),
        Measure::Amount(b, s) => (RowKind::Amount, b, s),
    };
    let used_power = kind == RowKind::Energy && !is_energy(&definition.unit.0);
    let delta = if baseline == scenario { Some(0.0) } else { Some((scenario - baseline) / baseline.abs() * 100.0) };
    let better = match kind {
        _ if baseline == scenario => None,
        RowKind::Energy => Some(scenario < baseline),
        _ if definition.kind != SignalKind::Counter => None,
        _ if LOSSES.iter().any(|loss| definition.name.contains(loss)) => Some(scenario < baseline),
        _ => Some(scenario > baseline),
    };
    Some(Row {
        kind,
        signal,
        rule: None,
        alarm: None,
        status: None,
        label: name(model, definition),
        unit: if used_power { "kWh".to_owned() } else { definition.unit.0.clone() },
        baseline: Some(baseline),
        scenario: Some(scenario),
        delta: delta.filter(|d| d.is_finite()),
        delta_unit: "%",
        better,
    })
}

fn measure(model: &Model, signal: SignalIndex, b: &Summary, s: &Summary, metered: &[TwinIndex]) -> Option<Measure> {
    let definition = model.signal(signal);
    let unit = definition.unit.0.as_str();
    let counts = definition.kind == SignalKind::Counter;
    let amount = |summary: &Summary| if counts { summary.increase } else { summary.last - summary.first };
    if is_energy(unit) {
        return Some(Measure::Energy(amount(b), amount(s)));
    }
    if let Some(kilowatts) = kilowatts(unit) {
        let used = |summary: &Summary| summary.integral * kilowatts / 3_600.0;
        return (!metered.contains(&definition.twin)).then(|| Measure::Energy(used(b), used(s)));
    }
    let integrates = model.processes().iter().any(|p| p.signal == signal && p.kind == ProcessKind::Integrate);
    (counts || integrates).then(|| Measure::Amount(amount(b), amount(s)))
}

/// Twins with a simulated energy signal; their power would count the same energy twice.
fn metered_twins(model: &Model, tracker: &Tracker) -> Vec<TwinIndex> {
    let signals = tracker.summaries().filter_map(|(signal, _)| model.signals().get(signal.at()));
    signals.filter(|signal| is_energy(&signal.unit.0)).map(|signal| signal.twin).collect()
}

fn is_energy(unit: &str) -> bool {
    matches!(unit, "Wh" | "kWh" | "MWh" | "GWh" | "J" | "kJ" | "MJ" | "GJ")
}

fn kilowatts(unit: &str) -> Option<f64> {
    match unit {
        "W" => Some(0.001),
        "kW" => Some(1.0),
        "MW" => Some(1_000.0),
        _ => None,
    }
}
