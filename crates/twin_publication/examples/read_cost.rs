//! What the model of a large site costs: `cargo run --release -p twin_publication --example read_cost`. 50,000 signals with a
//! rule each and 5,000 alarms, 5,000 twins.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool that measures and prints")]

use std::time::Instant;

use twin_model::{
    AckPolicy, Alarm, AlarmCondition, Band, HealthRule, Interface, Limit, Model, ModelBuilder, Priority, RuleKind, Signal,
    SignalIndex, SignalKind, SiteInfo, Source, SourceIndex, Span, Status, TwinIndex, Unit, ValueKind,
};
use twin_publication::{View, ViewerModel};

const TWINS: usize = 5_000;
/// Of each twin.
const SIGNALS: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (placements, no_geometry, anchors) = (Vec::new(), Vec::new(), Vec::new());
    let viewer = ViewerModel { model: plant()?, view: View::default(), placements, no_geometry, anchors };
    let bytes = viewer.write()?;
    assert_eq!(ViewerModel::read(&bytes)?, viewer);
    let best = |work: &dyn Fn() -> bool| {
        let once = |_| {
            let started = Instant::now();
            assert!(work());
            started.elapsed()
        };
        (0..7).map(once).min().unwrap_or_default().as_secs_f64() * 1e3
    };
    let write = best(&|| viewer.write().is_ok());
    let read = best(&|| ViewerModel::read(&bytes).is_ok());
    let signals = viewer.model.signals().len();
    println!("{signals} signals: {} bytes; written in {write:.1} ms, read in {read:.1} ms (best of 7)", bytes.len());
    Ok(())
}

fn plant() -> Result<Model, twin_model::ModelError> {
    let mut b = ModelBuilder::new(SiteInfo { id: "large".into(), name: "Large".into(), time_zone: "UTC".into() });
    b.interface(Interface { id: "dtmi:large:Machine;1".into(), display_name: "Machine".into() });
    b.source(Source { id: "plc".into(), kind: "websocket".into() });
    let hall = b.twin("hall", "Hall", "", None);
    for n in 0..TWINS {
        let id = format!("machine-{n:04}");
        let twin = b.twin(&*id, &format!("Machine {n}"), "dtmi:large:Machine;1", Some(hall));
        for m in 0..SIGNALS {
            let signal = b.signal(signal(n, m, &id, twin));
            b.rule(rule(m, twin, signal));
            if m == 0 {
                b.alarm(alarm(n, &id, twin, signal));
            }
        }
    }
    b.build()
}

fn signal(n: usize, m: usize, owner: &str, twin: TwinIndex) -> Signal {
    let name = format!("bearing_temperature_{m}");
    Signal {
        id: format!("{owner}.{name}").as_str().into(),
        twin,
        display_name: format!("Bearing temperature {m}"),
        unit: Unit("\u{b0}C".into()),
        kind: SignalKind::Analog,
        value_kind: ValueKind::Float,
        expected_period: Some(Span::from_secs(1)),
        late_after: None,
        stale_after: None,
        range: Some((-20.0, 180.0)),
        source: Some(SourceIndex(0)),
        source_key: format!("DB{n}.{m}"),
        name,
    }
}

fn rule(m: usize, twin: TwinIndex, signal: SignalIndex) -> HealthRule {
    let band = |above, status| Band { limit: Limit::Above(above), status };
    let bands = vec![band(70.5, Status::Maintenance), band(85.0, Status::Failure)];
    let kind = RuleKind::Range { bands, deadband: 1.5, on_delay: Span::from_secs(5), off_delay: Span::from_secs(5) };
    HealthRule { id: format!("hot-{m}"), twin, signal, kind, note: "data sheet, table 4".into() }
}

fn alarm(n: usize, owner: &str, twin: TwinIndex, signal: SignalIndex) -> Alarm {
    let (deadband, on_delay, off_delay, ack) = (1.0, Span::from_secs(2), Span::ZERO, AckPolicy::Auto);
    let condition = AlarmCondition::Limit { limit: Limit::Above(90.0), deadband, on_delay, off_delay, ack };
    let message = format!("Bearing of machine {n} is hot");
    Alarm { id: format!("{owner}.hot"), twin, signal, priority: Priority::High, condition, message }
}
