//! Times by a pattern like that of `strptime`. Whatever a pattern reads counts: a part that could not is refused with it.

use super::civil::{Civil, DAY, days, fraction};
use super::iso::{Written, offset, says_utc};
use super::zone::abbreviation;
use literal::Fixed;

mod literal;

/// A pattern such as `%d.%m.%Y %H:%M:%S`, ready to read with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    items: Vec<Item>,
    /// The offset of every text, where the pattern holds one as text.
    fixed: Option<Fixed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Literal(char),
    Blank,
    Year,
    /// 69 to 99 are of the last century (POSIX).
    ShortYear,
    Month,
    MonthName,
    Day,
    DayOfYear,
    Hour,
    Hour12,
    Meridiem,
    Minute,
    Second,
    Fraction,
    /// A point or comma and digits, or nothing.
    MaybeFraction,
    /// Must fit the date.
    Weekday,
    Offset,
    ZoneName,
    EpochSeconds,
}

impl Item {
    /// What of a time it gives; of one part there may be one.
    const fn part(self) -> Option<&'static str> {
        Some(match self {
            Self::Literal(_) | Self::Blank | Self::Weekday => return None,
            Self::Year | Self::ShortYear => "the year",
            Self::Month | Self::MonthName => "the month",
            Self::Day | Self::DayOfYear => "the day",
            Self::Hour | Self::Hour12 => "the hour",
            Self::Meridiem => "AM or PM",
            Self::Minute => "the minute",
            Self::Second => "the second",
            Self::Fraction | Self::MaybeFraction => "the fraction",
            Self::Offset => "the offset",
            Self::ZoneName => "the zone",
            Self::EpochSeconds => "the instant",
        })
    }
}

const MONTHS: [[&str; 12]; 2] = [
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"],
    ["januar", "februar", "märz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"],
];
const WEEKDAYS: [[&str; 7]; 2] = [
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"],
];

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Words for the author of the site file: what is no directive, is given twice, or is missing to make an instant.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => directive(&mut chars, &mut items)?,
                c if c.is_whitespace() => items.push(Item::Blank),
                c => items.push(Item::Literal(c)),
            }
        }
        items.dedup_by(|a, b| *a == Item::Blank && *b == Item::Blank);
        let parts: Vec<&str> = items.iter().filter_map(|item| item.part()).collect();
        if let Some((_, twice)) = parts.iter().enumerate().find(|(at, part)| parts.iter().take(*at).any(|other| other == *part)) {
            return Err(format!("'{text}' reads {twice} twice"));
        }
        let has = |part: &str| parts.contains(&part);
        let day_of_year = items.contains(&Item::DayOfYear);
        if !has("the instant") {
            let needed = [("the year", "%Y"), ("the month", "%m"), ("the day", "%d"), ("the hour", "%H")];
            for (part, example) in needed.iter().filter(|(part, _)| !(has(part) || *part == "the month" && day_of_year)) {
                if *part == "the hour" && !has("the minute") && !has("the second") {
                    continue;
                }
                return Err(format!("'{text}' lacks {part} ({example}), so it can't give instants"));
            }
        }
        if items.contains(&Item::Hour12) != has("AM or PM") {
            return Err(format!("'{text}' has one of %I and %p; hours of 12 need both, hours of 24 are %H"));
        }
        let fixed = literal::fixed(&items).map_err(|why| format!("'{text}': {why}"))?;
        Ok(Self { text: text.to_owned(), items, fixed })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the text itself says its offset or zone.
    pub fn says_zone(&self) -> bool {
        self.fixed.is_some() || self.items.iter().any(|item| matches!(item, Item::Offset | Item::ZoneName | Item::EpochSeconds))
    }

    /// `None` where the text does not fit, or is no time.
    pub(crate) fn read(&self, text: &str) -> Option<Written> {
        self.parts(text)?.read()
    }

    /// What is wrong with a text that fits and is no time (30 February).
    pub(crate) fn wrong(&self, text: &str) -> Option<String> {
        self.parts(text)?.wrong()
    }

    /// What stands where, whether a calendar has it or not.
    fn parts(&self, text: &str) -> Option<Parts> {
        let mut rest = text.trim();
        let mut out = Written::default();
        if let Some(Fixed { seconds, utc }) = self.fixed {
            (out.offset, out.utc) = (Some(seconds), utc);
        }
        let mut civil = Civil { month: 1, day: 1, ..Civil::default() };
        let (mut hour12, mut afternoon, mut of_year, mut weekday, mut instant) = (None, None, None, None, None);
        for (at, item) in self.items.iter().enumerate() {
            match item {
                Item::Literal(c) => rest = rest.strip_prefix(*c)?,
                Item::Blank => {
                    let trimmed = rest.trim_start();
                    // At the very end a missing optional part may have had a blank before it.
                    if trimmed.len() == rest.len() && !(rest.is_empty() && at + 1 == self.items.len()) {
                        return None;
                    }
                    rest = trimmed;
                }
                Item::Year => civil.year = number(&mut rest, 4).filter(|year| *year > 0)?,
                Item::ShortYear => civil.year = number(&mut rest, 2).map(|y| if y < 69 { 2000 + y } else { 1900 + y })?,
                Item::Month => civil.month = number(&mut rest, 2)?,
                Item::MonthName => civil.month = name(&mut rest, &MONTHS)?,
                Item::Day => civil.day = number(&mut rest, 2)?,
                Item::DayOfYear => of_year = Some(number(&mut rest, 3)?),
                Item::Hour => civil.hour = number(&mut rest, 2)?,
                Item::Hour12 => hour12 = Some(number(&mut rest, 2)?),
                Item::Meridiem => afternoon = Some(meridiem(&mut rest)?),
                Item::Minute => civil.minute = number(&mut rest, 2)?,
                Item::Second => civil.second = number(&mut rest, 2)?,
                Item::Fraction => civil.micros = fraction(digits(&mut rest, 12)?)?,
                Item::MaybeFraction => {
                    if let Some(after) = rest.strip_prefix(['.', ',']) {
                        rest = after;
                        civil.micros = fraction(digits(&mut rest, 12)?)?;
                    }
                }
                Item::Weekday => weekday = Some(name(&mut rest, &WEEKDAYS)? - 1),
                Item::Offset => {
                    let text = word(&mut rest, |c| !c.is_whitespace());
                    (out.offset, out.utc) = (Some(offset(text)?), says_utc(text));
                }
                Item::ZoneName => {
                    let name = word(&mut rest, |c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
                    match abbreviation(name) {
                        // `+0200 CEST`
                        Some((seconds, _)) if out.offset == Some(seconds) => {}
                        Some((seconds, zone)) if out.offset.is_none() => {
                            (out.offset, out.zone, out.abbreviated) = (Some(seconds), zone.map(str::to_owned), true);
                        }
                        _ => out.zone = Some(name.to_owned()),
                    }
                }
                Item::EpochSeconds => instant = Some(number(&mut rest, 11)?),
            }
        }
        if !rest.trim().is_empty() {
            return None;
        }
        if let Some(hour) = hour12 {
            civil.hour = hour % 12 + if afternoon == Some(true) { 12 } else { 0 };
        }
        Some(Parts { out, civil, hour12, of_year, weekday, instant })
    }
}

