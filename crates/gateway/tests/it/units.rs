//! A reading is never shown in another unit than it was written in, whatever the site file says later, and a person has a way to say
//! what was meant.

use gateway::history::{Database, FILE, fsck};
use gateway::hub::Hub;
use twin_model::{TimeRange, Timestamp, Value};

use crate::series::{open, put, seen, settle};
use crate::world::{Folder, orrery};

/// A pump whose `temp` is in this unit.
fn site(unit: &str) -> String {
    format!(
        "[site]\nid = \"plant\"\n[[twins]]\nid = \"pump\"\nbind = false\nsignals = [{{ name = \"temp\", unit = \"{unit}\" }}, \
         {{ name = \"load\", unit = \"%\" }}]\n[[sources]]\nid = \"script\"\nkind = \"websocket\"\n"
    )
}

/// One run of a server: what it says at its start of units, what it shows before and after a reading.
fn run(folder: &Folder, unit: &str, reading: Option<(i64, f64)>, sealed: bool) -> (Vec<String>, Vec<Value>) {
    let plant = open(folder, &site(unit));
    let said = plant.remarks.iter().filter(|remark| remark.contains("pump.temp")).cloned().collect();
    if let Some((s, value)) = reading {
        put(&plant.hub, "pump.temp", s, Value::Float(value));
        put(&plant.hub, "pump.load", s, Value::Float(50.0));
    }
    settle(&plant.hub, sealed);
    (said, shown(&plant.hub))
}

fn shown(hub: &std::sync::Arc<Hub>) -> Vec<Value> {
    seen(hub, "pump.temp")
}

fn floats(values: &[f64]) -> Vec<Value> {
    values.iter().map(|value| Value::Float(*value)).collect()
}

fn data(folder: &Folder) -> String {
    folder.0.join("data").display().to_string()
}

fn unit(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let data = data(folder);
    orrery(&[&["history", "unit", &data], args].concat())
}

