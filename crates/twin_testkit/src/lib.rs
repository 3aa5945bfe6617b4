//! Deterministic demo plant: geometry generator and synthetic telemetry; and helpers for the tests of other crates.

pub mod geometry;
pub mod kit;
pub mod plant;