/// What a text says by a pattern.
struct Parts {
    out: Written,
    civil: Civil,
    /// The hour as it stands there, where it is one of twelve.
    hour12: Option<i64>,
    of_year: Option<i64>,
    /// From Monday, which is 0.
    weekday: Option<i64>,
    /// Seconds since 1970.
    instant: Option<i64>,
}

impl Parts {
    fn read(self) -> Option<Written> {
        let Self { mut out, civil, hour12, of_year, weekday, instant } = self;
        if hour12.is_some_and(|hour| !(1..=12).contains(&hour)) {
            return None;
        }
        if let Some(seconds) = instant {
            (out.local, out.offset, out.utc) = (seconds * 1_000_000 + civil.micros, Some(0), true);
            return Some(out);
        }
        out.leaps = civil.leaps();
        out.local = civil.local()?;
        if let Some(day) = of_year {
            out.local += (1..=year_length(civil.year)).contains(&day).then_some((day - 1) * DAY)?;
        }
        weekday.is_none_or(|weekday| weekday == weekday_of(day_of(out.local, &civil))).then_some(out)
    }

    /// What is wrong where [`Self::read`] gives nothing.
    fn wrong(&self) -> Option<String> {
        if let Some(hour) = self.hour12.filter(|hour| !(1..=12).contains(hour)) {
            return Some(format!("there is no hour {hour} before or after noon"));
        }
        if self.instant.is_some() {
            return None;
        }
        if let Some(why) = self.civil.wrong() {
            return Some(why);
        }
        let (year, length) = (self.civil.year, year_length(self.civil.year));
        if let Some(day) = self.of_year.filter(|day| !(1..=length).contains(day)) {
            return Some(format!("{year} has {length} days, and no day {day}"));
        }
        let local = self.civil.local()? + self.of_year.map_or(0, |day| (day - 1) * DAY);
        let day = day_of(local, &self.civil);
        let (given, (year, month, of_month)) = (self.weekday?, super::civil::date(day));
        let name = |weekday: i64| usize::try_from(weekday).ok().and_then(|at| WEEKDAY_NAMES.get(at)).copied().unwrap_or_default();
        (given != weekday_of(day))
            .then(|| format!("{year:04}-{month:02}-{of_month:02} is a {}, and no {}", name(weekday_of(day)), name(given)))
    }
}

