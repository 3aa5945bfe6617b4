//! What a line of `/ingest` means, and what its sender is told: times, units, qualities, keys under other names.

use gateway::assemble::PlantOptions;
use tokio_tungstenite::tungstenite::Message;
use twin_model::{SignalIndex, Timestamp, Value};

use crate::ingest::{dictionary, entry};
use crate::world::{Folder, SITE, Socket, Wish, World, at};

#[tokio::test]
async fn a_sender_is_told_once_which_clock_its_times_without_offset_are_read_by() {
    let zoned = SITE.replace("name = \"Little plant\"", "name = \"Little plant\"\ntime_zone = \"Europe/Vienna\"");
    let own = format!("{zoned}zone = \"Asia/Tokyo\"\n");
    for (site, zone, expected) in [(&zoned, "Europe/Vienna", "08:15:04Z"), (&own, "Asia/Tokyo", "00:15:04Z")] {
        let mut world = World::start_with(site, Wish::default()).await;
        let mut sender = world.socket("/ingest", None).await;
        let line = |value: u32, time: &str| format!("{{\"signal\":\"pump-01.starts\",\"value\":{value},\"time\":\"{time}\"}}\n");
        sender
            .text(&format!(
                "{}{}{}",
                line(1, "2026-03-02T07:15:04Z"),
                line(2, "2026-03-02 09:15:04"),
                line(3, "2026-03-02 09:15:05")
            ))
            .await;
        let said = sender.line().await;
        assert_eq!(said["line"], 2, "{said}");
        let words = said["warning"].as_str().unwrap();
        assert!(words.contains("'2026-03-02 09:15:04' has no offset") && words.contains(zone), "{words}");
        // Nothing more is said: the next answer is that to a fault.
        sender.text(&format!("{}oops", line(4, "2026-03-02 09:15:06"))).await;
        assert_eq!(sender.line().await["line"], 2);
        world.step();
        let signal = world.hub.model().find_signal("pump-01.starts").unwrap();
        let t: Timestamp = format!("2026-03-02T{expected}").parse().unwrap();
        let held = world.hub.with_store(|store| store.latest_at(signal, t)).unwrap();
        assert_eq!((held.source_time, held.value), (t, Value::Int(2)));
        world.stop().await;
    }
    // Where nobody says which zone, a time without offset is refused.
    let world = World::start().await;
    let mut sender = world.socket("/ingest", None).await;
    sender.text("{\"signal\":\"pump-01.starts\",\"value\":1,\"time\":\"2026-03-02 09:15:04\"}").await;
    let said = sender.line().await;
    assert!(said["error"].as_str().unwrap().contains("has no offset; write one"), "{said}");
    world.stop().await;
}

