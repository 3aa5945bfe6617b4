//! The samples of one signal: sealed blocks, then the head; late samples wait beside them and are folded in by the dozen.
//!
//! Knows rows and blocks, not specs, text or other signals. Reads see late rows at once; a late row stands in for a row of
//! the same time in block or head.

mod head;
mod read;
mod thin;
mod words;

pub(crate) use head::Head;
pub(crate) use read::Place;
pub(crate) use thin::MAX_LEVEL;
pub(crate) use words::Words;

use crate::arena::{Arena, Loc};
use crate::block::{BLOCK, Block, Encoder};
use crate::row::Row;

/// Late rows that wait beside a signal before they are folded into its blocks. Folding costs a block's decoding and
/// encoding for every block touched; waiting costs every read a look at this list.
const LATE_ROWS: usize = 64;

/// What all series of a store share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    pub(crate) arena: Arena,
    pub(crate) encoder: Encoder,
    /// Grows when an answer for an instant inside the sealed blocks may change; cursors compare it.
    pub(crate) revision: u64,
    /// Blocks sealed since the budget was last looked at.
    pub(crate) sealed: usize,
}

/// What an insertion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// Newest of all.
    New,
    /// Behind the newest.
    Late,
    /// In place of a sample of the same source time; whether anything but the clocks differs.
    Replaced(bool),
    /// Not at all: the sample of the same source time was received later.
    Outdated,
}

/// Rows in strictly ascending source time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    /// First source time of each block, ascending.
    starts: Vec<i64>,
    /// Where each block lies.
    locs: Vec<Loc>,
    head: Head,
    /// Sorted by source time. Boxed because most signals have none.
    late: Option<Box<Vec<Row>>>,
    /// Newest source time; meaningful once there is a row.
    newest: i64,
    /// How many of the first blocks were thinned to each level, the coarsest lie
    /// in front.
    thinned: [u32; MAX_LEVEL],
    /// Real gaps inside thinned blocks: last row before and first after.
    gaps: Option<Box<Vec<(i64, i64)>>>,
}

impl Series {
    pub(crate) fn is_empty(&self) -> bool {
        self.head.n == 0 && self.starts.is_empty()
    }

    /// Takes one row in, wherever it belongs.
    #[inline]
    pub(crate) fn insert(&mut self, signal: u32, row: &Row, shared: &mut Shared) -> Inserted {
        if row.t > self.newest || self.is_empty() {
            self.push(signal, row, shared);
            return Inserted::New;
        }
        self.insert_behind(signal, row, shared)
    }

    #[inline]
    fn push(&mut self, signal: u32, row: &Row, shared: &mut Shared) {
        if !self.head.takes(row.k) {
            self.seal_head(signal, shared);
        }
        self.head.push(row);
        self.newest = row.t;
        if self.head.n >= self.head_limit(signal) {
            self.seal_head(signal, shared);
        }
    }

    /// Heads of different lanes are sealed at different times, so that no instant has to seal all of them: the first block
    /// of a lane is shorter. Signals of a lane stay in step, because they share clock records.
    fn head_limit(&self, signal: u32) -> usize {
        if self.starts.is_empty() { BLOCK / 2 + (signal / 64).wrapping_mul(29) as usize % (BLOCK / 2) } else { BLOCK }
    }

    /// Compresses the head into a block.
    pub(crate) fn seal_head(&mut self, signal: u32, shared: &mut Shared) {
        let Some(start) = self.head.first_time() else { return };
        let (kind, numbers) = self.head.drain_into(&mut shared.encoder);
        let (loc, kept) = shared.encoder.finish(&mut shared.arena, signal, kind, numbers);
        self.head.learn(kept);
        grow(&mut self.starts);
        grow(&mut self.locs);
        self.starts.push(start);
        self.locs.push(loc);
        shared.sealed += 1;
    }

    #[cold]
    fn insert_behind(&mut self, signal: u32, row: &Row, shared: &mut Shared) -> Inserted {
        let old = self.at(&shared.arena, row.t).filter(|old| old.t == row.t);
        if old.is_some_and(|old| old.r > row.r) {
            return Inserted::Outdated;
        }
        let in_head = self.head.first_time().is_some_and(|start| row.t > start) && self.head.takes(row.k);
        if in_head && !self.late_has(row.t) {
            self.edit_head(signal, row, shared);
        } else {
            shared.revision += 1;
            self.put_late(row);
            if self.late.as_ref().is_some_and(|late| late.len() >= LATE_ROWS) {
                self.fold(signal, shared);
            }
        }
        match old {
            Some(old) => Inserted::Replaced((old.bits, old.q, old.f, old.k) != (row.bits, row.q, row.f, row.k)),
            None => Inserted::Late,
        }
    }

    fn late_has(&self, t: i64) -> bool {
        self.late.as_ref().is_some_and(|late| late.binary_search_by_key(&t, |row| row.t).is_ok())
    }

