//! JSON Schema of the site file for editors, made from the same tables that the loader checks.

mod parts;
mod shape;

use serde_json::{Map, Value as Json, json};

use super::spec::{ROOT, TableSpec, Ty};

/// The schema, JSON Schema draft 7 (what TOML language servers understand). `assets/site.schema.json` is this, printed.
pub fn json_schema() -> Json {
    let mut definitions = Map::new();
    let mut root = table(&ROOT, &mut definitions);
    if let Json::Object(root) = &mut root {
        root.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        root.insert("title".to_owned(), json!("Orrery site file"));
        root.insert("definitions".to_owned(), Json::Object(definitions));
    }
    root
}

/// The schema as text, as it is stored.
pub fn json_schema_text() -> String {
    format!("{:#}\n", json_schema())
}

fn table(spec: &'static TableSpec, definitions: &mut Map<String, Json>) -> Json {
    let mut properties = Map::new();
    for key in spec.keys {
        let mut schema = ty(key.ty, definitions);
        if let Json::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), json!(key.help));
            if let Json::Object(more) = shape::of_key(spec.name, key.name) {
                schema.extend(more);
            }
        }
        properties.insert(key.name.to_owned(), schema);
    }
    let required: Vec<&str> = spec.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut made = json!({
        "type": "object",
        "description": spec.help,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    let rules = shape::of_table(spec.name);
    if let (Json::Object(made), false) = (&mut made, rules.is_empty()) {
        made.insert("allOf".to_owned(), Json::Array(rules));
    }
    made
}

fn reference(spec: &'static TableSpec, definitions: &mut Map<String, Json>) -> Json {
    let name = spec.name.replace(' ', "_");
    if !definitions.contains_key(&name) {
        // The place is taken first: a table may hold itself one day.
        definitions.insert(name.clone(), Json::Null);
        let made = table(spec, definitions);
        definitions.insert(name.clone(), made);
    }
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn ty(ty: Ty, definitions: &mut Map<String, Json>) -> Json {
    let text = || json!({ "type": "string" });
    let texts = || json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let scalar = || json!({ "type": ["string", "number", "boolean"] });
    match ty {
        Ty::Text => text(),
        Ty::Id => json!({ "type": "string", "minLength": 1, "maxLength": super::validate::MAX_ID_BYTES, "pattern": shape::ID }),
        Ty::Number => json!({ "type": "number" }),
        Ty::Integer => json!({ "type": "integer" }),
        Ty::Bool => json!({ "type": "boolean" }),
        Ty::Duration => json!({ "type": "string", "pattern": shape::DURATION }),
        // TOML date-times reach a schema as text.
        Ty::Instant => json!({ "type": "string", "pattern": shape::INSTANT }),
        Ty::Start => json!({ "anyOf": [{ "enum": ["recorded", "now"] }, { "type": "string", "pattern": shape::INSTANT }] }),
        Ty::Choice(words) => json!({ "type": "string", "enum": words }),
        Ty::Range => json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 }),
        Ty::Vec3 => vec3(),
        Ty::Scale => {
            let other_than_zero = || json!({ "type": "number", "not": { "const": 0 } });
            json!({ "anyOf": [other_than_zero(), { "type": "array", "items": other_than_zero(), "minItems": 3, "maxItems": 3 }] })
        }
        Ty::Texts => texts(),
        Ty::Scalar => scalar(),
        Ty::Column => json!({ "anyOf": [{ "type": "string" }, shape::position()] }),
        Ty::ColumnOr(spec) => {
            json!({ "anyOf": [{ "type": "string" }, shape::position(), reference(spec, definitions)] })
        }
        Ty::Priority => json!({ "enum": [1, 2, 3, 4, "critical", "high", "medium", "low"] }),
        Ty::TextMap => json!({ "type": "object", "additionalProperties": text() }),
        Ty::TextsMap => json!({ "type": "object", "additionalProperties": texts() }),
        Ty::ScalarMap => json!({ "type": "object", "additionalProperties": scalar() }),
        Ty::Secret => {
            let from = |key: &str, pattern: &str| {
                let text = json!({ "type": "string", "pattern": pattern });
                json!({ "type": "object", "properties": { key: text }, "required": [key], "additionalProperties": false })
            };
            let token = json!({ "type": "string", "minLength": 1, "maxLength": 1024, "pattern": shape::ID });
            json!({ "anyOf": [token, from("env", "^[A-Za-z_][A-Za-z0-9_]*$"), from("file", "\\S")] })
        }
        Ty::Table(spec) => json!({ "allOf": [reference(spec, definitions)] }),
        Ty::Tables(spec) => json!({ "type": "array", "items": reference(spec, definitions) }),
        Ty::Bind(spec) => {
            let one = reference(spec, definitions);
            json!({ "anyOf": [{ "const": false }, one, { "type": "array", "items": one }] })
        }
    }
}

fn vec3() -> Json {
    json!({ "type": "array", "items": { "type": "number" }, "minItems": 3, "maxItems": 3 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/site.schema.json")
    }

    /// `ORRERY_WRITE_SCHEMA=1 cargo test -p twin_site schema` brings the file up to date.
    #[test]
    fn the_stored_schema_is_the_one_the_loader_checks() {
        if std::env::var_os("ORRERY_WRITE_SCHEMA").is_some() {
            std::fs::write(stored(), json_schema_text()).unwrap();
        }
        let text = std::fs::read_to_string(stored()).unwrap();
        assert!(
            text == json_schema_text(),
            "assets/site.schema.json is old: ORRERY_WRITE_SCHEMA=1 cargo test -p twin_site schema"
        );
    }

    #[test]
    fn every_table_and_key_has_a_line_of_help() {
        fn walk(spec: &'static TableSpec, seen: &mut Vec<&'static str>) {
            if seen.contains(&spec.name) {
                return;
            }
            seen.push(spec.name);
            assert!(!spec.help.is_empty(), "{}", spec.name);
            for key in spec.keys {
                assert!(key.help.ends_with('.'), "{}.{}", spec.name, key.name);
                assert!(key.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}.{}", spec.name, key.name);
                if let Ty::Table(inner) | Ty::Tables(inner) | Ty::Bind(inner) | Ty::ColumnOr(inner) = key.ty {
                    walk(inner, seen);
                }
            }
        }
        let mut seen = Vec::new();
        walk(&ROOT, &mut seen);
        assert!(seen.len() > 15, "{seen:?}");
    }
}
