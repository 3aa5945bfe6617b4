//! Tables as sources of a running plant, and what the check says about them before it runs.

use std::path::{Path, PathBuf};

use gateway::assemble::{PlantOptions, plant};
use gateway::recording;
use gateway::site::Site;
use gateway::sources::{Polled, step};
use twin_model::{SignalIndex, Span, Timestamp};
use twin_protocol::LinkState;

use crate::tables::{exported, site};
use crate::world::{Folder, orrery};

const RFC: &str = "time = { column = \"at\" }\ncolumns = { T = \"m.t\" }";

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One row a minute, newest first, and one of another century.
fn newest_first() -> String {
    let rows: String = (0..60).rev().map(|n| format!("2026-03-02T08:{n:02}:00Z,{n}\n")).collect();
    format!("at,T\n{rows}2099-01-01T00:00:00Z,-1\n")
}

#[test]
fn a_plant_shows_what_was_past_at_every_moment_whatever_the_order_of_the_rows() {
    let folder = Folder::new();
    folder.write("log.csv", newest_first());
    let path = folder.write("site.toml", site("", RFC));
    let mut plant =
        plant(&Site::read_usable(&path).unwrap(), &PlantOptions { speed: Some(1e-9), ..PlantOptions::default() }).unwrap();
    assert!(plant.clock.now().since(t("2026-03-02T08:00:00Z")) < Span::from_secs(1), "the clock starts at the first row");
    let mut polled = Polled::default();
    for minute in 0..60 {
        let now = t("2026-03-02T08:00:00Z") + Span::from_secs(minute * 60);
        step(&plant.hub, now, &mut plant.sources, &mut polled);
        let held = plant.hub.with_store(|store| store.latest_at(SignalIndex(0), now)).unwrap();
        assert_eq!((held.source_time, held.value.as_f64()), (now, Some(minute as f64)));
    }
    assert_eq!(plant.hub.links()[0].state, LinkState::Ended, "the row of 2099 is far away");
    assert!(plant.remarks.join(" ").contains("1 row is far away from all others"), "{:?}", plant.remarks);
}

#[test]
fn a_recording_at_full_speed_keeps_every_row_wherever_it_starts() {
    for (start, first) in [
        ("", Some("2026-03-02T08:00:00Z")),
        ("start = 2030-06-01T00:00:00Z", Some("2030-06-01T00:00:00Z")),
        ("start = \"now\"", None),
    ] {
        let folder = Folder::new();
        folder.write("log.csv", newest_first());
        let path = folder.write("site.toml", site("", &format!("{start}\n{RFC}"))).display().to_string();
        let file = folder.0.join("all.orrec").display().to_string();
        let (code, _, err) = orrery(&["record", &path, &file, "--speed", "max"]);
        assert_eq!(code, 0, "{err}");
        let read = recording::read(Path::new(&file)).unwrap();
        let mut times: Vec<Timestamp> = read.samples.iter().map(|(_, sample)| sample.source_time).collect();
        times.sort();
        times.dedup();
        assert!(times.len() >= 60, "{start}: {} instants", times.len());
        assert_eq!(times[59].since(times[0]), Span::from_secs(59 * 60), "{start}: the spacing stays");
        // The same start without a server.
        if let Some(first) = first {
            assert_eq!(times[0], t(first), "{start}");
            let (_, rows, err) = exported(&folder, &site("", &format!("{start}\n{RFC}")));
            assert_eq!((rows.len(), rows[0].1.as_str()), (61, first), "{err}");
        }
    }
}

