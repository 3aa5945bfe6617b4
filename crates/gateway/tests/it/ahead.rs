//! Newest isn't current, from the socket of a sender to that of a viewer: a reading of the future, a prediction, a clock that
//! runs ahead.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gateway::RingLimits;
use gateway::assemble::PlantOptions;
use gateway::hub::Hub;
use gateway::stores::empty_store;
use tokio_tungstenite::tungstenite::Message;
use twin_model::{Flags, Sample, SignalIndex, Span, Timestamp, Value};
use twin_protocol::*;

use crate::ingest::{dictionary, entry};
use crate::kill::Rng;
use crate::world::{Folder, SITE, Wish, World, at, orrery};

/// A server with a disk, whose clock shows `now` when it begins.
async fn serve(folder: &Folder, now: Timestamp) -> World {
    let options = PlantOptions { data: Some(folder.0.join("data")), clock: Some(now), ..PlantOptions::default() };
    World::serve(&folder.0.join("site.toml"), Wish { options, pump: true, ..Wish::default() }).await
}

fn frame_of_2099() -> Timestamp {
    "2099-01-01T00:00:00Z".parse().unwrap()
}

/// What a viewer that comes new is told of a signal: source time in seconds since `at(0)` and number, in order.
async fn told(world: &World, id: u32) -> Vec<(i64, f64)> {
    let mut viewer = world.client(None).await;
    let snapshot = viewer.until(|frame| if let ServerFrame::Snapshot(snapshot) = frame { Some(snapshot) } else { None }).await;
    let of = snapshot.entries.iter().filter(|entry| entry.id.0 == id).map(|entry| &entry.sample);
    of.map(|sample| (sample.source_time.since(at(0)).as_micros() / 1_000_000, sample.value.as_f64().unwrap())).collect()
}

