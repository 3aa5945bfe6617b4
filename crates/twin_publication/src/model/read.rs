//! From rows to a model. Whoever wrote the bytes is trusted in nothing: positions, words and ranges are checked before they are
//! used.

mod judged;

use twin_model::{
    ComputedSignal, Interface, Knob, KnobTarget, Model, ModelBuilder, ProcessKind, ProcessModel, Relationship, Signal,
    SignalIndex, SiteInfo, Source, SourceIndex, Span, TwinIndex, Unit,
};

use super::rows::{Document, KnobRow, PlacementRow, ProcessRow, SignalRow, TargetRow, Text, ViewRow};
use super::words::{PROCESS_START, SIGNAL_KIND, VALUE_KIND, unknown};
use super::write::{FORM, IDENTITY};
use super::{Anchor, Placement, Start, View, ViewerModel};
use crate::error::PublicationError;
use crate::instant;
use crate::list::Num;
use judged::{alarm, rule};

type Read<T> = Result<T, PublicationError>;

pub(super) fn read(bytes: &[u8]) -> Read<ViewerModel> {
    let document: Document<'_> = FORM.read(bytes, |document: &Document<'_>| (&*document.format, document.version))?;
    let model = model(&document)?;
    let view = view(&document.view, &model)?;
    let twin = |at: u32, place: String| position(at, model.twins().len(), "twins", place).map(TwinIndex);
    let silent = document.no_geometry.0.iter().enumerate();
    let no_geometry = silent.map(|(at, index)| twin(*index, format!("no_geometry[{at}]"))).collect::<Read<_>>()?;
    let mut anchors = Vec::with_capacity(document.anchors.0.len());
    for (at, row) in document.anchors.0.iter().enumerate() {
        let of = row.twin.map(|index| twin(index, format!("anchors[{at}].twin"))).transpose()?;
        let position = row.position.map(|Num(v)| v as f32);
        anchors.push(Anchor { name: row.name.to_string(), twin: of, position });
    }
    let placements = document.placements.0.iter().map(placement).collect();
    Ok(ViewerModel { model, view, placements, no_geometry, anchors })
}

fn model(document: &Document<'_>) -> Read<Model> {
    let site = &document.site;
    let site = SiteInfo { id: site.id.to_string(), name: site.name.to_string(), time_zone: site.time_zone.to_string() };
    let mut builder = ModelBuilder::new(site);
    for row in &document.interfaces.0 {
        builder.interface(Interface { id: row.id.to_string(), display_name: or(row.display_name.as_ref(), &row.id) });
    }
    for row in &document.sources.0 {
        builder.source(Source { id: row.id.to_string(), kind: row.kind.to_string() });
    }
    for row in &document.twins.0 {
        let name = row.display_name.as_ref().unwrap_or(&row.id);
        builder.twin(&*row.id, name, &row.interface, row.parent.map(TwinIndex));
    }
    for (at, row) in document.signals.0.iter().enumerate() {
        builder.signal(signal(row, at, document)?);
    }
    for (at, row) in document.rules.0.iter().enumerate() {
        builder.rule(rule(row, at, document)?);
    }
    for (at, row) in document.alarms.0.iter().enumerate() {
        builder.alarm(alarm(row, at, document)?);
    }
    for row in &document.relationships.0 {
        let (source, target) = (TwinIndex(row.source), TwinIndex(row.target));
        builder.relationship(Relationship { name: row.name.to_string(), source, target });
    }
    for (at, row) in document.processes.0.iter().enumerate() {
        builder.process(process(row, at)?);
    }
    for row in &document.computed.0 {
        builder.computed(ComputedSignal { signal: SignalIndex(row.signal), expr: row.expr.to_string() });
    }
    for (at, row) in document.knobs.0.iter().enumerate() {
        builder.knob(knob(row, at)?);
    }
    Ok(builder.build()?)
}

/// A text, or what is meant where it is left out.
fn or(text: Option<&Text<'_>>, default: &str) -> String {
    text.map_or(default, |text| text).to_owned()
}

fn position(at: u32, count: usize, what: &str, place: String) -> Read<u32> {
    if (at as usize) < count {
        return Ok(at);
    }
    Err(PublicationError::invalid(place, format!("there is no number {at} among {count} {what}; they count from 0")))
}

fn span(us: Option<i64>) -> Option<Span> {
    us.map(Span::from_micros)
}

/// Two ends in their order, as whoever clamps a number to them needs it.
fn ends(ends: Option<[Num; 2]>, place: impl FnOnce() -> String) -> Read<Option<(f64, f64)>> {
    let Some([Num(low), Num(high)]) = ends else { return Ok(None) };
    if low <= high {
        return Ok(Some((low, high)));
    }
    Err(PublicationError::invalid(place(), "the first number is not at most the second"))
}

