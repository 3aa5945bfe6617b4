//! What a schema can say beyond types: forms of texts, bounds of numbers, keys that need or forbid each other.
//!
//! `tests/it/schema_mutated.rs` holds it to what the loader says, and names what no schema can say.

use serde_json::{Value as Json, json};
use twin_table::time::FORMATS;

use super::super::codes;
use super::parts;

/// No white space at the ends, no control characters.
pub(super) const ID: &str = r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";
/// A number that is not negative, and a unit.
pub(super) const DURATION: &str = r"^\s*(\+?([0-9]+\.?[0-9]*|\.[0-9]+)|-(0+\.?0*|\.0+))\s*(us|ms|s|min|h|d)\s*$";
/// RFC 3339 with an offset, as `jiff` takes it: with or without the marks between digits, with named zones behind the offset.
pub(super) const INSTANT: &str = concat!(
    r"^\s*([+-][0-9]{6}|[0-9]{4})-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3])",
    r"(:?[0-5][0-9](:?([0-5][0-9]|60)([.,][0-9]{1,9})?)?)?",
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2})?)?)(\[[^\]]+\])*\s*$"
);
/// A zone by name or a fixed offset; which names there are stands in the zone database.
const ZONE: &str = r"^\s*([A-Za-z][A-Za-z0-9_+/-]*|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2})?)?)\s*$";
/// The same without names of places.
const OFFSET: &str = r"^\s*([A-Za-z][A-Za-z0-9_+-]*|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2})?)?)\s*$";
/// One ASCII character that can separate fields.
const SEPARATOR: &str = r"^[\u0000-\u0009\u000b\u000c\u000e-!#-\u007f]$";
/// A text in which every `{` is closed.
const TEMPLATE: &str = r"^[^{]*(\{[^}]*\}[^{]*)*$";
/// The same where columns are known by their positions only.
const TEMPLATE_OF_POSITIONS: &str = r"^[^{]*(\{\+?[0-9]+\}[^{]*)*$";
/// Some digit of a duration is not zero.
pub(super) const NOT_ZERO: &str = "[1-9]";
const DIGITS: &str = r"^\+?[0-9]+$";

/// A column by its position.
pub(super) fn position() -> Json {
    json!({ "type": "integer", "minimum": 0, "maximum": 9_999 })
}

/// What the value of a key has to be beyond its type; an empty object where nothing.
pub(super) fn of_key(table: &str, key: &str) -> Json {
    match (table, key) {
        ("site", "time_zone") => json!({ "pattern": r"^\s*[A-Za-z][A-Za-z0-9_+/-]*\s*$" }),
        ("site", "years") => json!({ "items": { "type": "integer", "minimum": 1, "maximum": 9_999 } }),
        ("rule" | "alarm", "deadband") => json!({ "minimum": 0 }),
        ("rule", "bands") => json!({ "maxItems": twin_model::MAX_BANDS }),
        ("signal", "period" | "late_after" | "stale_after") => json!({ "allOf": [{ "pattern": NOT_ZERO }] }),
        ("knob", "step") => json!({ "exclusiveMinimum": 0 }),
        ("knob", "targets") => json!({ "minItems": 1 }),
        ("check", "allow") => {
            let codes: Vec<&str> = codes::ALL.iter().map(|(code, _)| *code).collect();
            json!({ "anyOf": [{ "enum": codes }, { "type": "array", "items": { "enum": codes } }] })
        }
        _ => json!({}),
    }
}

/// Conditions over several keys of a table.
pub(super) fn of_table(table: &str) -> Vec<Json> {
    match table {
        "site file" => root(),
        "band" => vec![json!({ "oneOf": [{ "required": ["above"] }, { "required": ["below"] }] })],
        "alarm" => vec![json!({ "not": { "required": ["above", "below"] } })],
        "knob target" => {
            let ways = ["scale", "offset", "set", "reset"].map(|way| json!({ "required": [way] }));
            vec![json!({ "oneOf": ways })]
        }
        "bind" | "binding" => target(),
        "source" => vec![
            of_kind("synthetic", &json!({ "required": ["plant"], "properties": { "seed": { "minimum": 0 } } })),
            of_kind("websocket", &sender()),
            of_kind("csv", &csv()),
            json!({
                "if": { "required": ["kind", "header"], "properties": { "kind": { "const": "csv" }, "header": { "const": false } } },
                "then": by_position(),
            }),
        ],
        _ => Vec::new(),
    }
}