fn state(folder: &Folder, at: Timestamp) -> serde_json::Value {
    let (site, data) = (folder.0.join("site.toml"), folder.0.join("data"));
    let path = |path: &Path| path.display().to_string();
    let (code, out, err) = orrery(&["state", &path(&site), "--data", &path(&data), "--at", &at.to_string(), "--json"]);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// Sends what holds, what lies ahead, what is refused and what was predicted, and waits until it is safe.
async fn send(world: &World) {
    let mut sender = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
    sender.frame_of(&dictionary(&["pump-01.flow", "pump-02.flow"])).await;
    let predicted = |id, t, v| Entry { id: DictId(id), sample: Sample { flags: Flags::PREDICTED, ..Sample::float(t, v) } };
    let entries = vec![
        entry(0, at(-10), Value::Float(40.0)),
        entry(0, at(300), Value::Float(99.0)),
        predicted(0, frame_of_2099(), 98.0),
        entry(0, frame_of_2099(), Value::Float(97.0)),
        entry(0, at(-1), Value::Float(41.0)),
        predicted(1, at(-2), 96.0),
    ];
    sender.push(1, entries).await;
    let ack = sender.ack().await;
    assert_eq!((ack.taken, ack.refused, ack.durable), (5, 1, true));
    assert!(ack.reasons[0].contains("ahead of this server's clock"), "{:?}", ack.reasons);
}

#[tokio::test]
async fn a_new_viewer_gets_what_holds_and_loses_nothing_of_what_lies_ahead() {
    let folder = Folder::new();
    folder.write("site.toml", SITE);
    let world = serve(&folder, at(0)).await;
    send(&world).await;
    assert_eq!(told(&world, 0).await, [(300, 99.0), (-1, 41.0)], "who keeps the last entry keeps what holds");
    assert_eq!(told(&world, 4).await, [], "a prediction is no reading");
    // The JSON form, whose readers are the simplest.
    let mut page = world.socket("/stream", Some(SUBPROTOCOL_JSON)).await;
    page.text(r#"{"frame":"hello","versions":[1]}"#).await;
    let held: BTreeMap<String, f64> = loop {
        let Some(Message::Text(text)) = page.message().await else { panic!("JSON comes as text") };
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        if json["frame"] == "snapshot" {
            let samples = json["samples"].as_array().unwrap().iter();
            break samples.map(|sample| (sample["id"].to_string(), sample["value"].as_f64().unwrap())).collect();
        }
    };
    assert_eq!(held.values().copied().collect::<Vec<_>>(), [41.0]);
    // Whose clock it is can be asked.
    let (_, _, body) = world.get("/api/counters", "").await;
    let clocks = serde_json::from_slice::<serde_json::Value>(&body).unwrap()["clocks"].clone();
    assert_eq!((&clocks["ahead"], &clocks["signals"][0]["signal"]), (&1.into(), &"pump-01.flow".into()), "{clocks}");
    // All of it is history, also what lies ahead.
    let (status, _, body) = world.get(&format!("/api/history?from={}", at(1).as_micros()), "").await;
    let ServerFrame::History(history) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!("{status}") };
    let mut store = world.hub.with_store(|_| empty_store(world.hub.model(), 1 << 20));
    for chunk in &history.chunks {
        store.import_chunk(chunk).unwrap();
    }
    let flow = SignalIndex(0);
    assert_eq!(store.live(flow).map(|sample| sample.value), Some(Value::Float(99.0)));
    assert_eq!(store.latest_at(flow, Timestamp::MAX).map(|sample| sample.value), Some(Value::Float(98.0)));
    world.stop().await;

    // What the program says of it, before and after its time has come.
    let (site, data) = (folder.0.join("site.toml").display().to_string(), folder.0.join("data").display().to_string());
    for (t, told) in [(5, true), (299, true), (301, false)] {
        let signal = state(&folder, at(t))["twins"][0]["signals"][0].clone();
        let ahead = signal["ahead_s"].as_f64();
        assert_eq!(ahead.is_some_and(|s| (280.0..=300.0).contains(&s)), told, "at {t}: {signal}");
        let (_, text, _) = orrery(&["state", &site, "--data", &data, "--at", &at(t).to_string()]);
        let row = text.lines().find(|line| line.starts_with("pump-01")).unwrap();
        assert_eq!(row.trim_end().ends_with("min ahead"), told, "at {t}: {row}");
    }
    // Before it had come, nobody could know.
    assert_eq!(state(&folder, at(-1))["twins"][0]["signals"][0]["ahead_s"], serde_json::Value::Null);
    for (t, value, alarm) in [(5, 41.0, "normal"), (299, 41.0, "normal"), (300, 99.0, "unacknowledged")] {
        let state = state(&folder, at(t));
        let pump = &state["twins"][0];
        assert_eq!((&pump["signals"][0]["value"], &pump["alarms"][0]["state"]), (&value.into(), &alarm.into()), "at {t}");
        let predicted = &state["twins"][1]["signals"][0];
        assert!(predicted["value"].is_null() && predicted["time"].is_null(), "a prediction alone is no reading: {predicted}");
    }
    let table = folder.0.join("all.csv").display().to_string();
    let (code, _, err) = orrery(&["export", &site, "--data", &data, "--output", &table]);
    assert_eq!(code, 0, "{err}");
    let rows = std::fs::read_to_string(&table).unwrap();
    for value in ["40", "41", "99", "98", "96"] {
        assert!(rows.lines().any(|row| row.contains(&format!(",{value}"))), "{value} is exported: {rows}");
    }
    // And a server that runs when its time has come.
    let world = serve(&folder, at(300)).await;
    assert_eq!(told(&world, 0).await, [(300, 99.0)], "it is in force");
    world.stop().await;
}

/// [`SITE`], whose sender's clock is wrong.
fn by_receipt() -> String {
    format!("{SITE}clock = \"received\"\n")
}

#[tokio::test]
async fn a_source_with_a_wrong_clock_is_put_right_and_loses_no_reading() {
    let folder = Folder::new();
    folder.write("site.toml", by_receipt());
    let world = serve(&folder, at(0)).await;
    let mut sender = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
    // Times ahead, of 2099, of 1970 and one twice: all of them are of now, in the order in which they came.
    let times = [at(300), frame_of_2099(), Timestamp::from_secs(0), at(300), Timestamp::MIN, Timestamp::MAX];
    let entries = times.iter().enumerate().map(|(n, t)| entry(0, *t, Value::Float(n as f64))).collect();
    sender.frame_of(&dictionary(&["pump-01.flow"])).await;
    sender.push(1, entries).await;
    let ack = sender.ack().await;
    assert_eq!((ack.taken, ack.refused), (6, 0), "{:?}", ack.reasons);
    // Lines, too: with a time that is none, with one of another century, with none.
    let mut lines = String::new();
    for time in ["\"time\":\"yesterday\",", "\"time\":17,", "\"time\":\"2099-01-01T00:00:00Z\",", ""] {
        lines += &format!("{{\"signal\":\"pump-01.flow\",{time}\"value\":50}}\n");
    }
    sender.text(&(lines + "{\"ack\":1}")).await;
    let line = sender.line().await;
    assert_eq!((&line["samples"], &line["refused"]), (&4.into(), &0.into()), "{line}");
    // What says nothing without its time is refused by name.
    for flags in [Flags::HISTORICAL, Flags::PREDICTED] {
        sender.push(2, vec![Entry { id: DictId(0), sample: Sample { flags, ..Sample::float(at(-60), 7.0) } }]).await;
        let ack = sender.ack().await;
        assert_eq!((ack.taken, ack.refused), (0, 1));
        assert!(ack.reasons[0].contains("clock = \"received\""), "{:?}", ack.reasons);
    }
    let samples = world.hub.with_store(|store| {
        let mut all = Vec::new();
        store.for_each_sample(SignalIndex(0), twin_model::TimeRange::new(Timestamp::MIN, Timestamp::MAX), &mut |sample| {
            all.push(sample.clone());
            std::ops::ControlFlow::Continue(())
        });
        all
    });
    let values: Vec<f64> = samples.iter().filter_map(|sample| sample.value.as_f64()).collect();
    assert_eq!(values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 50.0, 50.0, 50.0, 50.0]);
    for sample in &samples {
        assert!(sample.source_time >= at(0) && sample.source_time < at(1_000), "{sample:?}");
        assert_eq!(sample.source_time, sample.received_time);
    }
    let told = told(&world, 0).await;
    assert_eq!(told.last().map(|(_, v)| *v), Some(50.0), "{told:?}");
    world.stop().await;
}

