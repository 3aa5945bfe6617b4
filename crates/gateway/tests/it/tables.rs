//! Tables as people's systems write them, through the program: what comes out is what was meant, or a finding says what is not.

use gateway::assemble::{PlantOptions, plant};
use gateway::site::Site;

use crate::world::{Folder, orrery};

/// One twin with a signal of each kind; `source` describes the table.
pub(crate) fn site(more: &str, source: &str) -> String {
    format!(
        "[site]\nid = \"works\"\n{more}\n[[twins]]\nid = \"m\"\nbind = false\nsignals = [{{ name = \"t\", unit = \"°C\" }}, {{ name = \"n\", value = \"int\" \
         }}, {{ name = \"on\", value = \"bool\" }}, {{ name = \"note\", value = \"text\" }}]\n[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \
         \"log.csv\"\n{source}\n[check]\nallow = [\"signal.unfed\"]\n"
    )
}

/// A row of an export: signal, time, value, quality.
pub(crate) type Row = (String, String, String, String);

/// What `orrery export --sources` says about a site, sorted, and what it says beside it.
pub(crate) fn exported(folder: &Folder, site: &str) -> (i32, Vec<Row>, String) {
    let path = folder.write("site.toml", site).display().to_string();
    let (code, out, err) = orrery(&["export", &path, "--sources", "--format", "csv", "-o", "-"]);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let value = cells[4..8].iter().find(|cell| !cell.is_empty()).unwrap_or(&"");
        // A reading without a value has a placeholder, which nobody may take for one.
        let value = if cells[cells.len() - 1].contains("null") { "" } else { value };
        (cells[0].to_owned(), cells[1].replace(".000000Z", "Z"), (*value).to_owned(), cells[cells.len() - 3].to_owned())
    };
    (code, out.lines().skip(1).map(row).collect(), err)
}

#[track_caller]
fn check(site: &str, table: impl AsRef<[u8]>, expected: &[(&str, &str, &str, &str)]) -> String {
    let folder = Folder::new();
    folder.write("log.csv", table);
    let (code, rows, err) = exported(&folder, site);
    let rows: Vec<(&str, &str, &str, &str)> =
        rows.iter().map(|(a, b, c, d)| (a.as_str(), b.as_str(), c.as_str(), d.as_str())).collect();
    assert_eq!(rows, expected, "{err}");
    assert_eq!(code, 0, "{err}");
    err
}

const RFC: &str = "time = { column = \"at\" }\ncolumns = { T = \"m.t\", N = \"m.n\" }";

#[test]
fn separators_at_line_ends_do_not_move_names() {
    check(
        &site("", "separator = \"|\"\ntime = { column = \"at\", format = \"epoch_s\" }\ncolumns = { N = \"m.n\", T = \"m.t\" }"),
        "at|T|N\n1772438400|-4.5|3|\n1772438460|-4.25|4|\n",
        &[
            ("m.t", "2026-03-02T08:00:00Z", "-4.5", "good"),
            ("m.t", "2026-03-02T08:01:00Z", "-4.25", "good"),
            ("m.n", "2026-03-02T08:00:00Z", "3", "good"),
            ("m.n", "2026-03-02T08:01:00Z", "4", "good"),
        ],
    );
}

#[test]
fn a_reading_without_a_value_is_bad_and_takes_the_place_of_the_last_good_one() {
    let err = check(
        &site("", RFC),
        "at,T,N\n2026-03-02T08:00:00Z,21.5,1\n2026-03-02T08:01:00Z,I/O Timeout,\n2026-03-02T08:02:00Z,#VALUE!,1e400\n2026-03-02T08:03:00Z,warm,9007199254740993\n",
        &[
            ("m.t", "2026-03-02T08:00:00Z", "21.5", "good"),
            ("m.t", "2026-03-02T08:01:00Z", "", "bad_timeout"),
            ("m.t", "2026-03-02T08:02:00Z", "", "bad"),
            ("m.t", "2026-03-02T08:03:00Z", "", "bad_type_mismatch"),
            ("m.n", "2026-03-02T08:00:00Z", "1", "good"),
            ("m.n", "2026-03-02T08:01:00Z", "", "bad_no_data"),
            ("m.n", "2026-03-02T08:02:00Z", "", "bad_out_of_range"),
            ("m.n", "2026-03-02T08:03:00Z", "9007199254740993", "good"),
        ],
    );
    assert!(err.contains("2 cells can't be used") && err.contains("line 5: 'warm' is not a number"), "{err}");
}

