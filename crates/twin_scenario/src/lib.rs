//! What-if: signal models, overrides, deterministic steppable runs.
