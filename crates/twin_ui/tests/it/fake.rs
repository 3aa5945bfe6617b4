//! A made-up bottling hall for the gallery and the tests: rich enough that every panel has something to show.

use egui::{Rect, pos2};
use twin_model::{
    AlarmIndex, AlarmState, Band, Freshness, KnobIndex, Limit, Priority, Quality, SignalIndex, SignalKind, Span, Status,
    TimeRange, Timestamp, TwinIndex, Value,
};
use twin_ui::view::*;

/// The moment of the pictures: Saturday 21 November 2026, 14:02:31 in Berlin.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T13:02:31.2Z".parse().expect("literal")
}

fn before(seconds: i64) -> Timestamp {
    now() - Span::from_secs(seconds)
}

fn noise(seed: u64) -> f32 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 27;
    (x % 10_000) as f32 / 10_000.0
}

/// Id, name, depth, status, freshness, alarm.
type Made = (&'static str, &'static str, u16, Status, Freshness, Option<Priority>);

const TREE: &[Made] = &[
    ("hall", "Bottling hall", 0, Status::Unknown, Freshness::Live, None),
    ("process", "Process", 1, Status::Unknown, Freshness::Live, None),
    ("tank-01", "Syrup tank 1", 2, Status::Normal, Freshness::Live, None),
    ("tank-02", "Syrup tank 2", 2, Status::Normal, Freshness::Live, Some(Priority::High)),
    ("mixer-01", "Mixer", 2, Status::Normal, Freshness::Live, None),
    ("pump-01", "Transfer pump 1", 2, Status::Maintenance, Freshness::Live, None),
    ("pump-02", "Transfer pump 2", 2, Status::Normal, Freshness::Live, None),
    ("pasteurizer-01", "Pasteurizer", 2, Status::Normal, Freshness::Stale, None),
    ("filling-line", "Filling line", 1, Status::Unknown, Freshness::Live, None),
    ("depalletizer-01", "Depalletizer", 2, Status::Normal, Freshness::Live, None),
    ("rinser-01", "Rinser", 2, Status::Normal, Freshness::Live, None),
    ("filler-01", "Filler", 2, Status::Normal, Freshness::Live, None),
    ("filler-bearing-01", "Filler main bearing", 3, Status::OutOfSpecification, Freshness::Live, Some(Priority::Critical)),
    ("capper-01", "Capper", 2, Status::FunctionCheck, Freshness::Live, None),
    ("labeller-01", "Labeller", 2, Status::Normal, Freshness::Late, None),
    ("inspector-01", "Inspection camera", 2, Status::Unknown, Freshness::NeverSeen, None),
    ("packing-line", "Packing line", 1, Status::Unknown, Freshness::Live, None),
    ("packer-01", "Packer", 2, Status::Normal, Freshness::Live, None),
    ("palletizer-01", "Palletizer with automatic slip-sheet dispenser, east side", 2, Status::Normal, Freshness::Live, None),
    ("robot-01", "Palletizing robot 1", 2, Status::Failure, Freshness::Live, Some(Priority::High)),
    ("robot-02", "Palletizing robot 2", 2, Status::Normal, Freshness::Live, None),
    ("utilities", "Utilities", 1, Status::Unknown, Freshness::Live, None),
    ("compressor-01", "Compressor 1", 2, Status::Normal, Freshness::Live, None),
    ("compressor-02", "Compressor 2", 2, Status::Normal, Freshness::Offline, None),
    ("chiller-01", "Chiller", 2, Status::Normal, Freshness::Live, None),
    ("boiler-01", "Boiler", 2, Status::Normal, Freshness::Live, None),
    ("climate", "Climate", 1, Status::Unknown, Freshness::Live, None),
    ("ahu-01", "Air handling 1", 2, Status::Normal, Freshness::Live, None),
    ("ahu-02", "Air handling 2", 2, Status::Normal, Freshness::Live, None),
];

