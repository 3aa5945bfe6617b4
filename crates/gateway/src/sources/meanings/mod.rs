//! What a key of a line may stand for in the messages of other systems. Knows names and what stands under them, no signals and no
//! samples.
//!
//! A key that only may be a time or a quality (`cycle_time`, `status`) counts as one where what stands under it is one: a
//! reading must not be refused for a word about something else.

mod lists;

use std::borrow::Cow;

use serde_json::value::RawValue;
use twin_model::{Quality, Timestamp};
use twin_table::cell::ReadQuality;
use twin_table::{QualityReader, TimeSpec};

use super::scalar::{Scalar, scalar};

/// The smallest StatusCode that is not good, as a whole number of 32 bits (OPC UA part 4): smaller numbers are a machine's own.
const NOT_GOOD_CODE: i64 = 0x4000_0000;
/// Seconds from 1990 to 2100, for numbers in whatever unit.
const EPOCH_S: std::ops::Range<f64> = 631_152_000.0..4_102_444_800.0;
/// Digits that a date has at least.
const DATE_DIGITS: usize = 6;
/// Digits of a date and a time without anything between them.
const WHOLE_DATE_DIGITS: usize = 12;

/// What a key takes away from a reading by not being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// When it was taken.
    Time,
    /// That it was taken before, and not when.
    Old,
    /// How far it can be trusted.
    Quality,
    /// That what measures is away, so that nobody knows the value.
    Away,
    /// That it is no measurement of now.
    Flags,
}

/// A key as people write it: its words, in small letters.
pub(super) struct Name {
    words: Vec<String>,
    /// All letters without what stands between them.
    plain: String,
}

