//! A salvaged database takes the place of a damaged one, so that a kill at any moment leaves one or the other: the new one gets its
//! last name but one only when it is whole, and from then on whoever opens the folder goes on with what is left to do.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::super::database::{FILE, attempt};
use super::super::fsck::Report;
use super::super::sqlite::{SqliteHistorian, SyncPolicy};
use super::super::wal;
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
    let mut new = attempt(&fresh, "making a new one", SqliteHistorian::open(&fresh, SyncPolicy::Off))?;
    super::salvage(&path, &mut new, report).map_err(|source| GatewayError::History { path: path.clone(), source })?;
    attempt(&fresh, "closing it", new.fold_log())?;
    drop(new);
    let failed = |source| GatewayError::Write { path: fresh.clone(), source };
    File::open(&fresh).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(&fresh, folder.join(WHOLE)).map_err(failed)?;
    sync(folder)?;
    if let Some(aside) = finish(folder)? {
        report.set_aside.insert(0, format!("the file as it was: {}", aside.display()));
    }
    Ok(())
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
    if path.exists() {
        let to = another_name(&path);
        let log = wal::log_of(&path);
        copy(&path, &to)?;
        if log.exists() {
            copy(&log, &wal::log_of(&to))?;
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
    folder.join(WHOLE).exists()
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
    drop(std::fs::remove_file(path));
}

/// Renames are on disk only when the folder is.
fn sync(folder: &Path) -> Result<(), GatewayError> {
    sync_folder(folder).map_err(|source| GatewayError::Write { path: folder.to_owned(), source })
}
