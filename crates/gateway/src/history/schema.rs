//! The tables of the database file, and the way from the layouts before this one. Knows SQL, not what the rows mean to others.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use twin_historian::{Chunk, ChunkKey, chunk};
use twin_model::{Span, Timestamp};
use twin_protocol::LinkState;

use super::links;
use super::series::{One, Series, kind_of, letter};
use super::sqlite::{apply, put};
use twin_historian::historian::Change;

/// Version of the layout, in `PRAGMA user_version`.
pub(super) const LAYOUT: i64 = 2;

/// Catalogue rows are small and apart from the bytes, so that a scan of a year reads megabytes and not the history.
const TABLES: &str = "
CREATE TABLE chunk (
    level INTEGER NOT NULL, start_us INTEGER NOT NULL, first_signal INTEGER NOT NULL, signals INTEGER NOT NULL,
    end_us INTEGER NOT NULL, version INTEGER NOT NULL, samples INTEGER NOT NULL, bytes INTEGER NOT NULL,
    crc INTEGER NOT NULL, blob INTEGER NOT NULL, PRIMARY KEY (level, start_us, first_signal)) WITHOUT ROWID;
CREATE TABLE blob (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE page (
    level INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, chunks INTEGER NOT NULL,
    samples INTEGER NOT NULL, bytes INTEGER NOT NULL, tag INTEGER NOT NULL, PRIMARY KEY (level, start_us)) WITHOUT ROWID;
CREATE TABLE journal (
    position INTEGER PRIMARY KEY AUTOINCREMENT, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,
    crc INTEGER NOT NULL, bytes BLOB NOT NULL, samples INTEGER NOT NULL DEFAULT 0);
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE damaged (id INTEGER PRIMARY KEY, what TEXT NOT NULL, why TEXT NOT NULL, bytes BLOB NOT NULL);
";

/// What each number of chunks and journal means, with a checksum a row, because without it the rest means nothing. The note
/// `signals` holds the same once more.
const SERIES: &str = "
CREATE TABLE series (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, crc INTEGER NOT NULL);
";

/// What the file says of itself: layout and whether it holds any table.
pub(super) fn layout(connection: &Connection) -> rusqlite::Result<(i64, bool)> {
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((version, tables > 0))
}

/// A column: its table and name, whether the table has no row numbers of its own, the column's type, whether it may be empty, its
/// default, its place in the key.
type Column = (String, String, bool, String, bool, Option<String>, i64);

/// What the tables are made of, as SQLite reads their descriptions.
fn shape(connection: &Connection) -> rusqlite::Result<BTreeSet<Column>> {
    let sql = "SELECT l.name, c.name, l.wr, c.type, c.\"notnull\", c.dflt_value, c.pk
               FROM pragma_table_list AS l, pragma_table_xinfo(l.name) AS c
               WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut columns = connection.prepare(sql)?;
    let column = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Column> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
    };
    columns.query_map([], column)?.collect()
}

/// What of the tables of a file is not as this program makes them: their descriptions are texts in the file, and one that is damaged
/// may still describe a table. For files of today's layout.
pub(super) fn misshapen(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let made = Connection::open_in_memory()?;
    made.execute_batch(TABLES)?;
    made.execute_batch(SERIES)?;
    let (made, found) = (shape(&made)?, shape(connection)?);
    let odd = found.symmetric_difference(&made).next();
    Ok(odd.map(|(table, column, ..)| format!("the description of table '{table}' is not what was written, at '{column}'")))
}

/// Makes the tables, or moves an older file's rows into them, in one transaction.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    match layout(connection)? {
        (LAYOUT, true) => return Ok(()),
        (_, false) => {
            // Before the first table: later only a VACUUM could choose it.
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            let transaction = connection.transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.execute_batch(SERIES)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
            return transaction.commit();
        }
        (0, true) => {}
        (1, true) => {
            // Until issue 9: numbers were the positions of the site that wrote last. They stay what they are.
            let transaction = connection.transaction()?;
            transaction.execute_batch("ALTER TABLE journal ADD COLUMN samples INTEGER NOT NULL DEFAULT 0")?;
            transaction.execute_batch(SERIES)?;
            take_over(&transaction)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
            return transaction.commit();
        }
        (_, true) => return Err(refused(NEWER)),
    }
    let transaction = connection.transaction()?;
    upgrade(&transaction)?;
    transaction.execute_batch(SERIES)?;
    take_over(&transaction)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()?;
    // Gives back what the old tables took. Where the disk has no room for it, the space is reused instead.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.execute_batch("VACUUM").ok();
    Ok(())
}

