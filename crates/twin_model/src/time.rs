//! Instants, spans and half-open ranges on the UTC time line, in whole microseconds.
//!
//! Microseconds are precise enough for plant data and exact as an `f64` in JavaScript until the year 2255.

use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};
use std::str::FromStr;

/// What is wrong with a text that should be a time or a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not an RFC 3339 instant.
    #[error("'{0}' is not a time; write it like 2026-03-02T08:15:04Z or 2026-03-02T09:15:04.120+01:00")]
    Instant(String),
    /// Not a span.
    #[error("'{0}' is not a duration; write a number and a unit: us, ms, s, min, h or d, for example 250ms, 5s, 2h")]
    Span(String),
}

/// An instant: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earlier than every real instant.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every real instant.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }

    /// From milliseconds since the Unix epoch, saturating.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// From whole seconds since the Unix epoch, saturating.
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch; exact to a microsecond for any date in use.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// How long ago `earlier` was, seen from `self` (negative where it lies ahead), saturating.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The instant rounded down to a multiple of `step` since the epoch; `step` of zero or less leaves it as it is.
    pub const fn floor_to(self, step: Span) -> Self {
        if step.0 <= 0 { self } else { Self(self.0.saturating_sub(self.0.rem_euclid(step.0))) }
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339 with any offset. A text without an offset is refused: guessing a zone is how logs get shifted.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let parsed: jiff::Timestamp = text.trim().parse().map_err(|_| TimeError::Instant(text.to_owned()))?;
        Ok(Self(parsed.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many fractional digits as needed; instants beyond the calendar print as microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// A signed length of time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From microseconds.
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }

    /// From milliseconds, saturating.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// From whole seconds, saturating.
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// From seconds, rounded to a microsecond, saturating; NaN gives zero.
    pub fn from_secs_f64(s: f64) -> Self {
        Self((s * 1e6).round() as i64)
    }

    /// Microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Whether the span is negative.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The span without its sign, saturating.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl FromStr for Span {
    type Err = TimeError;

    /// Reads a decimal number and a unit: `us`, `ms`, `s`, `min`, `h`, `d`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let bad = || TimeError::Span(text.to_owned());
        let t = text.trim();
        let split = t.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
        let (number, unit) = t.split_at(split);
        let number: f64 = number.trim().parse().map_err(|_| bad())?;
        let scale = match unit {
            "us" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            "min" => 60e6,
            "h" => 3_600e6,
            "d" => 86_400e6,
            _ => return Err(bad()),
        };
        let us = number * scale;
        if !us.is_finite() || us.abs() > 9e18 {
            return Err(bad());
        }
        Ok(Self(us.round() as i64))
    }
}

impl fmt::Display for Span {
    /// The largest unit that leaves a whole number, readable back by [`FromStr`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 6] =
            [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms"), (1, "us")];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (size, unit) in UNITS {
            if self.0 % size == 0 {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<i64> for Span {
    type Output = Self;
    fn mul(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Neg for Span {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

/// The instants from `start` up to but not including `end`; empty where `end <= start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// First instant in the range.
    pub start: Timestamp,
    /// First instant after the range.
    pub end: Timestamp,
}

impl TimeRange {
    /// A range from its two ends.
    pub const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whether no instant lies in it.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `t` lies in it.
    pub fn contains(self, t: Timestamp) -> bool {
        self.start <= t && t < self.end
    }

    /// Its length; zero where empty.
    pub fn span(self) -> Span {
        if self.is_empty() { Span::ZERO } else { self.end.since(self.start) }
    }

    /// The instants in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// The smallest range that holds both; an empty one adds nothing.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            other
        } else if other.is_empty() {
            self
        } else {
            Self { start: self.start.min(other.start), end: self.end.max(other.end) }
        }
    }

    /// What is left of this range where `other` is taken out: before it, after it, both or nothing.
    pub fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let parts = [Self::new(self.start, self.end.min(other.start)), Self::new(self.start.max(other.end), self.end)];
        parts.into_iter().filter(|part| !part.is_empty())
    }

    /// Ranges sorted and joined where they overlap or touch; empty ones are left out.
    pub fn merged(mut ranges: Vec<Self>) -> Vec<Self> {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_by_key(|range| range.start);
        let mut out: Vec<Self> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match out.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => out.push(range),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_round_trip_through_rfc_3339() {
        for text in ["2026-03-02T08:15:04Z", "2026-03-02T08:15:04.12Z", "1969-12-31T23:59:59.999999Z"] {
            let t: Timestamp = text.parse().unwrap();
            assert_eq!(t.to_string(), text);
        }
        let offset: Timestamp = "2026-03-02T09:15:04+01:00".parse().unwrap();
        assert_eq!(offset.to_string(), "2026-03-02T08:15:04Z");
    }

    #[test]
    fn a_time_without_a_zone_is_refused_with_a_hint() {
        let error = "2026-03-02T08:15:04".parse::<Timestamp>().unwrap_err();
        assert!(error.to_string().contains("write it like"), "{error}");
    }

    #[test]
    fn spans_read_every_unit_and_print_back() {
        for (text, us) in [("250ms", 250_000), ("5s", 5_000_000), ("1.5h", 5_400_000_000), ("2d", 172_800_000_000), ("90us", 90)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.as_micros(), us);
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
        for bad in ["", "5", "s", "5 weeks", "1e40d", "NaNs"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn extreme_arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + Span::from_secs(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Span::from_secs(1), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.since(Timestamp::MIN).as_micros(), i64::MAX);
        assert!(!Timestamp::MAX.to_string().is_empty());
    }

    #[test]
    fn ranges_are_half_open() {
        let r = TimeRange::new(Timestamp::from_secs(1), Timestamp::from_secs(2));
        assert!(r.contains(Timestamp::from_secs(1)) && !r.contains(Timestamp::from_secs(2)));
        let empty = TimeRange::new(Timestamp::from_secs(9), Timestamp::from_secs(3));
        assert!(empty.is_empty() && r.union(empty) == r && empty.span() == Span::ZERO);
    }

    #[test]
    fn ranges_are_joined_and_cut() {
        let range = |a: i64, b: i64| TimeRange::new(Timestamp::from_secs(a), Timestamp::from_secs(b));
        let joined = TimeRange::merged(vec![range(5, 7), range(9, 9), range(0, 2), range(2, 3), range(6, 8)]);
        assert_eq!(joined, [range(0, 3), range(5, 8)]);
        let cut = |by: TimeRange| range(10, 20).without(by).collect::<Vec<_>>();
        assert_eq!(cut(range(12, 15)), [range(10, 12), range(15, 20)]);
        assert_eq!(cut(range(0, 15)), [range(15, 20)]);
        assert_eq!(cut(range(15, 30)), [range(10, 15)]);
        assert_eq!(cut(range(10, 20)), []);
    }
}
