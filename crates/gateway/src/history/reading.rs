//! How a program that only reads gets at a data folder without changing a byte of its history: as it lies there, or, where SQLite
//! would forget or write something, from a private copy of what can be read, with what that lacks.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use twin_historian::historian::KeepError;
use twin_model::{TimeRange, Timestamp};

use super::damage::Missing;
use super::database::{FILE, attempt};
use super::fsck::{self, Finding};
use super::salvage::replace;
use super::sqlite::{SqliteHistorian, SyncPolicy};
use super::{guard, schema, wal};
use crate::GatewayError;
use crate::stores::ALWAYS;

/// A folder of our own for a private copy; it goes with this.
#[derive(Debug)]
pub(super) struct Private(PathBuf);

impl Private {
    fn make() -> Result<Self, GatewayError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("orrery-reading-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|source| GatewayError::Write { path: path.clone(), source })?;
        Ok(Self(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "a private copy of history could not be removed");
        }
    }
}

/// What a reader reads.
pub(super) struct Reading {
    pub(super) keeper: SqliteHistorian,
    /// What a person should know.
    pub(super) remarks: Vec<String>,
    /// What a damaged folder lacks.
    pub(super) missing: Vec<Missing>,
    /// Where the keeper reads a private copy: after it, in the order in which they go.
    pub(super) private: Option<Private>,
    /// Whether somebody has the folder open to write.
    pub(super) busy: bool,
}

/// What was looked at before SQLite sees a folder.
pub(super) struct Look {
    /// Why SQLite must not open its history, and what a kill left unfinished in it; nothing of either while somebody has it open to
    /// write: then the log is as SQLite keeps it, and changes while it is looked at.
    pub(super) looked: wal::Looked,
    /// Whether somebody has it open to write.
    busy: bool,
    /// Keeps others from writing.
    _lock: Option<File>,
}

impl Look {
    /// Refuses a folder that has no database, or one that is cut short, as a start does.
    ///
    /// # Errors
    /// Of [`guard::may_read`] and [`wal::whole`].
    pub(super) fn may_read(&self, folder: &Path) -> Result<(), GatewayError> {
        guard::may_read(folder)?;
        // Whoever writes looked at its start, and the file grows while it is looked at.
        if self.busy { Ok(()) } else { wal::whole(&folder.join(FILE)) }
    }
}

/// Looks at a folder as [`Look`] says.
///
/// # Errors
/// Where the log cannot be read.
pub(super) fn look(folder: &Path) -> Result<Look, GatewayError> {
    guard::own_file(folder)?;
    let lock = File::open(folder.join("lock")).ok();
    // Shared: other readers may look, too. Whoever wants to write waits a moment, or is told that the folder is in use.
    let busy = lock.as_ref().is_some_and(|lock| !matches!(lock.try_lock_shared(), Ok(())));
    if busy {
        return Ok(Look { looked: wal::Looked::default(), busy, _lock: None });
    }
    let path = folder.join(FILE);
    let looked = wal::look(&path).map_err(|source| GatewayError::Read { path: path.clone(), source })?;
    looked.not_newer(&path)?;
    Ok(Look { looked, busy, _lock: lock })
}

