//! The thread that turns finished slabs into what is kept of them: the raw chunk joined with the one kept before, the coarser
//! levels, what is carried into later slabs; and that removes what is past its time. Lane by lane, so that the thread which
//! commits batches never waits long. Reads the keeper, and leaves writing to [`super::writer`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use twin_historian::chunk::{self, Coarse, Proof};
use twin_historian::historian::{Blob, Change, Historian, KeepError, Retention};
use twin_historian::{Chunk, ChunkKey, Level, Sealed, SignalSpec};
use twin_model::{Span, TimeRange, Timestamp};

use super::carried::Instants;
use super::damage::{self, Piece};
use super::lane::Lane;
use super::tiles::Tiles;
use super::writer::{AGAIN, Message, Shared};
use super::{begins, outside, outside_note};
use crate::stores::ALWAYS;

/// Changes of one commit of retention or of filling in.
const STEP: usize = 256;
/// Slabs of lanes that one reading of the journal is for.
const SHORT: usize = 16;
/// Commits of one run of retention; the rest is for the next.
const STEPS: usize = 64;

/// Newest pages that a start looks at again, whether they are small enough to be joined.
const RECENT: usize = 64;

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
    pub(super) specs: Vec<SignalSpec>,
    /// Whether there is a journal.
    pub(super) journals: bool,
    pub(super) retention: Retention,
}

pub(super) struct Sealer {
    pub(super) reader: Box<dyn Historian>,
    writer: SyncSender<Message>,
    shared: Arc<Shared>,
    pub(super) plan: Plan,
    /// Raw pages.
    pub(super) tiles: Tiles,
    /// Pages that this round wrote to: they may be joined with others at its end.
    pub(super) touched: BTreeSet<Timestamp>,
    /// Instants that carried-in state is kept of.
    pub(super) instants: Instants,
    /// Those among them that this round wrote.
    pub(super) news: BTreeSet<Timestamp>,
    /// A stop cut a slab short: what it held is in the journal only, so that nothing of that may be trimmed.
    gave_up: bool,
    /// Something that was put could not be read back: nothing leaves the journal any more.
    holds_journal: bool,
    /// Slabs that have to be read from the journal, too.
    short: Vec<Sealed>,
}

/// What a step came to.
pub(super) type Step<T> = Result<T, KeepError>;

impl Sealer {
    pub(super) fn new(reader: Box<dyn Historian>, writer: SyncSender<Message>, shared: Arc<Shared>, plan: Plan) -> Step<Self> {
        let instants = Instants::load(reader.as_ref())?;
        let tiles = Tiles::load(reader.as_ref(), plan.slab)?;
        // A round that a kill cut short may have left them small.
        let touched = tiles.within(ALWAYS).rev().take(RECENT).map(|(page, _)| page.start).collect();
        Ok(Self {
            reader,
            writer,
            shared,
            plan,
            tiles,
            touched,
            instants,
            news: BTreeSet::new(),
            holds_journal: false,
            short: Vec::new(),
            gave_up: false,
        })
    }

    pub(super) fn run(mut self, receive: &Receiver<Job>) {
        while let Ok(job) = receive.recv() {
            match job {
                Job::Lane(sealed) => {
                    if sealed.missing && self.plan.journals {
                        self.short.push(sealed);
                        if self.short.len() >= SHORT {
                            self.insist(Self::rescue);
                        }
                    } else {
                        self.insist(|sealer| sealer.take(&sealed));
                    }
                    self.shared.queued.fetch_sub(1, Ordering::AcqRel);
                }
                Job::End { round, end } => {
                    self.insist(Self::rescue);
                    self.insist(|sealer| sealer.settle(end));
                    if self.holds_journal || self.gave_up {
                        continue;
                    }
                    let (done, wait) = sync_channel(1);
                    // A round whose end could not be committed trims nothing; the next one does.
                    if self.writer.send(Message::Finish { round, end, done }).is_ok() {
                        wait.recv().ok();
                    }
                }
                Job::Retain(now) => {
                    // Nobody may read for days what is written all the time.
                    self.shared.damage.look(self.reader.as_ref());
                    if let Err(error) = self.retain(now) {
                        tracing::warn!(%error, "history past its time could not be removed; trying again in a minute");
                    }
                }
                Job::Sync(done) => {
                    self.writer.send(Message::Sync(done)).ok();
                }
            }
        }
    }

