//! One reader of cells behind every door: the same texts in a CSV source, in lines at `/ingest` and in an imported table
//! are the same samples.

use std::collections::BTreeMap;
use std::path::Path;

use gateway::site::Site;
use gateway::sources::{Inbox, Line, read_line};
use serde_json::{Value as Json, json};
use twin_model::{Flags, Quality, Sample, SourceIndex, Timestamp, Value};
use twin_site::SourceKind;

use crate::world::{Folder, orrery};

const SIGNALS: &str = r#"
[[twins]]
id = "t"
bind = false
signals = [{ name = "f" }, { name = "i", value = "int" }, { name = "b", value = "bool" }, { name = "x", value = "text" }]
"#;

pub(crate) fn site(source: &str) -> String {
    format!("[site]\nid = \"s\"\ntime_zone = \"Europe/Vienna\"\n{SIGNALS}[[sources]]\nid = \"src\"\n{source}\n")
}

/// What a door makes of a row: the sample in words, or nothing where the row is refused.
type Seen = Option<String>;

fn words(sample: &Sample) -> String {
    format!("{} {}", sample.source_time, reading(sample))
}

/// Value and quality of a sample in words.
pub(crate) fn reading(sample: &Sample) -> String {
    let value = if sample.has_value() { format!("{:?}", sample.value) } else { "none".to_owned() };
    format!("{value} {}", sample.quality)
}

/// Signal, value, time, quality as texts, and what they are: a value (or instant) in words and a quality, or nothing.
type Cells = (&'static str, &'static str, &'static str, &'static str, Option<(&'static str, &'static str)>);

