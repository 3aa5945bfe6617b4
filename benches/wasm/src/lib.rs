//! Runs the benchmarks of the time store and of the view where there is no operating system: the clock is given by the host, rows are
//! given to it.
//!
//! Holds the calls between node and the module; what is measured is `twin_historian::bench` and `twin_engine::bench`.

use twin_engine::bench::ViewConfig;
use twin_historian::bench::{self, BenchConfig, BenchRow};

/// The rows that node and the native program compare: the whole load, then jumps, drag steps and ranges.
pub fn rows(signals: usize, seconds: i64, reads: usize, clock: &mut dyn FnMut() -> f64) -> Vec<BenchRow> {
    bench::reads(BenchConfig { signals, seconds, reads, seed: 1 }, clock)
}

/// The rows of `orrery bench view`, of so many twins with ten signals each and as many changes a second as twins.
pub fn view_rows(twins: usize, seconds: i64, frames: usize, clock: &mut dyn FnMut() -> f64) -> Vec<BenchRow> {
    twin_engine::bench::run(ViewConfig { twins, changes: twins, seconds, frames, seed: 1 }, clock)
}

#[cfg(target_arch = "wasm32")]
mod host {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        /// Milliseconds from any origin: `performance.now()`.
        pub(crate) safe fn now() -> f64;
        /// Takes one row: where its name lies in linear memory, the name's length, the value.
        pub(crate) safe fn row(name: *const u8, length: usize, value: f64);
    }
}

/// Runs the benchmark and gives every row to the host.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
pub extern "C" fn run(signals: u32, seconds: u32, reads: u32) {
    let mut clock = || host::now() / 1e3;
    for row in rows(signals as usize, i64::from(seconds), reads as usize, &mut clock) {
        host::row(row.id.as_ptr(), row.id.len(), row.value);
    }
}

/// Runs the benchmark of the view and gives every row to the host.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
pub extern "C" fn view(twins: u32, seconds: u32, frames: u32) {
    let mut clock = || host::now() / 1e3;
    for row in view_rows(twins as usize, i64::from(seconds), frames as usize, &mut clock) {
        host::row(row.id.as_ptr(), row.id.len(), row.value);
    }
}
