//! A keeper of history in one SQLite file: the catalogue, the bytes, the journal, the notes. Refuses to know what chunks
//! mean and when anything is written.

mod rows;
mod whole;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, TransactionBehavior, params};
use twin_historian::historian::{Blob, Change, Entry, Historian, KeepError, Kept, Page, Position};
use twin_historian::{ChunkKey, Level};
use twin_model::{TimeRange, Timestamp};

use super::damage::THE_FILE;
use super::guard::{self, Guard};
use super::series::Series;
use super::{identity, schema};
use crate::stores::ALWAYS;
use rows::{bytes_of, entry, kept, newest, slot};

pub(super) use rows::{apply, put, rows, sum_up};

/// Longest wait for another connection's short turn.
const BUSY: Duration = Duration::from_secs(5);
/// Pages given back to the file system after a commit that removed something: 8 MiB, some ten milliseconds.
const GIVE_BACK: &str = "PRAGMA incremental_vacuum(2048)";
/// Columns of a catalogue row, in the order that [`kept`] reads.
const ROW: &str = "c.first_signal, c.signals, c.start_us, c.end_us, c.version, c.samples, c.bytes, c.crc";

/// What a commit survives. WAL is used in every case, so that what is there is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum SyncPolicy {
    /// kill -9 and power loss: every commit waits for the disk.
    #[default]
    Full,
    /// kill -9; a power loss may take what was committed since the last checkpoint, often some seconds.
    Normal,
    /// kill -9 only: a power loss may leave a damaged file.
    Off,
}

impl SyncPolicy {
    const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

/// The pieces that take a journal entry's place, with their samples; none where it stays as it is.
pub(crate) type Rewrite<'a> = &'a mut dyn FnMut(&[u8]) -> Option<Vec<(Vec<u8>, u32)>>;

/// See the module's head.
#[derive(Debug)]
pub struct SqliteHistorian {
    path: PathBuf,
    pub(super) connection: Connection,
    writes: bool,
    /// What must be so around every commit.
    guard: Option<Guard>,
    /// The lock file, while it says that the log has what is written last.
    pub(super) logged: Option<File>,
}

impl Drop for SqliteHistorian {
    /// SQLite folds the log in and removes it when its last connection closes.
    fn drop(&mut self) {
        if let Some(mut lock) = self.logged.take() {
            guard::mark(&mut lock, None);
        }
    }
}

impl SqliteHistorian {
    /// Opens or makes a database for writing; an older layout is brought up to this one.
    ///
    /// # Errors
    /// Where the file is no database of this program, damaged, or cannot be written.
    pub fn open(path: &Path, sync: SyncPolicy) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        if !schema::layout(&connection)?.1 {
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", sync.pragma())?;
        schema::prepare(&mut connection)?;
        let one = Self { path: path.to_owned(), connection, writes: true, guard: None, logged: None };
        // Where the disk refuses, it is the file that it was.
        one.give_identity().ok();
        Ok(one)
    }

    /// Opens an existing database for reading; others may write it at the same time.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open_to_read(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Fails here and not at the first question where the file is something else.
        schema::layout(&connection)?;
        Ok(Self { path: path.to_owned(), connection, writes: false, guard: None, logged: None })
    }

    /// From here on commits fail, and so nothing is acknowledged, where one of these files is not any more what it is now.
    pub(super) fn guard(&mut self, files: &[PathBuf]) {
        self.guard = Some(Guard::over(files));
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Layout of the file; 0 is the one before levels.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn layout(&self) -> rusqlite::Result<i64> {
        schema::layout(&self.connection).map(|(version, _)| version)
    }

    /// Whether it holds any table at all. SQLite takes a file without for a new one.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn begun(&self) -> rusqlite::Result<bool> {
        schema::layout(&self.connection).map(|(_, tables)| tables)
    }

