//! The obvious thing: a `BTreeMap` per signal.

use std::collections::BTreeMap;
use std::ops::Bound;

use anyhow::Result;
use twin_model::{Sample, Timestamp};

use crate::peer::{Bucket, Peer, State};
use crate::plan::{Plan, number};

/// A map from source time to sample for each signal, and the samples found last.
pub struct Maps {
    maps: Vec<BTreeMap<Timestamp, Sample>>,
    found: Vec<Option<Sample>>,
}

impl Maps {
    /// Empty maps.
    pub fn new(plan: &Plan) -> Self {
        Self { maps: vec![BTreeMap::new(); plan.signals], found: vec![None; plan.signals] }
    }
}

impl Peer for Maps {
    fn ingest(&mut self, batch: &[Sample]) -> Result<()> {
        for (map, sample) in self.maps.iter_mut().zip(batch) {
            map.insert(sample.source_time, sample.clone());
        }
        Ok(())
    }

    fn jump(&mut self, t: i64) -> Result<()> {
        let upto = (Bound::Unbounded, Bound::Included(Timestamp::from_micros(t)));
        for (map, found) in self.maps.iter().zip(&mut self.found) {
            *found = map.range(upto).next_back().map(|(_, sample)| sample.clone());
        }
        Ok(())
    }

    fn state(&self) -> State {
        let mut state = State::of(self.found.len());
        for (at, sample) in self.found.iter().enumerate() {
            if let Some(sample) = sample {
                state.values[at] = number(sample);
                state.times[at] = sample.source_time.as_micros();
            }
        }
        state
    }

    fn range(&mut self, signal: u32, from: i64, to: i64, width: i64) -> Result<Vec<Bucket>> {
        let mut buckets: Vec<Bucket> = Vec::new();
        let Some(map) = self.maps.get(signal as usize) else { return Ok(buckets) };
        for (t, sample) in map.range(Timestamp::from_micros(from)..Timestamp::from_micros(to)) {
            add(&mut buckets, t.as_micros().div_euclid(width), number(sample));
        }
        Ok(buckets)
    }

    fn note(&self) -> String {
        "all fields, both clocks; nothing on disk".to_owned()
    }
}

/// Adds a value to the bucket of this number, the last one or a new one.
pub fn add(buckets: &mut Vec<Bucket>, number: i64, v: f64) {
    match buckets.last_mut() {
        Some(b) if b.number == number => {
            *b = Bucket { number, min: b.min.min(v), max: b.max.max(v), count: b.count + 1 };
        }
        _ => buckets.push(Bucket { number, min: v, max: v, count: 1 }),
    }
}
