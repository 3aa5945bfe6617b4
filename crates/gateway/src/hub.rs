//! The middle of the server: what came in, what goes out, and who has seen how much of it.
//!
//! Holds the time store, the numbered batches and the links' states behind one lock that is only ever held for short
//! synchronous work. A client is nothing but a [`Place`] in the numbered stream: memory does not grow with slow clients,
//! because what a client missed is worked out when it can take it (newest sample per signal), not queued.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::watch;
use twin_historian::{Appended, Direction, Store, StoreConfig};
use twin_model::{Model, Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::{
    Batch, DictId, Dictionary, Entry, Gap, GapReason, Lag, LinkChange, LinkState, Resume, ServerFrame, Snapshot, SourceLink,
    encode_server,
};

use crate::history::{Persist, pages};
use crate::ring::{Ring, RingLimits, Sent};

/// A client this many batches behind gets newest values instead of every batch.
const CONFLATE_AFTER: u64 = 32;
/// Link changes kept for history answers.
const LINK_CHANGES: usize = 10_000;
/// Lanes looked at in one step of sealing where they have nothing to seal.
const SEAL_LANES: u32 = 64;
/// What the hub holds at most before the newest finished slab; the rest is the keeper's.
const HOT: Span = Span::from_secs(86_400);
/// A batch is cut here, so that its frame stays far below every limit.
const BATCH_SAMPLES: usize = 50_000;

/// An empty store for the signals of a model.
pub fn empty_store(model: &Model, budget_bytes: usize) -> Store {
    let config = StoreConfig { budget_bytes, ..StoreConfig::default() };
    Store::new(model.signals().iter().map(Into::into), config)
}

/// Totals for `/metrics`.
#[derive(Debug, Default)]
pub struct Totals {
    /// Samples taken in.
    pub samples: AtomicU64,
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
}

/// Adds one or more to a total.
pub(crate) fn add(total: &AtomicU64, n: u64) {
    total.fetch_add(n, Ordering::Relaxed);
}

/// Where a client is in the stream. The whole memory that a client costs.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Last batch that it got.
    seq: u64,
    /// Samples up to there.
    total: u64,
    /// Newest receive time up to there.
    received: Timestamp,
    /// Up to here it gets every batch, however far behind it is: the back-fill of a resume.
    whole_until: u64,
    links_version: u64,
}

impl Place {
    /// The same place of a client that wants every batch that is still held, never conflated ones.
    pub(crate) fn whole(self) -> Self {
        Self { whole_until: u64::MAX, ..self }
    }
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

/// One pass over all lanes, in which finished slabs are handed to the keeper and old ones given up.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    number: u64,
    next_lane: u32,
    /// The lane was looked at before in this round.
    again: bool,
    /// The round before is committed to the end, so that what it sealed may be given up here.
    gives_up: bool,
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
    /// Before this, history is with the keeper only.
    cold: AtomicI64,
    /// Totals for `/metrics`.
    pub totals: Totals,
}

