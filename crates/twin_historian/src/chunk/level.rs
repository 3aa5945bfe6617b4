//! How fine the samples of a chunk are: all of them, or of every stretch those that a picture of it needs.
//!
//! Coarser levels hold real samples with their own times, so that a reader may mix levels: what it gets twice is the same.

use std::fmt;
use std::str::FromStr;

use twin_model::Span;

/// Which samples a chunk holds. Codes and names are part of the format (docs/HISTORIAN.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Every sample.
    #[default]
    Raw,
    /// Of every five minutes first, last, lowest, highest and worst sample, edges of gaps, and up to 16 changes of a state.
    FiveMinutes,
    /// The same of every hour.
    Hour,
    /// The newest sample of every signal before one instant: what holds where a slab begins. With it a reader of one slab
    /// knows the state at its start, however long ago a signal last changed.
    Carried,
}

impl Level {
    /// The levels with samples of a stretch of time, finest first.
    pub const TIERS: [Self; 3] = [Self::Raw, Self::FiveMinutes, Self::Hour];

    /// The byte in a chunk's header.
    pub const fn code(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::FiveMinutes => 1,
            Self::Hour => 2,
            Self::Carried => 15,
        }
    }

    /// The level of a header's byte.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Raw),
            1 => Some(Self::FiveMinutes),
            2 => Some(Self::Hour),
            15 => Some(Self::Carried),
            _ => None,
        }
    }

    /// The stretch of which some samples stay; none where all do.
    pub const fn bucket(self) -> Option<Span> {
        match self {
            Self::FiveMinutes => Some(Span::from_secs(300)),
            Self::Hour => Some(Span::from_secs(3_600)),
            Self::Raw | Self::Carried => None,
        }
    }

    /// Length of a chunk of this level where raw chunks have `raw`: about as many samples in each, whole multiples of
    /// `raw`, and beginning at whole multiples of themselves since the epoch.
    pub fn slab(self, raw: Span) -> Span {
        match self {
            Self::Raw | Self::Carried => raw,
            Self::FiveMinutes => raw * 6,
            Self::Hour => raw * 96,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::FiveMinutes => "5min",
            Self::Hour => "1h",
            Self::Carried => "carried",
        })
    }
}

impl FromStr for Level {
    type Err = crate::HistorianError;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Raw, Self::FiveMinutes, Self::Hour, Self::Carried];
        all.into_iter().find(|level| level.to_string() == text).ok_or(crate::HistorianError::Key)
    }
}
