//! The durable rows of `orrery bench time`: samples from a real socket to a committed transaction, every one acknowledged
//! and counted again from the disk.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use twin_historian::bench::{BenchRow, Plant};
use twin_model::{Model, Sample, SignalId, SourceIndex, Span, Timestamp};
use twin_protocol::{Capabilities, DictId, Entry};

use super::bench::model_of;
use super::bench_disk::Disk;
use super::sender::{Account, Sender};
use crate::access::Access;
use crate::app::App;
use crate::clock::{Clock, instant, wall};
use crate::config::ServerConfig;
use crate::history::Database;
use crate::hub::Hub;
use crate::life;
use crate::page::Page;
use crate::peers::Peers;
use crate::publish::shelf::Shelf;
use crate::remote::Remote;
use crate::ring::RingLimits;
use crate::sources::{Inbox, Pump, PushSource};
use crate::stores::empty_store;

/// Samples on the way to the gateway and back, at most; in at most so many pushes.
const WINDOW: (usize, usize) = (500_000, 64);
/// Samples of a run; made before it, so that the plant's own arithmetic is not measured.
const SAMPLES: usize = 3_000_000;
/// Signals of the runs that do not take all of them; as JSON also the lines of a message.
const FEW: usize = 5_000;
/// Samples of the run as JSON lines.
const LINES: usize = 3_000_000;

/// A plant of so many signals at 1 Hz, one push a second of its time, as fast as the gateway takes them; in a database in
/// a folder of its own on `disk`, with the default sync policy. The first row is the one that must be reached.
pub(super) fn run(signals: usize, seed: u64, disk: &Disk) -> Result<Vec<BenchRow>> {
    let row = |id, value, unit, must| BenchRow { id, value, unit, must };
    let (rate, slowest) = binary(signals, seed, disk)?;
    let mut rows =
        vec![row("durable_samples_s", rate, "samples/s", Some(5e5)), row("durable_ack_max_ms", slowest * 1e3, "ms", None)];
    if signals > FEW {
        rows.push(row("durable_5k_samples_s", binary(FEW, seed, disk)?.0, "samples/s", None));
    }
    rows.push(row("durable_json_samples_s", lines(signals.min(FEW), seed, disk)?, "samples/s", None));
    Ok(rows)
}

/// Samples a second, and the longest wait for an answer in seconds, with the window full.
fn binary(signals: usize, seed: u64, disk: &Disk) -> Result<(f64, f64)> {
    let (model, batches) = load(signals, SAMPLES, seed);
    let sent: usize = batches.iter().map(Vec::len).sum();
    let ids: Vec<SignalId> = model.signals().iter().map(|signal| signal.id.clone()).collect();
    let window = (WINDOW.0 / signals.max(1)).clamp(2, WINDOW.1);
    let (seconds, account) = with_gateway(&model, sent, disk, move |address| async move {
        let started = instant();
        let mut sender =
            Sender::connect(&Remote::parse(&format!("http://{address}/")).context("no address")?, "/ingest", ids, window).await?;
        for batch in batches {
            sender.push(batch).await?;
        }
        let account = sender.settle().await?;
        Ok((started.elapsed().as_secs_f64(), account))
    })?;
    let Account { acked, refused, durable, slowest, .. } = account;
    anyhow::ensure!(acked as usize == sent && refused == 0, "{acked} of {sent} samples were acknowledged");
    anyhow::ensure!(durable, "the gateway did not promise that the samples are on disk");
    Ok((sent as f64 / seconds, slowest.as_secs_f64()))
}

