//! Recorded plant data through the store, every column of it; what must come out is pandas' reading of the same files
//! (`pandas_truth.json`, written by `pandas_truth.py`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use twin_historian::{SignalSpec, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, SignalKind, Span, Timestamp, Value, ValueKind};

use crate::kit::{ALWAYS, all};

const TRUTH: &str = include_str!("pandas_truth.json");

/// Named series of a file, each with its samples in the order of the file.
type Series = Vec<(String, Vec<Sample>)>;

/// Compares every series of a file with what pandas says of it.
fn check(test: &str, file: &str, step: Span, parse: fn(&str) -> Series) {
    let Some(root) = shared(test) else { return };
    let text = std::fs::read_to_string(root.join("C-telemetry").join(file)).unwrap();
    let series = parse(&text);
    let truth: Vec<Json> = serde_json::from_str(TRUTH).unwrap();
    let truth: Vec<&Json> = truth.iter().filter(|one| one["file"] == file).collect();
    let here: BTreeSet<&str> = series.iter().map(|(name, _)| name.as_str()).collect();
    let there: BTreeSet<&str> = truth.iter().filter_map(|one| one["series"].as_str()).collect();
    assert_eq!(here, there, "pandas and we find the same series");
    let specs = vec![SignalSpec::new(SignalKind::Analog, ValueKind::Float).with_gap_after(step * 3); series.len()];
    let mut store = Store::new(specs.clone(), StoreConfig::default());
    for (at, (name, samples)) in series.iter().enumerate() {
        let expected = truth.iter().find(|one| one["series"] == name.as_str()).unwrap();
        let before = store.counters();
        for sample in samples {
            store.append(SignalIndex::from_at(at), sample);
        }
        let counters = store.counters();
        let counted = [counters.duplicates - before.duplicates, counters.backward - before.backward];
        assert_eq!(samples.len() as u64, expected["rows"].as_u64().unwrap(), "{name}: rows");
        assert_eq!(counted, ["duplicates", "backward"].map(|key| expected[key].as_u64().unwrap()), "{name}");
        check_reads(&store, SignalIndex::from_at(at), expected);
    }
    // And once more from chunks, as the disk and the page get it.
    let mut back = Store::new(specs, StoreConfig::default());
    for chunk in store.export_chunks(ALWAYS) {
        back.import_chunk(&chunk.bytes).unwrap();
    }
    for (at, (name, _)) in series.iter().enumerate() {
        let expected = truth.iter().find(|one| one["series"] == name.as_str()).unwrap();
        check_reads(&back, SignalIndex::from_at(at), expected);
    }
}

fn check_reads(store: &Store, signal: SignalIndex, expected: &Json) {
    let name = &expected["series"];
    let held = all(store, signal, ALWAYS);
    let count = |key: &str| expected[key].as_u64().unwrap();
    assert_eq!(held.len() as u64, count("rows") - count("duplicates"), "{name}: of equal times one stays");
    assert_eq!(u64::from(crc(&held)), count("crc32"), "{name}: times and values, bit for bit");
    let (first, last) = (time_of(&expected["first_s"]), time_of(&expected["last_s"]));
    let extent = store.extent_of(signal).unwrap();
    assert_eq!((extent.start, extent.end), (first, last + Span::from_micros(1)), "{name}");
    let half = Timestamp::from_micros(first.as_micros() / 2 + last.as_micros() / 2);
    assert_eq!(store.latest_at(signal, half).as_ref(), held.iter().rfind(|sample| sample.source_time <= half), "{name}");
    let Some(low) = expected["low"].as_f64() else { return };
    let sum: f64 = held.iter().filter_map(|sample| sample.value.as_f64()).sum();
    let total = expected["sum"].as_f64().unwrap();
    let size: f64 = held.iter().filter_map(|sample| sample.value.as_f64()).map(f64::abs).sum();
    assert!((sum - total).abs() <= size * 1e-12, "{name}: {sum} is not {total}");
    let gaps: Vec<_> = expected["gaps"].as_array().unwrap().iter().map(|gap| (time_of(&gap[0]), time_of(&gap[1]))).collect();
    for points in [10, 1_000, 100_000] {
        let envelope = store.envelope(signal, ALWAYS, points);
        assert_eq!(envelope.min_max(), Some((low, expected["high"].as_f64().unwrap())), "{name}: extremes");
        assert_eq!(envelope.samples(), held.len() as u64, "{name}: nothing is left out of {points} points");
        let inside = envelope.buckets.iter().filter(|bucket| bucket.broken).count();
        let listed: Vec<_> = envelope.gaps.iter().map(|gap| (gap.start, gap.end)).collect();
        assert!(listed.iter().all(|gap| gaps.contains(gap)) && (listed.len() + inside <= gaps.len()), "{name}: {listed:?}");
        assert!(points < 100_000 || listed == gaps, "{name}: gaps {listed:?}, not {gaps:?}");
    }
}

/// Over what the script feeds to its CRC.
fn crc(samples: &[Sample]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for sample in samples {
        sum.update(&sample.source_time.as_micros().to_le_bytes());
        match &sample.value {
            Value::Text(word) => {
                sum.update(word.as_bytes());
                sum.update(&[0]);
            }
            value => sum.update(&value.as_f64().unwrap().to_le_bytes()),
        }
    }
    sum.finalize()
}

fn time_of(seconds: &Json) -> Timestamp {
    Timestamp::from_micros((seconds.as_f64().unwrap() * 1e6).round() as i64)
}

