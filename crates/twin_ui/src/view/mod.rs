//! What the panels show: plain data that the host fills. Refuses to know the engine, egui and pixels.
//!
//! The host keeps one [`ViewModel`], changes the parts that changed and hands it to [`crate::shell`] every frame. Everything
//! in it belongs to one instant, [`ClockView::playhead`]: the panels never look anything up themselves.

mod assets;
mod scene;
mod system;
mod time;
mod what_if;

pub use assets::{
    AlarmRow, BandsView, FreshnessCounts, InspectorView, OutlookView, ReasonView, RelationView, SignalView, StatusCounts, TreeRow,
};
pub use scene::{CameraView, HoverView, Marker};
pub use system::{
    LinkState, LinksView, LoadingView, PerfRow, PerfView, ProblemKind, ProblemView, Severity, SourceLink, StageState, StageView,
};
pub use time::{
    ChartView, ClockView, DensityView, EnvelopePoint, JudgedView, PlayMode, SeriesView, StatusSpan, TickKind, TimeTick,
    TimelineView,
};
pub use what_if::{BranchId, BranchView, KnobView, ResultRow, ResultsView, RunView, Trend, WhatIfView};

use twin_model::{TimeRange, Timestamp, TwinIndex};

/// Dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Theme {
    /// Light text on dark surfaces; the default of a control room.
    #[default]
    Dark,
    /// Dark text on light surfaces.
    Light,
}

/// Name and place of the site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteView {
    /// Words for people.
    pub name: String,
    /// IANA time zone of every clock on screen, for example `Europe/Berlin`. Unknown names show UTC.
    pub time_zone: String,
}

/// Everything that the panels show, at one instant.
#[derive(Debug, Clone)]
pub struct ViewModel {
    /// The site.
    pub site: SiteView,
    /// Dark or light.
    pub theme: Theme,
    /// Nothing blinks or slides when set.
    pub reduced_motion: bool,
    /// Where the clock stands and how it runs.
    pub clock: ClockView,
    /// What lies on the time bar.
    pub timeline: TimelineView,
    /// Every twin, depth first, children after their parent. The panel folds and searches by itself.
    pub tree: Vec<TreeRow>,
    /// Another number whenever a row of the tree is another: what was worked out from the rows holds while it stays.
    pub tree_stamp: u64,
    /// Selected twins, the one in the inspector last.
    pub selection: Vec<TwinIndex>,
    /// The twin under the pointer in the 3D view.
    pub hovered: Option<TwinIndex>,
    /// Whether all but the selection are ghosted.
    pub isolated: bool,
    /// The twin in the inspector.
    pub inspector: Option<InspectorView>,
    /// Alarms that are not normal, in any order: the panel sorts them.
    pub alarms: Vec<AlarmRow>,
    /// Chosen signals over the visible range.
    pub chart: ChartView,
    /// The links between the device and this screen.
    pub links: LinksView,
    /// Knobs, runs and branches.
    pub what_if: WhatIfView,
    /// Twins by status.
    pub status_counts: StatusCounts,
    /// Twins by freshness.
    pub freshness_counts: FreshnessCounts,
    /// Marks at parts, in screen points; drawn over the 3D view.
    pub markers: Vec<Marker>,
    /// What the pointer is over in the 3D view.
    pub hover: Option<HoverView>,
    /// Where the camera looks, for the orientation mark; `None` hides it.
    pub camera: Option<CameraView>,
    /// The site names no 3D model, so the view stays empty: said in words.
    pub no_model: bool,
    /// Whether the plant is drawn with shadows and all its materials; otherwise quickly.
    pub high_quality: bool,
    /// Figures of the performance overlay (F3).
    pub perf: PerfView,
    /// Set while the first view is not complete.
    pub loading: Option<LoadingView>,
    /// Things that went wrong and stay wrong until mended: cards over the 3D view, or the whole screen where fatal.
    pub problems: Vec<ProblemView>,
}

impl ViewModel {
    /// A site without anything in it.
    pub fn empty(site: SiteView) -> Self {
        let never = TimeRange::new(Timestamp::from_micros(0), Timestamp::from_micros(0));
        Self {
            site,
            theme: Theme::Dark,
            reduced_motion: false,
            clock: ClockView::at(never.start),
            timeline: TimelineView::empty(never),
            tree: Vec::new(),
            tree_stamp: 0,
            selection: Vec::new(),
            hovered: None,
            isolated: false,
            inspector: None,
            alarms: Vec::new(),
            chart: ChartView::default(),
            links: LinksView::default(),
            what_if: WhatIfView::empty(never.start),
            status_counts: StatusCounts::default(),
            freshness_counts: FreshnessCounts::default(),
            markers: Vec::new(),
            hover: None,
            camera: None,
            no_model: false,
            high_quality: false,
            perf: PerfView::default(),
            loading: None,
            problems: Vec::new(),
        }
    }

    /// The twin that the inspector is about.
    pub fn primary(&self) -> Option<TwinIndex> {
        self.selection.last().copied()
    }

    /// The branch on show, where the view is not reality.
    pub fn shown_branch(&self) -> Option<&BranchView> {
        self.what_if.branches.iter().find(|branch| branch.shown)
    }
}
