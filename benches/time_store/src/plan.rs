//! What is fed and what is read: the same for every peer, from one seed. Written as JSON and as columns for peers that are not Rust.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use twin_historian::bench::Plant;
use twin_model::{Sample, Span, Timestamp};

/// First instant of the load: 2026-03-02T00:00:00Z, in microseconds.
pub const START: i64 = 1_772_409_600_000_000;
/// Buckets that a range is asked in.
const POINTS: i64 = 1_000;

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Signals, each with one sample a second.
    pub signals: usize,
    /// Length of the history.
    pub seconds: i64,
    /// Seed of the load.
    pub seed: u64,
    /// First instant, microseconds.
    pub start: i64,
    /// Instants jumped to, microseconds.
    pub jumps: Vec<i64>,
    /// Instants dragged to one after the other, up to ten seconds apart.
    pub drags: Vec<i64>,
    /// Signals of which the whole time is asked.
    pub ranges: Vec<u32>,
    /// Buckets asked for.
    pub points: i64,
    /// Width of a bucket in microseconds; bucket edges are whole multiples of it.
    pub width: i64,
    /// How many of the first jumps and ranges are compared with ours.
    pub checked: usize,
    /// Seconds after which reads of one sort end, if at least `checked` are done.
    pub patience_s: f64,
}

impl Plan {
    /// The plan for a size.
    pub fn new(signals: usize, seconds: i64, seed: u64) -> Self {
        let (micros, mut random) = (seconds * 1_000_000, Random(seed ^ 0x5EED));
        let jumps = (0..400).map(|_| START + random.below(micros)).collect();
        let mut at = micros / 2;
        let mut drag = || {
            at = (at + random.below(20_000_000) - 10_000_000).clamp(0, micros);
            START + at
        };
        let drags = (0..400).map(|_| drag()).collect();
        let ranges = (0..200).map(|_| random.below(signals as i64) as u32).collect();
        // As `Envelope::width` says: a bucket for each sample where there are so few.
        let width = if seconds <= POINTS { 1 } else { micros / (POINTS - 1) + i64::from(micros % (POINTS - 1) != 0) };
        Self { signals, seconds, seed, start: START, jumps, drags, ranges, points: POINTS, width, checked: 10, patience_s: 10.0 }
    }

    /// Samples of the run.
    pub fn samples(&self) -> f64 {
        self.signals as f64 * self.seconds as f64
    }

    /// End of the time that ranges ask for, exclusive, microseconds.
    pub fn end(&self) -> i64 {
        self.start + self.seconds * 1_000_000
    }

    /// Gives the load to `put`, one second of all signals at a time.
    pub fn feed(&self, mut put: impl FnMut(&[Sample])) {
        let mut plant = Plant::new(self.signals, self.seed);
        let mut batch = Vec::new();
        for second in 0..self.seconds {
            plant.second(Timestamp::from_micros(self.start) + Span::from_secs(second), &mut batch);
            put(&batch);
        }
    }

    /// Writes `plan.json` and the load as little-endian columns in order of arrival: `signal.i32`, `t.i64`, `received.i64`,
    /// `v.f64`, `quality.i32`, `flags.i32`.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::write(folder.join("plan.json"), serde_json::to_vec(self)?)?;
        let column = |name: &str| Ok::<_, std::io::Error>(BufWriter::new(File::create(folder.join(name))?));
        let (mut signal, mut t, mut received) = (column("signal.i32")?, column("t.i64")?, column("received.i64")?);
        let (mut v, mut quality, mut flags) = (column("v.f64")?, column("quality.i32")?, column("flags.i32")?);
        let mut written = Ok(());
        self.feed(|batch| {
            let mut put = || -> std::io::Result<()> {
                for (at, sample) in batch.iter().enumerate() {
                    signal.write_all(&(at as i32).to_le_bytes())?;
                    t.write_all(&sample.source_time.as_micros().to_le_bytes())?;
                    received.write_all(&sample.received_time.as_micros().to_le_bytes())?;
                    v.write_all(&number(sample).to_le_bytes())?;
                    quality.write_all(&(sample.quality.bits() as i32).to_le_bytes())?;
                    flags.write_all(&i32::from(sample.flags.0).to_le_bytes())?;
                }
                Ok(())
            };
            if written.is_ok() {
                written = put();
            }
        });
        written?;
        [t, received, v, signal, quality, flags].into_iter().try_for_each(|mut column| column.flush())?;
        Ok(())
    }
}

/// The value as peers keep it that know numbers only.
pub fn number(sample: &Sample) -> f64 {
    sample.value.as_f64().unwrap_or(f64::NAN)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as i64
    }
}
