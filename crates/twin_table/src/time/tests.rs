//! One notation after the other, and what a reader says about texts in another.

use super::*;

fn spec(format: &str, zone: Option<&str>) -> TimeSpec {
    let format = TimeFormat::parse(format, "2021-11-05T00:00:00Z".parse().ok()).unwrap().unwrap();
    TimeSpec { format, zone: zone.map(|zone| Zone::new(zone).unwrap()), years: Years::default() }
}

#[test]
fn every_notation_gives_the_same_instant() {
    for (format, zone, text) in [
        ("rfc3339", None, "2021-11-05T01:00:00.5+01:00"),
        ("rfc3339", Some("Europe/Berlin"), "2021-11-05 01:00:00,5"),
        ("rfc3339", None, "2021-11-05T01:00:00.5[Europe/Berlin]"),
        ("epoch_s", None, "1636070400.5"),
        ("epoch_ms", None, "1636070400500"),
        ("epoch_us", None, "1636070400500000"),
        ("epoch_ns", None, "1636070400500000000"),
        ("seconds", None, "0.5"),
        ("excel", Some("UTC"), "44505.0000057870"),
        ("%Y-%m-%d %H:%M:%S%.f", Some("UTC"), "2021-11-05 00:00:00.5"),
        ("%d.%m.%Y %H:%M:%S%.f", Some("+01:00"), "05.11.2021 01:00:00.5"),
        ("%Y-%m-%d %H:%M:%S%.f%z", None, "2021-11-04 19:00:00.5-0500"),
        ("%Y-%m-%d %H:%M:%S%.f %Q", None, "2021-11-04 20:00:00.5 America/New_York"),
    ] {
        let read = TimeReader::new(spec(format, zone)).read(0, text);
        assert_eq!(read.map(|read| read.t.to_string()).as_deref(), Ok("2021-11-05T00:00:00.5Z"), "{text}");
    }
}

/// What a reader of `format` says about a text that is none of it.
fn words(format: &str, zone: Option<&str>, text: &str) -> String {
    let mut reader = TimeReader::new(spec(format, zone));
    let fault = reader.read(0, text).unwrap_err();
    reader.explain(text, &fault)
}

#[test]
fn an_epoch_in_another_unit_is_refused_with_the_unit_it_looks_like() {
    for (format, text, part) in [
        ("epoch_us", "1772439304120", "it looks like 2026-03-02T08:15:04.12Z: write format = \"epoch_ms\""),
        ("epoch_us", "1772439304", "write format = \"epoch_s\""),
        ("epoch_us", "1772439304120000000", "as microseconds is about the year 58"),
        ("epoch_us", "1772439304120000000", "write format = \"epoch_ns\""),
        ("epoch_s", "1772439304120", "write format = \"epoch_ms\""),
        ("epoch_s", "46083.34380", "write format = \"excel\""),
        ("epoch_s", "2026-03-02T08:15:04Z", "write format = \"rfc3339\""),
        ("rfc3339", "02.03.2026 08:15", "write format = \"%d.%m.%Y %H:%M\""),
        ("%d/%m/%Y", "2026-03-02T08:15:04Z", "write format = \"rfc3339\""),
        ("rfc3339", "1969-07-20T20:17:40Z", "write years = ["),
        ("epoch_s", "21.5", "is 1970-01-01T00:00:21.5Z, which is not within the years 1990 to 2100"),
        ("rfc3339", "2026-03-02T08:15:04", "has no offset"),
        ("rfc3339", "2026-03-02T08:15:04[Mars/Olympus]", "is no time zone"),
        ("rfc3339", " ", "there is no time"),
        ("rfc3339", "soon", "'soon' is not a time in the format rfc3339"),
    ] {
        let words = words(format, None, text);
        assert!(words.contains(part), "{format} {text}: {words}");
    }
}

#[test]
fn the_doubled_hour_of_autumn_is_two_hours_whatever_the_order_of_the_rows() {
    let rows =
        ["26.10.2025 01:30", "26.10.2025 02:00", "26.10.2025 02:30", "26.10.2025 02:00", "26.10.2025 02:30", "26.10.2025 03:00"];
    let mut up = TimeReader::new(spec("%d.%m.%Y %H:%M", Some("Europe/Berlin")));
    let mut down = up.clone();
    down.descending(true);
    let rising: Vec<i64> = rows.iter().map(|row| up.read(0, row).unwrap().t.as_micros()).collect();
    let mut falling: Vec<i64> = rows.iter().rev().map(|row| down.read(0, row).unwrap().t.as_micros()).collect();
    falling.reverse();
    assert!(rising.windows(2).all(|pair| pair[1] - pair[0] == 1_800_000_000), "{rising:?}");
    assert_eq!(rising, falling);
    assert_eq!((up.counts.folds, up.counts.zoned), (4, 6));
}

