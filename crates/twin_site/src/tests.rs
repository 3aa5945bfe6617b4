//! What the loader accepts, what it refuses and in which words.

use super::*;
use twin_model::{AlarmCondition, KnobTarget, Limit, RuleKind, Status, Value};

fn no_files(path: &str) -> Result<Vec<u8>, String> {
    Err(format!("the test gave no file '{path}'"))
}

fn loaded(text: &str) -> LoadedSite {
    load(text, "site.toml", &mut no_files)
}

fn clean(text: &str) -> LoadedSite {
    let site = loaded(text);
    let all: Vec<String> = site.diagnostics.iter().map(ToString::to_string).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
    site
}

/// Loads `body` after a `[site]` table of two lines and asserts that exactly one finding has this code, line and words.
fn check(body: &str, code: &str, line: u32, words: &[&str]) {
    let site = loaded(&format!("[site]\nid = \"t\"\n{body}"));
    let all: Vec<String> = site.diagnostics.iter().map(ToString::to_string).collect();
    let found: Vec<&Diagnostic> = site.diagnostics.iter().filter(|finding| finding.code == code).collect();
    let [finding] = found.as_slice() else { panic!("expected one {code} in:\n{}", all.join("\n")) };
    assert_eq!(finding.at.line, line, "{finding}");
    for word in words {
        assert!(finding.to_string().contains(word), "no '{word}' in: {finding}");
    }
}

/// A twin with two signals, whose rule is `rule` from line 11 on.
fn judged(rule: &str) -> String {
    let head =
        "[[twins]]\nid = \"p\"\n[[twins.signals]]\nname = \"load\"\n[[twins.signals]]\nname = \"mode\"\nvalue = \"text\"\n";
    format!("{head}[[twins.rules]]\nid = \"r\"\n{rule}")
}

#[test]
fn bands_that_hide_each_other_or_leave_no_room_are_named() {
    for (bands, words) in [
        ("{ above = 5, status = \"failure\" }, { above = 9, status = \"maintenance\" }", "maintenance above 9 never shows"),
        ("{ below = 5, status = \"failure\" }, { below = 1, status = \"failure\" }", "failure below 1 never shows"),
        ("{ above = 5, status = \"failure\" }, { above = 5, status = \"maintenance\" }", "two bands begin at 5"),
        ("{ below = 9, status = \"failure\" }, { above = 5, status = \"maintenance\" }", "values from 5 to 9"),
    ] {
        let rule = format!("kind = \"range\"\nsignal = \"load\"\nbands = [{bands}]\n");
        check(&judged(&rule), codes::BANDS_OVERLAP, 11, &[words, "rule 'r' of twin 'p'"]);
    }
}

#[test]
fn a_rule_with_more_bands_than_can_be_judged_is_refused() {
    let bands = |n: i32| (0..n).map(|at| format!("{{ above = {at}, status = \"failure\" }}")).collect::<Vec<_>>().join(", ");
    let rule = |n| judged(&format!("kind = \"range\"\nsignal = \"load\"\nbands = [{}]\n", bands(n)));
    check(&rule(33), codes::TOO_MANY, 11, &["has 33 bands", "at most 32"]);
    let site = loaded(&format!("[site]\nid = \"t\"\n{}", rule(32)));
    assert!(site.diagnostics.iter().all(|finding| finding.code != codes::TOO_MANY));
}

#[test]
fn keys_that_the_kind_does_not_read_are_named() {
    let rule = "kind = \"match\"\nsignal = \"mode\"\ncases = [{ value = \"E\", status = \"failure\" }]\ndeadband = 2\n";
    check(&judged(rule), codes::KEY_UNUSED, 11, &["deadband of rule 'r'", "its kind is match", "range"]);
    let rule = "kind = \"stale\"\nsignal = \"load\"\nstatus = \"failure\"\nbad = \"failure\"\n";
    check(&judged(rule), codes::KEY_UNUSED, 11, &["bad of rule 'r'"]);
    let alarm = "[[twins]]\nid = \"p\"\n[[twins.signals]]\nname = \"mode\"\nvalue = \"text\"\n[[twins.alarms]]\nid = \"a\"\n\
                 kind = \"reported\"\nsignal = \"mode\"\nstates = [{ value = \"E\", state = \"unacknowledged\" }]\n\
                 acknowledge = \"required\"\n";
    check(alarm, codes::KEY_UNUSED, 9, &["acknowledge of alarm 'a'", "its kind is reported"]);
}

