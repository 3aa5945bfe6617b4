//! Sealing, exporting and importing; hostile bytes; golden bytes.

use twin_historian::{HistorianError, SignalSpec, Store, StoreConfig};
use twin_model::{Flags, Quality, Sample, SignalIndex, SignalKind, Span, Value, ValueKind};

use crate::kit::{ALWAYS, S0, S1, all, analog, at, range, secs};

/// Four signals, one of each value kind, with odd samples among them.
fn mixed() -> Store {
    let kinds = [ValueKind::Float, ValueKind::Int, ValueKind::Bool, ValueKind::Text];
    let specs = kinds.map(|kind| SignalSpec::new(SignalKind::Discrete, kind));
    let mut store = Store::new(specs, StoreConfig::default());
    for t in 0..200_i64 {
        let values = [
            Value::Float(if t % 50 == 7 { f64::NAN } else { 20.0 + (t % 13) as f64 / 100.0 }),
            Value::Int(t * t - 500),
            Value::Bool(t % 40 < 20),
            Value::text(["RUN", "STOP", "FAULT"][(t / 30 % 3) as usize]),
        ];
        for (signal, value) in values.into_iter().enumerate() {
            let quality = if t % 60 == 59 { Quality::UNCERTAIN } else { Quality::GOOD };
            let flags = if t > 150 { Flags::SIMULATED } else { Flags::NONE };
            let sample = Sample { source_time: secs(t * 60), received_time: secs(t * 60 + t % 3), value, quality, flags };
            store.append(SignalIndex(signal as u32), &sample);
        }
    }
    store
}

fn empty_like(store: &Store) -> Store {
    Store::new(vec![SignalSpec::new(SignalKind::Discrete, ValueKind::Float); store.signals()], *store.config())
}

fn assert_same(a: &Store, b: &Store) {
    for signal in (0..a.signals()).map(SignalIndex::from_at) {
        assert_eq!(all(a, signal, ALWAYS), all(b, signal, ALWAYS));
    }
}

#[test]
fn export_and_import_give_back_every_sample() {
    let store = mixed();
    let chunks = store.export_chunks(ALWAYS);
    assert_eq!(chunks.len(), 4, "200 minutes are four slabs of an hour");
    let mut back = empty_like(&store);
    for chunk in chunks.iter().rev() {
        let imported = back.import_chunk(&chunk.bytes).unwrap();
        assert_eq!((imported.key, imported.samples), (chunk.key, u64::from(chunk.samples)));
    }
    assert_same(&store, &back);
    assert_eq!(back.counters().imported, 800);
    assert_eq!((back.counters().late, back.counters().quarantined), (0, 0));
}

#[test]
fn where_the_pieces_are_cut_changes_no_answer() {
    let store = mixed();
    for width in [1, 61, 600, 100_000] {
        let mut back = empty_like(&store);
        for start in (0..12_000).step_by(width as usize) {
            for chunk in store.export_chunks(range(start, start + width)) {
                back.import_chunk(&chunk.bytes).unwrap();
            }
        }
        assert_same(&store, &back);
    }
}

#[test]
fn importing_twice_changes_nothing() {
    let mut store = mixed();
    let before = store.export_chunks(ALWAYS);
    for chunk in &before {
        store.import_chunk(&chunk.bytes).unwrap();
    }
    assert_eq!(store.export_chunks(ALWAYS), before);
    assert_eq!(store.counters().imported, 0);
}

#[test]
fn seal_returns_whole_slabs_once_and_again_when_late_data_came() {
    let mut store = analog(2);
    for t in 0..7_300 {
        store.append(S0, &at(t, t, 1.0));
    }
    assert_eq!(store.seal(secs(7_199)).len(), 1);
    let second = store.seal(secs(7_200));
    assert_eq!(second.len(), 1);
    assert_eq!((second[0].chunk.key.range(), second[0].whole), (range(3_600, 7_200), true));
    assert_eq!(store.seal(secs(7_300)).len(), 0);
    store.append(S1, &at(100, 7_300, 1.0));
    let again = store.seal(secs(7_300));
    assert_eq!(again.len(), 1);
    let (chunk, whole) = (&again[0].chunk, again[0].whole);
    assert_eq!((chunk.key.range(), chunk.key.version, chunk.samples, whole), (range(0, 3_600), 2, 3_601, true));
}

#[test]
fn sealing_in_small_steps_gives_the_same_chunks() {
    let (mut at_once, mut in_steps) = (mixed(), mixed());
    let whole = at_once.seal(secs(12_000));
    let mut pieces = Vec::new();
    loop {
        let some = in_steps.seal_some(secs(12_000), 1);
        if some.is_empty() {
            break;
        }
        assert_eq!(some.len(), 1);
        pieces.extend(some);
    }
    assert_eq!(pieces, whole);
}

