//! Coarser levels: of every stretch the samples that a picture of it needs.
//!
//! What stays is the same as when the byte budget thins (`series::thin`, which calls [`mark`], too), by the clock instead of by blocks: extremes, worst
//! quality, edges of gaps and few changes of a state stay exact.

use std::collections::{BTreeMap, BTreeSet};

use twin_model::{Flags, Span, TimeRange, Timestamp};

use super::merge::{Rows, rows_of, write};
use super::{Chunk, ChunkKey, Level};
use crate::error::HistorianError;
use crate::row::{FLOAT, Row, TEXT};

/// A bucket of a state signal with at most this many changes keeps all of them.
const CHANGES_KEPT: usize = 16;

/// What [`coarsen`] needs to know besides the samples.
pub struct Coarse<'a> {
    /// The level to make.
    pub level: Level,
    /// Length of a raw chunk.
    pub raw_slab: Span,
    /// The stretch without samples that counts as a gap, by signal number.
    pub gap_after: &'a dyn Fn(u32) -> Option<Span>,
}

/// What a coarser level must at least have of a chunk, whatever chunks it was made of: as [`coarsen`] without one before, but for
/// the lowest and highest of texts, which are those of the words' numbers, and they differ from chunk to chunk.
///
/// # Errors
/// As [`coarsen`].
pub fn least(fine: &[u8], how: &Coarse<'_>) -> Result<Chunk, HistorianError> {
    let whole = coarsen(fine, None, how)?;
    let bucket = how.level.bucket().ok_or(HistorianError::Unlike("this level has no coarser form"))?.as_micros();
    let (_, raw) = rows_of(fine)?;
    let (key, mut all) = rows_of(&whole.bytes)?;
    for (signal, rows) in &mut all {
        let gap = (how.gap_after)(*signal).map_or(i64::MAX, Span::as_micros);
        // A text without a value has no number, and is as much a state.
        let hide = |row: &Row| if row.k == TEXT { Row { f: row.f | Flags::NULL.0, ..*row } } else { *row };
        let hidden: Vec<Row> = raw.get(signal).map(|rows| rows.rows.iter().map(hide).collect()).unwrap_or_default();
        let must: BTreeSet<i64> = keep(&hidden, bucket, gap).iter().map(|row| row.t).collect();
        rows.rows.retain(|row| row.k != TEXT || must.contains(&row.t));
    }
    all.retain(|_, rows| !rows.rows.is_empty());
    Ok(write(key, &all))
}

/// The samples of a chunk at a coarser level, joined with `before`, the coarser chunk of the same signals that held until
/// now, whose samples in the chunk's time are written anew. The result's version is one above that of `before`.
///
/// # Errors
/// Where a chunk cannot be read, or does not lie within one slab of the coarser level.
pub fn coarsen(fine: &[u8], before: Option<&[u8]>, how: &Coarse<'_>) -> Result<Chunk, HistorianError> {
    let (key, all) = coarse_rows(fine, how)?;
    let slab = how.level.slab(how.raw_slab);
    let start = key.start.floor_to(slab);
    let wide = ChunkKey { level: how.level, start, end: start + slab, version: 1, ..key };
    if key.end > wide.end {
        return Err(HistorianError::Unlike("a chunk reaches over the end of a coarser one"));
    }
    let Some(before) = before else { return Ok(write(wide, &all)) };
    let (old, kept) = rows_of(before)?;
    if (old.level, old.first_signal, old.start) != (wide.level, wide.first_signal, wide.start) {
        return Err(HistorianError::Unlike("the coarser chunk before is about something else"));
    }
    let wide = ChunkKey { version: old.version.saturating_add(1), signals: wide.signals.max(old.signals), ..wide };
    Ok(write(wide, &join(kept, all, &key)))
}

