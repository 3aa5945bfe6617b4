//! Everything that a person may change about the view, as one closed list.

use twin_model::{SignalIndex, TimeRange, Timestamp};
use twin_scenario::Scenario;

use crate::{Basis, BranchId};

/// Towards earlier or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Earlier.
    Back,
    /// Later.
    Forward,
}

/// One wish; [`Engine::apply`](crate::Engine::apply) carries it out.
#[derive(Debug, Clone, PartialEq)]
pub enum EngineCommand {
    /// Move the playhead, within what can be shown. Several in one frame collapse to the last.
    Seek(SeekTo),
    /// Let the clock run.
    Play,
    /// Stop it.
    Pause,
    /// Return to the live edge.
    Follow,
    /// Factor of real time, negative backwards.
    SetSpeed(f64),
    /// The stretch that playing repeats.
    Select(Option<TimeRange>),
    /// Go to the next alarm or status change.
    StepEvent(Direction),
    /// Go to the next sample of any of these signals; of all where the list is empty.
    StepSample(Vec<SignalIndex>, Direction),
    /// Show instants as they were, or as they were known.
    SetBasis(Basis),
    /// Start a what-if run; one at a time, a second replaces the first.
    Run(Scenario),
    /// Stop the run and forget it.
    CancelRun,
    /// Show a branch, or reality.
    View(Option<BranchId>),
    /// Forget a branch.
    Delete(BranchId),
}

/// Where a seek goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekTo {
    /// Into what can be shown, at its nearest instant.
    Clamped(Timestamp),
    /// Exactly there, even where nothing is known: for links to an instant whose data is still on its way.
    Exact(Timestamp),
}
