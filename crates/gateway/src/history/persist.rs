//! Hands batches, links and finished slabs over to the threads that keep them. Never waits for a disk where samples come in.

use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use twin_historian::historian::{Historian, KeepError, Retention};
use twin_historian::{MemoryHistorian, Sealed, SignalSpec, StoreConfig};
use twin_model::{Model, SignalKind, TimeRange, Timestamp, ValueKind};
use twin_protocol::LinkChange;

use super::damage::Missing;
use super::links::Links;
use super::pages;
use super::sealer::{Job, Plan, Sealer};
use super::series::Numbers;
use super::writer::{Hole, Message, PersistTotals, Shared, Writer};
use crate::clock::instant;
use crate::vitals::Vitals;

/// Messages that may wait for the committing thread.
const QUEUE: usize = 4_096;
/// Bytes of batches that may be on their way; beyond it they stay in memory only and are not durable until that is mended.
const PENDING_BYTES: usize = 64 << 20;
/// Lanes that may wait for the sealing thread.
const LANES: usize = 4;
/// Longest wait of [`Persist::sync`].
const SYNC: Duration = Duration::from_secs(120);
/// And while the keeper refuses.
const REFUSED: Duration = Duration::from_secs(10);
/// Between two looks whether the sealing thread's queue has room.
const LOOK: Duration = Duration::from_millis(5);

/// What may be chosen about keeping history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Longest time that a batch waits for others to be committed with.
    pub commit_every: Duration,
    /// How long history is kept.
    pub retention: Retention,
}

impl Default for Setup {
    /// 20 ms, for ever.
    fn default() -> Self {
        Self { commit_every: Duration::from_millis(20), retention: Retention::default() }
    }
}

/// See the module's head. Dropping it commits what was handed over and waits for that.
pub struct Persist {
    writer: Option<SyncSender<Message>>,
    sealer: Option<SyncSender<Job>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    vitals: Arc<Vitals>,
    shared: Arc<Shared>,
    durable: watch::Receiver<u64>,
    reader: Mutex<Box<dyn Historian>>,
    numbers: Arc<Numbers>,
    extent: Mutex<pages::Extent>,
    /// Whether what is kept outlives the program, so that batches are worth a journal.
    outlives: bool,
    /// Held while the database may be written; two servers in one folder would write everything twice.
    _lock: Option<File>,
}

impl Persist {
    /// Keeps history in memory, up to the bytes that `setup` allows.
    ///
    /// # Errors
    /// Never for memory; the type is that of every keeper.
    pub fn in_memory(model: &Model, setup: Setup) -> Result<Self, KeepError> {
        Self::over(Box::new(MemoryHistorian::new()), model, setup, false, None)
    }