    /// Does a step until it goes well: chunks wait for the disk. Only a stop gives up.
    fn insist(&mut self, mut step: impl FnMut(&mut Self) -> Step<()>) {
        while let Err(error) = step(self) {
            if !self.shared.stopping.load(Ordering::Acquire) {
                tracing::warn!(%error, "a finished slab could not be kept; trying again");
            }
            if matches!(error, KeepError::Damaged { .. }) {
                self.shared.damage.failed(&error, self.reader.as_ref());
            }
            self.shared.totals.errors.fetch_add(1, Ordering::Relaxed);
            if self.shared.stopping.load(Ordering::Acquire) {
                self.gave_up = true;
                return;
            }
            std::thread::park_timeout(AGAIN);
        }
    }

    /// Commits changes together; waits for the keeper where it refuses.
    pub(super) fn submit(&self, changes: Vec<Change>) -> Step<()> {
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

    /// Slabs of which memory gave up something: with what the journal has of them.
    fn rescue(&mut self) -> Step<()> {
        if self.short.is_empty() {
            return Ok(());
        }
        // What memory gave up came before this, and is in the journal once everything that came so far is.
        let (done, wait) = sync_channel(1);
        let unsure = || KeepError::Unavailable { doing: "written", why: "the journal is behind".to_owned() };
        self.writer.send(Message::Sync(done)).map_err(|_| unsure())?;
        wait.recv().ok().filter(|fine| *fine).ok_or_else(unsure)?;
        let wanted: Vec<ChunkKey> = self.short.iter().map(|sealed| sealed.chunk.key).collect();
        let store = super::rescue::from_journal(self.reader.as_ref(), &wanted, &self.plan.specs)?;
        while let Some(sealed) = self.short.pop() {
            let key = sealed.chunk.key;
            let more = store.prove_lane(key.first_signal, key.range());
            if let Err(error) = self.take_with(&sealed, &more) {
                self.short.push(sealed);
                return Err(error);
            }
        }
        Ok(())
    }

    /// One lane of one slab (or of a part of it, where it is large), in one commit.
    pub(super) fn lane(&mut self, sealed: &Sealed, more: &[Proof]) -> Step<()> {
        let key = sealed.chunk.key;
        let slab = TimeRange::new(key.start.floor_to(self.plan.slab), key.start.floor_to(self.plan.slab) + self.plan.slab);
        let mut lane = Lane::new(self.reader.as_ref(), key.first_signal);
        let fine = if slab.end <= outside(self.reader.as_ref(), Level::Raw)? {
            // Raw samples of that time are gone by order: what came late goes into the levels that are left.
            self.coarse_as_raw(slab, more.iter().map(|proof| &proof.chunk).chain([&sealed.chunk]))?
        } else {
            let raw = raw(sealed, more, &mut lane)?;
            if raw.is_empty() {
                return Ok(());
            }
            raw.iter().map(|chunk| chunk.bytes.as_slice().into()).collect()
        };
        for level in [Level::FiveMinutes, Level::Hour] {
            if slab.end > outside(self.reader.as_ref(), level)? {
                for bytes in &fine {
                    self.coarse(level, bytes, &mut lane)?;
                }
            }
        }
        let mut pieces = fine;
        if key.range() != slab {
            // A slab in parts: what is carried on comes from all of them.
            pieces.extend(self.lane_pieces(key.first_signal, slab)?);
        }
        let mut carried = Vec::new();
        let notes = self.ends(&key, slab, &pieces, &mut carried)?;
        self.shared.damage.missing(&lane.damaged, self.reader.as_ref());
        let (mut changes, proofs) = lane.changes();
        changes.extend(carried);
        let raw = changes.iter().filter_map(|change| if let Change::Put(chunk) = change { Some(chunk) } else { None });
        let raw = raw.filter(|chunk| chunk.key.level == Level::Raw);
        let sum = raw.fold(None, |sum: Option<(u64, u64)>, chunk| {
            let (samples, bytes) = sum.unwrap_or_default();
            Some((samples + u64::from(chunk.samples), bytes + chunk.bytes.len() as u64))
        });
        self.submit(changes)?;
        if let Err(error) = self.prove(&proofs) {
            self.hold_journal(&error);
        }
        if let Some((samples, bytes)) = sum {
            self.tiles.note(slab, samples, bytes);
            self.touched.insert(slab.start);
        }
        self.noted(notes);
        Ok(())
    }

    /// From here on nothing leaves the journal: what it has is read again at the next start, and sealed anew.
    pub(super) fn hold_journal(&mut self, error: &KeepError) {
        self.shared.damage.failed(error, self.reader.as_ref());
        if !std::mem::replace(&mut self.holds_journal, true) {
            crate::term::warn(&format!("{error}; nothing is lost: the journal is kept until the next start. Run orrery fsck"));
        }
    }

    /// Reads back what was put: only then may the journal let go of it.
    fn prove(&self, proofs: &[(ChunkKey, u64)]) -> Step<()> {
        for (key, digest) in proofs {
            let bytes = self.reader.chunk(key)?;
            // None: a newer one took its place meanwhile, which was made of this one.
            let Some(bytes) = bytes else { continue };
            let found = chunk::digest(&bytes);
            if found.as_ref() != Ok(digest) {
                let why = found
                    .map_or_else(|error| error.to_string(), |_| "other samples are read from it than were written".to_owned());
                return Err(KeepError::Damaged { what: format!("chunk {key}"), why });
            }
        }
        Ok(())
    }

    /// The bytes of a kept chunk; none where it is gone or damaged (the writer sets what is damaged aside).
    pub(super) fn bytes(&self, key: &ChunkKey) -> Step<Option<Blob>> {
        match damage::piece(self.reader.as_ref(), key)? {
            Piece::Whole(bytes) => Ok(Some(bytes)),
            Piece::Gone => Ok(None),
            Piece::Missing(missing) => {
                self.shared.damage.missing(&[missing], self.reader.as_ref());
                Ok(None)
            }
        }
    }

    fn bytes_at(&self, level: Level, start: Timestamp, first_signal: u32) -> Step<Option<Blob>> {
        match self.reader.kept(level, start, first_signal)? {
            Some(kept) => self.bytes(&kept.key),
            None => Ok(None),
        }
    }

    /// What is known of a slab whose raw samples are gone, with late ones, as if it were raw.
    fn coarse_as_raw<'c>(&self, slab: TimeRange, late: impl Iterator<Item = &'c Chunk> + Clone) -> Step<Vec<Blob>> {
        let Some(first) = late.clone().next() else { return Ok(Vec::new()) };
        let key = ChunkKey { start: slab.start, end: slab.end, ..first.key };
        let mut lane = Lane::new(self.reader.as_ref(), key.first_signal);
        let mut pieces: Vec<Blob> = Vec::new();
        for level in [Level::FiveMinutes, Level::Hour] {
            pieces.extend(lane.about(level, slab)?.0.into_iter().filter_map(|part| part.bytes));
        }
        pieces.extend(late.clone().map(|late| Blob::from(late.bytes.as_slice())));
        let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
        let all = chunk::join(key, &borrowed).map(|all| all.into_iter().map(|proof| proof.chunk.bytes.into()).collect());
        Ok(all.unwrap_or_else(|_| late.map(|late| late.bytes.as_slice().into()).collect()))
    }

