//! The newest samples of a signal, not yet compressed but already narrow: whole numbers of 32 bits wherever they fit.

use crate::block::{BLOCK, Encoder, Numbers};
use crate::decimal;
use crate::row::{FLOAT, Row};

/// A growing column of whole numbers: nothing on the heap while all are equal, four bytes each while they are near the
/// first one, eight otherwise.
#[derive(Debug, Clone)]
enum Ints {
    Constant(i64),
    Narrow(i64, Vec<i32>),
    Wide(Vec<i64>),
}

impl Ints {
    /// Appends the `n`-th number.
    fn push(&mut self, n: usize, x: i64) {
        match self {
            Self::Constant(c) if n == 0 => *c = x,
            Self::Constant(c) if *c == x => {}
            Self::Constant(c) => {
                let base = *c;
                let mut near = Vec::new();
                grow(&mut near, n);
                near.resize(n, 0);
                *self = Self::Narrow(base, near);
                self.push(n, x);
            }
            Self::Narrow(base, near) => match i32::try_from(x.wrapping_sub(*base)) {
                // The wrapped difference must also be the true one.
                Ok(d) if base.checked_add(i64::from(d)) == Some(x) => {
                    grow(near, n);
                    near.push(d);
                }
                _ => {
                    let base = *base;
                    let mut all: Vec<i64> = near.iter().map(|d| base.wrapping_add(i64::from(*d))).collect();
                    grow(&mut all, n);
                    all.push(x);
                    *self = Self::Wide(all);
                }
            },
            Self::Wide(all) => {
                grow(all, n);
                all.push(x);
            }
        }
    }

    #[inline]
    fn get(&self, i: usize) -> i64 {
        match self {
            Self::Constant(c) => *c,
            Self::Narrow(base, near) => base.wrapping_add(i64::from(near[i])),
            Self::Wide(all) => all[i],
        }
    }

    fn write(&self, n: usize, out: &mut Vec<i64>) {
        match self {
            Self::Constant(c) => out.resize(out.len() + n, *c),
            Self::Narrow(base, near) => out.extend(near.iter().map(|d| base.wrapping_add(i64::from(*d)))),
            Self::Wide(all) => out.extend_from_slice(all),
        }
    }

    /// Forgets the numbers. A narrow column that was needed keeps its buffer.
    fn reset(&mut self) {
        match self {
            Self::Narrow(base, near) if near.windows(2).any(|w| w[0] != w[1]) => {
                *base = base.wrapping_add(i64::from(near.last().copied().unwrap_or(0)));
                near.clear();
            }
            _ => *self = Self::Constant(0),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Constant(_) => 0,
            Self::Narrow(_, near) => near.capacity() * 4,
            Self::Wide(all) => all.capacity() * 8,
        }
    }
}

/// Room for one more, in steps of half a block: doubling would leave a third of all heads empty.
fn grow<T>(v: &mut Vec<T>, n: usize) {
    if v.capacity() <= n {
        v.reserve_exact((n + 1).next_multiple_of(BLOCK / 4) - v.len());
    }
}

/// At most [`BLOCK`] rows of one value kind in ascending source time.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) n: usize,
    start: i64,
    step: i64,
    last: i64,
    kind: u8,
    numbers: Numbers,
    /// What the last sealed block taught about the values.
    hint: Numbers,
    mark: (u16, u8),
    skews: Ints,
    delays: Ints,
    values: Ints,
    /// Quality and flags of every row, once they are not all `mark`.
    marks: Option<Box<Vec<(u16, u8)>>>,
}

impl Default for Head {
    fn default() -> Self {
        let empty = Ints::Constant(0);
        Self {
            n: 0,
            start: 0,
            step: 0,
            last: 0,
            kind: 0,
            numbers: Numbers::Whole,
            hint: Numbers::Decimal(0),
            mark: (0, 0),
            skews: empty.clone(),
            delays: empty.clone(),
            values: empty,
            marks: None,
        }
    }
}

impl Head {
    pub(crate) fn first_time(&self) -> Option<i64> {
        (self.n > 0).then_some(self.start)
    }

    /// Whether a row of this kind can be added.
    pub(crate) const fn takes(&self, kind: u8) -> bool {
        self.n == 0 || (self.n < BLOCK && self.kind == kind)
    }

    /// Adds a row that is later than all and that the head [`Self::takes`].
    #[inline]
    pub(crate) fn push(&mut self, row: &Row) {
        let n = self.n;
        match n {
            0 => self.begin(row),
            1 => self.step = row.t.wrapping_sub(self.start),
            _ => {}
        }
        let skew = row.t.wrapping_sub(self.start).wrapping_sub(self.step.wrapping_mul(n as i64));
        self.skews.push(n, skew);
        self.delays.push(n, row.r.wrapping_sub(row.t));
        let number = self.number(row.bits);
        self.values.push(n, number);
        self.last = row.t;
        self.n = n + 1;
        if let Some(marks) = &mut self.marks {
            marks.push((row.q, row.f));
        } else if self.mark != (row.q, row.f) {
            let mut marks = vec![self.mark; n];
            marks.push((row.q, row.f));
            self.marks = Some(Box::new(marks));
        }
    }

