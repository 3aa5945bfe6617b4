//! Rows of the tables, within one transaction: chunks with their bytes and pages, journal entries, notes.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use twin_historian::historian::{Blob, Change, Kept, Position};
use twin_historian::{Chunk, ChunkKey, Level};
use twin_model::{TimeRange, Timestamp};

use super::ROW;

pub(super) fn slot(key: &ChunkKey) -> (u8, i64, u32) {
    (key.level.code(), key.start.as_micros(), key.first_signal)
}

/// Times, checksum and bytes of a row of the journal: first and last time, checksum, bytes, behind its position.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<(TimeRange, u32, Blob)> {
    let times = TimeRange::new(Timestamp::from_micros(row.get(1)?), Timestamp::from_micros(row.get(2)?));
    Ok((times, row.get(3)?, bytes_of(row, 4)?.into()))
}

/// Bytes of a row. One altered bit makes them a text of the same letters, which their checksum knows.
pub(super) fn bytes_of<'a>(row: &'a Row<'_>, at: usize) -> rusqlite::Result<&'a [u8]> {
    match row.get_ref(at)? {
        ValueRef::Text(bytes) => Ok(bytes),
        other => Ok(other.as_blob()?),
    }
}

pub(super) fn kept(level: Level, row: &Row<'_>) -> rusqlite::Result<Kept> {
    let key = ChunkKey {
        level,
        first_signal: row.get(0)?,
        signals: row.get(1)?,
        start: Timestamp::from_micros(row.get(2)?),
        end: Timestamp::from_micros(row.get(3)?),
        version: row.get(4)?,
    };
    Ok(Kept { key, samples: row.get(5)?, bytes: row.get::<_, i64>(6)?.unsigned_abs(), crc: row.get(7)? })
}

/// Every row of the catalogue.
pub(in crate::history) fn rows(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut statement =
        connection.prepare(&format!("SELECT {ROW}, c.level FROM chunk c ORDER BY level, start_us, first_signal"))?;
    let read = |row: &Row<'_>| {
        let level = Level::from_code(row.get(8)?).unwrap_or_default();
        kept(level, row)
    };
    statement.query_map([], read)?.collect()
}

pub(super) fn find(transaction: &Transaction<'_>, key: &ChunkKey) -> rusqlite::Result<Option<(Kept, i64)>> {
    let sql = format!("SELECT {ROW}, c.blob FROM chunk c WHERE level = ?1 AND start_us = ?2 AND first_signal = ?3");
    let (level, start, first) = slot(key);
    let mut statement = transaction.prepare_cached(&sql)?;
    statement.query_row(params![level, start, first], |row| Ok((kept(key.level, row)?, row.get(8)?))).optional()
}

