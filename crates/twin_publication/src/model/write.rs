//! From a model to rows.

mod judged;

use twin_model::{AlarmCondition, Knob, KnobTarget, Model, ProcessKind, ProcessModel, RuleKind, Signal, SignalIndex, Span, Twin};

use super::rows::{
    AnchorRow, ComputedRow, Document, InterfaceRow, KnobRow, PlacementRow, ProcessRow, RelationshipRow, SignalRow, SiteRow,
    SourceRow, TargetRow, Text, TwinRow, ViewRow,
};
use super::words::{PROCESS_START, SIGNAL_KIND, VALUE_KIND};
use super::{Placement, Start, View, ViewerModel};
use crate::error::PublicationError;
use crate::instant;
use crate::limits::{FEW, INTERFACES, KNOBS, MODEL_BYTES, PLACEMENTS, RULES, SIGNALS, SOURCES, TWINS};
use crate::list::Num;
use crate::wire::Form;
use judged::{Known, alarm, rule};

/// The form of the model.
pub(super) const FORM: Form =
    Form { what: "the model", format: "orrery.model", version: crate::MODEL_VERSION, most: MODEL_BYTES };

/// A matrix that moves nothing.
pub(super) const IDENTITY: [f64; 16] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];

pub(super) fn write(viewer: &ViewerModel) -> Result<Vec<u8>, PublicationError> {
    let model = &viewer.model;
    let own = own_signals(model);
    counts(viewer, own)?;
    let site = model.site();
    FORM.write(&Document {
        format: FORM.format.into(),
        version: FORM.version,
        site: SiteRow { id: text(&site.id), name: text(&site.name), time_zone: text(&site.time_zone) },
        interfaces: model
            .interfaces()
            .iter()
            .map(|it| InterfaceRow { id: text(&it.id), display_name: unless(&it.display_name, &it.id) })
            .collect(),
        sources: model.sources().iter().map(|it| SourceRow { id: text(&it.id), kind: text(&it.kind) }).collect(),
        twins: model.twins().iter().map(twin).collect(),
        signals: model.signals().iter().take(own).map(|it| signal(it, model)).collect(),
        rules: model.rules().iter().map(|it| rule(it, &Known { model, own })).collect(),
        alarms: model.alarms().iter().map(|it| alarm(it, &Known { model, own })).collect(),
        relationships: model
            .relationships()
            .iter()
            .map(|it| RelationshipRow { name: text(&it.name), source: it.source.0, target: it.target.0 })
            .collect(),
        processes: model.processes().iter().map(process).collect(),
        computed: model.computed().iter().map(|it| ComputedRow { signal: it.signal.0, expr: text(&it.expr) }).collect(),
        knobs: model.knobs().iter().map(knob).collect(),
        view: view(&viewer.view)?,
        placements: viewer.placements.iter().map(placement).collect(),
        no_geometry: viewer.no_geometry.iter().map(|twin| twin.0).collect(),
        anchors: viewer
            .anchors
            .iter()
            .map(|it| AnchorRow {
                name: text(&it.name),
                twin: it.twin.map(|twin| twin.0),
                position: it.position.map(|v| Num(f64::from(v))),
            })
            .collect(),
    })
}

/// How many signals are the site's own. The rest stands behind them and is made anew by whoever builds the model: one for the
/// acknowledgements of each alarm that wants them.
fn own_signals(model: &Model) -> usize {
    let made = (0..model.alarms().len()).filter_map(|at| model.acknowledgements(twin_model::AlarmIndex::from_at(at)));
    made.map(SignalIndex::at).min().unwrap_or(model.signals().len())
}

fn counts(viewer: &ViewerModel, own: usize) -> Result<(), PublicationError> {
    let model = &viewer.model;
    let few = |what, counts: &mut dyn Iterator<Item = usize>| (what, counts.max().unwrap_or(0), FEW);
    let cases =
        &mut model.rules().iter().map(|rule| if let RuleKind::Match { cases, .. } = &rule.kind { cases.len() } else { 0 });
    let states = &mut model.alarms().iter().map(|alarm| match &alarm.condition {
        AlarmCondition::Reported { states, .. } => states.len(),
        AlarmCondition::Limit { .. } => 0,
    });
    for (what, count, most) in [
        ("interfaces", model.interfaces().len(), INTERFACES),
        ("sources", model.sources().len(), SOURCES),
        ("twins", model.twins().len(), TWINS),
        ("signals", own, SIGNALS),
        ("rules", model.rules().len(), RULES),
        ("alarms", model.alarms().len(), RULES),
        ("relationships", model.relationships().len(), RULES),
        ("process models", model.processes().len(), RULES),
        ("computed signals", model.computed().len(), SIGNALS),
        ("knobs", model.knobs().len(), KNOBS),
        ("placed models", viewer.placements.len(), PLACEMENTS),
        ("anchors", viewer.anchors.len(), PLACEMENTS),
        ("twins without geometry", viewer.no_geometry.len(), TWINS),
        ("signals of the chart", viewer.view.chart.len(), FEW),
        few("cases of a rule", cases),
        few("states of an alarm", states),
        few("targets of a knob", &mut model.knobs().iter().map(|knob| knob.targets.len())),
        few("background nodes of a model", &mut viewer.placements.iter().map(|it| it.background.len())),
    ] {
        if count > most {
            return Err(PublicationError::TooMany { what, count, most });
        }
    }
    Ok(())
}

