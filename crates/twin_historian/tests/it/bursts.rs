//! Random data as plants produce it: bursts of samples that are late, doubled, out of order, ahead of their receipt, stored and
//! forwarded, of any kind of value.

use proptest::prelude::*;
use twin_model::{Flags, Quality, Sample, Timestamp, Value};

/// Signals that bursts are about.
pub(crate) const SIGNALS: u32 = 3;
/// Where the first burst of a signal begins.
pub(crate) const EPOCH_US: i64 = 1_700_000_000_000_000;

/// A burst of samples of one signal.
#[derive(Debug, Clone)]
pub(crate) struct Burst {
    pub(crate) signal: u32,
    /// Where it begins, relative to the signal's newest sample (negative: late or backward).
    offset_ms: i64,
    count: usize,
    /// Distance of its samples; zero makes duplicates.
    step_ms: i64,
    /// Largest jitter of source times and of delays of receipt.
    jitter_us: i64,
    delay_us: i64,
    /// By how much its source times are ahead of their receipt: a wrong clock.
    lead_us: i64,
    /// Flags of all its samples.
    flags: Flags,
    values: u8,
    seed: u64,
}

pub(crate) fn burst() -> impl Strategy<Value = Burst> {
    let offset = prop_oneof![4 => 1..3_000_i64, 2 => -500_000..0_i64, 1 => -10..10_i64, 1 => 3_000..100_000_i64];
    let step = prop_oneof![6 => Just(1_000_i64), 2 => 1..5_000_i64, 1 => Just(0), 1 => -1_000..0_i64];
    let jitter = prop_oneof![3 => Just(0_i64), 1 => Just(20_000), 1 => Just(3_000_000)];
    let delay = prop_oneof![2 => Just(0_i64), 1 => Just(80_000), 1 => Just(9_000_000_000_000)];
    // Two seconds are accepted and counted, two hours only as a prediction.
    let lead = prop_oneof![8 => Just(0_i64), 1 => Just(2_000_000), 1 => Just(7_200_000_000)];
    let flags = prop_oneof![6 => Just(Flags::NONE), 2 => Just(Flags::HISTORICAL), 1 => Just(Flags::PREDICTED)];
    let shape = (0..SIGNALS, offset, 1..220_usize, step);
    (shape, jitter, delay, lead, flags, 0..9_u8, any::<u64>()).prop_map(
        |(shape, jitter_us, delay_us, lead_us, flags, values, seed)| {
            let (signal, offset_ms, count, step_ms) = shape;
            Burst { signal, offset_ms, count, step_ms, jitter_us, delay_us, lead_us, flags, values, seed }
        },
    )
}

/// SplitMix64, so that a burst is its own seed.
pub(crate) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A random order (Fisher and Yates).
pub(crate) fn shuffle<T>(things: &mut [T], seed: u64) {
    let mut order = seed;
    for i in (1..things.len()).rev() {
        things.swap(i, random(&mut order) as usize % (i + 1));
    }
}

fn value(values: u8, i: usize, seed: &mut u64) -> Value {
    let r = random(seed);
    match values {
        0 => Value::Float((2_000 + (i as i64 / 3) + (r % 5) as i64) as f64 / 100.0),
        1 => Value::Float((r % 100_000) as f64 / 1e3 - 50.0),
        2 => Value::Float(f64::from_bits(r)),
        3 => Value::Float(f64::from((r % 1_000) as f32 * 0.1)),
        4 => Value::Float(
            [f64::NAN, -0.0, 1.5, f64::INFINITY, 1e15, 0.1, 2.25, 7.0][if r.is_multiple_of(9) { r as usize / 16 % 8 } else { 6 }],
        ),
        5 => Value::Int(if r.is_multiple_of(50) { r as i64 } else { 17 * i as i64 }),
        6 => Value::Bool(r.is_multiple_of(20)),
        7 => Value::text(["IDLE", "RUN", "FAULT", "ü"][(r % 60 / 20) as usize]),
        _ => [Value::Float(1.0), Value::Int(2), Value::Bool(true)][(r % 40 / 19) as usize].clone(),
    }
}

impl Burst {
    /// Its samples, where the signal's newest sample so far is at `newest` microseconds.
    pub(crate) fn samples(&self, newest: i64) -> Vec<Sample> {
        let mut seed = self.seed;
        let mut within = |limit: i64| if limit == 0 { 0 } else { (random(&mut seed) % limit as u64) as i64 };
        let clocks: Vec<(i64, i64)> = (0..self.count as i64)
            .map(|i| {
                let t = newest + (self.offset_ms + i * self.step_ms) * 1_000 + within(self.jitter_us);
                (t, t + within(self.delay_us) - self.lead_us)
            })
            .collect();
        let sample = |(i, (t, r)): (usize, (i64, i64))| {
            let odd = random(&mut seed) % 97;
            let odd_flags = if odd == 3 { Flags::NULL } else { Flags(u8::from(odd > 90 && self.seed.is_multiple_of(3))) };
            Sample {
                source_time: Timestamp::from_micros(t),
                received_time: Timestamp::from_micros(r),
                value: value(self.values, i, &mut seed),
                quality: if odd < 2 { Quality::BAD } else { Quality::GOOD },
                flags: self.flags.with(odd_flags),
            }
        };
        clocks.into_iter().enumerate().map(sample).collect()
    }
}

/// The samples of bursts in order of arrival.
pub(crate) fn arrivals(bursts: &[Burst]) -> Vec<(twin_model::SignalIndex, Sample)> {
    let mut newest = [EPOCH_US; SIGNALS as usize];
    let mut out = Vec::new();
    for burst in bursts {
        let signal = twin_model::SignalIndex(burst.signal);
        for sample in burst.samples(newest[signal.at()]) {
            newest[signal.at()] = newest[signal.at()].max(sample.source_time.as_micros());
            out.push((signal, sample));
        }
    }
    out
}
