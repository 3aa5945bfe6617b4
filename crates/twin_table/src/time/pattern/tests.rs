//! One pattern after the other.

use super::*;

fn read(pattern: &str, text: &str) -> Option<Written> {
    Pattern::new(pattern).unwrap().read(text)
}

#[test]
fn many_patterns_give_the_same_instant() {
    for (pattern, text) in [
        ("%d.%m.%Y %H:%M:%S", "02.03.2026 08:15:04"),
        ("%-d.%-m.%y %H:%M:%S", "2.3.26 8:15:04"),
        ("%Y-%m-%d %H:%M:%S%.f", "2026-03-02 08:15:04"),
        ("%Y/%m/%d  %T", "2026/03/02 08:15:04"),
        ("%m/%d/%Y %I:%M:%S %p", "3/2/2026 8:15:04 AM"),
        ("%a %d %b %Y %H:%M:%S", "Mon 02 Mar 2026 08:15:04"),
        ("%A, %d. %B %Y, %H:%M:%S", "Montag, 2. März 2026, 8:15:04"),
        ("%Y-%j %T", "2026-061 08:15:04"),
        ("%Y%m%dT%H%M%S", "20260302T081504"),
    ] {
        assert_eq!(read(pattern, text).map(|w| w.local), Some(1_772_439_304_000_000), "{pattern}");
    }
    assert_eq!(read("%s", "1772439304").unwrap().offset, Some(0));
    assert_eq!(read("%d.%m.%Y %H:%M:%S%.f", "02.03.2026 08:15:04,25").unwrap().local, 1_772_439_304_250_000);
    assert_eq!(read("%F %T,%3f", "2026-03-02 08:15:04,250").unwrap().local, 1_772_439_304_250_000);
    assert_eq!(read("%F %R %z", "2026-03-02 08:15 -0530").unwrap().offset, Some(-19_800));
    assert_eq!(read("%F %R %Q", "2026-03-02 08:15 Asia/Tokyo").unwrap().zone.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(read("%m/%d/%Y %I:%M %p", "12/31/2025 12:30 am").unwrap().local, 1_767_141_000_000_000);
}

#[test]
fn an_offset_that_the_pattern_holds_as_text_is_that_of_every_time() {
    for (pattern, text, offset, utc) in [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-07-02T08:00:00Z", 0, true),
        ("%Y-%m-%dT%H:%M:%S.000Z", "2026-07-02T08:00:00.000Z", 0, true),
        ("%Y-%m-%dT%H:%M:%S%.fz", "2026-07-02T08:00:00.25z", 0, true),
        ("%Y-%m-%dT00:00:00Z", "2026-07-02T00:00:00Z", 0, true),
        ("%Y-%m-%d %H:00:00Z", "2026-07-02 08:00:00Z", 0, true),
        ("%Y-%m-%d %H:%M:%S UTC", "2026-07-02 08:00:00 UTC", 0, false),
        ("%Y-%m-%d %H:%M:%S gmt", "2026-07-02 08:00:00 gmt", 0, false),
        ("%Y-%m-%d %H:%M:%S (UTC)", "2026-07-02 08:00:00 (UTC)", 0, false),
        ("UTC %Y-%m-%d %H:%M", "UTC 2026-07-02 08:00", 0, false),
        ("%H:%M:%SZ %d.%m.%Y", "08:00:00Z 02.07.2026", 0, true),
        ("%H:%M UTC, %d.%m.%Y", "08:00 UTC, 02.07.2026", 0, false),
        ("%Y-%m-%d %H:%M:%S+00:00", "2026-07-02 08:00:00+00:00", 0, false),
        ("%Y-%m-%d %H:%M:%S-00:00", "2026-07-02 08:00:00-00:00", 0, true),
        ("%Y-%m-%d %H:%M:%S +0530", "2026-07-02 08:00:00 +0530", 19_800, false),
        ("%Y-%m-%d %H:%M:%S-05", "2026-07-02 08:00:00-05", -18_000, false),
        ("%Y-%m-%d %H:%M-05:00", "2026-07-02 08:00-05:00", -18_000, false),
        ("%Y-%m-%d %H:%M UTC+1", "2026-07-02 08:00 UTC+1", 3_600, false),
    ] {
        let made = Pattern::new(pattern).unwrap();
        let read = made.read(text).unwrap_or_else(|| panic!("{pattern}"));
        assert_eq!((read.offset, read.utc, made.says_zone()), (Some(offset), utc, true), "{pattern}");
    }
    // With a zone beside it, as RFC 9557 has it; with `%z`, the name is a part of the offset.
    let zoned = read("%Y-%m-%dT%H:%M:%SZ[%Q]", "2026-07-02T08:00:00Z[Europe/Berlin]").unwrap();
    assert_eq!((zoned.offset, zoned.utc, zoned.zone.as_deref()), (Some(0), true, Some("Europe/Berlin")));
    assert_eq!(read("%Y-%m-%d %H:%M GMT%z", "2026-07-02 08:00 GMT+0200").unwrap().offset, Some(7_200));
    for pattern in ["%Y-%m-%dZ%H:%M", "Zeit %Y-%m-%d %H:%M Uhr", "%Y-%m-%d+%H:%M", "%Y%m%d-%H%M%S", "%d.%m.%Y %Hh%M"] {
        assert!(!Pattern::new(pattern).unwrap().says_zone(), "{pattern}");
    }
    for (pattern, part) in [
        ("%Y-%m-%d_%H-%M-00", "'-00' may be an offset, or a part of the time; write %z"),
        ("%Y-%m-%d_%H-0000", "'-0000' may be an offset"),
        ("%Y-%m-%dT%H:%M:%SZ %z", "it says the offset twice: 'Z'"),
        ("%Y-%m-%d %H:%M:%SZ (+01:00)", "twice"),
    ] {
        let error = Pattern::new(pattern).unwrap_err();
        assert!(error.contains(part), "{pattern}: {error}");
    }
}

#[test]
fn what_does_not_fit_is_no_time() {
    for (pattern, text) in [
        ("%d.%m.%Y %H:%M", "02.03.2026 08:15:04"),
        ("%d.%m.%Y %H:%M", "02.13.2026 08:15"),
        ("%d.%m.%Y %H:%M", "02.03.2026"),
        ("%Y-%m-%d %H:%M:%S", "2026-03-02 08:15:04.5"),
        ("%a %F", "Tue 2026-03-02"),
        ("%F %I:%M %p", "2026-03-02 13:00 PM"),
        ("%Y-%j", "2025-366"),
        ("%F %R", ""),
    ] {
        assert_eq!(read(pattern, text), None, "{text}");
    }
    assert!(read("%a %F %R", "Mon 2026-03-02 24:00").is_some(), "the end of a day belongs to it");
}

#[test]
fn a_pattern_that_could_not_give_instants_says_what_it_lacks() {
    for (pattern, part) in [
        ("%H:%M:%S", "lacks the year (%Y)"),
        ("%d.%m. %H:%M", "lacks the year"),
        ("%Y-%m-%d %M", "lacks the hour"),
        ("%F %I:%M", "%I and %p"),
        ("%F %H:%M %Z", "%Z reads names like CET"),
        ("%F %H:%M %Z", "%Q reads those that mean one (CET, CEST, EDT, Europe/Berlin)"),
        ("%F %H:%M %Z", "zone = \"Europe/Berlin\""),
        ("%F %U", "%U is no part"),
        ("%F %d", "the day twice"),
        ("%F %H%", "lone %"),
    ] {
        let error = Pattern::new(pattern).unwrap_err();
        assert!(error.contains(part), "{pattern}: {error}");
    }
}
