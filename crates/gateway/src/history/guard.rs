//! Whether a data folder is still what was opened: looked at around every commit, so that nothing is acknowledged that went into a
//! file which nobody will find again, or beside another server. Also what says that a folder without a database had one.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use twin_historian::historian::KeepError;

use super::damage;
use super::database::{FILE, attempt};
use super::schema::NAMES;
use super::sqlite::SqliteHistorian;
use crate::GatewayError;

/// What is written into the lock file once there is a database beside it.
const MARK: &str = "history.sqlite3 belongs here; without it nothing starts from nothing in this folder\n";

/// What follows it while there is something in the log, with the number of the file that the log is of.
const LOGGED: &str = "history.sqlite3-wal belongs to it, of file ";

/// What SQLite writes beside the file until that is kept with a log, which it is before it has any table, and before the folder is
/// marked: a kill in between leaves it beside an empty file.
const JOURNAL: &str = "history.sqlite3-journal";

/// What is tried.
const TABLES: &str = "looking for its tables";

/// The lock file as a trace of a database.
const LOCK: &str = "lock, which says that it had one";

/// What a lock file says of the log beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logged {
    /// No history was begun in the folder.
    Never,
    /// It was; of the log nothing is known.
    Marked,
    /// The log of the file with this number has what was written last.
    By(u32),
}

/// The files that must stay what they are.
#[derive(Debug)]
pub(super) struct Guard(Vec<(PathBuf, Option<(u64, u64)>)>);

impl Guard {
    /// Over files that exist.
    pub(super) fn over(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| (path.clone(), identity(path))).collect())
    }

    /// # Errors
    /// Where one of the files is gone or another one.
    pub(super) fn check(&self) -> Result<(), KeepError> {
        for (path, known) in &self.0 {
            let now = identity(path);
            if now.is_none() || now != *known {
                let what = if now.is_none() { "is gone from there" } else { "is another file now" };
                let why = format!(
                    "{} {what}: the data folder was moved, deleted or taken by another server; put it back, or stop and start again",
                    path.display()
                );
                return Err(KeepError::Unavailable { doing: "written", why });
            }
        }
        Ok(())
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|data| number(&data))
}

#[cfg(unix)]
fn number(data: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (data.dev(), data.ino())
}

