//! A small factory with everything that an import can meet.

use std::collections::BTreeMap;

use twin_model::{AlarmCondition, AlarmState, RuleKind, Status};

use crate::{LoadedSite, Severity, codes, load};

const ENTITIES: &str = r#"{"entities": [
  {"entityId": "plant", "entityName": "Plant", "parentEntityId": "$ROOT", "components": {}},
  {"entityId": "e1", "entityName": "Mixer 1", "parentEntityId": "plant", "components": {
    "Alarm": {"componentTypeId": "acme.alarm", "properties": {"telemetryAssetId": {"value": {"stringValue": "A-1"}}}},
    "Mixer": {"componentTypeId": "acme.mixer", "properties": {"telemetryAssetId": {"value": {"stringValue": "M-1"}}}},
    "Docs": {"componentTypeId": "acme.documents", "properties": {}}}},
  {"entityId": "e2", "entityName": "Mixer 2", "parentEntityId": "e1", "components": {
    "Mixer": {"componentTypeId": "acme.mixer", "properties": {"telemetryAssetId": {"value": {"stringValue": "M-2"}}}}}},
  {"entityId": "e1", "entityName": "Double", "components": {}},
  {"entityName": "Nameless"}
]}"#;

const SCENE: &str = r#"{"specVersion": "1.0", "unit": "centimeters", "rules": {"r": {}},
 "properties": {"dataBindingConfig": {"template": {"sel": "e2"}}},
 "nodes": [
  {"name": "Root", "transform": {"position": [100, 0, 0]}, "children": [1, 3, 0], "components": []},
  {"name": "M", "transform": {"position": [0, 0, 200], "rotation": [0, 3.14159265, 0]}, "children": [2],
   "components": [{"type": "ModelRef", "uri": "s3://bucket/mixer.glb", "unitOfMeasure": "meters"}]},
  {"name": "Tag", "transform": {"position": [0, 50, 10]}, "components": [{"type": "Tag", "valueDataBinding":
   {"dataBindingContext": {"entityId": "e1", "componentName": "Alarm"}}}]},
  {"name": "M", "transform": {}, "children": [4, 99], "components": [{"type": "ModelRef", "uri": "mixer.glb"},
   {"type": "ModelShader", "valueDataBinding": {"dataBindingContext": {"entityId": "${sel}"}}}, {"type": "Light"}]},
  {"name": "Sub", "components": [{"type": "SubModelRef", "selector": "bowl"}, {"type": "EntityBinding", "valueDataBinding":
   {"dataBindingContext": {"entityId": "e1"}}}, {"type": "ModelRef", "uri": "tiles.json", "modelType": "TILES3D"}]}
 ], "rootNodeIndexes": [0]}"#;

const MIXER: &str = r#"{"componentTypeId": "acme.mixer", "extendsFrom": ["acme.base"], "propertyDefinitions": {
 "speed": {"dataType": {"type": "DOUBLE"}, "isTimeSeries": true}, "count": {"dataType": {"type": "LONG"}, "isTimeSeries": true},
 "position": {"dataType": {"type": "LIST"}, "isTimeSeries": true}, "maker": {"dataType": {"type": "STRING"}}}}"#;

const ALARM: &str = r#"{"componentTypeId": "acme.alarm", "extendsFrom": ["com.amazon.iottwinmaker.alarm.basic"]}"#;

fn import(keys: &str, rest: &str) -> LoadedSite {
    let files: BTreeMap<&str, &str> =
        [("e.json", ENTITIES), ("s.json", SCENE), ("mixer.json", MIXER), ("alarm.json", ALARM), ("bad.json", "{\n]")].into();
    let text = format!(
        "[site]\nid = \"s\"\n{rest}\n[[imports]]\nkind = \"twinmaker\"\nentities = \"e.json\"\nscenes = \"s.json\"\nmodels_path = \"../glb\"\n{keys}\n"
    );
    let mut read = |path: &str| files.get(path).map(|text| text.as_bytes().to_vec()).ok_or("no such file".to_owned());
    load(&text, "site.toml", &mut read)
}

fn typed() -> LoadedSite {
    import("component_types = [\"mixer.json\", \"alarm.json\"]", "")
}

