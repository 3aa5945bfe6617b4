//! Reads blocks where they lie. Trusts the bytes: they were written by `encode` in this process.

use super::{BASE_64, CLOCK_ALIGN, CLOCK_FIXED, DECIMAL, HAS_EXTRAS, HAS_SLOPE, HEADER_FIXED, MARK_NO_NUMBER, RAW};
use crate::bits::{get, i32_at, packed_len, u16_at, u64_at, unpack};
use crate::decimal;
use crate::envelope::Run;
use crate::row::{Row, number_of};

/// Powers of ten as whole numbers, the units of clocks.
pub(super) const UNITS: [i64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// A parsed header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    page: &'a [u8],
    pub(crate) n: usize,
    kind: u8,
    scheme: u8,
    width: u8,
    exponent: u8,
    argmin: u8,
    argmax: u8,
    base: i64,
    slope: i64,
    runs: u8,
    exceptions: u8,
    marks: u8,
    extras_at: usize,
    packed_at: usize,
    clock: Clock<'a>,
}

/// A parsed clock record.
#[derive(Debug, Clone, Copy)]
struct Clock<'a> {
    page: &'a [u8],
    start: i64,
    step: i64,
    time_width: u8,
    time_unit: i64,
    time_base: i64,
    longest: i64,
    delay_width: u8,
    delay_unit_code: u8,
    delay_base: i64,
    /// Smallest and largest received time stand before the delays.
    bounds: bool,
    times_at: usize,
    delays_at: usize,
}

/// Between which instants samples from `first` to `last` were received, by the smallest of their delays and the width of what is
/// above it; none beyond what can be counted.
#[inline]
pub(super) fn loose(first: i64, last: i64, delay_base: i64, delay_unit: u8, delay_width: u8) -> Option<(i64, i64)> {
    let widest = if delay_width < 63 { (1_i64 << delay_width) - 1 } else { return None };
    let longest = widest.checked_mul(UNITS[usize::from(delay_unit & 7)])?.checked_add(delay_base)?;
    Some((first.checked_add(delay_base)?, last.checked_add(longest)?))
}

impl<'a> Clock<'a> {
    #[inline]
    fn parse(page: &'a [u8], at: usize) -> Self {
        let n = usize::from(page[at + 16]) + 1;
        let (time_width, delay_width) = (page[at + 17], page[at + 19]);
        let step = u64_at(page, at + 8) as i64;
        let mut clock = Clock {
            page,
            start: u64_at(page, at) as i64,
            step,
            time_width,
            time_unit: UNITS[usize::from(page[at + 18] & 7)],
            time_base: 0,
            longest: step,
            delay_width,
            delay_unit_code: page[at + 20],
            delay_base: u64_at(page, at + 24) as i64,
            bounds: page[at + 21] != 0,
            times_at: at + CLOCK_FIXED,
            delays_at: at + CLOCK_FIXED,
        };
        if time_width > 0 {
            clock.time_base = u64_at(page, at + CLOCK_FIXED) as i64;
            clock.longest = u64_at(page, at + CLOCK_FIXED + 8) as i64;
            clock.times_at += 16;
            clock.delays_at = clock.times_at + packed_len(n, time_width);
        }
        clock.delays_at += if clock.bounds { 16 } else { 0 };
        clock
    }

    #[inline]
    fn time(&self, i: usize) -> i64 {
        let regular = self.start.wrapping_add(self.step.wrapping_mul(i as i64));
        if self.time_width == 0 {
            return regular;
        }
        let packed = get(self.page, self.times_at, i, self.time_width) as i64;
        regular.wrapping_add(self.time_base).wrapping_add(packed.wrapping_mul(self.time_unit))
    }

    #[inline]
    fn delay(&self, i: usize) -> i64 {
        let packed = get(self.page, self.delays_at, i, self.delay_width) as i64;
        self.delay_base.wrapping_add(packed.wrapping_mul(UNITS[usize::from(self.delay_unit_code & 7)]))
    }

