//! Little-endian numbers in and out of bytes. Every reading is checked; nothing is allocated from a length that was not.

use glam::{DVec3, Vec3};

use super::CellError;
use crate::geometry::Aabb;

/// Reads from the front.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    piece: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(piece: &'static str, bytes: &'a [u8]) -> Self {
        Self { piece, bytes, at: 0 }
    }

    /// Bytes not read yet.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], CellError> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(CellError::Short { piece: self.piece, field, at: self.bytes.len() })?;
        self.at += count;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], CellError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, field)?);
        Ok(out)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, CellError> {
        Ok(u8::from_le_bytes(self.array(field)?))
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, CellError> {
        Ok(u16::from_le_bytes(self.array(field)?))
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, CellError> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    /// A finite 32-bit float.
    pub(super) fn f32(&mut self, field: &'static str) -> Result<f32, CellError> {
        let value = f32::from_le_bytes(self.array(field)?);
        if value.is_finite() { Ok(value) } else { Err(CellError::NoNumber { piece: self.piece, field }) }
    }

    /// Three finite 64-bit floats.
    pub(super) fn place(&mut self, field: &'static str) -> Result<DVec3, CellError> {
        let mut place = DVec3::ZERO;
        for axis in 0..3 {
            place[axis] = f64::from_le_bytes(self.array(field)?);
        }
        if place.is_finite() { Ok(place) } else { Err(CellError::NoNumber { piece: self.piece, field }) }
    }

    /// A box by its lowest and highest corner.
    pub(super) fn aabb(&mut self, field: &'static str) -> Result<Aabb, CellError> {
        let mut corners = [Vec3::ZERO; 2];
        for corner in &mut corners {
            *corner = Vec3::new(self.f32(field)?, self.f32(field)?, self.f32(field)?);
        }
        let [min, max] = corners;
        let bounds = Aabb { min, max };
        if bounds.is_empty() { Err(CellError::NoNumber { piece: self.piece, field }) } else { Ok(bounds) }
    }

    /// A number of at most 32 bits, seven bits a byte, low ones first (LEB128).
    pub(super) fn varint(&mut self, field: &'static str) -> Result<u32, CellError> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.u8(field)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let beyond = CellError::Beyond { piece: self.piece, field, found: value, most: u64::from(u32::MAX) };
                return u32::try_from(value).map_err(|_| beyond);
            }
        }
        Err(CellError::Beyond { piece: self.piece, field, found: value, most: u64::from(u32::MAX) })
    }

    /// A count of things that take at least `each` bytes of what is left.
    pub(super) fn count(&mut self, each: usize, field: &'static str) -> Result<usize, CellError> {
        let count = self.u32(field)?;
        let most = self.left() / each.max(1);
        self.at_most(count as usize, most, field)
    }

    pub(super) fn at_most(&self, found: usize, most: usize, field: &'static str) -> Result<usize, CellError> {
        let beyond = CellError::Beyond { piece: self.piece, field, found: found as u64, most: most as u64 };
        if found <= most { Ok(found) } else { Err(beyond) }
    }

    /// A position in a list of `count`. Compared as it is: on the page, one more than the largest number there is would be zero.
    pub(super) fn below(&self, found: usize, count: usize, field: &'static str) -> Result<usize, CellError> {
        let most = (count as u64).saturating_sub(1);
        let beyond = CellError::Beyond { piece: self.piece, field, found: found as u64, most };
        if found < count { Ok(found) } else { Err(beyond) }
    }

    pub(super) fn agree(&self, found: usize, expected: usize, field: &'static str) -> Result<(), CellError> {
        let disagrees = CellError::Disagrees { piece: self.piece, field, found: found as u64, expected: expected as u64 };
        if found == expected { Ok(()) } else { Err(disagrees) }
    }

    /// Zeros up to the next multiple of four.
    pub(super) fn align(&mut self) -> Result<(), CellError> {
        self.take(self.at.next_multiple_of(4) - self.at, "padding").map(|_| ())
    }
}

/// Writes at the end.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    pub(super) fn f32(&mut self, value: f32) {
        self.raw(&value.to_le_bytes());
    }

    pub(super) fn place(&mut self, place: DVec3) {
        place.to_array().iter().for_each(|value| self.raw(&value.to_le_bytes()));
    }

    pub(super) fn aabb(&mut self, bounds: &Aabb) {
        let both = bounds.min.to_array().into_iter().chain(bounds.max.to_array());
        both.for_each(|value| self.f32(value));
    }

    pub(super) fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(super) fn align(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// A count as it is written; beyond 32 bits it could not be read again, and nothing here grows that far.
pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
