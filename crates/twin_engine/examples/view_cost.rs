//! `cargo run --release -p twin_engine --example view_cost [-- --quick]`: the rows of `orrery bench view` without building the gateway.

use std::time::Instant;

use twin_engine::bench::{ViewConfig, run};

#[allow(clippy::print_stdout, clippy::disallowed_methods, reason = "an example that measures and prints")]
fn main() {
    let quick = std::env::args().any(|word| word == "--quick");
    let origin = Instant::now();
    for row in run(if quick { ViewConfig::QUICK } else { ViewConfig::FULL }, &mut || origin.elapsed().as_secs_f64()) {
        println!("{:<28} {:>12.3} {}", row.id, row.value, row.unit);
    }
}
