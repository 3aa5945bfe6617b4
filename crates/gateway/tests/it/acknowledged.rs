//! Whatever `/ingest` acknowledges, in any sizes, texts, times and numbers of senders, is there after kill -9: read back from
//! disk, exported, and again once it is sealed. Loads are random, up to every limit and beyond.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Database, fsck};
use gateway::site::Site;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use twin_historian::{Store, StoreConfig};
use twin_model::limits::{MESSAGE_BYTES, PUSH_BYTES, TEXT_BYTES};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::{
    Batch, DictId, Entry, IngestFrame, Limits, SUBPROTOCOL_INGEST_BIN, ServerFrame, decode_server, encode_ingest,
};

use crate::disk::Server;
use crate::kill::Rng;
use crate::world::{Folder, SITE, orrery};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
/// The signals of [`SITE`] by position.
const IDS: [&str; 8] = [
    "pump-01.flow",
    "pump-01.starts",
    "pump-01.running",
    "pump-01.mode",
    "pump-02.flow",
    "pump-02.starts",
    "pump-02.running",
    "pump-02.mode",
];
/// Messages on their way to the server, of one sender.
const WINDOW: usize = 4;

/// The site, which believes every year.
fn any_year() -> String {
    SITE.replacen("id = \"little\"", "id = \"little\"\nyears = [1, 9999]", 1)
}

/// Samples by signal and source time.
type Known = BTreeMap<(u32, i64), Value>;

#[derive(Default)]
struct Log {
    /// Everything that was ever sent and fits.
    sent: Known,
    /// What was acknowledged of it.
    safe: Known,
    messages: usize,
}

