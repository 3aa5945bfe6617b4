//! Coarser levels, what is carried in, merging, and giving up what is kept elsewhere.

use proptest::prelude::*;
use twin_historian::chunk::{self, Coarse, coarsen, merge};
use twin_historian::{ChunkKey, Level, SignalSpec, Store, StoreConfig};
use twin_model::{Quality, Sample, SignalIndex, SignalKind, Span, TimeRange, Value, ValueKind};

use crate::kit::{ALWAYS, S0, S1, all, analog, at, range, secs, snapshot};

const RAW: Span = Span::from_secs(3_600);

fn gap(_: u32) -> Option<Span> {
    Some(Span::from_secs(3))
}

fn how(level: Level) -> Coarse<'static> {
    Coarse { level, raw_slab: RAW, gap_after: &gap }
}

/// Two signals at 1 Hz from `from` to `to`: a wave, and a state that changes every seven minutes.
fn plant(from: i64, to: i64) -> Store {
    let specs = [
        SignalSpec::new(SignalKind::Analog, ValueKind::Float).with_gap_after(Span::from_secs(3)),
        SignalSpec::new(SignalKind::Discrete, ValueKind::Text),
    ];
    let mut store = Store::new(specs, StoreConfig::default());
    for t in from..to {
        let quality = if t == 4_000 { Quality::BAD } else { Quality::GOOD };
        store.append(S0, &Sample { quality, ..at(t, t, ((t * 7_919) % 1_000) as f64 / 10.0) });
        if t % 420 == 0 {
            store.append(S1, &Sample::new(secs(t), Value::text(["RUN", "STOP", "IDLE"][(t / 420 % 3) as usize])));
        }
    }
    store
}

#[test]
fn a_coarse_chunk_holds_real_samples_with_the_extremes_of_every_bucket() {
    let store = plant(0, 3_600);
    let raw = &store.export_chunks(ALWAYS)[0];
    let coarse = coarsen(&raw.bytes, None, &how(Level::FiveMinutes)).unwrap();
    assert_eq!((coarse.key.level, coarse.key.range(), coarse.key.version), (Level::FiveMinutes, range(0, 21_600), 1));
    assert!(coarse.samples < raw.samples / 40, "{} of {}", coarse.samples, raw.samples);
    let mut back = plant(0, 0);
    back.import_chunk(&coarse.bytes).unwrap();
    let kept = all(&back, S0, ALWAYS);
    let every = all(&store, S0, ALWAYS);
    assert!(kept.iter().all(|sample| every.contains(sample)), "nothing is invented");
    for bucket in 0..12 {
        let bucket = range(bucket * 300, bucket * 300 + 300);
        let (fine, rough) = (all(&store, S0, bucket), all(&back, S0, bucket));
        let values = |of: &[Sample]| of.iter().filter_map(|sample| sample.value.as_f64()).collect::<Vec<_>>();
        let low = |of: &[Sample]| values(of).into_iter().fold(f64::INFINITY, f64::min);
        let high = |of: &[Sample]| values(of).into_iter().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!((low(&fine), high(&fine)), (low(&rough), high(&rough)));
        assert_eq!((fine.first(), fine.last()), (rough.first(), rough.last()));
        assert_eq!(fine.iter().map(|s| s.quality).max(), rough.iter().map(|s| s.quality).max());
    }
    assert_eq!(all(&back, S1, ALWAYS), all(&store, S1, ALWAYS), "few changes of a state all stay");
}

#[test]
fn hour_by_hour_gives_the_same_coarse_chunk_as_all_at_once_and_late_data_is_written_anew() {
    let hours: Vec<_> = plant(0, 4 * 3_600).export_chunks(ALWAYS);
    let mut coarse: Option<chunk::Chunk> = None;
    for hour in &hours {
        coarse = Some(coarsen(&hour.bytes, coarse.as_ref().map(|c| c.bytes.as_slice()), &how(Level::Hour)).unwrap());
    }
    let coarse = coarse.unwrap();
    assert_eq!((coarse.key.version, coarse.key.range()), (4, range(0, 96 * 3_600)));
    let again = coarsen(&hours[1].bytes, Some(&coarse.bytes), &how(Level::Hour)).unwrap();
    assert_eq!((again.key.version, &again.bytes[48..]), (5, &coarse.bytes[48..]));
    let mut store = plant(0, 4 * 3_600);
    store.append(S0, &at(5_000, 99_000, 1e6));
    store.append(S0, &Sample { source_time: secs(5_000) + Span::from_millis(500), ..at(5_000, 99_000, -1e6) });
    let late = coarsen(&store.export_chunks(ALWAYS)[1].bytes, Some(&coarse.bytes), &how(Level::Hour)).unwrap();
    let mut back = plant(0, 0);
    back.import_chunk(&late.bytes).unwrap();
    let hour = all(&back, S0, range(3_600, 7_200));
    assert!(hour.iter().any(|s| s.value == Value::Float(1e6)) && hour.iter().any(|s| s.value == Value::Float(-1e6)));
}

