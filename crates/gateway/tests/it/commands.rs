//! The commands' machine output: contracts, compared to the letter.

use gateway::assemble::{PlantOptions, plant};
use gateway::site::Site;
use twin_model::Span;

use crate::world::{Folder, SITE, orrery};

pub(crate) fn logged_site(folder: &Folder) -> String {
    folder.write(
        "log.csv",
        "t,key,v\n2026-03-02T08:00:00Z,pump-01.flow,70\n2026-03-02T08:00:01Z,pump-01.flow,96.5\n2026-03-02T08:00:01Z,pump-01.mode,AUTO\n2026-03-02T08:00:00.5Z,pump-01.flow,oops\n",
    );
    let source = r#"[[sources]]
id = "log"
kind = "csv"
path = "log.csv"
layout = "long"
key = "{key}"
value = "v"
time = { column = "t" }
"#;
    let site = SITE.replace("[[sources]]\nid = \"script\"\nkind = \"websocket\"\n", source);
    folder.write("site.toml", site).display().to_string()
}

#[test]
fn state_json_is_as_promised() {
    let folder = Folder::new();
    let site = logged_site(&folder);
    let (code, out, err) = orrery(&["state", &site, "--at", "2026-03-02T08:00:03Z", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("line 5: 'oops' is not a number"), "{err}");
    assert_eq!(out, include_str!("golden/state.json"));
}

#[test]
fn state_for_people_is_a_table() {
    let folder = Folder::new();
    let site = logged_site(&folder);
    let (code, out, _) = orrery(&["state", &site, "--at", "2026-03-02T08:00:03Z"]);
    assert_eq!(code, 0);
    assert!(out.contains("TWIN") && out.contains("pump-01.overflow") && out.contains("1 alarms active"), "{out}");
    let (_, out, _) = orrery(&["state", &site, "--at", "2026-03-02T08:00:00Z", "--problems"]);
    assert!(!out.contains("pump-01 "), "nothing was wrong a moment before: {out}");
}

#[test]
fn check_exits_with_0_1_or_2() {
    let folder = Folder::new();
    let fine = folder.write("fine/site.toml", SITE).display().to_string();
    let odd = folder.write("odd/site.toml", SITE.replace("bands =", "bandz =")).display().to_string();
    let broken = folder.write("broken/site.toml", "[site\n").display().to_string();
    for (site, expected) in [(&fine, 0), (&odd, 1), (&broken, 2), (&"/nowhere/site.toml".to_owned(), 2)] {
        assert_eq!(orrery(&["check", site]).0, expected, "{site}");
    }
    let (_, out, _) = orrery(&["check", &odd, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let finding = &json["findings"][0];
    for key in ["severity", "code", "file", "line", "subject", "message", "help"] {
        assert!(!finding[key].is_null(), "{key} in {finding}");
    }
    for key in ["models", "nodes", "bound_nodes", "twins", "bound_twins", "signals"] {
        assert!(json["summary"][key].is_u64(), "{key}");
    }
    assert!(finding["help"].as_str().unwrap().contains("bands"), "{finding}");
}

#[test]
fn errors_say_what_and_what_to_do() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    for (args, parts) in [
        (vec!["serve", "/nowhere"], vec!["can't read /nowhere", "check the path", "because: No such file"]),
        (vec!["state", site.as_str(), "--at", "yesterday"], vec!["'yesterday' is not a time", "write it like"]),
        (vec!["whatif", site.as_str(), "--at", "now", "--set", "speed=1"], vec!["there is no knob 'speed'"]),
        (vec!["serve", site.as_str(), "--listen", "256.0.0.1:1"], vec!["can't listen on 256.0.0.1:1", "--listen"]),
        (vec!["state", site.as_str(), "--at", "now", "--data", "/nowhere"], vec!["history in /nowhere"]),
    ] {
        let (code, _, err) = orrery(&args);
        assert_eq!(code, 2, "{args:?}");
        for part in parts {
            assert!(err.contains(part), "{part} in {err}");
        }
    }
}

#[test]
fn a_server_may_live_on_another_day() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("live/site.toml", SITE)).unwrap();
    let origin = "2026-03-02T08:00:00Z".parse().unwrap();
    let lived = plant(&site, &PlantOptions { clock: Some(origin), ..PlantOptions::default() }).unwrap();
    let first = lived.clock.now();
    assert!(first >= origin && first < origin + Span::from_secs(3_600), "{first}");
    assert!(lived.clock.now() >= first, "it runs");
    let logged = Site::read_usable(std::path::Path::new(&logged_site(&folder))).unwrap();
    let refused = plant(&logged, &PlantOptions { clock: Some(origin), ..PlantOptions::default() }).err().unwrap().to_string();
    assert!(refused.contains("lives in the time of its recordings") && refused.contains("--clock"), "{refused}");
}

