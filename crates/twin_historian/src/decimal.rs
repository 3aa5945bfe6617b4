//! Sensor values as whole numbers: `v = m / 10^e`, exactly. The idea behind ALP (Afroozeh, Kuffó, Boncz, "ALP: Adaptive
//! Lossless floating-Point Compression", SIGMOD 2024), with division so that the nearest double to a decimal comes back.

/// Largest exponent that is tried: powers of ten up to here are exact doubles with room to spare.
pub(crate) const MAX_EXPONENT: u8 = 15;

/// Largest mantissa that is used: whole numbers up to here are exact doubles.
const MAX_MANTISSA: f64 = 9_007_199_254_740_992.0;

pub(crate) const POW10: [f64; 16] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The value of a scaled number. Division, because `m * 1e-2` is not always the double nearest to the decimal.
pub(crate) fn unscale(m: i64, exponent: u8) -> f64 {
    m as f64 / POW10[usize::from(exponent & 15)]
}

/// The whole number for a value at an exponent, if it gives back exactly these bits.
pub(crate) fn scale(v: f64, exponent: u8) -> Option<i64> {
    let p = POW10[usize::from(exponent & 15)];
    let scaled = v * p;
    // -0.0 and inexact values fail the comparison of bits.
    if scaled.is_nan() || scaled.abs() > MAX_MANTISSA {
        return None;
    }
    let m = round(scaled);
    ((m as f64 / p).to_bits() == v.to_bits()).then_some(m)
}

/// Nearest whole number, for magnitudes up to 2^53; much faster than `f64::round` without SSE 4.1.
fn round(v: f64) -> i64 {
    (v + if v < 0.0 { -0.5 } else { 0.5 }) as i64
}

/// The smallest exponent that a value needs.
#[cfg(test)]
fn exponent_of(v: f64) -> Option<u8> {
    (0..=MAX_EXPONENT).find(|e| scale(v, *e).is_some())
}

/// The smallest exponent under which all bit patterns are whole numbers, and those numbers.
pub(crate) fn scale_all(bits: &[u64], out: &mut Vec<i64>) -> Option<u8> {
    let mut exponent = 0;
    for b in bits {
        let v = f64::from_bits(*b);
        if scale(v, exponent).is_none() {
            exponent = (exponent + 1..=MAX_EXPONENT).find(|e| scale(v, *e).is_some())?;
        }
    }
    out.clear();
    for b in bits {
        out.push(scale(f64::from_bits(*b), exponent)?);
    }
    Some(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_back_bit_for_bit() {
        for (v, e) in [(0.0, 0), (21.37, 2), (-21.37, 2), (0.1, 1), (1e15, 0), (123.456789, 6), (5.0, 0)] {
            assert_eq!(exponent_of(v), Some(e), "{v}");
            let m = scale(v, e).unwrap();
            assert_eq!(unscale(m, e).to_bits(), v.to_bits());
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for v in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1.0 / 3.0, 1e300, f64::MIN_POSITIVE] {
            assert_eq!(exponent_of(v), None, "{v}");
        }
    }

    #[test]
    fn a_column_takes_the_smallest_common_exponent() {
        let bits: Vec<u64> = [1.5_f64, 2.25, -3.0].iter().map(|v| v.to_bits()).collect();
        let mut out = Vec::new();
        assert_eq!(scale_all(&bits, &mut out), Some(2));
        assert_eq!(out, [150, 225, -300]);
        assert_eq!(scale_all(&[f64::NAN.to_bits()], &mut out), None);
    }
}
