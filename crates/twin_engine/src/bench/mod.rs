//! What a viewer pays per frame at scale: from samples to colour codes, while following, dragging and jumping. Brings no clock: the
//! caller does.
//!
//! What is measured is fixed here, so that the program and the WASM module report the same things; results are in
//! `docs/PERFORMANCE.md`. Beside each figure stands a naive one of the same run: everything judged anew and every part looked at, as
//! the viewer did before it was told what changed.

mod load;
pub(crate) mod naive;

use twin_historian::bench::{BenchRow, Random, percentile, row};
use twin_model::{Sample, SignalIndex, Span, Timestamp, TwinIndex};

use crate::command::{EngineCommand, SeekTo};
use crate::engine::{Engine, EngineConfig};
use crate::parts::{Marks, PartCodes};

pub use load::Load;

/// Size of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewConfig {
    /// Twins, each with [`Self::SIGNALS_OF_A_TWIN`] signals, a rule on each of them and an alarm on the first.
    pub twins: usize,
    /// Samples a second of all signals together.
    pub changes: usize,
    /// Length of the history, in seconds.
    pub seconds: i64,
    /// Frames that are timed while following, steps that are dragged and instants that are jumped to.
    pub frames: usize,
    /// Seed of the load and of the instants.
    pub seed: u64,
}

impl ViewConfig {
    /// Signals of each twin.
    pub const SIGNALS_OF_A_TWIN: usize = 10;
    /// Parts of the scene that show each twin.
    pub const PARTS_OF_A_TWIN: usize = 20;
    /// 50,000 signals with a rule each, 5,000 twins, 100,000 parts, 5,000 changes a second, half an hour: 9 million samples.
    pub const FULL: Self = Self { twins: 5_000, changes: 5_000, seconds: 1_800, frames: 600, seed: 1 };
    /// A tenth of that.
    pub const QUICK: Self = Self { twins: 500, changes: 500, ..Self::FULL };

    /// Signals of all twins.
    pub const fn signals(self) -> usize {
        self.twins * Self::SIGNALS_OF_A_TWIN
    }

    /// Parts of the scene.
    pub const fn parts(self) -> usize {
        self.twins * Self::PARTS_OF_A_TWIN
    }
}

/// Furthest step of a drag.
const DRAG: Span = Span::from_secs(10);
/// Time from frame to frame while following.
const FRAME: Span = Span::from_micros(16_667);

/// An engine, the codes of its scene, and what is measured of them.
struct Bench<'a> {
    engine: Engine,
    codes: PartCodes,
    naive: naive::Naive,
    clock: &'a mut dyn FnMut() -> f64,
    /// Seconds of each refresh with its painting, and of the naive one.
    spent: Vec<f64>,
    naively: Vec<f64>,
}

impl Bench<'_> {
    fn show(&mut self, marks: &Marks<'_>) {
        let before = (self.clock)();
        let changed = self.engine.refresh();
        self.codes.update(self.engine.model(), self.engine.frame(), &changed, marks);
        self.spent.push((self.clock)() - before);
        let before = (self.clock)();
        self.naive.show(&self.engine, marks);
        self.naively.push((self.clock)() - before);
        assert!(self.naive.codes() == self.codes.codes(), "what is told as changed has to be all that did");
    }

    fn rows(&mut self, ids: [&'static str; 3], must: f64) -> [BenchRow; 3] {
        let rows = [
            row(ids[0], percentile(&self.spent, 50) * 1e3, "ms", None),
            row(ids[1], percentile(&self.spent, 99) * 1e3, "ms", Some(must)),
            row(ids[2], percentile(&self.naively, 99) * 1e3, "ms", None),
        ];
        self.spent.clear();
        self.naively.clear();
        rows
    }
}

