//! Every read against the slow twin, and the named properties, under random late, duplicate, backward, early and
//! store-and-forward data of all kinds and qualities.

use proptest::prelude::*;
use twin_historian::{Chunk, Cursor, Envelope, SignalSpec, Snapshot, Store, ValueAt};
use twin_model::{Flags, HoldPolicy, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use crate::bursts::{Burst, SIGNALS, arrivals, burst, random, shuffle};
use crate::kit::{ALWAYS, all};
use crate::pair::{GAP, Pair, empty, signals};
use crate::slow::specs;

const MICROSECOND: Span = Span::from_micros(1);

/// 96 cases; in the nightly lane (`ORRERY_LONG_TESTS=1`) 30 times as many.
/// `PROPTEST_CASES=100000 cargo test --release -p twin_historian` for a night.
pub(crate) fn config() -> ProptestConfig {
    let long = std::env::var_os("ORRERY_LONG_TESTS").is_some();
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = wanted.unwrap_or(if long { 2_880 } else { 96 });
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn bursts(most: usize) -> impl Strategy<Value = Vec<Burst>> {
    prop::collection::vec(burst(), 1..most)
}

/// What a store answers for an instant, from reads that end there. Text has no codes in it: those follow the order of arrival.
#[derive(Debug, PartialEq)]
struct Answers {
    latest: Vec<Option<Sample>>,
    between: Vec<Option<ValueAt>>,
    before: Vec<Option<Timestamp>>,
    samples: Vec<Vec<Sample>>,
    states: Vec<Vec<(Value, Span)>>,
    increase: Vec<Option<f64>>,
    changed: Vec<SignalIndex>,
    density: Vec<u32>,
    envelopes: Vec<Envelope>,
}

/// Everything up to and with `t`, from `from` on where a read has a start.
fn known_at(store: &Store, from: Timestamp, t: Timestamp, points: usize, with_text: &[bool]) -> Answers {
    let range = TimeRange::new(from, t + MICROSECOND);
    let mut shot = Snapshot::new();
    store.snapshot_at(t, &mut Cursor::new(), &mut shot);
    let latest: Vec<_> = signals().map(|signal| store.latest_at(signal, t)).collect();
    assert_eq!(signals().map(|signal| shot.get(signal)).collect::<Vec<_>>(), latest);
    let drawn = signals().filter(|signal| !with_text[signal.at()]);
    Answers {
        latest,
        between: signals().map(|signal| store.value_at(signal, from, t, HoldPolicy::Linear)).collect(),
        before: signals().map(|signal| store.next_sample_time(signal, t, twin_historian::Direction::Backward)).collect(),
        samples: signals().map(|signal| all(store, signal, range)).collect(),
        states: signals().map(|signal| store.time_in_state(signal, range)).collect(),
        increase: signals().map(|signal| store.increase(signal, range)).collect(),
        changed: store.changed_in(range),
        density: store.density(range, 5),
        envelopes: drawn.map(|signal| cut(store.envelope(signal, range, points), t)).collect(),
    }
}

/// Without what an envelope says of the time after its range, which it gives apart: the sample there, and a gap that ends there.
fn cut(mut envelope: Envelope, t: Timestamp) -> Envelope {
    envelope.after = None;
    envelope.gaps.retain(|gap| gap.end <= t);
    envelope
}

fn with_text(samples: &[(SignalIndex, Sample)]) -> Vec<bool> {
    let has = |signal| samples.iter().any(|(of, sample)| *of == signal && sample.value.as_text().is_some());
    signals().map(has).collect()
}

/// Takes chunks into a new store, in a random order.
fn reassembled(chunks: &[Chunk], seed: u64) -> Store {
    let mut order: Vec<&Chunk> = chunks.iter().collect();
    shuffle(&mut order, seed);
    let mut back = empty();
    for chunk in order {
        let imported = back.import_chunk(&chunk.bytes).unwrap();
        assert_eq!((imported.key, imported.samples), (chunk.key, u64::from(chunk.samples)));
    }
    back
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_read_equals_the_slow_twins(bursts in bursts(12), seed: u64, points in 2..60_usize, gap in 1..20_000_i64) {
        let pair = Pair::fed(&bursts);
        pair.check_samples();
        pair.check_arrival();
        let instants = pair.instants(seed, 40);
        pair.check_instants(&instants, &mut Cursor::new());
        pair.check_ranges(&instants, points, Span::from_millis(gap));
    }

    #[test]
    fn as_known_is_what_had_been_received_and_nothing_else(bursts in bursts(12), seed: u64, points in 2..60_usize) {
        let mut pair = Pair::fed(&bursts);
        let instants = pair.instants(seed, 40);
        pair.check_known(&instants, points, seed);
        // Taken back from chunks it is known since the same instants.
        let chunks = pair.store.export_chunks(ALWAYS);
        pair.with_store(reassembled(&chunks, seed));
        pair.check_known(&instants, points, !seed);
    }

    #[test]
    fn a_cursor_dragged_along_while_data_comes_in_is_never_behind(bursts in bursts(6), seed: u64) {
        let mut pair = Pair::new();
        let mut cursor = Cursor::new();
        let mut cloned = None;
        for (nth, (signal, sample)) in arrivals(&bursts).iter().enumerate() {
            pair.append(*signal, sample);
            if nth % 97 == 0 {
                let mut instants = pair.instants(seed.wrapping_add(nth as u64), 6);
                instants.sort();
                pair.check_instants(&instants, &mut cursor);
                // A clone goes its own way; the cursor has seen the other one.
                cloned = Some(pair.store.clone());
            }
        }
        pair.check_samples();
        pair.check_arrival();
        if let Some(clone) = cloned {
            let mut out = Snapshot::new();
            clone.snapshot_at(Timestamp::MAX, &mut cursor, &mut out);
            for signal in signals() {
                prop_assert_eq!(out.get(signal), clone.latest_at(signal, Timestamp::MAX));
            }
        }
    }

    #[test]
    fn nothing_from_after_an_instant_changes_an_answer_for_it(bursts in bursts(8), seed: u64, points in 2..60_usize) {
        let arrived = arrivals(&bursts);
        let whole = Pair::fed(&bursts);
        let with_text = with_text(&arrived);
        let instants = whole.instants(seed, 6);
        for t in &instants[..4] {
            let mut past = empty();
            for (signal, sample) in arrived.iter().filter(|(_, sample)| sample.source_time <= *t) {
                past.append(*signal, sample);
            }
            for from in [instants[4].min(*t), *t] {
                let (full, known) = [&whole.store, &past].map(|store| known_at(store, from, *t, points, &with_text)).into();
                prop_assert_eq!(full, known);
            }
        }
    }

    #[test]
    fn the_future_and_a_prediction_are_never_live(bursts in bursts(10), seed: u64) {
        let pair = Pair::fed(&bursts);
        let (mut cursor, mut shot) = (Cursor::new(), Snapshot::new());
        for t in pair.instants(seed, 16) {
            pair.store.measured_snapshot_at(t, &mut cursor, &mut shot);
            for signal in signals() {
                let measured = pair.store.measured_at(signal, t);
                prop_assert!(measured.iter().all(|it| it.source_time <= t && !it.flags.has(Flags::PREDICTED)));
                prop_assert_eq!(&measured, &pair.slow.measured_at(signal, t), "what holds at {}", t);
                prop_assert_eq!(&shot.get(signal), &measured, "together with all others at {}", t);
                prop_assert_eq!(pair.store.ahead_at(signal, t), pair.slow.ahead_at(signal, t), "what lies ahead of {}", t);
            }
        }
    }

    #[test]
    fn the_order_of_arrival_never_changes_an_answer(bursts in bursts(8), seed: u64, points in 2..60_usize) {
        // Of two samples of one source and received time the later appended wins: that is order, and settled beforehand.
        let mut arrived = arrivals(&bursts);
        let mut seen = std::collections::BTreeSet::new();
        arrived.retain(|(signal, sample)| seen.insert((*signal, sample.source_time, sample.received_time)));
        let with_text = with_text(&arrived);
        let mut in_order = empty();
        for (signal, sample) in &arrived {
            in_order.append(*signal, sample);
        }
        let whole = Pair::fed(&bursts);
        shuffle(&mut arrived, seed);
        let mut shuffled = empty();
        for (signal, sample) in &arrived {
            shuffled.append(*signal, sample);
        }
        for signal in signals() {
            prop_assert_eq!(in_order.live(signal), shuffled.live(signal));
        }
        for ends in whole.instants(seed, 8)[..8].chunks(2) {
            let (from, t) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            let (a, b) = [&in_order, &shuffled].map(|store| known_at(store, from, t, points, &with_text)).into();
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn where_chunks_are_cut_and_how_they_come_back_changes_no_answer(
        bursts in bursts(8), seed: u64, points in 2..60_usize
    ) {
        let mut pair = Pair::fed(&bursts);
        let instants = pair.instants(seed, 12);
        let mut cuts = instants.clone();
        cuts.sort();
        let chunks: Vec<_> = cuts.windows(2).flat_map(|w| pair.store.export_chunks(TimeRange::new(w[0], w[1]))).collect();
        pair.with_store(reassembled(&chunks, seed));
        pair.check_samples();
        pair.check_instants(&instants, &mut Cursor::new());
        pair.check_ranges(&instants, points, GAP);
    }

    #[test]
    fn chunks_sealed_at_any_moment_and_the_rest_hold_every_sample_once(
        bursts in bursts(8), seed: u64, points in 2..60_usize
    ) {
        let mut pair = Pair::new();
        let mut moment = seed;
        // What a disk keeps: of one place the highest version.
        let mut kept: std::collections::BTreeMap<(u32, Timestamp), Chunk> = std::collections::BTreeMap::new();
        for (signal, sample) in arrivals(&bursts) {
            pair.append(signal, &sample);
            if random(&mut moment).is_multiple_of(101) {
                for sealed in pair.store.seal(sample.source_time - Span::from_secs(60)) {
                    prop_assert!(sealed.whole, "nothing was thinned");
                    let chunk = sealed.chunk;
                    let version = chunk.key.version;
                    let old = kept.insert((chunk.key.first_signal, chunk.key.start), chunk);
                    prop_assert!(old.is_none_or(|old| old.key.version < version));
                }
            }
        }
        for chunk in pair.store.seal(Timestamp::MAX).into_iter().map(|sealed| sealed.chunk) {
            kept.insert((chunk.key.first_signal, chunk.key.start), chunk);
        }
        prop_assert!(pair.store.seal(Timestamp::MAX).is_empty(), "all of it is sealed now");
        let instants = pair.instants(seed, 12);
        let chunks: Vec<Chunk> = kept.into_values().collect();
        pair.with_store(reassembled(&chunks, seed));
        pair.check_samples();
        pair.check_instants(&instants, &mut Cursor::new());
        pair.check_ranges(&instants, points, GAP);
    }
}

#[test]
fn a_store_without_samples_answers_every_read() {
    let pair = Pair::new();
    pair.check_samples();
    pair.check_arrival();
    let instants = [Timestamp::MIN, Timestamp::from_secs(0), Timestamp::from_secs(9), Timestamp::MAX];
    pair.check_instants(&instants, &mut Cursor::new());
    pair.check_ranges(&instants, 5, GAP);
    let none: [SignalSpec; 0] = [];
    let store = Store::new(none, *pair.store.config());
    assert_eq!(
        (store.extent(), store.changed_in(ALWAYS), store.latest_at(SignalIndex(SIGNALS), Timestamp::MAX)),
        (None, vec![], None)
    );
    assert_eq!(specs(GAP).len(), SIGNALS as usize);
}
