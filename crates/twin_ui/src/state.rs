//! What only the panels remember: folds, searches, open panels, the visible stretch of the time bar, toasts.

use std::collections::BTreeSet;

use egui::Rect;
use twin_model::{Span, TimeRange, Timestamp, TwinIndex};

use crate::format::Zone;
use crate::view::{BranchId, PlayMode, ViewModel};

/// What the right side panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RightTab {
    /// The selected twin.
    #[default]
    Inspect,
    /// The alarm list.
    Alarms,
    /// Knobs, runs and branches.
    WhatIf,
}

/// What covers the lower part of a narrow screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sheet {
    /// The asset tree.
    Assets,
    /// The right side panel with one of its tabs.
    Right,
    /// The chart.
    Chart,
}

/// A short message that goes away by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Toast {
    pub(crate) text: String,
    pub(crate) symbol: char,
    /// Seconds of egui's clock at which it was first shown.
    pub(crate) since: Option<f64>,
}

/// What the pointer does on the time bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum BarDrag {
    /// Scrubs.
    Scrub,
    /// Selects a range to repeat, from where it began.
    Select(Timestamp),
    /// Moves the visible stretch.
    Pan,
}

/// What decides which rows of the tree are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// What is searched for, in lower case.
    pub(crate) needle: String,
    /// Only what needs attention.
    pub(crate) troubled_only: bool,
    /// Rows that hide what is below.
    pub(crate) folded: BTreeSet<TwinIndex>,
    /// The rows themselves.
    pub(crate) stamp: u64,
}

/// What search and filter of the tree find, without the ancestors that are shown with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hits {
    /// How many; `None` where nothing narrows the tree.
    pub(crate) count: Option<usize>,
    /// Those whose name another hit has too.
    pub(crate) namesakes: BTreeSet<TwinIndex>,
}

/// What the time bar followed last.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// Where the clock stood, and how it ran.
    clock: Option<(Timestamp, PlayMode)>,
    /// The branch on show.
    branch: Option<BranchId>,
    /// What was visible before a branch was shown.
    before: Option<TimeRange>,
}

/// What only the panels remember. Keep one for as long as the viewer runs.
#[derive(Debug, Clone)]
pub struct UiState {
    /// Text in the search field.
    pub search: String,
    /// Whether the tree shows only twins that are neither normal nor unknown, and their ancestors.
    pub troubled_only: bool,
    /// Whether the tree is open; `None` leaves it to the width of the screen.
    pub left_open: Option<bool>,
    /// Whether the right side panel is open; `None` leaves it to the width of the screen.
    pub right_open: Option<bool>,
    /// What the right side panel shows.
    pub right_tab: RightTab,
    /// What covers a narrow screen.
    pub sheet: Option<Sheet>,
    /// Whether the chart drawer is open.
    pub chart_open: bool,
    /// Whether long stretches without data are folded on time bar and chart.
    pub fold_empty: bool,
    /// Whether the legend is unfolded.
    pub legend_open: bool,
    /// Whether the help sheet is open.
    pub help_open: bool,
    /// Whether the performance overlay is open.
    pub perf_open: bool,
    pub(crate) folded: BTreeSet<TwinIndex>,
    pub(crate) visible_rows: Vec<u32>,
    /// What [`Self::visible_rows`] and [`Self::hits`] were worked out from.
    pub(crate) listed: Option<Listed>,
    /// What search and filter find.
    pub(crate) hits: Hits,
    pub(crate) reveal: Option<TwinIndex>,
    pub(crate) last_primary: Option<TwinIndex>,
    pub(crate) focus_search: bool,
    pub(crate) sent_hover: Option<TwinIndex>,
    pub(crate) time_view: Option<TimeRange>,
    pub(crate) sent_range: Option<TimeRange>,
    pub(crate) seen: Seen,
    pub(crate) problems_open: bool,
    pub(crate) drag: Option<BarDrag>,
    pub(crate) hover_time: Option<Timestamp>,
    pub(crate) toasts: Vec<Toast>,
    pub(crate) blocked: Vec<Rect>,
    pub(crate) zone: Zone,
    pub(crate) applied: Option<(crate::view::Theme, bool)>,
}

impl Default for UiState {
    fn default() -> Self {
        Self {
            search: String::new(),
            troubled_only: false,
            left_open: None,
            right_open: None,
            right_tab: RightTab::Inspect,
            sheet: None,
            chart_open: false,
            fold_empty: true,
            legend_open: false,
            help_open: false,
            perf_open: false,
            folded: BTreeSet::new(),
            visible_rows: Vec::new(),
            listed: None,
            hits: Hits::default(),
            reveal: None,
            last_primary: None,
            focus_search: false,
            sent_hover: None,
            time_view: None,
            sent_range: None,
            seen: Seen::default(),
            problems_open: false,
            drag: None,
            hover_time: None,
            toasts: Vec::new(),
            blocked: Vec::new(),
            zone: Zone::named("UTC"),
            applied: None,
        }
    }
}

