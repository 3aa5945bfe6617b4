//! The thread that commits: it gathers what came within a few milliseconds, commits it together and says up to which batch
//! history is durable. Knows no files; where the keeper refuses, everything waits in bounded memory for the next try.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::watch;
use twin_historian::historian::{Change, Historian, KeepError, Position};
use twin_model::{TimeRange, Timestamp};
use twin_protocol::LinkChange;

use super::damage::Damage;
use super::links::Links;
use super::series::Numbers;
use crate::clock::instant;

/// How long after a refusal the keeper is asked again.
pub(super) const AGAIN: Duration = Duration::from_millis(500);

/// What the threads did, for `/metrics`.
#[derive(Debug, Default)]
pub struct PersistTotals {
    /// Transactions.
    pub commits: AtomicU64,
    /// Transactions that failed.
    pub errors: AtomicU64,
    /// Batches that found the queue full; their samples are written with [`crate::hub::Hub::mend`] or when their hour is sealed.
    pub given_up: AtomicU64,
    /// Bytes of journal entries and chunks written.
    pub bytes: AtomicU64,
    /// Chunks removed because their time was over.
    pub expired: AtomicU64,
    /// Bytes of those.
    pub expired_bytes: AtomicU64,
    /// Times that samples were in memory only and were pushed out of it before they could be written.
    pub lost: AtomicU64,
    /// Longest time from the arrival of a batch to its commit, in microseconds.
    pub slowest_us: AtomicU64,
}

/// Batches that are in memory and in no journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) times: TimeRange,
}

/// What both threads and their callers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) totals: PersistTotals,
    /// Bytes of batches on their way.
    pub(super) pending: AtomicUsize,
    /// Lanes on their way to the sealer.
    pub(super) queued: AtomicUsize,
    /// End of what the finished rounds of sealing covered, in microseconds.
    pub(super) sealed_until: AtomicI64,
    /// Number of the last round of sealing that was committed to its end.
    pub(super) finished: AtomicU64,
    pub(super) damage: Damage,
    pub(super) failing: AtomicBool,
    /// Why the last commit that failed did.
    pub(super) refusal: Mutex<Option<String>>,
    /// Whoever hands over ends where the keeper refuses, and says so.
    pub(super) ends: AtomicBool,
    pub(super) stopping: AtomicBool,
    hole: Mutex<Option<Hole>>,
    /// Counts [`PersistTotals::lost`], for those who wait to be told that their samples are safe.
    pub(super) losses: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(sealed_until: i64) -> Self {
        Self {
            totals: PersistTotals::default(),
            pending: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            sealed_until: AtomicI64::new(sealed_until),
            finished: AtomicU64::new(0),
            damage: Damage::default(),
            failing: AtomicBool::new(false),
            refusal: Mutex::default(),
            ends: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            hole: Mutex::new(None),
            losses: watch::Sender::new(0),
        }
    }

    pub(super) fn hole(&self) -> MutexGuard<'_, Option<Hole>> {
        self.hole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a batch that does not reach the journal: nothing from it on is durable until it is mended.
    pub(super) fn give_up(&self, seq: u64, times: TimeRange) {
        self.totals.given_up.fetch_add(1, Ordering::Relaxed);
        let mut hole = self.hole();
        *hole = Some(match *hole {
            None => Hole { first: seq, last: seq, times },
            Some(old) => Hole { last: seq, times: old.times.union(times), ..old },
        });
    }
}

/// What the thread is told.
pub(super) enum Message {
    /// A batch as it went to clients, or a chunk of what did not reach the journal.
    Tail {
        seq: u64,
        bytes: Bytes,
        samples: u32,
        times: TimeRange,
        came: Instant,
    },
    Link(LinkChange),
    /// The server runs, by its clock.
    Lives(Timestamp),
    /// The tails before this hold everything of a hole up to this batch.
    Mended(u64),
    /// A round of sealing begins: chunks hold what came before this.
    Mark(u64),
    /// Together in one commit; handed back where that failed.
    Changes(Vec<Change>, SyncSender<Option<Vec<Change>>>),
    /// All chunks of a round are committed: the journal before its mark can go as far as it is older than `end`.
    Finish {
        round: u64,
        end: Timestamp,
        done: SyncSender<bool>,
    },
    Sync(SyncSender<bool>),
}

