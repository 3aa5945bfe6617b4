//! Little-endian numbers and LEB128 varints in byte slices.

use crate::error::HistorianError;

pub(crate) fn put_varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Small magnitudes of either sign to small numbers.
pub(crate) const fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

pub(crate) const fn unzigzag(v: u64) -> i64 {
    (v >> 1) as i64 ^ -((v & 1) as i64)
}

/// Takes bytes off the front of a slice; never reads past its end.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    part: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], part: &'static str) -> Self {
        Self { bytes, part }
    }

    /// Names the part being read, for messages.
    pub(crate) fn part(&mut self, part: &'static str) {
        self.part = part;
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], HistorianError> {
        let (head, tail) = self.bytes.split_at_checked(n).ok_or(HistorianError::Truncated(self.part))?;
        self.bytes = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], HistorianError> {
        let (head, tail) = self.bytes.split_first_chunk::<N>().ok_or(HistorianError::Truncated(self.part))?;
        self.bytes = tail;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, HistorianError> {
        self.array::<1>().map(|[b]| b)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, HistorianError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, HistorianError> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, HistorianError> {
        self.array().map(u64::from_le_bytes)
    }

    /// An LEB128 varint of at most ten bytes.
    pub(crate) fn varint(&mut self) -> Result<u64, HistorianError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(HistorianError::Corrupt("a varint has more than 64 bits"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(HistorianError::Corrupt("a varint has more than ten bytes"))
    }

    /// A varint that counts something of which there are at most `limit`.
    pub(crate) fn count(&mut self, what: &'static str, limit: u64) -> Result<usize, HistorianError> {
        let found = self.varint()?;
        match usize::try_from(found) {
            Ok(n) if found <= limit => Ok(n),
            _ => Err(HistorianError::Limit { what, found, limit }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip_and_refuse_overlong_ones() {
        for v in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, v);
            assert_eq!(Reader::new(&bytes, "test").varint(), Ok(v));
        }
        assert!(Reader::new(&[0xff; 10], "test").varint().is_err());
        assert!(Reader::new(&[0x80], "test").varint().is_err());
    }

    #[test]
    fn zigzag_keeps_extremes() {
        for v in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(v)), v);
        }
        assert_eq!((zigzag(0), zigzag(-1), zigzag(1)), (0, 1, 2));
    }
}
