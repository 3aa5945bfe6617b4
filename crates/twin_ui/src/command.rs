//! What a person asked for through the panels. The host carries it out; the panels change nothing by themselves.

use twin_model::{AlarmIndex, KnobIndex, SignalIndex, Span, TimeRange, Timestamp, TwinIndex};

use crate::view::{BranchId, Theme};

/// Towards earlier or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Earlier.
    Back,
    /// Later.
    Forward,
}

/// A side from which the camera can look at the whole site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// From above.
    Top,
    /// From +Z towards −Z.
    Front,
    /// From −Z towards +Z.
    Rear,
    /// From −X towards +X.
    Left,
    /// From +X towards −X.
    Right,
}

/// One wish. Closed on purpose: the host's `match` has no wildcard, so a new wish cannot be forgotten.
#[derive(Debug, Clone, PartialEq)]
pub enum UiCommand {
    /// Select a twin, or nothing; `additive` adds to or takes from the selection.
    Select {
        /// Which.
        twin: Option<TwinIndex>,
        /// Whether to keep the rest of the selection.
        additive: bool,
    },
    /// The pointer is over a twin in a list; `None` when it left. Sent only on change.
    Hover(Option<TwinIndex>),
    /// Fly the camera to a twin.
    Focus(TwinIndex),
    /// Ghost all but the selection, or show all again.
    Isolate(bool),
    /// Move the playhead; the host pauses following and keeps it within known time.
    Seek(Timestamp),
    /// Run the clock.
    Play,
    /// Stop the clock.
    Pause,
    /// Return to live.
    Follow,
    /// Change the speed, between 0.1 and 1000 either way, never 0; negative runs backwards.
    SetSpeed(f64),
    /// Show what had been received by then only, as it was known, or everything that was measured by then, as it was.
    ShowAsKnown(bool),
    /// Show instants of earlier revisions by the site as it was then (rules, names, geometry), or by the one in force.
    JudgeByThen(bool),
    /// Go to the next event of the time bar.
    StepEvent(Direction),
    /// Go to the next sample of the selection, or of anything.
    StepSample(Direction),
    /// Repeat a range, or stop repeating.
    SetLoop(Option<TimeRange>),
    /// The time bar shows another range: fetch density, status and chart for it.
    ShowRange(TimeRange),
    /// Change the theme.
    SetTheme(Theme),
    /// Put a signal into the chart or take it out.
    ToggleChart(SignalIndex),
    /// Take all signals out of the chart.
    ClearChart,
    /// Say that an alarm was seen.
    Acknowledge(AlarmIndex),
    /// Open or close the what-if panel; the host fixes the fork at the playhead when it opens.
    OpenWhatIf(bool),
    /// Change the moment from which the next run departs.
    SetFork(Timestamp),
    /// Change how far the next run goes.
    SetHorizon(Span),
    /// Turn a knob.
    SetKnob {
        /// Which.
        knob: KnobIndex,
        /// To what.
        value: f64,
    },
    /// Put all knobs back to neutral.
    ResetKnobs,
    /// Run the scenario.
    RunScenario,
    /// Stop the run; keep nothing.
    CancelScenario,
    /// Show a branch, or reality.
    ViewBranch(Option<BranchId>),
    /// Forget a branch.
    DeleteBranch(BranchId),
    /// Show the whole site.
    Home,
    /// Look at the whole site from a side.
    LookFrom(Side),
    /// Put a link to this very view on the clipboard.
    CopyLink,
    /// Try again what a problem is about, or to reach the gateway at once.
    Retry(Option<u32>),
    /// Hide the card of a problem.
    DismissProblem(u32),
    /// Load the page, or the window's content, anew.
    Reload,
    /// Collect figures for the performance overlay, or stop.
    ShowPerf(bool),
    /// Draw the plant with shadows and all its materials, or quickly.
    SetQuality(bool),
}
