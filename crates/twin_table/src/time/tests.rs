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

#[test]
fn a_text_of_the_format_that_no_calendar_has_is_told_what_is_wrong_with_it() {
    for (format, text, expected) in [
        ("%d.%m.%Y", "30.02.2026", "'30.02.2026' is no time: 2026-02 has 28 days, and no day 30"),
        ("%d.%m.%Y %H:%M", "02.03.2026 08:60", "'02.03.2026 08:60' is no time: there is no minute 60"),
        ("%d.%m.%Y %H:%M", "02.03.2026 24:10", "24:00 is the end of a day"),
        ("%a %Y-%m-%d", "Tue 2026-03-02", "2026-03-02 is a Monday, and no Tuesday"),
        ("%A %Y-%j", "Sunday 2026-061", "2026-03-02 is a Monday, and no Sunday"),
        ("%Y-%j", "2025-366", "2025 has 365 days, and no day 366"),
        ("%F %I:%M %p", "2026-03-02 13:00 PM", "there is no hour 13 before or after noon"),
        ("%d/%m/%Y", "03/13/2026", "there is no month 13; it looks like 2026-03-13T00:00:00Z: write format = \"%m/%d/%Y\""),
        ("rfc3339", "2026-02-30", "'2026-02-30' is no time: 2026-02 has 28 days, and no day 30"),
        ("rfc3339", "2026-03-02T25:00:00Z", "there is no hour 25"),
    ] {
        let words = words(format, None, text);
        assert!(words.contains(expected) && !words.contains("is not a time in the format"), "{format} {text}: {words}");
    }
}

#[test]
fn kin_of_iso_8601_that_is_not_read_is_answered_with_what_to_write_and_that_reads_it() {
    for (text, format) in [
        ("2026-061T08:00:00Z", "%Y-%jT%H:%M:%S%.f%z"),
        ("20260302T080000Z", "%Y%m%dT%H%M%S%.f%z"),
        ("20260302T080000", "%Y%m%dT%H%M%S%.f"),
        ("2026-03-02T08Z", "%Y-%m-%dT%H%z"),
        ("2026-3-2T8:00:00Z", "%Y-%m-%dT%H:%M:%S%.f%z"),
        ("2026-3-2 8:00", "%Y-%m-%d %H:%M"),
        ("02.03.26 08:00", "%d.%m.%y %H:%M"),
    ] {
        let words = words("rfc3339", None, text);
        assert!(words.ends_with(&format!("it looks like 2026-03-02T08:00:00Z: write format = \"{format}\"")), "{text}: {words}");
        let read = TimeReader::new(spec(format, Some("UTC"))).read(0, text).map(|read| read.t.to_string());
        assert_eq!(read.as_deref(), Ok("2026-03-02T08:00:00Z"), "{text}");
    }
    for (text, date) in [("2026-W10-1", "2026-03-02"), ("2026W537", "2027-01-03"), ("2020-W01-1T08:00Z", "2019-12-30")] {
        let words = words("rfc3339", None, text);
        assert!(words.contains(&format!("it is a date by its week, {date}, and none are read")), "{text}: {words}");
    }
    assert!(words("epoch_s", None, "20260302").ends_with("write format = \"%Y%m%d\""));
    assert!(!words("epoch_s", None, "1999123").contains("%Y%m%d"), "any number of seven digits");
    assert!(words("rfc3339", None, "soon").contains("(2026-03-02T08:15:04+01:00)"));
}

#[test]
fn an_offset_as_text_in_the_pattern_goes_before_the_zone_of_the_site() {
    for (format, text) in [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-07-02T08:00:00Z"),
        ("%Y-%m-%d %H:%M:%S UTC", "2026-07-02 08:00:00 UTC"),
        ("%Y-%m-%dT%H:%M:%S+00:00", "2026-07-02T08:00:00+00:00"),
        ("%Y-%m-%dT%H:%M:%S+02:00", "2026-07-02T10:00:00+02:00"),
    ] {
        let spec = spec(format, Some("Europe/Berlin"));
        assert!(!spec.format.needs_zone(), "{format}");
        let read = TimeReader::new(spec).read(0, text).map(|read| read.t.to_string());
        assert_eq!(read.as_deref(), Ok("2026-07-02T08:00:00Z"), "{format}");
    }
}