fn root() -> Vec<Json> {
    let some = |list: &str| json!({ "required": [list], "properties": { list: { "minItems": 1 } } });
    let mut all = vec![json!({ "anyOf": [some("twins"), some("models"), some("imports")] })];
    all.extend(parts::conditions());
    all
}

/// Some key that finds nodes, and beside a list of several no other.
fn target() -> Vec<Json> {
    const LISTS: [&str; 4] = ["node", "name", "global_id", "glob"];
    let filled = |list: &str| json!({ "required": [list], "properties": { list: { "minItems": 1 } } });
    let mut ways: Vec<Json> = LISTS.map(filled).to_vec();
    ways.push(json!({ "required": ["extras"], "properties": { "extras": { "minProperties": 1 } } }));
    ways.push(json!({ "required": ["model"] }));
    let mut all = vec![json!({ "anyOf": ways })];
    for list in LISTS {
        let mut others: Vec<Json> = LISTS.into_iter().filter(|other| *other != list).map(filled).collect();
        others.push(json!({ "required": ["extras"], "properties": { "extras": { "minProperties": 1 } } }));
        all.push(json!({
            "if": { "required": [list], "properties": { list: { "type": "array", "minItems": 2 } } },
            "then": { "not": { "anyOf": others } },
        }));
    }
    all
}

fn of_kind(kind: &str, then: &Json) -> Json {
    json!({ "if": { "required": ["kind"], "properties": { "kind": { "const": kind } } }, "then": then })
}

fn times() -> Json {
    json!({
        "format": { "anyOf": [{ "enum": FORMATS }, { "type": "string", "pattern": "%" }] },
        "offset": { "pattern": OFFSET },
    })
}

fn sender() -> Json {
    json!({ "properties": {
        "quality": { "enum": ["opc_ua", "opc_da"] },
        "zone": { "pattern": ZONE },
        "time": { "properties": times() },
    } })
}

fn csv() -> Json {
    let both = |mark: &str| {
        let same = json!({ "decimal": { "const": mark }, "thousands": { "const": mark } });
        json!({ "not": { "required": ["decimal", "thousands"], "properties": same } })
    };
    let column = |key: &str, others: &[&str]| {
        let others: Vec<Json> = others.iter().map(|other| json!({ "required": [other] })).collect();
        json!({ "required": [key], "not": { "anyOf": others } })
    };
    let several = json!({ "required": ["values"], "properties": { "values": { "minProperties": 1 } } });
    json!({
        "required": ["path", "time"],
        "properties": {
            "zone": { "pattern": ZONE },
            "time": { "properties": times(), "oneOf": [column("column", &["date", "time"]), column("date", &["column"])] },
            "separator": { "pattern": SEPARATOR },
            "skip_lines": { "minimum": 0 },
            "speed": { "exclusiveMinimum": 0 },
        },
        "allOf": [
            both("."),
            both(","),
            { "if": { "required": ["clock"], "properties": { "clock": { "const": "received" } } }, "then": { "required": ["received"] } },
            {
                "if": { "required": ["layout"], "properties": { "layout": { "const": "long" } } },
                "then": {
                    "properties": { "values": { "additionalProperties": { "pattern": TEMPLATE } } },
                    "anyOf": [several, { "required": ["key", "value"], "properties": { "key": { "pattern": TEMPLATE } } }],
                },
                "else": { "required": ["columns"] },
            },
        ],
    })
}

/// Without a header columns have positions and no names.
fn by_position() -> Json {
    let column = json!({ "if": { "type": "string" }, "then": { "pattern": DIGITS } });
    let quality = json!({ "allOf": [column.clone()], "properties": { "column": column.clone() } });
    let names = json!({ "propertyNames": { "pattern": DIGITS } });
    let long = json!({ "properties": {
        "value": column.clone(),
        "key": { "pattern": TEMPLATE_OF_POSITIONS },
        "values": { "propertyNames": { "pattern": DIGITS }, "additionalProperties": { "pattern": TEMPLATE_OF_POSITIONS } },
    } });
    json!({
        "properties": {
            "time": { "properties": { "column": column.clone(), "date": column.clone(), "time": column.clone() } },
            "received": column,
            "quality": quality,
        },
        "if": { "required": ["layout"], "properties": { "layout": { "const": "long" } } },
        "then": long,
        "else": { "properties": { "columns": names } },
    })
}
