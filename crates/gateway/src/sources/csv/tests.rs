//! Literal files in, samples out.

use twin_model::{Quality, QualityClass, Value};
use twin_scene::site::{LoadedSite, SourceKind};

use super::*;

/// A site whose one source reads `csv`-described text for twin `t`.
fn site(source: &str) -> LoadedSite {
    let text = format!(
        "[site]\nid = \"s\"\n[[twins]]\nid = \"t\"\nbind = false\nsignals = [{{ name = \"a\" }}, {{ name = \"n\", value = \"int\" }}, \
         {{ name = \"b\", value = \"bool\" }}, {{ name = \"w\", value = \"text\" }}]\n[[sources]]\nid = \"log\"\nkind = \"csv\"\n\
         path = \"log.csv\"\n{source}\n"
    );
    let site = twin_scene::site::load(&text, "site.toml", &mut |_| Err("none".to_owned()));
    assert!(!site.has_errors(), "{:?}", site.diagnostics);
    site
}

fn read(source: &str, csv: &str) -> Result<CsvRows, String> {
    let site = site(source);
    let SourceKind::Csv(def) = &site.sources[0].kind else { panic!("a csv source") };
    read_csv(csv.as_bytes(), def, &site.model, SourceIndex(0))
}

fn check(source: &str, csv: &str, expected: &[(u32, i64, Value)]) {
    let rows = read(source, csv).unwrap();
    let found: Vec<(u32, i64, Value)> =
        rows.samples.iter().map(|(signal, s)| (signal.0, s.source_time.as_micros() / 1_000, s.value.clone())).collect();
    assert_eq!((found.as_slice(), rows.faults), (expected, 0), "{:?}", rows.listed);
}

const TIME_MS: &str = "time = { column = \"t\", format = \"epoch_ms\" }";

#[test]
fn wide_columns_feed_signals_of_every_kind() {
    let columns = "columns = { A = \"t.a\", N = \"t.n\", B = \"t.b\", W = \"t.w\" }";
    check(
        &format!("{TIME_MS}\n{columns}"),
        "t,A,N,B,W\n1,1.5,7,true,\"run, slow\"\n2,,8.0,0,stop\n",
        &[
            (0, 1, Value::Float(1.5)),
            (2, 1, Value::Bool(true)),
            (1, 1, Value::Int(7)),
            (3, 1, Value::text("run, slow")),
            // The empty cell of A is no value; the signal has a gap there.
            (2, 2, Value::Bool(false)),
            (1, 2, Value::Int(8)),
            (3, 2, Value::text("stop")),
        ],
    );
}

#[test]
fn long_rows_find_their_signal_by_a_key_out_of_columns() {
    let source = "layout = \"long\"\nheader = false\nkey = \"{1}.{2}\"\nvalue = 3\ntime = { column = 0, format = \"epoch_ms\" }";
    check(source, "5,t,a,2\n6,t,w,on\n", &[(0, 5, Value::Float(2.0)), (3, 6, Value::text("on"))]);
    let rows = read(source, "5,t,a,2\n6,x,y,1\n7,x,y,1\n").unwrap();
    assert_eq!((rows.rows, rows.samples.len(), rows.unknown_keys), (3, 1, vec![("x.y".to_owned(), 2)]));
}

#[test]
fn other_separators_bom_skipped_lines_and_windows_line_ends_are_read() {
    let source = format!("separator = \";\"\nskip_lines = 2\n{TIME_MS}\ncolumns = {{ A = \"t.a\" }}");
    check(&source, "made by a logger\r\n\r\nt;A\r\n1;2.5\r\n2;3\r\n", &[(0, 1, Value::Float(2.5)), (0, 2, Value::Float(3.0))]);
    check(&format!("{TIME_MS}\ncolumns = {{ A = \"t.a\" }}"), "\u{feff}t,A\n1,2\n", &[(0, 1, Value::Float(2.0))]);
}

#[test]
fn a_header_one_name_short_names_all_columns_but_the_first() {
    check(
        &format!("{TIME_MS}\ncolumns = {{ A = \"t.a\" }}"),
        "t,A\n\"1\",5,2.5\n\"2\",6,3.5\n",
        &[(0, 5, Value::Float(2.5)), (0, 6, Value::Float(3.5))],
    );
}

