//! How many samples there were at what time, over all signals: one count a second for recent days, one count for every
//! 16 minutes for ever. Knows nothing of signals.

use std::collections::BTreeMap;

use twin_model::TimeRange;

const SECOND: i64 = 1_000_000;
const PAGE_SECONDS: usize = 960;
const PAGE: i64 = SECOND * PAGE_SECONDS as i64;
/// Pages whose single seconds are kept: 512 x 16 min is more than five days and 2 MB.
const DETAILED_PAGES: usize = 512;

#[derive(Debug, Clone, Default)]
struct Page {
    total: u64,
    seconds: Option<Box<[u32]>>,
}

/// Counts by second and by page of 16 minutes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Density {
    pages: BTreeMap<i64, Page>,
    detailed: usize,
    /// Samples of the second being filled, so that a live stream touches the map once a second.
    current: Option<(i64, u32)>,
}

impl Density {
    /// Counts one sample.
    pub(crate) fn add(&mut self, t: i64) {
        let second = t.div_euclid(SECOND);
        match &mut self.current {
            Some((open, count)) if *open == second && *count < u32::MAX => *count += 1,
            _ => {
                self.flush();
                self.current = Some((second, 1));
            }
        }
    }

    fn flush(&mut self) {
        let Some((second, count)) = self.current.take() else { return };
        let page = self.pages.entry(second.div_euclid(PAGE_SECONDS as i64)).or_insert_with(|| {
            self.detailed += 1;
            Page { total: 0, seconds: Some(vec![0; PAGE_SECONDS].into_boxed_slice()) }
        });
        page.total = page.total.saturating_add(u64::from(count));
        if let Some(seconds) = &mut page.seconds {
            let slot = &mut seconds[second.rem_euclid(PAGE_SECONDS as i64) as usize];
            *slot = slot.saturating_add(count);
        }
        if self.detailed > DETAILED_PAGES
            && let Some(oldest) = self.pages.values_mut().find(|page| page.seconds.is_some())
        {
            oldest.seconds = None;
            self.detailed -= 1;
        }
    }

    /// Upper bound of the samples whose slots touch the range.
    pub(crate) fn about(&self, range: TimeRange) -> u64 {
        let mut sum = 0;
        self.for_each_slot(range, false, &mut |_, _, count| sum += count);
        sum
    }

    /// Samples per bucket of equal width; a slot that lies across bucket edges is divided in proportion.
    pub(crate) fn spread(&self, range: TimeRange, out: &mut [u32]) {
        if range.is_empty() || out.is_empty() {
            return;
        }
        let start = i128::from(range.start.as_micros());
        let span = i128::from(range.end.as_micros()) - start;
        let n = out.len() as i128;
        let coarse = span / n >= i128::from(PAGE);
        self.for_each_slot(range, coarse, &mut |from, to, count| {
            let (from, to, count) = (i128::from(from), i128::from(to), i128::from(count));
            let first = ((from - start) * n / span).clamp(0, n - 1);
            let last = ((to - 1 - start) * n / span).clamp(0, n - 1);
            for bucket in first..=last {
                let low = (start + span * bucket / n).max(from);
                let high = (start + span * (bucket + 1) / n).min(to);
                let share = count * (high - from).max(0) / (to - from) - count * (low - from).max(0) / (to - from);
                let slot = &mut out[bucket as usize];
                *slot = slot.saturating_add(u32::try_from(share).unwrap_or(u32::MAX));
            }
        });
    }

    /// Calls `f(start, end, count)` for every slot that touches the range, whole pages where `coarse` or no longer detailed.
    fn for_each_slot(&self, range: TimeRange, coarse: bool, f: &mut dyn FnMut(i64, i64, u64)) {
        let first = range.start.as_micros().div_euclid(PAGE);
        let last = range.end.as_micros().saturating_sub(1).div_euclid(PAGE);
        if range.is_empty() {
            return;
        }
        for (number, page) in self.pages.range(first..=last) {
            let base = number.saturating_mul(PAGE);
            match &page.seconds {
                Some(seconds) if !coarse => {
                    for (at, count) in seconds.iter().enumerate().filter(|(_, count)| **count > 0) {
                        let from = base.saturating_add(at as i64 * SECOND);
                        if from < range.end.as_micros() && from.saturating_add(SECOND) > range.start.as_micros() {
                            f(from, from.saturating_add(SECOND), u64::from(*count));
                        }
                    }
                }
                _ => f(base, base.saturating_add(PAGE).max(base + 1), page.total),
            }
        }
        if let Some((second, count)) = self.current {
            let from = second.saturating_mul(SECOND);
            if from < range.end.as_micros() && from.saturating_add(SECOND) > range.start.as_micros() {
                f(from, from.saturating_add(SECOND).max(from.saturating_add(1)), u64::from(count));
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.pages.len() * 48 + self.detailed * PAGE_SECONDS * 4
    }
}
