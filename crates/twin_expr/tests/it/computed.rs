//! The plan of a model's computed signals: what each follows from, what is needed, and what can't be computed and why.

use twin_expr::{AsOf, Input, Obstacle, Plan, Type};
use twin_model::{
    ComputedSignal, Model, ModelBuilder, Quality, Signal, SignalIndex, SignalKind, SiteInfo, Timestamp, Unit, Value, ValueKind,
    limits,
};

/// A site of one twin `m` and another `n`; signals with an expression are computed.
fn model(signals: &[(&str, ValueKind, &str)]) -> Model {
    let mut b = ModelBuilder::new(SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() });
    let twins = ["m", "n"].map(|id| b.twin(id, id, "i", None));
    for (id, value_kind, expr) in signals {
        let (twin, name) = id.split_once('.').unwrap();
        let signal = b.signal(Signal {
            id: (*id).into(),
            twin: twins[usize::from(twin == "n")],
            name: name.to_owned(),
            display_name: name.to_owned(),
            unit: Unit::default(),
            kind: SignalKind::Analog,
            value_kind: *value_kind,
            expected_period: None,
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: String::new(),
        });
        if !expr.is_empty() {
            b.computed(ComputedSignal { signal, expr: (*expr).to_owned() });
        }
    }
    b.build().unwrap()
}

const F: ValueKind = ValueKind::Float;

fn obstacles(signals: &[(&str, ValueKind, &str)]) -> Vec<(String, Obstacle)> {
    let model = model(signals);
    Plan::of(&model).1.into_iter().map(|(signal, why)| (model.signal(signal).id.to_string(), why)).collect()
}

#[test]
fn names_are_the_twins_own_before_whole_ids_and_what_is_below_is_followed_to_what_is_measured() {
    let model = model(&[("m.a", F, ""), ("m.b", F, ""), ("n.a", F, ""), ("m.d", F, "a - n.a"), ("n.e", F, "m.d * a + m.d")]);
    let (plan, obstacles) = Plan::of(&model);
    assert_eq!(obstacles, []);
    let follows: Vec<_> = plan.all().iter().map(|it| it.measured.iter().map(|at| at.0).collect::<Vec<_>>()).collect();
    assert_eq!(follows, [[0, 2], [0, 2]]);
    let mut asked = Vec::new();
    let outcome = plan.evaluate(1, &mut |signal| {
        asked.push(signal.0);
        Input::good(Value::Float(if signal.0 == 0 { 7.0 } else { 2.0 }), Timestamp::from_secs(100 - i64::from(signal.0)))
    });
    assert_eq!(asked, [0, 2], "each once");
    assert_eq!(outcome.needed, [SignalIndex(0), SignalIndex(2)]);
    let outcome = outcome.outcome.unwrap();
    assert_eq!((outcome.value, outcome.time), (Some(Value::Float(15.0)), AsOf::At(Timestamp::from_secs(98))));
}

#[test]
fn what_is_not_needed_is_not_read_through_computed_signals_either() {
    let signals = [("m.on", ValueKind::Bool, ""), ("m.a", F, ""), ("m.twice", F, "2 * a"), ("m.x", F, "if(on, twice, 0)")];
    let model = model(&signals);
    let plan = Plan::of(&model).0;
    let place = plan.place(SignalIndex(3)).unwrap();
    let says = |on: bool| {
        plan.evaluate(place, &mut |signal| match signal.0 {
            0 => Input::good(Value::Bool(on), Timestamp::from_secs(5)),
            _ => Input::unseen(),
        })
    };
    let (off, on) = (says(false), says(true));
    assert_eq!((off.needed.len(), off.outcome.unwrap().value), (1, Some(Value::Float(0.0))));
    let on_outcome = on.outcome.unwrap();
    assert_eq!((on.needed.len(), on_outcome.value, on_outcome.time), (2, None, AsOf::Never));
    assert_eq!(on_outcome.quality, Quality::BAD_WAITING_FOR_INITIAL_DATA);
}

#[test]
fn each_that_cannot_be_computed_says_why_and_takes_down_only_what_reads_it() {
    let all = obstacles(&[
        ("m.a", F, ""),
        ("m.word", ValueKind::Text, ""),
        ("m.grammar", F, "a +"),
        ("m.name", F, "a + aa"),
        ("m.type", F, "a + word"),
        ("m.kind", ValueKind::Bool, "a + 1"),
        ("m.whole", ValueKind::Int, "a + 1"),
        ("m.constant", F, "1 + 1"),
        ("m.above", F, "name + 1"),
        ("m.good", F, "a + 1"),
    ]);
    let names: Vec<&str> = all.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(names, ["m.grammar", "m.name", "m.type", "m.kind", "m.whole", "m.constant", "m.above"]);
    assert!(matches!(&all[0].1, Obstacle::Expression(error) if error.column == 4), "{:?}", all[0]);
    assert_eq!(all[1].1, Obstacle::Unknown { name: "aa".into(), column: 5 });
    assert!(matches!(&all[2].1, Obstacle::Expression(error) if error.column == 5), "{:?}", all[2]);
    assert_eq!(
        [&all[3].1, &all[4].1, &all[5].1, &all[6].1],
        [&Obstacle::Kind(Type::Number), &Obstacle::Kind(Type::Number), &Obstacle::Constant, &Obstacle::Below]
    );
}

