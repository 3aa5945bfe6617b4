//! The store of this project as a peer among peers.

use anyhow::Result;
use twin_historian::bench::Plant;
use twin_historian::{Cursor, Snapshot, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp};

use crate::peer::{Bucket, Peer, State};
use crate::plan::{Plan, number};

/// The store with the two things that a reader keeps.
pub struct Orrery {
    store: Store,
    cursor: Cursor,
    snapshot: Snapshot,
    points: usize,
    end: i64,
}

impl Orrery {
    /// An empty one without a budget.
    pub fn new(plan: &Plan) -> Self {
        let config = StoreConfig { budget_bytes: usize::MAX, ..StoreConfig::default() };
        let store = Store::new(Plant::new(plan.signals, plan.seed).specs(), config);
        Self { store, cursor: Cursor::new(), snapshot: Snapshot::new(), points: plan.points as usize, end: plan.end() }
    }
}

impl Peer for Orrery {
    fn ingest(&mut self, batch: &[Sample]) -> Result<()> {
        for (at, sample) in batch.iter().enumerate() {
            self.store.append(SignalIndex::from_at(at), sample);
        }
        Ok(())
    }

    fn jump(&mut self, t: i64) -> Result<()> {
        // A cursor that knows nothing: not even the memory of the last one helps.
        self.cursor = Cursor::new();
        self.step(t)
    }

    fn step(&mut self, t: i64) -> Result<()> {
        self.store.snapshot_at(Timestamp::from_micros(t), &mut self.cursor, &mut self.snapshot);
        Ok(())
    }

    fn state(&self) -> State {
        let mut state = State::of(self.snapshot.len());
        for (signal, sample) in self.snapshot.iter() {
            if let Some(sample) = sample {
                state.values[signal.at()] = number(&sample);
                state.times[signal.at()] = sample.source_time.as_micros();
            }
        }
        state
    }

    fn range(&mut self, signal: u32, from: i64, to: i64, _width: i64) -> Result<Vec<Bucket>> {
        let range = TimeRange::new(Timestamp::from_micros(from), Timestamp::from_micros(to));
        let envelope = self.store.envelope(SignalIndex(signal), range, self.points);
        let width = envelope.width.as_micros();
        let bucket = |b: &twin_historian::EnvelopeBucket| Bucket {
            number: b.start.as_micros().div_euclid(width),
            min: b.min.v,
            max: b.max.v,
            count: i64::from(b.count),
        };
        Ok(envelope.buckets.iter().map(bucket).collect())
    }

    fn disk(&mut self) -> Result<Option<f64>> {
        let slab = Span::from_secs(3_600);
        let chunks = self.store.seal(Timestamp::from_micros(self.end) + slab);
        Ok(Some(chunks.iter().map(|sealed| sealed.chunk.bytes.len() as f64).sum()))
    }

    fn note(&self) -> String {
        format!(
            "all fields, both clocks; counts {:.3} bytes a sample of its own; on disk: sealed chunks",
            self.store.bytes().total() as f64 / self.store.counters().stored.max(1) as f64
        )
    }
}
