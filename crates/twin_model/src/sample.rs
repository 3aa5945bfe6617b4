//! One reading of one signal.

use crate::{Quality, Timestamp, Value};

/// What kind of reading it is; the bits are the wire's and the store's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// Nothing special: measured now.
    pub const NONE: Self = Self(0);
    /// Store-and-forward data: goes to history, never moves the live value (Sparkplug `is_historical`).
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

    /// The same reading with another quality.
    #[must_use]
    pub fn with_quality(mut self, quality: Quality) -> Self {
        self.quality = quality;
        self
    }
}
