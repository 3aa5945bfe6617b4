//! Checks a data folder piece by piece, and mends it: what is damaged is moved aside, never deleted; what can be computed from
//! other pieces is computed anew.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use twin_historian::chunk::{self, Coarse};
use twin_historian::historian::{Change, Historian as _, KeepError, Kept, LEVELS, Position};
use twin_historian::{ChunkKey, Level, StoreConfig};
use twin_model::{Span, TimeRange, Timestamp};
use twin_protocol::{Limits, ServerFrame, decode_server};

use super::database::{FILE, attempt, lock};
use super::lane::Lane;
use super::salvage::replace;
use super::sqlite::{SqliteHistorian, SyncPolicy};
use super::tiles::Tiles;
use super::wal::{self, Looked};
use super::{carried, damage, guard, outside, schema};
use crate::GatewayError;

/// Findings listed; more are only counted.
const LISTED: usize = 1_000;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind, for programs.
    pub code: &'static str,
    /// Which piece.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
    /// Whether `--repair` mended it. Never where samples are missing afterwards.
    pub mended: bool,
    /// Samples that are missing because of it; none where nothing is, or nobody can count them.
    pub lost_samples: Option<u64>,
    /// From the first to the end of the last of their source times that is possible, in microseconds.
    pub lost_us: Option<[i64; 2]>,
}

/// What was looked at and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Chunks decoded.
    pub chunks: u64,
    /// Samples in raw ones.
    pub samples: u64,
    /// Bytes of all.
    pub bytes: u64,
    /// Journal entries decoded.
    pub journal_entries: u64,
    /// Pieces that were set aside before, now or at a start.
    pub set_aside: Vec<String>,
    /// Pages of an unfinished write at the end of the log; no damage, but worth knowing.
    pub unfinished_pages: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub more: u64,
    /// Samples that this repair could not save, as far as they can be counted. Those that are also in another piece count, too.
    pub lost_samples: u64,
    /// Pieces that this repair could not save and whose samples nobody can count.
    pub lost_uncounted: u64,
    /// The time that may have lost samples, in microseconds; none without a loss.
    pub lost_us: Option<[i64; 2]>,
}

impl Report {
    pub(super) fn add(&mut self, code: &'static str, subject: String, message: String, help: &'static str, mended: bool) {
        self.push(Finding { code, subject, message, help, mended, lost_samples: None, lost_us: None });
    }

    fn push(&mut self, finding: Finding) {
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Something whose samples are gone: `samples` of them where they can be counted, within `times`.
    pub(super) fn lose(&mut self, code: &'static str, subject: String, message: String, samples: Option<u64>, times: TimeRange) {
        let us = (times.start <= times.end).then_some([times.start.as_micros(), times.end.as_micros()]);
        match samples {
            Some(samples) => self.lost_samples += samples,
            None => self.lost_uncounted += 1,
        }
        self.lost_us = match (self.lost_us, us) {
            (Some([a, b]), Some([c, d])) => Some([a.min(c), b.max(d)]),
            (one, other) => one.or(other),
        };
        let help = "what is missing can only come from a backup, or from its source again";
        self.push(Finding { code, subject, message, help, mended: false, lost_samples: samples, lost_us: us });
    }

    /// Whether the repair could not save everything.
    pub const fn lost(&self) -> bool {
        self.lost_samples + self.lost_uncounted > 0
    }

    /// 0 without findings, 1 with.
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.findings.is_empty())
    }
}

const REPAIR: &str = "run `orrery fsck --repair`: it is moved aside, and what can be computed from the rest is computed anew";
const REBUILD: &str = "run `orrery fsck --repair`: it is computed anew";

