//! Properties with the rule as their name.

use proptest::prelude::*;
use twin_model::{Quality, Timestamp, ValueKind};
use twin_table::cell::Texts;
use twin_table::{CellRules, Row, RowReader, TimeFormat, TimeReader, TimeSpec, Years, Zone};

/// A row as RFC 4180 has it.
fn written(cells: &[String]) -> String {
    let cell = |cell: &String| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",")
}

proptest! {
    #[test]
    fn rows_that_are_well_written_are_read_as_they_were(
        table in prop::collection::vec(prop::collection::vec("[a-z0-9,\"\n ü💧]{0,9}", 2..5), 1..8),
    ) {
        let text: String = table.iter().map(|row| written(row) + "\n").collect();
        let mut reader = RowReader::new(text.as_bytes(), b',', None).unwrap();
        let (mut row, mut read) = (Row::default(), Vec::new());
        while reader.read(&mut row, &|_| false).unwrap() {
            read.push(row.cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect::<Vec<_>>());
        }
        prop_assert_eq!(read, table);
    }

    #[test]
    fn no_value_never_looks_good(text in "\\PC{0,12}", at in 0_usize..3) {
        let kind = [ValueKind::Float, ValueKind::Int, ValueKind::Bool][at];
        let sample = CellRules::default().read(&text, kind, &mut Texts::default()).sample(Timestamp::from_secs(1), kind, Quality::GOOD);
        prop_assert!(sample.has_value() || sample.quality.is_bad());
        prop_assert_eq!(sample.value.kind(), kind);
    }

    #[test]
    fn whole_numbers_keep_every_digit(number in any::<i64>()) {
        let sample = CellRules::default().read(&number.to_string(), ValueKind::Int, &mut Texts::default());
        prop_assert_eq!(sample, twin_table::Cell::Value(twin_model::Value::Int(number)));
    }

    #[test]
    fn an_instant_is_read_back_from_every_notation(micros in 631_152_000_000_000_i64..4_133_980_800_000_000) {
        let t = Timestamp::from_micros(micros);
        for (format, text) in [
            ("rfc3339", t.to_string()),
            ("epoch_us", micros.to_string()),
            ("epoch_ns", format!("{micros}999")),
            ("epoch_ms", format!("{}.{:03}", micros / 1_000, micros % 1_000)),
            ("epoch_s", format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)),
        ] {
            let format = TimeFormat::parse(format, None).unwrap().unwrap();
            let spec = TimeSpec { format, zone: None, years: Years::default() };
            prop_assert_eq!(TimeReader::new(spec.clone()).read(0, &text).map(|read| read.t), Ok(t), "{}", text);
            prop_assert_eq!(spec.read_near(&text, t), Ok(t), "readers agree");
        }
    }

    #[test]
    fn hourly_rows_of_a_clock_with_summer_time_keep_their_order(first in 1_600_000_000_i64..2_000_000_000, rows in 2_i64..60) {
        // What a clock in Berlin shows at whole hours, as a logger writes it.
        let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        let start = first / 3_600 * 3_600;
        let shown = |hour: i64| {
            let t = jiff::Timestamp::from_second(start + hour * 3_600).unwrap().to_zoned(zone.clone());
            t.strftime("%d.%m.%Y %H:%M").to_string()
        };
        let format = TimeFormat::parse("%d.%m.%Y %H:%M", None).unwrap().unwrap();
        let spec = TimeSpec { format, zone: Zone::new("Europe/Berlin").ok(), years: Years::default() };
        let mut reader = TimeReader::new(spec);
        let read: Vec<i64> = (0..rows).map(|hour| reader.read(0, &shown(hour)).unwrap().t.as_micros() / 1_000_000).collect();
        // A table that begins in the second pass of the doubled hour can't tell.
        let told: Vec<i64> = (0..rows).map(|hour| start + hour * 3_600).collect();
        prop_assert!(read == told || read.get(1..) == told.get(1..), "{:?}", read);
    }
}
