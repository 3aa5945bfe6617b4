//! Fills the panels' view model from the engine: everything at one instant, the playhead.

use std::collections::BTreeMap;

use twin_engine::{Engine, Event, EventKind, PlayState, Renewal, marked_events};
use twin_health::Outlook;
use twin_health::text::quantity;
use twin_historian::Envelope;
use twin_model::{
    AlarmState, Freshness, RuleIndex, RuleKind, Sample, SignalIndex, SignalKind, Span, Status, TimeRange, Timestamp, TwinIndex,
    Value,
};
use twin_protocol::LinkState as WireLink;
use twin_scenario::RowKind;
use twin_ui::view::{
    AlarmRow, BandsView, BranchId, BranchView, CameraView, ChartView, ClockView, DensityView, EnvelopePoint, FreshnessCounts,
    HoverView, InspectorView, KnobView, LinkState, LinksView, LoadingView, Marker, OutlookView, PerfRow, PerfView, PlayMode,
    ProblemKind, ReasonView, RelationView, ResultRow, ResultsView, RunView, SeriesView, SignalView, SourceLink, StageState,
    StageView, StatusCounts, StatusSpan, TickKind, TimeTick, TreeRow, Trend, WhatIfView,
};

use super::input::project;
use super::scene::Quality;
use super::state::Viewer;
use crate::platform;
use crate::session::LinkPhase;

/// Sparkline: how far back and how many points.
const SPARK: (Span, usize) = (Span::from_secs(10 * 60), 60);
/// Buckets of the density strip and points of a chart line.
const DENSITY: usize = 360;
const CHART_POINTS: usize = 900;
/// Ticks on the time bar; the bar merges crowded ones to counts.
const TICKS: usize = 600;
/// Marks over the 3D view; near ones merge, so that this bounds work, not ink.
const MARKERS: usize = 600;

/// Parts of a range within which it may slide with the live edge, or the playhead walk, before what is drawn over it counts
/// as another picture that is wanted at once.
const PAGES: i64 = 4;

/// What was asked of the time bar, and what flows through it.
type BarAsked = (Span, Timestamp, Option<TwinIndex>, Option<u32>);
type BarFlow = (TimeRange, TimeRange, u64);
/// The same of the inspector's lines; the playhead counts in steps of a sparkline's point.
type LinesAsked = (TwinIndex, Option<u32>, Timestamp);
type LinesFlow = (Timestamp, u64);
/// The same of the chart; the playhead counts exactly unless it follows.
type ChartFlow = (TimeRange, Timestamp, u64);
type ChartAsked = (Span, Timestamp, Vec<SignalIndex>, Option<u32>, Option<Timestamp>);

/// What is costly to fill and kept until what it was made of changes; [`Renewal`] says how often data alone may ask for it:
/// at most four times a second and for at most a twentieth of the time, each.
#[derive(Default)]
pub struct Kept {
    bar: Renewal<BarAsked, BarFlow>,
    lines: Renewal<LinesAsked, LinesFlow>,
    /// The playhead that the lines were made for: nothing from after the playhead may be shown.
    lines_at: Option<Timestamp>,
    sparks: BTreeMap<SignalIndex, Vec<EnvelopePoint>>,
    outlooks: Vec<(RuleIndex, Outlook)>,
    chart: Renewal<ChartAsked, ChartFlow>,
    chart_at: Option<Timestamp>,
    branches: Renewal<(Vec<u32>, Option<TwinIndex>), ()>,
    strips: Vec<Vec<StatusSpan>>,
}

/// Where on its page a range or an instant lies.
fn page(t: Timestamp, length: Span) -> Timestamp {
    t.floor_to(Span::from_micros((length.as_micros() / PAGES).max(1)))
}

