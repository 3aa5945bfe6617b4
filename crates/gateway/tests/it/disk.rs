//! History on disk: what survives a stop, a kill, and a change of the site.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::SinkExt as _;
use gateway::assemble::{PlantOptions, plant};
use gateway::excerpt::history_of;
use gateway::hub::Hub;
use gateway::lacks::Damaged;
use gateway::site::Site;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};

use crate::world::{Folder, SITE, at, orrery};

fn fill(site: &std::path::Path, data: &std::path::Path, samples: &[(u32, i64, f64)]) {
    let options = PlantOptions { data: Some(data.to_owned()), ..PlantOptions::default() };
    let plant = plant(&Site::read_usable(site).unwrap(), &options).unwrap();
    for (signal, s, value) in samples {
        plant.hub.ingest(&[(SignalIndex(*signal), Sample::new(at(*s), Value::Float(*value)))]);
        plant.hub.flush();
    }
    plant.hub.seal(at(5 * 3_600));
    plant.hub.persist().unwrap().sync();
}

/// Newest value of a signal by its id, and all values of it.
pub(crate) fn read(site: &std::path::Path, data: &std::path::Path, id: &str) -> (Option<Value>, usize) {
    let options = PlantOptions { data: Some(data.to_owned()), ..PlantOptions::default() };
    let plant = plant(&Site::read_usable(site).unwrap(), &options).unwrap();
    let signal = plant.hub.model().find_signal(id).unwrap();
    let store = everything(&plant.hub);
    let mut count = 0;
    store.for_each_sample(signal, ALWAYS, &mut |_| {
        count += 1;
        std::ops::ControlFlow::Continue(())
    });
    (store.latest_at(signal, Timestamp::MAX).map(|sample| sample.value), count)
}

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

/// All of history, as a client would get it piece by piece.
pub(crate) fn everything(hub: &Hub) -> Store {
    let config = StoreConfig { budget_bytes: 1 << 30, ..StoreConfig::default() };
    let mut store = Store::new(hub.model().signals().iter().map(Into::into), config);
    let mut range = ALWAYS;
    loop {
        let piece = history_of(hub, range, Damaged::Refuse).unwrap().0;
        for chunk in &piece.chunks {
            store.import_chunk(chunk).unwrap();
        }
        match piece.next {
            Some(next) => range.start = next,
            None => return store,
        }
    }
}

#[test]
fn history_comes_back_after_a_stop_sealed_or_not() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    // Three finished hours, one that is not finished, and a late sample into a finished one.
    let mut samples: Vec<(u32, i64, f64)> = (0..400).map(|n| (0, n * 60, n as f64)).collect();
    fill(&site, &data, &samples);
    samples = vec![(0, 400 * 60, 400.0), (0, 30, 0.5)];
    fill(&site, &data, &samples);
    assert_eq!(read(&site, &data, "pump-01.flow"), (Some(Value::Float(400.0)), 402));
    let (code, out, _) =
        orrery(&["state", site.to_str().unwrap(), "--data", data.to_str().unwrap(), "--at", &at(40).to_string(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["twins"][0]["signals"][0]["value"]), (0, &serde_json::json!(0.5)));
}

#[test]
fn samples_follow_their_signals_when_the_site_changes() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    fill(&site, &data, &[(0, 0, 1.0), (4, 0, 2.0), (4, 7_200, 3.0)]);
    // pump-01 is gone and a new pump stands in front of pump-02: every index means something else now.
    let changed = SITE.replace("id = \"pump-01\"", "id = \"pump-00\"");
    folder.write("site.toml", &changed);
    assert_eq!(read(&site, &data, "pump-02.flow"), (Some(Value::Float(3.0)), 2));
    assert_eq!(read(&site, &data, "pump-00.flow"), (None, 0));
    folder.write("site.toml", SITE);
    assert_eq!(read(&site, &data, "pump-01.flow"), (Some(Value::Float(1.0)), 1), "what the site lost is there when it returns");
}

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(site: &std::path::Path, data: &std::path::Path) -> Self {
        Self::start_with(site, data, &[])
    }

    /// With further arguments.
    pub(crate) fn start_with(site: &std::path::Path, data: &std::path::Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_orrery"))
            .args(["serve", site.to_str().unwrap(), "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(!address.is_empty(), "the server prints its address");
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn a_kill_loses_at_most_the_last_second() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    let mut server = Server::start(&site, &data);
    let stream = TcpStream::connect(&server.address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{}/ingest", server.address), stream).await.unwrap();
    // A sender that numbers its samples, twenty a second, and remembers when it sent each.
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let mut sent = Vec::new();
    for n in 0..70 {
        ticks.tick().await;
        let line = format!("{{\"signal\":\"pump-01.starts\",\"value\":{n}}}");
        socket.send(Message::Text(line.into())).await.unwrap();
        sent.push(std::time::Instant::now());
    }
    server.child.kill().unwrap();
    let killed = std::time::Instant::now();
    server.child.wait().unwrap();
    let promised = sent.iter().filter(|t| killed.duration_since(**t) > Duration::from_secs(1)).count() as i64;
    assert!(promised > 40);
    let (newest, count) = read(&site, &data, "pump-01.starts");
    let Some(Value::Int(newest)) = newest else { panic!("{newest:?}") };
    assert!(newest >= promised - 1, "sample {newest} of {promised} promised survived");
    assert_eq!(count as i64, newest + 1, "and all before it");
}

#[cfg(unix)]
#[test]
fn a_server_told_to_stop_stops_cleanly_and_keeps_everything() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    let mut server = Server::start(&site, &data);
    let status = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(status.success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_server_waits_a_moment_for_the_one_that_it_takes_over_from() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    fill(&site, &data, &[(0, 1, 5.0)]);
    let held = std::fs::File::options().write(true).open(data.join("lock")).unwrap();
    held.try_lock().unwrap();
    let goes = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(held);
    });
    assert_eq!(read(&site, &data, "pump-01.flow").0, Some(Value::Float(5.0)));
    goes.join().unwrap();
}

#[test]
fn a_folder_in_use_and_a_file_that_is_no_database_are_refused_with_words() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    let server = Server::start(&site, &data);
    let start = || orrery(&["serve", site.to_str().unwrap(), "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    let (code, _, err) = start();
    assert_eq!(code, 2);
    assert!(err.contains("another server uses this data folder"), "{err}");
    // Reading beside a running server is fine.
    let (code, _, err) = orrery(&["state", site.to_str().unwrap(), "--data", data.to_str().unwrap(), "--at", "now"]);
    assert_eq!(code, 0, "{err}");
    drop(server);
    std::fs::write(
        data.join("history.sqlite3"),
        "this is a letter to my aunt, long enough to be read as a header of a database file".repeat(20),
    )
    .unwrap();
    drop(std::fs::remove_file(data.join("history.sqlite3-wal")));
    let (code, _, err) = start();
    assert_eq!(code, 2);
    assert!(err.contains("not a database"), "{err}");
}
