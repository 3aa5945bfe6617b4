//! Stores as the programs here want them.

use twin_historian::{Store, StoreConfig};
use twin_model::{Model, TimeRange, Timestamp};

/// All of time.
pub const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

/// A store that keeps everything: nothing is thinned, and nothing is taken for a wrong clock, because what comes from a file
/// was judged when it was measured.
pub fn patient_store(model: &Model) -> Store {
    let config = StoreConfig { budget_bytes: usize::MAX / 2, ..StoreConfig::default() }.believing();
    Store::new(model.signals().iter().map(Into::into), config)
}

/// An empty store for the signals of a model.
pub fn empty_store(model: &Model, budget_bytes: usize) -> Store {
    let config = StoreConfig { budget_bytes, ..StoreConfig::default() };
    Store::new(model.signals().iter().map(Into::into), config)
}
