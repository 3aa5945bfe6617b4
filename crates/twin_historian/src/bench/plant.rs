//! A load like a plant's: 60 % slowly drifting analog values with a sensor's resolution, 20 % noisy ones, 15 % discrete
//! states, 5 % counters. Seeded; the same on every machine up to the last bit of `sin`, which rounding to the sensor's
//! resolution hides.

use twin_model::{Flags, Quality, Sample, SignalKind, Span, Timestamp, Value, ValueKind};

use crate::SignalSpec;

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone, Copy)]
pub struct Random(pub u64);

impl Random {
    /// The next word.
    #[allow(clippy::should_implement_trait, reason = "no iterator: it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Roughly normal with standard deviation 1: the sum of four uniform numbers out of one word.
    fn normal(&mut self) -> f64 {
        let r = self.next();
        let sum = (r & 0xffff) + (r >> 16 & 0xffff) + (r >> 32 & 0xffff) + (r >> 48);
        (sum as f64 / 65_536.0 - 2.0) * 1.732
    }
}

#[derive(Debug, Clone)]
enum Source {
    /// A slow wave of `swing` steps in `period` seconds with noise, in steps of `1 / per_unit`.
    Drifting { swing: f64, period: f64, phase: f64, noise: f64, per_unit: f64 },
    /// White noise around a level.
    Noisy { level: f64, noise: f64, per_unit: f64 },
    /// A switch that stays for some minutes.
    Switch { on: bool, dwell: u64 },
    /// A mode out of a few.
    Mode { mode: i64, dwell: u64 },
    /// Pieces made.
    Counter { count: i64, rate: f64 },
}

/// Signals of one source share its clock: 100 neighbours are polled together.
const SHARED_CLOCK: usize = 100;

/// The load's state.
#[derive(Debug, Clone)]
pub struct Plant {
    sources: Vec<Source>,
    random: Random,
    second: f64,
}

impl Plant {
    /// A plant of so many signals.
    pub fn new(signals: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let sources = (0..signals).map(|at| source(at, &mut random)).collect();
        Self { sources, random, second: 0.0 }
    }

    /// What the store is told about the signals.
    pub fn specs(&self) -> Vec<SignalSpec> {
        let spec = |source: &Source| {
            let (kind, values) = match source {
                Source::Drifting { .. } | Source::Noisy { .. } => (SignalKind::Analog, ValueKind::Float),
                Source::Switch { .. } => (SignalKind::Discrete, ValueKind::Bool),
                Source::Mode { .. } => (SignalKind::Discrete, ValueKind::Int),
                Source::Counter { .. } => (SignalKind::Counter, ValueKind::Int),
            };
            SignalSpec::new(kind, values).with_gap_after(Span::from_secs(3))
        };
        self.sources.iter().map(spec).collect()
    }

    /// One sample of every signal, in signal order. Source times are on the second; the 100 signals of a source arrive
    /// together, 5 to 60 ms later. One sample in a thousand is uncertain, in runs of ten seconds.
    pub fn second(&mut self, t: Timestamp, out: &mut Vec<Sample>) {
        out.clear();
        let mut received = t;
        self.second += 1.0;
        let slot = self.second as u64 / 10;
        for (at, source) in self.sources.iter_mut().enumerate() {
            if at % SHARED_CLOCK == 0 {
                received = t + Span::from_micros(5_000 + (self.random.next() % 55_000) as i64);
            }
            let quality = if (at as u64 + slot * 617).is_multiple_of(1_000) { Quality::UNCERTAIN } else { Quality::GOOD };
            let value = source.next(self.second, &mut self.random);
            out.push(Sample { source_time: t, received_time: received, value, quality, flags: Flags::NONE });
        }
    }
}

fn source(at: usize, random: &mut Random) -> Source {
    let mut unit = || (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
    let per_unit = [10.0, 100.0, 100.0, 1_000.0][(unit() * 4.0) as usize & 3];
    match at % 20 {
        0..12 => Source::Drifting {
            swing: 100.0 + 1_900.0 * unit(),
            period: 600.0 + 6_600.0 * unit(),
            phase: unit() * std::f64::consts::TAU,
            noise: 0.3 + 1.2 * unit(),
            per_unit,
        },
        12..16 => Source::Noisy { level: 5_000.0 * unit(), noise: 10.0 + 140.0 * unit(), per_unit },
        16 | 17 => Source::Switch { on: false, dwell: 30 + (unit() * 600.0) as u64 },
        18 => Source::Mode { mode: 2, dwell: 60 + (unit() * 1_200.0) as u64 },
        _ => Source::Counter { count: (unit() * 1e6) as i64, rate: 0.5 + 10.0 * unit() },
    }
}

impl Source {
    fn next(&mut self, second: f64, random: &mut Random) -> Value {
        match self {
            Self::Drifting { swing, period, phase, noise, per_unit } => {
                let wave = *swing * (second * std::f64::consts::TAU / *period + *phase).sin();
                Value::Float((2_000.0 + wave + *noise * random.normal()).round() / *per_unit)
            }
            Self::Noisy { level, noise, per_unit } => Value::Float((*level + *noise * random.normal()).round() / *per_unit),
            Self::Switch { on, dwell } => {
                *on ^= random.next().is_multiple_of(*dwell);
                Value::Bool(*on)
            }
            Self::Mode { mode, dwell } => {
                let r = random.next();
                if r.is_multiple_of(*dwell) {
                    *mode = (r >> 32) as i64 % 6;
                }
                Value::Int(*mode)
            }
            Self::Counter { count, rate } => {
                *count += (*rate + random.normal() * 0.6).round().max(0.0) as i64;
                Value::Int(*count)
            }
        }
    }
}
