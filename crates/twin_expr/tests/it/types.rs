//! What makes sense is computed, what does not is refused where it stands and with the way to mend it.

use twin_expr::Type;
use twin_model::Value;

use crate::kit::{compile, evaluate, number, text};

fn gives(expression: &str, ty: Type, value: Value) {
    let inputs = [
        ("m.a", number(4.0, 1)),
        ("m.b", number(-2.5, 1)),
        ("m.n", twin_expr::Input::good(Value::Int(7), crate::kit::at(1))),
        ("m.run", twin_expr::Input::good(Value::Bool(true), crate::kit::at(1))),
        ("m.mode", text("run", 1)),
        ("m.order", text("A-7", 1)),
    ];
    let (compiled, outcome) = evaluate(expression, &inputs);
    assert_eq!(compiled.gives(), ty, "{expression}");
    assert_eq!(outcome.value, Some(value), "{expression}: {outcome:?}");
}

fn refuse(expression: &str, column: u32, words: &str) {
    let error = compile(expression).expect_err(expression);
    assert_eq!(error.column, column, "{expression}: {error}");
    assert!(error.to_string().contains(words), "{expression}: {error}");
}

#[test]
fn numbers_come_of_floats_whole_numbers_and_switches() {
    gives("m.a + m.n", Type::Number, Value::Float(11.0));
    gives("m.run * 3", Type::Number, Value::Float(3.0));
    gives("m.n", Type::Number, Value::Float(7.0));
    gives("m.run", Type::Boolean, Value::Bool(true));
    gives("-m.run", Type::Number, Value::Float(-1.0));
    gives("max(m.a, m.b, m.n)", Type::Number, Value::Float(7.0));
}

#[test]
fn comparisons_and_words_of_logic_give_true_or_false() {
    gives("m.a > 3 and m.b < 0", Type::Boolean, Value::Bool(true));
    gives("m.a > 5 or not m.run", Type::Boolean, Value::Bool(false));
    gives("not m.a == 4", Type::Boolean, Value::Bool(false));
    gives("m.n and true", Type::Boolean, Value::Bool(true));
    gives("m.run == 1", Type::Boolean, Value::Bool(true));
    gives("false", Type::Boolean, Value::Bool(false));
    gives("(m.a > 3) * 2 + (m.b > 3)", Type::Number, Value::Float(2.0));
}

#[test]
fn texts_are_compared_and_chosen() {
    gives("m.mode == \"run\"", Type::Boolean, Value::Bool(true));
    gives("'stop' != m.mode", Type::Boolean, Value::Bool(true));
    gives("m.mode == m.order", Type::Boolean, Value::Bool(false));
    gives("if(m.mode == 'run', m.order, \"none\")", Type::Text, Value::text("A-7"));
    gives("m.order", Type::Text, Value::text("A-7"));
    gives(r#""a \"b\" \\ c""#, Type::Text, Value::text(r#"a "b" \ c"#));
}

#[test]
fn or_binds_loosest_then_and_then_not_then_comparisons() {
    gives("true or false and false", Type::Boolean, Value::Bool(true));
    gives("(true or false) and false", Type::Boolean, Value::Bool(false));
    gives("not false and true", Type::Boolean, Value::Bool(true));
    gives("not (false or true)", Type::Boolean, Value::Bool(false));
    gives("not not true", Type::Boolean, Value::Bool(true));
    gives("1 + 1 == 2 and 2 * 2 == 4", Type::Boolean, Value::Bool(true));
}

#[test]
fn branches_of_a_number_and_a_switch_are_a_number_either_way() {
    gives("if(m.a > 3, m.run, 5)", Type::Number, Value::Float(1.0));
    gives("if(m.a < 3, m.run, 5)", Type::Number, Value::Float(5.0));
    gives("if(m.a < 3, m.run, true)", Type::Boolean, Value::Bool(true));
}

#[test]
fn a_text_where_a_number_is_due_is_refused_with_what_to_write() {
    refuse("2 * m.mode", 5, "'m.mode' is a text; compare it with a text: m.mode == \"run\"");
    refuse("m.mode == 1", 1, "'m.mode' is a text; compare it with a text: m.mode == \"run\"");
    refuse("1 == m.mode", 6, "'m.mode' is a text; compare it with a text");
    refuse("if(m.mode, 1, 2)", 4, "'m.mode' is a text; compare it");
    refuse("not m.mode", 5, "'m.mode' is a text");
    refuse("m.run and m.mode", 11, "'m.mode' is a text");
    refuse("\"run\" + 1", 1, "\"run\" is a text; compare a signal with it: m.mode == \"run\"");
    refuse("1 + if(m.run, m.mode, m.order)", 5, "this is a text; compare it with a text: (…) == \"run\"");
    refuse("max(1, m.mode)", 8, "'m.mode' is a text");
    refuse("m.mode < \"run\"", 8, "texts have no order, '<' compares numbers; compare texts with == or !=");
    refuse("m.a == \"run\"", 1, "'m.a' is a number; compare it with a number: m.a == 1");
    refuse("\"true\" == m.run", 11, "'m.run' is true or false; write m.run, or not m.run");
    refuse("if(m.run, m.mode, 0)", 19, "one branch of 'if' is a text and the other is none");
}

#[test]
fn words_of_other_languages_are_answered_with_ours() {
    refuse("m.run && m.run", 7, "write 'and'");
    refuse("m.run || m.run", 7, "write 'or'");
    refuse("!m.run", 1, "write 'not'");
    refuse("m.run AND m.run", 7, "'AND' is no operator; write 'and'");
    refuse("m.a == not m.run", 8, "put it in brackets");
    refuse("m.mode == “run”", 11, "plain quotation mark");
    refuse("m.mode == \"run", 11, "never closed");
    refuse(r#"m.mode == "C:\run""#, 14, "a single '\\' in a text");
    refuse("sqr(m.a)", 1, "there is no function 'sqr'; did you mean 'sqrt'? the functions are");
    refuse("MAX(m.a, 2)", 1, "there is no function 'MAX'; did you mean 'max'?");
    refuse("sin(m.a)", 1, "there is no function 'sin'; the functions are");
}

#[test]
fn words_of_logic_are_signals_only_in_backticks_or_as_part_of_an_id() {
    refuse("`and` + 1", 1, "there is no signal 'and'");
    refuse("and-01.speed + 1", 1, "there is no signal 'and-01.speed'");
    refuse("1 + and", 5, "a value is missing before 'and'");
}

#[test]
fn a_name_that_fills_the_text_is_not_repeated_whole() {
    let error = compile(&"x".repeat(4_000)).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}
