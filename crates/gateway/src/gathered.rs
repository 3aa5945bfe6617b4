//! Samples that were read and wait for others, so that they can be handed on in order of time.

use twin_model::{Sample, SignalIndex, Value};

/// Bytes of texts that wait at most.
pub(crate) const TEXT_BYTES: usize = 32 << 20;

/// Samples of any signals. Whoever adds some asks [`Self::is_full`] then, and hands them on where it says so.
///
/// Rows of a table may come in no order. Where each sample came alone, a block of its signal would be unpacked and packed again for it; of
/// many in order most blocks get several at once.
pub(crate) struct Gathered {
    /// What waits, in the order in which it came; whoever takes it leaves none.
    pub(crate) samples: Vec<(SignalIndex, Sample)>,
    most: usize,
    /// Samples whose texts are counted.
    counted: usize,
    text_bytes: usize,
}

impl Gathered {
    /// None yet; full with `most`, of some 64 bytes each, or with [`TEXT_BYTES`] of texts, whatever comes first.
    pub(crate) const fn new(most: usize) -> Self {
        Self { samples: Vec::new(), most, counted: 0, text_bytes: 0 }
    }

    /// Whether they should be handed on now. Between two questions no more than the samples of a row should be added.
    pub(crate) fn is_full(&mut self) -> bool {
        let texts = |(_, sample): &(SignalIndex, Sample)| if let Value::Text(text) = &sample.value { text.len() } else { 0 };
        self.text_bytes += self.samples.get(self.counted..).unwrap_or_default().iter().map(texts).sum::<usize>();
        self.counted = self.samples.len();
        self.counted >= self.most || self.text_bytes >= TEXT_BYTES
    }

    /// Puts each signal's in order of time. Of one signal and instant the last that came stays the last.
    pub(crate) fn sort(&mut self) {
        self.samples.sort_by_key(|(signal, sample)| (*signal, sample.source_time));
    }

    /// Forgets what was handed on.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        (self.counted, self.text_bytes) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use twin_model::Timestamp;

    use super::*;

    fn of(t: i64, value: Value) -> (SignalIndex, Sample) {
        (SignalIndex(0), Sample::new(Timestamp::from_secs(t), value))
    }

    #[test]
    fn it_is_full_with_many_samples_or_with_long_texts() {
        let mut few = Gathered::new(3);
        few.samples.extend([of(1, Value::Float(1.0)), of(0, Value::Float(1.0))]);
        assert!(!few.is_full());
        few.samples.push(of(0, Value::Float(2.0)));
        assert!(few.is_full());
        few.sort();
        let order: Vec<_> =
            few.samples.iter().map(|(_, sample)| (sample.source_time.as_micros(), sample.value.clone())).collect();
        assert_eq!(order, [(0, Value::Float(1.0)), (0, Value::Float(2.0)), (1_000_000, Value::Float(1.0))]);
        few.clear();
        assert!(!few.is_full());

        let mut long = Gathered::new(1_000);
        for t in 0..31 {
            long.samples.push(of(t, Value::Text("x".repeat(1 << 20).into())));
            assert!(!long.is_full(), "{t}");
        }
        long.samples.push(of(31, Value::Text("x".repeat(1 << 20).into())));
        assert!(long.is_full());
        long.clear();
        assert!(!long.is_full());
    }
}
