//! What is known to be missing is never shown as time in which nothing happened: damage in the middle of kept history reaches
//! whoever asks, in words, with an exit code, a header, a count and a remark; and a database that nobody could read any more is
//! not written on as if all were well.

use std::fmt::Write as _;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use gateway::assemble::PlantOptions;
use gateway::history::FILE;
use rusqlite::Connection;
use tokio_tungstenite::tungstenite::Message;
use twin_model::Timestamp;
use twin_protocol::{History, Limits, ServerFrame, decode_server};

use crate::world::{Folder, Wish, World, orrery};

const PRESS: &str = r#"
[site]
id = "press-shop"
[[twins]]
id = "press"
signals = [{ name = "state", value = "text" }]
[[twins.rules]]
id = "machine"
kind = "match"
signal = "state"
cases = [{ value = "ERROR", status = "failure" }]
[[sources]]
id = "ws"
kind = "websocket"
"#;

fn day(day: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + twin_model::Span::from_secs((day - 1) * 86_400)
}

/// A week of a reading a minute: it runs, but for the fourth day, when it stands with an error.
fn week() -> Folder {
    let folder = Folder::new();
    folder.write("site.toml", PRESS);
    let mut rows = "signal,time,value\n".to_owned();
    for minute in 0..7 * 1_440_i64 {
        let state = if minute / 1_440 == 3 { "ERROR" } else { "RUN" };
        writeln!(rows, "press.state,{},{state}", day(1) + twin_model::Span::from_secs(minute * 60)).unwrap();
    }
    let table = folder.write("week.csv", rows);
    let (site, data) = paths(&folder);
    let (code, _, err) = orrery(&["import-samples", &site, "--data", &data, &table.display().to_string()]);
    assert_eq!(code, 0, "{err}");
    folder
}

fn paths(folder: &Folder) -> (String, String) {
    (folder.0.join("site.toml").display().to_string(), folder.0.join("data").display().to_string())
}

