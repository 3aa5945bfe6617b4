//! One set of limits for writers and readers: what is too large is refused by name, what is large is cut.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::SinkExt as _;
use gateway::RingLimits;
use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Database, fsck, pages};
use gateway::hub::Hub;
use gateway::site::Site;
use gateway::stores::empty_store;
use tokio_tungstenite::tungstenite::Message;
use twin_historian::historian::Historian as _;
use twin_historian::{Level, Store, StoreConfig};
use twin_model::limits::{ANSWER_BYTES, BATCH_BYTES, BATCH_SAMPLES, CHUNK_BYTES, SAMPLE_BYTES, TEXT_BYTES};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::*;

use crate::disk::everything;
use crate::world::{Folder, SITE, Wish, World, at};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

/// A text of some bytes that hardly packs; no two alike.
fn text(n: i64, bytes: usize) -> String {
    let mut text = format!("{n:09}");
    while text.len() < bytes {
        text.push_str(&format!("{:016x}", (n as u64 + text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    }
    text.truncate(bytes);
    text
}

#[tokio::test]
async fn a_text_that_is_too_long_is_named_with_its_limit_and_its_neighbours_are_taken() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", Some(SUBPROTOCOL_INGEST_BIN)).await;
    let line = |n: i64, bytes: usize| {
        serde_json::json!({ "signal": "pump-01.mode", "time": at(n).as_micros(), "value": text(n, bytes) }).to_string()
    };
    let lines = [line(0, 5), line(1, TEXT_BYTES + 1), line(2, TEXT_BYTES), "{\"ack\": 1}".to_owned()];
    sender.text(&lines.join("\n")).await;
    let Some(Message::Text(fault)) = sender.message().await else { panic!() };
    let fault: serde_json::Value = serde_json::from_str(&fault).unwrap();
    let why = "the text of 'pump-01.mode' has 65537 bytes; a text has at most 65536 bytes of UTF-8";
    assert_eq!(fault, serde_json::json!({ "error": why, "line": 2 }));
    let Some(Message::Text(ack)) = sender.message().await else { panic!() };
    let ack: serde_json::Value = serde_json::from_str(&ack).unwrap();
    assert_eq!((&ack["samples"], &ack["refused"]), (&serde_json::json!(2), &serde_json::json!(1)));
    // The same in a frame; and texts that are said once and meant too often.
    let push = |seq: u64, entries| encode_ingest(&IngestFrame::Push(Batch { seq, entries }));
    let entry = |t: i64, value: &Value| Entry { id: DictId(0), sample: Sample::new(at(t), value.clone()) };
    let of = |n: i64, bytes: usize| Value::text(&text(n, bytes));
    let dictionary = encode_ingest(&IngestFrame::Dictionary(vec!["pump-01.mode".into()]));
    let mixed = vec![entry(10, &of(10, 5)), entry(11, &of(11, 1 << 20)), entry(12, &of(12, TEXT_BYTES))];
    let often = of(13, TEXT_BYTES);
    let many = (0..1_100).map(|n| entry(100 + n, &often)).collect();
    for bytes in [dictionary, push(7, mixed), push(8, many)] {
        sender.inner.send(Message::Binary(bytes.into())).await.unwrap();
    }
    let ack = |frame| if let ServerFrame::IngestAck(ack) = frame { Some(ack) } else { None };
    let mixed = sender.until(ack).await;
    assert_eq!((mixed.seq, mixed.taken, mixed.refused), (7, 2, 1));
    assert_eq!(mixed.reasons, ["the text of 'pump-01.mode' has 1048576 bytes; a text has at most 65536 bytes of UTF-8"]);
    let many = sender.until(ack).await;
    assert_eq!((many.seq, many.taken, many.refused), (8, 1_024, 76));
    assert!(many.reasons[0].contains("more than 67108864 bytes"), "{:?}", many.reasons);
    let (_, _, body) = world.get("/api/counters", "").await;
    let counters: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(counters["ingest"][0]["refused"]["large"], 78);
    assert_eq!(
        (&counters["store"]["stored"], &counters["store"]["too_large"]),
        (&serde_json::json!(1_028), &serde_json::json!(0))
    );
    let texts = counters["budgets"]["texts"].as_u64().unwrap();
    assert_eq!(texts + counters["budgets"]["numbers"].as_u64().unwrap(), 128 << 20);
    world.stop().await;
}

/// A site with some signals that are texts.
fn texts_site(signals: usize) -> String {
    let one = |n: usize| format!("[[interfaces.signals]]\nname = \"s{n:03}\"\nvalue = \"text\"\n");
    let signals: String = (0..signals).map(one).collect();
    format!(
        "[site]\nid = \"texts\"\n[[interfaces]]\nid = \"log\"\n{signals}[[twins]]\nid = \"log\"\ninterface = \"log\"\nbind = false\n\
         [[sources]]\nid = \"script\"\nkind = \"websocket\"\n"
    )
}

#[test]
fn what_comes_at_once_is_cut_into_entries_of_the_journal_by_bytes_and_by_count() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let data = folder.0.join("data");
    let plant = plant(&site, &PlantOptions { data: Some(data.clone()), ..PlantOptions::default() }).unwrap();
    let signal = |id: &str| plant.hub.model().find_signal(id).unwrap();
    // Far more samples than one may have, each small; then far more bytes, few samples; then both, mixed.
    let numbers = (0..130_000).map(|n| (signal("pump-01.flow"), Sample::new(at(n), Value::Float(n as f64))));
    let texts = (0..120).map(|n| (signal("pump-01.mode"), Sample::new(at(200_000 + n), Value::text(&text(n, TEXT_BYTES)))));
    let mixed = (0..70_000).map(|n| {
        let (of, value) = if n % 700 == 0 {
            (signal("pump-01.mode"), Value::text(&text(n, TEXT_BYTES)))
        } else {
            (signal("pump-01.starts"), Value::Int(n))
        };
        (of, Sample::new(at(300_000 + n), value))
    });
    let parts: [Vec<_>; 3] = [numbers.collect(), texts.collect(), mixed.collect()];
    for part in &parts {
        plant.hub.ingest(part);
        plant.hub.flush();
    }
    plant.hub.persist().unwrap().sync();
    let connection = rusqlite::Connection::open(data.join(gateway::history::FILE)).unwrap();
    let mut statement = connection.prepare("SELECT bytes FROM journal ORDER BY position").unwrap();
    let entries: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut samples = 0;
    for bytes in &entries {
        let Ok(ServerFrame::Batch(batch)) = decode_server(bytes, &Limits::SERVER_FRAMES) else {
            panic!("a frame that viewers read")
        };
        let size = |entry: &Entry| SAMPLE_BYTES + if let Value::Text(text) = &entry.sample.value { text.len() } else { 0 };
        let unpacked: usize = batch.entries.iter().map(size).sum();
        assert!(batch.entries.len() <= BATCH_SAMPLES && unpacked <= BATCH_BYTES, "{} samples, {unpacked}", batch.entries.len());
        // These texts do not pack: what is written is not more than what the limit speaks of.
        assert!(bytes.len() <= BATCH_BYTES, "{}", bytes.len());
        samples += batch.entries.len();
    }
    assert_eq!(samples, parts.iter().map(Vec::len).sum::<usize>(), "and all of it is there");
    let (fewest, texts) = (130_000 / BATCH_SAMPLES, 220 * TEXT_BYTES / BATCH_BYTES);
    assert!(
        (fewest + texts..4 * (fewest + texts)).contains(&entries.len()),
        "{} entries: cut, and not into crumbs",
        entries.len()
    );
}

#[test]
fn newest_values_that_are_more_than_a_frame_come_in_parts_and_only_the_last_moves_the_place() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", texts_site(100))).unwrap();
    let model = Arc::new(site.loaded.model.clone());
    let hub = Hub::new(model.clone(), at(0), RingLimits { batches: 2, bytes: 1 << 30 }, empty_store(&model, 256 << 20), None);
    let all = |s: i64| {
        let one =
            |signal: u32| (SignalIndex(signal), Sample::new(at(s), Value::text(&text(s * 1_000 + i64::from(signal), 60_000))));
        (0..100).map(one).collect::<Vec<_>>()
    };
    let (_, mut place) = hub.open(None, at(0));
    for s in 1..=20 {
        hub.ingest(&all(s));
        hub.flush();
    }
    let decode = |bytes: &[u8]| decode_server(bytes, &Limits::SERVER_FRAMES).unwrap();
    let frames = hub.next(&mut place, at(30));
    assert!(frames.iter().all(|frame| frame.len() <= BATCH_BYTES + 100));
    let ServerFrame::Lag(lag) = decode(&frames[0]) else { panic!("it is told what was left out") };
    assert_eq!(lag.left_out, 1_900);
    let batches: Vec<Batch> =
        frames[1..].iter().map(|frame| if let ServerFrame::Batch(batch) = decode(frame) { batch } else { panic!() }).collect();
    let (last, before) = batches.split_last().unwrap();
    assert!(before.len() >= 2 && before.iter().all(|batch| batch.seq == 0), "{} parts", batches.len());
    assert_eq!(last.seq, hub.seq());
    let ids: Vec<u32> = batches.iter().flat_map(|batch| batch.entries.iter().map(|entry| entry.id.0)).collect();
    assert_eq!(ids, (0..100).collect::<Vec<_>>());
    assert!(batches.iter().flat_map(|batch| &batch.entries).all(|entry| entry.sample.source_time == at(20)));
    assert!(hub.next(&mut place, at(30)).is_empty());
    // A new client.
    let (frames, _) = hub.open(None, at(30));
    let snapshots: Vec<&Snapshot> =
        frames.iter().filter_map(|frame| if let ServerFrame::Snapshot(one) = frame { Some(one) } else { None }).collect();
    let (last, before) = snapshots.split_last().unwrap();
    assert!(before.len() >= 2 && before.iter().all(|one| one.seq == 0) && last.seq == hub.seq());
    assert_eq!(snapshots.iter().map(|one| one.entries.len()).sum::<usize>(), 100);
    for frame in &frames {
        assert!(encode_server(frame).len() <= BATCH_BYTES + 100 && json::encode_server(frame).len() < 16 << 20);
    }
}

