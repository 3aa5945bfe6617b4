//! `orrery bench`: what this machine does. Numbers for `docs/PERFORMANCE.md`, not promises.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use twin_historian::{Cursor, Snapshot, Store};
use twin_model::{
    Model, ModelBuilder, Sample, Signal, SignalIndex, SignalKind, SiteInfo, Span, TimeRange, Timestamp, Unit, Value, ValueKind,
};
use twin_protocol::{Batch, Capabilities, DictId, Entry, Limits, ServerFrame, decode_server, encode_server};

use super::bench_disk::{Disk, Folder};
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
use crate::ring::RingLimits;
use crate::sources::{Pump, Waves};
use crate::stores::empty_store;
use crate::term;

/// Arguments of `orrery bench`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// Synthetic signals at 1 Hz
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    signals: u32,
    /// Seconds that the server runs
    #[arg(long, value_name = "S", default_value_t = 20)]
    seconds: u64,
    /// Clients that listen meanwhile
    #[arg(long, value_name = "N", default_value_t = 1)]
    clients: usize,
    /// Where the database of the run goes [default: the folder for temporary things; where that is in memory, the current one]
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Measures the time store on a plant-like load: size, ingest, jumps, drags, ranges, and the way to the disk
    Time(super::bench_time::TimeArgs),
    /// Measures what a viewer pays per frame at scale: following, dragging, jumping, pointing
    View(super::bench_view::ViewArgs),
    /// Pushes seeded plant values into a running gateway and checks that every one is acknowledged
    Feed(Box<super::feed::FeedArgs>),
}

#[derive(Serialize, Default)]
struct Numbers {
    signals: u32,
    encode_ns_per_sample: f64,
    decode_ns_per_sample: f64,
    bytes_per_sample: f64,
    store_append_ns_per_sample: f64,
    store_snapshot_us: f64,
    store_envelope_us: f64,
    store_bytes_per_sample: f64,
    server_seconds: f64,
    server_samples: u64,
    server_cpu_percent: f64,
    server_rss_mb: f64,
    server_wire_bytes_per_sample: f64,
    server_memory_only_cpu_percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<Disk>,
}

pub(super) fn run(args: &BenchArgs) -> Result<u8> {
    match &args.what {
        Some(What::Time(args)) => return super::bench_time::run(args),
        Some(What::View(args)) => return super::bench_view::run(args),
        Some(What::Feed(args)) => return super::feed::run(args),
        None => {}
    }
    let mut numbers = Numbers { signals: args.signals, ..Numbers::default() };
    let disk = Disk::choose(args.data.as_deref())?;
    codec(&mut numbers);
    store(&mut numbers);
    // First as users run it, so that its memory is its own.
    let kept = serve(args, Some(&disk))?;
    numbers.server_seconds = kept.seconds;
    numbers.server_samples = kept.samples;
    numbers.server_cpu_percent = kept.cpu_percent;
    numbers.server_rss_mb = kept.rss_mb;
    let sent = kept.samples as f64 * args.clients.max(1) as f64;
    numbers.server_wire_bytes_per_sample = if sent > 0.0 { kept.wire as f64 / sent } else { 0.0 };
    numbers.server_memory_only_cpu_percent = serve(args, None)?.cpu_percent;
    numbers.disk = Some(disk);
    if args.json {
        term::say(&serde_json::to_string_pretty(&numbers)?);
    } else {
        people(&numbers);
    }
    Ok(0)
}

/// A model of nothing but float signals at 1 Hz.
pub(crate) fn plain_model(signals: u32) -> Model {
    model_of((0..signals).map(|_| (SignalKind::Analog, ValueKind::Float)))
}

/// A model of nothing but signals of those kinds at 1 Hz.
pub(super) fn model_of(kinds: impl Iterator<Item = (SignalKind, ValueKind)>) -> Model {
    let info = SiteInfo { id: "bench".into(), name: "Bench".into(), time_zone: "UTC".into() };
    let mut builder = ModelBuilder::new(info);
    let twin = builder.twin("bench", "Bench", "bench", None);
    for (at, (kind, value_kind)) in kinds.enumerate() {
        builder.signal(Signal {
            id: format!("bench.s{at}").as_str().into(),
            twin,
            name: format!("s{at}"),
            display_name: format!("Signal {at}"),
            unit: Unit::default(),
            kind,
            value_kind,
            expected_period: Some(Span::from_secs(1)),
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: String::new(),
        });
    }
    // Ids made from a counter are unique, so that this always builds; an empty site would only make the bench trivial.
    builder.build().unwrap_or_else(|_| empty_model())
}

