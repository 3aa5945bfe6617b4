//! Whole numbers of equal width packed without gaps, least significant bit first, so that any of them can be read where
//! it lies. Readers rely on [`SLACK`] readable bytes after the last packed one.

/// Bytes that must be readable after packed numbers.
pub(crate) const SLACK: usize = 16;

/// Bits that a number needs.
pub(crate) const fn width_of(v: u64) -> u8 {
    (64 - v.leading_zeros()) as u8
}

/// Bytes that `n` numbers of `width` bits take.
pub(crate) const fn packed_len(n: usize, width: u8) -> usize {
    (n * width as usize).div_ceil(8)
}

/// Appends numbers, each below `2^width`.
pub(crate) fn pack(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let width = u32::from(width);
    if width == 0 {
        return;
    }
    let (mut word, mut filled) = (0_u64, 0_u32);
    for v in values {
        word |= v << filled;
        filled += width;
        if filled >= 64 {
            out.extend_from_slice(&word.to_le_bytes());
            filled -= 64;
            // What did not fit; a shift by 64 (nothing left over) gives zero.
            word = v.checked_shr(width - filled).unwrap_or(0);
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// The `i`-th number of those packed from `at` on.
#[inline]
pub(crate) fn get(bytes: &[u8], at: usize, i: usize, width: u8) -> u64 {
    if width == 0 {
        return 0;
    }
    let bit = i * usize::from(width);
    let from = at + (bit >> 3);
    let shift = (bit & 7) as u32;
    let low = u64_at(bytes, from) >> shift;
    let mask = u64::MAX >> (64 - u32::from(width));
    if shift + u32::from(width) <= 64 {
        return low & mask;
    }
    (low | u64::from(bytes[from + 8]) << (64 - shift)) & mask
}

/// The first `out.len()` of the numbers packed from `at` on.
pub(crate) fn unpack(bytes: &[u8], at: usize, width: u8, out: &mut [i64]) {
    if width == 0 {
        return out.fill(0);
    }
    if width > 56 {
        return out.iter_mut().enumerate().for_each(|(i, v)| *v = get(bytes, at, i, width) as i64);
    }
    // Up to 56 bits lie within the eight bytes from their first byte on, whatever their shift.
    let packed = &bytes[at..at + packed_len(out.len(), width) + 8];
    let mask = u64::MAX >> (64 - u32::from(width));
    for (i, v) in out.iter_mut().enumerate() {
        let bit = i * usize::from(width);
        *v = (u64_at(packed, bit >> 3) >> (bit & 7) & mask) as i64;
    }
}

#[inline]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..].first_chunk().map_or(0, |b| u16::from_le_bytes(*b))
}

#[inline]
pub(crate) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    bytes[at..].first_chunk().map_or(0, |b| i32::from_le_bytes(*b))
}

#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_come_back_from_every_position() {
        for width in 0..=64_u8 {
            let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
            let values: Vec<u64> =
                (0..131_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(i as u32) & mask).collect();
            let mut bytes = vec![0xAA; 3];
            pack(values.iter().copied(), width, &mut bytes);
            assert_eq!(bytes.len(), 3 + packed_len(values.len(), width));
            bytes.extend([0xFF; SLACK]);
            let mut all = vec![0; values.len()];
            unpack(&bytes, 3, width, &mut all);
            for (i, v) in values.iter().enumerate() {
                assert_eq!(all[i] as u64, *v, "width {width}, position {i}");
                assert_eq!(get(&bytes, 3, i, width), *v, "width {width}, position {i}");
            }
        }
    }
}
