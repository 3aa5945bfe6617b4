//! The inspector: everything about one twin, with sparklines and what is ahead.

use twin_engine::Engine;
use twin_health::Outlook;
use twin_model::{RuleIndex, RuleKind, SignalIndex, Span, Status, TimeRange, Timestamp, TwinIndex, Value};
use twin_ui::view::{BandsView, EnvelopePoint, InspectorView, OutlookView, ReasonView, RelationView, SignalView};

use super::chart::points;
use crate::platform;
use crate::viewer::state::Viewer;

/// Sparkline: how far back and how many points.
const SPARK: (Span, usize) = (Span::from_secs(10 * 60), 60);

pub(super) fn inspector(viewer: &Viewer, engine: &Engine, index: TwinIndex) -> InspectorView {
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
        last_known: health.last_known.map(|last| (last.status, last.since)),
        freshness: health.freshness,
        score: health.score,
        reasons: reasons.collect(),
        outlooks,
        signals: twin.signals.iter().map(|signal| signal_view(viewer, engine, *signal)).collect(),
        relations: relations.collect(),
    }
}

pub(super) fn outlook_view(engine: &Engine, rule: RuleIndex, outlook: &Outlook) -> OutlookView {
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
pub(super) fn lines(viewer: &mut Viewer, engine: &Engine, twin: TwinIndex) {
    let t = engine.playback().playhead();
    let branch = engine.shown_branch().map(|branch| branch.id.0);
    let asked = (twin, branch, t.floor_to(Span::from_micros(SPARK.0.as_micros() / SPARK.1 as i64)), engine.basis());
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
pub(super) fn spark(engine: &Engine, signal: SignalIndex, t: Timestamp) -> Vec<EnvelopePoint> {
    let series = engine.series(signal, TimeRange::new(t - SPARK.0, t + Span::from_micros(1)), SPARK.1);
    let mut line = points(&series.envelope);
    if let Some(branch) = &series.branch {
        line.extend(points(branch));
    }
    line
}

pub(super) fn bands(engine: &Engine, rule: twin_model::RuleIndex) -> BandsView {
    let model = engine.model();
    let rule = model.rule(rule);
    let range = model.signal(rule.signal).range;
    match &rule.kind {
        RuleKind::Range { bands, .. } => BandsView { bands: bands.clone(), range },
        RuleKind::Match { .. } | RuleKind::Quality { .. } | RuleKind::Stale { .. } => BandsView { bands: Vec::new(), range },
    }
}

pub(super) fn signal_view(viewer: &Viewer, engine: &Engine, index: SignalIndex) -> SignalView {
    let model = engine.model();
    let signal = model.signal(index);
    let t = engine.playback().playhead();
    let sample = engine.sample(index);
    let status = model
        .twin(signal.twin)
        .rules
        .iter()
        .filter(|rule| model.rule(**rule).signal == index)
        .map(|rule| engine.rule_status(*rule))
        .max()
        .unwrap_or(Status::Normal);
    SignalView {
        signal: index,
        name: signal.display_name.clone(),
        unit: signal.unit.0.clone(),
        time: sample.as_ref().map(|sample| sample.source_time),
        age: sample.as_ref().map(|sample| t.since(sample.source_time)),
        quality: sample.as_ref().map_or(twin_model::Quality::BAD, twin_model::Sample::judged_quality),
        value: sample.as_ref().and_then(twin_model::Sample::given).cloned(),
        freshness: engine.freshness(index),
        status,
        kind: signal.kind,
        spark: viewer.kept.sparks.get(&index).cloned().unwrap_or_default(),
        charted: viewer.chart.contains(&index),
        ahead: engine.clock_ahead(index),
    }
}