#[allow(clippy::unwrap_used, reason = "a site without anything in it has nothing that could be wrong")]
fn empty_model() -> Model {
    ModelBuilder::new(SiteInfo { id: "bench".into(), name: "Bench".into(), time_zone: "UTC".into() }).build().unwrap()
}

fn value(signal: u32, second: i64) -> Value {
    let wave = (f64::from(signal) * 0.7 + second as f64 * 0.05).sin() * 20.0 + 60.0;
    Value::Float((wave * 100.0).round() / 100.0)
}

fn ns(since: std::time::Instant, count: u64) -> f64 {
    since.elapsed().as_secs_f64() * 1e9 / count.max(1) as f64
}

fn codec(numbers: &mut Numbers) {
    let t = Timestamp::from_secs(1_772_439_304);
    let entry = |id| Entry { id: DictId(id), sample: Sample::new(t, value(id, 0)) };
    let frame = ServerFrame::Batch(Batch { seq: 1, entries: (0..numbers.signals).map(entry).collect() });
    let rounds = (2_000_000 / numbers.signals.max(1)).max(1);
    let samples = u64::from(numbers.signals) * u64::from(rounds);
    let bytes = encode_server(&frame);
    numbers.bytes_per_sample = bytes.len() as f64 / f64::from(numbers.signals.max(1));
    let started = instant();
    for _ in 0..rounds {
        black_box(encode_server(black_box(&frame)));
    }
    numbers.encode_ns_per_sample = ns(started, samples);
    let started = instant();
    for _ in 0..rounds {
        black_box(decode_server(black_box(&bytes), &Limits::SERVER_FRAMES)).ok();
    }
    numbers.decode_ns_per_sample = ns(started, samples);
}

fn store(numbers: &mut Numbers) {
    let model = plain_model(numbers.signals.clamp(1, 2_000));
    let mut store = empty_store(&model, 1 << 30);
    let (signals, seconds) = (model.signals().len() as u32, 1_000);
    let first = Timestamp::from_secs(1_772_439_304);
    let started = instant();
    for second in 0..seconds {
        let t = first + Span::from_secs(second);
        for signal in 0..signals {
            store.append(SignalIndex(signal), &Sample::new(t, value(signal, second)));
        }
    }
    let samples = u64::from(signals) * seconds as u64;
    numbers.store_append_ns_per_sample = ns(started, samples);
    numbers.store_bytes_per_sample = store.bytes().total() as f64 / samples as f64;
    let (mut cursor, mut out) = (Cursor::default(), Snapshot::default());
    let started = instant();
    for step in 0..200_i64 {
        store.snapshot_at(first + Span::from_secs((step * 37) % seconds), &mut cursor, &mut out);
    }
    numbers.store_snapshot_us = ns(started, 200) / 1e3;
    let range = TimeRange::new(first, first + Span::from_secs(seconds));
    let started = instant();
    for step in 0..200_u32 {
        black_box(store.envelope(SignalIndex(step % signals), range, 400));
    }
    numbers.store_envelope_us = ns(started, 200) / 1e3;
}

/// What the server did and took while it ran.
struct Served {
    seconds: f64,
    samples: u64,
    cpu_percent: f64,
    rss_mb: f64,
    /// Bytes of frames to all clients.
    wire: u64,
}