fn tree() -> Vec<TreeRow> {
    let mut rows: Vec<TreeRow> = TREE
        .iter()
        .enumerate()
        .map(|(at, (id, name, depth, status, freshness, priority))| TreeRow {
            twin: TwinIndex::from_at(at),
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            depth: *depth,
            status: *status,
            judged: *status != Status::Unknown || *freshness != Freshness::Live,
            last_known: None,
            rollup: *status,
            troubled: 0,
            silent: 0,
            freshness: *freshness,
            alarms: u32::from(priority.is_some()),
            priority: *priority,
        })
        .collect();
    for at in (0..rows.len()).rev() {
        let below: Vec<usize> = (at + 1..rows.len()).take_while(|next| rows[*next].depth > rows[at].depth).collect();
        let own = rows[at].status;
        rows[at].rollup = below.iter().map(|next| rows[*next].status).fold(own, Status::max);
        rows[at].troubled = below.iter().filter(|next| rows[**next].status.is_trouble()).count() as u32;
    }
    rows
}

/// A tree of ten thousand rows.
pub(crate) fn huge_tree() -> Vec<TreeRow> {
    let row = |at: u32, depth: u16, name: String| TreeRow {
        twin: TwinIndex(at),
        id: format!("twin-{at:05}"),
        name,
        depth,
        status: if at.is_multiple_of(97) { Status::Maintenance } else { Status::Normal },
        judged: true,
        last_known: None,
        rollup: Status::Maintenance,
        troubled: 0,
        silent: 0,
        freshness: Freshness::Live,
        alarms: 0,
        priority: None,
    };
    (0..10_000u32)
        .map(|at| match at % 100 {
            0 => row(at, 0, format!("Hall {}", at / 100 + 1)),
            n if n % 10 == 0 => row(at, 1, format!("Line {}-{}", at / 100 + 1, n / 10)),
            n => row(at, 2, format!("Motor {}-{n}", at / 100 + 1)),
        })
        .collect()
}

fn wave(seed: u64, count: usize, from: i64, base: f32, swing: f32, rise: f32) -> Vec<EnvelopePoint> {
    (0..count)
        .map(|nth| {
            let part = nth as f32 / count as f32;
            let t = before(from) + Span::from_micros((from as f64 * 1e6 * f64::from(part)) as i64);
            let hum = (part * 23.0 + seed as f32).sin() * swing * 0.3 + (noise(seed * 977 + nth as u64) - 0.5) * swing;
            let v = base + hum + rise * part.powi(3);
            let room = swing * (0.2 + 0.5 * noise(seed * 31 + nth as u64));
            EnvelopePoint { t, min: v - room, max: v + room, last: v }
        })
        .collect()
}

fn steps(seed: u64, count: usize, from: i64) -> Vec<EnvelopePoint> {
    (0..count)
        .map(|nth| {
            let t = before(from) + Span::from_micros(from * 1_000_000 * nth as i64 / count as i64);
            EnvelopePoint::sample(t, if noise(seed + nth as u64 / 6) > 0.3 { 1.0 } else { 0.0 })
        })
        .collect()
}

struct Line<'a>(&'a str, f64, &'a str, f64, Quality, Freshness, Status);

