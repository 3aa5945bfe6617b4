//! Recordings: whatever the bytes, reading ends, and what is good plus what is torn is the whole file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twin_protocol::recording::{Records, file_header};

fuzz_target!(|bytes: &[u8]| {
    // Half of the time behind a good header, or the fuzzer would spend its life guessing it.
    let with_header = [&file_header(), bytes].concat();
    for bytes in [bytes, &with_header] {
        if let Ok(mut records) = Records::new(bytes) {
            records.by_ref().for_each(drop);
            let lost = records.torn().map_or(0, |torn| torn.lost_bytes);
            assert_eq!(records.good_bytes() + lost, bytes.len() as u64);
        }
    }
});