#[test]
fn names_of_acknowledgements_are_not_those_of_signals() {
    let site = "[[twins]]\nid = \"p\"\n[[twins.signals]]\nname = \"load\"\n[[twins.signals]]\nname = \"hot#acknowledged\"\nvalue = \"text\"\n\
                [[twins.alarms]]\nid = \"hot\"\nsignal = \"load\"\nabove = 1\nacknowledge = \"required\"\n";
    check(site, codes::ID_DUPLICATE, 8, &["who acknowledged an alarm, here 'p.hot'", "rename the signal"]);
    let computed = site.replace("value = \"text\"", "kind = \"computed\"\nexpression = \"load\"");
    check(&computed, codes::ID_DUPLICATE, 8, &["who acknowledged an alarm"]);
}

#[test]
fn a_signal_that_is_stale_before_it_is_late_is_named() {
    let signal = |keys: &str| format!("[[twins]]\nid = \"p\"\n[[twins.signals]]\nname = \"load\"\n{keys}\n");
    check(&signal("late_after = \"10s\"\nstale_after = \"5s\""), codes::STALE_BEFORE_LATE, 6, &["p.load", "5s", "10s"]);
    check(&signal("period = \"2s\"\nstale_after = \"5s\""), codes::STALE_BEFORE_LATE, 6, &["three periods"]);
    clean(&format!("[site]\nid = \"t\"\n{}", signal("period = \"2s\"\nstale_after = \"6s\"")));
}

#[test]
fn what_many_twins_inherit_is_wrong_once() {
    let interface =
        "[[interfaces]]\nid = \"i\"\n[[interfaces.signals]]\nname = \"load\"\nperiod = \"2s\"\nstale_after = \"1s\"\n";
    let twins: String = (0..50).map(|n| format!("[[twins]]\nid = \"t-{n}\"\ninterface = \"i\"\n")).collect();
    check(&format!("{interface}{twins}"), codes::STALE_BEFORE_LATE, 6, &["t-0.load"]);
}

const PUMPS: &str = r#"
[site]
id = "plant"
name = "A plant"
time_zone = "Europe/Berlin"

[[interfaces]]
id = "machine"
name = "Machine"

[[interfaces.signals]]
name = "temperature"
unit = "°C"
period = "1s"

[[interfaces]]
id = "pump"
extends = "machine"

[[interfaces.signals]]
name = "flow"
unit = "l/min"
period = "500ms"
range = [0, 100]

[[interfaces.rules]]
id = "hot"
kind = "range"
signal = "temperature"
bands = [{ above = 60, status = "maintenance" }, { above = 80.5, status = "failure" }]
deadband = 2
on_delay = "10s"
note = "maker's sheet"

[[interfaces.alarms]]
id = "low-flow"
kind = "limit"
signal = "flow"
below = 5
priority = "high"
message = "{name}: flow is low"

[[interfaces.processes]]
signal = "temperature"
kind = "lag"
tau = "20min"
expr = "{twin}.flow * 0.3 + hall.ambient"
clamp = [0, 200]

[[twins]]
id = "hall"
bind = false
[[twins.signals]]
name = "ambient"
unit = "°C"

[[twins]]
id = "pump-01"
name = "Pump 1"
interface = "pump"
parent = "hall"
relationships = [{ name = "feeds", target = "pump-02" }]
[[twins.rules]]
id = "hot"
deadband = 5

[[twins]]
id = "pump-02"
interface = "pump"
[[twins.signals]]
name = "flow"
unit = "m3/h"
[[twins.rules]]
id = "hot"
remove = true

[[sources]]
id = "simulation"
kind = "synthetic"
plant = "bottling"
seed = 7

[[knobs]]
id = "flow"
min = -50
max = 50
targets = [{ scale = "pump-01.flow" }, { offset = "hall.ambient" }]
"#;

#[test]
fn twins_take_over_what_their_interface_says_and_change_it_field_by_field() {
    let site = clean(PUMPS);
    let model = &site.model;
    assert_eq!((model.twins().len(), model.signals().len()), (3, 5));
    let rule = |twin: &str| {
        let twin = model.twin(model.find_twin(twin).unwrap());
        twin.rules.iter().map(|rule| model.rule(*rule).clone()).collect::<Vec<_>>()
    };
    let [hot] = rule("pump-01").try_into().unwrap();
    let RuleKind::Range { bands, deadband, .. } = &hot.kind else { panic!("{hot:?}") };
    assert_eq!((bands.len(), *deadband, hot.note.as_str()), (2, 5.0, "maker's sheet"));
    // The rule was removed, so the twin falls back to quality and age of its two signals.
    assert_eq!(rule("pump-02").len(), 4);
    let flow = |id: &str| model.signal(model.find_signal(id).unwrap());
    assert_eq!((flow("pump-01.flow").unit.0.as_str(), flow("pump-02.flow").unit.0.as_str()), ("l/min", "m3/h"));
    assert_eq!(flow("pump-02.flow").range, Some((0.0, 100.0)), "fields that are not given stay");
}