/// Fills everything that the panels show.
pub fn fill(viewer: &mut Viewer, now: f64) {
    loading(viewer);
    links(viewer, now);
    viewer.vm.problems.clone_from(&viewer.problems);
    viewer.vm.selection.clone_from(&viewer.selection);
    viewer.vm.hovered = viewer.hovered;
    viewer.vm.isolated = viewer.isolated;
    viewer.vm.high_quality = viewer.quality == Quality::High;
    let Some(engine) = viewer.engine.take() else { return };
    clock(viewer, &engine, now);
    timeline(viewer, &engine);
    tree(viewer, &engine);
    viewer.vm.alarms = alarms(&engine);
    if let Some(twin) = viewer.selection.last().copied() {
        lines(viewer, &engine, twin);
    }
    viewer.vm.inspector = viewer.selection.last().map(|twin| inspector(viewer, &engine, *twin));
    chart(viewer, &engine);
    branch_strips(viewer, &engine);
    viewer.vm.what_if = what_if(viewer, &engine);
    viewer.vm.perf = perf(viewer, &engine, now);
    viewer.engine = Some(engine);
}

/// What depends on the camera or the pointer: cheap, so filled on every frame.
pub fn overlay(viewer: &mut Viewer) {
    let pose = viewer.orbit.pose;
    let empty = viewer.stage.as_ref().is_some_and(|stage| stage.plan.parts.is_empty());
    // Models that failed have their own words.
    viewer.vm.no_model = empty && viewer.problems.iter().all(|problem| problem.kind != ProblemKind::Model);
    let turned = CameraView { yaw: -pose.yaw, pitch: pose.pitch };
    viewer.vm.camera = viewer.stage.as_ref().filter(|_| !empty).map(|_| turned);
    viewer.vm.markers = markers(viewer);
    viewer.vm.hover = hover(viewer);
}

fn loading(viewer: &mut Viewer) {
    if viewer.stage.is_some() {
        viewer.vm.loading = None;
        return;
    }
    let state = |done: bool, failed: bool, seen: u64| match (done, failed) {
        (true, _) => StageState::Done,
        (_, true) => StageState::Failed,
        _ if seen > 0 => StageState::Running,
        _ => StageState::Waiting,
    };
    let (seen, total) = viewer.session.site.seen();
    let here = viewer.served.is_some();
    let mut stages = vec![StageView {
        name: "Site".to_owned(),
        state: if here { StageState::Done } else { state(false, viewer.session.site.failed().is_some(), seen.max(1)) },
        bytes: seen,
        total,
    }];
    for stage in viewer.session.models.stages() {
        let state = state(stage.done, stage.failed.is_some(), stage.seen);
        stages.push(StageView { name: stage.name, state, bytes: stage.seen, total: stage.total });
    }
    let prepare = if here && viewer.session.models.are_over() { StageState::Running } else { StageState::Waiting };
    stages.push(StageView { name: "Preparing the scene".to_owned(), state: prepare, bytes: 0, total: None });
    viewer.vm.loading = Some(LoadingView { stages });
}

fn links(viewer: &mut Viewer, now: f64) {
    let link = viewer.session.link();
    let gateway = match link.phase() {
        _ if viewer.served.is_none() && viewer.session.site.failed().is_some() => LinkState::Down,
        LinkPhase::Connecting => LinkState::Connecting,
        LinkPhase::Up => LinkState::Up,
        LinkPhase::Down => LinkState::Down,
    };
    let sources = link.sources().iter().map(|(name, state, since, _)| SourceLink {
        name: name.clone(),
        state: match state {
            WireLink::Unknown => LinkState::Connecting,
            WireLink::Up => LinkState::Up,
            WireLink::Down => LinkState::Down,
            WireLink::Ended => LinkState::None,
        },
        since: Some(*since),
        devices_down: devices_down(viewer, name),
    });
    viewer.vm.links = LinksView {
        gateway,
        gateway_since: link.since(),
        retry_in: link.retry_in(now).map(Span::from_secs_f64),
        sources: sources.collect(),
    };
}

