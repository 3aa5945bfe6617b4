//! Process models compute what they always did, to the bit.

use proptest::prelude::*;
use twin_expr::math;
use twin_expr::program::parse;

use crate::kit::written;

const IDS: [&str; 8] = ["m.a", "m.b", "tank-01.level-3", "7-up.load", "m.zero", "m.big", "m.tiny", "m.neg"];
const VALUES: [f64; 8] = [2.5, -3.75, 40.125, 7.0, 0.0, 1.5e300, 3e-310, -0.0];

fn value(text: &str) -> f64 {
    let mut resolve = |id: &str| IDS.iter().position(|known| *known == id).map(|at| at as u32).ok_or_else(String::new);
    parse(text, &mut resolve).unwrap_or_else(|error| panic!("{text}: {error}")).eval(&VALUES)
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Results of 400 random expressions, written by the evaluator that process models had before this crate.
#[test]
fn what_was_computed_before_is_computed_to_the_same_bits() {
    let kept = include_str!("process_results.txt");
    assert_eq!(kept.lines().count(), 400);
    for line in kept.lines() {
        let (bits, text) = line.split_once(' ').unwrap();
        let expected = if bits == "nan" { f64::NAN } else { f64::from_bits(u64::from_str_radix(bits, 16).unwrap()) };
        let value = value(text);
        assert!(same(value, expected), "{text}: {value:e}, before it was {expected:e}");
    }
}

#[test]
fn words_of_logic_give_one_or_zero_and_nothing_goes_for_false() {
    assert_eq!(value("m.a > 2 and m.b > 0"), 0.0);
    assert_eq!(value("m.a > 2 or m.b > 0"), 1.0);
    assert_eq!(value("not m.zero"), 1.0);
    assert_eq!(value("true + true - false"), 2.0);
    assert_eq!(value("ln(-1) and 1"), 0.0);
    assert_eq!(value("not ln(-1)"), 1.0);
    assert_eq!(value("if(m.a > 2 and not (m.b > 0), 5, 6)"), 5.0);
}

#[test]
fn texts_are_refused_where_they_stand() {
    let error = parse("m.a == \"run\"", &mut |_| Ok(0)).unwrap_err();
    assert_eq!((error.column, error.message.as_str()), (8, "a process model computes with numbers, and \"run\" is a text"));
}

#[test]
fn many_values_of_one_function_never_wait_at_once() {
    let many: Vec<String> = (1..=800).map(|n| n.to_string()).collect();
    assert_eq!(value(&format!("max({})", many.join(", "))), 800.0);
    assert_eq!(value(&format!("min({}, 0.5)", many.join(","))), 0.5);
}

/// The slow obvious twin: a tree that is printed with all brackets and computed by recursion.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(usize),
    Call(&'static str, Vec<Tree>),
}

const CALLS: [(&str, usize); 26] = [
    ("+", 2),
    ("-", 2),
    ("*", 2),
    ("/", 2),
    ("^", 2),
    ("<", 2),
    ("<=", 2),
    (">", 2),
    (">=", 2),
    ("==", 2),
    ("!=", 2),
    ("and", 2),
    ("or", 2),
    ("not", 1),
    ("neg", 1),
    ("abs", 1),
    ("exp", 1),
    ("ln", 1),
    ("sqrt", 1),
    ("pow", 2),
    ("min", 2),
    ("min", 4),
    ("max", 2),
    ("max", 3),
    ("clamp", 3),
    ("if", 3),
];

impl Tree {
    fn print(&self) -> String {
        match self {
            Self::Leaf(at) if *at == 3 => format!("`{}`", IDS[*at]),
            Self::Leaf(at) if *at < IDS.len() => IDS[*at].to_owned(),
            Self::Leaf(at) => format!("{at}"),
            Self::Call(name, values) => written(name, &values.iter().map(Self::print).collect::<Vec<_>>()),
        }
    }

    fn value(&self) -> f64 {
        let Self::Call(name, values) = self else {
            let Self::Leaf(at) = self else { unreachable!() };
            return VALUES.get(*at).copied().unwrap_or(*at as f64);
        };
        let v: Vec<f64> = values.iter().map(Self::value).collect();
        let truth = |condition: bool| if condition { 1.0 } else { 0.0 };
        let yes = |x: f64| x != 0.0 && !x.is_nan();
        match *name {
            "+" => v[0] + v[1],
            "-" => v[0] - v[1],
            "*" => v[0] * v[1],
            "/" => v[0] / v[1],
            "^" | "pow" => libm::pow(v[0], v[1]),
            "<" => truth(v[0] < v[1]),
            "<=" => truth(v[0] <= v[1]),
            ">" => truth(v[0] > v[1]),
            ">=" => truth(v[0] >= v[1]),
            "==" => truth(v[0] == v[1]),
            "!=" => truth(v[0] != v[1]),
            "and" => truth(yes(v[0]) && yes(v[1])),
            "or" => truth(yes(v[0]) || yes(v[1])),
            "not" => truth(!yes(v[0])),
            "neg" => -v[0],
            "abs" => {
                if v[0].is_sign_negative() {
                    -v[0]
                } else {
                    v[0]
                }
            }
            "exp" => libm::exp(v[0]),
            "ln" => libm::log(v[0]),
            "sqrt" => libm::sqrt(v[0]),
            "min" => v.iter().copied().reduce(|a, b| if b < a || a.is_nan() { b } else { a }).unwrap(),
            "max" => v.iter().copied().reduce(|a, b| if b > a || a.is_nan() { b } else { a }).unwrap(),
            "clamp" => math::clamp(v[0], v[1], v[2]),
            "if" => {
                if yes(v[0]) {
                    v[1]
                } else {
                    v[2]
                }
            }
            other => unreachable!("{other}"),
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    (0_usize..12).prop_map(Tree::Leaf).prop_recursive(5, 40, 4, |inner| {
        (prop::sample::select(CALLS.to_vec()), prop::collection::vec(inner, 4))
            .prop_map(|((name, takes), values)| Tree::Call(name, values.into_iter().take(takes).collect()))
    })
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn any_tree_computes_as_by_recursion(tree in trees()) {
        let text = tree.print();
        prop_assume!(text.len() <= twin_expr::MAX_LENGTH);
        let (value, expected) = (value(&text), tree.value());
        prop_assert!(same(value, expected), "{text}: {value:e} is not {expected:e}");
    }
}
