//! What is wrong is named; nothing panics.

use proptest::prelude::*;
use twin_model::{KnobIndex, KnobTarget, ProcessKind, SignalKind, Span, ValueKind};
use twin_scenario::{MAX_STEPS, Scenario, ScenarioError, check};

use crate::plant::{Site, filler, scenario, span};

fn refuse(site: &Site, asked: Scenario, parts: &[&str]) {
    let errors = site.start(asked).expect_err("must be refused");
    let text = errors.iter().map(ScenarioError::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(errors.len(), parts.len(), "{text}");
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
}

fn plain() -> Scenario {
    scenario("1h", "1s", &[])
}

#[test]
fn a_circle_of_assignments_is_named_in_full() {
    let mut site = Site::new();
    for name in ["a", "b", "c", "d", "e"] {
        site.signal(name, 1.0);
    }
    site.model("a", ProcessKind::Assign, "m.b");
    site.model("b", ProcessKind::Assign, "m.c + m.e");
    site.model("c", ProcessKind::Assign, "m.a");
    site.model("d", ProcessKind::Assign, "m.d");
    refuse(&site, plain(), &["m.a <- m.b <- m.c <- m.a", "m.d <- m.d"]);
}

#[test]
fn a_circle_through_a_lag_is_fine() {
    let mut site = Site::new();
    site.signal("a", 1.0);
    site.signal("b", 1.0);
    site.model("a", ProcessKind::Assign, "0.5 * m.b");
    site.model("b", ProcessKind::Lag { tau: span("1min") }, "m.a");
    assert_eq!(site.values("b", "2s", "1s", &[]), [1.0; 3]);
}

#[test]
fn a_bad_expression_is_named_with_signal_column_and_a_suggestion() {
    let mut site = Site::new();
    site.signal("speed", 1.0);
    site.signal("load", 1.0);
    site.signal("heat", 1.0);
    site.model("load", ProcessKind::Assign, "2 * m.sped");
    site.model("heat", ProcessKind::Assign, "(1 + 2");
    let parts = ["model of 'm.load': column 5: there is no signal 'm.sped'; did you mean 'm.speed'?", "'m.heat': column 7"];
    refuse(&site, plain(), &parts);
    assert_eq!(check(&site.build()).len(), 2);
}

#[test]
fn a_text_in_a_model_is_refused_where_it_stands() {
    let mut site = Site::new();
    site.signal("load", 1.0);
    site.special("mode", "", SignalKind::Discrete, ValueKind::Text, None);
    site.model("load", ProcessKind::Assign, "if(m.mode == \"run\", 2, 0)");
    refuse(&site, plain(), &["model of 'm.load': column 14: a process model computes with numbers, and \"run\" is a text"]);
}

#[test]
fn a_sound_site_has_nothing_to_report() {
    assert_eq!(check(&filler().0.build()), []);
}

#[test]
fn models_that_make_no_sense_are_named() {
    let mut site = Site::new();
    for name in ["a", "b", "c", "d"] {
        site.signal(name, 1.0);
    }
    site.special("word", "", SignalKind::Discrete, ValueKind::Text, None);
    site.model("a", ProcessKind::Lag { tau: Span::ZERO }, "1");
    site.bounded("b", ProcessKind::Assign, "1", Some((5.0, 1.0)));
    site.model("c", ProcessKind::Assign, "1");
    site.model("c", ProcessKind::Assign, "2");
    site.model("d", ProcessKind::Assign, "m.word");
    site.model("word", ProcessKind::Assign, "1");
    let parts = [
        "'m.a': the time constant",
        "clamp from 5 to 1",
        "'m.c' has two models",
        "the model of 'm.d' uses 'm.word'",
        "the model of 'm.word' uses",
    ];
    refuse(&site, plain(), &parts);
}

#[test]
fn horizons_and_steps_that_make_no_sense_are_refused() {
    let (site, _) = filler();
    let with = |horizon: Span, step: Span| Scenario { horizon, step, ..plain() };
    refuse(&site, with(Span::ZERO, span("1s")), &["horizon must be"]);
    refuse(&site, with(span("1s"), -span("1s")), &["step must be"]);
    refuse(&site, with(-span("1s"), Span::ZERO), &["horizon must be", "step must be"]);
    let last = Span::from_micros(i64::try_from(MAX_STEPS).unwrap());
    assert!(site.start(with(last, Span::from_micros(1))).is_ok());
    refuse(&site, with(last + Span::from_micros(1), Span::from_micros(1)), &["10000001 steps"]);
    refuse(&site, with(Span::from_micros(i64::MAX), Span::from_micros(1)), &["steps"]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let (site, [speed, ambient, bearing]) = filler();
    let with = |settings: &[(KnobIndex, f64)]| scenario("1h", "1s", settings);
    refuse(&site, with(&[(KnobIndex(9), 1.0)]), &["no knob number 9; the site has 3"]);
    refuse(&site, with(&[(speed, 1.0), (speed, 1.0)]), &["'speed' is set twice"]);
    let parts = ["'ambient' cannot be set to NaN", "'bearing' cannot be set to 1001; its travel is from -1000 to 1000 h"];
    refuse(&site, with(&[(ambient, f64::NAN), (bearing, 1_001.0)]), &parts);
}

#[test]
fn turning_a_knob_of_a_signal_that_was_never_seen_is_refused_and_leaving_it_is_not() {
    let mut site = Site::new();
    let unseen = site.signal("unseen", None);
    let knob = site.knob("k", "°C", 0.0, vec![KnobTarget::Offset(unseen)]);
    refuse(&site, scenario("1h", "1s", &[(knob, 1.0)]), &["'m.unseen', which has no value"]);
    assert!(site.run("1h", "1s", &[(knob, 0.0)]).is_empty());
}

#[test]
fn knobs_that_make_no_sense_are_named() {
    let mut site = Site::new();
    let x = site.signal("x", 1.0);
    let word = site.special("word", "", SignalKind::Discrete, ValueKind::Text, None);
    site.knob("k", "h", 0.0, vec![KnobTarget::ResetAt { signal: x, value: f64::NAN, planned: Span::ZERO }]);
    site.knob("w", "h", 0.0, vec![KnobTarget::Set(word)]);
    refuse(&site, plain(), &["knob 'k': the reset value of 'm.x'", "knob 'w' uses 'm.word'"]);
}

const PIECES: [&str; 12] = ["m.a", "m.b", "m.c", "1", "-1e300", " / ", " * ", " + ", "exp(", ")", "ln(", " ^ "];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_model_makes_a_run_panic_or_hand_out_anything_but_numbers(
        exprs in prop::collection::vec((0_u8..4, prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..6)), 3),
        values in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 3),
        setting in -1_000.0..1_000.0_f64,
    ) {
        let mut site = Site::new();
        for (name, value) in ["a", "b", "c"].iter().zip(values) {
            site.signal(name, value);
        }
        for (name, (kind, pieces)) in ["a", "b", "c"].iter().zip(&exprs) {
            let kind = match kind {
                0 => ProcessKind::Assign,
                1 => ProcessKind::Lag { tau: span("1us") },
                2 => ProcessKind::Integrate,
                _ => ProcessKind::Growth,
            };
            site.model(name, kind, &pieces.concat());
        }
        let a = site.find("a");
        let knob = site.knob("k", "", 0.0, vec![KnobTarget::Scale(a), KnobTarget::ResetAt { signal: a, value: 3.0, planned: span("5s") }]);
        if let Ok(run) = site.start(scenario("90s", "7s", &[(knob, setting)])) {
            let outputs = crate::plant::finish(run, &[3]);
            prop_assert!(outputs.iter().all(|(_, _, value)| value.is_finite()));
        }
    }
}
