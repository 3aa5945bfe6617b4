//! Reads of one signal by what had been received by an instant.
//!
//! Late rows are few, or come in long runs (a year filled in at once): blocks tell from their heads between which
//! instants their rows were received, so that a block that says nothing new costs a look, not its decoding.

use std::ops::ControlFlow;

use super::Series;
use super::live::is_measured;
use crate::arena::Arena;
use crate::row::Row;

impl Series {
    /// Newest row at or before `t` that was measured and had been received by `known`.
    pub(crate) fn known_at(&self, arena: &Arena, t: i64, known: i64) -> Option<Row> {
        let never = self.rare.as_ref().is_some_and(|rare| rare.unmeasured);
        if never { None } else { self.newest_known(arena, t, known, &is_measured) }
    }

    /// Newest row at or before `t` that had been received by `known` and is `wanted`. Walks back over what is not: a look for
    /// each block that was received later as a whole, at most.
    pub(crate) fn newest_known(&self, arena: &Arena, t: i64, known: i64, wanted: &dyn Fn(&Row) -> bool) -> Option<Row> {
        let late = self.late();
        let upto = late.partition_point(|row| row.t <= t);
        let late = late.get(..upto).unwrap_or_default().iter().rfind(|row| row.r <= known && wanted(row)).copied();
        let main = self.main_known(arena, t, &|row| row.r <= known && wanted(row) && !self.late_has(row.t), known);
        late.filter(|late| main.is_none_or(|main| late.t >= main.t)).or(main)
    }

    fn main_known(&self, arena: &Arena, t: i64, counts: &dyn Fn(&Row) -> bool, known: i64) -> Option<Row> {
        let head = (0..self.head.count_to(t)).rev().map(|i| self.head.row(i)).find(counts);
        if head.is_some() {
            return head;
        }
        let last = self.find_block(t)?;
        for (at, entry) in self.blocks.iter().enumerate().take(last + 1).rev() {
            let block = arena.block(entry.loc);
            if block.received().0 > known {
                continue;
            }
            let upto = if at == last { block.position(t) + 1 } else { block.n };
            let found = (0..upto).rev().map(|i| block.row(i)).find(counts);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Time of the oldest row with `from <= t < to` that had not been received by `known`. Costs little where samples are
    /// seldom late: nothing older than the longest delay is looked at.
    pub(crate) fn first_unknown(&self, arena: &Arena, from: i64, to: i64, known: i64) -> Option<i64> {
        // A row of `known` less the longest delay, or before, had been received. A longest delay at its bound says nothing.
        let received = known.checked_sub(self.longest_delay).filter(|_| self.longest_delay < i64::MAX);
        let from = received.map_or(from, |received| from.max(received.saturating_add(1)));
        if from >= to {
            return None;
        }
        let late = self.late_in(from, to).iter().find(|row| row.r > known).map(|row| row.t);
        let missed = |row: &Row| row.r > known && !self.late_has(row.t);
        let in_blocks = || {
            let unread = self.blocks_in(arena, from, to).filter(|(block, ..)| block.received().1 > known);
            unread.flat_map(|(block, low, high)| (low..high).map(move |i| block.row(i))).find(missed)
        };
        let main = in_blocks().or_else(|| self.head_in(from, to).map(|i| self.head.row(i)).find(missed));
        late.into_iter().chain(main.map(|row| row.t)).min()
    }

    /// Rows with `from <= t < to` that had been received by `known`, in order.
    pub(crate) fn for_each_known(
        &self,
        arena: &Arena,
        (from, to): (i64, i64),
        known: i64,
        f: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut late = self.late_in(from, to).iter().filter(|row| row.r <= known).peekable();
        let mut give = |row: &Row| {
            while let Some(earlier) = late.next_if(|late| late.t < row.t) {
                f(earlier)?;
            }
            if row.r <= known && !self.late_has(row.t) { f(row) } else { ControlFlow::Continue(()) }
        };
        for (block, low, high) in self.blocks_in(arena, from, to).filter(|(block, ..)| block.received().0 <= known) {
            for i in low..high {
                give(&block.row(i))?;
            }
        }
        for i in self.head_in(from, to) {
            give(&self.head.row(i))?;
        }
        late.try_for_each(f)
    }

    /// Number of rows with `from <= t < to` that had been received by `known`; stops counting at `enough`.
    pub(crate) fn count_known(&self, arena: &Arena, span: (i64, i64), known: i64, enough: u64) -> u64 {
        let mut count = 0;
        let _stopped_at_enough = self.for_each_known(arena, span, known, &mut |_| {
            count += 1;
            if count < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        count
    }

    /// Oldest row at or after `from` that had been received by `known`.
    pub(crate) fn first_known(&self, arena: &Arena, from: i64, known: i64) -> Option<Row> {
        let mut first = None;
        let _stopped_at_first = self.for_each_known(arena, (from, i64::MAX), known, &mut |row| {
            first = Some(*row);
            ControlFlow::Break(())
        });
        first
    }

    /// Notes how long after its source time a row was received.
    #[inline]
    pub(super) fn note_delay(&mut self, row: &Row) {
        self.longest_delay = self.longest_delay.max(row.r.saturating_sub(row.t));
    }
}
