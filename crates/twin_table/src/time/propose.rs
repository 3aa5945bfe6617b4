//! Words for times that are refused, with the notation that they look like.

use twin_model::Timestamp;

use super::civil::{self, DAY};
use super::number::Unit;
use super::{Pattern, TimeFault, TimeFormat, TimeReader, TimeSpec};
use crate::quoted;

/// Patterns that exports use most. Of a text that fits several, the first is named.
const USUAL: [&str; 58] = [
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d-%b-%Y %H:%M:%S%.f",
    "%Y%m%d%H%M%S",
    // Kin of ISO 8601: a digit alone, an hour alone, days of the year, without marks.
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M%z",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H%z",
    "%Y-%m-%dT%H",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H",
    "%Y-%jT%H:%M:%S%.f%z",
    "%Y-%jT%H:%M:%S%.f",
    "%Y-%j %H:%M:%S%.f",
    "%Y-%m-%d",
    "%Y%m%dT%H%M%S%.f%z",
    "%Y%m%dT%H%M%S%.f",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%y %H:%M:%S%.f",
    "%d.%m.%y %H:%M",
    "%d.%m.%y",
    // Days of the year alone, a date without marks beside a time, a comma between the two, months by name, twelve hours.
    "%Y-%j %H:%M",
    "%Y-%jT%H:%M%z",
    "%Y-%jT%H:%M",
    "%Y-%j",
    "%Y%j",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H%M",
    "%Y%m%dT%H%M%z",
    "%Y%m%dT%H%M",
    "%Y%m%d %H:%M:%S%.f",
    "%Y%m%d %H:%M",
    "%d.%m.%Y, %H:%M:%S%.f",
    "%d.%m.%Y, %H:%M",
    "%Y.%m.%d %H:%M:%S%.f",
    "%Y.%m.%d %H:%M",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p",
    "%b %d, %Y %I:%M:%S %p",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y %H:%M:%S%.f",
    "%b %d, %Y %H:%M",
    "%d %b %Y %H:%M:%S%.f",
    "%m/%d/%Y, %I:%M:%S %p",
    "%d/%m/%Y, %H:%M:%S%.f",
];

/// Counts of 100 nanoseconds that nothing here reads, with what they say at 1970-01-01T00:00:00Z.
const TICKS: [(&str, i64); 2] = [
    ("ticks of .NET (100 ns since the year 1)", 621_355_968_000_000_000),
    ("a FILETIME of Windows (100 ns since 1601)", 116_444_736_000_000_000),
];

pub(super) fn explain(spec: &TimeSpec, text: &str, fault: &TimeFault) -> String {
    let shown = quoted(text);
    let help = || ticks(spec, text).or_else(|| weeks(text)).or_else(|| proposal(spec, text));
    match fault {
        TimeFault::Unread if text.trim().is_empty() => "there is no time".to_owned(),
        TimeFault::Unread => match spec.format.wrong(text) {
            Some(why) => format!("{shown} is no time: {why}{}", proposal(spec, text).unwrap_or_default()),
            None => {
                let format = spec.format.as_str();
                let like = if spec.format == TimeFormat::Rfc3339 { " (2026-03-02T08:15:04+01:00)" } else { "" };
                format!("{shown} is not a time in the format {format}{like}{}", help().unwrap_or_default())
            }
        },
        TimeFault::Implausible(t) => {
            let help = help().unwrap_or_else(|| "; if it is right, write years = [\u{2026}] under [site]".to_owned());
            let which = match &spec.format {
                TimeFormat::Epoch(unit) => format!("as {}", unit.words()),
                other => format!("as {}", other.as_str()),
            };
            format!("{shown} {which} is {}, which is not within the years {}{help}", shown_time(*t), spec.years)
        }
        TimeFault::NoZone => format!("{shown} has no offset; write one (2026-03-02T08:15:04+01:00), or say which zone it is in"),
        TimeFault::Zone(why) => format!("{shown}: {why}"),
    }
}

