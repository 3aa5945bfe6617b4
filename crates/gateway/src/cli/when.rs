//! Instants of the command line.

use twin_model::Timestamp;
use twin_table::Unit;

use crate::clock;

/// Years in which a number is taken for a time: 1971 to 2200, in microseconds. What it means in other units lies far off.
const LIKELY: std::ops::Range<i64> = 31_536_000_000_000..7_258_118_400_000_000;

/// Reads an instant: RFC 3339, `now`, or microseconds since 1970 with their unit, as instants beyond the calendar are written. A bare
/// number is refused: programs count seconds, milliseconds and more, and what is taken for another of them is an answer about 1970.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(clock::wall());
    }
    if let Some(micros) = text.strip_suffix("us").and_then(|number| number.trim().parse::<i64>().ok()) {
        return Ok(Timestamp::from_micros(micros));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && digits.parse::<f64>().is_ok() {
        return Err(bare(text));
    }
    text.parse().map_err(|error: twin_model::TimeError| error.to_string())
}

/// What to write instead of a number.
fn bare(number: &str) -> String {
    let as_counted = Unit::ALL.into_iter().find_map(|unit| Some((unit, unit.micros(number).filter(|at| LIKELY.contains(at))?)));
    match as_counted {
        Some((unit, micros)) => {
            let (unit, t) = (unit.words(), Timestamp::from_micros(micros));
            format!("a number alone is no time; it looks like {unit} since 1970: write {t}")
        }
        None => "a number alone is no time; write it like 2026-03-02T08:15:04Z".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_refused_with_what_it_looks_like() {
        for (text, part) in [
            ("1772438400", "looks like seconds since 1970: write 2026-03-02T08:00:00Z"),
            ("1772438400.5", "looks like seconds since 1970: write 2026-03-02T08:00:00.5Z"),
            ("1772438400000", "looks like milliseconds since 1970: write 2026-03-02T08:00:00Z"),
            ("1772438400000001", "looks like microseconds since 1970: write 2026-03-02T08:00:00.000001Z"),
            ("1772438400000000000", "looks like nanoseconds since 1970: write 2026-03-02T08:00:00Z"),
            ("0", "write it like 2026-03-02T08:15:04Z"),
            ("2026", "write it like 2026-03-02T08:15:04Z"),
            ("-1772438400", "write it like 2026-03-02T08:15:04Z"),
            ("99999999999999999999999999", "write it like 2026-03-02T08:15:04Z"),
            ("2026-03-02T08:00:00", "2026-03-02T08:00:00"),
        ] {
            let why = instant(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_written_of_an_instant_reads_back() {
        for micros in [0, 1_772_438_400_000_001, -5, i64::MAX, i64::MIN] {
            let t = Timestamp::from_micros(micros);
            assert_eq!(instant(&t.to_string()), Ok(t));
        }
        assert_eq!(instant("1772438400000000us").unwrap().to_string(), "2026-03-02T08:00:00Z");
        assert!(instant("now").unwrap() > Timestamp::from_micros(0));
    }
}
