//! Which rows were measured when they came, and are not ahead of an instant: what "now" shows.

use super::{Rare, Series};
use crate::arena::Arena;
use crate::row::Row;
use twin_model::Flags;

/// Rows that are looked at before it is given up: a reader of a whole site must not wait for one signal that got a year of
/// predictions or store-and-forward data.
const LOOK_BACK: usize = 16_384;

/// Whether a row is what its source measured when it sent it: neither store-and-forward data nor a prediction.
pub(crate) const fn is_live(row: &Row) -> bool {
    row.f & (Flags::HISTORICAL.0 | Flags::PREDICTED.0) == 0
}

/// Whether a row was measured at all.
pub(super) const fn is_measured(row: &Row) -> bool {
    row.f & Flags::PREDICTED.0 == 0
}

impl Series {
    /// Newest source time of a row that came as a live one, wherever it lies.
    pub(crate) fn live_time(&self) -> Option<i64> {
        match self.rare.as_ref().and_then(|rare| rare.live) {
            Some(i64::MIN) => None,
            Some(live) => Some(live),
            None => self.last_time(),
        }
    }

    /// Notes rows that came by [`Self::merge`].
    pub(crate) fn note_merged(&mut self, rows: &[Row]) {
        let Some(rare) = &mut self.rare else { return };
        if let Some(row) = rows.iter().rfind(|row| is_live(row)) {
            rare.live = rare.live.map(|live| live.max(row.t));
        }
        rare.unmeasured &= !rows.iter().any(is_measured);
    }

    /// Keeps up what "live", "measured" and "previous" mean, before a row is inserted.
    pub(super) fn note_order(&mut self, row: &Row, newer: bool) {
        let (live, empty) = (self.live_time(), self.is_empty());
        let rare = self.rare.get_or_insert_with(|| Box::new(Rare { unmeasured: empty, ..Rare::default() }));
        rare.unmeasured &= !is_measured(row);
        rare.previous = (!newer).then_some(row.t);
        rare.live = match (is_live(row), newer) {
            (false, true) => Some(live.unwrap_or(i64::MIN)),
            (true, true) => None,
            (false, false) => rare.live,
            (true, false) => rare.live.map(|live| live.max(row.t)),
        };
    }

    /// Newest row at or before `t` that is no prediction.
    pub(crate) fn measured_at(&self, arena: &Arena, t: i64) -> Option<Row> {
        let row = self.at(arena, t)?;
        if is_measured(&row) {
            return Some(row);
        }
        let never = self.rare.as_ref().is_some_and(|rare| rare.unmeasured);
        if never { None } else { self.newest_of(arena, t, None, is_measured) }
    }

    /// Newest row after `t`, up to `until`, that came as a live one and had been received by `t`.
    pub(crate) fn ahead_of(&self, arena: &Arena, t: i64, until: i64) -> Option<Row> {
        let newest = self.live_time().filter(|newest| *newest > t)?;
        self.newest_of(arena, until.min(newest), Some(t), |row| is_live(row) && row.r <= t)
    }

    /// Newest row after `after`, at or before `t`, that `wanted` takes; none where it is not among the newest 16,384.
    fn newest_of(&self, arena: &Arena, t: i64, after: Option<i64>, wanted: impl Fn(&Row) -> bool) -> Option<Row> {
        let late = self.late();
        let waiting = late.get(..late.partition_point(|row| row.t <= t)).unwrap_or_default();
        let waiting = waiting.iter().rfind(|row| wanted(row)).filter(|row| after.is_none_or(|after| row.t > after));
        // Nothing older than what was found already.
        let least = waiting.map(|row| row.t).max(after);
        let mut left = LOOK_BACK;
        // A row that waits stands in for one of the same time.
        let mut found = None;
        let mut look = |row: Row| {
            left = left.saturating_sub(1);
            if left == 0 || least.is_some_and(|least| row.t <= least) {
                return true;
            }
            let takes = wanted(&row) && !self.late_has(row.t);
            found = takes.then_some(row);
            takes
        };
        let in_head = self.head.count_to(t);
        if !(0..in_head).rev().any(|i| look(self.head.row(i)))
            && let Some(last) = self.find_block(t)
        {
            let blocks = self.blocks.iter().take(last + 1).rev();
            let mut end = Some(t);
            for entry in blocks {
                let block = arena.block(entry.loc);
                let count = end.take().map_or(block.n, |t| block.position(t) + 1);
                if (0..count).rev().any(|i| look(block.row(i))) {
                    break;
                }
            }
        }
        found.or(waiting.copied())
    }
}
