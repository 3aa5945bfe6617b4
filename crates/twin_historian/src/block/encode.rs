//! Writes blocks: picks scheme, slope and widths, keeps what does not fit as exceptions.

use super::view::{UNITS, loose};
use super::{BASE_64, BLOCK, CLOCK_FIXED, DECIMAL, HAS_EXTRAS, HAS_SLOPE, HEADER_FIXED, MARK_NO_NUMBER, RAW, WHOLE};
use crate::bits::{pack, width_of};
use crate::decimal;
use crate::row::{FLOAT, Row, number_of};

/// How the values of a column are given to the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Whole numbers, booleans, codes.
    Whole,
    /// Mantissas at an exponent, each of which gives its value back exactly.
    Decimal(u8),
    /// Bit patterns of `f64`.
    Bits,
}

/// Buffers for the columns of one block; filled by the caller, emptied by [`Encoder::finish`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoder {
    pub(crate) times: Vec<i64>,
    pub(crate) delays: Vec<i64>,
    pub(crate) numbers: Vec<i64>,
    /// Quality and flags; empty where all are good without flags.
    pub(crate) marks: Vec<(u16, u8)>,
    exceptions: Vec<(u8, u64)>,
    residuals: Vec<i64>,
    clock: Vec<u8>,
    block: Vec<u8>,
}

