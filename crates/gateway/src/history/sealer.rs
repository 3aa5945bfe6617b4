//! The thread that turns finished slabs into what is kept of them: the raw chunk joined with the one kept before, the coarser
//! levels, what is carried into later slabs; and that removes what is past its time. Lane by lane, so that the thread which
//! commits batches never waits long. Reads the keeper, and leaves writing to [`super::writer`].

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use twin_historian::chunk::{self, Coarse};
use twin_historian::historian::{Blob, Change, Historian, KeepError, Retention};
use twin_historian::{Chunk, ChunkKey, Level, Sealed};
use twin_model::{Span, TimeRange, Timestamp};

use super::writer::{AGAIN, Message, Shared};
use super::{ALWAYS, outside, outside_note};

/// Changes of one commit of retention or of filling in.
const STEP: usize = 256;
/// Commits of one run of retention; the rest is for the next.
const STEPS: usize = 64;

pub(super) enum Job {
    /// A round begins or goes on.
    Lane(Sealed),
    /// All lanes of a round were handed over.
    End {
        round: u64,
        end: Timestamp,
    },
    /// Removes what is past its time.
    Retain(Timestamp),
    Sync(SyncSender<bool>),
}

/// What is fixed for a site.
pub(super) struct Plan {
    pub(super) slab: Span,
    /// By number.
    pub(super) gap_after: Vec<Option<Span>>,
    pub(super) retention: Retention,
}

pub(super) struct Sealer {
    reader: Box<dyn Historian>,
    writer: SyncSender<Message>,
    shared: Arc<Shared>,
    plan: Plan,
    /// Instants that carried-in state is kept of. At each of them every lane has a chunk that had a sample before it.
    instants: BTreeSet<Timestamp>,
    /// Those among them that this round touched: the lanes without news are filled in at its end.
    touched: BTreeSet<Timestamp>,
    /// A stop cut a slab short: what it held is in the journal only, so that nothing of that may be trimmed.
    gave_up: bool,
}

/// What a step came to.
type Step<T> = Result<T, KeepError>;

impl Sealer {
    pub(super) fn new(reader: Box<dyn Historian>, writer: SyncSender<Message>, shared: Arc<Shared>, plan: Plan) -> Step<Self> {
        let instants: BTreeSet<Timestamp> = reader.pages(Level::Carried, ALWAYS)?.iter().map(|page| page.start).collect();
        // A round that a kill cut short may have left lanes out.
        let recent = Timestamp::from_micros(shared.sealed_until.load(Ordering::Acquire).saturating_sub(plan.slab.as_micros()));
        let touched = instants.range(recent..).copied().collect();
        Ok(Self { reader, writer, shared, plan, instants, touched, gave_up: false })
    }

    pub(super) fn run(mut self, receive: &Receiver<Job>) {
        while let Ok(job) = receive.recv() {
            match job {
                Job::Lane(sealed) => {
                    self.insist(|sealer| sealer.lane(&sealed));
                    self.shared.queued.fetch_sub(1, Ordering::AcqRel);
                }
                Job::End { round, end } => {
                    self.insist(Self::fill);
                    if self.gave_up {
                        continue;
                    }
                    let (done, wait) = sync_channel(1);
                    // A round whose end could not be committed trims nothing; the next one does.
                    if self.writer.send(Message::Finish { round, end, done }).is_ok() {
                        wait.recv().ok();
                    }
                }
                Job::Retain(now) => {
                    if let Err(error) = self.retain(now) {
                        tracing::warn!(%error, "history past its time could not be removed; trying again in a minute");
                    }
                }
                Job::Sync(done) => drop(self.writer.send(Message::Sync(done))),
            }
        }
    }

    /// Does a step until it goes well: chunks wait for the disk. Only a stop gives up.
    fn insist(&mut self, mut step: impl FnMut(&mut Self) -> Step<()>) {
        while let Err(error) = step(self) {
            tracing::warn!(%error, "a finished slab could not be kept; trying again");
            self.shared.totals.errors.fetch_add(1, Ordering::Relaxed);
            if self.shared.stopping.load(Ordering::Acquire) {
                self.gave_up = true;
                return;
            }
            std::thread::park_timeout(AGAIN);
        }
    }

