//! How a peer is timed: what it must offer, what is measured of it, and the fingerprints of its answers.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use twin_model::Sample;

use crate::plan::Plan;

/// Value and source time (microseconds) of every signal; NaN where there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Values, switches as 0 and 1.
    pub values: Vec<f64>,
    /// Source times.
    pub times: Vec<i64>,
}

impl State {
    /// One without any sample.
    pub fn of(signals: usize) -> Self {
        Self { values: vec![f64::NAN; signals], times: vec![i64::MIN; signals] }
    }

    /// CRC-32 of all values and times, little-endian; -0.0 counts as 0.0, which SQLite does not tell apart.
    pub fn fingerprint(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        for v in &self.values {
            crc.update(&(v + 0.0).to_le_bytes());
        }
        for t in &self.times {
            crc.update(&t.to_le_bytes());
        }
        crc.finalize()
    }
}

/// The part of an envelope that every peer can give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Number of the bucket since 1970.
    pub number: i64,
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// Samples.
    pub count: i64,
}

/// CRC-32 of buckets, little-endian, column by column.
pub fn fingerprint(buckets: &[Bucket]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    buckets.iter().for_each(|b| crc.update(&b.number.to_le_bytes()));
    buckets.iter().for_each(|b| crc.update(&(b.min + 0.0).to_le_bytes()));
    buckets.iter().for_each(|b| crc.update(&(b.max + 0.0).to_le_bytes()));
    buckets.iter().for_each(|b| crc.update(&b.count.to_le_bytes()));
    crc.finalize()
}

/// A store of samples under test.
pub trait Peer {
    /// Takes one second of all signals in.
    ///
    /// # Errors
    /// What the peer says.
    fn ingest(&mut self, batch: &[Sample]) -> Result<()>;

    /// Ends the ingest: commits, flushes, compacts. Counts as ingest.
    ///
    /// # Errors
    /// What the peer says.
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    /// Finds the state of all signals at an instant, with no help from reads before.
    ///
    /// # Errors
    /// What the peer says.
    fn jump(&mut self, t: i64) -> Result<()>;

    /// The same for an instant near the one read last.
    ///
    /// # Errors
    /// What the peer says.
    fn step(&mut self, t: i64) -> Result<()> {
        self.jump(t)
    }

    /// What the last read found. Not timed.
    fn state(&self) -> State;

    /// One signal from `from` to before `to` in buckets of `width`, those without samples left out.
    ///
    /// # Errors
    /// What the peer says.
    fn range(&mut self, signal: u32, from: i64, to: i64, width: i64) -> Result<Vec<Bucket>>;

    /// Bytes on disk, where there are any.
    ///
    /// # Errors
    /// What the peer says.
    fn disk(&mut self) -> Result<Option<f64>> {
        Ok(None)
    }

    /// Whether the memory of the process is where the samples are.
    fn in_memory(&self) -> bool {
        true
    }

    /// What a reader of the table should know: how it was set up, what it leaves out.
    fn note(&self) -> String;
}

/// What was measured of one peer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figures {
    /// Name and version.
    pub peer: String,
    /// How it was set up.
    pub note: String,
    /// Growth of the resident set, bytes per sample; none where the samples are on disk.
    pub memory_bytes_per_sample: Option<f64>,
    /// Bytes per sample on disk.
    pub disk_bytes_per_sample: Option<f64>,
    /// Samples a second taken in, in pieces of the size that suits the peer.
    pub ingest_samples_s: f64,
    /// Samples a second taken in where every second of the plant can be read at once.
    pub live_samples_s: f64,
    /// All signals at a random instant, median in milliseconds; `p99` is the 99th percentile.
    pub jump_p50_ms: f64,
    /// See `jump_p50_ms`.
    pub jump_p99_ms: f64,
    /// All signals a step of up to ten seconds away.
    pub drag_p50_ms: f64,
    /// See `drag_p50_ms`.
    pub drag_p99_ms: f64,
    /// One signal over the whole time.
    pub range_p50_ms: f64,
    /// See `range_p50_ms`.
    pub range_p99_ms: f64,
    /// Reads that were timed: jumps, steps, ranges.
    pub reads: [usize; 3],
    /// Fingerprints of the first jumps, steps and ranges.
    pub answers: [Vec<u32>; 3],
}