#[test]
fn components_with_telemetry_become_twins_and_alarms_their_children() {
    let site = typed();
    let model = &site.model;
    let twins: Vec<_> = model
        .twins()
        .iter()
        .map(|twin| {
            let parent = twin.parent.map(|parent| model.twin(parent).id.to_string()).unwrap_or_default();
            (twin.id.to_string(), twin.display_name.clone(), parent)
        })
        .collect();
    let expected = [("M-1", "Mixer 1", ""), ("A-1", "Mixer 1 Alarm", "M-1"), ("M-2", "Mixer 2", "M-1")];
    assert_eq!(twins, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    assert_eq!(site.no_geometry, [model.find_twin("A-1").unwrap()]);
}

#[test]
fn component_types_become_interfaces_with_the_basic_alarm() {
    let site = typed();
    let ids: Vec<_> = site.model.signals().iter().map(|signal| signal.id.as_str()).collect();
    assert_eq!(ids, ["M-1.count", "M-1.speed", "A-1.alarm_status", "M-2.count", "M-2.speed"]);
    let [alarm] = site.model.alarms() else { panic!() };
    let AlarmCondition::Reported { states, .. } = &alarm.condition else { panic!() };
    assert_eq!((alarm.message.as_str(), states.len(), states[0].1), ("Mixer 1 Alarm", 4, AlarmState::UnackActive));
}

#[test]
fn all_entities_can_be_had_as_well() {
    let site = import("include = \"all\"", "");
    let model = &site.model;
    let mixer = model.twin(model.find_twin("M-1").unwrap());
    assert_eq!(mixer.parent, model.find_twin("plant"));
}

#[test]
fn models_stand_where_the_scene_puts_them_and_show_their_entity() {
    let site = typed();
    let assets: Vec<_> = site.assets.iter().map(|asset| (asset.id.as_str(), asset.path.as_str())).collect();
    assert_eq!(assets, [("M", "../glb/mixer.glb"), ("M-2", "../glb/mixer.glb")]);
    // Scene in centimetres, model in metres, turned by half a circle about Y.
    let point = site.assets[0].transform.transform_point3(glam::DVec3::X);
    assert!((point - glam::DVec3::new(0.0, 0.0, 2.0)).length() < 1e-5, "{point}");
    let bound: Vec<_> = site.bindings.iter().map(|it| (site.model.twin(it.twin).id.as_str(), it.model.as_deref())).collect();
    assert_eq!(bound, [("M-1", Some("M")), ("M-2", Some("M-2")), ("M-1", Some("M-2"))]);
}

#[test]
fn tags_become_anchors_of_their_component() {
    let site = typed();
    let [anchor] = site.anchors.as_slice() else { panic!() };
    assert_eq!(anchor.twin, site.model.find_twin("A-1"));
    assert!((glam::Vec3::from(anchor.position) - glam::Vec3::new(1.0, 0.5, 1.9)).length() < 1e-5, "{anchor:?}");
}

#[test]
fn what_was_left_behind_is_said() {
    let site = typed();
    let all: Vec<String> = site.diagnostics.iter().map(ToString::to_string).collect();
    for words in [
        "1 components without telemetry of type 'acme.documents'",
        "1 rule maps of 's.json'",
        "1 scene components 'Light'",
        "1 scene components 'ModelShader",
        "time series 'position' of 'acme.mixer' has type LIST",
        "'acme.mixer' extends 'acme.base'",
        "is 'tiles.json', which is no GLB",
        "refers to node 99",
        "entity number 3 of 'e.json' has an entityId that is taken",
        "entity number 4 of 'e.json' has no usable entityId",
    ] {
        assert!(all.iter().any(|finding| finding.contains(words)), "'{words}' is not in:\n{}", all.join("\n"));
    }
    assert!(site.diagnostics.iter().all(|finding| finding.severity != Severity::Error), "{}", all.join("\n"));
}

#[test]
fn interfaces_of_the_site_file_win_and_placeholders_name_the_other_components() {
    let rest = r#"
[[interfaces]]
id = "machine"
signals = [{ name = "speed" }]
[[interfaces.rules]]
id = "alarm"
kind = "stale"
signal = "{Alarm}.alarm_status"
[[twins]]
id = "M-1"
name = "My mixer"
[[twins.signals]]
name = "speed"
unit = "1/min"
"#;
    let keys = "component_types = [\"alarm.json\"]\ninterfaces = { \"acme.mixer\" = \"machine\" }";
    let site = import(keys, rest);
    let model = &site.model;
    let mixer = model.twin(model.find_twin("M-1").unwrap());
    assert_eq!((mixer.display_name.as_str(), mixer.interface.as_str()), ("My mixer", "machine"));
    assert_eq!(model.signal(mixer.signals[0]).unit.0, "1/min");
    assert_eq!(model.signal(model.rule(mixer.rules[0]).signal).id.as_str(), "A-1.alarm_status");
    let missing: Vec<_> = site.diagnostics.iter().filter(|finding| finding.code == codes::PLACEHOLDER_UNKNOWN).collect();
    assert_eq!(missing.len(), 1, "Mixer 2 has no alarm: {missing:?}");
    assert_eq!(missing[0].subject, "M-2");
}

/// A site over one entities file and component types `t0.json`, `t1.json`, ….
fn exported(entities: &str, types: &[&str]) -> LoadedSite {
    let names: Vec<String> = (0..types.len()).map(|at| format!("\"t{at}.json\"")).collect();
    let text = format!(
        "[site]\nid = \"s\"\n[[imports]]\nkind = \"twinmaker\"\nentities = \"e.json\"\ncomponent_types = [{}]\n",
        names.join(", ")
    );
    let mut read = |path: &str| {
        let number = path.strip_prefix('t').and_then(|rest| rest.strip_suffix(".json")).and_then(|n| n.parse::<usize>().ok());
        let text = number.map_or(Some(&entities), |number| types.get(number));
        text.map(|text| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
    };
    load(&text, "site.toml", &mut read)
}

fn entity(id: &str, component: &str, type_id: &str, asset: &str) -> String {
    format!(
        r#"{{"entityId": "{id}", "entityName": "{id}", "components": {{"{component}": {{"componentTypeId": "{type_id}",
        "properties": {{"telemetryAssetId": {{"value": {{"stringValue": "{asset}"}}}}}}}}}}}}"#
    )
}