#[test]
fn a_circle_is_named_once_in_its_order_and_what_hangs_on_it_is_not_computed() {
    let signals = [("m.a", F, "b + 1"), ("m.b", F, "c"), ("m.c", F, "a + m.x"), ("m.x", F, ""), ("m.y", F, "a"), ("m.z", F, "x")];
    let all = obstacles(&signals);
    assert_eq!(all, [("m.a".to_owned(), Obstacle::Circle(vec![SignalIndex(0), SignalIndex(1), SignalIndex(2)]))]);
    let model = model(&signals);
    let plan = Plan::of(&model).0;
    assert_eq!(plan.all().iter().map(|it| it.signal.0).collect::<Vec<_>>(), [5]);
    assert_eq!(obstacles(&[("m.a", F, "a + 1")]), [("m.a".to_owned(), Obstacle::Circle(vec![SignalIndex(0)]))]);
}

#[test]
fn neither_towers_nor_crowds_are_computed() {
    let names: Vec<String> = (0..40).map(|at| format!("m.s{at}")).collect();
    let below: Vec<String> = (0..40).map(|at| if at == 0 { String::new() } else { format!("s{} + 1", at - 1) }).collect();
    let tower: Vec<_> = names.iter().zip(&below).map(|(name, below)| (name.as_str(), F, below.as_str())).collect();
    let all = obstacles(&tower);
    assert_eq!(all[0], (format!("m.s{}", limits::COMPUTED_LEVELS + 1), Obstacle::TooDeep(limits::COMPUTED_LEVELS + 1)));
    assert!(all[1..].iter().all(|(_, why)| *why == Obstacle::Below), "{all:?}");

    let (groups, each) = (16, 128);
    let leaves: Vec<String> = (0..groups * each).map(|at| format!("m.s{at}")).collect();
    let sums: Vec<(String, String)> = (0..groups)
        .map(|group| (format!("m.sum{group}"), leaves[group * each..(group + 1) * each].join(" + ")))
        .chain([("m.few".into(), "sum0 + sum1".into())])
        .chain([("m.all".into(), (0..groups).map(|group| format!("sum{group}")).collect::<Vec<_>>().join(" + "))])
        .collect();
    let leaves = leaves.iter().map(|id| (id.as_str(), F, ""));
    let crowd: Vec<_> = leaves.chain(sums.iter().map(|(id, expr)| (id.as_str(), F, expr.as_str()))).collect();
    let all = obstacles(&crowd);
    assert!(matches!(all.as_slice(), [(id, Obstacle::TooMany(_))] if id == "m.all"), "{all:?}");
}

#[test]
fn a_diamond_of_many_levels_is_evaluated_in_one_pass() {
    // Without remembering what was read, 15 levels of pairs would be 2^15 evaluations, and more in wider towers.
    let mut signals = vec![("m.a".to_owned(), String::new())];
    for level in 0..7 {
        let below = if level == 0 { "a + a".to_owned() } else { format!("l{} + r{}", level - 1, level - 1) };
        signals.push((format!("m.l{level}"), below.clone()));
        signals.push((format!("m.r{level}"), below));
    }
    let signals: Vec<_> = signals.iter().map(|(id, expr)| (id.as_str(), F, expr.as_str())).collect();
    let model = model(&signals);
    let plan = Plan::of(&model).0;
    let top = plan.place(model.find_signal("m.l6").unwrap()).unwrap();
    let mut asked = 0;
    let says = plan.evaluate(top, &mut |_| {
        asked += 1;
        Input::good(Value::Float(1.0), Timestamp::from_secs(0))
    });
    assert_eq!((asked, says.outcome.unwrap().value), (1, Some(Value::Float(128.0))));
}

#[test]
fn the_expressions_of_a_model_have_a_limit_together() {
    let long = format!("a{}", " ".repeat(limits::COMPUTED_BYTES));
    let all = obstacles(&[("m.a", F, ""), ("m.first", F, "a"), ("m.long", F, &long), ("m.later", F, "a")]);
    assert_eq!(all, [("m.long".to_owned(), Obstacle::TooLong), ("m.later".to_owned(), Obstacle::TooLong)]);
}
