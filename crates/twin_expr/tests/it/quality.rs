//! An output is never newer than its oldest needed input and never better than its worst; what has no value says why.

use twin_expr::{AsOf, Cause, FaultKind, Input, Outcome};
use twin_model::{Flags, Quality, Sample, Value};

use crate::kit::{at, evaluate, needed, null, number, text};

fn run(expression: &str, inputs: &[(&str, Input)]) -> Outcome {
    evaluate(expression, inputs).1
}

/// What was needed, in order.
fn needs(expression: &str, inputs: &[(&str, Input)], expected: &[&str]) {
    let (compiled, outcome) = evaluate(expression, inputs);
    assert_eq!(needed(&compiled, &outcome), expected, "{expression}");
}

#[test]
fn the_oldest_input_sets_the_time_and_the_worst_the_quality() {
    let inputs = [("m.a", number(1.0, 20)), ("m.b", number(2.0, 10).with_quality(Quality::UNCERTAIN_LAST_USABLE))];
    let outcome = run("m.a + m.b", &inputs);
    assert_eq!(outcome.value, Some(Value::Float(3.0)));
    assert_eq!((outcome.time, outcome.quality), (AsOf::At(at(10)), Quality::UNCERTAIN_LAST_USABLE));
    assert_eq!((outcome.time_from, outcome.quality_from), (Some(1), Some(Cause::Needed(1))));
}

#[test]
fn only_the_branch_that_is_taken_is_needed() {
    let run = |value| Input::good(Value::Bool(value), at(50));
    let inputs = |value| [("m.run", run(value)), ("m.a", number(1.0, 40)), ("m.b", null(Quality::BAD_SENSOR_FAILURE, 30))];
    let (_, outcome) = evaluate("if(m.run, m.a, m.b)", &inputs(true));
    assert_eq!((outcome.value, outcome.quality, outcome.time), (Some(Value::Float(1.0)), Quality::GOOD, AsOf::At(at(40))));
    needs("if(m.run, m.a, m.b)", &inputs(true), &["m.run", "m.a"]);
    needs("if(m.run, m.a, m.b)", &inputs(false), &["m.run", "m.b"]);
    needs("if(m.run, if(m.a > 0, 7, m.b), m.c)", &inputs(true), &["m.run", "m.a"]);
    needs("1 + if(not m.run, m.b, m.a) * m.a", &inputs(true), &["m.run", "m.a"]);
}

#[test]
fn and_and_or_need_their_right_side_only_where_the_left_does_not_decide() {
    let inputs = [("m.a", number(1.0, 1)), ("m.b", number(0.0, 2))];
    needs("m.a > 0 or m.c > 0", &inputs, &["m.a"]);
    needs("m.a > 0 and m.b > 0", &inputs, &["m.a", "m.b"]);
    needs("m.b and m.c", &inputs, &["m.b"]);
    needs("m.b or m.a or m.c", &inputs, &["m.b", "m.a"]);
    needs("(m.b or m.a) and (m.b or m.a) and not (m.b and m.c)", &inputs, &["m.b", "m.a"]);
}

#[test]
fn operators_and_functions_need_all_their_operands_even_where_one_is_missing() {
    let inputs = [("m.a", null(Quality::BAD, 1)), ("m.b", number(0.0, 2)), ("m.c", number(0.0, 3))];
    needs("m.a * 0 + m.b", &inputs, &["m.a", "m.b"]);
    needs("min(m.a, m.b, m.c)", &inputs, &["m.a", "m.b", "m.c"]);
    needs("m.a < m.b", &inputs, &["m.a", "m.b"]);
}

#[test]
fn a_condition_without_a_value_takes_neither_branch() {
    let inputs = [("m.run", null(Quality::BAD_NOT_CONNECTED, 5)), ("m.a", number(1.0, 1))];
    let outcome = run("if(m.run, m.a, m.a)", &inputs);
    assert_eq!((outcome.value, outcome.quality, outcome.time), (None, Quality::BAD_NOT_CONNECTED, AsOf::At(at(5))));
    needs("if(m.run, m.a, 2)", &inputs, &["m.run"]);
    needs("m.run and m.a", &inputs, &["m.run"]);
    needs("m.run or m.a", &inputs, &["m.run"]);
}