#[test]
fn gaps_longer_than_the_bucket_stay_gaps_and_the_others_do_not_appear() {
    let mut store = analog(1);
    for t in (0..3_600).filter(|t| !(1_000..2_900).contains(t)) {
        store.append(S0, &at(t, t, t as f64));
    }
    let coarse = coarsen(&store.export_chunks(ALWAYS)[0].bytes, None, &how(Level::FiveMinutes)).unwrap();
    let mut back = analog(1);
    back.import_chunk(&coarse.bytes).unwrap();
    back.note_detail(range(0, 3_600), Level::FiveMinutes);
    let envelope = back.envelope(S0, range(0, 3_600), 100);
    assert_eq!(envelope.gaps, [range(999, 2_900)]);
    assert_eq!(envelope.thinned, [range(0, 3_600)]);
    assert_eq!((back.detail_at(secs(5)), back.detail_at(secs(3_600))), (Level::FiveMinutes, Level::Raw));
    back.import_chunk(&store.export_chunks(ALWAYS)[0].bytes).unwrap();
    back.note_detail(range(0, 3_600), Level::Raw);
    assert_eq!(back.envelope(S0, range(0, 3_600), 100), store.envelope(S0, range(0, 3_600), 100));
}

#[test]
fn what_is_carried_in_answers_for_the_start_of_a_slab() {
    let mut store = analog(3);
    store.append(S0, &at(100, 100, 1.0));
    store.append(S0, &at(7_199, 7_199, 2.0));
    store.append(S1, &at(50, 50, 3.0));
    for t in 7_200..10_800 {
        store.append(S0, &at(t, t, t as f64));
    }
    let carried = store.carried(0, secs(7_200), 4).unwrap();
    assert_eq!(
        (carried.key.level, carried.key.start, carried.key.end, carried.samples),
        (Level::Carried, secs(7_200), secs(7_200), 2)
    );
    let mut back = analog(3);
    back.import_chunk(&carried.bytes).unwrap();
    for chunk in store.export_chunks(range(7_200, 10_800)) {
        back.import_chunk(&chunk.bytes).unwrap();
    }
    for t in [7_200, 7_201, 9_000] {
        let (a, b) = (snapshot(&store, secs(t)), snapshot(&back, secs(t)));
        assert!(a.iter().eq(b.iter()), "at {t}");
    }
    assert!(store.carried(0, secs(50), 1).is_none(), "nothing had been seen before the first sample");
}

#[test]
fn giving_up_a_stretch_keeps_what_holds_after_it_and_bringing_it_back_is_exact() {
    let full = plant(0, 20_000);
    let mut store = plant(0, 20_000);
    let gone = store.evict(range(3_600, 14_400));
    assert!(gone > 10_000, "{gone}");
    assert!(store.bytes().waste > 0);
    for t in [0, 3_599, 14_400, 14_401, 19_999] {
        let (a, b) = (snapshot(&full, secs(t)), snapshot(&store, secs(t)));
        assert!(a.iter().eq(b.iter()), "at {t}");
    }
    for chunk in full.export_chunks(range(3_600, 14_400)) {
        store.import_chunk(&chunk.bytes).unwrap();
    }
    for signal in [S0, S1] {
        assert_eq!(all(&store, signal, ALWAYS), all(&full, signal, ALWAYS));
    }
    store.append(S0, &Sample { source_time: secs(5_000) + Span::from_millis(1), ..at(5_000, 20_000, 1.0) });
    let sealed = store.seal(secs(7_200));
    assert!(sealed.iter().any(|sealed| !sealed.whole), "what is kept elsewhere is never replaced by a part");
}

