//! Chunks as values: checked, joined and cut without a store. What the keepers of history do with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use twin_model::{TimeRange, Timestamp, ValueKind};

use super::read::{self, Section};
use super::write::Writer;
use super::{Chunk, ChunkKey, Level};
use crate::error::HistorianError;
use crate::row::{BOOL, FLOAT, INT, Row, TEXT, closed};

/// Signals enough for any chunk: whether they exist is for the store to say.
const ANY_SIGNAL: usize = u32::MAX as usize;

/// Rows of one signal in time order, with the words that their codes mean.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    words: Vec<Arc<str>>,
    codes: BTreeMap<Arc<str>, u64>,
}

impl Rows {
    /// Adds rows whose text codes are positions in `words`. Of two rows of one time the later received stays, of equals the
    /// one added later: the store's own rule.
    pub(super) fn add(&mut self, section: &Section) {
        let codes: Vec<u64> = section.words.iter().map(|word| self.code(word)).collect();
        let local = |row: &Row| if row.k == TEXT { codes.get(row.bits as usize).copied().unwrap_or(0) } else { row.bits };
        let new = section.rows.iter().map(|row| Row { bits: local(row), ..*row });
        if self.rows.last().is_none_or(|last| section.rows.first().is_some_and(|first| last.t < first.t)) {
            self.rows.extend(new);
            return;
        }
        let mut all: BTreeMap<i64, Row> = self.rows.drain(..).map(|row| (row.t, row)).collect();
        for row in new {
            let kept = all.entry(row.t).or_insert(row);
            if row.r >= kept.r {
                *kept = row;
            }
        }
        self.rows = all.into_values().collect();
    }

    /// Adds rows with words of their own, as [`Self::add`].
    pub(super) fn absorb(&mut self, other: Self) {
        self.add(&Section { signal: 0, rows: other.rows, words: other.words });
    }

    fn code(&mut self, word: &Arc<str>) -> u64 {
        if let Some(code) = self.codes.get(word) {
            return *code;
        }
        let code = self.words.len() as u64;
        self.words.push(word.clone());
        self.codes.insert(word.clone(), code);
        code
    }

    pub(super) fn word(&self, code: u64) -> &str {
        self.words.get(code as usize).map_or("", |word| word)
    }
}

/// The rows of a chunk by signal.
pub(super) fn rows_of(bytes: &[u8]) -> Result<(ChunkKey, BTreeMap<u32, Rows>), HistorianError> {
    let (key, sections) = read::read(bytes, ANY_SIGNAL)?;
    let mut all: BTreeMap<u32, Rows> = BTreeMap::new();
    for section in &sections {
        all.entry(section.signal).or_default().add(section);
    }
    Ok((key, all))
}

/// Encodes rows by signal under a key.
pub(super) fn write(key: ChunkKey, all: &BTreeMap<u32, Rows>) -> Chunk {
    let mut writer = Writer::new(key);
    for (signal, rows) in all {
        writer.signal(signal - key.first_signal, &rows.rows, &|code| rows.word(code));
    }
    writer.finish()
}

/// Decodes a chunk in full and tells its key, number of samples and the range of its source times (empty without samples).
///
/// # Errors
/// As [`Store::import_chunk`](crate::Store::import_chunk), but for signals that a site may not have.
pub fn inspect(bytes: &[u8]) -> Result<(ChunkKey, u64, TimeRange), HistorianError> {
    let (key, sections) = read::read(bytes, ANY_SIGNAL)?;
    let mut range = TimeRange::new(Timestamp::MAX, Timestamp::MIN);
    let mut samples = 0;
    for section in &sections {
        samples += section.rows.len() as u64;
        if let (Some(first), Some(last)) = (section.rows.first(), section.rows.last()) {
            range = range.union(closed(first.t, last.t));
        }
    }
    Ok((key, samples, range))
}

/// Consecutive samples of one signal with values of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Number of the signal.
    pub signal: u32,
    /// Kind of the values.
    pub kind: ValueKind,
    /// Source times, ascending.
    pub times: Vec<Timestamp>,
}

/// Decodes a chunk in full and tells whose samples it holds.
///
/// # Errors
/// As [`inspect`].
pub fn runs(bytes: &[u8]) -> Result<Vec<Run>, HistorianError> {
    let (_, sections) = read::read(bytes, ANY_SIGNAL)?;
    let run = |section: &Section| {
        let kind = match section.rows.first()?.k {
            FLOAT => ValueKind::Float,
            INT => ValueKind::Int,
            BOOL => ValueKind::Bool,
            _ => ValueKind::Text,
        };
        let times = section.rows.iter().map(|row| Timestamp::from_micros(row.t)).collect();
        Some(Run { signal: section.signal, kind, times })
    };
    Ok(sections.iter().filter_map(run).collect())
}

/// One chunk with the samples of both, under `key`. Of two samples of one signal and source time the later received stays,
/// of equals the one of `newer`.
///
/// # Errors
/// Where one cannot be read, or holds signals or times that the key does not span.
pub fn merge(key: ChunkKey, older: &[u8], newer: &[u8]) -> Result<Chunk, HistorianError> {
    let (a, mut all) = rows_of(older)?;
    let (b, sections) = read::read(newer, ANY_SIGNAL)?;
    for one in [a, b] {
        let inside = one.first_signal >= key.first_signal
            && u64::from(one.first_signal) + u64::from(one.signals) <= u64::from(key.first_signal) + u64::from(key.signals);
        if !inside {
            return Err(HistorianError::Unlike("they are about other signals"));
        }
        // Samples of the one kind lie before the start, of the other after it.
        if (one.level == Level::Carried) != (key.level == Level::Carried) {
            return Err(HistorianError::Unlike("one is carried in and the other is not"));
        }
        if one.start < key.start || one.end > key.end {
            return Err(HistorianError::Unlike("they span another time"));
        }
    }
    for section in &sections {
        all.entry(section.signal).or_default().add(section);
    }
    Ok(write(key, &all))
}