/// Twins behind a source of which nothing is heard, of all behind it.
fn devices_down(viewer: &Viewer, source: &str) -> (u32, u32) {
    let Some(engine) = &viewer.engine else { return (0, 0) };
    let model = engine.model();
    let Some(at) = model.sources().iter().position(|each| each.id == source) else { return (0, 0) };
    let behind = |twin: &twin_model::Twin| twin.signals.iter().any(|s| model.signal(*s).source.is_some_and(|s| s.at() == at));
    let mut counts = (0, 0);
    for (twin, state) in model.twins().iter().zip(&engine.frame().twins) {
        if behind(twin) {
            counts.1 += 1;
            counts.0 += u32::from(state.freshness == Freshness::Offline);
        }
    }
    counts
}

fn clock(viewer: &mut Viewer, engine: &Engine, now: f64) {
    let playback = engine.playback();
    let edge = engine.reality().store().extent().map(|extent| extent.end - Span::from_micros(1));
    let live = viewer.session.link().phase() != LinkPhase::Connecting || edge.is_some();
    let lag = edge.and_then(|edge| Some(viewer.session.clock.at(now)?.since(edge).max(Span::ZERO)));
    viewer.vm.clock = ClockView {
        playhead: playback.playhead(),
        mode: match playback.state() {
            PlayState::Following => PlayMode::Following,
            PlayState::Playing => PlayMode::Playing,
            PlayState::Paused => PlayMode::Paused,
        },
        speed: playback.speed(),
        live_edge: if live { engine.live_edge() } else { None },
        lag,
    };
}

fn timeline(viewer: &mut Viewer, engine: &Engine) {
    let Some(mut extent) = engine.bounds() else { return };
    if let Some(served) = viewer.session.history().extent() {
        extent = extent.union(served);
    }
    for branch in engine.branches() {
        extent = extent.union(branch.range);
    }
    let store = engine.reality().store();
    let served_from = viewer.session.history().extent().map(|extent| extent.start);
    let loaded = loaded(viewer, extent);
    let bar = &mut viewer.vm.timeline;
    bar.extent = extent;
    bar.retained_from = served_from.into_iter().chain(store.dropped_before()).max();
    bar.loaded = loaded;
    bar.loading = viewer.session.history().is_busy();
    bar.gaps.clone_from(&viewer.session.gaps);
    bar.looped = engine.playback().selection();
    let shown = viewer.range.or_else(|| viewer.ui.time_view()).unwrap_or(extent);
    let primary = viewer.selection.last().copied().filter(|twin| !engine.model().twin(*twin).rules.is_empty());
    let branch = engine.shown_branch().map(|branch| branch.id.0);
    let asked = (shown.span(), page(shown.start, shown.span()), primary, branch);
    let flowing = (shown, extent, engine.reality().revision());
    let began = platform::monotonic();
    if viewer.kept.bar.is_due(&asked, &flowing, began) {
        bar_lanes(viewer, engine, shown, extent, primary);
        let now = platform::monotonic();
        viewer.kept.bar.done(asked, flowing, now, now - began);
    }
}

/// What is drawn along the time bar: strip, density, thinned stretches, ticks.
fn bar_lanes(viewer: &mut Viewer, engine: &Engine, shown: TimeRange, extent: TimeRange, primary: Option<TwinIndex>) {
    let store = engine.reality().store();
    let known = shown.intersect(extent);
    // Reality ends at the live edge; beyond it lie branches, which have lanes of their own.
    let real = TimeRange::new(known.start, known.end.min(engine.live_edge().unwrap_or(known.end)).max(known.start));
    let bar = &mut viewer.vm.timeline;
    bar.density = DensityView { range: Some(shown), buckets: store.density(shown, DENSITY) };
    bar.status = engine.status_strip(primary, real).iter().map(span).collect();
    bar.status_of = primary.map_or_else(|| "Site".to_owned(), |twin| engine.model().twin(twin).display_name.clone());
    bar.thinned = store.thinned().into_iter().collect();
    bar.ticks = marked_events(engine.model(), &engine.events(known, TICKS)).iter().map(|event| tick(engine, event)).collect();
}

