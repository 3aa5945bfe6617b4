//! Keys that can be read and do nothing, and words that stand for nothing: each is a finding, so that "0 errors" means it.

use twin_site::Severity;

const HEAD: &str = "[site]\nid = \"s\"\n[[twins]]\nid = \"a\"\nbind = false\nsource = \"w\"\nsignals = [{ name = \"x\" }, { name = \"m\", value = \"text\" }]\n";
const SENDER: &str = "[[sources]]\nid = \"w\"\nkind = \"websocket\"\n";

fn findings(body: &str) -> Vec<(Severity, &'static str, String)> {
    let site = twin_site::load(&format!("{HEAD}{body}"), "site.toml", &mut |_| Err("not here".to_owned()));
    let all = site.diagnostics.into_iter().filter(|finding| finding.severity != Severity::Info);
    all.map(|finding| (finding.severity, finding.code, format!("{} {}", finding.message, finding.help))).collect()
}

fn check(body: &str, code: &str, words: &[&str]) {
    let all = findings(body);
    assert!(all.iter().any(|(_, known, text)| *known == code && words.iter().all(|word| text.contains(word))), "{body}: {all:?}");
}

fn rule(keys: &str) -> String {
    format!("{SENDER}[[twins]]\nid = \"b\"\nbind = false\nrules = [{{ id = \"r\", {keys} }}]\n")
}

fn csv(keys: &str) -> String {
    format!("{SENDER}[[sources]]\nid = \"c\"\nkind = \"csv\"\npath = \"a.csv\"\n{keys}\n")
}

#[test]
fn a_site_without_such_keys_has_no_finding() {
    for body in [
        SENDER.to_owned(),
        csv("time = { column = \"t\" }\ncolumns = { v = \"a.x\" }"),
        csv(
            "layout = \"long\"\nkey = \"{k}\"\nvalue = \"v\"\ntime = { column = 0, format = \"seconds\", origin = 2026-01-01T00:00:00Z }",
        ),
        rule("kind = \"range\", signal = \"a.x\", bands = [{ above = 1, status = \"failure\" }], deadband = 2"),
    ] {
        assert_eq!(findings(&body), [], "{body}");
    }
}

#[test]
fn keys_that_do_nothing_are_named() {
    let range = "kind = \"range\", signal = \"a.x\", bands = [{ above = 1, status = \"failure\" }]";
    for (body, words) in [
        (rule("kind = \"match\", signal = \"a.m\", cases = [{ value = \"E\", status = \"failure\" }], deadband = 2"), "deadband"),
        (rule("kind = \"quality\", signal = \"a.x\", on_delay = \"2s\""), "on_delay"),
        (rule(&format!("{range}, otherwise = \"normal\"")), "otherwise"),
        (rule(&format!("{range}, uncertain = \"normal\"")), "uncertain"),
        (rule(&format!("{range}, remove = true")), "beside remove"),
        (
            rule(
                "kind = \"match\", signal = \"a.m\", cases = [{ value = \"E\", status = \"failure\" }, { value = \"E\", status = \"normal\" }]",
            ),
            "second case for E",
        ),
        (
            format!(
                "{SENDER}[[twins]]\nid = \"b\"\nprocesses = [{{ signal = \"a.x\", kind = \"assign\", expr = \"1\", tau = \"2s\" }}]\n"
            ),
            "tau",
        ),
        (format!("{SENDER}path = \"a.csv\"\n"), "'path' has no effect"),
        (format!("{SENDER}speed = 3\n"), "'speed' has no effect"),
        (format!("{SENDER}time = {{ column = \"t\" }}\n"), "a sender has no columns"),
        (format!("{SENDER}time = {{ date = \"t\", time = \"u\" }}\n"), "'date' does nothing"),
        (format!("{SENDER}time = {{ format = \"epoch_s\", origin = 2026-01-01T00:00:00Z }}\n"), "'origin' does nothing"),
        (format!("{SENDER}zone = \"UTC\"\ntime = {{ offset = \"+01:00\" }}\n"), "goes before it"),
        (format!("{SENDER}feeds = [\"b.*\"]\n"), "fits no signal"),
        (csv("time = { column = \"t\" }\ncolumns = { v = \"a.x\" }\nkey = \"{k}\""), "'key' does nothing"),
        (csv("time = { column = \"t\" }\ncolumns = { v = \"a.x\" }\nvalues = { v = \"k\" }"), "'values' does nothing"),
        (
            csv("time = { column = \"t\" }\nlayout = \"long\"\nkey = \"{k}\"\nvalue = \"v\"\ncolumns = { v = \"a.x\" }"),
            "'columns' does nothing",
        ),
        (csv("time = { column = \"t\" }\nlayout = \"long\"\nvalues = { v = \"k\" }\nvalue = \"v\""), "'value' does nothing"),
        (
            csv("time = { column = \"t\", format = \"epoch_s\" }\nzone = \"UTC\"\ncolumns = { v = \"a.x\" }"),
            "'zone' does nothing",
        ),
        (
            csv("time = { column = \"t\", format = \"epoch_s\", offset = \"Z\" }\ncolumns = { v = \"a.x\" }"),
            "'offset' does nothing",
        ),
        (csv("time = { column = \"t\" }\ntoken = \"abc\"\ncolumns = { v = \"a.x\" }"), "'token' has no effect"),
        (
            format!("{SENDER}[[knobs]]\nid = \"k\"\nmin = 0\nmax = 1\ntargets = [{{ scale = \"a.x\", planned = \"2h\" }}]\n"),
            "'planned' of a knob target",
        ),
    ] {
        check(&body, "key.unused", &[words]);
    }
}

