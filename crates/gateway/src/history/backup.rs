//! A copy of a data folder, taken while a server writes it: its history, of one consistent moment and checked by reading it back, and
//! the revisions of the site that it is judged by.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_WRITE;
use serde::Serialize;
use twin_historian::historian::{Historian as _, KeepError, LEVELS, Position};

use super::damage;
use super::database::{FILE, PUBLICATION, attempt};
use super::salvage::replace;
use super::sqlite::SqliteHistorian;
use super::{guard, pages, reading};
use crate::GatewayError;
use crate::revisions::copied;
use crate::stores::ALWAYS;

/// What a copy holds; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The copy.
    pub file: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Chunks of all levels.
    pub chunks: u64,
    /// Samples in raw chunks.
    pub samples: u64,
    /// Batches that no chunk holds yet.
    pub journal_entries: u64,
    /// From the first to the end of the last slab, in microseconds.
    pub extent_us: Option<[i64; 2]>,
    /// Revisions of the site, of the publication beside the history.
    pub revisions: u64,
    /// What of them could not be had, in words.
    pub left_out: Vec<String>,
    /// What a person should know of the folder.
    #[serde(skip)]
    pub remarks: Vec<String>,
}

/// Copies history and revisions of `folder` into the folder `to`, from where a server can serve them. The revisions after the history:
/// whatever is in the copy was received while one of them was in force.
///
/// # Errors
/// Where there is no history, `to` holds one already, the disk refuses, the log is damaged, or the copy does not read back.
pub fn backup(folder: &Path, to: &Path) -> Result<Backup, GatewayError> {
    copy(folder, to, true)
}

/// Copies the history alone.
///
/// # Errors
/// As [`backup`].
pub(crate) fn copy_history(folder: &Path, to: &Path) -> Result<Backup, GatewayError> {
    copy(folder, to, false)
}

fn copy(folder: &Path, to: &Path, with_revisions: bool) -> Result<Backup, GatewayError> {
    let (from, file) = (folder.join(FILE), to.join(FILE));
    free_for(to, &file)?;
    // A copy of what SQLite would take of a damaged log is no copy of the history.
    let look = reading::look(folder)?;
    if let Some(why) = look.looked.damage {
        return Err(GatewayError::Damaged { path: from, why });
    }
    look.may_read(folder)?;
    let remark = look.looked.remark.clone();
    drop(look);
    let source = attempt(&from, "opening it for reading", SqliteHistorian::open_to_read(&from))?;
    guard::may_read_in(folder, &source)?;
    source.agrees().map_err(|error| damage::in_file(&from, error))?;
    let unfinished = Unfinished::begin(to)?;
    let (partial, beside_it) = (&unfinished.history, &unfinished.publication);
    match source.copy_into(partial) {
        // Of the copy's place, not of the original.
        Err(error) if no_room(&error) => {
            return Err(GatewayError::Write { path: to.to_owned(), source: std::io::Error::other(error) });
        }
        copied => attempt(&from, "copying it", copied)?,
    }
    let found = verify(partial, &from)?;
    // No fault of the site's revisions keeps history from being copied.
    let beside = if with_revisions { copied::copy_all(&folder.join(PUBLICATION), beside_it) } else { Ok((0, Vec::new())) };
    let (revisions, left_out) =
        beside.unwrap_or_else(|error| (0, vec![format!("revisions of the site are not in the copy: {}", error.in_full())]));
    let remarks = remark.into_iter().chain(left_out.iter().cloned()).collect();
    unfinished
        .finish(&file, &to.join(PUBLICATION), revisions > 0)
        .map_err(|source| GatewayError::Write { path: file.clone(), source })?;
    Ok(Backup { file, revisions, left_out, remarks, ..found })
}

/// Refuses a folder that has a history, or what a server would take for part of the copy or for a trace of another one.
fn free_for(to: &Path, file: &Path) -> Result<(), GatewayError> {
    let beside = BESIDE.map(|suffix| to.join(format!("{FILE}{suffix}")));
    let taken = [file.to_owned()].into_iter().chain(beside).find(|path| path.symlink_metadata().is_ok());
    let repaired = || replace::waiting(to);
    let marked = || Some(to.join("lock")).filter(|_| guard::logged(to) != guard::Logged::Never);
    if let Some(path) = taken.or_else(repaired).or_else(marked) {
        return Err(GatewayError::Exists { path });
    }
    Unfinished::take_back(to, file);
    let publication = to.join(PUBLICATION);
    if publication.exists() { Err(GatewayError::Exists { path: publication }) } else { Ok(()) }
}

/// Whether SQLite could not write: it only reads the original.
fn no_room(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| (error.code, error.extended_code));
    code.is_some_and(|(code, extended)| code == ErrorCode::DiskFull || extended == SQLITE_IOERR_WRITE)
}

