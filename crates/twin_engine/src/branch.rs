//! What-if branches: two runs side by side in slices, their samples in records of their own, and the comparison.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use twin_health::text::quantity;
use twin_historian::StoreConfig;
use twin_model::{Flags, Model, Quality, Sample, SignalIndex, Span, TimeRange, Timestamp, Value, ValueKind};
use twin_scenario::{Fault, LeftOut, Row, Run, Scenario, ScenarioError, Tracker, Unsteady, compare, depends_on_step};

use crate::computed::walk;
use crate::departure::{self, Departure, ModelStart};
use crate::record::Record;
use crate::scope::Scope;

/// Name of a branch within one engine; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(pub u32);

/// What a run changes, row by row.
pub type Comparison = Vec<Row>;

/// A finished what-if run. Owns only what lies beyond its fork.
#[derive(Debug)]
pub struct Branch {
    /// Its name within the engine.
    pub id: BranchId,
    /// What was asked.
    pub scenario: Scenario,
    /// From the fork to the end of the run.
    pub range: TimeRange,
    /// The changed plant.
    pub record: Record,
    /// The plant without the changes, computed by the same models from the same moment.
    pub projection: Record,
    /// Time to threshold and amounts, with and without the changes.
    pub comparison: Comparison,
    /// Where the models of the run begin, by signal.
    pub starts: Vec<ModelStart>,
    /// Signals that models read and none computes, whose value at the fork can't be fully trusted, with the reason.
    pub doubtful: Vec<(SignalIndex, String)>,
    /// Signals of the changed plant whose numbers depend on the step: models that follow from each other answer faster than it is.
    pub unsteady: Vec<Unsteady>,
    /// Models of the changed plant that gave no number somewhere in the run, and held the one of before there.
    pub held: Vec<Fault>,
    /// Those of the plant without the changes.
    pub projection_held: Vec<Fault>,
    /// Models that the run did without, with the reason ([`Self::why_left_out`] has it in words).
    pub left_out: Vec<LeftOut>,
    /// Why signals that those need have no value that speaks for the fork.
    unfit: BTreeMap<SignalIndex, String>,
    /// What models that start as observed carry on from the fork, in the signal's unit ([`Run::offsets`]).
    pub offsets: Vec<(SignalIndex, f64)>,
}

impl Branch {
    /// Whether any of the site's models could start; also of a site that has none.
    pub fn simulates(&self) -> bool {
        !self.starts.is_empty() || self.left_out.is_empty()
    }

    /// Why the run did without a model of [`Self::left_out`], as a sentence.
    pub fn why_left_out(&self, model: &Model, left: &LeftOut) -> String {
        departure::left_out(model, left, &self.unfit)
    }

    /// Whose numbers depend on the step, with how far they are off: what the table says of them, and of what reads them, is not what the
    /// models say. By signal.
    pub fn unsteady_in_words(&self, model: &Model) -> Vec<(SignalIndex, String)> {
        let words = |one: &Unsteady| {
            let unit = &model.signal(one.signal).unit.0;
            let of = |it: &twin_scenario::Summary| [it.min, it.max, it.last].map(|value| quantity(value, unit));
            let ([low, high, last], [fine_low, fine_high, fine_last]) = (of(&one.coarse), of(&one.fine));
            let why = format!(
                "its numbers depend on the step of {}: it goes from {low} to {high} and ends at {last}, with half the step from {fine_low} to \
                 {fine_high} and at {fine_last}; models that answer each other need a step well below the time that takes: take a shorter step, \
                 or a shorter horizon",
                self.scenario.step
            );
            (one.signal, why)
        };
        self.unsteady.iter().map(words).collect()
    }

    /// Which models gave no number somewhere in the run, for example where they divide by zero, and when: what is shown from there on is the
    /// value of before. By signal; those of the run without the changes behind.
    pub fn held_in_words(&self) -> Vec<(SignalIndex, String)> {
        let lanes = [(&self.held, "the run"), (&self.projection_held, "the run without changes")];
        let each = |(all, run): (&Vec<Fault>, &'static str)| {
            let words = move |fault: &Fault| {
                let of = match fault.instants {
                    1 => format!("at one instant of {run}, {}", fault.first),
                    many => format!("at {many} instants of {run}, from {} on", fault.first),
                };
                (fault.signal, format!("its model gives no number {of}, and its value of before is held there"))
            };
            all.iter().map(words).collect::<Vec<_>>()
        };
        lanes.into_iter().flat_map(each).collect()
    }

