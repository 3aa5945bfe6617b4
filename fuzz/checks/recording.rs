//! What must hold of any bytes as a recording. Used by the fuzzer, and by the tests over the kept corpus.

use twin_protocol::recording::{OLDEST, Record, Records, VERSION, encode_record, file_header_of};

/// Reading ends, what is good and what is torn are the whole file, and what is good can be written again. The bytes are read as
/// they are, behind a good header of either version, and as records that the fuzzer need not find a checksum for.
pub(crate) fn check(bytes: &[u8]) {
    read(bytes);
    for version in OLDEST..=VERSION {
        read(&[&file_header_of(version), bytes].concat());
        read(&with_checksums(version, bytes));
    }
}

fn read(bytes: &[u8]) {
    let Ok(mut records) = Records::new(bytes) else { return };
    let version = records.version();
    let good: Vec<Record> = records.by_ref().collect();
    let lost = records.torn().map_or(0, |torn| torn.lost_bytes);
    assert_eq!(records.good_bytes() + lost, bytes.len() as u64);
    let kinds = good.iter().all(|record| match record {
        Record::Site { .. } | Record::Asset { .. } => version == 1,
        Record::Manifest(_) | Record::Piece { .. } => version == 2,
        Record::Frame(_) => true,
    });
    assert!(kinds, "a version holds its own kinds of records");
    assert!(good.iter().all(|record| record.fits().is_ok()));
    let mut again = file_header_of(version);
    again.extend(good.iter().flat_map(encode_record));
    let Ok(mut records) = Records::new(&again) else { panic!("a good header is read") };
    assert_eq!(records.by_ref().collect::<Vec<_>>(), good);
    assert_eq!(records.torn(), None);
}

/// A recording from pieces of: kind, length (two bytes, little-endian), payload.
fn with_checksums(version: u16, mut bytes: &[u8]) -> Vec<u8> {
    let mut out = file_header_of(version);
    while let Some((&[kind, low, high], rest)) = bytes.split_first_chunk::<3>() {
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes([low, high]))));
        let mut sum = crc32fast::Hasher::new();
        sum.update(&[kind]);
        sum.update(payload);
        out.push(kind);
        out.extend((payload.len() as u32).to_le_bytes());
        out.extend(sum.finalize().to_le_bytes());
        out.extend(payload);
        bytes = rest;
    }
    out
}