#[test]
fn statuses_of_opc_are_read_and_an_unknown_word_is_uncertain() {
    let source = "time = { column = \"at\" }\ncolumns = { T = \"m.t\" }\nquality = ";
    let rows = |words: &[&str]| {
        let rows: Vec<String> = words.iter().enumerate().map(|(n, q)| format!("2026-03-02T08:0{n}:00Z,{n},{q}")).collect();
        format!("at,T,Q\n{}\n", rows.join("\n"))
    };
    let qualities = |quality: &str, words: &[&str]| {
        let folder = Folder::new();
        folder.write("log.csv", rows(words));
        let (code, rows, err) = exported(&folder, &site("", &format!("{source}{quality}")));
        (code, rows.into_iter().map(|row| row.3).collect::<Vec<_>>(), err)
    };
    let (_, found, err) = qualities("\"Q\"", &["GOOD", "BadCommunicationError", "2156527616", "Bad_NotConnected", "meh"]);
    assert_eq!(found, ["good", "bad_communication_error", "bad_not_connected", "bad_not_connected", "uncertain"], "{err}");
    assert!(err.contains("'meh' is no known quality"), "{err}");
    let (_, found, err) = qualities("{ column = \"Q\", codes = \"opc_da\" }", &["192", "0", "64", "24"]);
    assert_eq!(found, ["good", "bad", "uncertain", "bad_no_communication"], "{err}");
    for words in [["192", "0"], ["0xC0", "0x0"]] {
        let (code, found, err) = qualities("\"Q\"", &words);
        assert_eq!((code, found.len()), (1, 0), "0 is bad there and good here: {err}");
        assert!(err.contains("codes = \"opc_da\""), "{err}");
    }
    let (_, found, err) = qualities("\"Q\"", &["Bad; Comm Failure", "bad_foo_bar", "Good [Non-specific]", "good enough"]);
    assert_eq!(found, ["bad_no_communication", "bad", "good", "uncertain"], "{err}");
    assert!(err.contains("'bad_foo_bar' is no known quality; taken as bad"), "{err}");
}

#[test]
fn hours_of_24_seconds_of_60_and_two_columns_are_times() {
    let source = "zone = \"America/Vancouver\"\ntime = { date = \"D\", time = \"H\", format = \"%d/%m/%y %H:%M\" }\ncolumns = { T = \"m.t\" }";
    check(
        &site("", source),
        "D,H,T\n13/01/25,23:00,1\n13/01/25,24:00,2\n",
        &[("m.t", "2025-01-14T07:00:00Z", "1.0", "good"), ("m.t", "2025-01-14T08:00:00Z", "2.0", "good")],
    );
    let err = check(
        &site("", RFC.replace(", N = \"m.n\"", "").as_str()),
        "at,T\n2015-06-30T23:59:59Z,1\n2015-06-30T23:59:60Z,2\n2015-07-01T00:00:00Z,3\n",
        &[
            ("m.t", "2015-06-30T23:59:59Z", "1.0", "good"),
            ("m.t", "2015-06-30T23:59:59.999999Z", "2.0", "good"),
            ("m.t", "2015-07-01T00:00:00Z", "3.0", "good"),
        ],
    );
    assert!(err.contains("1 seconds of 60"), "{err}");
}

#[test]
fn the_last_day_of_the_calendar_is_taken_and_named_in_microseconds() {
    let folder = Folder::new();
    let path = folder.write("site.toml", site("years = [1990, 9999]", RFC)).display().to_string();
    for (written, named) in [
        ("9999-12-30T22:00:00Z", "9999-12-30T22:00:00Z"),
        ("9999-12-30T22:00:01Z", "253402207201000000us"),
        ("9999-12-31T23:59:59Z", "253402300799000000us"),
    ] {
        folder.write("log.csv", format!("at,T,N\n{written},1,1\n"));
        let (code, said, _) = orrery(&["check", &path]);
        assert!(code == 0 && said.contains("1 row lies ahead of now") && said.contains(&format!("line 2 {named}")), "{said}");
    }
    for (at, taken) in [("9999-12-30T22:00:00Z", true), ("9999-12-30T22:00:01Z", false)] {
        let (code, _, err) = orrery(&["state", &path, "--at", at]);
        assert_eq!((code, err.contains("is not a time")), if taken { (0, false) } else { (2, true) }, "{at}: {err}");
    }
}

