//! How long history is kept, as written on the command line: `raw=30d`, `raw=20GB`, `5min=1y`.

use twin_historian::Level;
use twin_historian::historian::{Limits, Retention};
use twin_model::Span;

/// One limit of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keep {
    level: Level,
    limit: Limit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Age(Span),
    Bytes(u64),
}

const HOW: &str = "write LEVEL=LIMIT: raw, 5min or 1h, then an age (12h, 30d, 1y) or a size (500MB, 20GB, 1TB)";

/// Reads one limit.
pub(super) fn keep(text: &str) -> Result<Keep, String> {
    let (level, limit) = text.split_once('=').ok_or_else(|| format!("'{text}' has no '='; {HOW}"))?;
    let known = level.parse::<Level>().ok().filter(|level| Level::TIERS.contains(level));
    let level = known.ok_or_else(|| format!("there is no level '{level}'; {HOW}"))?;
    let limit = bytes(limit).map(Limit::Bytes).or_else(|| age(limit).map(Limit::Age));
    let limit = limit.ok_or_else(|| format!("'{text}' sets no limit; {HOW}"))?;
    Ok(Keep { level, limit })
}

fn bytes(text: &str) -> Option<u64> {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("kB", 1e3)];
    let (number, scale) = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale)))?;
    let number: f64 = number.trim().parse().ok()?;
    (number > 0.0 && number * scale < 9e18).then_some((number * scale) as u64)
}

/// A span, where `y` is 365 days.
fn age(text: &str) -> Option<Span> {
    let span = match text.strip_suffix('y') {
        Some(years) => format!("{}d", years.trim().parse::<f64>().ok()? * 365.0).parse().ok()?,
        None => text.parse::<Span>().ok()?,
    };
    (span > Span::ZERO).then_some(span)
}

/// All limits together; of two of one kind and level the later one holds.
pub(super) fn retention(all: &[Keep]) -> Retention {
    let mut retention = Retention::default();
    for keep in all {
        let limits: &mut Limits = match keep.level {
            Level::FiveMinutes => &mut retention.five_minutes,
            Level::Hour => &mut retention.hour,
            Level::Raw | Level::Carried => &mut retention.raw,
        };
        match keep.limit {
            Limit::Age(age) => limits.age = Some(age),
            Limit::Bytes(bytes) => limits.bytes = Some(bytes),
        }
    }
    retention
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_ages_and_sizes_by_level() {
        let all: Vec<Keep> =
            ["raw=30d", "raw=20GB", "5min=1y", "1h=10y", "raw=12h"].iter().map(|text| keep(text).unwrap()).collect();
        let days = |days: i64| Some(Span::from_secs(days * 86_400));
        let wanted = Retention {
            raw: Limits { age: Some(Span::from_secs(43_200)), bytes: Some(20_000_000_000) },
            five_minutes: Limits { age: days(365), bytes: None },
            hour: Limits { age: days(3_650), bytes: None },
        };
        assert_eq!(retention(&all), wanted);
    }

    #[test]
    fn what_is_no_limit_is_refused_with_what_is_allowed() {
        for text in
            ["30d", "raw", "raw=", "raw=0d", "raw=-5d", "raw=many", "carried=1d", "2h=1d", "raw=0GB", "raw=5", "raw=nanGB"]
        {
            let why = keep(text).unwrap_err();
            assert!(why.contains("raw, 5min or 1h"), "{text}: {why}");
        }
    }
}
