//! How far a value can be used: the upper half of an OPC UA StatusCode (OPC 10000-4, 7.39).

use std::fmt::{self, Write as _};

use crate::status_codes::STATUS_CODES;

/// Usability of a value: severity in the two top bits, the substatus below, as in the upper 16 bits of a StatusCode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quality(u16);

/// The severity of a [`Quality`], best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QualityClass {
    /// Usable.
    Good,
    /// Usable with care.
    Uncertain,
    /// Not usable.
    Bad,
}

impl Quality {
    /// `Good`
    pub const GOOD: Self = Self(0x0000);
    /// `Good_LocalOverride`: set by hand.
    pub const GOOD_LOCAL_OVERRIDE: Self = Self(0x0096);
    /// `Uncertain`
    pub const UNCERTAIN: Self = Self(0x4000);
    /// `Uncertain_LastUsableValue`: the source repeats an old value.
    pub const UNCERTAIN_LAST_USABLE: Self = Self(0x4090);
    /// `Uncertain_SensorNotAccurate`
    pub const UNCERTAIN_SENSOR_NOT_ACCURATE: Self = Self(0x4093);
    /// `Uncertain_EngineeringUnitsExceeded`: outside the sensor's range.
    pub const UNCERTAIN_UNITS_EXCEEDED: Self = Self(0x4094);
    /// `Uncertain_SubNormal`: fewer sources than needed.
    pub const UNCERTAIN_SUB_NORMAL: Self = Self(0x4095);
    /// `Bad`
    pub const BAD: Self = Self(0x8000);
    /// `Bad_NoCommunication`: the link to the device is down.
    pub const BAD_NO_COMMUNICATION: Self = Self(0x8031);
    /// `Bad_WaitingForInitialData`
    pub const BAD_WAITING_FOR_INITIAL_DATA: Self = Self(0x8032);
    /// `Bad_OutOfRange`: the value is none that the signal can have.
    pub const BAD_OUT_OF_RANGE: Self = Self(0x803C);
    /// `Bad_ConfigurationError`
    pub const BAD_CONFIGURATION_ERROR: Self = Self(0x8089);
    /// `Bad_NotConnected`
    pub const BAD_NOT_CONNECTED: Self = Self(0x808A);
    /// `Bad_DeviceFailure`
    pub const BAD_DEVICE_FAILURE: Self = Self(0x808B);
    /// `Bad_SensorFailure`
    pub const BAD_SENSOR_FAILURE: Self = Self(0x808C);
    /// `Bad_DataLost`: there was something, and it can't be had any more.
    pub const BAD_DATA_LOST: Self = Self(0x809D);
    /// `Bad_OutOfService`
    pub const BAD_OUT_OF_SERVICE: Self = Self(0x808D);

    /// From the upper 16 bits of a StatusCode. The reserved severity `11` reads as bad.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The upper 16 bits of the StatusCode.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The severity.
    pub const fn class(self) -> QualityClass {
        match self.0 >> 14 {
            0 => QualityClass::Good,
            1 => QualityClass::Uncertain,
            _ => QualityClass::Bad,
        }
    }

    /// Whether the value may be used without care.
    pub const fn is_good(self) -> bool {
        matches!(self.class(), QualityClass::Good)
    }

    /// Whether the value may not be used.
    pub const fn is_bad(self) -> bool {
        matches!(self.class(), QualityClass::Bad)
    }

    /// The quality of a whole OPC UA StatusCode, such as `0x808C_0000`. Its lower half (limits, overflow, semantics changed)
    /// says nothing about usability and is dropped.
    pub const fn from_status_code(code: u32) -> Self {
        Self((code >> 16) as u16)
    }

    /// The same where it is bad, else plain bad: what a sample without a value can have at best.
    #[must_use]
    pub const fn at_best_bad(self) -> Self {
        if self.is_bad() { self } else { Self::BAD }
    }