fn text(text: &str) -> Text<'_> {
    Text::Borrowed(text)
}

/// A text, where it is not what it is anyway.
fn unless<'a>(text: &'a str, default: &str) -> Option<Text<'a>> {
    (text != default).then_some(Text::Borrowed(text))
}

fn micros(span: Option<Span>) -> Option<i64> {
    span.map(Span::as_micros)
}

fn pair(pair: Option<(f64, f64)>) -> Option<[Num; 2]> {
    pair.map(|(low, high)| [Num(low), Num(high)])
}

fn word<T: Copy + PartialEq>(words: &super::words::Words<T>, value: T) -> Option<Text<'static>> {
    words.write(value).map(Text::Borrowed)
}

fn twin(twin: &Twin) -> TwinRow<'_> {
    TwinRow {
        id: text(twin.id.as_str()),
        display_name: unless(&twin.display_name, twin.id.as_str()),
        interface: text(&twin.interface),
        parent: twin.parent.map(|parent| parent.0),
    }
}

fn signal<'a>(signal: &'a Signal, model: &Model) -> SignalRow<'a> {
    let id = signal.id.as_str();
    let twin = model.twin(signal.twin).id.as_str();
    // `<twin id>.<name>`, compared without making it: there may be a million of them.
    let usual = id.strip_prefix(twin).and_then(|rest| rest.strip_prefix('.')) == Some(signal.name.as_str());
    SignalRow {
        twin: signal.twin.0,
        name: text(&signal.name),
        id: (!usual).then_some(text(id)),
        display_name: unless(&signal.display_name, &signal.name),
        unit: text(&signal.unit.0),
        kind: word(&SIGNAL_KIND, signal.kind),
        value: word(&VALUE_KIND, signal.value_kind),
        expected_period_us: micros(signal.expected_period),
        late_after_us: micros(signal.late_after),
        stale_after_us: micros(signal.stale_after),
        range: pair(signal.range),
        source: signal.source.map(|source| source.0),
        source_key: unless(&signal.source_key, id),
    }
}

fn process(process: &ProcessModel) -> ProcessRow<'_> {
    let (kind, tau) = match process.kind {
        ProcessKind::Assign => ("assign", None),
        ProcessKind::Lag { tau } => ("lag", Some(tau)),
        ProcessKind::Integrate => ("integrate", None),
        ProcessKind::Growth => ("growth", None),
    };
    ProcessRow {
        signal: process.signal.0,
        kind: text(kind),
        tau_us: micros(tau),
        expr: text(&process.expr),
        clamp: pair(process.clamp),
        start: word(&PROCESS_START, process.start),
    }
}

fn knob(knob: &Knob) -> KnobRow<'_> {
    let target = |target: &KnobTarget| match *target {
        KnobTarget::Scale(signal) => TargetRow { scale: Some(signal.0), ..TargetRow::default() },
        KnobTarget::Offset(signal) => TargetRow { offset: Some(signal.0), ..TargetRow::default() },
        KnobTarget::Set(signal) => TargetRow { set: Some(signal.0), ..TargetRow::default() },
        KnobTarget::ResetAt { signal, value, planned } => {
            TargetRow { reset: Some(signal.0), to: Num(value), planned_us: planned.as_micros(), ..TargetRow::default() }
        }
    };
    KnobRow {
        id: text(&knob.id),
        display_name: unless(&knob.display_name, &knob.id),
        targets: knob.targets.iter().map(target).collect(),
        unit: text(&knob.unit),
        min: Num(knob.min),
        max: Num(knob.max),
        neutral: Num(knob.neutral),
        step: Num(knob.step),
    }
}

fn view(view: &View) -> Result<ViewRow<'_>, PublicationError> {
    let time = match view.time {
        None => None,
        Some(Start::Now) => Some(text("now")),
        Some(Start::Recorded) => Some(text("recorded")),
        Some(Start::At(at)) => Some(Text::Owned(instant::write(at)?)),
    };
    Ok(ViewRow {
        eye: view.eye.map(|place| place.map(Num)),
        target: view.target.map(|place| place.map(Num)),
        time,
        select: view.select.map(|twin| twin.0),
        chart: view.chart.iter().map(|signal| signal.0).collect(),
        theme: view.theme.as_deref().map(text),
    })
}

fn placement(placement: &Placement) -> PlacementRow<'_> {
    let moved = placement.transform.iter().zip(&IDENTITY).any(|(a, b)| a.to_bits() != b.to_bits());
    PlacementRow {
        id: text(&placement.id),
        transform: moved.then(|| placement.transform.map(Num)),
        background: placement.background.iter().map(|glob| text(glob)).collect(),
    }
}
