//! Rerun's `re_chunk_store` on the load and the reads of `benches/time_store`, which starts this program.
//!
//! One entity per signal with a scalar component, one timeline, chunks of up to an hour (what compaction leaves), the default
//! configuration. Three public ways to ask for the latest value are tried and the fastest is measured.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow::array::{Array as _, Float64Array, ListArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use re_chunk::{Chunk, ComponentIdentifier, EntityPath, TimeColumn, Timeline, TimelineName};
use re_chunk_store::{ChunkStore, ChunkStoreConfig, ChunkStoreHandle, ChunkTrackingMode, LatestAtQuery, RangeQuery};
use re_log_types::{AbsoluteTimeRange, StoreId, StoreKind};
use re_query::QueryCache;
use re_types_core::ComponentDescriptor;
use time_store_peers::maps::add;
use time_store_peers::peer::timed;
use time_store_peers::plan::number;
use time_store_peers::{Bucket, Peer, Plan, State, measure};
use twin_model::Sample;

const NAME: &str = "Rerun 0.36.3";
/// Samples of a signal that go into the store at once; below the default limit of 4,096 rows, so that nothing is split.
const CHUNK_ROWS: usize = 3_600;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("needs the folder of a plan; started by benches/time_store")?;
    let plan: Plan = serde_json::from_slice(&std::fs::read(Path::new(&folder).join("plan.json"))?)?;
    let mut figures = measure(NAME, &plan, || Ok(Box::new(Rerun::new(&plan, CHUNK_ROWS)) as Box<dyn Peer>))?;
    figures.live_samples_s = live(&plan)?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

/// Samples a second where a chunk holds one sample, as a live source logs them and as all other peers here take them in; the
/// store merges them.
fn live(plan: &Plan) -> Result<f64> {
    let short = Plan::new(plan.signals, plan.seconds.min(120), plan.seed);
    let mut rerun = Rerun::new(&short, 1);
    let (mut spent, mut failed) = (0.0, Ok(()));
    short.feed(|batch| {
        let (result, seconds) = timed(|| rerun.ingest(batch));
        spent += seconds;
        if failed.is_ok() {
            failed = result;
        }
    });
    failed?;
    Ok(short.samples() / spent)
}

/// Public ways to the latest value of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `latest_at_relevant_chunks`, then `Chunk::latest_at`: what the documentation shows.
    Store,
    /// `QueryCache::latest_at`: what the viewer does.
    Cache,
    /// `latest_at_relevant_chunks`, then a search in the time column by hand.
    ByHand,
}

const WAYS: [Way; 3] = [Way::Store, Way::Cache, Way::ByHand];

struct Rerun {
    store: ChunkStoreHandle,
    cache: QueryCache,
    entities: Vec<EntityPath>,
    scalars: ComponentDescriptor,
    /// Component of `scalars`.
    component: ComponentIdentifier,
    timeline: Timeline,
    /// Samples not yet in a chunk: times of all, values by signal.
    times: Vec<i64>,
    values: Vec<Vec<f64>>,
    /// Samples of a signal that make a chunk.
    rows: usize,
    state: State,
    way: Option<Way>,
    note: String,
}

impl Rerun {
    fn new(plan: &Plan, rows: usize) -> Self {
        let store = ChunkStore::new_handle(StoreId::random(StoreKind::Recording, "bench"), ChunkStoreConfig::DEFAULT);
        let scalars = ComponentDescriptor::partial("Scalars:scalars");
        Self {
            cache: QueryCache::new(store.clone()),
            store,
            entities: (0..plan.signals).map(|at| EntityPath::from(format!("plant/signal{at}"))).collect(),
            component: scalars.component,
            scalars,
            timeline: Timeline::new_timestamp("source"),
            times: Vec::new(),
            values: vec![Vec::new(); plan.signals],
            rows,
            state: State::of(plan.signals),
            way: None,
            note: String::new(),
        }
    }

    fn name(&self) -> TimelineName {
        *self.timeline.name()
    }

    /// Puts what waits into one chunk per entity.
    fn flush(&mut self) -> Result<()> {
        let times = ScalarBuffer::from(std::mem::take(&mut self.times));
        if times.is_empty() {
            return Ok(());
        }
        let mut store = self.store.write();
        let field = Arc::new(Field::new("item", DataType::Float64, true));
        for (entity, values) in self.entities.iter().zip(&mut self.values) {
            let values = Float64Array::from(std::mem::take(values));
            let lists =
                ListArray::try_new(field.clone(), OffsetBuffer::from_repeated_length(1, times.len()), Arc::new(values), None)?;
            let column = TimeColumn::new(Some(true), self.timeline, times.clone());
            let chunk = Chunk::from_columns(entity.clone(), [column], [(self.scalars.clone(), lists)])?;
            store.insert_chunk(&Arc::new(chunk))?;
        }
        Ok(())
    }

    fn read(&mut self, way: Way, t: i64) -> Result<()> {
        let query = LatestAtQuery::new(self.name(), t);
        let store = self.store.read();
        self.state.values.fill(f64::NAN);
        self.state.times.fill(i64::MIN);
        for (at, entity) in self.entities.iter().enumerate() {
            let found = match way {
                Way::Store => latest_in_store(&store, &query, entity, self.component),
                Way::Cache => latest_in_cache(&self.cache, &query, entity, self.component, &self.name()),
                Way::ByHand => latest_by_hand(&store, &query, entity, self.component, &self.name()),
            };
            if let Some((time, value)) = found {
                self.state.times[at] = time;
                self.state.values[at] = value;
            }
        }
        Ok(())
    }

