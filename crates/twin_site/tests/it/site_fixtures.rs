//! The project's own site files against the real data that they name.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use twin_geometry::glb;
use twin_model::{AlarmCondition, AlarmState, Model, RuleKind, Status, TwinIndex, Value};
use twin_scene::geometry::SceneModel;
use twin_site::check::{AssetState, CheckReport, check};
use twin_site::{CsvLayout, LoadedSite, Severity, SourceKind, paths};

use crate::shared;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

fn read(folder: &Path, data: &Path, path: &str) -> Result<Vec<u8>, String> {
    let path = paths::with_shared(path, data.to_str());
    std::fs::read(folder.join(path)).map_err(|error| error.to_string())
}

/// A fixture, and its models by path.
struct Fixture {
    site: LoadedSite,
    models: BTreeMap<String, Result<SceneModel, String>>,
}

impl Fixture {
    fn load(name: &str, data: &Path) -> Self {
        let folder = folder(name);
        let text = std::fs::read(folder.join("site.toml")).unwrap();
        let site = twin_site::load_bytes(&text, "site.toml", &mut |path| read(&folder, data, path));
        let load = |path: &str| {
            let bytes = read(&folder, data, path)?;
            glb::load(&bytes, &mut |_| Err("no other files".to_owned()), &glb::Limits::default())
                .map_err(|error| error.to_string())
        };
        let models = site.model_files().into_iter().map(|path| (path.to_owned(), load(path))).collect();
        Self { site, models }
    }

    fn check(&self) -> CheckReport {
        let state = |(at, asset): (usize, &twin_site::ModelAsset)| match &self.models[&asset.path] {
            Ok(model) => AssetState { notes: Vec::new(), ..AssetState::of(at, model) },
            Err(why) => AssetState::unreadable(why.clone()),
        };
        let states: Vec<AssetState<'_>> = self.site.assets.iter().enumerate().map(state).collect();
        check(&self.site, &states)
    }

    fn serious(&self) -> Vec<String> {
        let serious = self.site.diagnostics.iter().filter(|finding| finding.severity != Severity::Info);
        serious.map(ToString::to_string).collect()
    }
}

fn rows(data: &Path, path: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(data.join(path)).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn id(model: &Model, twin: TwinIndex) -> &str {
    model.twin(twin).id.as_str()
}

#[test]
fn the_cookie_factory_has_the_54_twins_of_its_recording() {
    let Some(data) = shared::data("the_cookie_factory_has_the_54_twins_of_its_recording") else { return };
    let fixture = Fixture::load("cookie-factory", &data);
    assert_eq!(fixture.serious(), [] as [String; 0]);
    let rows = rows(&data, "C-telemetry/aws-cookiefactory-v1/telemetry.csv");
    let recorded: BTreeSet<&str> = rows.iter().map(|row| row[2].as_str()).collect();
    let model = &fixture.site.model;
    let twins: BTreeSet<&str> = model.twins().iter().map(|twin| twin.id.as_str()).collect();
    assert_eq!((twins.len(), &twins), (54, &recorded));
    // Every row finds its signal by the key that the source makes out of it.
    let source = &fixture.site.sources[0];
    assert!(matches!(&source.kind, SourceKind::Csv(csv) if matches!(csv.table.layout, CsvLayout::Long { .. })));
    let by_key = fixture.site.signals_by_key(source.index);
    let keys: BTreeSet<String> = rows.iter().map(|row| format!("{}.{}", row[2], row[3])).collect();
    assert_eq!(keys.iter().filter(|key| !by_key.contains_key(key.as_str())).collect::<Vec<_>>(), [] as [&String; 0]);
    assert_eq!(keys.len(), model.signals().len());
}

#[test]
fn alarms_of_the_cookie_factory_colour_the_machine_of_their_entity() {
    let Some(data) = shared::data("alarms_of_the_cookie_factory_colour_the_machine_of_their_entity") else { return };
    let fixture = Fixture::load("cookie-factory", &data);
    let model = &fixture.site.model;
    assert_eq!(model.alarms().len(), 27);
    let states: Vec<(Value, AlarmState)> = vec![
        (Value::text("ACTIVE"), AlarmState::UnackActive),
        (Value::text("ACKNOWLEDGED"), AlarmState::AckActive),
        (Value::text("NORMAL"), AlarmState::Normal),
    ];
    let entities: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data.join("D-twin/aws-cookiefactory-v1/entities.json")).unwrap()).unwrap();
    let asset = |component: &serde_json::Value| {
        component.pointer("/properties/telemetryAssetId/value/stringValue").and_then(|text| text.as_str()).map(str::to_owned)
    };
    let mut pairs = 0;
    for entity in entities["entities"].as_array().unwrap() {
        let components = entity["components"].as_object().unwrap();
        let Some(alarm) = components.get("AlarmComponent").and_then(asset) else { continue };
        let machine = components.iter().filter(|(name, _)| *name != "AlarmComponent").find_map(|(_, c)| asset(c)).unwrap();
        let alarm = model.find_twin(&alarm).unwrap();
        let machine = model.find_twin(&machine).unwrap();
        assert_eq!(model.twin(alarm).parent, Some(machine));
        let definition = model.alarm(model.twin(alarm).alarms[0]);
        assert_eq!(definition.condition, AlarmCondition::Reported { states: states.clone(), otherwise: AlarmState::Normal });
        let rule = model.rule(model.twin(machine).rules[0]);
        assert_eq!(rule.signal, definition.signal, "the machine's colour follows its alarm");
        assert!(matches!(&rule.kind, RuleKind::Match { cases, .. } if cases[0] == (Value::text("ACTIVE"), Status::Failure)));
        pairs += 1;
    }
    assert_eq!(pairs, 27);
}

