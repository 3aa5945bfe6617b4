//! The newest samples of a signal, not yet compressed but already narrow: whole numbers of 32 bits wherever they fit.

use crate::block::{BLOCK, Encoder, Numbers};
use crate::decimal;
use crate::row::{FLOAT, Row};

/// A growing column of whole numbers: nothing on the heap while all are equal, two or four bytes each while they are near
/// the first one, eight otherwise.
#[derive(Debug, Clone)]
enum Ints {
    Constant(i64),
    Near(i64, Vec<i16>),
    Narrow(i64, Vec<i32>),
    Wide(Vec<i64>),
}

impl Ints {
    /// Appends the `n`-th number.
    #[inline]
    fn push(&mut self, n: usize, x: i64) {
        match self {
            Self::Constant(c) if n == 0 => *c = x,
            Self::Constant(c) if *c == x => {}
            Self::Near(base, near) if fits::<i16>(*base, x).is_some() => {
                grow(near, n);
                near.push(x.wrapping_sub(*base) as i16);
            }
            Self::Narrow(base, near) if fits::<i32>(*base, x).is_some() => {
                grow(near, n);
                near.push(x.wrapping_sub(*base) as i32);
            }
            Self::Wide(all) => {
                grow(all, n);
                all.push(x);
            }
            _ => self.widen(n, x),
        }
    }

    /// Appends a number that the present form cannot take.
    #[cold]
    fn widen(&mut self, n: usize, x: i64) {
        let mut all = Vec::new();
        grow(&mut all, n);
        self.write(n, &mut all);
        all.push(x);
        *self = Self::of(all);
    }

    /// The narrowest form for these numbers.
    fn of(all: Vec<i64>) -> Self {
        let base = all.first().copied().unwrap_or(0);
        if all.iter().all(|x| *x == base) {
            return Self::Constant(base);
        }
        if all.iter().all(|x| fits::<i16>(base, *x).is_some()) {
            return Self::Near(base, narrowed(&all, |x| x.wrapping_sub(base) as i16));
        }
        if all.iter().all(|x| fits::<i32>(base, *x).is_some()) {
            return Self::Narrow(base, narrowed(&all, |x| x.wrapping_sub(base) as i32));
        }
        Self::Wide(all)
    }

    #[inline]
    fn get(&self, i: usize) -> i64 {
        match self {
            Self::Constant(c) => *c,
            Self::Near(base, near) => base.wrapping_add(i64::from(near[i])),
            Self::Narrow(base, near) => base.wrapping_add(i64::from(near[i])),
            Self::Wide(all) => all[i],
        }
    }

    fn write(&self, n: usize, out: &mut Vec<i64>) {
        match self {
            Self::Constant(c) => out.resize(out.len() + n, *c),
            Self::Near(base, near) => out.extend(near.iter().map(|d| base.wrapping_add(i64::from(*d)))),
            Self::Narrow(base, near) => out.extend(near.iter().map(|d| base.wrapping_add(i64::from(*d)))),
            Self::Wide(all) => out.extend_from_slice(all),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Constant(_) => 0,
            Self::Near(_, near) => near.capacity() * 2,
            Self::Narrow(_, near) => near.capacity() * 4,
            Self::Wide(all) => all.capacity() * 8,
        }
    }
}

/// The distance from a base, where it fits a narrower type.
#[inline]
fn fits<T: TryFrom<i64>>(base: i64, x: i64) -> Option<T> {
    x.checked_sub(base).and_then(|d| T::try_from(d).ok())
}

fn narrowed<T>(all: &[i64], narrow: impl Fn(i64) -> T) -> Vec<T> {
    let mut out = Vec::new();
    grow(&mut out, all.len());
    out.extend(all.iter().map(|x| narrow(*x)));
    out
}

/// Room for one more, in steps of half a block: doubling would leave a third of all heads empty.
fn grow<T>(v: &mut Vec<T>, n: usize) {
    if v.capacity() <= n {
        v.reserve_exact((n + 1).next_multiple_of(BLOCK / 4) - v.len());
    }
}

/// At most [`BLOCK`] rows of one value kind in ascending source time.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct Head {
    start: i64,
    n: u16,
    kind: u8,
    flags: u8,
    quality: u16,
    numbers: Numbers,
    /// What the last sealed block taught about the values.
    hint: Numbers,
    step: i64,
    values: Ints,
    delays: Ints,
    /// What few heads need.
    odd: Option<Box<Odd>>,
}

/// Columns of heads that are irregular in time or of mixed quality.
#[derive(Debug, Clone)]
struct Odd {
    /// Source times less `start + step * n`.
    skews: Ints,
    /// Quality and flags of every row; empty while they are all the head's.
    marks: Vec<(u16, u8)>,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            start: 0,
            n: 0,
            kind: 0,
            flags: 0,
            quality: 0,
            numbers: Numbers::Whole,
            hint: Numbers::Decimal(0),
            step: 0,
            values: Ints::Constant(0),
            delays: Ints::Constant(0),
            odd: None,
        }
    }
}

