//! Writes chunks.

use super::bytes::put_varint;
use super::columns::{CONSTANT, SAME, put_floats, put_ints};
use super::{Chunk, ChunkKey, FORMAT, HEADER_BYTES, MAGIC, MAX_WORD_BYTES};
use crate::row::{FLOAT, Row, TEXT};

/// Collects the signals of one chunk, in ascending order.
#[derive(Debug)]
pub(crate) struct Writer {
    key: ChunkKey,
    bytes: Vec<u8>,
    samples: u32,
    sections: u32,
    next_offset: u32,
    times: Vec<i64>,
    delays: Vec<i64>,
}

impl Writer {
    pub(crate) fn new(key: ChunkKey) -> Self {
        let bytes = vec![0; HEADER_BYTES];
        Self { key, bytes, samples: 0, sections: 0, next_offset: 0, times: Vec::new(), delays: Vec::new() }
    }

    /// Adds the rows of the signal `first_signal + offset`; a change of value kind begins another section of it.
    pub(crate) fn signal<'w>(&mut self, offset: u32, rows: &[Row], word: &dyn Fn(u64) -> &'w str) {
        for rows in rows.chunk_by(|a, b| a.k == b.k) {
            self.section(offset, rows, word);
        }
    }

    fn section<'w>(&mut self, offset: u32, rows: &[Row], word: &dyn Fn(u64) -> &'w str) {
        let Some(kind) = rows.first().map(|row| row.k) else { return };
        // 0: the same signal goes on; otherwise one more than the signals skipped.
        let step = if self.sections > 0 && offset + 1 == self.next_offset { 0 } else { offset - self.next_offset + 1 };
        self.next_offset = offset + 1;
        self.sections += 1;
        self.samples += rows.len() as u32;
        put_varint(&mut self.bytes, u64::from(step));
        put_varint(&mut self.bytes, rows.len() as u64);
        self.bytes.push(kind);
        self.clocks(rows);
        let marks: Vec<i64> = rows.iter().map(|row| i64::from(row.q) << 8 | i64::from(row.f)).collect();
        put_ints(&mut self.bytes, &marks);
        match kind {
            FLOAT => put_floats(&mut self.bytes, &rows.iter().map(|row| row.bits).collect::<Vec<_>>()),
            TEXT => self.words(rows, word),
            _ => put_ints(&mut self.bytes, &rows.iter().map(|row| row.bits as i64).collect::<Vec<_>>()),
        }
    }

    /// Source times relative to the chunk's start, then delays of receipt. Signals of one source mostly share both.
    fn clocks(&mut self, rows: &[Row]) {
        let start = self.key.start.as_micros();
        let times: Vec<i64> = rows.iter().map(|row| row.t.wrapping_sub(start)).collect();
        let delays: Vec<i64> = rows.iter().map(|row| row.r.wrapping_sub(row.t)).collect();
        for (column, last) in [(times, &mut self.times), (delays, &mut self.delays)] {
            let from = self.bytes.len();
            put_ints(&mut self.bytes, &column);
            if *last == column && self.bytes[from] != CONSTANT {
                self.bytes.truncate(from);
                self.bytes.push(SAME);
            }
            *last = column;
        }
    }

    /// The words that occur, in order of first appearance here, then their numbers.
    fn words<'w>(&mut self, rows: &[Row], word: &dyn Fn(u64) -> &'w str) {
        let mut codes: Vec<u64> = Vec::new();
        let mut local = std::collections::BTreeMap::new();
        let numbers: Vec<i64> = rows
            .iter()
            .map(|row| {
                *local.entry(row.bits).or_insert_with(|| {
                    codes.push(row.bits);
                    codes.len() as i64 - 1
                })
            })
            .collect();
        put_varint(&mut self.bytes, codes.len() as u64);
        for code in codes {
            let text = word(code);
            let text = &text[..text.floor_char_boundary(MAX_WORD_BYTES)];
            put_varint(&mut self.bytes, text.len() as u64);
            self.bytes.extend_from_slice(text.as_bytes());
        }
        put_ints(&mut self.bytes, &numbers);
    }

    /// Fills in the header.
    pub(crate) fn finish(mut self) -> Chunk {
        let key = self.key;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&[FORMAT, key.level.code(), 0, 0]);
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&key.version.to_le_bytes());
        header.extend_from_slice(&key.first_signal.to_le_bytes());
        header.extend_from_slice(&key.signals.to_le_bytes());
        header.extend_from_slice(&key.start.as_micros().to_le_bytes());
        header.extend_from_slice(&key.end.as_micros().to_le_bytes());
        header.extend_from_slice(&self.samples.to_le_bytes());
        header.extend_from_slice(&self.sections.to_le_bytes());
        self.bytes[..HEADER_BYTES].copy_from_slice(&header);
        let crc = crc32fast::hash(&self.bytes[12..]);
        self.bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        self.bytes.shrink_to_fit();
        Chunk { key, samples: self.samples, bytes: self.bytes }
    }
}