#[test]
fn qualities_and_null_texts_are_as_the_site_file_says() {
    let source = format!("{TIME_MS}\nquality = \"Q\"\nnull = [\"\", \"n/a\"]\ncolumns = {{ A = \"t.a\" }}");
    let rows = read(&source, "t,A,Q\n1,2,\n2,n/a,good\n3,4,bad_sensor_failure\n4,5,fine\n").unwrap();
    let found: Vec<_> = rows.samples.iter().map(|(_, s)| s.quality).collect();
    assert_eq!(found, [Quality::GOOD, Quality::BAD_SENSOR_FAILURE]);
    assert_eq!(found[1].class(), QualityClass::Bad);
    assert_eq!(rows.listed, [CsvFault { line: 5, what: "'fine' is not a quality".to_owned() }]);
}

#[test]
fn faults_name_line_and_text_and_cost_only_themselves() {
    let rows =
        read(&format!("{TIME_MS}\ncolumns = {{ A = \"t.a\", N = \"t.n\" }}"), "t,A,N\n1,x,2\nsoon,1,1\n3,4,1.5\n4,5\n").unwrap();
    let listed: Vec<String> = rows.listed.iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect();
    assert_eq!(
        listed,
        [
            "2: 'x' is not a number",
            "3: 'soon' is not a time in the format of the site file",
            "4: '1.5' is not a whole number",
            "5: column 2 is missing or not UTF-8",
        ]
    );
    assert_eq!(rows.samples.len(), 3, "what can be read is read");
}

#[test]
fn a_column_that_does_not_exist_is_named_with_those_that_do() {
    let error = read(&format!("{TIME_MS}\ncolumns = {{ Z = \"t.a\" }}"), "t,A\n1,2\n").unwrap_err();
    assert_eq!(error, "log.csv has no column 'Z'; it has: t, A");
    assert_eq!(read(&format!("{TIME_MS}\ncolumns = {{ A = \"t.a\" }}"), "").unwrap_err(), "the file is empty");
}

fn replay(repeat: bool, moved: Option<(Timestamp, f64)>) -> CsvReplay {
    // Seconds 10, 20, 15 (late), 30.
    let csv = "t,A\n10000,1\n20000,2\n15000,3\n30000,4\n";
    let rows = read(&format!("{TIME_MS}\ncolumns = {{ A = \"t.a\" }}"), csv).unwrap();
    CsvReplay::new(SourceIndex(0), rows, repeat, moved)
}

fn poll(replay: &mut CsvReplay, second: f64) -> (Vec<(f64, f64)>, LinkState) {
    let mut out = Polled::default();
    replay.poll(Timestamp::from_micros((second * 1e6) as i64), &mut out);
    let found = out.samples.iter().map(|(_, s)| (s.source_time.as_secs_f64(), s.received_time.as_secs_f64())).collect();
    (found, out.links[0].1)
}

#[test]
fn recorded_times_stay_and_late_rows_keep_their_place() {
    let mut r = replay(false, None);
    assert_eq!(poll(&mut r, 9.9), (vec![], LinkState::Up));
    assert_eq!(poll(&mut r, 20.0).0, [(10.0, 10.0), (20.0, 20.0), (15.0, 20.0)], "the late row came after second 20");
    assert_eq!(poll(&mut r, 99.0), (vec![(30.0, 30.0)], LinkState::Ended));
    assert_eq!(poll(&mut r, 999.0).0, []);
}

#[test]
fn moved_times_start_where_they_are_told_and_are_squeezed_by_the_speed() {
    let mut r = replay(false, Some((Timestamp::from_secs(1_000), 10.0)));
    assert_eq!(poll(&mut r, 1_002.0).0, [(1_000.0, 1_000.0), (1_001.0, 1_001.0), (1_000.5, 1_001.0), (1_002.0, 1_002.0)]);
    let mut r = replay(false, Some((Timestamp::from_secs(1_000), f64::INFINITY)));
    assert_eq!(poll(&mut r, 1_000.0).0.len(), 4, "everything at once");
}

#[test]
fn loops_go_on_in_time_instead_of_repeating_it() {
    let mut r = replay(true, None);
    let (samples, state) = poll(&mut r, 75.0);
    // Two distinct steps of 10 s: one more lies between the last row and the first of the next round.
    let times: Vec<f64> = samples.iter().map(|(t, _)| *t).collect();
    assert_eq!((times, state), (vec![10.0, 20.0, 15.0, 30.0, 40.0, 50.0, 45.0, 60.0, 70.0], LinkState::Up));
}
