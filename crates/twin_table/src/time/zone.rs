//! From the clock of a file to the time line: fixed offsets, named zones, and the hour that comes twice in autumn.

use std::collections::HashMap;

use jiff::Timestamp as Jiff;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use super::iso;

/// Series whose last time is remembered to tell the two passes of an hour apart; beyond it they share one memory.
const SERIES: usize = 100_000;

/// The clock that a text without offset was written by.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Seconds ahead of UTC.
    Fixed(i64),
    Named(TimeZone),
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), kind: Kind::Fixed(0) }
    }

    /// Reads `UTC`, an offset such as `+01:00`, or an IANA name such as `Europe/Berlin`.
    ///
    /// # Errors
    /// Words that name near zones, where there is none of the name.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(seconds) = iso::offset(text) {
            return Ok(Self { name: text.to_owned(), kind: Kind::Fixed(seconds) });
        }
        let db = TimeZoneDatabase::bundled();
        match db.get(text) {
            // `Etc/Unknown` is a name for having none.
            Ok(zone) if !zone.is_unknown() => {
                Ok(Self { name: zone.iana_name().unwrap_or(text).to_owned(), kind: Kind::Named(zone) })
            }
            _ => {
                let city = text.rsplit('/').next().unwrap_or(text).to_lowercase().replace(' ', "_");
                let near = db
                    .available()
                    .map(|name| name.to_string())
                    .filter(|name| city.len() > 2 && name.to_lowercase().ends_with(&city));
                let near: Vec<String> = near.take(3).collect();
                let like = if near.is_empty() { "Europe/Berlin".to_owned() } else { near.join(" or ") };
                Err(format!("'{text}' is no time zone; write an IANA name such as {like}, an offset such as +01:00, or UTC"))
            }
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether its offset changes over the year.
    pub(crate) fn changes(&self) -> bool {
        matches!(self.kind, Kind::Named(_))
    }

    /// The instants that a reading of its clock may mean.
    pub(crate) fn instants(&self, local: i64) -> Option<Instants> {
        match &self.kind {
            Kind::Fixed(seconds) => local.checked_sub(seconds * 1_000_000).map(Instants::One),
            Kind::Named(zone) => {
                let civil = Jiff::from_microsecond(local).ok()?.to_zoned(TimeZone::UTC).datetime();
                let at = |offset: jiff::tz::Offset| local.checked_sub(i64::from(offset.seconds()) * 1_000_000);
                Some(match zone.to_ambiguous_timestamp(civil).offset() {
                    AmbiguousOffset::Unambiguous { offset } => Instants::One(at(offset)?),
                    AmbiguousOffset::Fold { before, after } => Instants::Two(at(before)?, at(after)?),
                    // A clock that was not put forward goes on by the offset from before.
                    AmbiguousOffset::Gap { before, .. } => Instants::Skipped(at(before)?),
                })
            }
        }
    }
}

/// What a reading of a clock may mean, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instants {
    One(i64),
    /// The hour came twice: the first and the second pass.
    Two(i64, i64),
    /// The clock never showed this; what it means if it was not put forward.
    Skipped(i64),
}

/// The last time of each series, which tells the passes of a doubled hour apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// The table is written newest first.
    pub(crate) descending: bool,
    last: HashMap<u64, i64>,
}

impl Order {
    pub(crate) fn note(&mut self, series: u64, t: i64) {
        let series = if self.last.len() < SERIES || self.last.contains_key(&series) { series } else { 0 };
        self.last.insert(series, t);
    }

    /// Which of two instants comes next in the series.
    pub(crate) fn choose(&self, series: u64, first: i64, second: i64) -> i64 {
        let Some(last) = self.last.get(&series).copied() else {
            return if self.descending { second } else { first };
        };
        if self.descending {
            if second < last { second } else { first }
        } else if first > last || second <= last {
            first
        } else {
            second
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> i64 {
        iso::read(text).unwrap().local
    }

    #[test]
    fn names_and_offsets_are_zones_and_nonsense_names_its_neighbours() {
        assert_eq!(Zone::new("europe/berlin").unwrap().as_str(), "Europe/Berlin");
        assert_eq!(Zone::new("-05:30").unwrap().instants(0), Some(Instants::One(19_800_000_000)));
        assert!(!Zone::new("UTC").unwrap().changes());
        let error = Zone::new("Berlin").unwrap_err();
        assert!(error.contains("such as Europe/Berlin"), "{error}");
        assert!(Zone::new("Mars/Olympus").unwrap_err().contains("is no time zone"));
    }

    #[test]
    fn an_hour_may_come_twice_or_never() {
        let berlin = Zone::new("Europe/Berlin").unwrap();
        let hour = 3_600_000_000;
        let utc = local("2025-10-26 00:30");
        assert_eq!(berlin.instants(local("2025-10-26 02:30")), Some(Instants::Two(utc, utc + hour)));
        assert_eq!(berlin.instants(local("2026-03-29 02:30")), Some(Instants::Skipped(local("2026-03-29 01:30"))));
        assert_eq!(berlin.instants(local("2026-07-01 12:00")), Some(Instants::One(local("2026-07-01 10:00"))));
    }

    #[test]
    fn the_pass_of_a_doubled_hour_follows_the_order_of_the_rows() {
        let (first, second) = (100, 200);
        let mut order = Order::default();
        assert_eq!(order.choose(1, first, second), first, "nothing before it");
        order.note(1, 100);
        assert_eq!(order.choose(1, first, second), second, "the same reading again");
        assert_eq!(order.choose(2, first, second), first, "another series");
        let mut order = Order { descending: true, ..Order::default() };
        assert_eq!(order.choose(1, first, second), second);
        order.note(1, 200);
        assert_eq!(order.choose(1, first, second), first);
    }
}