/// Checks the history of `folder`; mends it where `repair` is set, for which no server may be running.
///
/// # Errors
/// Where there is no history, or it cannot be read at all.
pub fn check(folder: &Path, repair: bool) -> Result<Report, GatewayError> {
    let path = folder.join(FILE);
    let unread = |source| GatewayError::Read { path: path.clone(), source };
    guard::own_file(folder)?;
    let log = wal::look(&path).map_err(unread)?;
    log.not_newer(&path)?;
    if log.damage.is_none() {
        // Before anything is made in the folder, and long before a repair would put an empty history in its place.
        guard::not_of_another(&path)?;
    }
    if !path.exists() && !replace::pending(folder) && log.damage.is_none() {
        guard::may_read(folder)?;
    }
    let mut report = Report::default();
    let mut lock = if repair { Some(lock(&folder.join("lock"))?) } else { None };
    if repair {
        replace::finish(folder)?;
    }
    // Again: until the lock was taken, somebody may have written.
    report.unfinished_pages = wal::look(&path).map_err(unread)?.unfinished;
    let mut wrong = probe(&path);
    if wrong.is_empty() && repair {
        wrong.extend(misfiled(&path));
    }
    let damaged = wrong.len();
    for why in wrong {
        let help = "run `orrery fsck --repair`: everything that can still be read goes into a new file, or restore a backup";
        report.add("database.damaged", path.display().to_string(), why, help, false);
    }
    if damaged > 0 {
        if !repair {
            return Ok(report);
        }
        replace::with_what_is_left(folder, &mut report)?;
    }
    let mut keeper = attempt(&path, "opening it", open(&path, repair))?;
    // Whatever is in the log is folded in when this ends.
    if let Some(lock) = &mut lock {
        guard::mark(lock, None);
    }
    let result = Check::new(&mut keeper, repair, &mut report).run();
    result.map_err(|source| damage::in_file(&path, source))?;
    if !report.lost() {
        report.findings.iter_mut().take(damaged).for_each(|finding| finding.mended = repair);
    }
    Ok(report)
}

/// What is wrong with the file as a whole, looked at without writing: SQLite, left to itself, forgets what lies behind a damaged
/// part of the log.
fn probe(path: &Path) -> Vec<String> {
    match wal::look(path) {
        Ok(Looked { damage: None, .. }) => {}
        Ok(Looked { damage: Some(why), .. }) => return vec![why],
        Err(error) => return vec![error.to_string()],
    }
    // SQLite would take it for a new one.
    if std::fs::metadata(path).is_ok_and(|data| data.len() == 0) {
        return vec!["it is empty".to_owned()];
    }
    if let Err(error) = wal::whole(path) {
        return vec![error.to_string()];
    }
    if let Some(why) = wal::odd_header(path) {
        return vec![why];
    }
    let sound = SqliteHistorian::open_to_read(path).map_err(|error| error.to_string()).and_then(|keeper| {
        let wrong = keeper.integrity().map_err(|error| error.to_string())?;
        if wrong.is_empty() {
            keeper.usable().map_err(|error| error.to_string())?;
            let hidden = keeper.hidden_entries().map_err(|error| error.to_string())?;
            if hidden > 0 {
                return Ok(vec![format!("{hidden} journal entries have a place before the first, where nobody reads them")]);
            }
        }
        Ok(wrong)
    });
    sound.unwrap_or_else(|why| vec![why])
}

/// Why the catalogue has to be made anew: a chunk that is whole does not stand where it says that it belongs. Chunks have checksums of their
/// own, and rows of the catalogue have none.
fn misfiled(path: &Path) -> Option<String> {
    let keeper = SqliteHistorian::open_to_read(path).ok()?;
    if keeper.layout().ok()? != schema::LAYOUT {
        return None;
    }
    let rows = LEVELS.into_iter().flat_map(|level| keeper.catalogue_rows(level)).collect::<Vec<_>>();
    rows.iter().find_map(|kept| {
        let bytes = keeper.unchecked(&kept.key).ok()?;
        let why = wrong(kept, bytes.as_deref())?;
        // Without bytes they may stand under another number.
        bytes
            .is_none_or(|bytes| chunk::inspect(&bytes).is_ok())
            .then(|| format!("its catalogue is wrong about chunk {}: {why}", kept.key))
    })
}

