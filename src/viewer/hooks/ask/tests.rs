//! Every command of `docs/EMBED.md`: what is understood, and that everything else is refused by name.

use serde_json::{Value, json};
use twin_testkit::kit::SmallModel;

use super::*;

fn site() -> Model {
    let mut site = SmallModel::new();
    site.float("pump.flow");
    site.build()
}

/// Whether a value is taken; what is wrong with it otherwise.
fn check(key: &str, value: &Value, understood: bool) {
    let answer = understand(key, value, Known { model: Some(&site()), branches: &[3] });
    assert_eq!(answer.is_ok(), understood, "{key}: {value}: {answer:?}");
}

#[test]
fn values_that_are_not_understood_are_refused() {
    for (key, value) in [
        ("seek", json!("yesterday")),
        ("as", json!("read")),
        ("judgeBy", json!("today")),
        ("speed", json!("fast")),
        ("speed", json!(0)),
        ("speed", json!(0.09)),
        ("speed", json!(-1000.5)),
        ("speed", json!(1e300)),
        ("step", json!("sideways")),
        ("theme", json!("pink")),
        ("quality", json!("best")),
        ("loop", json!(["2026-03-02T08:00:00Z"])),
        ("loop", json!(["2026-03-02T08:00:00Z", "2026-03-02T07:00:00Z"])),
        ("loop", json!(["2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"])),
        ("range", json!(["2026-03-02T08:00:00Z", null])),
        ("select", json!("nobody")),
        ("chart", json!("pump.pressure")),
        ("chart", json!({ "show": ["pump.pressure"] })),
        ("chart", json!({ "show": ["pump.flow", 5] })),
        ("chart", json!({ "show": "pump.flow" })),
        ("chart", json!({ "hide": ["pump.flow"] })),
        ("chart", json!({ "show": [], "hide": [] })),
        ("knobs", json!({ "speed": 1 })),
        ("fork", json!("2026-02-30T00:00:00Z")),
        ("horizonHours", json!(0)),
        ("horizonHours", json!(-1)),
        ("horizonHours", json!(1e-300)),
        ("horizonHours", json!(27_778)),
        ("viewBranch", json!(7)),
        ("viewBranch", json!(-3)),
        ("viewBranch", json!(3.5)),
        ("viewBranch", json!(4_294_967_299_u64)),
        ("camera", json!([0, 0, 0, 0, 0])),
        ("camera", json!([0, 0, 0, 0, 0, 0])),
        ("camera", json!([0, 0, 0, 0, 0, -5])),
        ("camera", json!([0, 0, 0, 0, 0, 1e300])),
        ("camera", json!([1e300, 0, 0, 0, 0, 5])),
        ("camera", json!([0, 0, 0, 0, 1.56, 5])),
        ("camera", json!([0, 0, 0, 0, -1.6, 5])),
        ("camera", json!([0, 0, 0, null, 0, 5])),
        ("camera", json!([0, 0, 0, "0", 0, 5])),
        ("historyMegabytes", json!(0)),
        ("historyMegabytes", json!(0.5)),
        ("historyMegabytes", json!(224.1)),
        ("historyMegabytes", json!(500)),
        ("dance", json!(1)),
        ("", json!(true)),
        ("Seek", json!("2026-03-02T08:15:04Z")),
    ] {
        check(key, &value, false);
    }
}

/// What some commands take beside a text, a number or a list; of none of the kinds below is anything else taken.
fn takes(key: &str, value: &Value) -> bool {
    match key {
        "select" | "loop" | "range" | "viewBranch" => value.is_null(),
        "isolate" => value.is_boolean(),
        "play" | "pause" | "follow" | "run" | "home" => value == &json!(true),
        // No knob is set: nothing is wrong with that.
        "knobs" => value == &json!({}),
        _ => false,
    }
}

#[test]
fn no_command_takes_a_value_of_another_kind() {
    for key in KNOWN {
        for value in [
            Value::Null,
            json!(true),
            json!(false),
            json!(""),
            json!(" "),
            json!("true"),
            json!("null"),
            json!([]),
            json!([[]]),
            json!({}),
            json!({ "": "" }),
            json!(-1e308),
            json!(u64::MAX),
            json!(i64::MIN),
        ] {
            check(key, &value, takes(key, &value));
        }
    }
}

#[test]
fn every_command_has_a_value_that_is_understood() {
    let day = json!(["2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z"]);
    let cases = [
        ("select", Value::Null),
        ("select", json!("pump")),
        ("focus", json!("pump")),
        ("isolate", json!(true)),
        ("seek", json!("2026-03-02T08:15:04+01:00")),
        ("as", json!("known")),
        ("as", json!("was")),
        ("judgeBy", json!("then")),
        ("judgeBy", json!("now")),
        ("play", json!(true)),
        ("pause", json!(true)),
        ("follow", json!(true)),
        ("speed", json!(-10)),
        ("speed", json!(1000)),
        ("step", json!("back")),
        ("loop", day.clone()),
        ("loop", Value::Null),
        ("theme", json!("light")),
        ("quality", json!("slim")),
        ("chart", json!("pump.flow")),
        ("chart", json!({ "show": ["pump.flow", "pump.flow"] })),
        ("chart", json!({ "show": [] })),
        ("knobs", json!({})),
        ("fork", json!("2026-03-02T08:15:04Z")),
        ("horizonHours", json!(0.5)),
        ("run", json!(true)),
        ("viewBranch", json!(3)),
        ("viewBranch", Value::Null),
        ("home", json!(true)),
        ("camera", json!([0, 1, 0, 0.4, 0.9, 14])),
        ("camera", json!([0, 1, 0, -4_000.5, 1.55, 0.01])),
        ("range", day),
        ("range", Value::Null),
        ("historyMegabytes", json!(1.5)),
        ("historyMegabytes", json!(224)),
    ];
    for (key, value) in &cases {
        check(key, value, true);
    }
    for key in KNOWN {
        assert!(cases.iter().any(|(named, _)| *named == key), "{key} has no case");
    }
}

#[test]
fn every_command_is_in_the_documentation() {
    let page = include_str!("../../../../docs/EMBED.md");
    for key in KNOWN {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
}
