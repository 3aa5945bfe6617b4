//! docs/PROTOCOL.md, "Publication": its example bytes are those that are written, and its table names every field.

use std::path::Path;

use twin_model::{
    AckPolicy, Alarm, AlarmCondition, Band, HealthRule, Interface, Knob, KnobTarget, Limit, ModelBuilder, Priority, ProcessKind,
    ProcessModel, ProcessStart, Relationship, RuleKind, Signal, SignalIndex, SignalKind, SiteInfo, Source, SourceIndex, Span,
    Status, Timestamp, TwinIndex, Unit, Value, ValueKind,
};
use twin_publication::{
    Anchor, Finding, HistoryLevel, HistoryLink, HistoryPage, HistorySignal, Manifest, PieceRef, Placement, PublishedHistory,
    Revision, Revisions, Scene, SiteName, Start, View, ViewerModel,
};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/PROTOCOL.md")).unwrap()
}

/// The block of JSON after a line that begins so, its lines joined: they are broken for reading only.
fn example(head: &str) -> String {
    let page = page();
    let after = page.split(&format!("\n{head}")).nth(1).unwrap_or_else(|| panic!("no '{head}'"));
    let block = after.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    block.lines().map(str::trim).collect()
}

fn signal(twin: u32, name: &str, unit: &str, value_kind: ValueKind) -> Signal {
    let id = ["line-1", "pump-01"][twin as usize].to_owned() + "." + name;
    Signal {
        twin: TwinIndex(twin),
        name: name.into(),
        display_name: name.into(),
        unit: Unit(unit.into()),
        kind: if value_kind == ValueKind::Text { SignalKind::Discrete } else { SignalKind::Analog },
        value_kind,
        expected_period: None,
        late_after: None,
        stale_after: None,
        range: None,
        source: None,
        source_key: id.clone(),
        id: id.as_str().into(),
    }
}

/// The plant of the page: a pump in a line.
fn pump() -> ViewerModel {
    let mut b =
        ModelBuilder::new(SiteInfo { id: "little".into(), name: "Little plant".into(), time_zone: "Europe/Berlin".into() });
    b.interface(Interface { id: "dtmi:little:Pump;1".into(), display_name: "Pump".into() });
    b.source(Source { id: "plc".into(), kind: "websocket".into() });
    let line = b.twin("line-1", "Line 1", "", None);
    let pump = b.twin("pump-01", "pump-01", "dtmi:little:Pump;1", Some(line));
    let flow = b.signal(Signal {
        display_name: "Flow".into(),
        expected_period: Some(Span::from_secs(1)),
        range: Some((0.0, 120.0)),
        source: Some(SourceIndex(0)),
        source_key: "P1.F".into(),
        ..signal(1, "flow", "l/min", ValueKind::Float)
    });
    let mode = b.signal(signal(1, "mode", "", ValueKind::Text));
    let band = |above, status| Band { limit: Limit::Above(above), status };
    let bands = vec![band(80.0, Status::Maintenance), band(95.0, Status::Failure)];
    let (on_delay, off_delay) = (Span::from_secs(5), Span::ZERO);
    let kind = RuleKind::Range { bands, deadband: 0.5, on_delay, off_delay };
    b.rule(HealthRule { id: "flow-high".into(), twin: pump, signal: flow, kind, note: "data sheet, 4.2".into() });
    let kind = RuleKind::Match { cases: vec![(Value::text("FAULT"), Status::Failure)], otherwise: Status::Normal };
    b.rule(HealthRule { id: "mode".into(), twin: line, signal: mode, kind, note: String::new() });
    let limit = Limit::Above(95.0);
    let condition =
        AlarmCondition::Limit { limit, deadband: 0.0, on_delay: Span::ZERO, off_delay: Span::ZERO, ack: AckPolicy::Required };
    b.alarm(Alarm {
        id: "pump-01.overflow".into(),
        twin: pump,
        signal: flow,
        priority: Priority::Critical,
        condition,
        message: "Flow too high".into(),
    });
    b.relationship(Relationship { name: "feeds".into(), source: pump, target: line });
    let (kind, start) = (ProcessKind::Lag { tau: Span::from_secs(30) }, ProcessStart::Model);
    b.process(ProcessModel { signal: flow, kind, expr: "pump-01.flow * 0.9".into(), clamp: Some((0.0, 120.0)), start });
    b.knob(knob(flow));
    let mut transform = std::array::from_fn(|at| f64::from(u8::from(at % 5 == 0)));
    transform[12] = 2.5;
    ViewerModel {
        model: b.build().unwrap(),
        view: View {
            eye: Some([8.0, 6.0, 8.0]),
            target: Some([0.0; 3]),
            time: Some(Start::Recorded),
            select: Some(pump),
            chart: vec![flow, SignalIndex(2)],
            theme: Some("dark".into()),
        },
        placements: vec![Placement { id: "hall".into(), transform, background: vec!["Building/**".into()] }],
        no_geometry: vec![line],
        anchors: vec![Anchor { name: "tag".into(), twin: Some(pump), position: [1.0, 0.5, -2.0] }],
    }
}

