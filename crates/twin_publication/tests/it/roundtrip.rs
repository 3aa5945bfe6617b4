//! A model comes back equal: those of the repository's sites, those of the tests' kit, and made-up ones.

use std::path::Path;

use proptest::prelude::*;
use twin_model::{AckPolicy, AlarmCondition, HealthRule, ModelBuilder, RuleKind, SignalIndex, SiteInfo, Status, TwinIndex};
use twin_publication::{PublicationError, ViewerModel};
use twin_site::paths;

use crate::plants::{bare, cases, model, viewer};

fn check(viewer: &ViewerModel) -> Vec<u8> {
    let bytes = viewer.write().unwrap();
    let back = ViewerModel::read(&bytes).unwrap();
    assert_eq!(back, *viewer);
    assert_eq!(back.write().unwrap(), bytes, "the same bytes again");
    bytes
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn a_made_up_model_comes_back_as_it_was(seed in any::<u64>()) {
        check(&viewer(seed));
    }
}

#[test]
fn the_models_of_the_repositorys_sites_come_back_as_they_were() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = twin_testkit::kit::shared_data("the_models_of_the_repositorys_sites_come_back_as_they_were");
    let mut sites = vec!["assets/sites/bottling", "crates/twin_site/tests/it/plant/whole.toml"];
    if data.is_some() {
        sites.extend(["tests/fixtures/duplex", "tests/fixtures/cookie-factory", "tests/fixtures/skab"]);
    }
    for site in sites {
        let path = if site.ends_with(".toml") { root.join(site) } else { root.join(site).join("site.toml") };
        let folder = path.parent().unwrap().to_owned();
        let mut read = |name: &str| {
            let name = paths::with_shared(name, data.as_ref().and_then(|data| data.to_str()));
            std::fs::read(folder.join(name)).map_err(|error| error.to_string())
        };
        let loaded = twin_site::load_bytes(&std::fs::read(&path).unwrap(), "site.toml", &mut read);
        assert!(!loaded.model.twins().is_empty(), "{site}");
        let bytes = check(&bare(loaded.model));
        println!("{site}: {} bytes", bytes.len());
    }
}

#[test]
fn acknowledgements_are_made_by_the_reader_and_travel_in_no_row() {
    let with = (0..500).map(model).find(|model| {
        let wants = |it: &twin_model::Alarm| matches!(it.condition, AlarmCondition::Limit { ack: AckPolicy::Required, .. });
        model.alarms().iter().any(wants)
    });
    let with = bare(with.unwrap());
    let text = String::from_utf8(check(&with)).unwrap();
    assert!(text.contains("\"acknowledge\":true") && !text.contains("#acknowledged"), "{text}");
}

#[test]
fn a_rule_may_read_the_signal_of_an_acknowledgement() {
    let site = SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() };
    let mut b = ModelBuilder::new(site);
    let twin = b.twin("t", "T", "i", None);
    let mut kit = twin_testkit::kit::SmallModel::new();
    kit.float("t.x");
    let signal = kit.build().signal(SignalIndex(0)).clone();
    b.signal(signal);
    let condition = AlarmCondition::Limit {
        limit: twin_model::Limit::Above(1.0),
        deadband: 0.0,
        on_delay: twin_model::Span::ZERO,
        off_delay: twin_model::Span::ZERO,
        ack: AckPolicy::Required,
    };
    let priority = twin_model::Priority::Low;
    b.alarm(twin_model::Alarm { id: "a".into(), twin, signal: SignalIndex(0), priority, condition, message: String::new() });
    let kind = RuleKind::Stale { status: Status::Unknown };
    b.rule(HealthRule { id: "r".into(), twin: TwinIndex(0), signal: SignalIndex(1), kind, note: String::new() });
    let model = b.build().unwrap();
    assert_eq!(model.signals().len(), 2);
    check(&bare(model));
}