const CELLS: &[Cells] = &[
    ("f", "21.5", "", "", Some(("Float(21.5)", "good"))),
    ("f", " 21.5 ", "", " Good ", Some(("Float(21.5)", "good"))),
    ("f", "1e3", "", "", Some(("Float(1000.0)", "good"))),
    ("f", "+7", "", "", Some(("Float(7.0)", "good"))),
    ("f", ".5", "", "", Some(("Float(0.5)", "good"))),
    ("f", "9007199254740993", "", "", Some(("Float(9007199254740992.0)", "good"))),
    ("f", "oops", "", "", Some(("none", "bad_type_mismatch"))),
    ("f", "true", "", "", Some(("none", "bad_type_mismatch"))),
    ("f", "1e400", "", "", Some(("none", "bad_out_of_range"))),
    ("f", "1e-400", "", "", Some(("Float(0.0)", "good"))),
    ("f", "Bad, Comm Failure", "", "", Some(("none", "bad_no_communication"))),
    ("f", "", "", "", Some(("none", "bad_no_data"))),
    ("f", "NaN", "", "", Some(("none", "bad_no_data"))),
    ("f", "null", "", "", Some(("none", "bad_no_data"))),
    ("f", "Bad", "", "", Some(("none", "bad"))),
    ("f", "#VALUE!", "", "", Some(("none", "bad"))),
    ("f", "I/O Timeout", "", "", Some(("none", "bad_timeout"))),
    ("f", "21.5", "", "uncertain", Some(("Float(21.5)", "uncertain"))),
    ("f", "21.5", "", "BadNotConnected", Some(("Float(21.5)", "bad_not_connected"))),
    ("f", "21.5", "", "0x808C0000", Some(("Float(21.5)", "bad_sensor_failure"))),
    ("f", "21.5", "", "2156658688", Some(("Float(21.5)", "bad_sensor_failure"))),
    ("f", "21.5", "", "splendid", Some(("Float(21.5)", "uncertain"))),
    ("f", "21.5", "", "Good, Non-specific", Some(("Float(21.5)", "good"))),
    ("f", "21.5", "", "Good, but drifting", Some(("Float(21.5)", "uncertain"))),
    ("f", "21.5", "", "Bad, Comm Failure", Some(("Float(21.5)", "bad_no_communication"))),
    ("f", "21.5", "", "Bad [Out of Service]", Some(("Float(21.5)", "bad_out_of_service"))),
    ("f", "21.5", "", "OPC_QUALITY_BAD", Some(("Float(21.5)", "bad"))),
    ("f", "21.5", "", "bad_foo_bar", Some(("Float(21.5)", "bad"))),
    ("f", "21.5", "", "0x80310000", Some(("Float(21.5)", "bad_no_communication"))),
    ("f", "oops", "", "bad_sensor_failure", Some(("none", "bad_sensor_failure"))),
    ("f", "", "", "uncertain", Some(("none", "bad_no_data"))),
    ("i", "7", "", "", Some(("Int(7)", "good"))),
    ("i", "7.0", "", "", Some(("Int(7)", "good"))),
    ("i", "9007199254740993", "", "", Some(("Int(9007199254740993)", "good"))),
    ("i", "9.007199254740993e15", "", "", Some(("Int(9007199254740993)", "good"))),
    ("i", "1e18", "", "", Some(("Int(1000000000000000000)", "good"))),
    ("i", "1e19", "", "", Some(("none", "bad_out_of_range"))),
    ("i", "9223372036854775808", "", "", Some(("none", "bad_out_of_range"))),
    ("i", "1.5", "", "", Some(("none", "bad_type_mismatch"))),
    ("i", "1e30", "", "", Some(("none", "bad_out_of_range"))),
    ("b", "true", "", "", Some(("Bool(true)", "good"))),
    ("b", "ON", "", "", Some(("Bool(true)", "good"))),
    ("b", "no", "", "", Some(("Bool(false)", "good"))),
    ("b", "Ja", "", "", Some(("Bool(true)", "good"))),
    ("b", "-1", "", "", Some(("Bool(true)", "good"))),
    ("b", "0.0", "", "", Some(("Bool(false)", "good"))),
    ("b", "2", "", "", Some(("none", "bad_type_mismatch"))),
    ("b", "#N/A", "", "", Some(("none", "bad"))),
    ("x", "Bad", "", "", Some(("Text(\"Bad\")", "good"))),
    ("x", "NaN", "", "", Some(("Text(\"NaN\")", "good"))),
    ("x", "  pad  ", "", "", Some(("Text(\"  pad  \")", "good"))),
    ("x", "21,5", "", "", Some(("Text(\"21,5\")", "good"))),
    ("x", "F\u{fc}llen \u{1f4a7}", "", "", Some(("Text(\"F\u{fc}llen \u{1f4a7}\")", "good"))),
    // Times: each written as it stands, in the zone of the site where it has no offset.
    ("i", "1", "2026-03-02T09:15:04+01:00", "", Some(("2026-03-02T08:15:04Z", ""))),
    ("i", "2", "2026-03-02 09:15:05", "", Some(("2026-03-02T08:15:05Z", ""))),
    ("i", "3", "2026-07-02 09:15:05", "", Some(("2026-07-02T07:15:05Z", ""))),
    ("i", "4", "2026-03-02T08:15:06,25Z", "", Some(("2026-03-02T08:15:06.25Z", ""))),
    ("i", "5", "2026-03-02T24:00", "", Some(("2026-03-02T23:00:00Z", ""))),
    ("i", "6", "2026-03-29 02:30:00", "", Some(("2026-03-29T01:30:00Z", ""))),
    ("i", "7", "2026-03-02T09:15[Europe/Berlin]", "", Some(("2026-03-02T08:15:00Z", ""))),
    ("i", "8", "2026-03-04", "", Some(("2026-03-03T23:00:00Z", ""))),
    ("i", "9", "1772438400", "", None),
    ("i", "10", "0001-01-01T00:00:00Z", "", None),
    ("i", "11", "2026-02-30T00:00:00Z", "", None),
    ("i", "12", "yesterday", "", None),
];