/// What is here: fetched history, and everything since this viewer connected. Empty where nothing has to be fetched.
fn loaded(viewer: &Viewer, extent: TimeRange) -> Vec<TimeRange> {
    let history = viewer.session.history();
    let Some(served) = history.extent() else { return Vec::new() };
    let mut here = history.loaded().to_vec();
    let streamed_from = here.last().map_or(served.end, |last| last.end);
    here.push(TimeRange::new(streamed_from, extent.end.max(streamed_from)));
    here
}

fn span(span: &twin_engine::StatusSpan) -> StatusSpan {
    StatusSpan { range: span.range, status: span.status, stale: span.stale }
}

fn tick(engine: &Engine, event: &Event) -> TimeTick {
    let model = engine.model();
    match event.kind {
        EventKind::Alarm(index, _) => {
            let alarm = model.alarm(index);
            TimeTick { t: event.t, kind: TickKind::Alarm(alarm.priority), label: alarm.message.clone() }
        }
        EventKind::Status(twin, _, status) => {
            let label = format!("{}: {}", model.twin(twin).display_name, status.label());
            TimeTick { t: event.t, kind: TickKind::Status(status), label }
        }
    }
}

fn tree(viewer: &mut Viewer, engine: &Engine) {
    let model = engine.model();
    let frame = engine.frame();
    viewer.vm.tree.clear();
    viewer.vm.status_counts = StatusCounts::default();
    viewer.vm.freshness_counts = FreshnessCounts::default();
    let mut stack: Vec<(TwinIndex, u16)> = model.roots().map(|twin| (twin, 0)).collect();
    stack.reverse();
    while let Some((index, depth)) = stack.pop() {
        let twin = model.twin(index);
        let Some(state) = frame.twins.get(index.at()) else { continue };
        viewer.vm.tree.push(TreeRow {
            twin: index,
            id: twin.id.to_string(),
            name: twin.display_name.clone(),
            depth,
            status: state.status,
            rollup: state.rollup,
            troubled: state.troubled,
            freshness: state.freshness,
            alarms: state.alarms,
            priority: state.rollup_priority,
        });
        // An asset of which nothing is known counts as unknown; what only groups others is no asset.
        if !twin.signals.is_empty() || !twin.rules.is_empty() || twin.children.is_empty() {
            viewer.vm.status_counts.0[usize::from(state.status.code())] += 1;
            viewer.vm.freshness_counts.0[usize::from(state.freshness.code())] += 1;
        }
        stack.extend(twin.children.iter().rev().map(|child| (*child, depth.saturating_add(1))));
    }
}

fn alarms(engine: &Engine) -> Vec<AlarmRow> {
    let model = engine.model();
    let rows = engine.frame().alarms.iter().map(|active| {
        let alarm = model.alarm(active.alarm);
        AlarmRow {
            alarm: active.alarm,
            twin: alarm.twin,
            twin_name: model.twin(alarm.twin).display_name.clone(),
            message: alarm.message.clone(),
            priority: alarm.priority,
            state: active.state,
            since: active.since,
        }
    });
    rows.collect()
}

