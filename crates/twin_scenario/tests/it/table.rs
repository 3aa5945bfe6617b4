//! The table of what changes.

use twin_model::{
    AckPolicy, Alarm, AlarmCondition, Band, HealthRule, KnobIndex, Limit, Priority, RuleKind, SignalKind, Span, Status,
    TwinIndex, ValueKind,
};
use twin_scenario::{Row, RowKind, Tracker, compare};

use crate::plant::{FORK, Site, filler, span};

fn watched() -> (Site, [KnobIndex; 3]) {
    let (mut site, knobs) = filler();
    let vibration = site.find("vibration_rms");
    let band = |limit: f64, status| Band { limit: Limit::Above(limit), status };
    let bands = vec![
        band(0.0, Status::Normal),
        band(2.8, Status::Maintenance),
        band(4.5, Status::OutOfSpecification),
        band(1e6, Status::Failure),
    ];
    let delay = span("1min");
    let kind = RuleKind::Range { bands, deadband: 0.1, on_delay: delay, off_delay: delay };
    site.builder.rule(HealthRule { id: "v".into(), twin: TwinIndex(0), signal: vibration, kind, note: String::new() });
    let ambient = site.find("ambient");
    let condition = AlarmCondition::Limit {
        limit: Limit::Above(28.0),
        deadband: 0.0,
        on_delay: Span::ZERO,
        off_delay: Span::ZERO,
        ack: AckPolicy::Auto,
    };
    site.builder.alarm(Alarm {
        id: "hot".into(),
        twin: TwinIndex(0),
        signal: ambient,
        priority: Priority::Low,
        condition,
        message: "Hall too warm".into(),
    });
    (site, knobs)
}

fn table(site: &Site, settings: &[(KnobIndex, f64)]) -> Vec<Row> {
    let model = site.build();
    let track = |settings: &[(KnobIndex, f64)]| {
        let mut tracker = Tracker::new(&model);
        for (signal, t, value) in site.run("9h", "1min", settings) {
            tracker.push(signal, t, value);
        }
        tracker
    };
    compare(&model, &track(&[]), &track(settings), FORK, span("9h"))
}

#[test]
fn each_band_and_alarm_has_a_row_with_both_times_and_the_difference() {
    let (site, [speed, ambient, _]) = watched();
    let rows = table(&site, &[(speed, 20.0), (ambient, 8.0)]);
    let kinds: Vec<_> = rows.iter().map(|row| (row.kind, row.status)).collect();
    let expected = [
        (RowKind::TimeToStatus, Some(Status::Maintenance)),
        (RowKind::TimeToStatus, Some(Status::OutOfSpecification)),
        (RowKind::TimeToStatus, Some(Status::Failure)),
        (RowKind::TimeToAlarm, None),
        (RowKind::Amount, None),
        (RowKind::Energy, None),
    ];
    assert_eq!(kinds, expected);
    let maintenance = &rows[0];
    // ln(2.8 / 1.9) / 0.08 = 4.847 h at the rate of the fork; the load's small pull on the temperature shortens it a little.
    assert!((4.7..4.86).contains(&maintenance.baseline.unwrap()), "{maintenance:?}");
    assert!(maintenance.scenario.unwrap() < 2.8);
    assert_eq!(maintenance.delta, Some(maintenance.scenario.unwrap() - maintenance.baseline.unwrap()));
    assert_eq!((maintenance.better, maintenance.unit.as_str(), maintenance.delta_unit), (Some(false), "h", "h"));
    assert_eq!(maintenance.label, "Machine: vibration_rms above 2.8 mm/s");
    assert_eq!((rows[1].baseline, rows[1].delta, rows[1].better), (None, None, Some(false)));
    assert!(rows[1].scenario.is_some());
    assert_eq!((rows[2].baseline, rows[2].scenario, rows[2].better, rows[2].changed()), (None, None, None, false));
    assert_eq!((rows[3].label.as_str(), rows[3].baseline, rows[3].scenario), ("Hall too warm", None, Some(0.0)));
}

#[test]
fn amounts_and_energy_change_in_percent() {
    let (site, [speed, ..]) = watched();
    let rows = table(&site, &[(speed, 20.0)]);
    let bottles = rows.iter().find(|row| row.kind == RowKind::Amount).unwrap();
    assert!((bottles.baseline.unwrap() - 9.0 * 3_600.0 * 3.0).abs() < 1e-6);
    assert_eq!((bottles.better, bottles.delta_unit), (Some(true), "%"));
    let energy = rows.iter().find(|row| row.kind == RowKind::Energy).unwrap();
    assert!((66.0..70.0).contains(&energy.baseline.unwrap()), "{energy:?}");
    assert_eq!((energy.unit.as_str(), energy.better), ("kWh", Some(false)));
    assert!(energy.delta.unwrap() > 0.0);
}

#[test]
fn nothing_changed_is_neither_better_nor_worse() {
    let (site, _) = watched();
    let rows = table(&site, &[]);
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| !row.changed() && row.better.is_none()));
    assert!(rows.iter().all(|row| row.delta.is_none_or(|delta| delta == 0.0)));
}

#[test]
fn losses_are_better_the_fewer_and_metered_twins_count_energy_once() {
    let mut site = Site::new();
    let speed = site.signal("speed", 1.0);
    site.special("rejects", "1", SignalKind::Counter, ValueKind::Int, 0.0);
    site.special("meter", "kWh", SignalKind::Counter, ValueKind::Float, 100.0);
    site.special("power", "kW", SignalKind::Analog, ValueKind::Float, 10.0);
    site.special("level", "m", SignalKind::Analog, ValueKind::Float, 3.0);
    site.model("rejects", twin_model::ProcessKind::Integrate, "0.01 * m.speed");
    site.model("power", twin_model::ProcessKind::Assign, "10 * m.speed");
    site.model("meter", twin_model::ProcessKind::Integrate, "m.power / 3600");
    site.model("level", twin_model::ProcessKind::Integrate, "-m.speed / 3600");
    let knob = site.knob("speed", "%", 0.0, vec![twin_model::KnobTarget::Scale(speed)]);
    let rows = table(&site, &[(knob, 50.0)]);
    let short: Vec<_> = rows.iter().map(|r| (r.kind, r.signal, r.delta.map(f64::round), r.better)).collect();
    let expected = [
        (RowKind::Amount, site.find("rejects"), Some(50.0), Some(false)),
        (RowKind::Amount, site.find("level"), Some(-50.0), None),
        (RowKind::Energy, site.find("meter"), Some(50.0), Some(false)),
    ];
    assert_eq!(short, expected);
    assert!((rows[2].baseline.unwrap() - 90.0).abs() < 0.1);
}

#[test]
fn trackers_ignore_strangers_and_samples_out_of_order() {
    let (site, _) = watched();
    let model = site.build();
    let mut tracker = Tracker::new(&model);
    tracker.push(twin_model::SignalIndex(99), FORK, 1.0);
    let power = site.find("power");
    tracker.push(power, FORK + span("1s"), 5.0);
    tracker.push(power, FORK, 9.0);
    tracker.push(power, FORK + span("2s"), f64::NAN);
    let summary = tracker.summary(power).unwrap();
    assert_eq!((summary.first, summary.last, summary.max), (5.0, 5.0, 5.0));
    assert_eq!(tracker.summary(site.find("speed")), None);
    assert_eq!(compare(&model, &tracker, &Tracker::new(&model), FORK, span("1h")), []);
}