    /// What a reader of the comparison must know about its models, as sentences: first whose numbers can't be believed, then the largest offsets, then what does not
    /// start from a good reading or reads one, what gives no number somewhere, then what was left out; at most `most` of each and a count of the rest.
    pub fn remarks(&self, model: &Model, most: usize) -> Vec<String> {
        let mut offsets = self.offsets.clone();
        let share = |(signal, offset): &(SignalIndex, f64)| {
            // Comparable between units: against the instrument's range where it has one, else as it stands.
            let range = model.signal(*signal).range.map_or(1.0, |(low, high)| high - low);
            offset.abs() / if range > 0.0 { range } else { 1.0 }
        };
        offsets.sort_by(|a, b| share(b).total_cmp(&share(a)).then(a.0.cmp(&b.0)));
        let more = |count: usize, what: &str| (count > most).then(|| format!("and {} more {what}", count - most));
        let unsteady = self.unsteady_in_words(model);
        let mut out: Vec<String> =
            unsteady.iter().take(most).map(|(signal, why)| format!("{}: {why}", model.signal(*signal).id.as_str())).collect();
        out.extend(more(unsteady.len(), "signals whose numbers depend on the step"));
        out.extend(offsets.iter().take(most).map(|(signal, offset)| {
            let it = model.signal(*signal);
            let off = quantity(*offset, &it.unit.0);
            let sign = if *offset > 0.0 { "+" } else { "" };
            format!("{}: starts as observed, so its model runs {sign}{off} off its equation", it.id.as_str())
        }));
        out.extend(more(offsets.len(), "models with an offset"));
        let mut starts: Vec<String> = self.starts.iter().filter_map(|start| start.remark(model)).collect();
        let without = more(starts.len(), "models that don't start from a good reading");
        starts.truncate(most);
        out.extend(starts.into_iter().chain(without));
        out.extend(self.doubtful.iter().take(most).map(|input| departure::doubtful(model, input)));
        out.extend(more(self.doubtful.len(), "inputs that can't be fully trusted"));
        let held = self.held_in_words();
        out.extend(held.iter().take(most).map(|(signal, why)| format!("{}: {why}", model.signal(*signal).id.as_str())));
        out.extend(more(held.len(), "models that give no number somewhere"));
        out.extend(self.left_out.iter().take(most).map(|left| self.why_left_out(model, left)));
        out.extend(more(self.left_out.len(), "signals that are not simulated"));
        out
    }
}

impl Branch {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.record.bytes() + self.projection.bytes()
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunProgress {
    /// From 0 to 1.
    pub fraction: f32,
    /// Plant time computed.
    pub simulated: Span,
}

/// One of the two runs with what it has produced.
struct Lane {
    run: Run,
    record: Record,
    tracker: Tracker,
    /// Places of computed signals that follow from something that the run hands out, and up to when they were compared.
    computed: Vec<usize>,
    compared: Timestamp,
    done: bool,
}

impl Lane {
    fn advance(&mut self, model: &Model, steps: u32) -> RunProgress {
        let progress = self.run.step(steps);
        self.done = progress.done;
        let mut batch: Vec<(SignalIndex, Sample)> = Vec::new();
        let tracker = &mut self.tracker;
        self.run.drain(&mut |signal, t, value| {
            tracker.push(signal, t, value);
            batch.push((signal, predicted(model, signal, t, value)));
        });
        self.record.ingest(model, &batch);
        if let Some((_, newest)) = batch.last() {
            self.compare_computed(newest.source_time);
        }
        RunProgress { fraction: progress.fraction, simulated: progress.simulated }
    }
}

impl Lane {
    /// Shows the tracker what follows from the samples up to and with an instant.
    fn compare_computed(&mut self, upto: Timestamp) {
        let step = Span::from_micros(1);
        let range = TimeRange::new(self.compared + step, upto + step);
        let computed = self.record.computed();
        for place in &self.computed {
            let Some(signal) = computed.plan().all().get(*place).map(|it| it.signal) else { continue };
            walk(computed, *place, self.record.inputs(None), range, &mut |change| {
                if let Some(value) = change.sample.as_ref().and_then(Sample::usable_number) {
                    self.tracker.push(signal, change.t, value);
                }
                ControlFlow::Continue(())
            });
        }
        self.compared = upto;
    }
}

/// A computed value as a sample of the signal's own kind.
fn predicted(model: &Model, signal: SignalIndex, t: Timestamp, value: f64) -> Sample {
    let value = match model.signal(signal).value_kind {
        ValueKind::Int => Value::Int(value.round() as i64),
        ValueKind::Bool => Value::Bool(value >= 0.5),
        ValueKind::Float | ValueKind::Text => Value::Float(value),
    };
    Sample { source_time: t, received_time: t, value, quality: Quality::GOOD, flags: Flags::PREDICTED }
}

/// The changed plant once more with half the step, of which no samples are kept: where the models follow from each other, it tells whether
/// the numbers are theirs or the step's.
struct Finer {
    run: Run,
    tracker: Tracker,
}

impl Finer {
    /// None where no model follows from itself, or half the step is none or makes too many.
    fn of(lane: &Lane, model: &Model, state: &dyn Fn(SignalIndex) -> Option<f64>) -> Option<Self> {
        let scenario = lane.run.scenario();
        let half = Scenario { step: Span::from_micros(scenario.step.as_micros() / 2), ..scenario.clone() };
        let run = if lane.run.feeds_back() { Run::new(model, half, state).ok()? } else { return None };
        Some(Self { run, tracker: Tracker::new(model) })
    }