#[test]
fn alarms_processes_knobs_and_edges_are_resolved() {
    let site = clean(PUMPS);
    let model = &site.model;
    let alarm = &model.alarms()[0];
    assert_eq!((alarm.id.as_str(), alarm.message.as_str()), ("pump-01.low-flow", "Pump 1: flow is low"));
    assert!(matches!(alarm.condition, AlarmCondition::Limit { limit: Limit::Below(limit), .. } if limit == 5.0));
    assert_eq!(model.processes()[0].expr, "pump-01.flow * 0.3 + hall.ambient");
    assert_eq!(model.relationships().len(), 1);
    assert_eq!(model.knobs()[0].unit, "%");
    assert!(matches!(model.knobs()[0].targets[1], KnobTarget::Offset(_)));
    assert!(model.signals().iter().all(|signal| signal.source == Some(SourceIndex(0))), "one source feeds all");
    assert_eq!(site.no_geometry, [model.find_twin("hall").unwrap()]);
}

#[test]
fn the_smallest_site_needs_five_lines() {
    let site =
        clean("[site]\nid = \"s\"\n[[twins]]\nid = \"t\"\nsignals = [{ name = \"bearing_temperature\", unit = \"°C\" }]\n");
    assert!(site.usable);
    assert_eq!(site.model.signals()[0].display_name, "Bearing temperature");
    assert_eq!(site.model.site().time_zone, "UTC");
}

#[test]
fn values_of_cases_take_the_kind_of_their_signal() {
    let text = r#"
[site]
id = "s"
[[twins]]
id = "t"
signals = [{ name = "mode", value = "float" }]
[[twins.rules]]
id = "mode"
kind = "match"
signal = "mode"
cases = [{ value = 3, status = "failure" }]
"#;
    let site = clean(text);
    let RuleKind::Match { cases, otherwise } = &site.model.rules()[0].kind else { panic!() };
    assert_eq!((cases.as_slice(), *otherwise), (&[(Value::Float(3.0), Status::Failure)][..], Status::Normal));
}

#[test]
fn unknown_keys_are_named_with_the_nearest_known_one() {
    check(
        "[[twins]]\nid = \"a\"\nparant = \"b\"\n",
        codes::KEY_UNKNOWN,
        5,
        &["'parant'", "did you mean 'parent'?", "site.toml:5:1"],
    );
    check("[colours]\n", codes::KEY_UNKNOWN, 3, &["'colours' is not a key of a site file"]);
}

#[test]
fn wrong_types_say_what_to_write() {
    let twin = |rest: &str| format!("[[twins]]\nid = \"a\"\n{rest}");
    for (body, words) in [
        (twin("parent = 3\n"), "twins[0].parent cannot be 3"),
        (twin("signals = [{ name = \"x\", period = \"5 weeks\" }]\n"), "write a duration such as"),
        (twin("signals = [{ name = \"x\", range = [5, 1] }]\n"), "two numbers [low, high]"),
        (twin("signals = [{ name = \"x\", kind = \"analogue\" }]\n"), "'analog' (or another of"),
        (twin("rules = 4\n"), "a list of tables, each a rule"),
        (twin("bind = true\n"), "false, a table, or a list of tables"),
    ] {
        check(&body, codes::VALUE_INVALID, if body.contains("bind") || body.contains("= ") { 5 } else { 4 }, &[words]);
    }
}

#[test]
fn missing_keys_are_reported_at_their_table() {
    check("[[twins]]\nname = \"A\"\n", codes::KEY_MISSING, 3, &["twins[0] has no 'id'", "add id ="]);
    let site = loaded("[[twins]]\nid = \"x\"\n");
    assert!(site.diagnostics.iter().any(|finding| finding.code == codes::KEY_MISSING && finding.message.contains("'site'")));
    assert!(site.usable, "the rest still loads");
}

