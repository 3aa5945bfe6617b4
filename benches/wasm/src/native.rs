//! The same rows on the machine itself, one a line: id and value. `run.mjs` reads them.

use std::time::Instant;

use time_store_wasm::rows;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u32>().ok());
    let (signals, seconds, reads) = (numbers.next(), numbers.next(), numbers.next());
    let origin = Instant::now();
    let mut clock = || origin.elapsed().as_secs_f64();
    let (signals, seconds, reads) = (signals.unwrap_or(50_000), seconds.unwrap_or(3_600), reads.unwrap_or(400));
    for row in rows(signals as usize, i64::from(seconds), reads as usize, &mut clock) {
        println!("{} {}", row.id, row.value);
    }
}
