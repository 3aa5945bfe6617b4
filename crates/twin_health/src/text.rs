//! Numbers as people read them.

/// At most four significant digits, no exponent for sizes that occur in plants, no needless zeros.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "not a number".to_owned()
        } else if value > 0.0 {
            "∞".to_owned()
        } else {
            "−∞".to_owned()
        };
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-5..15).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - magnitude).clamp(0, 8) as usize;
    let mut text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    // The typographic minus lines up with the digits.
    if let Some(rest) = text.strip_prefix('-') { format!("−{rest}") } else { text }
}

/// A number with its unit after a thin space.
pub fn quantity(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{}\u{2009}{unit}", number(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_significant_digits_and_no_noise() {
        for (value, text) in
            [(7.8, "7.8"), (71.4449, "71.44"), (0.0, "0"), (123_456.7, "123457"), (-0.5, "−0.5"), (0.001_234_6, "0.001235")]
        {
            assert_eq!(number(value), text);
        }
        assert_eq!(quantity(7.1, "mm/s"), "7.1\u{2009}mm/s");
    }
}