fn inspector(viewer: &Viewer, engine: &Engine, index: TwinIndex) -> InspectorView {
    let model = engine.model();
    let twin = model.twin(index);
    let health = engine.explain(index);
    let interface = model.interfaces().iter().find(|each| each.id == twin.interface);
    let mut path = Vec::new();
    let mut at = twin.parent;
    while let Some(parent) = at {
        path.push((parent, model.twin(parent).display_name.clone()));
        at = model.twin(parent).parent;
    }
    path.reverse();
    let foreseen = |rule: RuleIndex| viewer.kept.outlooks.iter().find(|(each, _)| *each == rule).map(|(_, outlook)| outlook);
    let reasons = health.reasons.iter().map(|reason| ReasonView {
        status: reason.status,
        rule: model.rule(reason.rule).id.clone(),
        note: model.rule(reason.rule).note.clone(),
        signal: reason.signal,
        signal_name: model.signal(reason.signal).display_name.clone(),
        text: reason.text.clone(),
        value: reason.value.as_ref().and_then(Value::as_f64),
        unit: model.signal(reason.signal).unit.0.clone(),
        threshold: reason.threshold,
        next: reason.next,
        next_at: foreseen(reason.rule)
            .filter(|outlook| reason.next.is_some_and(|(limit, _)| limit == outlook.limit))
            .map(|outlook| outlook.at),
        since: Some(reason.since),
        bands: bands(engine, reason.rule),
    });
    let quiet = twin.rules.iter().filter(|rule| health.reasons.iter().all(|reason| reason.rule != **rule));
    let mut outlooks: Vec<OutlookView> = quiet.filter_map(|rule| Some(outlook_view(engine, *rule, foreseen(*rule)?))).collect();
    outlooks.sort_by_key(|outlook| outlook.at);
    let relations = model.relationships().iter().filter(|edge| edge.source == index || edge.target == index).map(|edge| {
        let outgoing = edge.source == index;
        let other = if outgoing { edge.target } else { edge.source };
        RelationView {
            name: edge.name.clone(),
            other,
            other_name: model.twin(other).display_name.clone(),
            other_status: engine.frame().twins.get(other.at()).map_or(Status::Unknown, |state| state.status),
            outgoing,
        }
    });
    InspectorView {
        twin: index,
        id: twin.id.to_string(),
        name: twin.display_name.clone(),
        interface: interface.map_or_else(|| twin.interface.clone(), |interface| interface.display_name.clone()),
        path,
        status: health.status,
        since: health.since,
        freshness: health.freshness,
        score: health.score,
        reasons: reasons.collect(),
        outlooks,
        signals: twin.signals.iter().map(|signal| signal_view(viewer, engine, *signal)).collect(),
        relations: relations.collect(),
    }
}

fn outlook_view(engine: &Engine, rule: RuleIndex, outlook: &Outlook) -> OutlookView {
    let model = engine.model();
    let signal = model.rule(rule).signal;
    OutlookView {
        signal,
        signal_name: model.signal(signal).display_name.clone(),
        limit: outlook.limit,
        unit: model.signal(signal).unit.0.clone(),
        status: outlook.status,
        at: outlook.at,
        window: outlook.trend.window,
    }
}

/// Sparklines and outlooks of the inspected twin.
fn lines(viewer: &mut Viewer, engine: &Engine, twin: TwinIndex) {
    let t = engine.playback().playhead();
    let branch = engine.shown_branch().map(|branch| branch.id.0);
    let asked = (twin, branch, t.floor_to(Span::from_micros(SPARK.0.as_micros() / SPARK.1 as i64)));
    let flowing = (t, engine.reality().revision());
    let kept = &mut viewer.kept;
    if kept.lines_at.is_some_and(|made_for| t < made_for) {
        kept.lines.forget();
    }
    let began = platform::monotonic();
    if !kept.lines.is_due(&asked, &flowing, began) {
        return;
    }
    let it = engine.model().twin(twin);
    kept.sparks = it.signals.iter().map(|signal| (*signal, spark(engine, *signal, t))).collect();
    kept.outlooks = it.rules.iter().filter_map(|rule| Some((*rule, engine.outlook(*rule)?))).collect();
    kept.lines_at = Some(t);
    let now = platform::monotonic();
    kept.lines.done(asked, flowing, now, now - began);
}

/// The last stretch of a signal before the playhead.
fn spark(engine: &Engine, signal: SignalIndex, t: Timestamp) -> Vec<EnvelopePoint> {
    let series = engine.series(signal, TimeRange::new(t - SPARK.0, t + Span::from_micros(1)), SPARK.1);
    let mut line = points(&series.envelope);
    if let Some(branch) = &series.branch {
        line.extend(points(branch));
    }
    line
}