/// The file is of a layout that this program does not know.
pub(super) const NEWER: &str = "it was written by a newer version of this program; use that one";

/// Whether a layout is one that a newer version may have. Layouts come one by one: one that is far ahead is an altered byte, which a repair
/// puts right.
pub(super) const fn is_newer(layout: u32) -> bool {
    const AHEAD: u32 = 16;
    layout > LAYOUT as u32 && layout <= LAYOUT as u32 + AHEAD
}

/// Tables that this program makes or once made.
pub(super) const NAMES: [&str; 10] = ["chunk", "blob", "page", "journal", "note", "damaged", "series", "tail", "link", "meta"];

fn refused(why: &'static str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(why.into())
}

/// The older note about positions becomes the table of numbers.
fn take_over(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "SELECT text FROM note WHERE name = 'signals'";
    let text: Option<String> = transaction.query_row(sql, [], |row| row.get(0)).optional()?;
    match text.map(|text| Series::parse(&text).ok_or(text)) {
        Some(Ok(series)) => write_series(transaction, &series),
        Some(Err(_)) => Err(refused("the note about its signals makes no sense")),
        None => Ok(()),
    }
}

/// Checksum of a row.
pub(super) fn series_crc(number: u32, one: &One) -> u32 {
    crc32fast::hash(format!("{number} {} {}", letter(one.kind), one.id).as_bytes())
}

/// Writes the table of numbers and its second copy, where they are other than they were.
pub(super) fn write_series(transaction: &Transaction<'_>, series: &Series) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM series", [])?;
    let mut insert = transaction.prepare_cached("INSERT INTO series VALUES (?1, ?2, ?3, ?4)")?;
    for (number, one) in series.all().iter().enumerate() {
        let number = number as u32;
        insert.execute(params![number, letter(one.kind), one.id, series_crc(number, one)])?;
    }
    apply(transaction, &Change::Note { name: super::SIGNALS.to_owned(), text: series.text() })?;
    let note = |text| Change::Note { name: super::units::UNITS.to_owned(), text };
    series.units_text().map_or(Ok(()), |text| apply(transaction, &note(text)))
}

/// Reads the table of numbers, its second copy where a row of it is not what was written, and the units.
pub(super) fn read_series(connection: &Connection) -> rusqlite::Result<Option<Series>> {
    let Some(mut series) = read_table(connection)? else { return Ok(None) };
    let sql = "SELECT text FROM note WHERE name = ?1";
    let units: Option<String> = connection.query_row(sql, [super::units::UNITS], |row| row.get(0)).optional()?;
    units.iter().for_each(|text| series.read_units(text));
    Ok(Some(series))
}

