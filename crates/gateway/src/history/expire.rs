//! The sealing thread's part about pages of more than one slab when their time is over.

use twin_historian::chunk;
use twin_historian::historian::Change;
use twin_historian::{ChunkKey, Level};
use twin_model::Timestamp;

use super::sealer::{Sealer, Step};

impl Sealer {
    /// Before raw samples go by age: a long page that lies across the limit is cut, so that only what is too old goes.
    pub(super) fn shorten(&mut self, now: Timestamp) -> Step<()> {
        if self.plan.retention.raw.age.is_none() {
            return Ok(());
        }
        let limit = self.plan.retention.horizon(self.reader.as_ref(), Level::Raw, now)?;
        while let Some(page) = self.tiles.find(limit).filter(|page| page.start < limit && page.span() > self.longest()) {
            if !self.split(page)? {
                break;
            }
        }
        Ok(())
    }

    /// What coarser levels keep of raw chunks that are to go and stood in for them; `stays`: each level and the instant before which
    /// its own time is over.
    pub(super) fn left_behind(&self, removed: &[ChunkKey], stays: &[(Level, Timestamp)]) -> Step<Vec<Change>> {
        let mut changes = Vec::new();
        for key in removed.iter().filter(|key| key.level == Level::Raw) {
            let span = self.tiles.find(key.start).map_or_else(|| key.range().span(), |page| page.span());
            let levels = stays.iter().filter(|(level, gone)| level.slab(self.plan.slab) <= span && key.end > *gone);
            let levels: Vec<Level> = levels.map(|(level, _)| *level).collect();
            if levels.is_empty() {
                continue;
            }
            let Some(opened) = self.bytes(key)?.and_then(|bytes| chunk::open(&bytes).ok()) else { continue };
            let census = opened.census(self.plan.slab);
            for level in levels {
                changes.extend(self.shown_at(level, &opened, &census)?);
            }
        }
        Ok(changes)
    }
}
