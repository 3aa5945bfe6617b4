//! The state of all signals at one instant, as columns, and the memory that makes small steps in time cheap.

use std::sync::Arc;

use twin_model::{Flags, Quality, Sample, SignalIndex, Timestamp, Value};

use crate::row::{BOOL, FLOAT, INT, Row, TEXT, kind_code, number_of};
use crate::series::Place;

/// A sample read out of a [`Snapshot`]; text is shared, not copied.
pub type SampleRef = Sample;

/// For each signal its newest sample at or before [`Self::t`]. Filled by [`Store::snapshot_at`](crate::Store::snapshot_at);
/// reusing one avoids allocation.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The instant that it shows.
    pub t: Timestamp,
    pub(crate) source: Vec<i64>,
    pub(crate) received: Vec<i64>,
    pub(crate) bits: Vec<u64>,
    pub(crate) quality: Vec<u16>,
    pub(crate) flags: Vec<u8>,
    pub(crate) kind: Vec<u8>,
    pub(crate) texts: Vec<Arc<str>>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Snapshot {
    /// One without any signal, before all time.
    pub const fn new() -> Self {
        Self {
            t: Timestamp::MIN,
            source: Vec::new(),
            received: Vec::new(),
            bits: Vec::new(),
            quality: Vec::new(),
            flags: Vec::new(),
            kind: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Number of signals, with or without a sample.
    pub fn len(&self) -> usize {
        self.kind.len()
    }

    /// Whether it holds no signal at all.
    pub fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }

    /// The sample that holds at [`Self::t`]; none where the signal had not been seen by then.
    pub fn get(&self, signal: SignalIndex) -> Option<SampleRef> {
        let at = signal.at();
        let bits = *self.bits.get(at)?;
        let value = match *self.kind.get(at)? {
            FLOAT => Value::Float(f64::from_bits(bits)),
            INT => Value::Int(bits as i64),
            BOOL => Value::Bool(bits != 0),
            TEXT => Value::Text(self.texts.get(usize::try_from(bits).ok()?)?.clone()),
            _ => return None,
        };
        Some(Sample {
            source_time: Timestamp::from_micros(*self.source.get(at)?),
            received_time: Timestamp::from_micros(*self.received.get(at)?),
            value,
            quality: Quality::from_bits(*self.quality.get(at)?),
            flags: Flags(*self.flags.get(at)?),
        })
    }

    /// Source time of the sample that holds.
    pub fn source_time(&self, signal: SignalIndex) -> Option<Timestamp> {
        (*self.kind.get(signal.at())? != 0).then(|| Timestamp::from_micros(self.source[signal.at()]))
    }

    /// How far the sample that holds can be used ([`Sample::judged_quality`]).
    pub fn quality(&self, signal: SignalIndex) -> Option<Quality> {
        let at = signal.at();
        let quality = Quality::from_bits(*self.quality.get(at)?);
        let kind = *self.kind.get(at)?;
        let null = Flags(*self.flags.get(at)?).has(Flags::NULL);
        let nan = kind == FLOAT && f64::from_bits(*self.bits.get(at)?).is_nan();
        (kind != 0).then(|| if null || nan { quality.at_best_bad() } else { quality })
    }

    /// The value that holds as a finite number; none for text, null, NaN and infinities.
    pub fn number(&self, signal: SignalIndex) -> Option<f64> {
        let at = signal.at();
        let kind = *self.kind.get(at)?;
        if kind == TEXT { None } else { number_of(kind, *self.bits.get(at)?, *self.flags.get(at)?) }
    }

    /// All samples in signal order.
    pub fn iter(&self) -> impl Iterator<Item = (SignalIndex, Option<SampleRef>)> + '_ {
        (0..self.len()).map(SignalIndex::from_at).map(|signal| (signal, self.get(signal)))
    }

    /// Puts what holds of a signal that no store has samples of, because it follows from others; nothing where it has no value yet.
    /// A signal that the snapshot does not know is passed over.
    pub fn set(&mut self, signal: SignalIndex, sample: Option<&Sample>) {
        if signal.at() >= self.len() {
            return;
        }
        let row = sample.map(|sample| Row {
            t: sample.source_time.as_micros(),
            r: sample.received_time.as_micros(),
            bits: match &sample.value {
                Value::Float(value) => value.to_bits(),
                Value::Int(value) => *value as u64,
                Value::Bool(value) => u64::from(*value),
                Value::Text(_) => 0,
            },
            q: sample.quality.bits(),
            f: sample.flags.0,
            k: kind_code(sample.value.kind()),
        });
        self.put(signal.at(), row, |_| match sample.map(|sample| &sample.value) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        });
    }

    pub(crate) fn resize(&mut self, signals: usize) {
        self.source.resize(signals, 0);
        self.received.resize(signals, 0);
        self.bits.resize(signals, 0);
        self.quality.resize(signals, 0);
        self.flags.resize(signals, 0);
        self.kind.resize(signals, 0);
        self.texts.clear();
    }

    /// Writes the row of one signal; `word` gives the text of a text row.
    pub(crate) fn put(&mut self, at: usize, row: Option<Row>, word: impl FnOnce(u64) -> Option<Arc<str>>) {
        let Some(mut row) = row else {
            self.kind[at] = 0;
            return;
        };
        if row.k == TEXT {
            let Some(word) = word(row.bits) else {
                self.kind[at] = 0;
                return;
            };
            row.bits = self.texts.len() as u64;
            self.texts.push(word);
        }
        self.source[at] = row.t;
        self.received[at] = row.r;
        self.bits[at] = row.bits;
        self.quality[at] = row.q;
        self.flags[at] = row.f;
        self.kind[at] = row.k;
    }
}

/// Where the last snapshot of one reader was taken. Any cursor gives the right answer with any store: one that does not
/// fit is rebuilt. Keep one per playhead.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    pub(crate) store: u64,
    /// By batch of signals, as in the store when `places` were found.
    pub(crate) revisions: Vec<u64>,
    pub(crate) places: Vec<Place>,
}

impl Cursor {
    /// One that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}
