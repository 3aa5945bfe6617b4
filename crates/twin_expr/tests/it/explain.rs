//! A result says what it needed, and what set its quality and its time.

use twin_expr::{AsOf, Input};
use twin_model::{Quality, Value};

use crate::kit::{at, evaluate, null, number};

fn says(expression: &str, inputs: &[(&str, Input)], sentence: &str) {
    let (compiled, outcome) = evaluate(expression, inputs);
    assert_eq!(compiled.explain(&outcome).to_string(), sentence, "{expression}");
}

#[test]
fn a_result_is_explained_in_one_sentence() {
    let inputs = [
        ("m.a", number(1.5, 20)),
        ("m.b", number(2.0, 10).with_quality(Quality::UNCERTAIN_LAST_USABLE)),
        ("m.c", null(Quality::BAD_SENSOR_FAILURE, 30)),
        ("m.run", Input::good(Value::Bool(true), at(5))),
    ];
    says("m.a + 1", &inputs, "2.5 °C, good; as of 1970-01-01T00:00:20Z, the time of 'm.a'");
    let sentence = "3.5 °C, uncertain_last_usable: 'm.b' is uncertain_last_usable; as of 1970-01-01T00:00:10Z, the time of 'm.b'";
    says("m.a + m.b", &inputs, sentence);
    let sentence = "no value, bad_sensor_failure: 'm.c' is bad_sensor_failure; as of 1970-01-01T00:00:20Z, the time of 'm.a'";
    says("m.a * m.c", &inputs, sentence);
    let sentence = "no value, bad_invalid_argument: division by zero at column 5; as of 1970-01-01T00:00:20Z, the time of 'm.a'";
    says("m.a / 0", &inputs, sentence);
    says("m.n > 3", &inputs, "no value, bad_waiting_for_initial_data: 'm.n' was never seen");
    says("m.run", &inputs, "true, good; as of 1970-01-01T00:00:05Z, the time of 'm.run'");
    says("1 + 1", &inputs, "2, good; depends on no signal");
}

#[test]
fn rows_tell_what_was_needed_and_which_of_it_mattered() {
    let inputs = [
        ("m.run", Input::good(Value::Bool(true), at(50))),
        ("m.a", number(1.0, 40)),
        ("m.c", number(3.0, 60).with_quality(Quality::UNCERTAIN)),
    ];
    let (compiled, outcome) = evaluate("if(m.run, m.a * m.c, m.b + m.n)", &inputs);
    let explanation = compiled.explain(&outcome);
    let rows: Vec<_> = explanation.needed.iter().map(|row| (row.id.as_str(), row.sets_quality, row.sets_time)).collect();
    assert_eq!(rows, [("m.run", false, false), ("m.a", false, true), ("m.c", true, false)]);
    assert_eq!(explanation.not_needed, ["m.b", "m.n"]);
    assert_eq!((explanation.needed[2].unit.0.as_str(), explanation.needed[2].signal.0), ("bar", 2));
    assert_eq!((explanation.quality, explanation.time), (Quality::UNCERTAIN, AsOf::At(at(40))));
}
