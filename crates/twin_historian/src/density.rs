//! How many samples there were at what time, over all signals: one count a second for recent days, one count for every
//! 16 minutes for ever. Knows nothing of signals.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Pages that have their seconds.
    detailed: BTreeSet<i64>,
    /// The second being filled and its samples, so that a live stream touches the map once a second.
    current: Option<(i64, u32)>,
    /// First instant of that second.
    current_start: i64,
}

impl Density {
    /// Counts one sample.
    #[inline]
    pub(crate) fn add(&mut self, t: i64) {
        match &mut self.current {
            Some((_, count)) if (t.wrapping_sub(self.current_start) as u64) < SECOND as u64 && *count < u32::MAX => *count += 1,
            _ => self.begin(t),
        }
    }

    fn begin(&mut self, t: i64) {
        self.flush();
        let second = t.div_euclid(SECOND);
        self.current = Some((second, 1));
        self.current_start = second.saturating_mul(SECOND);
    }

    fn flush(&mut self) {
        let Some((second, count)) = self.current.take() else { return };
        let number = second.div_euclid(PAGE_SECONDS as i64);
        let page = self.pages.entry(number).or_insert_with(|| {
            self.detailed.insert(number);
            Page { total: 0, seconds: Some(vec![0; PAGE_SECONDS].into_boxed_slice()) }
        });
        page.total = page.total.saturating_add(u64::from(count));
        if let Some(seconds) = &mut page.seconds {
            let slot = &mut seconds[second.rem_euclid(PAGE_SECONDS as i64) as usize];
            *slot = slot.saturating_add(count);
        }
        if self.detailed.len() > DETAILED_PAGES
            && let Some(oldest) = self.detailed.pop_first().and_then(|oldest| self.pages.get_mut(&oldest))
        {
            oldest.seconds = None;
        }
    }

    /// Upper bound of the samples in the range.
    pub(crate) fn about(&self, range: TimeRange) -> u64 {
        let pages = self.pages_in(range).map(|(_, page)| page.total).sum::<u64>();
        pages + self.current.map_or(0, |(_, count)| u64::from(count))
    }

    fn pages_in(&self, range: TimeRange) -> impl Iterator<Item = (&i64, &Page)> {
        let first = range.start.as_micros().div_euclid(PAGE);
        let last = range.end.as_micros().saturating_sub(1).div_euclid(PAGE);
        self.pages.range(first..=last.max(first))
    }

    /// Samples per bucket of equal width; a slot that lies across bucket edges is divided in proportion.
    pub(crate) fn spread(&self, range: TimeRange, out: &mut [u32]) {
        if range.is_empty() || out.is_empty() {
            return;
        }
        let (start, end) = (range.start.as_micros(), range.end.as_micros());
        let mut buckets = Buckets { start: start.into(), end: end.into(), near: 0, near_from: start, near_to: start, out };
        for (number, page) in self.pages_in(range) {
            let base = number.saturating_mul(PAGE);
            match &page.seconds {
                Some(seconds) if !buckets.hold_in_one(base, PAGE) => {
                    for (at, count) in seconds.iter().enumerate().filter(|(_, count)| **count > 0) {
                        buckets.add(base.saturating_add(at as i64 * SECOND), SECOND, u64::from(*count));
                    }
                }
                _ => buckets.add(base, PAGE, page.total),
            }
        }
        if let Some((second, count)) = self.current {
            buckets.add(second.saturating_mul(SECOND), SECOND, u64::from(count));
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.pages.len() * 48 + self.detailed.len() * (PAGE_SECONDS * 4 + 16)
    }
}

/// Equal parts of a range being filled.
struct Buckets<'a> {
    start: i128,
    end: i128,
    /// The bucket filled last and its edges: slots come in order, so that nearly all of them fall into it or the next.
    near: usize,
    near_from: i64,
    near_to: i64,
    out: &'a mut [u32],
}