struct Sender {
    socket: WebSocketStream<TcpStream>,
    rng: Rng,
    /// Its number, which makes its source times its own.
    number: i64,
    next: i64,
    waits: Vec<(Known, u64)>,
    log: Arc<Mutex<Log>>,
}

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// The words of a text of some length: no two alike.
fn text(n: i64, bytes: usize) -> String {
    let mut text = format!("{n:012}");
    while text.len() < bytes {
        // Hardly compressible, so that frames are as long as texts.
        text.push_str(&format!("{:016x}", (n as u64 + text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    }
    text.truncate(bytes);
    text
}

impl Sender {
    async fn new(address: &str, seed: u64, number: i64, log: Arc<Mutex<Log>>) -> Option<Self> {
        let socket = connect(address).await?;
        Some(Self { socket, rng: Rng(seed), number, next: 0, waits: Vec::new(), log })
    }

    fn value(&mut self, signal: u32) -> Value {
        let n = self.next * 64 + self.number;
        match signal % 4 {
            0 => Value::Float(n as f64 / 8.0),
            1 => Value::Int(n),
            2 => Value::Bool(n % 3 == 0),
            _ => {
                let bytes = match self.rng.below(40) {
                    0 => TEXT_BYTES,
                    1 => TEXT_BYTES + 1,
                    2 => TEXT_BYTES * 2,
                    3..8 => 30_000,
                    8..12 => 4_097,
                    12 => 0,
                    _ => 24,
                };
                Value::text(&text(n, bytes))
            }
        }
    }

    /// The samples of a message, those that fit, and how many do not: of a text too long, or of tomorrow.
    fn load(&mut self, room: usize) -> (Vec<(u32, Sample)>, Known, u64) {
        let wanted = match self.rng.below(8) {
            0 => 3_000,
            1 => 1,
            _ => 60,
        };
        let now = gateway::clock::wall();
        let (mut samples, mut fit, mut refused, mut bytes) = (Vec::new(), Known::new(), 0, 0);
        while samples.len() < wanted {
            let signal = self.rng.below(8) as u32;
            let value = self.value(signal);
            bytes += 160 + if let Value::Text(text) = &value { text.len() } else { 0 };
            if bytes > room {
                break;
            }
            let before = match self.rng.below(100) {
                0 => Span::from_secs(-86_400),
                1 => Span::from_secs(40 * 365 * 86_400),
                2..10 => Span::from_secs(3 * 86_400),
                _ => Span::from_secs(self.rng.below(5_000) as i64),
            };
            self.next += 1;
            let t = Timestamp::from_micros((now - before).as_micros() / 64 * 64 + self.number);
            // Of each time one: which of two would be kept depends on who comes first.
            if fit.contains_key(&(signal, t.as_micros())) {
                continue;
            }
            let large = matches!(&value, Value::Text(text) if text.len() > TEXT_BYTES);
            if large || before < Span::ZERO {
                refused += 1;
            } else {
                fit.insert((signal, t.as_micros()), value.clone());
            }
            samples.push((signal, Sample::new(t, value)));
        }
        (samples, fit, refused)
    }

    async fn say(&mut self) -> Option<()> {
        let lines = self.rng.below(2) == 0;
        let (samples, fit, refused) = self.load(if lines { MESSAGE_BYTES - 1_000 } else { PUSH_BYTES - 1_000 });
        let message = if lines {
            let line = |(signal, sample): &(u32, Sample)| {
                let value = match &sample.value {
                    Value::Float(v) => serde_json::json!(v),
                    Value::Int(v) => serde_json::json!(v),
                    Value::Bool(v) => serde_json::json!(v),
                    Value::Text(v) => serde_json::json!(v.as_ref()),
                };
                serde_json::json!({ "signal": IDS[*signal as usize], "time": sample.source_time.as_micros(), "value": value })
                    .to_string()
            };
            let mut text: Vec<String> = samples.iter().map(line).collect();
            text.push("{\"ack\":1}".to_owned());
            Message::Text(text.join("\n").into())
        } else {
            let entry = |(signal, sample)| Entry { id: DictId(signal), sample };
            let entries = samples.into_iter().map(entry).collect();
            Message::Binary(encode_ingest(&IngestFrame::Push(Batch { seq: 1, entries })).into())
        };
        self.log.lock().unwrap().sent.extend(fit.iter().map(|(key, value)| (*key, value.clone())));
        self.waits.push((fit, refused));
        self.socket.send(message).await.ok()
    }

    /// Waits for one answer; the answers come in the order of the messages.
    async fn hear(&mut self) -> Option<()> {
        loop {
            let (taken, refused, durable) = match self.socket.next().await?.ok()? {
                Message::Text(text) => {
                    let Some(json) =
                        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).next_back()
                    else {
                        continue;
                    };
                    if json.get("ack").is_none() {
                        let why = json["error"].as_str().unwrap();
                        assert!(why.contains("65536 bytes") || why.contains("ahead of this server"), "{why}");
                        continue;
                    }
                    (json["samples"].as_u64()?, json["refused"].as_u64()?, json["durable"] == true)
                }
                Message::Binary(bytes) => match decode_server(&bytes, &Limits::SERVER_FRAMES).unwrap() {
                    ServerFrame::IngestAck(ack) => (ack.taken, ack.refused, ack.durable),
                    ServerFrame::Close(close) => panic!("{}", close.reason),
                    _ => continue,
                },
                _ => continue,
            };
            let (fit, expected) = self.waits.remove(0);
            assert_eq!((taken, refused, durable), (fit.len() as u64, expected, true));
            let mut log = self.log.lock().unwrap();
            log.safe.extend(fit);
            log.messages += 1;
            return Some(());
        }
    }

    async fn work(mut self, messages: usize) -> Option<()> {
        let dictionary = IngestFrame::Dictionary(IDS.iter().map(|id| (*id).into()).collect());
        self.socket.send(Message::Binary(encode_ingest(&dictionary).into())).await.ok()?;
        for _ in 0..messages {
            if self.waits.len() >= WINDOW {
                self.hear().await?;
            }
            self.say().await?;
        }
        while !self.waits.is_empty() {
            self.hear().await?;
        }
        // More than a socket takes ends the connection, and nothing of it was ever acknowledged.
        let large = " ".repeat(4 * MESSAGE_BYTES + 1);
        self.socket.send(Message::Text(large.into())).await.ok()?;
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Close(Some(frame)) = message {
                assert_eq!(u16::from(frame.code), 1009);
            }
        }
        Some(())
    }
}

async fn connect(address: &str) -> Option<WebSocketStream<TcpStream>> {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    let stream = TcpStream::connect(address).await.ok()?;
    let mut request = format!("ws://{address}/ingest").into_client_request().ok()?;
    request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL_INGEST_BIN.parse().ok()?);
    tokio_tungstenite::client_async(request, stream).await.ok().map(|(socket, _)| socket)
}