/// One bit of the raw chunk that has an instant: the time that it is of.
fn hurt(data: &Path, at: Timestamp) -> [i64; 2] {
    let connection = Connection::open(data.join(FILE)).unwrap();
    let sql = "SELECT blob, start_us, end_us FROM chunk WHERE level = 0 AND start_us <= ?1 AND end_us > ?1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (blob, start, end): (i64, i64, i64) = connection.query_row(sql, [at.as_micros()], row).unwrap();
    let mut bytes: Vec<u8> = connection.query_row("SELECT bytes FROM blob WHERE id = ?1", [blob], |row| row.get(0)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    connection.execute("UPDATE blob SET bytes = ?1 WHERE id = ?2", rusqlite::params![bytes, blob]).unwrap();
    [start, end]
}

fn noon(n: i64) -> Timestamp {
    day(n) + twin_model::Span::from_secs(43_200)
}

fn state(folder: &Folder, at: Timestamp) -> (i32, serde_json::Value, String) {
    let (site, data) = paths(folder);
    let (code, out, err) = orrery(&["state", &site, "--data", &data, "--at", &at.to_string(), "--json"]);
    (code, serde_json::from_str(&out).unwrap(), err)
}

fn time(value: &serde_json::Value) -> i64 {
    value.as_str().unwrap().parse::<Timestamp>().unwrap().as_micros()
}

#[test]
fn a_value_from_before_a_damaged_stretch_is_not_what_held_in_it() {
    let folder = week();
    let (code, before, err) = state(&folder, noon(4));
    assert_eq!((code, &before["twins"][0]["status"], err.as_str()), (0, &"failure".into(), ""));
    assert_eq!(before.get("missing"), None, "nothing is");
    let [start, end] = hurt(&folder.0.join("data"), noon(4));
    let (code, after, err) = state(&folder, noon(4));
    assert_eq!(code, 1, "{err}");
    let twin = &after["twins"][0];
    assert_eq!(
        twin["status"], "unknown",
        "neither the failure, which can't be read, nor that it runs, which is from before: {twin}"
    );
    let signal = &twin["signals"][0];
    assert_eq!((&signal["value"], &signal["quality"]), (&serde_json::Value::Null, &"bad_data_lost".into()), "{signal}");
    let missing = &after["missing"][0];
    assert_eq!((time(&missing["from"]), time(&missing["to"])), (start, end));
    assert_eq!(missing["signals"], serde_json::json!(["press.state"]));
    assert!(err.contains("of press.state can't be read and is missing"), "{err}");
    // Without --json, too.
    let (site, data) = paths(&folder);
    let (code, out, err) = orrery(&["state", &site, "--data", &data, "--at", &noon(4).to_string()]);
    assert!(code == 1 && out.contains("unknown") && !out.contains("normal"), "{out}");
    assert!(err.contains("can't be read and is missing"), "{err}");
    // Where readings come after it, those hold; that something is missing is said all the same.
    let (code, later, _) = state(&folder, Timestamp::from_micros(end) + twin_model::Span::from_secs(3_600));
    assert_eq!((code, &later["twins"][0]["status"]), (1, &"normal".into()));
    let (_, earlier, _) = state(&folder, Timestamp::from_micros(start - 1));
    assert_eq!(earlier["twins"][0]["signals"][0]["quality"], "good", "what came before it is as it was");
}

#[test]
fn a_table_that_lacks_a_damaged_stretch_ends_with_1_and_one_beside_it_with_0() {
    let folder = week();
    let [start, end] = hurt(&folder.0.join("data"), noon(4));
    let (site, data) = paths(&folder);
    let (code, out, err) = orrery(&["export", &site, "--data", &data, "-o", "-"]);
    assert_eq!(code, 1, "{err}");
    let rows = out.lines().count() as i64 - 1;
    assert!(rows < 7 * 1_440 && rows > 0, "{rows}");
    let ends = [start, end].map(|t| Timestamp::from_micros(t).to_string());
    assert!(
        err.contains(&format!("history from {} to {} of press.state can't be read and is missing", ends[0], ends[1])),
        "{err}"
    );
    let (code, _, _) = orrery(&["export", &site, "--data", &data, "--to", &ends[0], "-o", "-"]);
    assert_eq!(code, 0, "all of what was asked for is there");
}

#[test]
fn what_is_missing_to_the_end_of_time_is_said_in_words() {
    let folder = week();
    let data = folder.0.join("data");
    let header = std::fs::read(data.join(FILE)).unwrap();
    let number: String = header[68..72].iter().map(|byte| format!("{byte:02x}")).collect();
    // As a kill leaves it, without the log that it left.
    let mut lock = std::fs::read_to_string(data.join("lock")).unwrap();
    writeln!(lock, "history.sqlite3-wal belongs to it, of file {number}").unwrap();
    std::fs::write(data.join("lock"), lock).unwrap();
    let (site, data) = paths(&folder);
    let (code, _, err) = orrery(&["export", &site, "--data", &data, "-o", "-"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains(" to the end of press.state can't be read and is missing"), "{err}");
    let (code, json, told) = state(&folder, noon(9));
    assert_eq!(code, 1, "{told}");
    assert!(json["missing"][0]["from"].is_string() && json["missing"][0]["to"].is_null(), "{}", json["missing"]);
    let (code, out, _) = orrery(&["fsck", &data, "--repair"]);
    assert!(code == 1 && out.contains(" to the end, and those of 1 pieces that nobody can count"), "{out}");
    for said in [err, told, out] {
        assert!(!said.contains("9223372036854775807"), "{said}");
    }
}

#[test]
fn a_recording_that_lacks_a_damaged_stretch_ends_with_1() {
    let folder = week();
    hurt(&folder.0.join("data"), noon(4));
    let (site, data) = paths(&folder);
    let file = folder.0.join("week.orrec").display().to_string();
    let (code, _, err) = orrery(&["record", &site, &file, "--data", &data, "--history", "5000d", "--for", "1s"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("can't be read and is missing"), "{err}");
}

async fn history(world: &World, query: &str) -> (u16, String, Vec<u8>) {
    world.get(&format!("/api/history?{query}"), "").await
}

fn decoded(body: &[u8]) -> History {
    match decode_server(body, &Limits::SERVER_FRAMES).unwrap() {
        ServerFrame::History(history) => history,
        other => panic!("{other:?}"),
    }
}

async fn serve(folder: &Folder) -> World {
    let options = PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() };
    World::serve(&folder.0.join("site.toml"), Wish { options, ..Wish::default() }).await
}

#[tokio::test]
async fn a_damaged_stretch_is_an_error_in_words_and_never_an_empty_answer() {
    let folder = week();
    let [start, end] = hurt(&folder.0.join("data"), noon(4));
    let world = serve(&folder).await;
    let (of, from) = (day(4).as_micros(), day(5).as_micros());
    for query in [format!("from={of}&to={from}"), format!("from={of}&to={from}&known=2027-01-01T00:00:00Z")] {
        let (status, head, body) = history(&world, &query).await;
        let words = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, 500, "{words}");
        assert!(words.contains("of press.state can't be read and is missing"), "{words}");
        assert!(words.contains(&format!("ask from={}", end.min(from))), "{words}");
        assert!(head.contains("orrery-missing: "), "{head}");
    }
    // All of it: the answers end before, say where, and go on behind.
    let mut at = day(1).as_micros();
    let (mut chunks, mut refused) = (0, Vec::new());
    loop {
        let (status, head, body) = history(&world, &format!("from={at}")).await;
        if status == 500 {
            let named = head.split("orrery-missing: ").nth(1).unwrap().split(['\r', ';']).next().unwrap().to_owned();
            refused.push(named.clone());
            at = named.split('/').nth(1).unwrap().parse().unwrap();
            continue;
        }
        assert!(status == 200 && !head.contains("orrery-missing"), "{head}");
        let history = decoded(&body);
        chunks += history.chunks.len();
        match history.next {
            Some(next) => at = next.as_micros(),
            None => break,
        }
    }
    assert_eq!(refused, [format!("{start}/{end}")], "just what is missing");
    assert!(chunks > 1);
    // Who wants what is left gets it, with the mark.
    let (status, head, body) = history(&world, &format!("from={}&damaged=left-out", day(1).as_micros())).await;
    assert!(status == 200 && head.contains(&format!("orrery-missing: {start}/{end};signals=0-0")), "{head}");
    assert_eq!((decoded(&body).chunks.len(), decoded(&body).next), (chunks, None));
    assert_eq!(history(&world, "damaged=maybe").await.0, 400);
    world.stop().await;
}

/// What a viewer shows `at` an instant that has these chunks and nothing else.
fn shown(chunks: &[Vec<u8>], at: Timestamp) -> Option<twin_model::Sample> {
    let loaded = twin_site::load(PRESS, "site.toml", &mut |_| Err("no files here".into()));
    let mut engine = twin_engine::Engine::new(std::sync::Arc::new(loaded.model), twin_engine::EngineConfig::default());
    for chunk in chunks {
        engine.import_chunk(chunk).unwrap();
    }
    engine.reality().store().latest_at(twin_model::SignalIndex(0), at)
}

#[tokio::test]
async fn a_viewer_shows_a_loss_where_something_cant_be_read() {
    let folder = week();
    let [start, end] = hurt(&folder.0.join("data"), noon(4));
    let world = serve(&folder).await;
    let before = Timestamp::from_micros(start - 60_000_000);
    let (status, head, body) =
        history(&world, &format!("from={}&to={}&damaged=marked", before.as_micros(), noon(4).as_micros())).await;
    assert!(status == 200 && head.contains("orrery-missing: "), "{head}");
    let chunks = decoded(&body).chunks;
    let sample = shown(&chunks, noon(4)).unwrap();
    assert_eq!((sample.source_time.as_micros(), sample.quality), (start, twin_model::Quality::BAD_DATA_LOST));
    assert!(!sample.has_value());
    assert!(shown(&chunks, Timestamp::from_micros(start - 1)).unwrap().has_value(), "what was before is as it was");
    let (_, _, body) = history(&world, &format!("from={start}&to={}&damaged=marked", end + 3_600_000_000)).await;
    let later = shown(&decoded(&body).chunks, Timestamp::from_micros(end) + twin_model::Span::from_secs(3_599)).unwrap();
    assert!(later.has_value(), "and what comes after it");
    // The same of its page, which is kept by nobody for ever.
    let (_, _, body) = world.get("/api/catalogue", "").await;
    let catalogue: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let pages = catalogue["levels"][0]["pages"].as_array().unwrap();
    let page = pages.iter().rfind(|page| page["start_us"].as_i64().unwrap() <= start).unwrap();
    let path = format!("/api/page/raw/{}/{}/0", page["start_us"], page["version"].as_str().unwrap());
    let (status, _, words) = world.get(&path, "").await;
    assert!(status == 500 && String::from_utf8_lossy(&words).contains("can't be read and is missing"));
    assert_eq!(world.get(&format!("{path}?damaged=maybe"), "").await.0, 400);
    let (status, head, body) = world.get(&format!("{path}?damaged=marked"), "").await;
    assert!(status == 200 && head.contains("orrery-missing: ") && !head.contains("immutable"), "{head}");
    let ServerFrame::Page(page) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!("a page") };
    let sample = shown(&page.chunks, noon(4)).unwrap();
    assert_eq!((sample.source_time.as_micros(), sample.quality), (start, twin_model::Quality::BAD_DATA_LOST));
    world.stop().await;
}