#[test]
fn what_can_mean_nothing_is_an_error() {
    for (body, code, words) in [
        (format!("{SENDER}quality = 3\n"), "value.invalid", "a sender has no column"),
        (format!("{SENDER}quality = {{ column = \"q\" }}\n"), "value.invalid", "a sender has no column"),
        (
            csv("time = { column = \"t\" }\ncolumns = { v = \"a.x\" }\nskip_lines = -1"),
            "value.invalid",
            "skip_lines cannot be negative",
        ),
        (
            "[[sources]]\nid = \"w\"\nkind = \"synthetic\"\nplant = \"p\"\nseed = -4\n".to_owned(),
            "value.invalid",
            "seed cannot be negative",
        ),
        (format!("{SENDER}[[knobs]]\nid = \"k\"\nmin = 0\nmax = 1\ntargets = []\n"), "rule.incomplete", "changes nothing"),
        (
            format!("{SENDER}[[interfaces]]\nid = \"i\"\nrules = [{{ id = \"r\", kind = \"range\", signal = \"x\" }}]\n"),
            "rule.incomplete",
            "rule 'r' of interface 'i' has no 'bands'",
        ),
        (
            format!("{SENDER}[[interfaces]]\nid = \"i\"\nalarms = [{{ id = \"r\", kind = \"limit\", signal = \"x\" }}]\n"),
            "rule.incomplete",
            "above or below",
        ),
        (
            format!("{SENDER}[[interfaces]]\nid = \"i\"\nprocesses = [{{ signal = \"x\", kind = \"lag\", expr = \"1\" }}]\n"),
            "rule.incomplete",
            "no 'tau'",
        ),
        (
            format!(
                "{SENDER}[[interfaces]]\nid = \"i\"\nsource = \"nope\"\n[[twins]]\nid = \"b\"\nbind = false\ninterface = \"i\"\nsource = \"w\"\n"
            ),
            "source.unknown",
            "no source 'nope'",
        ),
        (
            format!(
                "{SENDER}[[twins]]\nid = \"b\"\nbind = false\nsource = \"w\"\nsignals = [{{ name = \"y\", period = \"0s\" }}]\n"
            ),
            "value.invalid",
            "period cannot be zero",
        ),
        (
            format!(
                "{SENDER}[[twins]]\nid = \"b\"\nbind = false\nsource = \"w\"\nsignals = [{{ name = \"y\", stale_after = \"0min\" }}]\n"
            ),
            "value.invalid",
            "stale_after cannot be zero",
        ),
    ] {
        check(&body, code, &[words]);
    }
    let open = "[[interfaces]]\nid = \"i\"\nalarms = [{ id = \"r\", kind = \"limit\", signal = \"x\" }]\n[[interfaces]]\nid = \"j\"\nextends = \"i\"\nalarms = [{ id = \"r\", above = 3 }]\n";
    assert_eq!(findings(&format!("{SENDER}{open}")), [], "what another interface completes is as it should be");
}

#[test]
fn a_zone_that_does_not_exist_is_an_error_wherever_it_stands() {
    let zones = [
        "Europe/Berlim",
        "MEZ",
        "Mars",
        "",
        " ",
        "GMT+25",
        "+25:00",
        "+1",
        "Etc/Unknown",
        "local",
        "Europe/",
        "Berlin",
        "UTC+1",
        "01:00",
    ];
    for zone in zones {
        let site = format!("[site]\nid = \"s\"\ntime_zone = \"{zone}\"\n[[twins]]\nid = \"a\"\nbind = false\n");
        let found = twin_site::load(&site, "site.toml", &mut |_| Err(String::new()));
        assert!(
            found.diagnostics.iter().any(|finding| finding.code == "value.invalid"),
            "site {zone:?}: {:?}",
            found.diagnostics
        );
        check(&format!("{SENDER}zone = \"{zone}\"\n"), "value.invalid", &[]);
        check(&format!("{SENDER}time = {{ offset = \"{zone}\" }}\n"), "value.invalid", &[]);
        check(
            &csv(&format!("zone = \"{zone}\"\ntime = {{ column = \"t\" }}\ncolumns = {{ v = \"a.x\" }}")),
            "value.invalid",
            &[],
        );
        check(
            &csv(&format!("time = {{ column = \"t\", offset = \"{zone}\" }}\ncolumns = {{ v = \"a.x\" }}")),
            "value.invalid",
            &[],
        );
    }
    for zone in ["Europe/Berlin", "europe/berlin", "UTC", "Z", "CET", "Etc/GMT+5", "America/Argentina/Buenos_Aires"] {
        assert_eq!(findings(&format!("{SENDER}zone = \"{zone}\"\n")), [], "{zone}");
    }
    for offset in ["+01:00", "-0330", "+05", "UTC"] {
        assert_eq!(findings(&format!("{SENDER}time = {{ offset = \"{offset}\" }}\n")), [], "{offset}");
    }
}