    /// Writes journal entries anew, in one commit: `f` gives the pieces that take an entry's place, none where it stays as it is.
    ///
    /// # Errors
    /// Where it cannot be read or written; nothing was changed then.
    pub(crate) fn rewrite_journal(&mut self, f: Rewrite<'_>) -> Result<(), KeepError> {
        let mut write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let positions: Vec<i64> = {
                let mut all = transaction.prepare("SELECT position FROM journal ORDER BY position")?;
                all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
            };
            for position in positions {
                let sql = "SELECT first_us, last_us, bytes FROM journal WHERE position = ?1";
                let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, bytes_of(row, 2)?.into()));
                let (first, last, bytes): (i64, i64, Vec<u8>) = transaction.prepare_cached(sql)?.query_row([position], read)?;
                let Some(pieces) = f(&bytes) else { continue };
                transaction.prepare_cached("DELETE FROM journal WHERE position = ?1")?.execute([position])?;
                let times = TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(last));
                for (bytes, samples) in pieces {
                    apply(&transaction, &Change::Append { times, bytes: bytes.into(), samples })?;
                }
            }
            transaction.commit()
        };
        write(&mut self.connection).map_err(|error| trouble("written", &error))
    }

    /// The newest time in the journal; none where it is empty.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn journal_end(&self) -> Result<Option<Timestamp>, KeepError> {
        let found = self.rows("SELECT max(last_us) FROM journal", [], |row| row.get::<_, Option<i64>>(0))?;
        Ok(found.into_iter().flatten().next().map(Timestamp::from_micros))
    }

    /// What the numbers of chunks and journal mean.
    ///
    /// # Errors
    /// Where it cannot be read, or neither copy of it is what was written.
    pub(crate) fn series(&self) -> Result<Series, KeepError> {
        let series = schema::read_series(&self.connection).map_err(|error| trouble("read", &error))?;
        let why = "neither copy of it is what was written; `orrery fsck --repair` mends it".to_owned();
        series.ok_or(KeepError::Damaged { what: "the table of series".to_owned(), why })
    }

    /// Writes what the numbers mean, and which site the folder belongs to, in one commit; nothing where it is so already.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn set_series(&mut self, series: &Series, site: Option<&str>) -> Result<(), KeepError> {
        let known = match site {
            Some(site) => self.note("site")?.as_deref() == Some(site),
            None => true,
        };
        if known && self.series().is_ok_and(|old| old == *series) && self.note(super::SIGNALS)? == Some(series.text()) {
            return Ok(());
        }
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            schema::write_series(&transaction, series)?;
            if let Some(site) = site {
                apply(&transaction, &Change::Note { name: "site".to_owned(), text: site.to_owned() })?;
            }
            transaction.commit()
        };
        write(&mut self.connection).map_err(|error| trouble("written", &error))
    }

    /// All notes by name.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn notes(&self) -> Result<Vec<(String, String)>, KeepError> {
        self.rows("SELECT name, text FROM note ORDER BY name", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Copies what is there at this moment into a new file; a server may go on writing meanwhile.
    ///
    /// # Errors
    /// Where it cannot be read, or the new file not written.
    pub(super) fn copy_into(&self, to: &Path) -> rusqlite::Result<()> {
        self.connection.execute("VACUUM INTO ?1", [to.display().to_string()])?;
        // A log of the original would not belong to it.
        identity::give_another(&Connection::open(to)?)
    }

    /// Writes everything from the write-ahead log into the file.
    ///
    /// # Errors
    /// Where that fails, for example because somebody else reads.
    pub fn fold_log(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).map(drop)
    }

    /// From here on all reads of this handle are of one moment. Asked for again, that stays the moment.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn begin_reading(&self) -> Result<(), KeepError> {
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("BEGIN").map_err(|error| trouble("read", &error))
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, KeepError> {
        let all = || self.connection.prepare_cached(sql)?.query_map(params, read)?.collect::<rusqlite::Result<Vec<T>>>();
        all().map_err(|error| trouble("read", &error))
    }
}

/// What an error of SQLite means for history.
pub(super) fn trouble(doing: &'static str, error: &rusqlite::Error) -> KeepError {
    let damaged = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
    if damaged || is_odd(error) {
        return KeepError::Damaged { what: THE_FILE.to_owned(), why: error.to_string() };
    }
    KeepError::Unavailable { doing, why: error.to_string() }
}

