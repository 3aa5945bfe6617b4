//! The time store: every sample of every signal, readable at any instant.
//!
//! Holds samples in memory, compressed, with the reads that a viewer needs: the state of all signals at an instant
//! ([`Store::snapshot_at`]), one signal over a range ([`Store::envelope`], [`Store::for_each_sample`]), the neighbours of
//! an instant, counts for the time bar ([`Store::density`]), and immutable pieces for disk and wire
//! ([`Store::seal`], [`Store::export_chunks`], [`Store::import_chunk`]; the bytes are described in `docs/HISTORIAN.md`).
//! Refuses to know clocks, files, sockets, health rules and pixels. Start reading at [`Store`].
//!
//! Invariants:
//! * Order is by source time only. The received time is kept and never decides order, except between two samples of one
//!   source time, where the later received wins.
//! * The answer for an instant depends on nothing with a later source time.
//! * Nothing is altered by storing: values keep their bits (NaN payloads and `-0.0` included), quality, flags and both
//!   clocks. What the byte budget took away is reported as thinned, never silently missing.
//! * Bytes from outside never panic and never allocate more than the limits in [`chunk`] allow.

mod arena;
pub mod bench;
mod bits;
mod block;
pub mod chunk;
mod counters;
mod decimal;
mod density;
mod envelope;
mod error;
pub mod historian;
pub mod pager;
mod row;
mod series;
mod snapshot;
mod spec;
mod store;

pub use chunk::{Chunk, ChunkKey, Level};
pub use counters::{BytesReport, Counters};
pub use envelope::{Envelope, EnvelopeBucket, EnvelopeMaker, Point};
pub use error::HistorianError;
pub use historian::{Historian, MemoryHistorian};
pub use snapshot::{Cursor, SampleRef, Snapshot};
pub use spec::{Appended, Direction, SignalSpec, StoreConfig};
pub use store::{Imported, Known, Quarantined, Run, Sealed, Store, ValueAt};