#[test]
fn each_series_of_a_long_table_has_its_own_order() {
    let mut reader = TimeReader::new(spec("%d.%m.%Y %H:%M", Some("Europe/Berlin")));
    let mut read = |series, text: &str| reader.read(series, text).unwrap().t.to_string();
    for (series, text, expected) in [
        (1, "26.10.2025 02:00", "2025-10-26T00:00:00Z"),
        (2, "26.10.2025 02:00", "2025-10-26T00:00:00Z"),
        (1, "26.10.2025 02:00", "2025-10-26T01:00:00Z"),
        (2, "26.10.2025 02:00", "2025-10-26T01:00:00Z"),
    ] {
        assert_eq!(read(series, text), expected);
    }
}

#[test]
fn an_offset_that_the_named_zone_never_has_then_is_refused_with_those_that_it_has() {
    for (text, part) in [
        ("2026-10-25T02:30+03:00[Europe/Berlin]", "is at +02:00 or +01:00 then and never at +03:00"),
        ("2026-07-02T08:00:00+01:00[Europe/Berlin]", "is at +02:00 then and never at +01:00"),
        ("2026-07-02T08:00:00+00:00[Europe/Berlin]", "never at +00:00"),
        ("2026-07-02T08:00:00-03:30[-04:00]", "the clock of -04:00 is at -04:00 then and never at -03:30"),
    ] {
        let words = words("rfc3339", None, text);
        assert!(words.contains(part), "{text}: {words}");
    }
    let zoned = words("%Y-%m-%d %H:%M %z %Q", None, "2026-07-02 08:00 +0500 Asia/Tokyo");
    assert!(zoned.contains("the clock of Asia/Tokyo is at +09:00 then and never at +05:00"), "{zoned}");
    for (text, expected) in [
        ("2026-10-25T02:30+01:00[Europe/Berlin]", "2026-10-25T01:30:00Z"),
        ("2026-10-25T02:30+02:00[Europe/Berlin]", "2026-10-25T00:30:00Z"),
        ("2026-07-02T08:00+02:00[Europe/Berlin]", "2026-07-02T06:00:00Z"),
        // Says nothing about any clock (RFC 9557 section 2).
        ("2026-07-02T08:00Z[Europe/Berlin]", "2026-07-02T08:00:00Z"),
        ("2026-07-02T08:00-00:00[Europe/Berlin]", "2026-07-02T08:00:00Z"),
        // A clock that was not put forward.
        ("2026-03-29T02:30+01:00[Europe/Berlin]", "2026-03-29T01:30:00Z"),
    ] {
        let read = TimeReader::new(spec("rfc3339", None)).read(0, text).map(|read| read.t.to_string());
        assert_eq!(read.as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn the_hour_that_never_comes_is_read_on_and_counted() {
    let mut reader = TimeReader::new(spec("rfc3339", Some("Europe/Berlin")));
    assert_eq!(reader.read(0, "2026-03-29 02:30").unwrap().t.to_string(), "2026-03-29T01:30:00Z");
    assert_eq!(reader.counts.skipped, 1);
}

#[test]
fn plausible_years_can_be_chosen() {
    let years = Years::new(1850, 1900).unwrap();
    let mut reader = TimeReader::new(TimeSpec { years, ..spec("rfc3339", None) });
    assert!(reader.read(0, "1899-12-31T23:59:59Z").is_ok());
    assert!(matches!(reader.read(0, "1901-01-01T00:00:00Z"), Err(TimeFault::Implausible(_))));
    for (first, last) in [(0, 5), (5, 4), (1, 10_000)] {
        assert_eq!(Years::new(first, last), None);
    }
}

#[test]
fn refused_texts_leave_no_trace() {
    let mut reader = TimeReader::new(spec("rfc3339", Some("Europe/Berlin")));
    for text in ["1960-01-01 00:00", "soon", "1960-06-30T23:59:60"] {
        assert!(reader.read(0, text).is_err());
    }
    assert_eq!(reader.counts, TimeCounts::default());
}
