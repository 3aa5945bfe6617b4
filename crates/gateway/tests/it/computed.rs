//! Computed signals through the program: the example of the reference and a table worked out by hand, export, and doors that stay shut.

use serde_json::Value as Json;

use crate::world::{Folder, orrery};

/// The site of docs/SITE.md.
fn site() -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SITE.md");
    let text = std::fs::read_to_string(page).unwrap();
    text.split("```toml computed\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().to_owned()
}

const LOG: &str = "time,signal,value,quality
2026-03-02T08:00:00Z,cooler-1.inlet,30,good
2026-03-02T08:00:01Z,cooler-1.inlet,31,good
2026-03-02T08:00:02Z,cooler-1.outlet,15,good
2026-03-02T08:00:03Z,cooler-1.inlet,24,uncertain
2026-03-02T08:00:04Z,cooler-1.inlet,19,good
2026-03-02T08:00:05Z,cooler-1.inlet,,bad_sensor_failure
2026-03-02T08:00:06Z,cooler-1.inlet,32,good
2026-03-02T08:00:12Z,cooler-1.outlet,16,good
2026-03-02T08:00:12.500Z,cooler-1.inlet,32,good
";

fn folder(log: &str) -> (Folder, String) {
    let folder = Folder::new();
    folder.write("cooling.csv", log);
    let site = folder.write("site.toml", site()).display().to_string();
    (folder, site)
}

fn state(site: &str, at: &str, more: &[&str]) -> Json {
    let at = format!("2026-03-02T08:00:{at}Z");
    let mut args = vec!["state", site, "--at", &at, "--json"];
    args.extend(more);
    let (code, out, err) = orrery(&args);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str::<Json>(&out).unwrap()["twins"][0].take()
}

fn drop_of(twin: &Json) -> Json {
    twin["signals"].as_array().unwrap().iter().find(|it| it["id"] == "cooler-1.drop").unwrap().clone()
}

#[test]
fn the_example_of_the_reference_has_nothing_to_mend() {
    let (_folder, site) = folder(LOG);
    let (code, out, err) = orrery(&["check", &site, "--json"]);
    let json: Json = serde_json::from_str(&out).unwrap();
    assert_eq!((code, json["findings"].as_array().map(Vec::len)), (0, Some(0)), "{out}{err}");
}

/// Seconds, the difference, as of which second, its quality, what the rule gives and whether the alarm is active.
type Expected = (&'static str, Option<f64>, Option<&'static str>, &'static str, &'static str, bool);

#[test]
fn state_says_what_was_worked_out_by_hand() {
    let (_folder, site) = folder(LOG);
    let table: [Expected; 9] = [
        ("00", None, None, "bad", "unknown", false),
        ("01.9", None, None, "bad", "unknown", false),
        ("02", Some(16.0), Some("01"), "good", "normal", false),
        ("03", Some(9.0), Some("02"), "uncertain", "maintenance", false),
        ("04", Some(4.0), Some("02"), "good", "failure", true),
        ("05", None, Some("02"), "bad_sensor_failure", "unknown", true),
        ("06", Some(17.0), Some("02"), "good", "normal", false),
        ("12", Some(16.0), Some("06"), "good", "normal", false),
        ("12.6", Some(16.0), Some("12"), "good", "normal", false),
    ];
    for (at, value, since, quality, status, alarm) in table {
        let twin = state(&site, at, &[]);
        let drop = drop_of(&twin);
        let time = since.map(|s| format!("2026-03-02T08:00:{s}Z"));
        assert_eq!(drop["value"].as_f64(), value, "at {at}: {drop:#}");
        assert_eq!((drop["time"].as_str(), &drop["quality"]), (time.as_deref(), &quality.into()), "at {at}");
        assert_eq!(twin["status"], status, "at {at}");
        assert_eq!(twin["alarms"][0]["state"] == "unacknowledged", alarm, "at {at}");
    }
}

#[test]
fn state_says_which_inputs_a_value_has_and_a_reason_names_them() {
    let (_folder, site) = folder(LOG);
    let twin = state(&site, "04.5", &[]);
    let computed = &drop_of(&twin)["computed"];
    assert_eq!(computed["expression"], "inlet - outlet");
    let input = |it: &Json| serde_json::json!([it["id"], it["value"], it["age_s"], it["freshness"]]);
    let inputs: Vec<Json> = computed["inputs"].as_array().unwrap().iter().map(input).collect();
    let expected = serde_json::json!([["cooler-1.inlet", 19.0, 0.5, "live"], ["cooler-1.outlet", 15.0, 2.5, "live"]]);
    assert_eq!(Json::from(inputs), expected);
    assert!(computed["text"].as_str().unwrap().contains("as of 2026-03-02T08:00:02Z, the time of 'outlet'"), "{computed}");
    let reason = twin["reasons"][0]["text"].as_str().unwrap();
    assert!(reason.contains("is below") && reason.contains("from Inlet 19") && reason.contains("Outlet 15"), "{reason}");
    assert!(twin["signals"][0].get("computed").is_none(), "a measured signal follows from nothing");
}

