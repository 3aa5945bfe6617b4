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
        let mut buckets = Buckets { start: range.start.as_micros().into(), end: range.end.as_micros().into(), out };
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
        self.pages.len() * 48 + self.detailed * PAGE_SECONDS * 4
    }
}

/// Equal parts of a range being filled.
struct Buckets<'a> {
    start: i128,
    end: i128,
    out: &'a mut [u32],
}

impl Buckets<'_> {
    /// Number of the bucket of an instant inside the range.
    fn of(&self, t: i128) -> i128 {
        (t - self.start) * self.out.len() as i128 / (self.end - self.start)
    }

    fn hold_in_one(&self, from: i64, width: i64) -> bool {
        let (from, to) = (i128::from(from), i128::from(from) + i128::from(width));
        from >= self.start && to <= self.end && self.of(from) == self.of(to - 1)
    }

    /// Divides the samples of a slot among the buckets that it touches.
    fn add(&mut self, from: i64, width: i64, count: u64) {
        let (from, width, count) = (i128::from(from), i128::from(width), i128::from(count));
        let (low, high) = (from.max(self.start), (from + width).min(self.end));
        if low >= high {
            return;
        }
        let (span, n) = (self.end - self.start, self.out.len() as i128);
        for bucket in self.of(low)..=self.of(high - 1) {
            let share_to = |t: i128| count * (t - from) / width;
            let bucket_start = self.start + (span * bucket + n - 1) / n;
            let bucket_end = self.start + (span * (bucket + 1) + n - 1) / n;
            let share = share_to(bucket_end.min(high)) - share_to(bucket_start.max(low));
            if let Some(slot) = usize::try_from(bucket).ok().and_then(|at| self.out.get_mut(at)) {
                *slot = slot.saturating_add(u32::try_from(share).unwrap_or(u32::MAX));
            }
        }
    }
}