impl Encoder {
    /// Fills the columns from rows of one kind, at most [`BLOCK`] of them.
    pub(crate) fn load(&mut self, rows: &[Row]) {
        self.clear();
        self.times.extend(rows.iter().map(|row| row.t));
        self.delays.extend(rows.iter().map(|row| row.r.wrapping_sub(row.t)));
        self.numbers.extend(rows.iter().map(|row| row.bits as i64));
        if rows.iter().any(|row| (row.q, row.f) != (0, 0)) {
            self.marks.extend(rows.iter().map(|row| (row.q, row.f)));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.delays.clear();
        self.numbers.clear();
        self.marks.clear();
        self.exceptions.clear();
    }

    /// Writes the loaded columns as a block of `kind`, from where [`Self::written`] has them; returns how its numbers are kept.
    pub(crate) fn write(&mut self, kind: u8, numbers: Numbers) -> Numbers {
        debug_assert!((1..=BLOCK).contains(&self.times.len()) && self.times.len() == self.numbers.len());
        self.write_clock();
        self.write_block(kind, numbers)
    }

    /// The clock record and the block that were written last; the first two bytes of the block name the record's place.
    pub(crate) fn written(&mut self) -> (&[u8], &mut [u8]) {
        (&self.clock, &mut self.block)
    }

    /// What a block of the loaded columns must give back.
    #[cfg(debug_assertions)]
    pub(crate) fn expected(&self, kind: u8, numbers: Numbers) -> Vec<Row> {
        let bits = |m: i64| match numbers {
            Numbers::Decimal(e) => decimal::unscale(m, e).to_bits(),
            Numbers::Whole | Numbers::Bits => m as u64,
        };
        let row = |i: usize| {
            let (t, (q, f)) = (self.times[i], self.marks.get(i).copied().unwrap_or_default());
            Row { t, r: t.wrapping_add(self.delays[i]), bits: bits(self.numbers[i]), q, f, k: kind }
        };
        (0..self.times.len()).map(row).collect()
    }

    fn write_clock(&mut self) {
        let n = self.times.len();
        let first = self.times[0];
        let step = self.step();
        let regular = |(i, t): (usize, &i64)| t.wrapping_sub(first).wrapping_sub(step.wrapping_mul(i as i64));
        self.residuals.clear();
        self.residuals.extend(self.times.iter().enumerate().map(regular));
        let (time_base, time_unit, time_width) = frame(&self.residuals);
        let is_regular = time_width == 0 && time_base == 0;
        // A constant residual other than zero cannot be: the first one is zero.
        let (delay_base, delay_unit, delay_width) = frame(&self.delays);
        let bounds = self.bounds_worth_keeping((delay_base, delay_unit, delay_width));
        let out = &mut self.clock;
        out.clear();
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(&step.to_le_bytes());
        out.extend_from_slice(&[(n - 1) as u8, time_width, time_unit, delay_width, delay_unit, u8::from(bounds.is_some()), 0, 0]);
        out.extend_from_slice(&delay_base.to_le_bytes());
        debug_assert_eq!(out.len(), CLOCK_FIXED);
        if !is_regular {
            let longest = self.times.windows(2).map(|w| w[1].saturating_sub(w[0])).max().unwrap_or(0);
            out.extend_from_slice(&time_base.to_le_bytes());
            out.extend_from_slice(&longest.to_le_bytes());
            pack(packable(&self.residuals, time_base, time_unit), time_width, out);
        }
        for bound in bounds.into_iter().flatten() {
            out.extend_from_slice(&bound.to_le_bytes());
        }
        pack(packable(&self.delays, delay_base, delay_unit), delay_width, out);
    }

    /// When the first and the last sample were received, where the ends of times and delays leave that open by more than an eighth
    /// of the block's time: so for a stretch that was filled in at once, and not for a live signal, whose delays differ little.
    fn bounds_worth_keeping(&self, (base, unit, width): (i64, u8, u8)) -> Option<[i64; 2]> {
        let received = || self.times.iter().zip(&self.delays).map(|(t, delay)| t.wrapping_add(*delay));
        let bounds = [received().min()?, received().max()?];
        let (first, last) = (*self.times.first()?, *self.times.last()?);
        let open = loose(first, last, base, unit, width).map(|loose| {
            let open = i128::from(bounds[0]) - i128::from(loose.0) + i128::from(loose.1) - i128::from(bounds[1]);
            open > (i128::from(last) - i128::from(first)) / 8
        });
        (width > 0 && open.unwrap_or(true)).then_some(bounds)
    }

    /// The distance of neighbours if it is regular, else the mean distance.
    fn step(&self) -> i64 {
        let [first, second, ..] = self.times[..] else { return 0 };
        let step = second.wrapping_sub(first);
        if self.times.windows(2).all(|w| w[1].wrapping_sub(w[0]) == step) {
            return step;
        }
        let last = self.times[self.times.len() - 1];
        let span = i128::from(last) - i128::from(first);
        let mean = (span / (self.times.len() as i128 - 1)) as i64;
        // A mean in whole milliseconds keeps the residuals of millisecond clocks in whole milliseconds.
        if self.times.iter().all(|t| t.wrapping_sub(first) % 1_000 == 0) { mean / 1_000 * 1_000 } else { mean }
    }

    fn write_block(&mut self, kind: u8, numbers: Numbers) -> Numbers {
        let n = self.numbers.len();
        let no_number =
            kind == FLOAT && numbers == Numbers::Bits && self.numbers.iter().any(|b| !f64::from_bits(*b as u64).is_finite());
        let null = self.marks.iter().any(|(_, f)| number_of(crate::row::INT, 0, *f).is_none());
        let mut kept = numbers;
        let (mut low, mut high) = (0, 0);
        if numbers == Numbers::Bits {
            if !no_number {
                (low, high) = extremes_of_bits(&self.numbers);
            }
            kept = self.make_decimal().map_or(Numbers::Bits, Numbers::Decimal);
        } else {
            (low, high) = extremes(&self.numbers);
        }
        let (scheme, exponent) = match kept {
            Numbers::Whole => (WHOLE, 0),
            Numbers::Decimal(e) => (DECIMAL, self.shrink(e)),
            Numbers::Bits => (RAW, self.shift()),
        };
        if scheme == DECIMAL {
            kept = Numbers::Decimal(exponent);
        }
        let (base, slope, width) = line(&mut self.numbers);
        let mut mode = kind | scheme << 3;
        let out = &mut self.block;
        out.clear();
        out.extend_from_slice(&[0, 0, (n - 1) as u8, 0, width, exponent, low as u8, high as u8]);
        debug_assert_eq!(out.len(), HEADER_FIXED);
        if let Ok(base) = i32::try_from(base) {
            out.extend_from_slice(&base.to_le_bytes());
        } else {
            mode |= BASE_64;
            out.extend_from_slice(&base.to_le_bytes());
        }
        if slope != 0 {
            mode |= HAS_SLOPE;
            out.extend_from_slice(&slope.to_le_bytes());
        }
        if !self.marks.is_empty() || !self.exceptions.is_empty() || no_number || null {
            mode |= HAS_EXTRAS;
            write_extras(out, &self.marks, &self.exceptions, u8::from(no_number || null) * MARK_NO_NUMBER);
        }
        out[3] = mode;
        pack(self.numbers.iter().map(|m| *m as u64), width, out);
        kept
    }

    /// Turns bit patterns into mantissas at one exponent, if all but a few are decimals.
    fn make_decimal(&mut self) -> Option<u8> {
        let n = self.numbers.len();
        let allowed = n / 8;
        let mut exponent = 0;
        self.exceptions.clear();
        for (i, bits) in self.numbers.iter().enumerate() {
            let v = f64::from_bits(*bits as u64);
            if decimal::scale(v, exponent).is_none() {
                match (exponent + 1..=decimal::MAX_EXPONENT).find(|e| decimal::scale(v, *e).is_some()) {
                    Some(e) => exponent = e,
                    None => self.exceptions.push((i as u8, *bits as u64)),
                }
            }
            if self.exceptions.len() > allowed {
                self.exceptions.clear();
                return None;
            }
        }
        // A larger exponent can put a large value out of reach: then it becomes an exception in this second pass.
        self.exceptions.clear();
        self.residuals.clear();
        let mut last = None;
        for (i, bits) in self.numbers.iter().enumerate() {
            let m = decimal::scale(f64::from_bits(*bits as u64), exponent);
            if m.is_none() {
                self.exceptions.push((i as u8, *bits as u64));
            }
            last = m.or(last);
            self.residuals.push(last.unwrap_or(0));
        }
        if self.exceptions.len() > allowed {
            self.exceptions.clear();
            return None;
        }
        // Exceptions at the front take the first real mantissa, so that they do not widen the frame.
        let lead = self.exceptions.iter().enumerate().take_while(|(at, (i, _))| *at == usize::from(*i)).count();
        let first = self.residuals.get(lead).copied().unwrap_or(0);
        self.residuals[..lead].fill(first);
        std::mem::swap(&mut self.numbers, &mut self.residuals);
        Some(exponent)
    }

    /// Divides mantissas by ten for as long as all are multiples of it.
    fn shrink(&mut self, mut exponent: u8) -> u8 {
        while exponent > 0 && self.numbers.iter().all(|m| m % 10 == 0) {
            self.numbers.iter_mut().for_each(|m| *m /= 10);
            exponent -= 1;
        }
        exponent
    }

    /// Shifts bit patterns right by the zeros that all of them end in (29 for values that were `f32` once).
    fn shift(&mut self) -> u8 {
        let zeros = self.numbers.iter().fold(0, |all, bits| all | *bits).trailing_zeros().min(63);
        self.numbers.iter_mut().for_each(|bits| *bits = (*bits as u64 >> zeros) as i64);
        zeros as u8
    }
}

fn write_extras(out: &mut Vec<u8>, marks: &[(u16, u8)], exceptions: &[(u8, u64)], kinds: u8) {
    let runs = marks.chunk_by(|a, b| a == b).count();
    out.extend_from_slice(&[runs as u8, exceptions.len() as u8, kinds, 0]);
    let mut first = 0;
    for run in marks.chunk_by(|a, b| a == b) {
        let (quality, flags) = run[0];
        out.extend_from_slice(&[first as u8, flags]);
        out.extend_from_slice(&quality.to_le_bytes());
        first += run.len();
    }
    out.extend(exceptions.iter().map(|(i, _)| *i));
    out.extend(exceptions.iter().flat_map(|(_, bits)| bits.to_le_bytes()));
}

/// Smallest number, unit (exponent of ten) and width of the rest.
fn frame(v: &[i64]) -> (i64, u8, u8) {
    let low = v.iter().copied().min().unwrap_or(0);
    let high = v.iter().copied().max().unwrap_or(0);
    let range = high.wrapping_sub(low) as u64;
    if range == 0 {
        return (low, 0, 0);
    }
    let mut unit = 0;
    while unit + 1 < UNITS.len() && v.iter().all(|x| (x.wrapping_sub(low) as u64).is_multiple_of(UNITS[unit + 1] as u64)) {
        unit += 1;
    }
    (low, unit as u8, width_of(range / UNITS[unit] as u64))
}

fn packable(v: &[i64], base: i64, unit: u8) -> impl Iterator<Item = u64> + '_ {
    let unit = UNITS[usize::from(unit)] as u64;
    v.iter().map(move |x| x.wrapping_sub(base) as u64 / unit)
}