#[test]
fn a_document_written_by_hand_needs_only_what_is_no_default() {
    let text = r#"{
        "format": "orrery.model", "version": 1,
        "site": {"name": "S", "id": "s", "time_zone": "UTC"},
        "twins": [{"id": "pump", "something_new": [1, {"x": null}]}],
        "signals": [{"name": "flow", "twin": 0}],
        "rules": [{"kind": "range", "signal": 0, "id": "r", "bands": [{"above": 80, "status": "failure"}]}]
    }"#;
    let model = ViewerModel::read(text.as_bytes()).unwrap().model;
    let signal = model.signal(SignalIndex(0));
    assert_eq!((signal.id.as_str(), &*signal.display_name, &*signal.source_key), ("pump.flow", "flow", "pump.flow"));
    assert_eq!((&*model.twins()[0].display_name, model.rules()[0].twin), ("pump", TwinIndex(0)));
    assert_eq!(model.twins()[0].signals, [SignalIndex(0)]);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let whole = r#"{"format":"orrery.model","version":1,"site":{"id":"s","name":"S","time_zone":"UTC"},
        "twins":[{"id":"t","parent":TWIN}],"signals":[{"twin":0,"name":"x","kind":"KIND","range":RANGE}],
        "rules":[{"id":"r","signal":0,"kind":"RULE","status":"STATUS"}],
        "alarms":[{"id":"a","signal":0,"kind":"limit","priority":PRIORITY,"above":1,"deadband":DEADBAND}],
        "processes":[{"signal":0,"kind":"lag","tau_us":TAU,"expr":"1"}],
        "knobs":[{"id":"k","min":0,"max":1,"neutral":NEUTRAL,"step":1,"targets":[{"scale":0TARGET}]}],
        "view":{"chart":[CHART],"time":"TIME"}}"#;
    let good = [
        ("TWIN", "null"),
        ("KIND", "counter"),
        ("RANGE", "[0,\"Infinity\"]"),
        ("RULE", "stale"),
        ("STATUS", "failure"),
        ("PRIORITY", "2"),
        ("DEADBAND", "0.5"),
        ("TAU", "1"),
        ("NEUTRAL", "0"),
        ("TARGET", ""),
        ("CHART", "0"),
        ("TIME", "now"),
    ];
    let with = |word: &str, instead: &str| {
        good.iter().fold(whole.to_owned(), |text, (name, value)| {
            // Longest names first would matter if one began with another; none does but STATUS and RULE, which don't.
            text.replace(name, if *name == word { instead } else { value })
        })
    };
    assert!(ViewerModel::read(with("", "").as_bytes()).is_ok());
    for (word, instead, said) in [
        ("TWIN", "0", "contained in itself"),
        ("TWIN", "7", "twin 't' refers to twin number 7"),
        ("TWIN", "-1", "can't be read"),
        ("KIND", "delta", "signals[0].kind: 'delta' is not known here, but analog, discrete, counter"),
        ("RANGE", "[2,1]", "signals[0].range"),
        ("RANGE", "[\"NaN\",1]", "signals[0].range"),
        ("RULE", "script", "rules[0].kind: 'script' is not known here"),
        ("RULE", "match", "rules[0].otherwise: it is missing"),
        ("STATUS", "broken", "rules[0].status: 'broken'"),
        ("PRIORITY", "5", "alarms[0].priority"),
        ("PRIORITY", "256", "can't be read"),
        ("DEADBAND", "-1", "alarms[0].deadband"),
        ("DEADBAND", "\"NaN\"", "alarms[0].deadband"),
        ("TAU", "0", "processes[0].tau_us"),
        ("NEUTRAL", "2", "knobs[0]"),
        ("NEUTRAL", "\"NaN\"", "knobs[0]"),
        ("TARGET", ",\"set\":0", "knobs[0].targets[0]"),
        ("CHART", "1", "view.chart[0]: there is no number 1 among 1 signals"),
        ("CHART", "4294967296", "can't be read"),
        ("TIME", "soon", "view.time: 'soon' is not a time"),
    ] {
        let error = ViewerModel::read(with(word, instead).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(said), "{word} {instead}: {error}");
    }
    let later = with("", "").replace("\"version\":1", "\"version\":2");
    assert!(matches!(ViewerModel::read(later.as_bytes()), Err(PublicationError::Newer { found: 2, known: 1, .. })));
}