#[test]
fn dangling_names_are_found_with_their_line() {
    let two = "[[twins]]\nid = \"pump-01\"\n";
    check(&format!("{two}parent = \"hal\"\n[[twins]]\nid = \"hall\"\n"), codes::TWIN_UNKNOWN, 5, &["did you mean 'hall'?"]);
    check(&format!("{two}interface = \"pmup\"\n[[interfaces]]\nid = \"pump\"\n"), codes::INTERFACE_UNKNOWN, 5, &["'pump'?"]);
    check(&format!("{two}relationships = [{{ name = \"feeds\", target = \"x\" }}]\n"), codes::TWIN_UNKNOWN, 5, &["feeds 'x'"]);
    check(
        &format!("{two}[[twins.rules]]\nid = \"r\"\nkind = \"stale\"\nsignal = \"flow\"\n"),
        codes::SIGNAL_UNKNOWN,
        8,
        &["rule 'r' of twin 'pump-01' reads 'flow'"],
    );
    check(&format!("{two}[[bindings]]\ntwin = \"pump-1\"\nnode = \"x\"\n"), codes::TWIN_UNKNOWN, 6, &["'pump-01'?"]);
    check(&format!("{two}[[bindings]]\ntwin = \"pump-01\"\nmodel = \"hall\"\n"), codes::MODEL_UNKNOWN, 7, &["'hall'"]);
    check(&format!("{two}source = \"plc\"\nsignals = [{{ name = \"x\" }}]\n"), codes::SOURCE_UNKNOWN, 5, &["'plc'"]);
    let knob = "[[knobs]]\nid = \"k\"\nmin = 0\nmax = 1\ntargets = [{ set = \"a.b\" }]\n";
    check(&format!("{two}{knob}"), codes::SIGNAL_UNKNOWN, 9, &["knob 'k' changes 'a.b'"]);
    check(&format!("{two}[view]\nselect = \"pump-02\"\n"), codes::TWIN_UNKNOWN, 6, &["'pump-01'?"]);
}

#[test]
fn expressions_are_searched_for_signals_that_do_not_exist() {
    let text = "[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\" }, { name = \"y\" }]\n[[twins.processes]]\nsignal = \"x\"\nkind = \"assign\"\nexpr = \"max(a.y, 2.5e3) - a.z\"\n";
    check(text, codes::EXPRESSION_REFERENCE, 9, &["mentions 'a.z'"]);
}

#[test]
fn circles_are_cut_and_named() {
    check("[[twins]]\nid = \"a\"\nparent = \"b\"\n[[twins]]\nid = \"b\"\nparent = \"a\"\n", codes::TWIN_CYCLE, 8, &["'a'"]);
    let text = "[[interfaces]]\nid = \"i\"\nextends = \"i\"\n[[twins]]\nid = \"a\"\n";
    check(text, codes::INTERFACE_CYCLE, 5, &["extends itself"]);
}

#[test]
fn ids_used_twice_keep_the_first() {
    check("[[twins]]\nid = \"a\"\n[[twins]]\nid = \"a\"\n", codes::ID_DUPLICATE, 6, &["twin 'a'", "first is at site.toml:4"]);
    let site = loaded("[site]\nid=\"s\"\n[[twins]]\nid=\"a\"\nname=\"1\"\n[[twins]]\nid=\"a\"\nname=\"2\"\n");
    assert_eq!(site.model.twins()[0].display_name, "1");
}

#[test]
fn rules_that_can_never_fit_are_refused() {
    let twin =
        "[[twins]]\nid = \"a\"\nsignals = [{ name = \"s\", value = \"text\" }]\n[[twins.rules]]\nid = \"r\"\nsignal = \"s\"\n";
    check(
        &format!("{twin}kind = \"range\"\nbands = [{{ above = 1, status = \"failure\" }}]\n"),
        codes::VALUE_KIND,
        7,
        &["match"],
    );
    check(
        &format!("{twin}kind = \"match\"\ncases = [{{ value = 1, status = \"failure\" }}]\n"),
        codes::VALUE_KIND,
        7,
        &["text values"],
    );
    check(&format!("{twin}kind = \"match\"\n"), codes::RULE_INCOMPLETE, 7, &["has no 'cases'"]);
    check(twin, codes::RULE_INCOMPLETE, 7, &["has no 'kind'"]);
    let both = "kind = \"range\"\nbands = [{ above = 1, below = 0, status = \"failure\" }]\n";
    let site = loaded(&format!("[site]\nid = \"t\"\n{twin}{both}"));
    assert!(site.diagnostics.iter().any(|finding| finding.message.contains("side by side")));
}

