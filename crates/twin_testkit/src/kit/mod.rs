//! Helpers for tests of other crates: a clock that is turned by hand, small models, CSV rows, the shared data folder.
//!
//! Refuses to know the demo plant.

mod clock;
mod csv;
mod model;
mod shared;

pub use clock::FakeClock;
pub use csv::{Table, line};
pub use model::SmallModel;
pub use shared::{shared_data, shared_file};
