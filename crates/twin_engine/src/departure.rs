//! What a what-if run may depart from: the readings that speak for its fork, and in words why the others do not.

use std::collections::BTreeMap;

use twin_health::text::{lasting, quantity};
use twin_health::{RuleView as _, Unfit, unfit};
use twin_model::{Model, ProcessStart, Quality, Sample, SignalIndex};
use twin_scenario::{Begin, LeftOut, LeftOutReason, Run};

use crate::scope::Scope;

/// Where the model of one signal begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStart {
    /// The signal that it computes.
    pub signal: SignalIndex,
    /// At the signal's reading, or as the model says: the latter also where no reading speaks for the fork.
    pub start: ProcessStart,
    /// Whether the reading had a part in it: of a lag that begins as its model says, too, which leaves from there.
    pub took_reading: bool,
    /// Why no reading was taken though the model asks for one, or what is wrong with the one that was taken, for example
    /// `last reading is 3 h old` and `quality uncertain`; `None` where all is as the site file says.
    pub why: Option<String>,
}

/// Where the models of a run begin, why signals that a model or knob needs have no value at its fork, and what is wrong with values that
/// models read from there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Departure {
    pub(crate) starts: Vec<ModelStart>,
    pub(crate) unfit: BTreeMap<SignalIndex, String>,
    pub(crate) doubtful: Vec<(SignalIndex, String)>,
}

impl Departure {
    /// Of a run from the scope's instant.
    pub(crate) fn of(scope: &Scope<'_>, run: &Run) -> Self {
        let missing = run.left_out().iter().filter_map(|left| match left.reason {
            LeftOutReason::NoValue(signal) => Some((signal, value(scope, signal).err()?)),
            LeftOutReason::NotFinite => None,
        });
        let doubtful = run.inputs().iter().filter_map(|signal| Some((*signal, doubt(scope, *signal)?))).collect();
        Self { unfit: missing.collect(), doubtful, starts: run.begins().iter().map(|begin| start(scope, *begin)).collect() }
    }
}

fn start(scope: &Scope<'_>, begin: Begin) -> ModelStart {
    let Begin { signal, start, took_value } = begin;
    let why = took_value.and_then(|taken| match taken {
        true => doubt(scope, signal).into_iter().chain(moved(scope, signal)).reduce(|all, one| format!("{all}; {one}")),
        false => value(scope, signal).err(),
    });
    ModelStart { signal, start, took_reading: took_value == Some(true), why }
}

/// Where a model's clamp moves the reading that it begins at: the alarms of a run, its first moment included, are those of the clamp.
fn moved(scope: &Scope<'_>, signal: SignalIndex) -> Option<String> {
    let reading = value(scope, signal).ok()?;
    let (low, high) = scope.model.processes().iter().find(|process| process.signal == signal)?.clamp?;
    let unit = &scope.model.signal(signal).unit.0;
    let [reading, edge, low, high] = [reading, reading.clamp(low, high), low, high].map(|value| quantity(value, unit));
    (reading != edge).then(|| format!("{reading} lies outside the clamp of its model, {low} to {high}, and was moved to {edge}"))
}

/// The number that a run may depart from, or why there is none.
pub(crate) fn value(scope: &Scope<'_>, signal: SignalIndex) -> Result<f64, String> {
    if let Some(unfit) = unfit(scope.model, scope, signal, scope.t) {
        return Err(words(scope, signal, unfit));
    }
    let number = scope.sample(signal).as_ref().and_then(Sample::usable_number).filter(|value| value.is_finite());
    number.ok_or_else(|| "last reading is no finite number".to_owned())
}

/// A reading that is usable with care is taken as it is by rules; whoever reads the result is told.
fn doubt(scope: &Scope<'_>, signal: SignalIndex) -> Option<String> {
    let quality = scope.sample(signal)?.judged_quality();
    (!quality.is_good()).then(|| format!("quality {quality}"))
}

fn words(scope: &Scope<'_>, signal: SignalIndex, unfit: Unfit) -> String {
    match unfit {
        Unfit::NeverSeen => "no reading".to_owned(),
        Unfit::Offline { .. } => match scope.source_offline(signal) {
            Some(since) => format!("link down since {since}"),
            None => format!("quality {}", Quality::BAD_NO_COMMUNICATION),
        },
        Unfit::Stale { taken } => format!("last reading is {} old", lasting(scope.t.since(taken))),
        Unfit::Unusable { quality: Quality::BAD, has_value: false } => "last reading has no value".to_owned(),
        Unfit::Unusable { quality, has_value: false } => format!("last reading has no value, quality {quality}"),
        Unfit::Unusable { quality, has_value: true } => format!("quality {quality}"),
    }
}

impl ModelStart {
    /// What a reader must know of it, as a sentence; `None` where all is as the site file says.
    pub fn remark(&self, model: &Model) -> Option<String> {
        let (id, why) = (model.signal(self.signal).id.as_str(), self.why.as_ref()?);
        let what = if self.took_reading {
            "starts from a reading that can't be fully trusted"
        } else {
            "starts from its model, not from a reading"
        };
        Some(format!("{id}: {what}: {why}"))
    }
}

/// What a reader must know of a value that models read, as a sentence.
pub(crate) fn doubtful(model: &Model, (signal, why): &(SignalIndex, String)) -> String {
    format!("{}: models read a value that can't be fully trusted: {why}", model.signal(*signal).id.as_str())
}

/// A model that a run does without, as a sentence.
pub(crate) fn left_out(model: &Model, left: &LeftOut, unfit: &BTreeMap<SignalIndex, String>) -> String {
    left.describe_with(model, &|signal| unfit.get(&signal).cloned())
}
