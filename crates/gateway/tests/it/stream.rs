//! `/stream`: the conversation of docs/PROTOCOL.md.

use std::time::Duration;

use futures_util::SinkExt as _;
use gateway::RingLimits;
use gateway::assemble::PlantOptions;
use gateway::config::ServerConfig;
use tokio_tungstenite::tungstenite::Message;
use twin_model::{TimeRange, Value};
use twin_protocol::*;

use crate::world::{SITE, Wish, World, at, values};

#[tokio::test]
async fn a_client_gets_hello_dictionary_sources_snapshot_revision_and_then_batches() {
    let world = World::start().await;
    world.put(0, at(1), 40.0);
    world.put(0, at(2), 41.5);
    let mut client = world.client(None).await;
    let ServerFrame::Hello(hello) = client.frame().await else { panic!("hello comes first") };
    assert_eq!((hello.version, hello.seq, hello.site.as_str()), (1, 2, "little"));
    assert_eq!(hello.history.map(|range| range.start), Some(at(1)));
    assert!(hello.capabilities.has(Capabilities::RESUME.with(Capabilities::INGEST)));
    let ServerFrame::Dictionary(dictionary) = client.frame().await else { panic!("then the dictionary") };
    assert_eq!(dictionary.entries[0].signal.as_str(), "pump-01.flow");
    assert_eq!(dictionary.entries.len(), 8);
    let ServerFrame::Sources(sources) = client.frame().await else { panic!("then the links") };
    assert_eq!((sources[0].source.as_str(), sources[0].state), ("script", LinkState::Unknown));
    let ServerFrame::Snapshot(snapshot) = client.frame().await else { panic!("then the newest values") };
    assert_eq!((snapshot.seq, values(&snapshot.entries)), (2, vec![(0, Value::Float(41.5))]));
    let ServerFrame::Revision(revision) = client.frame().await else { panic!("then which revision is in force") };
    assert_eq!(revision, Revision { number: 1, valid_from: at(0) });
    world.put(4, at(3), 7.0);
    let ServerFrame::Batch(batch) = client.frame().await else { panic!("then what is new") };
    assert_eq!((batch.seq, values(&batch.entries)), (3, vec![(4, Value::Float(7.0))]));
    world.stop().await;
}