#[test]
fn a_stale_input_makes_it_stale_and_the_rule_unknown() {
    let (_folder, site) = folder(LOG);
    // The inlet has a period of a second: stale from ten seconds on.
    let fresh = |at| {
        let twin = state(&site, at, &[]);
        (drop_of(&twin)["freshness"].clone(), twin["status"].clone())
    };
    assert_eq!(fresh("22"), ("late".into(), "normal".into()));
    assert_eq!(fresh("23"), ("stale".into(), "unknown".into()));
}

#[test]
fn what_came_late_is_taken_in_and_missing_in_what_was_known() {
    let folder = Folder::new();
    folder.write(
        "cooling.csv",
        "time,received,signal,value,quality\n\
         2026-03-02T08:00:00Z,2026-03-02T08:00:00Z,cooler-1.inlet,30,good\n\
         2026-03-02T08:00:00Z,2026-03-02T08:00:00Z,cooler-1.outlet,15,good\n\
         2026-03-02T08:00:01Z,2026-03-02T08:00:09Z,cooler-1.outlet,27,good\n\
         2026-03-02T08:00:03Z,2026-03-02T08:00:03Z,cooler-1.inlet,31,good\n",
    );
    let text = site().replace("key = \"{signal}\"", "key = \"{signal}\"\nreceived = \"received\"");
    let site = folder.write("site.toml", text).display().to_string();
    let says = |at, more: &[&str]| {
        let twin = state(&site, at, more);
        (drop_of(&twin)["value"].as_f64(), twin["status"].as_str().unwrap().to_owned())
    };
    assert_eq!(says("03", &[]), (Some(4.0), "failure".into()));
    assert_eq!(says("03", &["--as-known"]), (Some(16.0), "normal".into()));
    assert_eq!(says("09", &["--as-known"]), (Some(4.0), "failure".into()));
}

#[test]
fn export_derives_it_where_asked_and_nothing_takes_it_in_again() {
    let (folder, site) = folder(LOG);
    let export = |more: &[&str]| {
        let mut args = vec!["export", &site, "--sources", "--to", "2026-03-02T08:01:00Z", "-o", "-"];
        args.extend(more);
        let (code, out, err) = orrery(&args);
        assert_eq!(code, 0, "{err}");
        (out.lines().filter(|line| line.contains("cooler-1.drop")).map(str::to_owned).collect::<Vec<_>>(), out, err)
    };
    assert_eq!(export(&[]).0, [] as [String; 0]);
    let (none, _, err) = export(&["--signal", "*.drop"]);
    assert!(none.is_empty() && err.contains("--computed derives it"), "{err}");
    let (rows, whole, _) = export(&["--computed"]);
    let columns: Vec<&str> = whole.lines().next().unwrap().split(',').collect();
    let at = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let cells: Vec<(String, String)> = rows
        .iter()
        .map(|row| row.split(',').map(str::to_owned).collect::<Vec<_>>())
        .map(|row| (row[at("source_time")].clone(), row[at("value_double")].clone()))
        .collect();
    let second = |s: &str| format!("2026-03-02T08:00:{s}Z");
    let values: Vec<(&str, &str)> = cells.iter().map(|(time, value)| (time.as_str(), value.as_str())).collect();
    let expected = [("02", "16"), ("03", "9"), ("04", "4"), ("05", ""), ("06", "17"), ("12", "16"), ("12.5", "16")];
    assert_eq!(values.len(), expected.len(), "{cells:?}");
    for ((time, value), (s, wanted)) in values.iter().zip(expected) {
        assert!(time.starts_with(second(s).trim_end_matches('Z')), "{time} {s}");
        assert_eq!(value.parse::<f64>().ok(), wanted.parse::<f64>().ok(), "{time}");
    }
    // The whole table goes into a history, but for these rows.
    let table = folder.write("table.csv", &whole).display().to_string();
    let data = folder.0.join("data").display().to_string();
    let (_, out, err) = orrery(&["import-samples", &site, &table, "--data", &data]);
    let words = format!("{out}{err}");
    assert!(words.contains("'cooler-1.drop' is computed from other signals and takes no samples"), "{words}");
}

#[test]
fn what_is_kept_from_before_a_signal_was_computed_is_sent_to_nobody() {
    let loaded = twin_site::load(&site(), "site.toml", &mut |_| Err("no files here".into()));
    let model = std::sync::Arc::new(loaded.model);
    let signal = |id: &str| model.find_signal(id).unwrap();
    let now = twin_model::Timestamp::from_secs(1_772_438_400);
    let mut store = gateway::stores::patient_store(&model);
    for id in ["cooler-1.inlet", "cooler-1.drop"] {
        store.append(signal(id), &twin_model::Sample::new(now, twin_model::Value::Float(78.0)));
    }
    let hub = gateway::hub::Hub::new(model.clone(), now, gateway::RingLimits::default(), store, None);
    let (frames, _) = hub.open(None, now);
    let entries = frames.iter().filter_map(|frame| match frame {
        twin_protocol::ServerFrame::Snapshot(snapshot) => Some(&snapshot.entries),
        _ => None,
    });
    let sent: Vec<u32> = entries.flatten().map(|entry| entry.id.0).collect();
    assert_eq!(sent, [signal("cooler-1.inlet").0]);
}