fn bands(engine: &Engine, rule: twin_model::RuleIndex) -> BandsView {
    let model = engine.model();
    let rule = model.rule(rule);
    let range = model.signal(rule.signal).range;
    match &rule.kind {
        RuleKind::Range { bands, .. } => BandsView { bands: bands.clone(), range },
        RuleKind::Match { .. } | RuleKind::Quality { .. } | RuleKind::Stale { .. } => BandsView { bands: Vec::new(), range },
    }
}

fn signal_view(viewer: &Viewer, engine: &Engine, index: SignalIndex) -> SignalView {
    let model = engine.model();
    let signal = model.signal(index);
    let t = engine.playback().playhead();
    let sample = engine.sample(index);
    let offline = signal.source.is_some_and(|source| engine.links().is_down(source, t));
    let freshness = twin_health::freshness(signal, sample.as_ref(), t, offline);
    let status = model
        .twin(signal.twin)
        .rules
        .iter()
        .filter(|rule| model.rule(**rule).signal == index)
        .filter_map(|rule| engine.rule(*rule))
        .map(|entry| entry.outcome.status())
        .max()
        .unwrap_or(Status::Normal);
    SignalView {
        signal: index,
        name: signal.display_name.clone(),
        unit: signal.unit.0.clone(),
        time: sample.as_ref().map(|sample| sample.source_time),
        age: sample.as_ref().map(|sample| t.since(sample.source_time)),
        quality: sample.as_ref().map_or(twin_model::Quality::BAD, |sample| sample.quality),
        value: sample.map(|sample| sample.value),
        freshness,
        status,
        kind: signal.kind,
        spark: viewer.kept.sparks.get(&index).cloned().unwrap_or_default(),
        charted: viewer.chart.contains(&index),
    }
}

