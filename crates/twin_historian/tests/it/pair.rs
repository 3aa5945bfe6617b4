//! The store and the slow obvious twin side by side, and every public read compared.

use std::ops::ControlFlow;

use twin_historian::{Cursor, Direction, Snapshot, Store, StoreConfig};
use twin_model::{HoldPolicy, Sample, SignalIndex, Span, TimeRange, Timestamp};

use crate::bursts::{Burst, SIGNALS, arrivals, random};
use crate::kit::{ALWAYS, all};
use crate::slow::{Slow, specs};

/// Distance from which on the tests' signals have a gap.
pub(crate) const GAP: Span = Span::from_millis(4_000);
const MICROSECOND: Span = Span::from_micros(1);

pub(crate) fn signals() -> impl Iterator<Item = SignalIndex> {
    (0..SIGNALS).map(SignalIndex)
}

/// An empty store with small lanes and slabs, so that a few minutes fill several chunks.
pub(crate) fn empty() -> Store {
    let config = StoreConfig { slab: Span::from_secs(300), lane_signals: 2, ..StoreConfig::default() };
    Store::new(specs(GAP), config)
}

/// Both twins fed with the same samples.
pub(crate) struct Pair {
    pub(crate) store: Store,
    pub(crate) slow: Slow,
    /// Words of each signal in order of first appearance: their codes.
    pub(crate) words: Vec<Vec<String>>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self { store: empty(), slow: Slow::default(), words: vec![Vec::new(); SIGNALS as usize] }
    }

    pub(crate) fn fed(bursts: &[Burst]) -> Self {
        let mut pair = Self::new();
        for (signal, sample) in arrivals(bursts) {
            pair.append(signal, &sample);
        }
        pair
    }

    pub(crate) fn append(&mut self, signal: SignalIndex, sample: &Sample) {
        let outcome = self.store.append(signal, sample);
        assert_eq!(outcome, self.slow.append(signal, sample), "{signal:?} {sample:?}");
        let refused = outcome == twin_historian::Appended::Quarantined;
        if let Some(text) = sample.value.as_text().filter(|_| !refused)
            && !self.words[signal.at()].iter().any(|word| word == text)
        {
            self.words[signal.at()].push(text.to_owned());
        }
    }

    /// Takes another store in place of the first, whose words may have other codes.
    pub(crate) fn with_store(&mut self, store: Store) {
        for signal in signals() {
            let codes = (0..9).map_while(|code| store.word(signal, f64::from(code)).map(str::to_owned));
            self.words[signal.at()] = codes.collect();
        }
        self.store = store;
    }

    /// Instants at, just before, just after and between samples, and the ends of time.
    pub(crate) fn instants(&self, seed: u64, count: usize) -> Vec<Timestamp> {
        let times: Vec<Timestamp> = signals().flat_map(|s| self.slow.all(s).iter().map(|sample| sample.source_time)).collect();
        let mut seed = seed;
        let mut pick = || {
            let t = times.get(random(&mut seed) as usize % times.len().max(1)).copied().unwrap_or(Timestamp::from_secs(0));
            t + Span::from_micros([0, -1, 1, 499_999, -7_000_000][random(&mut seed) as usize % 5])
        };
        (0..count).map(|_| pick()).chain([Timestamp::MIN, Timestamp::MAX]).collect()
    }

    /// Ranges between those instants that are neither empty nor open.
    pub(crate) fn ranges(instants: &[Timestamp]) -> Vec<TimeRange> {
        let finite: Vec<Timestamp> = instants.iter().copied().filter(|t| *t != Timestamp::MIN && *t != Timestamp::MAX).collect();
        let ordered = finite.chunks_exact(2).map(|ends| TimeRange::new(ends[0].min(ends[1]), ends[0].max(ends[1])));
        ordered.filter(|range| !range.is_empty()).collect()
    }

    /// Everything that is held, and the totals of what came.
    pub(crate) fn check_samples(&self) {
        for signal in signals() {
            assert_eq!(all(&self.store, signal, ALWAYS), self.slow.all(signal));
            assert_eq!(self.store.extent_of(signal), self.slow.extent_of(signal));
            for (code, word) in self.words[signal.at()].iter().enumerate() {
                assert_eq!(self.store.word(signal, code as f64), Some(word.as_str()));
            }
        }
        assert_eq!(self.store.extent(), self.slow.extent());
        assert_eq!((self.store.thinned(), self.store.dropped_before()), (None, None));
    }

    /// What only a store that was fed sample by sample knows.
    pub(crate) fn check_arrival(&self) {
        assert_eq!(self.store.counters(), self.slow.counters);
        for signal in signals() {
            assert_eq!(self.store.live(signal), self.slow.live(signal), "live value of {signal:?}");
        }
    }

    pub(crate) fn check_instants(&self, instants: &[Timestamp], cursor: &mut Cursor) {
        let (mut dragged, mut jumped) = (Snapshot::new(), Snapshot::new());
        for t in instants {
            self.store.snapshot_at(*t, cursor, &mut dragged);
            self.store.snapshot_at(*t, &mut Cursor::new(), &mut jumped);
            assert_eq!((dragged.t, dragged.len()), (*t, SIGNALS as usize));
            for signal in signals() {
                let expected = self.slow.at(signal, *t);
                assert_eq!(self.store.latest_at(signal, *t), expected, "latest of {signal:?} at {t}");
                assert_eq!(dragged.get(signal), expected, "snapshot of {signal:?} at {t}, with a cursor");
                assert_eq!(jumped.get(signal), expected, "snapshot of {signal:?} at {t}, without");
                assert_eq!(dragged.source_time(signal), expected.as_ref().map(|sample| sample.source_time));
                let number = expected.as_ref().and_then(|sample| crate::slow::number(sample, &[]));
                assert_eq!(dragged.number(signal).map(f64::to_bits), number.map(f64::to_bits));
                for direction in [Direction::Forward, Direction::Backward] {
                    let next = self.store.next_sample_time(signal, *t, direction);
                    assert_eq!(next, self.slow.next(signal, *t, direction), "{direction:?} of {signal:?} from {t}");
                }
            }
            assert_eq!(dragged.iter().collect::<Vec<_>>(), jumped.iter().collect::<Vec<_>>());
            for direction in [Direction::Forward, Direction::Backward] {
                assert_eq!(self.store.next_time(*t, direction), self.slow.next_of_any(*t, direction));
            }
        }
    }

    pub(crate) fn check_ranges(&self, instants: &[Timestamp], points: usize, gap: Span) {
        for range in Self::ranges(instants) {
            assert_eq!(self.store.density(range, 7), self.slow.density(range, 7));
            assert_eq!(self.store.changed_in(range), self.slow.changed_in(range));
            for signal in signals() {
                // Between its samples, as known at the end of the range.
                for (t, policy) in
                    [(range.start, HoldPolicy::Linear), (range.end, HoldPolicy::Linear), (range.start, HoldPolicy::Hold)]
                {
                    let expected = self.slow.value_at(signal, t, range.end, policy == HoldPolicy::Linear, GAP);
                    assert_eq!(
                        self.store.value_at(signal, t, range.end, policy),
                        expected,
                        "{policy:?} value of {signal:?} at {t}"
                    );
                }
                let inside = self.slow.inside(signal, range);
                assert_eq!(all(&self.store, signal, range), inside);
                assert_eq!(self.first_few(signal, range, points), inside[..inside.len().min(points)]);
                assert_eq!(self.store.time_in_state(signal, range), self.slow.time_in_state(signal, range));
                assert_eq!(self.store.increase(signal, range), self.slow.increase(signal, range));
                self.check_envelope(signal, range, points, Some(GAP));
                self.check_envelope(signal, range, points, Some(gap));
                self.check_envelope(signal, range, points, None);
            }
        }
        // Open ends are the signal's own.
        for signal in signals() {
            if let Some(extent) = self.slow.extent_of(signal) {
                assert_eq!(self.store.envelope(signal, ALWAYS, points), self.store.envelope(signal, extent, points));
            }
        }
    }

    /// Every read by what had been received, at instants at, before and after those of receipt.
    pub(crate) fn check_known(&self, instants: &[Timestamp], points: usize, seed: u64) {
        let received: Vec<Timestamp> = signals().flat_map(|s| self.slow.all(s).iter().map(|one| one.received_time)).collect();
        let (mut seed, mut cursor, mut shot) = (seed, Cursor::new(), Snapshot::new());
        for t in instants {
            let known = match received.get(random(&mut seed) as usize % (received.len() + received.len() / 4 + 1)) {
                Some(received) => *received - Span::from_micros(i64::from(random(&mut seed) as u8 % 2)),
                None => *t,
            };
            let past = self.slow.known_by(known);
            self.store.known_snapshot_at(*t, known, &mut cursor, &mut shot);
            let range = TimeRange::new(instants[0].min(*t), instants[0].max(*t) + MICROSECOND);
            for signal in signals() {
                let expected = past.measured_at(signal, *t);
                assert_eq!(self.store.known_at(signal, *t, known), expected, "{signal:?} at {t}, known by {known}");
                assert_eq!(shot.get(signal), expected, "snapshot of {signal:?} at {t}, known by {known}");
                let late = self.slow.inside(signal, range).into_iter().find(|sample| sample.received_time > known);
                let late = late.map(|sample| sample.source_time);
                assert_eq!(self.store.first_unknown(signal, range, known), late, "{signal:?} in {range:?} by {known}");
                let mut inside = Vec::new();
                self.store.for_each_known(signal, range, known, &mut |sample| {
                    inside.push(sample.clone());
                    ControlFlow::Continue(())
                });
                assert_eq!(inside, past.inside(signal, range), "{signal:?} in {range:?} by {known}");
            }
        }
        for range in Self::ranges(instants) {
            let Some(known) = received.get(random(&mut seed) as usize % received.len().max(1)).copied() else { return };
            let past = self.slow.known_by(known);
            for signal in signals() {
                let envelope = self.store.envelope_known(signal, range, points, known);
                let words = &self.words[signal.at()];
                let (width, buckets, gaps) = past.envelope(signal, range, points, Some(GAP), words);
                assert_eq!((envelope.width, envelope.buckets, envelope.gaps), (width, buckets, gaps));
                assert_eq!(envelope.before, past.at(signal, range.start - MICROSECOND));
                assert_eq!(envelope.after.as_ref(), past.all(signal).iter().find(|each| each.source_time >= range.end));
            }
        }
    }

    fn check_envelope(&self, signal: SignalIndex, range: TimeRange, points: usize, gap: Option<Span>) {
        let envelope = match gap {
            Some(GAP) => self.store.envelope(signal, range, points),
            gap => self.store.envelope_with(signal, range, points, gap),
        };
        let (width, buckets, gaps) = self.slow.envelope(signal, range, points, gap, &self.words[signal.at()]);
        assert_eq!(envelope.buckets, buckets, "buckets of {signal:?} in {range:?}");
        assert_eq!(envelope.gaps, gaps, "gaps of {signal:?} in {range:?} beyond {gap:?}");
        assert_eq!((envelope.range, envelope.width), (range, width));
        assert!(envelope.buckets.len() <= points);
        assert_eq!(envelope.before, self.slow.at(signal, range.start - MICROSECOND));
        let after = self.slow.all(signal).iter().find(|sample| sample.source_time >= range.end);
        assert_eq!(envelope.after.as_ref(), after);
        assert_eq!(envelope.thinned, []);
    }

    /// What a reader sees that stops after `most` samples.
    fn first_few(&self, signal: SignalIndex, range: TimeRange, most: usize) -> Vec<Sample> {
        let mut out = Vec::new();
        self.store.for_each_sample(signal, range, &mut |sample| {
            out.push(sample.clone());
            if out.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        out
    }
}