#[test]
fn placeholders_without_a_value_are_reported_for_the_twin() {
    let text = "[[interfaces]]\nid = \"i\"\nsignals = [{ name = \"s\", source_key = \"{unit_no}\" }]\n[[twins]]\nid = \"a\"\ninterface = \"i\"\nvars = { unit_nr = \"7\" }\n";
    check(text, codes::PLACEHOLDER_UNKNOWN, 5, &["twin 'a' has no value for {unit_no}", "did you mean 'unit_nr'?"]);
}

#[test]
fn syntax_errors_make_a_site_unusable_and_say_where() {
    let site = loaded("[site]\nid = \"s\nname = 1\n");
    assert!(!site.usable);
    assert_eq!((site.diagnostics[0].code, site.diagnostics[0].at.line), (codes::TOML_SYNTAX, 2));
    let site = load_bytes(b"[site]\nid = \"\xff\"\n", "site.toml", &mut no_files);
    assert_eq!((site.diagnostics[0].code, site.diagnostics[0].at.line, site.usable), (codes::FILE_INVALID, 2, false));
    let site = loaded("[site]\nid = \"s\"\n");
    assert_eq!((site.diagnostics[0].code, site.usable), (codes::SITE_EMPTY, false));
}

#[test]
fn large_files_are_refused_before_they_are_parsed() {
    let site = loaded(&"#".repeat(MAX_FILE_BYTES + 1));
    assert_eq!((site.diagnostics[0].code, site.usable), (codes::FILE_TOO_LARGE, false));
}

#[test]
fn models_stand_where_the_file_says() {
    let site = clean(
        "[site]\nid = \"s\"\n[[models]]\nid = \"m\"\npath = [\"a.glb\", \"b\\\\c.glb\"]\nup = \"z\"\nunit = \"mm\"\ntranslate = [1, 2, 3]\nrotate_deg = [0, 90, 0]\nscale = 2\n",
    );
    assert_eq!(site.assets.iter().map(|asset| asset.path.as_str()).collect::<Vec<_>>(), ["a.glb", "b/c.glb"]);
    // 1000 mm up (Z) is 2 m up (Y) at scale 2; 1000 mm along X turns to -Z.
    let point = site.assets[0].transform.transform_point3(glam::DVec3::new(1000.0, 0.0, 1000.0));
    assert!((point - glam::DVec3::new(1.0, 4.0, 1.0)).length() < 1e-5, "{point}");
}

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
fn several_keys_are_one_binding_and_a_list_is_several() {
    let text = "[site]\nid = \"s\"\n[[twins]]\nid = \"t\"\nbind = [{ node = \"a/b\", name = \"b\" }, { global_id = [\"1\", \"2\"] }]\n[[bindings]]\ntwin = \"t\"\nextras = { tag = \"T\", no = 3 }\n";
    let site = clean(text);
    assert_eq!(site.bindings.iter().map(|binding| binding.keys.len()).collect::<Vec<_>>(), [2, 1, 1, 1]);
    assert_eq!(site.bindings[2].at.line, 5);
    check(
        "[[twins]]\nid = \"t\"\nbind = { node = [\"a\", \"b\"], name = \"c\" }\n",
        codes::BINDING_INVALID,
        5,
        &["which belongs to which"],
    );
    check("[[twins]]\nid = \"t\"\nbind = {}\n", codes::BINDING_INVALID, 5, &["no key that finds nodes"]);
}

#[test]
fn interfaces_bind_all_their_twins_and_a_twin_goes_its_own_way() {
    let text = "[site]\nid = \"s\"\n[[interfaces]]\nid = \"i\"\nbind = { name = \"{twin}\", extras = { tag = \"T{no}\", n = 1 } }\n[[interfaces]]\nid = \"j\"\nextends = \"i\"\nbind = false\n[[twins]]\nid = \"a\"\ninterface = \"i\"\nvars = { no = \"7\" }\n[[twins]]\nid = \"b\"\ninterface = \"i\"\nbind = { name = \"{B}\" }\n[[twins]]\nid = \"c\"\ninterface = \"j\"\n";
    let site = clean(text);
    let keys: Vec<_> = site.bindings.iter().map(|binding| binding.keys.clone()).collect();
    let extras = vec![("n".to_owned(), Value::Int(1)), ("tag".to_owned(), Value::text("T7"))];
    assert_eq!(keys, [vec![BindKey::Name("a".into()), BindKey::Extras(extras)], vec![BindKey::Name("{B}".into())]]);
    assert_eq!(site.no_geometry, [TwinIndex(2)]);
}

