//! History beyond the memory of the hub: a keeper (the database of a data folder, or memory), a thread that commits to it and
//! one that seals, thins and removes. Refuses to know sockets and health.
//!
//! [`Persist`] is what the hub hands batches and slabs to; [`Database`] is a data folder; [`SqliteHistorian`] the keeper in it.

mod backup;
pub mod by_hand;
mod carried;
mod compact;
pub(crate) mod damage;
mod database;
mod ends;
mod expire;
pub mod fsck;
mod guard;
mod identity;

mod lane;
mod links;
mod overlap;
pub mod pages;
mod persist;
mod reading;
mod rescue;
pub mod salvage;
mod schema;
mod sealer;
mod series;
mod sqlite;
mod tiles;
mod unit_by_hand;
pub(crate) mod units;
pub mod wal;
mod wide;
mod writer;

pub(crate) use backup::copy_history;
pub use backup::{Backup, backup};
pub use damage::Missing;
pub use database::{Database, FILE, Loaded, PUBLICATION};
pub use persist::{Persist, Setup};
pub use sqlite::{SqliteHistorian, SyncPolicy};
pub use unit_by_hand::{How, Relabelled, relabel};
pub use units::Apart;
pub use writer::PersistTotals;

use twin_historian::Level;
use twin_historian::historian::{Change, Historian, KeepError};
use twin_model::Timestamp;

/// Note with the end of what finished rounds of sealing covered.
const SEALED: &str = "sealed";

/// Note with the second copy of the table of numbers.
const SIGNALS: &str = "signals";

/// Before this, chunks of a level were removed because their time was over; [`Timestamp::MIN`] where none were.
///
/// # Errors
/// Where the keeper cannot be read.
pub(crate) fn outside(keeper: &dyn Historian, level: Level) -> Result<Timestamp, KeepError> {
    let text = keeper.note(&format!("outside/{level}"))?;
    Ok(text.and_then(|text| text.parse().ok()).map_or(Timestamp::MIN, Timestamp::from_micros))
}

/// Where readers go from a level to the next coarser one: before this it has nothing, because that was removed or, where raw samples
/// were far apart and both limits had passed when they went, was never made.
///
/// # Errors
/// Where the keeper cannot be read.
pub(crate) fn begins(keeper: &dyn Historian, level: Level) -> Result<Timestamp, KeepError> {
    let own = outside(keeper, level)?;
    let raw = outside(keeper, Level::Raw)?;
    if level != Level::FiveMinutes || raw <= own {
        return Ok(own);
    }
    let first = keeper.extent(level)?.map_or(raw, |extent| extent.start);
    Ok(own.max(first.min(raw)))
}

fn outside_note(level: Level, end: Timestamp) -> Change {
    Change::Note { name: format!("outside/{level}"), text: end.as_micros().to_string() }
}

/// Up to where finished rounds of sealing went; none where none was.
pub(crate) fn sealed_until(keeper: &dyn Historian) -> Result<Option<Timestamp>, KeepError> {
    Ok(keeper.note(SEALED)?.and_then(|text| text.parse().ok()).map(Timestamp::from_micros))
}