    /// Commits changes together; waits for the keeper where it refuses.
    fn submit(&self, changes: Vec<Change>) -> Step<()> {
        let mut changes = changes;
        loop {
            if changes.is_empty() {
                return Ok(());
            }
            let (done, wait) = sync_channel(1);
            let gone = || KeepError::Unavailable { doing: "written", why: "the writing thread has gone".to_owned() };
            self.writer.send(Message::Changes(changes, done)).map_err(|_| gone())?;
            match wait.recv() {
                Ok(None) => return Ok(()),
                Ok(Some(back)) => changes = back,
                Err(_) => return Err(gone()),
            }
            if self.shared.stopping.load(Ordering::Acquire) {
                return Err(KeepError::Unavailable { doing: "written", why: "the program stops".to_owned() });
            }
            std::thread::park_timeout(AGAIN);
        }
    }

    /// One lane of one slab, in one commit.
    fn lane(&mut self, sealed: &Sealed) -> Step<()> {
        let key = sealed.chunk.key;
        let slab = TimeRange::new(key.start.floor_to(self.plan.slab), key.start.floor_to(self.plan.slab) + self.plan.slab);
        let mut changes = Vec::new();
        let fine = if slab.end <= outside(self.reader.as_ref(), Level::Raw)? {
            // Raw samples of that time are gone by order: what came late goes into the levels that are left.
            self.coarse_as_raw(slab, &sealed.chunk)?
        } else {
            let Some(raw) = self.raw(sealed)? else { return Ok(()) };
            let bytes: Vec<Blob> = raw.iter().map(|chunk| chunk.bytes.as_slice().into()).collect();
            changes.extend(raw.into_iter().map(Change::Put));
            bytes
        };
        for level in [Level::FiveMinutes, Level::Hour] {
            if slab.end > outside(self.reader.as_ref(), level)? {
                changes.extend(self.coarse(level, &fine)?.map(Change::Put));
            }
        }
        let mut pieces = fine;
        if key.range() != slab {
            // A slab in halves: what is carried on comes from both.
            pieces.extend(self.lane_pieces(key.first_signal, slab)?);
        }
        let touched = self.carried(&key, slab, &pieces, &mut changes)?;
        self.submit(changes)?;
        self.instants.extend(&touched);
        self.touched.extend(touched);
        Ok(())
    }

    /// The raw chunks to keep: with all samples of the one kept before, under a higher version. None where nothing is new.
    fn raw(&self, sealed: &Sealed) -> Step<Option<Vec<Chunk>>> {
        let new = &sealed.chunk;
        let Some(kept) = self.reader.kept(Level::Raw, new.key.start, new.key.first_signal)? else {
            return Ok(Some(vec![new.clone()]));
        };
        let version = kept.key.version.max(new.key.version.saturating_sub(1)).saturating_add(1);
        let old = self.bytes(&kept.key)?;
        let signals = new.key.signals.max(kept.key.signals);
        let key = ChunkKey { end: new.key.end.max(kept.key.end), signals, version, ..new.key };
        let joined = match &old {
            Some(old) if !sealed.whole => join(key, old, &new.bytes),
            _ => None,
        };
        let chunks = joined.or_else(|| chunk::with_version(&new.bytes, version).ok().map(|chunk| vec![chunk]));
        let Some(chunks) = chunks else { return Ok(None) };
        let same = old.is_some_and(|old| chunks.len() == 1 && chunks.iter().all(|one| chunk::same_samples(&one.bytes, &old)));
        Ok(if same { None } else { Some(chunks) })
    }

    /// The bytes of a kept chunk; none where it is gone or damaged (the writer sets what is damaged aside).
    fn bytes(&self, key: &ChunkKey) -> Step<Option<Blob>> {
        match self.reader.chunk(key) {
            Err(KeepError::Damaged { what, why }) => {
                self.shared.totals.damaged.fetch_add(1, Ordering::Relaxed);
                tracing::error!(what, why, "a kept chunk is damaged");
                Ok(None)
            }
            result => result,
        }
    }

    fn bytes_at(&self, level: Level, start: Timestamp, first_signal: u32) -> Step<Option<Blob>> {
        match self.reader.kept(level, start, first_signal)? {
            Some(kept) => self.bytes(&kept.key),
            None => Ok(None),
        }
    }

