//! Bytes per sample on the wire for plant-like telemetry: a promise, not only a print.

use twin_model::{Sample, Timestamp, Value};
use twin_protocol::*;

/// One second of `signals` at 1 Hz, taken within the same second, values of two decimals and no noise model.
fn second(signals: u32, at: i64, decimals: bool) -> Batch {
    let t = Timestamp::from_secs(1_772_439_304 + at);
    let entries = (0..signals).map(|id| {
        let wave = (f64::from(id) * 0.7 + at as f64 * 0.05).sin() * 20.0 + 60.0;
        let value = match id % 10 {
            0 => Value::Bool(id % 20 == 0),
            1 => Value::Int(i64::from(id) * 1_000 + at),
            2 => Value::text(["RUN", "STOP", "IDLE"][(id % 3) as usize]),
            _ if decimals => Value::Float((wave * 100.0).round() / 100.0),
            _ => Value::Float(wave),
        };
        let mut sample = Sample::new(t, value);
        sample.received_time = Timestamp::from_micros(t.as_micros() + 12_000);
        Entry { id: DictId(id), sample }
    });
    Batch { seq: 1, entries: entries.collect() }
}

fn bytes_per_sample(signals: u32, decimals: bool) -> f64 {
    let total: usize = (0..20).map(|at| encode_server(&ServerFrame::Batch(second(signals, at, decimals))).len()).sum();
    total as f64 / (20.0 * f64::from(signals))
}

#[test]
fn plant_decimals_cost_less_than_three_bytes_a_sample() {
    for (signals, limit) in [(300, 2.5), (20_000, 2.2)] {
        let size = bytes_per_sample(signals, true);
        eprintln!("bytes per sample, two decimals, {signals} signals: {size:.2}");
        assert!(size < limit, "{size}");
    }
}

#[test]
fn full_noise_floats_cost_at_most_their_own_eight_bytes_and_one() {
    let size = bytes_per_sample(300, false);
    eprintln!("bytes per sample, full-precision floats, 300 signals: {size:.2}");
    assert!(size < 8.0, "{size}");
}
