//! The chart of chosen signals.

use twin_engine::{Engine, PlayState};
use twin_historian::Envelope;
use twin_historian::pager::Cover;
use twin_model::{Sample, SignalIndex, TimeRange};
use twin_ui::view::{ChartView, EnvelopePoint, SeriesView};

use super::bar::page;
use super::twin::bands;
use crate::platform;
use crate::viewer::state::Viewer;

/// Points of a chart line.
const CHART_POINTS: usize = 900;

/// Buckets as the panels draw them, between the bounding samples on either side.
pub(super) fn points(envelope: &Envelope) -> Vec<EnvelopePoint> {
    let bound = |sample: &Sample| {
        let value = sample.given()?.as_f64().filter(|value| value.is_finite())?;
        Some(EnvelopePoint::sample(sample.source_time, value as f32))
    };
    let buckets = envelope.buckets.iter().map(|bucket| EnvelopePoint {
        t: bucket.last.t,
        min: bucket.min.v as f32,
        max: bucket.max.v as f32,
        last: bucket.last.v as f32,
    });
    let (before, after) = (envelope.before.as_ref().and_then(bound), envelope.after.as_ref().and_then(bound));
    before.into_iter().chain(buckets).chain(after).collect()
}

/// The chart: its lines are kept, its values are those at the playhead every time.
pub(super) fn chart(viewer: &mut Viewer, engine: &Engine) {
    let Some(range) = viewer.range.or_else(|| viewer.ui.time_view()).or_else(|| engine.bounds()) else {
        viewer.vm.chart = ChartView::default();
        return;
    };
    let t = engine.playback().playhead();
    let following = engine.playback().state() == PlayState::Following;
    let branch = engine.shown_branch().map(|branch| branch.id.0);
    let stands = if following { None } else { Some(t) };
    let asked = (range.span(), page(range.start, range.span()), viewer.chart.clone(), branch, stands, engine.basis());
    let flowing = (range, t, engine.reality().revision());
    let kept = &mut viewer.kept;
    if kept.chart_at.is_some_and(|made_for| t < made_for) {
        kept.chart.forget();
    }
    let began = platform::monotonic();
    if kept.chart.is_due(&asked, &flowing, began) {
        let absent = absent(viewer.session.history().cover(), range);
        let series = viewer.chart.iter().map(|signal| series_view(engine, *signal, range, &absent));
        viewer.vm.chart = ChartView { series: series.collect() };
        let now = platform::monotonic();
        kept.chart_at = Some(t);
        kept.chart.done(asked, flowing, now, now - began);
    }
    for series in &mut viewer.vm.chart.series {
        series.at_playhead = engine.sample(series.signal).and_then(|sample| sample.given()?.as_f64());
    }
}

/// Stretches of which nothing is here: no line is drawn through what may have been anything.
fn absent(cover: &[(TimeRange, Cover)], range: TimeRange) -> Vec<TimeRange> {
    let parts = cover.iter().filter(|(_, cover)| !matches!(cover, Cover::Here(_))).map(|(part, _)| part.intersect(range));
    parts.filter(|part| !part.is_empty()).collect()
}

pub(super) fn series_view(engine: &Engine, index: SignalIndex, range: TimeRange, absent: &[TimeRange]) -> SeriesView {
    let model = engine.model();
    let signal = model.signal(index);
    let data = engine.series(index, range, CHART_POINTS);
    let mut line = points(&data.envelope);
    let mut gaps = data.envelope.gaps.clone();
    if let Some(branch) = &data.branch {
        line.extend(points(branch));
        gaps.extend(branch.gaps.iter().copied());
    }
    let apart = |part: &&TimeRange| gaps.iter().all(|gap| gap.intersect(**part).is_empty());
    let more: Vec<TimeRange> = absent.iter().filter(apart).copied().collect();
    gaps.extend(more);
    gaps.sort_by_key(|gap| gap.start);
    let rules = model.twin(signal.twin).rules.iter().filter(|rule| model.rule(**rule).signal == index);
    SeriesView {
        signal: index,
        name: signal.display_name.clone(),
        twin_name: model.twin(signal.twin).display_name.clone(),
        unit: signal.unit.0.clone(),
        kind: signal.kind,
        points: line,
        gaps,
        bands: rules.flat_map(|rule| bands(engine, *rule).bands).collect(),
        baseline: data.projection.as_ref().map(points).unwrap_or_default(),
        at_playhead: None,
    }
}
