//! Qualities of OPC DA (192 good, 64 uncertain, 0 bad) and the OPC UA ones that say the same.

use crate::{Quality, QualityClass};

/// OPC DA status without limits (`QQSSSS00`) and its quality (OPC 10000-8, tables A.3 and A.7). Of two words for one quality
/// the first is written.
const OPC_DA: [(u16, Quality); 16] = [
    (0, Quality::BAD),
    (4, Quality::BAD_CONFIGURATION_ERROR),
    (8, Quality::BAD_NOT_CONNECTED),
    (12, Quality::BAD_DEVICE_FAILURE),
    (16, Quality::BAD_SENSOR_FAILURE),
    (28, Quality::BAD_OUT_OF_SERVICE),
    // Last known value: the table gives it the code of out of service.
    (20, Quality::BAD_OUT_OF_SERVICE),
    (24, Quality::BAD_NO_COMMUNICATION),
    (32, Quality::BAD_WAITING_FOR_INITIAL_DATA),
    (64, Quality::UNCERTAIN),
    (68, Quality::UNCERTAIN_LAST_USABLE),
    (80, Quality::UNCERTAIN_SENSOR_NOT_ACCURATE),
    (84, Quality::UNCERTAIN_UNITS_EXCEEDED),
    (88, Quality::UNCERTAIN_SUB_NORMAL),
    (192, Quality::GOOD),
    (216, Quality::GOOD_LOCAL_OVERRIDE),
];

/// What OPC DA says in words, as letters and digits alone: behind the severity (`Bad, Comm Failure`), and as the constant of
/// its header files (`OPC_QUALITY_COMM_FAILURE`).
const NAMES: [(&str, &str, u16); 24] = [
    ("badnonspecific", "", 0),
    ("badconfigurationerror", "configerror", 4),
    ("badconfigerror", "configurationerror", 4),
    ("badnotconnected", "notconnected", 8),
    ("baddevicefailure", "devicefailure", 12),
    ("badsensorfailure", "sensorfailure", 16),
    ("badlastknownvalue", "lastknown", 20),
    ("badlastknown", "lastknownvalue", 20),
    ("badcommunicationfailure", "commfailure", 24),
    ("badcommfailure", "communicationfailure", 24),
    ("badcommfail", "commfail", 24),
    ("badoutofservice", "outofservice", 28),
    ("badwaitingforinitialdata", "waitingforinitialdata", 32),
    ("uncertainnonspecific", "", 64),
    ("uncertainlastusablevalue", "lastusable", 68),
    ("uncertainlastusable", "lastusablevalue", 68),
    ("uncertainsensornotaccurate", "sensornotaccurate", 80),
    ("uncertainsensorcal", "sensorcal", 80),
    ("uncertainengineeringunitsexceeded", "engineeringunitsexceeded", 84),
    ("uncertaineguexceeded", "eguexceeded", 84),
    ("uncertaineuexceeded", "euexceeded", 84),
    ("uncertainsubnormal", "subnormal", 88),
    ("goodnonspecific", "", 192),
    ("goodlocaloverride", "localoverride", 216),
];

impl Quality {
    /// The quality of OPC DA behind its severity: `badcommfailure`.
    pub(crate) fn from_opc_da_name(word: &str) -> Option<Self> {
        NAMES.iter().find(|(name, ..)| *name == word).map(|(.., da)| Self::from_opc_da(*da))
    }

    /// A constant of OPC DA without `OPC_QUALITY_`: `commfailure`.
    pub(crate) fn from_opc_da_constant(word: &str) -> Option<Self> {
        NAMES.iter().find(|(_, name, _)| *name == word && !name.is_empty()).map(|(.., da)| Self::from_opc_da(*da))
    }

    /// The quality of an OPC DA quality word `VVVVVVVV QQSSSSLL`: 192 is good, 64 uncertain, 0 bad, each with a substatus.
    ///
    /// After OPC 10000-8, table A.3. The vendor's byte and the limit bits are dropped as there; a substatus that the table
    /// lacks reads as its class alone, and the reserved class `10` as bad.
    pub fn from_opc_da(word: u16) -> Self {
        let status = word & 0b1111_1100;
        let exact = OPC_DA.iter().find(|(da, _)| *da == status).map(|(_, quality)| *quality);
        exact.unwrap_or(match status >> 6 {
            3 => Self::GOOD,
            1 => Self::UNCERTAIN,
            _ => Self::BAD,
        })
    }

    /// Whether OPC 10000-8, table A.3, has the status of an OPC DA quality word, whatever its limits and its vendor's byte.
    pub fn is_opc_da(word: u16) -> bool {
        OPC_DA.iter().any(|(da, _)| *da == word & 0b1111_1100)
    }

    /// The OPC DA quality word that says the same, limits unsaid (OPC 10000-8, table A.7); what it lacks, by its class alone.
    pub fn to_opc_da(self) -> u16 {
        let exact = OPC_DA.iter().find(|(_, quality)| *quality == self).map(|(da, _)| *da);
        exact.unwrap_or(match self.class() {
            QualityClass::Good => 192,
            QualityClass::Uncertain => 64,
            QualityClass::Bad => 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opc_da_words_read_as_the_table_says_whatever_their_limits_and_vendor() {
        for (word, expected) in [
            (192, Quality::GOOD),
            (216, Quality::GOOD_LOCAL_OVERRIDE),
            (0, Quality::BAD),
            (8, Quality::BAD_NOT_CONNECTED),
            (20, Quality::BAD_OUT_OF_SERVICE),
            (24, Quality::BAD_NO_COMMUNICATION),
            (64, Quality::UNCERTAIN),
            (86, Quality::UNCERTAIN_UNITS_EXCEEDED),
            (0xA5C3, Quality::GOOD),
            (196, Quality::GOOD),
            (128, Quality::BAD),
            (60, Quality::BAD),
        ] {
            assert_eq!(Quality::from_opc_da(word), expected, "{word}");
        }
        for word in 0..=255 {
            let quality = Quality::from_opc_da(word);
            assert_eq!(Quality::from_opc_da(quality.to_opc_da()), quality, "{word}");
        }
    }
}
