//! A writer that is killed at random moments, again and again in one folder: nothing acknowledged is lost, nothing is invented.
//!
//! The writer is this test program itself, started anew with one test and a variable. Its samples are dated a minute apart, so
//! that slabs end, are sealed, coarsened and trimmed all the time while it runs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Database, fsck};
use gateway::site::Site;
use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};

use crate::world::{Folder, SITE, at};

/// Set for the program that is to be killed: the folder with the site.
const WRITER: &str = "ORRERY_KILL_WRITER";
/// Samples of each signal in one batch.
const SAMPLES: i64 = 20;
/// Signals that are written: numbers and texts of two pumps.
const SIGNALS: [u32; 4] = [0, 4, 3, 7];
/// Every so many batches have long texts: more than one batch of the stream may hold.
const LONG_EVERY: i64 = 17;
/// Kills of one folder's history, and bytes that it may have; then another one begins, because every run reads all of it.
const RUNS_A_FOLDER: u64 = 20;
const BYTES_A_FOLDER: u64 = 64 << 20;
const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

/// SplitMix64: the moments are the same in every run, as far as a machine repeats itself.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The samples of a batch: twenty minutes of each signal, and one that comes 300 minutes late.
fn batch(number: i64) -> Vec<(SignalIndex, Sample)> {
    let mut samples = Vec::new();
    for n in number * SAMPLES..(number + 1) * SAMPLES {
        samples.extend(SIGNALS.map(|signal| (SignalIndex(signal), Sample::new(at(n * 60), value(signal, n * 60)))));
    }
    let late = number * SAMPLES - 300;
    if late >= 0 {
        let t = late * 60 + 30;
        let received = at(number * SAMPLES * 60);
        let sample = Sample { received_time: received, ..Sample::new(at(t), value(SIGNALS[0], t)) };
        samples.push((SignalIndex(SIGNALS[0]), sample));
    }
    samples
}

