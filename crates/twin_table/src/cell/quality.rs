//! The quality that a table or a sender writes beside a value: names and numbers of OPC UA, numbers of OPC DA where declared.

use twin_model::{Quality, QualityClass};

use crate::quoted;

/// What numbers in a column of qualities mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codes {
    /// OPC UA StatusCodes: 0 is good, 0x80000000 bad.
    #[default]
    OpcUa,
    /// OPC DA: 192 is good, 0 bad.
    OpcDa,
}

/// A quality that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadQuality {
    /// It is one.
    Known(Quality),
    /// It is none that is known: the value is uncertain, or bad where the word begins with it.
    Unknown(Quality),
    /// It is a number that OPC DA has and OPC UA hasn't: 192 is good there and 0 bad, so that no number can be trusted.
    LooksLikeOpcDa,
}

impl ReadQuality {
    /// The quality: what is not known is uncertain at best.
    pub const fn quality(self) -> Quality {
        match self {
            Self::Known(quality) | Self::Unknown(quality) => quality,
            Self::LooksLikeOpcDa => Quality::UNCERTAIN,
        }
    }

    /// Words for one that is not known, with `text` as it stands there and what it counts as; `None` for others.
    pub fn words(self, text: &str) -> Option<String> {
        let Self::Unknown(quality) = self else { return None };
        Some(format!("{} is no known quality; taken as {}", quoted(text), quality.class().as_str()))
    }
}

/// Reads qualities by declared codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QualityReader {
    /// What numbers mean.
    pub codes: Codes,
}

impl QualityReader {
    /// Reads a text; an empty one says nothing, which is good.
    pub fn read(self, text: &str) -> ReadQuality {
        let text = text.trim();
        if text.is_empty() {
            return ReadQuality::Known(Quality::GOOD);
        }
        let known = Quality::parse(text).map(ReadQuality::Known);
        let Some(number) = self.number(text) else { return known.unwrap_or_else(|| unknown(text)) };
        match (self.codes, u16::try_from(number)) {
            // Good for a reason that nobody knows is no better than uncertain: 500 is how some say that a value is old.
            (Codes::OpcDa, Ok(word)) if !Quality::is_opc_da(word) && Quality::from_opc_da(word).is_good() => unknown(text),
            (Codes::OpcDa, Ok(word)) => ReadQuality::Known(Quality::from_opc_da(word)),
            // OPC DA has no such number. As a StatusCode it may say that the value is not good, and never that it is.
            (Codes::OpcDa, Err(_)) => match Quality::parse(&number.to_string()) {
                Some(quality) if !quality.is_good() => ReadQuality::Known(quality),
                _ => unknown(text),
            },
            (Codes::OpcUa, _) => match known.or_else(|| Quality::parse(&number.to_string()).map(ReadQuality::Known)) {
                Some(known) => known,
                None if opc_da_only(number) => ReadQuality::LooksLikeOpcDa,
                None if only_info_bits(number) => ReadQuality::Known(Quality::GOOD),
                None => unknown(text),
            },
        }
    }

    /// The number of a text, decimal or as `0x…`.
    fn number(self, text: &str) -> Option<u64> {
        if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return u64::from_str_radix(hex, 16).ok();
        }
        // Programs that make a number of every column write 192.0.
        let digits = text.split_once('.').filter(|(_, part)| part.bytes().all(|b| b == b'0')).map_or(text, |(whole, _)| whole);
        digits.parse().ok().or_else(|| self.without_sign(digits))
    }

    /// A StatusCode that went through a column of signed 32 bits, where every bad one is negative.
    fn without_sign(self, digits: &str) -> Option<u64> {
        let code = digits.parse::<i32>().ok().filter(|code| *code < 0 && self.codes == Codes::OpcUa)?.cast_unsigned();
        Quality::parse(&code.to_string()).and_then(Quality::standard_name).map(|_| u64::from(code))
    }
}

/// What is known of a text that is no known quality: how it begins. One that begins with good and goes on with who knows what is
/// no better than uncertain.
fn unknown(text: &str) -> ReadQuality {
    match Quality::class_of_words(text) {
        Some(QualityClass::Bad) => ReadQuality::Unknown(Quality::BAD),
        Some(QualityClass::Good | QualityClass::Uncertain) | None => ReadQuality::Unknown(Quality::UNCERTAIN),
    }
}

/// A StatusCode that is good and says something about the value in its lower half: limits, an overflow (OPC UA part 4, table
/// "StatusCode bit assignments": type of info 01, bits 5, 6, 12 and 13 unused).
const fn only_info_bits(number: u64) -> bool {
    number <= u16::MAX as u64 && number & 0x0c00 == 0x0400 && number & 0x3060 == 0
}

