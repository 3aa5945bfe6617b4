//! One promise, over everything that can happen to an engine: what a frame remembers of the one before changes nothing of what is shown,
//! and what it says is changed is all that did.

use proptest::prelude::*;
use twin_model::{
    ComputedSignal, Flags, KnobIndex, Model, Quality, Sample, SignalIndex, SignalKind, SourceIndex, Span, Status, TimeRange,
    Timestamp, TwinIndex, ValueKind,
};
use twin_scenario::Scenario;
use twin_testkit::kit::SmallModel;

use crate::bench::naive::Naive;
use crate::bench::{Load, ViewConfig};
use crate::parts::is_faint;
use crate::{Basis, Changed, Engine, EngineCommand, EngineConfig, Marks, PartCodes, SeekTo};

#[path = "../../tests/it/plant.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod plant;

/// What can happen between two frames; numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Ingest(Vec<(u32, i64, u8)>),
    Tick(i64),
    Seek(i64),
    Follow,
    Known(bool),
    Link(u32, i64, bool),
    Detail(i64, i64),
    Select(Vec<u32>),
    Isolate(Vec<u32>),
    Hover(Option<u32>),
    HoverPart(Option<u32>),
    WhatIf(i64),
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = 0_i64..240;
    let few = || proptest::collection::vec(any::<u32>(), 0..3);
    prop_oneof![
        4 => proptest::collection::vec((any::<u32>(), seconds.clone(), any::<u8>()), 1..12).prop_map(Step::Ingest),
        3 => (0_i64..260).prop_map(Step::Tick),
        4 => (-10_i64..260).prop_map(Step::Seek),
        2 => Just(Step::Follow),
        1 => any::<bool>().prop_map(Step::Known),
        1 => (any::<u32>(), seconds.clone(), any::<bool>()).prop_map(|(source, t, up)| Step::Link(source, t, up)),
        1 => (seconds.clone(), 1_i64..60).prop_map(|(from, length)| Step::Detail(from, length)),
        2 => few().prop_map(Step::Select),
        1 => few().prop_map(Step::Isolate),
        2 => proptest::option::of(any::<u32>()).prop_map(Step::Hover),
        1 => proptest::option::of(any::<u32>()).prop_map(Step::HoverPart),
        1 => seconds.prop_map(Step::WhatIf),
        1 => Just(Step::Forget),
    ]
}

/// A sample of one of many kinds: most plain, some uncertain or bad, without a value, a goodbye, a prediction, late.
fn sample(t: i64, kind: u8) -> Sample {
    let t = Timestamp::from_secs(t);
    let mut sample = Sample::float(t, f64::from(kind) * 0.45);
    sample.received_time = t + Span::from_secs(i64::from(kind % 5) * 3);
    match kind % 16 {
        0 => sample.quality = Quality::BAD,
        1 => sample.quality = Quality::BAD_NO_COMMUNICATION,
        2 => sample.flags = Flags::NULL,
        3 => sample.flags = Flags::PREDICTED,
        4 => sample.value = twin_model::Value::Float(f64::NAN),
        _ => {}
    }
    sample
}

/// An engine beside the naive way to look at it.
struct Watched {
    engine: Engine,
    codes: PartCodes,
    naive: Naive,
    twins: Vec<Option<TwinIndex>>,
    selected: Vec<TwinIndex>,
    isolated: Option<Vec<TwinIndex>>,
    hovered: Option<TwinIndex>,
    hovered_part: Option<u32>,
    pending: Changed,
}

impl Watched {
    fn new(engine: Engine) -> Self {
        let model = engine.model().clone();
        let count = model.twins().len();
        // Two parts a twin, in no good order, one of no twin after each.
        let twins: Vec<_> =
            (0..count * 3).map(|at| (at % 3 != 2).then(|| TwinIndex::from_at(at.wrapping_mul(7) % count))).collect();
        let codes = PartCodes::new(count, twins.iter().copied());
        let naive = Naive::new(twins.clone(), &model);
        Self {
            engine,
            codes,
            naive,
            twins,
            selected: Vec::new(),
            isolated: None,
            hovered: None,
            hovered_part: None,
            pending: Changed::default(),
        }
    }

    fn twin(&self, at: u32) -> TwinIndex {
        TwinIndex::from_at(at as usize % self.engine.model().twins().len())
    }

