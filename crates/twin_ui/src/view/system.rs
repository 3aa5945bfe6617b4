//! What is shown of the program itself: links, loading, problems, performance.

use twin_model::{Span, Timestamp};

/// State of one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LinkState {
    /// Works.
    Up,
    /// Being made.
    Connecting,
    /// Broken.
    Down,
    /// Does not apply: a recording is on show, or there is no such link.
    #[default]
    None,
}

/// The link between a gateway and one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLink {
    /// Name of the source, for example `plc-1`.
    pub name: String,
    /// State of the link from the gateway to it.
    pub state: LinkState,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Devices behind it that do not answer, of all behind it.
    pub devices_down: (u32, u32),
}

/// The three links between a device and this screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinksView {
    /// From this screen to the gateway.
    pub gateway: LinkState,
    /// Since when it is in that state.
    pub gateway_since: Option<Timestamp>,
    /// Time until the next try.
    pub retry_in: Option<Span>,
    /// Why the gateway does not let this screen in, in its words; `None` where that is not why the link is down.
    pub refused: Option<String>,
    /// From the gateway to its sources, and from those to their devices.
    pub sources: Vec<SourceLink>,
}

impl LinksView {
    /// Sources whose link is down.
    pub fn sources_down(&self) -> impl Iterator<Item = &SourceLink> {
        self.sources.iter().filter(|source| source.state == LinkState::Down)
    }

    /// Devices that do not answer behind sources that do.
    pub fn devices_down(&self) -> u32 {
        self.sources.iter().filter(|source| source.state != LinkState::Down).map(|source| source.devices_down.0).sum()
    }
}

/// Where a stage of loading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Done.
    Done,
    /// Failed; a [`ProblemView`] says why.
    Failed,
}

/// One stage of loading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageView {
    /// What it does, for example `Model of the hall`.
    pub name: String,
    /// Where it stands.
    pub state: StageState,
    /// Bytes so far; 0 where it is not about bytes.
    pub bytes: u64,
    /// Bytes in all, where known.
    pub total: Option<u64>,
}

/// Loading of the first view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadingView {
    /// Its stages, in order.
    pub stages: Vec<StageView>,
}

impl LoadingView {
    /// Which part of it is done, from 0 to 1. Stages count alike; within one, bytes decide.
    pub fn fraction(&self) -> f32 {
        let count = self.stages.len().max(1) as f32;
        let parts = self.stages.iter().map(|stage| match (stage.state, stage.total) {
            (StageState::Done | StageState::Failed, _) => 1.0,
            (StageState::Running, Some(total)) if total > 0 => (stage.bytes as f32 / total as f32).min(1.0),
            _ => 0.0,
        });
        parts.sum::<f32>() / count
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// A part does not work.
    Warning,
    /// Nothing can be shown: takes the whole screen.
    Fatal,
}

/// What a problem is about; decides its picture and the action on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// A model file.
    Model,
    /// The site file.
    Site,
    /// The gateway.
    Gateway,
    /// Graphics.
    Graphics,
    /// The program stopped.
    Crash,
}

/// Something that went wrong: what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemView {
    /// Given back by [`crate::UiCommand::DismissProblem`] and [`crate::UiCommand::Retry`].
    pub id: u32,
    /// How bad.
    pub severity: Severity,
    /// What it is about.
    pub kind: ProblemKind,
    /// What happened, one short sentence.
    pub title: String,
    /// Where and why: file, line, reason.
    pub detail: String,
    /// What to do.
    pub help: String,
    /// Whether trying again can help.
    pub can_retry: bool,
}

/// One line of the performance overlay.
#[derive(Debug, Clone, PartialEq)]
pub struct PerfRow {
    /// What is measured.
    pub name: String,
    /// The figure with its unit, as text.
    pub value: String,
    /// Whether it is worth a look: something that should not happen did.
    pub odd: bool,
}

/// Figures of the performance overlay.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PerfView {
    /// Milliseconds of the last frames, oldest first.
    pub frame_ms: Vec<f32>,
    /// Other figures.
    pub rows: Vec<PerfRow>,
    /// What became of samples, by kind; odd ones that occurred stand out.
    pub samples: Vec<PerfRow>,
}
