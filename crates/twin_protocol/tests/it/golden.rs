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

/// Compares with the file beside this one; `ORRERY_BLESS=1` writes it, for a change of the protocol that is meant.
fn check_file(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var_os("ORRERY_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "golden bytes changed: this breaks every client");
}
