//! Recorded plant data through the store; the expected figures are pandas' reading of the same files.

use std::path::PathBuf;

use twin_historian::{SignalSpec, Store, StoreConfig};
use twin_model::{Sample, SignalKind, Span, Timestamp, Value, ValueKind};

use crate::kit::{ALWAYS, S0, all};

/// What pandas says about one column of a file.
struct Expected {
    /// Rows with a number.
    rows: usize,
    /// Rows whose time occurs again later in the file.
    duplicates: u64,
    /// Rows with an earlier time than the row before.
    backward: u64,
    sum: f64,
    min: f64,
    max: f64,
    /// From the first to the last row, seconds since 1970.
    extent: (i64, i64),
    /// Distances of more than three steps.
    gaps: usize,
}

fn check(test: &str, file: &str, separator: char, column: usize, step: Span, expected: &Expected) {
    let Some(text) = read(test, file) else { return };
    let spec = SignalSpec::new(SignalKind::Analog, ValueKind::Float).with_gap_after(step * 3);
    let mut store = Store::new([spec], StoreConfig::default());
    let mut rows = 0;
    for (number, line) in text.lines().skip(1).enumerate() {
        let cells: Vec<&str> = line.split(separator).collect();
        // An empty cell is no sample.
        let Ok(v) = cells[column].parse::<f64>() else { continue };
        // Received in the order of the file, whatever the times say.
        let received = Timestamp::from_secs(2_000_000_000 + number as i64);
        store.append(S0, &Sample { received_time: received, ..Sample::new(time(cells[0]), Value::Float(v)) });
        rows += 1;
    }
    let counters = store.counters();
    assert_eq!((rows, counters.duplicates, counters.backward), (expected.rows, expected.duplicates, expected.backward));
    check_reads(&store, expected);
    let mut back = Store::new([spec], StoreConfig::default());
    for chunk in store.export_chunks(ALWAYS) {
        back.import_chunk(&chunk.bytes).unwrap();
    }
    assert_eq!(all(&back, S0, ALWAYS), all(&store, S0, ALWAYS));
    check_reads(&back, expected);
}

fn check_reads(store: &Store, expected: &Expected) {
    let mut values: Vec<f64> = all(store, S0, ALWAYS).iter().filter_map(|sample| sample.value.as_f64()).collect();
    assert_eq!(values.len() as u64, expected.rows as u64 - expected.duplicates);
    values.sort_by(f64::total_cmp);
    let sum: f64 = values.iter().sum();
    assert!((sum - expected.sum).abs() <= expected.sum.abs() * 1e-12, "{sum} is not {}", expected.sum);
    let extent = store.extent_of(S0).unwrap();
    let last = Timestamp::from_secs(expected.extent.1) + Span::from_micros(1);
    assert_eq!((extent.start, extent.end), (Timestamp::from_secs(expected.extent.0), last));
    for points in [10, 1_000, 100_000] {
        let envelope = store.envelope(S0, ALWAYS, points);
        assert_eq!(envelope.min_max(), Some((expected.min, expected.max)));
        assert_eq!(envelope.samples(), values.len() as u64);
        let inside = envelope.buckets.iter().filter(|bucket| bucket.broken).count();
        assert!(points < 1_000 || envelope.gaps.len() + inside == expected.gaps, "{:?}", envelope.gaps);
    }
    let half = Timestamp::from_secs((expected.extent.0 + expected.extent.1) / 2);
    assert!(store.latest_at(S0, half).unwrap().source_time <= half);
}

/// `2014-03-01 17:34:00` or `9/11/2017 0:01`, taken for UTC.
fn time(text: &str) -> Timestamp {
    let (date, clock) = text.split_once(' ').unwrap();
    let utc = match date.split('/').collect::<Vec<_>>()[..] {
        [month, day, year] => format!("{year}-{month:0>2}-{day:0>2}T{clock:0>5}:00Z"),
        _ => format!("{date}T{clock}Z"),
    };
    utc.parse().unwrap()
}

#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn read(test: &str, file: &str) -> Option<String> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("ORRERY_SHARED").map_or_else(beside, PathBuf::from);
    let text = std::fs::read_to_string(root.join("C-telemetry").join(file)).ok();
    if text.is_none() {
        println!("SKIPPED (no shared data): {test}");
    }
    text
}

#[test]
fn nab_disk_writes_have_duplicates_a_gap_of_an_hour_and_huge_values() {
    let expected = Expected {
        rows: 4_730,
        duplicates: 11,
        backward: 0,
        sum: 31_130_782_430.2,
        min: 0.0,
        max: 547_457_000.0,
        extent: (1_393_695_240, 1_395_113_940),
        gaps: 1,
    };
    let file = "nab/realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv";
    check("nab_disk_writes", file, ',', 1, Span::from_secs(300), &expected);
}

#[test]
fn nab_machine_temperature_steps_back_an_hour() {
    let expected = Expected {
        rows: 22_695,
        duplicates: 12,
        backward: 1,
        sum: 1_948_972.322_746_466_8,
        min: 2.084_721_205_999_999_8,
        max: 108.510_542_800_000_01,
        extent: (1_386_018_900, 1_392_823_500),
        gaps: 0,
    };
    let file = "nab/realKnownCause/machine_temperature_system_failure.csv";
    check("nab_machine_temperature", file, ',', 1, Span::from_secs(300), &expected);
}

#[test]
fn skab_has_a_gap_of_76_seconds() {
    let expected = Expected {
        rows: 1_075,
        duplicates: 0,
        backward: 0,
        sum: 28.899_844_7,
        min: 0.025_584,
        max: 0.027_861_5,
        extent: (1_583_751_274, 1_583_752_473),
        gaps: 1,
    };
    check("skab", "skab/valve1/2.csv", ';', 1, Span::from_secs(1), &expected);
}

#[test]
fn lbnl_air_handler_has_empty_cells_and_two_days_missing() {
    let expected = Expected {
        rows: 15_839 - 590,
        duplicates: 0,
        backward: 0,
        sum: 942_535.13,
        min: 53.04,
        max: 72.5,
        extent: (1_505_123_400, 1_506_297_480),
        gaps: 2,
    };
    check("lbnl_air_handler", "lbnl-ahu/SZVAV.csv", ',', 2, Span::from_secs(60), &expected);
}

#[test]
fn ett_is_two_years_of_single_precision_values_without_a_gap() {
    let expected = Expected {
        rows: 17_420,
        duplicates: 0,
        backward: 0,
        sum: 232_115.779_095_739_13,
        min: -4.079_999_923_706_056,
        max: 46.006_999_969_482_42,
        extent: (1_467_331_200, 1_530_039_600),
        gaps: 0,
    };
    check("ett", "ett-transformer/ETTh1.csv", ',', 7, Span::from_secs(3_600), &expected);
}