    /// The name in the standard, for example `BadSensorFailure`; `None` for numbers that it doesn't list.
    pub fn standard_name(self) -> Option<&'static str> {
        let at = STATUS_CODES.binary_search_by_key(&self.0, |(bits, _)| *bits).ok()?;
        STATUS_CODES.get(at).map(|(_, name)| *name)
    }

    /// Reads a name of an OPC UA StatusCode, or its number, or a quality of OPC DA in words.
    ///
    /// Names in any of the spellings in use, upper or lower case: `bad_not_connected`, `BadNotConnected`, `Bad_NotConnected`,
    /// `Bad, Not Connected`, `Bad [Not Connected]`, `Bad, Comm Failure, Low Limited` (limits say nothing about usability),
    /// `OPC_QUALITY_COMM_FAILURE`, `StatusBad`; also what [`fmt::Display`] prints, and a name with its number in brackets behind it.
    /// Numbers in decimal or as `0x…`: a whole StatusCode (`2156658688`, `0x808C0000`) or its upper half. A number that the
    /// standard does not list may only say that the value is not good: a small one may as well be OPC DA (see
    /// [`Self::from_opc_da`]), where another bit says so.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // What most readings say.
        for (name, quality) in [("good", Self::GOOD), ("bad", Self::BAD), ("uncertain", Self::UNCERTAIN)] {
            if name.eq_ignore_ascii_case(text) {
                return Some(quality);
            }
        }
        if let Some(hex) = hexadecimal(text) {
            return hex.and_then(|number| Self::from_number(number, true));
        }
        if let Ok(number) = text.parse::<u32>() {
            return Self::from_number(number, false);
        }
        if let Some((name, number)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
            return Self::with_number(name, number);
        }
        Self::named(text)
    }

    /// The severity that a text says by how it begins, whatever follows: a detail that nobody knows makes nothing better.
    pub fn class_of_words(text: &str) -> Option<QualityClass> {
        let word = word(text);
        [QualityClass::Bad, QualityClass::Uncertain, QualityClass::Good]
            .into_iter()
            .find(|class| without_heads(&word).any(|word| word.starts_with(class.as_str())))
    }

    /// A number that is either a whole StatusCode or only its upper half.
    fn from_number(number: u32, hexadecimal: bool) -> Option<Self> {
        let whole = number > u32::from(u16::MAX);
        let quality = if whole { Self::from_status_code(number) } else { Self(number as u16) };
        // What isn't listed may only say that it is not good; of decimals, which OPC DA has, too, a whole one only.
        let severe = if whole { !quality.is_good() } else { hexadecimal && quality.is_bad() };
        (severe || quality.standard_name().is_some()).then_some(quality)
    }

    /// `bad(0x80ff)` as [`fmt::Display`] prints it, `BadNoCommunication (0x80310000)` as OPC UA clients do.
    fn with_number(name: &str, number: &str) -> Option<Self> {
        let Some(Some(bits)) = hexadecimal(number) else { return Self::named(&format!("{name} {number}")) };
        let found = if bits > u32::from(u16::MAX) { Self::from_status_code(bits) } else { Self(bits as u16) };
        if found.class().as_str() == name {
            return Some(found);
        }
        let named = Self::named(name)?;
        // A bare severity and its detail by number, or the same twice. What contradicts itself is not known.
        let plain = [Self::GOOD, Self::UNCERTAIN, Self::BAD].contains(&named) && named.class() == found.class();
        (named == found || plain && found.standard_name().is_some()).then_some(found)
    }

    /// A name of OPC UA or OPC DA.
    fn named(text: &str) -> Option<Self> {
        let word = word(text);
        let known = |word: &str| {
            let older = OLDER_NAMES.iter().find(|(_, name)| same_name(name, word)).map(|(quality, _)| *quality);
            older
                .or_else(|| STATUS_CODES.iter().find(|(_, name)| same_name(name, word)).map(|(bits, _)| Self(*bits)))
                .or_else(|| Self::from_opc_da_name(word))
        };
        let classed = without_heads(&word).find_map(|word| known(word).or_else(|| known(without_limit(word)?)));
        classed.or_else(|| {
            let constant = word.strip_prefix("opcquality")?;
            Self::from_opc_da_constant(constant)
        })
    }
}

/// The number of a text with `0x` before it; `None` where there is no `0x`.
fn hexadecimal(text: &str) -> Option<Option<u32>> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).map(|hex| u32::from_str_radix(hex, 16).ok())
}