/// See the module's head.
pub(super) struct Writer {
    pub(super) keeper: Box<dyn Historian>,
    pub(super) links: Links,
    pub(super) sources: Vec<String>,
    /// Batches have positions, the journal has numbers.
    numbers: Arc<Numbers>,
    pub(super) shared: Arc<Shared>,
    pub(super) durable: watch::Sender<u64>,
    pub(super) every: Duration,
    group: Vec<Change>,
    group_bytes: usize,
    oldest: Option<Instant>,
    seq: u64,
    mended: u64,
    marks: BTreeMap<u64, Position>,
    last: Position,
}

impl Writer {
    pub(super) fn new(
        keeper: Box<dyn Historian>,
        links: Links,
        sources: Vec<String>,
        numbers: Arc<Numbers>,
        shared: Arc<Shared>,
        durable: watch::Sender<u64>,
        every: Duration,
    ) -> Self {
        let (group, marks) = (Vec::new(), BTreeMap::new());
        Self {
            keeper,
            links,
            sources,
            numbers,
            shared,
            durable,
            every,
            group,
            group_bytes: 0,
            oldest: None,
            seq: 0,
            mended: 0,
            marks,
            last: Position(0),
        }
    }

    pub(super) fn run(mut self, receive: &Receiver<Message>) {
        let mut due: Option<Instant> = None;
        loop {
            let wait = due.map_or(Duration::from_secs(3_600), |due| due.saturating_duration_since(instant()));
            let fine = match receive.recv_timeout(wait) {
                Ok(message) => match self.take(message) {
                    None => {
                        // Not longer than `every` after the first of the group.
                        let at = *due.get_or_insert_with(|| instant() + self.every);
                        if at > instant() {
                            continue;
                        }
                        self.commit(Vec::new()).is_ok()
                    }
                    Some(fine) => fine,
                },
                Err(RecvTimeoutError::Timeout) => self.commit(Vec::new()).is_ok(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit(Vec::new()).ok();
                    return;
                }
            };
            due = if fine { None } else { Some(instant() + AGAIN) };
        }
    }

    /// None where the message waits for the group's commit; otherwise whether its own commit went well.
    fn take(&mut self, message: Message) -> Option<bool> {
        match message {
            Message::Tail { seq, bytes, samples, times, came } => {
                self.seq = self.seq.max(seq);
                self.oldest.get_or_insert(came);
                self.group_bytes += bytes.len();
                let append = |bytes: &[u8], samples: u32| Change::Append { times, bytes: bytes.into(), samples };
                // What is made up for comes as chunks, under numbers.
                if self.numbers.same() || twin_historian::chunk::is_chunk(&bytes) {
                    self.group.push(append(&bytes, samples));
                } else {
                    match self.numbers.frames(&bytes) {
                        Ok(frames) => self.group.extend(frames.iter().map(|(frame, samples)| append(frame, *samples))),
                        Err(error) => {
                            // Never of a frame that the hub made; kept all the same, for `fsck` to set aside.
                            tracing::error!(%error, "a batch can't be numbered");
                            self.group.push(append(&bytes, samples));
                        }
                    }
                }
                None
            }
            Message::Link(change) => {
                if let Some(source) = self.sources.get(change.source as usize) {
                    self.links.push(change.at, source, change.state);
                }
                None
            }
            Message::Lives(now) => {
                self.links.live(now);
                None
            }
            Message::Mended(seq) => {
                self.mended = seq;
                self.seq = self.seq.max(seq);
                None
            }
            Message::Mark(round) => {
                let fine = self.commit(Vec::new()).is_ok();
                // Where that failed, only what was committed before counts as covered: less is trimmed, nothing is lost.
                self.marks.insert(round, self.last);
                Some(fine)
            }
            Message::Changes(changes, done) => {
                let result = self.commit(changes);
                let fine = result.is_ok();
                done.send(result.err()).ok();
                Some(fine)
            }
            Message::Finish { round, end, done } => {
                let fine = self.finish(round, end);
                done.send(fine).ok();
                Some(fine)
            }
            Message::Sync(done) => {
                let fine = self.commit(Vec::new()).is_ok();
                done.send(fine).ok();
                Some(fine)
            }
        }
    }

