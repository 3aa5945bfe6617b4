//! Deterministic demo plant: geometry generator and synthetic telemetry.

pub mod geometry;
pub mod plant;
