//! Samples that memory had no room for until their slab was sealed, out of the journal: what is acknowledged is in a chunk
//! before the journal lets go of it, however little memory there is. Reads the journal once for some lanes.

use twin_historian::historian::{Historian, KeepError, Position};
use twin_historian::{ChunkKey, SignalSpec, Store, StoreConfig, chunk};
use twin_model::{SignalIndex, TimeRange};
use twin_protocol::{Limits, ServerFrame, decode_server};

use crate::stores::ALWAYS;

/// Everything that the journal has of these chunks' signals and times. `specs` are by number.
///
/// # Errors
/// Where the journal cannot be read. Entries that are damaged are passed over: they are reported at starts and by `fsck`.
pub(super) fn from_journal(reader: &dyn Historian, wanted: &[ChunkKey], specs: &[SignalSpec]) -> Result<Store, KeepError> {
    let config = StoreConfig { budget_bytes: usize::MAX / 2, quarantine_kept: 0, ..StoreConfig::default() }.believing();
    let mut store = Store::new(specs.iter().copied(), config);
    let range = chunk::hull(wanted.iter().copied()).unwrap_or(TimeRange::new(ALWAYS.end, ALWAYS.start));
    let is_wanted =
        |signal: u32, t| wanted.iter().any(|key| signal.wrapping_sub(key.first_signal) < key.signals && key.range().contains(t));
    let mut each = |entry: twin_historian::historian::Entry| {
        if entry.times.end < range.start || entry.times.start >= range.end {
            return true;
        }
        if chunk::is_chunk(&entry.bytes) {
            for key in wanted {
                let of_key = chunk::gather(*key, &[&entry.bytes], &|signal| Some(signal));
                if let Ok(piece) = of_key.and_then(|piece| store.import_chunk(&piece.bytes)) {
                    tracing::debug!(samples = piece.samples, "from a journal entry that is a chunk");
                }
            }
        } else if let Ok(ServerFrame::Batch(batch)) = decode_server(&entry.bytes, &Limits::KEPT_FRAMES) {
            for one in &batch.entries {
                if is_wanted(one.id.0, one.sample.source_time) {
                    store.append(SignalIndex(one.id.0), &one.sample);
                }
            }
        }
        true
    };
    reader.journal(Position(0), &mut each, &mut |_, _| {})?;
    Ok(store)
}