#[test]
fn an_imported_slab_counts_as_sealed_until_something_new_comes() {
    let mut first = analog(2);
    for t in 0..3_700 {
        first.append(S0, &at(t, t, 1.0));
    }
    let sealed = first.seal(secs(3_600));
    let mut second = analog(2);
    second.import_chunk(&sealed[0].chunk.bytes).unwrap();
    assert!(second.seal(secs(3_600)).is_empty());
    second.append(S1, &at(5, 4_000, 1.0));
    let again = second.seal(secs(3_600));
    assert_eq!((again.len(), again[0].chunk.key.version), (1, 2));
}

#[test]
fn damaged_bytes_are_refused_with_the_reason_and_leave_the_store_alone() {
    let store = mixed();
    let chunk = &store.export_chunks(ALWAYS)[0];
    let check = |bytes: &[u8], expected: fn(&HistorianError) -> bool| {
        let mut back = empty_like(&store);
        let error = back.import_chunk(bytes).unwrap_err();
        assert!(expected(&error), "{error}");
        assert_eq!(back.extent(), None);
    };
    check(b"", |e| matches!(e, HistorianError::Magic));
    check(b"ORR", |e| matches!(e, HistorianError::Magic));
    check(&chunk.bytes[..20], |e| matches!(e, HistorianError::Truncated(_)));
    check(&chunk.bytes[..chunk.bytes.len() - 1], |e| matches!(e, HistorianError::Checksum { .. }));
    let mut newer = chunk.bytes.clone();
    newer[4] = 2;
    check(&newer, |e| matches!(e, HistorianError::Version(2)));
    let mut flipped = chunk.bytes.clone();
    flipped[60] ^= 1;
    check(&flipped, |e| matches!(e, HistorianError::Checksum { .. }));
    let mut many = chunk.bytes.clone();
    many[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    check(&many, |e| matches!(e, HistorianError::Limit { what: "samples", .. }));
}

#[test]
fn a_chunk_for_more_signals_than_the_store_has_is_refused() {
    let chunk = &mixed().export_chunks(ALWAYS)[0];
    assert!(matches!(analog(3).import_chunk(&chunk.bytes), Err(HistorianError::UnknownSignal { signal: 3, count: 3 })));
}

/// Small deterministic generator for damage (xorshift64*).
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D)
}

#[test]
fn random_damage_behind_a_correct_checksum_never_panics() {
    let store = mixed();
    let chunks = store.export_chunks(ALWAYS);
    let mut seed = 42;
    let rounds = std::env::var("ORRERY_DAMAGE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(4_000);
    for round in 0..rounds {
        let mut bytes = chunks[round % chunks.len()].bytes.clone();
        for _ in 0..1 + random(&mut seed) % 4 {
            let at = 12 + random(&mut seed) as usize % (bytes.len() - 12);
            bytes[at] = if round % 2 == 0 { random(&mut seed) as u8 } else { bytes[at] ^ (1 << (random(&mut seed) % 8)) };
        }
        if round % 5 == 0 {
            bytes.truncate(12 + random(&mut seed) as usize % (bytes.len() - 12));
        }
        let crc = crc32fast::hash(&bytes[12..]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        let mut back = empty_like(&store);
        if let Ok(imported) = back.import_chunk(&bytes) {
            let held: usize = (0..4).map(|s| all(&back, SignalIndex(s), ALWAYS).len()).sum();
            assert_eq!(held as u64, imported.samples);
        }
    }
}

#[test]
fn the_bytes_of_a_small_chunk_are_as_documented() {
    let specs = [ValueKind::Float, ValueKind::Text].map(|kind| SignalSpec::new(SignalKind::Discrete, kind));
    let mut store = Store::new(specs, StoreConfig { slab: Span::from_secs(60), ..StoreConfig::default() });
    for (t, v, word) in [(60, 20.5, "RUN"), (61, 20.25, "RUN"), (62, 20.75, "STOP")] {
        let late = |value| Sample { received_time: secs(t) + Span::from_millis(5), ..Sample::new(secs(t), value) };
        store.append(S0, &late(Value::Float(v)));
        store.append(S1, &late(Value::text(word)));
    }
    let chunk = &store.export_chunks(ALWAYS)[0];
    let hex: String = chunk.bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        concat!(
            "4f525243",             // magic ORRC
            "01000000",             // format 1
            "6bc2bc76",             // CRC-32 of what follows
            "00000000",             // version 0: never sealed
            "0000000002000000",     // signals 0 and 1
            "0087930300000000",     // from 60 s
            "000e270700000000",     // to 120 s
            "0600000002000000",     // 6 samples in 2 sections
            "010301",               // next signal, 3 samples, float
            "010080897a",           // times: linear from 0, step 1 s
            "00904e",               // delays: constant 5 ms
            "0000",                 // quality and flags: constant 0
            "07020284203164",       // values: decimals with 2 places, varints
            "010304",               // next signal, 3 samples, text
            "05",                   // times as before
            "00904e",               // delays
            "0000",                 // quality
            "020352554e0453544f50", // two words: RUN, STOP
            "02000002",             // their numbers
        )
    );
    let mut back = empty_like(&store);
    back.import_chunk(&chunk.bytes).unwrap();
    assert_same(&store, &back);
}