impl Name {
    /// `sourceTimestampMs`, `source_timestamp_ms` and `Source Timestamp [ms]` are the same words.
    pub(super) fn new(key: &str) -> Self {
        let (mut words, mut word) = (Vec::new(), String::new());
        let mut chars = key.chars().peekable();
        let mut before = ' ';
        while let Some(c) = chars.next() {
            let acronym_ends = before.is_uppercase() && c.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase());
            let begins = !c.is_alphanumeric() || c.is_uppercase() && !before.is_uppercase() || acronym_ends;
            if begins && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            before = c;
        }
        if !word.is_empty() {
            words.push(word);
        }
        let plain = words.concat();
        Self { words, plain }
    }

    /// What is lost where this key is not read; `None` where nothing is.
    pub(super) fn lost(&self, raw: &RawValue, times: &TimeSpec, qualities: QualityReader) -> Option<Meaning> {
        let value = Given::of(raw);
        if matches!(value, Given::Nothing) {
            return None;
        }
        if self.is_time(&value, times) {
            Some(Meaning::Time)
        } else if self.says_not_good(&value, qualities) {
            Some(Meaning::Quality)
        } else if self.of_the_reading(&lists::FLAGS) && value.says_yes() {
            Some(Meaning::Flags)
        } else if self.says_kept(&value) {
            Some(Meaning::Old)
        } else if self.says_away(&value) {
            Some(Meaning::Away)
        } else {
            None
        }
    }

    /// The unit that stands under this key, where it is a unit's.
    pub(super) fn unit(&self, raw: &RawValue) -> Option<String> {
        match Given::of(raw) {
            Given::Text(text) if lists::UNITS.contains(&self.plain.as_str()) => {
                Some(text.trim().to_owned()).filter(|unit| !unit.is_empty())
            }
            _ => None,
        }
    }

    fn is_time(&self, value: &Given<'_>, times: &TimeSpec) -> bool {
        let units = self.words.iter().rev().take_while(|word| lists::TIME_UNITS.contains(&word.as_str())).count();
        let words = self.words.get(..self.words.len().saturating_sub(units)).unwrap_or_default();
        let plain = words.concat();
        // `timestampms`: no word of its own.
        let bare =
            lists::TIME_UNITS.iter().filter(|unit| unit.len() > 1).find_map(|unit| plain.strip_suffix(unit)).unwrap_or(&plain);
        let known = |name: &str| lists::TIMES.contains(&name) || near(name, "time") || near(name, "timestamp");
        if known(&plain) || bare.len() > 1 && known(bare) {
            return true;
        }
        let other = words.iter().any(|word| lists::OTHER_TIMES.contains(&word.as_str()));
        let is = |word: Option<&String>| word.is_some_and(|word| lists::TIME_WORDS.contains(&word.as_str()));
        let may_be = is(words.first()) || is(words.last()) || plain.ends_with("timestamp") || plain.ends_with("datetime");
        if may_be && !other && value.is_instant(times) || value.is_positive() && is_age(words, bare) {
            return true;
        }
        let number = matches!(value, Given::Number(_));
        let came = |name: &str| match name.strip_prefix("last").or_else(|| name.strip_prefix("latest")) {
            Some(what) => lists::LAST.contains(&what) || lists::LAST_READ.contains(&what) && !number,
            None => lists::CAME.contains(&name) || lists::CAME_COUNTED.contains(&name) && !number,
        };
        let apart = words.iter().filter(|word| !beside(word, &lists::ITS_DEVICE)).map(String::as_str).collect::<String>();
        (came(&plain) || came(bare) || came(&apart)) && value.is_date(times)
    }

    fn says_kept(&self, value: &Given<'_>) -> bool {
        if !value.is_yes() {
            return false;
        }
        let number = matches!(value, Given::Number(_));
        self.of_the_reading(&lists::RETAINED) || !number && self.of_the_reading(&lists::KEPT)
    }

    fn says_away(&self, value: &Given<'_>) -> bool {
        let named = |names: &[&str]| self.is_one_of(names, &lists::ITS_DEVICE);
        let number = matches!(value, Given::Number(_));
        let word = || matches!(value, Given::Text(_)).then(|| value.plain());
        let away = word().is_some_and(|word| lists::AWAY.contains(&word.as_str()));
        let cut = || word().is_some_and(|word| lists::CUT.contains(&word.as_str()));
        // So many places may be available: none is a number like others.
        let none_left = || number && self.plain.ends_with("available");
        away && (named(&lists::STATES) || named(&lists::CONNECTIONS) || named(&lists::THERE))
            || (cut() || !number && value.says_no()) && named(&lists::CONNECTIONS)
            || value.says_no() && !none_left() && named(&lists::THERE)
            || value.is_yes() && named(&lists::NOT_THERE)
    }

    fn says_not_good(&self, value: &Given<'_>, qualities: QualityReader) -> bool {
        let plain = self.plain.as_str();
        let of_it = |name: &str| ["is", "opc", "data", "value"].iter().any(|of| plain.strip_prefix(of) == Some(name));
        let is = |name: &str| plain == name || of_it(name);
        let own = self.of_the_reading(&["quality", "qual", "validity", "statuscode"]) || near(plain, "quality");
        if own
            || matches!(
                plain,
                "q" | "qualität" | "qualitaet" | "güte" | "qualité" | "calidad" | "qualità" | "qualidade" | "kwaliteit"
            )
            || is("quality")
            || is("statuscode")
        {
            return !value.is_good(qualities);
        }
        let about = self.words.iter().any(|word| matches!(word.as_str(), "quality" | "status" | "state"));
        if about && value.is_doubt(qualities) {
            return true;
        }
        if self.of_the_reading(&lists::GOOD) || lists::GOOD.iter().any(|name| is(name)) {
            return value.says_no();
        }
        let not_good = self.of_the_reading(&lists::NOT_GOOD) || lists::NOT_GOOD.iter().any(|name| is(name));
        // An error of 0.3 is what a reading may be off by.
        not_good && value.says_yes() && !(plain.ends_with("error") && matches!(value, Given::Number(_)))
    }

    /// Whether it is one of `names`, with nothing beside it but what all say of a reading.
    fn of_the_reading(&self, names: &[&str]) -> bool {
        self.is_one_of(names, &[])
    }

    /// The same with `whose` beside it, too.
    fn is_one_of(&self, names: &[&str], whose: &[&str]) -> bool {
        let all = |words: &[String]| words.iter().all(|word| beside(word, whose));
        (0..self.words.len()).any(|from| {
            (from + 1..=self.words.len().min(from + 3)).any(|to| {
                let (before, rest) = self.words.split_at(from);
                let (name, after) = rest.split_at(to - from);
                names.contains(&name.concat().as_str()) && all(before) && all(after)
            })
        })
    }
}

