//! What-if: process models of signals, knobs that a planner turns, and deterministic runs that go on in slices.
//!
//! Holds the runner of process models and the comparison of two runs. Refuses to know stores, clocks, the grammar of expressions
//! (`twin_expr`), health rules' state and screens. Start reading at [`Run`] (how a future is computed) and [`compare`].
//!
//! The same model, scenario and values at the fork give the same bits on every platform: basic arithmetic is IEEE 754,
//! all else comes from `twin_expr::math`, the order of operations is fixed, and NaN is never kept.

mod cell;
mod compare;
mod error;
mod fork;
mod knobs;
mod plan;
mod run;
mod steady;
mod tracker;

pub use compare::{Row, RowKind, compare};
pub use error::ScenarioError;
pub use fork::{Begin, LeftOut, LeftOutReason};
pub use plan::check;
pub use run::{Fault, MAX_PENDING, MAX_STEPS, Progress, Run, Scenario};
pub use steady::{Unsteady, depends_on_step};
pub use tracker::{Summary, Tracker};
