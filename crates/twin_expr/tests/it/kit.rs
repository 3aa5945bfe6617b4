//! A small plant for tests: signals of every kind, and inputs that are written shortly.

use twin_expr::{ExprError, Expression, Input, Operand, Outcome};
use twin_model::{Quality, SignalIndex, Timestamp, Unit, Value, ValueKind};

/// Signals with their kinds and units; their places are their indices.
pub(crate) const SIGNALS: [(&str, ValueKind, &str); 8] = [
    ("m.a", ValueKind::Float, "°C"),
    ("m.b", ValueKind::Float, "°C"),
    ("m.c", ValueKind::Float, "bar"),
    ("m.n", ValueKind::Int, ""),
    ("m.run", ValueKind::Bool, ""),
    ("m.mode", ValueKind::Text, ""),
    ("m.order", ValueKind::Text, ""),
    ("odd name/3", ValueKind::Float, "K"),
];

/// The operand of an id.
pub(crate) fn resolve(id: &str) -> Result<Operand, String> {
    let at = SIGNALS.iter().position(|(known, ..)| *known == id).ok_or("no such signal")?;
    let (_, kind, unit) = SIGNALS[at];
    Ok(Operand { signal: SignalIndex(at as u32), kind, unit: Unit(unit.to_owned()) })
}

/// Compiles over the small plant.
pub(crate) fn compile(text: &str) -> Result<Expression, ExprError> {
    Expression::compile(text, &mut resolve)
}

/// How people write an operator or a function of parts that are written already, with every bracket.
pub(crate) fn written(name: &str, parts: &[String]) -> String {
    match name {
        "not" => format!("(not {})", parts[0]),
        "neg" => format!("(-{})", parts[0]),
        "and" | "or" => format!("({} {name} {})", parts[0], parts[1]),
        function if function.chars().any(char::is_alphabetic) => format!("{function}({})", parts.join(", ")),
        sign => format!("({} {sign} {})", parts[0], parts[1]),
    }
}

/// Second `s`.
pub(crate) fn at(s: i64) -> Timestamp {
    Timestamp::from_secs(s)
}

/// A good number at second `s`.
pub(crate) fn number(value: f64, s: i64) -> Input {
    Input::good(Value::Float(value), at(s))
}

/// A good text at second `s`.
pub(crate) fn text(value: &str, s: i64) -> Input {
    Input::good(Value::text(value), at(s))
}

/// A reading without a value at second `s`.
pub(crate) fn null(quality: Quality, s: i64) -> Input {
    Input { value: None, quality, time: twin_expr::AsOf::At(at(s)) }
}

/// Evaluates over inputs by signal id; those that are not named were never seen.
pub(crate) fn evaluate(text: &str, inputs: &[(&str, Input)]) -> (Expression, Outcome) {
    let expression = compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let operands = expression.inputs().to_vec();
    let outcome = expression.evaluate(&mut |place| {
        let (id, ..) = SIGNALS[operands[place].signal.at()];
        inputs.iter().find(|(known, _)| *known == id).map_or_else(Input::unseen, |(_, input)| input.clone())
    });
    (expression, outcome)
}

/// Ids of the inputs that were needed, in order.
pub(crate) fn needed(expression: &Expression, outcome: &Outcome) -> Vec<String> {
    expression.explain(outcome).needed.into_iter().map(|row| row.id).collect()
}
