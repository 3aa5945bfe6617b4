//! What a store holds of which stretch: given up because it is kept elsewhere, or here at a coarser level only.

use twin_model::{Span, TimeRange, Timestamp};

use super::{SlabState, Store};
use crate::chunk::Level;

/// Stretches remembered of either kind; beyond it the oldest are forgotten, which costs a merge or a drawn gap, not a sample.
const STRETCHES: usize = 4_096;

impl Store {
    /// Gives up the samples of a stretch that is kept elsewhere, in whole blocks: what a block shares with the time outside
    /// stays, and so does what holds at the stretch's end. Returns how many samples went. Counts over time
    /// ([`Self::density`]) stay. [`chunk::Level::Carried`](crate::Level::Carried) and raw chunks bring it back.
    pub fn evict(&mut self, range: TimeRange) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let (from, to) = (range.start.as_micros(), range.end.as_micros());
        let mut gone = 0;
        for (at, column) in self.columns.iter_mut().enumerate() {
            gone += column.series.evict(at as u32, from, to, &mut self.shared);
        }
        (0..self.columns.len()).for_each(|at| self.forget_unused(at));
        self.note_elsewhere(range);
        self.note_detail(range, Level::Raw);
        gone
    }

    /// Gives up the sealed slabs of the lane that begins with the number `first_signal` which end at or before `upto`, as [`Self::evict`]
    /// does; slabs with samples that no chunk holds yet stay. What was sealed of the others is forgotten: only samples that
    /// come for them from now on make them come back, and then not whole. Call [`Self::note_elsewhere`] first. With a lane a call
    /// nobody waits long. Returns how many samples went.
    pub fn evict_lane(&mut self, first_signal: u32, upto: Timestamp) -> u64 {
        let slab = self.config.slab.as_micros();
        let end = upto.as_micros().div_euclid(slab).saturating_mul(slab);
        let Some(place) = self.lanes.find(first_signal) else { return 0 };
        let unsealed = self.forget_sealed(place as u32, end);
        let mut gone = 0;
        let mut poorer = Vec::new();
        for (_, at) in &self.lanes.kept[place].members {
            let Some(column) = self.columns.get_mut(*at as usize) else { continue };
            let mut from = i64::MIN;
            let before = gone;
            for stays in unsealed.iter().copied().chain([end]) {
                gone += column.series.evict(*at, from, stays, &mut self.shared);
                from = stays.saturating_add(slab);
            }
            poorer.extend((gone > before).then_some(*at as usize));
        }
        poorer.into_iter().for_each(|at| self.forget_unused(at));
        gone
    }

    /// Says that everything before `t` is kept elsewhere already, before any of it is brought here: slabs before it come out of
    /// [`Self::seal`] only when samples are appended to them, and then not whole.
    pub fn note_kept_before(&mut self, t: Timestamp) {
        let end = t.floor_to(self.config.slab);
        self.note_elsewhere(TimeRange::new(Timestamp::MIN, end));
        for lane in 0..self.given_up.len() as u32 {
            self.forget_sealed(lane, end.as_micros());
        }
    }

    /// Moves the mark before which slabs count as sealed; returns the starts of those before it that are not.
    fn forget_sealed(&mut self, lane: u32, end: i64) -> Vec<i64> {
        let unsealed = self.unsealed_slabs(lane as usize, end);
        for start in &unsealed {
            self.slabs.entry((lane, *start)).or_insert(SlabState { version: 0, dirty: true }).dirty = true;
        }
        let clean = self.slabs.range((lane, i64::MIN)..(lane, end)).filter(|(_, state)| !state.dirty);
        for place in clean.map(|(place, _)| *place).collect::<Vec<_>>() {
            self.slabs.remove(&place);
        }
        if let Some(mark) = self.given_up.get_mut(lane as usize) {
            *mark = end.max(*mark);
            self.note_sealed(lane as usize, end);
        }
        unsealed
    }

    /// Says that samples of a stretch are kept elsewhere and not here, so that [`Self::seal`] does not take what is here
    /// for all.
    pub fn note_elsewhere(&mut self, range: TimeRange) {
        self.elsewhere.push(range);
        let mut merged = TimeRange::merged(std::mem::take(&mut self.elsewhere));
        merged.drain(..merged.len().saturating_sub(STRETCHES));
        self.elsewhere = merged;
    }

    /// Says at which level a stretch is held: after the import of coarser chunks, and with [`Level::Raw`] once all of it is
    /// here. Where a stretch is coarse, samples further apart than a signal's gap limit are no gap up to the level's bucket.
    pub fn note_detail(&mut self, range: TimeRange, level: Level) {
        if range.is_empty() {
            return;
        }
        let mut kept = Vec::with_capacity(self.coarse.len() + 2);
        for (old, at) in self.coarse.drain(..) {
            kept.extend(old.without(range).map(|part| (part, at)));
        }
        if level.bucket().is_some() {
            kept.push((range, level));
        }
        kept.sort_by_key(|(range, _)| range.start);
        kept.drain(..kept.len().saturating_sub(STRETCHES));
        self.coarse = kept;
    }

    /// The level at which the samples about `t` are held.
    pub fn detail_at(&self, t: Timestamp) -> Level {
        let after = self.coarse.partition_point(|(range, _)| range.start <= t);
        let found = after.checked_sub(1).and_then(|at| self.coarse.get(at)).filter(|(range, _)| range.contains(t));
        found.map_or(Level::Raw, |(_, level)| *level)
    }

    /// The stretches within `range` that are held at a coarser level only, ascending.
    pub fn coarse_in(&self, range: TimeRange) -> impl Iterator<Item = (TimeRange, Level)> + '_ {
        let parts = self.coarse.iter().map(move |(part, level)| (part.intersect(range), *level));
        parts.filter(|(part, _)| !part.is_empty())
    }

    /// How far apart two samples about `t` may be because of the level alone.
    pub fn allowance_at(&self, t: Timestamp) -> Span {
        self.detail_at(t).bucket().unwrap_or(Span::ZERO)
    }
}
