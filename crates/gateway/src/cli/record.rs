//! `orrery record`: runs a site's sources without a server and writes what they give.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use twin_model::{Span, TimeRange, Timestamp};

use crate::assemble::{PlantOptions, plant};
use crate::recording::Recorder;
use crate::ring::RingLimits;
use crate::site::Site;
use crate::sources::{Polled, step};
use crate::{clock, term};

/// Arguments of `orrery record`.
#[derive(Debug, clap::Args)]
pub(super) struct RecordArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// File to write, usually *.orrec
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How long, for example 10min; until Ctrl-C without it
    #[arg(long = "for", value_name = "TIME", value_parser = super::span)]
    length: Option<Span>,
    /// How much of what was before to put in first
    #[arg(long, value_name = "TIME", value_parser = super::span, default_value = "1h")]
    history: Span,
    /// Read history from, and keep it in, the data folder of `orrery serve --data`
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Replaces the replay speed of CSV sources: a number, 1 is real time, or max
    #[arg(long, value_parser = super::speed)]
    speed: Option<f64>,
}

pub(super) fn run(args: &RecordArgs) -> Result<u8> {
    let site = Site::read_usable(&args.site.site)?;
    // Every batch must still be held when it is written a moment later, however much comes at once.
    let ring = RingLimits { batches: 100_000, bytes: 1 << 30 };
    let options = PlantOptions { data: args.data.clone(), speed: args.speed, ring, ..PlantOptions::default() };
    let mut plant = plant(&site, &options)?;
    for remark in &plant.remarks {
        term::warn(remark);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start the runtime")?;
    let now = plant.clock.now();
    let history = TimeRange::new(now - args.history, now);
    let mut recorder = Recorder::start(&args.file, &site, &plant.hub, history, now)?;
    let end = args.length.map_or(Timestamp::MAX, |length| clock::wall() + length);
    term::note(&format!("recording to {}; Ctrl-C ends it", super::serve::shown(&args.file)));
    let mut polled = Polled::default();
    runtime.block_on(async {
        let flag = stop.clone();
        tokio::spawn(async move {
            drop(tokio::signal::ctrl_c().await);
            flag.store(true, Ordering::Relaxed);
        });
        loop {
            step(&plant.hub, plant.clock.now(), &mut plant.sources, &mut polled);
            recorder.poll(&plant.hub)?;
            let over = plant.hub.links().iter().all(|link| link.state == twin_protocol::LinkState::Ended);
            if stop.load(Ordering::Relaxed) || clock::wall() >= end || (over && !plant.hub.links().is_empty()) {
                return Ok::<(), anyhow::Error>(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })?;
    let kilobytes = recorder.bytes / 1_000;
    term::note(&format!("{} samples, {kilobytes} kB", plant.hub.totals.samples.load(Ordering::Relaxed)));
    Ok(0)
}