/// Runs the real server with real sockets in this process, with a database on `disk` or with none, and looks at what it costs.
fn serve(args: &BenchArgs, disk: Option<&Disk>) -> Result<Served> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start the runtime")?;
    let model = Arc::new(plain_model(args.signals));
    let mut store = empty_store(&model, 256 << 20);
    let now = wall();
    let folder = disk.map(|disk| disk.folder("server")).transpose()?;
    let open = |folder: &Folder, store: &mut Store| {
        let database = Database::open(folder.path()).context("can't open a database for the run")?;
        database.start(&model, store).context("can't start writing")
    };
    let persist = folder.as_ref().map(|folder| open(folder, &mut store)).transpose()?;
    let hub = Arc::new(Hub::new(model, now, RingLimits::default(), store, persist));
    let seconds = args.seconds.max(1);
    let (before, started) = (cpu_seconds(), instant());
    let wire = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("can't listen")?;
        let address = listener.local_addr().context("no address")?;
        let (stop, stopping) = watch::channel(false);
        // All clients come from this machine.
        let config = ServerConfig {
            capabilities: Capabilities::RESUME,
            max_clients: args.clients.max(500),
            address_share: 100,
            ..ServerConfig::default()
        };
        let app = Arc::new(App {
            hub: hub.clone(),
            clock: Clock::live(),
            page: Page::Missing,
            site_hash: String::new(),
            publication: Arc::new(Shelf::default()),
            inboxes: Vec::new(),
            peers: Peers::new(&config),
            config,
            access: Access::default(),
            stopping,
        });
        let pump = Pump::start(hub.clone(), app.clock, vec![Box::new(Waves::new(args.signals, now))]);
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(life::run(listener, app, stop, async move { drop(ended.await) }));
        let clients: Vec<_> = (0..args.clients).map(|_| tokio::spawn(client(address, Duration::from_secs(seconds)))).collect();
        let mut wire = 0;
        for client in clients {
            wire += client.await.context("a client broke")??;
        }
        if args.clients == 0 {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        end.send(()).ok();
        tokio::task::spawn_blocking(move || drop(pump)).await.context("the sources did not stop")?;
        server.await.context("the server broke")?.context("the server broke")?;
        Ok::<u64, anyhow::Error>(wire)
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let samples = hub.totals.samples.load(std::sync::atomic::Ordering::Relaxed);
    let lost = hub.persist().map_or(0, |persist| persist.totals().given_up.load(std::sync::atomic::Ordering::Relaxed));
    anyhow::ensure!(lost == 0, "the disk gave up {lost} batches; the figures would be a lie");
    Ok(Served { seconds, samples, cpu_percent: (cpu_seconds() - before) / seconds * 100.0, rss_mb: rss_mb(), wire })
}

/// Listens for a while and counts the bytes of frames.
async fn client(address: std::net::SocketAddr, time: Duration) -> Result<u64> {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let stream = tokio::net::TcpStream::connect(address).await.context("can't connect")?;
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/stream"), stream).await?;
    let hello =
        twin_protocol::ClientHello { versions: vec![twin_protocol::VERSION], agent: "bench".into(), resume: None, token: None };
    let hello = twin_protocol::encode_client(&twin_protocol::ClientFrame::Hello(hello));
    socket.send(Message::Binary(hello.into())).await?;
    let mut bytes = 0_u64;
    let until = tokio::time::sleep(time);
    tokio::pin!(until);
    loop {
        tokio::select! {
            () = &mut until => return Ok(bytes),
            message = socket.next() => match message {
                Some(Ok(message)) => bytes += message.len() as u64,
                _ => return Ok(bytes),
            },
        }
    }
}

/// CPU time of this process so far, all threads; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the program's name, which may hold anything, in brackets: state is field 3, utime and stime are 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
}

fn people(n: &Numbers) {
    let rows = [
        ("codec: encode", format!("{:.1} ns/sample", n.encode_ns_per_sample)),
        ("codec: decode", format!("{:.1} ns/sample", n.decode_ns_per_sample)),
        ("codec: size", format!("{:.2} bytes/sample", n.bytes_per_sample)),
        ("store: append", format!("{:.1} ns/sample", n.store_append_ns_per_sample)),
        ("store: snapshot of all signals", format!("{:.1} us", n.store_snapshot_us)),
        ("store: envelope of 1,000 samples", format!("{:.1} us", n.store_envelope_us)),
        ("store: memory", format!("{:.2} bytes/sample", n.store_bytes_per_sample)),
        ("server: signals at 1 Hz", n.signals.to_string()),
        ("server: samples", format!("{} in {:.1} s", n.server_samples, n.server_seconds)),
        ("server: CPU (with the clients)", format!("{:.1} % of one core", n.server_cpu_percent)),
        ("server: CPU without a database", format!("{:.1} % of one core", n.server_memory_only_cpu_percent)),
        ("server: memory", format!("{:.1} MB", n.server_rss_mb)),
        ("server: wire", format!("{:.2} bytes/sample", n.server_wire_bytes_per_sample)),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect();
    term::say(&term::table(&["WHAT", "HERE"], &rows));
    if let Some(disk) = &n.disk {
        term::say(&disk.words());
    }
}