#[test]
fn abbreviations_that_mean_one_clock_are_read_and_tell_the_hour_that_comes_twice() {
    for (text, expected) in [
        ("2026-07-02 08:00 CEST", "2026-07-02T06:00:00Z"),
        ("2026-03-02 08:00 CET", "2026-03-02T07:00:00Z"),
        ("2026-10-25 02:30 CEST", "2026-10-25T00:30:00Z"),
        ("2026-10-25 02:30 CET", "2026-10-25T01:30:00Z"),
        ("2026-07-02 08:00 BST", "2026-07-02T07:00:00Z"),
        ("2026-07-02 08:00 EDT", "2026-07-02T12:00:00Z"),
        ("2026-01-02 08:00 EST", "2026-01-02T13:00:00Z"),
        ("2026-07-02 08:00 Europe/Berlin", "2026-07-02T06:00:00Z"),
    ] {
        let read = TimeReader::new(spec("%Y-%m-%d %H:%M %Q", None)).read(0, text).map(|read| read.t.to_string());
        assert_eq!(read.as_deref(), Ok(expected), "{text}");
    }
    let read = TimeReader::new(spec("%Y-%m-%d %H:%M %z %Q", None)).read(0, "2026-07-02 08:00 +0200 CEST");
    assert_eq!(read.map(|read| read.t.to_string()).as_deref(), Ok("2026-07-02T06:00:00Z"), "as Go writes");
    let words = |text: &str| words("%Y-%m-%d %H:%M %Q", None, text);
    let other = words("2026-07-02 08:00 CET");
    assert!(
        other.contains("the clock of CET is at +02:00 then and never at +01:00") && other.contains("zone = \"+01:00\""),
        "{other}"
    );
    for never in
        ["01-02 08:00 EDT", "01-02 08:00 MDT", "01-02 08:00 BST", "07-02 08:00 AEDT", "07-02 08:00 NZDT", "01-02 08:00 AKDT"]
    {
        let words = words(&format!("2026-{never}"));
        assert!(words.contains(" then and never at ") && words.contains("zone = "), "{never}: {words}");
    }
    for several in ["CST", "IST", "PST"] {
        assert!(words(&format!("2026-07-02 08:00 {several}")).contains("is no time zone"), "{several}");
    }
}

#[test]
fn what_exports_write_is_answered_with_a_pattern_that_reads_it() {
    for (text, format) in [
        ("2026-061", "%Y-%j"),
        ("2026061", "%Y%j"),
        ("2026-061 08:00", "%Y-%j %H:%M"),
        ("20260302 0800", "%Y%m%d %H%M"),
        ("20260302T0800Z", "%Y%m%dT%H%M%z"),
        ("02.03.2026, 08:00", "%d.%m.%Y, %H:%M"),
        ("2026.03.02 08:00:00", "%Y.%m.%d %H:%M:%S%.f"),
        ("Mar 2, 2026 8:00 AM", "%b %d, %Y %I:%M %p"),
        ("3/2/2026, 8:00:00 AM", "%m/%d/%Y, %I:%M:%S %p"),
        ("2026-03-02 08:00:00 AM", "%Y-%m-%d %I:%M:%S %p"),
    ] {
        let words = words("rfc3339", None, text);
        assert!(words.ends_with(&format!(": write format = \"{format}\"")), "{text}: {words}");
        assert!(words.contains("it looks like 2026-03-02T0"), "{text}: {words}");
        assert!(TimeReader::new(spec(format, Some("UTC"))).read(0, text).is_ok(), "{text}");
    }
    assert!(!words("rfc3339", None, "2026-03").contains("%j"), "a month is no day");
    assert!(!words("epoch_s", None, "1999123").contains("%j"), "any number of seven digits");
    assert!(words("%Y-%m-%d %H:%M:%S", None, "2026-03-02 08:00:00 PM").contains("%I:%M:%S %p"));
}

#[test]
fn ticks_are_recognised_and_no_format_is_proposed_that_would_read_them_as_another_year() {
    for (format, text, name) in [
        ("epoch_us", "639080352000000000", "ticks of .NET"),
        ("epoch_ms", "639080352000000000", "ticks of .NET"),
        ("rfc3339", "639080352000000000", "ticks of .NET"),
        ("epoch_us", "134169120000000000", "a FILETIME of Windows"),
        ("rfc3339", "134169120000000000", "a FILETIME of Windows"),
    ] {
        let words = words(format, None, text);
        assert!(words.contains(&format!("it looks like 2026-03-02T08:00:00Z as {name} (100 ns since")), "{words}");
        assert!(!words.contains("write format"), "{words}");
    }
    assert!(words("epoch_us", None, "1772439304120000000").contains("write format = \"epoch_ns\""), "of this century");
}

#[test]
fn the_last_day_of_the_calendar_is_told_as_a_day() {
    for (text, part) in [
        ("9999-12-31T23:59:59Z", "as rfc3339 is 9999-12-31T23:59:59Z, which is not within the years 1990 to 2100"),
        ("9999-12-31T23:59:59.5Z", "is 9999-12-31T23:59:59.500000Z,"),
        ("9999-12-31T23:59:59-01:00", "is about the year 10000,"),
        ("0001-01-01T00:00:00Z", "is 0001-01-01T00:00:00Z,"),
    ] {
        let words = words("rfc3339", None, text);
        assert!(words.contains(part), "{text}: {words}");
    }
    assert!(words("epoch_us", None, "1772439304120000000").contains("as microseconds is about the year 58"));
}