fn signals() -> Vec<SignalView> {
    let lines = [
        Line("Vibration RMS", 7.42, "mm/s", 0.4, Quality::GOOD, Freshness::Live, Status::OutOfSpecification),
        Line("Bearing temperature", 71.38, "°C", 2.0, Quality::GOOD, Freshness::Live, Status::Maintenance),
        Line("Speed", 1482.0, "1/min", 0.4, Quality::GOOD, Freshness::Live, Status::Normal),
        Line("Motor current", 23.61, "A", 0.4, Quality::GOOD, Freshness::Live, Status::Normal),
        Line("Lubricant pressure", 2.31, "bar", 14.0, Quality::UNCERTAIN_SENSOR_NOT_ACCURATE, Freshness::Late, Status::Normal),
        Line("Grease level", 38.5, "%", 412.0, Quality::UNCERTAIN_LAST_USABLE, Freshness::Stale, Status::Normal),
        Line("Bottles filled", 154_322.0, "", 1.0, Quality::GOOD, Freshness::Live, Status::Normal),
    ];
    let mut out: Vec<SignalView> = lines
        .iter()
        .enumerate()
        .map(|(at, Line(name, value, unit, age, quality, freshness, status))| {
            let value = if unit.is_empty() { Value::Int(*value as i64) } else { Value::Float(*value) };
            let swing = value.as_f64().unwrap_or(1.0) as f32 * 0.04;
            let base = value.as_f64().unwrap_or(1.0) as f32;
            SignalView {
                signal: SignalIndex(at as u32),
                name: (*name).to_owned(),
                time: Some(now() - Span::from_secs_f64(*age)),
                age: Some(Span::from_secs_f64(*age)),
                value: Some(value),
                unit: (*unit).to_owned(),
                quality: *quality,
                freshness: *freshness,
                status: *status,
                kind: SignalKind::Analog,
                spark: wave(at as u64 + 1, 60, 300, base * 0.94, swing, base * 0.06),
                charted: at < 2,
                ahead: None,
            }
        })
        .collect();
    out.extend([guard_door(), acoustic_emission()]);
    out
}

/// Two states and no unit.
fn guard_door() -> SignalView {
    SignalView {
        signal: SignalIndex(90),
        name: "Guard door closed".to_owned(),
        value: Some(Value::Bool(true)),
        unit: String::new(),
        time: Some(before(64)),
        age: Some(Span::from_secs(64)),
        quality: Quality::GOOD,
        freshness: Freshness::Live,
        status: Status::Normal,
        kind: SignalKind::Discrete,
        spark: steps(5, 60, 300),
        charted: false,
        ahead: None,
    }
}

/// Never seen.
fn acoustic_emission() -> SignalView {
    SignalView {
        signal: SignalIndex(91),
        name: "Acoustic emission".to_owned(),
        value: None,
        unit: "dB".to_owned(),
        time: None,
        age: None,
        quality: Quality::BAD,
        freshness: Freshness::NeverSeen,
        status: Status::Normal,
        kind: SignalKind::Analog,
        spark: Vec::new(),
        charted: false,
        ahead: None,
    }
}

fn vibration_bands() -> Vec<Band> {
    vec![
        Band { limit: Limit::Above(4.5), status: Status::Maintenance },
        Band { limit: Limit::Above(7.1), status: Status::OutOfSpecification },
        Band { limit: Limit::Above(11.0), status: Status::Failure },
    ]
}

/// The bearing of the story.
pub(crate) fn inspector() -> InspectorView {
    InspectorView {
        twin: TwinIndex(12),
        id: "filler-bearing-01".to_owned(),
        name: "Filler main bearing".to_owned(),
        interface: "Bearing".to_owned(),
        path: vec![
            (TwinIndex(0), "Bottling hall".to_owned()),
            (TwinIndex(8), "Filling line".to_owned()),
            (TwinIndex(11), "Filler".to_owned()),
        ],
        status: Status::OutOfSpecification,
        since: Some(before(748)),
        last_known: None,
        freshness: Freshness::Live,
        score: Some(0.38),
        reasons: vec![
            ReasonView {
                status: Status::OutOfSpecification,
                rule: "bearing-vibration".to_owned(),
                note: "ISO 20816-3, zone C: not suited for continuous operation".to_owned(),
                signal: SignalIndex(0),
                signal_name: "Vibration RMS".to_owned(),
                text: "Vibration of 7.42 mm/s is above 7.1 mm/s".to_owned(),
                value: Some(7.42),
                unit: "mm/s".to_owned(),
                threshold: Some(7.1),
                next: Some((11.0, Status::Failure)),
                next_at: Some(now() + Span::from_secs(5_640)),
                since: Some(before(748)),
                bands: BandsView { bands: vibration_bands(), range: Some((0.0, 25.0)) },
            },
            ReasonView {
                status: Status::Maintenance,
                rule: "bearing-temperature".to_owned(),
                note: String::new(),
                signal: SignalIndex(1),
                signal_name: "Bearing temperature".to_owned(),
                text: "Temperature of 71.4 °C is above 70 °C".to_owned(),
                value: Some(71.4),
                unit: "°C".to_owned(),
                threshold: Some(70.0),
                next: None,
                next_at: None,
                since: Some(before(2_000)),
                bands: BandsView::default(),
            },
        ],
        outlooks: Vec::new(),
        signals: signals(),
        relations: vec![
            relation("part of", 11, "Filler", Status::Normal, true),
            relation("driven by", 3, "Filler drive motor", Status::Normal, false),
            relation("lubricated by", 5, "Grease pump", Status::Maintenance, false),
        ],
    }
}

