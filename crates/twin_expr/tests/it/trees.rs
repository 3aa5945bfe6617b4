//! Any expression and any inputs, and the slow obvious evaluator that the real one is held against.

use proptest::prelude::*;
use twin_expr::{AsOf, Input};
use twin_model::{Quality, Value, ValueKind};

use crate::kit::{SIGNALS, at, written};

/// An expression without words for how it is evaluated.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Number(f64),
    Truth(bool),
    Text(&'static str),
    Signal(usize),
    Call(&'static str, Vec<Tree>),
}

const TEXTS: [&str; 4] = ["run", "stop", "", "a \"b\" \\"];
/// What takes numbers and switches, with how many.
const CALLS: [(&str, usize); 25] = [
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
    ("max", 3),
    ("min", 4),
    ("clamp", 3),
    ("if", 3),
];

impl Tree {
    pub(crate) fn print(&self) -> String {
        match self {
            Self::Number(value) => format!("{value:?}"),
            Self::Truth(value) => value.to_string(),
            Self::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Self::Signal(at) => format!("`{}`", SIGNALS[*at].0),
            Self::Call(name, values) => written(name, &values.iter().map(Self::print).collect::<Vec<_>>()),
        }
    }

    pub(crate) fn has_text(&self) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Signal(at) => SIGNALS[*at].1 == ValueKind::Text,
            Self::Number(_) | Self::Truth(_) => false,
            Self::Call(_, values) => values.iter().any(Self::has_text),
        }
    }
}

/// The slow obvious twin: recursion, and a list of what was read.
pub(crate) struct Naive<'a> {
    pub(crate) inputs: &'a [Input],
    /// Signals that were read, in order.
    pub(crate) needed: Vec<usize>,
}

impl Naive<'_> {
    fn number(value: &Value) -> f64 {
        value.as_f64().unwrap()
    }

    pub(crate) fn value(&mut self, tree: &Tree) -> Option<Value> {
        match tree {
            Tree::Number(value) => Some(Value::Float(*value)),
            Tree::Truth(value) => Some(Value::Bool(*value)),
            Tree::Text(text) => Some(Value::text(text)),
            Tree::Signal(at) => {
                if !self.needed.contains(at) {
                    self.needed.push(*at);
                }
                match self.inputs[*at].usable()? {
                    Value::Int(value) => Some(Value::Float(*value as f64)),
                    other => Some(other.clone()),
                }
            }
            Tree::Call("if", values) => {
                let condition = Self::number(&self.value(&values[0])?) != 0.0;
                self.value(&values[if condition { 1 } else { 2 }])
            }
            Tree::Call(name @ ("and" | "or"), values) => {
                let left = Self::number(&self.value(&values[0])?) != 0.0;
                if left == (*name == "or") {
                    return Some(Value::Bool(left));
                }
                Some(Value::Bool(Self::number(&self.value(&values[1])?) != 0.0))
            }
            Tree::Call(name, values) => {
                let values: Vec<Option<Value>> = values.iter().map(|value| self.value(value)).collect();
                let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
                Self::strict(name, &values)
            }
        }
    }

    fn strict(name: &str, values: &[Value]) -> Option<Value> {
        if let [Value::Text(a), Value::Text(b)] = values {
            return Some(Value::Bool((a == b) == (name == "==")));
        }
        let v: Vec<f64> = values.iter().map(Self::number).collect();
        let number = match name {
            "<" => return Some(Value::Bool(v[0] < v[1])),
            "<=" => return Some(Value::Bool(v[0] <= v[1])),
            ">" => return Some(Value::Bool(v[0] > v[1])),
            ">=" => return Some(Value::Bool(v[0] >= v[1])),
            "==" => return Some(Value::Bool(v[0] == v[1])),
            "!=" => return Some(Value::Bool(v[0] != v[1])),
            "not" => return Some(Value::Bool(v[0] == 0.0)),
            "+" => v[0] + v[1],
            "-" => v[0] - v[1],
            "*" => v[0] * v[1],
            "/" => v[0] / v[1],
            "^" | "pow" => libm::pow(v[0], v[1]),
            "exp" => libm::exp(v[0]),
            "ln" => libm::log(v[0]),
            "sqrt" => libm::sqrt(v[0]),
            other => return Some(Value::Float(Self::choice(other, &v))),
        };
        number.is_finite().then_some(Value::Float(number))
    }
}