#[test]
fn local_times_are_read_in_the_zone_of_the_source_or_the_site_and_it_is_said() {
    let source = "time = { column = \"at\", format = \"%d.%m.%Y %H:%M\" }\ncolumns = { T = \"m.t\" }";
    let table = "at,T\n25.10.2026 02:30,1\n25.10.2026 02:30,2\n25.10.2026 03:00,3\n";
    let expected = [
        ("m.t", "2026-10-25T00:30:00Z", "1.0", "good"),
        ("m.t", "2026-10-25T01:30:00Z", "2.0", "good"),
        ("m.t", "2026-10-25T02:00:00Z", "3.0", "good"),
    ];
    let err = check(&site("time_zone = \"Europe/Vienna\"", source), table, &expected);
    assert!(err.contains("3 times without offset are read in Europe/Vienna, the site's time_zone"), "{err}");
    assert!(err.contains("2 times are of an hour that came twice"), "{err}");
    check(&site("time_zone = \"Asia/Tokyo\"", &format!("zone = \"Europe/Vienna\"\n{source}")), table, &expected);
    let err = check(&site("", source), "at,T\n02.07.2026 08:00,1\n", &[("m.t", "2026-07-02T08:00:00Z", "1.0", "good")]);
    assert!(err.contains("because nobody says which zone"), "{err}");
}