/// Buckets as the panels draw them, between the bounding samples on either side.
fn points(envelope: &Envelope) -> Vec<EnvelopePoint> {
    let bound = |sample: &Sample| {
        let value = sample.value.as_f64().filter(|value| value.is_finite())?;
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
fn chart(viewer: &mut Viewer, engine: &Engine) {
    let Some(range) = viewer.range.or_else(|| viewer.ui.time_view()).or_else(|| engine.bounds()) else {
        viewer.vm.chart = ChartView::default();
        return;
    };
    let t = engine.playback().playhead();
    let following = engine.playback().state() == PlayState::Following;
    let branch = engine.shown_branch().map(|branch| branch.id.0);
    let asked =
        (range.span(), page(range.start, range.span()), viewer.chart.clone(), branch, if following { None } else { Some(t) });
    let flowing = (range, t, engine.reality().revision());
    let kept = &mut viewer.kept;
    if kept.chart_at.is_some_and(|made_for| t < made_for) {
        kept.chart.forget();
    }
    let began = platform::monotonic();
    if kept.chart.is_due(&asked, &flowing, began) {
        viewer.vm.chart = ChartView { series: viewer.chart.iter().map(|signal| series_view(engine, *signal, range)).collect() };
        let now = platform::monotonic();
        kept.chart_at = Some(t);
        kept.chart.done(asked, flowing, now, now - began);
    }
    for series in &mut viewer.vm.chart.series {
        series.at_playhead = engine.sample(series.signal).and_then(|sample| sample.value.as_f64());
    }
}

fn series_view(engine: &Engine, index: SignalIndex, range: TimeRange) -> SeriesView {
    let model = engine.model();
    let signal = model.signal(index);
    let data = engine.series(index, range, CHART_POINTS);
    let mut line = points(&data.envelope);
    let mut gaps = data.envelope.gaps.clone();
    if let Some(branch) = &data.branch {
        line.extend(points(branch));
        gaps.extend(branch.gaps.iter().copied());
    }
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

/// Branches do not change once they are there: their strips are made for new branches and another selection only.
fn branch_strips(viewer: &mut Viewer, engine: &Engine) {
    let primary = viewer.selection.last().copied();
    let asked = (engine.branches().iter().map(|branch| branch.id.0).collect(), primary);
    let now = platform::monotonic();
    if viewer.kept.branches.is_due(&asked, &(), now) {
        let strip =
            |branch: &twin_engine::Branch| -> Vec<StatusSpan> { engine.branch_strip(branch, primary).iter().map(span).collect() };
        viewer.kept.strips = engine.branches().iter().map(strip).collect();
        viewer.kept.branches.done(asked, (), now, 0.0);
    }
}

fn what_if(viewer: &Viewer, engine: &Engine) -> WhatIfView {
    let model = engine.model();
    let knobs = model.knobs().iter().enumerate().map(|(at, knob)| KnobView {
        knob: twin_model::KnobIndex::from_at(at),
        name: knob.display_name.clone(),
        unit: knob.unit.clone(),
        min: knob.min,
        max: knob.max,
        neutral: knob.neutral,
        step: knob.step,
        value: viewer.knobs.get(at).copied().unwrap_or(knob.neutral),
    });
    let shown = engine.shown_branch();
    let branches = engine.branches().iter().enumerate().map(|(nth, branch)| BranchView {
        id: BranchId(branch.id.0),
        name: branch.scenario.name.clone(),
        range: branch.range,
        shown: shown.is_some_and(|shown| shown.id == branch.id),
        status: viewer.kept.strips.get(nth).cloned().unwrap_or_default(),
    });
    let results = shown.or_else(|| engine.branches().last()).map(|branch| ResultsView {
        branch: BranchId(branch.id.0),
        name: branch.scenario.name.clone(),
        rows: branch.comparison.iter().filter(|row| row.changed()).take(40).map(result_row).collect(),
    });
    WhatIfView {
        knobs: knobs.collect(),
        fork: viewer.fork.unwrap_or_else(|| engine.playback().playhead()),
        horizon: viewer.horizon,
        running: engine.running().map(|(name, progress)| RunView {
            name: name.to_owned(),
            progress: progress.fraction,
            simulated: progress.simulated,
        }),
        branches: branches.collect(),
        results,
        error: viewer.run_error.clone(),
    }
}

fn result_row(row: &twin_scenario::Row) -> ResultRow {
    let is_time = matches!(row.kind, RowKind::TimeToStatus | RowKind::TimeToAlarm);
    let cell = |value: Option<f64>| match value {
        Some(hours) if is_time => duration(hours),
        Some(value) => quantity(value, &row.unit),
        None if is_time => "not reached".to_owned(),
        None => "–".to_owned(),
    };
    let delta = match (row.delta, row.baseline, row.scenario) {
        (Some(hours), ..) if is_time => format!("{}{}", if hours > 0.0 { "+" } else { "−" }, duration(hours.abs())),
        (Some(percent), ..) => format!("{}{}", if percent > 0.0 { "+" } else { "" }, quantity(percent, row.delta_unit)),
        (None, None, Some(_)) if is_time => "reached".to_owned(),
        (None, Some(_), None) if is_time => "avoided".to_owned(),
        _ => String::new(),
    };
    ResultRow {
        what: row.label.clone(),
        baseline: cell(row.baseline),
        scenario: cell(row.scenario),
        delta,
        trend: match row.better {
            Some(true) => Trend::Better,
            Some(false) => Trend::Worse,
            None => Trend::Same,
        },
    }
}

/// Hours as people say them.
fn duration(hours: f64) -> String {
    let minutes = (hours * 60.0).round();
    if minutes < 60.0 {
        format!("{minutes:.0}\u{2009}min")
    } else {
        format!("{:.0}\u{2009}h {:02.0}\u{2009}min", (minutes / 60.0).floor(), minutes % 60.0)
    }
}

fn perf(viewer: &Viewer, engine: &Engine, now: f64) -> PerfView {
    if !viewer.perf {
        return PerfView::default();
    }
    let store = engine.reality().store();
    let counts = viewer.session.link().counts;
    let row = |name: &str, value: String| PerfRow { name: name.to_owned(), value };
    let megabytes = |bytes: usize| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut rows = vec![
        row("History in memory", megabytes(store.bytes().total())),
        row("Samples received", counts.samples.to_string()),
        row("Stream", megabytes(counts.bytes as usize)),
        row("Left out (lag)", counts.left_out.to_string()),
        row("Uptime", format!("{:.0} s", viewer.uptime(now))),
    ];
    if let Some(stage) = &viewer.stage {
        rows.push(row("Parts", stage.plan.parts.len().to_string()));
        rows.push(row("Triangles", stage.plan.triangle_count().to_string()));
        rows.push(row("Draws", (stage.plan.chunks.len() + stage.plan.lines.len()).to_string()));
    }
    if let Some(first) = viewer.first_picture {
        rows.push(row("First picture", format!("{first:.2} s")));
    }
    PerfView { frame_ms: viewer.frame_ms.iter().copied().collect(), rows }
}

fn markers(viewer: &Viewer) -> Vec<Marker> {
    let (Some(engine), Some(stage), Some(shell)) = (&viewer.engine, &viewer.stage, viewer.shell) else { return Vec::new() };
    let area = area_of(shell.viewport);
    let model = engine.model();
    let mut wanted = Vec::new();
    for (index, state) in model.twin_indices().zip(&engine.frame().twins) {
        let selected = viewer.selection.contains(&index);
        let alarm = state.alarm.filter(|(_, state)| *state != AlarmState::Normal);
        let troubled = !matches!(state.status, Status::Normal | Status::Unknown);
        if selected || alarm.is_some() || troubled {
            wanted.push((index, state.status, selected, alarm));
        }
    }
    if wanted.len() > MARKERS {
        // What is left out is what presses least.
        wanted.sort_by_key(|(index, status, selected, alarm)| {
            let priority = alarm.map_or(u8::MAX, |(priority, _)| priority.number());
            (!*selected, priority, std::cmp::Reverse(*status), *index)
        });
        wanted.truncate(MARKERS);
    }
    let mut out = Vec::new();
    for (index, status, selected, alarm) in wanted {
        let Some((min, max)) = stage.body(index) else { continue };
        let top = glam::Vec3::new((min.x + max.x) * 0.5, max.y, (min.z + max.z) * 0.5);
        if let Some(at) = project(viewer, top, area) {
            let name = model.twin(index).display_name.clone();
            let at = egui_pos(at);
            out.push(Marker { twin: index, at, name, status, alarm, selected });
        }
    }
    out
}

fn hover(viewer: &Viewer) -> Option<HoverView> {
    let (twin, (x, y), engine) = (viewer.hovered?, viewer.hover_at?, viewer.engine.as_ref()?);
    let model = engine.model();
    let state = engine.frame().twins.get(twin.at())?;
    let signal = model.twin(twin).signals.iter().copied().find(|signal| model.signal(*signal).kind == SignalKind::Analog);
    let line = signal.and_then(|signal| {
        let sample = engine.sample(signal)?;
        let value = quantity(sample.value.as_f64()?, &model.signal(signal).unit.0);
        let age = engine.playback().playhead().since(sample.source_time).as_micros() / 1_000_000;
        Some(format!("{} {value}, {age} s ago, {}", model.signal(signal).display_name, sample.quality.class().as_str()))
    });
    Some(HoverView {
        name: model.twin(twin).display_name.clone(),
        status: state.status,
        freshness: state.freshness,
        line: line.unwrap_or_default(),
        at: egui_pos(bevy::math::Vec2::new(x, y)),
    })
}

fn egui_pos(at: bevy::math::Vec2) -> bevy_egui::egui::Pos2 {
    bevy_egui::egui::pos2(at.x, at.y)
}

/// An egui rectangle as Bevy's.
pub fn area_of(rect: bevy_egui::egui::Rect) -> bevy::math::Rect {
    bevy::math::Rect::new(rect.min.x, rect.min.y, rect.max.x, rect.max.y)
}
