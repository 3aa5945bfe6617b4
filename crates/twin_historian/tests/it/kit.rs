//! Short ways to write samples and to read a store back.

use std::ops::ControlFlow;

use twin_historian::{Cursor, SignalSpec, Snapshot, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, SignalKind, Span, TimeRange, Timestamp, Value, ValueKind};

pub(crate) const S0: SignalIndex = SignalIndex(0);
pub(crate) const S1: SignalIndex = SignalIndex(1);
pub(crate) const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

pub(crate) fn secs(s: i64) -> Timestamp {
    Timestamp::from_secs(s)
}

pub(crate) fn range(from: i64, to: i64) -> TimeRange {
    TimeRange::new(secs(from), secs(to))
}

/// A store of `n` analog float signals with gaps after three seconds.
pub(crate) fn analog(n: usize) -> Store {
    let spec = SignalSpec::new(SignalKind::Analog, ValueKind::Float).with_gap_after(Span::from_secs(3));
    Store::new(vec![spec; n], StoreConfig::default())
}

/// A reading taken at `t` seconds and received at `r` seconds.
pub(crate) fn at(t: i64, r: i64, v: f64) -> Sample {
    Sample { received_time: secs(r), ..Sample::new(secs(t), Value::Float(v)) }
}

pub(crate) fn all(store: &Store, signal: SignalIndex, range: TimeRange) -> Vec<Sample> {
    let mut out = Vec::new();
    store.for_each_sample(signal, range, &mut |s| {
        out.push(s.clone());
        ControlFlow::Continue(())
    });
    out
}

/// `(seconds, value)` of every sample.
pub(crate) fn pairs(store: &Store, signal: SignalIndex) -> Vec<(i64, f64)> {
    let samples = all(store, signal, ALWAYS);
    samples.iter().map(|s| (s.source_time.as_micros() / 1_000_000, s.value.as_f64().unwrap_or(f64::NAN))).collect()
}

pub(crate) fn snapshot(store: &Store, t: Timestamp) -> Snapshot {
    let mut out = Snapshot::new();
    store.snapshot_at(t, &mut Cursor::new(), &mut out);
    out
}
