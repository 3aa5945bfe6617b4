//! `orrery replay`: serves a recording as if it happened now, in its own time.

use std::path::PathBuf;

use anyhow::Result;
use std::sync::Arc;

use twin_model::Timestamp;
use twin_protocol::Capabilities;

use super::serve::{ListenArgs, Loaded, Named, serve};
use crate::assemble::Plant;
use crate::clock::{Clock, wall};
use crate::hub::Hub;
use crate::publish::shelf::Shelf;
use crate::publisher::Origin;
use crate::recording::{Playing, Reading, RecordedSource, read_as};
use crate::ring::RingLimits;
use crate::stores::empty_store;
use crate::term;

/// Arguments of `orrery replay`.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    listen: ListenArgs,
    /// A number, 1 is real time, or max for everything at once
    #[arg(long, default_value = "1", value_parser = super::speed)]
    speed: f64,
}

pub(super) fn run(args: &ReplayArgs) -> Result<u8> {
    let mut recording = read_as(&args.file, Reading::Played)?;
    for remark in &recording.remarks {
        term::warn(remark);
    }
    let model = Arc::new(recording.model().clone());
    let mut store = empty_store(&model, 1 << 30);
    let mut unreadable = 0;
    for chunk in &recording.chunks {
        unreadable += usize::from(store.import_chunk(chunk).is_err());
    }
    if unreadable > 0 {
        term::warn(&format!("{unreadable} pieces of its history can't be read"));
    }
    let extent = recording.extent();
    let first = extent.map_or_else(|| store.extent().map_or(Timestamp::MIN, |e| e.end), |e| e.start);
    let clock = Clock::replay(first, args.speed, extent.map_or(first, |e| e.end));
    let hub = Arc::new(Hub::new(model, wall(), RingLimits::default(), store, None));
    let hash = recording.identity();
    let name = hub.model().site().name.clone();
    let plant = Plant {
        hub,
        clock,
        sources: vec![Box::new(RecordedSource::new(&mut recording))],
        inboxes: Vec::new(),
        capabilities: Capabilities::RESUME.with(Capabilities::HISTORY).with(Capabilities::REPLAY),
        remarks: Vec::new(),
    };
    let origin = Origin::Recording(Box::new(Playing::new(recording)));
    let load = move || Ok(Loaded { plant, hash, shelf: Shelf::default(), origin });
    serve(load, Named { name, tokens: Vec::new(), pushed: None, data: None }, &args.listen)
}