#[test]
fn reducing_where_it_lies_keeps_what_the_level_keeps() {
    let full = plant(0, 20_000);
    let mut store = plant(0, 20_000);
    assert!(store.reduce(range(3_600, 14_400), Level::FiveMinutes) > 10_000);
    let mut rough = plant(0, 0);
    for chunk in full.export_chunks(range(3_600, 14_400)) {
        rough.import_chunk(&coarsen(&chunk.bytes, None, &how(Level::FiveMinutes)).unwrap().bytes).unwrap();
    }
    for signal in [S0, S1] {
        // Blocks that reach over the edges stay whole.
        let inner = range(3_900, 14_100);
        let (kept, expected) = (all(&store, signal, inner), all(&rough, signal, inner));
        assert_eq!(kept, expected);
        assert_eq!(all(&store, signal, range(0, 3_600)), all(&full, signal, range(0, 3_600)));
    }
    assert_eq!(store.detail_at(secs(10_000)), Level::FiveMinutes);
    for t in [3_599, 14_400, 19_999] {
        assert!(snapshot(&full, secs(t)).iter().eq(snapshot(&store, secs(t)).iter()), "at {t}");
    }
    for chunk in full.export_chunks(range(3_600, 14_400)) {
        store.import_chunk(&chunk.bytes).unwrap();
    }
    for signal in [S0, S1] {
        assert_eq!(all(&store, signal, ALWAYS), all(&full, signal, ALWAYS));
    }
}

#[test]
fn a_lane_given_up_comes_back_only_with_news_and_then_as_a_part() {
    let full = plant(0, 20_000);
    let mut store = plant(0, 20_000);
    let sealed = store.seal(secs(18_000));
    assert!(sealed.len() == 5 && sealed.iter().all(|sealed| sealed.whole));
    // Late for a slab that is sealed, and not sealed again yet: that slab stays.
    store.append(S0, &Sample { source_time: secs(4_000) + Span::from_millis(1), ..at(4_000, 20_000, 1.0) });
    store.note_elsewhere(TimeRange::new(twin_model::Timestamp::MIN, secs(14_400)));
    assert!(store.evict_lane(0, secs(14_400)) > 6_000);
    assert!(all(&store, S0, range(3_600, 7_200)).len() > 3_000, "what no chunk holds yet is not given up");
    for t in [14_400, 14_401, 19_999] {
        assert!(snapshot(&full, secs(t)).iter().eq(snapshot(&store, secs(t)).iter()), "at {t}");
    }
    let again = store.seal(secs(18_000));
    assert_eq!(again.iter().map(|one| (one.chunk.key.start, one.whole)).collect::<Vec<_>>(), [(secs(3_600), false)]);
    store.evict_lane(0, secs(14_400));
    assert_eq!(store.seal(secs(18_000)), [], "leftovers are no news");
    store.append(S0, &Sample { source_time: secs(100) + Span::from_millis(1), ..at(100, 20_000, 1.0) });
    let late = store.seal_lane(0, secs(18_000), 1);
    assert_eq!(late.iter().map(|one| (one.chunk.key.start, one.whole)).collect::<Vec<_>>(), [(secs(0), false)]);
    let merged = merge(sealed[0].chunk.key, &sealed[0].chunk.bytes, &late[0].chunk.bytes).unwrap();
    assert_eq!(merged.samples, sealed[0].chunk.samples + 1);
}

#[test]
fn what_was_kept_before_a_start_is_sealed_again_only_where_samples_came() {
    let full = plant(0, 10_800);
    let mut store = plant(0, 0);
    store.note_kept_before(secs(7_200));
    store.import_chunk(&full.carried(0, secs(7_200), 1).unwrap().bytes).unwrap();
    for chunk in full.export_chunks(range(7_200, 10_800)) {
        store.import_chunk(&chunk.bytes).unwrap();
    }
    assert_eq!(store.seal(secs(10_800)), [], "all of it is kept");
    store.append(S0, &Sample { source_time: secs(50) + Span::from_millis(1), ..at(50, 10_000, 1.0) });
    let late = store.seal(secs(10_800));
    assert_eq!(
        late.iter().map(|one| (one.chunk.key.start, one.chunk.samples, one.whole)).collect::<Vec<_>>(),
        [(secs(0), 1, false)]
    );
}

#[test]
fn what_is_carried_follows_from_what_was_carried_and_the_slab() {
    let store = plant(0, 10_800);
    let slab = &store.export_chunks(range(3_600, 7_200))[0];
    let before = store.carried(0, secs(3_600), 1).unwrap();
    let key = ChunkKey { start: secs(7_200), end: secs(7_200), ..before.key };
    let next = chunk::carry(key, &[&before.bytes, &slab.bytes]).unwrap().unwrap();
    assert_eq!(next, store.carried(0, secs(7_200), 1).unwrap());
    let other = chunk::with_version(&next.bytes, 9).unwrap();
    assert!(other.key.version == 9 && chunk::inspect(&other.bytes).unwrap().0 == other.key);
    assert!(chunk::same_samples(&other.bytes, &next.bytes) && !chunk::same_samples(&before.bytes, &next.bytes));
    assert_eq!(chunk::carry(ChunkKey { start: secs(0), end: secs(0), ..key }, &[&slab.bytes]).unwrap(), None);
    // A site that changed: signal 1 is now signal 70, in another lane.
    let moved = ChunkKey { first_signal: 64, signals: 64, ..slab.key };
    let there = chunk::gather(moved, &[&slab.bytes], &|signal| (signal == 1).then_some(70)).unwrap();
    assert_eq!(u64::from(there.samples), all(&store, S1, range(3_600, 7_200)).len() as u64);
    let half = chunk::within(ChunkKey { end: secs(5_400), ..slab.key }, &slab.bytes).unwrap();
    assert_eq!(half.samples as usize, [S0, S1].map(|s| all(&store, s, range(3_600, 5_400)).len()).iter().sum::<usize>());
}

