//! Rules of the grammar, seen through process models: numbers in, a number out.

use proptest::prelude::*;

use twin_expr::program::{Program, parse};
use twin_expr::{ExprError, MAX_DEPTH, MAX_LENGTH};

const IDS: [&str; 5] = ["a", "b", "filler-01.speed", "odd name/3", "a-3"];
const VALUES: [f64; 5] = [2.0, 5.0, 40.0, 7.0, 100.0];

fn compile(text: &str) -> Result<Program, ExprError> {
    parse(text, &mut |id| {
        IDS.iter().position(|known| *known == id).map(|at| at as u32).ok_or_else(|| "known are a and b".to_owned())
    })
}

fn check(text: &str, expected: f64) {
    let value = compile(text).unwrap_or_else(|e| panic!("{text}: {e}")).eval(&VALUES);
    assert!(value == expected || (value.is_nan() && expected.is_nan()), "{text}: {value} is not {expected}");
}

fn refuse(text: &str, column: u32, part: &str) {
    let error = compile(text).expect_err(text);
    assert_eq!(error.column, column, "{text}: {error}");
    assert!(error.to_string().contains(part), "{text}: {error}");
}

#[test]
fn products_bind_tighter_than_sums_and_both_go_left_to_right() {
    check("1 + 2 * 3", 7.0);
    check("(1 + 2) * 3", 9.0);
    check("10 - 4 - 3", 3.0);
    check("16 / 4 / 2", 2.0);
    check("8 - 2 * 3 + 1", 3.0);
}

#[test]
fn powers_go_right_to_left_and_bind_tighter_than_a_sign_before_them() {
    check("2 ^ 3 ^ 2", 512.0);
    check("-2 ^ 2", -4.0);
    check("2 ^ -1", 0.5);
    check("2 * 3 ^ 2", 18.0);
    check("-2 * 3", -6.0);
    check("2 ^ -1 * 4", 2.0);
    check("--2", 2.0);
    check("+2 - -3", 5.0);
}

#[test]
fn comparisons_give_one_or_zero_and_bind_loosest() {
    check("1 + 1 < 3", 1.0);
    check("2 <= 1", 0.0);
    check("2 >= 2", 1.0);
    check("2 > 2", 0.0);
    check("2 == 2", 1.0);
    check("2 != 2", 0.0);
    check("(1 < 2) * (3 < 2)", 0.0);
    check("ln(-1) == ln(-1)", 0.0);
}

#[test]
fn ids_carry_minus_signs_dots_and_digits_and_a_spaced_minus_subtracts() {
    check("filler-01.speed", 40.0);
    check("a-3", 100.0);
    check("a - 3", -1.0);
    check("a -3", -1.0);
    check("a- 3", -1.0);
    check("2*filler-01.speed+1", 81.0);
    check("`odd name/3` + 1", 8.0);
    check("`filler-01.speed`", 40.0);
}

#[test]
fn functions_compute_what_they_say() {
    check("min(3, 1, 2)", 1.0);
    check("max(3, 1, 4, 2)", 4.0);
    check("abs(-3)", 3.0);
    check("exp(0)", 1.0);
    check("ln(1)", 0.0);
    check("sqrt(9)", 3.0);
    check("pow(2, 10)", 1024.0);
    check("clamp(12, 0, 10)", 10.0);
    check("if(a > 1, b, 0)", 5.0);
    check("if(a < 1, b, 0)", 0.0);
    check("if(0, ln(-1), 3)", 3.0);
    check("sqrt(-1)", f64::NAN);
}

#[test]
fn numbers_have_fractions_and_exponents() {
    check("1.5", 1.5);
    check(".5", 0.5);
    check("2e3", 2000.0);
    check("2E-3", 0.002);
    check("1e+2", 100.0);
}

#[test]
fn a_fault_is_named_with_its_column_and_a_hint() {
    refuse("", 1, "empty");
    refuse("1 +", 4, "a value is missing before the end");
    refuse("1 + * 2", 5, "before '*'");
    refuse("(1 + 2", 7, "opened at column 1 is never closed");
    refuse("1 + 2)", 6, "without '('");
    refuse("a b", 3, "cannot follow");
    refuse("2 nope.x", 3, "cannot follow");
    refuse("3 + nope.x", 5, "there is no signal 'nope.x'; known are a and b");
    refuse("a-4", 1, "spaces around");
    refuse("sin(1)", 1, "the functions are");
    refuse("min(1)", 1, "takes 2 or more");
    refuse("if(1, 2)", 1, "write if(condition, a, b)");
    refuse("abs()", 1, "write abs(x)");
    refuse("abs(1,)", 7, "before ')'");
    refuse("max(1, 2", 9, "opened at column 4");
    refuse("max(1 2)", 7, "')' is due");
    refuse("a = 1", 3, "'=='");
    refuse("1 < 2 < 3", 7, "second comparison");
    refuse("2x", 1, "right after the number");
    refuse("1.2.3", 1, "right after the number");
    refuse("1e999", 1, "not a number in range");
    refuse("a $ b", 3, "unexpected character '$'");
    refuse("a − b", 3, "plain '-'");
    refuse("`open", 1, "never closed");
    refuse("``", 1, "between the backticks");
}