#[test]
fn readings_of_before_are_kept_apart_told_and_there_again_when_their_unit_returns() {
    for sealed in [true, false] {
        let folder = Folder::new();
        assert_eq!(run(&folder, "°C", Some((60, 90.0)), sealed), (vec![], floats(&[90.0])));
        let (said, values) = run(&folder, "°F", Some((4_000, 194.0)), sealed);
        assert_eq!(values, floats(&[194.0]), "sealed: {sealed}");
        let [said] = said.as_slice() else { panic!("{said:?}") };
        for word in ["pump.temp is in °F", "kept in °C", "orrery history unit", "'pump.temp[°C]' '°F'", "--convert"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        let (said, values) = run(&folder, "°C", Some((8_000, 91.0)), sealed);
        assert_eq!((said.len(), values), (1, floats(&[90.0, 91.0])), "sealed: {sealed}");
        assert_eq!(run(&folder, "degF", None, true).1, floats(&[194.0]));
        assert_eq!(fsck::check(&folder.0.join("data"), false).unwrap().findings, []);
    }
}

#[test]
fn another_spelling_a_first_unit_and_a_unit_left_out_change_nothing_and_say_nothing() {
    let folder = Folder::new();
    let mut all = Vec::new();
    for (n, name) in ["", "C", "°C", "degC", "\u{2103}", "", " °C"].into_iter().enumerate() {
        all.push(n as f64);
        assert_eq!(run(&folder, name, Some((n as i64 * 100, n as f64)), n % 2 == 0), (vec![], floats(&all)), "{name:?}");
    }
    // What was in °C is no °F because nobody said anything in between.
    assert_eq!(run(&folder, "", None, false), (vec![], floats(&all)));
    let (said, values) = run(&folder, "°F", None, false);
    assert_eq!((said.len(), values), (1, vec![]));
}

#[test]
fn a_signal_without_readings_takes_any_unit_without_a_word_and_gives_way_to_one_that_has_some() {
    let folder = Folder::new();
    assert_eq!(run(&folder, "bar", None, true).0, Vec::<String>::new());
    assert_eq!(run(&folder, "°C", Some((60, 90.0)), true), (vec![], floats(&[90.0])));
    assert_eq!(run(&folder, "°F", None, true).0.len(), 1);
    assert_eq!(run(&folder, "°C", None, true), (vec![], floats(&[90.0])));
}

#[test]
fn state_and_export_show_an_instant_in_the_unit_of_then_and_never_in_another() {
    let folder = Folder::new();
    let named = |name: &str| folder.0.join(name).display().to_string();
    let (path, kept) = (named("site.toml"), data(&folder));
    run(&folder, "°C", Some((0, 90.0)), true);
    let publish = |unit: &str, t: &str| {
        folder.write("site.toml", site(unit));
        let (code, _, err) = orrery(&["compile", &path, "-o", &named("data/publication"), "--at", t]);
        assert_eq!(code, 0, "{err}");
    };
    publish("°C", "2026-03-01T00:00:00Z");
    publish("°F", "2026-03-02T09:30:00Z");
    run(&folder, "°F", Some((7_200, 194.0)), true);
    let state = |t: &str, more: &[&str]| {
        let (_, out, err) = orrery(&[&["state", &*path, "--data", &*kept, "--at", t, "--json"], more].concat());
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        let signal = json["twins"][0]["signals"][0].clone();
        (signal["value"].clone(), signal["unit"].as_str().unwrap().to_owned(), err.contains("pump.temp is in"))
    };
    assert_eq!(state("2026-03-02T08:45:00Z", &[]), (90.0.into(), "°C".to_owned(), false), "as it was then");
    let none = serde_json::Value::Null;
    assert_eq!(state("2026-03-02T08:45:00Z", &["--judge-by", "now"]), (none, "°F".to_owned(), true), "no °F, and told");
    assert_eq!(state("2026-03-02T11:00:00Z", &[]), (194.0.into(), "°F".to_owned(), true));
    let export = |more: &[&str]| {
        let (code, out, err) =
            orrery(&[&["export", &*path, "--data", &*kept, "-o", "-", "--signal", "pump.temp"], more].concat());
        assert_eq!(code, 0, "{err}");
        let rows = out.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>());
        let rows: Vec<String> = rows.map(|cells| format!("{} {}", cells[4], cells[8])).collect();
        (rows, err.contains("kept in"))
    };
    assert_eq!(export(&[]), (vec!["194.0 °F".to_owned()], true));
    assert_eq!(export(&["--to", "2026-03-02T09:30:00Z"]), (vec!["90.0 °C".to_owned()], false));
    assert_eq!(export(&["--from", "2026-03-02T09:30:00Z"]), (vec!["194.0 °F".to_owned()], false));
    let (code, _, err) = unit(&folder, &["pump.temp[°C]", "°F", "--convert"]);
    assert!(code == 0 && err.contains("the site of revision 1 has it in °C"), "{err}");
    assert_eq!(export(&[]), (vec!["194.0 °F".to_owned(), "194.0 °F".to_owned()], false));
    // What is kept is right as it is: nobody is told to call it °C.
    assert_eq!(state("2026-03-02T08:45:00Z", &[]), (serde_json::Value::Null, "°C".to_owned(), false), "not 194 °C");
    let (_, _, err) = orrery(&["state", &path, "--data", &kept, "--at", "2026-03-02T08:45:00Z"]);
    assert!(err.contains("pump.temp was in °C then") && err.contains("--judge-by now") && !err.contains("history unit"), "{err}");
    assert_eq!(state("2026-03-02T08:45:00Z", &["--judge-by", "now"]).0, 194.0);
}