#[test]
fn one_bad_source_leaves_the_others_running() {
    let folder = Folder::new();
    folder.write("log.csv", "at,T\n2026-03-02T08:00:00Z,21.5\n");
    let more = "[[sources]]\nid = \"gone\"\nkind = \"csv\"\npath = \"absent.csv\"\ntime = { column = \"at\" }\ncolumns = { N = \"m.n\" }";
    let text = site("", &format!("{RFC}\n{more}"));
    let (code, rows, err) = exported(&folder, &text);
    assert_eq!((code, rows.len()), (1, 1), "{err}");
    assert!(err.contains("source 'gone' can't be used") && err.contains("absent.csv"), "{err}");
    let path = folder.0.join("site.toml");
    let mut plant = plant(&Site::read_usable(&path).unwrap(), &PlantOptions::default()).unwrap();
    step(&plant.hub, plant.clock.now(), &mut plant.sources, &mut Polled::default());
    let links = plant.hub.links();
    let gone = links.iter().find(|link| link.source == "gone").unwrap();
    assert_eq!((gone.state, gone.detail.contains("absent.csv")), (LinkState::Down, true), "{}", gone.detail);
    assert_eq!(plant.hub.with_store(|store| store.extent()).unwrap().start, t("2026-03-02T08:00:00Z"));
    let state = orrery(&["state", path.to_str().unwrap(), "--at", "2026-03-02T08:00:01Z", "--json"]);
    assert_eq!((state.0, state.1.contains("21.5")), (1, true), "{}", state.2);
}

#[test]
fn several_files_may_feed_one_signal() {
    let folder = Folder::new();
    folder.write("log.csv", "at,T\n2026-01-31T23:59:00Z,1\n");
    folder.write("next.csv", "at,T\n2026-02-01T00:00:00Z,2\n");
    let next = format!("[[sources]]\nid = \"next\"\nkind = \"csv\"\npath = \"next.csv\"\n{RFC}");
    let (code, rows, err) = exported(&folder, &site("", &format!("{RFC}\n{next}")));
    assert_eq!((code, rows.len()), (0, 2), "{err}");
}

#[test]
fn a_recording_beside_a_live_source_is_history_and_the_server_says_so() {
    let folder = Folder::new();
    folder.write("log.csv", "at,T\n2026-03-02T08:00:00Z,21.5\n");
    let path = folder
        .write("site.toml", site("", &format!("{RFC}\n[[sources]]\nid = \"push\"\nkind = \"websocket\"\nfeeds = [\"m.n\"]")));
    let plant = plant(&Site::read_usable(&path).unwrap(), &PlantOptions::default()).unwrap();
    let said = plant.remarks.join("\n");
    assert!(said.contains("the site lives now because of source 'push'") && said.contains("start = \"now\""), "{said}");
}

