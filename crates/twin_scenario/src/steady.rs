//! Whether the numbers of a run are those of its models or of its step. Compares two runs that differ in the step alone.

use twin_expr::math;
use twin_model::SignalIndex;

use crate::{Summary, Tracker};

/// Share of what a signal does in a run by which two runs may differ: what is read off a chart, and what tables show, is no finer.
const TOLERANCE: f64 = 0.05;
/// The same for signals that hardly move: share of their own size.
const STILL: f64 = 1e-6;

/// A signal that a run with a shorter step takes elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unsteady {
    /// The signal.
    pub signal: SignalIndex,
    /// What it did in the run.
    pub coarse: Summary,
    /// What it did with the shorter step.
    pub fine: Summary,
}

/// Signals whose extremes, ends or sums differ between a run and the same with a shorter step (step doubling: Press et al., Numerical
/// Recipes, section "Adaptive stepsize control"); by signal. `fine` has samples of modelled signals alone.
pub fn depends_on_step(coarse: &Tracker, fine: &Tracker) -> Vec<Unsteady> {
    let each = |(signal, fine): (SignalIndex, Summary)| {
        let coarse = coarse.summary(signal)?;
        differs(&coarse, &fine).then_some(Unsteady { signal, coarse, fine })
    };
    fine.summaries().filter_map(each).collect()
}

fn differs(a: &Summary, b: &Summary) -> bool {
    let size = [a.min, a.max, b.min, b.max].into_iter().fold(0.0, |size, v| math::max(size, v.abs()));
    // Each by what the finer run says of the signal: one that runs away would hide behind its own size.
    let span = math::max(b.max - b.min, STILL * size);
    // What is no number is near nothing.
    let near = |a: f64, b: f64, scale: f64| (a - b).abs() <= TOLERANCE * scale;
    let ends = [(a.min, b.min), (a.max, b.max), (a.last, b.last)];
    let sums = math::max(a.integral.abs(), b.integral.abs());
    !(ends.into_iter().all(|(a, b)| near(a, b, span)) && near(a.integral, b.integral, sums))
}
