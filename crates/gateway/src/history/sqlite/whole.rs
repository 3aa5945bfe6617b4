//! Whether a database is whole, and what is done about pieces of it that are not.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use twin_historian::historian::{Historian as _, KeepError, Kept, Position};
use twin_historian::{ChunkKey, Level};
use twin_model::{TimeRange, Timestamp};

use super::rows::{bytes_of, kept, remove, rows, set_aside, slot};
use super::{ROW, SqliteHistorian, trouble};
use crate::history::damage::THE_FILE;
use crate::history::schema;
use crate::stores::ALWAYS;

impl SqliteHistorian {
    /// How many samples a journal entry has (0: not known) and their times, as its row says; all time where it says nothing that
    /// makes sense.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(in crate::history) fn entry_claims(&self, position: Position) -> Result<(u64, TimeRange), KeepError> {
        let sql = "SELECT samples, first_us, last_us FROM journal WHERE position = ?1";
        let read = |row: &Row<'_>| {
            // Asked about entries that are damaged: each value may be anything.
            let number = |at: usize| row.get::<_, i64>(at).ok();
            let (first, last) = number(1).zip(number(2)).unwrap_or((i64::MIN, i64::MAX));
            let times = TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(last));
            Ok((number(0).unwrap_or(0).unsigned_abs(), times))
        };
        let found = self.rows(sql, [position.0 as i64], read)?.pop();
        Ok(found.unwrap_or((0, TimeRange::new(Timestamp::MAX, Timestamp::MIN))))
    }

    /// Journal entries whose row number is none that is ever given: readers begin at 1.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(in crate::history) fn hidden_entries(&self) -> Result<u64, KeepError> {
        let found = self.rows("SELECT count(*) FROM journal WHERE position < 1", [], |row| row.get::<_, i64>(0))?;
        Ok(found.into_iter().next().unwrap_or(0).unsigned_abs())
    }

    /// Names of its tables, those of SQLite itself left out.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub(in crate::history) fn names(&self) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        self.connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Fails where one of the tables of its layout is missing, as in a database of another program.
    ///
    /// # Errors
    /// What is wrong.
    pub(in crate::history) fn has_tables(&self) -> Result<(), KeepError> {
        let layout = self.layout().map_err(|error| trouble("read", &error))?;
        let tables: &[&str] = match layout {
            0 => &["chunk", "tail", "link", "meta"],
            1 => &["chunk", "blob", "page", "journal", "note", "damaged"],
            schema::LAYOUT => &["chunk", "blob", "page", "journal", "note", "damaged", "series"],
            // Whoever opens it says that it is of a newer program.
            _ => &[],
        };
        for table in tables {
            let sql = format!("SELECT * FROM {table} LIMIT 1");
            self.connection.prepare(&sql).map_err(|error| {
                let why = match self.connection.table_exists(None, *table) {
                    Ok(false) => format!("it has no table '{table}', or it is a file of another program"),
                    _ => error.to_string(),
                };
                KeepError::Damaged { what: THE_FILE.to_owned(), why }
            })?;
        }
        Ok(())
    }

    /// Fails where a table is missing or is not as it was made, or the file is of a layout that this program does not know.
    ///
    /// # Errors
    /// What is wrong.
    pub(in crate::history) fn usable(&self) -> Result<(), KeepError> {
        let layout = self.layout().map_err(|error| trouble("read", &error))?;
        let damaged = |why: String| KeepError::Damaged { what: THE_FILE.to_owned(), why };
        if !(0..=schema::LAYOUT).contains(&layout) {
            return Err(damaged(format!("it says that its layout is {layout}")));
        }
        self.has_tables()?;
        if layout == schema::LAYOUT {
            let odd = schema::misshapen(&self.connection).map_err(|error| damaged(error.to_string()))?;
            odd.map_or(Ok(()), |why| Err(damaged(why)))?;
            // Each value of the small tables once; what is large has checksums of its own and is read one by one.
            rows(&self.connection).map_err(|error| damaged(format!("a row of the catalogue: {error}")))?;
            for level in twin_historian::historian::LEVELS {
                self.pages(level, ALWAYS)?;
            }
            self.notes()?;
            self.rows("SELECT what, why FROM damaged", [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            self.series()?;
        }
        Ok(())
    }

    /// Moves a journal entry to the damaged pieces.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn set_aside_entry(&mut self, position: Position, why: &str) -> Result<(), KeepError> {
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            let sql = "INSERT INTO damaged (what, why, bytes)
                       SELECT 'journal entry ' || position, ?2, bytes FROM journal WHERE position = ?1";
            transaction.execute(sql, params![position.0 as i64, why])?;
            transaction.execute("DELETE FROM journal WHERE position = ?1", [position.0 as i64])?;
            transaction.commit()
        };
        write(&mut self.connection).map_err(|error| trouble("written", &error))
    }

    /// Moves a chunk to the damaged pieces.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn set_aside_chunk(&mut self, key: &ChunkKey, why: &str) -> Result<(), KeepError> {
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            set_aside(&transaction, key, why)?;
            remove(&transaction, key)?;
            transaction.commit()
        };
        write(&mut self.connection).map_err(|error| trouble("written", &error))
    }

    /// The bytes of a chunk as they are, checked by nobody; none where none are in their place.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn unchecked(&self, key: &ChunkKey) -> Result<Option<Vec<u8>>, KeepError> {
        let sql = "SELECT b.bytes FROM chunk c JOIN blob b ON b.id = c.blob
                   WHERE c.level = ?1 AND c.start_us = ?2 AND c.first_signal = ?3";
        let (level, start, first) = slot(key);
        let row = |row: &Row<'_>| Ok(bytes_of(row, 0).map(Vec::from));
        let read = self.connection.query_row(sql, params![level, start, first], row).optional();
        let read = read.map_err(|error| trouble("read", &error))?;
        // A number, or nothing, where the bytes should be.
        Ok(read.and_then(Result::ok))
    }

    /// What SQLite's own check finds wrong; nothing where the file is sound.
    ///
    /// # Errors
    /// Where the check cannot be made.
    pub fn integrity(&self) -> Result<Vec<String>, KeepError> {
        let lines: Vec<String> = self.rows("PRAGMA integrity_check(100)", [], |row| row.get(0))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    /// The catalogue of a level as far as it can be read, in order, whatever the pages say.
    pub fn catalogue_rows(&self, level: Level) -> Vec<Kept> {
        let sql = format!("SELECT {ROW} FROM chunk c WHERE level = ?1 ORDER BY start_us, first_signal");
        let mut all = Vec::new();
        let Ok(mut statement) = self.connection.prepare(&sql) else { return all };
        let Ok(mut rows) = statement.query([level.code()]) else { return all };
        while let Ok(Some(row)) = rows.next() {
            all.extend(kept(level, row).ok());
        }
        all
    }

    /// Fails where the catalogue does not agree with itself. A row that has one altered bit is still a row to SQLite, and whoever asks
    /// for the chunks of a stretch would be told of one less, without a word.
    ///
    /// # Errors
    /// Where it does not, or cannot be read.
    pub(in crate::history) fn agrees(&self) -> Result<(), KeepError> {
        // One moment of it, also while a server writes.
        let moment = self.connection.unchecked_transaction().map_err(|error| trouble("read", &error))?;
        let odd = self.odd_pages()?;
        moment.finish().map_err(|error| trouble("read", &error))?;
        let Some(first) = odd.first() else { return Ok(()) };
        let more = if odd.len() > 1 { format!(" and {} other places", odd.len() - 1) } else { String::new() };
        let why = format!("its catalogue does not agree with itself at {first}{more}");
        Err(KeepError::Damaged { what: THE_FILE.to_owned(), why })
    }

    /// Pages whose sums are not those of their chunks.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn odd_pages(&self) -> Result<Vec<String>, KeepError> {
        let mut sums: std::collections::BTreeMap<(Level, Timestamp), Sum> = std::collections::BTreeMap::new();
        for kept in rows(&self.connection).map_err(|error| trouble("read", &error))? {
            let sum = sums.entry((kept.key.level, kept.key.start)).or_default();
            let (chunks, samples, bytes, tag) = sum.of;
            sum.of = (chunks + 1, samples + u64::from(kept.samples), bytes + kept.bytes, tag.wrapping_add(kept.tag()));
            sum.end = sum.end.max(Some(kept.key.end));
        }
        let mut odd = Vec::new();
        for level in twin_historian::historian::LEVELS {
            for page in self.pages(level, ALWAYS)? {
                let sum = sums.remove(&(level, page.start));
                // Its end may lie behind: it stays where a chunk was replaced by a shorter one.
                let fits = |sum: Sum| sum.of == (page.chunks, page.samples, page.bytes, page.tag) && sum.end <= Some(page.end);
                if !sum.is_some_and(fits) {
                    odd.push(format!("{level} {}", page.start));
                }
            }
        }
        odd.extend(sums.keys().map(|(level, start)| format!("{level} {start}")));
        Ok(odd)
    }

    /// Sums every page up anew.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn sum_up_anew(&mut self) -> Result<(), KeepError> {
        schema::sum_up_anew(&mut self.connection).map_err(|error| trouble("written", &error))
    }

    /// Pieces set aside as damaged: what and why.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn damaged(&self) -> Result<Vec<(String, String)>, KeepError> {
        self.rows("SELECT what, why FROM damaged ORDER BY id", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

/// What a page must be summed up to.
#[derive(Debug, Default)]
struct Sum {
    /// Chunks, samples, bytes, tag.
    of: (u64, u64, u64, u64),
    /// Where the last chunk ends.
    end: Option<Timestamp>,
}