    /// What is to be written of a coarser level for the news of `fine`, chunks of one lane.
    pub(super) fn coarsened(&self, level: Level, fine: &[Blob]) -> Step<Vec<Change>> {
        let Some(key) = fine.first().and_then(|bytes| chunk::peek_key(bytes).ok()) else { return Ok(Vec::new()) };
        let mut lane = Lane::new(self.reader.as_ref(), key.first_signal);
        for bytes in fine {
            self.coarse(level, bytes, &mut lane)?;
        }
        self.shared.damage.missing(&lane.damaged, self.reader.as_ref());
        Ok(lane.changes().0)
    }

    /// Puts the news of `fine` into the chunks of a coarser level.
    fn coarse(&self, level: Level, fine: &[u8], lane: &mut Lane<'_>) -> Step<()> {
        let gap_after = |signal: u32| self.plan.specs.get(signal as usize).and_then(|spec| spec.gap_after);
        let how = Coarse { level, raw_slab: self.plan.slab, gap_after: &gap_after };
        let Ok(key) = chunk::peek_key(fine) else { return Ok(()) };
        let length = level.slab(self.plan.slab);
        let slab = TimeRange::new(key.start.floor_to(length), key.start.floor_to(length) + length);
        let (before, mut range) = lane.about(level, key.range())?;
        if before.is_empty() && lane.keys(level, slab)?.is_empty() {
            range = slab;
        }
        let readable: Vec<&[u8]> = before.iter().filter_map(|part| part.bytes.as_deref()).collect();
        // Where those before cannot be read after all, the news alone are better than none.
        let made = chunk::coarsen_into(fine, &readable, range, &how).or_else(|_| chunk::coarsen_into(fine, &[], range, &how));
        match made {
            Ok(made) => {
                lane.replace(&before, made);
            }
            Err(error) => tracing::error!(%error, "a slab has no coarser form"),
        }
        Ok(())
    }

