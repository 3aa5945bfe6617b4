//! What must hold of any bytes as a chunk of history. Used by the fuzzer, and by the tests over the kept corpus.

use std::ops::ControlFlow;

use twin_historian::chunk::{self, Chunk, Coarse, Level, coarsen};
use twin_historian::{Imported, SignalSpec, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, SignalKind, Span, TimeRange, Timestamp, ValueKind};

const SIGNALS: u32 = 8;
const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
/// A few bytes may stand for four million equal samples, which is allowed and slow. Here chunks stay small.
const SAMPLES: u32 = 2_000;

/// The bytes as they are: nearly always refused by the checksum.
#[allow(dead_code, reason = "each target uses one of the two")]
pub(crate) fn as_it_is(bytes: &[u8]) {
    let mut store = empty();
    match store.import_chunk(bytes) {
        Ok(_) => behind_a_good_checksum(bytes),
        Err(_) => assert_eq!(store.extent(), None, "a refused chunk leaves nothing behind"),
    }
}

/// Refused whole; or taken in whole, and given out again.
#[allow(dead_code, reason = "each target uses one of the two")]
pub(crate) fn behind_a_good_checksum(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    if let Some(count) = bytes.get_mut(40..44) {
        let samples = u32::from_le_bytes([count[0], count[1], count[2], count[3]]);
        count.copy_from_slice(&(samples % SAMPLES).to_le_bytes());
    }
    if bytes.len() >= 12 {
        let sum = crc32fast::hash(&bytes[12..]);
        bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    }
    let mut store = empty();
    let Ok(imported) = store.import_chunk(&bytes) else {
        assert_eq!(store.extent(), None, "a refused chunk leaves nothing behind");
        return;
    };
    let held = all(&store);
    assert_eq!(held.len() as u64, imported.samples, "what was counted is held");
    assert!(store.bytes().total() < 64 << 20, "{:?}", store.bytes());
    assert!(store.extent().is_none_or(|extent| extent == imported.range));
    let again = store.import_chunk(&bytes);
    assert_eq!(again.map(|imported| imported.samples), Ok(imported.samples));
    assert_eq!(all(&store), held, "taken in twice is taken in once");
    others(&bytes, &imported, &held);
    // The time of a chunk may span what an export would cut into millions of slabs.
    if imported.range.span().as_micros() < 1 << 40 {
        let mut back = empty();
        for chunk in store.export_chunks(ALWAYS) {
            let Ok(_) = back.import_chunk(&chunk.bytes) else { panic!("what is written can be read") };
        }
        assert_eq!(all(&back), held, "what is written is what is held");
    }
}

/// What else reads chunks agrees with the store.
fn others(bytes: &[u8], imported: &Imported, held: &[(SignalIndex, Sample)]) {
    let key = imported.key;
    assert_eq!(chunk::peek_key(bytes), Ok(key));
    assert_eq!(key.to_string().parse(), Ok(key), "a key is read as it is written");
    assert_eq!(chunk::inspect(bytes), Ok((key, imported.samples, imported.range)));
    let Ok(doubled) = chunk::merge(key, bytes, bytes) else { panic!("a chunk fits its own key") };
    assert_eq!(taken_in(&doubled), held, "merged with itself it is itself");
    let Ok(emptied) = chunk::without(key, bytes, ALWAYS) else { panic!("a chunk that was read is read again") };
    assert!(taken_in(&emptied).iter().all(|(_, sample)| sample.source_time == Timestamp::MAX));
    let how = Coarse { level: Level::FiveMinutes, raw_slab: Span::from_secs(3_600), gap_after: &|_| None };
    if let Ok(coarse) = coarsen(bytes, None, &how) {
        assert!(taken_in(&coarse).iter().all(|sample| held.contains(sample)), "no sample is made up");
    }
}

fn taken_in(chunk: &Chunk) -> Vec<(SignalIndex, Sample)> {
    let mut store = empty();
    let Ok(imported) = store.import_chunk(&chunk.bytes) else { panic!("what is written can be read") };
    assert_eq!((imported.key, imported.samples), (chunk.key, u64::from(chunk.samples)));
    all(&store)
}

fn empty() -> Store {
    Store::new(vec![SignalSpec::new(SignalKind::Analog, ValueKind::Float); SIGNALS as usize], StoreConfig::default())
}

fn all(store: &Store) -> Vec<(SignalIndex, Sample)> {
    let mut out = Vec::new();
    for signal in (0..SIGNALS).map(SignalIndex) {
        store.for_each_sample(signal, ALWAYS, &mut |sample| {
            out.push((signal, sample.clone()));
            ControlFlow::Continue(())
        });
    }
    // ALWAYS is half-open: the last instant of time is not in it.
    for signal in (0..SIGNALS).map(SignalIndex) {
        let last = store.latest_at(signal, Timestamp::MAX).filter(|sample| sample.source_time == Timestamp::MAX);
        out.extend(last.map(|sample| (signal, sample)));
    }
    out
}
