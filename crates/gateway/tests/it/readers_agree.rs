//! Readers agree, as a property: whatever stands in a row, the source of a table, an import and a sender make the same of it, and
//! whoever reads history later gets the same samples.

use std::collections::BTreeMap;

use gateway::headless::{self, From};
use gateway::site::Site;
use gateway::sources::{Inbox, Line, read_line};
use serde_json::json;
use twin_model::{SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_site::SourceKind;

use crate::readers::{reading, site, text};
use crate::series::Random;
use crate::world::{Folder, orrery};

const ROWS: u64 = 60;
const SIGNAL_NAMES: [&str; 4] = ["t.f", "t.i", "t.b", "t.x"];

const VALUES: &[&str] = &[
    "21.5",
    "-0",
    "+7",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "1e400",
    "-1e400",
    "1e-400",
    "9007199254740993",
    "9.007199254740993e15",
    "1e19",
    "7.0",
    "1_000",
    "0x1F",
    "1,5",
    "1.234,5",
    "1'000",
    "21.5 °C",
    "true",
    "FALSE",
    "on",
    "Aus",
    "ja",
    "2",
    "",
    " ",
    "null",
    "None",
    "n/a",
    "-",
    "NaN",
    "inf",
    "-Infinity",
    "Bad",
    "Bad, Comm Failure",
    "#VALUE!",
    "#N/A",
    "I/O Timeout",
    "offline",
    "unavailable",
    "Füllen",
    "\"",
    "a,b",
    "\u{0}",
    "\u{feff}1",
    "١٢",
    "½",
    "--5",
    "1 2",
    "=1+1",
];

const QUALITIES: &[&str] = &[
    "",
    "",
    "",
    "good",
    "Good",
    " GOOD ",
    "uncertain",
    "bad",
    "BadNotConnected",
    "bad_sensor_failure",
    "0x808C0000",
    "2156658688",
    "0",
    "0xC0",
    "192",
    "64",
    "-1",
    "splendid",
    "Good, but drifting",
    "Bad [Out of Service]",
    "bad_foo",
    "OPC_QUALITY_BAD",
    "null",
    "\u{0}",
    "0x",
    "1e3",
];

/// Ways to write an instant of 2026 with the second given: with an offset, in the site's zone, odd ones, none.
const TIMES: &[&str] = &[
    "2026-02-01T{h}:{m}:{s}Z",
    "2026-02-01 {h}:{m}:{s}",
    "2026-02-01T{h}:{m}:{s}+01:00",
    "2026-02-01T{h}:{m}:{s},25Z",
    "2026-02-01T{h}:{m}:{s}.123456789Z",
    "2026-02-01T{h}:{m}:{s}[Europe/Berlin]",
    "2026-03-29 02:{m}:{s}",
    "2026-02-01T24:{m}:{s}Z",
    "2026-02-01T{h}:{m}:60Z",
    "2026-02-30T{h}:{m}:{s}Z",
    "177{h}{m}{s}0",
    "0001-01-01T{h}:{m}:{s}Z",
    "01.02.2026 {h}:{m}:{s}",
    "2026-W05-7",
    "2026-02-01t{h}:{m}:{s}z",
    "{h}:{m}:{s}",
    "",
];

struct Row {
    signal: usize,
    time: String,
    value: String,
    quality: String,
}

/// One of the texts, at times with a letter taken out, doubled or put in.
fn cell(random: &mut Random, of: &[&str]) -> String {
    let mut text: Vec<char> = of[random.below(of.len() as u64) as usize].chars().collect();
    if random.below(5) == 0 {
        let at = random.below(text.len() as u64 + 1) as usize;
        match random.below(3) {
            0 if at < text.len() => drop(text.remove(at)),
            1 if at < text.len() => text.insert(at, text[at]),
            _ => text.insert(at, ['-', '.', ',', '0', '9', ' ', 'e', ':', '\u{a0}', 'Z'][random.below(10) as usize]),
        }
    }
    text.into_iter().collect()
}

fn row(random: &mut Random, n: u64) -> Row {
    let time = cell(random, TIMES);
    let time = time.replace("{h}", &format!("{:02}", random.below(24)));
    let time = time.replace("{m}", &format!("{n:02}")).replace("{s}", &format!("{:02}", random.below(60)));
    Row { signal: random.below(4) as usize, time, value: cell(random, VALUES), quality: cell(random, QUALITIES) }
}

fn table(rows: &[Row]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |row: &Row| [SIGNAL_NAMES[row.signal], &row.time, &row.value, &row.quality].map(quoted).join(",") + "\n";
    "signal,time,value,quality\n".to_owned() + &rows.iter().map(line).collect::<String>()
}

/// Samples by signal and instant, in words.
type Held = BTreeMap<(usize, Timestamp), String>;

/// What a store holds, and why it does not hold it where a table was refused.
fn of_store(site: &Site, from: &From, end: Timestamp) -> Result<Held, Vec<String>> {
    let filled = headless::fill(site, from, end, end).unwrap();
    if filled.unusable > 0 {
        return Err(filled.remarks);
    }
    let mut held = Held::new();
    for signal in 0..SIGNAL_NAMES.len() {
        let all = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
        filled.engine.reality().store().for_each_sample(SignalIndex::from_at(signal), all, &mut |sample| {
            held.insert((signal, sample.source_time), reading(sample));
            std::ops::ControlFlow::Continue(())
        });
    }
    Ok(held)
}

/// Where the doors differ, in words.
fn differences(seed: u64) -> (usize, Vec<String>) {
    let random = &mut Random(seed);
    let mut rows: Vec<Row> = (0..ROWS).map(|n| row(random, n)).collect();
    let folder = Folder::new();
    let csv = "decimal = \".\"\nkind = \"csv\"\npath = \"cells.csv\"\nlayout = \"long\"\nkey = \"{signal}\"\nvalue = \"value\"\nquality = { column = \"quality\", \
               codes = \"opc_ua\" }\ntime = { column = \"time\" }";
    let of_csv = folder.write("csv/site.toml", site(csv));
    let pushed = folder.write("pushed/site.toml", site("kind = \"websocket\""));
    let end: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();

    // A number that nobody declared refuses a whole table, which is looked through first; the other doors refuse the row alone.
    let mut undeclared = Vec::new();
    let (cells, mut played) = loop {
        let cells = folder.write("csv/cells.csv", table(&rows));
        match of_store(&Site::read_usable(&of_csv).unwrap(), &From::Sources, end) {
            Ok(played) => break (cells, played),
            Err(why) => {
                let line = why.iter().find_map(|why| why.split_once(": line ")?.1.split(':').next()?.parse::<usize>().ok());
                undeclared.push(rows.remove(line.unwrap_or_else(|| panic!("seed {seed}: {why:?}")) - 2));
            }
        }
    };
    let data = folder.0.join("data");
    let args = ["import-samples", text(&pushed), "--data", text(&data), text(&cells), "--decimal", ".", "--quality", "opc_ua"];
    let (code, _, err) = orrery(&args);
    assert!(code < 2, "seed {seed}: {err}");
    let site = Site::read_usable(&pushed).unwrap();
    let mut imported = of_store(&site, &From::Data(data), end).unwrap();

    let SourceKind::WebSocket { times, codes, .. } = &site.loaded.sources[0].kind else { panic!("no sender") };
    let inbox = Inbox::new(SourceIndex(0)).reading(times.clone(), *codes);
    let send = |row: &Row| {
        let line = json!({ "signal": SIGNAL_NAMES[row.signal], "time": row.time, "value": row.value, "quality": row.quality });
        match read_line(&site.loaded.model, &inbox, &line.to_string(), end) {
            Ok(Line::Sample(signal, sample, ..)) => Some(((signal.at(), sample.source_time), reading(&sample))),
            _ => None,
        }
    };
    // JSON has a word for no value, a table only the empty cell.
    let (blank, rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.signal == 3 && row.value.trim().is_empty());
    for (key, said) in blank.iter().filter_map(send) {
        assert!(said.starts_with("Text(\""), "seed {seed}: {said}");
        for table in [&mut played, &mut imported] {
            assert!(table.remove(&key).is_some_and(|said| said.starts_with("none bad")), "seed {seed}: {key:?}");
        }
    }
    let sent: Held = rows.iter().filter_map(send).collect();
    for row in &undeclared {
        assert_eq!(send(row), None, "seed {seed}: {} {:?} {:?} {:?}", SIGNAL_NAMES[row.signal], row.time, row.value, row.quality);
    }
    let mut keys: Vec<_> = played.keys().chain(imported.keys()).chain(sent.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let odd = keys.iter().filter(|key| [&imported, &sent].iter().any(|other| other.get(key) != played.get(key)));
    let told = odd.map(|(signal, t)| {
        let at = &(*signal, *t);
        format!(
            "seed {seed}: {} of {t}: source {:?}, import {:?}, sender {:?}",
            SIGNAL_NAMES[*signal],
            played.get(at),
            imported.get(at),
            sent.get(at)
        )
    });
    (keys.len(), told.collect())
}

#[test]
fn readers_agree_on_whatever_stands_in_a_row() {
    let long = std::env::var_os("ORRERY_LONG_TESTS").is_some();
    let (mut seen, mut wrong) = (0, Vec::new());
    for seed in 0..if long { 2_000 } else { 40 } {
        let (count, odd) = differences(seed);
        seen += count;
        wrong.extend(odd);
    }
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen > 500, "most rows are read: {seen}");
}
