//! Tests of twin_scene that need more than one module or the shared data.

mod bvh;
mod corpus;
mod glb_corpus;
mod glb_mutated;
mod merge;
mod nothing_done;
mod placement;
mod schema_mutated;
mod shared;
mod site_fixtures;
mod site_mutated;
mod site_schema;