/// Expressions that a run refuses, with what check says of them.
const REFUSED: [(&str, &str, &str); 5] = [
    ("m.x * * 2", "process.invalid", "a value is missing before '*'"),
    ("median(m.x)", "process.invalid", "there is no function 'median'"),
    ("x + 1", "process.invalid", "there is no signal 'x'"),
    ("m.mode * 2", "process.invalid", "whose values are text"),
    ("m.y + 1", "expression.reference", "mentions 'm.y', which is no signal"),
];

#[test]
fn check_finds_every_process_that_a_run_would_refuse() {
    for (expr, code, words) in REFUSED {
        let folder = Folder::new();
        let site = format!(
            "[site]\nid = \"s\"\n[[twins]]\nid = \"m\"\nbind = false\n\
             signals = [{{ name = \"x\" }}, {{ name = \"mode\", value = \"text\" }}]\n\
             [[twins.processes]]\nsignal = \"x\"\nkind = \"assign\"\nexpr = \"{expr}\"\n"
        );
        let site = folder.write("site.toml", site).display().to_string();
        let (code_of_check, out, _) = orrery(&["check", &site, "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let found: Vec<_> = json["findings"].as_array().unwrap().iter().filter(|f| f["severity"] == "error").collect();
        assert_eq!((code_of_check, found.len()), (1, 1), "{expr}: {out}");
        assert_eq!((&found[0]["code"], &found[0]["line"]), (&code.into(), &10.into()), "{expr}: {out}");
        assert!(found[0]["message"].as_str().unwrap().contains(words), "{expr}: {out}");
        assert_eq!(orrery(&["whatif", &site, "--at", "now"]).0, 2, "{expr}");
    }
}

#[test]
fn check_names_a_clamp_of_a_process_whose_bounds_are_crossed() {
    let folder = Folder::new();
    let site = "[site]\nid = \"s\"\n[[interfaces]]\nid = \"i\"\nsignals = [{ name = \"x\" }, { name = \"y\" }]\n\
                [[interfaces.processes]]\nsignal = \"x\"\nkind = \"assign\"\nexpr = \"clamp({twin}.y, 5, 1) + clamp(2, 1, 3)\"\n\
                [[twins]]\nid = \"m\"\ninterface = \"i\"\nbind = false\n[[twins]]\nid = \"n\"\ninterface = \"i\"\nbind = false\n";
    let site = folder.write("site.toml", site).display().to_string();
    let (code, out, err) = orrery(&["check", &site, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let named = |code: &str| json["findings"].as_array().unwrap().iter().filter(|found| found["code"] == code).count();
    // Once, however many twins inherit it.
    assert_eq!((code, named("expression.bounds"), named("process.invalid")), (1, 1, 0), "{out}{err}");
    assert!(out.contains("column 1 of the process model of 'm': clamp between 5 and 1 holds no value"), "{out}");
}

#[test]
fn whatif_json_is_as_promised() {
    let folder = Folder::new();
    folder.write("log.csv", "t,n,v\n2026-03-02T08:00:00Z,tank.level,50\n2026-03-02T08:00:00Z,tank.inflow,10\n");
    let site = r#"[site]
id = "tanks"
[[twins]]
id = "tank"
bind = false
signals = [{ name = "level", unit = "%" }, { name = "inflow", unit = "%/h" }]
[[twins.rules]]
id = "full"
kind = "range"
signal = "level"
bands = [{ above = 90, status = "failure" }]
[[twins.processes]]
signal = "level"
kind = "integrate"
expr = "tank.inflow / 3600"
[[sources]]
id = "log"
kind = "csv"
path = "log.csv"
layout = "long"
key = "{n}"
value = "v"
time = { column = "t" }
[[knobs]]
id = "inflow"
min = -50
max = 200
targets = [{ scale = "tank.inflow" }]
"#;
    let site = folder.write("site.toml", site).display().to_string();
    let args = ["whatif", &site, "--at", "2026-03-02T08:00:00Z", "--set", "inflow=100", "--json"];
    let (code, out, err) = orrery(&args);
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["at"], &json["horizon_s"]), (&"2026-03-02T08:00:00Z".into(), &28_800.0.into()));
    assert_eq!(json["settings"], serde_json::json!([{"knob": "inflow", "value": 100.0, "unit": "%"}]));
    let row = &json["rows"][0];
    for key in ["signal", "rule", "alarm", "status", "label", "unit", "baseline", "scenario", "delta", "delta_unit", "better"] {
        assert!(row.get(key).is_some(), "{key} in {row}");
    }
    assert_eq!((&row["kind"], &row["rule"], &row["status"]), (&"time_to_status".into(), &"full".into(), &"failure".into()));
    // 40 % at 10 % an hour are 4 h; at twice the inflow 2 h.
    let hours = |key: &str| row[key].as_f64().unwrap();
    assert!((hours("baseline") - 4.0).abs() < 0.02 && (hours("scenario") - 2.0).abs() < 0.02, "{row}");
    assert_eq!(row["better"], false);
    assert_eq!(json["models"], serde_json::json!([{"signal": "tank.level", "start": "observed", "offset": 0.0, "unit": "%"}]));
    assert_eq!(json["left_out"], serde_json::json!([]));
    assert_eq!(orrery(&args).1, out, "the same question has the same answer");
    let (code, _, err) = orrery(&["whatif", &site, "--at", "now", "--set", "inflow=900"]);
    assert_eq!((code, err.contains("goes from -50 to 200 %")), (2, true), "{err}");
}

#[test]
fn whatif_says_what_an_equation_is_off_by_where_it_begins_as_observed() {
    let folder = Folder::new();
    folder.write("log.csv", "t,n,v\n2026-03-02T08:00:00Z,m.load,10\n2026-03-02T08:00:00Z,m.power,23\n");
    let run = |start: &str| {
        let site = format!(
            "[site]\nid = \"s\"\n[[twins]]\nid = \"m\"\nbind = false\nsignals = [{{ name = \"load\", unit = \"%\" }}, {{ name = \"power\", unit = \
             \"kW\" }}]\n[[twins.processes]]\nsignal = \"power\"\nkind = \"assign\"\nexpr = \"m.load * 2\"\n{start}\n[[sources]]\nid = \"log\"\nkind = \
             \"csv\"\npath = \"log.csv\"\nlayout = \"long\"\nkey = \"{{n}}\"\nvalue = \"v\"\ntime = {{ column = \"t\" }}\n"
        );
        let site = folder.write("site.toml", site).display().to_string();
        let (code, out, err) = orrery(&["whatif", &site, "--at", "2026-03-02T08:00:00Z", "--json"]);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap()["models"].clone()
    };
    // 23 was observed where twice 10 is computed.
    let model =
        |start: &str, offset: f64| serde_json::json!([{"signal": "m.power", "start": start, "offset": offset, "unit": "kW"}]);
    assert_eq!(run(""), model("observed", 3.0));
    assert_eq!(run("start = \"observed\""), model("observed", 3.0));
    assert_eq!(run("start = \"model\""), model("model", 0.0));
}

#[test]
fn whatif_names_a_reading_that_the_clamp_of_its_model_moves() {
    let folder = Folder::new();
    folder.write("log.csv", "t,n,v\n2026-03-02T08:00:00Z,m.level,100\n2026-03-02T08:00:00Z,m.inside,20\n");
    let process = |signal: &str| {
        format!("[[twins.processes]]\nsignal = \"{signal}\"\nkind = \"integrate\"\nexpr = \"0\"\nclamp = [0, 50]\n")
    };
    let site = format!(
        "[site]\nid = \"s\"\n[[twins]]\nid = \"m\"\nbind = false\nsignals = [{{ name = \"level\", unit = \"%\" }}, {{ name = \"inside\", unit = \
         \"%\" }}]\n{}{}[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\nlayout = \"long\"\nkey = \"{{n}}\"\nvalue = \"v\"\n\
         time = {{ column = \"t\" }}\n",
        process("level"),
        process("inside")
    );
    let site = folder.write("site.toml", site).display().to_string();
    let args = ["whatif", &*site, "--at", "2026-03-02T08:00:00Z"];
    let why = "100\u{2009}% lies outside the clamp of its model, 0\u{2009}% to 50\u{2009}%, and was moved to 50\u{2009}%";
    let (code, out, err) = orrery(&[&args[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let models: Vec<_> =
        json["models"].as_array().unwrap().iter().map(|it| (it["signal"].as_str(), it["why"].as_str())).collect();
    assert_eq!((code, models), (0, vec![(Some("m.level"), Some(why)), (Some("m.inside"), None)]), "{out}{err}");
    let (_, out, _) = orrery(&args);
    assert!(out.contains(why), "{out}");
}

#[test]
fn whatif_says_what_starts_from_no_reading_and_why_and_what_is_unknown_does_not_fail_at_once() {
    let folder = Folder::new();
    let readings = [
        ("05:00:00", "m.wear", "9", "good"),
        ("05:00:00", "m.power", "23", "good"),
        ("08:00:00", "m.load", "10", "good"),
        ("08:00:00", "m.heat", "30", "uncertain"),
        ("08:00:00", "m.flow", "30", "bad_sensor_failure"),
    ];
    let rows = readings.map(|(t, id, value, quality)| format!("2026-03-02T{t}Z,{id},{value},{quality}\n")).concat();
    folder.write("log.csv", format!("t,n,v,q\n{rows}"));
    let signals = ["load", "wear", "power", "heat", "flow"].map(|name| format!("{{ name = \"{name}\", period = \"1min\" }}"));
    let process = |signal: &str, rest: &str| format!("[[twins.processes]]\nsignal = \"{signal}\"\n{rest}\n");
    let processes = [
        process("wear", "kind = \"growth\"\nexpr = \"0.1\""),
        process("power", "kind = \"assign\"\nexpr = \"m.load * 2\""),
        process("heat", "kind = \"lag\"\ntau = \"10min\"\nexpr = \"m.load * 3\""),
        process("flow", "kind = \"assign\"\nexpr = \"m.load\""),
    ];
    let rule =
        "[[twins.rules]]\nid = \"worn\"\nkind = \"range\"\nsignal = \"wear\"\nbands = [{ above = 7, status = \"failure\" }]\n";
    let source = "[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\nlayout = \"long\"\nkey = \"{n}\"\nvalue = \"v\"\n\
                  quality = \"q\"\ntime = { column = \"t\" }\n";
    let twin = format!("[[twins]]\nid = \"m\"\nbind = false\nsignals = [{}]\n", signals.join(", "));
    let site = folder.write("site.toml", format!("[site]\nid = \"s\"\n{twin}{rule}{}{source}", processes.concat()));
    let (site, at) = (site.display().to_string(), "2026-03-02T08:00:00Z");
    let (_, state, err) = orrery(&["state", &site, "--at", at, "--json"]);
    let state: serde_json::Value = serde_json::from_str(&state).unwrap_or_else(|_| panic!("{err}"));
    assert_eq!(state["twins"][0]["status"], "unknown");
    let (code, out, err) = orrery(&["whatif", &site, "--at", at, "--json"]);
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let model = |signal: &str, start: &str, why: &str| {
        let offset = 0.0;
        serde_json::json!({"signal": signal, "start": start, "offset": offset, "unit": "", "why": why})
    };
    let models = [
        model("m.power", "model", "last reading is 3 h old"),
        model("m.heat", "observed", "quality uncertain"),
        model("m.flow", "model", "quality bad_sensor_failure"),
    ];
    assert_eq!(json["models"], serde_json::json!(models));
    assert_eq!(json["rows"], serde_json::json!([]), "nothing is known of the wear, and it fails at no time");
    let why = "'m.wear' is not simulated: it has no usable value at the chosen moment (last reading is 3 h old)";
    assert_eq!(json["left_out"], serde_json::json!([{"signal": "m.wear", "why": why}]));
    let (_, out, _) = orrery(&["whatif", &site, "--at", at]);
    for words in [why, "m.power: starts from its model, not from a reading: last reading is 3 h old"] {
        assert!(out.contains(words), "{out}");
    }
}

#[test]
fn nothing_is_overwritten_and_no_option_is_passed_over_unasked() {
    let folder = crate::world::Folder::new();
    let rows = "time,signal,value\n2026-03-02T08:15:04Z,a.x,1\n2026-03-02T08:15:05Z,a.x,2\n";
    folder.write("rows.csv", rows);
    let site = "[site]\nid = \"s\"\n[[twins]]\nid = \"a\"\nbind = false\nsignals = [{ name = \"x\" }]\n[[sources]]\nid = \"c\"\nkind = \"csv\"\n\
                path = \"rows.csv\"\nlayout = \"long\"\ntime = \"time\"\nsignal = \"signal\"\nvalue = \"value\"\nstart = \"recorded\"\n";
    let site = folder.write("site.toml", site).to_str().unwrap().to_owned();
    let file = folder.write("old.orrec", "somebody's").to_str().unwrap().to_owned();
    let (code, _, err) = orrery(&["record", &site, &file, "--speed", "max", "--for", "1s"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("exists already") && err.contains("--overwrite"), "{err}");
    assert_eq!(std::fs::read(&file).unwrap(), b"somebody's");
    let (code, _, err) = orrery(&["record", &site, &file, "--speed", "max", "--for", "1s", "--overwrite"]);
    assert_eq!(code, 0, "{err}");
    assert_ne!(std::fs::read(&file).unwrap(), b"somebody's");
    let (code, _, err) = orrery(&["serve", &site, "--keep", "raw=1d"]);
    assert_eq!((code, err.contains("--data")), (2, true), "{err}");
    let (code, _, err) = orrery(&["serve", &site, "--listen", "999"]);
    assert_eq!(code, 2, "{err}");
    assert!(!err.contains("another server") && err.contains("address"), "{err}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, _, err) = orrery(&["serve", &site, "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("another server is running there"), "{err}");
}

#[test]
fn what_is_no_site_file_is_called_what_it_is_with_the_command_that_takes_it() {
    let folder = Folder::new();
    let given: [(&str, &[u8], &[&str]); 9] = [
        ("x.csv", b"at,T\n2026-03-02T08:00:00Z,1\n", &["a table (CSV)", "kind = \"csv\"", "orrery import-samples"]),
        ("wide.csv", b"\xff\xfea\0t\0;\0", &["a table (CSV)"]),
        ("log.txt", b"# from the line\n\nat;T\n2026-03-02T08:00:00Z;1\n", &["a table (CSV)"]),
        ("x.parquet", b"PAR1\0\0\0\0PAR1", &["a Parquet table", "orrery import-samples"]),
        ("x.glb", b"glTF\x02\0\0\0", &["a 3D model", "[[models]]"]),
        ("x.gltf", b"{\"asset\":{\"version\":\"2.0\"}}", &["a 3D model", "[[models]]"]),
        ("x.orrec", b"\x89ORREC\r\n\0\0", &["a recording", "orrery replay"]),
        ("x.db", b"SQLite format 3\0", &["a database", "orrery fsck"]),
        ("x.json", b" {\"site\":{}}", &["JSON", "a site file is TOML"]),
    ];
    for (name, bytes, parts) in given {
        let path = folder.write(name, bytes).display().to_string();
        for args in [&["check", &path][..], &["check", &path, "--json"], &["state", &path, "--at", "now"]] {
            let (code, out, err) = orrery(args);
            assert!(code == 2 && out.is_empty() && err.contains("not a site file"), "{args:?}: {out}{err}");
            assert!(parts.iter().all(|part| err.contains(part)) && !err.contains("TOML parse"), "{args:?}: {err}");
        }
    }
    // A site file by any name is one, also with a mistake in its first line.
    for (name, text) in [("plant.txt", SITE.to_owned()), ("site.toml", format!("# a, b\nids = [1, 2\n{SITE}"))] {
        let (_, out, err) = orrery(&["check", &folder.write(name, text).display().to_string()]);
        assert!(!err.contains("not a site file"), "{name}: {out}{err}");
    }
}

#[test]
fn a_fault_of_the_site_file_is_told_by_every_command_that_answers_from_it() {
    let folder = Folder::new();
    let bands = "bands = [{ above = 80, status = \"maintenance\" }]";
    let rule = format!("[[twins.rules]]\nid = \"hot\"\nkind = \"range\"\nsignal = \"temprature\"\n{bands}\n");
    let text =
        format!("[site]\nid = \"s\"\n[[twins]]\nid = \"m\"\nbind = false\nsignals = [{{ name = \"temperature\" }}]\n{rule}");
    let table = "path = \"a.csv\"\nlayout = \"long\"\ntime = { column = \"time\", format = \"rfc3339\" }\n";
    let source = format!("[[sources]]\nid = \"c\"\nkind = \"csv\"\n{table}key = \"{{signal}}\"\nvalue = \"value\"\n");
    let site = folder.write("site.toml", format!("{text}{source}"));
    folder.write("a.csv", "signal,time,value\nm.temperature,2026-03-02T08:00:00Z,95\n");
    let (site, at) = (site.display().to_string(), "2026-03-02T08:00:01Z");
    let file = folder.0.join("s.orrec").display().to_string();
    for (args, expected) in [
        (vec!["state", &site, "--at", at], 1),
        (vec!["export", &site, "--sources", "--from", "2026-03-02T00:00:00Z", "--to", at, "-o", "-"], 1),
        (vec!["record", &site, &file, "--for", "1s"], 0),
    ] {
        let (code, out, err) = orrery(&args);
        assert!(err.contains("temprature"), "{args:?} says nothing: {out}{err}");
        assert_eq!(code, expected, "{args:?}: {out}{err}");
    }
}