/// A twin with three measured signals; `signal` is the rest of one more, from line 14 on.
fn following(signal: &str) -> String {
    let head = "[[twins]]\nid = \"p\"\nbind = false\n[[twins.signals]]\nname = \"inlet\"\nunit = \"C\"\n[[twins.signals]]\nname = \"mode\"\nvalue = \"text\"\n";
    format!(
        "{head}[[twins.signals]]\nname = \"x\"\n{signal}\n[[twins]]\nid = \"q\"\nsignals = [{{ name = \"inlet\", unit = \"bar\" }}]\n"
    )
}

#[test]
fn what_is_wrong_with_a_computed_signal_is_said_with_its_column_and_a_remedy() {
    for (signal, code, words) in [
        (
            "kind = \"computed\"\nexpression = \"inlet +\"",
            codes::EXPRESSION_INVALID,
            &["column 8 of the expression of 'p.x'"][..],
        ),
        (
            "kind = \"computed\"\nexpression = \"2 * inlett\"",
            codes::EXPRESSION_REFERENCE,
            &["column 5: the expression of 'p.x' mentions 'inlett'", "did you mean 'inlet'?"],
        ),
        ("kind = \"computed\"\nexpression = \"q.inlett\"", codes::EXPRESSION_REFERENCE, &["mentions 'q.inlett'", "'q.inlet'?"]),
        ("kind = \"computed\"\nexpression = \"inlet + mode\"", codes::EXPRESSION_INVALID, &["column 9", "'mode' is a text"]),
        ("kind = \"computed\"\nexpression = \"inlet > 3\"", codes::EXPRESSION_INVALID, &["true or false", "value = \"bool\""]),
        ("kind = \"computed\"\nexpression = \"1 + 1\"", codes::EXPRESSION_INVALID, &["names no signal"]),
        ("kind = \"computed\"\nexpression = \"x + inlet\"", codes::EXPRESSION_CYCLE, &["p.x \u{2192} p.x"]),
        (
            "kind = \"computed\"\nexpression = \"2 * inlet\"\nsource = \"plc\"",
            codes::COMPUTED_FED,
            &["'p.x' is computed, and its source feeds nothing"],
        ),
        ("unit = \"C\"\nexpression = \"inlet\"", codes::KEY_UNUSED, &["its kind is not computed", "kind = \"computed\""]),
        ("unit = \"F\"\nkind = \"computed\"\nexpression = \"inlet + inlet\"", codes::EXPRESSION_UNIT, &["gives C", "is in F"]),
        ("kind = \"computed\"\nexpression = \"-inlet\"", codes::EXPRESSION_UNIT, &["gives C", "has no unit", "unit = \"C\""]),
        ("kind = \"computed\"\nexpression = \"inlet - q.inlet\"", codes::EXPRESSION_UNIT, &["bar is subtracted from C"]),
        (
            "unit = \"C\"\nkind = \"computed\"\nexpression = \"clamp(inlet, 5, -1)\"",
            codes::EXPRESSION_BOUNDS,
            &["column 1 of the expression of 'p.x'", "clamp between 5 and -1 holds no value", "lower bound first"],
        ),
    ] {
        // What is wrong stands in the last line of the signal.
        check(&following(signal), code, 13 + signal.lines().count() as u32, words);
    }
    check(&following("kind = \"computed\""), codes::RULE_INCOMPLETE, 13, &["computed signal 'p.x' has no expression"]);
    let ring = "[[twins]]\nid = \"p\"\n[[twins.signals]]\nname = \"a\"\nkind = \"computed\"\nexpression = \"b\"\n\
                [[twins.signals]]\nname = \"b\"\nkind = \"computed\"\nexpression = \"a\"\n";
    check(ring, codes::EXPRESSION_CYCLE, 8, &["'p.a' follows from itself: p.a \u{2192} p.b \u{2192} p.a", "break the circle"]);
}