#[tokio::test]
async fn store_and_forward_data_is_the_same_to_a_new_viewer_to_one_who_was_there_and_to_state() {
    let folder = Folder::new();
    folder.write("site.toml", SITE);
    let world = serve(&folder, at(0)).await;
    let mut there = world.client(None).await;
    let mut sender = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
    sender.frame_of(&dictionary(&["pump-01.flow"])).await;
    let kept = |t, v| Entry { id: DictId(0), sample: Sample { flags: Flags::HISTORICAL, ..Sample::float(t, v) } };
    // What the edge kept is newer than what it sent, and some of it older.
    sender.push(1, vec![entry(0, at(-10), Value::Float(90.0)), kept(at(-1), 40.0), kept(at(-20), 30.0)]).await;
    assert_eq!(sender.ack().await.taken, 3);
    assert_eq!(told(&world, 0).await, [(-1, 40.0)]);
    let batch = there.until(|frame| if let ServerFrame::Batch(batch) = frame { Some(batch) } else { None }).await;
    let newest = batch.entries.iter().map(|entry| &entry.sample).max_by_key(|sample| sample.source_time).unwrap();
    assert_eq!((newest.source_time, &newest.value), (at(-1), &Value::Float(40.0)));
    world.stop().await;
    let signal = state(&folder, at(1))["twins"][0]["signals"][0].clone();
    assert_eq!((signal["value"].as_f64(), signal["time"].as_str()), (Some(40.0), Some(&*at(-1).to_string())), "{signal}");
}

#[tokio::test]
async fn lines_without_a_time_do_not_take_each_others_place() {
    let folder = Folder::new();
    folder.write("site.toml", SITE);
    let world = serve(&folder, at(0)).await;
    let mut sender = world.socket("/ingest", None).await;
    let lines: String = (0..500).map(|n| format!("{{\"signal\":\"pump-01.starts\",\"value\":{n}}}\n")).collect();
    sender.text(&(lines + "{\"ack\":1}")).await;
    assert_eq!(sender.line().await["samples"], 500);
    world.stop().await;
    let (value, count) = crate::disk::read(&folder.0.join("site.toml"), &folder.0.join("data"), "pump-01.starts");
    assert_eq!((value, count), (Some(Value::Int(499)), 500), "what was acknowledged is there, the last one holds");
}

