//! Acknowledging an alarm from outside: by hand, by a sender, after a restart.

use gateway::assemble::PlantOptions;
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use twin_model::{Sample, SignalIndex, Span, Timestamp, Value};

use crate::world::{Folder, Wish, World, orrery};

pub(crate) const TANKS: &str = r#"
[site]
id = "tanks"

[[interfaces]]
id = "tank"
[[interfaces.signals]]
name = "level"
[[interfaces.alarms]]
id = "high"
kind = "limit"
signal = "level"
above = 90
acknowledge = "required"
[[interfaces.alarms]]
id = "low"
kind = "limit"
signal = "level"
below = 1

[[twins]]
id = "tank-1"
interface = "tank"

[[sources]]
id = "script"
kind = "websocket"
"#;

/// A request with a body: status and answer.
pub(crate) async fn post(world: &World, path: &str, headers: &str, body: &str) -> (u16, Json) {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let (host, length) = (world.address, body.len());
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or(Json::Null))
}

/// What `orrery state` says of the alarm that has to be acknowledged, and in words.
fn state(site: &str, data: &str, at: Timestamp) -> (String, String) {
    let at = at.to_string();
    let args = ["state", site, "--data", data, "--at", &at];
    let (_, json, err) = orrery(&[&args[..], &["--json"]].concat());
    let json: Json = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{err}"));
    (json["twins"][0]["alarms"][0]["state"].as_str().unwrap().to_owned(), orrery(&args).1)
}

/// A server of the tanks that keeps history, with its site file and its data folder.
async fn served(folder: &Folder) -> (World, String, String) {
    let site = folder.write("site.toml", TANKS);
    let data = folder.0.join("data");
    let options = PlantOptions { data: Some(data.clone()), ..PlantOptions::default() };
    let world = World::serve(&site, Wish { options, pump: true, ..Wish::default() }).await;
    (world, site.display().to_string(), data.display().to_string())
}

#[tokio::test]
async fn an_acknowledgement_is_kept_with_history_and_seen_from_its_instant_on() {
    let folder = Folder::new();
    let (world, site, data) = served(&folder).await;
    let now = world.app.clock.now();
    let before = |s: i64| now - Span::from_secs(s);
    for (s, level) in [(50, 50.0), (40, 95.0), (30, 50.0)] {
        world.hub.ingest(&[(SignalIndex(0), Sample::new(before(s), Value::Float(level)))]);
    }
    world.hub.flush();
    let (seq, mut durable) = (world.hub.seq(), world.hub.durable());
    durable.wait_for(|safe| *safe >= seq).await.unwrap();
    let (waits, words) = state(&site, &data, now);
    assert_eq!(waits, "returned_unacknowledged");
    assert!(
        words.contains("tank-1.high (returned, unacknowledged)") && words.contains("0 alarms active, 1 unacknowledged"),
        "{words}"
    );

    let path = "/api/alarms/tank-1.high/acknowledge";
    let json = "Content-Type: application/json\r\n";
    assert_eq!(post(&world, path, "", "{}").await.0, 415, "a form of somebody else's page");
    assert_eq!(post(&world, path, json, "[1]").await.0, 400);
    assert_eq!(post(&world, path, json, r#"{"by": 7}"#).await.0, 409);
    assert_eq!(post(&world, "/api/alarms/tank-9.high/acknowledge", json, "").await.0, 404);
    let (status, refused) = post(&world, "/api/alarms/tank-1.low/acknowledge", json, "").await;
    assert!(status == 409 && refused["error"].as_str().unwrap().contains("acknowledge = \"required\""), "{refused}");
    let (status, answer) = post(&world, path, json, r#"{"by": "Ann"}"#).await;
    assert_eq!((status, &answer["alarm"], &answer["by"]), (200, &"tank-1.high".into(), &"Ann".into()));
    let seen: Timestamp = answer["time"].as_str().unwrap().parse().unwrap();
    assert_eq!(state(&site, &data, seen).0, "normal");
    assert_eq!(state(&site, &data, before(35)).0, "unacknowledged", "as it was then");
    assert_eq!(state(&site, &data, now).0, "returned_unacknowledged", "nobody had seen it yet");

    let mut sender = world.socket("/ingest", None).await;
    let later = seen + Span::from_micros(1);
    let line = |what: &str| format!("{{\"acknowledge\": \"{what}\", \"time\": \"{later}\"}}");
    sender
        .text(&format!("{{\"signal\": \"tank-1.level\", \"value\": 99, \"time\": \"{later}\"}}\n{}", line("tank-1.hihg")))
        .await;
    let Some(Message::Text(error)) = sender.message().await else { panic!("no answer") };
    assert!(error.contains("no alarm 'tank-1.hihg' waits for acknowledgements") && error.contains("\"line\":2"), "{error}");
    sender.text(&format!("{}\n{{\"ack\": 1}}", line("tank-1.high"))).await;
    let Some(Message::Text(ack)) = sender.message().await else { panic!("no answer") };
    assert!(ack.contains("\"samples\":2") && ack.contains("\"durable\":true"), "{ack}");
    world.stop().await;
    let (state, words) = state(&site, &data, later);
    assert_eq!(state, "acknowledged", "after the server has stopped");
    assert!(words.contains("1 alarms active, 0 unacknowledged"), "{words}");
    let (code, csv, err) = orrery(&["export", &site, "--data", &data, "--signal", "tank-1.high#acknowledged", "--output", "-"]);
    assert!(code == 0 && csv.contains("Ann") && csv.contains("somebody"), "{csv}{err}");
}

#[test]
fn nobody_acknowledges_an_alarm_that_is_still_to_come() {
    use gateway::sources::{Inbox, Line, read_line};
    let model = twin_site::load(TANKS, "site.toml", &mut |_| Err("no files here".into())).model;
    let inbox = Inbox::new(twin_model::SourceIndex(0));
    let now = Timestamp::from_secs(1_772_438_400);
    for (ahead, taken) in [(-60, -60), (0, 0), (6, 0), (3_000, 0)] {
        let line = format!("{{\"acknowledge\": \"tank-1.high\", \"time\": \"{}\"}}", now + Span::from_secs(ahead));
        let Ok(Line::Sample(_, sample, _)) = read_line(&model, &inbox, &line, now) else { panic!("{line}") };
        assert_eq!(sample.source_time, now + Span::from_secs(taken), "{ahead} s ahead of the clock of the receiver");
    }
}

#[tokio::test]
async fn what_is_said_before_an_alarm_rises_does_not_acknowledge_it() {
    let folder = Folder::new();
    let (world, site, data) = served(&folder).await;
    let mut sender = world.socket("/ingest", None).await;
    let (seen, high) = (r#"{"acknowledge": "tank-1.high", "by": "Ann"}"#, r#"{"signal": "tank-1.level", "value": 99}"#);
    let low = r#"{"signal": "tank-1.level", "value": 50}"#;
    for (message, state_then) in [
        (format!("{seen}\n{high}\n{{\"ack\": 1}}"), "unacknowledged"),
        (format!("{seen}\n{low}\n{{\"ack\": 2}}"), "normal"),
        (format!("{high}\n{seen}\n{{\"ack\": 3}}"), "acknowledged"),
    ] {
        sender.text(&message).await;
        let Some(Message::Text(ack)) = sender.message().await else { panic!("no answer") };
        assert!(ack.contains("\"ack\""), "{ack}");
        let now = world.app.clock.now() + Span::from_micros(2);
        assert_eq!(state(&site, &data, now).0, state_then, "{message}");
    }
    world.stop().await;
}