    /// Chunks of a lane about a stretch, at the finest level that is left.
    fn lane_pieces(&self, first_signal: u32, range: TimeRange) -> Step<Vec<Blob>> {
        for level in Level::TIERS {
            if range.start < begins(self.reader.as_ref(), level)? && level != Level::Hour {
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

    /// Removes what is past its time, in commits of some hundred chunks, and remembers up to where.
    fn retain(&mut self, now: Timestamp) -> Step<()> {
        let mut any = false;
        self.shorten(now)?;
        let mut stays = Vec::new();
        for level in [Level::FiveMinutes, Level::Hour] {
            stays.push((level, self.plan.retention.horizon(self.reader.as_ref(), level, now)?));
        }
        for _ in 0..STEPS {
            let mut changes = self.plan.retention.plan(self.reader.as_ref(), now, STEP)?;
            if changes.is_empty() {
                break;
            }
            any = true;
            let removed: Vec<ChunkKey> =
                changes.iter().filter_map(|change| if let Change::Remove(key) = change { Some(*key) } else { None }).collect();
            let mut bytes = 0;
            // What stood in for coarser levels leaves behind what they keep.
            let left = self.left_behind(&removed, &stays)?;
            changes.splice(0..0, left);
            for level in Level::TIERS {
                // A coarser level whose own time was over, too, has nothing of the raw chunks that stood in for it.
                let over = stays.iter().find(|(stays, _)| *stays == level).map_or(Timestamp::MIN, |(_, over)| *over);
                let of_it = |key: &&ChunkKey| key.level == level || key.level == Level::Raw && key.end <= over;
                let end = removed.iter().filter(of_it).map(|key| key.end).max();
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
            self.instants = Instants::load(self.reader.as_ref())?;
            self.tiles = Tiles::load(self.reader.as_ref(), self.plan.slab)?;
        }
        Ok(())
    }
}

pub(super) fn carry(key: ChunkKey, pieces: &[&[u8]]) -> Option<Chunk> {
    chunk::carry(key, pieces).map_err(|error| tracing::error!(%error, %key, "nothing can be carried in")).ok().flatten()
}

/// Puts a raw chunk beside those kept: with all samples of those about its time, under a higher version. The chunks as they are
/// kept then; none where nothing is new.
fn raw(sealed: &Sealed, more: &[Proof], lane: &mut Lane<'_>) -> Step<Vec<Chunk>> {
    let new = &sealed.chunk;
    let (kept, range) = lane.about(Level::Raw, new.key.range())?;
    let as_it_is = || vec![Proof { chunk: new.clone(), digest: sealed.digest }];
    if more.is_empty() && new.samples == 0 {
        return Ok(Vec::new());
    }
    if more.is_empty() && (kept.is_empty() || (sealed.whole && range == new.key.range())) {
        return Ok(lane.replace(&kept, as_it_is()));
    }
    let signals = kept.iter().map(|part| part.key.signals).fold(new.key.signals, u32::max);
    let key = ChunkKey { start: range.start, end: range.end, signals, ..new.key };
    let decodes = |bytes: &&[u8]| chunk::inspect(bytes).is_ok();
    let old = kept.iter().filter_map(|part| part.bytes.as_deref()).filter(decodes);
    let journal = more.iter().map(|proof| proof.chunk.bytes.as_slice());
    let pieces: Vec<&[u8]> = old.chain(journal).chain([new.bytes.as_slice()]).collect();
    let joined = chunk::join(key, &pieces).unwrap_or_else(|error| {
        tracing::error!(%error, %key, "what is kept can't be joined with what is new");
        as_it_is()
    });
    Ok(lane.replace(&kept, joined))
}
