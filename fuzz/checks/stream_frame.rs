//! What must hold of any bytes as a binary frame. Used by the fuzzer, and by the tests over the kept corpus.

use twin_protocol::{Limits, ServerFrame, decode_client, decode_server, encode_client, encode_server};

/// An error, or a frame within the limits that is the same after another trip, in bytes that no longer change.
pub(crate) fn check(bytes: &[u8]) {
    let limits = Limits::SERVER_FRAMES;
    if let Ok(frame) = decode_server(bytes, &limits) {
        let samples = match &frame {
            ServerFrame::Batch(batch) => batch.entries.len(),
            ServerFrame::Snapshot(snapshot) => snapshot.entries.len(),
            _ => 0,
        };
        assert!(samples <= limits.samples, "{samples} samples in one frame");
        let written = encode_server(&frame);
        let again = decode_server(&written, &limits);
        assert_eq!(again.as_ref(), Ok(&frame), "what was read can be written");
        assert_eq!(encode_server(&frame), written);
    }
    if let Ok(frame) = decode_client(bytes, &Limits::CLIENT_FRAMES) {
        assert_eq!(decode_client(&encode_client(&frame), &Limits::CLIENT_FRAMES), Ok(frame), "what was read can be written");
    }
}