fn relation(name: &str, other: u32, other_name: &str, status: Status, outgoing: bool) -> RelationView {
    RelationView {
        name: name.to_owned(),
        other: TwinIndex(other),
        other_name: other_name.to_owned(),
        other_status: status,
        outgoing,
    }
}

fn alarm(at: u32, twin: u32, name: &str, message: &str, priority: Priority, state: AlarmState, age: i64) -> AlarmRow {
    AlarmRow {
        alarm: AlarmIndex(at),
        twin: TwinIndex(twin),
        twin_name: name.to_owned(),
        message: message.to_owned(),
        priority,
        state,
        can_acknowledge: at.is_multiple_of(2),
        since: before(age),
    }
}

fn alarms() -> Vec<AlarmRow> {
    vec![
        alarm(0, 12, "Filler main bearing", "Bearing vibration very high", Priority::Critical, AlarmState::UnackActive, 748),
        alarm(1, 19, "Palletizing robot 1", "Drive fault on axis 3", Priority::High, AlarmState::AckActive, 5_400),
        alarm(2, 3, "Syrup tank 2", "Level above 92 %", Priority::High, AlarmState::UnackActive, 41),
        alarm(3, 7, "Pasteurizer", "Outlet temperature low", Priority::Medium, AlarmState::ReturnedUnack, 10_800),
        alarm(4, 24, "Chiller", "Filter change due", Priority::Low, AlarmState::Shelved, 90_000),
    ]
}

/// A flood of alarms.
pub(crate) fn flood() -> Vec<AlarmRow> {
    let words = ["Flow low", "Pressure below 1.2 bar", "Drive fault", "Temperature high", "Guard open", "Level above 92 %"];
    (0..180u32)
        .map(|at| {
            let priority = Priority::from_number((at % 4) as u8 + 1).unwrap_or(Priority::Low);
            let state = if at % 3 == 0 { AlarmState::AckActive } else { AlarmState::UnackActive };
            let row = TREE[(at as usize * 7) % TREE.len()];
            alarm(
                at,
                (at * 7) % TREE.len() as u32,
                row.1,
                words[at as usize % words.len()],
                priority,
                state,
                i64::from(at) * 9 + 3,
            )
        })
        .collect()
}

