//! Giving up old samples for the byte budget: of each stretch the samples stay that a chart or a state at low resolution
//! needs, so that extremes, gaps, worst quality and (for states) changes remain exact while the rest goes.

use twin_model::TimeRange;

use super::{Cut, Series, Shared};
use crate::arena::Arena;
use crate::block::BLOCK;
use crate::row::{Row, closed};

/// How often a stretch can be thinned before it is dropped.
pub(crate) const MAX_LEVEL: usize = 2;

/// Blocks thinned together: with four samples kept of each they fill half a block.
const GROUP: usize = 16;
/// Fewer blocks than this are not worth a new block.
const WORTHWHILE: usize = 4;

impl Series {
    /// Blocks at a level: 0 raw, 1 thinned once, and so on.
    pub(crate) fn blocks_at(&self, level: usize) -> std::ops::Range<usize> {
        // The coarsest lie first.
        let thinned = self.rare.as_ref().map_or([0; MAX_LEVEL], |rare| rare.thinned);
        let start: u32 = thinned[level..].iter().sum();
        let end = match level.checked_sub(1) {
            None => self.blocks.len(),
            Some(at) => (start + thinned[at]) as usize,
        };
        start as usize..end
    }

    /// Start of the oldest block at a level.
    pub(crate) fn oldest_at(&self, level: usize) -> Option<i64> {
        let blocks = self.blocks_at(level);
        (!blocks.is_empty()).then(|| self.blocks[blocks.start].start())
    }

    /// Source times of the rows that [`Self::thin`] may take at a level with its next call.
    pub(crate) fn oldest_times(&self, level: usize, shared: &Shared) -> Vec<i64> {
        let blocks = self.blocks_at(level).take(GROUP).filter_map(|at| self.blocks.get(at));
        blocks.flat_map(|block| shared.arena.block(block.loc).rows().map(|row| row.t).collect::<Vec<_>>()).collect()
    }

    /// Block `at` became `now` blocks where there were `before`.
    pub(super) fn note_split(&mut self, at: usize, now: u32, before: u32) {
        let level = (1..=MAX_LEVEL).rev().find(|level| self.blocks_at(*level).contains(&at));
        if let (Some(level), Some(rare)) = (level, &mut self.rare) {
            let count = &mut rare.thinned[level - 1];
            *count = (*count + now).saturating_sub(before);
        }
    }

    /// Late rows are about to go into block `at`, which holds `old`: where that is thinned, distances do not tell gaps, so the
    /// gap that a row falls into is remembered as two, and one to a row beyond either end of the block as it is. Not so at its
    /// end where the next block is thinned, too: gaps up to there are all remembered, and between the two rows may have gone.
    pub(super) fn note_late_gaps(&mut self, at: usize, old: &[Row], rows: &[Row]) {
        let is_thinned = |at: usize| (1..=MAX_LEVEL).any(|level| self.blocks_at(level).contains(&at));
        let (thinned, next_thinned) = (is_thinned(at), is_thinned(at + 1));
        let (Some(first), Some(last)) = (old.first(), old.last()) else { return };
        let Some(gaps) = self.rare.as_mut().map(|rare| &mut rare.gaps).filter(|_| thinned) else { return };
        let mut end = last.t;
        for (number, t) in rows.iter().map(|row| row.t).enumerate() {
            let slot = gaps.partition_point(|(_, after)| *after <= t);
            if let Some((before, after)) = gaps.get(slot).copied().filter(|(before, _)| *before < t) {
                gaps.splice(slot..=slot, [(before, t), (t, after)]);
            } else if t > end {
                if !next_thinned {
                    gaps.insert(slot, (end, t));
                }
            } else if t < first.t {
                let next = rows.get(number + 1).map_or(first.t, |next| next.t.min(first.t));
                gaps.insert(slot, (t, next));
            }
            end = end.max(t);
        }
    }

    /// Thins the oldest group of blocks at `level` that ends before `horizon`; returns how many samples went.
    pub(crate) fn thin(&mut self, signal: u32, level: usize, horizon: i64, gap_after: i64, shared: &mut Shared) -> u64 {
        let blocks = self.blocks_at(level);
        let ends = blocks.clone().take(GROUP).filter(|at| self.blocks.get(at + 1).is_some_and(|next| next.start() <= horizon));
        let count = ends.count();
        if count < WORTHWHILE {
            return 0;
        }
        shared.changed(signal);
        let at = blocks.start;
        if level == MAX_LEVEL {
            return self.drop_blocks(at, count, shared);
        }
        let mut kept = Vec::new();
        let mut seen = 0;
        for number in at..at + count {
            let rows: Vec<Row> = shared.arena.block(self.blocks[number].loc).rows().collect();
            seen += rows.len() as u64;
            if level == 0 {
                self.note_gaps(number, &rows, gap_after, &shared.arena);
            }
            self.keep(&rows, &mut kept);
        }
        let gone = seen - kept.len() as u64;
        // The block before has mostly room for what is left of these.
        let before = at.checked_sub(1).filter(|before| self.blocks_at(level + 1).contains(before));
        let before = before.map(|before| shared.arena.block(self.blocks[before].loc)).filter(|b| b.n + kept.len() <= BLOCK);
        let joined = usize::from(before.is_some());
        if let Some(before) = before {
            kept.splice(0..0, before.rows());
        }
        let now = self.replace(signal, at - joined, count + joined, &kept, Cut::FullFirst, shared);
        let thinned = &mut self.rare.get_or_insert_default().thinned;
        if level > 0 {
            thinned[level - 1] -= count as u32;
        }
        thinned[level] = thinned[level] + now as u32 - joined as u32;
        gone
    }