/// What a signal's sample of a second holds: nothing else may ever be read for it.
fn value(signal: u32, s: i64) -> Value {
    if signal.is_multiple_of(4) {
        return Value::Float(((s * 31 + i64::from(signal) * 7) % 10_007) as f64 / 8.0);
    }
    let mut text = format!("{signal} at {s}");
    if s / 60 / SAMPLES % LONG_EVERY == 0 {
        // Texts that do not pack, so that frames are as long as they are.
        let letters = (0..3_600_u64).map(|n| format!("{:016x}", (s as u64 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        text.extend(letters);
    }
    Value::text(&text)
}

/// Number of the batch that a sample belongs to.
fn number_of(signal: u32, s: i64) -> i64 {
    if signal == SIGNALS[0] && s % 60 == 30 { ((s - 30) / 60 + 300) / SAMPLES } else { s / 60 / SAMPLES }
}

/// Batches of a writer take at least so long: everything that was ever kept is read back after each kill, and where nothing holds it up it
/// writes hundreds of thousands in a run.
const PACE: std::time::Duration = std::time::Duration::from_micros(400);

/// Not a test of its own: what the killed program does.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(WRITER).map(std::path::PathBuf::from) else { return };
    let site = Site::read_usable(&folder.join("site.toml")).unwrap();
    let plant = plant(&site, &PlantOptions { data: Some(folder.join("data")), ..PlantOptions::default() }).unwrap();
    let hub = plant.hub;
    let mut number: i64 = std::fs::read_to_string(folder.join("next")).unwrap().parse().unwrap();
    let first = number;
    let durable = hub.durable();
    // Under which number of the stream each batch ends: a large one is several.
    let mut ends = std::collections::VecDeque::new();
    let mut out = std::io::stdout().lock();
    hub.seal_begin();
    let begun = std::time::Instant::now();
    // Nobody lets it come that far.
    while number < first + 1_000_000 {
        hub.ingest(&batch(number));
        hub.flush();
        ends.push_back((hub.seq(), number));
        number += 1;
        if !hub.seal_step(at(number * SAMPLES * 60)) {
            hub.seal_begin();
        }
        // Not faster than the disk by more than some batches, as a sender that waits for its acknowledgements.
        loop {
            let newest = *durable.borrow();
            let mut said = None;
            while let Some((_, number)) = ends.pop_front_if(|(end, _)| *end <= newest) {
                said = Some(number);
            }
            if let Some(number) = said {
                writeln!(out, "kept {number}").unwrap();
                out.flush().unwrap();
            }
            if hub.seq() < newest + 10 && begun.elapsed() >= PACE * (number - first) as u32 {
                break;
            }
            std::thread::yield_now();
        }
    }
}

/// Runs the writer and kills it after some acknowledgements and a moment more. Returns the last batch that it said was kept.
fn run_and_kill(folder: &Folder, rng: &mut Rng) -> Option<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writer", "--nocapture", "--test-threads=1"])
        .env(WRITER, &folder.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let wanted = rng.next() % 40;
    let mut kept = None;
    let number = |line: String| line.split("kept ").nth(1).and_then(|number| number.parse::<i64>().ok());
    for _ in 0..wanted {
        match lines.find_map(number) {
            Some(number) => kept = Some(number),
            None => break,
        }
    }
    let moment = std::time::Duration::from_micros(rng.next() % 30_000);
    let began = std::time::Instant::now();
    while began.elapsed() < moment {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died was said.
    lines.filter_map(number).last().or(kept)
}

/// Everything on disk, checked against the pattern. Returns the last batch of which anything is there, and the chunks.
fn verify(folder: &Folder, kept: i64, run: u64) -> (i64, u64) {
    let site = Site::read_usable(&folder.0.join("site.toml")).unwrap();
    let model = &site.loaded.model;
    let data = folder.0.join("data");
    // Room for all: what memory gives up (old texts first) is no loss, and would look like one here.
    let config = StoreConfig { budget_bytes: usize::MAX / 2, ..StoreConfig::default() };
    let mut store = Store::new(model.signals().iter().map(Into::into), config);
    let loaded = Database::open(&data).unwrap().load(model, &mut store).unwrap();
    assert_eq!(loaded.unreadable, 0, "run {run}: {:?}", loaded.remarks);
    let mut found = std::collections::BTreeSet::new();
    let mut last = -1;
    for signal in SIGNALS {
        store.for_each_sample(SignalIndex(signal), ALWAYS, &mut |sample| {
            let us = sample.source_time.since(at(0)).as_micros();
            assert_eq!(us % 1_000_000, 0, "run {run}: invented time {}", sample.source_time);
            let s = us / 1_000_000;
            assert!(sample.value == value(signal, s), "run {run}: invented value of {signal} at {s}");
            found.insert((signal, s));
            last = last.max(number_of(signal, s));
            std::ops::ControlFlow::Continue(())
        });
    }
    for number in 0..=kept {
        for (signal, sample) in batch(number) {
            let s = sample.source_time.since(at(0)).as_micros() / 1_000_000;
            assert!(
                found.contains(&(signal.0, s)),
                "run {run}: acknowledged batch {number} lost the sample of {signal:?} at {s}"
            );
        }
    }
    let report = fsck::check(&data, false).unwrap();
    assert_eq!(report.findings, [], "run {run}");
    (last, report.chunks)
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged_and_invents_nothing() {
    let kills = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 200 } else { 12 };
    let mut rng = Rng(20_260_302);
    let (mut folder, mut kept, mut batches, mut sealed) = (Folder::new(), -1, 0, 0);
    for run in 0..kills {
        let bytes = std::fs::metadata(folder.0.join("data").join("history.sqlite3")).map_or(0, |data| data.len());
        if run % RUNS_A_FOLDER == 0 || bytes > BYTES_A_FOLDER {
            (folder, kept) = (Folder::new(), -1);
            folder.write("site.toml", SITE);
            folder.write("next", "0");
        }
        kept = kept.max(run_and_kill(&folder, &mut rng).unwrap_or(-1));
        let (last, chunks) = verify(&folder, kept, run);
        // The last may be there in part, where it is more than one batch of the stream: it is written again.
        folder.write("next", last.max(0).to_string());
        // What was read back once stays, acknowledged or not.
        kept = kept.max(last - 1);
        (batches, sealed) = (batches.max(kept), sealed.max(chunks));
    }
    // A raw page, its news, and those that are not joined yet: sparse pages do not stay many.
    assert!(batches > 20 * 12 && sealed > 4, "{batches} batches, {sealed} chunks: it was killed while it worked");
}
