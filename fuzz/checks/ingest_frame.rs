//! What must hold of any bytes as a frame of a sender. Used by the fuzzer, and by the tests over the kept corpus.

use twin_protocol::{IngestFrame, Limits, decode_client, decode_ingest, encode_ingest, is_frame};

/// An error, or a frame within the limits that is the same after another trip, in bytes that no longer change, and that no viewer's
/// connection would take.
pub(crate) fn check(bytes: &[u8]) {
    let limits = Limits::INGEST_FRAMES;
    let Ok(frame) = decode_ingest(bytes, &limits) else { return };
    match &frame {
        IngestFrame::Dictionary(signals) => assert!(signals.len() <= limits.entries, "{} signals", signals.len()),
        IngestFrame::Push(batch) => assert!(batch.entries.len() <= limits.samples, "{} samples", batch.entries.len()),
    }
    assert!(is_frame(bytes), "what is a frame is not taken for lines");
    assert!(decode_client(bytes, &Limits::CLIENT_FRAMES).is_err(), "a sender is not taken for a viewer");
    let written = encode_ingest(&frame);
    assert_eq!(decode_ingest(&written, &limits).as_ref(), Ok(&frame), "what was read can be written");
    assert_eq!(encode_ingest(&frame), written);
}