/// Subtracts base and slope in place; returns base, slope (in 1/256 a sample) and the width of what is left.
fn line(v: &mut [i64]) -> (i64, i32, u8) {
    let (low, high) = low_high(v);
    let flat = width_of(high.wrapping_sub(low) as u64);
    let slope = slope_of(v).filter(|_| flat > 1);
    let mut best = (low, 0, flat);
    if let Some(slope) = slope {
        let left = |(i, m): (usize, &i64)| m.wrapping_sub((i64::from(slope) * i as i64) >> 8);
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for m in v.iter().enumerate().map(left) {
            low = low.min(m);
            high = high.max(m);
        }
        let width = width_of(high.wrapping_sub(low) as u64);
        // The slope itself costs four bytes.
        if usize::from(width) * v.len() + 32 < usize::from(flat) * v.len() {
            best = (low, slope, width);
        }
    }
    let (base, slope, _) = best;
    for (i, m) in v.iter_mut().enumerate() {
        *m = m.wrapping_sub(base).wrapping_sub((i64::from(slope) * i as i64) >> 8);
    }
    best
}

fn slope_of(v: &[i64]) -> Option<i32> {
    if v.len() < 8 {
        return None;
    }
    let rise = i128::from(v[v.len() - 1]) - i128::from(v[0]);
    i32::try_from((rise << 8) / (v.len() as i128 - 1)).ok().filter(|slope| *slope != 0)
}

fn low_high(v: &[i64]) -> (i64, i64) {
    v.iter().fold((i64::MAX, i64::MIN), |(low, high), m| (low.min(*m), high.max(*m)))
}

/// Positions of the lowest and highest number, the earliest of equals.
fn extremes(v: &[i64]) -> (usize, usize) {
    let (low, high) = low_high(v);
    let find = |m| v.iter().position(|x| *x == m).unwrap_or(0);
    (find(low), find(high))
}

/// As [`extremes`], of finite `f64` bit patterns; `-0.0` and `0.0` are equal.
fn extremes_of_bits(v: &[i64]) -> (usize, usize) {
    let number = |i: usize| f64::from_bits(v[i] as u64);
    let mut found = (0, 0);
    for i in 1..v.len() {
        if number(i) < number(found.0) {
            found.0 = i;
        }
        if number(i) > number(found.1) {
            found.1 = i;
        }
    }
    found
}
