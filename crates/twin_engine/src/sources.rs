//! When each source was reachable: link changes over time, so that a scrubbed view shows what an operator saw.

use twin_model::{SourceIndex, TimeRange, Timestamp};

/// Most changes kept per source; the oldest are dropped.
const MAX_CHANGES: usize = 4_096;

/// Link state of every source over time.
#[derive(Debug, Clone, Default)]
pub struct SourceLinks {
    changes: Vec<Vec<(Timestamp, bool)>>,
}

impl SourceLinks {
    /// Nothing known about `sources` sources: they count as reachable.
    pub fn new(sources: usize) -> Self {
        Self { changes: vec![Vec::new(); sources] }
    }

    /// Notes that a source went up or down at `t`, in any order of time. Returns whether that is news.
    pub fn note(&mut self, source: SourceIndex, t: Timestamp, up: bool) -> bool {
        let Some(changes) = self.changes.get_mut(source.at()) else { return false };
        let at = changes.partition_point(|(since, _)| *since <= t);
        if at.checked_sub(1).map_or(up && changes.is_empty(), |before| changes[before].1 == up) {
            return false;
        }
        changes.insert(at, (t, up));
        if changes.len() > MAX_CHANGES {
            changes.remove(0);
        }
        true
    }

    /// Whether the source was down at `t`.
    pub fn is_down(&self, source: SourceIndex, t: Timestamp) -> bool {
        self.state(source, t).is_some_and(|(_, up)| !up)
    }

    /// The parts of a range in which the source was down, sorted.
    pub fn down_within(&self, source: SourceIndex, range: TimeRange) -> Vec<TimeRange> {
        let changes = self.changes.get(source.at()).map_or(&[][..], Vec::as_slice);
        let ends = changes.iter().skip(1).map(|(t, _)| *t).chain([Timestamp::MAX]);
        let down = changes.iter().zip(ends).filter(|((_, up), _)| !up).map(|((t, _), end)| TimeRange::new(*t, end));
        down.map(|down| down.intersect(range)).filter(|down| !down.is_empty()).collect()
    }

    /// State at `t` and since when; `None` where nothing was ever said.
    pub fn state(&self, source: SourceIndex, t: Timestamp) -> Option<(Timestamp, bool)> {
        let changes = self.changes.get(source.at())?;
        let at = changes.partition_point(|(since, _)| *since <= t);
        at.checked_sub(1).map(|before| changes[before])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_down_exactly_while_its_link_was() {
        let mut links = SourceLinks::new(1);
        let s = SourceIndex(0);
        assert!(!links.note(s, Timestamp::from_secs(1), true), "up is what we assume anyway");
        assert!(links.note(s, Timestamp::from_secs(10), false));
        assert!(!links.note(s, Timestamp::from_secs(12), false));
        assert!(links.note(s, Timestamp::from_secs(20), true));
        let down: Vec<bool> = [9, 10, 19, 20].map(|t| links.is_down(s, Timestamp::from_secs(t))).into();
        assert_eq!(down, [false, true, true, false]);
    }

    #[test]
    fn down_times_are_cut_to_the_range() {
        let mut links = SourceLinks::new(1);
        let s = SourceIndex(0);
        for (t, up) in [(10, false), (20, true), (30, false)] {
            links.note(s, Timestamp::from_secs(t), up);
        }
        let range = |a, b| TimeRange::new(Timestamp::from_secs(a), Timestamp::from_secs(b));
        assert_eq!(links.down_within(s, range(0, 15)), [range(10, 15)]);
        assert_eq!(links.down_within(s, range(12, 40)), [range(12, 20), range(30, 40)]);
        assert_eq!(links.down_within(s, range(21, 29)), []);
        assert_eq!(links.down_within(SourceIndex(7), range(0, 99)), []);
    }
}
