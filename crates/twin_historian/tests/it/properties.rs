//! Every read against the slow twin, under random late, duplicate and backward data, kinds and qualities.

use proptest::prelude::*;
use twin_historian::{Cursor, Direction, SignalSpec, Snapshot, Store, StoreConfig};
use twin_model::{Flags, Quality, Sample, SignalIndex, SignalKind, Span, TimeRange, Timestamp, Value, ValueKind};

use crate::kit::{ALWAYS, all};
use crate::slow::Slow;

const SIGNALS: u32 = 3;
const GAP: Span = Span::from_millis(4_000);

/// A burst of samples of one signal.
#[derive(Debug, Clone)]
struct Burst {
    signal: u32,
    /// Where it begins, relative to the signal's newest sample (negative: late or backward).
    offset_ms: i64,
    count: usize,
    /// Distance of its samples; zero makes duplicates.
    step_ms: i64,
    /// Largest jitter of source times and of delays of receipt.
    jitter_us: i64,
    delay_us: i64,
    values: u8,
    seed: u64,
}

fn burst() -> impl Strategy<Value = Burst> {
    let offset = prop_oneof![4 => 1..3_000_i64, 2 => -500_000..0_i64, 1 => -10..10_i64, 1 => 3_000..100_000_i64];
    let step = prop_oneof![6 => Just(1_000_i64), 2 => 1..5_000_i64, 1 => Just(0), 1 => -1_000..0_i64];
    let jitter = prop_oneof![3 => Just(0_i64), 1 => Just(20_000), 1 => Just(3_000_000)];
    let delay = prop_oneof![2 => Just(0_i64), 1 => Just(80_000), 1 => Just(9_000_000_000_000)];
    (0..SIGNALS, offset, 1..220_usize, step, jitter, delay, 0..9_u8, any::<u64>()).prop_map(
        |(signal, offset_ms, count, step_ms, jitter_us, delay_us, values, seed)| Burst {
            signal,
            offset_ms,
            count,
            step_ms,
            jitter_us,
            delay_us,
            values,
            seed,
        },
    )
}

/// SplitMix64, so that a burst is its own seed.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
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
    fn samples(&self, newest: i64) -> Vec<Sample> {
        let mut seed = self.seed;
        let mut within = |limit: i64| if limit == 0 { 0 } else { (random(&mut seed) % limit as u64) as i64 };
        let clocks: Vec<(i64, i64)> = (0..self.count as i64)
            .map(|i| {
                let t = newest + (self.offset_ms + i * self.step_ms) * 1_000 + within(self.jitter_us);
                (t, t + within(self.delay_us))
            })
            .collect();
        let sample = |(i, (t, r)): (usize, (i64, i64))| {
            let odd = random(&mut seed) % 97;
            Sample {
                source_time: Timestamp::from_micros(t),
                received_time: Timestamp::from_micros(r),
                value: value(self.values, i, &mut seed),
                quality: if odd < 2 { Quality::BAD } else { Quality::GOOD },
                flags: if odd == 3 { Flags::NULL } else { Flags(u8::from(odd > 90 && self.seed.is_multiple_of(3))) },
            }
        };
        clocks.into_iter().enumerate().map(sample).collect()
    }
}

/// Both twins fed with the same bursts.
struct Pair {
    store: Store,
    slow: Slow,
    words: Vec<Vec<String>>,
}

fn specs() -> Vec<SignalSpec> {
    vec![SignalSpec::new(SignalKind::Analog, ValueKind::Float).with_gap_after(GAP); SIGNALS as usize]
}

impl Pair {
    fn new() -> Self {
        let config = StoreConfig { slab: Span::from_secs(300), lane_signals: 2, ..StoreConfig::default() };
        Self { store: Store::new(specs(), config), slow: Slow::default(), words: vec![Vec::new(); SIGNALS as usize] }
    }

    fn feed(&mut self, bursts: &[Burst]) -> Vec<(SignalIndex, Sample)> {
        let mut fed = Vec::new();
        let mut newest = [1_700_000_000_000_000_i64; SIGNALS as usize];
        for burst in bursts {
            let signal = SignalIndex(burst.signal);
            for sample in burst.samples(newest[signal.at()]) {
                newest[signal.at()] = newest[signal.at()].max(sample.source_time.as_micros());
                self.append(signal, &sample);
                fed.push((signal, sample));
            }
        }
        fed
    }

    fn append(&mut self, signal: SignalIndex, sample: &Sample) {
        self.store.append(signal, sample);
        self.slow.append(signal, sample);
        if let Some(text) = sample.value.as_text()
            && !self.words[signal.at()].iter().any(|word| word == text)
        {
            self.words[signal.at()].push(text.to_owned());
        }
    }

    /// Instants at, just before, just after and between samples.
    fn instants(&self, seed: u64, count: usize) -> Vec<Timestamp> {
        let times: Vec<Timestamp> =
            (0..SIGNALS).flat_map(|s| self.slow.all(SignalIndex(s)).iter().map(|sample| sample.source_time)).collect();
        let mut seed = seed;
        let pick = |_| {
            let t = times[random(&mut seed) as usize % times.len()];
            t + Span::from_micros([0, -1, 1, 499_999, -7_000_000][random(&mut seed) as usize % 5])
        };
        (0..count).map(pick).chain([Timestamp::MIN, Timestamp::MAX]).collect()
    }