    fn take(&mut self, step: Step) {
        let model = self.engine.model().clone();
        let (signals, at) = (model.signals().len(), Timestamp::from_secs);
        match step {
            Step::Ingest(all) => {
                let of = |(signal, t, kind): (u32, i64, u8)| (SignalIndex::from_at(signal as usize % signals), sample(t, kind));
                self.engine.ingest(&all.into_iter().map(of).collect::<Vec<_>>());
            }
            Step::Tick(t) => _ = self.engine.tick(Some(at(t)), Span::from_secs(1), true),
            Step::Seek(t) => self.engine.apply(EngineCommand::Seek(SeekTo::Exact(at(t)))).expect("seeking works"),
            Step::Follow => self.engine.apply(EngineCommand::Follow).expect("following works"),
            Step::Known(known) => {
                let basis = if known { Basis::Known } else { Basis::Was };
                self.engine.apply(EngineCommand::SetBasis(basis)).expect("choosing a basis works");
            }
            Step::Link(source, t, up) => {
                let sources = model.sources().len().max(1);
                self.engine.note_link(SourceIndex::from_at(source as usize % sources), at(t), up);
            }
            Step::Detail(from, length) => {
                self.engine.note_detail(TimeRange::new(at(from), at(from + length)), twin_historian::Level::FiveMinutes);
            }
            Step::Select(twins) => self.selected = twins.into_iter().map(|at| self.twin(at)).collect(),
            Step::Isolate(twins) => {
                self.isolated = (!twins.is_empty()).then(|| twins.into_iter().map(|at| self.twin(at)).collect());
            }
            Step::Hover(twin) => self.hovered = twin.map(|at| self.twin(at)),
            Step::HoverPart(part) => self.hovered_part = part.map(|part| part % self.twins.len() as u32),
            Step::WhatIf(t) => self.what_if(at(t)),
            Step::Forget => self.codes.forget(),
        }
    }

    fn what_if(&mut self, fork: Timestamp) {
        let scenario = Scenario {
            name: "test".into(),
            fork,
            horizon: Span::from_secs(60),
            step: Span::from_secs(1),
            seed: 1,
            settings: (0..self.engine.model().knobs().len()).map(|at| (KnobIndex::from_at(at), 30.0)).collect(),
        };
        // Where nothing can be computed the run is refused, which changes nothing.
        if self.engine.apply(EngineCommand::Run(scenario)).is_ok() {
            while self.engine.running().is_some() && self.engine.work(1_000).is_none() {}
        }
    }

    /// Refreshes, and every so often paints: what changed in between adds up.
    fn check(&mut self, paint: bool) -> Result<(), TestCaseError> {
        let before = self.engine.frame().twins.clone();
        let changed = self.engine.refresh();
        let frame = self.engine.frame();
        for (at, (before, now)) in before.iter().zip(&frame.twins).enumerate() {
            let said = changed.all || changed.twins.contains(&TwinIndex::from_at(at));
            prop_assert!(before == now || said, "twin {} changed unsaid: {:?} {:?}", at, before, now);
        }
        self.pending.add(changed, before.len());
        if !paint {
            return Ok(());
        }
        let marks = Marks {
            selected: &self.selected,
            isolated: self.isolated.as_deref(),
            hovered: self.hovered,
            hovered_part: self.hovered_part,
        };
        self.codes.update(self.engine.model(), frame, &std::mem::take(&mut self.pending), &marks);
        self.naive.show(&self.engine, &marks);
        prop_assert_eq!(&self.naive.frame().twins, &frame.twins);
        prop_assert_eq!(&self.naive.frame().alarms, &frame.alarms);
        prop_assert_eq!(self.naive.codes(), self.codes.codes());
        prop_assert_eq!(self.codes.any_faint(), self.codes.codes().iter().any(is_faint));
        Ok(())
    }

    fn run(mut self, steps: Vec<(Step, bool)>) -> Result<(), TestCaseError> {
        for (step, paint) in steps {
            self.take(step);
            self.check(paint)?;
        }
        self.check(true)
    }
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    proptest::collection::vec((step(), any::<bool>()), 1..60)
}

/// A plant whose rules and alarm stand on what follows from others, one of them needed only while a switch is on.
fn computed() -> Model {
    let mut m = SmallModel::new();
    let two = Span::from_secs(2);
    m.signal("m.a", SignalKind::Analog, ValueKind::Float, |s| s.expected_period = Some(two));
    m.signal("m.b", SignalKind::Analog, ValueKind::Float, |s| s.expected_period = Some(two * 5));
    m.float("m.on");
    for (name, expr) in [("m.difference", "a - b"), ("m.choice", "if(on > 20, difference, a)")] {
        let signal = m.signal(name, SignalKind::Analog, ValueKind::Float, |s| s.expected_period = None);
        m.builder().computed(ComputedSignal { signal, expr: expr.to_owned() });
    }
    m.bands("m.difference", &[(3.0, Status::Maintenance), (20.0, Status::Failure)]);
    m.bands("m.choice", &[(10.0, Status::OutOfSpecification)]);
    m.alarm_above("m.high", "m.difference", 6.0);
    m.build()
}

proptest! {
    #[test]
    fn remembering_the_frame_before_changes_nothing_of_a_plant_with_computed_signals(steps in steps()) {
        Watched::new(Engine::new(computed(), EngineConfig::default())).run(steps)?;
    }

    #[test]
    fn remembering_the_frame_before_changes_nothing_of_a_plant_with_branches(steps in steps()) {
        Watched::new(plant::engine()).run(steps)?;
    }

    #[test]
    fn remembering_the_frame_before_changes_nothing_of_a_plant_with_sources_and_every_kind_of_rule(steps in steps()) {
        let load = Load::new(ViewConfig { twins: 3, changes: 10, seconds: 0, frames: 0, seed: 1 });
        // A budget so small that outcomes of long ago are given up now and then.
        let config = EngineConfig { timeline_bytes: 2_000, ..EngineConfig::default() };
        Watched::new(Engine::new(load.model().clone(), config)).run(steps)?;
    }
}
