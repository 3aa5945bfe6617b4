//! Words for numbers, ages, times and bytes. Refuses to know layout.

use jiff::tz::TimeZone;
use twin_model::{Span, Timestamp, Value};

/// Between a number and its unit.
pub const THIN: char = '\u{2009}';

/// A number with at most four significant digits and a true minus sign; thousands become `k`, `M`, `G` from 10 000 on.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "not a number".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    let size = value.abs();
    let (scaled, suffix) = match size {
        s if s >= 9_999.5e9 => return signed(value, &format!("{:.2e}", size)),
        s if s >= 9_999.5e6 => (size / 1e9, "G"),
        s if s >= 9_999.5e3 => (size / 1e6, "M"),
        s if s >= 9_999.5 => (size / 1e3, "k"),
        _ => (size, ""),
    };
    let digits = if scaled >= 999.95 {
        0
    } else if scaled >= 99.995 {
        1
    } else if scaled >= 9.9995 || scaled == 0.0 {
        2
    } else if scaled >= 0.0095 {
        3
    } else {
        return signed(value, &format!("{size:.2e}"));
    };
    let mut text = format!("{scaled:.digits$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if !suffix.is_empty() {
        text.push(THIN);
        text.push_str(suffix);
    }
    signed(value, &text)
}

fn signed(value: f64, magnitude: &str) -> String {
    if value < 0.0 && magnitude != "0" { format!("−{magnitude}") } else { magnitude.to_owned() }
}

/// A number that keeps its width while it changes: as many decimals as its size leaves of four significant digits, at most
/// two, zeros included.
pub fn steady(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size >= 9_999.5 || (size < 0.095 && size > 0.0) {
        return number(value);
    }
    let digits = if size >= 999.95 {
        0
    } else if size >= 99.995 {
        1
    } else {
        2
    };
    signed(value, &format!("{size:.digits$}"))
}

/// A number with its sign, for differences and knob settings: `+20`, `−8`, `0`.
pub fn difference(value: f64) -> String {
    let text = number(value);
    if value > 0.0 && text != "0" { format!("+{text}") } else { text }
}

/// A number with its unit after a thin space.
pub fn with_unit(number: &str, unit: &str) -> String {
    if unit.is_empty() { number.to_owned() } else { format!("{number}{THIN}{unit}") }
}

/// Whole numbers below this are shown with every digit: pieces are counted one by one.
const EVERY_DIGIT: u64 = 10_000_000;

/// A whole number: all its digits, in groups of three from 10 000 on, as long as there are at most seven; else as [`number`].
pub fn whole(value: i64) -> String {
    let size = value.unsigned_abs();
    let text = match size {
        0..10_000 => size.to_string(),
        10_000..1_000_000 => format!("{}{THIN}{:03}", size / 1_000, size % 1_000),
        1_000_000..EVERY_DIGIT => format!("{}{THIN}{:03}{THIN}{:03}", size / 1_000_000, size / 1_000 % 1_000, size % 1_000),
        _ => return number(value as f64),
    };
    if value < 0 { format!("−{text}") } else { text }
}

/// A value as people read it: steady numbers, `on` and `off`, words as they are.
pub fn value(value: &Value) -> String {
    match value {
        Value::Float(v) => steady(*v),
        Value::Int(v) => whole(*v),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Text(text) => text.to_string(),
    }
}

/// A length of time in one unit, or two where the second matters: `0.4 s`, `12 s`, `3 min`, `2 h 14 min`, `5 d`.
pub fn span(span: Span) -> String {
    let us = span.as_micros().unsigned_abs();
    let seconds = us / 1_000_000;
    match seconds {
        0..10 => {
            let tenths = us / 100_000;
            if tenths.is_multiple_of(10) {
                format!("{}{THIN}s", tenths / 10)
            } else {
                format!("{}.{}{THIN}s", tenths / 10, tenths % 10)
            }
        }
        10..120 => format!("{seconds}{THIN}s"),
        120..3_600 => format!("{}{THIN}min", seconds / 60),
        3_600..172_800 => match seconds / 60 % 60 {
            0 => format!("{}{THIN}h", seconds / 3_600),
            minutes => format!("{}{THIN}h {minutes}{THIN}min", seconds / 3_600),
        },
        _ => format!("{}{THIN}d", seconds / 86_400),
    }
}

/// A length of time that is only roughly known, in steps of about a tenth: `40 s`, `25 min`, `6 h 30 min`, `3 d`.
pub fn about(length: Span) -> String {
    let seconds = length.as_micros().unsigned_abs() / 1_000_000;
    let step = match seconds {
        0..120 => 10,
        120..1_200 => 60,
        1_200..7_200 => 300,
        7_200..43_200 => 1_800,
        43_200..172_800 => 3_600,
        _ => 86_400,
    };
    let rounded = ((seconds + step / 2) / step * step).max(10);
    span(Span::from_secs(i64::try_from(rounded).unwrap_or(i64::MAX)))
}

/// How old something is: `now`, `2 s ago`.
pub fn ago(age: Span) -> String {
    if age.as_micros() < 0 {
        return format!("in {}", span(age));
    }
    if age.as_micros() < 500_000 { "now".to_owned() } else { format!("{} ago", span(age)) }
}

/// Age with whole seconds, so that a list of ages does not flicker.
pub fn ago_calm(age: Span) -> String {
    ago(Span::from_secs(age.as_micros().div_euclid(1_000_000)))
}

/// Bytes in decimal units with two or three digits: `812 B`, `3.1 MB`.
pub fn bytes(bytes: u64) -> String {
    let b = bytes as f64;
    let (scaled, unit) = match b {
        b if b >= 1e9 => (b / 1e9, "GB"),
        b if b >= 1e6 => (b / 1e6, "MB"),
        b if b >= 1e3 => (b / 1e3, "kB"),
        _ => return format!("{bytes}{THIN}B"),
    };
    if scaled >= 99.95 { format!("{scaled:.0}{THIN}{unit}") } else { format!("{scaled:.1}{THIN}{unit}") }
}

