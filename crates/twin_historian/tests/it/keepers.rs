//! The reference keeper against the suite that every keeper must pass.

use twin_historian::historian::conformance;
use twin_historian::{Historian, MemoryHistorian};

#[test]
fn the_keeper_in_memory_conforms() {
    conformance::check(&mut || Box::new(MemoryHistorian::new()) as Box<dyn Historian>);
}
