//! Sealing in runs: every sample leaves once, in as few chunks as there is reason for.

use std::collections::BTreeMap;

use twin_historian::{Level, SignalSpec, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, SignalKind, Span, TimeRange, Timestamp, Value, ValueKind};

const HOUR: i64 = 3_600;

fn store(signals: usize) -> Store {
    let spec = SignalSpec { kind: SignalKind::Analog, value_kind: ValueKind::Float, gap_after: None };
    Store::new(std::iter::repeat_n(spec, signals), StoreConfig { budget_bytes: 1 << 30, ..StoreConfig::default() })
}

fn put(store: &mut Store, signal: u32, s: i64) {
    store.append(SignalIndex(signal), &Sample::new(Timestamp::from_secs(s), Value::Float(s as f64)));
}

/// Chunks of all runs of the first lane, and the samples in them by signal and second.
fn runs(store: &mut Store, upto: i64) -> (usize, BTreeMap<(u32, i64), f64>) {
    let (mut from, mut chunks, mut all) = (Timestamp::MIN, 0, BTreeMap::new());
    while let Some(run) = store.seal_run(0, from, Timestamp::from_secs(upto)) {
        assert!(run.next > from);
        from = run.next;
        for sealed in run.sealed {
            chunks += 1;
            assert_eq!(sealed.chunk.key.level, Level::Raw);
            let mut back = self::store(store.signals());
            back.import_chunk(&sealed.chunk.bytes).unwrap();
            for signal in 0..store.signals() as u32 {
                back.for_each_sample(SignalIndex(signal), TimeRange::new(Timestamp::MIN, Timestamp::MAX), &mut |sample| {
                    assert!(sealed.chunk.key.range().contains(sample.source_time));
                    let place = (signal, sample.source_time.as_micros() / 1_000_000);
                    assert_eq!(all.insert(place, sample.value.as_f64().unwrap()), None, "a sample leaves once");
                    std::ops::ControlFlow::Continue(())
                });
            }
        }
    }
    (chunks, all)
}

#[test]
fn sparse_slabs_leave_together_and_dense_ones_alone() {
    let mut store = store(3);
    for hour in 0..20_000 {
        put(&mut store, (hour % 3) as u32, hour * HOUR * 7 + 5);
    }
    let (chunks, all) = runs(&mut store, i64::MAX / 1_000_000);
    assert_eq!((chunks, all.len()), (1, 20_000), "twenty thousand hours with one sample each");
    for s in 0..2 * HOUR {
        for signal in 0..3 {
            put(&mut store, signal, -100_000 * HOUR + s);
        }
    }
    let (chunks, all) = runs(&mut store, i64::MAX / 1_000_000);
    assert_eq!((chunks, all.len()), (1, 6 * HOUR as usize));
    assert_eq!(runs(&mut store, i64::MAX / 1_000_000), (0, BTreeMap::new()), "nothing is new");
}

#[test]
fn a_late_sample_leaves_with_its_slab_and_not_with_what_is_kept_beside_it() {
    let mut store = store(1);
    (0..100).for_each(|hour| put(&mut store, 0, hour * HOUR));
    assert_eq!(runs(&mut store, 1_000 * HOUR).0, 1);
    for hour in [10, 11, 50] {
        put(&mut store, 0, hour * HOUR + 1);
    }
    let (chunks, all) = runs(&mut store, 1_000 * HOUR);
    assert_eq!(chunks, 2, "two neighbours and one");
    assert_eq!(all.keys().map(|(_, s)| s / HOUR).collect::<Vec<_>>(), [10, 10, 11, 11, 50, 50]);
}

#[test]
fn a_long_chunk_that_was_read_counts_as_sealed_slab_by_slab() {
    let mut first = store(2);
    (0..500).for_each(|hour| put(&mut first, (hour % 2) as u32, hour * HOUR * 3));
    let run = first.seal_run(0, Timestamp::MIN, Timestamp::from_secs(10_000 * HOUR)).unwrap();
    let mut second = store(2);
    for sealed in &run.sealed {
        second.import_chunk(&sealed.chunk.bytes).unwrap();
    }
    assert_eq!(runs(&mut second, 10_000 * HOUR).0, 0, "all of it is kept");
    put(&mut second, 0, 30 * HOUR + 9);
    put(&mut second, 0, 31 * HOUR + 9);
    let (chunks, all) = runs(&mut second, 10_000 * HOUR);
    assert_eq!((chunks, all.len()), (1, 3), "a slab that was kept, with what is kept of it, and one that was empty");
}

#[test]
fn the_ends_of_time_end() {
    let mut store = store(1);
    for t in [i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX] {
        let sample = Sample { received_time: Timestamp::MAX, ..Sample::new(Timestamp::from_micros(t), Value::Float(1.0)) };
        store.append(SignalIndex(0), &sample);
    }
    let mut from = Timestamp::MIN;
    let mut steps = 0;
    while let Some(run) = store.seal_run(0, from, Timestamp::MAX) {
        from = run.next;
        steps += 1;
        assert!(steps < 10);
    }
    assert_eq!(store.first_from(Timestamp::MIN), Some(Timestamp::MIN));
    assert_eq!(store.first_from(Timestamp::from_micros(1)), Some(Timestamp::from_micros(i64::MAX - 1)));
    assert_eq!(store.first_from(Timestamp::MAX), Some(Timestamp::MAX));
    assert!(store.export_chunks(TimeRange::new(Timestamp::MIN, Timestamp::MAX)).len() < 10);
    let counts = store.density(TimeRange::new(Timestamp::MIN, Timestamp::MAX), 7);
    assert_eq!(counts.iter().sum::<u32>(), 4, "all before the end");
    assert!(store.evict_lane(0, Timestamp::MAX - Span::from_secs(1)) <= 5);
}
