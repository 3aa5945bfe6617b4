//! The same rows on the machine itself, one a line: id and value. `run.mjs` reads them. `native view …` runs the benchmark of the view.

use std::time::Instant;

use time_store_wasm::{rows, view_rows};

fn main() {
    let mut words = std::env::args().skip(1).peekable();
    let view = words.next_if(|word| word == "view").is_some();
    let mut numbers = words.filter_map(|word| word.parse::<u32>().ok());
    let sizes = [numbers.next(), numbers.next(), numbers.next()];
    let origin = Instant::now();
    let mut clock = || origin.elapsed().as_secs_f64();
    let or = |at: usize, otherwise: u32| sizes[at].unwrap_or(otherwise);
    if view {
        for row in view_rows(or(0, 5_000) as usize, i64::from(or(1, 1_800)), or(2, 600) as usize, &mut clock) {
            println!("{} {}", row.id, row.value);
        }
        return;
    }
    for row in rows(or(0, 50_000) as usize, i64::from(or(1, 3_600)), or(2, 400) as usize, &mut clock) {
        println!("{} {}", row.id, row.value);
    }
}