/// Everything on disk.
fn on_disk(site: &Site, data: &Path) -> Known {
    let model = &site.loaded.model;
    let config = StoreConfig { budget_bytes: 4 << 30, future_limit: Span::from_secs(1 << 40), ..StoreConfig::default() };
    let mut store = Store::new(model.signals().iter().map(Into::into), config);
    let loaded = Database::open(data).unwrap().load(model, &mut store).unwrap();
    assert_eq!((loaded.unreadable, &loaded.remarks), (0, &Vec::new()));
    let mut found = Known::new();
    for signal in 0..IDS.len() as u32 {
        store.for_each_sample(SignalIndex(signal), ALWAYS, &mut |sample| {
            found.insert((signal, sample.source_time.as_micros()), sample.value.clone());
            ControlFlow::Continue(())
        });
    }
    found
}

fn compare(log: &Log, found: &Known, when: &str) {
    for (key, value) in &log.safe {
        assert!(found.get(key) == Some(value), "{when}: acknowledged, and not there: {} at {}", IDS[key.0 as usize], key.1);
    }
    for (key, value) in found {
        assert!(log.sent.get(key) == Some(value), "{when}: never sent: {} at {}", IDS[key.0 as usize], key.1);
    }
}

async fn one(seed: u64, messages: usize) {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", any_year()), folder.0.join("data"));
    let mut rng = Rng(seed);
    let log = Arc::new(Mutex::new(Log::default()));
    let memory = ["16", "64", "256"][rng.below(3) as usize];
    let mut server = Server::start_with(&site, &data, &["--memory", memory]);
    let senders = 1 + rng.below(4) as i64;
    let mut tasks = Vec::new();
    for number in 0..senders {
        let sender = Sender::new(&server.address, rng.next(), number, log.clone()).await.unwrap();
        tasks.push(tokio::spawn(sender.work(messages)));
    }
    // Killed in the middle, or when all is said.
    let enough = rng.below(messages as u64 * senders as u64 * 3 / 2) as usize;
    while log.lock().unwrap().messages < enough && tasks.iter().any(|task| !task.is_finished()) {
        tokio::task::yield_now().await;
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    for task in tasks {
        // An assertion that failed in there fails here.
        task.await.unwrap();
    }
    let log = log.lock().unwrap();
    let site_of = Site::read_usable(&site).unwrap();
    let after_kill = on_disk(&site_of, &data);
    compare(&log, &after_kill, "after the kill");
    let table = folder.0.join("all.csv");
    let args = ["export", site.to_str().unwrap(), "--data", data.to_str().unwrap(), "--output", table.to_str().unwrap()];
    let (code, _, err) = orrery(&args);
    assert_eq!(code, 0, "{err}");
    let rows = std::fs::read_to_string(&table).unwrap().lines().count() - 1;
    assert_eq!(rows, after_kill.len(), "all of it is exported");
    // Sealed by a server with little memory, nothing is lost or invented either.
    let options = PlantOptions { data: Some(data.clone()), memory_bytes: 16 << 20, ..PlantOptions::default() };
    let plant = plant(&site_of, &options).unwrap();
    for _ in 0..2 {
        plant.hub.seal(gateway::clock::wall() + Span::from_secs(7_200));
        assert!(plant.hub.persist().unwrap().sync());
    }
    drop(plant);
    let sealed = on_disk(&site_of, &data);
    assert_eq!(sealed.len(), after_kill.len(), "seed {seed}");
    compare(&log, &sealed, "after sealing");
    let report = fsck::check(&data, false).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.journal_entries, 0, "all of it is in chunks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_acknowledged_is_exported_after_a_kill_whatever_its_size() {
    let (seeds, messages) = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { (40, 60) } else { (3, 12) };
    for seed in 0..seeds {
        one(seed, messages).await;
    }
}