/// Keeps a chunk, if its version is higher than that of the one kept.
pub(in crate::history) fn put(transaction: &Transaction<'_>, chunk: &Chunk) -> rusqlite::Result<()> {
    let key = &chunk.key;
    let old = find(transaction, key)?;
    if let Some((old, blob)) = &old {
        if old.key.version >= key.version {
            return Ok(());
        }
        let bytes: Vec<u8> = transaction
            .prepare_cached("SELECT bytes FROM blob WHERE id = ?1")?
            .query_row([blob], |row| bytes_of(row, 0).map(Vec::from))?;
        if crc32fast::hash(&bytes) != old.crc {
            set_aside(transaction, &old.key, "its checksum did not fit when it was replaced")?;
        }
        remove(transaction, &old.key)?;
    }
    transaction.prepare_cached("INSERT INTO blob (bytes) VALUES (?1)")?.execute([&chunk.bytes])?;
    let blob = transaction.last_insert_rowid();
    let new = Kept { key: *key, samples: chunk.samples, bytes: chunk.bytes.len() as u64, crc: crc32fast::hash(&chunk.bytes) };
    let (level, start, first) = slot(key);
    let (end, bytes) = (key.end.as_micros(), new.bytes as i64);
    let values = params![level, start, first, key.signals, end, key.version, new.samples, bytes, new.crc, blob];
    transaction.prepare_cached("INSERT INTO chunk VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(values)?;
    sum_up(transaction, &new, 1)
}

pub(super) fn set_aside(transaction: &Transaction<'_>, key: &ChunkKey, why: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO damaged (what, why, bytes)
               SELECT ?4, ?5, b.bytes FROM chunk c JOIN blob b ON b.id = c.blob
               WHERE c.level = ?1 AND c.start_us = ?2 AND c.first_signal = ?3";
    let (level, start, first) = slot(key);
    transaction.execute(sql, params![level, start, first, format!("chunk {key}"), why]).map(drop)
}

pub(super) fn remove(transaction: &Transaction<'_>, key: &ChunkKey) -> rusqlite::Result<()> {
    let Some((old, blob)) = find(transaction, key)?.filter(|(old, _)| old.key == *key) else { return Ok(()) };
    let (level, start, first) = slot(key);
    let sql = "DELETE FROM chunk WHERE level = ?1 AND start_us = ?2 AND first_signal = ?3";
    transaction.prepare_cached(sql)?.execute(params![level, start, first])?;
    transaction.prepare_cached("DELETE FROM blob WHERE id = ?1")?.execute([blob])?;
    sum_up(transaction, &old, -1)
}

/// Adds a chunk to its page, or takes it away. Tags wrap, which SQL's sums do not.
pub(in crate::history) fn sum_up(transaction: &Transaction<'_>, one: &Kept, sign: i64) -> rusqlite::Result<()> {
    let (level, start) = (one.key.level.code(), one.key.start.as_micros());
    let sql = "SELECT end_us, chunks, samples, bytes, tag FROM page WHERE level = ?1 AND start_us = ?2";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let old: Option<(i64, i64, i64, i64, i64)> =
        transaction.prepare_cached(sql)?.query_row(params![level, start], row).optional()?;
    let (end, chunks, samples, bytes, tag) = old.unwrap_or((i64::MIN, 0, 0, 0, 0));
    let chunks = chunks + sign;
    if chunks <= 0 {
        let sql = "DELETE FROM page WHERE level = ?1 AND start_us = ?2";
        return transaction.prepare_cached(sql)?.execute(params![level, start]).map(drop);
    }
    let end = if sign > 0 { end.max(one.key.end.as_micros()) } else { end };
    let (samples, bytes) = (samples + sign * i64::from(one.samples), bytes + sign * one.bytes as i64);
    let tag = tag.wrapping_add((one.tag() as i64).wrapping_mul(sign));
    let sql = "INSERT OR REPLACE INTO page VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    transaction.prepare_cached(sql)?.execute(params![level, start, end, chunks, samples, bytes, tag]).map(drop)
}

/// Does one change within a transaction.
pub(in crate::history) fn apply(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Put(chunk) => put(transaction, chunk),
        Change::Remove(key) => remove(transaction, key),
        Change::Append { times, bytes, samples } => {
            let sql = "INSERT INTO journal (first_us, last_us, crc, bytes, samples) VALUES (?1, ?2, ?3, ?4, ?5)";
            let (first, last) = (times.start.as_micros(), times.end.as_micros());
            let values = params![first, last, crc32fast::hash(bytes), &bytes[..], samples];
            transaction.prepare_cached(sql)?.execute(values).map(drop)
        }
        Change::Trim { upto, before } => {
            let sql = "DELETE FROM journal WHERE position <= ?1 AND last_us < ?2";
            transaction.prepare_cached(sql)?.execute(params![upto.0 as i64, before.as_micros()]).map(drop)
        }
        Change::Note { name, text } if text.is_empty() => {
            transaction.prepare_cached("DELETE FROM note WHERE name = ?1")?.execute([name]).map(drop)
        }
        Change::Note { name, text } => {
            transaction.prepare_cached("INSERT OR REPLACE INTO note VALUES (?1, ?2)")?.execute([name, text]).map(drop)
        }
        Change::Clear => transaction
            .execute_batch("DELETE FROM chunk; DELETE FROM blob; DELETE FROM page; DELETE FROM journal; DELETE FROM note;"),
    }
}

/// The newest place ever used in the journal: SQLite's own count for AUTOINCREMENT, which outlives the rows.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Position> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'journal'";
    let seq: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(Position(seq.unwrap_or(0).unsigned_abs()))
}
