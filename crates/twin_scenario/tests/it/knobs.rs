//! Knobs do what they say.

use twin_model::{KnobTarget, ProcessKind};

use crate::plant::{FORK, Site, filler, span, values_of};

fn held(unit: &str, target: fn(twin_model::SignalIndex) -> KnobTarget) -> (Site, twin_model::KnobIndex) {
    let mut site = Site::new();
    let x = site.signal("x", 50.0);
    site.signal("y", 50.0);
    site.model("y", ProcessKind::Assign, "m.x");
    let knob = site.knob("k", unit, 0.0, vec![target(x)]);
    (site, knob)
}

#[test]
fn scale_in_percent_multiplies_and_otherwise_is_the_factor() {
    let (site, knob) = held("%", KnobTarget::Scale);
    assert_eq!(site.values("y", "1s", "1s", &[(knob, 20.0)]), [60.0, 60.0]);
    let (site, knob) = held("x", KnobTarget::Scale);
    assert_eq!(site.values("y", "1s", "1s", &[(knob, 3.0)]), [150.0, 150.0]);
}

#[test]
fn offset_adds_and_set_replaces() {
    let (site, knob) = held("°C", KnobTarget::Offset);
    assert_eq!(site.values("y", "1s", "1s", &[(knob, -8.0)]), [42.0, 42.0]);
    let (site, knob) = held("°C", KnobTarget::Set);
    assert_eq!(site.values("y", "1s", "1s", &[(knob, 7.0)]), [7.0, 7.0]);
}

#[test]
fn held_signals_are_handed_out_at_the_fork_and_the_end() {
    let (site, knob) = held("°C", KnobTarget::Offset);
    assert_eq!(site.values("x", "100s", "1s", &[(knob, -8.0)]), [42.0, 42.0]);
    assert_eq!(site.values("x", "100s", "1s", &[]), [50.0, 50.0]);
}

#[test]
fn targets_of_a_signal_are_applied_in_the_order_of_the_site() {
    let mut site = Site::new();
    let x = site.signal("x", 50.0);
    let add = site.knob("add", "K", 0.0, vec![KnobTarget::Offset(x)]);
    let twice = site.knob("twice", "%", 0.0, vec![KnobTarget::Scale(x), KnobTarget::Scale(x)]);
    assert_eq!(site.values("x", "1s", "1s", &[(twice, 100.0), (add, 1.0)]), [204.0, 204.0]);
}

#[test]
fn a_knob_on_a_modelled_signal_acts_on_its_output_and_not_on_what_it_integrates() {
    let mut site = Site::new();
    let level = site.signal("level", 10.0);
    site.bounded("level", ProcessKind::Integrate, "1", Some((0.0, 25.0)));
    let knob = site.knob("k", "%", 0.0, vec![KnobTarget::Scale(level)]);
    assert_eq!(site.values("level", "3s", "1s", &[(knob, 100.0)]), [20.0, 22.0, 24.0, 25.0]);
}

#[test]
fn a_planned_reset_happens_without_any_setting_and_a_setting_postpones_it() {
    let (site, [_, _, bearing]) = filler();
    let drop_hour = |settings: &[(twin_model::KnobIndex, f64)]| {
        let values = site.values("vibration_rms", "24h", "1h", settings);
        (1..values.len()).find(|at| values[*at] < values[at - 1])
    };
    assert_eq!(drop_hour(&[]), Some(10));
    assert_eq!(drop_hour(&[(bearing, 5.0)]), Some(15));
    assert_eq!(drop_hour(&[(bearing, -4.0)]), Some(6));
    assert_eq!(drop_hour(&[(bearing, 20.0)]), None);
    let values = site.values("vibration_rms", "24h", "1h", &[]);
    assert_eq!(values[10], 1.1);
    assert!(values[11] > 1.1);
}

#[test]
fn a_reset_before_the_fork_happens_at_the_fork() {
    let (site, [_, _, bearing]) = filler();
    assert_eq!(site.values("vibration_rms", "24h", "1h", &[(bearing, -100.0)])[0], 1.1);
}

#[test]
fn a_reset_moves_the_bias_of_assignments_and_lags_and_the_value_of_held_signals() {
    let mut site = Site::new();
    let planned = span("2s");
    let targets = ["held", "assigned", "lagged", "driver"].map(|name| site.signal(name, 4.0));
    site.model("assigned", ProcessKind::Assign, "m.driver");
    site.model("lagged", ProcessKind::Lag { tau: span("1us") }, "m.driver");
    site.model("driver", ProcessKind::Integrate, "1");
    let reset = |signal| KnobTarget::ResetAt { signal, value: 100.0, planned };
    site.knob("k", "h", 0.0, targets[..3].iter().copied().map(reset).collect());
    let outputs = site.run("4s", "1s", &[]);
    assert_eq!(values_of(&outputs, targets[0]), [4.0, 100.0, 100.0]);
    assert_eq!(outputs.iter().filter(|o| o.0 == targets[0]).nth(1).unwrap().1, FORK + planned);
    assert_eq!(values_of(&outputs, targets[1]), [4.0, 5.0, 100.0, 101.0, 102.0]);
    assert_eq!(values_of(&outputs, targets[2]), [4.0, 4.0, 100.0, 101.0, 102.0]);
}

#[test]
fn more_speed_wears_the_bearing_sooner_and_fills_more() {
    let (site, [speed, ambient, _]) = filler();
    let last = |name: &str, settings: &[(twin_model::KnobIndex, f64)]| *site.values(name, "8h", "1min", settings).last().unwrap();
    assert!(last("vibration_rms", &[(speed, 20.0)]) > 1.5 * last("vibration_rms", &[]));
    assert!(last("vibration_rms", &[(ambient, 8.0)]) > last("vibration_rms", &[]));
    assert!((last("bottles", &[]) - 12_000.0 - 8.0 * 60.0 * 180.0).abs() < 1e-6);
    assert!((last("bottles", &[(speed, 20.0)]) - 12_000.0 - 8.0 * 60.0 * 216.0).abs() < 1e-6);
}
