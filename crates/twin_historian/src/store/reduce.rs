//! Making a stretch coarser where it lies: what a reader keeps of history that it has no room for in full.

use twin_model::{Span, TimeRange};

use super::Store;
use crate::chunk::Level;

impl Store {
    /// Keeps of a stretch, in whole blocks, only the samples that `level` has, and notes it as held at that level; as
    /// [`Self::evict`] where the level has no buckets. Returns how many samples went. The samples are kept elsewhere.
    pub fn reduce(&mut self, range: TimeRange, level: Level) -> u64 {
        let Some(bucket) = level.bucket().filter(|_| !range.is_empty()) else { return self.evict(range) };
        let (from, to) = (range.start.as_micros(), range.end.as_micros());
        let mut gone = 0;
        for (at, column) in self.columns.iter_mut().enumerate() {
            let gap_after = column.spec.gap_after.map_or(i64::MAX, Span::as_micros);
            gone += column.series.reduce(at as u32, (from, to), (bucket.as_micros(), gap_after), &mut self.shared);
        }
        self.note_elsewhere(range);
        self.note_detail(range, level);
        gone
    }
}
