//! The site files of the repository against the schema that editors use.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every `site.toml` below a folder, sorted.
pub(crate) fn site_files(folder: &Path) -> Vec<PathBuf> {
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

/// A JSON Schema as a library that knows nothing of Orrery understands it.
pub(crate) struct Schema {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    pub(crate) fn new(schema: Json) -> Self {
        let (mut compiler, mut schemas) = (boon::Compiler::new(), boon::Schemas::new());
        compiler.set_default_draft(boon::Draft::V7);
        compiler.add_resource("site.schema.json", schema).unwrap();
        let index = compiler.compile("site.schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    pub(crate) fn fits(&self, value: &Json) -> Result<(), String> {
        self.schemas.validate(value, self.index).map_err(|error| error.to_string())
    }
}

pub(crate) fn json(value: toml::Value) -> Json {
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
    let stored = std::fs::read_to_string(repository().join("assets/site.schema.json")).unwrap();
    let schema = Schema::new(serde_json::from_str(&stored).unwrap());
    let files: Vec<PathBuf> =
        ["assets/sites", "tests/fixtures"].iter().flat_map(|folder| site_files(&repository().join(folder))).collect();
    assert!(files.len() >= 3, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let value = json(toml::from_str(&text).unwrap());
        assert_eq!(schema.fits(&value), Ok(()), "{}", path.display());
        let folder = path.parent().unwrap().to_owned();
        let shared = std::env::var("ORRERY_SHARED").ok();
        let mut read = |relative: &str| {
            let relative = twin_site::paths::with_shared(relative, shared.as_deref());
            std::fs::read(folder.join(relative)).map_err(|error| error.to_string())
        };
        let site = twin_site::load(&text, "site.toml", &mut read);
        // Imports from shared data may be absent; everything else must be right.
        let wrong: Vec<String> = site
            .diagnostics
            .iter()
            .filter(|finding| {
                finding.severity != twin_site::Severity::Info && !matches!(finding.code, "file.unreadable" | "site.empty")
            })
            .map(ToString::to_string)
            .collect();
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
    }
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let schema = Schema::new(twin_site::schema::json_schema());
    let head = "[site]\nid = \"s\"\n";
    for (body, fine) in [
        ("[[twins]]\nid = \"a\"\nbind = false\n", true),
        ("[[twins]]\nid = \"a\"\nbind = true\n", false),
        ("[[twins]]\nid = \"a\"\nnmae = \"b\"\n", false),
        ("[[twins]]\nname = \"b\"\n", false),
        ("[[twins]]\nid = \"a\"\nrules = [{ id = \"r\", kind = \"rnage\" }]\n", false),
        ("[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\", range = [1] }]\n", false),
        ("[[twins]]\nid = \"a\"\nalarms = [{ id = \"x\", priority = 5 }]\n", false),
        ("[[twins]]\nid = \"a\"\n[[bindings]]\ntwin = \"a\"\nextras = { n = 1, t = \"x\" }\n", true),
        ("[[twins]]\nid = \"a\"\n[[bindings]]\ntwin = \"a\"\nextras = { n = [1] }\n", false),
    ] {
        let text = format!("{head}{body}");
        assert_eq!(schema.fits(&json(toml::from_str(&text).unwrap())).is_ok(), fine, "{body}");
        let site = twin_site::load(&text, "site.toml", &mut |_| Err("none".into()));
        let structural = ["key.unknown", "key.missing", "value.invalid"];
        assert_eq!(site.diagnostics.iter().all(|finding| !structural.contains(&finding.code)), fine, "{body}");
    }
}