    fn check_samples(&self) {
        for signal in (0..SIGNALS).map(SignalIndex) {
            assert_eq!(all(&self.store, signal, ALWAYS), self.slow.all(signal));
        }
    }

    fn check_instants(&self, instants: &[Timestamp], cursor: &mut Cursor) {
        let mut shot = Snapshot::new();
        for t in instants {
            self.store.snapshot_at(*t, cursor, &mut shot);
            for signal in (0..SIGNALS).map(SignalIndex) {
                let expected = self.slow.at(signal, *t);
                assert_eq!(self.store.latest_at(signal, *t), expected, "latest of {signal:?} at {t}");
                assert_eq!(shot.get(signal), expected, "snapshot of {signal:?} at {t}");
                for direction in [Direction::Forward, Direction::Backward] {
                    let next = self.store.next_sample_time(signal, *t, direction);
                    assert_eq!(next, self.slow.next(signal, *t, direction), "{direction:?} of {signal:?} from {t}");
                }
            }
        }
    }

    fn check_ranges(&self, instants: &[Timestamp], points: usize) {
        let finite = |t: &&Timestamp| **t != Timestamp::MIN && **t != Timestamp::MAX;
        for ends in instants.iter().filter(finite).collect::<Vec<_>>().chunks_exact(2) {
            let range = TimeRange::new(*ends[0].min(ends[1]), *ends[0].max(ends[1]));
            if range.is_empty() {
                continue;
            }
            assert_eq!(self.store.density(range, 7), self.slow.density(range, 7));
            for signal in (0..SIGNALS).map(SignalIndex) {
                assert_eq!(all(&self.store, signal, range), self.slow.inside(signal, range));
                let envelope = self.store.envelope(signal, range, points);
                let (buckets, gaps) = self.slow.envelope(signal, range, points, Some(GAP), &self.words[signal.at()]);
                assert_eq!(envelope.buckets, buckets, "buckets of {signal:?} in {range:?}");
                assert_eq!(envelope.gaps, gaps, "gaps of {signal:?} in {range:?}");
                assert!(envelope.buckets.len() <= points);
                assert_eq!(envelope.before, self.slow.at(signal, range.start - Span::from_micros(1)));
                let after = self.slow.all(signal).iter().find(|sample| sample.source_time >= range.end);
                assert_eq!(envelope.after.as_ref(), after);
            }
        }
    }
}

/// `PROPTEST_CASES=20000 cargo test --release -p twin_historian` for a long run.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_read_equals_the_slow_twins(bursts in prop::collection::vec(burst(), 1..12), seed: u64, points in 2..60_usize) {
        let mut pair = Pair::new();
        pair.feed(&bursts);
        pair.check_samples();
        let instants = pair.instants(seed, 40);
        pair.check_instants(&instants, &mut Cursor::new());
        pair.check_ranges(&instants, points);
    }

    #[test]
    fn a_kept_cursor_answers_as_a_fresh_one_while_data_comes(bursts in prop::collection::vec(burst(), 2..10), seed: u64) {
        let mut pair = Pair::new();
        let mut cursor = Cursor::new();
        for (round, burst) in bursts.iter().enumerate() {
            let newest = pair.store.extent_of(SignalIndex(burst.signal)).map_or(1_700_000_000_000_000, |e| e.end.as_micros());
            for sample in burst.samples(newest) {
                pair.append(SignalIndex(burst.signal), &sample);
            }
            let mut instants = pair.instants(seed ^ round as u64, 6);
            instants.sort();
            pair.check_instants(&instants, &mut cursor);
        }
    }

    #[test]
    fn nothing_from_after_an_instant_changes_its_answer(bursts in prop::collection::vec(burst(), 1..8), seed: u64) {
        let mut whole = Pair::new();
        let fed = whole.feed(&bursts);
        for t in whole.instants(seed, 4) {
            let mut past = Store::new(specs(), *whole.store.config());
            for (signal, sample) in fed.iter().filter(|(_, sample)| sample.source_time <= t) {
                past.append(*signal, sample);
            }
            for signal in (0..SIGNALS).map(SignalIndex) {
                prop_assert_eq!(whole.store.latest_at(signal, t), past.latest_at(signal, Timestamp::MAX));
            }
        }
    }

    #[test]
    fn where_chunks_are_cut_and_how_they_come_back_changes_no_answer(
        bursts in prop::collection::vec(burst(), 1..8), seed: u64, points in 2..60_usize
    ) {
        let mut pair = Pair::new();
        pair.feed(&bursts);
        let instants = pair.instants(seed, 12);
        let mut cuts = instants.clone();
        cuts.sort();
        let mut chunks: Vec<_> = cuts.windows(2).flat_map(|w| pair.store.export_chunks(TimeRange::new(w[0], w[1]))).collect();
        let mut order = seed;
        for i in (1..chunks.len()).rev() {
            chunks.swap(i, random(&mut order) as usize % (i + 1));
        }
        let mut back = Store::new(specs(), *pair.store.config());
        for chunk in &chunks {
            back.import_chunk(&chunk.bytes).unwrap();
        }
        for signal in (0..SIGNALS).map(SignalIndex) {
            // Codes of words follow the order of arrival: feed the dictionary in the old order for comparison.
            pair.words[signal.at()] = (0..9).filter_map(|code| back.word(signal, f64::from(code)).map(str::to_owned)).collect();
        }
        pair.store = back;
        pair.check_samples();
        pair.check_instants(&instants, &mut Cursor::new());
        pair.check_ranges(&instants, points);
    }
}