#[test]
fn a_unit_that_was_only_written_into_the_file_hides_nothing_until_a_server_is_started_with_it() {
    let folder = Folder::new();
    let named = |name: &str| folder.0.join(name).display().to_string();
    let (path, kept) = (folder.write("site.toml", site("°C")).display().to_string(), data(&folder));
    run(&folder, "°C", Some((7_200, 90.0)), true);
    let compile = |t: &str| {
        let (code, _, err) = orrery(&["compile", &path, "-o", &named("data/publication"), "--at", t]);
        assert_eq!(code, 0, "{err}");
    };
    compile("2026-03-01T00:00:00Z");
    let shown = |more: &[&str]| {
        let at = ["state", &*path, "--data", &*kept, "--at", "2026-03-02T11:00:00Z", "--json"];
        let (code, out, err) = orrery(&[&at[..], more].concat());
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        let signal = &json["twins"][0]["signals"][0];
        (code, signal["value"].as_f64(), signal["unit"].as_str().unwrap().to_owned(), err)
    };
    folder.write("site.toml", site("°F"));
    let (code, value, unit, err) = shown(&[]);
    assert_eq!((code, value, &*unit), (0, Some(90.0), "°C"), "{err}");
    for word in ["'pump.temp' in °F, not in °C", "revision 1", "--judge-by now"] {
        assert!(err.contains(word), "{word}: {err}");
    }
    let (code, rows, err) = orrery(&["export", &path, "--data", &kept, "-o", "-", "--signal", "pump.temp"]);
    assert!(code == 0 && rows.contains(",90.0,") && rows.contains("°C") && err.contains("in °F, not in °C"), "{rows}{err}");
    let (_, value, unit, err) = shown(&["--judge-by", "now"]);
    assert!(value.is_none() && unit == "°F" && err.contains("kept in °C"), "{err}");
    // Another kind of values likewise.
    folder.write("site.toml", site("°C").replace("unit = \"°C\"", "unit = \"°C\", value = \"text\""));
    let (code, value, unit, err) = shown(&[]);
    assert_eq!((code, value, &*unit), (0, Some(90.0), "°C"), "{err}");
    assert!(err.contains("'pump.temp' as text, not as float"), "{err}");
    folder.write("site.toml", site("°F"));
    // Once it is in force it is what is shown, and other changes of the file never wait for it.
    compile("2026-03-02T10:30:00Z");
    let (_, value, unit, err) = shown(&[]);
    assert!(value.is_none() && unit == "°F" && err.contains("kept in °C"), "{err}");
    folder.write("site.toml", site("degF").replace("plant\"", "plant\"\nname = \"Plant\""));
    assert_eq!(shown(&[]).2, "degF");
}

#[test]
fn a_wrong_unit_is_put_right_by_hand_and_values_stay_what_they_are() {
    for sealed in [true, false] {
        let folder = Folder::new();
        run(&folder, "°C", Some((60, 190.0)), sealed);
        run(&folder, "°F", Some((4_000, 194.0)), sealed);
        let (code, out, err) = unit(&folder, &["pump.temp[°C]", "°F"]);
        assert_eq!((code, out.trim()), (0, "pump.temp is in °F now, which said °C: 1 samples"), "{err}");
        assert_eq!(run(&folder, "°F", None, sealed), (vec![], floats(&[190.0, 194.0])), "sealed: {sealed}");
        // And before any server has seen the change.
        let (code, out, _) = unit(&folder, &["pump.temp", "K"]);
        assert_eq!((code, out.trim()), (0, "pump.temp is in K now, which said °F: 2 samples"));
        assert_eq!(run(&folder, "K", None, sealed), (vec![], floats(&[190.0, 194.0])));
        assert_eq!(fsck::check(&folder.0.join("data"), false).unwrap().findings, []);
    }
}