#[test]
fn an_input_without_a_usable_value_makes_a_result_without_one_that_is_bad_for_its_reason() {
    let check = |input: Input, quality: Quality, time: AsOf| {
        let outcome = run("m.a + m.b", &[("m.a", number(1.0, 9)), ("m.b", input.clone())]);
        assert_eq!((outcome.value, outcome.quality, outcome.time), (None, quality, time), "{input:?}");
        assert_eq!(outcome.quality_from, Some(Cause::Needed(1)));
        assert_eq!(outcome.fault, None);
    };
    check(null(Quality::BAD_SENSOR_FAILURE, 3), Quality::BAD_SENSOR_FAILURE, AsOf::At(at(3)));
    check(null(Quality::GOOD, 3), Quality::BAD, AsOf::At(at(3)));
    check(number(f64::NAN, 3), Quality::BAD, AsOf::At(at(3)));
    check(number(f64::NAN, 3).with_quality(Quality::UNCERTAIN), Quality::BAD, AsOf::At(at(3)));
    check(number(4.0, 3).with_quality(Quality::BAD_DEVICE_FAILURE), Quality::BAD_DEVICE_FAILURE, AsOf::At(at(3)));
    check(number(4.0, 3).with_quality(Quality::from_bits(0xC000)), Quality::from_bits(0xC000), AsOf::At(at(3)));
    check(Input::unseen(), Quality::BAD_WAITING_FOR_INITIAL_DATA, AsOf::Never);
}

#[test]
fn an_operation_without_a_value_is_bad_for_a_reason_of_its_own_and_never_a_number() {
    let check = |expression: &str, kind: FaultKind, column: u32, quality: &str| {
        let inputs = [("m.a", number(0.0, 7)), ("m.b", number(-8.0, 9)), ("m.c", number(1e308, 9))];
        let outcome = run(expression, &inputs);
        assert_eq!(outcome.fault.map(|fault| (fault.kind, fault.column)), Some((kind, column)), "{expression}");
        assert_eq!((outcome.value, outcome.quality.to_string().as_str()), (None, quality), "{expression}");
        assert_eq!(outcome.quality_from, Some(Cause::Fault));
    };
    check("1 / m.a", FaultKind::DivisionByZero, 3, "bad_invalid_argument");
    check("m.a / m.a", FaultKind::DivisionByZero, 5, "bad_invalid_argument");
    check("1 + 1 / -m.a", FaultKind::DivisionByZero, 7, "bad_invalid_argument");
    check("m.a ^ m.b", FaultKind::DivisionByZero, 5, "bad_invalid_argument");
    check("ln(m.a)", FaultKind::Logarithm, 1, "bad_invalid_argument");
    check("2 + ln(m.b)", FaultKind::Logarithm, 5, "bad_invalid_argument");
    check("sqrt(m.b)", FaultKind::Root, 1, "bad_invalid_argument");
    check("m.b ^ 0.5", FaultKind::Power, 5, "bad_invalid_argument");
    check("pow(m.b, 1 / 3)", FaultKind::Power, 1, "bad_invalid_argument");
    check("m.c * 10", FaultKind::TooLarge, 5, "bad_out_of_range");
    check("exp(m.c)", FaultKind::TooLarge, 1, "bad_out_of_range");
    check("m.c + m.c - m.c * 10", FaultKind::TooLarge, 5, "bad_out_of_range");
    // What would hide a number that is none: a comparison, a choice of the smaller, a denominator.
    check("1 / m.a > 5", FaultKind::DivisionByZero, 3, "bad_invalid_argument");
    check("min(1 / m.a, 3)", FaultKind::DivisionByZero, 7, "bad_invalid_argument");
    check("1 / (1 / m.a)", FaultKind::DivisionByZero, 8, "bad_invalid_argument");
    check("not ln(m.b)", FaultKind::Logarithm, 5, "bad_invalid_argument");
}

#[test]
fn a_fault_in_the_branch_that_is_not_taken_is_none() {
    let inputs = [("m.a", number(0.0, 7)), ("m.b", number(3.0, 8))];
    let outcome = run("if(m.a == 0, 0, m.b / m.a)", &inputs);
    assert_eq!((outcome.value, outcome.fault, outcome.time), (Some(Value::Float(0.0)), None, AsOf::At(at(7))));
    assert_eq!(run("m.a != 0 and m.b / m.a > 1", &inputs).value, Some(Value::Bool(false)));
}

