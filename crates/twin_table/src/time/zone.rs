//! From the clock of a file to the time line: fixed offsets, named zones, and the hours that come twice or never.

use jiff::Timestamp as Jiff;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use super::iso;

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
                if let Some(offset) = Self::offset_meant(text) {
                    let side = if offset.starts_with('-') { "behind" } else { "ahead of" };
                    return Err(format!(
                        "'{text}' is no time zone; write the offset as {offset} where the clock is {side} UTC, or an IANA name such as \
                         Europe/Berlin"
                    ));
                }
                let city = text.rsplit('/').next().unwrap_or(text).to_lowercase().replace(' ', "_");
                let near = db
                    .available()
                    .map(|name| name.to_string())
                    // Their signs are those of POSIX: Etc/GMT+1 is an hour behind UTC.
                    .filter(|name| !name.starts_with("Etc/"))
                    .filter(|name| city.len() > 2 && name.to_lowercase().ends_with(&city));
                let near: Vec<String> = near.take(3).collect();
                let like = if near.is_empty() { "Europe/Berlin".to_owned() } else { near.join(" or ") };
                Err(format!("'{text}' is no time zone; write an IANA name such as {like}, an offset such as +01:00, or UTC"))
            }
        }
    }

    /// The offset that a text seems to mean (`+1`, `GMT+1`, `UTC+5:30`), as this reads it (`+01:00`); `None` where it is one already, or
    /// seems to be none.
    pub fn offset_meant(text: &str) -> Option<String> {
        let text = text.trim();
        if iso::offset(text).is_some() {
            return None;
        }
        let name = text.get(..3).filter(|name| ["utc", "gmt"].iter().any(|known| known.eq_ignore_ascii_case(name)));
        let rest = name.map_or(text, |name| text.get(name.len()..).unwrap_or_default().trim_start());
        let (sign, rest) = match rest.chars().next()? {
            '+' => ('+', rest.get(1..)?),
            '-' => ('-', rest.get(1..)?),
            '\u{2212}' => ('-', rest.get('\u{2212}'.len_utf8()..)?),
            _ => return None,
        };
        let (hours, minutes) = match rest.trim().split_once([':', '.']) {
            Some((hours, minutes)) => (hours, minutes),
            None if rest.trim().len() > 2 => rest.trim().split_at_checked(rest.trim().len() - 2)?,
            None => (rest.trim(), "00"),
        };
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i64>().ok())?;
        let (hours, minutes) = (number(hours)?, number(minutes).filter(|_| minutes.len() == 2)?);
        (hours < 24 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether its offset changes over the year.
    pub(crate) fn changes(&self) -> bool {
        matches!(self.kind, Kind::Named(_))
    }

    /// Whether a reading of its clock lies in the hour after one that never came, so that texts of both may mean the same instant.
    pub(crate) fn follows_a_gap(&self, local: i64) -> bool {
        let before = local.checked_sub(3_600_000_000).and_then(|before| self.instants(before));
        self.changes() && matches!(before, Some(Instants::Skipped(_)))
    }

    /// Whether a reading of its clock may be `offset` seconds ahead of UTC. In the hour that never comes that is the offset from
    /// before, as everywhere. Offsets are written in whole minutes, and some old ones had seconds.
    ///
    /// # Errors
    /// Words that name the offsets that it has then: which of the two is right nobody can tell (RFC 9557 section 3.4).
    pub(crate) fn agrees(&self, local: i64, offset: i64) -> Result<(), String> {
        let of = |t: i64| local.saturating_sub(t) / 1_000_000;
        let has = match self.instants(local) {
            None => return Ok(()),
            Some(Instants::One(t) | Instants::Skipped(t)) => vec![of(t)],
            Some(Instants::Two(first, second)) => vec![of(first), of(second)],
        };
        if has.iter().any(|has| (has - offset).abs() < 60) {
            return Ok(());
        }
        let words: Vec<String> = has.into_iter().map(written).collect();
        let (name, given) = (&self.name, written(offset));
        Err(format!(
            "the clock of {name} is at {} then and never at {given}; correct one of the two, or leave one out",
            words.join(" or ")
        ))
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

/// Abbreviations that mean one clock wherever the tz database has them today, in minutes ahead of UTC; those of clocks that change
/// over the year with a zone that has them: what is never on its clock then is refused. AEST and ACST are kept all year by Brisbane and
/// Darwin. Not here is what means several: CST, CDT, IST, PST (of America and the Philippines).
const ABBREVIATIONS: [(&str, i64, Option<&str>); 26] = [
    ("CET", 60, Some("CET")),
    ("CEST", 120, Some("CET")),
    ("MET", 60, Some("MET")),
    ("MEST", 120, Some("MET")),
    ("EET", 120, Some("EET")),
    ("EEST", 180, Some("EET")),
    ("WET", 0, Some("WET")),
    ("WEST", 60, Some("WET")),
    ("BST", 60, Some("Europe/London")),
    ("MSK", 180, None),
    ("SAST", 120, None),
    ("JST", 540, None),
    ("KST", 540, None),
    ("AEST", 600, None),
    ("AEDT", 660, Some("Australia/Sydney")),
    ("ACST", 570, None),
    ("ACDT", 630, Some("Australia/Adelaide")),
    ("AWST", 480, None),
    ("NZST", 720, Some("Pacific/Auckland")),
    ("NZDT", 780, Some("Pacific/Auckland")),
    ("EDT", -240, Some("America/New_York")),
    ("MDT", -360, Some("America/Denver")),
    ("AKST", -540, Some("America/Anchorage")),
    ("AKDT", -480, Some("America/Anchorage")),
    ("NST", -210, Some("America/St_Johns")),
    ("NDT", -150, Some("America/St_Johns")),
];

/// Seconds ahead of UTC that an abbreviation says, and the zone whose clock it is where it says that, too.
pub(super) fn abbreviation(text: &str) -> Option<(i64, Option<&'static str>)> {
    ABBREVIATIONS.iter().find(|(name, ..)| *name == text).map(|(_, minutes, zone)| (minutes * 60, *zone))
}

/// Words for an abbreviation of the other half of the year: whether the clock was never put forward, or only its name, nobody can tell.
pub(super) fn other_half(why: &str) -> String {
    let what = why.split_once("; ").map_or(why, |(what, _)| what);
    format!(
        "{what}; where the name is always the same, write it into the pattern as it stands, and say zone = \"+01:00\" or \"Europe/Berlin\", whichever it is"
    )
}

/// An offset as people write it: `+02:00`.
fn written(seconds: i64) -> String {
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
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
    fn an_offset_that_is_written_otherwise_is_answered_with_one_that_is_read() {
        for (text, offset) in [
            ("GMT+1", "+01:00"),
            ("UTC+1", "+01:00"),
            ("utc + 01:00", "+01:00"),
            ("UTC+5:30", "+05:30"),
            ("GMT-0330", "-03:30"),
            ("+1", "+01:00"),
            ("\u{2212}8", "-08:00"),
            ("+530", "+05:30"),
        ] {
            let error = Zone::new(text).unwrap_err();
            assert!(error.contains(&format!("write the offset as {offset} where")) && !error.contains("Etc/"), "{error}");
            assert!(Zone::new(offset).is_ok(), "what is advised is read: {offset}");
        }
        for text in ["Berlin", "UTC+25", "GMT+", "W. Europe Standard Time", "+01:00", "UTC", "+1x", "-0:5"] {
            assert_eq!(Zone::offset_meant(text), None, "{text}");
        }
        assert!(Zone::new("Etc/GMT+1").is_ok(), "a name is what it is");
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
}