/// An instant, or its year where the calendar ends.
fn shown_time(t: Timestamp) -> String {
    let (day, of_day) = (t.as_micros().div_euclid(DAY), t.as_micros().rem_euclid(DAY));
    let (year, month, date) = civil::date(day);
    if !(1..=9999).contains(&year) {
        return format!("about the year {year}");
    }
    let written = t.to_string();
    if written.ends_with('Z') {
        return written;
    }
    // The last day of the calendar, which has only begun somewhere on Earth.
    let (seconds, micros) = (of_day / 1_000_000, of_day % 1_000_000);
    let part = if micros > 0 { format!(".{micros:06}") } else { String::new() };
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}{part}Z")
}

/// Words for a number that is a plausible time by a count that nothing here reads. As nanoseconds since 1970 it would be one, too,
/// and another.
fn ticks(spec: &TimeSpec, text: &str) -> Option<String> {
    let number: i64 = text.trim().parse().ok()?;
    TICKS.iter().find_map(|(name, at_1970)| {
        let t = Timestamp::from_micros(number.checked_sub(*at_1970)?.div_euclid(10));
        spec.years.contains(t).then(|| {
            format!(
                "; it looks like {} as {name}, which no format reads: convert it to microseconds since 1970, (number - {at_1970}) / 10",
                shown_time(t)
            )
        })
    })
}

/// Words for a date by its week (`2026-W10-1`), which nothing here reads.
fn weeks(text: &str) -> Option<String> {
    let (year, rest) = text.trim().split_at_checked(4)?;
    let rest = rest.strip_prefix('-').unwrap_or(rest).strip_prefix('W')?;
    let (week, rest) = rest.split_at_checked(2)?;
    let digit =
        rest.strip_prefix('-').unwrap_or(rest).bytes().next().filter(u8::is_ascii_digit).map_or(1, |b| i64::from(b - b'0'));
    let (year, week): (i64, i64) = (year.parse().ok()?, week.parse().ok()?);
    if !(1..=9998).contains(&year) || !(1..=53).contains(&week) || !(1..=7).contains(&digit) {
        return None;
    }
    // The first week of a year has its fourth of January.
    let fourth = civil::days(year, 1, 4);
    let (year, month, day) = civil::date(fourth - (fourth + 3).rem_euclid(7) + (week - 1) * 7 + digit - 1);
    Some(format!("; it is a date by its week, {year:04}-{month:02}-{day:02}, and none are read: write year, month and day"))
}

/// Whether a text has as many digits as a pattern without marks asks for, and a day of the year as three: else `2026-03` would be a
/// day, and among numbers any of seven digits a date.
fn has_its_digits(pattern: &str, text: &str, numeric: bool) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if pattern.starts_with("%Y%m%d") && !pattern.starts_with("%Y%m%d%H") {
        return digits(text) == 8;
    }
    match pattern.strip_prefix("%Y") {
        Some(rest) if rest.starts_with("%j") => digits(text) == 7 && !numeric,
        Some(rest) if rest.starts_with("-%j") => text.get(5..).is_some_and(|day| digits(day) == 3),
        _ => true,
    }
}

/// Words with the notation in which a text would be a plausible time, and that time.
fn proposal(spec: &TimeSpec, text: &str) -> Option<String> {
    let epochs = Unit::ALL.into_iter().map(TimeFormat::Epoch);
    let numeric = matches!(spec.format, TimeFormat::Epoch(_) | TimeFormat::Seconds { .. } | TimeFormat::Serial(_));
    let usual = USUAL.iter().filter(|pattern| has_its_digits(pattern, text.trim(), numeric));
    let patterns = usual.filter_map(|pattern| Pattern::new(pattern).ok().map(TimeFormat::Pattern));
    let all = epochs.chain([TimeFormat::Rfc3339, TimeFormat::Serial(false)]).chain(patterns);
    let zone = spec.zone.clone().unwrap_or_else(super::Zone::utc);
    all.filter(|format| *format != spec.format).find_map(|format| {
        let name = format.as_str().to_owned();
        let spec = TimeSpec { format, zone: Some(zone.clone()), years: spec.years };
        let read = TimeReader::new(spec).read(0, text).ok()?;
        Some(format!("; it looks like {}: write format = \"{name}\"", shown_time(read.t)))
    })
}