#[test]
fn machines_of_the_cookie_factory_stand_in_the_scene_and_missing_models_are_said() {
    let Some(data) = shared::data("machines_of_the_cookie_factory_stand_in_the_scene_and_missing_models_are_said") else {
        return;
    };
    let fixture = Fixture::load("cookie-factory", &data);
    let model = &fixture.site.model;
    assert_eq!((fixture.site.assets.len(), fixture.models.len(), fixture.site.anchors.len()), (31, 4, 27));
    let bound: BTreeMap<&str, &str> = fixture
        .site
        .bindings
        .iter()
        .map(|binding| (binding.model.as_deref().unwrap(), model.twin(binding.twin).display_name.as_str()))
        .collect();
    assert_eq!(bound.len(), 27);
    assert!(bound.iter().all(|(asset, twin)| asset == twin), "{bound:?}");
    let mixer = fixture.site.assets.iter().find(|asset| asset.id == "Mixer_3").unwrap();
    let place = mixer.transform.transform_point3(glam::DVec3::ZERO);
    assert!((place - glam::DVec3::new(26.15, 0.0, 69.18)).length() < 1e-4, "{place}");
    assert!(fixture.site.anchors.iter().all(|anchor| anchor.twin.is_some_and(|twin| model.twin(twin).interface == "alarm")));
    let report = fixture.check();
    let missing: Vec<&str> =
        report.findings.iter().filter(|finding| finding.severity != "info").map(|finding| finding.message.as_str()).collect();
    assert_eq!(missing.len(), 2, "{missing:#?}");
    assert!(missing[0].contains("CookieFactoryEnvironment.glb") && missing[1].contains("CookieFactoryLine.glb"), "{missing:?}");
    let summary = report.summary;
    assert_eq!((summary.models, summary.nodes, summary.bound_nodes), (27, 26 * 8 + 26, 26 * 8 + 26));
    assert_eq!((summary.twins, summary.bound_twins, report.exit_code()), (54, 27, 1));
}

#[test]
fn every_node_of_the_duplex_belongs_to_a_room_or_a_storey() {
    let Some(data) = shared::data("every_node_of_the_duplex_belongs_to_a_room_or_a_storey") else { return };
    let fixture = Fixture::load("duplex", &data);
    assert_eq!(fixture.serious(), [] as [String; 0]);
    let report = fixture.check();
    assert_eq!((report.exit_code(), &report.findings), (0, &Vec::new()));
    let summary = report.summary;
    assert_eq!((summary.nodes, summary.bound_nodes), (215, 215));
    assert!(summary.bound_twins >= 20, "{summary:?}");
    let rooms = fixture.site.model.twins().iter().filter(|twin| twin.interface == "monitored-room").count();
    assert_eq!(rooms, 10);
}