/// The time of a row that names none: each has an instant of its own, so that rows can be told apart.
fn time(row: usize) -> String {
    format!("2026-02-01T00:{:02}:{:02}Z", row / 60, row % 60)
}

struct Row {
    signal: String,
    value: &'static str,
    time: String,
    quality: &'static str,
}

fn rows() -> Vec<Row> {
    let row = |(at, (signal, value, time, quality, _)): (usize, &Cells)| Row {
        signal: format!("t.{signal}"),
        value,
        time: if time.is_empty() { self::time(at) } else { (*time).to_owned() },
        quality,
    };
    CELLS.iter().enumerate().map(row).collect()
}

fn table() -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut table = "signal,time,value,quality\n".to_owned();
    for row in rows() {
        let cells = [&row.signal, &row.time, row.value, row.quality].map(quoted);
        table.push_str(&format!("{}\n", cells.join(",")));
    }
    table
}

/// Samples of a table that `orrery export` wrote, by signal and time.
fn exported(csv: &str) -> BTreeMap<(String, Timestamp), String> {
    let mut all = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        // A text with a comma is the only cell that is quoted.
        let whole = line.split('"').nth(1);
        let t: Timestamp = cells[1].parse().unwrap();
        let null = line.ends_with("null");
        let value = match cells[3] {
            _ if null => "none".to_owned(),
            "double" => format!("{:?}", Value::Float(cells[4].parse().unwrap())),
            "int64" => format!("{:?}", Value::Int(cells[5].parse().unwrap())),
            "bool" => format!("{:?}", Value::Bool(cells[6] == "true")),
            _ => format!("{:?}", Value::text(whole.unwrap_or(cells[7]))),
        };
        let quality = cells[cells.len() - 3];
        all.insert((cells[0].to_owned(), t), format!("{t} {value} {quality}"));
    }
    all
}

/// What an export says about each row, found by its value's expected instant.
fn by_row(csv: &str, expected: &[Option<Timestamp>]) -> Vec<Seen> {
    let all = exported(csv);
    let found = |(row, t): (&Row, &Option<Timestamp>)| all.get(&(row.signal.clone(), (*t)?)).cloned();
    rows().iter().zip(expected).map(found).collect()
}

