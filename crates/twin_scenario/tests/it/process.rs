//! What each kind of model computes, against closed forms.

use twin_model::{ProcessKind, ProcessStart, SignalKind, ValueKind};
use twin_scenario::{Begin, Fault, LeftOutReason};

use crate::plant::{FORK, Site, filler, finish, scenario, span, values_of};

fn close(value: f64, expected: f64, relative: f64) {
    assert!((value - expected).abs() <= relative * expected.abs(), "{value} is not {expected}");
}

#[test]
fn models_start_at_the_observed_value_whatever_they_compute() {
    let mut site = Site::new();
    site.signal("x", 1.0 / 3.0);
    site.signal("a", 0.1);
    site.signal("l", 0.7);
    site.model("a", ProcessKind::Assign, "1e6 * m.x");
    site.model("l", ProcessKind::Lag { tau: span("1min") }, "1e9 * m.x + m.a");
    for name in ["a", "l"] {
        let observed = site.values[site.find(name).at()].unwrap();
        let values = site.values(name, "1h", "1min", &[]);
        assert_eq!(values.len(), 61);
        assert!(values.iter().all(|v| v.to_bits() == observed.to_bits()), "{name}: {values:?}");
    }
}

#[test]
fn a_lag_that_starts_as_its_model_says_obeys_its_equation() {
    // tau y' = 2 u - y from y = 50 with u = 10: y = 20 + 30 e^(-t / tau).
    let mut site = Site::new();
    site.signal("u", 10.0);
    site.signal("y", 50.0);
    site.exact("y", ProcessKind::Lag { tau: span("10min") }, "2 * m.u");
    let values = site.values("y", "1h", "1min", &[]);
    close(values[0], 50.0, 0.0);
    for minute in [1, 10, 60] {
        close(values[minute], 20.0 + 30.0 * libm::exp(-(minute as f64) / 10.0), 1e-12);
    }
}

#[test]
fn an_assignment_that_starts_as_its_model_says_equals_its_expression_and_is_read_so() {
    let mut site = Site::new();
    site.signal("u", 10.0);
    site.signal("a", 7.0);
    site.signal("b", 1.0);
    site.exact("a", ProcessKind::Assign, "2 * m.u");
    site.exact("b", ProcessKind::Assign, "m.a + 1");
    assert_eq!(site.values("a", "10min", "1min", &[]), [20.0; 11]);
    assert_eq!(site.values("b", "10min", "1min", &[]), [21.0; 11]);
}

#[test]
fn what_a_model_reads_of_one_that_follows_its_equation_gives_no_jump_of_its_own() {
    let mut site = Site::new();
    site.signal("u", 10.0);
    site.signal("a", 7.0);
    site.signal("b", 1.0);
    site.exact("a", ProcessKind::Assign, "2 * m.u");
    site.model("b", ProcessKind::Assign, "m.a + 1");
    assert_eq!(site.values("b", "10min", "1min", &[]), [1.0; 11], "b starts as observed and nothing moves");
}

#[test]
fn a_run_names_what_its_models_carry_on_from_the_fork() {
    let mut site = Site::new();
    site.signal("u", 10.0);
    for name in ["seen", "said"] {
        site.signal(name, 23.0);
    }
    site.model("seen", ProcessKind::Assign, "2 * m.u");
    site.exact("said", ProcessKind::Assign, "2 * m.u");
    let run = site.start(scenario("1h", "1min", &[])).unwrap();
    assert_eq!(run.offsets(), [(site.find("seen"), 3.0)]);
}

#[test]
fn every_signal_of_the_filler_starts_where_it_was() {
    let (site, _) = filler();
    let outputs = site.run("1h", "1min", &[]);
    for (signal, t, value) in outputs.iter().take_while(|(_, t, _)| *t == crate::plant::FORK) {
        assert_eq!(Some(*value), site.values[signal.at()], "{signal:?} at {t}");
    }
}

#[test]
fn exponential_growth_follows_the_closed_form() {
    let mut site = Site::new();
    site.signal("wear", 2.0);
    site.model("wear", ProcessKind::Growth, "0.05");
    let values = site.values("wear", "48h", "1min", &[]);
    for hour in [1, 10, 48] {
        close(values[hour * 60], 2.0 * libm::exp(0.05 * hour as f64), 1e-12);
    }
}

