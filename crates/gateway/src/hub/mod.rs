//! The middle of the server: what came in, what goes out, and who has seen how much of it.
//!
//! Holds the time store, the numbered batches and the links' states behind one lock that is only ever held for short
//! synchronous work. A client is nothing but a [`Place`] in the numbered stream: memory does not grow with slow clients,
//! because what a client missed is worked out when it can take it (newest sample per signal), not queued.

mod clients;
mod rounds;
mod texts;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::watch;
use twin_historian::{Appended, Store};
use twin_model::{Model, Sample, SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_protocol::{Batch, DictId, Dictionary, Entry, LinkChange, LinkState, ServerFrame, SourceLink, encode_server, pieces};

use crate::history::Persist;
use crate::history::damage::Missing;
use crate::lacks::Lacks;
use crate::ring::{Ring, RingLimits, Sent};
use crate::vitals::Vitals;

pub(crate) use clients::Next;
pub use clients::Place;
use rounds::Round;
use texts::Texts;

/// Link changes kept for history answers.
const LINK_CHANGES: usize = 10_000;

/// Totals for `/metrics`.
#[derive(Debug, Default)]
pub struct Totals {
    /// Samples taken in.
    pub samples: AtomicU64,
    /// Of them: those that said again what was held already.
    pub repeated: AtomicU64,
    /// Batches made.
    pub batches: AtomicU64,
    /// Bytes of batch frames, before they are sent to anybody.
    pub batch_bytes: AtomicU64,
    /// Times that a client got newest values instead of all.
    pub conflations: AtomicU64,
    /// Samples left out by that.
    pub left_out: AtomicU64,
    /// Clients now.
    pub clients: AtomicU64,
    /// Clients ever.
    pub clients_ever: AtomicU64,
    /// Connections that resumed with their missed batches.
    pub resumed: AtomicU64,
    /// Connections that had to be told of a gap.
    pub gaps: AtomicU64,
    /// Frames that made no sense.
    pub bad_frames: AtomicU64,
    /// Lines at `/ingest` that could not be used.
    pub bad_lines: AtomicU64,
    /// JSON forms of batches that were made, each for all viewers of that form.
    pub texts: AtomicU64,
}

/// Adds one or more to a total.
pub(crate) fn add(total: &AtomicU64, n: u64) {
    total.fetch_add(n, Ordering::Relaxed);
}

struct Inner {
    store: Store,
    seq: u64,
    total: u64,
    received: Timestamp,
    ring: Ring,
    pending: Vec<Entry>,
    /// Per signal the batch that last changed its live value.
    touched: Vec<u64>,
    links: Vec<SourceLink>,
    link_version: Vec<u64>,
    links_version: u64,
    link_changes: VecDeque<LinkChange>,
}

/// See the module's head.
pub struct Hub {
    model: Arc<Model>,
    epoch: u64,
    dictionary: Bytes,
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
    /// Without a keeper: the newest batch, which is as durable as it gets.
    flushed: watch::Sender<u64>,
    persist: Option<Persist>,
    round: Mutex<Round>,
    vitals: Arc<Vitals>,
    /// JSON forms of batches.
    texts: Texts,
    /// Before this, history is with the keeper only.
    cold: AtomicI64,
    /// Totals for `/metrics`.
    pub totals: Totals,
}

impl Hub {
    /// What an answer lacks of what was kept.
    pub(crate) fn lacking(&self, missing: &Missing) -> Lacks {
        let position = |number| self.persist()?.numbers().position(number).map(SignalIndex);
        Lacks { range: missing.range, signals: missing.signals(self.model(), position), why: missing.why.clone() }
    }

    /// [`Self::lacking`] of each.
    pub(crate) fn lacks(&self, missing: &[Missing]) -> Vec<Lacks> {
        missing.iter().map(|missing| self.lacking(missing)).collect()
    }

    /// A hub over `store`. `epoch` numbers this run of the server: its start in microseconds.
    pub fn new(model: Arc<Model>, epoch: Timestamp, ring: RingLimits, store: Store, persist: Option<Persist>) -> Self {
        let links = model.sources().iter().map(|source| SourceLink {
            source: source.id.clone(),
            state: LinkState::Unknown,
            since: epoch,
            detail: String::new(),
        });
        let inner = Inner {
            store,
            seq: 0,
            total: 0,
            received: Timestamp::MIN,
            ring: Ring::new(ring),
            pending: Vec::new(),
            touched: vec![0; model.signals().len()],
            link_version: vec![0; model.sources().len()],
            links: links.collect(),
            links_version: 0,
            link_changes: VecDeque::new(),
        };
        let dictionary = encode_server(&ServerFrame::Dictionary(Dictionary::of(&model))).into();
        let vitals = persist.as_ref().map_or_else(Arc::default, |persist| persist.vitals().clone());
        let epoch = u64::try_from(epoch.as_micros()).unwrap_or(0);
        Self {
            model,
            epoch,
            dictionary,
            inner: Mutex::new(inner),
            changed: watch::Sender::new(0),
            flushed: watch::Sender::new(0),
            persist,
            round: Mutex::new(Round::default()),
            vitals,
            texts: Texts::default(),
            cold: AtomicI64::new(i64::MIN),
            totals: Totals::default(),
        }
    }

    /// Which parts of the program live.
    pub fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }

    /// The site's model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Number of this run.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The dictionary frame, in binary form.
    pub fn dictionary(&self) -> Bytes {
        self.dictionary.clone()
    }

    /// Wakes when there may be something new for clients.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held leaves at worst one unfinished batch: going on beats dying.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the time store. Keep it short: everything else waits.
    pub fn with_store<T>(&self, f: impl FnOnce(&mut Store) -> T) -> T {
        f(&mut self.lock().store)
    }

    /// Puts samples into history only: what was known before the server started. Nobody is told. What does not fill an
    /// hour yet at `now` goes to disk as batches, the rest with the next [`Self::seal`].
    pub fn preload(&self, samples: &[(SignalIndex, Sample)], now: Timestamp) {
        let mut inner = self.lock();
        let unsealed = now.floor_to(inner.store.config().slab);
        let mut tail = Vec::new();
        for (signal, sample) in samples {
            let sample = sample.clone().admitted();
            inner.store.append(*signal, &sample);
            if self.journals() && sample.source_time >= unsealed {
                tail.push(Entry { id: DictId(signal.0), sample });
            }
        }
        drop(inner);
        let Some(persist) = &self.persist else { return };
        for entries in pieces(tail) {
            let (times, samples) = (times_of(&entries), entries.len() as u32);
            let frame = encode_server(&ServerFrame::Batch(Batch { seq: 0, entries }));
            persist.make_up(frame.into(), samples, times);
        }
    }

    /// Whether batches are worth a journal: where what is kept outlives the program.
    fn journals(&self) -> bool {
        self.persist.as_ref().is_some_and(Persist::outlives)
    }

    /// The number of the newest batch that, with all before it, survives a kill (and a power cut, as `--sync` has it). Without
    /// a data folder nothing does, and this is simply the newest batch.
    pub fn durable(&self) -> watch::Receiver<u64> {
        let kept = self.persist.as_ref().filter(|persist| persist.outlives());
        kept.map_or_else(|| self.flushed.subscribe(), Persist::durable)
    }

    /// Takes samples in: into the store at once, to clients and disk with the next [`Self::flush`]. One without a value is bad,
    /// whatever it says ([`Sample::admitted`]).
    pub fn ingest(&self, samples: &[(SignalIndex, Sample)]) {
        self.take_in(&mut samples.to_vec());
    }

    /// As [`Self::ingest`], without a copy: empties `samples`.
    pub fn take_in(&self, samples: &mut Vec<(SignalIndex, Sample)>) {
        if samples.is_empty() {
            return;
        }
        add(&self.totals.samples, samples.len() as u64);
        let mut inner = self.lock();
        let Inner { store, pending, .. } = &mut *inner;
        pending.reserve(samples.len());
        // A sender that repeats itself (a reading that is published again with its own time) has said nothing new: had the repetition the
        // place of the first, nobody could tell any more that it was known before. What the disk gave up is taken again.
        let whole = self.persist.as_ref().is_none_or(|persist| persist.totals().given_up.load(Ordering::Relaxed) == 0);
        for (signal, sample) in samples.drain(..) {
            let sample = sample.admitted();
            if whole && store.repeats(signal, &sample) {
                add(&self.totals.repeated, 1);
                continue;
            }
            if store.append(signal, &sample) != Appended::Quarantined {
                pending.push(Entry { id: DictId(signal.0), sample });
            }
        }
    }

    /// Makes a batch of what came in since the last one and wakes the clients.
    pub fn flush(&self) {
        let mut inner = self.lock();
        if inner.pending.is_empty() {
            return;
        }
        // By count and by bytes, so that a frame stays far below every limit of its readers.
        for entries in pieces(std::mem::take(&mut inner.pending)) {
            self.send(&mut inner, entries);
        }
        let seq = inner.seq;
        drop(inner);
        self.flushed.send_replace(seq);
        self.changed.send_replace(seq);
    }

    fn send(&self, inner: &mut Inner, entries: Vec<Entry>) {
        inner.seq += 1;
        inner.total += entries.len() as u64;
        let (times, samples) = (times_of(&entries), entries.len() as u32);
        for entry in &entries {
            inner.received = inner.received.max(entry.sample.received_time);
            if let Some(touched) = inner.touched.get_mut(entry.id.0 as usize) {
                *touched = inner.seq;
            }
        }
        let frame: Bytes = encode_server(&ServerFrame::Batch(Batch { seq: inner.seq, entries })).into();
        add(&self.totals.batches, 1);
        add(&self.totals.batch_bytes, frame.len() as u64);
        if let Some(persist) = self.persist.as_ref().filter(|persist| persist.outlives()) {
            persist.tail(inner.seq, frame.clone(), samples, times);
        }
        inner.ring.push(Sent { seq: inner.seq, frame, total: inner.total, received: inner.received });
    }

    /// Notes the state of a link; tells clients where it differs from before.
    pub fn set_link(&self, source: SourceIndex, state: LinkState, detail: &str, now: Timestamp) {
        let mut inner = self.lock();
        let version = inner.links_version + 1;
        let Some(link) = inner.links.get_mut(source.at()).filter(|link| link.state != state || link.detail != detail) else {
            return;
        };
        if link.state != state {
            link.since = now;
        }
        link.state = state;
        detail.clone_into(&mut link.detail);
        inner.links_version = version;
        if let Some(slot) = inner.link_version.get_mut(source.at()) {
            *slot = version;
        }
        let change = LinkChange { source: source.0, state, at: now };
        if inner.link_changes.len() >= LINK_CHANGES {
            inner.link_changes.pop_front();
        }
        inner.link_changes.push_back(change);
        let seq = inner.seq;
        drop(inner);
        if let Some(persist) = &self.persist {
            persist.link(change);
        }
        self.changed.send_replace(seq);
    }

    /// Link changes that were known before this run, oldest first.
    pub fn preload_links(&self, changes: impl IntoIterator<Item = LinkChange>) {
        self.lock().link_changes.extend(changes);
    }

    /// The state of each source at `range`'s start and the changes within it, in time order.
    pub fn links_in(&self, range: TimeRange) -> Vec<LinkChange> {
        let inner = self.lock();
        let mut before = vec![None; self.model.sources().len()];
        let mut within = Vec::new();
        for change in &inner.link_changes {
            if change.at < range.start {
                if let Some(slot) = before.get_mut(change.source as usize) {
                    *slot = Some(*change);
                }
            } else if change.at < range.end {
                within.push(*change);
            }
        }
        before.into_iter().flatten().chain(within).collect()
    }

    /// States of all links now.
    pub fn links(&self) -> Vec<SourceLink> {
        self.lock().links.clone()
    }

    /// Number of the newest batch.
    pub fn seq(&self) -> u64 {
        self.lock().seq
    }

    /// Batches and bytes held for back-fill.
    pub fn backfill(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.ring.len(), inner.ring.bytes())
    }

    /// Where history is kept beyond this store.
    pub fn persist(&self) -> Option<&Persist> {
        self.persist.as_ref()
    }

    /// What history holds: here, and with the keeper before that. What can't be read is part of it.
    pub fn extent(&self) -> Option<TimeRange> {
        let absent = self.persist.as_ref().map_or(&[][..], |persist| persist.absent());
        self.readable().into_iter().chain(absent.iter().map(|missing| missing.range)).reduce(TimeRange::union)
    }

    fn readable(&self) -> Option<TimeRange> {
        let here = self.lock().store.extent();
        let Some((persist, _)) = self.persist.as_ref().zip(self.cold()) else { return here };
        let Some(kept) = persist.extent() else { return here };
        // What is left here of given-up slabs says nothing about where history begins; what came late and is in no chunk yet does.
        let start = self.lock().store.first_changed().map_or(kept.start, |late| late.min(kept.start));
        Some(here.map_or(kept, |here| TimeRange::new(start, here.end.max(start))))
    }
}

/// First and last source time.
fn times_of(entries: &[Entry]) -> TimeRange {
    let times = entries.iter().map(|entry| entry.sample.source_time);
    let start = times.clone().min().unwrap_or(Timestamp::MAX);
    TimeRange::new(start, times.max().unwrap_or(Timestamp::MIN))
}
