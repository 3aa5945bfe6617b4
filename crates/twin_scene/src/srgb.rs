//! Colours from linear to sRGB with the same bits on every machine: the platform's own powers differ in their last digit.

/// Linear to sRGB, IEC 61966-2-1; what is above 1 counts as 1.
pub(crate) fn encode(linear: f32) -> f32 {
    if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * power(linear.min(1.0)) - 0.055 }
}

/// `value` to the power of 1 / 2.4 = 5 / 12, of `0.003..=1`: the twelfth root is the third root of the fourth.
fn power(value: f32) -> f32 {
    let fourth = f64::from(value).sqrt().sqrt();
    // Newton's method for the third root; from 0.23..=1 it settles within a few steps of those that are done.
    let root = (0..8).fold(0.5 + 0.5 * fourth, |root: f64, _| root - (root * root * root - fourth) / (3.0 * root * root));
    (root * root * root * root * root) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_power_function_but_for_the_last_digit() {
        for step in 0..=100_000u32 {
            let linear = step as f32 / 100_000.0;
            let expected = if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
            assert!((encode(linear) - expected).abs() <= 2e-7, "{linear}");
        }
        assert_eq!([encode(0.0), encode(1.0), encode(7.0)], [0.0, 1.055 - 0.055, 1.055 - 0.055]);
    }
}
