//! What must hold of any bytes as a table, under any description. Used by the fuzzer, and by the tests over the kept corpus.

use std::collections::HashMap;
use std::sync::LazyLock;

use twin_model::{SignalIndex, Timestamp, ValueKind};
use twin_table::{
    CellRules, Codes, Column, Empty, Encoding, Feed, Feeds, KeyPart, Layout, NumberStyle, QualityColumn, Table, TableDef,
    TimeColumns, TimeFormat, TimeSpec, Years, Zone,
};

static FEEDS: LazyLock<Feeds> = LazyLock::new(|| {
    let kinds = [("a", ValueKind::Float), ("n", ValueKind::Int), ("b", ValueKind::Bool), ("w", ValueKind::Text)];
    let feed = |(at, (name, kind)): (u32, (&str, ValueKind))| {
        (name.to_owned(), vec![Feed { signal: SignalIndex(at), kind, unit: "°C".to_owned() }])
    };
    (0..).zip(kinds).map(feed).collect::<HashMap<_, _>>()
});

/// A description by the bits of the first two bytes.
fn def(a: u8, b: u8) -> TableDef {
    let bit = |byte: u8, at: u8| byte >> at & 1 == 1;
    let named = |name: &str| if bit(a, 0) { Column::Name(name.to_owned()) } else { Column::Index(name.len() - 1) };
    let formats = ["rfc3339", "epoch_s", "epoch_ms", "epoch_ns", "excel", "%d.%m.%Y %H:%M:%S%.f", "%m/%d/%y %I:%M %p", "seconds"];
    let wide = ["a", "n", "b", "w"].into_iter().map(|name| (named(name), name.to_owned())).collect();
    let long = vec![(named("v"), vec![KeyPart::Column(named("s"))])];
    TableDef {
        separator: if bit(a, 1) { b',' } else { b';' },
        encoding: if bit(a, 2) { Some(Encoding::Windows1252) } else { None },
        skip_lines: usize::from(bit(a, 3)),
        header: bit(a, 0),
        units_row: bit(a, 4),
        time: if bit(a, 5) { TimeColumns::One(named("t")) } else { TimeColumns::DateAndTime(named("d"), named("t")) },
        times: TimeSpec {
            format: TimeFormat::parse(formats[usize::from(b & 7)], None).and_then(Result::ok).unwrap_or(TimeFormat::Rfc3339),
            zone: if bit(a, 6) { Zone::new("Europe/Berlin").ok() } else { None },
            years: Years::default(),
        },
        received: if bit(b, 3) { Some(named("r")) } else { None },
        layout: if bit(a, 7) { Layout::Wide { columns: wide } } else { Layout::Long { values: long } },
        quality: bit(b, 4)
            .then(|| QualityColumn { column: named("q"), codes: if bit(b, 5) { Codes::OpcDa } else { Codes::OpcUa } }),
        cells: CellRules {
            numbers: NumberStyle { decimal: if bit(b, 6) { ',' } else { '.' }, thousands: None, declared: bit(b, 6) },
            ..CellRules::default()
        },
        empty: if bit(b, 7) { Empty::NoSample } else { Empty::NoValue },
    }
}

/// An error in words, or rows that stand where they say; no reading without a value looks good, and every row is the same read alone.
pub(crate) fn check(bytes: &[u8]) {
    let [a, b, bytes @ ..] = bytes else { return };
    let def = def(*a, *b);
    let mut table = match Table::open(bytes, &def, &FEEDS) {
        Ok(table) => table,
        Err(error) => return assert!(!error.to_string().is_empty() && error.to_string().len() < 10_000, "{error}"),
    };
    let (mut samples, mut places, mut upto) = (Vec::new(), Vec::new(), 0);
    while let Some(place) = table.next(&mut samples).expect("memory can be read") {
        assert!(place.offset >= upto && place.bytes > 0, "rows come one after the other");
        upto = place.offset + place.bytes;
        assert!(upto <= bytes.len() as u64 && place.line > 0, "{place:?} of {} bytes", bytes.len());
        assert!(def.times.years.contains(place.time), "{place:?}");
        places.push((place, samples.len()));
    }
    for (_, sample) in &samples {
        assert!(sample.has_value() || sample.quality.is_bad(), "{sample:?}");
    }
    assert_eq!(table.report.samples, samples.len() as u64);
    assert_eq!(table.report.timed, places.len() as u64);
    let (known, mut before) = (table.known(), 0);
    for (place, upto) in places.into_iter().take(50) {
        let piece = &bytes[place.offset as usize..(place.offset + place.bytes) as usize];
        let mut alone = Vec::new();
        let found = Table::again(piece, &def, &FEEDS, &known, &place).next(&mut alone).expect("memory can be read");
        let (_, expected) = samples.split_at(before);
        let expected = &expected[..upto - before];
        if expected.iter().all(|(_, sample)| sample.received_time >= Timestamp::from_micros(0)) {
            assert_eq!(found.map(|found| (found.line, found.time)), Some((place.line, place.time)));
            assert_eq!(alone.len(), expected.len());
            assert!(alone.iter().zip(expected).all(|(a, b)| a.0 == b.0 && a.1.value == b.1.value && a.1.quality == b.1.quality));
        }
        before = upto;
    }
}