/// Shortest stretch that the time bar zooms to.
const MIN_VIEW: Span = Span::from_millis(500);
/// What the time bar shows at first: a quarter of an hour.
const FIRST_VIEW: Span = Span::from_secs(15 * 60);
/// Where the live edge stands on the time bar while following, as a part of its width.
const EDGE_AT: f64 = 0.94;
/// Room before the fork and after the end of a branch that comes on show, as a part of its length.
const BRANCH_ROOM: f64 = 0.05;

impl UiState {
    /// The stretch that time bar and chart show; the host fetches density, status and lines for it.
    pub fn time_view(&self) -> Option<TimeRange> {
        self.time_view
    }

    /// Shows another stretch on time bar and chart, for example the one of a deep link.
    pub fn show_range(&mut self, range: TimeRange) {
        let span = range.span().max(MIN_VIEW);
        self.time_view = Some(TimeRange::new(range.start, range.start + span));
    }

    /// Shows a short message for some seconds.
    pub fn toast(&mut self, text: impl Into<String>) {
        self.push_toast(crate::icon::INFO, text.into());
    }

    pub(crate) fn push_toast(&mut self, symbol: char, text: String) {
        self.toasts.retain(|toast| toast.text != text);
        self.toasts.push(Toast { text, symbol, since: None });
        // Three at most: more cannot be read before they go.
        let excess = self.toasts.len().saturating_sub(3);
        self.toasts.drain(..excess);
    }

    /// Reserves a part of the 3D view for something that floats over it.
    pub(crate) fn block(&mut self, rect: Rect) {
        self.blocked.push(rect);
    }

    /// Whether a hand drags something on the time bar.
    pub fn is_dragging_time(&self) -> bool {
        self.drag.is_some()
    }

    /// Keeps the visible stretch sensible as time goes on: the live edge stays in place while following, a playhead that
    /// walks or is sent out of sight is followed page by page, and a branch that comes on show is shown to its end.
    /// Never moves anything under a dragging hand, and never away from where somebody looks while the clock stands.
    pub(crate) fn slide(&mut self, vm: &ViewModel) {
        let clock = &vm.clock;
        let anchor = clock.live_edge.unwrap_or(clock.playhead).max(clock.playhead);
        let Some(view) = self.time_view else {
            if !vm.timeline.extent.is_empty() || clock.live_edge.is_some() {
                let fit = vm.timeline.extent.span();
                let span = if fit > MIN_VIEW && fit < FIRST_VIEW { fit } else { FIRST_VIEW };
                let away = clock.mode != PlayMode::Following && clock.playhead < anchor - span;
                let known = vm.timeline.extent.contains(clock.playhead);
                self.time_view = Some(if away && known { centred(clock.playhead, span) } else { ending_at(anchor, span) });
            }
            return;
        };
        if self.drag.is_some() {
            return;
        }
        let view = self.turn_to_branch(vm, view);
        let was = self.seen.clock.replace((clock.playhead, clock.mode));
        let moved = match clock.mode {
            PlayMode::Following => Some(ending_at(anchor, view.span())),
            PlayMode::Playing | PlayMode::Paused => {
                let left = was.filter(|was| left(view, *was, clock.playhead, clock.mode));
                left.map(|was| not_before(paged(view, was.0, clock.playhead), vm.timeline.extent))
            }
        };
        if let Some(moved) = moved {
            // Whole pixels only: a view that crawls by fractions would redraw and refetch every frame for nothing.
            let grain = Span::from_micros((view.span().as_micros() / 1024).max(1));
            let start = moved.start.floor_to(grain);
            self.time_view = Some(TimeRange::new(start, start + view.span()));
        }
    }