    /// What is known of a slab whose raw samples are gone, with late ones, as if it were raw.
    fn coarse_as_raw(&self, slab: TimeRange, late: &Chunk) -> Step<Vec<Blob>> {
        let key = ChunkKey { start: slab.start, end: slab.end, ..late.key };
        let mut pieces: Vec<Blob> = Vec::new();
        for level in [Level::FiveMinutes, Level::Hour] {
            pieces.extend(self.bytes_at(level, slab.start.floor_to(level.slab(self.plan.slab)), key.first_signal)?);
        }
        pieces.push(late.bytes.as_slice().into());
        let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
        let all = chunk::gather(key, &borrowed, &|signal| Some(signal)).unwrap_or_else(|_| late.clone());
        Ok(vec![all.bytes.into()])
    }

    /// A coarser chunk with the news of `fine`.
    fn coarse(&self, level: Level, fine: &[Blob]) -> Step<Option<Chunk>> {
        let gap_after = |signal: u32| self.plan.gap_after.get(signal as usize).copied().flatten();
        let how = Coarse { level, raw_slab: self.plan.slab, gap_after: &gap_after };
        let mut made: Option<Chunk> = None;
        for bytes in fine {
            let Ok(key) = chunk::peek_key(bytes) else { continue };
            let before = match made.take() {
                Some(before) => Some(before.bytes.into()),
                None => self.bytes_at(level, key.start.floor_to(level.slab(self.plan.slab)), key.first_signal)?,
            };
            // Where the one before cannot be read after all, the news alone are better than none.
            let one = chunk::coarsen(bytes, before.as_deref(), &how).or_else(|_| chunk::coarsen(bytes, None, &how));
            made = one.map_err(|error| tracing::error!(%error, "a slab has no coarser form")).ok();
        }
        // Above the one kept, also where that could not be read.
        let Some(chunk) = made else { return Ok(None) };
        let kept = self.reader.kept(level, chunk.key.start, chunk.key.first_signal)?;
        let version = kept.map_or(0, |kept| kept.key.version).max(chunk.key.version - 1) + 1;
        Ok(if version == chunk.key.version { Some(chunk) } else { chunk::with_version(&chunk.bytes, version).ok() })
    }

    /// What is carried into the slab and into those after it, as far as it is other than kept. Returns the instants.
    fn carried(&self, key: &ChunkKey, slab: TimeRange, news: &[Blob], changes: &mut Vec<Change>) -> Step<Vec<Timestamp>> {
        let at = |at: Timestamp| ChunkKey { level: Level::Carried, start: at, end: at, version: 1, ..*key };
        let held = self.instants.range(..=slab.start).next_back().copied();
        let mut state: Option<Blob> = match held {
            Some(held) => self.bytes_at(Level::Carried, held, key.first_signal)?,
            None => None,
        };
        let mut touched = vec![slab.start];
        if held != Some(slab.start)
            && let Some(chunk) = state.as_deref().and_then(|state| carry(at(slab.start), &[state]))
        {
            changes.push(Change::Put(chunk));
        }
        let mut pieces: Vec<Blob> = news.to_vec();
        let mut next = slab.end;
        loop {
            let borrowed: Vec<&[u8]> = state.iter().chain(&pieces).map(|bytes| &**bytes).collect();
            let Some(chunk) = carry(at(next), &borrowed) else { break };
            let kept = self.reader.kept(Level::Carried, next, key.first_signal)?;
            let old = match &kept {
                Some(kept) => self.bytes(&kept.key)?,
                None => None,
            };
            if old.is_some_and(|old| chunk::same_samples(&old, &chunk.bytes)) {
                break;
            }
            let version = kept.map_or(0, |kept| kept.key.version) + 1;
            let Ok(chunk) = chunk::with_version(&chunk.bytes, version) else { break };
            state = Some(chunk.bytes.as_slice().into());
            changes.push(Change::Put(chunk));
            touched.push(next);
            let Some(following) = self.instants.range((Excluded(next), Unbounded)).next().copied() else { break };
            pieces = self.lane_pieces(key.first_signal, TimeRange::new(next, following))?;
            next = following;
        }
        Ok(touched)
    }