/// A text in small letters, without what stands between its words. Other marks stay: `!good` is not good, and neither is a broken
/// letter behind it.
fn word(text: &str) -> String {
    let between = |c: char| {
        c.is_whitespace()
            || matches!(c, '_' | '-' | '\u{2013}' | ',' | ':' | ';' | '.' | '/' | '\'' | '"' | '[' | ']' | '(' | ')')
    };
    text.chars().filter(|c| !between(*c)).flat_map(char::to_lowercase).collect()
}

/// What programs write before a quality: `OPC_QUALITY_BAD`, `STATUS_BAD`, `StatusCode.Bad`, `OpcUa_BadNotConnected`, `Quality: Bad`.
const HEADS: [&str; 7] = ["opcquality", "opcua", "opcda", "opc", "quality", "statuscode", "status"];

fn without_head(word: &str) -> Option<&str> {
    HEADS.iter().find_map(|head| word.strip_prefix(head)).filter(|rest| !rest.is_empty())
}

/// A word, and what is left of it without such a head, or two.
fn without_heads(word: &str) -> impl Iterator<Item = &str> {
    let once = without_head(word);
    [Some(word), once, once.and_then(without_head)].into_iter().flatten()
}

/// Limits of OPC DA and OPC UA behind a quality: how a value moves, and nothing about whether it can be used.
const LIMITS: [&str; 13] = [
    "notlimited",
    "nolimits",
    "nolimit",
    "lowlimited",
    "highlimited",
    "limitedlow",
    "limitedhigh",
    "limitlow",
    "limithigh",
    "lowlimit",
    "highlimit",
    "limitconstant",
    "constant",
];

/// The word without a limit at its end; `None` where there is none.
fn without_limit(word: &str) -> Option<&str> {
    LIMITS.iter().find_map(|limit| word.strip_suffix(limit)).filter(|rest| !rest.is_empty())
}

/// Whether a name of the standard is this word.
fn same_name(name: &str, word: &str) -> bool {
    name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase()).eq(word.bytes())
}

/// Names that were printed before all of the standard's were known. They stay, since exported files carry them.
const OLDER_NAMES: [(Quality, &str); 2] =
    [(Quality::UNCERTAIN_LAST_USABLE, "uncertain_last_usable"), (Quality::UNCERTAIN_UNITS_EXCEEDED, "uncertain_units_exceeded")];

impl QualityClass {
    /// `good`, `uncertain` or `bad`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Uncertain => "uncertain",
            Self::Bad => "bad",
        }
    }
}