#[test]
fn encodings_decimal_commas_and_switches_are_read_as_declared() {
    let source = "separator = \";\"\ndecimal = \",\"\nthousands = \".\"\non = [\"AUF\"]\noff = [\"ZU\"]\ntime = { column = \"Zeit\" }\ncolumns = { \"Größe\" = \
                  \"m.t\", N = \"m.n\", S = \"m.on\" }";
    let table = "Zeit;Größe;N;S\r\n2026-03-02T08:00:00Z;-1.070,25;1.070;auf\r\n2026-03-02T08:01:00Z;95;0;aus\r\n";
    let expected = [
        ("m.t", "2026-03-02T08:00:00Z", "-1070.25", "good"),
        ("m.t", "2026-03-02T08:01:00Z", "95.0", "good"),
        ("m.n", "2026-03-02T08:00:00Z", "1070", "good"),
        ("m.n", "2026-03-02T08:01:00Z", "0", "good"),
        ("m.on", "2026-03-02T08:00:00Z", "true", "good"),
        ("m.on", "2026-03-02T08:01:00Z", "false", "good"),
    ];
    let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(table.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let old: Vec<u8> = table.chars().map(|c| c as u8).collect();
    check(&site("", source), table, &expected);
    check(&site("", source), big, &expected);
    check(&site("", &format!("encoding = \"windows-1252\"\n{source}")), old, &expected);
}

#[test]
fn a_quote_that_never_closes_hides_nothing() {
    let err = check(
        &site("", "time = { column = \"at\" }\ncolumns = { T = \"m.t\" }"),
        "at,W,T\n2026-03-02T08:00:00Z,\"3/4 inch,1\n2026-03-02T08:01:00Z,\"two\nlines\",2\n2026-03-02T08:02:00Z,,3\n",
        &[
            ("m.t", "2026-03-02T08:00:00Z", "1.0", "good"),
            ("m.t", "2026-03-02T08:01:00Z", "2.0", "good"),
            ("m.t", "2026-03-02T08:02:00Z", "3.0", "good"),
        ],
    );
    assert!(err.contains("1 quotes never close") && err.contains("line 2"), "{err}");
}

#[test]
fn what_could_be_taken_for_something_else_is_refused_with_what_to_write() {
    for (source, table, part) in [
        (RFC, "at,T,N\n2026-03-02T08:00:00Z,\"21,5\",1\n", "decimal = \",\""),
        (RFC, "at,T,N,T\n2026-03-02T08:00:00Z,21.5,1,2\n", "its columns 2 and 4 (counted from 1) are both called 'T'"),
        (RFC, "at;T;N\n2026-03-02T08:00:00Z;21.5;1\n", "is separator = \";\" meant?"),
        (RFC, "at,T,N\n02.03.2026 08:00,21.5,1\n", "write format = \"%d.%m.%Y %H:%M\""),
        (
            "time = { column = \"at\", format = \"epoch_s\" }\ncolumns = { T = \"m.t\" }",
            "at,T\n1772438400000000,21.5\n",
            "it looks like 2026-03-02T08:00:00Z: write format = \"epoch_us\"",
        ),
    ] {
        let folder = Folder::new();
        folder.write("log.csv", table);
        let (code, rows, err) = exported(&folder, &site("", source));
        assert_eq!((code, rows.len()), (1, 0), "{err}");
        assert!(err.contains(part) && err.contains("source 'log' can't be used"), "{part} in {err}");
        // The check says the same, with a line of the site file.
        let path = folder.0.join("site.toml").display().to_string();
        let (code, out, _) = orrery(&["check", &path, "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let finding = json["findings"].as_array().unwrap().iter().find(|f| f["severity"] == "error").unwrap().clone();
        let words = format!("{} {}", finding["message"].as_str().unwrap(), finding["help"].as_str().unwrap());
        assert_eq!((code, finding["code"].as_str()), (1, Some("table.invalid")), "{finding}");
        assert!(words.contains(part) && finding["line"].as_u64().unwrap() > 0, "{finding}");
    }
}

#[test]
fn one_late_receipt_in_autumn_loses_no_row_and_a_late_row_is_a_guess_that_check_tells() {
    let source = "separator = \";\"\nreceived = \"received\"\nzone = \"Europe/Berlin\"\ntime = { column = \"at\" }\ncolumns = { T = \"m.t\" }";
    let rows = ["01:30", "01:50", "02:10", "02:30", "02:50", "02:10", "02:30", "02:50", "03:10"];
    let line = |(n, at): (usize, &&str)| {
        let received = if n == 3 { "2025-10-29 08:00:00".to_owned() } else { format!("2025-10-26 {at}:20") };
        format!("2025-10-26 {at};{received};{n}\n")
    };
    let table = format!("at;received;T\n{}", rows.iter().enumerate().map(line).collect::<String>());
    let expected: Vec<(String, String)> =
        ["25T23:30", "25T23:50", "26T00:10", "26T00:30", "26T00:50", "26T01:10", "26T01:30", "26T01:50", "26T02:10"]
            .iter()
            .enumerate()
            .map(|(n, at)| (format!("2025-10-{at}:00Z"), format!("{n}.0")))
            .collect();
    let folder = Folder::new();
    folder.write("log.csv", &table);
    let (code, found, err) = exported(&folder, &site("", source));
    let found: Vec<(String, String)> = found.into_iter().map(|(_, t, value, _)| (t, value)).collect();
    assert_eq!((code, &found), (0, &expected), "{err}");
    // The rows of the import: a receipt an hour before its row would be none.
    let samples = format!(
        "signal,time,received_time,value\n{}",
        table.lines().skip(1).map(|line| format!("m.t,{}\n", line.replace(';', ","))).collect::<String>()
    );
    let (path, samples) = (folder.write("site.toml", site("", source)), folder.write("samples.csv", samples));
    let (path, data) = (path.display().to_string(), folder.0.join("data").display().to_string());
    let import = ["import-samples", &path, "--data", &data, &samples.display().to_string(), "--zone", "Europe/Berlin"];
    let (code, _, err) = orrery(&import);
    assert!(code == 0 && !err.contains("guess"), "{err}");
    let (_, out, _) = orrery(&["export", &path, "--data", &data, "--format", "csv", "-o", "-"]);
    let receipts: Vec<String> = out.lines().skip(1).map(|line| line.split(',').nth(2).unwrap_or_default().to_owned()).collect();
    let wanted: Vec<String> = expected
        .iter()
        .map(|(t, n)| if n == "3.0" { "2025-10-29T07:00:00".to_owned() } else { t.replace(":00Z", ":20") })
        .collect();
    assert_eq!(receipts.len(), wanted.len(), "{out}");
    assert!(receipts.iter().zip(&wanted).all(|(found, wanted)| found.starts_with(wanted.as_str())), "{receipts:?} {wanted:?}");
    // A row that comes when both hours are over can't be told.
    let late = table.replace("2025-10-26 02:30;2025-10-26 02:30:20;6\n", "") + "2025-10-26 02:30;2025-10-26 05:00:00;6\n";
    folder.write("log.csv", late);
    let (_, out, _) = orrery(&["check", &path]);
    let told = out.lines().find(|line| line.contains("it is a guess")).unwrap_or_else(|| panic!("{out}"));
    assert!(told.contains("table.odd") && told.contains("line 10: '2025-10-26 02:30'"), "{out}");
    let (_, mut found, _) = exported(&folder, &site("", source));
    found.sort_by(|a, b| a.1.cmp(&b.1));
    let found: Vec<(String, String)> = found.into_iter().map(|(_, t, value, _)| (t, value)).collect();
    assert_eq!(found, expected, "it takes the pass that no other row has");
}

#[test]
fn check_warns_of_rows_that_are_lost_to_the_hour_that_never_comes() {
    let folder = Folder::new();
    folder.write("log.csv", "at;T\n2026-03-29 01:30;1\n2026-03-29 02:30;2\n2026-03-29 03:10;3\n2026-03-29 03:30;4\n");
    let source = "separator = \";\"\nzone = \"Europe/Berlin\"\ntime = { column = \"at\" }\ncolumns = { T = \"m.t\" }";
    let path = folder.write("site.toml", site("", source)).display().to_string();
    let (_, out, _) = orrery(&["check", &path]);
    assert!(
        out.contains("1 readings near a change of the clock take the place")
            && out.contains("line 5: another row is of 2026-03-29T01:30:00Z"),
        "{out}"
    );
    assert!(out.lines().any(|line| line.contains("warning") && line.contains("near a change of the clock")), "{out}");
}

#[test]
fn check_judges_each_row_of_a_table_once() {
    let folder = Folder::new();
    let source = "time = { column = \"at\" }\ncolumns = { T = \"m.t\" }";
    let path = folder.write("site.toml", site("", source)).display().to_string();
    // Good and bad rows in turn, the bad ones last: a small table, and one whose end begins within its beginning.
    for rows in [6_u32, 66_000] {
        let row = |n: u32| match n % 3 {
            0 => format!("2026-03-02T{:02}:{:02}:{:02}Z,{n}\n", n / 3_600, n / 60 % 60, n % 60),
            1 => "never,1\n".to_owned(),
            _ => "later,2\n".to_owned(),
        };
        folder.write("log.csv", format!("at,T\n{}", (0..rows).map(row).collect::<String>()));
        let (_, out, _) = orrery(&["check", &path]);
        let told = out.lines().find(|line| line.contains("rows have no time")).unwrap_or_else(|| panic!("{out}"));
        let count: u32 = told.split("log.csv: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert_eq!(count, rows / 3 * 2, "{out}");
    }
}

/// What `orrery` says with `args` about a site with a table, whose signal `m.t` has a column of receipts.
fn received(table: &str, args: &[&str]) -> (i32, String, String) {
    let folder = Folder::new();
    folder.write("log.csv", table);
    let source = "time = { column = \"at\" }\nreceived = \"kept\"\ncolumns = { T = \"m.t\" }";
    let path = folder.write("site.toml", site("", source)).display().to_string();
    orrery(&[&[args[0], path.as_str()][..], &args[1..]].concat())
}

const EXPORT: [&str; 5] = ["export", "--sources", "--format", "csv", "-o"];

#[test]
fn rows_more_than_an_hour_ahead_of_their_receipt_are_set_aside_and_everybody_who_asks_is_told() {
    let table = "at,kept,T\n2026-03-02T08:00:00Z,2026-03-02T08:00:01Z,1\n2026-03-02T09:20:00Z,2026-03-02T08:20:00Z,2\n\
                 2026-03-02T11:00:00Z,2026-03-02T08:21:00Z,4\n2026-03-02T11:10:00Z,2026-03-02T11:10:01Z,5\n\
                 2026-03-02T12:10:00Z,2026-03-02T11:09:59Z,6\n";
    let words = "2 rows are more than an hour ahead of the receipt that they name and are set aside; line 4: it is of \
                 2026-03-02T11:00:00Z and was received at 2026-03-02T08:21:00Z; line 6";
    let (code, out, _) = received(table, &["check"]);
    assert!(code == 1 && out.contains(words) && out.contains("table.odd"), "{out}");
    let (_, out, err) = received(table, &[&EXPORT[..], &["-"]].concat());
    assert!(err.contains(&format!("source 'log': log.csv: {words}")), "{err}");
    assert_eq!(out.lines().skip(1).count(), 3, "an hour is no more than an hour: {out}");
    let (_, out, err) = received(table, &["state", "--at", "2026-03-02T11:05:00Z", "--json"]);
    assert!(err.contains(words), "{err}");
    let state: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(state["twins"][0]["signals"][0]["value"], 2.0);
}

#[test]
fn a_server_says_which_rows_it_sets_aside() {
    let folder = Folder::new();
    folder.write("log.csv", "at,kept,T\n2026-03-02T08:00:00Z,,1\n2026-03-02T11:00:00Z,2026-03-02T08:21:00Z,4\n");
    let source = "time = { column = \"at\" }\nreceived = \"kept\"\ncolumns = { T = \"m.t\" }";
    let path = folder.write("site.toml", site("", source));
    let plant = plant(&Site::read_usable(&path).unwrap(), &PlantOptions::default()).unwrap();
    let told: Vec<&String> = plant.remarks.iter().filter(|remark| remark.contains("are set aside; line 3")).collect();
    assert_eq!(told.len(), 1, "{:?}", plant.remarks);
}

#[test]
fn a_time_of_receipt_that_cannot_be_read_costs_nothing_but_itself() {
    let table = "at,kept,T\n2026-03-02T08:00:00Z,oops,6\n2026-03-02T08:01:00Z,,7\n";
    let (code, out, _) = received(table, &["check"]);
    let words =
        "1 rows have no time of receipt that can be read and count as received at their own time; line 2: 'oops' is not a time";
    assert!(code == 1 && out.contains(words) && !out.contains("without a value"), "{out}");
    let (_, out, _) = received(table, &[&EXPORT[..], &["-"]].concat());
    let rows: Vec<&str> = out.lines().skip(1).collect();
    assert!(rows[0].starts_with("m.t,2026-03-02T08:00:00.000000Z,2026-03-02T08:00:00.000000Z,double,6"), "{rows:?}");
    assert!(rows[1].starts_with("m.t,2026-03-02T08:01:00.000000Z,2026-03-02T08:01:00.000000Z,double,7"), "{rows:?}");
}

#[test]
fn an_empty_quality_says_nothing_and_a_row_that_ends_before_it_is_uncertain_and_told() {
    let source = "time = { column = \"at\" }\ncolumns = { T = \"m.t\" }\nquality = \"Q\"";
    let err = check(
        &site("", source),
        "at,T,Q\n2026-03-02T08:00:00Z,1,\n2026-03-02T08:01:00Z,2,  \n2026-03-02T08:02:00Z,3\n",
        &[
            ("m.t", "2026-03-02T08:00:00Z", "1.0", "good"),
            ("m.t", "2026-03-02T08:01:00Z", "2.0", "good"),
            ("m.t", "2026-03-02T08:02:00Z", "3.0", "uncertain"),
        ],
    );
    assert!(err.contains("1 rows don't fit the header; line 4: it has 2 cells, the header has 3 names"), "{err}");
}

#[test]
fn what_is_played_in_a_loop_is_read_once_without_a_server_and_that_is_said() {
    let folder = Folder::new();
    folder.write("log.csv", "at,T\n2026-03-02T08:00:00Z,1\n2026-03-02T08:00:09Z,9\n");
    let source = "loop = true\ntime = { column = \"at\" }\ncolumns = { T = \"m.t\" }";
    let path = folder.write("site.toml", site("", source)).display().to_string();
    let (code, out, err) = orrery(&["state", &path, "--at", "2026-03-02T08:00:35Z", "--json"]);
    let state: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &state["twins"][0]["signals"][0]["time"]), (0, &serde_json::json!("2026-03-02T08:00:09Z")), "{err}");
    assert!(
        err.contains("source 'log': log.csv is played in a loop by a server; here it is read once, up to 2026-03-02T08:00:09Z"),
        "{err}"
    );
}
