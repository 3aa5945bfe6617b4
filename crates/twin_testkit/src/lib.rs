//! Deterministic demo plant: geometry generator and synthetic telemetry.

pub mod plant;
