//! How long history is kept: which chunks are past their time or over the bytes that a level may take.

use twin_model::{Span, TimeRange, Timestamp};

use super::{Change, Historian, KeepError};
use crate::chunk::Level;

/// Of one level. Nothing set: kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Chunks that ended longer ago than this go.
    pub age: Option<Span>,
    /// Beyond this many bytes the oldest go.
    pub bytes: Option<u64>,
}

/// Limits of all levels. Carried-in state goes with the finest level that is left for its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Every sample.
    pub raw: Limits,
    /// Five-minute extracts.
    pub five_minutes: Limits,
    /// Hourly extracts.
    pub hour: Limits,
}

impl Retention {
    /// Limits of a level; none for carried-in state, which has no limits of its own.
    pub fn of(&self, level: Level) -> Limits {
        match level {
            Level::Raw => self.raw,
            Level::FiveMinutes => self.five_minutes,
            Level::Hour => self.hour,
            Level::Carried => Limits::default(),
        }
    }

    /// What must go at `now`, at most `most` changes; the rest with the next call. Whole slabs go: of all signals or of none,
    /// so that no instant is kept in part.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub fn plan(&self, keeper: &dyn Historian, now: Timestamp, most: usize) -> Result<Vec<Change>, KeepError> {
        let mut changes = Vec::new();
        for level in Level::TIERS {
            let horizon = self.horizon(keeper, level, now)?;
            let past = TimeRange::new(Timestamp::MIN, horizon);
            for kept in keeper.catalogue(level, past)? {
                if kept.key.end <= horizon && changes.len() < most {
                    changes.push(Change::Remove(kept.key));
                }
            }
        }
        // What held at an instant is of use while samples after it are kept at some level.
        let mut starts = Vec::new();
        for level in Level::TIERS {
            let (horizon, extent) = (self.horizon(keeper, level, now)?, keeper.extent(level)?);
            starts.extend(extent.map(|extent| extent.start.max(horizon.min(extent.end))));
        }
        if let Some(oldest) = starts.into_iter().min() {
            for kept in keeper.catalogue(Level::Carried, TimeRange::new(Timestamp::MIN, oldest))? {
                if changes.len() < most {
                    changes.push(Change::Remove(kept.key));
                }
            }
        }
        Ok(changes)
    }

    /// Chunks of the level that end at or before this go.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub fn horizon(&self, keeper: &dyn Historian, level: Level, now: Timestamp) -> Result<Timestamp, KeepError> {
        let limits = self.of(level);
        let mut horizon = limits.age.map_or(Timestamp::MIN, |age| now - age);
        let Some(most) = limits.bytes else { return Ok(horizon) };
        let mut over = keeper.bytes(level)?.saturating_sub(most);
        if over == 0 {
            return Ok(horizon);
        }
        for kept in keeper.catalogue(level, TimeRange::new(Timestamp::MIN, Timestamp::MAX))? {
            // A slab that has begun to go goes as a whole.
            if over == 0 && kept.key.end > horizon {
                break;
            }
            horizon = horizon.max(kept.key.end);
            over = over.saturating_sub(kept.bytes);
        }
        Ok(horizon)
    }
}