    /// Position of the newest sample at or before `t`, given that the first one is.
    #[inline]
    fn position(&self, t: i64, n: usize) -> usize {
        let distance = t.wrapping_sub(self.start);
        // Step 0 only where there is a single sample; distances beyond i64 wrap and are left to the search.
        if self.time_width == 0 && self.step > 0 && distance >= 0 {
            return usize::try_from(distance / self.step).map_or(n - 1, |i| i.min(n - 1));
        }
        let (mut low, mut high) = (0, n);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.time(middle) <= t {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl<'a> Block<'a> {
    /// The block at an offset of a page.
    #[inline]
    pub(crate) fn parse(page: &'a [u8], at: usize) -> Self {
        let head = &page[at..at + HEADER_FIXED];
        let mode = head[3];
        let mut next = at + HEADER_FIXED;
        let base = if mode & BASE_64 != 0 {
            next += 8;
            u64_at(page, at + 8) as i64
        } else {
            next += 4;
            i64::from(i32_at(page, at + 8))
        };
        let mut slope = 0;
        if mode & HAS_SLOPE != 0 {
            slope = i64::from(i32_at(page, next));
            next += 4;
        }
        let extras_at = next + 4;
        let (mut runs, mut exceptions, mut marks) = (0, 0, 0);
        if mode & HAS_EXTRAS != 0 {
            (runs, exceptions, marks) = (page[next], page[next + 1], page[next + 2]);
            next = extras_at + usize::from(runs) * 4 + usize::from(exceptions) * 9;
        }
        Block {
            page,
            n: usize::from(head[2]) + 1,
            kind: mode & 7,
            scheme: mode >> 3 & 3,
            width: head[4],
            exponent: head[5],
            argmin: head[6],
            argmax: head[7],
            base,
            slope,
            runs,
            exceptions,
            marks,
            extras_at,
            packed_at: next,
            clock: Clock::parse(page, usize::from(u16_at(page, at)) * CLOCK_ALIGN),
        }
    }

    fn end(&self) -> usize {
        self.packed_at + packed_len(self.n, self.width)
    }

    #[inline]
    fn mantissa(&self, i: usize) -> i64 {
        let line = self.slope.wrapping_mul(i as i64) >> 8;
        let packed = get(self.page, self.packed_at, i, self.width) as i64;
        self.base.wrapping_add(line).wrapping_add(packed)
    }

    #[inline]
    pub(crate) fn bits(&self, i: usize) -> u64 {
        if self.exceptions > 0
            && let Some(bits) = self.exception(i)
        {
            return bits;
        }
        match self.scheme {
            DECIMAL => decimal::unscale(self.mantissa(i), self.exponent).to_bits(),
            RAW => (self.mantissa(i) as u64) << self.exponent,
            _ => self.mantissa(i) as u64,
        }
    }

    fn exception(&self, i: usize) -> Option<u64> {
        let count = usize::from(self.exceptions);
        let positions_at = self.extras_at + usize::from(self.runs) * 4;
        let found = self.page[positions_at..positions_at + count].binary_search(&(i as u8)).ok()?;
        Some(u64_at(self.page, positions_at + count + found * 8))
    }

    /// Quality and flags of a position.
    #[inline]
    fn mark(&self, i: usize) -> (u16, u8) {
        let mut mark = (0, 0);
        for run in 0..usize::from(self.runs) {
            let at = self.extras_at + run * 4;
            if usize::from(self.page[at]) > i {
                break;
            }
            mark = (u16_at(self.page, at + 2), self.page[at + 1]);
        }
        mark
    }

    fn worst(&self) -> u16 {
        (0..usize::from(self.runs)).map(|run| u16_at(self.page, self.extras_at + run * 4 + 2)).max().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn time(&self, i: usize) -> i64 {
        self.clock.time(i)
    }

    /// Position of the newest sample at or before `t`, given that the first one is.
    #[inline]
    pub(crate) fn position(&self, t: i64) -> usize {
        self.clock.position(t, self.n)
    }

    pub(crate) fn last_time(&self) -> i64 {
        self.clock.time(self.n - 1)
    }

    /// Between which instants its samples were received, from its heads alone: never narrower than it was.
    #[inline]
    pub(crate) fn received(&self) -> (i64, i64) {
        let clock = &self.clock;
        if clock.bounds {
            let at = clock.delays_at - 16;
            return (u64_at(clock.page, at) as i64, u64_at(clock.page, at + 8) as i64);
        }
        // Times at the ends of what can be counted may wrap.
        loose(clock.start, self.last_time(), clock.delay_base, clock.delay_unit_code, clock.delay_width)
            .unwrap_or((i64::MIN, i64::MAX))
    }

    #[inline]
    pub(crate) fn row(&self, i: usize) -> Row {
        let t = self.clock.time(i);
        let (q, f) = self.mark(i);
        Row { t, r: t.wrapping_add(self.clock.delay(i)), bits: self.bits(i), q, f, k: self.kind }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> + use<'a> {
        let block = *self;
        (0..block.n).map(move |i| block.row(i))
    }

    /// Whether every sample has a number and none is further than `gap_after` from the next.
    pub(crate) const fn unbroken(&self, gap_after: i64) -> bool {
        self.marks & MARK_NO_NUMBER == 0 && self.clock.longest <= gap_after
    }

    fn drawn(&self, i: usize) -> (i64, f64) {
        (self.clock.time(i), number_of(self.kind, self.bits(i), 0).unwrap_or(0.0))
    }

    /// The whole block in a few numbers; only where it is [`Self::unbroken`].
    pub(crate) fn run(&self) -> Run {
        Run {
            first: self.drawn(0),
            last: self.drawn(self.n - 1),
            min: self.drawn(usize::from(self.argmin)),
            max: self.drawn(usize::from(self.argmax)),
            count: self.n as u32,
            worst: self.worst(),
        }
    }

    /// Fills `keys` with whole numbers in the order of the drawn values, for a block in which every sample has a number;
    /// false where the values do not come as whole numbers.
    pub(crate) fn keys(&self, keys: &mut [i64; super::BLOCK]) -> bool {
        if self.scheme == RAW || self.exceptions > 0 {
            return false;
        }
        let keys = &mut keys[..self.n];
        unpack(self.page, self.packed_at, self.width, keys);
        if self.slope == 0 {
            keys.iter_mut().for_each(|m| *m = m.wrapping_add(self.base));
        } else {
            let line = |i: usize| self.base.wrapping_add(self.slope.wrapping_mul(i as i64) >> 8);
            keys.iter_mut().enumerate().for_each(|(i, m)| *m = m.wrapping_add(line(i)));
        }
        true
    }

    /// The positions `from..to` in a few numbers, given the block's [`Self::keys`] or none; only where it is
    /// [`Self::unbroken`].
    pub(crate) fn run_of(&self, from: usize, to: usize, keys: Option<&[i64; super::BLOCK]>) -> Run {
        let (mut min, mut max) = (from, from);
        if let Some(keys) = keys {
            let (mut low, mut high) = (keys[from], keys[from]);
            for (i, m) in keys[from..to].iter().enumerate() {
                if *m < low {
                    (low, min) = (*m, from + i);
                }
                if *m > high {
                    (high, max) = (*m, from + i);
                }
            }
        } else {
            for i in from..to {
                let v = self.drawn(i).1;
                min = if v < self.drawn(min).1 { i } else { min };
                max = if v > self.drawn(max).1 { i } else { max };
            }
        }
        Run {
            first: self.drawn(from),
            last: self.drawn(to - 1),
            min: self.drawn(min),
            max: self.drawn(max),
            count: (to - from) as u32,
            worst: self.worst_in(from, to),
        }
    }

    /// The worst quality of the positions `from..to`.
    pub(crate) fn worst_in(&self, from: usize, to: usize) -> u16 {
        if self.runs == 0 { 0 } else { (from..to).map(|i| self.mark(i).0).max().unwrap_or(0) }
    }
}

/// Bytes of the block at an offset of a page.
pub(crate) fn length(page: &[u8], at: usize) -> usize {
    Block::parse(page, at).end() - at
}

/// The clock record of the block at an offset of a page.
pub(crate) fn clock_bytes(page: &[u8], at: usize) -> &[u8] {
    let from = usize::from(u16_at(page, at)) * CLOCK_ALIGN;
    let clock = Clock::parse(page, from);
    let n = usize::from(page[from + 16]) + 1;
    &page[from..clock.delays_at + packed_len(n, clock.delay_width)]
}