#[test]
fn depth_and_length_are_limited() {
    let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    check(&nested(MAX_DEPTH - 1), 1.0);
    refuse(&nested(MAX_DEPTH), MAX_DEPTH as u32 + 1, "nested more than");
    refuse(&"-".repeat(2_000), MAX_DEPTH as u32 + 1, "nested more than");
    refuse(&"1 ".repeat(MAX_LENGTH), 1, "bytes long");
    let waiting = format!("{}1{}", "clamp(1, 1, ".repeat(40), ")".repeat(40));
    refuse(&waiting, 32 * 12 + 7, "intermediate values");
    check(&vec!["1"; 1_500].join("+"), 1_500.0);
}

#[test]
fn a_hostile_text_is_refused_in_words_by_every_reader() {
    let brackets = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    let hostile = [
        brackets(10_000),
        brackets(2_000),
        "(".repeat(4_000),
        "not ".repeat(1_000),
        "-".repeat(4_000),
        "2^".repeat(2_000),
        "abs(".repeat(1_000),
        "if(1,".repeat(800),
        "min(1,".repeat(600),
        "1 and (".repeat(500),
        "x".repeat(1_000_000),
        "\"".to_owned() + &"y".repeat(1_000_000),
        "1+".repeat(500_000),
        "\u{1F4A7}".repeat(250_000),
    ];
    for text in hostile {
        let words = compile(&text).unwrap_err().to_string();
        assert!(!words.is_empty() && words.len() < 300, "{words}");
        assert_eq!(twin_expr::parse(&text).map(|_| ()).unwrap_err().to_string(), words);
    }
}

#[test]
fn as_long_as_may_be_is_printed_typed_and_evaluated_without_recursion() {
    for (text, value) in
        [("1+".repeat(2_047) + "1", 2_048.0), ("1 and ".repeat(682) + "1", 1.0), ("1<2 or ".repeat(585) + "1", 1.0)]
    {
        check(&text, value);
        let expression = crate::kit::compile(&text).unwrap();
        assert_eq!(expression.evaluate_with(&[]).value.and_then(|value| value.as_f64()), Some(value));
        assert!(expression.syntax().to_string().len() >= text.len());
    }
}

#[test]
fn inputs_are_named_once_in_order() {
    assert_eq!(compile("b + a * b").unwrap().inputs(), [0, 1]);
}

#[test]
fn columns_that_are_missing_read_as_nan() {
    assert!(compile("b").unwrap().eval(&[1.0]).is_nan());
}

/// The slow obvious twin: a tree that is printed with all brackets and computed by recursion.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(usize),
    Binary(&'static str, Box<Tree>, Box<Tree>),
}

impl Tree {
    fn print(&self) -> String {
        match self {
            Self::Leaf(at) if *at < 2 => IDS[*at].to_owned(),
            Self::Leaf(at) => format!("{at}"),
            Self::Binary(op, l, r) => format!("({} {op} {})", l.print(), r.print()),
        }
    }

    fn value(&self) -> f64 {
        match self {
            Self::Leaf(at) if *at < 2 => VALUES[*at],
            Self::Leaf(at) => *at as f64,
            Self::Binary(op, l, r) => {
                let (l, r) = (l.value(), r.value());
                match *op {
                    "+" => l + r,
                    "-" => l - r,
                    "*" => l * r,
                    "/" => l / r,
                    "<" => f64::from(u8::from(l < r)),
                    _ => libm::pow(l, r),
                }
            }
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    (0_usize..9).prop_map(Tree::Leaf).prop_recursive(6, 40, 2, |inner| {
        (prop::sample::select(vec!["+", "-", "*", "/", "<", "^"]), inner.clone(), inner)
            .prop_map(|(op, l, r)| Tree::Binary(op, Box::new(l), Box::new(r)))
    })
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn a_bracketed_tree_computes_as_by_recursion(tree in trees()) {
        let (value, expected) = (compile(&tree.print()).unwrap().eval(&VALUES), tree.value());
        prop_assert!(value.to_bits() == expected.to_bits() || (value.is_nan() && expected.is_nan()));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        if let Ok(program) = compile(&text) {
            program.eval(&VALUES);
        }
    }

    #[test]
    fn no_soup_of_tokens_makes_the_parser_panic(
        soup in prop::collection::vec(prop::sample::select(vec![
            "a", "b", "1", "2.5", "(", ")", ",", "+", "-", "*", "/", "^", "<", ">=", "==", "min(", "if(", "clamp(", "`", " ", "-01", ".", "é", "=",
        ]), 0..80)
    ) {
        if let Ok(program) = compile(&soup.concat()) {
            program.eval(&VALUES);
        }
    }
}
