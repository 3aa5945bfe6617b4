//! Cells whose bytes are not what they seem: blanks in quotes, halves of letters.

use std::collections::HashMap;

use twin_model::{Sample, SignalIndex, ValueKind};
use twin_table::{
    CellRules, Codes, Column, Empty, Feed, Feeds, Layout, QualityColumn, Report, Seen, Table, TableDef, TimeColumns, TimeSpec,
};

/// Samples of the texts `w` of a table `t,w,q`, and what was odd.
#[track_caller]
fn read(table: &[u8]) -> (Vec<Sample>, Report) {
    let named = |name: &str| Column::Name(name.to_owned());
    let def = TableDef {
        separator: b',',
        encoding: None,
        skip_lines: 0,
        header: true,
        units_row: false,
        time: TimeColumns::One(named("t")),
        times: TimeSpec::default(),
        received: None,
        layout: Layout::Wide { columns: vec![(named("w"), "w".to_owned())] },
        quality: Some(QualityColumn { column: named("q"), codes: Codes::OpcUa }),
        cells: CellRules::default(),
        empty: Empty::NoValue,
    };
    let feed = Feed { signal: SignalIndex(0), kind: ValueKind::Text, unit: String::new() };
    let feeds: Feeds = HashMap::from([("w".to_owned(), vec![feed])]);
    let mut reader = Table::open(table, &def, &feeds).unwrap();
    let mut samples = Vec::new();
    while reader.next(&mut samples).unwrap().is_some() {}
    (samples.into_iter().map(|(_, sample)| sample).collect(), reader.report.clone())
}

fn texts(samples: &[Sample]) -> Vec<Option<String>> {
    samples.iter().map(|sample| sample.given().map(ToString::to_string)).collect()
}

#[test]
fn blanks_in_quotes_are_part_of_a_text_and_those_around_a_cell_are_not() {
    let table = "t,w,q\n2026-03-02T08:00:00Z,\"  pad  \",good\n2026-03-02T08:01:00Z, run , good \n2026-03-02T08:02:00Z,\"  \",\n";
    let (samples, report) = read(table.as_bytes());
    assert_eq!(texts(&samples), [Some("  pad  ".to_owned()), Some("run".to_owned()), None]);
    assert_eq!(report.all().count(), 0, "{report:?}");
}

#[test]
fn half_a_pair_of_utf_16_is_no_good_text_and_is_reported_as_broken_utf_8_is() {
    let table = "t,w,q\n2026-03-02T08:00:00Z,aXb,\n2026-03-02T08:01:00Z,ok,\n2026-03-02T08:02:00Z,ok,badX\n";
    let utf16 = |lone: u16| {
        let units = table.encode_utf16().map(|unit| if unit == u16::from(b'X') { lone } else { unit });
        [0xff, 0xfe].into_iter().chain(units.flat_map(u16::to_le_bytes)).collect::<Vec<u8>>()
    };
    let utf8: Vec<u8> = table.bytes().map(|byte| if byte == b'X' { 0xff } else { byte }).collect();
    for bytes in [utf16(0xd83d), utf16(0xdca7), utf8] {
        let (samples, report) = read(&bytes);
        assert_eq!(texts(&samples), [None, Some("ok".to_owned()), Some("ok".to_owned())]);
        assert!(samples[0].quality.is_bad() && samples[1].quality.is_good() && samples[2].quality.is_bad(), "{samples:?}");
        assert_eq!((report.of(Seen::Value).0, report.of(Seen::Quality).0), (1, 1));
        assert_eq!((report.of(Seen::Value).1[0].line, report.of(Seen::Quality).1[0].line), (2, 4));
    }
}
