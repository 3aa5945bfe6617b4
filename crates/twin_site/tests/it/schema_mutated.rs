//! The schema that editors use says what `orrery check` says: shipped sites and one with everything, changed in every place.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use toml::{Table, Value};
use twin_site::Severity;

use super::site_schema::{Schema, json, repository, site_files};

/// Findings about the shape of a file. All other errors are about what names stand for, which no schema can know.
const SHAPE: [&str; 6] = ["key.unknown", "key.missing", "value.invalid", "rule.incomplete", "binding.invalid", "site.empty"];

/// What a schema can't say, by the words of the loader: order of two numbers, names of zones, and the like.
const BEYOND: [&str; 6] = [
    "is not less than max",
    "the neutral setting",
    "is no time zone",
    "is not the name of a time zone",
    "is not a fixed offset",
    "times can't be of",
];

/// What the loader says of a site's shape; `Ok` without errors of shape.
fn loader(text: &str) -> Result<(), Vec<(String, String)>> {
    let site = twin_site::load(text, "site.toml", &mut |_| Err("not here".to_owned()));
    let imports = text.contains("[[imports]]");
    let errors = site.diagnostics.into_iter().filter(|finding| finding.severity == Severity::Error);
    let shape = errors.filter(|finding| SHAPE.contains(&finding.code) && !(imports && finding.code == "site.empty"));
    let all: Vec<(String, String)> = shape.map(|finding| (finding.code.to_owned(), finding.message)).collect();
    if all.is_empty() { Ok(()) } else { Err(all) }
}

/// Whether the loader finds any error at all, also about names.
fn refused(text: &str) -> bool {
    twin_site::load(text, "site.toml", &mut |_| Err("not here".to_owned())).has_errors()
}

/// Values that are right for some keys and wrong for most.
fn others() -> Vec<Value> {
    let text = |text: &str| Value::String(text.to_owned());
    let mut values: Vec<Value> = [
        "",
        " ",
        " x",
        "x ",
        "x\ty",
        "x",
        "yes",
        "5",
        "5s",
        "-5s",
        "0s",
        "5 parsecs",
        "1h",
        "{",
        "{a",
        "a{b}",
        "{0}",
        "%Y-%m-%d",
        "epoch_s",
        "opc_da",
        "recorded",
        "+02:00",
        "2026-03-02T08:15:04Z",
        "2026-03-02T08:15:04",
        "2026-13-02T08:15:04Z",
        "\u{e9}",
        ";;",
    ]
    .into_iter()
    .map(text)
    .collect();
    values.extend([true, false].map(Value::Boolean));
    values.extend([-1, 0, 1, 2, 5, 10_000, i64::MAX].map(Value::Integer));
    values.extend([-0.5, 1.5, f64::NAN, f64::INFINITY].map(Value::Float));
    values.push(Value::Array(Vec::new()));
    values.push(Value::Array(vec![text("a"), text("b")]));
    values.push(Value::Array(vec![Value::Integer(1), Value::Integer(2)]));
    values.push(Value::Array(vec![Value::Integer(1), Value::Integer(2), Value::Integer(0)]));
    values.push(Value::Array(vec![Value::Table(Table::new())]));
    values.push(Value::Table(Table::new()));
    values.push(Value::Table(Table::from_iter([("env".to_owned(), text("A-B"))])));
    values.push(Value::Table(Table::from_iter([("column".to_owned(), Value::Integer(3))])));
    values
}