fn compare(hub: &Hub, store: &Store, when: &str) {
    hub.with_store(|expected| compare_stores(expected, store, when));
}

fn compare_stores(expected: &Store, found: &Store, when: &str) {
    for signal in (0..expected.signals() as u32).map(SignalIndex) {
        let read = |store: &Store| {
            let mut all = Vec::new();
            store.for_each_sample(signal, ALWAYS, &mut |sample| {
                all.push((sample.source_time, sample.value.clone()));
                ControlFlow::Continue(())
            });
            all
        };
        let (expected, found) = (read(expected), read(found));
        assert!(expected == found, "{when}: {} of {} samples of {}", found.len(), expected.len(), signal.0);
    }
}

/// What a hub holds in memory, in answers that are frames which every viewer reads.
#[test]
fn an_answer_about_an_hour_of_many_texts_is_cut_by_bytes() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", texts_site(100))).unwrap();
    let model = Arc::new(site.loaded.model.clone());
    let hub = Hub::new(model.clone(), at(0), RingLimits::default(), empty_store(&model, 512 << 20), None);
    for n in 0..400_u32 {
        let t = at(i64::from(n / 10)) + Span::from_micros(i64::from(n));
        hub.ingest(&[(SignalIndex(n % 100), Sample::new(t, Value::text(&text(i64::from(n), TEXT_BYTES))))]);
    }
    hub.flush();
    let (mut answers, mut range) = (0, ALWAYS);
    while let Some(next) = {
        let piece = gateway::excerpt::history_of(&hub, range, gateway::lacks::Damaged::Refuse).unwrap().0;
        answers += 1;
        let next = piece.next;
        assert!(encode_server(&ServerFrame::History(piece)).len() <= 16 << 20);
        next
    } {
        range.start = next;
    }
    assert!(answers > 2, "26 MB in {answers} answers");
    compare(&hub, &everything(&hub), "answer by answer");
}

