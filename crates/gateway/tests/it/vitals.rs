//! Parts that break: the server says so, goes on without them where it can, and ends where it cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gateway::arrival::Door;
use gateway::assemble::{PlantOptions, plant};
use gateway::clock::wall;
use gateway::config::ServerConfig;
use gateway::history::{Persist, Setup};
use gateway::hub::Hub;
use gateway::life::{Doorway, run_loading};
use gateway::site::Site;
use gateway::sources::{Polled, Source};
use gateway::stores::empty_store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use twin_historian::historian::{Blob, Change, Entry, Historian, KeepError, Kept, Page, Position};
use twin_historian::{ChunkKey, Level, MemoryHistorian};
use twin_model::{Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::{LinkState, ServerFrame};

use crate::world::{Folder, PATIENCE, SITE, Wish, World, at};

/// A keeper that panics where it is told to.
struct Breaking {
    inner: Box<dyn Historian>,
    commit: Arc<AtomicBool>,
    read: Arc<AtomicBool>,
}

impl Historian for Breaking {
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError> {
        assert!(!self.commit.load(Ordering::Acquire), "the pen is out of ink");
        self.inner.commit(changes)
    }

    fn catalogue(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        self.inner.catalogue(level, range)
    }

    fn chunk(&self, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
        self.inner.chunk(key)
    }

    fn journal(
        &self,
        after: Position,
        f: &mut dyn FnMut(Entry) -> bool,
        damaged: &mut dyn FnMut(Position, String),
    ) -> Result<(), KeepError> {
        self.inner.journal(after, f, damaged)
    }

    fn note(&self, name: &str) -> Result<Option<String>, KeepError> {
        assert!(!self.read.load(Ordering::Acquire), "the book is shut");
        self.inner.note(name)
    }

    fn pages(&self, level: Level, range: TimeRange) -> Result<Vec<Page>, KeepError> {
        self.inner.pages(level, range)
    }

    fn kept(&self, level: Level, start: Timestamp, first_signal: u32) -> Result<Option<Kept>, KeepError> {
        assert!(!self.read.load(Ordering::Acquire), "the book is shut");
        self.inner.kept(level, start, first_signal)
    }

    fn bytes(&self, level: Level) -> Result<u64, KeepError> {
        self.inner.bytes(level)
    }

    fn reader(&self) -> Result<Box<dyn Historian>, KeepError> {
        Ok(Box::new(Self { inner: self.inner.reader()?, commit: self.commit.clone(), read: self.read.clone() }))
    }

    fn extent(&self, level: Level) -> Result<Option<TimeRange>, KeepError> {
        self.inner.extent(level)
    }
}

/// A world over a keeper that breaks on order: of commits, of reads.
async fn fragile() -> (World, Arc<AtomicBool>, Arc<AtomicBool>) {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let mut plant = plant(&site, &PlantOptions::default()).unwrap();
    let (commit, read) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let keeper = Breaking { inner: Box::new(MemoryHistorian::new()), commit: commit.clone(), read: read.clone() };
    let model = plant.hub.model().clone();
    let persist = Persist::over(Box::new(keeper), &model, Setup::default(), true, None).unwrap();
    let store = empty_store(&model, 64 << 20);
    plant.hub = Arc::new(Hub::new(model, wall(), gateway::RingLimits::default(), store, Some(persist)));
    (World::run(&site, plant, Wish { pump: true, ..Wish::default() }).await, commit, read)
}

async fn ready(world: &World) -> (u16, serde_json::Value) {
    let (status, _, body) = world.get("/readyz", "").await;
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_server_whose_writer_breaks_acknowledges_nothing_and_ends_with_words() {
    let (mut world, commit, _) = fragile().await;
    assert_eq!(ready(&world).await, (200, serde_json::json!({ "ready": true, "reasons": [] })));
    let mut sender = world.socket("/ingest", None).await;
    commit.store(true, Ordering::Release);
    sender.text("{\"signal\":\"pump-01.flow\",\"value\":1}\n{\"ack\":1}").await;
    let error = world.ended().await.unwrap_err().to_string();
    assert_eq!(error, "thread writer broke: the pen is out of ink");
    // The sender is told that it ends, and never that its sample is safe.
    while let Some(message) = sender.message().await {
        assert!(!matches!(message, Message::Text(_)), "{message:?}");
    }
}

#[tokio::test]
async fn a_server_whose_sealer_breaks_ends_with_words() {
    let (mut world, _, read) = fragile().await;
    world.put(0, at(0), 1.0);
    world.put(0, at(3 * 3_600), 2.0);
    read.store(true, Ordering::Release);
    // Waits for room at the sealer, which must not be for ever.
    let hub = world.hub.clone();
    let sealing = tokio::task::spawn_blocking(move || hub.seal(wall() + Span::from_secs(1)));
    let error = world.ended().await.unwrap_err().to_string();
    assert_eq!(error, "thread sealer broke: the book is shut");
    tokio::time::timeout(PATIENCE, sealing).await.unwrap().unwrap();
    assert!(world.hub.vitals().is_fatal());
}

/// Breaks when it is asked.
struct Bad;

impl Source for Bad {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn poll(&mut self, _: Timestamp, _: &mut Polled) {
        panic!("division by a pump");
    }

    fn stands_for(&self) -> Vec<SourceIndex> {
        vec![SourceIndex(1)]
    }
}

#[tokio::test]
async fn a_source_that_breaks_is_down_and_named_and_the_others_go_on() {
    let folder = Folder::new();
    let site = format!("{SITE}\n[[sources]]\nid = \"plc\"\nkind = \"websocket\"\n");
    let site = Site::read_usable(&folder.write("site.toml", site)).unwrap();
    let mut plant = plant(&site, &PlantOptions::default()).unwrap();
    plant.sources.insert(0, Box::new(Bad));
    plant.sources.pop();
    let world = World::run(&site, plant, Wish { pump: true, ..Wish::default() }).await;
    let mut viewer = world.client(None).await;
    let plc = |frame| match frame {
        ServerFrame::Sources(links) => links.into_iter().find(|link| link.source == "plc"),
        _ => None,
    };
    let mut link = viewer.until(plc).await;
    while link.state != LinkState::Down {
        link = viewer.until(plc).await;
    }
    assert!(link.detail.contains("division by a pump"), "{}", link.detail);
    let (status, body) = ready(&world).await;
    assert_eq!((status, &body["reasons"][0]["code"]), (503, &"source.dead".into()));
    assert_eq!(body["reasons"][0]["what"], "source plc broke: division by a pump; the others go on");
    assert_eq!(world.get("/healthz", "").await.0, 200);
    let mut sender = world.socket("/ingest?source=script", None).await;
    sender.text("{\"signal\":\"pump-01.flow\",\"value\":1}\n{\"ack\":1}").await;
    assert!(matches!(sender.message().await, Some(Message::Text(text)) if text.contains("\"ack\":1")));
    let (_, _, metrics) = world.get("/metrics", "").await;
    let metrics = String::from_utf8(metrics).unwrap();
    for line in ["orrery_ready 0\n", "orrery_not_ready{code=\"source.dead\"} 1\n", "orrery_deaths_total 1\n"] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    world.stop().await;
}

async fn ask(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_server_that_loads_lives_is_not_ready_and_answers_once_it_is() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let plant = plant(&site, &PlantOptions::default()).unwrap();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let app = World::app(&site, plant, Wish::default(), stopping);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (loaded, load) = tokio::sync::oneshot::channel::<()>();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let door = Doorway::new(listener, Door::plain(), app.peers.seats.clone(), &ServerConfig::default());
    let server = tokio::spawn(async move {
        let loading = async {
            load.await.unwrap();
            Ok::<_, std::io::Error>(app)
        };
        run_loading(door, stop, async { drop(ended.await) }, loading).await
    });
    assert!(ask(address, "/healthz").await.starts_with("HTTP/1.1 200 "));
    let answer = ask(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"code\":\"loading\""), "{answer}");
    let early = tokio::spawn(ask(address, "/api/publication"));
    loaded.send(()).unwrap();
    assert!(early.await.unwrap().starts_with("HTTP/1.1 200 "), "who came early gets an answer, too");
    assert!(ask(address, "/readyz").await.starts_with("HTTP/1.1 200 "));
    end.send(()).unwrap();
    assert!(tokio::time::timeout(PATIENCE, server).await.unwrap().unwrap().unwrap().is_some());
}