/// What stands under a key.
enum Given<'a> {
    Nothing,
    Switch(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    /// A list or an object.
    Other(&'a str),
}

impl<'a> Given<'a> {
    fn of(raw: &'a RawValue) -> Self {
        match scalar(raw) {
            Scalar::Null => Self::Nothing,
            Scalar::Text(text) if text.trim().is_empty() => Self::Nothing,
            Scalar::Text(text) => Self::Text(text),
            Scalar::Literal("true") => Self::Switch(true),
            Scalar::Literal("false") => Self::Switch(false),
            Scalar::Literal(number) => Self::Number(number),
            Scalar::Other => Self::Other(raw.get()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Nothing => "",
            Self::Switch(yes) => {
                if *yes {
                    "true"
                } else {
                    "false"
                }
            }
            Self::Number(text) | Self::Other(text) => text,
            Self::Text(text) => text,
        }
    }

    /// Its letters and digits, small.
    fn plain(&self) -> String {
        self.text().chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }

    /// Whether it is a date and a time rather than a duration or a place.
    fn is_instant(&self, times: &TimeSpec) -> bool {
        let declared = |text: &str| times.read_near_in(&times.format, text, Timestamp::MAX).is_ok();
        match self {
            Self::Nothing | Self::Switch(_) => false,
            Self::Number(text) => {
                let number = text.parse::<f64>().unwrap_or_default();
                [1.0, 1e3, 1e6, 1e9].iter().any(|unit| EPOCH_S.contains(&(number / unit))) || declared(text)
            }
            Self::Text(text) => text.bytes().filter(u8::is_ascii_digit).count() >= DATE_DIGITS || declared(text),
            Self::Other(text) => text.bytes().filter(u8::is_ascii_digit).count() >= DATE_DIGITS,
        }
    }

    /// Whether it is an instant where numbers and texts of all sorts may stand: parts, telephones, versions.
    fn is_date(&self, times: &TimeSpec) -> bool {
        if !self.is_instant(times) {
            return false;
        }
        let text = self.text().trim();
        let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
        match self {
            Self::Nothing | Self::Switch(_) | Self::Other(_) => false,
            Self::Number(_) => true,
            Self::Text(_) if text.parse::<f64>().is_ok() => Given::Number(text).is_instant(times),
            Self::Text(_) => {
                count(|c| matches!(c, b'-' | b':' | b'.' | b'/')) >= 2 || count(u8::is_ascii_digit) >= WHOLE_DATE_DIGITS
            }
        }
    }

    fn is_positive(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Text(_)) && self.text().trim().parse::<f64>().is_ok_and(|n| n > 0.0)
    }

    fn quality(&self, qualities: QualityReader) -> Option<Quality> {
        match qualities.read(self.text()) {
            ReadQuality::Known(quality) => Some(quality),
            // A machine whose badge was read is not bad.
            ReadQuality::Unknown(quality) if quality.is_bad() => {
                let first = Name::new(self.text()).words.into_iter().next();
                first.is_some_and(|word| word == "bad").then_some(quality)
            }
            ReadQuality::Unknown(_) | ReadQuality::LooksLikeOpcDa => None,
        }
    }

    /// Where a quality stands: it is one, and good.
    fn is_good(&self, qualities: QualityReader) -> bool {
        match self {
            Self::Nothing => true,
            Self::Switch(yes) => *yes,
            Self::Other(_) => false,
            Self::Text(_) if lists::GOOD.contains(&self.plain().as_str()) || self.plain() == "true" => true,
            Self::Number(_) | Self::Text(_) => self.quality(qualities).is_some_and(Quality::is_good),
        }
    }

    /// Where anything may stand: it is the quality of a value, and not good.
    fn is_doubt(&self, qualities: QualityReader) -> bool {
        let not_good = || self.quality(qualities).is_some_and(|quality| !quality.is_good());
        let text = self.text().trim();
        let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let number = hex.map_or_else(|| text.parse::<i64>(), |hex| i64::from_str_radix(hex, 16));
        // In hexadecimal half of a StatusCode is one, too.
        let own = 0..if hex.is_some() { NOT_GOOD_CODE >> 16 } else { NOT_GOOD_CODE };
        match (self, number) {
            (Self::Number(_) | Self::Text(_), Ok(code)) => !own.contains(&code) && not_good(),
            (Self::Text(_), Err(_)) => not_good() || lists::DOUBTS.contains(&self.plain().as_str()),
            _ => false,
        }
    }

    fn says_no(&self) -> bool {
        let plain = || self.plain();
        match self {
            Self::Switch(yes) => !yes,
            Self::Number(text) => text.parse::<f64>() == Ok(0.0),
            Self::Text(_) => {
                matches!(plain().as_str(), "false" | "no" | "0" | "n" | "bad" | "uncertain")
                    || lists::DOUBTS.contains(&plain().as_str())
            }
            Self::Nothing | Self::Other(_) => false,
        }
    }

    /// Yes itself, rather than anything that is not no.
    fn is_yes(&self) -> bool {
        match self {
            Self::Switch(yes) => *yes,
            Self::Number(text) => text.parse::<f64>() == Ok(1.0),
            Self::Text(_) => matches!(self.plain().as_str(), "true" | "yes" | "1" | "y" | "ja" | "oui" | "sí" | "si"),
            Self::Nothing | Self::Other(_) => false,
        }
    }

    fn says_yes(&self) -> bool {
        match self {
            Self::Switch(yes) => *yes,
            Self::Number(text) => text.parse::<f64>() != Ok(0.0),
            Self::Text(_) => !lists::NOTHING.contains(&self.plain().as_str()),
            Self::Other(text) => !matches!(*text, "[]" | "{}"),
            Self::Nothing => false,
        }
    }
}

/// Whether a word beside a name says no more than whose it is.
fn beside(word: &str, whose: &[&str]) -> bool {
    lists::OF_THE_READING.contains(&word) || whose.contains(&word)
}

/// Whether `words` are those of an age; `bare` where its unit is no word of its own.
fn is_age(words: &[String], bare: &str) -> bool {
    let unit = |word: &str| word == "time" || lists::TIME_UNITS.contains(&word) || lists::AGE_UNITS.contains(&word);
    let name = || words.iter().map(String::as_str).filter(|word| !unit(word)).collect::<String>();
    bare == "age" || lists::AGES.contains(&name().as_str())
}

/// Whether a key is a name but for one letter too many or too few, two that changed places or, in a long name, another letter:
/// a tile is no time.
fn near(key: &str, name: &str) -> bool {
    let (a, b) = (key.as_bytes(), name.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    match (a, b) {
        ([], []) => true,
        ([a0, a1, ..], [b0, b1, ..]) if a0 == b1 && a1 == b0 => a.get(2..) == b.get(2..),
        _ => {
            let other = name.len() > 6 && a.get(1..).is_some_and(|rest| b.get(1..) == Some(rest));
            other || a.get(1..) == Some(b) || b.get(1..) == Some(a)
        }
    }
}
