//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

use twin_historian::chunk::{self, Coarse, Level, coarsen};
use twin_historian::{ChunkKey, HistorianError};
use twin_model::Span;

use crate::kit::{ALWAYS, S0, analog, at, secs};

#[path = "../../../../fuzz/checks/chunk.rs"]
mod checks;
#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;

#[test]
fn every_kept_chunk_passes_its_check() {
    kept::check_all("chunk", checks::behind_a_good_checksum);
}

#[test]
fn every_kept_chunk_passes_its_check_with_its_checksum_as_it_is() {
    kept::check_all("chunk_raw", checks::as_it_is);
}

/// Found by fuzzing: the samples lie before such a chunk's time, so a stretch made of it could not be read again.
#[test]
fn what_is_carried_in_is_no_stretch_to_coarsen_or_to_merge_into() {
    let mut store = analog(1);
    store.append(S0, &at(10, 10, 1.0));
    let carried = store.carried(0, secs(20), 1).unwrap();
    let how = Coarse { level: Level::FiveMinutes, raw_slab: Span::from_secs(3_600), gap_after: &|_| None };
    assert!(matches!(coarsen(&carried.bytes, None, &how), Err(HistorianError::Unlike(_))));
    let raw = &store.export_chunks(ALWAYS)[0];
    let wide = ChunkKey { end: secs(7_200), ..raw.key };
    assert!(matches!(chunk::merge(wide, &raw.bytes, &carried.bytes), Err(HistorianError::Unlike(_))));
    assert!(chunk::merge(carried.key, &carried.bytes, &carried.bytes).is_ok(), "two of its kind merge");
}
