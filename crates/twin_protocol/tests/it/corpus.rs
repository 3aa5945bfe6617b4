//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

#[path = "../../../../fuzz/checks/ingest_frame.rs"]
mod ingest_frame;
#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/recording.rs"]
mod recording;
#[path = "../../../../fuzz/checks/stream_frame.rs"]
mod stream_frame;
#[path = "../../../../fuzz/checks/stream_json.rs"]
mod stream_json;

#[test]
fn every_kept_frame_passes_its_check() {
    kept::check_all("stream_frame", stream_frame::check);
}

#[test]
fn every_kept_frame_in_json_passes_its_check() {
    kept::check_all("stream_json", stream_json::check);
}

#[test]
fn every_kept_frame_of_a_sender_passes_its_check() {
    kept::check_all("ingest_frame", ingest_frame::check);
}

#[test]
fn every_kept_recording_passes_its_check() {
    kept::check_all("recording", recording::check);
}
