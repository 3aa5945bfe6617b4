//! Reads chunks that came from outside: every length is checked before anything is allocated for it.

use std::sync::Arc;

use twin_model::Timestamp;

use super::bytes::Reader;
use super::columns::{SAME, get_floats, get_ints, get_ints_as};
use super::{ChunkKey, FORMAT, Level, MAGIC, MAX_BYTES, MAX_SAMPLES, MAX_SIGNALS, MAX_WORD_BYTES};
use crate::error::HistorianError;
use crate::row::{BOOL, FLOAT, Row, TEXT};

/// Rows of one signal, in strictly ascending source time. Text rows carry positions in `words`.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) signal: u32,
    pub(crate) rows: Vec<Row>,
    pub(crate) words: Vec<Arc<str>>,
}

/// The fixed fields at the front.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) key: ChunkKey,
    crc: u32,
    pub(crate) samples: u32,
    sections: u32,
}

pub(crate) fn header(bytes: &[u8]) -> Result<Header, HistorianError> {
    let mut r = Reader::new(bytes, "header");
    if r.array::<4>().map_err(|_| HistorianError::Magic)? != MAGIC {
        return Err(HistorianError::Magic);
    }
    let [version, level, _, _] = r.array::<4>()?;
    if version != FORMAT {
        return Err(HistorianError::Version(version));
    }
    let level = Level::from_code(level).ok_or(HistorianError::Level(level))?;
    let crc = r.u32()?;
    let version = r.u32()?;
    let (first_signal, signals) = (r.u32()?, r.u32()?);
    let (start, end) = (Timestamp::from_micros(r.i64()?), Timestamp::from_micros(r.i64()?));
    let (samples, sections) = (r.u32()?, r.u32()?);
    limit("samples", u64::from(samples), MAX_SAMPLES)?;
    limit("signals", u64::from(signals), u64::from(MAX_SIGNALS))?;
    if end < start {
        return Err(HistorianError::Corrupt("it ends before it starts"));
    }
    Ok(Header { key: ChunkKey { level, first_signal, signals, start, end, version }, crc, samples, sections })
}

fn limit(what: &'static str, found: u64, limit: u64) -> Result<(), HistorianError> {
    if found > limit { Err(HistorianError::Limit { what, found, limit }) } else { Ok(()) }
}

/// Decodes and checks a whole chunk for a store of `signals` signals.
pub(crate) fn read(bytes: &[u8], signals: usize) -> Result<(ChunkKey, Vec<Section>), HistorianError> {
    limit("bytes", bytes.len() as u64, MAX_BYTES as u64)?;
    let header = header(bytes)?;
    let found = crc32fast::hash(&bytes[12..]);
    if found != header.crc {
        return Err(HistorianError::Checksum { expected: header.crc, found });
    }
    let key = header.key;
    let end = u64::from(key.first_signal) + u64::from(key.signals);
    if end > signals as u64 {
        return Err(HistorianError::UnknownSignal { signal: end.saturating_sub(1), count: signals });
    }
    let mut sections = Vec::new();
    let mut state =
        State { key, left: u64::from(header.samples), next_offset: 0, times: Vec::new(), delays: Vec::new(), last: None };
    let mut r = Reader::new(&bytes[super::HEADER_BYTES..], "sections");
    for _ in 0..header.sections {
        sections.push(state.section(&mut r)?);
    }
    if state.left != 0 || !r.is_empty() {
        return Err(HistorianError::Corrupt("its sections do not add up to its header"));
    }
    Ok((key, sections))
}

/// What one section takes over from those before it.
struct State {
    key: ChunkKey,
    /// Samples promised by the header and not yet read.
    left: u64,
    next_offset: u64,
    times: Vec<i64>,
    delays: Vec<i64>,
    /// Latest source time of the signal being read.
    last: Option<i64>,
}

