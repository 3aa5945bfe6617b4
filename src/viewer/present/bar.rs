//! Clock and time bar: ticks, status strips, density, what is here of history; computed when asked for, renewed as data flows.

use twin_engine::{Basis, Engine, Event, EventKind, PlayState, marked_events};
use twin_historian::Level;
use twin_historian::pager::Cover;
use twin_model::{Span, TimeRange, Timestamp, TwinIndex};
use twin_publication::Revision;
use twin_ui::view::{ClockView, DensityView, PlayMode, StatusSpan, TickKind, TimeTick};

use crate::platform;
use crate::session::{LinkPhase, level_words};
use crate::viewer::state::Viewer;

/// Buckets of the density strip.
const DENSITY: usize = 360;
/// Ticks on the time bar; the bar merges crowded ones to counts.
const TICKS: usize = 600;
/// Parts of a range within which it may slide with the live edge, or the playhead walk, before what is drawn over it counts
/// as another picture that is wanted at once.
const PAGES: i64 = 4;

/// Where on its page a range or an instant lies.
pub(super) fn page(t: Timestamp, length: Span) -> Timestamp {
    t.floor_to(Span::from_micros((length.as_micros() / PAGES).max(1)))
}

pub(super) fn clock(viewer: &mut Viewer, engine: &Engine, now: f64) {
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
        buffering: playback.buffering(),
        ended: playback.ended(),
        copy: viewer.session.is_copy(),
        extract: extract(engine),
        as_known: as_known(engine),
        judged: viewer.judged(engine),
    };
}

/// Whether the instant is shown as it was known, where that makes a difference.
fn as_known(engine: &Engine) -> Option<bool> {
    let same = engine.playback().state() == PlayState::Following || engine.shown_branch().is_some();
    (!same).then(|| engine.asked_basis() == Basis::Known)
}

/// What the playhead's instant is shown from, where that is not every sample.
fn extract(engine: &Engine) -> Option<String> {
    let playback = engine.playback();
    let level = engine.reality().store().detail_at(playback.playhead());
    (playback.state() != PlayState::Following && level != Level::Raw).then(|| level_words(level).to_owned())
}

pub(super) fn timeline(viewer: &mut Viewer, engine: &Engine) {
    let Some(mut extent) = engine.bounds() else { return };
    if let Some(served) = viewer.session.history().extent() {
        extent = extent.union(served);
    }
    for branch in engine.branches() {
        extent = extent.union(branch.range);
    }
    let served_from = viewer.session.history().extent().map(|extent| extent.start);
    let outside = viewer.session.history().outside_before();
    let cover = viewer.session.history().cover().to_vec();
    let bar = &mut viewer.vm.timeline;
    bar.extent = extent;
    bar.retained_from = served_from.max(outside);
    bar.expired = outside.is_some();
    covered(bar, &cover);
    bar.gaps.clone_from(&viewer.session.gaps);
    bar.looped = engine.playback().selection();
    let shown = viewer.range.or_else(|| viewer.ui.time_view()).unwrap_or(extent);
    let primary = viewer.selection.last().copied().filter(|twin| !engine.model().twin(*twin).rules.is_empty());
    let branch = engine.shown_branch().map(|branch| branch.id.0);
    let asked = (shown.span(), page(shown.start, shown.span()), primary, branch);
    let flowing = (shown, extent, engine.reality().revision() + viewer.session.revisions.list().len() as u64);
    let began = platform::monotonic();
    if viewer.kept.bar.is_due(&asked, &flowing, began) {
        bar_lanes(viewer, engine, shown, extent, primary);
        let now = platform::monotonic();
        viewer.kept.bar.done(asked, flowing, now, now - began);
    }
}

/// What is drawn along the time bar: strip, density, thinned stretches, ticks.
pub(super) fn bar_lanes(viewer: &mut Viewer, engine: &Engine, shown: TimeRange, extent: TimeRange, primary: Option<TwinIndex>) {
    let store = engine.reality().store();
    let known = shown.intersect(extent);
    // Reality ends at the live edge; beyond it lie branches, which have lanes of their own.
    let real = TimeRange::new(known.start, known.end.min(engine.live_edge().unwrap_or(known.end)).max(known.start));
    let bar = &mut viewer.vm.timeline;
    bar.density = DensityView { range: Some(shown), buckets: store.density(shown, DENSITY) };
    bar.status = engine.status_strip(primary, real).iter().map(span).collect();
    bar.status_of = primary.map_or_else(|| "Site".to_owned(), |twin| engine.model().twin(twin).display_name.clone());
    bar.ticks = marked_events(engine.model(), &engine.events(known, TICKS)).iter().map(|event| tick(engine, event)).collect();
    let revisions = viewer.session.revisions.list();
    bar.ticks.extend(revisions.iter().skip(1).filter(|revision| known.contains(revision.valid_from)).map(changed_site));
    bar.ticks.sort_by_key(|tick| tick.t);
}

/// What is here, only in extracts, on its way or lost.
fn covered(bar: &mut twin_ui::view::TimelineView, cover: &[(TimeRange, Cover)]) {
    let of = |wanted: &dyn Fn(Cover) -> bool| -> Vec<TimeRange> {
        cover.iter().filter(|(_, cover)| wanted(*cover)).map(|(range, _)| *range).collect()
    };
    bar.loaded = of(&|cover| matches!(cover, Cover::Here(_)));
    bar.thinned = of(&|cover| matches!(cover, Cover::Here(level) if level != Level::Raw));
    bar.coming = of(&|cover| cover == Cover::Coming);
    bar.lost = of(&|cover| cover == Cover::Lost);
}

pub(super) fn span(span: &twin_engine::StatusSpan) -> StatusSpan {
    StatusSpan { range: span.range, status: span.status, stale: span.stale }
}

pub(super) fn tick(engine: &Engine, event: &Event) -> TimeTick {
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

/// A change of the site; the first revision is none.
fn changed_site(revision: &Revision) -> TimeTick {
    TimeTick {
        t: revision.valid_from,
        kind: TickKind::Revision,
        label: format!("The site changed: revision {}", revision.number),
    }
}

/// Branches do not change once they are there: their strips are made for new branches and another selection only.
pub(super) fn branch_strips(viewer: &mut Viewer, engine: &Engine) {
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
