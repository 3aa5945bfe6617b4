//! A salvaged database takes the place of a damaged one, so that a kill at any moment leaves one or the other: the new one gets its
//! last name but one only when it is whole, and from then on whoever opens the folder goes on with what is left to do.

use std::fs::File;
use std::path::{Path, PathBuf};

use twin_historian::historian::KeepError;
use twin_model::{TimeRange, Timestamp};

use super::super::damage;
use super::super::database::{FILE, attempt};
use super::super::fsck::Report;
use super::super::sqlite::{SqliteHistorian, SyncPolicy};
use super::super::{pages, wal};
use crate::GatewayError;
use crate::files::sync_folder;

/// While it is written.
const UNDER_WAY: &str = "history.salvaging.sqlite3";
/// Whole, and to take the place of the damaged one.
const WHOLE: &str = "history.salvaged.sqlite3";

/// Everything that can still be read goes into a new file, which takes the place of the damaged one; that stays beside.
///
/// # Errors
/// Where a file cannot be read or written; the damaged one is as it was then.
pub(in super::super) fn with_what_is_left(folder: &Path, report: &mut Report) -> Result<(), GatewayError> {
    let (path, fresh) = (folder.join(FILE), folder.join(UNDER_WAY));
    for suffix in ["", "-wal", "-shm"] {
        discard(&with(&fresh, suffix));
    }
    // Nothing of it counts before it is whole and synchronised.
    copy_of_what_is_left(&path, &fresh, report)?;
    let failed = |source| GatewayError::Write { path: fresh.clone(), source };
    File::open(&fresh).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(&fresh, folder.join(WHOLE)).map_err(failed)?;
    sync(folder)?;
    if let Some(aside) = finish(folder)? {
        report.set_aside.insert(0, format!("the file as it was: {}, with its log where it had one", aside.display()));
    }
    Ok(())
}

/// As [`with_what_is_left`], into a file elsewhere; nothing in the folder of the damaged one is touched.
///
/// # Errors
/// As [`with_what_is_left`].
pub(in super::super) fn copy_of_what_is_left(path: &Path, to: &Path, report: &mut Report) -> Result<(), GatewayError> {
    let mut new = attempt(to, "making a new one", SqliteHistorian::open(to, SyncPolicy::Off))?;
    super::salvage(path, &mut new, report).map_err(|source| damage::in_file(path, source))?;
    let unread = |source| GatewayError::Read { path: path.to_owned(), source };
    if let Some(lack) = wal::look(path).map_err(unread)?.lack {
        let known = newest(&new).map_err(|source| damage::in_file(to, source))?;
        let log = wal::log_of(path).display().to_string();
        // What is written last is of the newest times, but for what comes late; to call all of history doubtful would help nobody.
        report.lose("log.missing", log, lack.words().to_owned(), None, TimeRange::new(known, Timestamp::MAX));
    }
    attempt(to, "closing it", new.fold_log())
}

/// The end of what a database has.
fn newest(keeper: &SqliteHistorian) -> Result<Timestamp, KeepError> {
    let chunks = pages::extent(keeper)?.map_or(Timestamp::MIN, |extent| extent.end);
    Ok(keeper.journal_end()?.map_or(chunks, |last| last.max(chunks)))
}

/// A copy of a log under a name of its own beside it, before SQLite forgets what is in it; returns its name, none where there is no log.
///
/// # Errors
/// Where it cannot be written.
pub(in super::super) fn log_aside(path: &Path) -> Result<Option<PathBuf>, GatewayError> {
    if !wal::log_of(path).exists() {
        return Ok(None);
    }
    let to = wal::log_of(&another_name(path));
    // Not a second name: SQLite goes on writing in the first.
    let copied = std::fs::copy(wal::log_of(path), &to).and_then(|_| File::open(&to)).and_then(|file| file.sync_all());
    copied.map_err(|source| GatewayError::Write { path: to.clone(), source })?;
    Ok(Some(to))
}

/// Where the whole file of a repair is that was cut short when all was written; none where none was.
pub(in super::super) fn waiting(folder: &Path) -> Option<PathBuf> {
    Some(folder.join(WHOLE)).filter(|whole| whole.exists())
}

/// Goes on with what a kill cut short, where there is anything; returns where the damaged file is now.
///
/// # Errors
/// Where a file cannot be written.
pub(in super::super) fn finish(folder: &Path) -> Result<Option<PathBuf>, GatewayError> {
    let (path, whole) = (folder.join(FILE), folder.join(WHOLE));
    if !whole.exists() {
        return Ok(None);
    }
    let mut aside = None;
    let log = wal::log_of(&path);
    if path.exists() || log.exists() {
        let to = another_name(&path);
        for (from, to) in [(path.clone(), to.clone()), (log.clone(), wal::log_of(&to))] {
            if from.exists() {
                copy(&from, &to)?;
            }
        }
        sync(folder)?;
        aside = Some(to);
    }
    // A log beside the new file would be taken for its own.
    for suffix in ["-wal", "-shm"] {
        discard(&with(&path, suffix));
    }
    sync(folder)?;
    std::fs::rename(&whole, &path).map_err(|source| GatewayError::Write { path: path.clone(), source })?;
    sync(folder)?;
    Ok(aside)
}

/// Whether a repair was cut short when all was written.
pub(in super::super) fn pending(folder: &Path) -> bool {
    waiting(folder).is_some()
}

/// Another name beside the file that is not taken.
fn another_name(path: &Path) -> PathBuf {
    let name = |at: u32| path.with_file_name(format!("history.damaged-{at}.sqlite3"));
    (1..).map(name).find(|name| !name.exists() && !wal::log_of(name).exists()).unwrap_or_else(|| name(0))
}

/// A second name for a file, which is at once and takes no room; where the file system has none, a copy.
fn copy(from: &Path, to: &Path) -> Result<(), GatewayError> {
    if std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let copied = std::fs::copy(from, to).and_then(|_| File::open(to)).and_then(|file| file.sync_all());
    copied.map_err(|source| GatewayError::Write { path: to.to_owned(), source })
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Missing files are fine.
fn discard(path: &Path) {
    std::fs::remove_file(path).ok();
}

/// Renames are on disk only when the folder is.
fn sync(folder: &Path) -> Result<(), GatewayError> {
    sync_folder(folder).map_err(|source| GatewayError::Write { path: folder.to_owned(), source })
}