impl State {
    fn section(&mut self, r: &mut Reader<'_>) -> Result<Section, HistorianError> {
        r.part("sections");
        let signal = self.signal(r)?;
        let n = r.count("samples in a section", self.left)?;
        if n == 0 {
            return Err(HistorianError::Corrupt("a section is empty"));
        }
        self.left -= n as u64;
        let kind = r.u8()?;
        if !(FLOAT..=TEXT).contains(&kind) {
            return Err(HistorianError::Corrupt("a section has an unknown value kind"));
        }
        r.part("clocks");
        clock(r, n, &mut self.times)?;
        clock(r, n, &mut self.delays)?;
        self.check_times()?;
        r.part("quality");
        let marks = get_ints(r, n)?;
        if marks.iter().any(|mark| !(0..1 << 24).contains(mark)) {
            return Err(HistorianError::Corrupt("a quality has more than 24 bits"));
        }
        r.part("values");
        let (bits, words) = values(r, n, kind)?;
        let start = self.key.start.as_micros();
        let clocks = self.times.iter().zip(&self.delays);
        let rows = clocks.zip(marks.iter().zip(&bits)).map(|((time, delay), (mark, bits))| {
            let t = start.wrapping_add(*time);
            Row { t, r: t.wrapping_add(*delay), bits: *bits, q: (mark >> 8) as u16, f: *mark as u8, k: kind }
        });
        Ok(Section { signal, rows: rows.collect(), words })
    }

    /// The section's signal, from the number of signals skipped.
    fn signal(&mut self, r: &mut Reader<'_>) -> Result<u32, HistorianError> {
        let step = r.varint()?;
        if step == 0 && self.next_offset == 0 {
            return Err(HistorianError::Corrupt("its first section continues a signal"));
        }
        if step > 0 {
            self.last = None;
        }
        self.next_offset = self.next_offset.saturating_add(step);
        if self.next_offset > u64::from(self.key.signals) {
            return Err(HistorianError::Corrupt("a section is about a signal outside the chunk"));
        }
        Ok(self.key.first_signal + self.next_offset as u32 - 1)
    }

    /// Source times must ascend within a signal and lie within the chunk; what is carried in lies before it.
    fn check_times(&mut self) -> Result<(), HistorianError> {
        let start = self.key.start.as_micros();
        let span = i128::from(self.key.end.as_micros()) - i128::from(start);
        for time in &self.times {
            let t = start.wrapping_add(*time);
            let inside = if self.key.level == Level::Carried { t < start } else { (*time as u64 as i128) < span };
            if !inside {
                return Err(HistorianError::Corrupt("a sample lies outside the chunk's time"));
            }
            if self.last.is_some_and(|last| last >= t) {
                return Err(HistorianError::Corrupt("source times do not ascend"));
            }
            self.last = Some(t);
        }
        Ok(())
    }
}

fn clock(r: &mut Reader<'_>, n: usize, column: &mut Vec<i64>) -> Result<(), HistorianError> {
    match r.u8()? {
        SAME if column.len() == n => Ok(()),
        SAME => Err(HistorianError::Corrupt("a column repeats one of another length")),
        code => {
            *column = get_ints_as(code, r, n)?;
            Ok(())
        }
    }
}

type Values = (Vec<u64>, Vec<Arc<str>>);

fn values(r: &mut Reader<'_>, n: usize, kind: u8) -> Result<Values, HistorianError> {
    if kind == FLOAT {
        return Ok((get_floats(r, n)?, Vec::new()));
    }
    let mut words: Vec<Arc<str>> = Vec::new();
    if kind == TEXT {
        for _ in 0..r.count("words in a section", n as u64)? {
            let length = r.count("bytes in a word", MAX_WORD_BYTES as u64)?;
            let word = std::str::from_utf8(r.take(length)?).map_err(|_| HistorianError::Corrupt("a word is not UTF-8"))?;
            words.push(word.into());
        }
    }
    let bits: Vec<u64> = get_ints(r, n)?.into_iter().map(|v| v as u64).collect();
    let bound = match kind {
        BOOL => 2,
        TEXT => words.len() as u64,
        _ => u64::MAX,
    };
    if kind != crate::row::INT && bits.iter().any(|b| *b >= bound) {
        return Err(HistorianError::Corrupt("a value is not one of its kind"));
    }
    Ok((bits, words))
}
