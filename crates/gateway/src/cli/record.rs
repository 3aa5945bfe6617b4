//! `orrery record`: runs a site's sources without a server, or listens to a running one, and writes what comes.

mod remote;

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use twin_model::{Span, TimeRange, Timestamp};
use twin_protocol::LinkState;
use twin_site::codes;

use super::client::ClientArgs;
use super::usable;
use crate::assemble::{PlantOptions, plant};
use crate::publish::{self, Compiled};
use crate::recording::Recorder;
use crate::ring::RingLimits;
use crate::sources::{Polled, step};
use crate::{GatewayError, clock, term};

/// Arguments of `orrery record`.
#[derive(Debug, clap::Args)]
pub(super) struct RecordArgs {
    /// Site file, folder with a site.toml, or the address of a running gateway, like http://127.0.0.1:7077/
    #[arg(value_name = "SITE|URL")]
    site: PathBuf,
    #[command(flatten)]
    allow: super::AllowArgs,
    /// File to write, usually *.orrec
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    client: ClientArgs,
    /// How long, for example 10min; until Ctrl-C without it
    #[arg(long = "for", value_name = "TIME", value_parser = super::span)]
    length: Option<Span>,
    /// How much of what was before to put in first
    #[arg(long, value_name = "TIME", value_parser = super::span, default_value = "1h")]
    history: Span,
    /// Read history from, and keep it in, a data folder as of `orrery serve --data`
    #[arg(long, value_name = "DIR", value_parser = super::data_folder())]
    data: Option<PathBuf>,
    /// Replaces the replay speed of CSV sources: a number, 1 is real time, or max
    #[arg(long, value_parser = super::speed)]
    speed: Option<f64>,
    /// Replaces FILE where it exists
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &RecordArgs) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start the runtime")?;
    let until = Until::default();
    let flag = until.stop.clone();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            flag.store(true, Ordering::Relaxed);
        }
    });
    let (samples, bytes, missing) = match args.client.remote(args.site.to_str().unwrap_or_default())? {
        Some(remote) => runtime.block_on(remote::from_gateway(args, &remote, &until))?,
        None => runtime.block_on(from_site(args, &until))?,
    };
    term::note(&format!("{samples} samples, {} kB", bytes / 1_000));
    Ok(u8::from(missing))
}

/// When a recording ends: so long after it began, or when somebody says so.
#[derive(Default)]
struct Until {
    stop: Arc<AtomicBool>,
    end: OnceCell<Timestamp>,
}

impl Until {
    /// What comes before, compiling or waiting for it, does not count as time of the recording.
    fn begin(&self, length: Option<Span>) {
        self.end.get_or_init(|| length.map_or(Timestamp::MAX, |length| clock::wall() + length));
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn over(&self) -> bool {
        self.stopped() || self.end.get().is_some_and(|end| clock::wall() >= *end)
    }
}

/// Refuses to replace a recording unasked.
fn may_write(args: &RecordArgs) -> Result<()> {
    // Anything else than a file (a pipe, a device) has nothing to lose.
    if args.file.is_file() && !args.overwrite {
        let path = args.file.clone();
        return Err(anyhow::Error::from(GatewayError::Exists { path }).context("say --overwrite to replace it"));
    }
    Ok(())
}

fn started(args: &RecordArgs) {
    term::note(&format!("recording to {}; Ctrl-C ends it", super::serve::shown(&args.file)));
}

async fn from_site(args: &RecordArgs, until: &Until) -> Result<(u64, u64, bool)> {
    let (site, _) = usable(&args.site, &args.allow)?;
    may_write(args)?;
    // Before its sources run, which would not be asked meanwhile; what it lacks is told, because nobody can add it later.
    let Compiled { mut publication, report } =
        publish::compile(&site, Timestamp::from_micros(0)).context("the site can't be compiled")?;
    for finding in report.findings.iter().filter(|finding| finding.code == codes::MODEL_UNREADABLE) {
        term::warn(&format!("{}; it is not in the recording", finding.message));
    }
    // Every batch must still be held when it is written a moment later, however much comes at once.
    let ring = RingLimits { batches: 100_000, bytes: 1 << 30 };
    let options = PlantOptions { data: args.data.clone(), speed: args.speed, ring, ..PlantOptions::default() };
    let mut plant = plant(&site, &options)?;
    for remark in &plant.remarks {
        term::warn(remark);
    }
    if !plant.inboxes.is_empty() {
        term::warn("nobody can push samples in here; record the running server instead: orrery record http://... FILE");
    }
    let now = plant.clock.now();
    // The clock of a site without a sample stands before every calendar.
    publication.manifest.valid_from = now.max(Timestamp::from_micros(0));
    until.begin(args.length);
    let mut recorder = Recorder::start(&args.file, &publication, &plant.hub, TimeRange::new(now - args.history, now), now)?;
    for missing in &recorder.missing {
        term::warn(missing);
    }
    started(args);
    let mut polled = Polled::default();
    loop {
        let now = plant.clock.now();
        step(&plant.hub, now, &mut plant.sources, &mut polled);
        recorder.poll(&plant.hub, now)?;
        let links = plant.hub.links();
        let ended = !links.is_empty() && links.iter().all(|link| link.state == LinkState::Ended);
        if ended || until.over() {
            let samples = plant.hub.totals.samples.load(Ordering::Relaxed);
            return Ok((samples, recorder.file.bytes, !recorder.missing.is_empty()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
