//! How far a value can be used: the upper half of an OPC UA StatusCode (OPC 10000-4, 7.39).

use std::fmt;

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
    /// `Bad`
    pub const BAD: Self = Self(0x8000);
    /// `Bad_NoCommunication`: the link to the device is down.
    pub const BAD_NO_COMMUNICATION: Self = Self(0x8031);
    /// `Bad_DeviceFailure`
    pub const BAD_DEVICE_FAILURE: Self = Self(0x808B);
    /// `Bad_SensorFailure`
    pub const BAD_SENSOR_FAILURE: Self = Self(0x808C);
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

    /// Reads `good`, `uncertain`, `bad` or one of the names that [`fmt::Display`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        NAMED.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(quality, _)| *quality)
    }
}

const NAMED: [(Quality, &str); 11] = [
    (Quality::GOOD, "good"),
    (Quality::GOOD_LOCAL_OVERRIDE, "good_local_override"),
    (Quality::UNCERTAIN, "uncertain"),
    (Quality::UNCERTAIN_LAST_USABLE, "uncertain_last_usable"),
    (Quality::UNCERTAIN_SENSOR_NOT_ACCURATE, "uncertain_sensor_not_accurate"),
    (Quality::UNCERTAIN_UNITS_EXCEEDED, "uncertain_units_exceeded"),
    (Quality::BAD, "bad"),
    (Quality::BAD_NO_COMMUNICATION, "bad_no_communication"),
    (Quality::BAD_DEVICE_FAILURE, "bad_device_failure"),
    (Quality::BAD_SENSOR_FAILURE, "bad_sensor_failure"),
    (Quality::BAD_OUT_OF_SERVICE, "bad_out_of_service"),
];

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
    /// A name in snake case; substatuses without a name print their severity and bits, as `bad(0x80ab)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED.iter().find(|(quality, _)| quality == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{}({:#06x})", self.class().as_str(), self.0),
        }
    }
}

impl fmt::Debug for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
