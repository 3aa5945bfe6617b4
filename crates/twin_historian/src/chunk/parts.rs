//! Rows to chunks of bounded size: by samples and by bytes, cut in time. And a number for what a chunk must hold, so that
//! whoever keeps it can read it back and compare before anything else is let go.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use twin_model::{TimeRange, Timestamp, limits};

use super::merge::{Rows, rows_of};
use super::read::{self, Section};
use super::write::Writer;
use super::{Chunk, ChunkKey, Level, MAX_SAMPLES};
use crate::error::HistorianError;
use crate::row::{Row, TEXT};

/// Longest chunk that is written where its time can be cut.
pub const WRITTEN_BYTES: usize = limits::CHUNK_BYTES;

/// Rows of one signal to be written: its offset from the key's first signal, then its rows in time order.
pub(crate) type Strand<'a> = (u32, &'a [Row]);

/// The text of a code of the signal at an offset.
pub(crate) type WordOf<'a, 'w> = &'a dyn Fn(u32, u64) -> &'w str;

/// A chunk and what reading it back must give ([`digest`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The chunk.
    pub chunk: Chunk,
    /// The digest of the rows that it was made of.
    pub digest: u64,
}

impl Proof {
    /// A chunk without samples.
    pub(crate) fn empty(key: ChunkKey) -> Self {
        Self { chunk: Writer::new(key).finish(), digest: Sum::default().0 }
    }
}