    fn begin(&mut self, row: &Row) {
        self.start = row.t;
        self.step = 0;
        self.kind = row.k;
        self.mark = (row.q, row.f);
        self.numbers = if row.k == FLOAT { self.hint } else { Numbers::Whole };
    }

    /// The number under which a value is kept, after a change of scale where it needs one.
    #[inline]
    fn number(&mut self, bits: u64) -> i64 {
        if let Numbers::Decimal(exponent) = self.numbers {
            match decimal::scale(f64::from_bits(bits), exponent) {
                Some(m) => return m,
                None => return self.rescale(bits, exponent),
            }
        }
        bits as i64
    }

    /// Finds a finer exponent that serves all values, or falls back to bit patterns.
    fn rescale(&mut self, bits: u64, old: u8) -> i64 {
        let v = f64::from_bits(bits);
        let mut all = Vec::with_capacity(self.n);
        self.values.write(self.n, &mut all);
        let finer = (old + 1..=decimal::MAX_EXPONENT).find_map(|e| decimal::scale(v, e).map(|m| (e, m)));
        if let Some((exponent, m)) = finer {
            let factor = 10_i64.pow(u32::from(exponent - old));
            let scaled: Option<Vec<i64>> =
                all.iter().map(|x| x.checked_mul(factor).filter(|x| x.unsigned_abs() <= 1 << 53)).collect();
            if let Some(scaled) = scaled {
                self.refill(&scaled, Numbers::Decimal(exponent));
                return m;
            }
        }
        let raw: Vec<i64> = all.iter().map(|m| decimal::unscale(*m, old).to_bits() as i64).collect();
        self.refill(&raw, Numbers::Bits);
        bits as i64
    }

    fn refill(&mut self, numbers: &[i64], form: Numbers) {
        self.values = Ints::Constant(0);
        for (n, x) in numbers.iter().enumerate() {
            self.values.push(n, *x);
        }
        self.numbers = form;
    }

    #[inline]
    pub(crate) fn time(&self, i: usize) -> i64 {
        self.start.wrapping_add(self.step.wrapping_mul(i as i64)).wrapping_add(self.skews.get(i))
    }

    #[inline]
    pub(crate) fn row(&self, i: usize) -> Row {
        let t = self.time(i);
        let number = self.values.get(i);
        let bits = match self.numbers {
            Numbers::Decimal(exponent) => decimal::unscale(number, exponent).to_bits(),
            Numbers::Whole | Numbers::Bits => number as u64,
        };
        let (q, f) = self.marks.as_ref().and_then(|marks| marks.get(i)).copied().unwrap_or(self.mark);
        Row { t, r: t.wrapping_add(self.delays.get(i)), bits, q, f, k: self.kind }
    }

    /// Number of rows at or before `t`.
    pub(crate) fn count_to(&self, t: i64) -> usize {
        if self.n == 0 || t < self.start {
            return 0;
        }
        if t >= self.last {
            return self.n;
        }
        let distance = t.wrapping_sub(self.start);
        if matches!(self.skews, Ints::Constant(_)) && self.step > 0 && distance >= 0 {
            return (distance / self.step) as usize + 1;
        }
        let (mut low, mut high) = (0, self.n);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.time(middle) <= t {
                low = middle;
            } else {
                high = middle;
            }
        }
        low + 1
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.n).map(|i| self.row(i))
    }

    /// Moves all rows into the encoder; the head is empty after that. Returns value kind and form of the numbers.
    pub(crate) fn drain_into(&mut self, encoder: &mut Encoder) -> (u8, Numbers) {
        encoder.clear();
        encoder.times.extend((0..self.n).map(|i| self.time(i)));
        self.delays.write(self.n, &mut encoder.delays);
        self.values.write(self.n, &mut encoder.numbers);
        match self.marks.take() {
            Some(marks) => encoder.marks.extend_from_slice(&marks),
            None if self.mark != (0, 0) => encoder.marks.resize(self.n, self.mark),
            None => {}
        }
        self.clear();
        (self.kind, self.numbers)
    }

    /// Takes the lesson of a sealed block for the values to come.
    pub(crate) fn learn(&mut self, kept: Numbers) {
        if kept != Numbers::Whole {
            self.hint = kept;
        }
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.n = 0;
        self.skews = Ints::Constant(0);
        self.delays.reset();
        self.values.reset();
        self.marks = None;
    }

    pub(crate) fn bytes(&self) -> usize {
        let marks = self.marks.as_ref().map_or(0, |marks| marks.capacity() * 4 + 24);
        self.skews.bytes() + self.delays.bytes() + self.values.bytes() + marks
    }
}