    /// Shows a branch that comes on show from before its fork to after its end, and what was visible before once it goes.
    fn turn_to_branch(&mut self, vm: &ViewModel, view: TimeRange) -> TimeRange {
        let shown = vm.shown_branch();
        if self.seen.branch == shown.map(|branch| branch.id) {
            return view;
        }
        let before = if self.seen.branch.is_none() { Some(view) } else { self.seen.before };
        self.seen.branch = shown.map(|branch| branch.id);
        let turned = match shown {
            Some(branch) => {
                self.seen.before = before;
                let in_sight = view.contains(branch.range.start) && branch.range.end <= view.end;
                let room = Span::from_secs_f64(branch.range.span().as_secs_f64() * BRANCH_ROOM);
                let whole = TimeRange::new(branch.range.start - room, branch.range.end + room);
                if in_sight { view } else { whole }
            }
            None => self.seen.before.take().unwrap_or(view),
        };
        let arrived = if turned.contains(vm.clock.playhead) { turned } else { centred(vm.clock.playhead, turned.span()) };
        self.show_range(arrived);
        arrived
    }

    /// Zooms the visible stretch about an instant; factors above 1 zoom in.
    pub(crate) fn zoom(&mut self, about: Timestamp, factor: f64, extent: TimeRange) {
        let Some(view) = self.time_view else { return };
        let widest = (extent.span().as_secs_f64() * 1.5).max(3_600.0);
        let span = (view.span().as_secs_f64() / factor).clamp(MIN_VIEW.as_secs_f64(), widest);
        let part = about.since(view.start).as_secs_f64() / view.span().as_secs_f64().max(1e-9);
        let start = about - Span::from_secs_f64(span * part);
        self.time_view = Some(TimeRange::new(start, start + Span::from_secs_f64(span)));
    }

    /// Moves the visible stretch by a part of its width.
    pub(crate) fn pan(&mut self, part: f64) {
        let Some(view) = self.time_view else { return };
        let by = Span::from_secs_f64(view.span().as_secs_f64() * part);
        self.time_view = Some(TimeRange::new(view.start + by, view.end + by));
    }

    /// Shows all known time, with a little room after its end.
    pub fn fit(&mut self, extent: TimeRange) {
        if !extent.is_empty() {
            let span = extent.span().max(MIN_VIEW);
            let room = Span::from_micros(span.as_micros() / 24);
            self.time_view = Some(TimeRange::new(extent.start - Span::from_micros(room.as_micros() / 4), extent.end + room));
        }
    }
}

fn ending_at(anchor: Timestamp, span: Span) -> TimeRange {
    let before = Span::from_secs_f64(span.as_secs_f64() * EDGE_AT);
    let start = anchor - before;
    TimeRange::new(start, start + span)
}

/// A stretch moved later where it would show more than a little of the time before anything is known.
fn not_before(view: TimeRange, extent: TimeRange) -> TimeRange {
    let room = Span::from_secs_f64(view.span().as_secs_f64() * 0.06);
    let start = if extent.is_empty() { view.start } else { view.start.max(extent.start - room) };
    TimeRange::new(start, start + view.span())
}

fn centred(at: Timestamp, span: Span) -> TimeRange {
    let start = at - Span::from_micros(span.as_micros() / 2);
    TimeRange::new(start, start + span)
}

/// Whether a playhead that was at `was` has left the view by moving, or arrived outside it by a jump.
///
/// One that walks where it was out of sight already is left alone: somebody looks at another time meanwhile.
fn left(view: TimeRange, was: (Timestamp, PlayMode), now: Timestamp, mode: PlayMode) -> bool {
    if view.contains(now) || now == view.end || was == (now, mode) {
        return false;
    }
    let in_sight = view.contains(was.0) || was.0 == view.end;
    let jumped = now.since(was.0).abs() > Span::from_micros(view.span().as_micros() / 4);
    match mode {
        PlayMode::Paused => now != was.0 && (in_sight || jumped || was.1 == PlayMode::Paused),
        PlayMode::Playing | PlayMode::Following => in_sight || jumped || was.1 != mode,
    }
}