/// Findings of a check: severity, code, line, message and help.
fn findings(path: &Path) -> (i32, Vec<(String, String, u64, String)>) {
    let (code, out, err) = orrery(&["check", path.to_str().unwrap(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    let findings = findings.map(|f| {
        (
            text(&f["severity"]),
            text(&f["code"]),
            f["line"].as_u64().unwrap(),
            format!("{} {}", text(&f["message"]), text(&f["help"])),
        )
    });
    (code, findings.collect())
}

#[test]
fn the_check_reads_the_first_and_the_last_rows_of_every_table() {
    let folder = Folder::new();
    let rows: String = (0..60_000).map(|n| format!("{},{n}\n", 1_772_438_400 + n)).collect();
    let source = "time = { column = \"at\", format = \"epoch_s\" }\ncolumns = { T = \"m.t\" }";
    let path = folder.write("site.toml", site("", source));
    folder.write("log.csv", format!("at,T\n{rows}"));
    assert_eq!(findings(&path), (0, Vec::new()));
    folder.write("log.csv", format!("at,T\n1772438399,cold\n{rows}1772438400000,7\n"));
    let (code, found) = findings(&path);
    assert_eq!((code, found.len()), (1, 2), "{found:?}");
    assert!(found.iter().all(|(severity, code, line, _)| severity == "warning" && code == "table.odd" && *line > 0), "{found:?}");
    let words: String = found.into_iter().map(|(.., words)| words).collect();
    assert!(
        words.contains("line 2: 'cold' is not a number") && words.contains("near the end: '1772438400000' as seconds"),
        "{words}"
    );
}

#[test]
fn the_check_names_what_is_missing_sparse_or_still() {
    let sparse: String = (0..40).map(|n| format!("2026-03-02T08:{n:02}:00Z,{}\n", if n % 10 == 0 { "1" } else { "" })).collect();
    for (source, table, code, part) in [
        (RFC.to_owned(), None, "file.unreadable", "absent"),
        (RFC.to_owned(), Some(format!("at,T\n{sparse}")), "table.odd", "empty = \"no_sample\""),
        (
            format!("loop = true\n{RFC}"),
            Some("at,T\n2026-03-02T08:00:00Z,1\n".to_owned()),
            "table.invalid",
            "can't be played in a loop",
        ),
        (
            RFC.replace("T =", "Tmp ="),
            Some("at,T\n2026-03-02T08:00:00Z,1\n".to_owned()),
            "table.invalid",
            "no column 'Tmp'; it has: at, T",
        ),
    ] {
        let folder = Folder::new();
        let mut text = site("", &source);
        match table {
            Some(table) => drop(folder.write("log.csv", table)),
            None => text = text.replace("log.csv", "absent.csv"),
        }
        let (exit, found) = findings(&folder.write("site.toml", text));
        assert_eq!(exit, 1, "{found:?}");
        assert!(
            found.iter().any(|(_, c, line, words)| c == code && *line > 0 && words.contains(part)),
            "{code} {part}: {found:?}"
        );
    }
}

/// The cases of others that went wrong, where they are at hand.
fn case(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases").join(name);
    if !folder.is_dir() {
        eprintln!("SKIPPED (no {name} in ../shared/cases)");
        return None;
    }
    Some(folder)
}

#[test]
fn cases_that_went_wrong_are_right() {
    for (name, at, parts) in [
        ("01-trailing-separator", "2026-03-02T08:02:30Z", vec!["\"value\": 21.7", "\"value\": 70.75"]),
        ("02-newest-first", "2026-03-02T08:00:20.5Z", vec!["\"value\": 22.0"]),
        ("04-inch-mark", "2026-03-02T08:39:30Z", vec!["\"value\": 129.0", "\"status\": \"failure\""]),
        ("06-opc-quality-names", "2026-03-02T08:01:30Z", vec!["bad_communication_error", "\"status\": \"failure\""]),
        ("11-hour-24", "2020-08-14T08:30:00Z", vec!["\"value\": 95.7", "2020-08-14T08:00:00Z", "\"status\": \"failure\""]),
        ("43-utf16-export", "2026-03-02T08:00:30Z", vec!["\"value\": 21.5", "\"value\": 70.25"]),
        ("47-leap-second", "2016-12-31T23:59:59.5Z", vec!["\"value\": 11.0"]),
        ("72-local-times-without-offset", "2026-07-02T06:15:00Z", vec!["\"value\": 21.5", "2026-07-02T06:00:00Z"]),
    ] {
        let Some(folder) = case(name) else { continue };
        let (code, out, err) = orrery(&["state", folder.to_str().unwrap(), "--at", at, "--json"]);
        assert_eq!(code, 0, "{name}: {err}");
        for part in parts {
            assert!(out.contains(part), "{name}: {part} in {out}{err}");
        }
    }
    for (name, part) in [
        ("45-decimal-comma", "decimal = \",\""),
        ("46-date-and-time-columns", "time = { date ="),
        ("64-check-does-not-open-csv", "no column"),
        ("67-nanosecond-epoch", "write format = \"epoch_ns\""),
    ] {
        let Some(folder) = case(name) else { continue };
        let (code, found) = findings(&folder);
        assert_eq!(code, 1, "{name}: {found:?}");
        assert!(found.iter().any(|(severity, _, _, words)| severity == "error" && words.contains(part)), "{name}: {found:?}");
    }
}
