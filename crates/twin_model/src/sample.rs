//! One reading of one signal.

use crate::{Quality, Timestamp, Value, ValueKind};

/// What kind of reading it is; the bits are the wire's and the store's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// Nothing special: measured now.
    pub const NONE: Self = Self(0);
    /// Store-and-forward data, which its source kept while nobody took it (Sparkplug `is_historical`). It holds from its source
    /// time on, as every reading does; what is newer than it is never moved back.
    pub const HISTORICAL: Self = Self(1);
    /// Made by a simulation of the device.
    pub const SIMULATED: Self = Self(2);
    /// Computed for a time that had not come.
    pub const PREDICTED: Self = Self(4);
    /// Entered by a person.
    pub const MANUAL: Self = Self(8);
    /// The source said "no value" (Sparkplug `is_null`); the sample's value is a placeholder.
    pub const NULL: Self = Self(16);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One reading. The two clocks are never mixed: order is by `source_time`, freshness of links by `received_time`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When the device took the value (OPC UA SourceTimestamp).
    pub source_time: Timestamp,
    /// When the gateway got it (OPC UA ServerTimestamp).
    pub received_time: Timestamp,
    /// The value.
    pub value: Value,
    /// How far it can be used.
    pub quality: Quality,
    /// What kind of reading it is.
    pub flags: Flags,
}

impl Sample {
    /// A good reading of a number, received when it was taken.
    pub const fn float(t: Timestamp, value: f64) -> Self {
        Self::new(t, Value::Float(value))
    }

    /// A good reading, received when it was taken.
    pub const fn new(t: Timestamp, value: Value) -> Self {
        Self { source_time: t, received_time: t, value, quality: Quality::GOOD, flags: Flags::NONE }
    }

    /// A reading whose source gave no value: a placeholder of `kind` under [`Flags::NULL`], and a quality that is never
    /// better than bad ([`Quality::at_best_bad`]), which is the reason where the source gave one.
    pub fn without_value(t: Timestamp, kind: ValueKind, quality: Quality) -> Self {
        let quality = quality.at_best_bad();
        Self { source_time: t, received_time: t, value: kind.placeholder(), quality, flags: Flags::NULL }
    }

    /// The same reading as it goes into the plant: one that says both "no value", or not-a-number, and "good" is bad.
    ///
    /// Every door (sockets, tables, the wire) calls this, so that nothing behind them has to doubt a quality.
    #[must_use]
    pub const fn admitted(mut self) -> Self {
        if !self.has_value() {
            self.quality = self.quality.at_best_bad();
        }
        self
    }

    /// Whether the source gave a value: it didn't say "no value", nor did it send not-a-number.
    pub const fn has_value(&self) -> bool {
        !self.flags.has(Flags::NULL) && !matches!(self.value, Value::Float(value) if value.is_nan())
    }

    /// Whether the value may be judged, drawn and counted: there is one, and its quality is not bad.
    pub fn usable(&self) -> bool {
        self.has_value() && !self.quality.is_bad()
    }

    /// The value where there is one.
    pub fn given(&self) -> Option<&Value> {
        self.has_value().then_some(&self.value)
    }

    /// The number that may be judged, drawn and counted; infinities are among them, texts have none.
    pub fn usable_number(&self) -> Option<f64> {
        if self.usable() { self.value.as_f64() } else { None }
    }

    /// How far the reading can be used: its quality, at best bad where there is no value.
    pub fn judged_quality(&self) -> Quality {
        if self.has_value() { self.quality } else { self.quality.at_best_bad() }
    }

    /// The same reading with another quality.
    #[must_use]
    pub fn with_quality(mut self, quality: Quality) -> Self {
        self.quality = quality;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_without_a_value_is_never_better_than_bad() {
        for kind in [ValueKind::Float, ValueKind::Int, ValueKind::Bool, ValueKind::Text] {
            for (given, expected) in [
                (Quality::GOOD, Quality::BAD),
                (Quality::UNCERTAIN, Quality::BAD),
                (Quality::BAD_SENSOR_FAILURE, Quality::BAD_SENSOR_FAILURE),
            ] {
                let sample = Sample::without_value(Timestamp::from_secs(1), kind, given);
                assert_eq!((sample.quality, sample.value.kind()), (expected, kind));
                assert!(!sample.has_value() && !sample.usable() && sample.given().is_none());
                assert_eq!(sample.usable_number(), None);
            }
        }
    }

    #[test]
    fn not_a_number_is_no_value_and_infinity_is_one() {
        let read = |value| Sample::float(Timestamp::from_secs(0), value);
        assert!(!read(f64::NAN).has_value() && read(f64::NAN).judged_quality() == Quality::BAD);
        assert_eq!(read(f64::INFINITY).usable_number(), Some(f64::INFINITY));
        assert_eq!(read(1.0).with_quality(Quality::BAD).usable_number(), None);
        assert_eq!(read(1.0).with_quality(Quality::UNCERTAIN).usable_number(), Some(1.0));
    }

    #[test]
    fn a_door_takes_no_value_for_bad_and_leaves_the_rest() {
        let null = Sample { flags: Flags::NULL.with(Flags::HISTORICAL), ..Sample::float(Timestamp::from_secs(0), 0.0) };
        assert_eq!(null.clone().admitted().quality, Quality::BAD);
        assert_eq!(null.with_quality(Quality::BAD_NO_COMMUNICATION).admitted().quality, Quality::BAD_NO_COMMUNICATION);
        let read = |value| Sample::float(Timestamp::from_secs(0), value);
        assert_eq!(read(f64::NAN).admitted().quality, Quality::BAD);
        for value in [read(0.0), read(f64::INFINITY)] {
            assert_eq!(value.clone().admitted(), value);
        }
    }
}
