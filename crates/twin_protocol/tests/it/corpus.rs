//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

use std::path::Path;

#[path = "../../../../fuzz/checks/recording.rs"]
mod recording;
#[path = "../../../../fuzz/checks/stream_frame.rs"]
mod stream_frame;
#[path = "../../../../fuzz/checks/stream_json.rs"]
mod stream_json;

/// Feeds every kept file of a target to its check.
fn check_all(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} files in {}", files.len(), folder.display());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| check(&bytes));
        assert!(outcome.is_ok(), "{} fails its check: the words of it are above", file.display());
    }
}

#[test]
fn every_kept_frame_passes_its_check() {
    check_all("stream_frame", stream_frame::check);
}

#[test]
fn every_kept_frame_in_json_passes_its_check() {
    check_all("stream_json", stream_json::check);
}

#[test]
fn every_kept_recording_passes_its_check() {
    check_all("recording", recording::check);
}
