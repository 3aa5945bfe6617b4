//! Site file, model files, bindings and neutral geometry.

pub mod geometry;
pub mod glb;
