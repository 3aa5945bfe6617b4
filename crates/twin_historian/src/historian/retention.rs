//! How long history is kept: which chunks are past their time or over the bytes that a level may take.

use std::collections::BTreeSet;

use twin_model::{Span, TimeRange, Timestamp};

use super::{Change, Historian, KeepError, Page};
use crate::chunk::Level;

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

/// Of one level. Nothing set: kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Chunks that ended longer ago than this go.
    pub age: Option<Span>,
    /// Beyond this many bytes the oldest go.
    pub bytes: Option<u64>,
}

/// Limits of all levels. Carried-in state stays as long as every sample after it does, and
/// longer where a slab of a coarser level begins.
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
        // What held at an instant is of use where a slab that stays begins, and while every sample after it is kept.
        let mut starts = BTreeSet::new();
        let mut all_since = None;
        for level in Level::TIERS {
            let horizon = self.horizon(keeper, level, now)?;
            for page in keeper.pages(level, ALWAYS)? {
                if page.end <= horizon {
                    remove(keeper, &page, most, &mut changes)?;
                    continue;
                }
                starts.insert(page.start);
                if level == Level::Raw {
                    all_since.get_or_insert(page.start);
                }
            }
        }
        if starts.is_empty() {
            return Ok(changes);
        }
        // Of what a page ended with only the news are kept, and the whole state now and then: nothing goes that later news
        // lean on. So from the newest to the oldest, and only before a whole state.
        let mut before_whole = false;
        let mut gone = Vec::new();
        for page in keeper.pages(Level::Carried, ALWAYS)?.into_iter().rev() {
            let idle = all_since.is_none_or(|since| page.start < since) && !starts.contains(&page.start);
            if idle && before_whole {
                gone.push(page);
            } else {
                before_whole = page.end == page.start;
            }
        }
        for page in gone.iter().rev() {
            remove(keeper, page, most, &mut changes)?;
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
        for page in keeper.pages(level, ALWAYS)? {
            // A slab that has begun to go goes as a whole.
            if over == 0 && page.end > horizon {
                break;
            }
            horizon = horizon.max(page.end);
            over = over.saturating_sub(page.bytes);
        }
        Ok(horizon)
    }
}

/// Removes what is kept of a page, as far as `most` allows.
fn remove(keeper: &dyn Historian, page: &Page, most: usize, changes: &mut Vec<Change>) -> Result<(), KeepError> {
    if changes.len() >= most {
        return Ok(());
    }
    let instant = TimeRange::new(page.start, page.start + Span::from_micros(1));
    let of_page = keeper.starting(page.level, instant)?.into_iter();
    changes.extend(of_page.take(most - changes.len()).map(|kept| Change::Remove(kept.key)));
    Ok(())
}