/// A store for the samples of a hub that has room for all of them.
fn roomy(hub: &Hub) -> Store {
    let config = StoreConfig { budget_bytes: 1 << 30, ..StoreConfig::default() };
    Store::new(hub.model().signals().iter().map(Into::into), config)
}

/// What a folder keeps, by its pages: every part is a frame that a viewer reads.
fn page_by_page(hub: &Hub, database: &Database) -> Store {
    let mut store = roomy(hub);
    let catalogue = serde_json::to_value(pages::Catalogue::of(database.keeper(), ALWAYS).unwrap()).unwrap();
    for page in catalogue["levels"][0]["pages"].as_array().unwrap() {
        let start = Timestamp::from_micros(page["start_us"].as_i64().unwrap());
        let version = u64::from_str_radix(page["version"].as_str().unwrap(), 16).unwrap();
        for part in 0..page["parts"].as_u64().unwrap() {
            let chunks = pages::part(database.keeper(), Level::Raw, start, version, part).unwrap().unwrap().chunks;
            let bytes: usize = chunks.iter().map(|chunk| chunk.len()).sum();
            assert!(bytes <= ANSWER_BYTES + CHUNK_BYTES, "{bytes} bytes in one part");
            for chunk in chunks {
                store.import_chunk(&chunk).unwrap();
            }
        }
    }
    store
}

/// What a hub answers about all times, and in how many answers: every one is a frame that a viewer reads.
fn answer_by_answer(hub: &Hub) -> (Store, usize) {
    let (mut store, mut answers, mut range) = (roomy(hub), 0, ALWAYS);
    loop {
        let piece = gateway::excerpt::history_of(hub, range, gateway::lacks::Damaged::Refuse).unwrap().0;
        answers += 1;
        for chunk in &piece.chunks {
            store.import_chunk(chunk).unwrap();
        }
        let next = piece.next;
        assert!(encode_server(&ServerFrame::History(piece)).len() <= 16 << 20);
        match next {
            Some(next) => range.start = next,
            None => return (store, answers),
        }
    }
}

