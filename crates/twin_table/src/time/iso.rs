//! Times in the notation of ISO 8601 and RFC 3339, with what people change about it. Knows no zones but those in the text.

use super::civil::{Civil, fraction};

/// A time as it stands in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Microseconds since 1970 on the clock of the text.
    pub(crate) local: i64,
    /// How far that clock is ahead of UTC, in seconds, where the text says so.
    pub(crate) offset: Option<i64>,
    /// The text says so in a way that gives the instant and says nothing about any clock: `Z`, `-00:00` (RFC 9557 section 2).
    pub(crate) utc: bool,
    /// The name of a zone in the text.
    pub(crate) zone: Option<String>,
    /// The offset is that of an abbreviation such as `CET`, which names the zone, too.
    pub(crate) abbreviated: bool,
    /// It is the sixty-first second of a minute.
    pub(crate) leaps: bool,
}

/// Reads `2026-03-02T08:15:04.120+01:00` and its kin: a blank for the T, a comma before the fraction, no seconds, a date alone
/// (its midnight), `24:00`, `:60`, offsets as `Z`, `UTC`, `+01`, `+0100`, `+01:00`, a zone's name in brackets.
pub(crate) fn read(text: &str) -> Option<Written> {
    let (mut out, civil) = parts(text)?;
    out.leaps = civil.leaps();
    out.local = civil.local()?;
    Some(out)
}

/// What is wrong with a text that has the notation and is no time (30 February).
pub(crate) fn wrong(text: &str) -> Option<String> {
    parts(text)?.1.wrong()
}

/// What stands where, whether a calendar has it or not.
fn parts(text: &str) -> Option<(Written, Civil)> {
    let mut rest = text.trim();
    let mut out = Written::default();
    if let Some((before, name)) = rest.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        (rest, out.zone) = (before.trim_end(), Some(name.to_owned()));
    }
    let mut civil = Civil { year: digits(&mut rest, 4)?, ..Civil::default() };
    eat(&mut rest, '-')?;
    civil.month = digits(&mut rest, 2)?;
    eat(&mut rest, '-')?;
    civil.day = digits(&mut rest, 2)?;
    let separated = eat(&mut rest, 'T').or_else(|| eat(&mut rest, 't')).or_else(|| eat(&mut rest, ' '));
    if separated.is_some() {
        rest = rest.trim_start();
        civil.hour = digits(&mut rest, 2)?;
        eat(&mut rest, ':')?;
        civil.minute = digits(&mut rest, 2)?;
        if eat(&mut rest, ':').is_some() {
            civil.second = digits(&mut rest, 2)?;
            if eat(&mut rest, '.').or_else(|| eat(&mut rest, ',')).is_some() {
                let end = rest.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
                civil.micros = fraction(rest.get(..end)?)?;
                rest = rest.get(end..)?;
            }
        }
        let rest = rest.trim();
        out.offset = if rest.is_empty() { None } else { Some(offset(rest)?) };
        out.utc = says_utc(rest);
    } else if !rest.is_empty() {
        return None;
    }
    Some((out, civil))
}

/// Reads `Z`, `UTC`, `GMT`, `+01`, `+0100`, `+01:00`, `-05:30:10`, in seconds ahead of UTC.
pub(crate) fn offset(text: &str) -> Option<i64> {
    if ["z", "utc", "gmt"].iter().any(|name| name.eq_ignore_ascii_case(text)) {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let parts: Vec<&str> = if rest.contains(':') {
        rest.split(':').collect()
    } else {
        vec![rest.get(..2)?, rest.get(2..)?].into_iter().filter(|part| !part.is_empty()).collect()
    };
    if parts.len() > 3 || parts.iter().any(|part| part.len() != 2 || !part.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let part = |at: usize| parts.get(at).map_or(Some(0), |part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(1)?, part(2)?);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

/// Whether an offset is that of an instant whose clock is not known, rather than that of a clock on UTC.
pub(crate) fn says_utc(text: &str) -> bool {
    text.eq_ignore_ascii_case("z") || text.starts_with("-00") && offset(text) == Some(0)
}

/// Takes exactly `n` digits.
fn digits(rest: &mut &str, n: usize) -> Option<i64> {
    let (number, after) = rest.split_at_checked(n)?;
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    *rest = after;
    number.parse().ok()
}

fn eat(rest: &mut &str, c: char) -> Option<()> {
    *rest = rest.strip_prefix(c)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_instant_in_many_spellings() {
        let expected = read("2026-03-02T08:15:04.5Z").unwrap();
        assert_eq!(expected.local, 1_772_439_304_500_000);
        for text in [
            "2026-03-02 08:15:04.5 UTC",
            "2026-03-02t08:15:04,5z",
            "2026-03-02T08:15:04.500000000+00:00",
            "  2026-03-02  08:15:04.50+0000 ",
            "2026-03-02T08:15:04.5+00",
        ] {
            let found = read(text).unwrap();
            assert_eq!((found.local, found.offset), (expected.local, Some(0)), "{text}");
        }
        assert_eq!(read("2026-03-02T08:15:04.5-05:30").unwrap().offset, Some(-19_800));
        let named = read("2026-03-02T08:15:04.5[Europe/Berlin]").unwrap();
        assert_eq!((named.offset, named.zone.as_deref()), (None, Some("Europe/Berlin")));
    }

    #[test]
    fn a_date_is_its_midnight_and_24_00_the_next() {
        let local = |text: &str| read(text).unwrap().local;
        assert_eq!(local("2026-03-03"), local("2026-03-02 24:00"));
        assert_eq!(local("2026-03-02 08:15"), local("2026-03-02T08:15:00"));
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in [
            "",
            "2026",
            "26-03-02",
            "2026-3-2",
            "2026-03-02T",
            "2026-03-02T8:15",
            "2026-03-02T08:15:04.",
            "2026-03-02T08:15:04+1",
            "2026-03-02T08:15:04 o'clock",
            "2026-02-30",
            "2026-03-02X",
            "２０２６-03-02",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
