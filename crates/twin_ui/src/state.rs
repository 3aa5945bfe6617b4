//! What only the panels remember: folds, searches, open panels, the visible stretch of the time bar, toasts.

use std::collections::BTreeSet;

use egui::Rect;
use twin_model::{Span, TimeRange, Timestamp, TwinIndex};

use crate::format::Zone;
use crate::view::{PlayMode, ViewModel};

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
    /// Whether the legend is unfolded.
    pub legend_open: bool,
    /// Whether the help sheet is open.
    pub help_open: bool,
    /// Whether the performance overlay is open.
    pub perf_open: bool,
    pub(crate) folded: BTreeSet<TwinIndex>,
    pub(crate) visible_rows: Vec<u32>,
    pub(crate) reveal: Option<TwinIndex>,
    pub(crate) last_primary: Option<TwinIndex>,
    pub(crate) focus_search: bool,
    pub(crate) sent_hover: Option<TwinIndex>,
    pub(crate) time_view: Option<TimeRange>,
    pub(crate) sent_range: Option<TimeRange>,
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
            legend_open: false,
            help_open: false,
            perf_open: false,
            folded: BTreeSet::new(),
            visible_rows: Vec::new(),
            reveal: None,
            last_primary: None,
            focus_search: false,
            sent_hover: None,
            time_view: None,
            sent_range: None,
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

    /// Keeps the visible stretch sensible as time goes on: the live edge stays in place while following, the playhead stays
    /// in sight while playing.
    pub(crate) fn slide(&mut self, vm: &ViewModel) {
        let clock = &vm.clock;
        let anchor = clock.live_edge.unwrap_or(clock.playhead).max(clock.playhead);
        let Some(view) = self.time_view else {
            if !vm.timeline.extent.is_empty() || clock.live_edge.is_some() {
                let fit = vm.timeline.extent.span();
                let span = if fit > MIN_VIEW && fit < FIRST_VIEW { fit } else { FIRST_VIEW };
                self.time_view = Some(ending_at(anchor, span));
            }
            return;
        };
        if self.drag.is_some() {
            return;
        }
        let moved = match clock.mode {
            PlayMode::Following => Some(ending_at(anchor, view.span())),
            PlayMode::Playing if !view.contains(clock.playhead) => Some(centred(clock.playhead, view.span())),
            PlayMode::Playing | PlayMode::Paused => None,
        };
        if let Some(moved) = moved {
            // Whole pixels only: a view that crawls by fractions would redraw and refetch every frame for nothing.
            let grain = Span::from_micros((view.span().as_micros() / 1024).max(1));
            let start = moved.start.floor_to(grain);
            self.time_view = Some(TimeRange::new(start, start + view.span()));
        }
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
    pub(crate) fn fit(&mut self, extent: TimeRange) {
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

fn centred(at: Timestamp, span: Span) -> TimeRange {
    let start = at - Span::from_micros(span.as_micros() / 4);
    TimeRange::new(start, start + span)
}