fn timeline(view: TimeRange) -> TimelineView {
    let span = |from: i64, to: i64, status: Status, stale: bool| StatusSpan {
        range: TimeRange::new(before(from), before(to)),
        status,
        stale,
    };
    let tick = |age: i64, kind: TickKind, label: &str| TimeTick { t: before(age), kind, label: label.to_owned() };
    let mut ticks = vec![
        tick(840, TickKind::Event, "PLC 2 link lost"),
        tick(760, TickKind::Event, "PLC 2 link back"),
        tick(748, TickKind::Alarm(Priority::Critical), "Bearing vibration very high"),
        tick(690, TickKind::Revision, "The site changed: revision 3"),
        tick(600, TickKind::Status(Status::FunctionCheck), "Capper: function check"),
        tick(410, TickKind::Alarm(Priority::Medium), "Outlet temperature low"),
        tick(404, TickKind::Alarm(Priority::Low), "Filter change due"),
        tick(399, TickKind::Alarm(Priority::Low), "Filter change due"),
        tick(41, TickKind::Alarm(Priority::High), "Syrup tank 2: level above 92 %"),
    ];
    ticks.sort_by_key(|tick| tick.t);
    let buckets = (0..240u64)
        .map(|at| {
            let t = view.start + Span::from_micros(view.span().as_micros() * at as i64 / 240);
            let gap = t >= before(840) && t < before(780) || t > now();
            if gap { 0 } else { 180 + (noise(at) * 90.0) as u32 + if at % 40 < 3 { 240 } else { 0 } }
        })
        .collect();
    TimelineView {
        extent: TimeRange::new(before(86_400), now()),
        retained_from: None,
        expired: false,
        loaded: Vec::new(),
        coming: Vec::new(),
        lost: Vec::new(),
        thinned: Vec::new(),
        gaps: vec![TimeRange::new(before(840), before(780))],
        density: DensityView { range: Some(view), buckets },
        status: vec![
            span(90_000, 2_000, Status::Normal, false),
            span(2_000, 840, Status::Maintenance, false),
            span(780, 748, Status::Maintenance, true),
            span(748, 0, Status::OutOfSpecification, false),
        ],
        status_of: "Filler main bearing".to_owned(),
        ticks,
        looped: None,
    }
}

fn chart() -> ChartView {
    let gap = TimeRange::new(before(840), before(780));
    let cut = |points: Vec<EnvelopePoint>| points.into_iter().filter(|p| !gap.contains(p.t)).collect::<Vec<_>>();
    let series = |signal, name: &str, unit: &str, kind, points: Vec<EnvelopePoint>, bands| SeriesView {
        signal: SignalIndex(signal),
        name: name.to_owned(),
        twin_name: "Filler main bearing".to_owned(),
        unit: unit.to_owned(),
        kind,
        at_playhead: points.last().map(|p| f64::from(p.last)),
        points: cut(points),
        gaps: vec![gap],
        bands,
        baseline: Vec::new(),
    };
    ChartView {
        series: vec![
            series(0, "Vibration RMS", "mm/s", SignalKind::Analog, wave(3, 300, 1_200, 4.9, 0.35, 2.5), vibration_bands()),
            series(
                1,
                "Bearing temperature",
                "°C",
                SignalKind::Analog,
                wave(9, 300, 1_200, 66.0, 0.5, 5.4),
                vec![Band { limit: Limit::Above(70.0), status: Status::Maintenance }],
            ),
        ],
    }
}

fn knob(at: u32, name: &str, unit: &str, range: (f64, f64), step: f64, value: f64) -> KnobView {
    KnobView {
        knob: KnobIndex(at),
        name: name.to_owned(),
        unit: unit.to_owned(),
        min: range.0,
        max: range.1,
        neutral: 0.0,
        step,
        value,
    }
}

fn what_if() -> WhatIfView {
    WhatIfView {
        knobs: vec![
            knob(0, "Conveyor speed", "%", (-50.0, 50.0), 1.0, 0.0),
            knob(1, "Ambient temperature", "°C", (-10.0, 15.0), 0.5, 0.0),
            knob(2, "Postpone the bearing's replacement", "h", (0.0, 72.0), 1.0, 0.0),
        ],
        ..WhatIfView::empty(before(60))
    }
}

