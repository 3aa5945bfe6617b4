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

    /// Reads a name of an OPC UA StatusCode, or its number.
    ///
    /// Names in any of the spellings in use, upper or lower case: `bad_not_connected`, `BadNotConnected`,
    /// `Bad_NotConnected`, `Bad, Not Connected`; also what [`fmt::Display`] prints. Numbers in decimal or as `0x…`: a whole
    /// StatusCode (`2156658688`, `0x808C0000`) or its upper half. A decimal upper half has to be one that the standard
    /// lists, since a small number in a column of qualities may as well be OPC DA (see [`Self::from_opc_da`]).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "good" => return Some(Self::GOOD),
            "uncertain" => return Some(Self::UNCERTAIN),
            "bad" => return Some(Self::BAD),
            _ => {}
        }
        if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return u32::from_str_radix(hex, 16).ok().map(Self::from_number);
        }
        if let Ok(number) = text.parse::<u32>() {
            let quality = Self::from_number(number);
            // What isn't listed may only say that it is not good.
            let severe = number > u32::from(u16::MAX) && !quality.is_good();
            return (severe || quality.standard_name().is_some()).then_some(quality);
        }
        if let Some((class, rest)) = text.split_once("(0x") {
            let bits = u16::from_str_radix(rest.strip_suffix(')')?, 16).ok();
            return bits.map(Self).filter(|quality| quality.class().as_str() == class);
        }
        let older = OLDER_NAMES.iter().find(|(_, name)| same_name(name, text)).map(|(quality, _)| *quality);
        older.or_else(|| STATUS_CODES.iter().find(|(_, name)| same_name(name, text)).map(|(bits, _)| Self(*bits)))
    }

    /// A number that is either a whole StatusCode or only its upper half.
    const fn from_number(number: u32) -> Self {
        if number > u16::MAX as u32 { Self::from_status_code(number) } else { Self(number as u16) }
    }
}

/// Whether two names are the same but for case and what stands between words.
fn same_name(name: &str, text: &str) -> bool {
    letters(name).eq(letters(text))
}

/// The letters of a name, small, without what stands between words.
fn letters(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' ' | b',' | b':' | b'.')).map(|byte| byte.to_ascii_lowercase())
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
        ] {
            let read = Quality::parse(text);
            assert_eq!(read, if text == "bad_" { Some(Quality::BAD) } else { None }, "{text}");
        }
    }

    #[test]
    fn a_status_code_of_tomorrow_keeps_its_severity() {
        assert_eq!(Quality::parse("0x87770000").map(Quality::class), Some(QualityClass::Bad));
        assert_eq!(Quality::parse("1073741824"), Some(Quality::UNCERTAIN));
    }
}