/// A chunk that is gone: what can be computed anew from other levels is no loss. Raw samples that the coarser levels hold come back.
///
/// # Errors
/// Where the keeper cannot be read or written.
pub(super) fn lost_chunk(
    keeper: &mut SqliteHistorian,
    kept: &Kept,
    (code, why): (&'static str, &str),
    report: &mut Report,
) -> Result<(), KeepError> {
    let key = kept.key;
    if key.level != Level::Raw {
        let raw_gone = outside(keeper, Level::Raw)?;
        let (subject, why) = (key.to_string(), why.to_owned());
        if key.start >= raw_gone || (key.level == Level::Carried && raw_gone == Timestamp::MIN) {
            report.add(code, subject, why, REPAIR, true);
        } else {
            report.lose(code, subject, why, Some(u64::from(kept.samples)), key.range());
        }
        return Ok(());
    }
    let mut pieces = Vec::new();
    let mut lane = Lane::new(&*keeper, key.first_signal);
    for level in [Level::FiveMinutes, Level::Hour] {
        pieces.extend(lane.about(level, key.range())?.0.into_iter().filter_map(|part| part.bytes));
    }
    let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
    let next = ChunkKey { version: key.version.saturating_add(1), ..key };
    let rest = chunk::gather(next, &borrowed, &|signal| Some(signal)).ok().filter(|chunk| chunk.samples > 0);
    let saved = rest.as_ref().map_or(0, |chunk| chunk.samples);
    keeper.commit(&rest.map(Change::Put).into_iter().collect::<Vec<_>>())?;
    let missing = kept.samples.saturating_sub(saved);
    if missing == 0 {
        report.add(code, key.to_string(), why.to_owned(), REPAIR, true);
    } else {
        let message = format!("{why}; {saved} of its {} samples came back from coarser levels", kept.samples);
        report.lose(code, key.to_string(), message, Some(u64::from(missing)), key.range());
    }
    Ok(())
}

/// Computes anew what follows from raw chunks and is not what it must be.
///
/// # Errors
/// Where the keeper cannot be read or written.
pub(super) fn rebuild(keeper: &mut SqliteHistorian) -> Result<(), KeepError> {
    let mut report = Report::default();
    let mut check = Check::new(keeper, true, &mut report);
    check.rebuilt()?;
    check.pages()
}

/// Reads what is left of a database that SQLite must not open into a new file elsewhere, and mends that, so that readers of a damaged
/// folder get what a repair would give them. Nothing in the folder changes.
///
/// # Errors
/// Where a file cannot be read, or the new one not written.
pub(super) fn read_aside(path: &Path, to: &Path) -> Result<(SqliteHistorian, Report), GatewayError> {
    let mut report = Report::default();
    replace::copy_of_what_is_left(path, to, &mut report)?;
    let mut keeper = attempt(to, "opening it", SqliteHistorian::open(to, SyncPolicy::Off))?;
    let result = Check::new(&mut keeper, true, &mut report).run();
    result.map_err(|source| damage::in_file(path, source))?;
    Ok((keeper, report))
}

fn open(path: &Path, repair: bool) -> rusqlite::Result<SqliteHistorian> {
    if repair { SqliteHistorian::open(path, SyncPolicy::Full) } else { SqliteHistorian::open_to_read(path) }
}

struct Check<'a> {
    keeper: &'a mut SqliteHistorian,
    repair: bool,
    report: &'a mut Report,
    /// Chunks that were set aside, and why.
    gone: Vec<(Kept, String)>,
}

impl<'a> Check<'a> {
    const fn new(keeper: &'a mut SqliteHistorian, repair: bool, report: &'a mut Report) -> Self {
        Self { keeper, repair, report, gone: Vec::new() }
    }
}

