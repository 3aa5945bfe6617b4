//! Tables out of history and back into it: nothing is lost, nothing is invented, and other programs read the same.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gateway::assemble::{PlantOptions, plant};
use gateway::site::Site;
use serde_json::{Value as Json, json};
use twin_model::{Flags, Quality, Sample, SignalIndex, Span, Value};

use crate::world::{Folder, SITE, at, orrery};

const TEXTS: [&str; 9] = ["RUN", "", "NaN", "a, b", "\"quoted\"", "two\nlines\r\n", " blanks ", "Füllen 💧", "null"];

fn sample(s: i64, value: Value) -> Sample {
    Sample { received_time: at(s) + Span::from_micros(1_234 + s), ..Sample::new(at(s), value) }
}

/// Every kind of value, time, quality and flag that a store can hold, in an order that is not the table's.
fn everything() -> Vec<(u32, Sample)> {
    let floats = [
        1.5,
        f64::NAN,
        -f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        5e-324,
        1e300,
        0.1 + 0.2,
        -123_456_789.123_456_78,
    ];
    let mut all: Vec<(u32, Sample)> = Vec::new();
    all.extend((0..).zip(floats).map(|(s, v)| (0, sample(s, Value::Float(v)))));
    all.extend((0..).zip([i64::MIN, -1, 0, i64::MAX]).map(|(s, v)| (1, sample(s, Value::Int(v)))));
    all.extend((0..).zip([true, false]).map(|(s, v)| (2, sample(s, Value::Bool(v)))));
    all.extend((0..).zip(TEXTS).map(|(s, v)| (3, sample(s, Value::text(v)))));
    for (s, bits) in [(20, 0x8031), (21, 0x80ab), (22, 0x4093), (23, 0xffff)] {
        all.push((4, sample(s, Value::Float(7.0)).with_quality(Quality::from_bits(bits))));
    }
    for bits in 0..32 {
        all.push((5, Sample { flags: Flags(bits), ..sample(i64::from(bits), Value::Int(7)) }));
    }
    // A prediction, far ahead of its receipt.
    let tomorrow = Sample { received_time: at(0), flags: Flags::PREDICTED, ..Sample::new(at(86_400), Value::Float(70.0)) };
    all.push((4, tomorrow));
    // The same instant twice (the later received wins), and a late one into a finished hour.
    all.push((4, sample(5_000, Value::Float(1.0))));
    all.push((4, Sample { received_time: at(5_002), ..Sample::new(at(5_000), Value::Float(2.0)) }));
    all.push((4, Sample { received_time: at(5_001), ..Sample::new(at(5_000), Value::Float(3.0)) }));
    all.push((4, Sample { received_time: at(5_000), flags: Flags::HISTORICAL, ..Sample::new(at(-7_000), Value::Float(4.0)) }));
    all
}

/// Distinct instants of [`everything`]: one of three duplicates stays.
const EVERYTHING: u64 = 11 + 4 + 2 + 9 + 4 + 32 + 1 + 1 + 1;

struct Bench {
    folder: Folder,
    site: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = Folder::new();
        let site = folder.write("site.toml", SITE);
        Self { folder, site }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    /// A data folder as a server leaves it: some hours sealed, the rest in batches.
    fn served(&self, samples: &[(u32, Sample)]) -> PathBuf {
        let data = self.path("served");
        let options = PlantOptions { data: Some(data.clone()), ..PlantOptions::default() };
        let plant = plant(&Site::read_usable(&self.site).unwrap(), &options).unwrap();
        // Few batches: the disk may give up some when there are many at once.
        for samples in samples.chunks(500) {
            let samples: Vec<_> = samples.iter().map(|(signal, sample)| (SignalIndex(*signal), sample.clone())).collect();
            plant.hub.ingest(&samples);
            plant.hub.flush();
        }
        plant.hub.seal(at(3_600));
        plant.hub.persist().unwrap().sync();
        data
    }

    fn export(&self, data: &Path, name: &str, more: &[&str]) -> Vec<u8> {
        let out = self.path(name);
        let mut args = vec!["export", text(&self.site), "--data", text(data), "-o", text(&out)];
        args.extend(more);
        let (code, said, err) = orrery(&args);
        assert_eq!((code, said.as_str()), (0, ""), "{err}");
        std::fs::read(out).unwrap()
    }

