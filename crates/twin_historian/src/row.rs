//! One sample as plain bits, the form in which the store moves samples about. Knows nothing of text beyond its code.

use twin_model::{Flags, TimeRange, Timestamp, ValueKind};

/// Code of [`ValueKind`] in rows, blocks and chunks; zero stands for "no sample".
pub(crate) const fn kind_code(kind: ValueKind) -> u8 {
    match kind {
        ValueKind::Float => 1,
        ValueKind::Int => 2,
        ValueKind::Bool => 3,
        ValueKind::Text => 4,
    }
}

pub(crate) const FLOAT: u8 = 1;
pub(crate) const INT: u8 = 2;
pub(crate) const BOOL: u8 = 3;
pub(crate) const TEXT: u8 = 4;

/// The half-open range that holds both instants.
pub(crate) fn closed(first: i64, last: i64) -> TimeRange {
    TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(last.saturating_add(1)))
}

/// One sample of a signal that is known from the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Source time, microseconds.
    pub(crate) t: i64,
    /// Received time, microseconds.
    pub(crate) r: i64,
    /// Bits of the value: of the `f64`, of the `i64`, 0 or 1, or the code in the signal's dictionary.
    pub(crate) bits: u64,
    /// Quality bits.
    pub(crate) q: u16,
    /// Flag bits.
    pub(crate) f: u8,
    /// One of the kind codes.
    pub(crate) k: u8,
}

impl Row {
    /// The number that a chart draws; none for NaN, infinities and null. Text gives its dictionary code.
    pub(crate) fn number(&self) -> Option<f64> {
        number_of(self.k, self.bits, self.f)
    }
}

/// See [`Row::number`].
pub(crate) fn number_of(kind: u8, bits: u64, flags: u8) -> Option<f64> {
    if Flags(flags).has(Flags::NULL) {
        return None;
    }
    match kind {
        FLOAT => Some(f64::from_bits(bits)).filter(|v| v.is_finite()),
        INT => Some(bits as i64 as f64),
        BOOL | TEXT => Some(bits as f64),
        _ => None,
    }
}
