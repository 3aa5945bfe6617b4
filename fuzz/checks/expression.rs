//! What must hold of any text as an expression. Used by the fuzzer, and by the tests over the kept corpus.

use twin_expr::{AsOf, Cause, Expression, Input, MAX_LENGTH, Operand, Outcome, Type, parse, program};
use twin_model::{Quality, SignalIndex, Timestamp, Unit, Value, ValueKind};

/// The kind of a signal by the last letter of its id, so that any word of the fuzzer is one.
fn operand(id: &str) -> Result<Operand, String> {
    let (kind, unit) = match id.chars().next_back() {
        Some('b') => (ValueKind::Bool, ""),
        Some('t') => (ValueKind::Text, ""),
        Some('n') => (ValueKind::Int, "bar"),
        Some('?') => return Err("did you mean 'a'?".to_owned()),
        _ => (ValueKind::Float, "°C"),
    };
    Ok(Operand { signal: SignalIndex(id.len() as u32), kind, unit: Unit(unit.to_owned()) })
}

/// What the signals are, by the first byte of the text.
fn input(seed: u8, at: usize, kind: ValueKind) -> Input {
    let roll = usize::from(seed).wrapping_mul(31).wrapping_add(at.wrapping_mul(7));
    let numbers = [0.0, -1.0, 2.5, 1e308, f64::NAN, f64::INFINITY, -0.0, 7.0];
    let value = match kind {
        ValueKind::Float => Value::Float(numbers[roll % 8]),
        ValueKind::Int => Value::Int([0, 1, -5, i64::MAX][roll % 4]),
        ValueKind::Bool => Value::Bool(roll % 2 == 0),
        ValueKind::Text => Value::text(["run", "", "stop"][roll % 3]),
    };
    let qualities = [Quality::GOOD, Quality::GOOD, Quality::UNCERTAIN_LAST_USABLE, Quality::BAD_SENSOR_FAILURE, Quality::GOOD];
    match roll % 11 {
        0 => Input::unseen(),
        1 => Input { value: None, ..Input::good(value, Timestamp::from_secs(1)) },
        other => Input::good(value, Timestamp::from_secs(other as i64)).with_quality(qualities[roll % 5]),
    }
}

/// Words with a column inside the text; or a tree that prints as itself, and a result that is never newer or better than what it
/// needed, never a number that is none, the same to the bit at a second time and in a process model, whatever was not needed.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let columns = text.chars().count() as u32 + 1;
    let refused = |error: &twin_expr::ExprError| {
        assert!(error.column >= 1 && error.column <= columns, "{error} in {columns} columns");
        assert!(!error.message.is_empty() && !error.hint.is_empty() && error.to_string().len() < 2_000, "{error}");
    };
    let syntax = match parse(text) {
        Ok(syntax) => syntax,
        Err(error) => return refused(&error),
    };
    let printed = syntax.to_string();
    if printed.len() <= MAX_LENGTH {
        assert_eq!(parse(&printed).as_ref(), Ok(&syntax), "printed as {printed}");
    }
    let expression = match Expression::compile(text, &mut operand) {
        Ok(expression) => expression,
        Err(error) => return refused(&error),
    };
    assert!(expression.findings().iter().all(|finding| finding.column >= 1 && finding.column <= columns));
    let seed = bytes.first().copied().unwrap_or(0);
    let inputs: Vec<Input> = (0..).zip(expression.inputs()).map(|(at, operand)| input(seed, at, operand.kind)).collect();
    let outcome = expression.evaluate_with(&inputs);
    judge(&expression, &inputs, &outcome);
    same_in_a_process(text, &expression, &inputs, &outcome);
}

fn judge(expression: &Expression, inputs: &[Input], outcome: &Outcome) {
    let needed = || outcome.needed.iter().map(|needed| &inputs[needed.input]);
    assert_eq!(outcome.time, needed().map(|input| input.time).min().unwrap_or(AsOf::Always));
    assert!(needed().all(|input| input.judged_quality().class() <= outcome.quality.class()), "{outcome:?}");
    assert_eq!(outcome.value.is_none(), outcome.quality.is_bad(), "{outcome:?}");
    assert!(outcome.fault.is_none() || outcome.quality.is_bad(), "{outcome:?}");
    assert!(outcome.quality_from.is_some() || outcome.quality == Quality::GOOD);
    assert_eq!(outcome.quality_from == Some(Cause::Fault), expression.explain(outcome).fault_sets_quality);
    let kind = outcome.value.as_ref().map(|value| Type::from(value.kind()));
    assert!(kind.is_none_or(|kind| kind == expression.gives()), "{outcome:?}");
    assert!(!matches!(outcome.value, Some(Value::Float(value)) if value.is_nan()), "{outcome:?}");
    let others =
        |at: usize| if outcome.needed.iter().any(|needed| needed.input == at) { inputs[at].clone() } else { Input::unseen() };
    assert_eq!(expression.evaluate(&mut { others }), *outcome, "what was not needed matters");
}

/// A process model refuses texts and else computes the same.
fn same_in_a_process(text: &str, expression: &Expression, inputs: &[Input], outcome: &Outcome) {
    let names: Vec<&str> = expression.syntax().names().collect();
    let mut column = |id: &str| names.iter().position(|name| *name == id).map(|at| at as u32).ok_or_else(String::new);
    let Ok(program) = program::parse(text, &mut column) else { return };
    let columns: Vec<f64> = inputs.iter().map(|input| input.usable().and_then(Value::as_f64).unwrap_or(f64::NAN)).collect();
    let number = program.eval(&columns);
    let texts = expression.inputs().iter().any(|operand| operand.kind == ValueKind::Text);
    if let Some(value) = outcome.value.as_ref().and_then(Value::as_f64).filter(|_| !texts) {
        assert_eq!(value.to_bits(), number.to_bits(), "{value} is not {number}");
    }
}
