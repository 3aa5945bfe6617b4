//! What the loader accepts, what it refuses and in which words.

mod computed;
mod reference;
mod sources;

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
fn what_is_wrong_with_an_id_is_said() {
    let twin = |id: &str| format!("[[twins]]\nid = {id}\n");
    let long = format!("\"{}\"", "x".repeat(513));
    for (id, words) in [
        ("\"\"", "which is never empty"),
        (" \" a\"", "which has no spaces at its ends"),
        ("\"a\\tb\"", "character 2 of this one is one"),
        ("\"a\\u001b[2J\"", "character 2 of this one is one"),
        (long.as_str(), "at most 512 bytes of UTF-8; this one has 513"),
        ("5", "an id: a text in quotes"),
    ] {
        check(&twin(id), codes::VALUE_INVALID, 4, &["twins[0].id cannot be", words]);
        let shown = loaded(&format!("[site]\nid = \"t\"\n{}", twin(id))).diagnostics;
        let shown: Vec<String> = shown.iter().map(ToString::to_string).collect();
        assert!(shown.iter().all(|finding| !finding.contains('\u{1b}')), "nothing of it moves a terminal: {shown:?}");
    }
    clean(&format!("[site]\nid = \"t\"\n{}", twin(&format!("\"{}\"", "x".repeat(512)))));
}

#[test]
fn a_lag_without_time_is_named_as_one_without_a_time_constant() {
    for tau in ["", "tau = \"0s\"\n"] {
        let process = format!("[[twins.processes]]\nsignal = \"load\"\nkind = \"lag\"\nexpr = \"1\"\n{tau}");
        let twin = format!("[[twins]]\nid = \"p\"\n[[twins.signals]]\nname = \"load\"\n{process}");
        check(&twin, codes::RULE_INCOMPLETE, 8, &["has no 'tau' longer than zero", "for example tau = \"20min\""]);
        let interface = twin.replace("twins", "interfaces");
        check(&interface, codes::RULE_INCOMPLETE, 8, &["has no 'tau' longer than zero", "for example tau = \"20min\""]);
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

#[test]
fn allowed_findings_are_left_out() {
    let site = clean("[site]\nid = \"s\"\n[[twins]]\nid = \"a\"\nparent = \"x\"\n[check]\nallow = [\"twin.unknown\"]\n");
    assert_eq!(site.settings.allow, ["twin.unknown"]);
    check("[[twins]]\nid = \"a\"\n[check]\nallow = [\"twin.unknwon\"]\n", codes::VALUE_INVALID, 6, &["'twin.unknown'?"]);
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