fn serious(site: &LoadedSite) -> Vec<String> {
    site.diagnostics.iter().filter(|it| it.severity != Severity::Info).map(ToString::to_string).collect()
}

#[test]
fn entities_may_be_a_bare_list_as_the_tool_writes_it() {
    // Its entities without components have a list in the place of the object.
    let list = format!(r#"[{}, {{"entityId": "room", "components": []}}]"#, entity("e", "M", "acme.mixer", "M-1"));
    let site = exported(&list, &[MIXER]);
    assert_eq!(serious(&site), [] as [String; 0]);
    assert_eq!(site.model.twins().iter().map(|twin| twin.id.as_str()).collect::<Vec<_>>(), ["M-1"]);
    for (text, words) in [
        (r#"{"version": "0.0.2", "entities": "entities.json", "scenes": []}"#, "name its file 'entities.json'"),
        (r#"{"entitySummaries": [{"entityId": "e"}]}"#, "summaries without components"),
        ("{}", "name a TwinMaker entities file"),
    ] {
        let found = serious(&exported(text, &[]));
        assert!(found.iter().any(|it| it.contains(words)), "{text}: {found:?}");
    }
}

#[test]
fn a_type_may_declare_the_series_that_the_basic_alarm_brings() {
    let alarm = r#"{"componentTypeId": "acme.alarm", "extendsFrom": ["com.amazon.iottwinmaker.alarm.basic"], "propertyDefinitions": {
        "alarm_status": {"dataType": {"type": "STRING"}, "isTimeSeries": true, "isInherited": true},
        "alarm_key": {"dataType": {"type": "STRING"}, "isExternalId": true}}}"#;
    let site = exported(&format!("[{}]", entity("e", "A", "acme.alarm", "A-1")), &[alarm]);
    assert_eq!(serious(&site), [] as [String; 0]);
    assert_eq!(site.model.signals().iter().map(|signal| signal.id.as_str()).collect::<Vec<_>>(), ["A-1.alarm_status"]);
    assert_eq!(site.model.alarms().len(), 1);
}

#[test]
fn series_of_known_base_types_are_carried_over_and_circles_end() {
    let base = r#"{"componentTypeId": "acme.base", "extendsFrom": ["acme.mixer"],
        "propertyDefinitions": {"heat": {"dataType": {"type": "DOUBLE"}, "isTimeSeries": true}}}"#;
    let site = exported(&format!("[{}]", entity("e", "M", "acme.mixer", "M-1")), &[MIXER, base]);
    let ids: Vec<_> = site.model.signals().iter().map(|signal| signal.id.as_str()).collect();
    assert_eq!(ids, ["M-1.count", "M-1.heat", "M-1.speed"]);
    let derived = r#"{"componentTypeId": "acme.horn", "extendsFrom": ["acme.alarm"]}"#;
    let site = exported(&format!("[{}]", entity("e", "H", "acme.horn", "H-1")), &[derived, ALARM]);
    assert_eq!((site.model.alarms().len(), serious(&site)), (1, Vec::new()));
}