#[test]
fn infinite_inputs_can_be_compared_chosen_and_turned_and_nothing_is_computed_of_them() {
    let inputs = [("m.a", number(f64::INFINITY, 7))];
    assert_eq!(run("m.a > 5", &inputs).value, Some(Value::Bool(true)));
    assert_eq!(run("if(m.a > 5, m.a, 0)", &inputs).value, Some(Value::Float(f64::INFINITY)));
    assert_eq!(run("min(m.a, 5)", &inputs).value, Some(Value::Float(5.0)));
    assert_eq!(run("min(m.a, m.a, 5)", &inputs).value, Some(Value::Float(5.0)));
    assert_eq!(run("-max(m.a, 5)", &inputs).value, Some(Value::Float(f64::NEG_INFINITY)));
    assert_eq!(run("m.a + 1", &inputs).fault.map(|fault| fault.kind), Some(FaultKind::TooLarge));
    assert_eq!(run("m.a - m.a", &inputs).fault.map(|fault| fault.kind), Some(FaultKind::Undefined));
    assert_eq!(run("exp(m.a)", &inputs).quality, Quality::BAD_OUT_OF_RANGE);
}

#[test]
fn of_equally_bad_reasons_one_that_says_more_counts_and_then_the_first() {
    let inputs = [
        ("m.a", null(Quality::BAD, 1)),
        ("m.b", null(Quality::BAD_NOT_CONNECTED, 2)),
        ("m.c", null(Quality::BAD_SENSOR_FAILURE, 3)),
    ];
    assert_eq!(run("m.a + m.b + m.c", &inputs).quality, Quality::BAD_NOT_CONNECTED);
    assert_eq!(run("m.c + m.b + m.a", &inputs).quality, Quality::BAD_SENSOR_FAILURE);
    assert_eq!(run("1 / 0 + m.b", &inputs).quality_from, Some(Cause::Fault));
    let inputs = [("m.a", number(1.0, 1)), ("m.b", number(1.0, 1).with_quality(Quality::GOOD_LOCAL_OVERRIDE))];
    assert_eq!(run("m.a + m.b", &inputs).quality, Quality::GOOD_LOCAL_OVERRIDE);
}

#[test]
fn what_depends_on_no_signal_holds_always() {
    let outcome = run("2 * 3", &[]);
    assert_eq!((outcome.value, outcome.quality, outcome.time), (Some(Value::Float(6.0)), Quality::GOOD, AsOf::Always));
    assert_eq!((outcome.quality_from, outcome.time_from), (None, None));
    let outcome = run("if(true, 1, m.a)", &[]);
    assert_eq!((outcome.time, outcome.needed.len()), (AsOf::Always, 0));
}

#[test]
fn a_value_of_another_kind_than_its_signal_says_is_bad_and_says_so() {
    let outcome = run("m.a + 1", &[("m.a", text("4", 3))]);
    assert_eq!((outcome.value, outcome.quality.to_string().as_str()), (None, "bad_type_mismatch"));
    let outcome = run("m.mode == 'run'", &[("m.mode", number(4.0, 3))]);
    assert_eq!(outcome.fault.map(|fault| fault.kind), Some(FaultKind::WrongKind));
    assert_eq!(run("m.a + 1", &[("m.a", Input::good(Value::Int(4), at(3)))]).value, Some(Value::Float(5.0)));
}

#[test]
fn an_input_is_read_once_however_often_it_is_named() {
    let expression = crate::kit::compile("m.a + m.a * m.b - m.a").unwrap();
    let mut reads = Vec::new();
    expression.evaluate(&mut |place| {
        reads.push(place);
        number(2.0, 1)
    });
    assert_eq!(reads, [0, 1]);
}

#[test]
fn samples_and_results_are_inputs_by_the_same_rule() {
    let mut sample = Sample::float(at(4), 2.0);
    assert_eq!(Input::from(&sample), number(2.0, 4));
    sample.flags = Flags::NULL;
    assert_eq!(Input::from(&sample), null(Quality::BAD, 4));
    let first = run("m.a / m.b", &[("m.a", number(1.0, 4)), ("m.b", number(0.0, 3))]);
    let second = run("m.c + 1", &[("m.c", first.as_input())]);
    assert_eq!((second.value, second.quality, second.time), (None, first.quality, AsOf::At(at(3))));
    let constant = run("m.c + m.a", &[("m.c", run("2", &[]).as_input()), ("m.a", number(1.0, 4))]);
    assert_eq!((constant.value, constant.time), (Some(Value::Float(3.0)), AsOf::At(at(4))));
}