    /// Computes twice as many steps, which is as much time.
    fn advance(&mut self, steps: u32) {
        self.run.step(steps.saturating_mul(2));
        self.run.drain(&mut |signal, t, value| self.tracker.push(signal, t, value));
    }
}

/// A run under way: the changed plant and the unchanged one, in step.
pub(crate) struct Job {
    scenario: Scenario,
    changed: Lane,
    unchanged: Lane,
    finer: Option<Finer>,
    departure: Departure,
    progress: RunProgress,
}

impl Job {
    /// Starts both runs from what speaks for the scenario's fork in reality, which is the scope's instant.
    pub(crate) fn start(scope: &Scope<'_>, scenario: Scenario, config: StoreConfig) -> Result<Self, Vec<String>> {
        let (model, reality, fork) = (scope.model, scope.reality, scenario.fork);
        let state = |signal: SignalIndex| departure::value(scope, signal).ok();
        let why = |id: &str| departure::value(scope, model.find_signal(id)?).err();
        let refused = |error: ScenarioError| error.explained(&why).to_string();
        let lane = |scenario: Scenario| -> Result<Lane, Vec<String>> {
            let run = Run::new(model, scenario, &state).map_err(|errors| errors.into_iter().map(refused).collect::<Vec<_>>())?;
            // What follows from a value that says nothing about the fork says nothing about what comes after it.
            let current = |signal: SignalIndex| twin_health::signal_freshness(model, scope, signal, fork).is_current();
            let record = reality.forked(model, fork, config, &current);
            let mut computed: Vec<usize> = run.signals().flat_map(|signal| record.computed().readers(signal)).collect();
            computed.sort_unstable();
            computed.dedup();
            let compared = fork - Span::from_micros(1);
            Ok(Lane { run, record, tracker: Tracker::new(model), computed, compared, done: false })
        };
        let unchanged = lane(Scenario { settings: Vec::new(), ..scenario.clone() })?;
        let changed = lane(scenario.clone())?;
        let finer = Finer::of(&changed, model, &state);
        let departure = Departure::of(scope, &changed.run);
        let progress = RunProgress { fraction: 0.0, simulated: Span::ZERO };
        Ok(Self { scenario, changed, unchanged, finer, departure, progress })
    }

    pub(crate) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    pub(crate) fn progress(&self) -> RunProgress {
        self.progress
    }

    /// Computes up to `steps` steps of each run; true once both are done.
    pub(crate) fn work(&mut self, model: &Model, steps: u32) -> bool {
        if !self.unchanged.done {
            self.unchanged.advance(model, steps);
        }
        if !self.changed.done {
            self.progress = self.changed.advance(model, steps);
        }
        if let Some(finer) = &mut self.finer {
            finer.advance(steps);
        }
        let finer = self.finer.as_ref().is_none_or(|finer| finer.run.is_done());
        self.changed.done && self.unchanged.done && finer
    }

    pub(crate) fn finish(self, model: &Model, id: BranchId) -> Branch {
        let fork = self.scenario.fork;
        let comparison = compare(model, &self.unchanged.tracker, &self.changed.tracker, fork, self.scenario.horizon);
        Branch {
            id,
            range: TimeRange::new(fork, fork + self.scenario.horizon),
            scenario: self.scenario,
            record: self.changed.record,
            projection: self.unchanged.record,
            comparison,
            starts: self.departure.starts,
            left_out: self.changed.run.left_out().to_vec(),
            unfit: self.departure.unfit,
            doubtful: self.departure.doubtful,
            unsteady: self.finer.map_or_else(Vec::new, |finer| depends_on_step(&self.changed.tracker, &finer.tracker)),
            held: self.changed.run.faults(),
            projection_held: self.unchanged.run.faults(),
            offsets: self.changed.run.offsets().to_vec(),
        }
    }
}
