//! Floats as the shortest of: decimal mantissa, exact `f32`, `f64`. Lossless to the bit.
//!
//! Plant values are decimals of few digits (21.37), which binary floats cannot say shortly. Writing `2137 / 10^2`
//! takes two bytes instead of eight; the division gives back the same bits on every platform because IEEE 754
//! division rounds correctly (the idea of ALP, Afroozeh & Boncz, SIGMOD 2023, without its vectorisation).

use crate::ProtocolError;
use crate::wire::{Reader, Writer, varint_len, zigzag};

const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Nibble of a value that follows as eight bytes.
const RAW64: u8 = 10;
/// Nibble of a value that follows as the four bytes of an `f32` of the same value.
const RAW32: u8 = 11;
/// Integers up to here are exact as `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Digits after the point and mantissa, where that gives exactly `v`.
fn decimal(v: f64) -> Option<(u8, i64)> {
    for (digits, power) in POWERS.iter().enumerate() {
        let mantissa = (v * power).round();
        if mantissa.is_nan() || mantissa.abs() > EXACT {
            return None;
        }
        // Through the integer, as the reader goes: it has no minus zero.
        let mantissa = mantissa as i64;
        if (mantissa as f64 / power).to_bits() == v.to_bits() {
            return Some((digits as u8, mantissa));
        }
    }
    None
}

/// Appends the nibble column (two per byte, low half first), then the value column.
pub(crate) fn write(values: &[f64], w: &mut Writer) {
    let mut nibbles = vec![0_u8; values.len().div_ceil(2)];
    let mut body = Writer::new();
    for (at, &v) in values.iter().enumerate() {
        let nibble = write_one(v, &mut body);
        if let Some(pair) = nibbles.get_mut(at / 2) {
            *pair |= nibble << (4 * (at % 2));
        }
    }
    w.raw(&nibbles);
    w.raw(&body.out);
}

fn write_one(v: f64, body: &mut Writer) -> u8 {
    let short = f64::from(v as f32).to_bits() == v.to_bits();
    if let Some((digits, mantissa)) = decimal(v)
        && varint_len(zigzag(mantissa)) < if short { 4 } else { 8 }
    {
        body.zigzag(mantissa);
        return digits;
    }
    if short {
        body.raw(&(v as f32).to_le_bytes());
        return RAW32;
    }
    body.raw(&v.to_le_bytes());
    RAW64
}

/// Reads `n` values; `n` was checked against the bytes left by the caller.
pub(crate) fn read(n: usize, r: &mut Reader<'_>) -> Result<Vec<f64>, ProtocolError> {
    const WHAT: &str = "float column";
    let nibbles = r.take(n.div_ceil(2), WHAT)?;
    let mut out = Vec::with_capacity(n);
    for at in 0..n {
        let pair = nibbles.get(at / 2).copied().unwrap_or(0);
        let nibble = (pair >> (4 * (at % 2))) & 0x0F;
        out.push(match nibble {
            RAW64 => f64::from_le_bytes(r.array(WHAT)?),
            RAW32 => f64::from(f32::from_le_bytes(r.array(WHAT)?)),
            digits => {
                let power = POWERS.get(usize::from(digits)).ok_or(ProtocolError::malformed(WHAT, "unknown encoding"))?;
                r.zigzag(WHAT)? as f64 / power
            }
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn check(values: &[f64], bytes: usize) {
        let mut w = Writer::new();
        write(values, &mut w);
        assert_eq!(w.out.len(), bytes, "{values:?}");
        let back = read(values.len(), &mut Reader::new(&w.out, Limits::SERVER_FRAMES)).unwrap();
        let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
    }

    #[test]
    fn plant_decimals_take_two_bytes_and_a_half() {
        check(&[21.37, 4.5, -0.07, 80.0], 2 + 2 + 1 + 1 + 2);
    }

    #[test]
    fn every_bit_pattern_survives() {
        check(&[f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2], 2 + 24);
        check(&[-0.0, f64::INFINITY, f64::NEG_INFINITY, 0.0], 2 + 12 + 1);
        check(&[std::f64::consts::PI, f64::from_bits(0x7ff8_0000_dead_beef)], 1 + 16);
    }
}
