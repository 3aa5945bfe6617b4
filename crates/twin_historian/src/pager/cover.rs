//! What is here of a stretch, and at which level.

use twin_model::{TimeRange, Timestamp};

use super::{Pager, State};
use crate::chunk::Level;

/// What is here of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Samples of this level.
    Here(Level),
    /// On its way.
    Coming,
    /// Kept by the server, not here.
    Away,
    /// Asked for in vain.
    Lost,
}

impl Cover {
    pub(super) fn is_finer_than(self, level: Level) -> bool {
        matches!(self, Self::Here(here) if here < level)
    }

    /// The better of two for one stretch: finer samples, then what is coming.
    fn better(self, other: Self) -> Self {
        let rank = |cover: Self| match cover {
            Self::Here(level) => level.code(),
            Self::Coming => 100,
            Self::Away => 101,
            Self::Lost => 102,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

impl Pager {
    /// What is here of `range`: stretches that ascend and touch where they differ. Stretches of which the catalogue knows
    /// nothing are left out.
    pub fn cover(&self, range: TimeRange) -> Vec<(TimeRange, Cover)> {
        let mut parts: Vec<(TimeRange, Cover)> = Vec::new();
        for level in Level::TIERS {
            // Pages may be of any length: back as far as one reaches into the range, then on.
            let before = self.slots.range((level, Timestamp::MIN)..(level, range.start)).rev();
            let before = before.take_while(|(_, slot)| slot.reach > range.start);
            let inside = self.slots.range((level, range.start)..(level, range.end.max(range.start)));
            for (_, slot) in before.chain(inside) {
                let part = slot.page.range.intersect(range);
                if !part.is_empty() {
                    let cover = match slot.state {
                        State::Here => Cover::Here(level),
                        State::Coming { .. } => Cover::Coming,
                        State::Absent => Cover::Away,
                        State::Lost => Cover::Lost,
                    };
                    parts.push((part, cover));
                }
            }
        }
        parts
            .extend(self.held.iter().map(|held| (held.intersect(range), Cover::Here(Level::Raw))).filter(|(p, _)| !p.is_empty()));
        flatten(&parts)
    }

    /// What is here at an instant; none where the catalogue knows nothing of it.
    pub fn at(&self, t: Timestamp) -> Option<Cover> {
        let one = TimeRange::new(t, Timestamp::from_micros(t.as_micros().saturating_add(1)));
        self.cover(one).first().map(|(_, cover)| *cover)
    }

    /// The stretch about `t` that can be shown without waiting, at any level, `reach` to either side at most; none where
    /// even `t` cannot. Time of which the catalogue knows nothing holds nothing to wait for and counts as ready.
    pub fn ready_about(&self, t: Timestamp, reach: twin_model::Span) -> Option<TimeRange> {
        let wide = TimeRange::new(t - reach, t + reach);
        let mut ready = wide;
        for (part, cover) in self.cover(wide) {
            if matches!(cover, Cover::Here(_)) {
                continue;
            }
            // What was asked for in vain is not waited for either: it is drawn as missing.
            if cover == Cover::Lost {
                continue;
            }
            if part.contains(t) {
                return None;
            }
            if part.end <= t {
                ready.start = ready.start.max(part.end);
            } else {
                ready.end = ready.end.min(part.start);
            }
        }
        Some(ready)
    }

    /// The parts of a page that just arrived at which its level is the finest that is here, with that level; for a raw page
    /// all of it.
    pub(super) fn coarse_parts(&self, range: TimeRange, level: Level) -> Vec<(TimeRange, Level)> {
        if level == Level::Raw {
            return vec![(range, level)];
        }
        let cover = self.cover(range);
        cover.into_iter().filter(|(_, cover)| *cover == Cover::Here(level)).map(|(part, _)| (part, level)).collect()
    }
}

/// Overlapping stretches into ones that do not overlap, the better cover winning.
fn flatten(parts: &[(TimeRange, Cover)]) -> Vec<(TimeRange, Cover)> {
    let mut edges: Vec<Timestamp> = parts.iter().flat_map(|(range, _)| [range.start, range.end]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut out: Vec<(TimeRange, Cover)> = Vec::new();
    let mut sorted = parts.to_vec();
    sorted.sort_by_key(|(range, _)| range.start);
    let mut open: Vec<(TimeRange, Cover)> = Vec::new();
    let mut next = 0;
    for pair in edges.windows(2) {
        let piece = TimeRange::new(pair[0], pair[1]);
        while let Some(part) = sorted.get(next).filter(|(range, _)| range.start <= piece.start) {
            open.push(*part);
            next += 1;
        }
        open.retain(|(range, _)| range.end > piece.start);
        let Some(best) = open.iter().map(|(_, cover)| *cover).reduce(Cover::better) else { continue };
        match out.last_mut() {
            Some((range, cover)) if *cover == best && range.end == piece.start => range.end = piece.end,
            _ => out.push((piece, best)),
        }
    }
    out
}
