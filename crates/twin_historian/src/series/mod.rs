//! The samples of one signal: sealed blocks, then the head; late samples wait beside them and are folded in by the dozen.
//!
//! Knows rows and blocks, not specs, text or other signals. Reads see late rows at once; a late row stands in for a row of
//! the same time in block or head.

mod forget;
mod head;
mod known;
mod live;
mod read;
mod thin;
mod words;

pub(crate) use head::Head;
pub(crate) use read::{Aim, Place};
pub(crate) use thin::MAX_LEVEL;
pub(crate) use words::Words;

use crate::arena::{Arena, Loc};
use crate::block::{BLOCK, Encoder};
use crate::row::Row;

/// Late rows that wait beside a signal before they are folded into its blocks. Folding costs a block's decoding and
/// encoding for every block touched; waiting costs every read a look at this list.
const LATE_ROWS: usize = 64;

/// What all series of a store share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    pub(crate) arena: Arena,
    pub(crate) encoder: Encoder,
    /// For every [`BATCH`] signals a number that grows when an answer for an instant inside their sealed blocks may change,
    /// or blocks move; cursors compare it.
    pub(crate) revisions: Vec<u64>,
    /// Blocks sealed since the budget was last looked at.
    pub(crate) sealed: usize,
}

/// Signals that a snapshot reads in step, and whose remembered places are given up together.
pub(crate) const BATCH: usize = 128;

impl Shared {
    pub(crate) fn new(signals: usize, budget_bytes: usize) -> Self {
        Self { arena: Arena::new(budget_bytes), revisions: vec![0; signals.div_ceil(BATCH)], ..Self::default() }
    }

    /// Notes that places in a signal's blocks may no longer answer as before.
    fn changed(&mut self, signal: u32) {
        if let Some(revision) = self.revisions.get_mut(signal as usize / BATCH) {
            *revision += 1;
        }
    }
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

/// A block in the directory: first source time and place, in 12 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    low: u32,
    high: u32,
    loc: Loc,
}

impl Entry {
    const fn new(start: i64, loc: Loc) -> Self {
        Self { low: start as u32, high: (start as u64 >> 32) as u32, loc }
    }

    #[inline]
    const fn start(self) -> i64 {
        ((self.high as u64) << 32 | self.low as u64) as i64
    }
}

/// Rows in strictly ascending source time. The fields that a jump needs come first.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Series {
    /// The sealed blocks, ascending.
    blocks: Vec<Entry>,
    /// What few signals need.
    rare: Option<Box<Rare>>,
    /// First source time of the first block; meaningful where there is one.
    first: i64,
    /// Newest source time; meaningful once there is a row.
    newest: i64,
    head: Head,
    /// No row was received longer after its source time than this; samples that are gone count on.
    longest_delay: i64,
}

/// What only signals with late, store-and-forward, predicted or thinned samples have.
#[derive(Debug, Clone, Default)]
struct Rare {
    /// Rows that wait to be folded in, sorted by source time.
    late: Vec<Row>,
    /// How many of the first blocks were thinned to each level; the coarsest lie in front.
    thinned: [u32; MAX_LEVEL],
    /// Real gaps inside thinned blocks: last row before and first after.
    gaps: Vec<(i64, i64)>,
    /// Source time of the row inserted last, where that was not the newest.
    previous: Option<i64>,
    /// Newest source time of a row that came as a live one, where it is not the newest of all; `MIN` where none did.
    live: Option<i64>,
    /// Every row is a prediction.
    unmeasured: bool,
}