#[test]
fn one_definition_serves_every_twin_of_an_interface_and_is_wrong_once() {
    let site = |expression: &str| {
        format!(
            "[[interfaces]]\nid = \"i\"\nsignals = [{{ name = \"a\" }}, {{ name = \"d\", kind = \"computed\", expression = \"{expression}\" }}]\n\
             [[twins]]\nid = \"t1\"\ninterface = \"i\"\n[[twins]]\nid = \"t2\"\ninterface = \"i\"\nvars = {{ other = \"t1\" }}\n\
             [[twins]]\nid = \"t3\"\ninterface = \"i\"\nsignals = [{{ name = \"d\", kind = \"analog\" }}]\n\
             [[twins]]\nid = \"t4\"\ninterface = \"i\"\nsignals = [{{ name = \"d\", expression = \"t1.a + a\" }}]\n"
        )
    };
    let loaded = loaded(&format!("[site]\nid = \"t\"\n{}", site("2 * a")));
    let computed: Vec<_> =
        loaded.model.computed().iter().map(|it| (loaded.model.signal(it.signal).id.as_str(), it.expr.as_str())).collect();
    assert_eq!(computed, [("t1.d", "2 * a"), ("t2.d", "2 * a"), ("t4.d", "t1.a + a")]);
    // That of the third is there for nothing, and says so.
    assert_eq!(loaded.diagnostics.iter().map(|it| it.code).collect::<Vec<_>>(), [codes::KEY_UNUSED]);
    // No rules of its own: those of what it reads are enough.
    let rules = |twin: &str| loaded.model.twin(loaded.model.find_twin(twin).unwrap()).rules.len();
    assert_eq!((rules("t1"), rules("t3")), (2, 4));
    check(&site("2 * b"), codes::EXPRESSION_REFERENCE, 5, &["'b'", "'t1.d'"]);
}

#[test]
fn nothing_feeds_or_drives_a_computed_signal() {
    let twin = "[[twins]]\nid = \"p\"\nbind = false\nsource = \"plc\"\nsignals = [{ name = \"a\" }, { name = \"d\", kind = \"computed\", expression = \"2 * a\" }]\n";
    let plc = "[[sources]]\nid = \"plc\"\nkind = \"websocket\"\n";
    let log = "[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"x.csv\"\nfeeds = [\"p.*\"]\ntime = { column = \"t\", offset = \"Z\" }\ncolumns = { \"d\" = \"p.d\" }\n";
    let site = loaded(&format!("[site]\nid = \"t\"\n{twin}{plc}{log}"));
    let fed: Vec<String> = site.diagnostics.iter().filter(|it| it.code == codes::COMPUTED_FED).map(ToString::to_string).collect();
    assert!(fed.len() == 1 && fed[0].contains("column 'd' of source 'log' is not read for 'p.d'"), "{fed:?}");
    let d = site.model.find_signal("p.d").unwrap();
    assert_eq!(site.model.signal(d).source, None);
    for source in &site.sources {
        assert!(site.feeds(source).values().flatten().all(|feed| feed.signal != d));
        assert!(site.signals_by_key(source.index).values().flatten().all(|signal| *signal != d));
    }
    assert!(site.diagnostics.iter().all(|it| it.code != codes::SIGNAL_UNFED));
    let knob = "[[knobs]]\nid = \"k\"\nmin = 0\nmax = 9\ntargets = [{ set = \"p.d\" }]\n";
    check(&format!("{twin}{plc}{knob}"), codes::COMPUTED_FED, 15, &["a knob turns 'p.d', which is computed"]);
    let process = "[[twins.processes]]\nsignal = \"d\"\nkind = \"assign\"\nexpr = \"p.a\"\n";
    check(&format!("{twin}{process}{plc}"), codes::COMPUTED_FED, 9, &["a process model drives 'd'"]);
    let process = "[[twins.processes]]\nsignal = \"a\"\nkind = \"assign\"\nexpr = \"p.d + 1\"\n";
    check(&format!("{twin}{process}{plc}"), codes::PROCESS_INVALID, 11, &["reads 'p.d', which is computed"]);
}

#[test]
fn allowed_findings_are_left_out() {
    let site = clean("[site]\nid = \"s\"\n[[twins]]\nid = \"a\"\nparent = \"x\"\n[check]\nallow = [\"twin.unknown\"]\n");
    assert_eq!(site.settings.allow, ["twin.unknown"]);
    check("[[twins]]\nid = \"a\"\n[check]\nallow = [\"twin.unknwon\"]\n", codes::VALUE_INVALID, 6, &["'twin.unknown'?"]);
}

