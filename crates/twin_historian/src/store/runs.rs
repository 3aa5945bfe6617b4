//! Sealing where samples are far apart: neighbouring unsealed slabs of a lane leave together, in one chunk. What it costs
//! follows the samples, not the hours between them.

use twin_model::{TimeRange, Timestamp, ValueKind};

use super::{Sealed, SlabState, Store};
use crate::chunk::Proof;

/// Samples after which a run ends at the next slab's edge: some ten milliseconds of packing.
const RUN_SAMPLES: u64 = 1 << 16;
/// A sample of a text signal counts as much as this many others: its text may be long.
const TEXT: u64 = 64;

/// Unsealed slabs of one lane that left together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Their chunks: one, or several where one would hold too many samples.
    pub sealed: Vec<Sealed>,
    /// Where to go on.
    pub next: Timestamp,
}

impl Store {
    /// As [`Self::seal_lane`] for the next slabs of a lane that start at or after `from`: those without a sealed one between
    /// them, as far as that is a moderate number of samples. None where nothing is left. A run of several slabs is
    /// never [`Sealed::whole`]: it says nothing of what was kept between.
    pub fn seal_run(&mut self, first_signal: u32, from: Timestamp, upto: Timestamp) -> Option<Run> {
        let slab = self.config.slab.as_micros();
        let end = upto.as_micros().div_euclid(slab).saturating_mul(slab);
        let lane = self.lanes.find(first_signal)?;
        let (starts, next) = self.next_run(lane, from.as_micros(), end);
        let (first, last) = (*starts.first()?, *starts.last()?);
        let next = Timestamp::from_micros(next);
        if starts.len() == 1 {
            return Some(Run { sealed: self.seal_slab(lane, first), next });
        }
        for start in &starts {
            let state = self.slabs.entry((lane as u32, *start)).or_insert(SlabState { version: 0, dirty: false });
            state.version = state.version.saturating_add(1);
            state.dirty = false;
        }
        let until = last.saturating_add(slab);
        self.note_sealed(lane, until);
        let mut chunks = Vec::new();
        if let Some(lane) = self.lanes.kept.get(lane) {
            let span = TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(until));
            self.export_span(lane, span, 1, &mut chunks);
        }
        let sealed = |Proof { chunk, digest }| Sealed { chunk, whole: false, missing: false, digest };
        Some(Run { sealed: chunks.into_iter().map(sealed).collect(), next })
    }

    /// Starts of the slabs of the next run before `end`, and where the one after it may begin.
    fn next_run(&self, lane: usize, from: i64, end: i64) -> (Vec<i64>, i64) {
        let slab = self.config.slab.as_micros();
        let given_up = self.given_up.get(lane).copied().unwrap_or(i64::MIN);
        let (mut starts, mut next, mut weight) = (Vec::new(), from, 0);
        while let Some(start) = self.next_slab(lane, next).filter(|start| *start < end) {
            let after = start.saturating_add(slab);
            let lost = self.missing.contains(&(lane as u32, start));
            if !lost && !self.slabs.get(&(lane as u32, start)).map_or(start >= given_up, |state| state.dirty) {
                if !starts.is_empty() || after <= next {
                    break;
                }
                next = after;
                continue;
            }
            let more = self.weight_in(lane, start, after);
            // What memory gave up has to be looked for in the journal, slab by slab.
            let short = lost || self.given_up_in(lane, start, after);
            if !starts.is_empty() && (short || weight + more > RUN_SAMPLES) {
                break;
            }
            starts.push(start);
            (weight, next) = (weight + more, after);
            if short {
                break;
            }
        }
        (starts, next)
    }

    fn weight_in(&self, lane: usize, from: i64, to: i64) -> u64 {
        let weigh = |column: &super::Column| {
            let samples = column.series.count_in(&self.shared.arena, from, to);
            if column.spec.value_kind == ValueKind::Text { samples.saturating_mul(TEXT) } else { samples }
        };
        self.columns_at(lane).map(weigh).sum()
    }

    /// The start of the first slab of a lane that has, or had, a sample at or after an instant.
    fn next_slab(&self, lane: usize, t: i64) -> Option<i64> {
        let slab = self.config.slab.as_micros();
        let held = self.columns_at(lane).filter_map(|column| column.series.at_or_after(&self.shared.arena, t)).min();
        let held = held.map(|t| t.div_euclid(slab).saturating_mul(slab));
        let missing = self.missing.range((lane as u32, t)..=(lane as u32, i64::MAX)).next().map(|(_, start)| *start);
        held.into_iter().chain(missing).min()
    }
}