impl Check<'_> {
    fn run(mut self) -> Result<(), KeepError> {
        if !self.repair {
            // One moment, also while a server writes.
            self.keeper.begin_reading()?;
        }
        for level in LEVELS {
            self.chunks(level)?;
        }
        for (kept, why) in std::mem::take(&mut self.gone) {
            lost_chunk(self.keeper, &kept, ("chunk.damaged", &why), self.report)?;
        }
        self.overlaps()?;
        self.rebuilt()?;
        self.pages()?;
        self.journal()?;
        for (what, why) in self.keeper.damaged()? {
            self.report.set_aside.push(format!("{what}: {why}"));
        }
        Ok(())
    }

    /// Every chunk decodes and is what its row says.
    fn chunks(&mut self, level: Level) -> Result<(), KeepError> {
        for kept in self.keeper.catalogue_rows(level) {
            let bytes = self.keeper.unchecked(&kept.key)?;
            self.report.chunks += 1;
            self.report.bytes += kept.bytes;
            self.report.samples += if level == Level::Raw { u64::from(kept.samples) } else { 0 };
            let Some(why) = wrong(&kept, bytes.as_deref()) else { continue };
            if self.repair {
                self.keeper.set_aside_chunk(&kept.key, &why)?;
                self.gone.push((kept, why));
            } else {
                self.report.add("chunk.damaged", kept.key.to_string(), why, REPAIR, false);
            }
        }
        Ok(())
    }

    /// Raw chunks of a lane stand side by side.
    fn overlaps(&mut self) -> Result<(), KeepError> {
        let mut last: BTreeMap<u32, ChunkKey> = BTreeMap::new();
        for kept in self.keeper.catalogue_rows(Level::Raw) {
            let before = last.insert(kept.key.first_signal, kept.key);
            if let Some(before) = before.filter(|before| before.end > kept.key.start) {
                let message = format!("it reaches into {}; readers take each sample once", kept.key);
                self.report.add("chunk.overlap", before.to_string(), message, "harmless; no mending needed", false);
            }
        }
        Ok(())
    }

    /// What can be computed from raw chunks is there and holds what it must.
    fn rebuilt(&mut self) -> Result<(), KeepError> {
        let slab = StoreConfig::default().slab;
        let tiles = Tiles::load(&*self.keeper, slab)?;
        for kept in self.keeper.catalogue_rows(Level::Raw) {
            let Ok(Some(raw)) = self.keeper.chunk(&kept.key) else { continue };
            let page = tiles.find(kept.key.start).unwrap_or(kept.key.range());
            for level in [Level::FiveMinutes, Level::Hour] {
                // A long page stands in for levels with slabs up to its length.
                if page.span() < level.slab(slab) && kept.key.end > outside(self.keeper, level)? {
                    self.coarse(level, &kept.key, &raw)?;
                }
            }
            if kept.key.range() == page {
                self.carried(&kept.key, &raw)?;
            }
        }
        Ok(())
    }

    /// Coarse chunks hold the extremes of their raw ones, and nothing that they do not.
    fn coarse(&mut self, level: Level, key: &ChunkKey, raw: &[u8]) -> Result<(), KeepError> {
        let slab = StoreConfig::default().slab;
        let start = key.start.floor_to(level.slab(slab));
        let mut lane = Lane::new(&*self.keeper, key.first_signal);
        let (parts, mut range) = lane.about(level, key.range())?;
        if parts.is_empty() {
            range = range.union(TimeRange::new(start, start + level.slab(slab)));
        }
        let before: Vec<&[u8]> = parts.iter().filter_map(|part| part.bytes.as_deref()).collect();
        // Without a site nobody knows what a gap is: compared by what there must be at least.
        let gap_after = |_: u32| None;
        let how = Coarse { level, raw_slab: slab, gap_after: &gap_after };
        let as_raw = |pieces: &[&[u8]]| chunk::gather(*key, pieces, &|signal| Some(signal));
        // Without gaps: the least that must be there. With the samples of raw, both must be the same as raw alone.
        let least = chunk::least(raw, &how).ok().and_then(|least| as_raw(&[&least.bytes]).ok());
        let have = if before.is_empty() { None } else { as_raw(&before).ok() };
        let fine = match (&least, &have) {
            (Some(least), Some(have)) => {
                let joined = as_raw(&[&have.bytes, &least.bytes]);
                let with_raw = as_raw(&[raw, &have.bytes]);
                joined.is_ok_and(|joined| chunk::same_samples(&joined.bytes, &have.bytes))
                    && with_raw.is_ok_and(|with_raw| chunk::same_samples(&with_raw.bytes, raw))
            }
            (least, _) => least.is_none(),
        };
        if fine {
            return Ok(());
        }
        if self.repair {
            // Gaps keep both their sides: every sample next to a pause of five minutes or more counts as one.
            let gap_after = |_: u32| Some(Span::from_secs(300));
            let how = Coarse { level, raw_slab: slab, gap_after: &gap_after };
            let new = chunk::coarsen_into(raw, &before, range, &how).or_else(|_| chunk::coarsen_into(raw, &[], range, &how));
            if let Ok(new) = new {
                lane.replace(&parts, new);
                let (changes, _) = lane.changes();
                self.keeper.commit(&changes)?;
            }
        }
        let message = format!("it does not hold what {key} says");
        self.report.add(
            "coarse.stale",
            format!("{level} {} of signal {}", start, key.first_signal),
            message,
            REBUILD,
            self.repair,
        );
        Ok(())
    }

    /// What is carried out of a slab is its newest samples.
    fn carried(&mut self, key: &ChunkKey, raw: &[u8]) -> Result<(), KeepError> {
        let kept = self.keeper.kept(Level::Carried, key.end, key.first_signal)?;
        // News of this page, where nothing says that it is a whole state.
        let end = kept.as_ref().map_or_else(|| carried::end_of(key.end, false), |kept| kept.key.end);
        let at = ChunkKey { level: Level::Carried, start: key.end, end, version: 1, ..*key };
        // A lane grows as numbers are given; what is carried on was wider already.
        let signals = kept.as_ref().map_or(at.signals, |kept| at.signals.max(kept.key.signals));
        let at = ChunkKey { signals, ..at };
        let have = match &kept {
            Some(kept) => self.keeper.chunk(&kept.key).ok().flatten(),
            None => None,
        };
        let carry = |pieces: &[&[u8]]| chunk::carry(at, pieces).ok().flatten();
        let fine =
            have.as_deref().is_some_and(|have| carry(&[have, raw]).is_some_and(|with| chunk::same_samples(&with.bytes, have)));
        if fine {
            return Ok(());
        }
        if self.repair {
            let whole = kept.is_some_and(|kept| kept.key.end <= kept.key.start);
            let mut before = Vec::new();
            if whole {
                // All that was carried into the page, since the last whole state.
                for one in self.keeper.starting(Level::Carried, carried::chain(&*self.keeper, key.start)?)? {
                    let same = one.key.first_signal == key.first_signal;
                    before.extend(if same { self.keeper.chunk(&one.key).ok().flatten() } else { None });
                }
            }
            let pieces: Vec<&[u8]> = before.iter().map(|bytes| &**bytes).chain([raw]).collect();
            let version = kept.map_or(0, |kept| kept.key.version) + 1;
            if let Some(new) = carry(&pieces).and_then(|new| chunk::with_version(&new.bytes, version).ok()) {
                self.keeper.commit(&[Change::Put(new)])?;
            }
        }
        let subject = format!("carried {} of signal {}", key.end, key.first_signal);
        self.report.add("carried.stale", subject, format!("it does not hold what {key} ends with"), REBUILD, self.repair);
        Ok(())
    }

    fn pages(&mut self) -> Result<(), KeepError> {
        let odd = self.keeper.odd_pages()?;
        if self.repair && !odd.is_empty() {
            self.keeper.sum_up_anew()?;
        }
        for page in odd {
            self.report.add("page.stale", page, "its sums are not those of its chunks".to_owned(), REBUILD, self.repair);
        }
        Ok(())
    }

    fn journal(&mut self) -> Result<(), KeepError> {
        let mut damaged: Vec<(Position, String)> = Vec::new();
        let mut strange = Vec::new();
        let mut entries = 0;
        let mut each = |entry: twin_historian::historian::Entry| {
            entries += 1;
            let why = if chunk::is_chunk(&entry.bytes) {
                chunk::inspect(&entry.bytes).err().map(|error| error.to_string())
            } else {
                match decode_server(&entry.bytes, &Limits::KEPT_FRAMES) {
                    Ok(ServerFrame::Batch(_)) => None,
                    Ok(_) => Some("it is a frame of another kind".to_owned()),
                    Err(error) => Some(error.to_string()),
                }
            };
            strange.extend(why.map(|why| (entry.position, why)));
            true
        };
        self.keeper.journal(Position(0), &mut each, &mut |position, why| damaged.push((position, why)))?;
        self.report.journal_entries = entries + damaged.len() as u64;
        damaged.extend(strange);
        for (position, why) in damaged {
            let subject = format!("journal entry {}", position.0);
            if self.repair {
                let (samples, times) = self.keeper.entry_claims(position)?;
                self.keeper.set_aside_entry(position, &why)?;
                self.report.lose("journal.damaged", subject, why, (samples > 0).then_some(samples), times);
            } else {
                self.report.add("journal.damaged", subject, why, REPAIR, false);
            }
        }
        Ok(())
    }
}

/// What is wrong with a chunk's bytes; none where they are what the catalogue says.
fn wrong(kept: &Kept, bytes: Option<&[u8]>) -> Option<String> {
    let Some(bytes) = bytes else { return Some("its bytes are missing".to_owned()) };
    let found = crc32fast::hash(bytes);
    if found != kept.crc {
        return Some(format!("its checksum is {found:08x} instead of {:08x}", kept.crc));
    }
    match chunk::inspect(bytes) {
        Err(error) => Some(error.to_string()),
        Ok((key, _, _)) if key != kept.key => Some(format!("it says that it is {key}")),
        Ok((_, samples, _)) if samples != u64::from(kept.samples) => {
            Some(format!("it holds {samples} samples instead of {}", kept.samples))
        }
        Ok(_) if bytes.len() as u64 != kept.bytes => Some(format!("it has {} bytes instead of {}", bytes.len(), kept.bytes)),
        Ok(_) => None,
    }
}
