//! Reads of one signal.

use std::ops::ControlFlow;

use super::Series;
use crate::arena::{Arena, Loc};
use crate::block::{BLOCK, Block};
use crate::envelope::Builder;
use crate::row::Row;

/// What [`Series::aim`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// No row at or before the instant.
    Nowhere,
    /// In the block that the cursor remembers.
    Known,
    /// In the head.
    Head,
    /// In or near the block of this number.
    Block(u32),
    /// Late rows have to be considered: only [`Series::at`] knows.
    Anywhere,
}

/// A block in which a cursor found its sample, and the time for which that block answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    from: i64,
    until: i64,
    loc: Loc,
}

impl Place {
    /// Answers for no time.
    pub(crate) const NOWHERE: Self = Self { from: i64::MAX, until: i64::MIN, loc: Loc::NOWHERE };

    /// Whether this block answers for `t`.
    #[inline]
    pub(crate) const fn holds(&self, t: i64) -> bool {
        self.from <= t && t < self.until
    }

    /// The row at `t`, for which this block answers.
    #[inline]
    pub(crate) fn row(&self, arena: &Arena, t: i64) -> Row {
        let block = arena.block(self.loc);
        block.row(block.position(t))
    }
}

impl Series {
    /// Number of the newest block that starts at or before `t`.
    #[inline]
    pub(super) fn find_block(&self, t: i64) -> Option<usize> {
        if self.blocks.is_empty() || t < self.first {
            return None;
        }
        Some(self.find_block_near(self.guess(t), t))
    }

    /// A first guess by proportion, from fields of this struct alone. Blocks of a steady signal are of equal length, so that
    /// it mostly hits, and the cost of finding a block does not grow with the length of the history. Needs a block and
    /// `t` not before it.
    #[inline]
    fn guess(&self, t: i64) -> usize {
        let end = self.head.first_time().unwrap_or(self.newest);
        let share = t.wrapping_sub(self.first) as u64 as f64 / end.wrapping_sub(self.first) as u64 as f64;
        // An end that equals the first time gives an infinity or NaN, which the cast and the bound make harmless.
        ((share * self.blocks.len() as f64) as usize).min(self.blocks.len() - 1)
    }

    #[inline]
    fn find_block_near(&self, mut guess: usize, t: i64) -> usize {
        let blocks = &self.blocks[..];
        for _ in 0..4 {
            if blocks[guess].start() > t {
                guess -= 1;
            } else if blocks.get(guess + 1).is_some_and(|next| next.start() <= t) {
                guess += 1;
            } else {
                return guess;
            }
        }
        blocks.partition_point(|block| block.start() <= t) - 1
    }

    /// Newest row at or before `t`.
    pub(crate) fn at(&self, arena: &Arena, t: i64) -> Option<Row> {
        let main = self.main_at(arena, t);
        self.late_at(t).filter(|late| main.is_none_or(|main| late.t >= main.t)).or(main)
    }

    fn late_at(&self, t: i64) -> Option<Row> {
        let late = self.late();
        late.partition_point(|row| row.t <= t).checked_sub(1).map(|at| late[at])
    }

    fn main_at(&self, arena: &Arena, t: i64) -> Option<Row> {
        if let Some(i) = self.head.count_to(t).checked_sub(1) {
            return Some(self.head.row(i));
        }
        let block = arena.block(self.blocks[self.find_block(t)?].loc);
        Some(block.row(block.position(t)))
    }

    /// Where to look for the row at `t`, from the fields of this struct alone.
    #[inline]
    pub(crate) fn aim(&self, t: i64) -> Aim {
        if self.rare.as_ref().is_some_and(|rare| !rare.late.is_empty()) {
            return Aim::Anywhere;
        }
        if self.head.first_time().is_some_and(|start| t >= start) {
            return Aim::Head;
        }
        if self.blocks.is_empty() || t < self.first {
            return Aim::Nowhere;
        }
        Aim::Block(self.guess(t) as u32)
    }

