//! Checks a data folder piece by piece, and mends it: what is damaged is moved aside, never deleted; what can be computed from
//! other pieces is computed anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use twin_historian::chunk::{self, Coarse};
use twin_historian::historian::{Change, Historian as _, KeepError, Kept, LEVELS, Position};
use twin_historian::{Chunk, ChunkKey, Level, StoreConfig};
use twin_model::{Span, TimeRange};
use twin_protocol::{Limits, ServerFrame, decode_server};

use super::database::{FILE, attempt, lock};
use super::lane::Lane;
use super::sqlite::{SqliteHistorian, SyncPolicy};
use super::tiles::Tiles;
use super::{carried, outside, wal};
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
    /// Whether `--repair` mended it.
    pub mended: bool,
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
}

impl Report {
    fn add(&mut self, code: &'static str, subject: String, message: String, help: &'static str, mended: bool) {
        if self.findings.len() < LISTED {
            self.findings.push(Finding { code, subject, message, help, mended });
        } else {
            self.more += 1;
        }
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
    if !path.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(GatewayError::Read { path, source });
    }
    let mut report = Report::default();
    let _lock = if repair { Some(lock(&folder.join("lock"))?) } else { None };
    let log = wal::inspect(&path).map_err(|source| GatewayError::Read { path: path.clone(), source })?;
    report.unfinished_pages = log.map_or(0, |log| log.unfinished + log.damaged);
    let cut = wal::whole(&path).err().map(|error| error.to_string());
    let sound = match open(&path, repair) {
        Ok(keeper) => keeper.integrity().map(|list| (keeper, list)).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let mut keeper = match (cut, sound) {
        (None, Ok((keeper, list))) if list.is_empty() => keeper,
        (cut, sound) => {
            let list = match &sound {
                Ok((_, list)) => list.clone(),
                Err(why) => vec![why.clone()],
            };
            for why in cut.into_iter().chain(list) {
                let help =
                    "run `orrery fsck --repair`: everything that can still be read goes into a new file, or restore a backup";
                report.add("database.damaged", path.display().to_string(), why, help, repair);
            }
            let Ok((keeper, _)) = sound else {
                // Not even the catalogue can be read: the file goes aside as it is.
                return if repair { start_anew(&path, &mut report).map(|()| report) } else { Ok(report) };
            };
            if !repair {
                return Ok(report);
            }
            salvage(keeper, &path, &mut report)?
        }
    };
    let result = Check { keeper: &mut keeper, repair, report: &mut report }.run();
    result.map_err(|source| GatewayError::History { path, source })?;
    Ok(report)
}

fn open(path: &Path, repair: bool) -> rusqlite::Result<SqliteHistorian> {
    if repair { SqliteHistorian::open(path, SyncPolicy::Full) } else { SqliteHistorian::open_to_read(path) }
}

/// Another name beside the file that is not taken.
fn aside(path: &Path) -> PathBuf {
    let name = |at: u32| path.with_file_name(format!("history.damaged-{at}.sqlite3"));
    (1..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(0))
}

fn move_aside(path: &Path, report: &mut Report) -> Result<(), GatewayError> {
    let to = aside(path);
    std::fs::rename(path, &to).map_err(|source| GatewayError::Write { path: to.clone(), source })?;
    for suffix in ["-wal", "-shm"] {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        // Mostly there is none.
        drop(std::fs::rename(with(path), with(&to)));
    }
    report.set_aside.push(format!("the file as it was: {}", to.display()));
    Ok(())
}

fn start_anew(path: &Path, report: &mut Report) -> Result<(), GatewayError> {
    move_aside(path, report)?;
    attempt(path, "making a new one", SqliteHistorian::open(path, SyncPolicy::Full)).map(drop)
}

/// Everything that can still be read goes into a new file, which takes the place of the damaged one.
fn salvage(old: SqliteHistorian, path: &Path, report: &mut Report) -> Result<SqliteHistorian, GatewayError> {
    let fresh = path.with_file_name("history.salvaged.sqlite3");
    drop(std::fs::remove_file(&fresh));
    let mut new = attempt(&fresh, "making a new one", SqliteHistorian::open(&fresh, SyncPolicy::Full))?;
    let failed = |source| GatewayError::History { path: fresh.clone(), source };
    for level in LEVELS {
        for kept in old.catalogue_rows(level) {
            match old.chunk(&kept.key) {
                Ok(Some(bytes)) => {
                    let chunk = Chunk { key: kept.key, samples: kept.samples, bytes: bytes.to_vec() };
                    new.commit(&[Change::Put(chunk)]).map_err(failed)?;
                }
                Ok(None) => {}
                Err(error) => report.add("chunk.lost", kept.key.to_string(), error.to_string(), REPAIR, true),
            }
        }
    }
    let mut entries = Vec::new();
    let mut keep = |entry: twin_historian::historian::Entry| {
        entries.push(Change::Append { times: entry.times, bytes: entry.bytes });
        true
    };
    let mut lost = Vec::new();
    let end = old.journal(Position(0), &mut keep, &mut |at, why| lost.push((at.0.to_string(), why)));
    if let Err(error) = end {
        lost.push(("the rest".to_owned(), error.to_string()));
    }
    for (which, why) in lost {
        report.add("journal.lost", format!("journal entry {which}"), why, REPAIR, true);
    }
    new.commit(&entries).map_err(failed)?;
    let notes = old.notes().unwrap_or_default().into_iter().map(|(name, text)| Change::Note { name, text });
    new.commit(&notes.collect::<Vec<_>>()).map_err(failed)?;
    attempt(&fresh, "closing it", new.fold_log())?;
    drop(new);
    drop(old);
    move_aside(path, report)?;
    std::fs::rename(&fresh, path).map_err(|source| GatewayError::Write { path: path.to_owned(), source })?;
    attempt(path, "opening it", SqliteHistorian::open(path, SyncPolicy::Full))
}

struct Check<'a> {
    keeper: &'a mut SqliteHistorian,
    repair: bool,
    report: &'a mut Report,
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
            }
            self.report.add("chunk.damaged", kept.key.to_string(), why, REPAIR, self.repair);
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
        let least = chunk::coarsen(raw, None, &how).ok().and_then(|least| as_raw(&[&least.bytes]).ok());
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
        let end = kept.map_or_else(|| carried::end_of(key.end, false), |kept| kept.key.end);
        let at = ChunkKey { level: Level::Carried, start: key.end, end, version: 1, ..*key };
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
            let why = if entry.bytes.starts_with(&chunk::MAGIC) {
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
            if self.repair {
                self.keeper.set_aside_entry(position, &why)?;
            }
            self.report.add("journal.damaged", format!("journal entry {}", position.0), why, REPAIR, self.repair);
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
