//! Tests of twin_site that need whole sites, models beside them or the shared data.

#[path = "../../../twin_geometry/tests/it/container.rs"]
mod container;
mod corpus;
mod nothing_done;
mod placement;
mod schema_mutated;
#[path = "../../../twin_geometry/tests/it/shared.rs"]
mod shared;
mod site_fixtures;
mod site_mutated;
mod site_schema;
