//! Tests of twin_scene that need more than one module or the shared data.

mod bvh;
mod corpus;
mod glb_corpus;
mod glb_mutated;
mod merge;
mod placement;
mod shared;
mod site_fixtures;
mod site_mutated;
mod site_schema;