/// The base of all pictures: live, one twin selected.
pub(crate) fn live() -> ViewModel {
    let mut vm = ViewModel::empty(SiteView { name: "Bottling hall Nord".to_owned(), time_zone: "Europe/Berlin".to_owned() });
    let view = TimeRange::new(before(846), now() + Span::from_secs(54));
    vm.clock = ClockView {
        playhead: now(),
        mode: PlayMode::Following,
        speed: 1.0,
        live_edge: Some(now()),
        lag: Some(Span::from_millis(420)),
        ..ClockView::at(now())
    };
    vm.timeline = timeline(view);
    vm.tree = tree();
    vm.selection = vec![TwinIndex(12)];
    vm.inspector = Some(inspector());
    vm.alarms = alarms();
    vm.chart = chart();
    vm.links = LinksView {
        gateway: LinkState::Up,
        gateway_since: Some(before(9_000)),
        retry_in: None,
        refused: None,
        sources: vec![SourceLink { name: "plc-1".to_owned(), state: LinkState::Up, since: None, devices_down: (0, 42) }],
    };
    vm.what_if = what_if();
    vm.status_counts = StatusCounts([6, 41, 1, 1, 1, 1]);
    vm.freshness_counts = FreshnessCounts([46, 1, 1, 1, 1]);
    vm.camera = Some(CameraView { yaw: 0.7, pitch: 0.5 });
    vm.perf = PerfView {
        frame_ms: (0..120).map(|at| 6.0 + noise(at) * 5.0 + if at % 37 == 0 { 14.0 } else { 0.0 }).collect(),
        rows: [("Draw calls", "38"), ("Triangles", "412 k"), ("Samples per second", "312"), ("Memory", "214 MB")]
            .map(|(name, value)| PerfRow { name: name.to_owned(), value: value.to_owned(), odd: false })
            .to_vec(),
        samples: [
            ("Stored", "1,204,511", false),
            ("Late", "311", true),
            ("From the future, set aside", "2", true),
            ("NaN", "0", false),
        ]
        .map(|(name, value, odd)| PerfRow { name: name.to_owned(), value: value.to_owned(), odd })
        .to_vec(),
    };
    vm
}

/// Marks in a viewport.
pub(crate) fn mark(vm: &mut ViewModel, viewport: Rect) {
    let at = |x: f32, y: f32| pos2(viewport.left() + viewport.width() * x, viewport.top() + viewport.height() * y);
    let marker = |twin: u32, x, y, name: &str, status, alarm, selected| Marker {
        twin: TwinIndex(twin),
        at: at(x, y),
        name: name.to_owned(),
        status,
        alarm,
        selected,
    };
    let unseen = AlarmState::UnackActive;
    vm.markers = vec![
        marker(12, 0.52, 0.5, "Filler main bearing", Status::OutOfSpecification, Some((Priority::Critical, unseen)), true),
        marker(19, 0.78, 0.44, "Palletizing robot 1", Status::Failure, Some((Priority::High, AlarmState::AckActive)), false),
        marker(3, 0.24, 0.52, "Syrup tank 2", Status::Normal, Some((Priority::High, unseen)), false),
    ];
}

/// History, paused, a loop set.
pub(crate) fn history() -> ViewModel {
    let mut vm = live();
    vm.clock.mode = PlayMode::Paused;
    vm.clock.playhead = before(402);
    vm.clock.speed = 10.0;
    vm.clock.as_known = Some(false);
    vm.timeline.looped = Some(TimeRange::new(before(470), before(330)));
    vm
}

/// The same moment, as it was known then.
pub(crate) fn known() -> ViewModel {
    let mut vm = history();
    vm.clock.as_known = Some(true);
    vm
}