/// A site file with every key of every table: what `docs/SITE.md` shows.
fn reference() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SITE.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.split("```toml site\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

#[test]
fn the_example_of_the_reference_loads_without_a_finding() {
    let read = |path: &str| match path {
        "factory/entities.json" => Ok(br#"{"entities": []}"#.to_vec()),
        "factory/scene.json" => Ok(br#"{"nodes": [], "rootNodeIndexes": []}"#.to_vec()),
        "factory/mixer.json" => Ok(br#"{"componentTypeId": "x"}"#.to_vec()),
        other => Err(format!("no {other}")),
    };
    let site = load(&reference(), "SITE.md", &mut { read });
    let all: Vec<String> = site.diagnostics.iter().map(ToString::to_string).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

type Keys = std::collections::BTreeSet<(&'static str, String)>;

/// Every key of every table that `values` show.
fn shown(spec: &'static spec::TableSpec, values: &[&toml::Value], keys: &mut Keys) {
    for key in spec.keys {
        let held: Vec<&toml::Value> = values.iter().filter_map(|value| value.get(key.name)).collect();
        if !held.is_empty() {
            keys.insert((spec.name, key.name.to_owned()));
        }
        if let spec::Ty::Table(inner) | spec::Ty::Tables(inner) | spec::Ty::Bind(inner) = key.ty {
            let items = held.iter().flat_map(|value| match value {
                toml::Value::Array(items) => items.iter().collect::<Vec<_>>(),
                other => vec![*other],
            });
            shown(inner, &items.filter(|value| value.is_table()).collect::<Vec<_>>(), keys);
        }
    }
}

fn all_keys(spec: &'static spec::TableSpec, keys: &mut Keys) {
    for key in spec.keys {
        keys.insert((spec.name, key.name.to_owned()));
        if let spec::Ty::Table(inner) | spec::Ty::Tables(inner) | spec::Ty::Bind(inner) = key.ty {
            all_keys(inner, keys);
        }
    }
}

#[test]
fn the_reference_shows_every_key_and_the_loader_reads_every_key() {
    let text = reference();
    let value: toml::Value = toml::from_str(&text).unwrap();
    let (mut all, mut seen) = (Keys::new(), Keys::new());
    all_keys(&spec::ROOT, &mut all);
    shown(&spec::ROOT, &[&value], &mut seen);
    assert_eq!(all.difference(&seen).collect::<Vec<_>>(), [] as [&(&str, String); 0], "docs/SITE.md does not show these");
    read::ASKED.with_borrow_mut(Keys::clear);
    load(&text, "SITE.md", &mut no_files);
    let asked = read::ASKED.with_borrow(Clone::clone);
    assert_eq!(all.difference(&asked).collect::<Vec<_>>(), [] as [&(&str, String); 0], "the loader never reads these");
}

#[test]
fn the_smallest_site_of_the_reference_loads_without_a_finding() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SITE.md");
    let text = std::fs::read_to_string(path).unwrap();
    clean(text.split("```toml small\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap());
}

#[test]
fn the_reference_lists_every_code_with_its_meaning() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SITE.md");
    let text = std::fs::read_to_string(path).unwrap();
    for (code, meaning) in codes::ALL {
        assert!(text.contains(&format!("| `{code}` | {meaning} |")), "docs/SITE.md lacks | `{code}` | {meaning} |");
    }
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

#[test]
fn small_files_cannot_ask_for_endless_twins_texts_or_rules() {
    let rules: String =
        (0..3_000).map(|n| format!("[[interfaces.rules]]\nid = \"r{n}\"\nkind = \"stale\"\nsignal = \"s\"\n")).collect();
    let twins: String = (0..2_000).map(|n| format!("[[twins]]\nid = \"t{n}\"\ninterface = \"i\"\n")).collect();
    let head = "[site]\nid = \"s\"\n[[interfaces]]\nid = \"i\"\nsignals = [{ name = \"s\" }]\n";
    let site = loaded(&format!("{head}{rules}{twins}"));
    assert!(site.model.rules().len() <= 100_000);
    assert!(site.diagnostics.iter().any(|finding| finding.code == codes::TOO_MANY));
    let long = "x".repeat(10_000);
    let text = format!(
        "[[interfaces]]\nid = \"i\"\nsignals = [{{ name = \"s\", source_key = \"{{v}}{{v}}{{v}}\" }}]\n[[twins]]\nid = \"t\"\ninterface = \"i\"\nvars = {{ v = \"{long}\" }}\n"
    );
    check(&text, codes::TOO_MANY, 5, &["grows beyond"]);
    let chain: String = (0..40).map(|n| format!("[[interfaces]]\nid = \"i{n}\"\nextends = \"i{}\"\n", n + 1)).collect();
    let site = loaded(&format!("[site]\nid = \"s\"\n{chain}[[interfaces]]\nid = \"i40\"\n[[twins]]\nid = \"t\"\n"));
    assert!(site.diagnostics.iter().all(|finding| finding.code == codes::TOO_MANY) && !site.diagnostics.is_empty());
}
