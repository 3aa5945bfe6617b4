//! Dates and times of day as people write them, before anyone knows where. Knows no zones.

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// A date and a time of day, as microseconds since 1970-01-01T00:00 of the same clock.
///
/// `hour` may be 24 where the rest is zero: the end of the day (ISO 8601:2004, 4.2.3). A second of 60 is put a microsecond before
/// the next minute, so that it keeps its place between its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    /// Part of the second, in microseconds.
    pub(crate) micros: i64,
}

impl Civil {
    /// `None` for what no calendar or clock shows.
    pub(crate) fn local(&self) -> Option<i64> {
        let date = (1..=9999).contains(&self.year) && (1..=12).contains(&self.month);
        let date = date && (1..=days_in_month(self.year, self.month)).contains(&self.day);
        let clock = (0..24).contains(&self.hour) && (0..60).contains(&self.minute) && (0..=60).contains(&self.second);
        let midnight = self.hour == 24 && self.minute == 0 && self.second == 0 && self.micros == 0;
        if !date || !(clock || midnight) || !(0..1_000_000).contains(&self.micros) {
            return None;
        }
        let part = if self.second == 60 { 59_999_999 } else { self.second * 1_000_000 + self.micros };
        Some(days(self.year, self.month, self.day) * DAY + (self.hour * 60 + self.minute) * 60_000_000 + part)
    }

    /// What is wrong with it, where no calendar or clock shows it.
    pub(crate) fn wrong(&self) -> Option<String> {
        let Self { year, month, day, hour, minute, second, .. } = *self;
        let none = |what: &str, given: i64| Some(format!("there is no {what} {given}"));
        if !(1..=9999).contains(&year) {
            return none("year", year);
        }
        if !(1..=12).contains(&month) {
            return none("month", month);
        }
        let length = days_in_month(year, month);
        if !(1..=length).contains(&day) {
            return Some(format!("{year:04}-{month:02} has {length} days, and no day {day}"));
        }
        if !(0..60).contains(&minute) {
            return none("minute", minute);
        }
        if !(0..=60).contains(&second) {
            return none("second", second);
        }
        match hour {
            0..24 => None,
            24 if self.local().is_some() => None,
            24 => Some("24:00 is the end of a day, and nothing comes after it".to_owned()),
            _ => none("hour", hour),
        }
    }

    /// Whether it is the sixty-first second of a minute.
    pub(crate) fn leaps(&self) -> bool {
        self.second == 60
    }
}

/// The date of a day that is `days` after 1970-01-01 (the same source as [`days`]).
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Digits read as a part of a second, in microseconds; finer digits are cut. `None` for anything but digits.
pub(crate) fn fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(micros.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
        Civil { year, month, day, hour, minute, second, micros: 0 }.local()
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (year, month, day, expected) in
            [(1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2026, 3, 2, 20_514), (1, 1, 1, -719_162)]
        {
            assert_eq!(days(year, month, day), expected, "{year}-{month}-{day}");
            assert_eq!(date(expected), (year, month, day));
        }
        let mut last = days(1899, 12, 31);
        for year in 1900..2101 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days(year, month, day), last + 1, "{year}-{month}-{day}");
                    assert_eq!(date(last + 1), (year, month, day));
                    last += 1;
                }
            }
        }
    }

    #[test]
    fn the_end_of_a_day_is_the_beginning_of_the_next_and_no_other_hour_is_24() {
        assert_eq!(at(2024, 2, 29, 24, 0, 0), at(2024, 3, 1, 0, 0, 0));
        for (hour, minute, second) in [(24, 0, 1), (24, 1, 0), (25, 0, 0), (-1, 0, 0), (0, 60, 0), (0, 0, 61)] {
            assert_eq!(at(2024, 2, 28, hour, minute, second), None);
        }
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2024, 0, 1), (2024, 13, 1), (2024, 4, 31), (0, 1, 1), (2024, 1, 0)]
        {
            assert_eq!(at(year, month, day, 0, 0, 0), None);
        }
    }

    #[test]
    fn what_is_no_time_says_what_is_wrong_with_it_and_what_is_one_says_nothing() {
        for (year, month, day, hour, minute, second, expected) in [
            (0, 1, 1, 0, 0, 0, "there is no year 0"),
            (2026, 13, 1, 0, 0, 0, "there is no month 13"),
            (2026, 2, 30, 0, 0, 0, "2026-02 has 28 days, and no day 30"),
            (2026, 2, 0, 0, 0, 0, "2026-02 has 28 days, and no day 0"),
            (2026, 2, 1, 25, 0, 0, "there is no hour 25"),
            (2026, 2, 1, 24, 0, 1, "24:00 is the end of a day, and nothing comes after it"),
            (2026, 2, 1, 8, 60, 0, "there is no minute 60"),
            (2026, 2, 1, 8, 0, 61, "there is no second 61"),
            (2026, 2, 1, 24, 0, 0, ""),
            (2024, 2, 29, 23, 59, 60, ""),
        ] {
            let civil = Civil { year, month, day, hour, minute, second, micros: 0 };
            assert_eq!(civil.wrong().unwrap_or_default(), expected);
            assert_eq!(civil.local().is_none(), civil.wrong().is_some(), "{civil:?}");
        }
    }

    #[test]
    fn a_leap_second_stays_between_its_neighbours() {
        let second = |hour, minute, second| at(2016, 12, 31, hour, minute, second).unwrap();
        assert!(second(23, 59, 59) < second(23, 59, 60) && second(23, 59, 60) < second(24, 0, 0));
    }

    #[test]
    fn parts_of_seconds_are_digits_and_nothing_else() {
        for (digits, expected) in
            [("5", Some(500_000)), ("000001", Some(1)), ("1234569", Some(123_456)), ("", None), ("1x", None)]
        {
            assert_eq!(fraction(digits), expected, "{digits}");
        }
    }
}
