//! Writes chunks of a plant-like load, and the same samples as JSON lines, into a folder: something to try a reader on.
//! `cargo run -p twin_historian --example write_chunks -- FOLDER`, then compare with `read_chunk.py FOLDER/*.orrc`.
#![allow(clippy::print_stdout, reason = "it says what it wrote")]

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use twin_historian::bench::{BenchConfig, ingest};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let config = BenchConfig { signals: 100, seconds: 1_000, reads: 0, seed: 7 };
    let (mut store, _) = ingest(config, &mut || 0.0);
    let odd = [f64::NAN, -0.0, 1.0 / 3.0, 1e300, f64::from(12.3_f32)];
    for (at, v) in odd.iter().cycle().take(60).enumerate() {
        store.append(SignalIndex(0), &Sample::float(Timestamp::from_secs(1_772_420_000 + at as i64), *v));
        let word = Value::text(["RUN", "STOP", "ü"][at % 3]);
        store.append(SignalIndex(1), &Sample::new(Timestamp::from_secs(1_772_420_000 + at as i64), word));
    }
    let everything = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
    for chunk in store.export_chunks(everything) {
        let name = chunk.key.to_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>();
        std::fs::write(folder.join(format!("{name}.orrc")), &chunk.bytes)?;
        println!("{} with {} samples in {} bytes", chunk.key, chunk.samples, chunk.bytes.len());
    }
    let mut lines = std::io::BufWriter::new(std::fs::File::create(folder.join("samples.txt"))?);
    for signal in (0..config.signals).map(SignalIndex::from_at) {
        let mut result = Ok(());
        store.for_each_sample(signal, everything, &mut |s| {
            let (t, r) = (s.source_time.as_micros(), s.received_time.as_micros());
            let value = match &s.value {
                Value::Float(v) => format!("f{:016x}", v.to_bits()),
                other => format!("{other}"),
            };
            result = writeln!(lines, "{} {t} {r} {value} {} {}", signal.0, s.quality.bits(), s.flags.0);
            if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        result?;
    }
    Ok(())
}
