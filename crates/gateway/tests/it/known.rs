//! As it was, and as it was known, through the program: rows that arrive a day late are there a day late, if asked so.

use std::path::PathBuf;

use serde_json::Value as Json;
use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, Span, Value};
use twin_protocol::*;

use crate::world::{Folder, World, at, orrery};

const SITE: &str = r#"
[site]
id = "tanks"
time_zone = "UTC"

[[twins]]
id = "tank"
bind = false
signals = [{ name = "level", unit = "%", period = "15min" }]
alarms = [{ id = "high", kind = "limit", signal = "level", above = 90.0, priority = 1, message = "Level high" }]

[[sources]]
id = "log"
kind = "csv"
path = "log.csv"
time = { column = "taken" }
received = "stored"
columns = { level = "tank.level" }
"#;

/// A year of quarter hours. What was taken at midnight is stored a day later; on the tenth day it is over the limit.
fn year(folder: &Folder) -> PathBuf {
    let start: twin_model::Timestamp = "2026-01-01T00:15:00Z".parse().unwrap();
    let quarter = Span::from_secs(900);
    let mut table = String::from("taken,stored,level\n");
    let mut taken = start;
    for n in 1..=35_040 {
        let midnight = n % 96 == 0;
        let stored = if midnight { taken + Span::from_secs(86_400) } else { taken };
        let level = if n == 960 { 95.0 } else { f64::from(n % 96) / 4.0 + 20.0 };
        table += &format!("{taken},{stored},{level}\n");
        taken = taken + quarter;
    }
    folder.write("log.csv", table);
    folder.write("site.toml", SITE)
}

/// Value of the level and state of its alarm.
fn level(json: &str) -> (Json, Json) {
    let json: Json = serde_json::from_str(json).unwrap();
    let tank = &json["twins"][0];
    (tank["signals"][0]["value"].clone(), tank["alarms"][0]["state"].clone())
}

fn state(more: &[&str], at: &str, basis: &str) -> (Json, Json) {
    let known: &[&str] = if basis == "known" { &["--as-known"] } else { &[] };
    let (code, out, err) = orrery(&[&["state"], more, &["--at", at, "--json"], known].concat());
    assert_eq!(code, 0, "{err}");
    assert_eq!(serde_json::from_str::<Json>(&out).unwrap()["basis"], basis, "{out}");
    level(&out)
}

/// Instants with the answers as it was and as it was known.
fn check(more: &[&str]) {
    for (at, was, known) in [
        // The reading of midnight is over the limit; it was stored the next midnight.
        ("2026-01-10T23:59:59Z", (43.75, "normal"), (43.75, "normal")),
        ("2026-01-11T00:00:00Z", (95.0, "unacknowledged"), (43.75, "normal")),
        ("2026-01-11T00:14:59Z", (95.0, "unacknowledged"), (43.75, "normal")),
        ("2026-01-11T00:15:00Z", (20.25, "normal"), (20.25, "normal")),
        // Asked just as it arrives, of which it is an old reading by then: the newest of that day is late in turn.
        ("2026-01-12T00:00:00Z", (20.0, "normal"), (43.75, "normal")),
    ] {
        let answer = |(value, alarm): (f64, &str)| (Json::from(value), Json::from(alarm));
        assert_eq!(state(more, at, "was"), answer(was), "at {at} as it was, {more:?}");
        assert_eq!(state(more, at, "known"), answer(known), "at {at} as it was known, {more:?}");
    }
}

#[test]
fn rows_that_arrived_a_day_late_are_there_a_day_late_as_known() {
    let folder = Folder::new();
    let site = year(&folder).display().to_string();
    check(&[&site]);
    // A recording and a data folder keep when it arrived.
    let recording = folder.0.join("year.orrec").display().to_string();
    let (code, _, err) = orrery(&["record", &site, &recording, "--speed", "max"]);
    assert_eq!(code, 0, "{err}");
    check(&["--recording", &recording]);
    let (table, data) = (folder.0.join("year.csv").display().to_string(), folder.0.join("data").display().to_string());
    let (code, _, err) = orrery(&["export", &site, "--sources", "-o", &table]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = orrery(&["import-samples", &site, "--data", &data, &table]);
    assert_eq!(code, 0, "{err}");
    check(&[&site, "--data", &data]);
}

#[test]
fn the_text_of_a_state_says_which_question_it_answers() {
    let folder = Folder::new();
    folder.write("log.csv", "taken,stored,level\n2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,95\n");
    let site = folder.write("site.toml", SITE).display().to_string();
    let (_, was, _) = orrery(&["state", &site, "--at", "2026-01-01T12:00:00Z"]);
    let (_, known, _) = orrery(&["state", &site, "--at", "2026-01-01T12:00:00Z", "--as-known"]);
    assert!(was.starts_with("at 2026-01-01T12:00:00Z, as it was\n") && was.contains("1 alarms active"), "{was}");
    assert!(known.starts_with("at 2026-01-01T12:00:00Z, as it was known then\n"), "{known}");
    assert!(known.contains("never_seen") && known.contains("0 alarms active"), "{known}");
}

/// What `/api/history` gives of the pump's flow: seconds and values.
async fn flow(world: &World, query: &str) -> Vec<(i64, f64)> {
    let (status, _, body) = world.get(&format!("/api/history?{query}"), "").await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let ServerFrame::History(history) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!() };
    let mut back = Store::new(world.hub.model().signals().iter().map(Into::into), StoreConfig::default());
    for chunk in &history.chunks {
        back.import_chunk(chunk).unwrap();
    }
    let mut out = Vec::new();
    let always = twin_model::TimeRange::new(twin_model::Timestamp::MIN, twin_model::Timestamp::MAX);
    back.for_each_sample(twin_model::SignalIndex(0), always, &mut |sample| {
        out.push((sample.source_time.since(at(0)).as_micros() / 1_000_000, sample.value.as_f64().unwrap_or(f64::NAN)));
        std::ops::ControlFlow::Continue(())
    });
    out
}

#[tokio::test]
async fn history_by_http_leaves_out_what_had_not_arrived_if_asked() {
    let world = World::start().await;
    let sample = |s: i64, received: i64, v: f64| {
        (twin_model::SignalIndex(0), Sample { received_time: at(received), ..Sample::new(at(s), Value::Float(v)) })
    };
    world.hub.ingest(&[sample(0, 0, 70.0), sample(10, 3_600, 96.0), sample(20, 20, 71.0)]);
    world.hub.flush();
    assert_eq!(flow(&world, "").await, [(0, 70.0), (10, 96.0), (20, 71.0)]);
    let known = |s| format!("known={}", at(s).as_micros());
    assert_eq!(flow(&world, &known(15)).await, [(0, 70.0)]);
    assert_eq!(flow(&world, &known(3_599)).await, [(0, 70.0), (20, 71.0)]);
    assert_eq!(flow(&world, &known(3_600)).await, [(0, 70.0), (10, 96.0), (20, 71.0)]);
    assert_eq!(flow(&world, &format!("{}&to={}", known(15), at(21))).await, [(0, 70.0)]);
    assert_eq!(flow(&world, &known(-1)).await, []);
    // A question that is not understood is refused, not answered as another one.
    for path in ["/api/history?known=yesterday", "/api/history?known=", "/api/history?known=1&known=2", "/api/catalogue?known=0"]
    {
        assert_eq!(world.get(path, "").await.0, 400, "{path}");
    }
    world.stop().await;
}