    /// The place that answers for `t`, found from a guess of [`Self::aim`].
    #[inline]
    pub(crate) fn place(&self, guess: u32, t: i64) -> Place {
        let at = self.find_block_near(guess as usize, t);
        let next = self.blocks.get(at + 1).map(|block| block.start()).or_else(|| self.head.first_time());
        // The newest block before an empty head answers only up to its last row: a later row may come at any time.
        let until = next.unwrap_or_else(|| self.newest.saturating_add(1));
        Place { from: self.blocks[at].start(), until, loc: self.blocks[at].loc }
    }

    /// The head's newest row at or before `t`.
    #[inline]
    pub(crate) fn head_row(&self, t: i64) -> Option<Row> {
        self.head.count_to(t).checked_sub(1).map(|i| self.head.row(i))
    }

    /// Oldest row strictly after `t`.
    pub(crate) fn after(&self, arena: &Arena, t: i64) -> Option<Row> {
        let main = self.main_after(arena, t);
        let late = self.late().get(self.late().partition_point(|row| row.t <= t)).copied();
        late.filter(|late| main.is_none_or(|main| late.t <= main.t)).or(main)
    }

    fn main_after(&self, arena: &Arena, t: i64) -> Option<Row> {
        let in_head = self.head.count_to(t);
        if in_head == 0 {
            let next = match self.find_block(t) {
                None => 0,
                Some(at) => {
                    let block = arena.block(self.blocks[at].loc);
                    let i = block.position(t) + 1;
                    if i < block.n {
                        return Some(block.row(i));
                    }
                    at + 1
                }
            };
            if let Some(block) = self.blocks.get(next) {
                return Some(arena.block(block.loc).row(0));
            }
        }
        (in_head < self.head.len()).then(|| self.head.row(in_head))
    }

    /// Time of the oldest row at or after `t`.
    pub(crate) fn at_or_after(&self, arena: &Arena, t: i64) -> Option<i64> {
        match t.checked_sub(1) {
            Some(before) => self.after(arena, before).map(|row| row.t),
            None => self.first_time(),
        }
    }

    pub(crate) fn first_time(&self) -> Option<i64> {
        let main = if self.blocks.is_empty() { self.head.first_time() } else { Some(self.first) };
        let late = self.late().first().map(|row| row.t);
        main.into_iter().chain(late).min()
    }

    pub(crate) fn last_time(&self) -> Option<i64> {
        (!self.is_empty()).then_some(self.newest)
    }

    /// Late rows with `from <= t < to`.
    pub(super) fn late_in(&self, from: i64, to: i64) -> &[Row] {
        let late = self.late();
        let start = late.partition_point(|row| row.t < from);
        let end = late.partition_point(|row| row.t < to);
        late.get(start..end).unwrap_or(&[])
    }

    /// Rows with `from <= t < to`, in order.
    pub(crate) fn for_each(
        &self,
        arena: &Arena,
        from: i64,
        to: i64,
        f: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut late = self.late_in(from, to).iter().peekable();
        self.for_each_main(arena, from, to, &mut |row| {
            while let Some(earlier) = late.next_if(|late| late.t < row.t) {
                f(earlier)?;
            }
            f(late.next_if(|late| late.t == row.t).unwrap_or(row))
        })?;
        late.try_for_each(f)
    }

