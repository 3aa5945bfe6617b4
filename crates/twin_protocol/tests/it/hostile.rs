//! Bytes from anywhere: an error, never a panic, never memory beyond the limits.

use proptest::prelude::*;
use twin_model::Timestamp;
use twin_protocol::*;

use crate::roundtrip::{batch, every_client_frame, every_ingest_frame, every_server_frame};

fn both(bytes: &[u8]) {
    drop(decode_server(bytes, &Limits::SERVER_FRAMES));
    drop(decode_client(bytes, &Limits::CLIENT_FRAMES));
    drop(decode_ingest(bytes, &Limits::INGEST_FRAMES));
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(json::decode_server(text, &Limits::SERVER_FRAMES));
        drop(json::decode_client(text, &Limits::CLIENT_FRAMES));
    }
}

#[test]
fn every_prefix_of_every_frame_is_an_error() {
    for frame in every_server_frame() {
        let bytes = encode_server(&frame);
        // An empty body is a whole frame of a kind to be skipped.
        for cut in 0..bytes.len() {
            assert!(decode_server(&bytes[..cut], &Limits::SERVER_FRAMES).is_err(), "{frame:?} cut at {cut}");
        }
    }
    for frame in every_client_frame() {
        let bytes = encode_client(&frame);
        for cut in 0..bytes.len() {
            assert!(decode_client(&bytes[..cut], &Limits::CLIENT_FRAMES).is_err(), "{frame:?} cut at {cut}");
        }
    }
    for frame in every_ingest_frame() {
        let bytes = encode_ingest(&frame);
        for cut in 0..bytes.len() {
            assert!(decode_ingest(&bytes[..cut], &Limits::INGEST_FRAMES).is_err(), "{frame:?} cut at {cut}");
        }
    }
}

#[test]
fn an_oversize_frame_is_refused_before_it_is_read() {
    let limits = Limits { frame_bytes: 100, ..Limits::SERVER_FRAMES };
    let error = decode_server(&[0; 101], &limits).unwrap_err();
    assert_eq!(error, ProtocolError::TooLarge { what: "frame", size: 101, limit: 100 });
    assert_eq!(error.close_code(), CloseCode::TooLarge);
    assert_eq!(error.to_string(), "frame of 101 is over the limit of 100");
}

#[test]
fn a_compression_bomb_is_refused_before_it_unpacks() {
    // Says that it unpacks to 4 GiB - 1, then that it unpacks to more than LZ4 ever could.
    let big = [0x4F, 1, 4, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0];
    assert!(matches!(decode_server(&big, &Limits::SERVER_FRAMES), Err(ProtocolError::TooLarge { what: "body", .. })));
    let dense = [0x4F, 1, 4, 1, 0, 0, 0x10, 0, 0, 0];
    assert!(matches!(decode_server(&dense, &Limits::SERVER_FRAMES), Err(ProtocolError::Malformed { .. })));
}

