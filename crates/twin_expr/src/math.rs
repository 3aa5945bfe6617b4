//! The real functions of expressions and process models, with the same bits on every platform. Knows nothing of signals.
//!
//! IEEE 754 fixes the bits of `+ - * /` and of comparisons, not of `exp`, `ln` and powers, and std passes those on to
//! the platform's library. Here they come from `libm`, which is plain Rust compiled for every target.

/// `e` to the power `x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// `exp(x) - 1` without the loss near zero.
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// Natural logarithm; NaN below zero.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Square root; NaN below zero.
pub fn sqrt(x: f64) -> f64 {
    libm::sqrt(x)
}

/// `x` to the power `y`; NaN for a negative `x` and a fractional `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The smaller; a number wins over NaN, the first of two equals wins.
pub fn min(a: f64, b: f64) -> f64 {
    if b < a || a.is_nan() { b } else { a }
}

/// The larger; a number wins over NaN, the first of two equals wins.
pub fn max(a: f64, b: f64) -> f64 {
    if b > a || a.is_nan() { b } else { a }
}

/// `x` moved into `low..=high`; where the bounds are crossed, `high` wins. NaN stays NaN.
pub fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let raised = if x < low { low } else { x };
    if raised > high { high } else { raised }
}

/// 1 for true, 0 for false.
pub fn truth(condition: bool) -> f64 {
    if condition { 1.0 } else { 0.0 }
}

/// Whether a number counts as true: anything but zero and NaN.
pub fn is_true(x: f64) -> bool {
    x != 0.0 && !x.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_keep_the_first_sign_so_that_bits_are_fixed() {
        assert_eq!(min(0.0, -0.0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(max(-0.0, 0.0).to_bits(), (-0.0_f64).to_bits());
    }

    #[test]
    fn a_number_wins_over_nan() {
        assert_eq!(min(f64::NAN, 2.0), 2.0);
        assert_eq!(max(2.0, f64::NAN), 2.0);
    }

    #[test]
    fn crossed_bounds_do_not_panic() {
        assert_eq!(clamp(5.0, 10.0, 1.0), 1.0);
    }
}