impl Head {
    /// Number of rows.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.n as usize
    }

    #[inline]
    pub(crate) fn first_time(&self) -> Option<i64> {
        (self.n > 0).then_some(self.start)
    }

    /// Whether a row of this kind can be added.
    pub(crate) const fn takes(&self, kind: u8) -> bool {
        self.n == 0 || (self.len() < BLOCK && self.kind == kind)
    }

    /// Adds a row that is later than all and that the head [`Self::takes`].
    #[inline]
    pub(crate) fn push(&mut self, row: &Row) {
        let n = self.len();
        match n {
            0 => self.begin(row),
            1 => self.step = row.t.wrapping_sub(self.start),
            _ => {}
        }
        let skew = row.t.wrapping_sub(self.start).wrapping_sub(self.step.wrapping_mul(n as i64));
        if skew != 0 || self.odd.is_some() || (row.q, row.f) != (self.quality, self.flags) {
            self.push_odd(row, skew);
        }
        self.delays.push(n, row.r.wrapping_sub(row.t));
        let number = self.number(row.bits);
        self.values.push(n, number);
        self.n += 1;
    }

    #[cold]
    fn push_odd(&mut self, row: &Row, skew: i64) {
        let n = self.len();
        let all_alike = (self.quality, self.flags);
        let odd = self.odd.get_or_insert_with(|| Box::new(Odd { skews: Ints::Constant(0), marks: Vec::new() }));
        odd.skews.push(n, skew);
        if odd.marks.is_empty() && (row.q, row.f) != all_alike {
            odd.marks = vec![all_alike; n];
        }
        if !odd.marks.is_empty() || (row.q, row.f) != all_alike {
            odd.marks.push((row.q, row.f));
        }
    }

    fn begin(&mut self, row: &Row) {
        self.start = row.t;
        self.step = 0;
        self.kind = row.k;
        (self.quality, self.flags) = (row.q, row.f);
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
        let mut all = Vec::with_capacity(BLOCK);
        self.values.write(self.len(), &mut all);
        let finer = (old + 1..=decimal::MAX_EXPONENT).find_map(|e| decimal::scale(v, e).map(|m| (e, m)));
        if let Some((exponent, m)) = finer {
            let factor = 10_i64.pow(u32::from(exponent - old));
            let scaled: Option<Vec<i64>> =
                all.iter().map(|x| x.checked_mul(factor).filter(|x| x.unsigned_abs() <= 1 << 53)).collect();
            if let Some(scaled) = scaled {
                self.values = Ints::of(scaled);
                self.numbers = Numbers::Decimal(exponent);
                return m;
            }
        }
        self.values = Ints::of(all.iter().map(|m| decimal::unscale(*m, old).to_bits() as i64).collect());
        self.numbers = Numbers::Bits;
        bits as i64
    }

    #[inline]
    pub(crate) fn time(&self, i: usize) -> i64 {
        let regular = self.start.wrapping_add(self.step.wrapping_mul(i as i64));
        self.odd.as_ref().map_or(regular, |odd| regular.wrapping_add(odd.skews.get(i)))
    }

    #[inline]
    pub(crate) fn row(&self, i: usize) -> Row {
        let t = self.time(i);
        let number = self.values.get(i);
        let bits = match self.numbers {
            Numbers::Decimal(exponent) => decimal::unscale(number, exponent).to_bits(),
            Numbers::Whole | Numbers::Bits => number as u64,
        };
        let (q, f) = self.odd.as_ref().and_then(|odd| odd.marks.get(i)).copied().unwrap_or((self.quality, self.flags));
        Row { t, r: t.wrapping_add(self.delays.get(i)), bits, q, f, k: self.kind }
    }

    /// Number of rows at or before `t`.
    #[inline]
    pub(crate) fn count_to(&self, t: i64) -> usize {
        if self.n == 0 || t < self.start {
            return 0;
        }
        let distance = t.wrapping_sub(self.start);
        if self.odd.is_none() && self.step > 0 && distance >= 0 {
            return (distance / self.step).min(i64::from(self.n) - 1) as usize + 1;
        }
        self.search(t)
    }

    fn search(&self, t: i64) -> usize {
        let (mut low, mut high) = (0, self.len());
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
        (0..self.len()).map(|i| self.row(i))
    }

    /// Moves all rows into the encoder; the head is empty after that. Returns value kind and form of the numbers.
    pub(crate) fn drain_into(&mut self, encoder: &mut Encoder) -> (u8, Numbers) {
        encoder.clear();
        encoder.times.extend((0..self.len()).map(|i| self.time(i)));
        self.delays.write(self.len(), &mut encoder.delays);
        self.values.write(self.len(), &mut encoder.numbers);
        match &self.odd {
            Some(odd) if !odd.marks.is_empty() => encoder.marks.extend_from_slice(&odd.marks),
            _ if (self.quality, self.flags) != (0, 0) => encoder.marks.resize(self.len(), (self.quality, self.flags)),
            _ => {}
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

    /// Forgets all rows and gives their memory back.
    pub(crate) fn clear(&mut self) {
        self.n = 0;
        self.delays = Ints::Constant(0);
        self.values = Ints::Constant(0);
        self.odd = None;
    }

    pub(crate) fn bytes(&self) -> usize {
        let odd = self.odd.as_ref().map_or(0, |odd| size_of::<Odd>() + odd.skews.bytes() + odd.marks.capacity() * 4);
        odd + self.delays.bytes() + self.values.bytes()
    }
}