/// Paths of all tables; of long lists the first and the last entries.
fn tables(value: &Value, at: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    match value {
        Value::Table(table) => {
            found.push(at.clone());
            for (key, inner) in table {
                at.push(Step::Key(key.clone()));
                tables(inner, at, found);
                at.pop();
            }
        }
        Value::Array(items) => {
            for (n, inner) in items.iter().enumerate().filter(|(n, _)| *n < 4 || n + 1 == items.len()) {
                at.push(Step::Item(n));
                tables(inner, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Item(usize),
}

fn walk<'a>(root: &'a mut Value, path: &[Step]) -> &'a mut Table {
    let mut at = root;
    for step in path {
        at = match step {
            Step::Key(key) => at.get_mut(key).unwrap(),
            Step::Item(n) => at.get_mut(*n).unwrap(),
        };
    }
    at.as_table_mut().unwrap()
}

/// Every change of one place, with words for it.
fn changes(root: &Value, every: usize, each: &mut dyn FnMut(&str, &Value)) {
    let mut paths = Vec::new();
    tables(root, &mut Vec::new(), &mut paths);
    let others = others();
    // Different values for every key, so that few of them still meet all.
    let mut turn = 0;
    for path in &paths {
        let keys: Vec<String> = walk(&mut root.clone(), path).keys().cloned().collect();
        for key in keys {
            let mut change = |what: &str, how: &mut dyn FnMut(&mut Table)| {
                let mut changed = root.clone();
                how(walk(&mut changed, path));
                each(&format!("{path:?} {key}: {what}"), &changed);
            };
            change("deleted", &mut |table| drop(table.remove(&key)));
            change("misspelt", &mut |table| {
                let value = table.remove(&key).unwrap();
                table.insert(format!("{key}_"), value);
            });
            turn += 1;
            for (_, other) in others.iter().enumerate().filter(|(n, _)| (n + turn) % every == 0) {
                change(&format!("= {other}"), &mut |table| drop(table.insert(key.clone(), other.clone())));
            }
            let list = root.clone();
            if let Some(Value::Array(items)) = walk(&mut list.clone(), path).get(&key) {
                let reversed: Vec<Value> = items.iter().rev().cloned().collect();
                change("reversed", &mut |table| drop(table.insert(key.clone(), Value::Array(reversed.clone()))));
            }
        }
    }
}

/// Compares over all changes; `inherits` where parts of the site may be completed in places that a schema does not see.
fn compare(name: &str, text: &str, inherits: bool, every: usize) -> usize {
    let schema = Schema::new(twin_site::schema::json_schema());
    let root: Value = toml::from_str(text).unwrap();
    let (mut tried, mut wrong) = (0, Vec::new());
    changes(&root, every, &mut |what, changed| {
        tried += 1;
        let text = toml::to_string(changed).unwrap();
        let fits = schema.fits(&json(changed.clone()));
        match (loader(&text), &fits) {
            (Err(errors), Ok(())) => {
                let beyond = |(code, words): &(String, String)| {
                    BEYOND.iter().any(|known| words.contains(known))
                        || (inherits && code == "rule.incomplete")
                        || (what.ends_with("reversed") && words.contains("cannot be ["))
                };
                if !errors.iter().all(beyond) {
                    wrong.push(format!("{name} {what}: the schema takes what check refuses: {errors:?}"));
                }
            }
            (Ok(()), Err(why)) if !refused(&text) => {
                wrong.push(format!("{name} {what}: the schema refuses what check takes: {why}"));
            }
            _ => {}
        }
    });
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n"));
    tried
}

#[test]
fn a_site_with_everything_is_judged_alike_whatever_is_changed_in_it() {
    let text = include_str!("plant/whole.toml");
    assert_eq!(loader(text), Ok(()));
    assert!(!refused(text));
    // Each key meets a quarter of the values, each another one; all of them in the long run.
    let every = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 1 } else { 4 };
    assert!(compare("whole.toml", text, false, every) > 2_500);
}

#[test]
fn the_site_of_the_documentation_is_judged_alike_whatever_is_changed_in_it() {
    let page = std::fs::read_to_string(repository().join("docs/SITE.md")).unwrap();
    let blocks = page.split("```toml site\n").skip(1).map(|block| block.split("```").next().unwrap());
    let text: String = blocks.collect();
    assert!(compare("SITE.md", &text, true, 8) > 1_000);
}

#[test]
fn shipped_sites_are_judged_alike_whatever_is_changed_in_them() {
    for path in ["assets/sites", "tests/fixtures"].iter().flat_map(|folder| site_files(&repository().join(folder))) {
        let text = std::fs::read_to_string(&path).unwrap();
        compare(&path.display().to_string(), &text, true, 48);
    }
}

/// The list of what no schema can say: the loader refuses all of these, and an editor takes them.
#[test]
fn what_a_schema_cannot_say_is_known() {
    let schema = Schema::new(twin_site::schema::json_schema());
    for (kind, text) in [
        ("an order of two numbers", "[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\", range = [5, 1] }]"),
        (
            "a number between others",
            "[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\" }]\n[[knobs]]\nid = \"k\"\nmin = 5\nmax = 9\ntargets = [{ set = \"a.x\" }]",
        ),
        ("names of time zones", "[[twins]]\nid = \"a\"\n[[sources]]\nid = \"w\"\nkind = \"websocket\"\nzone = \"Europe/Berlim\""),
        ("lengths in bytes", &format!("[[twins]]\nid = \"{}\"", "\u{e9}".repeat(300))),
        (
            "whole numbers told from others",
            "[[twins]]\nid = \"a\"\nalarms = [{ id = \"x\", priority = 2.0, signal = \"s\", kind = \"limit\", above = 1 }]\nsignals = [{ name = \"s\" }]",
        ),
        ("days of a calendar", "[[twins]]\nid = \"a\"\n[view]\ntime = \"2026-02-30T00:00:00Z\""),
        ("how large a product is", "[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\", period = \"99999999999999d\" }]"),
        (
            "letters of a time pattern",
            "[[twins]]\nid = \"a\"\n[[sources]]\nid = \"w\"\nkind = \"websocket\"\ntime = { format = \"%Y-%K\" }",
        ),
        ("names that stand for nothing", "[[twins]]\nid = \"a\"\nparent = \"b\""),
        ("ids that stand twice", "[[twins]]\nid = \"a\"\n[[twins]]\nid = \"a\""),
        ("circles", "[[twins]]\nid = \"a\"\nparent = \"a\""),
        (
            "kinds of values",
            "[[twins]]\nid = \"a\"\nsignals = [{ name = \"s\", value = \"text\" }]\nrules = [{ id = \"r\", kind = \"range\", signal = \"s\", bands = [{ above = 1, status = \"failure\" }] }]",
        ),
        (
            "expressions",
            "[[twins]]\nid = \"a\"\nsignals = [{ name = \"s\" }]\nprocesses = [{ signal = \"s\", kind = \"assign\", expr = \"b.c\" }]",
        ),
        ("files", "[[twins]]\nid = \"a\"\n[[imports]]\nkind = \"twinmaker\"\nentities = \"none.json\""),
        (
            "who inherits what",
            "[[interfaces]]\nid = \"i\"\n[[interfaces]]\nid = \"j\"\nsignals = [{ name = \"s\" }]\nalarms = [{ id = \"x\", kind = \"limit\", signal = \"s\", above = 3 }]\n[[twins]]\nid = \"a\"\ninterface = \"i\"\nsignals = [{ name = \"s\" }]\nalarms = [{ id = \"x\", kind = \"limit\", signal = \"s\" }]",
        ),
    ] {
        let text = format!("[site]\nid = \"s\"\n{text}\n");
        assert!(refused(&text), "{kind}: {text}");
        assert_eq!(schema.fits(&json(toml::from_str(&text).unwrap())), Ok(()), "{kind}");
    }
}