/// A playback speed: `1×`, `0.1×`, `−10×`.
pub fn speed(speed: f64) -> String {
    format!("{}×", number(speed))
}

/// The site's clock: turns instants into local time of day and date.
#[derive(Debug, Clone)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// The zone of an IANA name; UTC where the name is unknown.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), zone: TimeZone::get(name).unwrap_or(TimeZone::UTC) }
    }

    /// The name that it was made from.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn local(&self, t: Timestamp) -> Option<jiff::Zoned> {
        Some(jiff::Timestamp::from_microsecond(t.as_micros()).ok()?.to_zoned(self.zone.clone()))
    }

    fn print(&self, t: Timestamp, pattern: &str) -> String {
        self.local(t).map_or_else(|| "–".to_owned(), |local| local.strftime(pattern).to_string())
    }

    /// `14:02:31`
    pub fn clock(&self, t: Timestamp) -> String {
        self.print(t, "%H:%M:%S")
    }

    /// `14:02`
    pub fn minute(&self, t: Timestamp) -> String {
        self.print(t, "%H:%M")
    }

    /// `21 Nov`
    pub fn day(&self, t: Timestamp) -> String {
        self.print(t, "%-d %b")
    }

    /// `Sat 21 Nov`
    pub fn date(&self, t: Timestamp) -> String {
        self.print(t, "%a %-d %b")
    }

    /// `2026`
    pub fn year(&self, t: Timestamp) -> String {
        self.print(t, "%Y")
    }

    /// Abbreviation of the zone at an instant, for example `CET`.
    pub fn abbreviation(&self, t: Timestamp) -> String {
        self.print(t, "%Z")
    }

    /// Both clocks for a tooltip: `Sat 21 Nov 2026 14:02:31.120 CET` and UTC on a second line.
    pub fn both(&self, t: Timestamp) -> String {
        let utc = jiff::Timestamp::from_microsecond(t.as_micros()).map_or_else(|_| String::new(), |t| format!("\n{t:.3} (UTC)"));
        format!("{}{utc}", self.print(t, "%a %-d %b %Y %H:%M:%S%.3f %Z"))
    }

    /// Seconds that local time is ahead of UTC at an instant, for placing ticks on local hours and days.
    pub fn offset(&self, t: Timestamp) -> Span {
        self.local(t).map_or(Span::ZERO, |local| Span::from_secs(i64::from(local.offset().seconds())))
    }

    /// The time as short as it stays clear next to `now`: `14:02:31`, or with the day where it is another one.
    pub fn brief(&self, t: Timestamp, now: Timestamp) -> String {
        if self.day(t) == self.day(now) { self.clock(t) } else { format!("{} {}", self.day(t), self.minute(t)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_roughly_known_is_said_roughly() {
        for (seconds, words) in [
            (3, "10\u{2009}s"),
            (44, "40\u{2009}s"),
            (191, "3\u{2009}min"),
            (1_620, "25\u{2009}min"),
            (22_000, "6\u{2009}h"),
            (23_900, "6\u{2009}h 30\u{2009}min"),
            (260_000, "3\u{2009}d"),
        ] {
            assert_eq!(about(Span::from_secs(seconds)), words);
        }
    }

    #[test]
    fn whole_numbers_show_their_digits() {
        for (value, text) in [
            (0, "0"),
            (9_999, "9999"),
            (-95_704, "−95\u{2009}704"),
            (1_000_007, "1\u{2009}000\u{2009}007"),
            (12_345_678, "12.35\u{2009}M"),
            (i64::MIN, "−9.22e18"),
        ] {
            assert_eq!(whole(value), text);
        }
    }

    #[test]
    fn numbers_have_at_most_four_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (7.4, "7.4"),
            (71.38, "71.38"),
            (71.3849, "71.38"),
            (1234.56, "1235"),
            (99_999.0, "100\u{2009}k"),
            (154_322.0, "154.3\u{2009}k"),
            (-8.0, "−8"),
            (0.1234567, "0.123"),
            (0.000_12, "1.20e-4"),
            (2.5e12, "2500\u{2009}G"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
        assert_eq!(number(f64::NAN), "not a number");
        assert_eq!(number(-0.0), "0");
    }

    #[test]
    fn steady_numbers_keep_their_decimals() {
        assert_eq!(steady(7.4), "7.40");
        assert_eq!(steady(71.0), "71.00");
        assert_eq!(steady(512.25), "512.2");
        assert_eq!(steady(1480.0), "1480");
    }

    #[test]
    fn spans_use_the_unit_that_people_would() {
        for (us, text) in [
            (400_000, "0.4\u{2009}s"),
            (12_000_000, "12\u{2009}s"),
            (185_000_000, "3\u{2009}min"),
            (8_040_000_000, "2\u{2009}h 14\u{2009}min"),
            (432_000_000_000, "5\u{2009}d"),
        ] {
            assert_eq!(span(Span::from_micros(us)), text);
        }
    }

    #[test]
    fn clocks_follow_the_site_s_zone() {
        let t: Timestamp = "2026-11-21T13:02:31Z".parse().expect("literal");
        let berlin = Zone::named("Europe/Berlin");
        assert_eq!(berlin.clock(t), "14:02:31");
        assert_eq!(berlin.date(t), "Sat 21 Nov");
        assert_eq!(berlin.abbreviation(t), "CET");
        assert_eq!(Zone::named("Nowhere/Land").clock(t), "13:02:31");
    }
}
