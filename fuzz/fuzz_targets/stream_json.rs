//! The JSON form of the stream, both directions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twin_protocol::{Limits, json};

fuzz_target!(|text: &str| {
    if let Ok(frame) = json::decode_server(text, &Limits::SERVER_FRAMES) {
        let again = json::decode_server(&json::encode_server(&frame), &Limits::SERVER_FRAMES);
        // Entries come back in the order of their ids; a second trip changes nothing more.
        let Ok(again) = again else { panic!("what was read can be written") };
        assert_eq!(json::encode_server(&again), json::encode_server(&frame));
    }
    if let Ok(frame) = json::decode_client(text, &Limits::CLIENT_FRAMES) {
        assert_eq!(json::encode_client(&frame), json::encode_client(&frame.clone()));
    }
});