    fn put_late(&mut self, row: &Row) {
        let late = self.late.get_or_insert_default();
        match late.binary_search_by_key(&row.t, |row| row.t) {
            Ok(at) => late[at] = *row,
            Err(at) => late.insert(at, *row),
        }
    }

    /// Rebuilds the head with one row more or another one.
    fn edit_head(&mut self, signal: u32, row: &Row, shared: &mut Shared) {
        let mut rows: Vec<Row> = self.head.rows().collect();
        match rows.binary_search_by_key(&row.t, |row| row.t) {
            Ok(at) => rows[at] = *row,
            Err(at) => rows.insert(at, *row),
        }
        self.head.clear();
        for row in &rows {
            self.head.push(row);
        }
        if self.head.n >= self.head_limit(signal) {
            self.seal_head(signal, shared);
        }
    }

    /// Merges the waiting late rows into the blocks.
    pub(crate) fn fold(&mut self, signal: u32, shared: &mut Shared) {
        if let Some(late) = self.late.take() {
            self.merge(signal, &late, shared);
        }
    }

    /// Merges rows that ascend in time and none of which is newer than the newest. Of two rows of one time the later
    /// received is kept, of equals the new one.
    pub(crate) fn merge(&mut self, signal: u32, rows: &[Row], shared: &mut Shared) {
        shared.revision += 1;
        if self.head.first_time().is_some_and(|start| rows.last().is_some_and(|row| row.t >= start)) {
            self.seal_head(signal, shared);
        }
        let mut end = rows.len();
        // From the back, so that block numbers in front stay valid.
        while end > 0 {
            let block = self.find_block(rows[end - 1].t).unwrap_or(0);
            let from = if block == 0 { 0 } else { rows[..end].partition_point(|row| row.t < self.starts[block]) };
            self.merge_block(signal, block, &rows[from..end], shared);
            end = from;
        }
    }

    /// Replaces one block (or nothing, where there is none) by its rows together with `rows`.
    fn merge_block(&mut self, signal: u32, at: usize, rows: &[Row], shared: &mut Shared) {
        let old: Vec<Row> = self.locs.get(at).map_or_else(Vec::new, |loc| Block::at(&shared.arena, *loc).rows().collect());
        let merged = merge_rows(&old, rows);
        let replaced = usize::from(!old.is_empty());
        let blocks = self.replace(signal, at, replaced, &merged, shared);
        self.note_split(at, blocks as u32, replaced as u32);
    }

    /// Puts `rows` in place of `count` blocks from `at` on; returns into how many blocks.
    fn replace(&mut self, signal: u32, at: usize, count: usize, rows: &[Row], shared: &mut Shared) -> usize {
        let (mut starts, mut locs) = (Vec::new(), Vec::new());
        for same_kind in rows.chunk_by(|a, b| a.k == b.k) {
            for piece in same_kind.chunks(BLOCK) {
                shared.encoder.load(piece);
                let form =
                    if piece[0].k == crate::row::FLOAT { crate::block::Numbers::Bits } else { crate::block::Numbers::Whole };
                let (loc, _) = shared.encoder.finish(&mut shared.arena, signal, piece[0].k, form);
                starts.push(piece[0].t);
                locs.push(loc);
            }
        }
        for loc in &self.locs[at..at + count] {
            shared.arena.free(*loc);
        }
        let blocks = starts.len();
        self.starts.splice(at..at + count, starts);
        self.locs.splice(at..at + count, locs);
        shared.sealed += blocks;
        blocks
    }

    /// Moves the blocks that lie in a page elsewhere.
    pub(crate) fn leave_page(&mut self, page: usize, signal: u32, shared: &mut Shared) {
        for loc in self.locs.iter_mut().filter(|loc| loc.page() == page) {
            *loc = shared.arena.relocate(*loc, signal);
            shared.revision += 1;
        }
    }

    pub(crate) fn head_bytes(&self) -> usize {
        self.head.bytes()
    }

    pub(crate) fn directory_bytes(&self) -> usize {
        self.starts.capacity() * 8 + self.locs.capacity() * 4
    }

    pub(crate) fn late_bytes(&self) -> usize {
        let gaps = self.gaps.as_ref().map_or(0, |gaps| gaps.capacity() * 16 + 24);
        gaps + self.late.as_ref().map_or(0, |late| late.capacity() * size_of::<Row>() + 24)
    }
}

/// Room for one more, an eighth at a time.
fn grow<T>(v: &mut Vec<T>) {
    if v.len() == v.capacity() {
        v.reserve_exact(v.len() / 8 + 4);
    }
}

/// Both in time order; of two rows of one time the later received, of equals the one from `new`.
fn merge_rows(old: &[Row], new: &[Row]) -> Vec<Row> {
    let mut out = Vec::with_capacity(old.len() + new.len());
    let mut old = old.iter().peekable();
    for row in new {
        while let Some(earlier) = old.next_if(|o| o.t < row.t) {
            out.push(*earlier);
        }
        let same = old.next_if(|o| o.t == row.t);
        out.push(same.filter(|o| o.r > row.r).copied().unwrap_or(*row));
    }
    out.extend(old.copied());
    out
}
