//! Numbers and lengths of time as people read them.

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

/// A length of time in its largest fitting unit: `45 s`, `3 min`, `5 h`, `12 d`, `7 years`.
pub fn lasting(span: twin_model::Span) -> String {
    let seconds = span.as_micros().max(0) / 1_000_000;
    match seconds {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3_600),
        s if s < 730 * 86_400 => format!("{} d", s / 86_400),
        s => format!("{} years", s / 31_556_952),
    }
}

/// A length of time to the nearest second, minute (from two minutes on) or hour (from two hours on): for those that are known up
/// to a delay on the way.
pub fn rounded(span: twin_model::Span) -> twin_model::Span {
    let step = match span.as_micros().saturating_add(500_000) / 1_000_000 {
        s if s < 119 => 1,
        s if s < 7_170 => 60,
        _ => 3_600,
    } * 1_000_000;
    twin_model::Span::from_micros(span.as_micros().saturating_add(step / 2) / step * step)
}

/// Words for a clock that runs ahead: `clock 5 min ahead`.
pub fn clock(ahead: twin_model::Span) -> String {
    format!("clock {} ahead", lasting(rounded(ahead)))
}

/// A number with its unit after a thin space.
pub fn quantity(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{}\u{2009}{unit}", number(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_one_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (185, "3 min"),
            (7_200, "2 h"),
            (4 * 86_400, "4 d"),
            (7 * 31_557_600, "7 years"),
            (-5, "0 s"),
        ] {
            assert_eq!(lasting(twin_model::Span::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_clock_is_told_to_the_nearest_unit() {
        for (millis, text) in [
            (2_400, "clock 2 s ahead"),
            (118_600, "clock 2 min ahead"),
            (299_400, "clock 5 min ahead"),
            (300_700, "clock 5 min ahead"),
            (3_599_900, "clock 60 min ahead"),
            (7_199_000, "clock 2 h ahead"),
            (i64::MAX / 1_000, "clock 292277 years ahead"),
        ] {
            assert_eq!(clock(twin_model::Span::from_millis(millis)), text);
        }
    }

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
