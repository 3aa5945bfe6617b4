//! Times as numbers: epochs in a declared unit, seconds since an instant, day numbers of spreadsheets. Exact where digits are.

use super::civil::DAY;

/// The unit of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds; what is finer than a microsecond is cut.
    Nanos,
}

impl Unit {
    /// All, the coarsest first.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    /// Its word in a site file.
    pub const fn format(self) -> &'static str {
        match self {
            Self::Seconds => "epoch_s",
            Self::Millis => "epoch_ms",
            Self::Micros => "epoch_us",
            Self::Nanos => "epoch_ns",
        }
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Nanos => "nanoseconds",
        }
    }

    /// A decimal number of this unit as microseconds; `None` where it is none, or too large for them. What is finer is cut.
    pub fn micros(self, text: &str) -> Option<i64> {
        micros(text, self)
    }

    /// Decimal places from the unit to microseconds.
    const fn shift(self) -> i32 {
        match self {
            Self::Seconds => 6,
            Self::Millis => 3,
            Self::Micros => 0,
            Self::Nanos => -3,
        }
    }
}

/// A decimal number, with a point or a comma, as microseconds; `None` where it is none or too large for them.
pub(crate) fn micros(text: &str, unit: Unit) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    // Most epochs are whole numbers that need no wider arithmetic.
    let digit = |sum: i64, b: u8| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0'));
    if let (1..=18, Some(whole)) = (digits.len(), digits.bytes().take(18).try_fold(0, digit)) {
        let signed = if negative { -whole } else { whole };
        let factor = 10_i64.pow(unit.shift().unsigned_abs());
        return if unit.shift() < 0 { Some(signed.div_euclid(factor)) } else { signed.checked_mul(factor) };
    }
    if digits.bytes().any(|b| matches!(b, b'e' | b'E')) {
        // What spreadsheets make of long numbers: 1.7724384E+12. Exact up to 2^53.
        let value: f64 = text.replace(',', ".").parse().ok()?;
        let scaled = (value * 10_f64.powi(unit.shift())).round();
        return (scaled.abs() < 9e18).then_some(scaled as i64);
    }
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let whole: i128 = if whole.len() > 30 { return None } else { whole.parse().ok()? };
    // Sixteen places after the point hold whatever matters of any unit.
    let fine =
        part.bytes().chain(std::iter::repeat(b'0')).take(16).fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let scaled = whole.checked_mul(10_i128.pow(16))? + fine;
    let signed = if negative { -scaled } else { scaled };
    let divisor = 10_i128.pow(u32::try_from(16 - unit.shift()).ok()?);
    // Towards the past, so that order stays.
    i64::try_from(signed.div_euclid(divisor)).ok()
}

/// A day number of a spreadsheet as microseconds on its clock: days since 1899-12-30, or since 1904-01-01.
///
/// Programs write it with as many digits as they like; what the digits leave open is filled by the roundest time within them
/// (46083.33333 is 08:00:00, not 07:59:59.712).
pub(crate) fn serial(text: &str, since_1904: bool) -> Option<i64> {
    let text = text.trim().replace(',', ".");
    let days: f64 = text.parse().ok()?;
    // Day 60 of the first system is a 29 February 1900 that never was; before it the count is another.
    if !((61.0..2_958_466.0).contains(&days) || since_1904 && (0.0..2_957_004.0).contains(&days)) {
        return None;
    }
    let first = if since_1904 { super::civil::days(1904, 1, 1) } else { super::civil::days(1899, 12, 30) };
    Some(first * DAY + roundest(days, places(&text)))
}

/// A share of a day, as spreadsheets write times of day alone.
pub(crate) fn share_of_day(text: &str) -> Option<i64> {
    let text = text.trim().replace(',', ".");
    let share: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&share).then(|| roundest(share, places(&text)))
}

fn places(text: &str) -> i32 {
    text.split_once('.').map_or(0, |(_, part)| i32::try_from(part.len()).unwrap_or(i32::MAX))
}

fn roundest(days: f64, places: i32) -> i64 {
    // Half of the last digit, and what a double leaves of a day number of this size.
    let open = DAY as f64 * (0.5 * 10_f64.powi(-places.min(16))).max(days.abs() * f64::EPSILON);
    let exact = days * DAY as f64;
    for step in [60_000_000.0, 1_000_000.0, 100_000.0, 10_000.0, 1_000.0, 100.0, 10.0] {
        let round = (exact / step).round() * step;
        if (round - exact).abs() <= open {
            return round as i64;
        }
    }
    exact.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_exact_in_every_unit() {
        for (text, unit, expected) in [
            ("1772439304", Unit::Seconds, Some(1_772_439_304_000_000)),
            ("1772439304.5", Unit::Seconds, Some(1_772_439_304_500_000)),
            ("1772439304,123456", Unit::Seconds, Some(1_772_439_304_123_456)),
            ("1772439304120", Unit::Millis, Some(1_772_439_304_120_000)),
            ("1772439304120.25", Unit::Millis, Some(1_772_439_304_120_250)),
            ("1.77243930412E+12", Unit::Millis, Some(1_772_439_304_120_000)),
            ("1772439304120003", Unit::Micros, Some(1_772_439_304_120_003)),
            ("1772439304120003999", Unit::Nanos, Some(1_772_439_304_120_003)),
            ("-0.5", Unit::Seconds, Some(-500_000)),
            ("-0.0000001", Unit::Seconds, Some(-1)),
            ("9223372036854775807", Unit::Seconds, None),
            ("1e300", Unit::Seconds, None),
            ("99999999999999999999999999999999999999999", Unit::Nanos, None),
            ("", Unit::Seconds, None),
            ("-", Unit::Seconds, None),
            (".", Unit::Seconds, None),
            ("1.2.3", Unit::Seconds, None),
            ("12:30", Unit::Seconds, None),
        ] {
            assert_eq!(micros(text, unit), expected, "{text}");
        }
    }

    #[test]
    fn day_numbers_are_the_time_that_was_meant_however_many_digits_are_there() {
        let eight = 1_772_438_400_000_000;
        for text in ["46083.33333", "46083.3333333333", "46083,333333333336", "46083.3333"] {
            assert_eq!(serial(text, false), Some(eight), "{text}");
        }
        assert_eq!(serial("46083.3333564815", false), Some(eight + 2_000_000));
        assert_eq!(serial("44621.3333333333", true), Some(eight), "1904 is four years and a day later");
        assert_eq!(serial("46083", false), Some(1_772_409_600_000_000));
        assert_eq!(share_of_day("0.333333333333333"), Some(28_800_000_000));
        for text in ["60", "-3", "1772438400", "x", "NaN"] {
            assert_eq!(serial(text, false), None, "{text}");
        }
    }
}
