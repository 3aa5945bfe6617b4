//! Computed signals: what is wrong with them, and what nothing may do to them.

use super::*;

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
