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
fn the_state_of_a_recording_that_begins_at_an_instant_is_that_of_its_own_time() {
    let folder = Folder::new();
    folder.write("log.csv", "at,T\n2026-03-02T08:00:00Z,21.5\n2026-03-02T08:10:00Z,22.5\n");
    let path = folder.write("site.toml", site("", &format!("start = 2030-06-01T00:00:00Z\n{RFC}"))).display().to_string();
    let held = |at: &str| {
        let (code, out, err) = orrery(&["state", &path, "--at", at, "--json"]);
        assert_eq!(code, 0, "{err}");
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let signal =
            json["twins"][0]["signals"].as_array().unwrap().iter().find(|signal| signal["id"] == "m.t").cloned().unwrap();
        (signal["value"].as_f64(), signal["time"].as_str().map(str::to_owned))
    };
    let seen = |value: f64, time: &str| (Some(value), Some(time.to_owned()));
    assert_eq!(held("2026-03-02T08:05:00Z"), (None, None), "its rows are not of the time that they were written in");
    assert_eq!(held("2030-06-01T00:05:00Z"), seen(21.5, "2030-06-01T00:00:00Z"));
    assert_eq!(held("2030-06-01T00:10:00Z"), seen(22.5, "2030-06-01T00:10:00Z"));
}