/// Elsewhere an open file can't be moved away.
#[cfg(not(unix))]
fn number(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// Says in the lock file that there is a database beside it, and whose log has what is written last: what is said of a log goes when
/// that is folded in.
pub(super) fn mark(lock: &mut File, log_of: Option<u32>) {
    let line = log_of.map(|file| format!("{LOGGED}{file:08x}\n")).unwrap_or_default();
    let wanted = format!("{MARK}{line}");
    let mut text = String::new();
    let known = lock.seek(SeekFrom::Start(0)).and_then(|_| lock.read_to_string(&mut text)).is_ok() && text == wanted;
    if !known {
        // Where it cannot be written, the folder is as safe as it was. The first line never leaves the file.
        let written = lock.seek(SeekFrom::Start(0)).and_then(|_| lock.write_all(wanted.as_bytes()));
        written.and_then(|()| lock.set_len(wanted.len() as u64)).ok();
    }
}

/// What the lock file of a folder says.
pub(super) fn logged(folder: &Path) -> Logged {
    let Ok(text) = std::fs::read_to_string(folder.join("lock")) else { return Logged::Never };
    let Some(line) = text.strip_prefix(MARK) else { return Logged::Never };
    let number = line.strip_prefix(LOGGED).and_then(|number| u32::from_str_radix(number.trim_end(), 16).ok());
    number.map_or(Logged::Marked, Logged::By)
}

/// Refuses a database that is a link: its lock would lie in one folder and that of whoever opens it by its own name in another, its log
/// beside the file itself, where nobody here looks for it. The folder may be a link.
///
/// # Errors
/// [`GatewayError::Refused`] with the folder to name instead.
pub(super) fn own_file(folder: &Path) -> Result<(), GatewayError> {
    let path = folder.join(FILE);
    if !std::fs::symlink_metadata(&path).is_ok_and(|data| data.is_symlink()) {
        return Ok(());
    }
    // Where the link leads nowhere: what it says.
    let to = std::fs::canonicalize(&path).or_else(|_| std::fs::read_link(&path).map(|to| folder.join(to)));
    let to = to.unwrap_or_else(|_| path.clone());
    let why = format!(
        "it is a link to {}, and the lock and the log of a history lie beside the file itself; name the folder in which that is, {}, or put \
         the file in the place of the link",
        to.display(),
        to.parent().unwrap_or(folder).display()
    );
    Err(GatewayError::Refused { path, why })
}

/// Refuses a sound database that has tables, and none that this program ever made. What can't be read is for others to judge.
///
/// # Errors
/// [`GatewayError::Refused`].
pub(super) fn not_of_another(path: &Path) -> Result<(), GatewayError> {
    let tables = SqliteHistorian::open_to_read(path).and_then(|keeper| keeper.names());
    let tables = tables.unwrap_or_default();
    if tables.is_empty() || tables.iter().any(|table| NAMES.contains(&table.as_str())) {
        return Ok(());
    }
    let why = "it is a file of another program: it has tables, and none of them is of this one; nothing is changed; put it elsewhere and \
         restore a backup, or name another folder"
        .to_owned();
    Err(GatewayError::Refused { path: path.to_owned(), why })
}

/// Refuses a folder without a database that looks as if it had one.
///
/// # Errors
/// [`GatewayError::Gone`] with what is there.
pub(super) fn may_begin(folder: &Path) -> Result<(), GatewayError> {
    let path = folder.join(FILE);
    if length(&path)?.is_some_and(|length| length > 0) {
        return Ok(());
    }
    gone_with(path, &traces(folder)?)
}

/// Refuses a database without any table where the lock file says that there was history in it, and one of another program. A program
/// that was killed when it began leaves one without tables, too, but had not marked the folder.
///
/// # Errors
/// As [`may_begin`], and [`GatewayError::Damaged`] where tables of its layout are missing.
pub(super) fn may_begin_in(folder: &Path, keeper: &SqliteHistorian) -> Result<(), GatewayError> {
    let path = folder.join(FILE);
    if attempt(&path, TABLES, keeper.begun())? {
        return keeper.has_tables().map_err(|source| damage::in_file(&path, source));
    }
    if logged(folder) == Logged::Never { Ok(()) } else { gone_with(path, &[LOCK.to_owned()]) }
}

/// As [`may_begin_in`], for whoever reads: what has no table is no history.
///
/// # Errors
/// As [`may_read`].
pub(super) fn may_read_in(folder: &Path, keeper: &SqliteHistorian) -> Result<(), GatewayError> {
    may_begin_in(folder, keeper)?;
    if attempt(&folder.join(FILE), TABLES, keeper.begun())? {
        return Ok(());
    }
    Err(GatewayError::NoHistory { folder: folder.to_owned(), why: "its history.sqlite3 has no table: nothing was begun there" })
}

fn gone_with(path: PathBuf, found: &[String]) -> Result<(), GatewayError> {
    if found.is_empty() { Ok(()) } else { Err(GatewayError::Gone { path, found: found.join(", ") }) }
}

/// Refuses a folder without a database, whatever else is in it: what is not there is never read as history in which nothing happened.
/// SQLite would take an empty file for a new database.
///
/// # Errors
/// As [`may_begin`], and [`GatewayError::NoHistory`] where nothing was begun.
pub(super) fn may_read(folder: &Path) -> Result<(), GatewayError> {
    let nothing = |why| Err(GatewayError::NoHistory { folder: folder.to_owned(), why });
    if !folder.is_dir() {
        return nothing(if folder.exists() { "it is no folder" } else { "there is no such folder" });
    }
    may_begin(folder)?;
    match length(&folder.join(FILE))? {
        None => nothing("it holds no history.sqlite3"),
        Some(0) => nothing("its history.sqlite3 is empty: nothing was begun there, or the file was cut short"),
        Some(_) => Ok(()),
    }
}

/// Length of a file; none where there is none.
fn length(path: &Path) -> Result<Option<u64>, GatewayError> {
    match std::fs::metadata(path) {
        Ok(data) => Ok(Some(data.len())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(GatewayError::Read { path: path.to_owned(), source }),
    }
}

/// What in a folder says that there was a database.
fn traces(folder: &Path) -> Result<Vec<String>, GatewayError> {
    let mut found: Vec<String> = Vec::new();
    let marked = logged(folder) != Logged::Never;
    if marked {
        found.push(LOCK.to_owned());
    }
    let entries = std::fs::read_dir(folder).map_err(|source| GatewayError::Read { path: folder.to_owned(), source })?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let length = entry.metadata().map_or(0, |data| data.len());
        if name != FILE
            && name.contains("history")
            && name.contains("sqlite")
            && length > 0
            && !name.contains("history.salvaging")
            && (marked || name != JOURNAL)
        {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}