/// Opens the history of a folder for reading; a server may be writing it at the same time.
///
/// # Errors
/// Where there is none, or neither it nor what is left of it can be read.
pub(super) fn open(folder: &Path) -> Result<Reading, GatewayError> {
    let path = folder.join(FILE);
    let look = look(folder)?;
    if let Some(whole) = replace::waiting(folder) {
        // A repair that was cut short when all was written: whoever writes next puts it in its place.
        let copy = |to: &Path| std::fs::copy(&whole, to).map(drop).map_err(|source| unread(&whole, source));
        let remark = format!(
            "a repair of history in {} was cut short when all was written: what it saved was read; `orrery fsck {} --repair` finishes it",
            path.display(),
            folder.display()
        );
        return Ok(Reading { remarks: vec![remark], ..copied(&path, copy)? });
    }
    if let Some(why) = &look.looked.damage {
        return what_is_left(folder, &path, why);
    }
    look.may_read(folder)?;
    let (busy, remarks) = (look.busy, look.looked.remark.iter().cloned().collect());
    let keeper = attempt(&path, READING, SqliteHistorian::open_to_read(&path))?;
    guard::may_read_in(folder, &keeper)?;
    if attempt(&path, READING, keeper.layout())? != schema::LAYOUT {
        // An older layout: a copy is brought up to date, the folder by the next server.
        return Ok(Reading { busy, ..copied(&path, |to| attempt(&path, READING, keeper.copy_into(to)))? });
    }
    match keeper.agrees() {
        // From here on a server may begin.
        Ok(()) => Ok(Reading { keeper, remarks, missing: Vec::new(), private: None, busy }),
        Err(KeepError::Damaged { why, .. }) if busy => {
            // Of one moment, whatever is written meanwhile.
            let moment = Private::make()?;
            let copy = moment.0.join(FILE);
            attempt(&path, READING, keeper.copy_into(&copy))?;
            Ok(Reading { busy, ..what_is_left(folder, &copy, &why)? })
        }
        Err(KeepError::Damaged { why, .. }) => {
            drop(keeper);
            what_is_left(folder, &path, &why)
        }
        Err(source) => Err(GatewayError::History { path, source }),
    }
}

/// Refuses a folder that has no history to change, before whoever changes it makes one. What is damaged is for them to say, and a
/// repair that was cut short, which has no file under its name, for them to finish.
///
/// # Errors
/// Of [`Look::may_read`] and [`guard::may_read_in`].
pub(super) fn may_change(folder: &Path) -> Result<(), GatewayError> {
    let look = look(folder)?;
    if replace::pending(folder) || look.looked.damage.is_some() {
        return Ok(());
    }
    look.may_read(folder)?;
    let path = folder.join(FILE);
    guard::may_read_in(folder, &attempt(&path, READING, SqliteHistorian::open_to_read(&path))?)
}

/// What is tried.
const READING: &str = "opening it for reading";

fn unread(path: &Path, source: std::io::Error) -> GatewayError {
    GatewayError::Read { path: path.to_owned(), source }
}

/// A private copy of a whole file, of today's layout.
fn copied(path: &Path, copy: impl FnOnce(&Path) -> Result<(), GatewayError>) -> Result<Reading, GatewayError> {
    let private = Private::make()?;
    let to = private.0.join(FILE);
    copy(&to)?;
    let keeper = attempt(path, READING, SqliteHistorian::open(&to, SyncPolicy::Off))?;
    Ok(Reading { keeper, remarks: Vec::new(), missing: Vec::new(), private: Some(private), busy: false })
}

/// A private copy of what can be read of a damaged folder.
fn what_is_left(folder: &Path, path: &Path, why: &str) -> Result<Reading, GatewayError> {
    let private = Private::make()?;
    let (keeper, report) = fsck::read_aside(path, &private.0.join(FILE))?;
    let missing: Vec<Missing> = report.findings.iter().filter_map(lost).collect();
    let lack = if missing.is_empty() { "nothing of it is missing" } else { "some of it is missing" };
    let remark = format!(
        "history in {} is damaged: {why}; it was read page by page into a private copy, and {lack}; no server starts with it until \
         `orrery fsck {} --repair` has mended it",
        folder.join(FILE).display(),
        folder.display()
    );
    Ok(Reading { keeper, remarks: vec![remark], missing, private: Some(private), busy: false })
}

/// What a finding of a repair says is lost; none where nothing is.
fn lost(finding: &Finding) -> Option<Missing> {
    if finding.mended || finding.code == "chunk.overlap" {
        return None;
    }
    let range = finding.lost_us.map_or(ALWAYS, |[first, last]| {
        // Its last time is in it.
        TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(last.saturating_add(1)))
    });
    Some(Missing { range, carried: false, numbers: None, what: finding.subject.clone(), why: finding.message.clone() })
}
