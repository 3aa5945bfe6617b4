//! A copy of a data folder, taken while a server writes it: its history, of one consistent moment and checked by reading it back, and
//! the revisions of the site that it is judged by.

use std::path::{Path, PathBuf};

use serde::Serialize;
use twin_historian::historian::{Historian as _, LEVELS, Position};

use super::database::{FILE, PUBLICATION, attempt};
use super::sqlite::SqliteHistorian;
use super::{pages, reading};
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
    if let Some(path) = [&file, &to.join(PUBLICATION)].into_iter().find(|path| path.exists()) {
        return Err(GatewayError::Exists { path: path.clone() });
    }
    std::fs::create_dir_all(to).map_err(|source| GatewayError::Write { path: to.to_owned(), source })?;
    let partial = to.join("history.partial.sqlite3");
    // From an attempt that was cut short; a finished copy never has this name.
    drop(std::fs::remove_file(&partial));
    let unfinished = to.join("publication.partial");
    drop(std::fs::remove_dir_all(&unfinished));
    // A copy of what SQLite would take of a damaged log is no copy of the history.
    let (looked, _) = reading::look(folder)?;
    if let Some(why) = looked.damage {
        return Err(GatewayError::Damaged { path: from, why });
    }
    let source = attempt(&from, "opening it for reading", SqliteHistorian::open_to_read(&from))?;
    attempt(&from, "copying it", source.copy_into(&partial))?;
    let found = verify(&partial)?;
    // No fault of the site's revisions keeps history from being copied.
    let beside = if with_revisions { copied::copy_all(&folder.join(PUBLICATION), &unfinished) } else { Ok((0, Vec::new())) };
    let (revisions, left_out) =
        beside.unwrap_or_else(|error| (0, vec![format!("revisions of the site are not in the copy: {}", error.in_full())]));
    let remarks = looked.remark.into_iter().chain(left_out.iter().cloned()).collect();
    let failed = |source| GatewayError::Write { path: file.clone(), source };
    std::fs::File::open(&partial).and_then(|copy| copy.sync_all()).map_err(failed)?;
    if revisions > 0 {
        std::fs::rename(&unfinished, to.join(PUBLICATION)).map_err(failed)?;
    } else {
        drop(std::fs::remove_dir_all(&unfinished));
    }
    std::fs::rename(&partial, &file).map_err(failed)?;
    Ok(Backup { file, revisions, left_out, remarks, ..found })
}

/// Reads every chunk and journal entry of a copy, and counts.
fn verify(path: &Path) -> Result<Backup, GatewayError> {
    let keeper = attempt(path, "reading the copy back", SqliteHistorian::open_to_read(path))?;
    let failed = |source| GatewayError::History { path: path.to_owned(), source };
    let whole = keeper.integrity().map_err(failed)?;
    if let Some(why) = whole.first() {
        return Err(GatewayError::Damaged { path: path.to_owned(), why: why.clone() });
    }
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
        return Err(GatewayError::Damaged { path: path.to_owned(), why });
    }
    let extent = pages::extent(&keeper).map_err(failed)?;
    let bytes = std::fs::metadata(path).map_or(0, |data| data.len());
    let extent_us = extent.map(|extent| [extent.start.as_micros(), extent.end.as_micros()]);
    let file = path.to_owned();
    let (left_out, remarks) = (Vec::new(), Vec::new());
    Ok(Backup { file, bytes, chunks, samples, journal_entries: entries, extent_us, revisions: 0, left_out, remarks })
}