fn signal(row: &SignalRow<'_>, at: usize, document: &Document<'_>) -> Read<Signal> {
    let twin = position(row.twin, document.twins.0.len(), "twins", format!("signals[{at}].twin"))?;
    let owner = document.twins.0.get(twin as usize).map_or("", |twin| &twin.id);
    let id = row.id.as_ref().map_or_else(|| [owner, &row.name].join("."), ToString::to_string);
    Ok(Signal {
        twin: TwinIndex(twin),
        name: row.name.to_string(),
        display_name: or(row.display_name.as_ref(), &row.name),
        unit: Unit(row.unit.to_string()),
        kind: SIGNAL_KIND.read(row.kind.as_deref(), || format!("signals[{at}].kind"))?,
        value_kind: VALUE_KIND.read(row.value.as_deref(), || format!("signals[{at}].value"))?,
        expected_period: span(row.expected_period_us),
        late_after: span(row.late_after_us),
        stale_after: span(row.stale_after_us),
        range: ends(row.range, || format!("signals[{at}].range"))?,
        source: row.source.map(SourceIndex),
        source_key: or(row.source_key.as_ref(), &id),
        id: id.as_str().into(),
    })
}

fn process(row: &ProcessRow<'_>, at: usize) -> Read<ProcessModel> {
    let place = |field: &str| format!("processes[{at}].{field}");
    let kind = match &*row.kind {
        "assign" => ProcessKind::Assign,
        "lag" => {
            let tau = row.tau_us.filter(|tau| *tau > 0);
            let missing = || PublicationError::invalid(place("tau_us"), "a lag has a time constant above zero");
            ProcessKind::Lag { tau: Span::from_micros(tau.ok_or_else(missing)?) }
        }
        "integrate" => ProcessKind::Integrate,
        "growth" => ProcessKind::Growth,
        other => return Err(unknown(place("kind"), other, ["assign", "lag", "integrate", "growth"].into_iter())),
    };
    Ok(ProcessModel {
        signal: SignalIndex(row.signal),
        kind,
        expr: row.expr.to_string(),
        clamp: ends(row.clamp, || place("clamp"))?,
        start: PROCESS_START.read(row.start.as_deref(), || place("start"))?,
    })
}

fn knob(row: &KnobRow<'_>, at: usize) -> Read<Knob> {
    let (Num(min), Num(max), Num(neutral), Num(step)) = (row.min, row.max, row.neutral, row.step);
    // What a slider needs, and what the site file's reader asks for.
    if !(min < max && (min..=max).contains(&neutral) && step > 0.0) {
        return Err(PublicationError::invalid(format!("knobs[{at}]"), "min < max, neutral between them, step above zero"));
    }
    let target = |(n, row): (usize, &TargetRow)| {
        target(row).ok_or_else(|| {
            PublicationError::invalid(format!("knobs[{at}].targets[{n}]"), "write exactly one of scale, offset, set and reset")
        })
    };
    Ok(Knob {
        id: row.id.to_string(),
        display_name: or(row.display_name.as_ref(), &row.id),
        targets: row.targets.0.iter().enumerate().map(target).collect::<Read<_>>()?,
        unit: row.unit.to_string(),
        min,
        max,
        neutral,
        step,
    })
}

fn target(row: &TargetRow) -> Option<KnobTarget> {
    match (row.scale, row.offset, row.set, row.reset) {
        (Some(signal), None, None, None) => Some(KnobTarget::Scale(SignalIndex(signal))),
        (None, Some(signal), None, None) => Some(KnobTarget::Offset(SignalIndex(signal))),
        (None, None, Some(signal), None) => Some(KnobTarget::Set(SignalIndex(signal))),
        (None, None, None, Some(signal)) => {
            Some(KnobTarget::ResetAt { signal: SignalIndex(signal), value: row.to.0, planned: Span::from_micros(row.planned_us) })
        }
        _ => None,
    }
}

fn view(row: &ViewRow<'_>, model: &Model) -> Read<View> {
    let place = |place: [Num; 3]| place.map(|Num(v)| v);
    let time = match row.time.as_deref() {
        None => None,
        Some("now") => Some(Start::Now),
        Some("recorded") => Some(Start::Recorded),
        Some(text) => Some(Start::At(instant::read(text, "view.time")?)),
    };
    let select = row.select.map(|at| position(at, model.twins().len(), "twins", "view.select".to_owned())).transpose()?;
    let signals = model.signals().len();
    let chart = row.chart.0.iter().enumerate();
    let chart = chart.map(|(n, at)| position(*at, signals, "signals", format!("view.chart[{n}]")).map(SignalIndex));
    Ok(View {
        eye: row.eye.map(place),
        target: row.target.map(place),
        time,
        select: select.map(TwinIndex),
        chart: chart.collect::<Read<_>>()?,
        theme: row.theme.as_ref().map(ToString::to_string),
    })
}

fn placement(row: &PlacementRow<'_>) -> Placement {
    Placement {
        id: row.id.to_string(),
        transform: row.transform.map_or(IDENTITY, |matrix| matrix.map(|Num(v)| v)),
        background: row.background.0.iter().map(ToString::to_string).collect(),
    }
}