#[test]
fn a_rate_that_reads_its_own_signal_is_no_circle() {
    // dy/dt = y (0.2 - 0.05 y) per hour is logistic growth towards 4.
    let mut site = Site::new();
    site.signal("y", 1.0);
    site.model("y", ProcessKind::Growth, "0.2 - 0.05 * m.y");
    let values = site.values("y", "30h", "10s", &[]);
    let closed = |t: f64| 4.0 / (1.0 + 3.0 * libm::exp(-0.2 * t));
    close(values[values.len() / 2], closed(15.0), 1e-3);
    close(*values.last().unwrap(), closed(30.0), 1e-3);
}

#[test]
fn a_lag_settles_exponentially_and_does_not_depend_on_the_step() {
    let mut site = Site::new();
    let u = site.signal("u", 10.0);
    site.signal("y", 50.0);
    site.model("y", ProcessKind::Lag { tau: span("10min") }, "2 * m.u");
    let knob = site.knob("u", "K", 0.0, vec![twin_model::KnobTarget::Offset(u)]);
    for step in ["1s", "1min", "10min"] {
        let values = site.values("y", "20min", step, &[(knob, 3.0)]);
        close(values[0], 50.0, 1e-15);
        close(*values.last().unwrap(), 50.0 + 6.0 * (1.0 - libm::exp(-2.0)), 1e-12);
    }
}

#[test]
fn an_integral_counts_per_second_and_a_shorter_last_step_counts_less() {
    let mut site = Site::new();
    site.signal("level", 5.0);
    site.model("level", ProcessKind::Integrate, "0.5");
    let values = site.values("level", "25s", "10s", &[]);
    assert_eq!(values, [5.0, 10.0, 15.0, 17.5]);
}

#[test]
fn bounds_hold_the_state_too_so_that_a_full_tank_empties_at_once() {
    let mut site = Site::new();
    site.signal("clock", 0.0);
    site.signal("level", 95.0);
    site.model("clock", ProcessKind::Integrate, "1");
    site.bounded("level", ProcessKind::Integrate, "if(m.clock < 20, 1, -1)", Some((0.0, 100.0)));
    let values = site.values("level", "30s", "5s", &[]);
    assert_eq!(values, [95.0, 100.0, 100.0, 100.0, 100.0, 95.0, 90.0]);
}

#[test]
fn an_observed_value_beyond_the_bounds_starts_at_their_edge() {
    let mut site = Site::new();
    site.signal("level", -0.3);
    site.bounded("level", ProcessKind::Integrate, "0", Some((0.0, 100.0)));
    assert_eq!(site.values("level", "2s", "1s", &[]), [0.0, 0.0, 0.0]);
}

#[test]
fn a_model_can_choose_by_conditions() {
    let mut site = Site::new();
    site.signal("u", 10.0);
    site.special("on", "", SignalKind::Discrete, ValueKind::Bool, 1.0);
    site.signal("y", 0.0);
    site.signal("z", 0.0);
    site.exact("y", ProcessKind::Assign, "if(m.on and not (m.u < 5 or m.u > 20), 2 * m.u, 0)");
    site.exact("z", ProcessKind::Assign, "if(m.on == false, 1, 1 + (m.u >= 10))");
    assert_eq!(site.values("y", "2s", "1s", &[]).last(), Some(&20.0));
    assert_eq!(site.values("z", "2s", "1s", &[]).last(), Some(&2.0));
}

#[test]
fn assignments_follow_each_other_within_the_instant_and_states_one_step_later() {
    let mut site = Site::new();
    site.signal("c", 0.0);
    site.signal("b", 0.0);
    site.signal("t", 0.0);
    site.signal("i", 0.0);
    site.model("c", ProcessKind::Assign, "m.b + 1");
    site.model("b", ProcessKind::Assign, "10 * m.t");
    site.model("t", ProcessKind::Integrate, "1");
    site.model("i", ProcessKind::Integrate, "m.t");
    assert_eq!(site.values("c", "3s", "1s", &[]), [0.0, 10.0, 20.0, 30.0]);
    assert_eq!(site.values("i", "3s", "1s", &[]), [0.0, 0.0, 1.0, 3.0]);
}

#[test]
fn a_missing_value_leaves_out_what_needs_it_and_nothing_else() {
    let mut site = Site::new();
    site.signal("seen", 1.0);
    site.signal("unseen", None);
    site.signal("a", 2.0);
    site.signal("b", None);
    site.signal("c", None);
    site.signal("d", f64::NAN);
    site.model("a", ProcessKind::Assign, "m.unseen");
    site.model("b", ProcessKind::Assign, "m.seen + 4");
    site.model("c", ProcessKind::Lag { tau: span("1s") }, "2 * m.b");
    site.model("d", ProcessKind::Integrate, "m.seen");
    let run = site.start(scenario("2s", "1s", &[])).unwrap();
    let left_out: Vec<_> = run.left_out().iter().map(|l| (l.signal, l.reason)).collect();
    let no = |name: &str| LeftOutReason::NoValue(site.find(name));
    assert_eq!(left_out, [(site.find("a"), no("unseen")), (site.find("d"), no("d"))]);
    assert!(run.left_out()[0].describe(&site.build()).contains("'m.unseen' has no value"));
    let outputs = finish(run, &[9]);
    assert_eq!(values_of(&outputs, site.find("b")), [5.0; 3]);
    assert_eq!(values_of(&outputs, site.find("c")), [10.0; 3]);
    assert!(values_of(&outputs, site.find("a")).is_empty());
}

