//! Fills the panels' view model from the engine: everything at one instant, the playhead.

mod bar;
mod branches;
mod chart;
mod marks;
mod tree;
mod twin;

use std::collections::BTreeMap;

use twin_engine::{Basis, Engine, Renewal};
use twin_health::Outlook;
use twin_model::{Freshness, RuleIndex, SignalIndex, Span, TimeRange, Timestamp, TwinIndex};
use twin_protocol::LinkState as WireLink;
use twin_ui::view::{
    AlarmRow, CameraView, EnvelopePoint, LinkState, LinksView, LoadingView, PerfRow, PerfView, ProblemKind, SourceLink,
    StageState, StageView, StatusSpan,
};

use super::scene::Quality;
use super::state::Viewer;
use crate::session::LinkPhase;

use bar::{branch_strips, clock, timeline};
use branches::what_if;
use chart::chart;
pub use marks::area_of;
use marks::{hover, markers};
use tree::{TreeKept, tree};
use twin::{inspector, lines};

/// What was asked of the time bar, and what flows through it.
type BarAsked = (Span, Timestamp, Option<TwinIndex>, Option<u32>);
type BarFlow = (TimeRange, TimeRange, u64);
/// The same of the inspector's lines; the playhead counts in steps of a sparkline's point.
type LinesAsked = (TwinIndex, Option<u32>, Timestamp, Basis);
type LinesFlow = (Timestamp, u64);
/// The same of the chart; the playhead counts exactly unless it follows.
type ChartFlow = (TimeRange, Timestamp, u64);
type ChartAsked = (Span, Timestamp, Vec<SignalIndex>, Option<u32>, Option<Timestamp>, Basis);

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
    /// Rows of the asset tree.
    pub tree: TreeKept,
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
    tree(&mut viewer.kept.tree, &mut viewer.vm, &engine);
    viewer.vm.alarms = alarms(&engine, viewer.session.is_copy());
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
    let empty = viewer.stage.as_ref().is_some_and(|stage| stage.index().parts.is_empty());
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
    let mut stages: Vec<StageView> = Vec::new();
    for stage in viewer.session.publication.stages() {
        let state = state(stage.done, stage.failed.is_some(), stage.seen.max(1));
        stages.push(StageView { name: stage.name, state, bytes: stage.seen, total: stage.total });
    }
    // Pieces that were asked for are those that the first picture needs.
    let (seen, total) = viewer.session.pieces.seen();
    let running = if viewer.published.is_some() { StageState::Running } else { StageState::Waiting };
    stages.push(StageView { name: "First picture".to_owned(), state: running, bytes: seen, total: (total > 0).then_some(total) });
    viewer.vm.loading = Some(LoadingView { stages });
}

fn links(viewer: &mut Viewer, now: f64) {
    let link = viewer.session.link();
    let gateway = match link.phase() {
        _ if viewer.published.is_none() && viewer.session.publication.failed().is_some() => LinkState::Down,
        LinkPhase::Connecting => LinkState::Connecting,
        LinkPhase::Up => LinkState::Up,
        LinkPhase::Down => LinkState::Down,
        LinkPhase::None => LinkState::None,
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
        refused: link.shut_out().map(str::to_owned),
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

/// Of a copy nobody can be told that an alarm was seen.
fn alarms(engine: &Engine, copy: bool) -> Vec<AlarmRow> {
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
            can_acknowledge: !copy && model.acknowledgements(active.alarm).is_some(),
            since: active.since,
        }
    });
    rows.collect()
}

fn perf(viewer: &Viewer, engine: &Engine, now: f64) -> PerfView {
    if !viewer.perf {
        return PerfView::default();
    }
    let store = engine.reality().store();
    let counts = viewer.session.link().counts;
    let row = |name: &str, value: String| PerfRow { name: name.to_owned(), value, odd: false };
    let megabytes = |bytes: usize| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut rows = vec![
        row("History in memory", megabytes(store.bytes().total())),
        row("Samples received", counts.samples.to_string()),
        row("Stream", megabytes(counts.bytes as usize)),
        row("Left out (lag)", counts.left_out.to_string()),
        row("Uptime", format!("{:.0} s", viewer.uptime(now))),
    ];
    if let Some(stage) = &viewer.stage {
        rows.push(row("Parts", stage.index().parts.len().to_string()));
        rows.push(row("Triangles", stage.scene.triangle_count().to_string()));
        rows.push(row("Draws", stage.draws.to_string()));
    }
    if let Some(first) = viewer.first_picture {
        rows.push(row("First picture", format!("{first:.2} s")));
    }
    PerfView { frame_ms: viewer.frame_ms.iter().copied().collect(), rows, samples: samples(store) }
}

/// What became of samples here, by kind; the gateway counts its own on `/metrics`.
fn samples(store: &twin_historian::Store) -> Vec<PerfRow> {
    let counters = store.counters();
    let ahead = counters.max_ahead;
    let kinds = [
        ("Stored", counters.stored, false),
        ("From history", counters.imported, false),
        ("Late", counters.late, true),
        ("Clock stepped back", counters.backward, true),
        ("Same time twice", counters.duplicates, true),
        ("Same time, another value", counters.duplicates_replaced, true),
        ("Ahead of their receipt", counters.ahead_of_received, true),
        ("From the future, set aside", counters.quarantined, true),
        ("Of unknown signals", counters.unknown_signal, true),
        ("Not a number", counters.nan, true),
        ("Infinite", counters.infinite, true),
        ("Of another kind", counters.kind_mismatch, true),
        ("Thinned for memory", counters.thinned, true),
    ];
    let row = |(name, count, odd): (&str, u64, bool)| PerfRow {
        name: name.to_owned(),
        value: count.to_string(),
        odd: odd && count > 0,
    };
    let mut rows: Vec<PerfRow> = kinds.into_iter().map(row).collect();
    rows.push(PerfRow { name: "Largest lead".into(), value: twin_ui::format::span(ahead), odd: ahead.as_secs_f64() > 1.0 });
    rows
}
