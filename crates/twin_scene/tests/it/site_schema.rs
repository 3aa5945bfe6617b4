//! The site files of the repository against the schema that editors use.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use twin_scene::site;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every `site.toml` below a folder, sorted.
fn site_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(site_files(&path));
        } else if path.file_name().is_some_and(|name| name == "site.toml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The words of JSON Schema that the site schema uses, and no others: an unknown one fails.
fn fits(schema: &Json, value: &Json, root: &Json) -> Result<(), String> {
    let mut all = Ok(());
    for (word, argument) in schema.as_object().unwrap() {
        let fine = match word.as_str() {
            "$schema" | "title" | "description" | "definitions" | "pattern" | "maxLength" => Ok(()),
            "$ref" => {
                let pointer = argument.as_str().unwrap().strip_prefix('#').unwrap();
                fits(root.pointer(pointer).ok_or(format!("no {pointer}"))?, value, root)
            }
            "allOf" => argument.as_array().unwrap().iter().try_for_each(|schema| fits(schema, value, root)),
            "anyOf" => {
                let mut each = argument.as_array().unwrap().iter().map(|schema| fits(schema, value, root));
                if each.any(|result| result.is_ok()) { Ok(()) } else { Err(format!("{value} fits nothing of {argument}")) }
            }
            "type" => {
                let is = |name: &Json| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "boolean" => value.is_boolean(),
                    other => panic!("unknown type {other}"),
                };
                let fine = argument.as_array().map_or_else(|| is(argument), |names| names.iter().any(is));
                if fine { Ok(()) } else { Err(format!("{value} is no {argument}")) }
            }
            "enum" => argument.as_array().unwrap().contains(value).then_some(()).ok_or(format!("{value} is not in {argument}")),
            "const" => (argument == value).then_some(()).ok_or(format!("{value} is not {argument}")),
            "minimum" => (value.as_f64() >= argument.as_f64()).then_some(()).ok_or(format!("{value} < {argument}")),
            "minLength" => (value.as_str().map(str::len) >= argument.as_u64().map(|n| usize::try_from(n).unwrap()))
                .then_some(())
                .ok_or("empty".into()),
            "minItems" | "maxItems" => (value.as_array().map(Vec::len) == argument.as_u64().map(|n| usize::try_from(n).unwrap()))
                .then_some(())
                .ok_or(format!("{value} has not {argument} items")),
            "items" => value.as_array().into_iter().flatten().try_for_each(|item| fits(argument, item, root)),
            "required" => {
                let lacks = argument.as_array().unwrap().iter().find(|key| value.get(key.as_str().unwrap()).is_none());
                lacks.map_or(Ok(()), |key| Err(format!("{value} lacks {key}")))
            }
            "properties" => argument
                .as_object()
                .unwrap()
                .iter()
                .try_for_each(|(key, schema)| value.get(key).map_or(Ok(()), |value| fits(schema, value, root))),
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Json::as_object);
                let mut others =
                    value.as_object().into_iter().flatten().filter(|(key, _)| known.is_none_or(|all| !all.contains_key(*key)));
                others.try_for_each(|(key, value)| match argument {
                    Json::Bool(false) => Err(format!("unknown key {key}")),
                    schema => fits(schema, value, root),
                })
            }
            other => panic!("the schema uses '{other}', which this test does not know"),
        };
        all = all.and(fine);
    }
    all
}

fn json(value: toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::String(text),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => n.into(),
        toml::Value::Boolean(b) => b.into(),
        toml::Value::Datetime(t) => Json::String(t.to_string()),
        toml::Value::Array(items) => Json::Array(items.into_iter().map(json).collect()),
        toml::Value::Table(table) => Json::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect()),
    }
}

#[test]
fn every_site_file_of_the_repository_fits_the_schema_and_loads() {
    let schema: Json =
        serde_json::from_str(&std::fs::read_to_string(repository().join("assets/site.schema.json")).unwrap()).unwrap();
    let files: Vec<PathBuf> =
        ["assets/sites", "tests/fixtures"].iter().flat_map(|folder| site_files(&repository().join(folder))).collect();
    assert!(files.len() >= 3, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let value = json(toml::from_str(&text).unwrap());
        assert_eq!(fits(&schema, &value, &schema), Ok(()), "{}", path.display());
        let folder = path.parent().unwrap().to_owned();
        let shared = std::env::var("ORRERY_SHARED").ok();
        let mut read = |relative: &str| {
            let relative = site::paths::with_shared(relative, shared.as_deref());
            std::fs::read(folder.join(relative)).map_err(|error| error.to_string())
        };
        let site = site::load(&text, "site.toml", &mut read);
        // Imports from shared data may be absent; everything else must be right.
        let wrong: Vec<String> = site
            .diagnostics
            .iter()
            .filter(|finding| {
                finding.severity != site::Severity::Info && !matches!(finding.code, "file.unreadable" | "site.empty")
            })
            .map(ToString::to_string)
            .collect();
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
    }
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let schema = site::schema::json_schema();
    let head = "[site]\nid = \"s\"\n";
    for (body, fine) in [
        ("[[twins]]\nid = \"a\"\nbind = false\n", true),
        ("[[twins]]\nid = \"a\"\nbind = true\n", false),
        ("[[twins]]\nid = \"a\"\nnmae = \"b\"\n", false),
        ("[[twins]]\nname = \"b\"\n", false),
        ("[[twins]]\nid = \"a\"\nrules = [{ id = \"r\", kind = \"rnage\" }]\n", false),
        ("[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\", range = [1] }]\n", false),
        ("[[twins]]\nid = \"a\"\nalarms = [{ id = \"x\", priority = 5 }]\n", false),
        ("[[bindings]]\ntwin = \"a\"\nextras = { n = 1, t = \"x\" }\n", true),
        ("[[bindings]]\ntwin = \"a\"\nextras = { n = [1] }\n", false),
    ] {
        let text = format!("{head}{body}");
        assert_eq!(fits(&schema, &json(toml::from_str(&text).unwrap()), &schema).is_ok(), fine, "{body}");
        let site = site::load(&text, "site.toml", &mut |_| Err("none".into()));
        let structural = ["key.unknown", "key.missing", "value.invalid"];
        assert_eq!(site.diagnostics.iter().all(|finding| !structural.contains(&finding.code)), fine, "{body}");
    }
}