/// What SQLite leaves beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
const PARTIAL: &str = "history.partial.sqlite3";
const PUBLICATION_PARTIAL: &str = "publication.partial";

/// What a copy is called until it is whole. Dropped before that, it leaves nothing behind.
struct Unfinished {
    history: PathBuf,
    publication: PathBuf,
    /// Folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
    whole: bool,
}

impl Unfinished {
    /// In the folder `to`, which is made where there is none.
    fn begin(to: &Path) -> Result<Self, GatewayError> {
        let mut made: Vec<PathBuf> = to.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
        made.retain(|folder| !folder.as_os_str().is_empty());
        made.reverse();
        let begun = Self { history: to.join(PARTIAL), publication: to.join(PUBLICATION_PARTIAL), made, whole: false };
        std::fs::create_dir_all(to).map_err(|source| GatewayError::Write { path: to.to_owned(), source })?;
        // From an attempt that was cut short; a finished copy never has these names.
        begun.discard();
        Ok(begun)
    }

    /// Takes back what an attempt gave its name that was cut short before the history had its own: the history in its first name says
    /// that the folder beside it is of that attempt, for none begins where there is one.
    fn take_back(to: &Path, file: &Path) {
        if !file.exists() && to.join(PARTIAL).exists() && !to.join(PUBLICATION_PARTIAL).exists() {
            std::fs::rename(to.join(PUBLICATION), to.join(PUBLICATION_PARTIAL)).ok();
        }
    }

    /// Gives the copy its names, the history last: where that is, all is there.
    fn finish(mut self, file: &Path, publication: &Path, with_revisions: bool) -> std::io::Result<()> {
        std::fs::File::open(&self.history).and_then(|copy| copy.sync_all())?;
        if with_revisions {
            std::fs::rename(&self.publication, publication)?;
        }
        if let Err(error) = std::fs::rename(&self.history, file) {
            if with_revisions {
                // Under its own name it would count as somebody's, and keep the next attempt from beginning.
                std::fs::rename(publication, &self.publication).ok();
            }
            return Err(error);
        }
        self.whole = true;
        Ok(())
    }

    fn discard(&self) {
        // SQLite leaves files beside one where a write of it broke.
        for suffix in [""].into_iter().chain(BESIDE) {
            let mut name = self.history.clone().into_os_string();
            name.push(suffix);
            std::fs::remove_file(name).ok();
        }
        std::fs::remove_dir_all(&self.publication).ok();
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.discard();
        if !self.whole {
            // Only where they are empty: what somebody else put there meanwhile stays.
            for folder in self.made.iter().rev() {
                std::fs::remove_dir(folder).ok();
            }
        }
    }
}

/// Reads every chunk and journal entry of a copy, and counts. What is wrong with it is wrong with what it is `of`.
fn verify(path: &Path, of: &Path) -> Result<Backup, GatewayError> {
    let keeper = attempt(of, "reading the copy back", SqliteHistorian::open_to_read(path))?;
    let damaged = |why: String| GatewayError::Damaged { path: of.to_owned(), why };
    let failed = |source: KeepError| damage::in_file(of, source);
    if let Some(why) = keeper.integrity().map_err(failed)?.into_iter().next() {
        return Err(damaged(why));
    }
    // Pages may be whole and hold somebody else's tables, or none.
    keeper.usable().map_err(failed)?;
    let (mut chunks, mut samples, mut entries) = (0, 0, 0);
    for level in LEVELS {
        for page in keeper.pages(level, ALWAYS).map_err(failed)? {
            let instant = twin_model::TimeRange::new(page.start, page.start + twin_model::Span::from_micros(1));
            let of_page = keeper.catalogue(level, instant).map_err(failed)?;
            for kept in of_page.iter().filter(|kept| kept.key.start == page.start) {
                // The keeper compares checksums.
                keeper.chunk(&kept.key).map_err(failed)?;
                chunks += 1;
                samples += if level == twin_historian::Level::Raw { u64::from(kept.samples) } else { 0 };
            }
        }
    }
    let mut damaged = None;
    let mut count = |_| {
        entries += 1;
        true
    };
    let mut note = |position: Position, why: String| damaged = Some(format!("journal entry {}: {why}", position.0));
    keeper.journal(Position(0), &mut count, &mut note).map_err(failed)?;
    if let Some(why) = damaged {
        return Err(GatewayError::Damaged { path: of.to_owned(), why });
    }
    let extent = pages::extent(&keeper).map_err(failed)?;
    let bytes = std::fs::metadata(path).map_or(0, |data| data.len());
    let extent_us = extent.map(|extent| [extent.start.as_micros(), extent.end.as_micros()]);
    let file = path.to_owned();
    let (left_out, remarks) = (Vec::new(), Vec::new());
    Ok(Backup { file, bytes, chunks, samples, journal_entries: entries, extent_us, revisions: 0, left_out, remarks })
}