#[test]
fn a_series_that_takes_the_name_of_an_empty_one_keeps_its_unit() {
    let folder = Folder::new();
    let site = |unit: &str| {
        let signals = format!("signals = [{{ name = \"t\", unit = \"°C\" }}, {{ name = \"u\"{unit} }}]");
        folder.write("s.toml", format!("[site]\nid = \"plant\"\n[[twins]]\nid = \"p\"\nbind = false\n{signals}\n"))
    };
    let path = site("").display().to_string();
    let kept = folder.0.join("kept").display().to_string();
    let table = folder.write("t.csv", "signal,time,value\np.t,2026-03-02T08:00:00Z,20\n").display().to_string();
    let (code, _, err) = orrery(&["import-samples", &path, "--data", &kept, &table]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = orrery(&["history", "rename", &kept, "p.t", "p.u", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    assert_eq!((code, &json["merged"], &json["moved"]), (0, &false.into(), &1.into()), "{err}");
    let (_, out, _) = orrery(&["history", "list", &kept, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rows = json["series"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["id"], &rows[0]["unit"]), (1, &"p.u".into(), &"°C".into()), "{out}");
    let shown = |unit: &str| {
        site(unit);
        let (_, out, err) = orrery(&["state", &path, "--data", &kept, "--at", "2026-03-02T08:00:10Z", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        (json["twins"][0]["signals"][1]["value"].as_f64(), err)
    };
    let (value, err) = shown(", unit = \"K\"");
    assert!(value.is_none() && err.contains("p.u is in K, and readings of it are kept in °C"), "{value:?} {err}");
    assert_eq!(shown(", unit = \"°C\"").0, Some(20.0));
}

#[test]
fn readings_are_converted_when_a_person_asks_for_it() {
    for sealed in [true, false] {
        let folder = Folder::new();
        run(&folder, "°C", Some((60, 90.0)), sealed);
        run(&folder, "°C", Some((120, f64::NAN)), sealed);
        run(&folder, "°F", Some((4_000, 200.0)), sealed);
        let (code, out, err) = unit(&folder, &["pump.temp[°C]", "degF", "--convert", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        assert_eq!((code, &json["samples"], &json["converted"], &json["from"]), (0, &2.into(), &true.into(), &"°C".into()));
        let (said, values) = run(&folder, "°F", None, sealed);
        assert_eq!(said, Vec::<String>::new());
        assert_eq!((values.len(), &values[0], &values[2]), (3, &Value::Float(194.0), &Value::Float(200.0)));
        assert!(matches!(values[1], Value::Float(value) if value.is_nan()));
        // Back, before any server has set anything apart.
        assert_eq!(unit(&folder, &["pump.temp", "°C", "--convert"]).0, 0);
        let (said, values) = run(&folder, "°C", None, true);
        assert_eq!((said, &values[0], &values[2]), (vec![], &Value::Float(90.0), &Value::Float(93.333_333_333_3)));
        assert_eq!(fsck::check(&folder.0.join("data"), false).unwrap().findings, []);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_and_nothing_is_changed() {
    let folder = Folder::new();
    run(&folder, "°C", Some((60, 90.0)), true);
    run(&folder, "°F", Some((60, 191.0)), true);
    let kept = data(&folder);
    for (args, words) in [
        (&["pump.temp[°C]", "bar", "--convert"][..], &["in °C", "bar is not known", "leave out --convert"][..]),
        (&["pump.temp[°C]", "°F"], &["different readings at 1", "--yes", "orrery backup"]),
        (&["pump.temp[°C]", " "], &["is no unit"]),
        (&["pump.pressure", "bar"], &["no series 'pump.pressure'", "orrery history list"]),
    ] {
        let (code, _, err) = unit(&folder, args);
        assert!(code != 0 && words.iter().all(|word| err.contains(word)), "{args:?}: {err}");
    }
    let (code, _, err) = orrery(&["history", "rename", &kept, "pump.temp[°C]", "pump.temp", "--merge", "--yes"]);
    assert!(code != 0 && err.contains("is in °C and pump.temp in °F"), "{err}");
    assert_eq!(run(&folder, "°F", None, true).1, floats(&[191.0]));
    assert_eq!(run(&folder, "°C", None, true).1, floats(&[90.0]));
    let (_, out, _) = orrery(&["history", "list", &kept, "--json"]);
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rows: Vec<String> =
        list["series"].as_array().unwrap().iter().map(|row| format!("{} {}", row["id"], row["unit"])).collect();
    assert_eq!(rows, ["\"pump.load\" \"%\"", "\"pump.temp\" \"°C\"", "\"pump.temp[°F]\" \"°F\""]);
    // With the later received: the one of the second run.
    assert_eq!(unit(&folder, &["pump.temp[°F]", "°C", "--yes"]).0, 0);
    assert_eq!(run(&folder, "°C", None, true).1, floats(&[191.0]));
}

#[test]
fn a_folder_from_before_takes_the_units_of_its_newest_revision_and_else_those_of_its_next_start() {
    for published in [true, false] {
        let folder = Folder::new();
        run(&folder, "°C", Some((60, 90.0)), true);
        if published {
            let path = folder.0.join("site.toml").display().to_string();
            assert_eq!(orrery(&["compile", &path, "-o", &folder.0.join("data/publication").display().to_string()]).0, 0);
        }
        let connection = rusqlite::Connection::open(folder.0.join("data").join(FILE)).unwrap();
        assert_eq!(connection.execute("DELETE FROM note WHERE name = 'units'", []).unwrap(), 1);
        drop(connection);
        let (said, values) = run(&folder, "°F", None, true);
        let wanted = if published { vec![] } else { floats(&[90.0]) };
        assert_eq!((said.len(), values), (usize::from(published), wanted), "published: {published}");
    }
}

#[test]
fn a_repair_keeps_the_units_and_a_damaged_note_of_them_is_as_none() {
    let folder = Folder::new();
    run(&folder, "°C", Some((60, 90.0)), true);
    run(&folder, "°F", Some((4_000, 194.0)), true);
    assert_eq!(orrery(&["fsck", &data(&folder), "--repair"]).0, 0);
    let apart = |asked: &str| {
        let site = gateway::site::Site::read_usable(&folder.write("site.toml", site(asked))).unwrap();
        let database = Database::open_to_read(&folder.0.join("data")).unwrap();
        database.apart(&site.loaded.model, TimeRange::new(Timestamp::MIN, Timestamp::MAX)).unwrap()
    };
    assert_eq!((apart("°F").len(), apart("bar").len()), (1, 2));
    let connection = rusqlite::Connection::open(folder.0.join("data").join(FILE)).unwrap();
    connection.execute("UPDATE note SET text = replace(text, '°F', '°C') WHERE name = 'units'", []).unwrap();
    drop(connection);
    assert_eq!(apart("°F"), []);
}

#[test]
fn a_signal_that_has_the_name_of_a_series_set_apart_is_another_one() {
    let folder = Folder::new();
    run(&folder, "°C", Some((60, 90.0)), true);
    run(&folder, "°F", Some((4_000, 194.0)), true);
    let both = site("°F").replace("name = \"load\"", "name = \"temp[°C]\"");
    let plant = open(&folder, &both);
    assert_eq!(seen(&plant.hub, "pump.temp[°C]"), vec![]);
    put(&plant.hub, "pump.temp[°C]", 90, Value::Float(1.0));
    settle(&plant.hub, true);
    drop(plant);
    assert_eq!(run(&folder, "°C", None, true).1, floats(&[90.0]));
}

#[test]
fn a_unit_left_out_shows_what_came_last_and_names_it_and_a_merge_ends_under_the_id() {
    let folder = Folder::new();
    run(&folder, "°C", Some((60, 90.0)), true);
    run(&folder, "°F", Some((4_000, 194.0)), true);
    let (said, values) = run(&folder, "", None, true);
    assert_eq!((said.len(), values), (1, floats(&[194.0])));
    assert!(said[0].contains("pump.temp is in °F, and readings of it are kept in °C"), "{said:?}");
    // The signal's own into the one that was set apart: both are the signal's.
    assert_eq!(unit(&folder, &["pump.temp", "°C", "--convert"]).0, 0);
    let (_, out, _) = orrery(&["history", "list", &data(&folder)]);
    assert!(out.contains("pump.temp") && !out.contains('['), "{out}");
    assert_eq!(run(&folder, "°C", None, true), (vec![], floats(&[90.0, 90.0])));
}

#[test]
fn whole_numbers_get_another_unit_and_are_not_converted() {
    let folder = Folder::new();
    let count = |unit: &str| site(unit).replace("name = \"temp\",", "name = \"temp\", value = \"int\",");
    let plant = open(&folder, &count("kWh"));
    put(&plant.hub, "pump.temp", 60, Value::Int(7));
    settle(&plant.hub, true);
    drop(plant);
    let (code, _, err) = unit(&folder, &["pump.temp", "MWh", "--convert"]);
    assert!(code != 0 && err.contains("no floats"), "{err}");
    assert_eq!(unit(&folder, &["pump.temp", "MWh"]).0, 0);
    assert_eq!(shown(&open(&folder, &count("MWh")).hub), [Value::Int(7)]);
}

/// Revisions may be elsewhere (`--cache`), or could not be written: that a server was started with the file is seen from what it kept.
#[test]
fn what_came_in_under_a_new_unit_is_shown_although_no_revision_beside_the_history_has_it() {
    let folder = Folder::new();
    let named = |name: &str| folder.0.join(name).display().to_string();
    let (path, kept) = (folder.write("site.toml", site("°C")).display().to_string(), data(&folder));
    let (code, _, err) = orrery(&["compile", &path, "-o", &named("data/publication"), "--at", "2026-03-01T00:00:00Z"]);
    assert_eq!(code, 0, "{err}");
    run(&folder, "°C", Some((3_600, 1.0)), true);
    folder.write("site.toml", site("K"));
    run(&folder, "K", Some((7_200, 300.0)), true);
    let (code, rows, err) = orrery(&["export", &path, "--data", &kept, "-o", "-", "--signal", "pump.temp"]);
    assert!(code == 0 && rows.contains(",300.0,") && !rows.contains(",1.0,"), "{rows}{err}");
    assert!(!err.contains("no server was started") && err.contains("kept in °C"), "{err}");
    let (_, out, err) = orrery(&["state", &path, "--data", &kept, "--at", "2026-03-02T11:00:00Z", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    let signal = &json["twins"][0]["signals"][0];
    assert_eq!((signal["value"].as_f64(), signal["unit"].as_str()), (Some(300.0), Some("K")), "{err}");
}