/// Feeds and reads a peer as planned. `make` is called once, before memory is looked at for the first time.
///
/// # Errors
/// What the peer says.
pub fn measure(name: &str, plan: &Plan, make: impl FnOnce() -> Result<Box<dyn Peer>>) -> Result<Figures> {
    let before = resident();
    let mut peer = make()?;
    let mut spent = 0.0;
    let mut failed = Ok(());
    plan.feed(|batch| {
        if failed.is_ok() {
            let (result, seconds) = timed(|| peer.ingest(batch));
            failed = result;
            spent += seconds;
        }
    });
    failed?;
    let (settled, seconds) = timed(|| peer.settle());
    settled?;
    spent += seconds;
    let memory = resident() - before;
    let (jumps, jump_answers) = reads(plan, &plan.jumps, |t| {
        let (result, seconds) = timed(|| peer.jump(*t));
        result.map(|()| (seconds, peer.state().fingerprint()))
    })?;
    let (drags, drag_answers) = reads(plan, &plan.drags, |t| {
        let (result, seconds) = timed(|| peer.step(*t));
        result.map(|()| (seconds, peer.state().fingerprint()))
    })?;
    let (ranges, range_answers) = reads(plan, &plan.ranges, |signal| {
        let (result, seconds) = timed(|| peer.range(*signal, plan.start, plan.end(), plan.width));
        result.map(|buckets| (seconds, fingerprint(&buckets)))
    })?;
    Ok(Figures {
        peer: name.to_owned(),
        note: peer.note(),
        memory_bytes_per_sample: peer.in_memory().then_some(memory / plan.samples()),
        disk_bytes_per_sample: peer.disk()?.map(|bytes| bytes / plan.samples()),
        ingest_samples_s: plan.samples() / spent,
        live_samples_s: plan.samples() / spent,
        jump_p50_ms: percentile(&jumps, 50) * 1e3,
        jump_p99_ms: percentile(&jumps, 99) * 1e3,
        drag_p50_ms: percentile(&drags, 50) * 1e3,
        drag_p99_ms: percentile(&drags, 99) * 1e3,
        range_p50_ms: percentile(&ranges, 50) * 1e3,
        range_p99_ms: percentile(&ranges, 99) * 1e3,
        reads: [jumps.len(), drags.len(), ranges.len()],
        answers: [jump_answers, drag_answers, range_answers],
    })
}

/// Times one read after the other until the plan's patience ends; the first ones are fingerprinted.
fn reads<T>(plan: &Plan, at: &[T], mut read: impl FnMut(&T) -> Result<(f64, u32)>) -> Result<(Vec<f64>, Vec<u32>)> {
    let (mut times, mut answers, mut total) = (Vec::new(), Vec::new(), 0.0);
    // The first read of a kind pays for buffers that all later ones reuse.
    if let Some(first) = at.first() {
        read(first)?;
    }
    for (number, what) in at.iter().enumerate() {
        if number >= plan.checked && total > plan.patience_s {
            break;
        }
        let (seconds, answer) = read(what)?;
        times.push(seconds);
        total += seconds;
        if number < plan.checked {
            answers.push(answer);
        }
    }
    Ok((times, answers))
}

/// Result and seconds of a call.
pub fn timed<R>(f: impl FnOnce() -> R) -> (R, f64) {
    let before = Instant::now();
    let result = black_box(f());
    (result, before.elapsed().as_secs_f64())
}

/// Resident set of this process in bytes (Linux); NaN elsewhere.
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()).map_or(f64::NAN, |kib| kib * 1024.0)
}

/// The value that `percent` of the values do not exceed (nearest rank).
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(f64::NAN)
}
