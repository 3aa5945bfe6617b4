//! `orrery bench feed`: a plant that is not there. Pushes seeded values into a running gateway, over its real `/ingest` in
//! binary form, and holds it to its acknowledgements. Its JSON is a contract (docs/CLI.md).

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use twin_historian::bench::Plant;
use twin_model::{Sample, SignalId, Span, Timestamp, Value, ValueKind};
use twin_protocol::{DictId, DictionaryEntry, Entry, ServerFrame};

use super::client::ClientArgs;
use super::sender::{Account, Sender};
use crate::clock::{instant, wall};
use crate::remote::Remote;
use crate::site::percent_encode;
use crate::term;

/// Samples of one push; more of one second go in several.
const PUSH: usize = 20_000;
/// Pushes on the way to the gateway and back.
const WINDOW: usize = 64;

/// Arguments of `orrery bench feed`.
#[derive(Debug, clap::Args)]
pub(super) struct FeedArgs {
    /// The gateway, for example http://127.0.0.1:7077/
    #[arg(long, value_name = "URL")]
    url: String,
    /// Signals, the first of the site; default: all
    #[arg(long, value_name = "N")]
    signals: Option<usize>,
    /// Seconds of plant time
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u32,
    /// Seconds of plant time a second, or max: as fast as the gateway takes them
    #[arg(long, value_parser = super::speed, default_value = "1")]
    speed: f64,
    /// Seed of the values
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Source id, where the site has several of kind websocket
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    signals: usize,
    seconds: f64,
    sent: u64,
    acked: u64,
    refused: u64,
    first_refusal: Option<String>,
    durable: bool,
    samples_s: f64,
    ack_max_ms: f64,
}

pub(super) fn run(args: &FeedArgs) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start the runtime")?;
    let report = runtime.block_on(feed(args))?;
    let lost = report.acked + report.refused != report.sent;
    if args.json {
        term::say(&serde_json::to_string_pretty(&report)?);
    } else {
        let safe = if report.durable { "on disk" } else { "in memory" };
        let Report { signals, seconds, sent, acked, refused, samples_s, ack_max_ms, .. } = &report;
        term::say(&format!(
            "{sent} samples of {signals} signals in {seconds:.1} s ({samples_s:.0} samples/s); {acked} acknowledged as {safe}, \
             {refused} refused; the slowest answer took {ack_max_ms:.0} ms"
        ));
        if let Some(words) = &report.first_refusal {
            term::warn(words);
        }
    }
    Ok(u8::from(lost || report.refused > 0))
}

async fn feed(args: &FeedArgs) -> Result<Report> {
    let remote = args.client.remote(&args.url)?;
    let remote =
        remote.with_context(|| format!("'{}' is no address of a gateway; write http://HOST:PORT/ or https://HOST/", args.url))?;
    let mut signals = dictionary(&remote).await?;
    signals.truncate(args.signals.unwrap_or(usize::MAX));
    anyhow::ensure!(!signals.is_empty(), "the site has no signals");
    if let Some(wanted) = args.signals.filter(|wanted| *wanted > signals.len()) {
        anyhow::bail!("the site has {} signals, not {wanted}", signals.len());
    }
    let ids: Vec<SignalId> = signals.iter().map(|entry| entry.signal.clone()).collect();
    let mut sender = Sender::connect(&remote, &path(args), ids, WINDOW).await?;
    let mut plant = Plant::new(signals.len(), args.seed);
    let mut values: Vec<Sample> = Vec::new();
    let (begun, start, origin) = (tokio::time::Instant::now(), instant(), wall());
    for second in 0..args.seconds {
        if args.speed.is_finite() {
            sender.listen_until(begun + Duration::from_secs_f64(f64::from(second) / args.speed)).await?;
        }
        plant.second(when(args, origin, second), &mut values);
        let mut entries = Vec::with_capacity(PUSH);
        for (at, (sample, signal)) in values.drain(..).zip(&signals).enumerate() {
            let sample = Sample { received_time: sample.source_time, value: fitted(sample.value, signal.kind), ..sample };
            entries.push(Entry { id: DictId(at as u32), sample });
            if entries.len() == PUSH {
                sender.push(std::mem::replace(&mut entries, Vec::with_capacity(PUSH))).await?;
            }
        }
        if !entries.is_empty() {
            sender.push(entries).await?;
        }
    }
    let Account { sent, acked, refused, durable, slowest } = sender.settle().await?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Report {
        signals: signals.len(),
        seconds,
        sent,
        acked,
        refused,
        first_refusal: sender.refusal.take(),
        durable: durable && acked > 0,
        samples_s: sent as f64 / seconds.max(1e-9),
        ack_max_ms: slowest.as_secs_f64() * 1e3,
    })
}

/// When a second of the plant is: at a bounded speed from now on, otherwise such that the last one is about now.
fn when(args: &FeedArgs, origin: Timestamp, second: u32) -> Timestamp {
    if args.speed.is_finite() {
        return origin + Span::from_secs_f64(f64::from(second) / args.speed);
    }
    origin - Span::from_secs(i64::from(args.seconds - second))
}

/// The signals of the site that take samples, as its stream names them. Who acknowledged an alarm is none that a script may make up.
async fn dictionary(remote: &Remote) -> Result<Vec<DictionaryEntry>> {
    let mut stream = remote.stream(None).await?;
    loop {
        if let ServerFrame::Dictionary(mut dictionary) = stream.next().await? {
            dictionary.entries.retain(|entry| !entry.signal.as_str().ends_with(twin_model::ACKNOWLEDGED));
            return Ok(dictionary.entries);
        }
    }
}

fn path(args: &FeedArgs) -> String {
    args.source.as_ref().map_or_else(|| "/ingest".to_owned(), |id| format!("/ingest?source={}", percent_encode(id)))
}

/// The plant's mix of kinds is its own; what the site declares goes over the wire.
fn fitted(value: Value, kind: ValueKind) -> Value {
    if value.kind() == kind {
        return value;
    }
    let number = value.as_f64().unwrap_or(0.0);
    match kind {
        ValueKind::Float => Value::Float(number),
        ValueKind::Int => Value::Int(number.round() as i64),
        ValueKind::Bool => Value::Bool(number > 0.0),
        ValueKind::Text => Value::text(["stop", "run", "idle", "fault"].get(number.abs() as usize % 4).copied().unwrap_or("run")),
    }
}