#[test]
fn the_room_log_of_the_duplex_reads_as_the_site_file_says() {
    let Some(data) = shared::data("the_room_log_of_the_duplex_reads_as_the_site_file_says") else { return };
    let fixture = Fixture::load("duplex", &data);
    let SourceKind::Csv(csv) = &fixture.site.sources[0].kind else { panic!() };
    let rows = rows(&data, "C-telemetry/uci-occupancy/datatest.txt");
    let rows = &rows[csv.table.skip_lines..];
    let twin_table::TimeColumns::One(twin_site::Column::Index(time)) = csv.table.time else { panic!() };
    let mut times = twin_table::TimeReader::new(csv.table.times.clone());
    let first = times.read(0, rows[0][time].trim_matches('"')).unwrap();
    assert_eq!(first.t.to_string(), "2015-02-02T13:19:00Z");
    assert!(rows.iter().all(|row| times.read(0, row[time].trim_matches('"')).is_ok()));
    assert_eq!(fixture.site.signals_by_key(fixture.site.sources[0].index).get("5").map(Vec::len), Some(10));
}

/// Mean and standard deviation of the population of the first 400 values of a column.
fn first_400(data: &Path, run: &str, column: &str) -> (f64, f64) {
    let text = std::fs::read_to_string(data.join("C-telemetry/skab").join(run)).unwrap();
    let mut lines = text.lines().map(|line| line.split(';').collect::<Vec<_>>());
    let at = lines.next().unwrap().iter().position(|name| *name == column).unwrap();
    let values: Vec<f64> = lines.take(400).map(|row| row[at].parse().unwrap()).collect();
    let mean = values.iter().sum::<f64>() / 400.0;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 400.0).sqrt())
}

#[test]
fn skab_limits_are_those_of_the_first_400_rows() {
    let Some(data) = shared::data("skab_limits_are_those_of_the_first_400_rows") else { return };
    let fixture = Fixture::load("skab", &data);
    assert_eq!(fixture.site.diagnostics, []);
    assert_eq!(fixture.check().exit_code(), 0);
    let model = &fixture.site.model;
    let mut compared = 0;
    for rule in model.rules() {
        let RuleKind::Range { bands, deadband, .. } = &rule.kind else { continue };
        let run = if id(model, rule.twin).starts_with("rig-a") { "other/9.csv" } else { "valve1/2.csv" };
        let (mean, deviation) = first_400(&data, run, &model.signal(rule.signal).source_key);
        let expected = [mean - 4.0 * deviation, mean + 4.0 * deviation, mean - 8.0 * deviation, mean + 8.0 * deviation];
        for (band, expected) in bands.iter().zip(expected) {
            let (twin_model::Limit::Above(limit) | twin_model::Limit::Below(limit)) = band.limit;
            assert!((limit - expected).abs() <= expected.abs() * 5.1e-4, "{}: {limit} is not {expected}", rule.id);
            compared += 1;
        }
        assert!((deadband - deviation / 2.0).abs() <= deviation * 5.1e-4, "{}", rule.id);
    }
    assert_eq!(compared, 2 * 8 * 4);
}

#[test]
fn fixtures_hold_without_their_data() {
    for name in ["cookie-factory", "duplex", "skab"] {
        let text = std::fs::read_to_string(folder(name).join("site.toml")).unwrap();
        let site = twin_site::load(&text, "site.toml", &mut |_| Err("not here".to_owned()));
        let codes: BTreeSet<&str> = site.diagnostics.iter().map(|finding| finding.code).collect();
        let expected: BTreeSet<&str> =
            if name == "cookie-factory" { ["file.unreadable", "site.empty"].into() } else { [].into() };
        assert_eq!(codes, expected, "{name}");
    }
}
