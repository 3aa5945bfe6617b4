//! Chunks have a bound in bytes: what is larger is cut in time, reads back the same, and joins again.

use proptest::prelude::*;
use twin_historian::chunk::{self, Coarse, MAX_WORD_BYTES, WRITTEN_BYTES};
use twin_historian::{Appended, ChunkKey, Level, SignalSpec, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, SignalKind, Span, Value, ValueKind};

use crate::kit::{ALWAYS, all, range, secs};
use crate::properties::config;

/// Signal 0 is a number, the others are texts.
fn store(signals: usize) -> Store {
    let spec = |at: usize| match at {
        0 => SignalSpec::new(SignalKind::Analog, ValueKind::Float),
        _ => SignalSpec::new(SignalKind::Discrete, ValueKind::Text),
    };
    Store::new((0..signals).map(spec), StoreConfig { budget_bytes: 4 << 30, ..StoreConfig::default() })
}

/// A text of its own for every number: no two alike.
fn text(n: i64, bytes: usize) -> Value {
    let mut text = format!("{n:09}");
    text.extend((0..bytes.saturating_sub(9)).map(|at| char::from(b'a' + ((n as usize * 31 + at * at) % 26) as u8)));
    text.truncate(bytes);
    Value::text(&text)
}

fn samples(store: &Store, signal: u32) -> Vec<Sample> {
    all(store, SignalIndex(signal), ALWAYS)
}

fn same(a: &Store, b: &Store, signals: u32) {
    for signal in 0..signals {
        assert_eq!(samples(a, signal), samples(b, signal), "signal {signal}");
    }
}

#[test]
fn an_hour_with_more_texts_than_a_chunk_may_have_is_sealed_in_parts_that_read_back() {
    let mut store = store(2);
    // 72 MB of distinct texts, and a number beside each.
    for n in 0..1_200 {
        store.append(SignalIndex(0), &Sample::new(secs(n * 3), Value::Float(n as f64)));
        store.append(SignalIndex(1), &Sample::new(secs(n * 3), text(n, 60_000)));
    }
    let sealed = store.seal(secs(3_600));
    assert!(sealed.len() > 8, "{} parts", sealed.len());
    let mut again = self::store(2);
    let mut end = secs(0);
    for one in &sealed {
        assert!(one.chunk.bytes.len() <= WRITTEN_BYTES, "{} has {} bytes", one.chunk.key, one.chunk.bytes.len());
        assert_eq!(one.chunk.key.start, end, "parts follow each other");
        assert_eq!(chunk::digest(&one.chunk.bytes), Ok(one.digest));
        end = one.chunk.key.end;
        again.import_chunk(&one.chunk.bytes).unwrap();
    }
    assert_eq!(end, secs(3_600), "and cover the slab");
    same(&store, &again, 2);
    // A coarser level keeps up to sixteen changes of every five minutes: that has a bound, too.
    let gap_after = |_: u32| None;
    let how = Coarse { level: Level::FiveMinutes, raw_slab: Span::from_secs(3_600), gap_after: &gap_after };
    let range = range(0, 21_600);
    let mut coarse: Vec<Vec<u8>> = Vec::new();
    for one in &sealed {
        let before: Vec<&[u8]> = coarse.iter().map(Vec::as_slice).collect();
        coarse =
            chunk::coarsen_into(&one.chunk.bytes, &before, range, &how).unwrap().into_iter().map(|p| p.chunk.bytes).collect();
    }
    let mut pictured = self::store(2);
    for bytes in &coarse {
        assert!(bytes.len() <= WRITTEN_BYTES);
        pictured.import_chunk(bytes).unwrap();
    }
    let all = samples(&store, 0);
    let kept = samples(&pictured, 0);
    assert!(kept.len() < all.len() && kept.iter().all(|sample| all.contains(sample)));
    assert_eq!((kept.first(), kept.last()), (all.first(), all.last()));
}

#[test]
fn the_largest_instant_of_a_lane_is_one_chunk() {
    let mut store = store(64);
    for signal in 1..64 {
        assert_eq!(
            store.append(SignalIndex(signal), &Sample::new(secs(5), text(i64::from(signal), MAX_WORD_BYTES))),
            Appended::New
        );
    }
    let sealed = store.seal(secs(3_600));
    assert_eq!(sealed.len(), 1);
    assert!(sealed[0].chunk.bytes.len() <= WRITTEN_BYTES);
    let mut again = self::store(64);
    again.import_chunk(&sealed[0].chunk.bytes).unwrap();
    same(&store, &again, 64);
    let carried = store.carried(0, secs(10), 1).unwrap();
    assert!(carried.bytes.len() <= WRITTEN_BYTES && chunk::inspect(&carried.bytes).is_ok());
}

#[test]
fn a_text_that_no_chunk_can_hold_is_kept_out_and_counted() {
    let mut store = store(2);
    let long = text(1, MAX_WORD_BYTES + 1);
    assert_eq!(store.append(SignalIndex(1), &Sample::new(secs(1), long)), Appended::Quarantined);
    assert_eq!(store.append(SignalIndex(1), &Sample::new(secs(2), text(2, MAX_WORD_BYTES))), Appended::New);
    assert_eq!((store.counters().too_large, store.counters().stored), (1, 1));
    let shown = store.quarantined().next().unwrap().sample.value.clone();
    assert!(matches!(&shown, Value::Text(shown) if shown.len() == 256), "its beginning can be looked at");
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0_usize..40, 2 => 1_000_usize..5_000, 1 => Just(MAX_WORD_BYTES), 1 => 60_000_usize..=MAX_WORD_BYTES]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 12, ..config() })]

    /// Whatever is sealed reads back, in chunks of bounded size, and joins with what was there.
    #[test]
    fn chunks_of_any_texts_read_back(rows in prop::collection::vec((0_u32..3, 0_i64..3_599, sizes(), 0_i64..50), 1..400)) {
        let mut store = store(3);
        let mut early = self::store(3);
        for (at, (signal, s, bytes, word)) in rows.iter().enumerate() {
            let value = if *signal == 0 { Value::Float(*word as f64) } else { text(*word, *bytes) };
            let t = secs(*s);
            let sample = Sample { received_time: t + Span::from_micros(at as i64), ..Sample::new(t, value) };
            store.append(SignalIndex(*signal), &sample);
            if at % 2 == 0 {
                early.append(SignalIndex(*signal), &sample);
            }
        }
        let (parts, before) = (store.seal(secs(3_600)), early.seal(secs(3_600)));
        let mut again = self::store(3);
        for one in &parts {
            prop_assert!(one.chunk.bytes.len() <= WRITTEN_BYTES);
            prop_assert_eq!(chunk::digest(&one.chunk.bytes), Ok(one.digest));
            again.import_chunk(&one.chunk.bytes).unwrap();
        }
        same(&store, &again, 3);
        // Joined with an earlier state of the same slab: nothing else.
        let key = ChunkKey { start: secs(0), end: secs(3_600), ..parts[0].chunk.key };
        let pieces: Vec<&[u8]> = before.iter().chain(&parts).map(|one| one.chunk.bytes.as_slice()).collect();
        let mut joined = self::store(3);
        for proof in chunk::join(key, &pieces).unwrap() {
            prop_assert!(proof.chunk.bytes.len() <= WRITTEN_BYTES);
            prop_assert_eq!(chunk::digest(&proof.chunk.bytes), Ok(proof.digest));
            joined.import_chunk(&proof.chunk.bytes).unwrap();
        }
        same(&store, &joined, 3);
    }
}
