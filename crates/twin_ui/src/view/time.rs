//! What is shown of time: the clock, the time bar and the chart.

use twin_model::{Band, Priority, SignalIndex, SignalKind, Span, Status, TimeRange, Timestamp};

/// How the clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PlayMode {
    /// The playhead is the live edge.
    #[default]
    Following,
    /// The playhead moves at [`ClockView::speed`].
    Playing,
    /// The playhead stands.
    Paused,
}

/// Where the clock stands and how it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockView {
    /// The instant that everything on screen shows.
    pub playhead: Timestamp,
    /// How it runs.
    pub mode: PlayMode,
    /// Seconds of plant time per second; negative runs backwards, never 0.
    pub speed: f64,
    /// Newest instant that has data; `None` without a live source.
    pub live_edge: Option<Timestamp>,
    /// How far the live edge lies behind the wall clock.
    pub lag: Option<Span>,
    /// The playhead waits for history that is on its way.
    pub buffering: bool,
    /// Playing stopped at an end of what is known.
    pub ended: bool,
    /// The plant is a copy in files: nothing is live, and the live edge is the end of what was published.
    pub copy: bool,
    /// What is on show instead of every sample, for example `extracts of 5 minutes`.
    pub extract: Option<String>,
    /// Whether the instant is shown as it was known then (else as it was); `None` where that makes no difference: at the live
    /// edge, and while a branch is shown.
    pub as_known: Option<bool>,
    /// Of which revision of the site the instant is shown, where that is not the same now; `None` from the instant on at which the
    /// revision in force began, while following, and while a branch is shown.
    pub judged: Option<JudgedView>,
}

/// Whether an instant before the revision in force is shown by the site as it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedView {
    /// Whether it is; else by the revision in force.
    pub by_then: bool,
    /// The revision that was in force then.
    pub revision: u64,
}

impl ClockView {
    /// Paused at an instant, without a live source.
    pub const fn at(playhead: Timestamp) -> Self {
        let mode = PlayMode::Paused;
        Self {
            playhead,
            mode,
            speed: 1.0,
            live_edge: None,
            lag: None,
            buffering: false,
            ended: false,
            copy: false,
            extract: None,
            as_known: None,
            judged: None,
        }
    }

    /// Whether time goes on by itself. At the end of a copy nothing does.
    pub fn runs(&self) -> bool {
        match self.mode {
            PlayMode::Paused => false,
            PlayMode::Following => !self.copy,
            PlayMode::Playing => true,
        }
    }

    /// Whether what had not been received by then is left out.
    pub fn is_as_known(&self) -> bool {
        self.as_known == Some(true)
    }

    /// The revision of then, where the instant is shown by it.
    pub fn revision_of_then(&self) -> Option<u64> {
        self.judged.filter(|judged| judged.by_then).map(|judged| judged.revision)
    }

    /// How far the playhead lies behind the live edge; zero while following or without one.
    pub fn behind(&self) -> Span {
        match (self.mode, self.live_edge) {
            (PlayMode::Following, _) | (_, None) => Span::ZERO,
            (_, Some(edge)) => edge.since(self.playhead).max(Span::ZERO),
        }
    }
}

/// A stretch of one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusSpan {
    /// When.
    pub range: TimeRange,
    /// Which.
    pub status: Status,
    /// Whether the data behind it was stale: drawn hatched.
    pub stale: bool,
}

/// What a tick on the time bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TickKind {
    /// An alarm became active.
    Alarm(Priority),
    /// A twin changed to a status.
    Status(Status),
    /// Anything else worth stepping to, for example a link that dropped.
    Event,
    /// The site changed: another revision came into force.
    Revision,
}

/// A moment worth stepping to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeTick {
    /// When.
    pub t: Timestamp,
    /// What kind.
    pub kind: TickKind,
    /// Words for people.
    pub label: String,
}

/// Samples per bucket over a range; buckets are of equal length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DensityView {
    /// The range; `None` while unknown.
    pub range: Option<TimeRange>,
    /// Samples per bucket.
    pub buckets: Vec<u32>,
}

/// What lies on the time bar. Ranges are half-open; lists are sorted by time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineView {
    /// All known time, branches included; what "fit" shows.
    pub extent: TimeRange,
    /// Before this nothing is kept.
    pub retained_from: Option<Timestamp>,
    /// Whether anything was kept from before then; else it is where the first value is.
    pub expired: bool,
    /// Stretches whose data is in memory, sorted and apart; empty means all of it.
    pub loaded: Vec<TimeRange>,
    /// Stretches on their way, sorted.
    pub coming: Vec<TimeRange>,
    /// Stretches that were asked for in vain, sorted.
    pub lost: Vec<TimeRange>,
    /// Stretches of which only some of the samples are here (extracts, or thinned to stay within memory): drawn lighter.
    pub thinned: Vec<TimeRange>,
    /// Stretches without data (a link was down): hatched.
    pub gaps: Vec<TimeRange>,
    /// How much data there is.
    pub density: DensityView,
    /// Status of the selection, or worst of the site, over time.
    pub status: Vec<StatusSpan>,
    /// Whose status the strip shows, for example `Filler bearing` or `Site`.
    pub status_of: String,
    /// Alarms and events.
    pub ticks: Vec<TimeTick>,
    /// The range that playback repeats.
    pub looped: Option<TimeRange>,
}

impl TimelineView {
    /// Known time without anything in it.
    pub const fn empty(extent: TimeRange) -> Self {
        Self {
            extent,
            retained_from: None,
            expired: false,
            loaded: Vec::new(),
            coming: Vec::new(),
            lost: Vec::new(),
            thinned: Vec::new(),
            gaps: Vec::new(),
            density: DensityView { range: None, buckets: Vec::new() },
            status: Vec::new(),
            status_of: String::new(),
            ticks: Vec::new(),
            looped: None,
        }
    }
}

/// One bucket of a line: between `min` and `max`, ending at `last`. A single sample has all three equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnvelopePoint {
    /// Time of the bucket's newest sample.
    pub t: Timestamp,
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// Newest value.
    pub last: f32,
}

impl EnvelopePoint {
    /// A single sample.
    pub const fn sample(t: Timestamp, value: f32) -> Self {
        Self { t, min: value, max: value, last: value }
    }
}

/// One signal in the chart.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesView {
    /// The signal.
    pub signal: SignalIndex,
    /// Words for the signal.
    pub name: String,
    /// Words for its twin.
    pub twin_name: String,
    /// Unit; series of one unit share an axis.
    pub unit: String,
    /// Discrete ones and counters are drawn as steps.
    pub kind: SignalKind,
    /// Buckets over the visible range, oldest first, with the bounding sample on either side.
    pub points: Vec<EnvelopePoint>,
    /// Stretches without data: the line breaks there.
    pub gaps: Vec<TimeRange>,
    /// Threshold lines.
    pub bands: Vec<Band>,
    /// The baseline of the same signal where the view shows a branch: drawn thin and dashed.
    pub baseline: Vec<EnvelopePoint>,
    /// Value at the playhead.
    pub at_playhead: Option<f64>,
}

/// Chosen signals over the visible range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChartView {
    /// In the order they were chosen.
    pub series: Vec<SeriesView>,
}