/// The same samples under another version, without decoding them.
///
/// # Errors
/// Where the header cannot be read.
pub fn with_version(bytes: &[u8], version: u32) -> Result<Chunk, HistorianError> {
    let header = read::header(bytes)?;
    let mut bytes = bytes.to_vec();
    bytes[12..16].copy_from_slice(&version.to_le_bytes());
    let crc = crc32fast::hash(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    Ok(Chunk { key: ChunkKey { version, ..header.key }, samples: header.samples, bytes })
}

/// The same samples, the floats of one signal with the value that `f` gives for theirs; whole numbers, switches and texts stay.
///
/// # Errors
/// Where it cannot be read.
pub fn mapped(bytes: &[u8], signal: u32, f: &dyn Fn(f64) -> f64) -> Result<Chunk, HistorianError> {
    let (key, mut all) = rows_of(bytes)?;
    let rows = all.get_mut(&signal).into_iter().flat_map(|rows| &mut rows.rows);
    for row in rows.filter(|row| row.k == FLOAT) {
        row.bits = f(f64::from_bits(row.bits)).to_bits();
    }
    Ok(write(key, &all))
}

/// Whether two chunks of one level, lane and time hold the same samples, whatever their versions.
pub fn same_samples(a: &[u8], b: &[u8]) -> bool {
    a.get(16..).is_some_and(|a| b.get(16..) == Some(a))
}

/// The chunk's samples in the time of `key`, under that key; no signal may lie outside it.
///
/// # Errors
/// Where it cannot be read, or holds signals that the key does not span.
pub fn within(key: ChunkKey, bytes: &[u8]) -> Result<Chunk, HistorianError> {
    gather(key, &[bytes], &|signal| Some(signal))
}

/// One chunk of the samples of many that lie in the time of `key` and belong, after `to` has said where a signal is now
/// (nowhere: left out), to its signals. For sites that changed and for lanes that are cut anew.
///
/// # Errors
/// Where one of them cannot be read.
pub fn gather(key: ChunkKey, pieces: &[&[u8]], to: &dyn Fn(u32) -> Option<u32>) -> Result<Chunk, HistorianError> {
    let mut all: BTreeMap<u32, Rows> = BTreeMap::new();
    let inside = |t: i64| {
        let t = Timestamp::from_micros(t);
        if key.level == Level::Carried { t < key.start } else { key.range().contains(t) }
    };
    for bytes in pieces {
        let (_, sections) = read::read(bytes, ANY_SIGNAL)?;
        for mut section in sections {
            let signal = to(section.signal).filter(|new| new.wrapping_sub(key.first_signal) < key.signals);
            let Some(signal) = signal else { continue };
            section.rows.retain(|row| inside(row.t));
            if !section.rows.is_empty() {
                all.entry(signal).or_default().add(&section);
            }
        }
    }
    Ok(write(key, &all))
}

/// What holds just before `key.start` for the signals of `key` ([`Level::Carried`]): of each the newest sample before that
/// instant in any of the pieces, for example what was carried into an earlier slab and the raw chunks since then. None where no
/// piece has any.
///
/// # Errors
/// Where one of them cannot be read.
pub fn carry(key: ChunkKey, pieces: &[&[u8]]) -> Result<Option<Chunk>, HistorianError> {
    let mut newest: BTreeMap<u32, Rows> = BTreeMap::new();
    let before = key.start.as_micros();
    for bytes in pieces {
        let (_, sections) = read::read(bytes, ANY_SIGNAL)?;
        for mut section in sections {
            let end = section.rows.partition_point(|row| row.t < before);
            if end == 0 || section.signal.wrapping_sub(key.first_signal) >= key.signals {
                continue;
            }
            section.rows = section.rows[end - 1..end].to_vec();
            newest.entry(section.signal).or_default().add(&section);
        }
    }
    for rows in newest.values_mut() {
        rows.rows.drain(..rows.rows.len().saturating_sub(1));
    }
    Ok(if newest.is_empty() { None } else { Some(write(key, &newest)) })
}

/// The chunk's samples that had been received by `known`, in a chunk that counts as never sealed; none where it has none.
///
/// # Errors
/// Where it cannot be read.
pub fn known(bytes: &[u8], known: Timestamp) -> Result<Option<Chunk>, HistorianError> {
    let (key, mut all) = rows_of(bytes)?;
    for rows in all.values_mut() {
        rows.rows.retain(|row| row.r <= known.as_micros());
    }
    all.retain(|_, rows| !rows.rows.is_empty());
    Ok((!all.is_empty()).then(|| write(ChunkKey { version: 0, ..key }, &all)))
}

/// The chunk without its samples in `range`, under `key`; what a coarser chunk is before an hour of it is written anew.
///
/// # Errors
/// Where it cannot be read.
pub fn without(key: ChunkKey, bytes: &[u8], range: TimeRange) -> Result<Chunk, HistorianError> {
    let (_, mut all) = rows_of(bytes)?;
    for rows in all.values_mut() {
        rows.rows.retain(|row| !range.contains(Timestamp::from_micros(row.t)));
    }
    all.retain(|_, rows| !rows.rows.is_empty());
    Ok(write(key, &all))
}
