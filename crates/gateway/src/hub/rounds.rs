//! Rounds of sealing: finished slabs go to the keeper, and what is kept and old is given up here. Also what brings into the
//! journal what did not fit when it came. Knows no disk.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use twin_historian::Direction;
use twin_model::{Span, TimeRange, Timestamp};

use super::Hub;
use crate::clock::instant;
use crate::history::Persist;

/// A round of sealing begins every 30 s where there is little to do; one that takes this long is behind.
const SEALING_BEHIND: Duration = Duration::from_secs(600);
/// Lanes looked at in one step of sealing where they have nothing to seal.
const SEAL_LANES: u32 = 64;
/// What the hub holds at most before the newest finished slab; the rest is the keeper's.
const HOT: Span = Span::from_secs(86_400);

/// One pass over all lanes, in which finished slabs are handed to the keeper and old ones given up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    number: u64,
    next_lane: usize,
    /// The lane was looked at before in this round.
    again: bool,
    /// How far the lane was looked at.
    from: Timestamp,
    /// When it began.
    since: Option<Instant>,
    /// The round before is committed to the end, so that what it sealed may be given up here.
    gives_up: bool,
}

impl Default for Round {
    fn default() -> Self {
        Self { number: 0, next_lane: 0, again: false, from: Timestamp::MIN, since: None, gives_up: false }
    }
}

impl Hub {
    /// Hands finished hours to the keeper, all at once, waiting where it is busy: for starts and tests.
    pub fn seal(&self, upto: Timestamp) {
        self.seal_begin();
        while self.seal_step(upto) && !self.vitals.is_fatal() {
            if self.persist.as_ref().is_some_and(|persist| !persist.room()) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }

    /// Begins handing finished hours to the keeper; [`Self::seal_step`] goes on with it.
    pub fn seal_begin(&self) {
        let Some(persist) = &self.persist else { return };
        let mut round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let gives_up = persist.finished() >= round.number;
        // A round that cannot be finished is begun again and again: what counts is how long nothing was finished.
        let since = if gives_up { None } else { round.since };
        let since = Some(since.unwrap_or_else(instant));
        *round = Round { number: round.number + 1, gives_up, since, ..Round::default() };
        persist.sealing(round.number);
    }

    /// For how long no round of sealing could be finished, where that is too long.
    pub fn sealing_behind(&self) -> Option<Duration> {
        let persist = self.persist.as_ref()?;
        let round = *self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let since = round.since.filter(|_| persist.finished() < round.number)?;
        Some(since.elapsed()).filter(|long| *long > SEALING_BEHIND)
    }

    /// One slab of one lane, or a run of sparse ones (some tens of milliseconds); false once all of what ended before `upto` is handed over. Gives up
    /// what is old on the way.
    pub fn seal_step(&self, upto: Timestamp) -> bool {
        let Some(persist) = &self.persist else { return false };
        if !persist.room() {
            return true;
        }
        let mut round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        if round.next_lane == 0 && !round.again && round.gives_up {
            self.choose_cold(persist, upto);
        }
        for _ in 0..SEAL_LANES {
            let lane = round.next_lane;
            let (run, slab, more) = self.with_store(|store| {
                let slab = store.config().slab;
                let Some(first) = store.lane_at(lane) else { return (None, slab, false) };
                // Before sealing: what this round seals stays until it is committed, so that no reader misses it.
                if let Some(cold) = self.cold().filter(|_| round.gives_up && !round.again) {
                    store.evict_lane(first, cold);
                }
                (store.seal_run(first, round.from, upto), slab, true)
            });
            if !more {
                (round.next_lane, round.again) = (0, true);
                persist.sealed(round.number, upto.floor_to(slab));
                return false;
            }
            if let Some(run) = run {
                (round.again, round.from) = (true, run.next);
                run.sealed.into_iter().for_each(|sealed| persist.lane(sealed));
                return true;
            }
            round.next_lane += 1;
            (round.again, round.from) = (false, Timestamp::MIN);
        }
        true
    }

    /// Moves the mark before which history is the keeper's alone: a day back, and further on while the store takes more than
    /// half its budget. Never beyond what is kept.
    fn choose_cold(&self, persist: &Persist, upto: Timestamp) {
        let Some(kept) = persist.sealed_until() else { return };
        let now = self.cold();
        // The mark moves under the store's lock: whoever finds something gone here finds the mark behind it.
        self.with_store(|store| {
            let slab = store.config().slab;
            let mut next = (upto - HOT).floor_to(slab);
            let report = store.bytes();
            let over = |bytes: usize, most: usize| bytes.saturating_sub(most) as f64 / bytes.max(1) as f64;
            // Whatever is over half its budget: numbers, or texts.
            let over =
                over(report.total() - report.text, store.number_budget() / 2).max(over(report.text, store.text_budget() / 2));
            let first = now.or_else(|| store.extent().map(|extent| extent.start)).map(|t| t.floor_to(slab));
            if let Some(first) = first.filter(|first| over > 0.0 && *first < kept) {
                let share = Span::from_secs_f64(kept.since(first).as_secs_f64() * over);
                next = next.max((first + share).floor_to(slab) + slab);
            }
            // Where texts went, the keeper has all of them.
            let next = store.texts_given_up_before().map_or(next, |t| next.max(t.floor_to(slab) + slab));
            let next = next.min(kept.floor_to(slab));
            let useful = first.is_some_and(|first| next > first);
            if useful && now.is_none_or(|now| next > now) {
                store.note_elsewhere(TimeRange::new(Timestamp::MIN, next));
                self.cold.store(next.as_micros(), Ordering::Release);
            }
        });
    }

    /// Before this, history is with the keeper only; none where all of it is here.
    pub fn cold(&self) -> Option<Timestamp> {
        let cold = self.cold.load(Ordering::Acquire);
        (cold > i64::MIN).then_some(Timestamp::from_micros(cold))
    }

    /// Says that history before `t` was not loaded.
    pub fn note_cold(&self, t: Timestamp) {
        self.cold.fetch_max(t.as_micros(), Ordering::AcqRel);
    }

    /// Brings what did not reach the journal (the disk was full, or slow) into it after all, from memory.
    pub fn mend(&self) {
        let Some(persist) = &self.persist else { return };
        let Some((times, seq)) = persist.missing() else { return };
        let range = TimeRange::new(times.start, Timestamp::from_micros(times.end.as_micros().saturating_add(1)));
        // Slab by slab, so that nobody waits long for the lock.
        let slab = self.with_store(|store| store.config().slab);
        let mut from = range.start;
        while from < range.end {
            let Some(next) = self.with_store(|store| store.next_time(from - Span::from_micros(1), Direction::Forward)) else {
                break;
            };
            from = next;
            let to = (from.floor_to(slab) + slab).min(range.end);
            for chunk in self.with_store(|store| store.export_kept(TimeRange::new(from, to))) {
                let times = TimeRange::new(chunk.key.start, chunk.key.end);
                persist.make_up(chunk.bytes.into(), chunk.samples, times);
            }
            from = to.max(from + Span::from_micros(1));
        }
        if self.with_store(|store| store.may_lack(range)) {
            persist.lose();
        }
        persist.made_up(seq);
    }

    /// Removes kept history whose time is over at `now`, in the keeper's own thread.
    pub fn retain(&self, now: Timestamp) {
        if let Some(persist) = &self.persist {
            persist.retain(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Hub {
        /// The round at hand began so long ago.
        pub(crate) fn began_sealing(&self, ago: Duration) {
            self.round.lock().unwrap().since = Some(instant().checked_sub(ago).expect("a machine that runs for that long"));
        }
    }
}