impl Hub {
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
            cold: AtomicI64::new(i64::MIN),
            totals: Totals::default(),
        }
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
            inner.store.append(*signal, sample);
            if self.journals() && sample.source_time >= unsealed {
                tail.push(Entry { id: DictId(signal.0), sample: sample.clone() });
            }
        }
        drop(inner);
        let Some(persist) = &self.persist else { return };
        for entries in tail.chunks(BATCH_SAMPLES) {
            let times = times_of(entries);
            let frame = encode_server(&ServerFrame::Batch(Batch { seq: 0, entries: entries.to_vec() }));
            persist.make_up(frame.into(), times);
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

    /// Takes samples in: into the store at once, to clients and disk with the next [`Self::flush`].
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
        for (signal, sample) in samples.drain(..) {
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
        let mut pending = std::mem::take(&mut inner.pending);
        while !pending.is_empty() {
            let rest = pending.split_off(pending.len().min(BATCH_SAMPLES));
            self.send(&mut inner, pending);
            pending = rest;
        }
        let seq = inner.seq;
        drop(inner);
        self.flushed.send_replace(seq);
        self.changed.send_replace(seq);
    }

    fn send(&self, inner: &mut Inner, entries: Vec<Entry>) {
        inner.seq += 1;
        inner.total += entries.len() as u64;
        let times = times_of(&entries);
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
            persist.tail(inner.seq, frame.clone(), times);
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

    /// What a new client gets first, after hello and dictionary, and where it is then.
    pub fn open(&self, resume: Option<Resume>, now: Timestamp) -> (Vec<ServerFrame>, Place) {
        let inner = self.lock();
        let mut frames = vec![ServerFrame::Sources(inner.links.clone())];
        // What waits for the first batch was received before this client came, and may be conflated all the same.
        let waiting = inner.pending.iter().map(|entry| entry.sample.received_time).min();
        let mut place = Place {
            seq: inner.seq,
            total: inner.total,
            received: if inner.seq == 0 { waiting.unwrap_or(now).min(now) } else { inner.received },
            whole_until: inner.seq,
            links_version: inner.links_version,
        };
        if let Some(resume) = resume {
            if resume.epoch == self.epoch && resume.seq == inner.seq {
                add(&self.totals.resumed, 1);
                return (frames, place);
            }
            if resume.epoch == self.epoch
                && let Some(next) = inner.ring.get(resume.seq.saturating_add(1))
            {
                let last = inner.ring.get(resume.seq);
                // The first batch held may be the first one missed; what came before it is then only known by count.
                place.seq = resume.seq;
                place.total = last.map_or(next.total, |last| last.total);
                place.received = last.map_or(next.received, |last| last.received).min(resume.last_time.unwrap_or(Timestamp::MAX));
                add(&self.totals.resumed, 1);
                return (frames, place);
            }
            let reason = if resume.epoch == self.epoch { GapReason::Away } else { GapReason::Restarted };
            // A client that has nothing may have missed everything that is held.
            let first = || self.extent_start(&inner).min(now);
            let from = resume.last_time.unwrap_or_else(first);
            // What came at this very microsecond may have been missed, too.
            let end = now.max(Timestamp::from_micros(inner.received.as_micros().saturating_add(1)));
            frames.push(ServerFrame::Gap(Gap { range: TimeRange::new(from.min(end), end), reason }));
            add(&self.totals.gaps, 1);
        }
        let live = |signal: SignalIndex| inner.store.live(signal).map(|sample| Entry { id: DictId(signal.0), sample });
        let entries = self.model.signal_indices().filter_map(live).collect();
        frames.push(ServerFrame::Snapshot(Snapshot { seq: inner.seq, at: now, entries }));
        (frames, place)
    }

    /// Before anything that is held was received: the start of history or of this run, whichever is earlier.
    fn extent_start(&self, inner: &Inner) -> Timestamp {
        let run = Timestamp::from_micros(i64::try_from(self.epoch).unwrap_or(0));
        inner.store.extent().map_or(run, |extent| extent.start.min(run))
    }

    /// The next frames for a client, in binary form; empty when it has everything. Moves its place.
    pub fn next(&self, place: &mut Place) -> Vec<Bytes> {
        let inner = self.lock();
        let mut frames = Vec::new();
        if place.links_version < inner.links_version {
            let changed = inner.links.iter().zip(&inner.link_version).filter(|(_, version)| **version > place.links_version);
            frames.push(encode_server(&ServerFrame::Sources(changed.map(|(link, _)| link.clone()).collect())).into());
            place.links_version = inner.links_version;
        }
        if place.seq >= inner.seq {
            return frames;
        }
        let behind = inner.seq - place.seq;
        match inner.ring.get(place.seq + 1) {
            Some(sent) if behind <= CONFLATE_AFTER || place.seq < place.whole_until => {
                frames.push(sent.frame.clone());
                (place.seq, place.total, place.received) = (sent.seq, sent.total, sent.received);
            }
            _ => self.conflate(&inner, place, &mut frames),
        }
        frames
    }

    fn conflate(&self, inner: &Inner, place: &mut Place, frames: &mut Vec<Bytes>) {
        let missed = |signal: &SignalIndex| inner.touched.get(signal.at()).is_some_and(|seq| *seq > place.seq);
        let newest = |signal: SignalIndex| inner.store.live(signal).map(|sample| Entry { id: DictId(signal.0), sample });
        let entries: Vec<Entry> = self.model.signal_indices().filter(missed).filter_map(newest).collect();
        let left_out = (inner.total - place.total).saturating_sub(entries.len() as u64);
        // Newest values may be of what waits for its batch: what was received beside them is left out here, too.
        let newest = entries.iter().map(|entry| entry.sample.received_time).fold(inner.received, Timestamp::max);
        let end = Timestamp::from_micros(newest.as_micros().saturating_add(1));
        let lag = Lag { from_seq: place.seq, to_seq: inner.seq, left_out, range: TimeRange::new(place.received, end) };
        frames.push(encode_server(&ServerFrame::Lag(lag)).into());
        frames.push(encode_server(&ServerFrame::Batch(Batch { seq: inner.seq, entries })).into());
        (place.seq, place.total, place.received) = (inner.seq, inner.total, inner.received);
        add(&self.totals.conflations, 1);
        add(&self.totals.left_out, left_out);
    }

    /// Hands finished hours to the keeper, all at once, waiting where it is busy: for starts and tests.
    pub fn seal(&self, upto: Timestamp) {
        self.seal_begin();
        while self.seal_step(upto) {
            if self.persist.as_ref().is_some_and(|persist| !persist.room()) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }

    /// Begins handing finished hours to the keeper; [`Self::seal_step`] goes on with it.
    pub fn seal_begin(&self) {
        let Some(persist) = &self.persist else { return };
        let mut round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let gives_up = persist.finished() >= round.number;
        *round = Round { number: round.number + 1, gives_up, ..Round::default() };
        persist.sealing(round.number);
    }

    /// One slab of one lane (some tens of milliseconds); false once all of what ended before `upto` is handed over. Gives up
    /// what is old on the way.
    pub fn seal_step(&self, upto: Timestamp) -> bool {
        let Some(persist) = &self.persist else { return false };
        if !persist.room() {
            return true;
        }
        let mut round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        if round.next_lane == 0 && !round.again && round.gives_up {
            self.choose_cold(persist, upto);
        }
        for _ in 0..SEAL_LANES {
            let lane = round.next_lane;
            let (sealed, slab, more) = self.with_store(|store| {
                let first_signal = lane * store.config().lane_signals;
                let more = (first_signal as usize) < store.signals();
                // Before sealing: what this round seals stays until it is committed, so that no reader misses it.
                if let Some(cold) = self.cold().filter(|_| round.gives_up && !round.again) {
                    store.evict_lane(first_signal, cold);
                }
                let sealed = if more { store.seal_lane(first_signal, upto, 1) } else { Vec::new() };
                (sealed, store.config().slab, more)
            });
            if !more {
                (round.next_lane, round.again) = (0, true);
                persist.sealed(round.number, upto.floor_to(slab));
                return false;
            }
            if !sealed.is_empty() {
                round.again = true;
                sealed.into_iter().for_each(|sealed| persist.lane(sealed));
                return true;
            }
            round.next_lane += 1;
            round.again = false;
        }
        true
    }

    /// Moves the mark before which history is the keeper's alone: a day back, and further on while the store takes more than
    /// half its budget. Never beyond what is kept.
    fn choose_cold(&self, persist: &Persist, upto: Timestamp) {
        let Some(kept) = persist.sealed_until() else { return };
        let now = self.cold();
        let next = self.with_store(|store| {
            let slab = store.config().slab;
            let mut next = (upto - HOT).floor_to(slab);
            let (bytes, most) = (store.bytes().total(), store.config().budget_bytes / 2);
            let first = now.or_else(|| store.extent().map(|extent| extent.start)).map(|t| t.floor_to(slab));
            if let Some(first) = first.filter(|first| bytes > most && *first < kept) {
                let over = (bytes - most) as f64 / bytes as f64;
                let share = Span::from_secs_f64(kept.since(first).as_secs_f64() * over);
                next = next.max((first + share).floor_to(slab) + slab);
            }
            let next = next.min(kept.floor_to(slab));
            let useful = first.is_some_and(|first| next > first);
            if useful && now.is_none_or(|now| next > now) {
                store.note_elsewhere(TimeRange::new(Timestamp::MIN, next));
            }
            useful.then_some(next)
        });
        if let Some(next) = next.filter(|next| now.is_none_or(|now| *next > now)) {
            self.cold.store(next.as_micros(), Ordering::Release);
        }
    }

    /// Before this, history is with the keeper only; none where all of it is here.
    pub fn cold(&self) -> Option<Timestamp> {
        let cold = self.cold.load(Ordering::Acquire);
        (cold > i64::MIN).then_some(Timestamp::from_micros(cold))
    }

    /// Says that history before `t` was not loaded.
    pub fn note_cold(&self, t: Timestamp) {
        self.cold.fetch_max(t.as_micros(), Ordering::AcqRel);
    }

    /// Brings what did not reach the journal (the disk was full, or slow) into it after all, from memory.
    pub fn mend(&self) {
        let Some(persist) = &self.persist else { return };
        let Some((times, seq)) = persist.missing() else { return };
        let range = TimeRange::new(times.start, Timestamp::from_micros(times.end.as_micros().saturating_add(1)));
        // Slab by slab, so that nobody waits long for the lock.
        let slab = self.with_store(|store| store.config().slab);
        let mut from = range.start;
        while from < range.end {
            let Some(next) = self.with_store(|store| store.next_time(from - Span::from_micros(1), Direction::Forward)) else {
                break;
            };
            from = next;
            let to = (from.floor_to(slab) + slab).min(range.end);
            for chunk in self.with_store(|store| store.export_chunks(TimeRange::new(from, to))) {
                let times = TimeRange::new(chunk.key.start, chunk.key.end);
                persist.make_up(chunk.bytes.into(), times);
            }
            from = to.max(from + Span::from_micros(1));
        }
        persist.made_up(seq);
    }

    /// Removes kept history whose time is over at `now`, in the keeper's own thread.
    pub fn retain(&self, now: Timestamp) {
        if let Some(persist) = &self.persist {
            persist.retain(now);
        }
    }

    /// Where history is kept beyond this store.
    pub fn persist(&self) -> Option<&Persist> {
        self.persist.as_ref()
    }

    /// What history holds: here, and with the keeper before that.
    pub fn extent(&self) -> Option<TimeRange> {
        let here = self.lock().store.extent();
        let Some((persist, _)) = self.persist.as_ref().zip(self.cold()) else { return here };
        let Some(kept) = pages::extent(persist.read().as_ref()).ok().flatten() else { return here };
        // What is left here of given-up slabs says nothing about where history begins.
        Some(here.map_or(kept, |here| TimeRange::new(kept.start, here.end.max(kept.start))))
    }
}

/// First and last source time.
fn times_of(entries: &[Entry]) -> TimeRange {
    let times = entries.iter().map(|entry| entry.sample.source_time);
    let start = times.clone().min().unwrap_or(Timestamp::MAX);
    TimeRange::new(start, times.max().unwrap_or(Timestamp::MIN))
}