/// The next page in the direction of a playhead that left, with a little of what it came from; one that jumped further
/// than a page stands in the middle.
fn paged(view: TimeRange, was: Timestamp, now: Timestamp) -> TimeRange {
    let span = view.span();
    let part = |of: i64| Span::from_micros(span.as_micros() / of);
    if now >= view.end && now < view.end + span && now >= was {
        TimeRange::new(now - part(8), now - part(8) + span)
    } else if now < view.start && now >= view.start - span && now <= was {
        TimeRange::new(now + part(8) - span, now + part(8))
    } else {
        centred(now, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{BranchView, ClockView, SiteView};

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(s)
    }

    fn range(a: i64, b: i64) -> TimeRange {
        TimeRange::new(at(a), at(b))
    }

    fn seconds(range: TimeRange) -> (i64, i64) {
        let round = |t: Timestamp| (t.as_micros() + 500_000).div_euclid(1_000_000);
        (round(range.start), round(range.end))
    }

    /// A plant known from 0 to 10,000 s, seen from 1,000 to 2,000 s.
    fn seen(playhead: i64, mode: PlayMode) -> (UiState, ViewModel) {
        let mut vm = ViewModel::empty(SiteView::default());
        vm.clock = ClockView { mode, live_edge: Some(at(10_000)), ..ClockView::at(at(playhead)) };
        vm.timeline.extent = range(0, 10_000);
        let mut state = UiState::default();
        state.show_range(range(1_000, 2_000));
        state.slide(&vm);
        (state, vm)
    }

    /// From one playhead to another in a mode: what is visible then.
    fn check(from: i64, to: i64, mode: PlayMode, expected: (i64, i64)) {
        let (mut state, mut vm) = seen(from, mode);
        vm.clock.playhead = at(to);
        state.slide(&vm);
        let view = state.time_view().expect("a view");
        // Whole pixels: within a thousandth of the width.
        let got = seconds(view);
        assert!((got.0 - expected.0).abs() <= 1 && (got.1 - expected.1).abs() <= 1, "{got:?} instead of {expected:?}");
    }

    #[test]
    fn a_playhead_in_sight_moves_nothing() {
        check(1_100, 1_900, PlayMode::Playing, (1_000, 2_000));
        check(1_100, 1_900, PlayMode::Paused, (1_000, 2_000));
    }

    #[test]
    fn playing_out_of_sight_turns_the_page() {
        check(1_995, 2_005, PlayMode::Playing, (1_880, 2_880));
        check(1_005, 995, PlayMode::Playing, (120, 1_120));
    }

    #[test]
    fn a_step_or_seek_out_of_sight_is_followed() {
        check(1_500, 2_100, PlayMode::Paused, (1_975, 2_975));
        check(1_500, 700, PlayMode::Paused, (-60, 940));
        check(1_500, 9_000, PlayMode::Paused, (8_500, 9_500));
    }

    #[test]
    fn who_looks_elsewhere_is_left_alone() {
        let (mut state, mut vm) = seen(1_500, PlayMode::Paused);
        state.show_range(range(5_000, 6_000));
        state.slide(&vm);
        assert_eq!(state.time_view(), Some(range(5_000, 6_000)), "paused");
        vm.clock.mode = PlayMode::Playing;
        state.slide(&vm);
        assert_ne!(state.time_view(), Some(range(5_000, 6_000)), "starting to play shows where");
        state.show_range(range(5_000, 6_000));
        vm.clock.playhead = at(1_501);
        state.slide(&vm);
        assert_eq!(state.time_view(), Some(range(5_000, 6_000)), "playing on");
    }

    #[test]
    fn nothing_moves_under_a_dragging_hand() {
        let (mut state, mut vm) = seen(1_990, PlayMode::Playing);
        state.drag = Some(BarDrag::Scrub);
        vm.clock.playhead = at(2_050);
        state.slide(&vm);
        assert_eq!(state.time_view(), Some(range(1_000, 2_000)));
        state.drag = None;
        state.slide(&vm);
        assert_ne!(state.time_view(), Some(range(1_000, 2_000)), "let go, it is caught up with");
    }

    #[test]
    fn a_branch_on_show_is_seen_to_its_end_and_the_view_comes_back() {
        let (mut state, mut vm) = seen(1_500, PlayMode::Paused);
        let id = BranchId(1);
        let branch = BranchView { id, name: String::new(), range: range(1_500, 21_500), shown: true, status: Vec::new() };
        vm.what_if.branches.push(branch);
        state.slide(&vm);
        let view = state.time_view().expect("a view");
        assert!(view.contains(at(1_500)) && view.contains(at(21_500)), "{view:?}");
        // Playing on within it, nothing moves; a person's zoom stays.
        vm.clock.mode = PlayMode::Playing;
        vm.clock.playhead = at(12_000);
        state.slide(&vm);
        assert_eq!(state.time_view(), Some(view));
        vm.what_if.branches[0].shown = false;
        vm.clock = ClockView { mode: PlayMode::Paused, ..ClockView::at(at(1_600)) };
        state.slide(&vm);
        assert_eq!(state.time_view(), Some(range(1_000, 2_000)));
    }

    #[test]
    fn following_keeps_the_edge_in_place() {
        let (mut state, mut vm) = seen(10_000, PlayMode::Following);
        vm.clock.playhead = at(10_100);
        vm.clock.live_edge = Some(at(10_100));
        state.slide(&vm);
        let view = state.time_view().expect("a view");
        assert!((view.end.since(at(10_100)).as_secs_f64() - 60.0).abs() < 2.0, "{view:?}");
    }
}