#[test]
fn chunks_of_other_signals_or_times_do_not_merge() {
    let chunks = plant(0, 7_200).export_chunks(ALWAYS);
    assert!(merge(chunks[0].key, &chunks[0].bytes, &chunks[1].bytes).is_err());
    let wide = ChunkKey { end: secs(7_200), ..chunks[0].key };
    assert_eq!(merge(wide, &chunks[0].bytes, &chunks[1].bytes).unwrap().samples, chunks[0].samples + chunks[1].samples);
    assert!(coarsen(&merge(wide, &chunks[0].bytes, &chunks[1].bytes).unwrap().bytes, None, &how(Level::Raw)).is_err());
}

#[test]
fn keys_are_read_as_they_are_written() {
    for level in [Level::Raw, Level::FiveMinutes, Level::Hour, Level::Carried] {
        let key = ChunkKey { level, first_signal: 64, signals: 3, start: secs(-5), end: secs(9), version: 7 };
        assert_eq!(key.to_string().parse::<ChunkKey>(), Ok(key));
    }
    for bad in ["", "raw", "raw/0+1/5_4/v1", "raw/0+1/4_5/v1/", "raw/0+1/4_5/1", "2h/0+1/4_5/v1"] {
        assert!(bad.parse::<ChunkKey>().is_err(), "{bad}");
    }
}

proptest! {
    /// Pieces given up and brought back in any order, on top of coarser ones, give the same samples as never having gone.
    #[test]
    fn what_was_given_up_and_brought_back_is_the_same(
        moves in prop::collection::vec((0..6_i64, 0..3_u8, any::<bool>()), 1..12),
    ) {
        let hour = |at: i64| range(at * 3_600, (at + 1) * 3_600);
        let full = plant(0, 6 * 3_600);
        let mut store = plant(0, 6 * 3_600);
        for (at, away, rough) in moves {
            let range = hour(at);
            match away {
                0 => drop(store.evict(range)),
                1 => drop(store.reduce(range, Level::FiveMinutes)),
                _ => drop(store.reduce(range, Level::Hour)),
            }
            for chunk in full.export_chunks(range) {
                let bytes = if rough { coarsen(&chunk.bytes, None, &how(Level::FiveMinutes)).unwrap().bytes } else { chunk.bytes };
                store.import_chunk(&bytes).unwrap();
            }
        }
        for chunk in full.export_chunks(ALWAYS) {
            store.import_chunk(&chunk.bytes).unwrap();
        }
        for signal in [S0, S1] {
            prop_assert_eq!(all(&store, signal, ALWAYS), all(&full, signal, ALWAYS));
        }
        for t in (0..6).map(|at| at * 3_600 + 17) {
            prop_assert!(snapshot(&full, secs(t)).iter().eq(snapshot(&store, secs(t)).iter()));
        }
    }

    /// Merging two halves of a chunk, however its samples are dealt out, gives the whole.
    #[test]
    fn halves_merge_to_the_whole(deal in prop::collection::vec(any::<bool>(), 64)) {
        let spec = SignalSpec::new(SignalKind::Discrete, ValueKind::Text);
        let mut stores = [0, 1, 2].map(|_| Store::new([spec], StoreConfig::default()));
        for (t, left) in deal.iter().enumerate() {
            let sample = Sample::new(secs(t as i64), Value::text(["A", "B", "C", "D"][t * 7 % 4]));
            stores[2].append(S0, &sample);
            stores[usize::from(*left)].append(S0, &sample);
        }
        let chunk = |store: &Store| store.export_chunks(TimeRange::new(secs(0), secs(3_600))).pop();
        if let [Some(a), Some(b), Some(whole)] = [chunk(&stores[0]), chunk(&stores[1]), chunk(&stores[2])] {
            let merged = merge(whole.key, &a.bytes, &b.bytes).unwrap();
            let mut back = Store::new([spec], StoreConfig::default());
            back.import_chunk(&merged.bytes).unwrap();
            prop_assert_eq!(all(&back, SignalIndex(0), ALWAYS), all(&stores[2], SignalIndex(0), ALWAYS));
        }
    }
}
