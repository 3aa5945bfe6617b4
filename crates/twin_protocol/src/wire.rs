//! Byte-level writing and bounded reading: LEB128 varints, zigzag integers, length-prefixed texts.

use crate::{Limits, ProtocolError};

pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { out: Vec::new() }
    }

    pub(crate) fn byte(&mut self, v: u8) {
        self.out.push(v);
    }

    pub(crate) fn varint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.out.push((v as u8) | 0x80);
            v >>= 7;
        }
        self.out.push(v as u8);
    }

    pub(crate) fn zigzag(&mut self, v: i64) {
        self.varint(zigzag(v));
    }

    pub(crate) fn text(&mut self, v: &str) {
        self.blob(v.as_bytes());
    }

    pub(crate) fn blob(&mut self, v: &[u8]) {
        self.varint(v.len() as u64);
        self.out.extend_from_slice(v);
    }

    pub(crate) fn raw(&mut self, v: &[u8]) {
        self.out.extend_from_slice(v);
    }
}

/// Small magnitudes of either sign as small unsigned numbers.
pub(crate) const fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

pub(crate) const fn unzigzag(v: u64) -> i64 {
    ((v >> 1) as i64) ^ -((v & 1) as i64)
}

/// Bytes that a varint takes.
pub(crate) const fn varint_len(v: u64) -> usize {
    let bits = 64 - (v | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Reads from a slice; every failure is an error, and no count is trusted before it fits what is left.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    limits: Limits,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], limits: Limits) -> Self {
        Self { rest: bytes, limits }
    }

    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], ProtocolError> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(ProtocolError::Truncated(what))?;
        self.rest = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ProtocolError> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(ProtocolError::Truncated(what))?;
        self.rest = tail;
        Ok(*head)
    }

    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, ProtocolError> {
        self.array::<1>(what).map(|[b]| b)
    }

    pub(crate) fn varint(&mut self, what: &'static str) -> Result<u64, ProtocolError> {
        let mut v = 0_u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte(what)?;
            let part = u64::from(b & 0x7F);
            if shift == 63 && part > 1 {
                return Err(ProtocolError::malformed(what, "number over 64 bits"));
            }
            v |= part << shift;
            if b & 0x80 == 0 {
                return Ok(v);
            }
        }
        Err(ProtocolError::malformed(what, "number over 64 bits"))
    }

    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, ProtocolError> {
        T::try_from(self.varint(what)?).map_err(|_| ProtocolError::malformed(what, "number out of range"))
    }

    pub(crate) fn zigzag(&mut self, what: &'static str) -> Result<i64, ProtocolError> {
        self.varint(what).map(unzigzag)
    }

    /// A count of things that take at least `min_bytes` each, so that a lie cannot reserve memory.
    pub(crate) fn count(&mut self, limit: usize, min_bytes: usize, what: &'static str) -> Result<usize, ProtocolError> {
        let n = self.varint(what)?;
        if n > limit as u64 {
            return Err(ProtocolError::TooLarge { what, size: n, limit: limit as u64 });
        }
        let n = n as usize;
        if n.saturating_mul(min_bytes) > self.left() {
            return Err(ProtocolError::Truncated(what));
        }
        Ok(n)
    }

    pub(crate) fn blob(&mut self, limit: usize, what: &'static str) -> Result<&'a [u8], ProtocolError> {
        let n = self.count(limit, 1, what)?;
        self.take(n, what)
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<&'a str, ProtocolError> {
        let bytes = self.blob(self.limits.text_bytes, what)?;
        std::str::from_utf8(bytes).map_err(|_| ProtocolError::malformed(what, "text is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_round_trip_at_the_edges() {
        for v in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut w = Writer::new();
            w.zigzag(v);
            assert_eq!(w.out.len(), varint_len(zigzag(v)), "{v}");
            assert_eq!(Reader::new(&w.out, Limits::SERVER_FRAMES).zigzag("v"), Ok(v));
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_refused() {
        let mut r = Reader::new(&[0xFF; 10], Limits::SERVER_FRAMES);
        assert!(matches!(r.varint("v"), Err(ProtocolError::Malformed { .. })));
    }

    #[test]
    fn a_count_beyond_the_bytes_left_reserves_nothing() {
        let mut r = Reader::new(&[0xFF, 0x7F, 0], Limits::SERVER_FRAMES);
        assert_eq!(r.count(1 << 20, 1, "things"), Err(ProtocolError::Truncated("things")));
    }
}
