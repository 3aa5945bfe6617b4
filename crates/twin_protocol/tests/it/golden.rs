//! Bytes that never change: `docs/PROTOCOL.md` quotes them, and clients in other languages are written against them.

use twin_model::{Sample, Timestamp, Value};
use twin_protocol::*;

use crate::roundtrip::{every_client_frame, every_ingest_frame, every_server_frame};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn server_frames_have_their_golden_bytes_and_text() {
    let mut out = String::new();
    for frame in every_server_frame() {
        out += &format!("{}\n{}\n\n", hex(&encode_server(&frame)), json::encode_server(&frame));
    }
    for frame in every_client_frame() {
        out += &format!("{}\n{}\n\n", hex(&encode_client(&frame)), json::encode_client(&frame));
    }
    check_file("frames.txt", &out);
}

#[test]
fn frames_of_a_sender_have_their_golden_bytes() {
    let named = |frame: &IngestFrame| match frame {
        IngestFrame::Dictionary(signals) => format!("dictionary of {}", signals.len()),
        IngestFrame::Push(batch) => format!("push {} of {}", batch.seq, batch.entries.len()),
    };
    let line = |frame: &IngestFrame| format!("{}\n{}\n\n", named(frame), hex(&encode_ingest(frame)));
    let out: String = every_ingest_frame().iter().map(line).collect();
    check_file("ingest.txt", &out);
}

#[test]
fn the_batch_of_the_document_has_its_bytes() {
    let t = Timestamp::from_secs(1_772_439_304);
    let entries = vec![
        Entry { id: DictId(0), sample: Sample::new(t, Value::Float(21.37)) },
        Entry { id: DictId(2), sample: Sample::new(t, Value::Bool(true)) },
    ];
    let bytes = encode_server(&ServerFrame::Batch(Batch { seq: 1, entries }));
    assert_eq!(hex(&bytes), GOLDEN_BATCH);
}

const GOLDEN_BATCH: &str = "4f0104000102000202909caa9a0d000200000001020102b2210100020002";

#[test]
fn the_recordings_of_the_document_have_their_bytes() {
    use recording::{Record, encode_record, file_header_of};
    let name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let mut bytes = [0; recording::NAME_BYTES];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&name[at..at + 2], 16).unwrap();
    }
    let beat = Record::Frame(ServerFrame::KeepAlive { server_time: Timestamp::from_secs(1_772_439_313) });
    let of = |version: u16, records: &[Record]| {
        hex(&[file_header_of(version), records.iter().flat_map(encode_record).collect()].concat())
    };
    let piece = Record::Piece { name: bytes, bytes: b"abc".to_vec() };
    assert_eq!(of(2, &[piece, Record::Manifest(b"{}".to_vec()), beat.clone()]), GOLDEN_RECORDING);
    let site = Record::Site { file_name: "s.toml".into(), toml: "[site]".into() };
    let asset = Record::Asset { path: "a.glb".into(), bytes: b"abc".to_vec() };
    assert_eq!(of(1, &[site, asset, beat]), GOLDEN_RECORDING_1);
}

const GOLDEN_RECORDING: &str = "894f525245430d0a020000000523000000f21a8395ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad616263040200000072dc371a7b7d030c00000062f5cc834f010800809999fac581a606";
const GOLDEN_RECORDING_1: &str = "894f525245430d0a01000000010e00000021bbc68706732e746f6d6c065b736974655d020a000000b388237805612e676c6203616263030c00000062f5cc834f010800809999fac581a606";

/// Compares with the file beside this one; `ORRERY_BLESS=1` writes it, for a change of the protocol that is meant.
fn check_file(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var_os("ORRERY_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "golden bytes changed: this breaks every client");
}