/// What a viewer that comes new is told that holds.
async fn told(world: &World) -> twin_model::Sample {
    let mut viewer = world.client(None).await;
    let snapshot = |frame| if let ServerFrame::Snapshot(snapshot) = frame { Some(snapshot.entries) } else { None };
    viewer.until(snapshot).await.pop().unwrap().sample
}

#[tokio::test]
async fn a_viewer_that_comes_new_is_told_of_a_loss_that_is_newer_than_what_holds() {
    let folder = week();
    let data = folder.0.join("data");
    let [start, _] = hurt(&data, day(8) + twin_model::Span::from_secs(-1));
    let site = gateway::site::Site::read_usable(&folder.0.join("site.toml")).unwrap();
    let options = PlantOptions { data: Some(data), ..PlantOptions::default() };
    let plant = gateway::assemble::plant(&site, &options).unwrap();
    assert!(!plant.remarks.is_empty(), "the damage is told");
    let world = World::run(&site, plant, Wish::default()).await;
    let sample = told(&world).await;
    assert_eq!((sample.source_time.as_micros(), sample.quality), (start, twin_model::Quality::BAD_DATA_LOST), "{sample:?}");
    let now = gateway::clock::wall();
    let run = twin_model::Sample::new(now, twin_model::Value::Text("RUN".into()));
    world.hub.ingest(&[(twin_model::SignalIndex(0), run)]);
    let sample = told(&world).await;
    assert!(sample.has_value() && sample.source_time == now, "until a reading comes: {sample:?}");
    world.stop().await;
}

