//! A chunk decoded once, to be looked over and cut into stretches of its time.

use std::collections::BTreeMap;

use twin_model::{Span, TimeRange, Timestamp};

use super::merge::{Rows, rows_of};
use super::write::Writer;
use super::{Chunk, ChunkKey, Level};
use crate::error::HistorianError;

/// Of one bucket of one signal a coarser level keeps about this many samples at most: first, last, lowest, highest, worst.
const KEPT: u64 = 5;

/// What one slab of a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// Start of the slab.
    pub start: Timestamp,
    /// Samples of all signals in it.
    pub samples: u64,
    /// About how many of them stay at [`Level::FiveMinutes`].
    pub five_minutes: u64,
    /// About how many of them stay at [`Level::Hour`].
    pub hour: u64,
}

/// See the module's head.
#[derive(Debug)]
pub struct Opened {
    key: ChunkKey,
    all: BTreeMap<u32, Rows>,
}

/// Decodes a chunk.
///
/// # Errors
/// As [`Store::import_chunk`](crate::Store::import_chunk), but for signals that a site may not have.
pub fn open(bytes: &[u8]) -> Result<Opened, HistorianError> {
    let (key, all) = rows_of(bytes)?;
    Ok(Opened { key, all })
}

impl Opened {
    /// The slabs that hold samples, ascending. Costs as much as there are samples, however far they are apart.
    pub fn census(&self, slab: Span) -> Vec<Census> {
        let mut slabs: BTreeMap<Timestamp, Census> = BTreeMap::new();
        let bucket = |level: Level| level.bucket().map_or(1, Span::as_micros);
        let (five, hour) = (bucket(Level::FiveMinutes), bucket(Level::Hour));
        for rows in self.all.values() {
            // Number of the bucket and samples in it so far, for either level.
            let (mut fives, mut hours) = ((0, 0), (0, 0));
            for row in &rows.rows {
                let start = Timestamp::from_micros(row.t).floor_to(slab);
                let one = slabs.entry(start).or_insert(Census { start, samples: 0, five_minutes: 0, hour: 0 });
                one.samples += 1;
                one.five_minutes += u64::from(counts(&mut fives, row.t.div_euclid(five)));
                one.hour += u64::from(counts(&mut hours, row.t.div_euclid(hour)));
            }
        }
        slabs.into_values().collect()
    }

    /// The samples in `range` as a chunk of just that time; none where there are none.
    pub fn within(&self, range: TimeRange, version: u32) -> Option<Chunk> {
        let key = ChunkKey { start: range.start, end: range.end, version, ..self.key };
        let mut writer = Writer::new(key);
        let mut any = false;
        for (signal, rows) in &self.all {
            let from = rows.rows.partition_point(|row| row.t < range.start.as_micros());
            let to = rows.rows.partition_point(|row| row.t < range.end.as_micros());
            let Some(part) = rows.rows.get(from..to).filter(|part| !part.is_empty()) else { continue };
            any = true;
            writer.signal(signal - key.first_signal, part, &|code| rows.word(code));
        }
        any.then(|| writer.finish())
    }
}

/// Whether the next sample of a bucket is among those that count.
fn counts(of: &mut (i64, u64), bucket: i64) -> bool {
    if of.0 != bucket {
        *of = (bucket, 0);
    }
    of.1 += 1;
    of.1 <= KEPT
}
