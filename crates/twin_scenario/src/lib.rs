//! What-if: signal models, overrides, deterministic steppable runs.

pub mod expr;
mod math;