#[tokio::test]
async fn the_json_form_says_the_same() {
    let world = World::start().await;
    world.put(0, at(1), 40.5);
    let mut client = world.socket("/stream", Some(SUBPROTOCOL_JSON)).await;
    client.text(r#"{"frame":"hello","versions":[1]}"#).await;
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "revision") {
        let Some(Message::Text(text)) = client.message().await else { panic!("JSON comes as text") };
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        kinds.push(json["frame"].as_str().unwrap().to_owned());
        if json["frame"] == "snapshot" {
            assert_eq!(json["samples"][0]["value"], 40.5);
        }
    }
    assert_eq!(kinds, ["hello", "dictionary", "sources", "snapshot", "revision"]);
    client.text(r#"{"frame":"ping","nonce":7}"#).await;
    let Some(Message::Text(text)) = client.message().await else { panic!() };
    assert!(text.starts_with(r#"{"frame":"pong","nonce":7"#), "{text}");
}

async fn epoch(world: &World) -> u64 {
    let mut client = world.client(None).await;
    client.until(|frame| if let ServerFrame::Hello(hello) = frame { Some(hello.epoch) } else { None }).await
}

fn gap_or_data(frame: ServerFrame) -> Option<ServerFrame> {
    matches!(frame, ServerFrame::Gap(_) | ServerFrame::Snapshot(_) | ServerFrame::Batch(_)).then_some(frame)
}

#[tokio::test]
async fn a_client_that_comes_back_soon_gets_exactly_what_it_missed() {
    let world = World::start().await;
    for s in 1..=60 {
        world.put(0, at(s), s as f64);
    }
    let resume = Resume { epoch: epoch(&world).await, seq: 10, last_time: Some(at(10)) };
    let mut client = world.client(Some(resume)).await;
    // Far more than the lag that a connected client may have: a resume is whole all the same.
    for expected in 11..=60 {
        let ServerFrame::Batch(batch) = client.until(gap_or_data).await else { panic!("only batches") };
        assert_eq!((batch.seq, values(&batch.entries)), (expected, vec![(0, Value::Float(expected as f64))]));
    }
    let current = Resume { seq: 60, ..resume };
    let mut client = world.client(Some(current)).await;
    client.until(|frame| matches!(frame, ServerFrame::Sources(_)).then_some(())).await;
    world.put(0, at(61), 61.0);
    let ServerFrame::Batch(batch) = client.until(gap_or_data).await else { panic!("nothing was missed") };
    assert_eq!(batch.seq, 61);
}

#[tokio::test]
async fn a_client_that_was_away_too_long_is_told_of_the_gap() {
    let options = PlantOptions { ring: RingLimits { batches: 5, bytes: 1 << 20 }, ..PlantOptions::default() };
    let world = World::start_with(SITE, Wish { options, ..Wish::default() }).await;
    for s in 1..=60 {
        world.put(0, at(s), s as f64);
    }
    let away = Resume { epoch: epoch(&world).await, seq: 10, last_time: Some(at(10)) };
    let restarted = Resume { epoch: 1, seq: 60, last_time: Some(at(60)) };
    let from_the_future = Resume { epoch: away.epoch, seq: 999, last_time: None };
    for (resume, reason) in [(away, GapReason::Away), (restarted, GapReason::Restarted), (from_the_future, GapReason::Away)] {
        let mut client = world.client(Some(resume)).await;
        let ServerFrame::Gap(gap) = client.until(gap_or_data).await else { panic!("a gap comes first") };
        assert_eq!((gap.reason, gap.range.start), (reason, resume.last_time.unwrap_or(gap.range.start)));
        assert!(gap.range.start <= gap.range.end);
        let ServerFrame::Snapshot(snapshot) = client.until(gap_or_data).await else { panic!("then everything anew") };
        assert_eq!((snapshot.seq, values(&snapshot.entries)), (60, vec![(0, Value::Float(60.0))]));
    }
}

#[tokio::test]
async fn links_are_told_as_they_change() {
    let world = World::start().await;
    let mut client = world.client(None).await;
    client.until(gap_or_data).await;
    let source = twin_model::SourceIndex(0);
    world.hub.set_link(source, LinkState::Up, "", at(5));
    world.hub.set_link(source, LinkState::Up, "", at(6));
    world.hub.set_link(source, LinkState::Down, "connection refused", at(9));
    let link = |frame| if let ServerFrame::Sources(mut links) = frame { links.pop() } else { None };
    let mut last = client.until(link).await;
    while last.state != LinkState::Down {
        assert_eq!((last.state, last.since), (LinkState::Up, at(5)));
        last = client.until(link).await;
    }
    assert_eq!((last.since, last.detail.as_str()), (at(9), "connection refused"));
    let range = TimeRange::new(at(7), at(20));
    let states: Vec<_> = world.hub.links_in(range).into_iter().map(|change| (change.state, change.at)).collect();
    assert_eq!(states, [(LinkState::Up, at(5)), (LinkState::Down, at(9))], "the state at the start of a range comes with it");
}

#[tokio::test]
async fn silence_is_filled_with_keep_alives() {
    let config = ServerConfig { keep_alive: Duration::from_millis(30), ..ServerConfig::default() };
    let world = World::start_with(SITE, Wish { config, ..Wish::default() }).await;
    let mut client = world.client(None).await;
    for _ in 0..3 {
        client.until(|frame| matches!(frame, ServerFrame::KeepAlive { .. }).then_some(())).await;
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_answered_with_a_code_and_a_reason() {
    let world = World::start().await;
    let cases: [(Message, u16, &str); 7] = [
        (Message::Binary(vec![0x4F, 9, 0x21, 0].into()), 4001, "protocol version 9 is not supported; this side speaks 1"),
        (Message::Binary(vec![1, 2, 3, 4, 5].into()), 4000, "not an Orrery frame"),
        (Message::Binary(vec![0x4F, 1, 0x21, 0, 0xFF].into()), 4000, "frame ends inside versions"),
        (Message::Binary(vec![0; 5_000].into()), 1009, "frame of 5000 is over the limit of 4096"),
        (Message::Binary(vec![0; 200_000].into()), 1009, "frame of 200000 is over the limit of 4096"),
        (Message::Text("hello?".into()), 4000, "subprotocol orrery.v1.bin takes binary messages"),
        (Message::Binary(encode_client(&ClientFrame::Ping { nonce: 1 }).into()), 4002, "the first frame must be a hello"),
    ];
    for (message, code, reason) in cases {
        let mut client = world.socket("/stream", None).await;
        client.inner.send(message).await.unwrap();
        assert_eq!(client.closed().await, (code, reason.to_owned()));
    }
    let mut client = world.socket("/stream", None).await;
    let hello = ClientHello { versions: vec![7, 8], agent: String::new(), resume: None, token: None };
    client.say(&ClientFrame::Hello(hello)).await;
    assert_eq!(client.closed().await.0, 4001);
    let mut client = world.client(None).await;
    client.hello(None).await;
    assert_eq!(client.closed().await, (4002, "hello was said before".to_owned()));
}

#[tokio::test]
async fn a_flood_is_cut_off_and_counted() {
    let world = World::start().await;
    let mut client = world.socket("/stream", None).await;
    // The server may be gone before all of it is written.
    drop(client.inner.send(Message::Binary(vec![0; 2_000_000].into())).await);
    while let Some(message) = client.message().await {
        assert!(!matches!(message, Message::Pong(_)));
    }
    let (_, _, body) = world.get("/metrics", "").await;
    assert!(String::from_utf8(body).unwrap().contains("orrery_bad_frames_total 1"));
}

#[tokio::test]
async fn one_client_too_many_is_sent_away_with_a_reason() {
    let config = ServerConfig { max_clients: 1, ..ServerConfig::default() };
    let world = World::start_with(SITE, Wish { config, ..Wish::default() }).await;
    let mut first = world.client(None).await;
    first.until(gap_or_data).await;
    let mut second = world.socket("/stream", None).await;
    let (code, reason) = second.closed().await;
    assert_eq!(code, 4004);
    assert!(reason.contains("try again later"), "{reason}");
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let world = World::start().await;
    let mut client = world.client(None).await;
    client.until(gap_or_data).await;
    let stopping = tokio::spawn(world.stop());
    assert_eq!(client.closed().await, (1001, "the server stops".to_owned()));
    stopping.await.unwrap();
}