/// Runs everything. `clock` gives seconds from any origin; it is read around each measured step only.
///
/// # Panics
/// Where the codes are others than the naive way makes them: the figures would be worth nothing.
pub fn run(config: ViewConfig, clock: &mut dyn FnMut() -> f64) -> Vec<BenchRow> {
    let mut load = Load::new(config);
    let mut engine = Engine::new(load.model().clone(), EngineConfig::default());
    let before = clock();
    let mut samples = 0_usize;
    let mut batch: Vec<(SignalIndex, Sample)> = Vec::new();
    for second in 1..=config.seconds {
        load.until(load::START + Span::from_secs(second), &mut batch);
        samples += batch.len();
        engine.ingest(&batch);
    }
    let ingest_s = clock() - before;
    let twins = load.twin_of_parts();
    let codes = PartCodes::new(load.model().twins().len(), twins.iter().copied());
    let naive = naive::Naive::new(twins, load.model());
    let mut bench = Bench { engine, codes, naive, clock, spent: Vec::new(), naively: Vec::new() };
    let mut rows = vec![row("ingest_with_rules_samples_s", samples as f64 / ingest_s, "samples/s", None)];
    let end = load::START + Span::from_secs(config.seconds);
    rows.extend(following(&mut bench, &mut load, config, end));
    let upto = end + FRAME * config.frames as i64;
    rows.extend(dragging(&mut bench, config, upto));
    rows.extend(jumping(&mut bench, config, upto));
    rows.extend(pointing(&mut bench, config));
    rows
}

/// Frames at the live edge, with the samples that came since the one before.
fn following(bench: &mut Bench<'_>, load: &mut Load, config: ViewConfig, start: Timestamp) -> Vec<BenchRow> {
    let mut batch = Vec::new();
    let mut taking = Vec::new();
    for frame in 1..=config.frames as i64 {
        let now = start + FRAME * frame;
        load.until(now, &mut batch);
        let before = (bench.clock)();
        bench.engine.ingest(&batch);
        taking.push((bench.clock)() - before);
        bench.engine.tick(Some(now), FRAME, true);
        bench.show(&Marks::default());
    }
    let mut rows = bench.rows(["follow_p50_ms", "follow_p99_ms", "follow_naive_p99_ms"], 4.0).to_vec();
    rows.push(row("follow_ingest_p99_ms", percentile(&taking, 99) * 1e3, "ms", None));
    rows
}

fn seek(engine: &mut Engine, t: Timestamp) {
    // Seeking fails never; only scenarios and branches do.
    let done = engine.apply(EngineCommand::Seek(SeekTo::Exact(t)));
    debug_assert!(done.is_ok(), "seeking always works");
}

/// Steps back through the history, each at most [`DRAG`].
fn dragging(bench: &mut Bench<'_>, config: ViewConfig, end: Timestamp) -> [BenchRow; 3] {
    let mut random = Random(config.seed ^ 0xD4A6);
    let mut t = end;
    for _ in 0..config.frames {
        let step = Span::from_micros((random.next() % DRAG.as_micros().unsigned_abs()) as i64);
        t = if t - step < load::START + DRAG { end } else { t - step };
        seek(&mut bench.engine, t);
        bench.show(&Marks::default());
    }
    bench.rows(["drag_p50_ms", "drag_p99_ms", "drag_naive_p99_ms"], 8.0)
}

/// Instants anywhere in the history.
fn jumping(bench: &mut Bench<'_>, config: ViewConfig, end: Timestamp) -> [BenchRow; 3] {
    let mut random = Random(config.seed ^ 0x1337);
    let length = end.since(load::START).as_micros().unsigned_abs();
    for _ in 0..config.frames {
        seek(&mut bench.engine, load::START + Span::from_micros((random.next() % length) as i64));
        bench.show(&Marks::default());
    }
    bench.rows(["jump_p50_ms", "jump_p99_ms", "jump_naive_p99_ms"], 30.0)
}

/// The pointer wanders over the parts while nothing else changes.
fn pointing(bench: &mut Bench<'_>, config: ViewConfig) -> [BenchRow; 3] {
    let mut random = Random(config.seed ^ 0x9017);
    let selected: Vec<TwinIndex> = (0..config.twins / 50).map(|at| TwinIndex::from_at(at * 7)).collect();
    // Selecting is one costly step, as the marks of all twins are worked out; pointing is what happens with every frame.
    bench.show(&Marks { selected: &selected, ..Marks::default() });
    bench.spent.clear();
    bench.naively.clear();
    for _ in 0..config.frames {
        let hovered = TwinIndex::from_at((random.next() % config.twins as u64) as usize);
        bench.show(&Marks { selected: &selected, hovered: Some(hovered), ..Marks::default() });
    }
    bench.rows(["hover_p50_ms", "hover_p99_ms", "hover_naive_p99_ms"], 1.0)
}