/// A branch on show, results on the table.
pub(crate) fn branched() -> ViewModel {
    let mut vm = history();
    vm.timeline.looped = None;
    vm.clock.mode = PlayMode::Playing;
    vm.clock.as_known = None;
    vm.clock.playhead = before(180);
    for (knob, value) in vm.what_if.knobs.iter_mut().zip([20.0, 8.0, 0.0]) {
        knob.value = value;
    }
    let range = TimeRange::new(before(402), now() + Span::from_secs(21_000));
    let bad = StatusSpan { range: TimeRange::new(before(120), range.end), status: Status::Failure, stale: false };
    vm.what_if.fork = range.start;
    vm.what_if.branches = vec![
        BranchView { id: BranchId(1), name: "Speed −10 %".to_owned(), range, shown: false, status: Vec::new() },
        BranchView { id: BranchId(2), name: "Speed +20 %, ambient +8 °C".to_owned(), range, shown: true, status: vec![bad] },
    ];
    let row = |what: &str, baseline: &str, scenario: &str, delta: &str, trend| ResultRow {
        what: what.to_owned(),
        baseline: baseline.to_owned(),
        scenario: scenario.to_owned(),
        delta: delta.to_owned(),
        trend,
    };
    vm.what_if.results = Some(ResultsView {
        branch: BranchId(2),
        name: "Speed +20 %, ambient +8 °C".to_owned(),
        simulated: true,
        remarks: vec!["filler-bearing-01.vibration: starts as observed, so its model runs +0.3 mm/s off its equation".to_owned()],
        rows: vec![
            row("Bearing reaches failure", "Sun 22 Nov 06:10", "Sat 21 Nov 19:40", "−10 h 30 min", Trend::Worse),
            row("Bottles in 6 h", "128.4 k", "151.9 k", "+18.3 %", Trend::Better),
            row("Highest bearing temperature", "74.1 °C", "86.3 °C", "+12.2 °C", Trend::Worse),
            row("Energy per bottle", "11.2 Wh", "11.2 Wh", "0", Trend::Same),
        ],
    });
    vm
}

/// A run under way.
pub(crate) fn running() -> ViewModel {
    let mut vm = history();
    vm.what_if.knobs[0].value = 20.0;
    vm.what_if.running = Some(RunView { name: "Speed +20 %".to_owned(), progress: 0.46, simulated: Span::from_secs(9_900) });
    vm
}

/// The gateway is gone.
pub(crate) fn disconnected() -> ViewModel {
    let mut vm = live();
    vm.links.gateway = LinkState::Down;
    vm.links.gateway_since = Some(before(12));
    vm.links.retry_in = Some(Span::from_secs(3));
    vm.clock.lag = Some(Span::from_secs(12));
    vm.problems = vec![ProblemView {
        id: 1,
        severity: Severity::Warning,
        kind: ProblemKind::Model,
        title: "The model of the pasteurizer cannot be shown".to_owned(),
        detail: "models/pasteurizer.glb: the file ends after 12 304 of 88 120 bytes".to_owned(),
        help: "Copy the file again; the rest of the site works without it.".to_owned(),
        can_retry: true,
    }];
    vm
}

/// A pump that is well, and a value on its way to a limit.
pub(crate) fn foretold() -> ViewModel {
    let mut vm = live();
    if let Some(inspector) = &mut vm.inspector {
        inspector.status = Status::Normal;
        inspector.score = Some(0.82);
        inspector.reasons.clear();
        inspector.outlooks = vec![OutlookView {
            signal: SignalIndex(3),
            signal_name: "Motor current".to_owned(),
            limit: 25.0,
            unit: "A".to_owned(),
            status: Status::Maintenance,
            at: now() + Span::from_secs(22_900),
            window: Span::from_secs(7_200),
        }];
    }
    vm
}

/// Much went wrong at once.
pub(crate) fn troubled() -> ViewModel {
    let mut vm = disconnected();
    vm.links.gateway = LinkState::Up;
    let problem = |id: u32, severity, kind, title: &str, detail: &str, help: &str| ProblemView {
        id,
        severity,
        kind,
        title: title.to_owned(),
        detail: detail.to_owned(),
        help: help.to_owned(),
        can_retry: id == 3,
    };
    vm.problems.insert(
        0,
        problem(2, Severity::Note, ProblemKind::Site, "site.toml names a unit that is not known", "site.toml:212", "Write bar."),
    );
    vm.problems.push(problem(
        3,
        Severity::Warning,
        ProblemKind::Model,
        "models/hall/east/extension-with-a-long-name-that-somebody-thought-of.glb can't be shown",
        "the accessor 17 reaches 4 096 bytes beyond the end of buffer view 3, which holds 88 120 bytes",
        "Everything else works. Export the model again with the same settings as the others, put it back in its place and reload.",
    ));
    vm
}

