//! `/ingest`: samples from a script, and the promise that they are safe.

use futures_util::{SinkExt as _, StreamExt as _};
use gateway::assemble::PlantOptions;
use tokio_tungstenite::tungstenite::Message;
use twin_model::{Flags, Quality, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::*;

use crate::disk::{Server, read};
use crate::world::{Folder, SITE, Socket, Wish, World, at};

impl Socket {
    pub(crate) async fn frame_of(&mut self, frame: &IngestFrame) {
        self.inner.send(Message::Binary(encode_ingest(frame).into())).await.unwrap();
    }

    pub(crate) async fn push(&mut self, seq: u64, entries: Vec<Entry>) {
        self.frame_of(&IngestFrame::Push(Batch { seq, entries })).await;
    }

    pub(crate) async fn ack(&mut self) -> IngestAck {
        self.until(|frame| if let ServerFrame::IngestAck(ack) = frame { Some(ack) } else { None }).await
    }

    pub(crate) async fn line(&mut self) -> serde_json::Value {
        let Some(Message::Text(text)) = self.message().await else { panic!("no line") };
        serde_json::from_str(&text).unwrap()
    }
}

pub(crate) fn dictionary(signals: &[&str]) -> IngestFrame {
    IngestFrame::Dictionary(signals.iter().map(|id| (*id).into()).collect())
}

pub(crate) fn entry(id: u32, t: Timestamp, value: Value) -> Entry {
    Entry { id: DictId(id), sample: Sample::new(t, value) }
}

#[tokio::test]
async fn a_computed_signal_takes_nothing_and_its_sender_is_told() {
    let twin = "[[interfaces.signals]]\nname = \"twice\"\nkind = \"computed\"\nunit = \"l/min\"\nexpression = \"flow + flow\"\n[[interfaces.rules]]";
    let site = SITE.replacen("[[interfaces.rules]]", twin, 1);
    let world = World::start_with(&site, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender.text(r#"{"signal":"pump-01.twice","value":1,"time":"2026-03-02T08:15:04Z"}"#).await;
    let answer = sender.line().await;
    assert_eq!(answer["error"], "'pump-01.twice' is computed from other signals and takes no samples; send those");
    sender.frame_of(&dictionary(&["pump-01.twice", "pump-01.flow"])).await;
    sender.push(1, vec![entry(0, at(0), Value::Float(1.0)), entry(1, at(0), Value::Float(2.0))]).await;
    let ack = sender.ack().await;
    assert_eq!((ack.taken, ack.refused), (1, 1));
    assert!(ack.reasons.iter().any(|words| words.contains("'pump-01.twice' is computed")), "{:?}", ack.reasons);
}

#[tokio::test]
async fn lines_become_samples_and_faults_are_answered_one_by_one() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender
        .text(
            r#"{"signal":"pump-01.flow","value":21.37,"time":"2026-03-02T08:15:04Z","quality":"uncertain"}
{"signal":"pump-01.starts","value":7.0,"time":1772439304000000}
{"signal":"pump-01.running","value":1,"time":1772439304000000}

{"signal":"pump-01.mode","value":null,"time":1772439304000000}
{"signal":"pump-01.nothing","value":1}
{"signal":"pump-01.flow","value":1,"quality":{"good":true}}
{"signal":"pump-01.flow","value":1,"time":"today"}
{"signal":"pump-01.flow","value":1,"quality":192}
oops"#,
        )
        .await;
    let Some(Message::Text(answer)) = sender.message().await else { panic!() };
    let lines: Vec<serde_json::Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<i64> = lines.iter().map(|line| line["line"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [6, 7, 8, 9, 10]);
    assert!(lines[1]["error"].as_str().unwrap().contains("is not a quality"), "{}", lines[1]["error"]);
    let mut client = world.client(None).await;
    let mut entries = Vec::new();
    while entries.len() < 4 {
        match client.frame().await {
            ServerFrame::Snapshot(snapshot) => entries.extend(snapshot.entries),
            ServerFrame::Batch(batch) => entries.extend(batch.entries),
            _ => {}
        }
    }
    let found: Vec<_> = entries.iter().map(|e| (e.id.0, e.sample.value.clone(), e.sample.quality, e.sample.flags)).collect();
    assert_eq!(
        found,
        [
            (0, Value::Float(21.37), Quality::UNCERTAIN, Flags::NONE),
            (1, Value::Int(7), Quality::GOOD, Flags::NONE),
            (2, Value::Bool(true), Quality::GOOD, Flags::NONE),
            (3, Value::text(""), Quality::BAD, Flags::NULL),
        ]
    );
    assert!(entries.iter().all(|entry| entry.sample.source_time == at(0) && entry.sample.received_time > at(0)));
    world.stop().await;
}

#[tokio::test]
async fn a_value_of_another_kind_never_leaves_the_one_before_looking_current() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender
        .text(
            r#"{"signal":"pump-01.flow","value":[21.37]}
{"signal":"pump-01.starts","value":{"v":7}}
{"signal":"pump-01.mode","value":5}"#,
        )
        .await;
    let Some(Message::Text(answer)) = sender.message().await else { panic!() };
    let lines: Vec<serde_json::Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        lines.iter().all(|line| line["warning"].as_str().unwrap().ends_with("taken as a reading without a value")),
        "{answer}"
    );
    assert_eq!(lines.iter().map(|line| line["line"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    let mut client = world.client(None).await;
    let mut entries = Vec::new();
    while entries.len() < 3 {
        match client.frame().await {
            ServerFrame::Snapshot(snapshot) => entries.extend(snapshot.entries),
            ServerFrame::Batch(batch) => entries.extend(batch.entries),
            _ => {}
        }
    }
    assert!(entries.iter().filter(|entry| entry.id.0 < 2).all(|e| e.sample.quality.is_bad() && !e.sample.has_value()));
    assert_eq!(entries.iter().find(|entry| entry.id.0 == 3).unwrap().sample.value, Value::text("5"));
    world.stop().await;
}

#[tokio::test]
async fn what_is_sent_again_was_known_since_it_was_sent_first_and_a_correction_since_it_came() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    let held = || world.hub.with_store(|store| store.latest_at(SignalIndex(0), at(10))).unwrap();
    let line = |value: f64, quality: &str| {
        format!(
            "{{\"signal\":\"pump-01.flow\",\"value\":{value},\"time\":{},\"quality\":\"{quality}\"}}\n{{\"ack\":1}}",
            at(0).as_micros()
        )
    };
    sender.text(&line(60.0, "good")).await;
    assert_eq!(sender.line().await["samples"], 1);
    let first = held();
    for _ in 0..3 {
        sender.text(&line(60.0, "good")).await;
        let answer = sender.line().await;
        assert_eq!((&answer["samples"], &answer["refused"]), (&1.into(), &0.into()), "taken: it is there");
    }
    assert_eq!(held(), first, "the receipt of the first is kept");
    assert_eq!(world.hub.totals.repeated.load(std::sync::atomic::Ordering::Relaxed), 3);
    sender.text(&line(60.0, "uncertain")).await;
    sender.line().await;
    let corrected = held();
    assert!(corrected.quality == Quality::UNCERTAIN && corrected.received_time > first.received_time);
    // And back to what it was: that is news again.
    sender.text(&line(60.0, "good")).await;
    sender.line().await;
    assert!(held().quality == Quality::GOOD && held().received_time > corrected.received_time);
    world.stop().await;
}

#[tokio::test]
async fn a_clock_that_was_never_set_begins_no_history_in_1970() {
    let options = PlantOptions { clock: Some(Timestamp::from_secs(100)), ..PlantOptions::default() };
    let world = World::start_with(SITE, Wish { pump: true, options, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender.text("{\"signal\":\"pump-01.flow\",\"value\":1}\n{\"signal\":\"pump-01.flow\",\"value\":1,\"time\":\"2026-03-02T08:00:00Z\"}").await;
    let Some(Message::Text(answer)) = sender.message().await else { panic!() };
    let lines: Vec<serde_json::Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["error"].as_str().unwrap().starts_with("this server's clock says 1970-01-01T00:01:"), "{answer}");
    assert!(
        lines[1]["error"].as_str().unwrap().contains("this server's clock; that was never set"),
        "the device is right: {answer}"
    );
    assert_eq!(world.hub.with_store(|store| store.extent()), None);
    world.stop().await;
}

#[tokio::test]
async fn the_link_follows_the_sender() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut client = world.client(None).await;
    let state = |frame| if let ServerFrame::Sources(links) = frame { Some(links[0].state) } else { None };
    let sender = world.socket("/ingest", None).await;
    while client.until(state).await != LinkState::Up {}
    drop(sender);
    while client.until(state).await != LinkState::Down {}
    world.stop().await;
}

#[tokio::test]
async fn a_token_is_asked_for_where_the_site_has_one() {
    let site = format!("{SITE}token = \"open sesame\"\n");
    let world = World::start_with(&site, Wish::default()).await;
    assert!(world.try_socket("/ingest", None, None).await.is_err());
    assert!(world.try_socket("/ingest?token=open%20sesame", None, None).await.is_err(), "never in the address");
    let mut page = world.try_socket("/ingest", None, Some(&format!("http://{}", world.address))).await.unwrap();
    page.text("{\"token\":\"open sesame\"}\n{\"signal\":\"pump-01.nothing\",\"value\":1}").await;
    assert_eq!(page.line().await["line"], 1, "lines are counted behind the token's");
}

/// Lines of 64 bytes, each a sample a second later, from second `from` on.
fn many_lines(from: i64, n: i64) -> String {
    let line =
        |s: i64| format!("{:<63}\n", format!("{{\"signal\":\"pump-01.starts\",\"value\":{s},\"time\":{}}}", at(s).as_micros()));
    (from..from + n).map(line).collect()
}

#[tokio::test]
async fn lines_beyond_what_a_message_may_hold_are_refused_by_name_and_the_rest_is_taken() {
    let folder = Folder::new();
    let world = World::start_with(SITE, on_disk(&folder)).await;
    let mut sender = world.socket("/ingest", None).await;
    // Too many lines, with the question at their end.
    sender.text(&format!("{}{{\"ack\":\"lines\"}}", many_lines(0, 10_500))).await;
    let complaint = sender.line().await;
    assert_eq!(complaint["line"], 10_001);
    let words = complaint["error"].as_str().unwrap();
    assert!(words.contains("10000 lines") && words.contains("500 from this one on"), "{words}");
    let answer = sender.line().await;
    assert_eq!((&answer["samples"], &answer["refused"]), (&10_000.into(), &500.into()), "{answer}");
    // Too many bytes: one line that fits, one that is too long, one behind it.
    let long = format!("{{\"signal\":\"pump-01.mode\",\"value\":\"{}\"}}\n", "x".repeat(1 << 20));
    sender.text(&format!("{}{long}{}{{\"ack\":\"bytes\"}}", many_lines(20_000, 1), many_lines(20_001, 1))).await;
    let complaint = sender.line().await;
    assert_eq!(complaint["line"], 2);
    let words = complaint["error"].as_str().unwrap();
    assert!(words.contains("1048576 bytes") && words.contains("2 from this one on"), "{words}");
    let answer = sender.line().await;
    assert_eq!((&answer["samples"], &answer["refused"]), (&1.into(), &2.into()), "{answer}");
    // The connection stays, and the next message is as good as any.
    sender.text(&format!("{}{{\"ack\":\"next\"}}", many_lines(20_002, 3))).await;
    let answer = sender.line().await;
    assert_eq!((&answer["samples"], &answer["refused"]), (&3.into(), &0.into()), "{answer}");
    world.stop().await;
}

#[tokio::test]
async fn a_message_beyond_what_a_socket_takes_is_named_before_the_connection_ends() {
    let world = World::start().await;
    let mut sender = world.socket("/ingest", None).await;
    // The server stops reading in the middle of it.
    drop(sender.inner.send(Message::Text(many_lines(0, 80_000).into())).await);
    let complaint = sender.line().await;
    let words = complaint["error"].as_str().unwrap();
    assert!(words.contains("a message of lines 1048576") && words.contains("nothing of this one is taken"), "{words}");
    let Some(Message::Close(Some(frame))) = sender.message().await else { panic!("closed without a word") };
    assert_eq!(u16::from(frame.code), 1009);
    assert_eq!(world.hub.extent(), None);
    let mut again = world.socket("/ingest", None).await;
    again.text("{\"signal\":\"pump-01.nothing\",\"value\":1}").await;
    assert_eq!(again.line().await["line"], 1, "another connection is not concerned");
    world.stop().await;
}

fn on_disk(folder: &Folder) -> Wish {
    Wish { pump: true, options: PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() }, ..Wish::default() }
}

#[tokio::test]
async fn an_answer_comes_only_once_the_samples_are_committed() {
    let folder = Folder::new();
    let world = World::start_with(SITE, on_disk(&folder)).await;
    let mut client = world.client(None).await;
    let mut lines = world.socket("/ingest", None).await;
    let mut frames = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
    frames.frame_of(&dictionary(&["pump-02.flow"])).await;
    // Somebody else writes the database: nothing can be committed meanwhile.
    let file = std::fs::read_dir(folder.0.join("data")).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|end| end == "sqlite3")).unwrap();
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    lines
        .text(
            r#"{"signal":"pump-01.flow","value":1,"time":"2026-03-02T08:15:04Z"}
{"signal":"pump-01.flow","value":2,"time":"2026-03-02T08:15:05Z"}
{"signal":"pump-01.nothing","value":2}
{"ack":"seven"}"#,
        )
        .await;
    frames.push(7, vec![entry(0, at(1), Value::Float(3.0))]).await;
    assert_eq!(lines.line().await["line"], 3);
    // Clients have seen all three: they are in memory and numbered.
    let mut seen = 0;
    while seen < 3 {
        seen += client.until(|frame| if let ServerFrame::Batch(batch) = frame { Some(batch.entries.len()) } else { None }).await;
    }
    // The pong comes behind everything that the server had to say before.
    for socket in [&mut lines, &mut frames] {
        socket.inner.send(Message::Ping(Vec::new().into())).await.unwrap();
        let next = socket.message().await;
        assert!(matches!(next, Some(Message::Pong(_))), "an answer without a commit: {next:?}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    let answer = serde_json::json!({ "ack": "seven", "samples": 2, "refused": 1, "durable": true });
    assert_eq!(lines.line().await, answer);
    assert_eq!(frames.ack().await, IngestAck { seq: 7, taken: 1, refused: 0, durable: true, reasons: Vec::new() });
    // An answer to nothing new is due at once, and counts from the one before.
    lines.text(r#"{"ack":-3}"#).await;
    assert_eq!(lines.line().await, serde_json::json!({ "ack": -3, "samples": 0, "refused": 0, "durable": true }));
    world.stop().await;
}

#[tokio::test]
async fn without_a_disk_the_answer_says_that_samples_are_in_memory_only() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender.text("{\"signal\":\"pump-01.flow\",\"value\":1}\n{\"ack\":1}").await;
    assert_eq!(sender.line().await, serde_json::json!({ "ack": 1, "samples": 1, "refused": 0, "durable": false }));
    let t = world.hub.extent().unwrap().start;
    assert!(world.hub.with_store(|store| store.latest_at(SignalIndex(0), t)).is_some(), "answered means there");
    for bad in [r#"{"ack":1.5}"#, r#"{"ack":[]}"#, r#"{"ack":1,"signal":"pump-01.flow","value":1}"#] {
        sender.text(bad).await;
        assert!(sender.line().await["error"].as_str().unwrap().contains("ack"), "{bad}");
    }
    world.stop().await;
}

#[tokio::test]
async fn every_sample_of_a_push_is_taken_or_refused_with_words() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
    sender.frame_of(&dictionary(&["pump-02.mode", "pump-09.flow", "pump-01.flow"])).await;
    let soon = gateway::clock::wall() + Span::from_secs(30 * 86_400);
    let entries = vec![
        entry(0, at(1), Value::text("RUN")),
        entry(1, at(1), Value::Float(1.0)),
        entry(1, at(2), Value::Float(2.0)),
        entry(2, at(1), Value::Float(f64::NAN)),
        entry(2, soon, Value::Float(1.0)),
        Entry { id: DictId(2), sample: Sample { flags: Flags::PREDICTED, ..Sample::float(soon, 2.0) } },
        entry(9, at(1), Value::Float(2.0)),
    ];
    sender.push(u64::MAX, entries).await;
    let ack = sender.ack().await;
    assert_eq!((ack.seq, ack.taken, ack.refused, ack.durable), (u64::MAX, 3, 4, false));
    let [unknown, ahead, beyond] = ack.reasons.as_slice() else { panic!("{:?}", ack.reasons) };
    assert!(unknown.starts_with("signal 'pump-09.flow' is not fed by this source; check its name"), "{unknown}");
    assert!(unknown.ends_with("; did you mean 'pump-01.flow'?"), "{unknown}");
    assert!(ahead.starts_with("pump-01.flow: ") && ahead.ends_with("ahead of this server's clock; set the clock"), "{ahead}");
    assert_eq!(beyond, "id 9 is beyond the 3 signals of the dictionary");
    // A name as long as a text may be is not repeated in full: answers wait in memory.
    sender.frame_of(&dictionary(&[&"ü".repeat(2_000)])).await;
    sender.push(1, vec![entry(0, at(3), Value::Bool(true))]).await;
    assert!(sender.ack().await.reasons.iter().all(|words| words.len() < 300));
    // Lines and frames may take turns; a new dictionary replaces the old one; before one, nothing is known.
    sender.frame_of(&dictionary(&[])).await;
    sender.push(0, vec![entry(0, at(3), Value::text("RUN"))]).await;
    sender.text(r#"{"ack":"lines"}"#).await;
    assert_eq!(sender.ack().await.refused, 1);
    assert_eq!(sender.line().await["ack"], "lines");
    let counters = counters(&world).await;
    assert_eq!(counters["ingest"][0]["taken"], 3);
    assert_eq!(counters["ingest"][0]["refused"]["signal"], 5);
    assert_eq!(counters["ingest"][0]["refused"]["future"], 1);
    world.stop().await;
}

async fn counters(world: &World) -> serde_json::Value {
    let (status, _, body) = world.get("/api/counters", "").await;
    assert_eq!(status, 200);
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn every_kind_of_odd_sample_has_its_number_and_those_kept_aside_can_be_seen() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender.frame_of(&dictionary(&["pump-01.flow", "pump-01.starts"])).await;
    let now = gateway::clock::wall();
    let entries = vec![
        entry(0, at(5), Value::Float(1.0)),
        entry(0, at(5), Value::Float(1.0)),
        entry(0, at(5), Value::Float(2.0)),
        entry(0, at(3), Value::Float(f64::NAN)),
        entry(0, at(6), Value::Float(f64::INFINITY)),
        entry(0, now + Span::from_secs(600), Value::Float(3.0)),
        entry(0, now + Span::from_secs(90_000), Value::Float(f64::NAN)),
        entry(1, at(1), Value::Float(0.5)),
    ];
    sender.push(1, entries).await;
    assert_eq!(sender.ack().await.refused, 1);
    let json = counters(&world).await;
    let number = |name: &str| json["store"][name].as_u64().unwrap();
    for (name, n) in [
        ("stored", 6),
        ("late", 1),
        ("backward", 1),
        ("duplicates", 2),
        ("duplicates_replaced", 1),
        ("quarantined", 1),
        ("ahead_of_received", 1),
        ("nan", 1),
        ("infinite", 1),
        ("kind_mismatch", 1),
        ("unknown_signal", 0),
        ("thinned", 0),
    ] {
        assert_eq!(number(name), n, "{name}");
    }
    assert!(number("max_ahead_us") > 80_000_000_000, "the one kept aside counts");
    assert_eq!(json["samples"], 5, "each source time of a signal once");
    assert!(json["bytes"]["total"].as_u64().unwrap() > 0);
    let aside = &json["quarantined"];
    assert_eq!(aside.as_array().unwrap().len(), 1);
    assert_eq!((&aside[0]["signal"], &aside[0]["value"]), (&serde_json::json!("pump-01.flow"), &serde_json::json!("NaN")));
    assert_eq!(aside[0]["time_us"], (now + Span::from_secs(90_000)).as_micros());
    assert!(aside[0]["why"].as_str().unwrap().contains("after its receipt"));
    // The same numbers for machines.
    let (_, _, body) = world.get("/metrics", "").await;
    let text = String::from_utf8(body).unwrap();
    for line in [
        "orrery_store_backward_total 1",
        "orrery_store_duplicates_replaced_total 1",
        "orrery_store_infinite_total 1",
        "orrery_store_ahead_of_received_total 1",
        "orrery_ingest_taken_total{source=\"script\"} 7",
        "orrery_ingest_refused_total{source=\"script\",why=\"future\"} 1",
        "orrery_ingest_acks_total{source=\"script\"} 1",
        "orrery_ingest_senders{source=\"script\"} 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
    }
    assert!(text.contains("orrery_store_max_ahead_us ") && text.contains("orrery_store_part_bytes{part=\"blocks\"}"));
    world.stop().await;
}

/// Not-a-number is no value, either, and stays what it is to the bit.
#[tokio::test]
async fn without_a_value_nothing_is_good_whatever_its_sender_says() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender.frame_of(&dictionary(&["pump-02.flow", "pump-02.starts", "pump-02.mode"])).await;
    let null = |id: u32, value: Value| Entry {
        id: DictId(id),
        sample: Sample { flags: Flags::NULL, quality: Quality::GOOD, ..Sample::new(at(7), value) },
    };
    let nan = Entry { id: DictId(0), sample: Sample { quality: Quality::GOOD, ..Sample::float(at(7), f64::NAN) } };
    sender.push(1, vec![nan, null(1, Value::Int(7)), null(2, Value::text("RUN"))]).await;
    assert_eq!(sender.ack().await.taken, 3);
    let held = |signal: u32| world.hub.with_store(|store| store.live(SignalIndex(signal))).unwrap();
    let mut viewer = world.client(None).await;
    let snapshot = viewer.until(|frame| if let ServerFrame::Snapshot(snapshot) = frame { Some(snapshot) } else { None }).await;
    for signal in [4, 5, 7] {
        let shown = snapshot.entries.iter().find(|entry| entry.id.0 == signal).unwrap();
        for sample in [&held(signal), &shown.sample] {
            assert!(sample.source_time == at(7) && !sample.has_value() && !sample.usable(), "{sample:?}");
            assert!(sample.quality.is_bad(), "{sample:?}");
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_frame_end_the_connection_with_a_word() {
    let world = World::start().await;
    let bomb = [&[0x4F, 1, 0x24, 1, 0xFF, 0xFF, 0xFF, 0xFF][..], &[0; 8]].concat();
    for (bytes, code) in [
        (b"O".to_vec(), 4000),
        (b"Oops".to_vec(), 4001),
        (vec![0x4F, 1, 0x24, 0, 1, 0xFF], 4000),
        (encode_client(&ClientFrame::Ping { nonce: 1 }), 4000),
        (vec![0x4F, 1, 0x24, 0, 1, 0x81, 0x80, 0x04], 1009),
        (bomb, 1009),
    ] {
        let mut sender = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
        sender.inner.send(Message::Binary(bytes.clone().into())).await.unwrap();
        let (said, reason) = sender.closed().await;
        assert_eq!(said, code, "{bytes:02x?}: {reason}");
    }
    let mut sender = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
    // More than a frame may have: the server hangs up, maybe before all of it is written.
    drop(sender.inner.send(Message::Binary(vec![0x4F; 5 << 20].into())).await);
    while sender.message().await.is_some_and(|message| !matches!(message, Message::Close(_))) {}
    assert_eq!(world.hub.extent(), None, "nothing of it was taken");
    let (_, _, body) = world.get("/metrics", "").await;
    assert!(String::from_utf8(body).unwrap().contains("\norrery_bad_frames_total 6\n"), "each is counted once");
    world.stop().await;
}

#[tokio::test]
async fn a_sender_faster_than_the_pump_waits_and_loses_nothing() {
    const PUSHES: i64 = 300;
    const SAMPLES: i64 = 2_000;
    // No pump: the inbox fills for certain, and only this test empties it.
    let mut world = World::start().await;
    let mut sender = world.socket("/ingest", None).await;
    sender.frame_of(&dictionary(&["pump-01.flow"])).await;
    let (mut write, mut answers) = sender.inner.split();
    let sending = tokio::spawn(async move {
        for n in 0..PUSHES {
            let entries = (0..SAMPLES).map(|k| entry(0, at(n * SAMPLES + k), Value::Float(k as f64))).collect();
            let frame = IngestFrame::Push(Batch { seq: n as u64, entries });
            write.send(Message::Binary(encode_ingest(&frame).into())).await.unwrap();
        }
        write
    });
    let waits = |json: &serde_json::Value| json["ingest"][0]["waits"].as_u64().unwrap();
    while waits(&counters(&world).await) == 0 {}
    assert_eq!(world.hub.extent(), None, "nobody took anything yet");
    let mut round = tokio::time::interval(std::time::Duration::from_millis(1));
    let mut next = 0;
    while next < PUSHES as u64 {
        tokio::select! {
            _ = round.tick() => world.step(),
            message = answers.next() => {
                let Some(Ok(Message::Binary(bytes))) = message else { panic!("{message:?}") };
                let ack = IngestAck { seq: next, taken: SAMPLES as u64, ..IngestAck::default() };
                assert_eq!(decode_server(&bytes, &Limits::SERVER_FRAMES), Ok(ServerFrame::IngestAck(ack)));
                next += 1;
            }
        }
    }
    drop(sending.await.unwrap());
    let mut expected = at(0);
    world.hub.with_store(|store| {
        let all = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
        store.for_each_sample(SignalIndex(0), all, &mut |sample| {
            assert_eq!(sample.source_time, expected, "each once, in order");
            expected = expected + Span::from_secs(1);
            std::ops::ControlFlow::Continue(())
        });
    });
    assert_eq!(expected, at(PUSHES * SAMPLES));
    world.stop().await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    let mut server = Server::start(&site, &data);
    let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (inner, _) = tokio_tungstenite::client_async(format!("ws://{}/ingest", server.address), stream).await.unwrap();
    let mut sender = Socket { inner };
    sender.frame_of(&dictionary(&["pump-01.starts"])).await;
    let push = |n: i64| (0..100).map(|k| entry(0, at(n * 100 + k), Value::Int(n * 100 + k))).collect();
    for n in 0..40 {
        sender.push(n as u64, push(n)).await;
    }
    let mut acked = 0;
    for _ in 0..20 {
        let ack = sender.ack().await;
        assert!(ack.durable);
        acked += ack.taken as usize;
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let (newest, count) = read(&site, &data, "pump-01.starts");
    assert!(acked == 2_000 && count >= acked, "{count} samples of {acked} acknowledged are there");
    assert_eq!(newest, Some(Value::Int(count as i64 - 1)), "in order, none invented");
}
