//! Keeping the store within its bytes: sweeps over all signals that thin the oldest samples, a few groups at a time, and
//! pages that are mostly waste are emptied. No single append has to do much.

use twin_model::{SignalIndex, Timestamp};

use super::Store;
use crate::series::MAX_LEVEL;

/// Sealed blocks between two looks at the bytes.
const LOOK_EVERY: usize = 64;
/// Looks after which the bytes outside the pages are summed anew.
const SUM_EVERY: u32 = 64;
/// Samples thinned at one look, four times what was sealed since: about a millisecond.
const SAMPLES_A_LOOK: u64 = 32_768;

/// A thinned block weighs as much as five or six raw ones (irregular times, values far apart). With this, a level of thinned
/// blocks takes about half as much as the raw ones before it is thinned further or dropped.
const THINNED_WEIGHT: usize = 12;

/// Halvings of the share that a sweep takes at first.
const MAX_URGENCY: u32 = 3;

/// Where thinning stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sweep {
    /// The sweep under way.
    now: Option<Pass>,
    /// Bytes outside the pages when last summed.
    rest: usize,
    looks: u32,
    /// Levels that sweeps found nothing to do on, since the bytes were last summed.
    barren: u32,
    /// How often a sweep found nothing: each time the next one reaches further.
    urgency: u32,
    dropped_before: Option<i64>,
}

/// One sweep: every signal's blocks of a level that end before the horizon.
#[derive(Debug, Clone, Copy)]
struct Pass {
    level: usize,
    horizon: i64,
    next_signal: usize,
    gone: u64,
}

impl Sweep {
    pub(crate) const fn dropped_before(&self) -> Option<Timestamp> {
        match self.dropped_before {
            Some(t) => Some(Timestamp::from_micros(t)),
            None => None,
        }
    }
}

impl Store {
    /// Looks at the bytes now and then and thins a little where they are too many.
    #[inline]
    pub(crate) fn keep_budget(&mut self) {
        if self.shared.sealed >= LOOK_EVERY {
            self.shared.sealed = 0;
            self.look_at_budget();
        }
    }

    #[cold]
    fn look_at_budget(&mut self) {
        let (pages, waste) = self.shared.arena.bytes();
        if self.sweep.looks.is_multiple_of(SUM_EVERY) {
            let report = self.bytes();
            // Texts have a budget of their own.
            self.sweep.rest = report.total() - report.blocks - report.text;
            (self.sweep.barren, self.sweep.urgency) = (0, 0);
        }
        self.sweep.looks = self.sweep.looks.wrapping_add(1);
        let budget = self.number_budget();
        let over = pages + self.sweep.rest > budget;
        if over && pages - self.shared.arena.recoverable() + self.sweep.rest > budget / 16 * 15 {
            let before = self.counters.thinned;
            while self.counters.thinned - before < SAMPLES_A_LOOK && self.thin_some() {}
        }
        if over || waste > pages / 8 {
            self.empty_page();
        }
        self.shared.sealed = 0;
    }

    /// Moves the live blocks of the most wasteful page elsewhere.
    fn empty_page(&mut self) {
        let Some((page, owners)) = self.shared.arena.wasteful() else { return };
        for signal in owners {
            if let Some(column) = self.columns.get_mut(signal as usize) {
                column.series.leave_page(page, signal, &mut self.shared);
            }
        }
    }

    /// Thins one group of one signal; false where nothing is left to thin.
    fn thin_some(&mut self) -> bool {
        let Some(mut pass) = self.sweep.now.or_else(|| self.next_pass()) else { return false };
        let mut gone = 0;
        let mut dropped: Vec<(usize, i64)> = Vec::new();
        while gone == 0 && pass.next_signal < self.columns.len() {
            let column = &mut self.columns[pass.next_signal];
            if column.is_prose() {
                pass.next_signal += 1;
                continue;
            }
            let gap_after = column.spec.gap_after.map_or(i64::MAX, twin_model::Span::as_micros);
            if pass.level == MAX_LEVEL {
                // These go for good: what no chunk holds yet has to be found again.
                dropped.extend(column.series.oldest_times(pass.level, &self.shared).into_iter().map(|t| (pass.next_signal, t)));
            }
            gone = column.series.thin(pass.next_signal as u32, pass.level, pass.horizon, gap_after, &mut self.shared);
            if gone == 0 {
                pass.next_signal += 1;
            }
        }
        if gone > 0 {
            let slab = self.config.slab.as_micros();
            for (signal, t) in dropped {
                self.note_missing(SignalIndex(signal as u32), t.div_euclid(slab).saturating_mul(slab));
            }
        }
        pass.gone += gone;
        self.counters.thinned += gone;
        if gone > 0 {
            if pass.level == MAX_LEVEL {
                self.sweep.dropped_before = self.sweep.dropped_before.max(Some(pass.horizon));
            }
            self.sweep.now = Some(pass);
        } else {
            self.sweep.now = None;
            if pass.gone == 0 {
                self.sweep.urgency += 1;
                if self.sweep.urgency > MAX_URGENCY {
                    self.sweep.barren |= 1 << pass.level;
                    self.sweep.urgency = 0;
                }
            }
        }
        true
    }

    /// Chooses what to thin next: the coarsest level that has come to weigh much beside the raw blocks, else the
    /// oldest of the raw samples.
    fn next_pass(&self) -> Option<Pass> {
        let blocks = |level: usize| -> usize { self.columns.iter().map(|c| c.series.blocks_at(level).len()).sum() };
        let newest = self.columns.iter().filter_map(|c| c.series.last_time()).max()?;
        let raw = blocks(0);
        let full = (1..=MAX_LEVEL).rev().find(|level| blocks(*level) * THINNED_WEIGHT > raw);
        let levels = full.into_iter().chain(0..=MAX_LEVEL);
        let oldest = |level: usize| self.columns.iter().filter_map(|c| c.series.oldest_at(level)).min();
        let mut fertile = levels.filter(|level| self.sweep.barren & 1 << level == 0);
        let (level, start) = fertile.find_map(|level| oldest(level).map(|start| (level, start)))?;
        let finer = level.checked_sub(1).and_then(oldest);
        let span = finer.unwrap_or(newest).saturating_sub(start);
        // An eighth of the raw samples at first, half of the thinned ones; all of them in the end.
        let share = span >> (MAX_URGENCY - self.sweep.urgency.max(if level == 0 { 0 } else { 2 }));
        Some(Pass { level, horizon: start.saturating_add(share), next_signal: 0, gone: 0 })
    }
}