impl Series {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.len() == 0 && self.blocks.is_empty()
    }

    /// Late rows that wait.
    fn late(&self) -> &[Row] {
        self.rare.as_ref().map_or(&[], |rare| &rare.late)
    }

    /// Source time of the row inserted last.
    #[inline]
    pub(crate) fn previous_time(&self) -> Option<i64> {
        let previous = self.rare.as_ref().and_then(|rare| rare.previous);
        previous.or_else(|| self.last_time())
    }

    /// Takes one row in, wherever it belongs.
    #[inline]
    pub(crate) fn insert(&mut self, signal: u32, row: &Row, shared: &mut Shared) -> Inserted {
        self.note_delay(row);
        let newer = row.t > self.newest || self.is_empty();
        if !newer || self.rare.is_some() || !live::is_live(row) {
            self.note_order(row, newer);
        }
        if newer {
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
        if self.head.len() >= self.head_limit(signal) {
            self.seal_head(signal, shared);
        }
    }

    /// Heads of different lanes are sealed at different times, so that no instant has to seal all of them: the first block
    /// of a lane is shorter. Signals of a lane stay in step, because they share clock records.
    fn head_limit(&self, signal: u32) -> usize {
        if self.blocks.is_empty() { BLOCK / 2 + (signal / 64).wrapping_mul(29) as usize % (BLOCK / 2) } else { BLOCK }
    }

    /// Compresses the head into a block.
    pub(crate) fn seal_head(&mut self, signal: u32, shared: &mut Shared) {
        let Some(start) = self.head.first_time() else { return };
        let (kind, numbers) = self.head.drain_into(&mut shared.encoder);
        let (loc, kept) = shared.arena.seal(signal, &mut shared.encoder, kind, numbers);
        self.head.learn(kept);
        if self.blocks.is_empty() {
            self.first = start;
        }
        grow(&mut self.blocks);
        self.blocks.push(Entry::new(start, loc));
        shared.sealed += 1;
        // Late rows wait for at most one block's time, so that a few of them do not slow reads down for ever.
        self.fold(signal, shared);
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
            shared.changed(signal);
            self.put_late(row);
            if self.late().len() >= LATE_ROWS {
                self.fold(signal, shared);
            }
        }
        match old {
            Some(old) => Inserted::Replaced((old.bits, old.q, old.f, old.k) != (row.bits, row.q, row.f, row.k)),
            None => Inserted::Late,
        }
    }

    fn late_has(&self, t: i64) -> bool {
        self.late().binary_search_by_key(&t, |row| row.t).is_ok()
    }

    fn put_late(&mut self, row: &Row) {
        let late = &mut self.rare.get_or_insert_default().late;
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
        if self.head.len() >= self.head_limit(signal) {
            self.seal_head(signal, shared);
        }
    }

    /// Merges the waiting late rows into the blocks.
    pub(crate) fn fold(&mut self, signal: u32, shared: &mut Shared) {
        if let Some(rare) = &mut self.rare
            && !rare.late.is_empty()
        {
            let late = std::mem::take(&mut rare.late);
            self.merge(signal, &late, shared);
        }
    }

    /// Merges rows that ascend in time and none of which is newer than the newest. Of two rows of one time the later
    /// received is kept, of equals the new one.
    pub(crate) fn merge(&mut self, signal: u32, rows: &[Row], shared: &mut Shared) {
        shared.changed(signal);
        rows.iter().for_each(|row| self.note_delay(row));
        if self.head.first_time().is_some_and(|start| rows.last().is_some_and(|row| row.t >= start)) {
            self.seal_head(signal, shared);
        }
        let mut end = rows.len();
        // From the back, so that block numbers in front stay valid.
        while end > 0 {
            let block = self.find_block(rows[end - 1].t).unwrap_or(0);
            let from = if block == 0 { 0 } else { rows[..end].partition_point(|row| row.t < self.blocks[block].start()) };
            self.merge_block(signal, block, &rows[from..end], shared);
            end = from;
        }
    }

    /// Replaces one block (or nothing, where there is none) by its rows together with `rows`.
    fn merge_block(&mut self, signal: u32, at: usize, rows: &[Row], shared: &mut Shared) {
        let old: Vec<Row> = self.blocks.get(at).map_or_else(Vec::new, |block| shared.arena.block(block.loc).rows().collect());
        let merged = merge_rows(&old, rows);
        self.note_late_gaps(at, &old, rows);
        let replaced = usize::from(!old.is_empty());
        let cut = Cut::of(&old, rows);
        let blocks = self.replace(signal, at, replaced, &merged, cut, shared);
        self.note_split(at, blocks as u32, replaced as u32);
    }

    /// Puts `rows` in place of `count` blocks from `at` on; returns into how many blocks.
    fn replace(&mut self, signal: u32, at: usize, count: usize, rows: &[Row], cut: Cut, shared: &mut Shared) -> usize {
        let mut blocks = Vec::new();
        for same_kind in rows.chunk_by(|a, b| a.k == b.k) {
            for piece in cut.pieces(same_kind) {
                shared.encoder.load(piece);
                let form =
                    if piece[0].k == crate::row::FLOAT { crate::block::Numbers::Bits } else { crate::block::Numbers::Whole };
                let (loc, _) = shared.arena.seal(signal, &mut shared.encoder, piece[0].k, form);
                blocks.push(Entry::new(piece[0].t, loc));
            }
        }
        for block in &self.blocks[at..at + count] {
            shared.arena.free(block.loc);
        }
        let number = blocks.len();
        self.blocks.splice(at..at + count, blocks);
        self.first = self.blocks.first().map_or(0, |block| block.start());
        shared.sealed += number;
        number
    }

    /// Moves the blocks that lie in a page elsewhere.
    pub(crate) fn leave_page(&mut self, page: usize, signal: u32, shared: &mut Shared) {
        for block in self.blocks.iter_mut().filter(|block| block.loc.page() == page) {
            block.loc = shared.arena.relocate(block.loc, signal);
            shared.changed(signal);
        }
    }

    pub(crate) fn head_bytes(&self) -> usize {
        self.head.bytes()
    }

    pub(crate) fn directory_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Entry>()
    }

    pub(crate) fn late_bytes(&self) -> usize {
        let parts = |rare: &Rare| size_of::<Rare>() + rare.late.capacity() * size_of::<Row>() + rare.gaps.capacity() * 16;
        self.rare.as_ref().map_or(0, |rare| parts(rare))
    }
}

/// Where rows that are more than a block are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Full blocks, then the rest.
    FullFirst,
    /// The rest, then full blocks.
    FullLast,
    /// Into blocks of one length, all with room.
    Even,
}

impl Cut {
    /// What comes behind all of a block, or before it, goes on like that, as a rule, and has to leave full blocks. What comes in
    /// between may come anywhere: with full blocks each such row would be a block of its own soon. Both ascend in time.
    fn of(old: &[Row], new: &[Row]) -> Self {
        let (Some(first), Some(last)) = (old.first(), old.last()) else { return Self::FullFirst };
        if new.first().is_some_and(|row| row.t > last.t) {
            Self::FullFirst
        } else if new.last().is_some_and(|row| row.t < first.t) {
            Self::FullLast
        } else {
            Self::Even
        }
    }

    fn pieces(self, rows: &[Row]) -> impl Iterator<Item = &[Row]> {
        let (first, each) = match self {
            Self::FullFirst => (0, BLOCK),
            Self::FullLast => (rows.len() % BLOCK, BLOCK),
            Self::Even => (0, rows.len().div_ceil(rows.len().div_ceil(BLOCK).max(1)).max(1)),
        };
        let (first, others) = rows.split_at(first);
        std::iter::once(first).filter(|piece| !piece.is_empty()).chain(others.chunks(each))
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