#[test]
fn a_table_written_by_a_wrong_clock_is_read_by_the_times_of_receipt() {
    let folder = Folder::new();
    let site = |clock: &str| {
        format!(
            "[site]\nid = \"t\"\n[[twins]]\nid = \"a\"\nsignals = [{{ name = \"v\" }}]\n[[sources]]\nid = \"log\"\nkind = \"csv\"\n\
             path = \"t.csv\"\ntime = {{ column = \"taken\" }}\nreceived = \"stored\"\ncolumns = {{ \"V\" = \"a.v\" }}\n{clock}"
        )
    };
    // The device is five minutes ahead; of one row it had lost its time altogether, another was never stored.
    let rows = "taken,stored,V\n2026-03-02T08:05:00Z,2026-03-02T08:00:00Z,1\nunset,2026-03-02T08:01:00Z,2\n\
                2026-03-02T08:07:00Z,,3\n2026-03-02T08:08:00Z,2026-03-02T08:03:00Z,4\n";
    folder.write("t.csv", rows);
    let value = |clock: &str, t: &str| {
        let site = folder.write("site.toml", site(clock)).display().to_string();
        let (code, out, err) = orrery(&["state", &site, "--at", t, "--json"]);
        assert_eq!(code, 0, "{err}");
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let signal = json["twins"][0]["signals"][0].clone();
        ((signal["value"].as_f64(), signal["ahead_s"].as_f64()), err)
    };
    let (by_source, _) = value("", "2026-03-02T08:03:30Z");
    assert_eq!(by_source, (None, Some(300.0)), "its readings all lie ahead");
    for (t, expected) in [("08:00:30", 1.0), ("08:01:00", 2.0), ("08:02:59", 2.0), ("08:03:30", 4.0)] {
        let (by_receipt, err) = value("clock = \"received\"\n", &format!("2026-03-02T{t}Z"));
        assert_eq!(by_receipt, (Some(expected), None), "at {t}");
        assert!(err.contains("line 4"), "the row that says nothing of its receipt is named: {err}");
    }
}

#[test]
fn the_future_is_never_live_for_whoever_comes_new_or_is_slow() {
    let site = twin_site::load(SITE, "site.toml", &mut |_| Err("no files".to_owned()));
    let model = Arc::new(site.model);
    for seed in 0..if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 5_000 } else { 150 } {
        let mut rng = Rng(seed);
        let mut below = |n: u64| (rng.next() % n) as i64;
        let hub = Hub::new(model.clone(), at(0), RingLimits { batches: 4, bytes: 1 << 20 }, empty_store(&model, 16 << 20), None);
        let mut came: BTreeMap<(u32, Timestamp), Sample> = BTreeMap::new();
        let mut now = at(0);
        let (_, mut slow) = hub.open(None, now);
        for _ in 0..60 {
            now = now + Span::from_micros(1 + below(20_000_000));
            let signal = [0, 4][below(2) as usize];
            let lead = [0, 0, -30, 300, 3_000][below(5) as usize];
            let flags = [Flags::NONE, Flags::NONE, Flags::NONE, Flags::PREDICTED, Flags::HISTORICAL][below(5) as usize];
            let sample = Sample { received_time: now, flags, ..Sample::float(now + Span::from_secs(lead), below(100) as f64) };
            hub.ingest(&[(SignalIndex(signal), sample.clone())]);
            hub.flush();
            came.insert((signal, sample.source_time), sample);
        }
        // Of every signal the last entry is the newest that was measured by now, and one that lies ahead comes before it.
        let plain = |sample: &&Sample| sample.flags == Flags::NONE;
        let check = |entries: &[Entry], who: &str| {
            for signal in [0, 4] {
                let of = || came.range((signal, Timestamp::MIN)..(signal + 1, Timestamp::MIN)).map(|(_, sample)| sample);
                let holds = of().rfind(|sample| sample.flags != Flags::PREDICTED && sample.source_time <= now);
                let ahead = of().rfind(|sample| plain(sample) && sample.source_time > now);
                let told: Vec<&Sample> = entries.iter().filter(|e| e.id.0 == signal).map(|e| &e.sample).collect();
                assert_eq!(told, ahead.into_iter().chain(holds).collect::<Vec<_>>(), "seed {seed}: {who} of {signal}");
            }
        };
        let (frames, _) = hub.open(None, now);
        let Some(ServerFrame::Snapshot(snapshot)) = frames.last() else { panic!("{frames:?}") };
        check(&snapshot.entries, "a new viewer");
        let frames = hub.next(&mut slow, now);
        let Ok(ServerFrame::Batch(batch)) = decode_server(frames.last().unwrap(), &Limits::SERVER_FRAMES) else { panic!() };
        check(&batch.entries, "a slow viewer");
    }
}
