//! Where samples come from: one trait, one thread that asks every source in turn.
//!
//! A source is asked with the time and hands over what is due; it never asks what time it is and never blocks, so a test
//! drives it without a clock.

mod csv;
mod fields;
mod inbox;
mod line;
mod meanings;
mod push;
mod scalar;
mod stamps;
mod synthetic;
mod waves;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use twin_model::{Sample, SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_protocol::LinkState;

use crate::clock::{Clock, instant};
use crate::hub::Hub;

pub use csv::{CsvFile, CsvReplay, Unusable, judge};
pub use inbox::{Inbox, IngestCounts, Progress, Refusal};
pub(crate) use line::receipt;
pub use line::{Line, LineError, Remark, acknowledgement, read_line};
pub use push::PushSource;
pub use synthetic::SyntheticSource;
pub use waves::Waves;

/// How often sources are asked and batches are made where none of them wakes the pump.
const TICK: Duration = Duration::from_millis(100);
/// Between two rounds even where a source wakes the pump: what comes within it shares a batch.
const PAUSE: Duration = Duration::from_millis(15);
/// How often finished hours are handed to the disk.
const SEAL_TICKS: u32 = 300;
/// Samples of finished hours that bring the next round forward, so that what is played faster than time is sealed as fast as it comes:
/// so many, or a tenth of them once no more come for a second. Fewer come late one by one, and wait: a round writes anew what it adds to.
const BULK: usize = 100_000;
const QUIET_TICKS: u32 = 10;
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

/// Asks for a round of the pump before its next tick.
#[derive(Debug, Clone)]
pub struct Wake(SyncSender<()>);

impl Wake {
    /// Asks. Many askers before the round share it.
    pub fn wake(&self) {
        // Full: a round is coming anyway. Disconnected: there is no pump any more.
        self.0.try_send(()).ok();
    }
}

/// A supplier of samples.
pub trait Source: Send {
    /// What it knows of `range` from before the start, for history. Called once, before the first poll.
    fn history(&mut self, range: TimeRange, take: &mut dyn FnMut(SignalIndex, Sample));

    /// Everything that is due at `now` and was not handed over before.
    fn poll(&mut self, now: Timestamp, out: &mut Polled);

    /// Everything that it handed over so far is in the store, and in batches up to this number.
    fn settled(&mut self, _seq: u64) {}

    /// How it can ask to be polled soon; called once, at the start.
    fn wake_by(&mut self, _wake: &Wake) {}

    /// The sources of the site that it stands for: their links are down where it breaks.
    fn stands_for(&self) -> Vec<SourceIndex> {
        Vec::new()
    }
}

/// The thread that asks the sources. Dropping it stops the thread and waits for it.
pub struct Pump {
    stop: Arc<AtomicBool>,
    wake: Wake,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    /// Starts asking `sources` for `hub`.
    pub fn start(hub: Arc<Hub>, clock: Clock, mut sources: Vec<Box<dyn Source>>) -> Self {
        let (send, woken) = sync_channel(1);
        let (stop, wake) = (Arc::new(AtomicBool::new(false)), Wake(send));
        for source in &mut sources {
            source.wake_by(&wake);
        }
        let (stopping, vitals) = (stop.clone(), hub.vitals().clone());
        // Without it nothing is taken in or numbered: where it breaks, the program ends.
        let thread = vitals.spawn("pump", move || pump(&hub, clock, sources, &woken, &stopping));
        if let Err(error) = &thread {
            vitals.broke("thread pump", &error.to_string());
        }
        Self { stop, wake, thread: thread.ok() }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn pump(hub: &Hub, clock: Clock, mut sources: Vec<Box<dyn Source>>, woken: &Receiver<()>, stopping: &AtomicBool) {
    let mut polled = Polled::default();
    let mut ticks = 0_u32;
    let mut sealing = None;
    let (mut finished, mut quiet) = (0, 0_u32);
    let mut tick = instant();
    while !stopping.load(Ordering::Acquire) {
        let (now, started) = (clock.now(), instant());
        hub.vitals().beat();
        let more = step(hub, now, &mut sources, &mut polled);
        finished += more;
        if more > 0 {
            quiet = 0;
        }
        if started >= tick {
            tick = started + TICK;
            ticks = ticks.wrapping_add(1);
            quiet = quiet.saturating_add(1);
            let bulk = finished >= BULK || (quiet > QUIET_TICKS && finished >= BULK / 10);
            if (bulk || ticks.is_multiple_of(SEAL_TICKS)) && sealing.is_none() {
                hub.seal_begin();
                (sealing, finished) = (Some(now), 0);
            }
            if ticks.is_multiple_of(RETAIN_TICKS) {
                hub.retain(now);
            }
            hub.mend();
            // One step a tick: samples and clients never wait for more than that.
            sealing = sealing.filter(|upto| hub.seal_step(*upto));
        }
        if woken.recv_timeout(tick.saturating_duration_since(instant())).is_ok() {
            std::thread::sleep(PAUSE.saturating_sub(started.elapsed()));
        }
    }
    // What came in since the last round.
    step(hub, clock.now(), &mut sources, &mut polled);
}

/// In the place of a source that broke.
struct Broken {
    links: Vec<SourceIndex>,
    why: String,
}

impl Source for Broken {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn poll(&mut self, _: Timestamp, out: &mut Polled) {
        let detail = format!("the gateway's reader of it broke: {}; start the gateway again", self.why);
        out.links.extend(self.links.iter().map(|link| (*link, LinkState::Down, detail.clone())));
    }

    fn stands_for(&self) -> Vec<SourceIndex> {
        self.links.clone()
    }
}

/// Asks every source once and makes a batch. A source that breaks is given up; the others go on. Returns how many samples came of slabs
/// that are finished at `now`.
pub fn step(hub: &Hub, now: Timestamp, sources: &mut [Box<dyn Source>], polled: &mut Polled) -> usize {
    let begun = hub.with_store(|store| now.floor_to(store.config().slab));
    let mut finished = 0;
    for source in sources.iter_mut() {
        let links = source.stands_for();
        let name = || {
            let ids = links.iter().filter_map(|link| hub.model().sources().get(link.at()));
            format!("source {}", ids.map(|source| source.id.as_str()).collect::<Vec<_>>().join(", "))
        };
        if let Err(why) = hub.vitals().attempt(name, || source.poll(now, polled)) {
            // What it had handed over before it broke is as good as ever.
            *source = Box::new(Broken { links, why });
            source.poll(now, polled);
        }
        for (link, state, detail) in polled.links.drain(..) {
            hub.set_link(link, state, &detail, now);
        }
        finished += polled.samples.iter().filter(|(_, sample)| sample.source_time < begun).count();
        hub.take_in(&mut polled.samples);
    }
    hub.flush();
    let seq = hub.seq();
    for source in sources {
        source.settled(seq);
    }
    finished
}