#[tokio::test]
async fn damage_counts_once_and_is_a_remark_of_a_server_that_is_ready() {
    let folder = week();
    hurt(&folder.0.join("data"), noon(4));
    let world = serve(&folder).await;
    let (_, _, body) = world.get("/readyz", "").await;
    assert_eq!(String::from_utf8(body).unwrap(), "{\"ready\":true,\"reasons\":[]}", "nobody knows yet");
    for _ in 0..20 {
        history(&world, &format!("from={}&damaged=left-out", day(4).as_micros())).await;
        assert_eq!(history(&world, &format!("from={}", noon(4).as_micros())).await.0, 500);
    }
    let (_, _, body) = world.get("/metrics", "").await;
    assert!(String::from_utf8(body).unwrap().contains("\norrery_disk_damaged_total 1\n"));
    let (status, _, body) = world.get("/readyz", "").await;
    let ready: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, &ready["ready"], &ready["remarks"][0]["code"]),
        (200, &true.into(), &"history.damaged".into()),
        "{ready}"
    );
    world.stop().await;
}

#[cfg(unix)]
mod programs {
    use super::*;
    use crate::stops::{Limited, acknowledged};

    #[test]
    fn the_terminal_names_damage_once_however_often_it_is_asked_for() {
        let folder = week();
        hurt(&folder.0.join("data"), noon(4));
        let server = Limited::start(&folder.0.join("site.toml"), &folder.0.join("data"), None);
        for _ in 0..20 {
            assert!(server.get(&format!("/api/history?from={}", noon(4).as_micros())).starts_with("HTTP/1.1 500"));
        }
        let (code, said) = server.stop();
        assert_eq!((code, said.matches("of the kept history is damaged").count()), (Some(0), 1), "{said}");
        assert!(said.contains("orrery fsck"), "{said}");
    }

