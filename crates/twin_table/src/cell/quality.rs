//! The quality that a table or a sender writes beside a value: names and numbers of OPC UA, numbers of OPC DA where declared.

use twin_model::Quality;

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
    /// It is none that is known; the value is uncertain.
    Unknown,
    /// It is a number that OPC DA has and OPC UA hasn't: 192 is good there and 0 bad, so that no number can be trusted.
    LooksLikeOpcDa,
}

impl ReadQuality {
    /// The quality: what is not known is uncertain.
    pub const fn quality(self) -> Quality {
        match self {
            Self::Known(quality) => quality,
            Self::Unknown | Self::LooksLikeOpcDa => Quality::UNCERTAIN,
        }
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
        // Programs that make a number of every column write 192.0.
        let digits = text.strip_suffix(".0").unwrap_or(text);
        let number = digits.parse::<u64>().ok().or_else(|| self.without_sign(digits));
        match (self.codes, number) {
            (Codes::OpcDa, Some(number)) => {
                u16::try_from(number).map_or(ReadQuality::Unknown, |word| ReadQuality::Known(Quality::from_opc_da(word)))
            }
            (Codes::OpcUa, Some(number)) if Quality::parse(&number.to_string()).is_none() => {
                if opc_da_only(number) {
                    ReadQuality::LooksLikeOpcDa
                } else if only_info_bits(number) {
                    ReadQuality::Known(Quality::GOOD)
                } else {
                    ReadQuality::Unknown
                }
            }
            (Codes::OpcUa, Some(number)) => Quality::parse(&number.to_string()).map_or(ReadQuality::Unknown, ReadQuality::Known),
            (_, None) => Quality::parse(text).map_or(ReadQuality::Unknown, ReadQuality::Known),
        }
    }

    /// A StatusCode that went through a column of signed 32 bits, where every bad one is negative.
    fn without_sign(self, digits: &str) -> Option<u64> {
        let code = digits.parse::<i32>().ok().filter(|code| *code < 0 && self.codes == Codes::OpcUa)?.cast_unsigned();
        Quality::parse(&code.to_string()).and_then(Quality::standard_name).map(|_| u64::from(code))
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
            (ua, "7777", ReadQuality::Unknown),
            (ua, "splendid", ReadQuality::Unknown),
            (ua, "-1", ReadQuality::Unknown),
            (ua, "-7777", ReadQuality::Unknown),
            (da, "-2147483648", ReadQuality::Unknown),
            (da, "192", ReadQuality::Known(Quality::GOOD)),
            (da, "0", ReadQuality::Known(Quality::BAD)),
            (da, "24", ReadQuality::Known(Quality::BAD_NO_COMMUNICATION)),
            (da, "bad", ReadQuality::Known(Quality::BAD)),
            (da, "70000", ReadQuality::Unknown),
        ] {
            assert_eq!(reader.read(text), expected, "{text}");
        }
        assert_eq!(ua.read("splendid").quality(), Quality::UNCERTAIN);
    }
}