fn knob(flow: SignalIndex) -> Knob {
    Knob {
        id: "speed".into(),
        display_name: "Speed".into(),
        targets: vec![KnobTarget::Scale(flow)],
        unit: "%".into(),
        min: -50.0,
        max: 50.0,
        neutral: 0.0,
        step: 1.0,
    }
}

fn manifest() -> Manifest {
    let piece = |text: &str| PieceRef::of(text.as_bytes());
    Manifest {
        site: SiteName { id: "little".into(), name: "Little plant".into() },
        revision: 2,
        valid_from: Timestamp::from_secs(1_772_439_304),
        model: PieceRef::of(&pump().write().unwrap()),
        scene: Some(Scene {
            index: piece("index"),
            geometry: vec![piece("cell 0"), piece("cell 1"), piece("coarse")],
            images: Vec::new(),
            first: vec![2],
        }),
        assets: Vec::new(),
        history: None,
        live: Some("https://plant.example/".into()),
        findings: vec![Finding {
            severity: "warning".into(),
            code: "twin.unbound".into(),
            subject: "line-1".into(),
            message: "twin 'line-1' has no node in any model".into(),
            help: "bind it, or write bind = false if it has no geometry".into(),
            file: "site.toml".into(),
            line: 12,
        }],
    }
}

fn first_revision() -> Revisions {
    let mut list = Revisions::default();
    let manifest = PieceRef::of(b"the first manifest");
    list.add(Revision { number: 1, valid_from: Timestamp::from_secs(1_772_400_000), manifest }).unwrap();
    list
}

#[test]
fn the_model_of_the_page_is_written_so() {
    let bytes = pump().write().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), example("**The model**"));
    assert_eq!(ViewerModel::read(example("**The model**").as_bytes()).unwrap(), pump());
}

#[test]
fn the_manifest_of_the_page_is_written_so() {
    let bytes = manifest().write().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), example("**The manifest**"));
    assert_eq!(Manifest::read(example("**The manifest**").as_bytes()).unwrap(), manifest());
}

#[test]
fn the_list_of_revisions_of_the_page_is_written_so() {
    let bytes = first_revision().write().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), example("**Revisions.**"));
}

#[test]
fn the_page_names_every_field_of_manifest_and_model() {
    let page = page();
    let section = page.split("\n## Publication").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    // The rows as they are in the code: a field that is added there has to be described here.
    let rows = [include_str!("../../src/model/rows.rs"), include_str!("../../src/model/rows/judged.rs")];
    for source in rows.into_iter().chain([include_str!("../../src/manifest.rs")]) {
        let fields = source.lines().filter_map(|line| {
            let line = line
                .trim()
                .trim_start_matches("pub(super) ")
                .trim_start_matches("pub(in crate::model) ")
                .trim_start_matches("pub ");
            let (name, rest) = line.split_once(": ")?;
            let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            (plain && rest.ends_with(',') && !rest.contains(['(', '{'])).then_some(name)
        });
        let fields: Vec<&str> = fields.filter(|name| !matches!(*name, "hash" | "piece" | "manifest" | "what" | "most")).collect();
        assert!(fields.len() > 12, "{fields:?}");
        for name in fields {
            assert!(section.contains(&format!("`{name}`")), "PROTOCOL.md says nothing of `{name}`");
        }
    }
}

#[test]
fn the_catalogue_of_history_on_the_page_is_the_one_that_is_written() {
    let us = Timestamp::from_micros;
    let range = |start, end| twin_model::TimeRange::new(us(start), us(end));
    let begin = 1_772_431_200_000_000;
    let signal = |id: &str, kind| HistorySignal { signal: id.into(), kind };
    let part = PieceRef { bytes: 44_391, ..PieceRef::of(&pump().write().unwrap()) };
    let page = HistoryPage { range: range(begin, begin + 3_600_000_000), samples: 82_000, parts: vec![part] };
    let history = PublishedHistory {
        now: us(1_772_438_400_000_000),
        extent: Some(range(begin, 1_772_438_400_000_001)),
        outside_before: None,
        signals: vec![signal("pump-01.flow", ValueKind::Float), signal("pump-01.mode", ValueKind::Text)],
        levels: vec![HistoryLevel { level: "raw".into(), slab: Span::from_secs(3_600), pages: vec![page] }],
        links: vec![HistoryLink(0, "up".into(), begin)],
    };
    let written = String::from_utf8(history.write().unwrap()).unwrap();
    assert_eq!(written, example("**History in files."));
    assert_eq!(PublishedHistory::read(written.as_bytes()).unwrap(), history);
    // One more of what a fuzzer begins with.
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/publication_manifest/history");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), written);
}