    /// Commits the end of a round of sealing, with what may leave the journal.
    fn finish(&mut self, round: u64, end: Timestamp) -> bool {
        let upto = self.marks.get(&round).copied().unwrap_or(Position(0));
        let until = self.shared.sealed_until.load(Ordering::Acquire).max(end.as_micros());
        let note = Change::Note { name: super::SEALED.to_owned(), text: until.to_string() };
        let fine = self.commit(vec![Change::Trim { upto, before: end }, note]).is_ok();
        if fine {
            self.marks = self.marks.split_off(&(round + 1));
            self.shared.sealed_until.store(until, Ordering::Release);
            self.shared.finished.store(round, Ordering::Release);
        }
        fine
    }

    /// Writes the group and `extra` in one transaction; keeps the group and hands `extra` back where that fails.
    fn commit(&mut self, extra: Vec<Change>) -> Result<(), Vec<Change>> {
        let mut changes = std::mem::take(&mut self.group);
        let (own, links) = (changes.len(), self.links.changes());
        let from = own + links.len();
        changes.extend(links);
        changes.extend(extra);
        if changes.is_empty() {
            self.publish();
            return Ok(());
        }
        // What nobody could read back is not worth an acknowledgement.
        match self.shared.damage.sound().and_then(|()| self.keeper.commit(&changes)) {
            Ok(position) => {
                self.last = position;
                self.links.committed();
                self.committed(&changes);
                Ok(())
            }
            Err(error) => {
                let extra = changes.split_off(from);
                changes.truncate(own);
                self.group = changes;
                self.shared.totals.errors.fetch_add(1, Ordering::Relaxed);
                *self.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                if !self.shared.failing.swap(true, Ordering::Relaxed) && !self.shared.ends.load(Ordering::Relaxed) {
                    let (whose, help) = match error {
                        KeepError::Damaged { .. } => (
                            "history can't be written: ",
                            "; `orrery fsck` lists what is wrong, `orrery fsck --repair` saves what can be read",
                        ),
                        KeepError::Unavailable { .. } => ("", ""),
                    };
                    crate::term::warn(&format!(
                        "{whose}{error}{help}; samples wait in memory and are not acknowledged, trying again twice a second"
                    ));
                }
                Err(extra)
            }
        }
    }

    fn committed(&mut self, changes: &[Change]) {
        let totals = &self.shared.totals;
        totals.commits.fetch_add(1, Ordering::Relaxed);
        let bytes = |change: &Change| match change {
            Change::Put(chunk) => chunk.bytes.len(),
            Change::Append { bytes, .. } => bytes.len(),
            _ => 0,
        };
        totals.bytes.fetch_add(changes.iter().map(bytes).sum::<usize>() as u64, Ordering::Relaxed);
        if let Some(oldest) = self.oldest.take() {
            let took = u64::try_from(oldest.elapsed().as_micros()).unwrap_or(u64::MAX);
            totals.slowest_us.fetch_max(took, Ordering::Relaxed);
        }
        self.shared.pending.fetch_sub(std::mem::take(&mut self.group_bytes), Ordering::Relaxed);
        if self.shared.failing.swap(false, Ordering::Relaxed) {
            crate::term::warn("history is written again; what waited is on disk");
        }
        self.publish();
    }

    /// Says how far everything is committed.
    fn publish(&self) {
        let mut hole = self.shared.hole();
        *hole = hole.filter(|hole| hole.last > self.mended);
        let upto = hole.map_or(self.seq, |hole| self.seq.min(hole.first.saturating_sub(1)));
        drop(hole);
        self.durable.send_if_modified(|durable| {
            let newer = upto > *durable;
            *durable = upto.max(*durable);
            newer
        });
    }
}
