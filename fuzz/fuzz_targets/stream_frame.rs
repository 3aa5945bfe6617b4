//! Binary frames of the stream, both directions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twin_protocol::{Limits, decode_client, decode_server, encode_client, encode_server};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = decode_server(bytes, &Limits::SERVER_FRAMES) {
        let again = decode_server(&encode_server(&frame), &Limits::SERVER_FRAMES);
        assert_eq!(again.as_ref(), Ok(&frame));
    }
    if let Ok(frame) = decode_client(bytes, &Limits::CLIENT_FRAMES) {
        assert_eq!(decode_client(&encode_client(&frame), &Limits::CLIENT_FRAMES), Ok(frame));
    }
});
