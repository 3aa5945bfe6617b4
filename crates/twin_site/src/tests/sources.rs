//! Sources: which signals they feed, and how they are read.

use super::*;

const CSV: &str =
    "[[twins]]\nid = \"room\"\nsignals = [{ name = \"co2\" }]\n[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\n";

#[test]
fn wide_columns_name_the_signals_that_they_feed() {
    let text = format!(
        "[site]\nid = \"s\"\n{CSV}time = {{ column = \"date\", format = \"%Y-%m-%d %H:%M:%S\" }}\nzone = \"UTC\"\ncolumns = {{ CO2 = \"room.co2\" }}\n"
    );
    let site = clean(&text);
    let signal = &site.model.signals()[0];
    assert_eq!((signal.source, signal.source_key.as_str()), (Some(SourceIndex(0)), "CO2"));
    let SourceKind::Csv(csv) = &site.sources[0].kind else { panic!() };
    assert_eq!(csv.table.layout, CsvLayout::Wide { columns: vec![(Column::Name("CO2".into()), "CO2".into())] });
    assert_eq!(
        (csv.table.separator, csv.table.header, csv.speed, csv.repeat, csv.start),
        (b',', true, 1.0, false, StartAt::Recorded)
    );
    assert_eq!(site.signals_by_key(SourceIndex(0)).get("CO2").map(Vec::len), Some(1));
}

/// A signal `p.f`, with `own` keys, in a twin with `of_twin` keys, before a table `a` with `of_a` and a sender `ws`.
fn two_sources(own: &str, of_twin: &str, of_a: &str) -> String {
    format!(
        "[[twins]]\nid = \"p\"\n{of_twin}bind = false\nsignals = [{{ name = \"f\"{own} }}]\n[[sources]]\nid = \"a\"\nkind = \"csv\"\npath = \
         \"a.csv\"\ntime = {{ column = \"t\" }}\n{of_a}[[sources]]\nid = \"ws\"\nkind = \"websocket\"\n"
    )
}

#[test]
fn a_source_of_its_own_feeds_a_signal_alone_and_a_column_that_names_it_is_told() {
    let columns = "columns = { F = \"p.f\" }\n";
    let of_a = |text: &str| {
        let site = loaded(&format!("[site]\nid = \"t\"\n{text}"));
        (site.model.signals()[0].source.map(SourceIndex::at), site.feeds(&site.sources[0]).into_keys().collect::<Vec<_>>())
    };
    let own = two_sources(", source = \"ws\"", "", columns);
    assert_eq!(of_a(&own), (Some(1), Vec::new()));
    check(&own, codes::KEY_UNUSED, 12, &["column 'F' of source 'a' is not read for 'p.f', whose own source is 'ws'"]);
    // The table's own signal, that of a column, that of a twin whose signal a column names, and those that globs fit.
    let long = "layout = \"long\"\nkey = \"{k}\"\nvalue = \"v\"\nfeeds = [\"p.*\"]\n";
    for (own, of_twin, of_table, source, keys) in [
        (", source = \"a\"", "", columns, 0, vec!["F"]),
        ("", "", columns, 0, vec!["F"]),
        ("", "source = \"ws\"\n", columns, 0, vec!["F"]),
        ("", "", long, 0, vec!["p.f"]),
        (", source = \"ws\"", "", long, 1, vec![]),
        ("", "source = \"ws\"\n", long, 1, vec![]),
    ] {
        let text = two_sources(own, of_twin, of_table);
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        assert_eq!(of_a(&text), (Some(source), keys), "{text}");
        let site = loaded(&format!("[site]\nid = \"t\"\n{text}"));
        assert!(site.diagnostics.iter().all(|finding| finding.code != codes::KEY_UNUSED), "{text}");
    }
}

