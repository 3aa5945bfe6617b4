//! The layout of both versions, torn and mended.

use super::*;
use twin_model::Timestamp;

fn beat() -> Record {
    Record::Frame(ServerFrame::KeepAlive { server_time: Timestamp::from_secs(5) })
}

/// The records that each version may hold, the frame last.
fn samples() -> [(u16, Vec<Record>); 2] {
    let old = vec![
        Record::Site { file_name: "site.toml".into(), toml: "[site]\n".into() },
        Record::Asset { path: "a.glb".into(), bytes: vec![7; 300] },
        beat(),
    ];
    let new = vec![
        Record::Piece { name: [9; NAME_BYTES], bytes: vec![7; 300] },
        Record::Piece { name: [8; NAME_BYTES], bytes: Vec::new() },
        Record::Manifest(b"{}".to_vec()),
        beat(),
    ];
    [(1, old), (2, new)]
}

fn file(version: u16, records: &[Record]) -> Vec<u8> {
    let mut bytes = file_header_of(version);
    bytes.extend(records.iter().flat_map(encode_record));
    bytes
}

#[test]
fn a_recording_of_either_version_reads_back_whole() {
    for (version, records) in samples() {
        let bytes = file(version, &records);
        let mut reader = Records::new(&bytes).unwrap();
        assert_eq!(reader.version(), version);
        assert_eq!(reader.by_ref().collect::<Vec<_>>(), records);
        assert_eq!((reader.torn(), reader.good_bytes()), (None, bytes.len() as u64));
    }
}

#[test]
fn a_torn_tail_loses_only_itself_wherever_it_is_cut() {
    for (version, records) in samples() {
        let bytes = file(version, &records);
        let mut end = file_header_of(version).len();
        for (at, record) in records.iter().enumerate() {
            let begin = end;
            end += encode_record(record).len();
            for cut in begin + 1..end {
                let mut reader = Records::new(&bytes[..cut]).unwrap();
                assert_eq!(reader.by_ref().collect::<Vec<_>>(), records[..at]);
                let torn = reader.torn().unwrap();
                assert_eq!((torn.good_bytes as usize, (torn.good_bytes + torn.lost_bytes) as usize), (begin, cut));
                assert!(!torn.damaged, "cut at {cut}");
            }
        }
    }
}

#[test]
fn a_flipped_bit_is_found_by_the_checksum() {
    for (version, records) in samples() {
        let mut bytes = file(version, &records);
        let at = bytes.len() - 1;
        bytes[at] ^= 1;
        let mut reader = Records::new(&bytes).unwrap();
        assert_eq!(reader.by_ref().count(), records.len() - 1);
        assert!(reader.torn().unwrap().why.to_string().contains("checksum"));
    }
}

#[test]
fn damage_before_a_whole_record_is_told_from_a_torn_end() {
    for (version, records) in samples() {
        let bytes = file(version, &records);
        let mut begin = file_header_of(version).len();
        for (at, record) in records.iter().enumerate() {
            let end = begin + encode_record(record).len();
            // Its kind, its length, its checksum, its payload.
            for place in begin..end {
                let mut hurt = bytes.clone();
                hurt[place] ^= 0x24;
                let mut reader = Records::new(&hurt).unwrap();
                assert_eq!(reader.by_ref().collect::<Vec<_>>(), records[..at], "byte {place}");
                let torn = reader.torn().unwrap();
                assert_eq!((torn.good_bytes as usize, torn.damaged), (begin, at + 1 < records.len()), "byte {place}: {torn:?}");
            }
            begin = end;
        }
    }
}

#[test]
fn a_version_holds_its_own_kinds_of_records_and_no_others() {
    let [(_, old), (_, new)] = samples();
    for (version, records) in [(1, &new), (2, &old)] {
        for record in records.iter().filter(|record| !matches!(record, Record::Frame(_))) {
            let bytes = file(version, std::slice::from_ref(record));
            let mut reader = Records::new(&bytes).unwrap();
            assert_eq!(reader.next(), None, "{version}: {record:?}");
            assert!(matches!(reader.torn().unwrap().why, ProtocolError::Kind(1 | 2 | 4 | 5)));
        }
    }
    for version in [0, 3, u16::MAX] {
        let error = Records::new(&file_header_of(version)).unwrap_err().to_string();
        assert_eq!(error, format!("protocol version {version} is not supported; this side speaks 1 to 2"));
    }
}

#[test]
fn a_piece_that_is_shorter_than_its_name_is_torn() {
    let mut bytes = file(2, &[]);
    let payload = [1; NAME_BYTES - 1];
    bytes.push(PIECE);
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(checksum(PIECE, &payload).to_le_bytes());
    bytes.extend(payload);
    let mut reader = Records::new(&bytes).unwrap();
    assert_eq!(reader.next(), None);
    assert_eq!(reader.torn().unwrap().why, ProtocolError::Truncated("name of a piece"));
}

#[test]
fn what_a_reader_would_not_take_is_not_to_be_written() {
    let asset = |bytes: usize| Record::Asset { path: "a.glb".into(), bytes: vec![0; bytes] };
    assert_eq!(asset(ASSET_BYTES).fits(), Ok(()));
    let error = asset(ASSET_BYTES + 1).fits().unwrap_err().to_string();
    assert_eq!(error, "asset of 268435457 is over the limit of 268435456");
    let manifest = Record::Manifest(vec![b' '; MANIFEST_BYTES + 1]);
    assert_eq!(manifest.fits().unwrap_err().to_string(), "manifest of 33554433 is over the limit of 33554432");
    let bytes = file(2, &[manifest]);
    let mut reader = Records::new(&bytes).unwrap();
    assert_eq!(reader.next(), None, "and is not taken either");
    assert!(matches!(reader.torn().unwrap().why, ProtocolError::TooLarge { what: "manifest", .. }));
}

#[test]
fn other_files_are_refused() {
    assert_eq!(Records::new(b"glTF....").unwrap_err(), ProtocolError::Magic);
}