/// A reading of row `number`: received in the order of the file, whatever the times say.
fn reading(number: usize, t: Timestamp, value: Value) -> Sample {
    Sample { received_time: Timestamp::from_secs(2_000_000_000 + number as i64), ..Sample::new(t, value) }
}

/// A time and a column for each series. A cell without a number is no sample.
fn columns(text: &str, separator: char) -> Series {
    let mut lines = text.lines().map(|line| line.split(separator).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let mut series: Series = names[1..].iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
    for (number, cells) in lines.enumerate() {
        for ((_, samples), cell) in series.iter_mut().zip(&cells[1..]) {
            if let Ok(v) = cell.parse() {
                samples.push(reading(number, time(cells[0]), Value::Float(v)));
            }
        }
    }
    series
}

fn commas(text: &str) -> Series {
    columns(text, ',')
}

fn semicolons(text: &str) -> Series {
    columns(text, ';')
}

/// Milliseconds, type, asset, attribute, value, kind of value.
fn cookie_factory(text: &str) -> Series {
    let mut series: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let t = Timestamp::from_millis(cells[0].parse().unwrap());
        let value = if cells[5] == "DOUBLE" { Value::Float(cells[4].parse().unwrap()) } else { Value::text(cells[4]) };
        series.entry(format!("{}/{}", cells[2], cells[3])).or_default().push(reading(number, t, value));
    }
    series.into_iter().collect()
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
fn shared(test: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("ORRERY_SHARED").map_or_else(beside, PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    println!("SKIPPED (no shared data): {test}");
    None
}

/// What pandas says of one series of a file.
fn truth(file: &str, series: &str) -> Json {
    let truth: Vec<Json> = serde_json::from_str(TRUTH).unwrap();
    truth.into_iter().find(|one| one["file"] == file && one["series"] == series).unwrap()
}

#[test]
fn nab_disk_writes_have_duplicates_a_gap_of_an_hour_and_huge_values() {
    let file = "nab/realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv";
    let known = truth(file, "value");
    assert_eq!((known["duplicates"].as_u64(), known["high"].as_f64()), (Some(11), Some(547_457_000.0)));
    let gap = time_of(&known["gaps"][0][1]).since(time_of(&known["gaps"][0][0]));
    assert_eq!(gap, Span::from_secs(61 * 60));
    check("nab_disk_writes", file, Span::from_secs(300), commas);
}

#[test]
fn nab_machine_temperature_steps_back_an_hour() {
    let file = "nab/realKnownCause/machine_temperature_system_failure.csv";
    let known = truth(file, "value");
    assert_eq!((known["backward"].as_u64(), known["duplicates"].as_u64()), (Some(1), Some(12)));
    check("nab_machine_temperature", file, Span::from_secs(300), commas);
}

#[test]
fn nab_host_load_is_regular() {
    check("nab_host_load", "nab/realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv", Span::from_secs(300), commas);
}

#[test]
fn skab_runs_have_gaps_of_seconds_and_one_of_76() {
    let known = truth("skab/valve1/2.csv", "Current");
    assert_eq!(time_of(&known["gaps"][0][1]).since(time_of(&known["gaps"][0][0])), Span::from_secs(76));
    for run in ["valve1/0", "valve1/1", "valve1/2", "valve1/3", "other/1", "other/5", "other/9"] {
        check("skab", &format!("skab/{run}.csv"), Span::from_secs(1), semicolons);
    }
}

#[test]
fn lbnl_air_handler_has_empty_cells_and_two_days_missing() {
    let file = "lbnl-ahu/SZVAV.csv";
    let (with_holes, whole) =
        (truth(file, "AHU: Supply Air Temperature Heating Set Point"), truth(file, "AHU: Return Air Temperature"));
    assert_eq!((with_holes["rows"].as_u64(), whole["rows"].as_u64()), (Some(15_839 - 590), Some(15_839)));
    let longest = whole["gaps"].as_array().unwrap().iter().map(|gap| time_of(&gap[1]).since(time_of(&gap[0]))).max();
    assert!(longest > Some(Span::from_secs(2 * 86_400)), "{longest:?}");
    check("lbnl_air_handler", file, Span::from_secs(60), commas);
}

#[test]
fn ett_is_two_years_of_single_precision_values_without_a_gap() {
    let file = "ett-transformer/ETTh1.csv";
    let known = truth(file, "OT");
    assert_eq!((known["rows"].as_u64(), known["gaps"].as_array().map(Vec::len)), (Some(17_420), Some(0)));
    check("ett", file, Span::from_secs(3_600), commas);
}

#[test]
fn the_cookie_factory_has_alarms_in_words_and_mixers_in_numbers() {
    check("cookie_factory", "aws-cookiefactory-v1/telemetry.csv", Span::from_secs(60), cookie_factory);
}

/// The script with the Python of `ORRERY_PYTHON` or of the path; its output, where that has pandas.
#[allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a test that asks another program, and says so when it can't")]
fn ask_pandas(test: &str, root: &Path) -> Option<String> {
    let python = std::env::var_os("ORRERY_PYTHON").unwrap_or_else(|| "python3".into());
    let has_pandas = std::process::Command::new(&python).args(["-c", "import pandas"]).output();
    if !has_pandas.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED (no pandas): {test}");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/pandas_truth.py");
    let output = std::process::Command::new(&python).arg(script).arg(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn pandas_still_says_what_is_written_down() {
    let test = "pandas_still_says_what_is_written_down";
    let Some(root) = shared(test) else { return };
    let Some(said) = ask_pandas(test, &root) else { return };
    for (said, written) in said.lines().zip(TRUTH.lines()) {
        assert_eq!(said, written);
    }
    assert_eq!(said.lines().count(), TRUTH.lines().count());
}