/// Whether a value is none that this program ever writes in its place: a number of another size, a text instead of a number. SQLite
/// stores any value in any column, and checks whether a page is sound, not whether it makes sense.
fn is_odd(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    use rusqlite::types::FromSqlError;
    match error {
        IntegralValueOutOfRange(..) | InvalidColumnType(..) | rusqlite::Error::Utf8Error(..) => true,
        FromSqlConversionFailure(_, _, why) => why.downcast_ref::<FromSqlError>().is_some(),
        _ => false,
    }
}

impl Historian for SqliteHistorian {
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError> {
        if !self.writes {
            return Err(KeepError::Unavailable { doing: "written", why: "this handle only reads".to_owned() });
        }
        let write = |connection: &mut Connection| -> rusqlite::Result<Position> {
            if changes.is_empty() {
                return newest(connection);
            }
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for change in changes {
                apply(&transaction, change)?;
            }
            let position = newest(&transaction)?;
            transaction.commit()?;
            Ok(position)
        };
        let whole = || self.guard.as_ref().map_or(Ok(()), Guard::check);
        whole()?;
        let position = write(&mut self.connection).map_err(|error| trouble("written", &error))?;
        // Moved meanwhile: what was just written may be out of reach. It is written again where it is put back, which is harmless.
        whole()?;
        if changes.iter().any(|change| matches!(change, Change::Remove(_) | Change::Clear)) {
            // What is not given back now is reused, or given back after the next removal.
            self.connection.execute_batch(GIVE_BACK).ok();
        }
        Ok(position)
    }

    fn catalogue(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        // The few pages first, then the chunks of each: CROSS JOIN keeps SQLite to that order.
        let meets = if level == Level::Carried { "p.start_us >= ?2" } else { "p.end_us > ?2 AND c.end_us > ?2" };
        let sql = format!(
            "SELECT {ROW} FROM page p CROSS JOIN chunk c ON c.level = p.level AND c.start_us = p.start_us
             WHERE p.level = ?1 AND p.start_us < ?3 AND {meets} ORDER BY p.start_us, c.first_signal"
        );
        let values = params![level.code(), range.start.as_micros(), range.end.as_micros()];
        self.rows(&sql, values, |row| kept(level, row))
    }