#[test]
fn a_lying_sample_count_reserves_nothing() {
    // Batch, seq 1, 900,000 samples in 0 bytes.
    let bytes = [0x4F, 1, 4, 0, 1, 0xA0, 0xF7, 0x36];
    assert_eq!(decode_server(&bytes, &Limits::SERVER_FRAMES), Err(ProtocolError::Truncated("samples")));
    // 2^40 samples.
    let bytes = [0x4F, 1, 4, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    assert!(matches!(decode_server(&bytes, &Limits::SERVER_FRAMES), Err(ProtocolError::TooLarge { what: "samples", .. })));
}

#[test]
fn a_page_that_lies_about_its_chunks_is_refused_before_memory_is_taken() {
    // A page of 2^40 chunks, then one of 900,000 chunks in no bytes, then one chunk of 200 bytes in two.
    let bytes = [0x4F, 1, 0x0C, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    assert!(matches!(decode_server(&bytes, &Limits::SERVER_FRAMES), Err(ProtocolError::TooLarge { what: "entries", .. })));
    let bytes = [0x4F, 1, 0x0C, 0, 0xA0, 0xF7, 0x36];
    assert_eq!(decode_server(&bytes, &Limits::SERVER_FRAMES), Err(ProtocolError::Truncated("entries")));
    let bytes = [0x4F, 1, 0x0C, 0, 1, 0xC8, 1, 9, 9];
    assert_eq!(decode_server(&bytes, &Limits::SERVER_FRAMES), Err(ProtocolError::Truncated("chunk")));
}

#[test]
fn a_lying_dictionary_or_push_of_a_sender_reserves_nothing() {
    // 200,000 signals in 0 bytes; 2^40 signals; a push of 65,537 samples.
    let error = |bytes: &[u8]| decode_ingest(bytes, &Limits::INGEST_FRAMES).unwrap_err();
    assert_eq!(error(&[0x4F, 1, 0x23, 0, 0xC0, 0x9A, 0x0C]), ProtocolError::Truncated("entries"));
    assert!(matches!(error(&[0x4F, 1, 0x23, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]), ProtocolError::TooLarge { .. }));
    assert!(matches!(error(&[0x4F, 1, 0x24, 0, 1, 0x81, 0x80, 0x04]), ProtocolError::TooLarge { what: "samples", .. }));
}

#[test]
fn frames_of_viewers_and_senders_are_not_taken_for_each_other() {
    for frame in every_ingest_frame() {
        assert!(matches!(decode_client(&encode_ingest(&frame), &Limits::CLIENT_FRAMES), Err(ProtocolError::Kind(_))));
    }
    for frame in every_client_frame() {
        assert!(matches!(decode_ingest(&encode_client(&frame), &Limits::INGEST_FRAMES), Err(ProtocolError::Kind(_))));
    }
}

#[test]
fn another_version_is_named_with_ours() {
    let error = decode_server(&[0x4F, 2, 4, 0], &Limits::SERVER_FRAMES).unwrap_err();
    assert_eq!(error.to_string(), "protocol version 2 is not supported; this side speaks 1");
    assert_eq!(error.close_code(), CloseCode::UnsupportedVersion);
    assert_eq!(decode_client(b"GET / HTTP/1.1", &Limits::CLIENT_FRAMES), Err(ProtocolError::Magic));
}

#[test]
fn control_frames_may_grow_but_sample_frames_may_not() {
    for frame in every_server_frame() {
        let mut bytes = encode_server(&frame);
        if bytes[3] == 1 {
            continue;
        }
        bytes.push(0);
        let samples = matches!(frame, ServerFrame::Batch(_) | ServerFrame::Snapshot(_));
        assert_eq!(decode_server(&bytes, &Limits::SERVER_FRAMES).is_err(), samples, "{frame:?}");
    }
}

/// Found by fuzzing: such a frame would have been another one in its binary form.
#[test]
fn an_unknown_frame_in_json_must_be_of_a_kind_that_may_be_skipped() {
    let read = |kind: u8| json::decode_server(&format!(r#"{{"frame":"unknown","kind":{kind}}}"#), &Limits::SERVER_FRAMES);
    assert_eq!(read(0x3F), Err(ProtocolError::Kind(0x3F)));
    assert_eq!(read(0x41), Ok(ServerFrame::Unknown { kind: 0x41 }));
}

#[test]
fn a_frame_that_a_later_server_adds_is_passed_over_in_both_forms() {
    let later = encode_server(&ServerFrame::Unknown { kind: 0x55 });
    let later = [&later[..], &[1, 2, 3]].concat();
    assert_eq!(decode_server(&later, &Limits::SERVER_FRAMES), Ok(ServerFrame::Unknown { kind: 0x55 }));
    let text = r#"{"frame":"weather","rain_mm":[1,2],"nested":{"frame":"hello"}}"#;
    assert!(matches!(json::decode_server(text, &Limits::SERVER_FRAMES), Ok(ServerFrame::Unknown { kind }) if kind >= 0x40));
    // What it knows it reads as it is, or refuses.
    for text in [r#"{"frame":"pong"}"#, r#"{"rain_mm":1}"#, r#"{"frame":7}"#, "[]"] {
        assert!(json::decode_server(text, &Limits::SERVER_FRAMES).is_err(), "{text}");
    }
}

/// A viewer from before there were revisions knows no kind from 0x40 up: this one has to be among them.
#[test]
fn viewers_from_before_may_pass_over_a_revision() {
    let frame = ServerFrame::Revision(Revision { number: 2, valid_from: Timestamp::from_secs(1) });
    assert!(encode_server(&frame)[2] >= 0x40);
    for cut in 4..encode_server(&frame).len() {
        assert!(decode_server(&encode_server(&frame)[..cut], &Limits::SERVER_FRAMES).is_err(), "{cut}");
    }
}

#[test]
fn deep_json_is_an_error() {
    let deep = "[".repeat(3_000);
    assert!(json::decode_client(&deep, &Limits::CLIENT_FRAMES).is_err());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        both(&bytes);
        let mut framed = vec![0x4F, 1];
        framed.extend(&bytes);
        both(&framed);
    }

    #[test]
    fn mutated_batches_never_panic(batch in batch(), flips in prop::collection::vec((any::<u16>(), any::<u8>()), 1..8)) {
        let mut bytes = encode_server(&ServerFrame::Batch(batch));
        for (at, with) in flips {
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= with;
        }
        both(&bytes);
        let mut recording = recording::file_header();
        recording.extend(&bytes);
        prop_assert!(recording::Records::new(&recording).unwrap().count() < 2);
    }

    #[test]
    fn mutated_control_frames_never_panic(which in 0_usize..15, at in any::<u16>(), with in any::<u8>()) {
        let mut bytes = encode_server(&every_server_frame()[which]);
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= with;
        both(&bytes);
        let mut text = json::encode_server(&every_server_frame()[which]).into_bytes();
        let at = at % text.len();
        text[at] ^= with & 0x7F;
        both(&text);
    }
}
