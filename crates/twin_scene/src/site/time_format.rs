//! How a CSV file writes its times, and reading them. Refuses to guess: a pattern without an offset needs one given.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use twin_model::{Span, Timestamp};

/// Notation of the time column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// RFC 3339 with an offset.
    Rfc3339,
    /// Seconds since 1970-01-01T00:00:00Z, fractions allowed.
    EpochSeconds,
    /// Milliseconds since then.
    EpochMillis,
    /// Microseconds since then.
    EpochMicros,
    /// Seconds since an instant, fractions allowed.
    Seconds {
        /// The instant of second 0.
        origin: Timestamp,
    },
    /// A `strftime` pattern such as `%Y-%m-%d %H:%M:%S`.
    Pattern {
        /// The pattern.
        pattern: String,
        /// How far the file's clock is ahead of UTC; used where the pattern itself reads no offset (`%z`).
        offset: Span,
    },
}

impl TimeFormat {
    /// Reads one time; `None` where the text does not fit.
    pub fn parse(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        match self {
            Self::Rfc3339 => text.parse().ok(),
            Self::EpochSeconds => scaled(text, 1_000_000).map(Timestamp::from_micros),
            Self::EpochMillis => scaled(text, 1_000).map(Timestamp::from_micros),
            Self::EpochMicros => scaled(text, 1).map(Timestamp::from_micros),
            Self::Seconds { origin } => Some(*origin + Span::from_micros(scaled(text, 1_000_000)?)),
            Self::Pattern { pattern, offset } => by_pattern(text, pattern, *offset),
        }
    }
}

/// A decimal number times a power of ten as a whole number; integers stay exact.
fn scaled(text: &str, factor: i64) -> Option<i64> {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.checked_mul(factor);
    }
    let scaled = (text.parse::<f64>().ok()? * factor as f64).round();
    (scaled.abs() < 9e18).then_some(scaled as i64)
}

fn by_pattern(text: &str, pattern: &str, offset: Span) -> Option<Timestamp> {
    let parsed = jiff::fmt::strtime::parse(pattern, text).ok()?;
    if parsed.offset().is_some() {
        return Some(Timestamp::from_micros(parsed.to_timestamp().ok()?.as_microsecond()));
    }
    let civil: DateTime = parsed.to_datetime().ok()?;
    let utc = civil.to_zoned(TimeZone::fixed(Offset::UTC)).ok()?.timestamp();
    Some(Timestamp::from_micros(utc.as_microsecond()) - offset)
}

/// Reads `UTC`, `Z`, `+01:00`, `-0530`; `None` for anything else (named zones change their offset over the year).
pub(crate) fn parse_offset(text: &str) -> Option<Span> {
    if matches!(text, "UTC" | "Z" | "utc") {
        return Some(Span::ZERO);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = (digits.get(..2)?.parse::<i64>().ok()?, digits.get(2..)?.parse::<i64>().ok()?);
    (hours < 24 && minutes < 60).then(|| Span::from_secs(sign * (hours * 3600 + minutes * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_gives_the_same_instant() {
        let pattern = |p: &str, o: &str| TimeFormat::Pattern { pattern: p.into(), offset: parse_offset(o).unwrap() };
        let origin = "2021-11-05T00:00:00Z".parse().unwrap();
        for (format, text) in [
            (TimeFormat::Rfc3339, "2021-11-05T01:00:00.5+01:00"),
            (TimeFormat::EpochSeconds, "1636070400.5"),
            (TimeFormat::EpochMillis, "1636070400500"),
            (TimeFormat::EpochMicros, "1636070400500000"),
            (TimeFormat::Seconds { origin }, "0.5"),
            (pattern("%Y-%m-%d %H:%M:%S%.f", "UTC"), "2021-11-05 00:00:00.5"),
            (pattern("%d.%m.%Y %H:%M:%S%.f", "+01:00"), "05.11.2021 01:00:00.5"),
            (pattern("%Y-%m-%d %H:%M:%S%.f%z", "UTC"), "2021-11-04 19:00:00.5-0500"),
        ] {
            assert_eq!(format.parse(text).map(|t| t.to_string()).as_deref(), Some("2021-11-05T00:00:00.5Z"), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_time() {
        for (format, text) in [
            (TimeFormat::Rfc3339, "2021-11-05T01:00:00"),
            (TimeFormat::EpochMillis, ""),
            (TimeFormat::EpochSeconds, "1e300"),
            (TimeFormat::EpochMillis, "9223372036854775807"),
            (TimeFormat::Pattern { pattern: "%Y".into(), offset: Span::ZERO }, "2021-11"),
        ] {
            assert_eq!(format.parse(text), None, "{text}");
        }
        for zone in ["", "+1", "Europe/Berlin", "+25:00", "é"] {
            assert_eq!(parse_offset(zone), None, "{zone}");
        }
    }
}