#[test]
fn a_model_without_a_value_begins_as_its_equation_says_and_carries_no_offset() {
    let mut site = Site::new();
    site.signal("u", 10.0);
    site.signal("said", 7.0);
    for name in ["full", "after", "slow"] {
        site.signal(name, None);
    }
    site.exact("said", ProcessKind::Assign, "2 * m.u");
    site.bounded("full", ProcessKind::Assign, "100 * m.u", Some((0.0, 150.0)));
    site.model("after", ProcessKind::Assign, "m.said + 1");
    site.bounded("slow", ProcessKind::Lag { tau: span("1min") }, "100 * m.said", Some((0.0, 150.0)));
    let run = site.start(scenario("3s", "1s", &[])).unwrap();
    assert_eq!((run.offsets(), run.left_out()), (&[][..], &[][..]), "a bound is no offset, and neither is an old reading");
    let begin = |name: &str, took_value| Begin { signal: site.find(name), start: ProcessStart::Model, took_value };
    let missing = ["full", "after", "slow"].map(|name| begin(name, Some(false)));
    assert_eq!(run.begins(), [&[begin("said", None)][..], &missing].concat());
    let outputs = finish(run, &[9]);
    for (name, value) in [("said", 20.0), ("full", 150.0), ("after", 21.0), ("slow", 150.0)] {
        assert_eq!(values_of(&outputs, site.find(name)), [value; 4], "{name}");
    }
}

#[test]
fn a_run_says_which_models_begin_at_their_value() {
    let mut site = Site::new();
    for name in ["a", "b", "c", "d"] {
        site.signal(name, 1.0);
    }
    site.model("a", ProcessKind::Assign, "2");
    site.exact("b", ProcessKind::Assign, "2");
    site.exact("c", ProcessKind::Lag { tau: span("1min") }, "2");
    site.model("d", ProcessKind::Growth, "2");
    let run = site.start(scenario("3s", "1s", &[])).unwrap();
    let begins: Vec<_> = run.begins().iter().map(|begin| (begin.start, begin.took_value)).collect();
    let (observed, model) = (ProcessStart::Observed, ProcessStart::Model);
    assert_eq!(begins, [(observed, Some(true)), (model, None), (model, Some(true)), (observed, Some(true))]);
}

#[test]
fn a_model_without_a_number_at_the_fork_is_left_out_and_one_that_loses_it_holds() {
    let mut site = Site::new();
    site.signal("x", 2.5);
    site.signal("never", 1.0);
    site.signal("none", None);
    site.signal("later", 7.0);
    site.model("x", ProcessKind::Integrate, "-1");
    site.model("never", ProcessKind::Assign, "ln(-1)");
    site.model("none", ProcessKind::Assign, "1 / 0");
    site.model("later", ProcessKind::Assign, "sqrt(m.x)");
    let mut run = site.start(scenario("5s", "1s", &[])).unwrap();
    assert_eq!(run.left_out().iter().map(|l| l.reason).collect::<Vec<_>>(), [LeftOutReason::NotFinite; 2]);
    run.step(9);
    let fault = Fault { signal: site.find("later"), first: FORK + span("3s"), instants: 3 };
    assert_eq!(run.faults(), [fault]);
    let values = values_of(&finish(run, &[9]), site.find("later"));
    assert_eq!(values[2..], [values[2]; 4]);
}

#[test]
fn switches_are_read_as_zero_and_one_and_drive_models() {
    let mut site = Site::new();
    site.special("on", "", SignalKind::Discrete, ValueKind::Bool, 1.0);
    site.signal("n", 0.0);
    site.model("n", ProcessKind::Integrate, "if(m.on, 2, 0)");
    assert_eq!(site.values("n", "2s", "1s", &[]), [0.0, 2.0, 4.0]);
}

#[test]
fn a_site_without_models_runs_to_its_end_in_silence() {
    assert!(Site::new().run("1h", "1s", &[]).is_empty());
}
