//! Where samples come from: one trait, one thread that asks every source in turn.
//!
//! A source is asked with the time and hands over what is due; it never asks what time it is and never blocks, so a test
//! drives it without a clock.

mod csv;
mod push;
mod synthetic;
mod waves;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use twin_model::{Sample, SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_protocol::LinkState;

use crate::clock::Clock;
use crate::hub::Hub;

pub use csv::{CsvFault, CsvReplay, CsvRows, read_csv};
pub use push::{Inbox, LineError, PushSource};
pub use synthetic::SyntheticSource;
pub use waves::Waves;

/// How often sources are asked and batches are made.
const TICK: Duration = Duration::from_millis(100);
/// How often finished hours are handed to the disk.
const SEAL_TICKS: u32 = 300;
/// How often history past its time is removed: every minute.
const RETAIN_TICKS: u32 = 600;

/// What a source hands over.
#[derive(Debug, Default)]
pub struct Polled {
    /// Samples that are due, in the order of arrival.
    pub samples: Vec<(SignalIndex, Sample)>,
    /// States of links, where they are known; unchanged ones may be repeated.
    pub links: Vec<(SourceIndex, LinkState, String)>,
}

/// A supplier of samples.
pub trait Source: Send {
    /// What it knows of `range` from before the start, for history. Called once, before the first poll.
    fn history(&mut self, range: TimeRange, take: &mut dyn FnMut(SignalIndex, Sample));

    /// Everything that is due at `now` and was not handed over before.
    fn poll(&mut self, now: Timestamp, out: &mut Polled);
}

/// The thread that asks the sources. Dropping it stops the thread and waits for it.
pub struct Pump {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    /// Starts asking `sources` for `hub`.
    pub fn start(hub: Arc<Hub>, clock: Clock, sources: Vec<Box<dyn Source>>) -> Self {
        let (stop, stopped) = sync_channel(1);
        #[allow(clippy::disallowed_methods, reason = "the gateway may spawn; generators and files block")]
        let thread = std::thread::spawn(move || pump(&hub, clock, sources, &stopped));
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn pump(hub: &Hub, clock: Clock, mut sources: Vec<Box<dyn Source>>, stopped: &Receiver<()>) {
    let mut polled = Polled::default();
    let mut ticks = 0_u32;
    let mut sealing = None;
    loop {
        let now = clock.now();
        step(hub, now, &mut sources, &mut polled);
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(SEAL_TICKS) && sealing.is_none() {
            hub.seal_begin();
            sealing = Some(now);
        }
        if ticks.is_multiple_of(RETAIN_TICKS) {
            hub.retain(now);
        }
        hub.mend();
        // One step a tick: samples and clients never wait for more than that.
        sealing = sealing.filter(|upto| hub.seal_step(*upto));
        match stopped.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    hub.flush();
}

/// Asks every source once and makes a batch.
pub fn step(hub: &Hub, now: Timestamp, sources: &mut [Box<dyn Source>], polled: &mut Polled) {
    for source in sources {
        source.poll(now, polled);
        for (link, state, detail) in polled.links.drain(..) {
            hub.set_link(link, state, &detail, now);
        }
        hub.ingest(&polled.samples);
        polled.samples.clear();
    }
    hub.flush();
}