/// Writes rows under `key`; as several chunks that follow each other in time where one would have too many samples or bytes.
/// Only what is of one instant is never cut. Nothing without rows.
pub(crate) fn write_all(key: ChunkKey, strands: &[Strand<'_>], word: WordOf<'_, '_>, out: &mut Vec<Proof>) {
    let samples: usize = strands.iter().map(|(_, rows)| rows.len()).sum();
    if samples == 0 {
        return;
    }
    let texts: usize = strands.iter().map(|(offset, rows)| text_bytes(rows, &|code| word(*offset, code))).sum();
    let large = samples as u64 > MAX_SAMPLES || texts > WRITTEN_BYTES;
    if large && let Some(middle) = middle(key, strands, word) {
        return halves(key, middle, strands, word, out);
    }
    let mut writer = Writer::new(key);
    for (offset, rows) in strands {
        writer.signal(*offset, rows, &|code| word(*offset, code));
    }
    let chunk = writer.finish();
    if chunk.bytes.len() > WRITTEN_BYTES
        && let Some(middle) = middle(key, strands, word)
    {
        return halves(key, middle, strands, word, out);
    }
    let mut sum = Sum::default();
    for (offset, rows) in strands {
        sum.rows(*offset, rows, &|code| word(*offset, code));
    }
    out.push(Proof { chunk, digest: sum.0 });
}

fn halves(key: ChunkKey, middle: i64, strands: &[Strand<'_>], word: WordOf<'_, '_>, out: &mut Vec<Proof>) {
    let at = Timestamp::from_micros(middle);
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for (offset, rows) in strands {
        let (before, after) = rows.split_at(rows.partition_point(|row| row.t < middle));
        early.extend((!before.is_empty()).then_some((*offset, before)));
        late.extend((!after.is_empty()).then_some((*offset, after)));
    }
    write_all(ChunkKey { end: at, ..key }, &early, word, out);
    write_all(ChunkKey { start: at, ..key }, &late, word, out);
}

/// Bytes of the distinct texts among rows.
fn text_bytes<'w>(rows: &[Row], word: &dyn Fn(u64) -> &'w str) -> usize {
    let mut seen = HashSet::new();
    rows.iter().filter(|row| row.k == TEXT && seen.insert(row.bits)).map(|row| word(row.bits).len()).sum()
}

/// The instant of which about half of what the rows weigh lies before; none where they cannot be cut.
fn middle(key: ChunkKey, strands: &[Strand<'_>], word: WordOf<'_, '_>) -> Option<i64> {
    /// A row besides its text.
    const ROW: usize = 4;
    if key.level == Level::Carried {
        return None;
    }
    let mut weights: Vec<(i64, usize)> = Vec::new();
    for (offset, rows) in strands {
        let mut seen = HashSet::new();
        let weight = |row: &Row| ROW + if row.k == TEXT && seen.insert(row.bits) { word(*offset, row.bits).len() } else { 0 };
        weights.extend(rows.iter().map(|row| row.t).zip(rows.iter().map(weight)));
    }
    weights.sort_unstable_by_key(|(t, _)| *t);
    let first = weights.first()?.0;
    let last = weights.last()?.0;
    let half = weights.iter().map(|(_, weight)| weight).sum::<usize>() / 2;
    let mut before = 0;
    // The first row after that half, or after the first instant, whichever is later; the last instant where the half is there.
    let found = weights.into_iter().find_map(|(t, weight)| {
        let found = (t > first && before >= half).then_some(t);
        before += weight;
        found
    });
    found.or((last > first).then_some(last))
}

/// All rows of several pieces by signal under `key`, as chunks of bounded size; of two rows of one time the later received
/// stays, of equals the one of the later piece. Samples outside the time of `key` or its signals are left out.
///
/// # Errors
/// Where a piece cannot be read.
pub fn join(key: ChunkKey, pieces: &[&[u8]]) -> Result<Vec<Proof>, HistorianError> {
    let mut all: BTreeMap<u32, Rows> = BTreeMap::new();
    for bytes in pieces {
        for (signal, mut rows) in rows_of(bytes)?.1 {
            rows.rows.retain(|row| key.range().contains(Timestamp::from_micros(row.t)));
            if signal.wrapping_sub(key.first_signal) < key.signals && !rows.rows.is_empty() {
                all.entry(signal).or_default().absorb(rows);
            }
        }
    }
    Ok(write_map(key, &all))
}

/// Encodes rows by signal under a key, as chunks of bounded size.
pub(super) fn write_map(key: ChunkKey, all: &BTreeMap<u32, Rows>) -> Vec<Proof> {
    let mut out = Vec::new();
    let strands: Vec<Strand<'_>> = all.iter().map(|(signal, rows)| (signal - key.first_signal, rows.rows.as_slice())).collect();
    write_all(key, &strands, &|offset, code| all.get(&(key.first_signal + offset)).map_or("", |rows| rows.word(code)), &mut out);
    out
}

/// A number for the samples that a chunk holds: the same for the same samples, however they are encoded and under whatever
/// version. Decodes the chunk in full.
///
/// # Errors
/// Where it cannot be read.
pub fn digest(bytes: &[u8]) -> Result<u64, HistorianError> {
    let (key, sections) = read::read(bytes, u32::MAX as usize)?;
    let mut sum = Sum::default();
    for Section { signal, rows, words } in &sections {
        let word = |code: u64| words.get(code as usize).map_or("", |word: &Arc<str>| word);
        sum.rows(signal - key.first_signal, rows, &word);
    }
    Ok(sum.0)
}

/// The span of the samples of several pieces together: from the earliest start to the latest end.
pub fn hull(keys: impl IntoIterator<Item = ChunkKey>) -> Option<TimeRange> {
    keys.into_iter().map(|key| key.range()).reduce(TimeRange::union)
}

/// A running sum over rows, in which order matters (multiplication by an odd constant, as in FNV-1a, over words of 64 bits).
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, v: u64) {
        self.0 = (self.0 ^ v).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    fn rows<'w>(&mut self, offset: u32, rows: &[Row], word: &dyn Fn(u64) -> &'w str) {
        let mut texts: HashMap<u64, u64> = HashMap::new();
        for row in rows {
            let bits = if row.k == TEXT { *texts.entry(row.bits).or_insert_with(|| of_text(word(row.bits))) } else { row.bits };
            for v in [u64::from(offset), row.t as u64, row.r as u64, bits] {
                self.add(v);
            }
            self.add(u64::from(row.q) << 16 | u64::from(row.f) << 8 | u64::from(row.k));
        }
    }
}

fn of_text(text: &str) -> u64 {
    let mut sum = Sum(text.len() as u64);
    for eight in text.as_bytes().chunks(8) {
        sum.add(eight.iter().fold(0, |v, b| v << 8 | u64::from(*b)));
    }
    sum.0
}
