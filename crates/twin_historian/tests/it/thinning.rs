//! Small byte budgets under random data, against the slow twin: what stays is real, what went is said, and what lies outside of that
//! is answered exactly.

use proptest::prelude::*;
use twin_historian::{Cursor, Snapshot, Store, StoreConfig};
use twin_model::{Quality, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use crate::bursts::{EPOCH_US, SIGNALS, random};
use crate::kit::{ALWAYS, all};
use crate::pair::{GAP, signals};
use crate::properties::config;
use crate::slow::specs;

const MICROSECOND: Span = Span::from_micros(1);

/// Many samples of few signals: regular with gaps, spikes, bad qualities, some late; of each source time one.
#[derive(Debug, Clone)]
struct Load {
    samples: usize,
    budget: usize,
    /// Of a thousand samples so many are followed by a gap, come late, are bad, are spikes.
    gaps: u64,
    late: u64,
    bad: u64,
    spikes: u64,
    /// Whether values are of few states instead of measured.
    states: bool,
    seed: u64,
}

fn load() -> impl Strategy<Value = Load> {
    let share = || prop_oneof![Just(0_u64), 1..20_u64];
    let budget = prop_oneof![Just(0_usize), 1..2_000_000_usize];
    (20_000..60_000_usize, budget, share(), share(), share(), share(), any::<bool>(), any::<u64>()).prop_map(
        |(samples, budget, gaps, late, bad, spikes, states, seed)| Load {
            samples,
            budget,
            gaps,
            late,
            bad,
            spikes,
            states,
            seed,
        },
    )
}

impl Load {
    /// In order of arrival.
    fn arrivals(&self) -> Vec<(SignalIndex, Sample)> {
        let mut seed = self.seed;
        let mut of_thousand = |share: u64| random(&mut seed) % 1_000 < share;
        let mut times = [EPOCH_US; SIGNALS as usize];
        let (mut out, mut waiting) = (Vec::with_capacity(self.samples), Vec::new());
        for nth in 0..self.samples {
            let signal = nth % SIGNALS as usize;
            times[signal] += if of_thousand(self.gaps) { 30_000_000 } else { 1_000_000 };
            let wave = (nth / 50 % 40) as f64 + (nth % 7) as f64 / 10.0;
            let v = if of_thousand(self.spikes) { 1_000.0 + nth as f64 } else { wave };
            let v = if self.states { (nth / 60 % 3) as f64 } else { v };
            let quality = if of_thousand(self.bad) { Quality::BAD } else { Quality::GOOD };
            let sample = Sample::new(Timestamp::from_micros(times[signal]), Value::Float(v)).with_quality(quality);
            if of_thousand(self.late) {
                waiting.push((nth + nth % 997 * 3, SignalIndex(signal as u32), sample));
            } else {
                out.push((SignalIndex(signal as u32), sample));
            }
        }
        for (place, signal, sample) in waiting {
            out.insert(place.min(out.len()), (signal, sample));
        }
        out
    }
}

/// All that ever came, by signal, in the order of source times: the slow twin of data without duplicates.
fn sorted(arrived: &[(SignalIndex, Sample)]) -> Vec<Vec<Sample>> {
    let mut out = vec![Vec::new(); SIGNALS as usize];
    arrived.iter().for_each(|(signal, sample)| out[signal.at()].push(sample.clone()));
    out.iter_mut().for_each(|samples| samples.sort_by_key(|sample| sample.source_time));
    out
}

fn at(samples: &[Sample], t: Timestamp) -> Option<&Sample> {
    samples.get(samples.partition_point(|sample| sample.source_time <= t).checked_sub(1)?)
}

fn gaps(samples: &[Sample]) -> usize {
    samples.windows(2).filter(|w| w[1].source_time.since(w[0].source_time) > GAP).count()
}

/// Up to where answers may be thinner than what came.
fn told(store: &Store) -> Timestamp {
    let thinned = store.thinned().map_or(Timestamp::MIN, |thinned| thinned.end);
    thinned.max(store.dropped_before().unwrap_or(Timestamp::MIN))
}

fn check_samples(store: &Store, came: &[Vec<Sample>]) {
    let told = told(store);
    for signal in signals() {
        let (held, came) = (all(store, signal, ALWAYS), &came[signal.at()]);
        for sample in &held {
            let real = came.binary_search_by_key(&sample.source_time, |sample| sample.source_time).map(|at| &came[at]);
            assert_eq!(real, Ok(sample), "{signal:?}: no sample is made up");
        }
        let after = |samples: &[Sample]| samples.iter().filter(|sample| sample.source_time >= told).cloned().collect::<Vec<_>>();
        assert_eq!(after(&held), after(came), "{signal:?}: all is there from {told} on");
        assert_eq!(store.latest_at(signal, Timestamp::MAX).as_ref(), came.last(), "{signal:?}: the newest stays");
        assert_eq!(store.live(signal).as_ref(), came.last());
    }
}

fn check_instants(store: &Store, came: &[Vec<Sample>], seed: u64, cursor: &mut Cursor) {
    let told = told(store);
    let mut shot = Snapshot::new();
    let mut seed = seed;
    for _ in 0..60 {
        let signal = SignalIndex((random(&mut seed) % u64::from(SIGNALS)) as u32);
        let came = &came[signal.at()];
        let t = came[random(&mut seed) as usize % came.len()].source_time - MICROSECOND;
        store.snapshot_at(t, cursor, &mut shot);
        let (answer, full) = (store.latest_at(signal, t), at(came, t));
        assert_eq!(shot.get(signal), answer, "both reads give the same at {t}");
        assert!(answer.as_ref().is_none_or(|sample| sample.source_time <= t), "nothing from after {t}");
        if full.is_some_and(|sample| sample.source_time >= told) {
            assert_eq!(answer.as_ref(), full, "{signal:?} at {t}, where nothing was taken away");
        }
    }
}

fn check_shape(store: &Store, came: &[Vec<Sample>]) {
    for (signal, came) in signals().zip(came) {
        let envelope = store.envelope(signal, ALWAYS, 500);
        let first = envelope.range.start;
        // What was dropped is out of reach; from the first sample left on, extremes and gaps are those of all that came.
        let rest = &came[came.partition_point(|sample| sample.source_time < first)..];
        let values = rest.iter().filter_map(|sample| sample.value.as_f64());
        let expected = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        if store.dropped_before().is_none() {
            assert_eq!(first, came[0].source_time, "{signal:?}: nothing was dropped");
            assert_eq!(envelope.min_max(), Some(expected), "{signal:?}: extremes are exact");
            let inside = envelope.buckets.iter().filter(|bucket| bucket.broken).count();
            let listed = store.envelope(signal, ALWAYS, 100_000);
            assert!(envelope.gaps.len() + inside <= gaps(rest), "{signal:?}: no gap is made up");
            assert_eq!(listed.gaps.len(), gaps(rest), "{signal:?}: no gap is hidden");
            let worst = rest.iter().map(|sample| sample.quality).max();
            assert_eq!(listed.buckets.iter().map(|bucket| bucket.worst).max(), worst, "{signal:?}: the worst quality stays");
        }
        let taken = store.counters().thinned > 0 && all(store, signal, ALWAYS).len() < came.len();
        assert!(!taken || store.dropped_before().is_some() || !envelope.thinned.is_empty(), "{signal:?}: what went is said");
    }
}

/// Everything that came under a small budget, and what must be true of what is left.
fn check_thinning(load: &Load, seed: u64) {
    let arrived = load.arrivals();
    let came = sorted(&arrived);
    let mut store = Store::new(specs(GAP), StoreConfig { budget_bytes: load.budget, ..StoreConfig::default() });
    let mut cursor = Cursor::new();
    for (nth, (signal, sample)) in arrived.iter().enumerate() {
        store.append(*signal, sample);
        if nth % 9_973 == 0 {
            // A cursor from before the sweep must not find what was there then.
            store.snapshot_at(sample.source_time, &mut cursor, &mut Snapshot::new());
        }
    }
    check_samples(&store, &came);
    check_instants(&store, &came, seed, &mut cursor);
    check_shape(&store, &came);
    let held: usize = signals().map(|signal| all(&store, signal, ALWAYS).len()).sum();
    assert_eq!(held as u64 + store.counters().thinned, arrived.len() as u64, "held and taken away are all that came");
    let from = Timestamp::from_micros(EPOCH_US);
    // Whole seconds: exact even where it is answered from counts by second.
    let to = store.extent().unwrap().end.floor_to(Span::from_secs(1)) + Span::from_secs(1);
    let counted = store.density(TimeRange::new(from, to), 1);
    assert_eq!(counted[0] as usize, arrived.len(), "what was taken away still counts");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 8, ..config() })]

    #[test]
    fn a_small_budget_keeps_real_samples_extremes_and_gaps_and_says_what_went(load in load(), seed: u64) {
        check_thinning(&load, seed);
    }
}

/// Found by the property: two late samples between two thinned blocks, where samples had gone, became a gap between them.
#[test]
fn late_samples_between_thinned_blocks_make_no_gap() {
    let load = Load {
        samples: 33_366,
        budget: 289_248,
        gaps: 15,
        late: 16,
        bad: 7,
        spikes: 3,
        states: false,
        seed: 15_695_150_680_408_235_099,
    };
    check_thinning(&load, 0);
}
