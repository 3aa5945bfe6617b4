//! The site as it was: an instant is judged by the revision that was in force, on the command line and by a program that runs.

use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value as Json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use twin_publication::{Manifest, ViewerModel};

use crate::secrets::Program;
use crate::world::{Folder, PATIENCE, SITE, orrery};

/// Monday to Wednesday 90 l/min at noon, and where Tuesday's change comes; what lies above 80 is maintenance.
const READINGS: &str = "signal,time,value\n\
    pump-01.flow,2026-03-02T12:00:00Z,90\n\
    pump-01.flow,2026-03-03T05:59:59Z,90\n\
    pump-01.flow,2026-03-03T06:00:00Z,90\n\
    pump-01.flow,2026-03-03T12:00:00Z,90\n\
    pump-01.flow,2026-03-04T12:00:00Z,90\n\
    pump-02.flow,2026-03-02T12:00:00Z,12\n";

pub(crate) struct Week {
    pub(crate) folder: Folder,
    pub(crate) site: String,
    pub(crate) data: String,
    published: String,
}

impl Week {
    /// Published on Sunday as it is; on Tuesday morning a limit was raised, on Wednesday morning a pump went.
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        let named = |name: &str| folder.0.join(name).display().to_string();
        let (site, data, published) = (named("site.toml"), named("data"), named("data/publication"));
        let week = Self { folder, site, data, published };
        week.save(SITE);
        let table = week.folder.write("readings.csv", READINGS).display().to_string();
        let (code, _, err) = orrery(&["import-samples", &week.site, "--data", &week.data, &table]);
        assert_eq!(code, 0, "{err}");
        week.publish(SITE, "2026-03-01T00:00:00Z");
        week.publish(&raised(), "2026-03-03T06:00:00Z");
        week.publish(&without_second(), "2026-03-04T06:00:00Z");
        week
    }

    fn save(&self, toml: &str) {
        self.folder.write("site.toml", toml);
    }

    fn publish(&self, toml: &str, at: &str) {
        self.save(toml);
        let (code, _, err) = orrery(&["compile", &self.site, "-o", &self.published, "--at", at]);
        assert_eq!(code, 0, "{err}");
    }

    /// What `orrery state` says, as JSON and in words.
    fn state(&self, at: &str, more: &[&str]) -> (Json, String) {
        let mut args = vec!["state", &*self.site, "--at", at];
        if !more.contains(&"--data") {
            args.extend(["--data", &*self.data]);
        }
        args.extend(more);
        let (_, words, err) = orrery(&args);
        args.push("--json");
        let (_, json, _) = orrery(&args);
        (serde_json::from_str(&json).unwrap_or_else(|_| panic!("{err}")), words)
    }

    fn export(&self, more: &[&str]) -> (String, String) {
        let mut args = vec!["export", &*self.site, "--data", &*self.data, "-o", "-"];
        args.extend(more);
        let (code, out, err) = orrery(&args);
        assert_eq!(code, 0, "{err}");
        (out, err)
    }
}

fn raised() -> String {
    SITE.replace("above = 80.0", "above = 94.0")
}

fn without_second() -> String {
    raised().replace("[[twins]]\nid = \"pump-02\"\ninterface = \"pump\"\nbind = false\n", "")
}

