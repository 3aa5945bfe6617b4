//! Promises over any expression and any inputs.

use proptest::prelude::*;
use twin_expr::{AsOf, Input, MAX_LENGTH, Outcome, parse, program};
use twin_model::{Quality, QualityClass, SignalIndex, Value};

use crate::kit::{SIGNALS, compile};
use crate::trees::{Naive, inputs, trees};

/// 256 cases; in the nightly lane (`ORRERY_LONG_TESTS=1`) 30 times as many.
pub(crate) fn config() -> ProptestConfig {
    let long = std::env::var_os("ORRERY_LONG_TESTS").is_some();
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = wanted.unwrap_or(if long { 7_680 } else { 256 });
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The result of an expression over inputs by signal.
fn outcome(text: &str, inputs: &[Input]) -> (Outcome, Vec<usize>) {
    let expression = compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let signals: Vec<usize> = expression.inputs().iter().map(|operand| operand.signal.at()).collect();
    let outcome = expression.evaluate(&mut |place| inputs[signals[place]].clone());
    let needed = outcome.needed.iter().map(|needed| signals[needed.input]).collect();
    (outcome, needed)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_printed_reads_as_the_same_tree(tree in trees()) {
        let text = tree.print();
        prop_assume!(text.len() <= MAX_LENGTH);
        let syntax = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let printed = syntax.to_string();
        let again = parse(&printed).unwrap_or_else(|error| panic!("{text} printed as {printed}: {error}"));
        prop_assert_eq!(&again, &syntax, "{} printed as {}", text, printed);
        prop_assert!(printed.len() <= text.len(), "{} is longer than {}", printed, text);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn any_expression_gives_what_recursion_gives_and_needs_what_that_reads(tree in trees(), inputs in inputs()) {
        let text = tree.print();
        prop_assume!(text.len() <= MAX_LENGTH);
        let mut naive = Naive { inputs: &inputs, needed: Vec::new() };
        let expected = naive.value(&tree);
        let (outcome, needed) = outcome(&text, &inputs);
        let as_number = |value: &Value| value.as_f64().map(f64::to_bits);
        let same = match (&outcome.value, &expected) {
            // Which of true and 1 a choice between them gives is told by types, not by this twin.
            (Some(a), Some(b)) => a == b || (as_number(a).is_some() && as_number(a) == as_number(b)),
            (a, b) => a == b,
        };
        prop_assert!(same, "{}: {:?} is not {:?}", text, outcome.value, expected);
        prop_assert_eq!(needed, naive.needed, "{}", text);
    }

    #[test]
    fn a_result_is_never_newer_than_its_oldest_and_never_better_than_its_worst(tree in trees(), inputs in inputs()) {
        let text = tree.print();
        prop_assume!(text.len() <= MAX_LENGTH);
        let (outcome, needed) = outcome(&text, &inputs);
        let oldest = needed.iter().map(|at| inputs[*at].time).min();
        prop_assert_eq!(outcome.time, oldest.unwrap_or(AsOf::Always));
        let worst = needed.iter().map(|at| inputs[*at].judged_quality().class()).max().unwrap_or(QualityClass::Good);
        match outcome.fault {
            None => prop_assert_eq!(outcome.quality.class(), worst, "{}", text),
            Some(_) => prop_assert!(outcome.quality.is_bad()),
        }
        // No value exactly where it is bad, and what is bad has a culprit among what was read, or a fault.
        prop_assert_eq!(outcome.value.is_none(), outcome.quality.is_bad(), "{}: {:?}", text, outcome);
        prop_assert!(!matches!(outcome.value, Some(Value::Float(value)) if value.is_nan()));
        let known: Vec<Quality> = needed.iter().map(|at| inputs[*at].judged_quality()).collect();
        let own = outcome.fault.map(|fault| fault.kind.quality());
        prop_assert!(outcome.quality == Quality::GOOD || known.contains(&outcome.quality) || own == Some(outcome.quality));
    }

    #[test]
    fn what_was_not_needed_may_be_anything(tree in trees(), inputs in inputs(), others in inputs()) {
        let text = tree.print();
        prop_assume!(text.len() <= MAX_LENGTH);
        let (before, needed) = outcome(&text, &inputs);
        let mixed: Vec<Input> = (0..inputs.len()).map(|at| if needed.contains(&at) { &inputs[at] } else { &others[at] }.clone()).collect();
        prop_assert_eq!(outcome(&text, &mixed), (before, needed), "{}", text);
    }

    #[test]
    fn where_there_is_a_value_a_process_model_has_the_same_bits(tree in trees(), inputs in inputs()) {
        let text = tree.print();
        if text.len() > MAX_LENGTH || tree.has_text() {
            return Ok(());
        }
        let (outcome, _) = outcome(&text, &inputs);
        let columns: Vec<f64> = inputs.iter().map(|input| input.usable().and_then(Value::as_f64).unwrap_or(f64::NAN)).collect();
        let mut resolve = |id: &str| SIGNALS.iter().position(|(known, ..)| *known == id).map(|at| at as u32).ok_or_else(String::new);
        let number = program::parse(&text, &mut resolve).unwrap().eval(&columns);
        if let Some(value) = outcome.value {
            prop_assert_eq!(value.as_f64().map(f64::to_bits), Some(number.to_bits()), "{}", text);
        }
    }

    #[test]
    fn no_soup_of_tokens_makes_anything_panic(
        soup in prop::collection::vec(prop::sample::select(vec![
            "m.a", "m.run", "m.mode", "1", "2.5", "(", ")", ",", "+", "-", "*", "/", "^", "<", ">=", "==", "min(", "if(", "clamp(",
            "`", " ", "-01", ".", "é", "=", " and ", " or ", "not ", "true", "\"", "'", "\\", "\"run\"", "!", "&",
        ]), 0..80),
        inputs in inputs(),
    ) {
        let text = soup.concat();
        if let Ok(expression) = compile(&text) {
            let outcome = expression.evaluate_with(&inputs);
            prop_assert!(!expression.explain(&outcome).to_string().is_empty());
            let printed = expression.syntax().to_string();
            prop_assert!(parse(&printed).as_ref() == Ok(expression.syntax()), "{} printed as {}", text, printed);
        }
    }

    #[test]
    fn no_text_makes_anything_panic(text in "\\PC{0,200}") {
        if let Ok(expression) = compile(&text) {
            expression.evaluate_with(&[]);
        }
    }
}

#[test]
fn the_signals_of_these_tests_stand_where_their_index_says() {
    for (at, (id, ..)) in SIGNALS.iter().enumerate() {
        assert_eq!(crate::kit::resolve(id).unwrap().signal, SignalIndex(at as u32));
    }
}