impl Naive<'_> {
    /// What passes infinity on.
    fn choice(name: &str, v: &[f64]) -> f64 {
        match name {
            "neg" => -v[0],
            "abs" => v[0].abs(),
            "min" => v.iter().copied().reduce(|a, b| if b < a { b } else { a }).unwrap(),
            "max" => v.iter().copied().reduce(|a, b| if b > a { b } else { a }).unwrap(),
            "clamp" if v[0].max(v[1]) > v[2] || v[0] > v[2] => v[2],
            "clamp" if v[0] < v[1] => v[1],
            "clamp" => v[0],
            other => unreachable!("{other}"),
        }
    }
}

fn numbers() -> impl Strategy<Value = Tree> {
    let number = prop_oneof![
        prop::sample::select(vec![0.0, 1.0, 2.0, 0.5, 1e300, 1e-300, 1e16, 123_456.0, 5e-324]).boxed(),
        (0.0..1e6_f64).boxed(),
    ];
    let plain: Vec<usize> = (0..SIGNALS.len()).filter(|at| SIGNALS[*at].1 != ValueKind::Text).collect();
    let leaf = prop_oneof![
        2 => number.prop_map(Tree::Number),
        1 => any::<bool>().prop_map(Tree::Truth),
        4 => prop::sample::select(plain).prop_map(Tree::Signal),
        2 => (prop::sample::select(vec!["==", "!="]), texts(), texts()).prop_map(|(op, a, b)| Tree::Call(op, vec![a, b])),
    ];
    leaf.prop_recursive(5, 30, 4, |inner| {
        (prop::sample::select(CALLS.to_vec()), prop::collection::vec(inner, 4))
            .prop_map(|((name, takes), values)| Tree::Call(name, values.into_iter().take(takes).collect()))
    })
}

fn texts() -> impl Strategy<Value = Tree> {
    let plain: Vec<usize> = (0..SIGNALS.len()).filter(|at| SIGNALS[*at].1 == ValueKind::Text).collect();
    prop_oneof![prop::sample::select(TEXTS.to_vec()).prop_map(Tree::Text), prop::sample::select(plain).prop_map(Tree::Signal)]
}

/// Any expression that makes sense: a number, a truth or a text.
pub(crate) fn trees() -> impl Strategy<Value = Tree> {
    let chosen = (numbers(), texts(), texts()).prop_map(|(c, a, b)| Tree::Call("if", vec![c, a, b]));
    prop_oneof![8 => numbers().boxed(), 1 => texts().boxed(), 1 => chosen.boxed()]
}

fn quality() -> impl Strategy<Value = Quality> {
    prop_oneof![
        6 => Just(Quality::GOOD),
        1 => Just(Quality::GOOD_LOCAL_OVERRIDE),
        1 => Just(Quality::UNCERTAIN_LAST_USABLE),
        1 => Just(Quality::BAD),
        1 => Just(Quality::BAD_SENSOR_FAILURE),
        1 => any::<u16>().prop_map(Quality::from_bits),
    ]
}

/// What a signal of that kind may be: mostly usable, at one of a few instants.
fn input(kind: ValueKind) -> impl Strategy<Value = Input> {
    let value = match kind {
        ValueKind::Float => prop_oneof![
            4 => prop::sample::select(vec![0.0, -0.0, 1.0, -2.5, 1e308, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]),
            4 => -100.0..100.0_f64,
            1 => any::<f64>(),
        ]
        .prop_map(Value::Float)
        .boxed(),
        ValueKind::Int => prop_oneof![-3..4_i64, any::<i64>()].prop_map(Value::Int).boxed(),
        ValueKind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ValueKind::Text => prop::sample::select(TEXTS.to_vec()).prop_map(Value::text).boxed(),
    };
    let time = prop_oneof![1 => Just(AsOf::Never), 9 => (0_i64..5).prop_map(|s| AsOf::At(at(s)))];
    (prop::option::weighted(0.9, value), quality(), time).prop_map(|(value, quality, time)| Input { value, quality, time })
}

pub(crate) fn inputs() -> impl Strategy<Value = Vec<Input>> {
    SIGNALS.iter().map(|(_, kind, _)| input(*kind).boxed()).collect::<Vec<_>>()
}
