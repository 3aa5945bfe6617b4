//! What is shown of what-if runs.

use twin_model::{KnobIndex, Span, TimeRange, Timestamp};

use super::StatusSpan;

/// Name of a branch between host and panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(pub u32);

/// A knob and its setting.
#[derive(Debug, Clone, PartialEq)]
pub struct KnobView {
    /// The knob.
    pub knob: KnobIndex,
    /// Words for people.
    pub name: String,
    /// Unit of the setting.
    pub unit: String,
    /// Smallest setting.
    pub min: f64,
    /// Largest setting.
    pub max: f64,
    /// Setting at which nothing changes.
    pub neutral: f64,
    /// Step of the slider.
    pub step: f64,
    /// Setting now.
    pub value: f64,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// Name of the scenario.
    pub name: String,
    /// From 0 to 1.
    pub progress: f32,
    /// How much plant time is computed.
    pub simulated: Span,
}

/// A branch that a run made.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchView {
    /// Its name between host and panels.
    pub id: BranchId,
    /// Name of the scenario, for example `Speed +20 %`.
    pub name: String,
    /// From the fork to its end.
    pub range: TimeRange,
    /// Whether the view shows it now.
    pub shown: bool,
    /// Worst status over time.
    pub status: Vec<StatusSpan>,
}

/// Whether a change is welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trend {
    /// Welcome.
    Better,
    /// Unwelcome.
    Worse,
    /// Neither.
    Same,
}

/// One line of the comparison between a branch and the baseline. All texts carry their unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// What is compared, for example `Bearing reaches failure`.
    pub what: String,
    /// Without the change.
    pub baseline: String,
    /// With it.
    pub scenario: String,
    /// The difference, with its sign.
    pub delta: String,
    /// Whether it is welcome.
    pub trend: Trend,
}

/// The comparison of one branch with the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsView {
    /// The branch.
    pub branch: BranchId,
    /// Its name.
    pub name: String,
    /// What changes, most important first.
    pub rows: Vec<ResultRow>,
    /// Whether any of the site's models could start from the departure.
    pub simulated: bool,
    /// What a reader must know about the models behind it, as sentences.
    pub remarks: Vec<String>,
}

/// Knobs, runs and branches.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIfView {
    /// What can be changed; empty where the site file has no knobs.
    pub knobs: Vec<KnobView>,
    /// The moment from which the next run departs.
    pub fork: Timestamp,
    /// How far the next run goes.
    pub horizon: Span,
    /// The run under way.
    pub running: Option<RunView>,
    /// Branches so far, oldest first.
    pub branches: Vec<BranchView>,
    /// The comparison on show.
    pub results: Option<ResultsView>,
    /// Why the last run did not finish.
    pub error: Option<String>,
}

impl WhatIfView {
    /// No knobs and no branches.
    pub const fn empty(fork: Timestamp) -> Self {
        Self {
            knobs: Vec::new(),
            fork,
            horizon: Span::from_secs(6 * 3600),
            running: None,
            branches: Vec::new(),
            results: None,
            error: None,
        }
    }

    /// Whether any knob is off its neutral setting.
    pub fn is_changed(&self) -> bool {
        self.knobs.iter().any(|knob| (knob.value - knob.neutral).abs() > knob.step.abs() * 0.5)
    }
}