#[test]
fn two_entities_of_one_asset_id_both_stay_and_show_the_same_data() {
    let list =
        [entity("e1", "M", "acme.mixer", "M-1"), entity("e2", "M", "acme.mixer", "M-1"), entity("e3", "M", "acme.mixer", "e2")];
    let site = exported(&format!("[{}]", list.join(",")), &[MIXER]);
    let found = serious(&site);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("'e2.M' and 'e1.M'") && found[0].contains("telemetryAssetId 'M-1'"), "{found:?}");
    let twins: Vec<_> = site.model.twins().iter().map(|twin| twin.id.as_str()).collect();
    // Not "e2": that is the asset id of the third.
    assert_eq!(twins, ["M-1", "e2-M", "e2"]);
    let keys: Vec<_> = site.model.signals().iter().map(|signal| (signal.id.as_str(), signal.source_key.as_str())).collect();
    let expected = [
        ("M-1.count", "M-1.count"),
        ("M-1.speed", "M-1.speed"),
        ("e2-M.count", "M-1.count"),
        ("e2-M.speed", "M-1.speed"),
        ("e2.count", "e2.count"),
        ("e2.speed", "e2.speed"),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn versions_and_units_that_are_not_known_are_named() {
    let scene = |head: &str| {
        let text = "[site]\nid = \"s\"\n[[imports]]\nkind = \"twinmaker\"\nentities = \"e.json\"\nscenes = \"s.json\"\n";
        let scene = format!(
            r#"{{{head} "nodes": [{{"name": "M", "components": [{{"type": "ModelRef", "uri": "m.glb",
            "unitOfMeasure": "ells"}}]}}], "rootNodeIndexes": [0]}}"#
        );
        let mut read = |path: &str| Ok(if path == "e.json" { ENTITIES } else { &scene }.as_bytes().to_vec());
        serious(&load(text, "site.toml", &mut read)).join("\n")
    };
    let known = scene(r#""specVersion": "1.0", "version": "1", "unit": "meters","#);
    assert!(!known.contains("says") && known.contains("'ells', which is no known unit"), "{known}");
    let odd = scene(r#""specVersion": "2.0", "version": 7, "unit": "cubits","#);
    for words in ["says specVersion 2.0; this reader knows 1.0", "says version 7", "says unit \"cubits\""] {
        assert!(odd.contains(words), "'{words}' is not in {odd}");
    }
}

#[test]
fn rule_maps_are_read_as_health_where_that_is_asked_for() {
    let scene = r#"{"rules": {"hot": {"statements": [
        {"expression": "speed > 90", "target": "c.color:red"}, {"expression": "speed >= 70", "target": "c.icon:Warning"},
        {"expression": "speed * 2 > 1", "target": "c.color:red"}]}, "unused": {}},
      "nodes": [{"name": "T", "components": [{"type": "Tag", "ruleBasedMapId": "hot", "valueDataBinding":
        {"dataBindingContext": {"entityId": "e2", "componentName": "Mixer", "propertyName": "speed"}}}]}], "rootNodeIndexes": [0]}"#;
    let text = "[site]\nid = \"s\"\n[[imports]]\nkind = \"twinmaker\"\nentities = \"e.json\"\nscenes = \"s.json\"\nrules = true\ncomponent_types = \"mixer.json\"\n";
    let mut read = |path: &str| {
        Ok(match path {
            "e.json" => ENTITIES,
            "s.json" => scene,
            _ => MIXER,
        }
        .as_bytes()
        .to_vec())
    };
    let site = load(text, "site.toml", &mut read);
    let model = &site.model;
    let twin = model.twin(model.find_twin("M-2").unwrap());
    let [rule] = twin.rules.as_slice() else { panic!() };
    let RuleKind::Range { bands, .. } = &model.rule(*rule).kind else { panic!() };
    assert_eq!(bands.iter().map(|band| band.status).collect::<Vec<_>>(), [Status::Failure, Status::Maintenance]);
    let all: Vec<String> = site.diagnostics.iter().map(ToString::to_string).collect();
    for words in ["rule map 'hot' of 's.json' has statements", "1 rule maps of 's.json' were not carried over"] {
        assert!(all.iter().any(|finding| finding.contains(words)), "'{words}' is not in:\n{}", all.join("\n"));
    }
}

#[test]
fn broken_and_missing_files_are_findings_and_the_rest_loads() {
    let site = import("component_types = [\"bad.json\", \"gone.json\"]", "");
    let found = |code: &str| site.diagnostics.iter().find(|finding| finding.code == code);
    let broken = site.diagnostics.iter().find(|finding| &*finding.at.file == "bad.json");
    assert_eq!(broken.map(|it| (it.code, it.at.line)), Some((codes::FILE_INVALID, 2)));
    assert_eq!(found(codes::FILE_UNREADABLE).map(|it| it.at.file.to_string()), Some("site.toml".into()));
    let words = "2 twins of component type 'acme.mixer'";
    assert!(site.diagnostics.iter().any(|it| it.code == codes::INTERFACE_UNKNOWN && it.message.contains(words)));
    assert_eq!(site.model.twins().len(), 3);
}