    /// The blocks that lie wholly in `[from, to)` and after which there is another one or the head, so that without them what
    /// holds at `to` is still known.
    fn whole_blocks(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let head = self.head.first_time();
        let next = |at: usize| self.blocks.get(at + 1).map(|block| block.start()).or(head);
        let first = self.blocks.partition_point(|block| block.start() < from);
        let count = (first..self.blocks.len()).take_while(|at| next(*at).is_some_and(|next| next <= to)).count();
        first..first + count
    }

    /// Gives up the blocks that lie wholly in `[from, to)`; returns how many samples went. What holds at `to` stays.
    pub(crate) fn evict(&mut self, signal: u32, from: i64, to: i64, shared: &mut Shared) -> u64 {
        self.fold(signal, shared);
        let whole = self.whole_blocks(from, to);
        if whole.is_empty() {
            return 0;
        }
        shared.changed(signal);
        let mut gone = 0;
        for at in whole.clone().rev() {
            self.note_split(at, 0, 1);
        }
        for block in self.blocks.drain(whole) {
            gone += shared.arena.block(block.loc).n as u64;
            shared.arena.free(block.loc);
        }
        self.first = self.blocks.first().map_or(0, |block| block.start());
        if let Some(rare) = &mut self.rare {
            rare.gaps.retain(|(_, after)| !(from..to).contains(after));
        }
        gone
    }

    /// Keeps, of the blocks that lie wholly in a stretch, what a coarser level keeps; returns how many samples went.
    pub(crate) fn reduce(
        &mut self,
        signal: u32,
        (from, to): (i64, i64),
        (bucket, gap_after): (i64, i64),
        shared: &mut Shared,
    ) -> u64 {
        self.fold(signal, shared);
        let whole = self.whole_blocks(from, to);
        let (first, count) = (whole.start, whole.len());
        let blocks = self.blocks[whole.clone()].iter();
        let rows: Vec<Row> = blocks.flat_map(|block| shared.arena.block(block.loc).rows().collect::<Vec<_>>()).collect();
        let kept = crate::chunk::keep(&rows, bucket, gap_after);
        if kept.len() == rows.len() {
            return 0;
        }
        shared.changed(signal);
        for at in whole.rev() {
            self.note_split(at, 0, 1);
        }
        let now = self.replace(signal, first, count, &kept, Cut::FullFirst, shared);
        self.note_split(first, now as u32, 0);
        (rows.len() - kept.len()) as u64
    }

    fn drop_blocks(&mut self, at: usize, count: usize, shared: &mut Shared) -> u64 {
        let mut gone = 0;
        for block in self.blocks.drain(at..at + count) {
            gone += shared.arena.block(block.loc).n as u64;
            shared.arena.free(block.loc);
        }
        self.first = self.blocks.first().map_or(0, |block| block.start());
        let first = self.blocks.first().map_or(i64::MAX, |block| block.start());
        if let Some(rare) = &mut self.rare {
            rare.thinned[MAX_LEVEL - 1] -= count as u32;
            rare.gaps.retain(|(_, after)| *after >= first);
        }
        gone
    }

    /// Remembers the gaps among raw rows, the one before the first included.
    fn note_gaps(&mut self, number: usize, rows: &[Row], gap_after: i64, arena: &Arena) {
        let before = number.checked_sub(1).map(|at| arena.block(self.blocks[at].loc).last_time());
        let times = before.into_iter().chain(rows.iter().map(|row| row.t));
        let mut last: Option<i64> = None;
        for t in times {
            if let Some(last) = last
                && t.saturating_sub(last) > gap_after
            {
                let gaps = &mut self.rare.get_or_insert_default().gaps;
                let at = gaps.partition_point(|gap| *gap < (last, t));
                if gaps.get(at) != Some(&(last, t)) {
                    gaps.insert(at, (last, t));
                }
            }
            last = Some(t);
        }
    }

    /// Appends the rows of a block that outlive the others.
    fn keep(&self, rows: &[Row], kept: &mut Vec<Row>) {
        let mut stays = vec![false; rows.len()];
        crate::chunk::mark(rows, &mut stays);
        // Where the line breaks, both sides stay.
        for (at, pair) in rows.windows(2).enumerate() {
            let unlike = pair[0].number().is_some() != pair[1].number().is_some();
            if unlike || self.gap_at(pair[1].t).is_some() {
                stays[at] = true;
                stays[at + 1] = true;
            }
        }
        kept.extend(rows.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(row, _)| *row));
    }

    /// Start of the remembered gap that ends at `t`.
    fn gap_at(&self, t: i64) -> Option<i64> {
        let gaps = &self.rare.as_ref()?.gaps;
        gaps.binary_search_by_key(&t, |(_, after)| *after).ok().map(|at| gaps[at].0)
    }

    /// The time over which samples were taken away.
    pub(crate) fn thinned_range(&self, arena: &Arena) -> Option<TimeRange> {
        let count: u32 = self.rare.as_ref()?.thinned.iter().sum();
        let last = (count as usize).checked_sub(1)?;
        let end = arena.block(self.blocks.get(last)?.loc).last_time();
        Some(closed(self.first, end))
    }

    /// Whether a remembered gap longer than `gap_after` ends at `t`.
    pub(crate) fn real_gap(&self, t: i64, gap_after: i64) -> bool {
        self.gap_at(t).is_some_and(|before| t.saturating_sub(before) > gap_after)
    }
}