/// Statuses of OPC DA apart from 0, with any limit bits.
fn opc_da_only(number: u64) -> bool {
    matches!(number & !3, 4 | 8 | 12 | 16 | 20 | 24 | 28 | 32 | 64 | 68 | 80 | 84 | 88 | 192 | 216) && number < 256
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: ReadQuality = ReadQuality::Unknown(Quality::UNCERTAIN);

    #[test]
    fn names_and_numbers_are_read_by_the_declared_codes() {
        let (ua, da) = (QualityReader::default(), QualityReader { codes: Codes::OpcDa });
        for (reader, text, expected) in [
            (ua, "", ReadQuality::Known(Quality::GOOD)),
            (ua, "Good", ReadQuality::Known(Quality::GOOD)),
            (ua, "0", ReadQuality::Known(Quality::GOOD)),
            (ua, "BadNotConnected", ReadQuality::Known(Quality::BAD_NOT_CONNECTED)),
            (ua, " 0x808A0000 ", ReadQuality::Known(Quality::BAD_NOT_CONNECTED)),
            (ua, "2147483648", ReadQuality::Known(Quality::BAD)),
            (ua, "-2147483648", ReadQuality::Known(Quality::BAD)),
            (ua, "-2138439680", ReadQuality::Known(Quality::BAD_NOT_CONNECTED)),
            (ua, "1024", ReadQuality::Known(Quality::GOOD)),
            (ua, "1280.0", ReadQuality::Known(Quality::GOOD)),
            (ua, "192", ReadQuality::LooksLikeOpcDa),
            (ua, "192.0", ReadQuality::LooksLikeOpcDa),
            (ua, "195", ReadQuality::LooksLikeOpcDa),
            (ua, "7777", UNKNOWN),
            (ua, "splendid", UNKNOWN),
            (ua, "-1", UNKNOWN),
            (ua, "-7777", UNKNOWN),
            (da, "-2147483648", UNKNOWN),
            (da, "192", ReadQuality::Known(Quality::GOOD)),
            (da, "0", ReadQuality::Known(Quality::BAD)),
            (da, "24", ReadQuality::Known(Quality::BAD_NO_COMMUNICATION)),
            (da, "216", ReadQuality::Known(Quality::GOOD_LOCAL_OVERRIDE)),
            (da, "195", ReadQuality::Known(Quality::GOOD)),
            (da, "500", UNKNOWN),
            (da, "244", UNKNOWN),
            (da, "60", ReadQuality::Known(Quality::BAD)),
            (da, "bad", ReadQuality::Known(Quality::BAD)),
            (da, "70000", UNKNOWN),
            (da, "2147483648", ReadQuality::Known(Quality::BAD)),
        ] {
            assert_eq!(reader.read(text), expected, "{text}");
        }
        assert_eq!(ua.read("splendid").quality(), Quality::UNCERTAIN);
    }

    #[test]
    fn a_number_in_hexadecimal_is_the_same_as_in_decimal_by_the_declared_codes() {
        let (ua, da) = (QualityReader::default(), QualityReader { codes: Codes::OpcDa });
        for (number, expected) in [
            (0x18, Quality::BAD_NO_COMMUNICATION),
            (0x00, Quality::BAD),
            (0x08, Quality::BAD_NOT_CONNECTED),
            (0x1C, Quality::BAD_OUT_OF_SERVICE),
            (0x40, Quality::UNCERTAIN),
            (0xC0, Quality::GOOD),
            (0xA5C3, Quality::GOOD),
        ] {
            for text in [format!("{number:#x}"), format!("0X{number:04X}"), format!("{number:#010x}"), format!("{number}.00")] {
                assert_eq!(da.read(&text), ReadQuality::Known(expected), "{text}");
            }
        }
        for number in 0..=0xFFFF_u32 {
            let (hex, decimal) = (ua.read(&format!("{number:#06x}")), ua.read(&number.to_string()));
            // Four digits with the top bit set are half of a StatusCode.
            assert!(hex == decimal || hex.quality().is_bad() && number >= 0x8000, "{number:#x}: {hex:?} and {decimal:?}");
            assert!(
                !hex.quality().is_good()
                    || number == 0
                    || Quality::from_bits(number as u16).standard_name().is_some()
                    || only_info_bits(number.into()),
                "{number:#x}"
            );
            assert_eq!(da.read(&format!("{number:#06x}")), da.read(&number.to_string()), "{number:#x}");
        }
        assert_eq!(ua.read("0xC0"), ReadQuality::LooksLikeOpcDa, "as 192");
        assert_eq!(ua.read("0x00040018"), UNKNOWN, "raw data of OPC HDA without communication");
        assert_eq!(ua.read("0x80310000"), ReadQuality::Known(Quality::BAD_NO_COMMUNICATION));
        assert_eq!(da.read("0x80310000"), ReadQuality::Known(Quality::BAD_NO_COMMUNICATION));
        assert_eq!((da.read("0x00300000"), da.read("0xxx"), da.read("0x1FFFFFFFFFFFFFFFF")), (UNKNOWN, UNKNOWN, UNKNOWN));
    }

    #[test]
    fn whatever_begins_with_bad_is_bad_and_nothing_unknown_is_good() {
        let (ua, da) = (QualityReader::default(), QualityReader { codes: Codes::OpcDa });
        for (text, expected) in [
            ("Bad, Comm Failure", ReadQuality::Known(Quality::BAD_NO_COMMUNICATION)),
            ("OPC_QUALITY_BAD", ReadQuality::Known(Quality::BAD)),
            ("bad_foo_bar", ReadQuality::Unknown(Quality::BAD)),
            ("BAD: sensor 7", ReadQuality::Unknown(Quality::BAD)),
            ("bad(0x4000)", ReadQuality::Unknown(Quality::BAD)),
            ("Good, Non-specific", ReadQuality::Known(Quality::GOOD)),
            ("Good, but drifting", UNKNOWN),
            ("Good (0x80310000)", UNKNOWN),
            ("Uncertain, rather", UNKNOWN),
            ("splendid", UNKNOWN),
        ] {
            assert_eq!((ua.read(text), da.read(text)), (expected, expected), "{text}");
        }
        assert_eq!(ua.read("bad_foo_bar").words("bad_foo_bar").unwrap(), "'bad_foo_bar' is no known quality; taken as bad");
        assert_eq!(ua.read("bad").words("bad"), None);
    }
}