    fn import(&self, data: &str, files: &[&Path]) -> (i32, Json, String) {
        let data = self.path(data);
        let mut args = vec!["import-samples", text(&self.site), "--data", text(&data), "--json"];
        args.extend(files.iter().map(|file| text(file)));
        let (code, out, err) = orrery(&args);
        (code, serde_json::from_str(&out).unwrap_or(Json::Null), err)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn count(json: &Json, key: &str) -> u64 {
    json[key].as_u64().unwrap()
}

fn check_round_trip(ending: &str) {
    let bench = Bench::new();
    let served = bench.served(&everything());
    let first = bench.export(&served, &format!("first.{ending}"), &[]);
    let table = bench.path(&format!("first.{ending}"));
    let (code, json, err) = bench.import("copy", &[&table]);
    assert_eq!((code, count(&json, "rows"), count(&json, "new")), (0, EVERYTHING, EVERYTHING), "{err}");
    assert_eq!(bench.export(&bench.path("copy"), &format!("second.{ending}"), &[]), first, "out, in and out again");
    // The other format holds the same.
    let other = if ending == "csv" { "parquet" } else { "csv" };
    let of_copy = bench.export(&bench.path("copy"), &format!("copy.{other}"), &[]);
    assert_eq!(of_copy, bench.export(&served, &format!("served.{other}"), &[]));
    // Twice, and into the folder that it came from.
    for data in ["copy", "served"] {
        let (code, json, _) = bench.import(data, &[&table]);
        assert_eq!((code, count(&json, "new"), count(&json, "already_there")), (0, 0, EVERYTHING));
    }
    assert_eq!(bench.export(&bench.path("copy"), &format!("third.{ending}"), &[]), first);
}

#[test]
fn parquet_out_and_in_again_is_the_same_to_the_byte() {
    check_round_trip("parquet");
}

#[test]
fn csv_out_and_in_again_is_the_same_to_the_byte() {
    check_round_trip("csv");
}

#[test]
fn a_server_takes_over_what_was_imported() {
    let bench = Bench::new();
    let all = everything();
    let served = bench.served(&all);
    bench.export(&served, "t.parquet", &[]);
    assert_eq!(bench.import("copy", &[&bench.path("t.parquet")]).0, 0);
    let options = PlantOptions { data: Some(bench.path("copy")), ..PlantOptions::default() };
    let plant = plant(&Site::read_usable(&bench.site).unwrap(), &options).unwrap();
    // What lies far back is on disk only: asked for as a client does.
    let history = crate::disk::everything(&plant.hub);
    for (signal, sample) in &all[..20] {
        let held = history.latest_at(SignalIndex(*signal), sample.source_time);
        assert_eq!(held, Some(sample.clone().admitted()));
    }
    // Flags keep store-and-forward data and predictions from being "now".
    let live = history.live(SignalIndex(5)).unwrap();
    assert!(!live.flags.has(Flags::HISTORICAL), "{live:?}");
}

#[test]
fn the_bits_of_a_nan_survive_parquet() {
    let bench = Bench::new();
    let odd = f64::from_bits(0x7ff8_0000_0000_0123);
    let served = bench.served(&[(0, sample(1, Value::Float(odd)))]);
    bench.export(&served, "t.parquet", &[]);
    bench.import("copy", &[&bench.path("t.parquet")]);
    let options = PlantOptions { data: Some(bench.path("copy")), ..PlantOptions::default() };
    let plant = plant(&Site::read_usable(&bench.site).unwrap(), &options).unwrap();
    let held = plant.hub.with_store(|store| store.latest_at(SignalIndex(0), at(1))).unwrap();
    assert_eq!(held.value, Value::Float(odd));
}

#[test]
fn csv_is_as_documented_and_ordered_by_signal_then_time() {
    let bench = Bench::new();
    let late = Sample { received_time: at(9), ..Sample::new(at(-1), Value::Float(-0.0)) };
    let null = Sample { flags: Flags::NULL.with(Flags::HISTORICAL), ..Sample::new(at(1), Value::Float(f64::NAN)) };
    let served = bench.served(&[
        (3, sample(0, Value::text("a \"b\", c"))),
        (0, sample(0, Value::Float(70.0))),
        (0, null.with_quality(Quality::BAD_SENSOR_FAILURE)),
        (0, late),
    ]);
    let csv = String::from_utf8(bench.export(&served, "t.csv", &[])).unwrap();
    let expected = "\
signal,source_time,received_time,kind,value_double,value_int64,value_bool,value_text,unit,quality,quality_name,flags,flag_names
pump-01.flow,2026-03-02T08:15:03.000000Z,2026-03-02T08:15:13.000000Z,double,-0.0,,,,l/min,0,good,0,
pump-01.flow,2026-03-02T08:15:04.000000Z,2026-03-02T08:15:04.001234Z,double,70.0,,,,l/min,0,good,0,
pump-01.flow,2026-03-02T08:15:05.000000Z,2026-03-02T08:15:05.000000Z,double,,,,,l/min,32908,bad_sensor_failure,17,historical|null
pump-01.mode,2026-03-02T08:15:04.000000Z,2026-03-02T08:15:04.001234Z,text,,,,\"a \"\"b\"\", c\",,0,good,0,
";
    assert_eq!(csv, expected);
    let lines = |more: &[&str]| bench.export(&served, "t.csv", more).iter().filter(|byte| **byte == b'\n').count() - 1;
    assert_eq!(lines(&["--signal", "*.mode"]), 1);
    assert_eq!(lines(&["--signal", "*.mode", "--signal", "pump-01.*"]), 4);
    assert_eq!(lines(&["--from", &at(0).to_string(), "--to", &at(1).to_string()]), 2, "--to is left out");
    assert_eq!(lines(&["--to", "2000-01-01T00:00:00Z"]), 0, "only the names of the columns");
    let (code, out, err) = orrery(&["export", text(&bench.site), "--data", text(&served), "-o", "-"]);
    assert_eq!((code, out.as_str()), (0, expected));
    assert!(err.contains("4 samples of 2 signals"), "{err}");
}

#[test]
fn a_table_of_signal_time_and_value_is_enough() {
    let bench = Bench::new();
    let table = bench.folder.write(
        "lab.csv",
        "signal,time,value,who\n\
         pump-01.flow,2026-03-02T09:15:04.5+01:00,71,Ann\n\
         pump-01.starts,2026-03-02T08:15:04Z,12,Bob\n\
         pump-01.running,2026-03-02T08:15:04Z,true,Bob\n\
         pump-01.mode,2026-03-02T08:15:04Z,\"rinse, hot\",Bob\n",
    );
    let (code, json, err) = bench.import("data", &[&table]);
    assert_eq!((code, count(&json, "new")), (0, 4), "{err}");
    let csv = String::from_utf8(bench.export(&bench.path("data"), "t.csv", &[])).unwrap();
    let row = "pump-01.flow,2026-03-02T08:15:04.500000Z,2026-03-02T08:15:04.500000Z,double,71.0,,,,l/min,0,good,1,historical";
    assert!(csv.contains(row), "{csv}");
    let (_, json, _) = bench.import("data", &[&table]);
    assert_eq!((count(&json, "new"), count(&json, "already_there")), (0, 4));
}

/// A series from before a signal's kind of values was changed, as an export writes it.
#[test]
fn rows_of_another_kind_are_refused_by_name_and_the_others_taken() {
    let bench = Bench::new();
    let head = "signal,source_time,received_time,kind,value_double,value_int64,value_bool,value_text,unit,quality,quality_name,flags,flag_names\n";
    let row = |s: i64, kind: &str, cells: &str| {
        let t = at(s);
        format!("pump-01.mode,{t},{t},{kind},{cells},,0,good,0,\n")
    };
    let rows = [row(0, "double", "7.0,,,"), row(1, "text", ",,,RUN"), row(2, "int64", ",8,,")].concat();
    let table = bench.folder.write("before.csv", format!("{head}{rows}"));
    let (code, json, err) = bench.import("data", &[&table]);
    assert_eq!((code, count(&json, "new"), count(&json, "refused")), (1, 1, 2), "{err}");
    for words in
        ["line 2: 'pump-01.mode' takes texts, the row has '7.0' of kind double", "'8' of kind int64", "value` in the site file"]
    {
        assert!(err.contains(words), "{words}: {err}");
    }
}

#[test]
fn refused_rows_are_counted_and_the_first_of_each_kind_named() {
    let bench = Bench::new();
    let mut table = "signal,time,value,unit,quality,flags\n".to_owned();
    table.push_str("pump-01.flow,2026-03-02T08:15:04Z,70,l/min,,\n");
    for n in 0..40 {
        table.push_str(&format!("pump-09.flow,2026-03-02T08:15:{n:02}Z,70,,,\n"));
    }
    table.push_str(
        "pump-01.flow,2026-03-02T08:15:05,70,,,\n\
         pump-01.flow,,70,,,\n\
         pump-01.flow,2026-03-02T08:15:15Z,much,,,\n\
         pump-01.flow,2026-03-02T08:15:25Z,,,,\n\
         pump-01.starts,2026-03-02T08:15:05Z,1.5,,,\n\
         pump-01.flow,2026-03-02T08:15:05Z,70,gal/h,,\n\
         pump-01.flow,2026-03-02T08:15:35Z,70,,splendid,\n\
         pump-01.flow,2026-03-02T08:15:05Z,70,,192,\n\
         pump-01.flow,2026-03-02T08:15:05Z,70,,,512\n\
         pump-01.flow,2026-03-02T08:15:05Z,70\n\
         pump-01.flow,2026-03-02T08:15:06Z,71,,uncertain,manual\n",
    );
    let windows = bench.folder.write("windows.csv", table.replace('\n', "\r\n"));
    let table = bench.folder.write("odd.csv", table);
    let (code, json, err) = bench.import("data", &[&table]);
    assert_eq!(code, 1, "{err}");
    assert_eq!((count(&json, "rows"), count(&json, "new"), count(&json, "refused")), (52, 6, 46));
    let of_windows = bench.import("other", &[&windows]).1;
    for part in ["first_refused", "first_noted", "refused_by_reason"] {
        let text = |json: &serde_json::Value| json[part].to_string().replace("windows.csv", "odd.csv");
        assert_eq!(text(&of_windows), text(&json), "lines that end in two characters have the same numbers");
    }
    let reasons = json!({"unknown_signal": 40, "bad_time": 2, "bad_value": 0, "other_unit": 1, "bad_quality_or_flags": 2,
                         "broken_row": 1});
    assert_eq!(json["noted_by_kind"], json!({"no_value": 2, "rounded": 0, "unknown_quality": 1, "received_time": 0}));
    let noted: Vec<u64> = json["first_noted"].as_array().unwrap().iter().map(|row| count(row, "row")).collect();
    assert_eq!(noted, [45, 47, 49]);
    assert_eq!(json["refused_by_reason"], reasons);
    let named: Vec<u64> = json["first_refused"].as_array().unwrap().iter().map(|row| count(row, "row")).collect();
    assert_eq!(named, [3, 43, 44, 48, 50, 51, 52], "an unknown signal is named once: {err}");
    for part in [
        "odd.csv, line 3: there is no signal 'pump-09.flow'; signals are named <twin>.<signal>",
        "line 43: its source time '2026-03-02T08:15:05' has no offset",
        "line 45: pump-01.flow: 'much' is not a number; taken as a reading without a value",
        "line 47: pump-01.starts: '1.5' is not a whole number; taken as a reading without a value",
        "line 48: values of 'pump-01.flow' are in l/min, the row is in 'gal/h'; convert the values",
        "line 49: 'splendid' is no known quality; taken as uncertain",
        "line 50: its quality is '192'; numbers of OPC DA need --quality opc_da",
        "line 51: its flags are '512'",
        "line 52: it has 3 cells, the header has 6",
    ] {
        assert!(err.contains(part), "{part} in {err}");
    }
}

#[test]
fn a_row_without_a_value_is_a_reading_without_one_and_comes_back_as_such() {
    let bench = Bench::new();
    let head = "signal,time,value,quality\n";
    let rows =
        format!("{head}pump-01.flow,{},7,good\npump-01.flow,{},,\npump-01.flow,{},,bad_not_connected\n", at(0), at(1), at(2));
    let table = bench.folder.write("gaps.csv", rows);
    let (code, json, err) = bench.import("data", &[&table]);
    assert_eq!((code, count(&json, "new")), (0, 3), "{err}");
    for name in ["t.csv", "t.parquet"] {
        let out = bench.export(&bench.path("data"), name, &[]);
        if name == "t.csv" {
            let csv = String::from_utf8(out).unwrap();
            assert!(csv.contains(",double,,,,,l/min,32923,bad_no_data,17,historical|null\n"), "{csv}");
            assert!(csv.contains(",double,,,,,l/min,32906,bad_not_connected,17,historical|null\n"), "{csv}");
        }
        let copy = format!("copy-{name}");
        let (code, json, err) = bench.import(&copy, &[&bench.path(name)]);
        assert_eq!((code, count(&json, "new")), (0, 3), "{err}");
        let (_, json, _) = bench.import(&copy, &[&bench.path(name)]);
        assert_eq!((count(&json, "new"), count(&json, "already_there")), (0, 3));
    }
}

#[test]
fn the_later_received_wins_and_at_the_same_time_what_is_there_stays() {
    let bench = Bench::new();
    let head = "signal,source_time,received_time,value\n";
    let row = |received: i64, value: &str| format!("pump-01.flow,{},{},{value}\n", at(0), at(received));
    let first = bench.folder.write("first.csv", format!("{head}{}{}", row(10, "1"), row(10, "2")));
    let (_, json, err) = bench.import("data", &[&first]);
    assert_eq!((count(&json, "new"), count(&json, "kept")), (1, 1), "{err}");
    let now = |name: &str| String::from_utf8(bench.export(&bench.path("data"), name, &[])).unwrap();
    assert!(now("a.csv").contains("double,1.0"));
    let second = bench.folder.write("second.csv", format!("{head}{}{}", row(9, "3"), row(11, "4")));
    let (_, json, _) = bench.import("data", &[&second]);
    assert_eq!((count(&json, "replaced"), count(&json, "kept")), (1, 1));
    assert!(now("b.csv").contains("double,4.0"));
    let (_, json, _) = bench.import("data", &[&first, &second]);
    assert_eq!((count(&json, "new"), count(&json, "replaced")), (0, 0), "twice changes nothing");
}

#[test]
fn a_source_time_far_ahead_of_its_receipt_is_kept_for_the_server_too() {
    let bench = Bench::new();
    let (ahead, received) = (at(3 * 3_600), at(0));
    let row = format!("signal,source_time,received_time,value\npump-01.flow,{ahead},{received},70\n");
    let table = bench.folder.write("ahead.csv", row);
    let (code, json, err) = bench.import("data", &[&table]);
    assert_eq!((code, count(&json, "new")), (0, 1), "{err}");
    let options = PlantOptions { data: Some(bench.path("data")), ..PlantOptions::default() };
    let plant = plant(&Site::read_usable(&bench.site).unwrap(), &options).unwrap();
    let held = plant.hub.with_store(|store| store.latest_at(SignalIndex(0), ahead)).unwrap();
    assert_eq!((held.received_time, held.value), (received, Value::Float(70.0)));
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    use std::io::BufRead as _;
    let bench = Bench::new();
    let data = bench.served(&(0..9_000).map(|s| (0, sample(s, Value::Float(s as f64)))).collect::<Vec<_>>());
    let mut child = Command::new(env!("CARGO_BIN_EXE_orrery"))
        .args(["export", text(&bench.site), "--data", text(&data), "-o", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // As `head -3` does.
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let head: Vec<String> = lines.by_ref().take(3).map(Result::unwrap).collect();
    assert!(head[0].starts_with("signal,") && head[1].starts_with("pump-01.flow,") && head[2].contains(",1.0"), "{head:?}");
    drop(lines);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    let given: u64 = said.split(" samples of 1 signals").next().unwrap().rsplit(' ').next().unwrap().parse().expect(&said);
    assert!(said.contains("were given out when whoever read them went away"), "{said}");
    assert!((2..9_000).contains(&given), "neither none nor all: {said}");
}

#[test]
fn older_data_goes_in_before_and_between_what_is_there() {
    let bench = Bench::new();
    let samples =
        |seconds: &[i64]| -> Vec<(u32, Sample)> { seconds.iter().map(|s| (0, sample(*s, Value::Float(*s as f64)))).collect() };
    let all: Vec<i64> = (0..20_000).collect();
    let (odd, even): (Vec<i64>, Vec<i64>) = all.iter().partition(|s| **s % 2 == 1);
    let whole = bench.served(&samples(&all));
    let expected = bench.export(&whole, "whole.parquet", &[]);
    std::fs::remove_dir_all(&whole).unwrap();
    bench.export(&bench.served(&samples(&odd)), "odd.parquet", &[]);
    std::fs::remove_dir_all(&whole).unwrap();
    let data = bench.served(&samples(&even));
    let (code, json, err) = bench.import("served", &[&bench.path("odd.parquet")]);
    assert_eq!((code, count(&json, "new")), (0, odd.len() as u64), "{err}");
    assert_eq!(bench.export(&data, "both.parquet", &[]), expected);
}

#[test]
fn a_folder_in_use_can_be_exported_but_not_imported_into() {
    let bench = Bench::new();
    let data = bench.path("data");
    let options = PlantOptions { data: Some(data.clone()), ..PlantOptions::default() };
    let plant = plant(&Site::read_usable(&bench.site).unwrap(), &options).unwrap();
    plant.hub.ingest(&[(SignalIndex(0), sample(0, Value::Float(70.0)))]);
    plant.hub.flush();
    plant.hub.persist().unwrap().sync();
    assert!(String::from_utf8(bench.export(&data, "t.csv", &[])).unwrap().contains("double,70.0"));
    let (code, _, err) = bench.import("data", &[&bench.path("t.csv")]);
    assert_eq!(code, 2);
    assert!(err.contains("another server uses this data folder"), "{err}");
}

#[test]
fn what_is_no_table_is_refused_and_nothing_of_the_others_is_taken() {
    let bench = Bench::new();
    let served = bench.served(&everything());
    let whole = bench.export(&served, "whole.parquet", &[]);
    let good = bench.path("whole.parquet");
    for (name, bytes, part) in [
        ("torn.parquet", whole[..whole.len() / 2].to_vec(), "torn.parquet"),
        ("letter.parquet", b"dear aunt".to_vec(), "no Parquet file"),
        ("empty.csv", Vec::new(), "it is empty; the first line must name the columns"),
        ("other.csv", b"when,what\n1,2\n".to_vec(), "it has no column signal; it has: when, what"),
    ] {
        let bad = bench.folder.write(name, bytes);
        let (code, json, err) = bench.import("data", &[&good, &bad]);
        assert_eq!((code, json), (2, Json::Null), "{name}: {err}");
        assert!(err.contains(part), "{part} in {err}");
    }
    let (code, json, _) = bench.import("data", &[&good]);
    assert_eq!((code, count(&json, "new")), (0, EVERYTHING), "nothing was there yet");
    let mut flipped = whole;
    let middle = flipped.len() / 3;
    for byte in &mut flipped[middle..middle + 200] {
        *byte ^= 0x55;
    }
    let bad = bench.folder.write("flipped.parquet", flipped);
    let (code, ..) = bench.import("data", &[&bad]);
    assert!((0..=2).contains(&code), "damage is an error or refused rows, never a panic: {code}");
}

#[test]
fn a_wrong_question_is_answered_with_what_to_do() {
    let bench = Bench::new();
    let data = bench.served(&[(0, sample(0, Value::Float(70.0)))]);
    let site = text(&bench.site);
    let out = bench.path("t.csv");
    for (args, part) in [
        (vec!["--data", text(&data), "-o", "t.txt"], "does not end in .parquet or .csv; name a --format"),
        (vec!["--data", text(&data), "-o", text(&out), "--signal", "pumpe*"], "no signal matches 'pumpe*'"),
        (
            vec!["--data", text(&data), "-o", text(&out), "--from", "2026-03-02T08:00:00Z", "--to", "2026-03-02T07:00:00Z"],
            "--from is not before --to",
        ),
        (vec!["--data", text(&data), "-o", "/nowhere/t.csv"], "can't write /nowhere/t.csv"),
        (vec!["--data", "/nowhere", "-o", text(&out)], "history in /nowhere"),
        (vec!["-o", text(&out)], "--data"),
    ] {
        let mut all = vec!["export", site];
        all.extend(args);
        let (code, _, err) = orrery(&all);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(part), "{part} in {err}");
    }
    assert!(!out.exists());
}

/// A limit on the size of files stands for a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_file_and_no_half_one() {
    let bench = Bench::new();
    let samples: Vec<(u32, Sample)> = (0..9_000).map(|s| (0, sample(s, Value::Float((s * s) as f64 / 7.0)))).collect();
    let data = bench.served(&samples);
    let folder = bench.path("out");
    std::fs::create_dir(&folder).unwrap();
    for name in ["t.csv", "t.parquet"] {
        let path = folder.join(name);
        std::fs::write(&path, "old").unwrap();
        let shell = r#"trap '' XFSZ; ulimit -f 64; exec "$0" "$@""#;
        let args = ["export", text(&bench.site), "--data", text(&data), "-o", text(&path)];
        let output = Command::new("sh").args(["-c", shell, env!("CARGO_BIN_EXE_orrery")]).args(args).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains("can't write") && err.contains("the space left"), "{err}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), if name == "t.csv" { 1 } else { 2 }, "nothing else is left");
    }
}

/// `$ORRERY_PYTHON` or `python3`, where it has what `examples/read_export.py` needs.
fn python(test: &str) -> Option<std::ffi::OsString> {
    let python = std::env::var_os("ORRERY_PYTHON").unwrap_or_else(|| "python3".into());
    let has = Command::new(&python).args(["-c", "import duckdb, pandas, pyarrow"]).stderr(Stdio::null()).status();
    if has.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    eprintln!("SKIPPED (no duckdb/pandas): {test}");
    None
}

#[test]
fn pandas_and_duckdb_read_the_same_as_was_written() {
    let Some(python) = python("pandas_and_duckdb_read_the_same_as_was_written") else { return };
    let bench = Bench::new();
    // Quarters: their sum is exact in any order.
    let mut samples: Vec<(u32, Sample)> = (0..3_000).map(|s| (0, sample(s, Value::Float(s as f64 / 4.0 - 100.0)))).collect();
    let odd = [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0];
    samples.extend((3_000..).zip(odd).map(|(s, v)| (0, sample(s, Value::Float(v)))));
    samples.extend((0..).zip([i64::MIN, -1, i64::MAX]).map(|(s, v)| (1, sample(s, Value::Int(v)))));
    samples.extend((0..).zip([true, false, true]).map(|(s, v)| (2, sample(s, Value::Bool(v)))));
    samples.extend((0..).zip(TEXTS).map(|(s, v)| (3, sample(s, Value::text(v)))));
    samples.push((4, Sample { flags: Flags::NULL, ..sample(7_000, Value::Float(0.0)) }.with_quality(Quality::BAD)));
    let data = bench.served(&samples);
    bench.export(&data, "t.parquet", &[]);
    bench.export(&data, "t.csv", &[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/read_export.py");
    let files = [bench.path("t.parquet"), bench.path("t.csv")];
    let output = Command::new(python).arg(script).args(&files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Json = serde_json::from_str(&said).unwrap();
    let mut texts = TEXTS.to_vec();
    texts.sort_unstable();
    let sum: f64 = (0..3_000).map(|s| f64::from(s) / 4.0 - 100.0).sum();
    let expected = json!({
        "rows": samples.len(), "signals": 5, "kinds": {"double": 3_006, "int64": 3, "bool": 3, "text": 9},
        "sum_double": sum, "nan": 2, "infinite": 2, "min_int64": i64::MIN, "max_int64": i64::MAX, "true": 2, "texts": texts,
        // The null, and both that are no number.
        "sum_quality": 3 * 0x8000, "sum_flags": 16, "first_us": at(0).as_micros(), "last_us": at(7_000).as_micros(),
    });
    for file in &files {
        for reader in ["pandas", "duckdb"] {
            let mut found = json[text(file)][reader].clone();
            let types = found.as_object_mut().unwrap().remove("types").unwrap();
            assert_eq!(found, expected, "{reader} reads {}", file.display());
            let expected: [(&str, &str, &str); 8] = [
                ("source_time", "datetime64[us, UTC]", "TIMESTAMP WITH TIME ZONE"),
                ("received_time", "datetime64[us, UTC]", "TIMESTAMP WITH TIME ZONE"),
                ("value_double", "Float64", "DOUBLE"),
                ("value_int64", "Int64", "BIGINT"),
                ("value_bool", "boolean", "BOOLEAN"),
                ("value_text", "string", "VARCHAR"),
                ("quality", "UInt16", "USMALLINT"),
                ("flags", "UInt8", "UTINYINT"),
            ];
            if reader == "duckdb" || file.extension().unwrap() == "parquet" {
                for (column, pandas, duckdb) in expected {
                    assert_eq!(types[column], if reader == "pandas" { pandas } else { duckdb }, "{column} of {}", file.display());
                }
            }
        }
    }
}

#[test]
fn tables_that_pandas_and_duckdb_made_are_taken() {
    let Some(python) = python("tables_that_pandas_and_duckdb_made_are_taken") else { return };
    let bench = Bench::new();
    let script = r#"
import sys, duckdb, pandas as pd
t = pd.to_datetime(["2026-03-02T08:15:04.123456789Z", "2026-03-02T08:15:05.000000000Z"])
made = pd.DataFrame({"signal": pd.Categorical(["pump-01.flow", "pump-01.starts"]), "time": t.as_unit("ns"), "value": [1.0, 2.0]})
made.to_parquet(sys.argv[1] + "/nanos.parquet")
made.assign(time=t.as_unit("ms"), value=["1.0", "2"]).to_parquet(sys.argv[1] + "/texts.parquet")
made.assign(time=t.tz_localize(None)).to_parquet(sys.argv[1] + "/naive.parquet")
made.assign(value=[float("nan"), 2.0]).to_parquet(sys.argv[1] + "/missing.parquet")
made.to_parquet(sys.argv[1] + "/zstd.parquet", compression="zstd")
made.to_csv(sys.argv[1] + "/pandas.csv", index=False)
rows = "SELECT 'pump-01.flow' AS signal, timestamptz '2026-03-02 08:15:04Z' + interval (i) second AS time, i / 2 AS value FROM range(20000) t(i)"
duckdb.sql(f"COPY ({rows}) TO '{sys.argv[1]}/duck.parquet'")
duckdb.sql(f"COPY ({rows}) TO '{sys.argv[1]}/duck.csv'")
"#;
    let output = Command::new(python).args(["-c", script, text(&bench.folder.0)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (name, code, new, refused, part) in [
        ("nanos.parquet", 0, 2, 0, ""),
        ("texts.parquet", 0, 2, 0, ""),
        ("pandas.csv", 0, 2, 0, ""),
        ("naive.parquet", 1, 0, 2, "row 1: its source time has no time zone; say which zone"),
        ("duck.parquet", 0, 20_000, 0, ""),
        ("duck.csv", 0, 20_000, 0, ""),
    ] {
        let (found, json, err) = bench.import(&format!("data-{name}"), &[&bench.path(name)]);
        assert_eq!((found, count(&json, "new"), count(&json, "refused")), (code, new, refused), "{name}: {err}");
        assert!(err.contains(part), "{part} in {err}");
    }
    let csv = String::from_utf8(bench.export(&bench.path("data-nanos.parquet"), "t.csv", &[])).unwrap();
    assert!(csv.contains("pump-01.flow,2026-03-02T08:15:04.123456Z") && csv.contains("int64,,2,"), "{csv}");
    // Typed times without a zone are read like texts without an offset: in the zone that somebody names.
    let (data, naive) = (bench.path("data-zoned"), bench.path("naive.parquet"));
    let zoned = ["import-samples", text(&bench.site), "--data", text(&data), text(&naive), "--zone", "Europe/Berlin"];
    let (code, _, err) = orrery(&zoned);
    assert!(code == 0 && err.contains("2 times without an offset are read as Europe/Berlin"), "{err}");
    let csv = String::from_utf8(bench.export(&data, "t.csv", &[])).unwrap();
    assert!(csv.contains("pump-01.flow,2026-03-02T07:15:04.123456Z"), "{csv}");
    // What pandas has no value for is a reading without one, never a number.
    let (code, _, err) = bench.import("data-missing", &[&bench.path("missing.parquet")]);
    assert_eq!(code, 0, "{err}");
    let csv = String::from_utf8(bench.export(&bench.path("data-missing"), "t.csv", &[])).unwrap();
    assert_eq!(csv.matches(",,,,,l/min,32923,bad_no_data,17,historical|null").count(), 1, "{csv}");
    let (code, _, err) = bench.import("data", &[&bench.path("zstd.parquet")]);
    assert_eq!((code, err.contains("write it with compression snappy or none")), (2, true), "{err}");
}

#[test]
fn a_recording_is_exported_like_the_history_that_it_holds() {
    let bench = Bench::new();
    let site = crate::commands::logged_site(&bench.folder);
    let (recording, one, two) = (bench.path("r.orrec"), bench.path("one.csv"), bench.path("two.csv"));
    let (code, _, err) = orrery(&["record", &site, text(&recording), "--speed", "max"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(orrery(&["export", "--recording", text(&recording), "-o", text(&one)]).0, 0);
    assert_eq!(orrery(&["export", &site, "--sources", "--to", "2026-03-03T00:00:00Z", "-o", text(&two)]).0, 0);
    let (one, two) = (std::fs::read_to_string(one).unwrap(), std::fs::read_to_string(two).unwrap());
    let rows = |csv: &str| -> Vec<(String, String)> {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        csv.lines().map(cells).map(|cells| (cells[0].clone(), cells[4].clone() + &cells[7])).collect()
    };
    assert_eq!(rows(&one), rows(&two));
    assert_eq!(rows(&one).len(), 5, "four samples, one without a value, and the names of the columns");
}

#[test]
fn what_was_imported_is_shown_however_far_ahead_of_its_receipt_it_is() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE);
    let table = folder.write(
        "table.csv",
        "signal,time,received_time,value\n\
         pump-01.flow,2026-03-02T08:00:00Z,2026-03-02T08:00:01Z,1\n\
         pump-01.flow,2026-03-02T11:00:00Z,2026-03-02T08:21:00Z,4\n",
    );
    let (site, data, table) =
        (site.display().to_string(), folder.0.join("data").display().to_string(), table.display().to_string());
    let (code, out, err) = orrery(&["import-samples", &site, "--data", &data, &table]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = orrery(&["state", &site, "--data", &data, "--at", "2026-03-02T11:05:00Z", "--json"]);
    assert_eq!(code, 0, "{err}");
    let state: serde_json::Value = serde_json::from_str(&out).unwrap();
    let signals = state["twins"][0]["signals"].as_array().unwrap();
    let flow = signals.iter().find(|signal| signal["id"] == "pump-01.flow").unwrap();
    assert_eq!((&flow["value"], &flow["time"]), (&4.0.into(), &"2026-03-02T11:00:00Z".into()), "{out}");
}

#[test]
fn the_folder_of_another_plant_is_not_read_without_a_word() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    let other = SITE.replacen("[site]\nid = \"", "[site]\nid = \"other-", 1);
    assert!(other != SITE);
    let other = folder.write("other.toml", other).display().to_string();
    let table = folder.write("t.csv", "signal,time,value\npump-01.flow,2026-03-02T08:00:00Z,1\n").display().to_string();
    let data = folder.0.join("data").display().to_string();
    assert_eq!(orrery(&["import-samples", &site, "--data", &data, &table]).0, 0);
    // As a server leaves it there.
    let published = format!("{data}/publication");
    let (code, _, err) = orrery(&["compile", &site, "-o", &published]);
    assert_eq!(code, 0, "{err}");
    for (of, told) in [(&site, false), (&other, true)] {
        let (again, at) = (table.as_str(), "2026-03-02T08:00:30Z");
        for args in [
            &["state", of, "--data", &data, "--at", at, "--judge-by", "now"][..],
            &["export", of, "--data", &data, "--judge-by", "now", "-o", "-"],
            &["import-samples", of, "--data", &data, again],
        ] {
            let (code, out, err) = orrery(args);
            assert_eq!(code, 0, "{args:?}: {out}{err}");
            assert_eq!(err.contains("is it the folder of another plant?"), told, "{args:?}: {err}");
        }
    }
}
