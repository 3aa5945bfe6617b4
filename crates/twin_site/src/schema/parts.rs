//! When a computed signal, a rule, an alarm or a process model has to be whole: twins and interfaces inherit parts and change them key by key,
//! so a key is needed where it stands only if nobody else in the file can give it.

use serde_json::{Value as Json, json};

/// What a part needs: its list, one of these keys, and the kind that needs it (all kinds where `None`).
struct Need {
    list: &'static str,
    one_of: &'static [&'static str],
    kind: Option<&'static str>,
}

const fn need(list: &'static str, one_of: &'static [&'static str], kind: Option<&'static str>) -> Need {
    Need { list, one_of, kind }
}

const NEEDS: [Need; 12] = [
    need("signals", &["expression"], Some("computed")),
    need("rules", &["signal"], None),
    need("rules", &["kind"], None),
    need("rules", &["bands"], Some("range")),
    need("rules", &["cases"], Some("match")),
    need("alarms", &["signal"], None),
    need("alarms", &["kind"], None),
    need("alarms", &["above", "below"], Some("limit")),
    need("alarms", &["states"], Some("reported")),
    need("processes", &["kind"], None),
    need("processes", &["expr"], None),
    need("processes", &["tau"], Some("lag")),
];

/// Conditions over the whole file. Imports bring parts that a schema does not see, so they hold without any only.
pub(super) fn conditions() -> Vec<Json> {
    let nobody: Vec<Json> = NEEDS.iter().map(|need| json!({ "allOf": [of_twins(need), of_interfaces(need)] })).collect();
    vec![json!({ "if": { "not": { "required": ["imports"] } }, "then": { "allOf": [alone(), { "allOf": nobody }] } })]
}

/// A twin without an interface inherits nothing.
fn alone() -> Json {
    let mut lists = serde_json::Map::new();
    for list in ["signals", "rules", "alarms", "processes"] {
        let whole: Vec<Json> = NEEDS.iter().filter(|need| need.list == list).map(whole).collect();
        lists.insert(list.to_owned(), json!({ "items": { "allOf": whole } }));
    }
    let twin = json!({ "if": { "not": { "required": ["interface"] } }, "then": { "properties": lists } });
    json!({ "properties": { "twins": { "items": twin } } })
}

/// A part that has what it needs, unless it takes an inherited one away.
fn whole(need: &Need) -> Json {
    let filled = |key: &&str| json!({ "required": [key], "properties": { *key: filled(key) } });
    let one_of: Vec<Json> = need.one_of.iter().map(filled).collect();
    let has = if let [one] = one_of.as_slice() { one.clone() } else { json!({ "anyOf": one_of }) };
    let kind = need.kind.map(|kind| json!({ "required": ["kind"], "properties": { "kind": { "const": kind } } }));
    let removes = json!({ "required": ["remove"], "properties": { "remove": { "const": true } } });
    let mut concerns = vec![json!({ "not": removes })];
    concerns.extend(kind);
    json!({ "if": { "allOf": concerns }, "then": has })
}

fn filled(key: &str) -> Json {
    match key {
        "bands" | "cases" | "states" => json!({ "minItems": 1 }),
        // Longer than nothing: some digit is not zero.
        "tau" => json!({ "pattern": super::shape::NOT_ZERO }),
        // More than white space.
        "expression" => json!({ "pattern": r"\S" }),
        _ => json!({}),
    }
}

/// Where no interface says a key, its twins have to.
fn of_twins(need: &Need) -> Json {
    let gives: Vec<Json> = need.one_of.iter().map(|key| json!({ "required": [key] })).collect();
    let given = somewhere("interfaces", None, need.list, &gives);
    json!({ "if": { "not": given }, "then": { "properties": { "twins": { "items": in_list(need) } } } })
}

/// Where nobody who inherits says a key, another kind or that the part goes, the interface itself has to say the key.
fn of_interfaces(need: &Need) -> Json {
    let mut keys = need.one_of.to_vec();
    keys.push("remove");
    keys.extend(need.kind.map(|_| "kind"));
    let gives: Vec<Json> = keys.into_iter().map(|key| json!({ "required": [key] })).collect();
    let heirs =
        [somewhere("twins", Some("interface"), need.list, &gives), somewhere("interfaces", Some("extends"), need.list, &gives)];
    let own = json!({ "if": { "not": { "required": ["extends"] } }, "then": in_list(need) });
    json!({ "if": { "not": { "anyOf": heirs } }, "then": { "properties": { "interfaces": { "items": own } } } })
}

fn in_list(need: &Need) -> Json {
    json!({ "properties": { need.list: { "items": whole(need) } } })
}

/// Whether some table of `tables` (with the key `with`) has an entry of `list` that fits one of `gives`.
fn somewhere(tables: &str, with: Option<&str>, list: &str, gives: &[Json]) -> Json {
    let mut required = vec![list];
    required.extend(with);
    let entry = json!({ "required": required, "properties": { list: { "contains": { "anyOf": gives } } } });
    json!({ "required": [tables], "properties": { tables: { "contains": entry } } })
}