/// As [`coarsen`], where the coarser level has several chunks of its slab, or has to have: the news of `fine` in place of what
/// `before`, the chunks about its time, said of that time. The result spans `range`, which all of them lie in, in chunks of
/// bounded size; their version is for the caller to say.
///
/// # Errors
/// As [`coarsen`].
pub fn coarsen_into(
    fine: &[u8],
    before: &[&[u8]],
    range: TimeRange,
    how: &Coarse<'_>,
) -> Result<Vec<super::Proof>, HistorianError> {
    let (key, all) = coarse_rows(fine, how)?;
    let wide = ChunkKey { level: how.level, start: range.start, end: range.end, version: 1, ..key };
    let inside = |one: &ChunkKey| range.start <= one.start && one.end <= range.end;
    if !inside(&key) {
        return Err(HistorianError::Unlike("a chunk reaches over the end of a coarser one"));
    }
    let mut kept: BTreeMap<u32, Rows> = BTreeMap::new();
    for bytes in before {
        let (old, rows) = rows_of(bytes)?;
        if (old.level, old.first_signal) != (wide.level, wide.first_signal) || !inside(&old) {
            return Err(HistorianError::Unlike("the coarser chunk before is about something else"));
        }
        for (signal, rows) in rows {
            kept.entry(signal).or_default().absorb(rows);
        }
    }
    let signals =
        before.iter().filter_map(|bytes| super::peek_key(bytes).ok()).map(|old| old.signals).fold(wide.signals, u32::max);
    Ok(super::parts::write_map(ChunkKey { signals, ..wide }, &join(kept, all, &key)))
}

/// The rows of a chunk that a coarser level keeps.
fn coarse_rows(fine: &[u8], how: &Coarse<'_>) -> Result<(ChunkKey, BTreeMap<u32, Rows>), HistorianError> {
    let bucket = how.level.bucket().ok_or(HistorianError::Unlike("this level has no coarser form"))?.as_micros();
    let (key, mut all) = rows_of(fine)?;
    if key.level == Level::Carried {
        return Err(HistorianError::Unlike("what is carried into a slab is no stretch of time"));
    }
    for (signal, rows) in &mut all {
        let gap = (how.gap_after)(*signal).map_or(i64::MAX, Span::as_micros);
        rows.rows = keep(&rows.rows, bucket, gap);
    }
    Ok((key, all))
}

/// Old rows outside the time of `key`, new rows inside it.
fn join(mut old: BTreeMap<u32, Rows>, new: BTreeMap<u32, Rows>, key: &ChunkKey) -> BTreeMap<u32, Rows> {
    for rows in old.values_mut() {
        rows.rows.retain(|row| !key.range().contains(Timestamp::from_micros(row.t)));
    }
    for (signal, rows) in new {
        let slot = old.entry(signal).or_default();
        slot.absorb(rows);
    }
    old.retain(|_, rows| !rows.rows.is_empty());
    old
}

/// The rows that stay.
pub(crate) fn keep(rows: &[Row], bucket: i64, gap_after: i64) -> Vec<Row> {
    let mut stays = vec![false; rows.len()];
    let mut from = 0;
    for group in rows.chunk_by(|a, b| a.t.div_euclid(bucket) == b.t.div_euclid(bucket)) {
        mark(group, &mut stays[from..from + group.len()]);
        from += group.len();
    }
    // Where the line breaks, both sides stay.
    for (at, pair) in rows.windows(2).enumerate() {
        let unlike = pair[0].number().is_some() != pair[1].number().is_some() || pair[0].k != pair[1].k;
        if unlike || pair[1].t.saturating_sub(pair[0].t) > gap_after {
            stays[at] = true;
            stays[at + 1] = true;
        }
    }
    rows.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(row, _)| *row).collect()
}

/// Marks first, last, lowest, highest and worst of one bucket or block, and the changes of a state where they are few.
pub(crate) fn mark(rows: &[Row], stays: &mut [bool]) {
    let drawn = || rows.iter().enumerate().filter_map(|(at, row)| row.number().map(|v| (at, v)));
    // The earliest of equals, as in every summary.
    let lowest = drawn().reduce(|best, next| if next.1 < best.1 { next } else { best });
    let highest = drawn().reduce(|best, next| if next.1 > best.1 { next } else { best });
    let worst = (0..rows.len()).reduce(|best, at| if rows[at].q > rows[best].q { at } else { best });
    let ends = [Some(0), rows.len().checked_sub(1), drawn().next().map(|(at, _)| at), drawn().next_back().map(|(at, _)| at)];
    let marked = ends.into_iter().chain([lowest.map(|(at, _)| at), highest.map(|(at, _)| at), worst]);
    for at in marked.flatten() {
        if let Some(slot) = stays.get_mut(at) {
            *slot = true;
        }
    }
    let changed = |at: &usize| rows[*at].bits != rows[*at - 1].bits;
    if rows.first().is_some_and(|row| row.k != FLOAT) && (1..rows.len()).filter(changed).count() <= CHANGES_KEPT {
        (1..rows.len()).filter(changed).for_each(|at| stays[at] = true);
    }
}
