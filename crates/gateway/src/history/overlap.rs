//! The samples of one series of a data folder, each once, with what tells whether two of one instant are the same. Knows chunks and
//! journal; changes nothing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use twin_historian::historian::{Historian as _, KeepError, Position};
use twin_historian::{ChunkKey, Level, SignalSpec, Store, StoreConfig, chunk};
use twin_model::{Sample, SignalIndex, SignalKind, Timestamp, ValueKind};
use twin_protocol::{Limits, ServerFrame, decode_server};

use super::begins;
use super::database::of_page;
use super::sqlite::SqliteHistorian;
use crate::stores::ALWAYS;

/// What a reader gets of one instant.
#[derive(Debug, Clone, Copy)]
struct One {
    received: Timestamp,
    kind: ValueKind,
    /// Of value, quality and flags: two samples with the same tag say the same.
    tag: u64,
}

impl One {
    fn of(sample: &Sample) -> Self {
        let said = format!("{:?} {:?} {:?}", sample.value, sample.quality, sample.flags);
        // Debug has one form for all NaN.
        let bits = if let twin_model::Value::Float(value) = sample.value { value.to_bits() } else { 0 };
        let tag = crate::pack::fnv64(said.as_bytes()) ^ bits.rotate_left(17);
        Self { received: sample.received_time, kind: sample.value.kind(), tag }
    }
}

/// The samples of one series by source time.
#[derive(Debug, Default)]
pub(super) struct Instants(BTreeMap<Timestamp, One>);

impl Instants {
    /// Reads what chunks and journal have under a number: at each time of the finest level that is left. Pieces that are damaged
    /// are left out.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub(super) fn read(keeper: &SqliteHistorian, number: u32) -> Result<Self, KeepError> {
        let mut all = Self::default();
        let mut from = Timestamp::MAX;
        for level in Level::TIERS {
            // From here on a finer level has everything.
            let until = std::mem::replace(&mut from, begins(keeper, level)?);
            for page in keeper.pages(level, ALWAYS)?.iter().filter(|page| page.start < until) {
                for kept in of_page(keeper, level, page.start)? {
                    let meets = number.checked_sub(kept.key.first_signal).is_some_and(|at| at < kept.key.signals);
                    if let Some(bytes) = if meets { keeper.chunk(&kept.key).ok().flatten() } else { None } {
                        all.chunk(&bytes, number, until);
                    }
                }
            }
            if from == Timestamp::MIN {
                break;
            }
        }
        let mut each = |entry: twin_historian::historian::Entry| {
            if chunk::is_chunk(&entry.bytes) {
                all.chunk(&entry.bytes, number, Timestamp::MAX);
            } else if let Ok(ServerFrame::Batch(batch)) = decode_server(&entry.bytes, &Limits::KEPT_FRAMES) {
                batch.entries.iter().filter(|one| one.id.0 == number).for_each(|one| all.add(&one.sample));
            }
            true
        };
        keeper.journal(Position(0), &mut each, &mut |_, _| {})?;
        Ok(all)
    }

    fn chunk(&mut self, bytes: &[u8], number: u32, until: Timestamp) {
        let Ok(key) = chunk::peek_key(bytes) else { return };
        let key = ChunkKey { first_signal: 0, signals: 1, ..key };
        let Ok(own) = chunk::gather(key, &[bytes], &|signal| (signal == number).then_some(0)) else { return };
        let mut store = Store::new([SignalSpec::new(SignalKind::Analog, ValueKind::Float)], StoreConfig::default());
        if own.samples == 0 || store.import_chunk(&own.bytes).is_err() {
            return;
        }
        store.for_each_sample(SignalIndex(0), ALWAYS, &mut |sample| {
            if sample.source_time < until {
                self.add(sample);
            }
            ControlFlow::Continue(())
        });
    }

    /// Of two of one instant the later received stays, of equals the one that comes later: as readers do.
    fn add(&mut self, sample: &Sample) {
        let new = One::of(sample);
        let kept = self.0.entry(sample.source_time).or_insert(new);
        if new.received >= kept.received {
            *kept = new;
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Kinds of the values, each once.
    pub(super) fn kinds(&self) -> Vec<ValueKind> {
        let all = [ValueKind::Float, ValueKind::Int, ValueKind::Bool, ValueKind::Text];
        all.into_iter().filter(|kind| self.0.values().any(|one| one.kind == *kind)).collect()
    }

    /// First and last source time.
    pub(super) fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        Some((*self.0.first_key_value()?.0, *self.0.last_key_value()?.0))
    }

    /// Instants that both have and of which they do not say the same.
    pub(super) fn contradictions(&self, other: &Self) -> u64 {
        let differs = |(t, one): (&Timestamp, &One)| other.0.get(t).is_some_and(|there| there.tag != one.tag);
        self.0.iter().filter(|one| differs(*one)).count() as u64
    }
}
