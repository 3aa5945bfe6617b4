//! Prints the store's figures: `cargo bench -p twin_historian [-- --quick] [--cpu]`. The same rows as `orrery bench time`, less
//! the one that needs a disk.
//!
//! With `--cpu` the clock is the thread's CPU time instead of the time on the wall: what the work costs, not how long
//! other programs kept it waiting.
#![allow(clippy::print_stdout, reason = "printing is what this benchmark is for")]
#![allow(clippy::disallowed_methods, reason = "a benchmark needs a clock; the library takes it as an argument")]

use std::time::Instant;

use twin_historian::bench::{BenchConfig, run};

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let config = if quick { BenchConfig::QUICK } else { BenchConfig::FULL };
    println!("{} signals x {} s at 1 Hz, seed {}", config.signals, config.seconds, config.seed);
    let origin = Instant::now();
    let cpu = std::env::args().any(|arg| arg == "--cpu");
    println!("clock: {}", if cpu { "CPU time" } else { "wall" });
    let mut clock = || if cpu { cpu_seconds() } else { origin.elapsed().as_secs_f64() };
    for row in run(config, &mut clock) {
        let way = if row.unit == "samples/s" { "at least" } else { "at most" };
        let must = row.must.map_or(String::new(), |must| {
            format!("  ({way} {must} {}: {})", row.unit, if row.passes() { "met" } else { "MISSED" })
        });
        println!("{:25} {:>16.3} {}{must}", row.id, row.value, row.unit);
    }
    println!("{:25} {:>16.1} s", "whole run", origin.elapsed().as_secs_f64());
}

#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    f64::NAN
}