fn statuses(json: &Json) -> Vec<(&str, &str)> {
    fn of(twin: &Json) -> (&str, &str) {
        (twin["id"].as_str().unwrap(), twin["status"].as_str().unwrap())
    }
    json["twins"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn a_limit_that_was_raised_on_tuesday_does_not_recolour_monday() {
    let week = Week::new();
    let monday = "2026-03-02T12:00:00Z";
    for (at, first, revision, from) in [
        // Before there was any, the first is the best that is known.
        ("2026-02-28T12:00:00Z", "unknown", 1, "2026-03-01T00:00:00Z"),
        (monday, "maintenance", 1, "2026-03-01T00:00:00Z"),
        ("2026-03-03T05:59:59.999999Z", "maintenance", 1, "2026-03-01T00:00:00Z"),
        ("2026-03-03T06:00:00Z", "normal", 2, "2026-03-03T06:00:00Z"),
        ("2026-03-03T12:00:00Z", "normal", 2, "2026-03-03T06:00:00Z"),
        ("2026-03-04T12:00:00Z", "normal", 3, "2026-03-04T06:00:00Z"),
    ] {
        let (json, words) = week.state(at, &[]);
        let twins = statuses(&json);
        if first != "unknown" {
            assert_eq!(twins[0], ("pump-01", first), "{at}: {json}");
        }
        assert_eq!(twins.len(), if revision < 3 { 2 } else { 1 }, "{at}");
        let now = revision == 3;
        assert_eq!(json["revision"], serde_json::json!({ "number": revision, "valid_from": from, "now": now }), "{at}");
        let whose = if now { "the site as it is now" } else { "the site as it was then" };
        assert!(words.contains(&format!("judged by revision {revision} (valid from {from}), {whose}")), "{words}");
    }
    // By what holds today, on request.
    let (json, words) = week.state(monday, &["--judge-by", "now"]);
    assert_eq!((statuses(&json), &json["revision"]["number"]), (vec![("pump-01", "normal")], &3.into()));
    assert!(words.contains("judged by revision 3"), "{words}");
    // A pump that is gone still has its samples.
    let (json, _) = week.state(monday, &[]);
    let flow = json["twins"][1]["signals"].as_array().unwrap().iter().find(|it| it["id"] == "pump-02.flow").unwrap().clone();
    assert_eq!(flow["value"], 12.0, "{flow}");
    // What is not published yet is no revision, and changes no earlier day.
    week.save(&without_second().replace("94.0", "70.0"));
    let (json, words) = week.state("2026-03-04T12:00:00Z", &[]);
    assert!(json.get("revision").is_none() && !words.contains("judged by"), "{words}");
    assert_eq!(statuses(&json), [("pump-01", "maintenance")]);
    assert_eq!(statuses(&week.state("2026-03-03T12:00:00Z", &[]).0)[0], ("pump-01", "normal"));
}

#[test]
fn nothing_is_judged_by_the_cache_of_another_site() {
    let folder = Folder::new();
    let own = folder.write("a/site.toml", SITE).display().to_string();
    let other = folder.write("b/site.toml", SITE.replace("\"little\"", "\"other\"").replace("pump-01", "fan-01"));
    let cache = folder.0.join("cb").display().to_string();
    assert!(orrery(&["compile", &other.display().to_string(), "-o", &cache, "--at", "2026-03-01T00:00:00Z"]).0 < 2);
    let table = folder.write("t.csv", "signal,time,value\npump-01.flow,2026-03-02T08:00:00Z,70\n").display().to_string();
    let data = folder.0.join("d").display().to_string();
    assert_eq!(orrery(&["import-samples", &own, "--data", &data, &table]).0, 0);
    let at = "2026-03-02T12:00:00Z";
    for args in [
        &["state", &own, "--at", at, "--cache", &cache][..],
        &["state", &own, "--at", at, "--cache", &cache, "--data", &data],
        &["export", &own, "--to", at, "--cache", &cache, "--data", &data, "-o", "-"],
    ] {
        let (code, out, err) = orrery(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.contains("site 'other'") && err.contains("this one is 'little'"), "{args:?}: {err}");
    }
    let (code, out, err) = orrery(&["state", &own, "--at", at, "--cache", &cache, "--data", &data, "--judge-by", "now"]);
    assert!(code == 0 && out.contains("pump-01") && !out.contains("fan-01"), "its file as it is now: {out}{err}");
}

#[test]
fn a_cache_elsewhere_is_named_and_sources_are_judged_by_the_revision_of_then_too() {
    let folder = Folder::new();
    folder.write("log.csv", "t,one,two\n2026-03-02T12:00:00Z,90,12\n2026-03-03T12:00:00Z,90,12\n");
    let csv = |columns: &str| {
        let base = SITE.split("[[sources]]").next().unwrap();
        format!(
            "{base}[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\ntime = {{ column = \"t\" }}\ncolumns = {{ {columns} }}\n"
        )
    };
    let both = csv("one = \"pump-01.flow\", two = \"pump-02.flow\"");
    let path = folder.write("site.toml", both.clone()).display().to_string();
    let cache = folder.0.join("elsewhere").display().to_string();
    let publish = |at: &str| assert!(orrery(&["compile", &path, "-o", &cache, "--at", at]).0 < 2);
    publish("2026-03-01T00:00:00Z");
    // A twin in front of the others: every index is another one.
    let front = both.replacen("[[twins]]", "[[twins]]\nid = \"pump-00\"\ninterface = \"pump\"\nbind = false\n[[twins]]", 1);
    folder.write("site.toml", front.replace("above = 80.0", "above = 94.0"));
    publish("2026-03-03T06:00:00Z");
    let state = |at: &str, more: &[&str]| {
        let (_, out, err) = orrery(&[&["state", &path, "--at", at, "--json"], more].concat());
        serde_json::from_str::<Json>(&out).unwrap_or_else(|_| panic!("{err}"))
    };
    let json = state("2026-03-02T12:00:00Z", &["--cache", &cache]);
    assert_eq!(json["revision"]["number"], 1);
    assert_eq!(statuses(&json), [("pump-01", "maintenance"), ("pump-02", "normal")], "{json}");
    let json = state("2026-03-03T12:00:00Z", &["--cache", &cache]);
    assert_eq!((&json["revision"]["number"], statuses(&json)[1]), (&2.into(), ("pump-01", "normal")));
    // Without a folder there is nothing to say.
    let json = state("2026-03-02T12:00:00Z", &[]);
    assert!(json.get("revision").is_none() && statuses(&json)[1] == ("pump-01", "normal"));
    // One that has none is a slip of the hand, one that is damaged says so.
    let empty = folder.0.join("empty").display().to_string();
    let (code, _, err) = orrery(&["state", &path, "--at", "2026-03-02T12:00:00Z", "--cache", &empty]);
    assert!(code == 2 && err.contains("holds no publication"), "{err}");
    std::fs::remove_dir_all(folder.0.join("elsewhere/pieces")).unwrap();
    let (code, _, err) = orrery(&["state", &path, "--at", "2026-03-02T12:00:00Z", "--cache", &cache]);
    assert!(code == 2 && err.contains("elsewhere/pieces") && err.contains("--judge-by now"), "{err}");
    let json = state("2026-03-02T12:00:00Z", &["--cache", &cache, "--judge-by", "now"]);
    assert_eq!((&json["revision"]["number"], statuses(&json)[1]), (&2.into(), ("pump-01", "normal")));
}

#[test]
fn a_table_is_named_by_the_revision_in_force_at_its_end() {
    let week = Week::new();
    let (rows, said) = week.export(&["--to", "2026-03-03T00:00:00Z"]);
    assert!(rows.contains("pump-02.flow") && said.contains("those of revision 1, valid from 2026-03-01T00:00:00Z"), "{said}");
    let (rows, said) = week.export(&["--to", "2026-03-04T00:00:00Z"]);
    assert!(rows.contains("pump-02.flow") && said.contains("revision 2") && said.contains("what lies before that"), "{said}");
    for more in [&[][..], &["--to", "2026-03-03T00:00:00Z", "--judge-by", "now"]] {
        let (rows, said) = week.export(more);
        assert!(rows.contains("pump-01.flow") && !rows.contains("pump-02.flow") && !said.contains("revision"), "{said}");
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

/// The stream of a program, in JSON.
async fn connect(program: &Program) -> Socket {
    let host = program.address.trim_start_matches("http://").to_owned();
    let mut request = format!("ws://{host}/stream").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "orrery.v1.json".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(Message::Text(r#"{"frame":"hello","versions":[1]}"#.into())).await.unwrap();
    socket
}

/// The next revision that it tells.
async fn next(socket: &mut Socket) -> Json {
    loop {
        let message = tokio::time::timeout(PATIENCE * 6, socket.next()).await.expect("told in time").unwrap().unwrap();
        if let Message::Text(text) = message {
            let json: Json = serde_json::from_str(&text).unwrap();
            if json["frame"] == "revision" {
                return json;
            }
        }
    }
}

#[tokio::test]
async fn a_limit_saved_while_a_program_serves_is_told_and_kept_for_state() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    let data = folder.0.join("data").display().to_string();
    let begun = "2026-03-03T06:00:00Z";
    let program = Program::serve(&["serve", &site, "--data", &data, "--clock", begun], &[]);
    let mut socket = connect(&program).await;
    let first = next(&mut socket).await;
    assert_eq!(first["revision"], 1);
    let since = |frame: &Json| frame["valid_from_us"].as_i64().unwrap();
    let clock: twin_model::Timestamp = begun.parse().unwrap();
    assert!(since(&first) >= clock.as_micros(), "the server's clock counts");

    folder.write("site.toml", raised());
    let second = next(&mut socket).await;
    assert!(second["revision"] == 2 && since(&second) > since(&first), "{second}");
    let published = folder.0.join("data/publication");
    let manifest = Manifest::read(&std::fs::read(published.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((manifest.revision, manifest.valid_from.as_micros()), (2, since(&second)));
    program.until("revision 1 is in force, compiled");
    program.stop();

    // And a start later it is what it was.
    let program = Program::serve(&["serve", &site, "--data", &data, "--clock", "2026-03-05T00:00:00Z"], &[]);
    let mut socket = connect(&program).await;
    assert_eq!(next(&mut socket).await, second);
    program.stop();
    let model = std::fs::read(published.join("pieces").join(manifest.model.hash.to_string())).unwrap();
    assert_eq!(ViewerModel::read(&model).unwrap().model, gateway::site::Site::read(site.as_ref()).unwrap().loaded.model);
    let (_, words, _) = orrery(&["state", &site, "--data", &data, "--at", "2026-03-03T06:00:00Z"]);
    assert!(words.contains("judged by revision 1 (valid from 2026-03-03T06:00:0"), "{words}");
}

/// What is taken away of a folder that revisions are kept in, how, and the file that is named for it.
type Taken = (&'static str, fn(&Path), &'static str);

const TAKEN: [Taken; 5] = [
    ("the list", |folder| std::fs::remove_file(folder.join("revisions.json")).unwrap(), "revisions.json"),
    ("the manifest in force", |folder| std::fs::remove_file(folder.join("manifest.json")).unwrap(), "manifest.json"),
    ("the first of the list", |folder| unlist(folder, 1), "revisions.json"),
    ("the last of the list", |folder| unlist(folder, 2), "revisions.json"),
    ("all of the list", |folder| [1, 2].into_iter().for_each(|number| unlist(folder, number)), "revisions.json"),
];

/// Takes one out of the list of revisions.
fn unlist(folder: &Path, number: u64) {
    let path = folder.join("revisions.json");
    let mut list: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    list["revisions"].as_array_mut().unwrap().retain(|revision| revision["revision"] != number);
    std::fs::write(path, list.to_string()).unwrap();
}

#[test]
fn revisions_that_are_gone_are_no_reason_to_judge_the_past_by_today() {
    for (what, take, file) in TAKEN {
        let week = Week::new();
        take(week.published.as_ref());
        let monday = "2026-03-02T12:00:00Z";
        for command in [
            &["state", &*week.site, "--at", monday, "--data", &*week.data][..],
            &["export", &*week.site, "--to", monday, "--data", &*week.data, "-o", "-"],
        ] {
            let (code, out, err) = orrery(command);
            assert!(code == 2 && out.is_empty(), "{what}, {command:?}: {out}");
            for word in [file, "from a backup", "--judge-by now"] {
                assert!(err.contains(word), "{what}: {err}");
            }
        }
        assert_eq!(statuses(&week.state(monday, &["--judge-by", "now"]).0), [("pump-01", "normal")], "{what}");
    }
}

#[tokio::test]
async fn a_folder_that_lost_a_revision_is_not_gone_on_with() {
    for (what, take, file) in TAKEN {
        let week = Week::new();
        take(week.published.as_ref());
        let files = || {
            let names = ["manifest.json", "revisions.json", "revisions/1.json", "revisions/2.json", "revisions/3.json"];
            names.map(|name| std::fs::read(Path::new(&week.published).join(name)).ok())
        };
        let before = files();
        week.save(SITE);
        let (code, _, err) = orrery(&["compile", &week.site, "-o", &week.published]);
        assert!(code == 2 && err.contains(file) && err.contains("from a backup"), "{what}: {err}");
        // A plant is shown all the same, and the words are there.
        let program = Program::serve(&["serve", &week.site, "--data", &week.data, "--clock", "2026-03-05T00:00:00Z"], &[]);
        next(&mut connect(&program).await).await;
        program.until("kept in memory only");
        let words = program.stop();
        assert!(words.contains(file), "{what}: {words}");
        assert_eq!(files(), before, "{what}");
    }
}

#[tokio::test]
async fn a_first_manifest_that_is_gone_is_missed_where_a_server_kept_it() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE).display().to_string(), folder.0.join("data").display().to_string());
    let program = Program::serve(&["serve", &site, "--data", &data, "--clock", "2026-03-05T00:00:00Z"], &[]);
    next(&mut connect(&program).await).await;
    // It tells viewers first, and writes down of what it was made then.
    let (made, begun) = (folder.0.join("data/publication/.inputs"), std::time::Instant::now());
    while !made.exists() {
        assert!(begun.elapsed() < PATIENCE * 6, "nothing was written down");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    program.stop();
    std::fs::remove_file(folder.0.join("data/publication/manifest.json")).unwrap();
    let (code, _, err) = orrery(&["state", &site, "--data", &data, "--at", "2026-03-05T00:00:01Z"]);
    assert!(code == 2 && err.contains("manifest.json") && err.contains("the manifest in force is gone"), "{err}");
}

#[tokio::test]
async fn an_earlier_manifest_or_piece_that_is_gone_is_named_and_costs_no_other_instant() {
    let week = Week::new();
    let published = Path::new(&week.published);
    let first = Manifest::read(&std::fs::read(published.join("revisions/1.json")).unwrap()).unwrap();
    let model = published.join("pieces").join(first.model.hash.to_string());
    for (gone, named) in [(published.join("revisions/1.json"), "revisions/1.json"), (model, "pieces")] {
        let bytes = std::fs::read(&gone).unwrap();
        std::fs::remove_file(&gone).unwrap();
        let state = |at: &str| orrery(&["state", &week.site, "--data", &week.data, "--at", at]);
        let (code, _, err) = state("2026-03-02T12:00:00Z");
        assert!(code == 2 && err.contains(named) && err.contains("--judge-by now") && !err.contains("damaged"), "{err}");
        assert_eq!(state("2026-03-03T12:00:00Z").0, 0, "what is kept of later ones is enough for them");
        let program = Program::serve(&["serve", &week.site, "--data", &week.data, "--clock", "2026-03-05T00:00:00Z"], &[]);
        next(&mut connect(&program).await).await;
        if named == "revisions/1.json" {
            let host = program.address.trim_start_matches("http://").to_owned();
            let told = |number: u64| {
                let (status, body) = crate::publication::get(&host, &format!("/api/publication/{number}"));
                (status, String::from_utf8_lossy(&body).into_owned())
            };
            let ((status, body), other) = (told(1), told(9));
            assert!(status == 404 && body.contains("gone or damaged"), "{body}");
            assert!(other.0 == 404 && other.1.contains("no such revision"), "{}", other.1);
        }
        program.until("revision 1 can't be shown");
        let words = program.stop();
        assert!(words.contains(named), "{words}");
        // A copy has what is there, and says what is not: nobody takes another revision for it.
        let to = week.folder.0.join(format!("copy of {}", named.replace('/', "-"))).display().to_string();
        let (code, out, err) = orrery(&["backup", &week.data, &to, "--json"]);
        let json: Json = serde_json::from_str(&out).unwrap();
        assert!(
            code == 1 && json["revisions"] == 3 && json["left_out"][0].as_str().unwrap().contains("revision 1"),
            "{out}{err}"
        );
        assert_eq!(orrery(&["state", &week.site, "--data", &to, "--at", "2026-03-02T12:00:00Z"]).0, 2);
        std::fs::write(&gone, bytes).unwrap();
    }
}

#[test]
fn a_backup_is_judged_as_its_original_at_every_instant() {
    let week = Week::new();
    let to = week.folder.0.join("copy").display().to_string();
    // What one that was cut short left there is in nobody's way.
    week.folder.write("copy/publication.partial/manifest.json", "{");
    week.folder.write("copy/history.partial.sqlite3", "half");
    let (code, out, err) = orrery(&["backup", &week.data, &to, "--json"]);
    let json: Json = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && json["revisions"] == 3 && json["left_out"].as_array().unwrap().is_empty(), "{out}{err}");
    let mut names: Vec<_> =
        std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["history.sqlite3", "publication"]);
    let mut seen = std::collections::BTreeSet::new();
    for at in
        ["2026-02-01T00:00:00Z", "2026-03-02T12:00:00Z", "2026-03-03T06:00:00Z", "2026-03-03T12:00:00Z", "2026-03-04T12:00:00Z"]
    {
        let (original, _) = week.state(at, &[]);
        let (copy, _) = week.state(at, &["--data", &to]);
        assert_eq!(original, copy, "{at}");
        seen.insert(original.to_string());
    }
    assert!(seen.len() >= 4, "they are not all the same");
    assert_eq!(orrery(&["compile", &week.site, "-o", &format!("{to}/publication")]).0, 0, "a compile goes on with it");
    let (code, _, err) = orrery(&["backup", &week.data, &to]);
    assert!(code == 2 && err.contains("exists already"), "{err}");
    week.folder.write("taken/publication/manifest.json", "{}");
    let (code, _, err) = orrery(&["backup", &week.data, &week.folder.0.join("taken").display().to_string()]);
    assert!(code == 2 && err.contains("exists already"), "{err}");
    // Revisions that are damaged as a whole keep no history from being copied.
    std::fs::remove_file(Path::new(&week.published).join("manifest.json")).unwrap();
    let other = week.folder.0.join("other").display().to_string();
    let (code, out, err) = orrery(&["backup", &week.data, &other]);
    assert!(code == 1 && out.contains("read back and whole") && err.contains("manifest.json"), "{out}{err}");
    assert!(Path::new(&other).join("history.sqlite3").exists());
}