    #[test]
    fn what_could_not_be_read_at_the_start_is_missing_and_not_quiet() {
        let folder = week();
        let [start, end] = hurt(&folder.0.join("data"), noon(7));
        let server = Limited::start(&folder.0.join("site.toml"), &folder.0.join("data"), None);
        let answer = server.get(&format!("/api/history?from={}", noon(7).as_micros()));
        assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("can't be read and is missing"), "{answer}");
        assert!(server.get("/readyz").contains("history.damaged"));
        let left = server.get(&format!("/api/history?from={start}&damaged=left-out"));
        assert!(left.starts_with("HTTP/1.1 200") && left.contains(&format!("orrery-missing: {start}/{end}")), "{left}");
        // A recording of it over the network says so, too.
        let file = folder.0.join("r.orrec").display().to_string();
        let url = format!("http://{}/", server.address);
        let (code, _, err) = orrery(&["record", &url, &file, "--history", "5000d", "--for", "1s"]);
        assert!(code == 1 && err.contains("the gateway can't read its history from"), "{code}: {err}");
        let (_, said) = server.stop();
        assert!(said.contains("is damaged"), "{said}");
    }

    /// Everything but the first two pages, under a running server.
    #[tokio::test]
    async fn a_database_that_nobody_could_read_any_more_is_not_acknowledged_on() {
        let folder = week();
        let (site, data) = (folder.0.join("site.toml"), folder.0.join("data"));
        let server = Limited::start(&site, &data, None);
        let mut sender = server.sender().await;
        acknowledged(&mut sender, "{\"signal\":\"press.state\",\"value\":\"RUN\"}").await;
        let path = data.join(FILE);
        let length = path.metadata().unwrap().len();
        assert!(length > 16_384);
        let mut file = std::fs::File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(8_192)).unwrap();
        file.write_all(&vec![0; length as usize - 8_192]).unwrap();
        file.sync_all().unwrap();
        let answer = server.get(&format!("/api/history?from={}&to={}", day(2).as_micros(), day(3).as_micros()));
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(answer.contains("damaged"), "{answer}");
        let ready = server.get("/readyz");
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("disk.damaged"), "{ready}");
        assert!(server.get("/metrics").contains("\norrery_disk_unreadable 1\n"));
        sender.send(Message::Text("{\"signal\":\"press.state\",\"value\":\"ERROR\"}\n{\"ack\":1}".into())).await.unwrap();
        let heard = tokio::spawn(async move {
            let mut heard = String::new();
            while let Some(Ok(message)) = sender.next().await {
                heard.push_str(&message.to_string());
            }
            heard
        });
        let (code, said) = server.stop();
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("kept history can't be read any more") && said.contains("orrery fsck --repair"), "{said}");
        let heard = heard.await.unwrap();
        assert!(!heard.contains("\"durable\":true"), "{heard}");
        // What was acknowledged before is in what the repair saves.
        let (site, data) = paths(&folder);
        assert_eq!(orrery(&["fsck", &data, "--repair"]).0, 1);
        let (_, table, err) = orrery(&["export", &site, "--data", &data, "-o", "-"]);
        assert_eq!(table.lines().filter(|line| line.contains("RUN")).count(), 1, "{table}{err}");
    }

    /// The same where nobody reads: the stop looks.
    #[tokio::test]
    async fn a_stop_finds_a_database_that_nobody_could_read_any_more() {
        let folder = week();
        let (site, data) = (folder.0.join("site.toml"), folder.0.join("data"));
        let server = Limited::start(&site, &data, None);
        let path = data.join(FILE);
        let length = path.metadata().unwrap().len();
        let mut file = std::fs::File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(8_192)).unwrap();
        file.write_all(&vec![0; length as usize - 8_192]).unwrap();
        let (code, said) = server.stop();
        assert!(code == Some(2) && said.contains("orrery fsck --repair"), "{code:?}: {said}");
    }
}
