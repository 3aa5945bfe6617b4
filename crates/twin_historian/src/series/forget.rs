//! Forgetting the oldest samples of a signal to the microsecond, for the budget of texts.

use super::{Cut, Series, Shared};
use crate::block::BLOCK;
use crate::row::Row;

impl Series {
    /// Samples that its sealed blocks hold at most.
    pub(crate) fn room(&self) -> usize {
        self.blocks.len() * BLOCK
    }

    /// Newest time up to which samples may be forgotten: the newest sample stays, and the newest that is no store-and-forward
    /// data. None where all of them are.
    pub(crate) fn forgettable(&self) -> Option<i64> {
        let live = self.live_time().unwrap_or(i64::MAX);
        self.last_time()?.min(live).checked_sub(1)
    }

    /// Forgets every sample at or before `t` (see [`Self::forgettable`]); `gone` is told of each, oldest first in each block.
    pub(crate) fn forget_to(&mut self, signal: u32, t: i64, gone: &mut dyn FnMut(&Row), shared: &mut Shared) {
        self.fold(signal, shared);
        if self.head.first_time().is_some_and(|first| first <= t) {
            self.seal_head(signal, shared);
        }
        let count = self.blocks.partition_point(|block| block.start() <= t);
        if count == 0 {
            return;
        }
        shared.changed(signal);
        let mut stays: Vec<Row> = Vec::new();
        for block in &self.blocks[..count] {
            for row in shared.arena.block(block.loc).rows() {
                if row.t <= t { gone(&row) } else { stays.push(row) }
            }
        }
        // Only the last of them may reach over `t`; what is left of it is of its level.
        let straddles = usize::from(!stays.is_empty());
        for at in (0..count - straddles).rev() {
            self.note_split(at, 0, 1);
        }
        for block in self.blocks.drain(..count - straddles) {
            shared.arena.free(block.loc);
        }
        if straddles > 0 {
            let now = self.replace(signal, 0, 1, &stays, Cut::FullFirst, shared);
            self.note_split(0, now as u32, 1);
        }
        self.first = self.blocks.first().map_or(0, |block| block.start());
        if let Some(rare) = &mut self.rare {
            rare.gaps.retain(|(_, after)| *after > t);
            rare.previous = rare.previous.filter(|previous| *previous > t);
        }
    }
}