fn read_table(connection: &Connection) -> rusqlite::Result<Option<Series>> {
    let mut table = connection.prepare_cached("SELECT number, kind, id, crc FROM series ORDER BY number")?;
    let mut rows = table.query([])?;
    let mut series = Series::default();
    let mut sound = true;
    while let Some(row) = rows.next()? {
        let (number, kind, id, crc): (u32, String, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let one = kind_of(&kind).map(|kind| One::new(kind, id));
        match one.filter(|one| number as usize == series.all().len() && series_crc(number, one) == crc) {
            Some(one) => series.push(one),
            None => sound = false,
        }
    }
    let sql = "SELECT text FROM note WHERE name = 'signals'";
    let text: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    let copy = text.as_deref().map(Series::parse);
    Ok(match copy {
        _ if sound && !series.all().is_empty() => Some(series),
        Some(copy) => copy,
        None => sound.then_some(series),
    })
}

/// Layout 0 (until the time issue): raw chunks only, batches in `tail`, links by row.
fn upgrade(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch("ALTER TABLE chunk RENAME TO old_chunk; ALTER TABLE tail RENAME TO old_tail;")?;
    transaction.execute_batch(TABLES)?;
    let mut newest = i64::MIN;
    // Those that stand beside another come after it.
    let sql = "SELECT bytes FROM old_chunk ORDER BY start_us % 3600000000 <> 0, start_us, first_signal";
    let mut chunks = transaction.prepare(sql)?;
    let mut rows = chunks.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob()?;
        match chunk::inspect(bytes) {
            Ok((key, samples, _)) => {
                newest = newest.max(key.end.as_micros());
                let samples = u32::try_from(samples).unwrap_or(u32::MAX);
                put(transaction, &upright(transaction, Chunk { key, samples, bytes: bytes.to_vec() })?)?;
            }
            Err(error) => {
                let sql = "INSERT INTO damaged (what, why, bytes) VALUES ('a chunk of the older layout', ?1, ?2)";
                transaction.execute(sql, params![error.to_string(), bytes])?;
            }
        }
    }
    drop(rows);
    let mut tail = transaction.prepare("SELECT start_us, last_us, frame FROM old_tail ORDER BY id")?;
    let mut rows = tail.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(2)?.as_blob()?;
        let sql = "INSERT INTO journal (first_us, last_us, crc, bytes) VALUES (?1, ?2, ?3, ?4)";
        let (first, last): (i64, i64) = (row.get(0)?, row.get(1)?);
        transaction.execute(sql, params![first, last, crc32fast::hash(bytes), bytes])?;
    }
    drop(rows);
    let mut changes = links::Links::default();
    let mut rows = transaction.prepare("SELECT at_us, source, state FROM link ORDER BY at_us, rowid")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let (at, source, state): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let state = usize::try_from(state).ok().and_then(|at| LinkState::ALL.get(at));
        if let Some(state) = state {
            changes.push(Timestamp::from_micros(at), &source, *state);
        }
    }
    for change in changes.changes() {
        apply(transaction, &change)?;
    }
    if newest > i64::MIN {
        apply(transaction, &Change::Note { name: super::SEALED.to_owned(), text: newest.to_string() })?;
    }
    transaction.execute_batch(
        "INSERT OR REPLACE INTO note SELECT key, value FROM meta;
         DROP TABLE old_chunk; DROP TABLE old_tail; DROP TABLE link; DROP TABLE meta;",
    )
}

/// Late samples of a thinned slab used to stand beside it, `version` microseconds earlier: joined with it now.
fn upright(transaction: &Transaction<'_>, one: Chunk) -> rusqlite::Result<Chunk> {
    let start = one.key.start + Span::from_micros(i64::from(one.key.version));
    let slab = twin_historian::StoreConfig::default().slab;
    if one.key.start.floor_to(slab) == one.key.start || start.floor_to(slab) != start {
        return Ok(one);
    }
    let sql = "SELECT b.bytes, c.version FROM chunk c JOIN blob b ON b.id = c.blob
               WHERE c.level = 0 AND c.start_us = ?1 AND c.first_signal = ?2";
    let beside: Option<(Vec<u8>, u32)> = transaction
        .query_row(sql, params![start.as_micros(), one.key.first_signal], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let version = beside.as_ref().map_or(0, |(_, version)| *version).max(one.key.version) + 1;
    let key = ChunkKey { start, version, ..one.key };
    let older = beside.map_or_else(|| one.bytes.clone(), |(bytes, _)| bytes);
    // Both were read whole just now; where they do not fit after all, standing beside is better than nothing.
    Ok(chunk::gather(key, &[&older, &one.bytes], &|signal| Some(signal)).unwrap_or(one))
}

/// Sums every page up anew from the catalogue, in one transaction.
pub(super) fn sum_up_anew(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM page", [])?;
    for kept in super::sqlite::rows(&transaction)? {
        super::sqlite::sum_up(&transaction, &kept, 1)?;
    }
    transaction.commit()
}
