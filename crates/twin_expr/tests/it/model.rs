//! Names are looked up in a model, and one that is wrong is answered with the one that is meant.

use twin_expr::{Expression, Type, operand_of};
use twin_model::{Model, ModelBuilder, Signal, SignalId, SignalKind, SiteInfo, TwinIndex, Unit, ValueKind};

fn model() -> Model {
    let info = SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() };
    let mut builder = ModelBuilder::new(info);
    builder.twin("filler-01", "Filler", "i", None);
    for (name, value_kind, unit) in [("speed", ValueKind::Float, "1/min"), ("mode", ValueKind::Text, "")] {
        builder.signal(Signal {
            id: SignalId::new(format!("filler-01.{name}")),
            twin: TwinIndex(0),
            name: name.to_owned(),
            display_name: name.to_owned(),
            unit: Unit(unit.to_owned()),
            kind: SignalKind::Analog,
            value_kind,
            expected_period: None,
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: String::new(),
        });
    }
    builder.build().unwrap()
}

fn refuse(text: &str, words: &str) {
    let model = model();
    let error = Expression::compile(text, &mut |id| operand_of(&model, id)).expect_err(text);
    assert!(error.to_string().contains(words), "{text}: {error}");
}

#[test]
fn signals_of_a_model_bring_their_kind_and_unit() {
    let model = model();
    let expression = Expression::compile("2 * filler-01.speed", &mut |id| operand_of(&model, id)).unwrap();
    assert_eq!(expression.gives(), Type::Number);
    assert_eq!(expression.inputs()[0].unit.0, "1/min");
    assert_eq!(model.signal(expression.inputs()[0].signal).name, "speed");
}

#[test]
fn a_wrong_name_is_answered_with_the_one_that_is_meant() {
    refuse("2 * filer-01.speed", "column 5: there is no signal 'filer-01.speed'; did you mean 'filler-01.speed'?");
    refuse("mode == 'run'", "column 1: there is no signal 'mode'; did you mean 'filler-01.mode'?");
    refuse("2 + oven.heat", "there is no signal 'oven.heat'; signals are written <twin id>.<signal name>");
    refuse("1 + filler-01.speed-filler-01.mode", "a minus that subtracts needs spaces around it");
}