    /// Starts the threads over a keeper.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn over(
        keeper: Box<dyn Historian>,
        model: &Model,
        setup: Setup,
        outlives: bool,
        lock: Option<File>,
    ) -> Result<Self, KeepError> {
        let numbers = Numbers::positions(model.signals().len());
        let links = Links::load(keeper.as_ref())?;
        Self::numbered(keeper, links, model, numbers, setup, outlives, lock)
    }

    /// As [`Self::over`], where the keeper has numbers of its own for the site's signals; `links` are its own, with what is to be added.
    pub(super) fn numbered(
        keeper: Box<dyn Historian>,
        links: Links,
        model: &Model,
        numbers: Numbers,
        setup: Setup,
        outlives: bool,
        lock: Option<File>,
    ) -> Result<Self, KeepError> {
        let sources = model.sources().iter().map(|source| source.id.clone()).collect();
        let sealed_until = super::sealed_until(keeper.as_ref())?.map_or(i64::MIN, Timestamp::as_micros);
        let shared = Arc::new(Shared::new(sealed_until));
        let (publish, durable) = watch::channel(0);
        let (to_writer, from_all) = sync_channel(QUEUE);
        let (to_sealer, from_hub) = sync_channel(LANES * 4);
        // Where the site has no such series nobody knows when one pauses.
        let stray = SignalSpec::new(SignalKind::Analog, ValueKind::Float);
        let mut specs = vec![stray; numbers.given() as usize];
        for (number, signal) in numbers.all().iter().zip(model.signals()) {
            if let Some(slot) = specs.get_mut(*number as usize) {
                *slot = SignalSpec::from(signal);
            }
        }
        let numbers = Arc::new(numbers);
        let plan = Plan { slab: StoreConfig::default().slab, specs, journals: outlives, retention: setup.retention };
        let sealer = Sealer::new(keeper.reader()?, to_writer.clone(), shared.clone(), plan)?;
        let reader = Mutex::new(keeper.reader()?);
        let writer = Writer::new(keeper, links, sources, numbers.clone(), shared.clone(), publish, setup.commit_every);
        // Both keep what is acknowledged: where one breaks, the program ends.
        let vitals = Arc::new(Vitals::default());
        let no_thread = |error: std::io::Error| KeepError::Unavailable { doing: "kept", why: error.to_string() };
        let sealing = vitals.spawn("sealer", move || sealer.run(&from_hub)).map_err(no_thread)?;
        let writing = vitals.spawn("writer", move || writer.run(&from_all)).map_err(no_thread)?;
        let threads = vec![sealing, writing];
        let (writer, sealer) = (Some(to_writer), Some(to_sealer));
        Ok(Self {
            writer,
            sealer,
            threads: Mutex::new(threads),
            vitals,
            shared,
            durable,
            reader,
            numbers,
            extent: Mutex::default(),
            outlives,
            _lock: lock,
        })
    }

    /// The keeper's numbers of the site's signals.
    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Whether what is kept outlives the program.
    pub fn outlives(&self) -> bool {
        self.outlives
    }

    /// The number of the newest batch which, with all before it, survives what the keeper promises.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.clone()
    }

    /// A batch as it went to clients, under its number; `times` are its first and last source time. Number 0: history from before
    /// the start, which nobody waits for.
    pub(crate) fn tail(&self, seq: u64, frame: Bytes, samples: u32, times: TimeRange) {
        let bytes = frame.len();
        if self.shared.pending.fetch_add(bytes, Ordering::Relaxed) + bytes > PENDING_BYTES {
            self.shared.pending.fetch_sub(bytes, Ordering::Relaxed);
            return self.shared.give_up(seq, times);
        }
        let message = Message::Tail { seq, bytes: frame, samples, times, came: instant() };
        if !self.post(message) {
            self.shared.pending.fetch_sub(bytes, Ordering::Relaxed);
            self.shared.give_up(seq, times);
        }
    }

    fn post(&self, message: Message) -> bool {
        match self.writer.as_ref().map(|writer| writer.try_send(message)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }

    /// A link's new state. Lost where the queue is full: links are told again with the next change.
    pub(crate) fn link(&self, change: LinkChange) {
        self.post(Message::Link(change));
    }

    /// Batches that are in memory only, where there are some and the keeper takes more again.
    pub(super) fn hole(&self) -> Option<Hole> {
        let hole = *self.shared.hole();
        let calm = self.shared.pending.load(Ordering::Relaxed) < PENDING_BYTES / 4;
        hole.filter(|_| calm && !self.shared.failing.load(Ordering::Relaxed))
    }

    /// Which threads live.
    pub fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }

    /// Whether some batches are in memory only.
    pub fn missing_some(&self) -> bool {
        self.shared.hole().is_some()
    }

    /// First and last source time of the batches that are in memory only, and the number of the last of them.
    pub(crate) fn missing(&self) -> Option<(TimeRange, u64)> {
        self.hole().map(|hole| (hole.times, hole.last))
    }

    /// A chunk of what did not reach the journal, under the keeper's numbers; waits for the queue.
    pub(crate) fn make_up(&self, bytes: Bytes, samples: u32, times: TimeRange) {
        self.shared.pending.fetch_add(bytes.len(), Ordering::Relaxed);
        self.insist(Message::Tail { seq: 0, bytes, samples, times, came: instant() });
    }

    /// Before [`Self::made_up`], where memory no longer has everything that did not reach the journal: whoever waits for an answer
    /// must not get one.
    pub(crate) fn lose(&self) {
        self.shared.totals.lost.fetch_add(1, Ordering::Relaxed);
        self.shared.losses.send_modify(|losses| *losses += 1);
        let words = "memory ran out while history could not be written: samples that were not acknowledged are lost; \
                     their senders are told to send them again, those that want no answer are not";
        crate::term::warn(words);
    }

    /// How often [`Self::lose`] was called.
    pub(crate) fn losses(&self) -> watch::Receiver<u64> {
        self.shared.losses.subscribe()
    }

    /// After [`Self::make_up`]: everything up to this batch is in the journal now.
    pub(crate) fn made_up(&self, seq: u64) {
        self.insist(Message::Mended(seq));
    }

    /// Before the slabs of one round of sealing.
    pub(crate) fn sealing(&self, round: u64) {
        self.insist(Message::Mark(round));
    }

    /// Whether the sealing thread can take a lane without a wait.
    pub(crate) fn room(&self) -> bool {
        self.shared.queued.load(Ordering::Acquire) < LANES
    }

    /// A finished slab of a lane.
    pub(crate) fn lane(&self, sealed: Sealed) {
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        self.job(Job::Lane(sealed));
    }

    /// After the slabs: everything before `end` that came before [`Self::sealing`] is in some chunk.
    pub(crate) fn sealed(&self, round: u64, end: Timestamp) {
        // Where the thread waits for the disk, this round trims nothing and a later one does: samples come in meanwhile.
        if let Some(sealer) = &self.sealer {
            sealer.try_send(Job::End { round, end }).ok();
        }
    }

    /// Removes what is past its time at `now`, and says there that this server runs: should it be killed, that is how long it surely did.
    pub(crate) fn retain(&self, now: Timestamp) {
        self.post(Message::Lives(now));
        // The next minute will do where the thread is busy.
        if let Some(sealer) = &self.sealer {
            sealer.try_send(Job::Retain(now)).ok();
        }
    }

    /// Up to where finished rounds of sealing went: history before it is in chunks. None where nothing was sealed.
    pub fn sealed_until(&self) -> Option<Timestamp> {
        let until = self.shared.sealed_until.load(Ordering::Acquire);
        (until > i64::MIN).then_some(Timestamp::from_micros(until))
    }

    /// Bytes of chunks kept of a level; 0 where the keeper cannot be read now.
    pub fn kept_bytes(&self, level: twin_historian::Level) -> u64 {
        self.read().bytes(level).unwrap_or(0)
    }

    /// Number of the last round of sealing that was committed to its end.
    pub(crate) fn finished(&self) -> u64 {
        self.shared.finished.load(Ordering::Acquire)
    }

    /// From the first to the end of the last thing kept of any level; none where nothing is, or it can't be read now.
    pub(crate) fn extent(&self) -> Option<TimeRange> {
        let found = self.try_extent();
        found.inspect_err(|error| self.failed(error)).ok().flatten()
    }

    /// As [`Self::extent`].
    ///
    /// # Errors
    /// Where it can't be read now.
    pub(crate) fn try_extent(&self) -> Result<Option<TimeRange>, KeepError> {
        let reader = self.read();
        self.extent.lock().unwrap_or_else(PoisonError::into_inner).of(reader.as_ref())
    }

    /// A read of [`Self::read`] failed, which is over: counts it, and says so once.
    pub(crate) fn failed(&self, error: &KeepError) {
        self.shared.damage.failed(error, self.read().as_ref());
    }

    /// Readers are told that these are missing.
    pub(crate) fn tell_missing(&self, missing: &[Missing]) {
        self.shared.damage.missing(missing, self.read().as_ref());
    }

    /// What could not be read at the start, so that memory lacks it.
    pub(crate) fn absent(&self) -> &[Missing] {
        self.shared.damage.absent()
    }

    /// At the start: what could not be read then.
    pub(super) fn at_start(&self, missing: &[Missing]) {
        self.shared.damage.at_start(missing);
    }

    /// Kept pieces that can't be read, each once, as far as somebody tried.
    pub fn damaged(&self) -> u64 {
        self.shared.damage.count()
    }

    /// Reads that failed because the keeper could not be reached.
    pub fn refused_reads(&self) -> u64 {
        self.shared.damage.refused()
    }

    /// Why what is kept can't be read as a whole any more, so that nothing more is acknowledged; none where it can.
    pub fn unreadable(&self) -> Option<&str> {
        self.shared.damage.whole()
    }

    /// Looks once more whether what is kept can be read.
    pub fn look(&self) {
        self.shared.damage.look(self.read().as_ref());
    }

    /// The reader for answers; others wait meanwhile.
    pub(crate) fn read(&self) -> MutexGuard<'_, Box<dyn Historian>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chunks and marks are never given up: waiting for the thread is right for them.
    fn insist(&self, message: Message) {
        if let Some(writer) = &self.writer
            && writer.send(message).is_err()
        {
            self.shared.totals.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn job(&self, job: Job) {
        if let Some(sealer) = &self.sealer
            && sealer.send(job).is_err()
        {
            self.shared.totals.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything handed over so far is kept; false where it could not be.
    pub fn sync(&self) -> bool {
        let (done, wait) = sync_channel(1);
        let mut job = Some(Job::Sync(done));
        let begun = instant();
        loop {
            // The queue may be full of what the keeper refuses.
            match (job.take(), &self.sealer) {
                (Some(waiting), Some(sealer)) => match sealer.try_send(waiting) {
                    Err(TrySendError::Full(waiting)) => job = Some(waiting),
                    Err(TrySendError::Disconnected(_)) => return false,
                    Ok(()) => {}
                },
                (Some(_), None) => return false,
                (None, _) => {}
            }
            let look = if job.is_some() { LOOK } else { Duration::from_secs(1) };
            match wait.recv_timeout(look) {
                Ok(fine) => return fine,
                // A keeper that refuses for that long will not take it before the program stops either.
                Err(RecvTimeoutError::Timeout) if begun.elapsed() < if self.failing() { REFUSED } else { SYNC } => {}
                Err(_) => return false,
            }
        }
    }

    /// What was written so far.
    pub fn totals(&self) -> &PersistTotals {
        &self.shared.totals
    }

    /// Bytes of batches on their way to the keeper.
    pub fn pending(&self) -> usize {
        self.shared.pending.load(Ordering::Relaxed)
    }

    /// Whoever hands over ends where the keeper refuses, and says so: nothing is said of trying again.
    pub(crate) fn end_on_refusal(&self) {
        self.shared.ends.store(true, Ordering::Relaxed);
    }

    /// Why the keeper refused the last commit that it did.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the keeper refused the last commit.
    pub fn failing(&self) -> bool {
        self.shared.failing.load(Ordering::Relaxed)
    }
}

impl Drop for Persist {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // The committing handle is to be the last: it folds the log into the file. So this reader goes before the threads may end.
        *self.read() = Box::new(MemoryHistorian::new());
        // The sealing thread ends first, closes its reader and lets go of the other one.
        self.writer = None;
        self.sealer = None;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            thread.thread().unpark();
            thread.join().ok();
        }
    }
}