fn run(args: &[&str]) -> (i32, String, String) {
    orrery(args)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_same_cells_are_the_same_samples_behind_every_door() {
    let folder = Folder::new();
    let csv = "kind = \"csv\"\npath = \"cells.csv\"\nlayout = \"long\"\nkey = \"{signal}\"\nvalue = \"value\"\nquality = \"quality\"\n\
               time = { column = \"time\" }";
    let cells = folder.write("csv/cells.csv", table());
    let of_csv = folder.write("csv/site.toml", site(csv));
    let pushed = folder.write("pushed/site.toml", site("kind = \"websocket\""));

    // The expectation: an instant (the row's own where none is written), a value and a quality.
    let instants: Vec<Option<Timestamp>> = CELLS
        .iter()
        .enumerate()
        .map(|(at, (_, _, written, _, expected))| {
            let t = if written.is_empty() { time(at) } else { (*expected)?.0.to_owned() };
            Some(t.parse().unwrap())
        })
        .collect();

    // A table that a source plays.
    let (_, played, _) = run(&["export", text(&of_csv), "--sources", "--to", "2026-12-01T00:00:00Z", "-o", "-"]);
    let played = by_row(&played, &instants);

    // A table that is imported.
    let data = folder.0.join("data");
    let (code, said, err) = run(&["import-samples", text(&pushed), "--data", text(&data), text(&cells), "--json"]);
    assert_eq!(code, 1, "some rows are odd: {err}");
    let said: Json = serde_json::from_str(&said).unwrap();
    let (_, imported, _) = run(&["export", text(&pushed), "--data", text(&data), "-o", "-"]);
    let imported = by_row(&imported, &instants);

    // Lines of a sender.
    let loaded = Site::read_usable(&pushed).unwrap().loaded;
    let SourceKind::WebSocket { times, codes, .. } = &loaded.sources[0].kind else { panic!("no sender") };
    let inbox = Inbox::new(SourceIndex(0)).reading(times.clone(), *codes);
    let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let sent: Vec<Seen> = rows()
        .iter()
        .map(|row| {
            let line = json!({ "signal": row.signal, "value": row.value, "time": row.time, "quality": row.quality });
            match read_line(&loaded.model, &inbox, &line.to_string(), now) {
                Ok(Line::Sample(_, sample, ..)) => Some(words(&sample)),
                _ => None,
            }
        })
        .collect();

    let mut wrong = Vec::new();
    for (at, (signal, value, written, quality, expected)) in CELLS.iter().enumerate() {
        let what = format!("{signal} {value:?} {written:?} {quality:?}");
        let wanted = expected.map(|(value, quality)| format!("{} {value} {quality}", instants[at].unwrap()));
        let all = [&played[at], &imported[at], &sent[at]];
        let right = if written.is_empty() {
            all == [&wanted; 3]
        } else {
            all.iter().all(|one| *one == all[0] && one.is_some() == expected.is_some())
        };
        if !right {
            wrong.push(format!("{what}: wanted {wanted:?}\n  source {:?}\n  import {:?}\n  sender {:?}", all[0], all[1], all[2]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // What an import takes without saying anything is what needs nothing said.
    assert_eq!(said["times"], json!({ "without_offset": 5, "folds": 0, "guesses": 0, "skipped": 1, "zone": "Europe/Vienna" }));
    assert!(err.contains("5 times without an offset are read as Europe/Vienna"), "{err}");
    assert_eq!(said["refused_by_reason"]["bad_time"], 4);
    assert_eq!(said["noted_by_kind"]["unknown_quality"], 3);
}

/// A row of `t.f`, told to a source of a table, an import and a sender.
struct Told<'a> {
    /// Names of the columns behind signal and time, and the cells from the time on.
    table: (&'a str, String),
    /// Keys of the table's source, of the sender's, and options of the import.
    told: (String, String, &'a [&'a str]),
    line: Json,
}

/// What each makes of it, as an export or a sender's sample has it.
fn behind_every_door(folder: &Folder, name: &str, row: &Told<'_>) -> Vec<Option<String>> {
    let now = "2027-01-01T00:00:00Z";
    let Told { table: (columns, cells), told: (of_table, of_sender, of_import), line } = row;
    let csv = "kind = \"csv\"\npath = \"cells.csv\"\nlayout = \"long\"\nkey = \"{signal}\"\nvalue = \"value\"\n";
    let cells = folder.write("csv/cells.csv", format!("signal,time,{columns}\nt.f,{cells}\n"));
    let of_csv = folder.write("csv/site.toml", site(&format!("{csv}{of_table}")));
    let pushed = folder.write("pushed/site.toml", site(&format!("kind = \"websocket\"\n{of_sender}")));
    let data = folder.0.join(format!("data {}", name.replace('/', "_")));
    let of = |args: &[&str]| exported(&run(args).1).into_values().next();
    let played = of(&["export", text(&of_csv), "--sources", "--to", now, "-o", "-"]);
    run(&[&["import-samples", text(&pushed), "--data", text(&data), text(&cells)][..], of_import].concat());
    let imported = of(&["export", text(&pushed), "--data", text(&data), "-o", "-"]);
    let loaded = Site::read_usable(&pushed).unwrap().loaded;
    let SourceKind::WebSocket { times, codes, .. } = &loaded.sources[0].kind else { panic!("no sender") };
    let inbox = Inbox::new(SourceIndex(0)).reading(times.clone(), *codes);
    let sent = match read_line(&loaded.model, &inbox, &line.to_string(), now.parse().unwrap()) {
        Ok(Line::Sample(_, sample, ..)) => Some(words(&sample)),
        _ => None,
    };
    vec![played, imported, sent]
}

/// Quality of a value of 21.5 by OPC DA, as a text, behind a source of a table, an import and a sender.
fn by_opc_da(folder: &Folder, quality: &str) -> Vec<Option<String>> {
    let row = Told {
        table: ("value,quality", format!("{},21.5,{quality}", time(0))),
        told: (
            "quality = { column = \"quality\", codes = \"opc_da\" }\ntime = { column = \"time\" }".to_owned(),
            "quality = \"opc_da\"".to_owned(),
            &["--quality", "opc_da"],
        ),
        line: json!({ "signal": "t.f", "value": 21.5, "time": time(0), "quality": quality }),
    };
    let all = behind_every_door(folder, quality, &row).into_iter();
    all.map(|door| Some(door?.split_once("21.5) ")?.1.to_owned())).collect()
}

#[test]
fn a_bad_quality_of_opc_da_in_hexadecimal_is_bad_behind_every_door() {
    let folder = Folder::new();
    for (quality, expected) in [
        ("0x18", "bad_no_communication"),
        ("0x00", "bad"),
        ("0x40", "uncertain"),
        ("0XC0", "good"),
        ("24", "bad_no_communication"),
    ] {
        assert_eq!(by_opc_da(&folder, quality), vec![Some(expected.to_owned()); 3], "{quality}");
    }
}

#[test]
fn an_import_reads_as_it_is_told_to() {
    let folder = Folder::new();
    let site = folder.write("site.toml", site("kind = \"websocket\""));
    let table = folder.write(
        "lab.csv",
        "signal,time,value,quality\nt.f,1772438400,\"1.234,5\",192\nt.i,1772438401,\"7,0\",0\nt.b,1772438402,ein,64\n",
    );
    let data = folder.0.join("data");
    let import = ["import-samples", text(&site), "--data", text(&data), text(&table), "--json"];
    let how = ["--time-format", "epoch_s", "--decimal", ",", "--thousands", ".", "--quality", "opc_da"];
    let (code, out, err) = run(&[&import[..], &how].concat());
    assert_eq!(code, 0, "{err}{out}");
    let (_, csv, _) = run(&["export", text(&site), "--data", text(&data), "-o", "-"]);
    let found: Vec<String> = exported(&csv).into_values().collect();
    assert_eq!(
        found,
        [
            "2026-03-02T08:00:02Z Bool(true) uncertain",
            "2026-03-02T08:00:00Z Float(1234.5) good",
            "2026-03-02T08:00:01Z Int(7) bad",
        ]
    );
    // As spreadsheets of half of Europe write it.
    let table = "signal;time;value\nt.x;02.03.2026 09:00;F\u{fc}llen\nt.f;02.03.2026 09:00;1.234,5\n";
    let bytes: Vec<u8> = table.chars().map(|c| c as u8).collect();
    let table = folder.write("excel.csv", bytes);
    let (sheet, how) = (folder.0.join("sheet"), ["--separator", ";", "--encoding", "windows-1252", "--thousands", "."]);
    let import_sheet = ["import-samples", text(&site), "--data", text(&sheet), text(&table)];
    let (code, _, err) = run(&import_sheet);
    assert!(code == 2 && err.contains("say --separator"), "{err}");
    let (code, out, err) = run(&[&import_sheet[..], &how, &["--time-format", "%d.%m.%Y %H:%M"]].concat());
    assert_eq!(code, 0, "{err}{out}");
    let (_, csv, _) = run(&["export", text(&site), "--data", text(&sheet), "-o", "-"]);
    let found: Vec<String> = exported(&csv).into_values().collect();
    assert_eq!(found, ["2026-03-02T08:00:00Z Float(1234.5) good", "2026-03-02T08:00:00Z Text(\"F\u{fc}llen\") good",]);
    // Without being told, nothing is guessed: the answer says what to say.
    let (code, _, err) = run(&import);
    assert_eq!(code, 1);
    assert!(err.contains("it looks like 2026-03-02T08:00:00Z: say --time-format \"epoch_s\""), "{err}");
    for (option, value, word) in [
        ("--time-format", "epoch", "is not a time format; write rfc3339"),
        ("--time-format", "%Y", "lacks the month"),
        ("--zone", "Europe/Berlim", "is no time zone"),
        ("--thousands", ".", "the same mark"),
        ("--separator", ";;", "one character, or tab"),
    ] {
        let more: &[&str] = if option == "--thousands" { &["--decimal", "."] } else { &[] };
        let (code, _, err) = run(&[&import[..], &[option, value], more].concat());
        assert_eq!(code, 2, "{option} {value}: {err}");
        assert!(err.contains(word), "{word} in {err}");
    }
    // The zone of the import goes before that of the site.
    let table =
        folder.write("zoned.csv", "signal,time,value\nt.f,2026-03-02 12:00,1\nt.f,2026-10-25 02:30,2\nt.f,2026-10-25 02:30,3\n");
    let (data, zone) = (folder.0.join("zoned"), "Europe/Berlin");
    let (code, out, err) = run(&["import-samples", text(&site), "--data", text(&data), text(&table), "--zone", zone, "--json"]);
    assert_eq!(code, 0, "{err}");
    let json: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(json["times"], json!({ "without_offset": 3, "folds": 2, "guesses": 0, "skipped": 0, "zone": "Europe/Berlin" }));
    let (_, csv, _) = run(&["export", text(&site), "--data", text(&data), "-o", "-"]);
    let found: Vec<Timestamp> = exported(&csv).into_keys().map(|(_, t)| t).collect();
    let expected = ["2026-03-02T11:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map(|t| t.parse().unwrap());
    assert_eq!(found, expected, "the order of rows tells the hour that comes twice");
}

/// What a source of a table, an import and a sender make of a row `t.f` with a value and a time in a format.
fn by_format(folder: &Folder, format: &str, time: &str, value: &str) -> Vec<Option<String>> {
    let marks = "decimal = \",\"\nthousands = \".\"";
    // Numbers of senders have no marks of their own.
    let sent = value.replace('.', "").replace(',', ".");
    let row = Told {
        table: ("value", format!("{time},\"{value}\"")),
        told: (
            format!("{marks}\ntime = {{ column = \"time\", format = \"{format}\" }}"),
            format!("time = {{ format = \"{format}\" }}"),
            &["--time-format", format, "--decimal", ",", "--thousands", "."],
        ),
        line: json!({ "signal": "t.f", "value": sent, "time": time }),
    };
    behind_every_door(folder, &format!("{time}{value}"), &row)
}

#[test]
fn offsets_as_text_in_patterns_and_epochs_as_texts_are_the_same_times_behind_every_door() {
    let folder = Folder::new();
    for (format, time) in [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-07-02T08:00:00Z"),
        ("%Y-%m-%d %H:%M:%S UTC", "2026-07-02 08:00:00 UTC"),
        ("%Y-%m-%d %H:%M:%S+00:00", "2026-07-02 08:00:00+00:00"),
        ("%d.%m.%Y %H:%M GMT", "02.07.2026 08:00 GMT"),
        ("epoch_s", "1782979200"),
        ("epoch_ms", "1782979200000"),
        ("epoch_us", "1782979200000000"),
        ("seconds", "1782979200.0"),
    ] {
        let all = by_format(&folder, format, time, "1.500,25");
        assert_eq!(all, vec![Some("2026-07-02T08:00:00Z Float(1500.25) good".to_owned()); 3], "{format}");
    }
}

#[test]
fn a_group_of_thousands_never_begins_with_0() {
    let folder = Folder::new();
    for (at, value) in ["0.123", "-0.500", "00.500", "0.123.456", "1.000e-3", "0123.456"].into_iter().enumerate() {
        let seen = by_format(&folder, "epoch_s", &(1_782_979_200 + at).to_string(), value);
        let none = |door: &Option<String>| door.as_deref().is_some_and(|words| words.ends_with("none bad_type_mismatch"));
        assert!(seen[..2].iter().all(none), "{value}: {seen:?}");
    }
}

#[test]
fn an_import_follows_headers_and_keeps_rows_as_a_source_does() {
    let folder = Folder::new();
    let site = folder.write("site.toml", site("kind = \"websocket\""));
    let table = "sep=,\nsignal,time,value,quality,received_time\nt.f,2026-03-02T08:00:00Z,64,192,2026-03-02T08:00:09Z\n\
                 signal,time,quality,value,received_time\nt.f,2026-03-02T08:01:00Z,64,192,never\n";
    let table = folder.write("joined.csv", table);
    let data = folder.0.join("data");
    let args = ["import-samples", text(&site), "--data", text(&data), text(&table), "--quality", "opc_da", "--json"];
    let (code, out, err) = run(&args);
    let json: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &json["new"], &json["refused"], &json["noted_by_kind"]["received_time"]),
        (1, &2.into(), &0.into(), &1.into())
    );
    assert!(
        err.contains("line 5: its received time 'never' is not a time") && err.contains("taken as received when it was"),
        "{err}"
    );
    let (_, csv, _) = run(&["export", text(&site), "--data", text(&data), "-o", "-"]);
    let found: Vec<String> = exported(&csv).into_values().collect();
    assert_eq!(found, ["2026-03-02T08:00:00Z Float(64.0) good", "2026-03-02T08:01:00Z Float(192.0) uncertain"]);
    let bare = folder.write("bare.toml", format!("[site]\nid = \"s\"\n{SIGNALS}"));
    let local = folder.write("local.csv", "signal,time,value\nt.f,2026-03-02 08:00,1\n");
    let (_, _, err) = run(&["import-samples", text(&bare), "--data", text(&folder.0.join("bare")), text(&local)]);
    assert!(err.contains("or say which zone it is in (--zone, or time_zone under [site])"), "{err}");
}

#[test]
fn numbers_with_a_mark_that_nobody_declared_are_read_by_no_door() {
    let folder = Folder::new();
    let csv = "kind = \"csv\"\npath = \"cells.csv\"\nlayout = \"long\"\nkey = \"{signal}\"\nvalue = \"value\"\ntime = { column = \"time\" }";
    let of_csv = folder.write("csv/site.toml", site(csv));
    let pushed = folder.write("pushed/site.toml", site("kind = \"websocket\""));
    for value in ["21,5", "1'000", "1.234,5"] {
        let table = format!("signal,time,value\nt.f,2026-02-01T00:00:00Z,\"{value}\"\nt.i,2026-02-01T00:00:00Z,7\n");
        let cells = folder.write("csv/cells.csv", table);
        let (code, out, _) = run(&["check", text(&of_csv)]);
        assert!(code == 1 && out.contains("table.invalid") && out.contains("decimal"), "{out}");
        let data = folder.0.join(format!("data {value}"));
        let (code, out, err) = run(&["import-samples", text(&pushed), "--data", text(&data), text(&cells), "--json"]);
        let json: Json = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &json["new"], &json["refused_by_reason"]["bad_value"]), (1, &1.into(), &1.into()), "{err}");
        assert!(err.contains("--decimal"), "{err}");
    }
}

#[test]
fn no_door_takes_a_reading_without_a_value_for_a_good_one() {
    for (signal, value, _, _, expected) in CELLS {
        if let Some(("none", quality)) = expected {
            assert!(Quality::parse(quality).is_some_and(Quality::is_bad), "{signal} {value}");
        }
    }
    assert!(Sample::without_value(Timestamp::from_secs(1), twin_model::ValueKind::Float, Quality::GOOD).flags.has(Flags::NULL));
}