    fn chunk(&self, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
        let sql = "SELECT b.bytes, c.crc FROM chunk c JOIN blob b ON b.id = c.blob
                   WHERE c.level = ?1 AND c.start_us = ?2 AND c.first_signal = ?3 AND c.version = ?4 AND c.end_us = ?5
                   AND c.signals = ?6";
        let (level, start, first) = slot(key);
        let values = params![level, start, first, key.version, key.end.as_micros(), key.signals];
        let read = || -> rusqlite::Result<Option<(Blob, u32)>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let row = |row: &Row<'_>| Ok((bytes_of(row, 0)?.into(), row.get(1)?));
            statement.query_row(values, row).optional()
        };
        let damaged = |why: String| KeepError::Damaged { what: format!("chunk {key}"), why };
        let found = read().map_err(|error| if is_odd(&error) { damaged(error.to_string()) } else { trouble("read", &error) })?;
        let Some((bytes, crc)) = found else { return Ok(None) };
        let found = crc32fast::hash(&bytes);
        if found != crc {
            return Err(damaged(format!("its checksum is {found:08x} instead of {crc:08x}")));
        }
        Ok(Some(bytes))
    }

    fn journal(
        &self,
        after: Position,
        f: &mut dyn FnMut(Entry) -> bool,
        damaged: &mut dyn FnMut(Position, String),
    ) -> Result<(), KeepError> {
        let sql = "SELECT position, first_us, last_us, crc, bytes FROM journal WHERE position > ?1 ORDER BY position";
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([i64::try_from(after.0).unwrap_or(i64::MAX)])?;
            while let Some(row) = rows.next()? {
                let position = Position(row.get::<_, i64>(0)?.unsigned_abs());
                let (times, crc, bytes) = match entry(row) {
                    Ok(entry) => entry,
                    Err(error) if is_odd(&error) => {
                        damaged(position, error.to_string());
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let found = crc32fast::hash(&bytes);
                if found != crc {
                    damaged(position, format!("its checksum is {found:08x} instead of {crc:08x}"));
                    continue;
                }
                if !f(Entry { position, times, bytes }) {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(|error| trouble("read", &error))
    }

    fn note(&self, name: &str) -> Result<Option<String>, KeepError> {
        let read =
            || self.connection.prepare_cached("SELECT text FROM note WHERE name = ?1")?.query_row([name], |row| row.get(0));
        read().optional().map_err(|error| trouble("read", &error))
    }

    fn pages(&self, level: Level, range: TimeRange) -> Result<Vec<Page>, KeepError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let meets = if level == Level::Carried { "start_us >= ?2" } else { "end_us > ?2" };
        let sql = format!(
            "SELECT start_us, end_us, chunks, samples, bytes, tag FROM page
             WHERE level = ?1 AND start_us < ?3 AND {meets} ORDER BY start_us"
        );
        let values = params![level.code(), range.start.as_micros(), range.end.as_micros()];
        self.rows(&sql, values, |row| {
            let number = |at: usize| row.get::<_, i64>(at);
            let (start, end) = (Timestamp::from_micros(number(0)?), Timestamp::from_micros(number(1)?));
            let (chunks, samples, bytes) = (number(2)? as u64, number(3)? as u64, number(4)? as u64);
            Ok(Page { level, start, end, chunks, samples, bytes, tag: number(5)? as u64 })
        })
    }

    fn kept(&self, level: Level, start: Timestamp, first_signal: u32) -> Result<Option<Kept>, KeepError> {
        let sql = format!("SELECT {ROW} FROM chunk c WHERE level = ?1 AND start_us = ?2 AND first_signal = ?3");
        let values = params![level.code(), start.as_micros(), first_signal];
        Ok(self.rows(&sql, values, |row| kept(level, row))?.pop())
    }

    fn starting(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        let sql = format!(
            "SELECT {ROW} FROM chunk c WHERE level = ?1 AND start_us >= ?2 AND start_us < ?3 ORDER BY start_us, first_signal"
        );
        let values = params![level.code(), range.start.as_micros(), range.end.as_micros()];
        self.rows(&sql, values, |row| kept(level, row))
    }

    fn reader(&self) -> Result<Box<dyn Historian>, KeepError> {
        let reader = Self::open_to_read(&self.path).map_err(|error| trouble("read", &error))?;
        Ok(Box::new(reader))
    }

    fn sound(&self) -> Result<(), KeepError> {
        // A handle of its own: those that are open remember pages and notice nothing.
        let fresh = Self::open_to_read(&self.path).map_err(|error| trouble("read", &error))?;
        fresh.series()?;
        for level in twin_historian::historian::LEVELS {
            fresh.pages(level, ALWAYS)?;
        }
        fresh.rows("SELECT count(*) FROM chunk", [], |row| row.get::<_, i64>(0))?;
        fresh.rows("SELECT crc FROM journal ORDER BY position DESC LIMIT 1", [], |row| row.get::<_, i64>(0))?;
        fresh.notes().map(drop)
    }

    fn extent(&self, level: Level) -> Result<Option<TimeRange>, KeepError> {
        let sql = "SELECT min(start_us), max(end_us) FROM page WHERE level = ?1";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let ends: (Option<i64>, Option<i64>) = self.rows(sql, [level.code()], row)?.pop().unwrap_or_default();
        let range = |(start, end)| TimeRange::new(Timestamp::from_micros(start), Timestamp::from_micros(end));
        Ok(ends.0.zip(ends.1).map(range))
    }

    fn bytes(&self, level: Level) -> Result<u64, KeepError> {
        let sql = "SELECT coalesce(sum(bytes), 0) FROM page WHERE level = ?1";
        Ok(self.rows(sql, [level.code()], |row| row.get::<_, i64>(0))?.pop().unwrap_or(0).unsigned_abs())
    }
}
