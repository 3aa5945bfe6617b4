//! Tests of twin_scene that need more than one module or the shared data.

mod bvh;
mod cells;
mod cells_coarse;
mod cells_oracle;
mod cells_order;
mod cells_rays;
mod cells_read;
mod corpus;
mod merge;
mod scenes;
#[path = "../../../twin_geometry/tests/it/shared.rs"]
mod shared;