    fn for_each_main(&self, arena: &Arena, from: i64, to: i64, f: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> ControlFlow<()> {
        for (block, low, high) in self.blocks_in(arena, from, to) {
            for i in low..high {
                f(&block.row(i))?;
            }
        }
        for i in self.head_in(from, to) {
            f(&self.head.row(i))?;
        }
        ControlFlow::Continue(())
    }

    /// Positions of the head's rows with `from <= t < to`.
    pub(super) fn head_in(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let before = |t: i64| t.checked_sub(1).map_or(0, |t| self.head.count_to(t));
        before(from)..before(to)
    }

    /// The blocks that have rows with `from <= t < to`, and the positions of those rows.
    pub(super) fn blocks_in<'a>(
        &'a self,
        arena: &'a Arena,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (Block<'a>, usize, usize)> + 'a {
        let first = self.find_block(from).unwrap_or(0);
        let end = if to > from { self.blocks.partition_point(|block| block.start() < to) } else { 0 };
        let numbers = first..end.max(first);
        numbers.map(move |at| {
            let block = arena.block(self.blocks[at].loc);
            let low = if self.blocks[at].start() >= from { 0 } else { block.position(from - 1) + 1 };
            let covered = self.blocks.get(at + 1).is_some_and(|next| next.start() <= to);
            let high = if covered { block.n } else { block.position(to - 1) + 1 };
            (block, low, high)
        })
    }

    /// Number of rows with `from <= t < to`.
    pub(crate) fn count_in(&self, arena: &Arena, from: i64, to: i64) -> u64 {
        self.count_up_to(arena, from, to, u64::MAX)
    }

    /// Number of rows with `from <= t < to`; may stop counting at `enough`.
    pub(crate) fn count_up_to(&self, arena: &Arena, from: i64, to: i64, enough: u64) -> u64 {
        let mut blocks = 0;
        for (_, low, high) in self.blocks_in(arena, from, to) {
            blocks += high - low;
            if blocks as u64 >= enough {
                return blocks as u64;
            }
        }
        let head = self.head_in(from, to).len();
        let fresh = |row: &&Row| self.main_at(arena, row.t).is_none_or(|main| main.t != row.t);
        let late = self.late_in(from, to).iter().filter(fresh).count();
        (blocks + head + late) as u64
    }

    /// Feeds the rows with `from <= t < to` that had been received by `known` to an envelope, whole blocks and buckets at a time
    /// where that changes nothing.
    pub(crate) fn envelope(&self, arena: &Arena, (from, to): (i64, i64), known: i64, builder: &mut Builder) {
        let thinned_until = self.thinned_range(arena).map_or(i64::MIN, |range| range.end.as_micros());
        let slow_to = if self.late_in(from, to).is_empty() { thinned_until.clamp(from, to) } else { to };
        let _never_stops = self.for_each_known(arena, (from, slow_to), known, &mut |row| {
            builder.next_gap((row.t < thinned_until).then(|| self.real_gap(row.t, builder.gap_after())));
            builder.push(row.t, row.number(), row.q);
            ControlFlow::Continue(())
        });
        let from = slow_to;
        let mut keys = [0; BLOCK];
        for (block, low, high) in self.blocks_in(arena, from, to) {
            let (first, last) = if known == i64::MAX { (known, known) } else { block.received() };
            if first > known {
                continue;
            }
            if last > known || !block.unbroken(builder.gap_after()) {
                let rows = (low..high).map(|i| block.row(i)).filter(|row| row.r <= known);
                rows.for_each(|row| builder.push(row.t, row.number(), row.q));
                continue;
            }
            if low == 0 && high == block.n && builder.bucket_of(block.time(0)) == builder.bucket_of(block.last_time()) {
                builder.push_run(&block.run());
                continue;
            }
            let keyed = block.keys(&mut keys);
            let mut i = low;
            while i < high {
                let end = builder.bucket_end(block.time(i));
                let next = (block.position(end.saturating_sub(1)) + 1).clamp(i + 1, high);
                builder.push_run(&block.run_of(i, next, keyed.then_some(&keys)));
                i = next;
            }
        }
        for row in self.head_in(from, to).map(|i| self.head.row(i)).filter(|row| row.r <= known) {
            builder.push(row.t, row.number(), row.q);
        }
    }

    /// Whether a gap lies before the row at `t`, where thinning makes its distance say nothing.
    pub(crate) fn gap_before(&self, arena: &Arena, t: i64, gap_after: i64) -> Option<bool> {
        let thinned = self.thinned_range(arena)?;
        (t < thinned.end.as_micros()).then(|| self.real_gap(t, gap_after))
    }
}