#[tokio::test]
async fn a_key_that_would_change_what_a_reading_means_is_refused_by_name_and_others_are_told_once() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    let line = |more: &str| format!(r#"{{"signal":"pump-01.flow","value":1,{more}}}"#);
    let lines = [
        line(r#""timestamp":1772438400000"#),
        line(r#""qualty":"bad""#),
        line(r#""predicted":true"#),
        line(r#""unit":"l/min""#),
        line(r#""unit":"l/min""#),
        r#"{"ack":1}"#.to_owned(),
    ];
    sender.text(&lines.join("\n")).await;
    let mut told = Vec::new();
    while told.len() < 5 {
        let Some(Message::Text(text)) = sender.message().await else { panic!("no answer") };
        for answer in text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()) {
            let what = answer["error"].as_str().or_else(|| answer["warning"].as_str()).map(str::to_owned);
            told.push((answer["line"].as_i64(), what.unwrap_or_else(|| answer.to_string())));
        }
    }
    let starts = [
        "'timestamp' is not read: the time",
        "'qualty' is not read: the quality",
        "'predicted' is not read: a line",
        "not read: 'unit'",
    ];
    for (at, start) in starts.iter().enumerate() {
        assert!(told[at].0 == Some(at as i64 + 1) && told[at].1.starts_with(start), "{told:?}");
    }
    let answer: serde_json::Value = serde_json::from_str(&told[4].1).unwrap();
    assert_eq!(answer, serde_json::json!({ "ack": 1, "samples": 2, "refused": 3, "durable": false }));
    world.stop().await;
}

/// Sends lines as one message and an `ack`; gives what was said about each line, and the answer.
async fn said(sender: &mut Socket, lines: &[String]) -> (Vec<(i64, String)>, serde_json::Value) {
    sender.text(&format!("{}\n{{\"ack\":1}}", lines.join("\n"))).await;
    let mut told = Vec::new();
    loop {
        let Some(Message::Text(text)) = sender.message().await else { panic!("no answer") };
        for answer in text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()) {
            if answer.get("ack").is_some() {
                return (told, answer);
            }
            let words = answer["error"].as_str().or_else(|| answer["warning"].as_str()).unwrap().to_owned();
            told.push((answer["line"].as_i64().unwrap(), words));
        }
    }
}

#[tokio::test]
async fn a_state_or_a_unit_of_a_reading_under_other_names_is_never_taken_as_good_or_as_the_signals() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    let line = |more: &str| format!(r#"{{"signal":"pump-01.flow","value":85,{more}}}"#);
    let refused = [
        r#""status":"BadSensorFailure""#,
        r#""opcQuality":"Bad","unit":"l/min""#,
        r#""q":"Bad","timestampMs":1600000000000"#,
        r#""good":false"#,
        r#""valid":false"#,
        r#""stale":true"#,
        r#""unit":"m3/h""#,
        r#""measured_at":"2026-03-02T08:15:04Z""#,
    ];
    let taken = [r#""status":"Good""#, r#""status":"running""#, r#""stale":false,"unit":" l/min ""#, r#""q":0"#];
    let lines: Vec<String> = refused.iter().chain(&taken).map(|more| line(more)).collect();
    let (told, answer) = said(&mut sender, &lines).await;
    for (at, more) in refused.iter().enumerate() {
        let key = more.split('"').nth(1).unwrap();
        assert!(told[at].0 == at as i64 + 1 && told[at].1.starts_with(&format!("'{key}' is not read: ")), "{more}: {told:?}");
    }
    assert!(told[6].1.contains("pump-01.flow is in l/min, not in 'm3/h'; send it in l/min"), "{told:?}");
    assert_eq!((answer["samples"].as_i64(), answer["refused"].as_i64()), (Some(4), Some(8)));
    world.stop().await;
}

#[tokio::test]
async fn keys_that_nobody_reads_are_told_once_each_and_not_without_end() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    let line = |keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\":1")).collect();
        format!(r#"{{"signal":"pump-01.starts","value":1,{}}}"#, keys.join(","))
    };
    let lines =
        [line(&["host", "seq"]), line(&["seq", "host"]), line(&["seq"]), line(&["seq", "batch"]), line(&["batch", "host"])];
    let (told, _) = said(&mut sender, &lines).await;
    let expected = ["'host', 'seq'", "'seq', 'batch'"];
    let found: Vec<i64> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(found, [1, 4], "{told:?}");
    assert!(told.iter().zip(expected).all(|((_, words), keys)| words.starts_with(&format!("not read: {keys};"))), "{told:?}");
    let many: Vec<String> = (0..40).map(|at| line(&[format!("tag{at}").as_str()])).collect();
    let (told, answer) = said(&mut sender, &many).await;
    assert_eq!((told.len(), answer["samples"].as_i64()), (14, Some(40)), "16 remarks a connection");
    world.stop().await;
}

#[tokio::test]
async fn a_time_of_the_hour_that_comes_twice_is_a_guess_and_its_sender_is_told_once() {
    let site = SITE.replace("name = \"Little plant\"", "name = \"Little plant\"\ntime_zone = \"Europe/Vienna\"");
    let world = World::start_with(&site, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    let line = |time: &str| format!(r#"{{"signal":"pump-01.starts","value":1,"time":"{time}"}}"#);
    let times = ["2025-10-26T02:30:00[Europe/Berlin]", "2025-10-26 02:40:00", "2025-10-26 03:00:00", "2025-10-26T02:30:00+01:00"];
    let (told, _) = said(&mut sender, &times.map(line)).await;
    let found: Vec<i64> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(found, [1, 3], "{told:?}");
    let guess = "is of an hour that came twice and has no offset, so that it is a guess: it is taken for 2025-10-26T01:30:00Z";
    assert!(told[0].1.contains(guess) && told[1].1.contains("has no offset; such times are read as Europe/Vienna"), "{told:?}");
    world.stop().await;
}

#[tokio::test]
async fn what_has_no_usable_value_is_taken_as_bad_and_its_sender_is_told() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    for (value, quality, warned) in [
        ("null", "bad", None),
        ("\"NaN\"", "bad_no_data", None),
        ("\"I/O Timeout\"", "bad_timeout", None),
        ("1e400", "bad_out_of_range", Some("beyond the largest number")),
        ("\"much\"", "bad_type_mismatch", Some("'much' is not a number")),
    ] {
        let line = format!("{{\"signal\":\"pump-01.flow\",\"value\":{value},\"quality\":\"good\"}}");
        sender.text(&format!("{line}\n{{\"ack\":1}}")).await;
        if let Some(words) = warned {
            let line = sender.line().await;
            assert!(line["warning"].as_str().unwrap().contains(words) && line["line"] == 1, "{line}");
        }
        let ack = serde_json::json!({ "ack": 1, "samples": 1, "refused": 0, "durable": false });
        assert_eq!(sender.line().await, ack, "{value}");
        let held = world.hub.with_store(|store| store.live(SignalIndex(0))).unwrap();
        assert_eq!((held.quality.to_string().as_str(), held.has_value()), (quality, false), "{value}");
    }
    // What is no JSON at all is refused with what to send instead; text is read like a cell, digits and all.
    sender.text(r#"{"signal":"pump-01.flow","value":NaN}"#).await;
    assert!(sender.line().await["error"].as_str().unwrap().contains("send null where there is no value"));
    sender.text("{\"signal\":\"pump-01.starts\",\"value\":9007199254740993}\n{\"ack\":2}").await;
    assert_eq!(sender.line().await["samples"], 1);
    let held = world.hub.with_store(|store| store.live(SignalIndex(1))).unwrap();
    assert_eq!(held.value, Value::Int(9_007_199_254_740_993));
    sender.text("{\"signal\":\"pump-01.flow\",\"value\":1,\"quality\":\"splendid\"}\n{\"ack\":3}").await;
    assert!(sender.line().await["warning"].as_str().unwrap().contains("taken as uncertain"));
    assert_eq!(sender.line().await["samples"], 1);
    world.stop().await;
}

#[tokio::test]
async fn a_time_in_another_unit_is_refused_with_the_one_that_it_looks_like() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    for (time, part) in [
        ("1772439304000", "as \"epoch_ms\"; send RFC 3339 with an offset, or a number of microseconds since 1970"),
        ("1772439304", "as \"epoch_s\"; send RFC 3339 with an offset, or a number of microseconds since 1970"),
        ("1772439304.5", "as \"epoch_s\"; send RFC 3339 with an offset, or a number of microseconds since 1970"),
        ("1772439304000000000", "as \"epoch_ns\"; send RFC 3339 with an offset, or a number of microseconds since 1970"),
        ("\"1772439304000\"", "as \"epoch_ms\"; send RFC 3339 with an offset, or a number of microseconds since 1970"),
        ("\"2026-03-02T08:15:04\"", "has no offset"),
        ("{}", "a text or a number"),
        ("\"1066-10-14T09:00:00Z\"", "the plant's site file has to allow it (years under [site]); send RFC 3339"),
    ] {
        sender.text(&format!("{{\"signal\":\"pump-01.flow\",\"value\":1,\"time\":{time}}}")).await;
        let line = sender.line().await;
        let error = line["error"].as_str().unwrap();
        assert!(error.contains(part), "{part} in {line}");
        // What a sender can do, and who decides: it can't edit the site file.
        assert!(error.ends_with("the plant's site file decides how times are written (time.format of the source)"), "{error}");
        assert!(!error.contains("write format") && !error.contains("write years"), "{error}");
    }
    sender.frame_of(&dictionary(&["pump-01.flow"])).await;
    sender.push(1, vec![entry(0, Timestamp::from_millis(1_772_439), Value::Float(1.0))]).await;
    let ack = sender.ack().await;
    assert_eq!((ack.taken, ack.refused), (0, 1), "{ack:?}");
    assert!(world.hub.extent().is_none(), "history does not begin in 1970");
    world.stop().await;
}

#[tokio::test]
async fn a_source_says_how_its_senders_write_times_and_qualities() {
    let site = format!("{SITE}zone = \"Europe/Berlin\"\ntime = {{ format = \"epoch_ms\" }}\nquality = \"opc_da\"\n");
    let world = World::start_with(&site, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    for (time, quality) in [("1772439304000", "24"), ("\"2026-03-02 09:15:04\"", "192")] {
        sender
            .text(&format!("{{\"signal\":\"pump-01.flow\",\"value\":1,\"time\":{time},\"quality\":{quality}}}\n{{\"ack\":1}}"))
            .await;
        if quality == "192" {
            let said = sender.line().await;
            assert!(said["warning"].as_str().unwrap().contains("Europe/Berlin"), "{said}");
        }
        assert_eq!(sender.line().await["samples"], 1);
        let held = world.hub.with_store(|store| store.latest_at(SignalIndex(0), at(0))).unwrap();
        assert_eq!((held.source_time, held.quality.is_good()), (at(0), quality == "192"));
    }
    world.stop().await;
}

#[tokio::test]
async fn an_unknown_signal_is_answered_with_the_one_that_may_be_meant_three_times_a_connection() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    let mut hints = Vec::new();
    for name in ["pump-01.flwo", "Pump-01.Flow", "nothing like it", "pump-01.mod", "pump-01.mode2"] {
        sender.text(&format!("{{\"signal\":\"{name}\",\"value\":1}}")).await;
        let line = sender.line().await;
        let error = line["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(&format!("signal '{name}' is not fed by this source")), "{error}");
        hints.push(error.split_once("did you mean ").map(|(_, hint)| hint.to_owned()));
    }
    let flow = Some("'pump-01.flow'?".to_owned());
    assert_eq!(hints, [flow.clone(), flow.clone(), None, None, None], "the third look is the last");
    // Another connection is asked anew.
    let mut other = world.socket("/ingest", None).await;
    other.text("{\"signal\":\"pump-01.flwo\",\"value\":1}").await;
    assert!(other.line().await["error"].as_str().unwrap().ends_with("did you mean 'pump-01.flow'?"));
    world.stop().await;
}

#[tokio::test]
async fn a_source_that_does_not_say_how_its_senders_write_takes_nothing_and_says_why() {
    let site = SITE.replacen("kind = \"websocket\"", "kind = \"websocket\"\nquality = \"opcda\"", 1);
    assert_ne!(site, SITE);
    let folder = Folder::new();
    let site = gateway::site::Site::read_usable(&folder.write("site.toml", site)).unwrap();
    let plant = gateway::assemble::plant(&site, &PlantOptions::default()).unwrap();
    assert!(plant.remarks.join(" ").contains("source 'script' is not read until the site file is mended"), "{:?}", plant.remarks);
    let world = World::run(&site, plant, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender.text(r#"{"signal":"pump-01.flow","value":1,"time":"2026-03-02T08:15:04Z","quality":0}"#).await;
    let answer = sender.line().await;
    let words = answer["error"].as_str().unwrap();
    assert!(words.contains("not read until the site file is mended: 'opcda' are no codes of qualities"), "{words}");
    sender.text("{\"ack\":1}").await;
    let answer = sender.line().await;
    assert_eq!((answer["samples"].as_u64(), answer["refused"].as_u64()), (Some(0), Some(1)), "{answer}");
    sender.frame_of(&dictionary(&["pump-01.flow"])).await;
    sender.push(1, vec![entry(0, at(0), Value::Float(1.0))]).await;
    let ack = sender.ack().await;
    assert_eq!((ack.taken, ack.refused), (0, 1));
    assert!(ack.reasons.iter().any(|words| words.contains("not read until")), "{:?}", ack.reasons);
}