#[test]
fn an_hour_of_more_text_than_a_chunk_may_have_is_kept_and_read_in_parts() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let data = folder.0.join("data");
    let options = PlantOptions { data: Some(data.clone()), memory_bytes: 512 << 20, ..PlantOptions::default() };
    let plant = plant(&site, &options).unwrap();
    let hub = plant.hub;
    let sample = |n: i64, s: i64| (SignalIndex(3), Sample::new(at(s), Value::text(&text(n, 50_000))));
    // 25 MB of texts within an hour, some into the next, and numbers beside them.
    for n in 0..500 {
        hub.ingest(&[sample(n, n * 8), (SignalIndex(0), Sample::new(at(n * 8), Value::Float(n as f64)))]);
    }
    hub.flush();
    let seal = |hub: &Hub| {
        hub.seal(at(9 * 3_600));
        assert!(hub.persist().unwrap().sync());
    };
    seal(&hub);
    let reader = || Database::open_to_read(&data).unwrap();
    let parts = reader().keeper().catalogue(Level::Raw, ALWAYS).unwrap();
    assert!(parts.len() >= 5 && parts.iter().all(|kept| kept.bytes <= CHUNK_BYTES as u64), "{parts:?}");
    // Late samples: into parts that are kept, and before and after them.
    for n in 0..60 {
        hub.ingest(&[sample(1_000 + n, n * 61 + 3)]);
    }
    hub.flush();
    seal(&hub);
    compare(&hub, &everything(&hub), "as history over a range");
    let mut store = roomy(&hub);
    reader().load(hub.model(), &mut store).unwrap();
    compare(&hub, &store, "from disk");
    compare(&hub, &page_by_page(&hub, &reader()), "page by page");
    // A server with little memory answers from disk.
    drop(hub);
    let options = PlantOptions { data: Some(data.clone()), memory_bytes: 16 << 20, ..PlantOptions::default() };
    let small = gateway::assemble::plant(&site, &options).unwrap().hub;
    assert!(small.with_store(|store| store.counters().texts_given_up) > 0);
    let (answered, answers) = answer_by_answer(&small);
    assert!(answers > 4, "{answers} answers");
    compare_stores(&store, &answered, "from a server with little memory");
    drop(small);
    let report = fsck::check(&data, false).unwrap();
    assert_eq!((&report.findings, report.journal_entries), (&Vec::new(), 0));
}

#[test]
fn what_little_memory_gave_up_before_its_hour_was_sealed_is_sealed_from_the_journal() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let data = folder.0.join("data");
    // Two mebibytes: half a mebibyte of texts, and little more of numbers.
    let options = PlantOptions { data: Some(data.clone()), memory_bytes: 2 << 20, ..PlantOptions::default() };
    let plant = plant(&site, &options).unwrap();
    let hub = plant.hub;
    let mut expected = 0;
    for second in 0..7_000 {
        let n = second as u64;
        let noise = |salt: u64| f64::from_bits((n * 3 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12 | 0x3ff0_0000_0000_0000);
        let mut samples = Vec::new();
        for part in 0..20 {
            let t = at(second) + Span::from_micros(part * 50_000);
            samples.push((SignalIndex(0), Sample::new(t, Value::Float(noise(part as u64)))));
            samples.push((SignalIndex(4), Sample::new(t, Value::Float(noise(part as u64 + 50)))));
        }
        samples.push((SignalIndex(3), Sample::new(at(second), Value::text(&text(second, 700)))));
        expected += samples.len();
        hub.ingest(&samples);
        if second % 50 == 0 {
            hub.flush();
        }
    }
    hub.flush();
    let counters = hub.with_store(|store| store.counters());
    assert!(counters.thinned > 0 && counters.texts_given_up > 0, "{counters:?}");
    hub.seal(at(9 * 3_600));
    assert!(hub.persist().unwrap().sync());
    drop(hub);
    let mut store = Store::new(
        site.loaded.model.signals().iter().map(Into::into),
        StoreConfig { budget_bytes: 1 << 30, ..StoreConfig::default() },
    );
    let loaded = Database::open(&data).unwrap().load(&site.loaded.model, &mut store).unwrap();
    assert_eq!((loaded.unreadable, loaded.batches), (0, 0), "all of it is in chunks");
    let mut found = 0;
    for signal in [0, 3, 4] {
        store.for_each_sample(SignalIndex(signal), ALWAYS, &mut |_| {
            found += 1;
            ControlFlow::Continue(())
        });
    }
    assert_eq!(found, expected);
    assert_eq!(fsck::check(&data, false).unwrap().findings, []);
}