    /// Chunks of a lane about a stretch, at the finest level that is left.
    fn lane_pieces(&self, first_signal: u32, range: TimeRange) -> Step<Vec<Blob>> {
        for level in Level::TIERS {
            if range.start < outside(self.reader.as_ref(), level)? && level != Level::Hour {
                continue;
            }
            let mut pieces = Vec::new();
            for page in self.reader.pages(level, range)? {
                pieces.extend(self.bytes_at(level, page.start, first_signal)?);
            }
            return Ok(pieces);
        }
        Ok(Vec::new())
    }

    /// Lanes without news carry what they had into the instants that others touched.
    fn fill(&mut self) -> Step<()> {
        while let Some(instant) = self.touched.first().copied() {
            if let Some(before) = self.instants.range(..instant).next_back().copied() {
                let have: BTreeSet<u32> = self.lanes_at(instant)?.into_iter().map(|key| key.first_signal).collect();
                let mut changes = Vec::new();
                for key in self.lanes_at(before)?.into_iter().filter(|key| !have.contains(&key.first_signal)) {
                    let Some(bytes) = self.bytes(&key)? else { continue };
                    let key = ChunkKey { start: instant, end: instant, version: 1, ..key };
                    changes.extend(carry(key, &[&bytes]).map(Change::Put));
                    if changes.len() >= STEP {
                        self.submit(std::mem::take(&mut changes))?;
                    }
                }
                self.submit(changes)?;
            }
            self.touched.remove(&instant);
        }
        Ok(())
    }

    fn lanes_at(&self, instant: Timestamp) -> Step<Vec<ChunkKey>> {
        let range = TimeRange::new(instant, instant + Span::from_micros(1));
        Ok(self.reader.catalogue(Level::Carried, range)?.into_iter().map(|kept| kept.key).collect())
    }

    /// Removes what is past its time, in commits of some hundred chunks, and remembers up to where.
    fn retain(&mut self, now: Timestamp) -> Step<()> {
        let mut any = false;
        for _ in 0..STEPS {
            let mut changes = self.plan.retention.plan(self.reader.as_ref(), now, STEP)?;
            if changes.is_empty() {
                break;
            }
            any = true;
            let removed: Vec<ChunkKey> =
                changes.iter().filter_map(|change| if let Change::Remove(key) = change { Some(*key) } else { None }).collect();
            let mut bytes = 0;
            for level in Level::TIERS {
                let end = removed.iter().filter(|key| key.level == level).map(|key| key.end).max();
                if let Some(end) = end.filter(|end| *end > outside(self.reader.as_ref(), level).unwrap_or(Timestamp::MIN)) {
                    changes.push(outside_note(level, end));
                }
            }
            for key in &removed {
                bytes += self.reader.kept(key.level, key.start, key.first_signal)?.map_or(0, |kept| kept.bytes);
            }
            self.submit(changes)?;
            self.shared.totals.expired.fetch_add(removed.len() as u64, Ordering::Relaxed);
            self.shared.totals.expired_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        if any {
            self.instants = self.reader.pages(Level::Carried, ALWAYS)?.iter().map(|page| page.start).collect();
        }
        Ok(())
    }
}

fn carry(key: ChunkKey, pieces: &[&[u8]]) -> Option<Chunk> {
    chunk::carry(key, pieces).map_err(|error| tracing::error!(%error, %key, "nothing can be carried in")).ok().flatten()
}

/// Both chunks as one; as two halves where one would hold more samples than a chunk may. None where one cannot be read.
fn join(key: ChunkKey, old: &[u8], new: &[u8]) -> Option<Vec<Chunk>> {
    let whole = chunk::merge(key, old, new).ok()?;
    if u64::from(whole.samples) <= chunk::MAX_SAMPLES {
        return Some(vec![whole]);
    }
    let middle = key.start + Span::from_micros(key.range().span().as_micros() / 2);
    let halves = [ChunkKey { end: middle, ..key }, ChunkKey { start: middle, ..key }];
    halves.into_iter().map(|half| chunk::gather(half, &[old, new], &|signal| Some(signal)).ok()).collect()
}