/// For people.
const WEEKDAY_NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn year_length(year: i64) -> i64 {
    days(year + 1, 1, 1) - days(year, 1, 1)
}

/// The day that a reading of a clock is of, from 1970-01-01. The end of a day belongs to the day.
fn day_of(local: i64, civil: &Civil) -> i64 {
    (local - i64::from(civil.hour == 24)).div_euclid(DAY)
}

/// 1970-01-01 was a Thursday.
fn weekday_of(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

fn directive(chars: &mut std::str::Chars<'_>, items: &mut Vec<Item>) -> Result<(), String> {
    let mut c = chars.next();
    // `%-d`, `%3f`, `%.6f`: one digit or two are read alike, and so is every length of a fraction.
    let mut dot = false;
    while let Some('-' | '_' | '0'..='9' | '.') = c {
        dot |= c == Some('.');
        c = chars.next();
    }
    if c == Some(':') {
        c = chars.next().filter(|c| *c == 'z');
    }
    let mut all = |text: &str| -> Result<(), String> {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c == '%' { directive(&mut chars, items)? } else { items.push(Item::Literal(c)) }
        }
        Ok(())
    };
    let item = match c {
        Some('Y') => Item::Year,
        Some('y') => Item::ShortYear,
        Some('m') => Item::Month,
        Some('b' | 'B' | 'h') => Item::MonthName,
        Some('d' | 'e') => Item::Day,
        Some('j') => Item::DayOfYear,
        Some('H' | 'k') => Item::Hour,
        Some('I' | 'l') => Item::Hour12,
        Some('p' | 'P') => Item::Meridiem,
        Some('M') => Item::Minute,
        Some('S') => Item::Second,
        Some('f') if dot => Item::MaybeFraction,
        Some('f' | 'L' | 'N') => Item::Fraction,
        Some('a' | 'A') => Item::Weekday,
        Some('z') => Item::Offset,
        Some('Q') => Item::ZoneName,
        Some('s') => Item::EpochSeconds,
        Some('%') => Item::Literal('%'),
        Some('n' | 't') => Item::Blank,
        Some('F') => return all("%Y-%m-%d"),
        Some('T') => return all("%H:%M:%S"),
        Some('R') => return all("%H:%M"),
        Some('D') => return all("%m/%d/%y"),
        Some('Z') => {
            return Err(UNREAD_NAMES.to_owned());
        }
        Some(other) => return Err(format!("%{other} is no part of a time that can be read here")),
        None => return Err("the pattern ends with a lone %".to_owned()),
    };
    items.push(item);
    Ok(())
}

/// What to write instead of `%Z`.
const UNREAD_NAMES: &str = "%Z reads names like CET, of which many mean several zones; %Q reads those that mean one (CET, CEST, EDT, Europe/Berlin) and \
    %z offsets (+01:00); where every time has the same name, write that name itself and say zone = \"Europe/Berlin\" (or \"+01:00\")";

/// Up to `most` digits.
fn digits<'a>(rest: &mut &'a str, most: usize) -> Option<&'a str> {
    let end = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at_checked(end).filter(|_| end > 0)?;
    *rest = after;
    Some(digits)
}

fn number(rest: &mut &str, most: usize) -> Option<i64> {
    *rest = rest.trim_start();
    digits(rest, most)?.parse().ok()
}

fn word<'a>(rest: &mut &'a str, of: impl Fn(char) -> bool) -> &'a str {
    let end = rest.find(|c| !of(c)).unwrap_or(rest.len());
    let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    *rest = after;
    word
}

/// A name in full or its first letters, at least two; counted from 1.
fn name<const N: usize>(rest: &mut &str, names: &[[&str; N]; 2]) -> Option<i64> {
    let word = word(rest, char::is_alphabetic).to_lowercase();
    *rest = rest.strip_prefix('.').unwrap_or(rest);
    let fits = |name: &str| name.starts_with(&word) || (word == "mrz" && name == "märz");
    let at = names.iter().find_map(|names| names.iter().position(|name| fits(name)))?;
    (word.chars().count() >= 2).then(|| i64::try_from(at + 1).ok())?
}

fn meridiem(rest: &mut &str) -> Option<bool> {
    let word = word(rest, |c| c.is_alphabetic() || c == '.').replace('.', "").to_lowercase();
    match word.as_str() {
        "am" | "a" | "vorm" => Some(false),
        "pm" | "p" | "nachm" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
