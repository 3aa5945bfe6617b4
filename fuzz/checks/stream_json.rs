//! What must hold of any text as a frame in JSON. Used by the fuzzer, and by the tests over the kept corpus.

use twin_protocol::{Limits, decode_server as decode_server_bytes, encode_server as encode_server_bytes, json};

/// An error, or a frame whose text comes back the same from another trip through either form.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let limits = Limits::SERVER_FRAMES;
    if let Ok(frame) = json::decode_server(text, &limits) {
        let written = json::encode_server(&frame);
        let Ok(again) = json::decode_server(&written, &limits) else { panic!("what was read can be written: {written}") };
        // Entries come back in the order of their ids; a second trip changes nothing more.
        assert_eq!(json::encode_server(&again), written);
        let Ok(binary) = decode_server_bytes(&encode_server_bytes(&frame), &limits) else {
            panic!("what has a text has bytes: {written}")
        };
        assert_eq!(json::encode_server(&binary), written);
    }
    if let Ok(frame) = json::decode_client(text, &Limits::CLIENT_FRAMES) {
        let written = json::encode_client(&frame);
        assert_eq!(json::decode_client(&written, &Limits::SERVER_FRAMES), Ok(frame), "what was read can be written");
    }
}