impl Buckets<'_> {
    /// Number of the bucket of an instant inside the range.
    fn of(&self, t: i128) -> i128 {
        (t - self.start) * self.out.len() as i128 / (self.end - self.start)
    }

    /// First instant of a bucket; of the one after the last: the end.
    fn edge(&self, bucket: i128) -> i128 {
        let n = self.out.len() as i128;
        self.start + ((self.end - self.start) * bucket + n - 1) / n
    }

    fn hold_in_one(&self, from: i64, width: i64) -> bool {
        let (from, to) = (i128::from(from), i128::from(from) + i128::from(width));
        from >= self.start && to <= self.end && self.of(from) == self.of(to - 1)
    }

    /// Divides the samples of a slot among the buckets that it touches.
    fn add(&mut self, from: i64, width: i64, count: u64) {
        if from >= self.near_from && from.checked_add(width).is_some_and(|to| to <= self.near_to) {
            let slot = &mut self.out[self.near];
            *slot = slot.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            return;
        }
        self.add_anywhere(from.into(), width.into(), count.into());
    }

    fn add_anywhere(&mut self, from: i128, width: i128, count: i128) {
        let (low, high) = (from.max(self.start), (from + width).min(self.end));
        if low >= high {
            return;
        }
        let share_to = |t: i128| count * (t - from) / width;
        for bucket in self.of(low)..=self.of(high - 1) {
            let (bucket_from, bucket_to) = (self.edge(bucket), self.edge(bucket + 1));
            let share = share_to(bucket_to.min(high)) - share_to(bucket_from.max(low));
            let Some(slot) = usize::try_from(bucket).ok().and_then(|at| self.out.get_mut(at)) else { continue };
            *slot = slot.saturating_add(u32::try_from(share).unwrap_or(u32::MAX));
            // Edges lie within the range and therefore fit.
            (self.near, self.near_from, self.near_to) = (bucket as usize, bucket_from as i64, bucket_to as i64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_model::Timestamp;

    fn filled() -> Density {
        let mut density = Density::default();
        for second in (-5_000..5_000_i64).chain(90_000..91_000) {
            for _ in 0..3 {
                density.add(second * SECOND + 250_000);
            }
        }
        density
    }

    fn spread(from: i64, to: i64, buckets: usize) -> Vec<u32> {
        let mut out = vec![0; buckets];
        let range = TimeRange::new(Timestamp::from_secs(from), Timestamp::from_secs(to));
        filled().spread(range, &mut out);
        out
    }

    #[test]
    fn whole_seconds_are_counted_exactly() {
        assert_eq!(spread(-10, 10, 4), [15, 15, 15, 15]);
        assert_eq!(spread(4_990, 5_010, 2), [30, 0]);
        assert_eq!(spread(0, 100_000, 10), [15_000, 0, 0, 0, 0, 0, 0, 0, 0, 3_000]);
    }

    #[test]
    fn a_slot_across_an_edge_is_divided_and_nothing_gets_lost() {
        for buckets in [1, 3, 7, 64, 999, 5_000] {
            let out = spread(-4_321, 4_321, buckets);
            assert_eq!(out.iter().sum::<u32>(), 3 * 8_642, "{buckets}");
            let (low, high) = (out.iter().min().unwrap(), out.iter().max().unwrap());
            assert!(high - low <= 3, "{buckets}: {low}..{high}");
        }
    }

    #[test]
    fn old_pages_keep_their_totals() {
        let mut density = Density::default();
        for page in 0..DETAILED_PAGES as i64 + 100 {
            density.add(page * PAGE + 5 * SECOND);
        }
        assert!(density.bytes() < 3 << 20);
        let all = TimeRange::new(Timestamp::from_secs(0), Timestamp::from_micros(PAGE * 1_000));
        let mut out = [0];
        density.spread(all, &mut out);
        assert_eq!(out, [DETAILED_PAGES as u32 + 100]);
    }
}