impl fmt::Display for Quality {
    /// The standard's name in snake case (`bad_sensor_failure`); numbers that it doesn't list print their severity and bits,
    /// as `bad(0x80ff)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name)) = OLDER_NAMES.iter().find(|(quality, _)| quality == self) {
            return f.write_str(name);
        }
        let Some(name) = self.standard_name() else { return write!(f, "{}({:#06x})", self.class().as_str(), self.0) };
        let mut between = false;
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && between {
                f.write_char('_')?;
            }
            between = letter != '_';
            f.write_char(letter.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_every_entry_reads_back_in_every_spelling() {
        assert!(STATUS_CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (bits, name) in STATUS_CODES {
            let quality = Quality::from_bits(bits);
            let class = quality.class().as_str();
            assert!(name.to_ascii_lowercase().starts_with(class), "{name}");
            let (head, tail) = name.split_at(class.len());
            let whole = u32::from(bits) << 16;
            for text in [
                quality.to_string(),
                name.to_owned(),
                format!("{head}_{tail}"),
                format!("{head}, {tail}").to_ascii_uppercase(),
                bits.to_string(),
                format!("{whole:#010x}"),
                format!(" {name} "),
            ] {
                assert_eq!(Quality::parse(&text), Some(quality), "{text}");
            }
            if whole > 0 {
                assert_eq!(Quality::parse(&whole.to_string()), Some(quality));
            }
        }
    }

    #[test]
    fn names_print_in_snake_case() {
        for (bits, name) in [
            (0x0000, "good"),
            (0x8000, "bad"),
            (0x808A, "bad_not_connected"),
            (0x8005, "bad_communication_error"),
            (0x420F, "uncertain_configuration_error"),
            (0x811A, "bad_initial_value_out_of_range"),
            (0x4090, "uncertain_last_usable"),
            (0x80FF, "bad(0x80ff)"),
        ] {
            assert_eq!(Quality::from_bits(bits).to_string(), name);
            assert_eq!(Quality::parse(name), Some(Quality::from_bits(bits)));
        }
    }

    #[test]
    fn what_is_no_quality_is_none() {
        for text in [
            "",
            "fine",
            "65536",
            "192",
            "64",
            "-1",
            "4294967296",
            "bad(0x4000)",
            "bad(0x)",
            "0x",
            "0x123456789",
            "bad_",
            "gut",
            "1.5",
            // As numbers of OPC DA that are bad; of OPC UA they would be good, and nobody has said which they are.
            "0x18",
            "0x00C0",
            "0x4018",
            "0x00040018",
            "Good (0x80310000)",
            "!good",
            "good?",
            "good\u{fffd}",
            "BadNotConnected (0x00000000)",
        ] {
            let read = Quality::parse(text);
            assert_eq!(read, if text == "bad_" { Some(Quality::BAD) } else { None }, "{text}");
        }
    }

    #[test]
    fn what_opc_da_says_in_words_is_read_however_it_is_written() {
        for (text, expected) in [
            ("Bad, Comm Failure", Quality::BAD_NO_COMMUNICATION),
            ("Bad [Comm Failure]", Quality::BAD_NO_COMMUNICATION),
            ("Bad (Communication Failure)", Quality::BAD_NO_COMMUNICATION),
            ("BAD - COMM FAILURE, Low Limited", Quality::BAD_NO_COMMUNICATION),
            ("Bad [Configuration Error]", Quality::BAD_CONFIGURATION_ERROR),
            ("Bad [Out of Service]", Quality::BAD_OUT_OF_SERVICE),
            ("Bad, Last Known Value", Quality::BAD_OUT_OF_SERVICE),
            ("Bad, Non-specific", Quality::BAD),
            ("OPC_QUALITY_BAD", Quality::BAD),
            ("OPC_QUALITY_COMM_FAILURE", Quality::BAD_NO_COMMUNICATION),
            ("STATUS_BAD", Quality::BAD),
            ("StatusCode.BadNotConnected", Quality::BAD_NOT_CONNECTED),
            ("OpcUa_BadSensorFailure", Quality::BAD_SENSOR_FAILURE),
            ("Quality: Bad", Quality::BAD),
            ("BadNoCommunication (0x80310000)", Quality::BAD_NO_COMMUNICATION),
            ("Bad (0x80310000)", Quality::BAD_NO_COMMUNICATION),
            ("Uncertain, EU Exceeded, High Limited", Quality::UNCERTAIN_UNITS_EXCEEDED),
            ("OPC_QUALITY_SENSOR_CAL", Quality::UNCERTAIN_SENSOR_NOT_ACCURATE),
            ("Good, Non-specific", Quality::GOOD),
            ("Good [Non-Specific, Constant]", Quality::GOOD),
            ("Good, Local Override", Quality::GOOD_LOCAL_OVERRIDE),
            ("OPC_QUALITY_GOOD", Quality::GOOD),
        ] {
            assert_eq!(Quality::parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn how_a_word_begins_says_its_severity_whatever_follows() {
        use QualityClass::{Bad, Good, Uncertain};
        for (text, expected) in [
            ("bad_foo_bar", Some(Bad)),
            ("Bad, Vendor 17", Some(Bad)),
            ("OPC_QUALITY_BAD_SOMETHING", Some(Bad)),
            ("status: BAD!", Some(Bad)),
            ("Uncertain, who knows", Some(Uncertain)),
            ("Good [Bad sensor]", Some(Good)),
            ("not bad", None),
            ("splendid", None),
            ("", None),
        ] {
            assert_eq!(Quality::class_of_words(text), expected, "{text}");
        }
        for (_, name) in STATUS_CODES {
            let class = Quality::parse(name).map(Quality::class);
            assert_eq!(Quality::class_of_words(&format!("{name} and more")), class, "{name}");
        }
    }

    #[test]
    fn a_status_code_of_tomorrow_keeps_its_severity() {
        assert_eq!(Quality::parse("0x87770000").map(Quality::class), Some(QualityClass::Bad));
        assert_eq!(Quality::parse("1073741824"), Some(Quality::UNCERTAIN));
    }
}