    /// Tries every way at a few instants and settles for the fastest; all must find the same.
    fn choose(&mut self, t: i64) -> Result<Way> {
        let mut best = (Way::Store, f64::INFINITY);
        let mut found: Option<State> = None;
        for way in WAYS {
            let mut fastest = f64::INFINITY;
            for round in 0..5 {
                let (result, seconds) = timed(|| self.read(way, t + round * 1_234_567));
                result?;
                fastest = fastest.min(seconds);
            }
            self.note += &format!("{way:?} {:.2} ms, ", fastest * 1e3);
            ensure!(found.replace(self.state.clone()).is_none_or(|before| before == self.state), "{way:?} finds something else");
            best = if fastest < best.1 { (way, fastest) } else { best };
        }
        self.note += &format!("{:?} taken", best.0);
        Ok(best.0)
    }
}

fn latest_in_store(
    store: &ChunkStore,
    query: &LatestAtQuery,
    entity: &EntityPath,
    component: ComponentIdentifier,
) -> Option<(i64, f64)> {
    let results = store.latest_at_relevant_chunks(ChunkTrackingMode::Ignore, query, entity, component);
    let units = results.chunks.iter().filter_map(|chunk| chunk.latest_at(query, component));
    let timeline = query.timeline()?;
    let unit = units.max_by_key(|unit| unit.index(Some(&timeline)))?;
    let values = unit.component_batch_raw(component)?;
    let value = values.as_any().downcast_ref::<Float64Array>()?.values().first().copied()?;
    Some((unit.index(Some(&timeline))?.0.as_i64(), value))
}

fn latest_in_cache(
    cache: &QueryCache,
    query: &LatestAtQuery,
    entity: &EntityPath,
    component: ComponentIdentifier,
    timeline: &TimelineName,
) -> Option<(i64, f64)> {
    let results = cache.latest_at(ChunkTrackingMode::Ignore, query, entity, [component]);
    let unit = results.get(component)?;
    let values = unit.component_batch_raw(component)?;
    let value = values.as_any().downcast_ref::<Float64Array>()?.values().first().copied()?;
    Some((unit.index(Some(timeline))?.0.as_i64(), value))
}

fn latest_by_hand(
    store: &ChunkStore,
    query: &LatestAtQuery,
    entity: &EntityPath,
    component: ComponentIdentifier,
    timeline: &TimelineName,
) -> Option<(i64, f64)> {
    let results = store.latest_at_relevant_chunks(ChunkTrackingMode::Ignore, query, entity, component);
    let newest = |chunk: &Arc<Chunk>| {
        let times = chunk.timelines().get(timeline)?.times_raw();
        let at = times.partition_point(|time| *time <= query.at().as_i64()).checked_sub(1)?;
        Some((times[at], column(chunk, component)?.value(at)))
    };
    results.chunks.iter().filter_map(newest).max_by_key(|(time, _)| *time)
}

/// The values of a chunk, one a row.
fn column(chunk: &Chunk, component: ComponentIdentifier) -> Option<&Float64Array> {
    chunk.components().get_array(component)?.values().as_any().downcast_ref()
}

impl Peer for Rerun {
    fn ingest(&mut self, batch: &[Sample]) -> Result<()> {
        let Some(first) = batch.first() else { return Ok(()) };
        self.times.push(first.source_time.as_micros());
        for (values, sample) in self.values.iter_mut().zip(batch) {
            values.push(number(sample));
        }
        if self.times.len() == self.rows { self.flush() } else { Ok(()) }
    }

    fn settle(&mut self) -> Result<()> {
        self.flush()?;
        self.values = Vec::new();
        Ok(())
    }

    fn jump(&mut self, t: i64) -> Result<()> {
        let way = match self.way {
            Some(way) => way,
            None => self.choose(t)?,
        };
        self.way = Some(way);
        self.read(way, t)
    }

    fn state(&self) -> State {
        self.state.clone()
    }

    fn range(&mut self, signal: u32, from: i64, to: i64, width: i64) -> Result<Vec<Bucket>> {
        let mut buckets = Vec::new();
        let store = self.store.read();
        let query = RangeQuery::new(self.name(), AbsoluteTimeRange::new(from, to - 1));
        let results =
            store.range_relevant_chunks(ChunkTrackingMode::Ignore, &query, &self.entities[signal as usize], self.component);
        let mut chunks = results.chunks;
        let start = |chunk: &Arc<Chunk>| chunk.timelines().get(&self.name()).map(|times| times.time_range().min());
        chunks.sort_by_key(start);
        for chunk in &chunks {
            let (Some(times), Some(values)) = (chunk.timelines().get(&self.name()), column(chunk, self.component)) else {
                continue;
            };
            for (t, v) in times.times_raw().iter().zip(values.values()) {
                if (from..to).contains(t) {
                    add(&mut buckets, t.div_euclid(width), *v);
                }
            }
        }
        Ok(buckets)
    }

    fn note(&self) -> String {
        format!(
            "value and source time only (no received time, quality, flags), chunks of {CHUNK_ROWS} rows; latest-at: {}",
            self.note
        )
    }
}