#[test]
fn long_rows_make_keys_out_of_columns() {
    let text = format!(
        "[site]\nid = \"s\"\n{CSV}layout = \"long\"\nheader = false\ntime = {{ column = 0, format = \"epoch_ms\" }}\nkey = \"{{2}}.{{3}}\"\nvalue = 4\nloop = true\nstart = 2026-01-01T00:00:00Z\n"
    );
    let site = clean(&text);
    let SourceKind::Csv(csv) = &site.sources[0].kind else { panic!() };
    let key = vec![KeyPart::Column(Column::Index(2)), KeyPart::Text(".".into()), KeyPart::Column(Column::Index(3))];
    assert_eq!(csv.table.layout, CsvLayout::Long { values: vec![(Column::Index(4), key)] });
    assert_eq!(csv.start, StartAt::Instant("2026-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(site.model.signals()[0].source_key, "room.co2");
}

#[test]
fn mistakes_about_times_of_csv_are_explained() {
    check(&format!("{CSV}columns = {{}}\n"), codes::KEY_MISSING, 6, &["source 'log' has no 'time'"]);
    check(
        &format!("{CSV}time = {{ column = 0, format = \"epoch_sm\" }}\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        10,
        &["is not a time format", "epoch_s"],
    );
    check(
        &format!("{CSV}time = {{ column = 0, format = \"%F %H\", offset = \"Europe/Rome\" }}\nzone = \"UTC\"\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        10,
        &["fixed offset", "zone = \"Europe/Rome\""],
    );
    check(
        &format!("{CSV}time = {{ column = 0, format = \"%H:%M:%S\" }}\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        10,
        &["lacks the year", "time = { date ="],
    );
    check(
        &format!("{CSV}time = {{ column = 0, format = \"%F %H:%M\" }}\ncolumns = {{}}\n"),
        codes::ZONE_MISSING,
        10,
        &["taken as UTC", "zone = "],
    );
    check(
        &format!("{CSV}time = {{ column = 0 }}\nzone = \"Berlin\"\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        11,
        &["'Berlin' is no time zone", "Europe/Berlin"],
    );
    check(
        &format!("{CSV}time = {{ date = 0, time = 1, column = 2 }}\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        10,
        &["not in both"],
    );
}

#[test]
fn mistakes_about_cells_and_columns_of_csv_are_explained() {
    check(&format!("{CSV}time = {{ column = 0 }}\n"), codes::KEY_MISSING, 6, &["has no 'columns'"]);
    check(
        &format!("{CSV}time = {{ column = 0 }}\ndecimal = \",\"\nthousands = \",\"\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        12,
        &["can't be both"],
    );
    for (keys, words) in [
        ("on = [\"AUF\"]\noff = [\"ZU\", \" auf \"]", ["'auf' is to mean off here, and on as 'AUF' at ", ":11:"]),
        ("off = [\"zu\"]\nnull = [\"\", \"Zu\"]", ["'Zu' is to mean no value here, and off as 'zu' at ", ":11:"]),
        ("on = \"-1\"\nnull = \"-1\"", ["'-1' is to mean no value here, and on as '-1' at ", ":11:"]),
    ] {
        check(&format!("{CSV}time = {{ column = 0 }}\n{keys}\ncolumns = {{}}\n"), codes::VALUE_INVALID, 12, &words);
    }
    check(
        &format!("{CSV}header = false\ntime = {{ column = \"date\" }}\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        11,
        &["no header"],
    );
    check(
        &format!("{CSV}time = {{ column = 0 }}\ncolumns = {{ CO2 = \"rom.co2\" }}\n"),
        codes::SIGNAL_UNKNOWN,
        11,
        &["did you mean 'room.co2'?"],
    );
    check(
        &format!("{CSV}time = {{ column = 0 }}\ncolumns = {{}}\nplant = \"x\"\n"),
        codes::KEY_UNUSED,
        12,
        &["kind = \"synthetic\""],
    );
    check(
        &format!("{CSV}time = {{ column = 0 }}\nseparator = \"\\t \"\ncolumns = {{}}\n"),
        codes::VALUE_INVALID,
        11,
        &["one character"],
    );
}

#[test]
fn a_source_whose_keys_do_not_say_how_it_is_read_is_not_read_and_is_still_there() {
    let misread = |head: &str, kind: &str, keys: &str| {
        let head = format!("[site]\nid = \"s\"\n{head}\n[[twins]]\nid = \"p\"\nsignals = [{{ name = \"a\" }}]\n");
        let site = loaded(&format!("{head}[[sources]]\nid = \"log\"\nkind = \"{kind}\"\n{keys}\n"));
        let [source] = site.sources.as_slice() else { panic!("{keys}: {:?}", site.diagnostics) };
        assert_eq!(site.model.signals()[0].source, Some(source.index), "{keys}");
        assert!(source.misread.is_none() || site.has_errors(), "{keys}");
        source.misread.as_ref().map(|misread| (misread.at.line, misread.to_string()))
    };
    let table = |keys: &str| format!("path = \"log.csv\"\ncolumns = {{ A = \"p.a\" }}\n{keys}");
    let rfc = "time = { column = \"T\" }";
    for (keys, words) in [
        (format!("{rfc}\nzone = \"GMT+1\""), "GMT+1"),
        (format!("{rfc}\nzone = 1"), "zone cannot be 1"),
        ("time = { column = \"T\", offset = \"+1\" }".to_owned(), "'+1' is not a fixed offset"),
        ("time = { column = \"T\", formt = \"epoch_s\" }".to_owned(), "did you mean 'format'?"),
        ("time = { column = \"T\", format = \"epoch\" }".to_owned(), "'epoch' is not a time format"),
        ("time = { column = \"T\", zone = \"Asia/Tokyo\" }".to_owned(), "'zone' belongs into the source itself"),
        ("time = { column = \"T\", origin = \"yesterday\", format = \"seconds\" }".to_owned(), "origin cannot be"),
        (format!("{rfc}\noffset = \"+01:00\""), "'offset' belongs into the table 'time'"),
        (format!("{rfc}\ndecimal = \"komma\""), "decimal cannot be \"komma\""),
        (format!("{rfc}\ndezimal = \",\""), "'dezimal' is not a key of a source; did you mean 'decimal'?"),
        (format!("{rfc}\nthousand = \".\""), "did you mean 'thousands'?"),
        (format!("{rfc}\nnull = -9999"), "null cannot be -9999"),
        (format!("{rfc}\nquality = {{ column = \"Q\", codes = \"opcda\" }}"), "codes cannot be \"opcda\""),
        (format!("{rfc}\nquality = {{ colum = \"Q\" }}"), "did you mean 'column'?"),
        (format!("{rfc}\nquality = {{ codes = \"opc_da\" }}"), "its quality has no 'column'"),
        (format!("{rfc}\nqualty = \"Q\""), "did you mean 'quality'?"),
        (format!("{rfc}\ncodes = \"opc_da\"\nquality = \"Q\""), "'codes' belongs into the table 'quality'"),
        (format!("{rfc}\nempty = \"none\""), "empty cannot be"),
        (format!("{rfc}\nencoding = \"latin1\""), "encoding cannot be"),
        (format!("{rfc}\nskip_lines = -1"), "skip_lines cannot be negative"),
        (format!("{rfc}\nclock = \"receved\""), "clock cannot be"),
        (String::new(), "source 'log' has no 'time'"),
    ] {
        let found = misread("", "csv", &table(&keys));
        let Some((line, said)) = found else { panic!("{keys} is read") };
        assert!(said.contains(words) && (line >= 11 || keys.is_empty()), "{keys}: line {line}: {said}");
    }
    // What says nothing about how values and times are read is a finding, and the source runs.
    for keys in ["speed = -1", "speeed = 2", "start = \"nwo\"", "loop = 1", "frobnicate = 1", "remark = \"mine\""] {
        assert_eq!(misread("", "csv", &table(&format!("{rfc}\n{keys}"))), None, "{keys}");
    }
    for (keys, words) in [
        ("quality = \"opcda\"", "'opcda' are no codes of qualities"),
        ("zone = \"Berln\"", "Berln"),
        ("zon = \"UTC\"", "did you mean 'zone'?"),
        ("time = { format = \"epoch_sm\" }", "is not a time format"),
    ] {
        let said = misread("", "websocket", keys).map(|(_, said)| said).unwrap_or_default();
        assert!(said.contains(words), "{keys}: {said}");
    }
    assert_eq!(misread("", "websocket", "decimal = 5"), None, "no key of a sender");
    // The zone of the site counts only for those who need it.
    let pattern = table("time = { column = \"T\", format = \"%F %T\" }");
    for head in ["time_zone = \"Europe/Berln\"", "time_zone = 1", "timezone = \"Europe/Berlin\"", "zone = \"Europe/Berlin\""] {
        let said = misread(head, "csv", &pattern).map(|(_, said)| said).unwrap_or_default();
        assert!(said.contains("the time_zone of the site can't be used"), "{head}: {said}");
        assert_eq!(misread(head, "csv", &table(rfc)), None, "{head}: a time without an offset is refused, the others need none");
        assert_eq!(misread(head, "csv", &format!("{pattern}\nzone = \"UTC\"")), None, "{head}");
    }
    assert_eq!(misread("", "csv", &pattern), None, "taken as UTC, as is said");
}

#[test]
fn two_numbers_in_the_wrong_order_are_shown_in_the_right_one() {
    check("years = [2100, 1960]\n[[twins]]\nid = \"a\"\n", codes::VALUE_INVALID, 3, &["[2100, 1960]", "first: [1960, 2100]"]);
}

#[test]
fn one_signal_may_come_out_of_several_files() {
    let again = CSV.split_once("[[sources]]").unwrap().1.replace("log", "more");
    let keys = "time = { column = 0 }\ncolumns = { CO2 = \"room.co2\" }\n";
    check(&format!("{CSV}{keys}[[sources]]{again}{keys}"), codes::SOURCE_SHARED, 17, &["fed by source 'log', too"]);
    let site = loaded(&format!("[site]\nid = \"s\"\n{CSV}{keys}[[sources]]{again}{keys}"));
    for source in &site.sources {
        assert_eq!(site.feeds(source).get("CO2").map(Vec::len), Some(1), "{}", source.id);
    }
    check(
        &format!("{CSV}time = {{ column = 0 }}\ncolumns = {{ A = \"room.co2\", B = \"room.co2\" }}\n"),
        codes::ID_DUPLICATE,
        11,
        &["two columns"],
    );
}

#[test]
fn the_zone_of_a_source_goes_before_that_of_the_site() {
    let text = |site: &str, source: &str| {
        let text = format!("[site]\nid = \"s\"\n{site}{CSV}time = {{ column = 0 }}\n{source}columns = {{}}\n");
        let site = clean(&text);
        let SourceKind::Csv(csv) = &site.sources[0].kind else { panic!() };
        (csv.table.times.zone.as_ref().map(|zone| zone.as_str().to_owned()), csv.zone_from)
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(text("", ""), (None, ZoneFrom::Nobody));
    assert_eq!(text("time_zone = \"Asia/Tokyo\"\n", ""), (named("Asia/Tokyo"), ZoneFrom::Site));
    assert_eq!(text("time_zone = \"Asia/Tokyo\"\n", "zone = \"-05:00\"\n"), (named("-05:00"), ZoneFrom::Source));
}

#[test]
fn plausible_years_are_two_whole_years() {
    check("years = [1800, 1999.5]\n[[twins]]\nid = \"a\"\n", codes::VALUE_INVALID, 3, &["between 1 and 9999"]);
    check("years = [0, 2000]\n[[twins]]\nid = \"a\"\n", codes::VALUE_INVALID, 3, &["between 1 and 9999"]);
}

#[test]
fn whose_clock_counts_is_said_by_the_source_and_a_table_has_to_have_the_other_time() {
    let table = |more: &str| {
        format!(
            "[[twins]]\nid = \"a\"\nsignals = [{{ name = \"v\" }}]\n[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"t.csv\"\n\
             time = {{ column = \"taken\" }}\ncolumns = {{ \"V\" = \"a.v\" }}\nclock = \"received\"\n{more}"
        )
    };
    check(&table(""), codes::KEY_MISSING, 12, &["does not say when its rows were received", "received = \u{2026}"]);
    let site = clean(&format!("[site]\nid = \"t\"\n{}", table("received = \"stored\"\n")));
    let SourceKind::Csv(csv) = &site.sources[0].kind else { panic!() };
    // No other time is read, so that none can be wrong.
    assert_eq!(csv.table.time, twin_table::TimeColumns::One(Column::Name("stored".to_owned())));
    assert_eq!(csv.table.received, Some(Column::Name("stored".to_owned())));
    assert!(csv.table.by_receipt());
    let sender = "[[twins]]\nid = \"a\"\n[[sources]]\nid = \"plc\"\nkind = \"websocket\"\nclock = \"received\"\n";
    let site = clean(&format!("[site]\nid = \"t\"\n{sender}"));
    assert!(matches!(site.sources[0].kind, SourceKind::WebSocket { clock: SourceClock::Received, .. }));
    check(&format!("{sender}zone = \"Asia/Tokyo\"\n"), codes::KEY_UNUSED, 9, &["times of senders are not read"]);
    check(&sender.replace("received", "mine"), codes::VALUE_INVALID, 8, &["clock"]);
}

#[test]
fn with_two_sources_each_signal_needs_one() {
    let sources = "[[sources]]\nid = \"a\"\nkind = \"websocket\"\n[[sources]]\nid = \"b\"\nkind = \"websocket\"\n";
    let twins = "[[twins]]\nid = \"t\"\nsignals = [{ name = \"x\", source = \"a\" }, { name = \"y\" }]\n";
    check(&format!("{twins}{sources}"), codes::SIGNAL_UNFED, 0, &["no source is named for y of twin 't'"]);
    let site = clean(&format!("[site]\nid = \"s\"\n{twins}{sources}feeds = \"*.y\"\n"));
    assert_eq!(site.model.signals().iter().map(|s| s.source).collect::<Vec<_>>(), [Some(SourceIndex(0)), Some(SourceIndex(1))]);
}

#[test]
fn an_offset_that_is_written_otherwise_is_answered_with_one_that_can_be_written_there() {
    let source = |keys: &str| format!("{CSV}time = {{ column = 0{keys}\ncolumns = {{}}\n");
    check(&source(", offset = \"+1\" }"), codes::VALUE_INVALID, 10, &["'+1' is not a fixed offset", "write it as \"+01:00\""]);
    check(&source(", offset = \"Mars\" }"), codes::VALUE_INVALID, 10, &["write UTC or an offset such as +01:00"]);
    check(&source(" }\nzone = \"GMT+1\""), codes::VALUE_INVALID, 11, &["'GMT+1' is no time zone", "write the offset as +01:00"]);
    let text = "[site]\nid = \"s\"\ntime_zone = \"GMT+1\"\n[[twins]]\nid = \"a\"\n";
    let help = &loaded(text).diagnostics[0].help;
    assert!(help.contains("Europe/Berlin") && !help.contains("GMT") && !help.contains("+01:00"), "a name is wanted: {help}");
}

#[test]
fn a_time_zone_is_a_name() {
    for (zone, fine) in [("UTC", true), ("America/Argentina/Ushuaia", true), ("Etc/GMT+3", true), ("+01:00", false), ("", false)]
    {
        let text = format!("[site]\nid = \"s\"\ntime_zone = \"{zone}\"\n[[twins]]\nid = \"a\"\n");
        assert_eq!(loaded(&text).diagnostics.is_empty(), fine, "{zone}");
    }
}