/// A day of which some is gone, some thinned, some on its way and some stale.
pub(crate) fn patchy() -> ViewModel {
    let mut vm = history();
    let whole = TimeRange::new(before(846), now() + Span::from_secs(54));
    vm.timeline.retained_from = Some(before(760));
    vm.timeline.gaps = vec![TimeRange::new(before(420), before(380))];
    vm.timeline.thinned = vec![TimeRange::new(before(760), before(600))];
    vm.timeline.loaded = vec![TimeRange::new(before(760), before(560)), TimeRange::new(before(440), whole.end)];
    vm.timeline.coming = vec![TimeRange::new(before(560), before(500))];
    vm.timeline.lost = vec![TimeRange::new(before(460), before(440))];
    vm.timeline.status = vec![
        StatusSpan { range: TimeRange::new(before(760), before(300)), status: Status::Maintenance, stale: false },
        StatusSpan { range: TimeRange::new(before(300), before(140)), status: Status::Maintenance, stale: true },
        StatusSpan { range: TimeRange::new(before(140), now()), status: Status::OutOfSpecification, stale: false },
    ];
    vm
}

/// A week in which the plant stood still over the weekend.
pub(crate) fn week() -> ViewModel {
    let mut vm = live();
    let hour = |at: i64| before((168 - at) * 3_600);
    let week = TimeRange::new(hour(0), now());
    vm.timeline = timeline(week);
    vm.timeline.extent = week;
    vm.timeline.gaps.clear();
    vm.timeline.density = DensityView {
        range: Some(week),
        buckets: (0..168).map(|at| if (90..150).contains(&at) { 0 } else { 50 + (noise(at) * 20.0) as u32 }).collect(),
    };
    vm.timeline.status = vec![
        StatusSpan { range: TimeRange::new(hour(0), hour(90)), status: Status::Normal, stale: false },
        StatusSpan { range: TimeRange::new(hour(90), hour(150)), status: Status::Normal, stale: true },
        StatusSpan { range: TimeRange::new(hour(150), now()), status: Status::OutOfSpecification, stale: false },
    ];
    vm
}

/// The first view is being made.
pub(crate) fn loading() -> ViewModel {
    let mut vm = ViewModel::empty(SiteView { name: "Bottling hall Nord".to_owned(), time_zone: "Europe/Berlin".to_owned() });
    let stage = |name: &str, state, bytes, total| StageView { name: name.to_owned(), state, bytes, total };
    vm.links.gateway = LinkState::Up;
    vm.loading = Some(LoadingView {
        stages: vec![
            stage("Site file", StageState::Done, 48_211, Some(48_211)),
            stage("Model of the hall", StageState::Running, 1_940_000, Some(3_120_000)),
            stage("History of the last day", StageState::Running, 220_000, Some(1_400_000)),
            stage("Graphics", StageState::Waiting, 0, None),
        ],
    });
    vm
}

/// Nothing but a name.
pub(crate) fn nothing() -> ViewModel {
    let mut vm = ViewModel::empty(SiteView { name: "New site".to_owned(), time_zone: "UTC".to_owned() });
    vm.camera = Some(CameraView { yaw: 0.7, pitch: 0.5 });
    vm
}

/// The program stopped.
pub(crate) fn crashed() -> ViewModel {
    let mut vm = nothing();
    vm.problems = vec![ProblemView {
        id: 9,
        severity: Severity::Fatal,
        kind: ProblemKind::Graphics,
        title: "The graphics context was lost".to_owned(),
        detail: "WebGL2: CONTEXT_LOST_WEBGL after 1 h 12 min\nANGLE (Intel, Mesa Intel UHD Graphics 620)".to_owned(),
        help: "The browser took the graphics card away, often after sleep or a driver update. Loading again brings the same view back.".to_owned(),
        can_retry: false,
    }];
    vm
}
