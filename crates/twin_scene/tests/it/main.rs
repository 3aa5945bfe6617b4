//! Tests of twin_scene that need more than one module or the shared data.

mod bvh;
mod merge;
#[path = "../../../twin_geometry/tests/it/shared.rs"]
mod shared;