/// Samples a second as JSON lines, each message followed by the wish for an answer.
fn lines(signals: usize, seed: u64, disk: &Disk) -> Result<f64> {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let (model, batches) = load(signals, LINES, seed);
    let sent: usize = batches.iter().map(Vec::len).sum();
    let text = |entry: &Entry| {
        let id = model.signals().get(entry.id.0 as usize).map_or("", |signal| signal.id.as_str());
        let sample = &entry.sample;
        format!("{{\"signal\":\"{id}\",\"value\":{},\"time\":{}}}\n", sample.value, sample.source_time.as_micros())
    };
    let messages: Vec<String> = batches.iter().map(|batch| batch.iter().map(text).collect()).collect();
    let (seconds, taken) = with_gateway(&model, sent, disk, |address| async move {
        let stream = tokio::net::TcpStream::connect(address).await.context("can't connect")?;
        let (socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/ingest"), stream).await?;
        let (mut write, mut read) = socket.split();
        let started = instant();
        let (mut open, mut taken) = (0_usize, 0_u64);
        for at in 0..=messages.len() {
            while open >= WINDOW.1 || (at == messages.len() && open > 0) {
                let Some(Ok(Message::Text(text))) = read.next().await else { anyhow::bail!("the gateway has gone") };
                let answer: serde_json::Value = serde_json::from_str(&text).context("an answer that is no JSON")?;
                anyhow::ensure!(answer["durable"] == true && answer["refused"] == 0, "a line was not taken: {text}");
                taken += answer["samples"].as_u64().unwrap_or(0);
                open -= 1;
            }
            if let Some(message) = messages.get(at) {
                write.send(Message::Text(format!("{message}{{\"ack\":{at}}}").into())).await?;
                open += 1;
            }
        }
        Ok((started.elapsed().as_secs_f64(), taken))
    })?;
    anyhow::ensure!(taken as usize == sent, "{taken} of {sent} lines were acknowledged");
    Ok(sent as f64 / seconds)
}

/// About so many samples, a batch for each second of the plant; the last second is now.
fn load(signals: usize, samples: usize, seed: u64) -> (Arc<Model>, Vec<Vec<Entry>>) {
    let mut plant = Plant::new(signals, seed);
    let model = Arc::new(model_of(plant.specs().into_iter().map(|spec| (spec.kind, spec.value_kind))));
    let (seconds, now): (i64, Timestamp) = ((samples / signals.max(1)).max(1) as i64, wall());
    let mut values: Vec<Sample> = Vec::new();
    let batch = |second: i64| {
        plant.second(now + Span::from_secs(second - seconds), &mut values);
        (0..).map(DictId).zip(values.drain(..)).map(|(id, sample)| Entry { id, sample }).collect()
    };
    (model, (0..seconds).map(batch).collect())
}

/// Serves `model` with an inbox and a database, lets `send` send from a thread of its own, and sees to it that exactly
/// `expected` samples are in the store then, and in the database once it is opened again.
fn with_gateway<T, F, R>(model: &Arc<Model>, expected: usize, disk: &Disk, send: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(SocketAddr) -> R + Send + 'static,
    R: Future<Output = Result<T>>,
{
    let folder = disk.folder("durable")?;
    let mut store = empty_store(model, 1 << 30);
    let database = Database::open(folder.path()).context("can't open a database for the run")?;
    let persist = database.start(model, &mut store).context("can't start writing")?;
    let hub = Arc::new(Hub::new(model.clone(), wall(), RingLimits::default(), store, Some(persist)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start the runtime")?;
    let result = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("can't listen")?;
        let address = listener.local_addr().context("no address")?;
        let (stop, stopping) = watch::channel(false);
        let inbox = Inbox::new(SourceIndex(0));
        let pump = Pump::start(hub.clone(), Clock::live(), vec![Box::new(PushSource::new(inbox.clone()))]);
        let config = ServerConfig { capabilities: Capabilities::INGEST, ..ServerConfig::default() };
        let app = Arc::new(App {
            hub: hub.clone(),
            clock: Clock::live(),
            page: Page::Missing,
            site_hash: String::new(),
            publication: Arc::new(Shelf::default()),
            inboxes: vec![inbox],
            peers: Peers::new(&config),
            config,
            access: Access::default(),
            stopping,
        });
        let (end, ended) = oneshot::channel::<()>();
        let server = tokio::spawn(life::run(listener, app, stop, async move { drop(ended.await) }));
        let sending = move || {
            let own = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start the sender")?;
            own.block_on(send(address))
        };
        let result = tokio::task::spawn_blocking(sending).await.context("the sender broke")?;
        end.send(()).ok();
        tokio::task::spawn_blocking(move || drop(pump)).await.context("the sources did not stop")?;
        server.await.context("the server broke")?.context("the server broke")?;
        result
    })?;
    drop(runtime);
    let stored = hub.with_store(|store| store.counters().stored);
    anyhow::ensure!(stored as usize == expected, "{stored} of {expected} samples are in the store");
    let lost = hub.persist().map_or(0, |persist| persist.totals().given_up.load(Ordering::Relaxed));
    anyhow::ensure!(lost == 0, "the disk gave up {lost} batches; the figure would be a lie");
    drop(hub);
    let again = reopened(folder.path(), model)?;
    anyhow::ensure!(again as usize == expected, "{again} of {expected} samples are in the database");
    Ok(result)
}

/// Samples in a database, read anew.
fn reopened(folder: &std::path::Path, model: &Model) -> Result<u64> {
    let mut store = empty_store(model, usize::MAX / 2);
    let database = Database::open_to_read(folder).context("can't open the run's database again")?;
    let loaded = database.load(model, &mut store).context("can't read the run's database again")?;
    anyhow::ensure!(loaded.unreadable == 0, "{} pieces of the run's database can't be read", loaded.unreadable);
    let counters = store.counters();
    Ok(counters.stored + counters.imported)
}