/// An answer of a running server.
#[cfg(unix)]
fn get(address: &str, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[cfg(unix)]
#[test]
fn two_years_of_hours_played_at_once_are_sealed_in_few_commits_and_nothing_stays_in_the_journal_but_the_hour_at_hand() {
    const ROWS: i64 = 2 * 365 * 24;
    let folder = Folder::new();
    let first = t("2023-01-01T00:00:00Z");
    let rows: String = (0..ROWS).map(|n| format!("{},{}\n", first + Span::from_secs(n * 3_600), n as f64 / 2.0)).collect();
    folder.write("log.csv", format!("at,T\n{rows}"));
    let path = folder.write("site.toml", site("", RFC));
    let data = folder.0.join("data");
    let mut server = crate::disk::Server::start_with(&path, &data, &["--speed", "max"]);
    // A round of its own begins soon after the last row; one of those that come every half minute would be too late.
    let mut looks = 0;
    while get(&server.address, "/api/catalogue").contains("\"sealed_until_us\":null") {
        looks += 1;
        assert!(looks < 250 && server.child.try_wait().unwrap().is_none(), "nothing is sealed");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let metrics = get(&server.address, "/metrics");
    let metric = |name: &str| -> i64 {
        metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()).unwrap()
    };
    let (commits, bytes) = (metric("orrery_disk_commits_total"), metric("orrery_disk_bytes_total"));
    assert!(commits < ROWS / 50 && bytes < ROWS * 8, "{commits} commits, {bytes} bytes");
    let stop = std::process::Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(stop.success() && server.child.wait().unwrap().success());
    let report = gateway::history::fsck::check(&data, false).unwrap();
    assert_eq!((report.findings.len(), report.samples), (0, ROWS as u64 - 1), "{report:?}");
    assert!(report.journal_entries <= 1, "{report:?}");
    let (path, data) = (path.display().to_string(), data.display().to_string());
    let table = |from: &[&str]| {
        let (code, out, err) = orrery(&[&["export", &path, "-o", "-"], from].concat());
        assert_eq!(code, 0, "{err}");
        let row = |line: &str| line.split(',').take(5).map(str::to_owned).collect::<Vec<_>>();
        out.lines()
            .skip(1)
            .map(|line| {
                let row = row(line);
                [row[0].clone(), row[1].clone(), row[4].clone()]
            })
            .collect::<Vec<_>>()
    };
    let kept = table(&["--data", &data]);
    assert!(kept.len() as i64 == ROWS && kept == table(&["--sources"]), "{} rows", kept.len());
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
    let (code, found) = findings(&path);
    let [(severity, .., said)] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        code == 0 && severity == "info" && said.contains("between line 20001 and the last 256 KiB were not looked at"),
        "{said}"
    );
    folder.write("log.csv", format!("at,T\n1772438399,cold\n{rows}1772438400000,7\n"));
    let (code, mut found) = findings(&path);
    found.retain(|(severity, ..)| severity != "info");
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
pub(crate) fn case(name: &str) -> Option<PathBuf> {
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

/// Two sources, of which `log` is described by `source` and `other` is good.
fn beside_a_good_one(folder: &Folder, head: &str, source: &str) -> String {
    folder.write("good.csv", "at,A\n2026-03-02T08:00:00Z,7\n2026-03-02T08:01:00Z,8\n");
    let site = site(head, &format!("columns = {{ T = \"m.t\" }}\n{source}"));
    let other = "[[sources]]\nid = \"other\"\nkind = \"csv\"\npath = \"good.csv\"\ntime = { column = \"at\" }\ncolumns = { A = \"m.n\" }\n";
    folder.write("site.toml", format!("{site}{other}")).display().to_string()
}

#[test]
fn a_source_that_does_not_say_how_it_is_read_is_down_and_everybody_says_so_while_the_others_run() {
    let rfc = "time = { column = \"at\" }";
    let text = "time = { column = \"at\", format = \"%d.%m.%Y %H:%M\" }";
    for (head, source, table, words) in [
        ("", format!("{text}\nzone = \"GMT+1\""), "at,T\n02.03.2026 08:00,1\n", "GMT+1"),
        ("time_zone = \"Europe/Berln\"", text.to_owned(), "at,T\n02.03.2026 08:00,1\n", "time_zone of the site can't be used"),
        (
            "time_zone = \"Asia/Tokyo\"",
            text.replace(" }", ", offset = \"+1\" }"),
            "at,T\n02.03.2026 08:00,1\n",
            "'+1' is not a fixed offset",
        ),
        ("", format!("{rfc}\ndezimal = \",\""), "at,T\n2026-03-02T08:00:00Z,1.070\n", "did you mean 'decimal'?"),
        ("", format!("{rfc}\nnull = -9999"), "at,T\n2026-03-02T08:00:00Z,-9999\n", "null cannot be -9999"),
        (
            "",
            format!("{rfc}\nquality = {{ column = \"Q\", codes = \"opcda\" }}"),
            "at,T,Q\n2026-03-02T08:00:00Z,1,0\n",
            "codes cannot be \"opcda\"",
        ),
        ("", format!("{rfc}\nqualty = \"Q\""), "at,T,Q\n2026-03-02T08:00:00Z,1,bad\n", "did you mean 'quality'?"),
        ("", "time = { column = \"at\", format = \"rfc\" }".to_owned(), "at,T\n2026-03-02T08:00:00Z,1\n", "'rfc' is not a time"),
    ] {
        let folder = Folder::new();
        folder.write("log.csv", table);
        let path = beside_a_good_one(&folder, head, &source);
        let (code, out, err) = orrery(&["export", &path, "--sources", "--format", "csv", "-o", "-"]);
        assert_eq!((code, out.lines().filter(|line| line.starts_with("m.n,")).count()), (1, 2), "{source}: {err}");
        assert!(!out.contains("m.t,"), "{source}: {out}");
        assert!(err.contains("source 'log' is not read until the site file is mended") && err.contains(words), "{source}: {err}");
        let (code, out, err) = orrery(&["state", &path, "--at", "2026-03-02T08:01:00Z", "--json"]);
        let state: serde_json::Value = serde_json::from_str(&out).unwrap();
        let signal = &state["twins"][0]["signals"][0];
        assert_eq!((code, &signal["value"]), (1, &serde_json::Value::Null), "{signal} {err}");
        assert!(err.contains("source 'log' is not read"), "{err}");
        let (code, out, _) = orrery(&["check", &path]);
        let told = out.lines().find(|line| line.contains("source 'log' is not read until this is mended"));
        let told = told.unwrap_or_else(|| panic!("{out}"));
        assert!(code == 1 && told.contains("error[table.invalid]") && told.starts_with("site.toml:"), "{told}");
        // A server runs, with that link down.
        let mut plant = plant(&Site::read_usable(std::path::Path::new(&path)).unwrap(), &PlantOptions::default()).unwrap();
        assert!(plant.remarks.iter().any(|remark| remark.contains("source 'log' is not read until")), "{:?}", plant.remarks);
        let mut polled = Polled::default();
        let now = plant.clock.now();
        plant.sources.iter_mut().for_each(|source| source.poll(now, &mut polled));
        let link = polled.links.iter().find(|(source, ..)| source.at() == 0).unwrap();
        assert!(link.1 == LinkState::Down && link.2.contains(words), "{link:?}");
        assert!(polled.samples.iter().all(|(signal, _)| signal.at() != 0), "{source}");
    }
}

#[test]
fn a_cell_too_many_puts_no_cell_under_the_name_of_its_neighbour() {
    let seconds = "time = { column = \"at\", format = \"seconds\", origin = 2026-03-02T08:00:00Z }\ncolumns = { T = \"m.t\" }";
    let rfc = "time = { column = \"at\" }\ncolumns = { T = \"m.t\" }";
    for (source, table) in [
        (seconds, "at,T\n0,21.5,3\n1,21.6,3\n"),
        (seconds, "at,T\n0,5,21\n1,5,21\n"),
        (rfc, "at,T\n2026-03-02T08:00:00Z,2026-03-02T08:00:05Z,21.5\n"),
        (rfc, "at,T\n2026-03-02T08:00:00Z,1.5,\u{b0}C\n"),
    ] {
        let folder = Folder::new();
        folder.write("log.csv", table);
        let (_, rows, err) = exported(&folder, &site("", source));
        assert!(
            rows.iter().all(|(_, t, value, quality)| value.is_empty() && quality.starts_with("bad") && t.ends_with("Z")),
            "{rows:?}"
        );
        assert!(err.contains("rows don't fit the header; line 2: it has 3 cells, the header has 2 names"), "{err}");
        assert!(!err.contains("is not a time"), "{err}");
    }
}

#[test]
fn a_comma_that_nobody_declared_refuses_a_table_wherever_it_stands_and_check_says_what_it_did_not_look_at() {
    let source = "separator = \";\"\ntime = { column = \"at\", format = \"epoch_s\" }\ncolumns = { T = \"m.t\" }";
    let table = |odd: usize| -> String {
        let row = |n: usize| format!("{};{}\n", 1_772_438_400 + n, if n == odd { "2,5" } else { "1.500" });
        std::iter::once("at;T\n".to_owned()).chain((0..60_000).map(row)).collect()
    };
    let folder = Folder::new();
    let path = folder.write("site.toml", site("", source)).display().to_string();
    for odd in [30, 30_000, 59_990] {
        folder.write("log.csv", table(odd));
        let (code, rows, err) = exported(&folder, &site("", source));
        assert_eq!((code, rows.len()), (1, 0), "{odd}");
        let line = odd + 2;
        assert!(err.contains(&format!("line {line}: '2,5' has a comma or groups of digits, and nobody said which")), "{err}");
        let (code, out, _) = orrery(&["check", &path]);
        match odd {
            30_000 => assert!(code == 0 && out.contains("between line 20001 and the last 256 KiB were not looked at"), "{out}"),
            _ => assert!(code == 1 && out.contains("'2,5' has a comma"), "{out}"),
        }
    }
}

#[test]
fn a_block_of_nul_bytes_costs_no_row_but_the_one_that_it_breaks_off() {
    let nul = "\0".repeat(4_096);
    let folder = Folder::new();
    let source = "time = { column = \"at\" }\ncolumns = { T = \"m.t\" }";
    let row = |n: u32| format!("2026-03-02T08:0{n}:00Z,21.{n}");
    folder.write("log.csv", format!("at,T\n{}\n{nul}{}\n{}{nul}{}\n{nul}", row(0), row(1), row(2), row(3)));
    let (code, rows, err) = exported(&folder, &site("", source));
    let values: Vec<&str> = rows.iter().map(|row| row.2.as_str()).collect();
    assert_eq!((code, values.as_slice()), (0, &["21.0", "21.1", "", "21.3"][..]), "{err}");
    assert!(err.contains("3 places are broken off or hold NUL bytes") && err.contains("line 3: 4096 NUL bytes"), "{err}");
}
