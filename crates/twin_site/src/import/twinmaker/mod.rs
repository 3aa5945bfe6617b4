//! AWS IoT TwinMaker: entities become twins, scenes place models and anchors, component types become interfaces.
//!
//! One twin per component that has telemetry, called by its `telemetryAssetId`: that is the name the recordings use. The
//! component that is no alarm is the entity's main twin; the others are its children. Every component's twin id is a
//! placeholder `{<component name>}` for rules of the interface.

mod component_types;
mod entities;
mod rule_maps;
mod scene;

use std::collections::{BTreeMap, HashSet};

use super::Imported;
use crate::ReadFile;
use crate::codes;
use crate::diag::{Diagnostics, Location};
use crate::read::{Section, Word};

/// The keys of one `[[imports]]` table.
struct Config {
    at: Location,
    include_all: bool,
    interfaces: BTreeMap<String, Word>,
    source: Option<Word>,
    models_path: String,
    rules: bool,
}

pub(super) fn read(
    s: &Section<'_>,
    defined: &HashSet<String>,
    read_file: &mut ReadFile<'_>,
    all: &mut Imported,
    out: &mut Diagnostics,
) {
    let first = |(key, texts): (Word, Vec<Word>)| Some((key.text.to_string(), texts.into_iter().next()?));
    let config = Config {
        at: s.at(),
        include_all: s.choice("include") == Some("all"),
        interfaces: s.map("interfaces").into_iter().filter_map(first).collect(),
        source: s.word("source"),
        models_path: s.text("models_path").unwrap_or_default(),
        rules: s.bool("rules").unwrap_or(false),
    };
    let mut types = component_types::Types::default();
    for path in s.words("component_types") {
        if let Some(json) = super::json(path.as_str(), &path.at, read_file, out) {
            types.add(&json, &path, out);
        }
    }
    let mut known = entities::Entities::default();
    if let Some(path) = s.word("entities")
        && let Some(json) = super::json(path.as_str(), &path.at, read_file, out)
    {
        known = entities::Entities::read(&json, &path, &types, out);
    }
    let used = known.add_twins(&config, &types, all, out);
    types.add_interfaces(&used, defined, all, out);
    for path in s.words("scenes") {
        if let Some(json) = super::json(path.as_str(), &path.at, read_file, out) {
            scene::read(&json, &path, &config, &known, all, out);
        }
    }
}

/// Names a version of a format that nobody has read here yet; the file is read as if it were the known one.
fn version(json: &serde_json::Value, key: &str, known: &[&str], path: &Word, out: &mut Diagnostics) {
    let Some(found) = json.get(key) else { return };
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    if !known.contains(&text.as_str()) {
        let short: String = text.chars().take(40).collect();
        let message = format!("'{}' says {key} {short}; this reader knows {}", path.as_str(), known.join(", "));
        let help = "it is read as that; compare what is shown with the original".to_owned();
        out.warning(codes::FILE_INVALID, &path.at, path.as_str(), message, help);
    }
}

/// Says what was left behind, with how often.
fn skipped(counts: BTreeMap<String, usize>, path: &Word, what: &str, help: &str, out: &mut Diagnostics) {
    for (name, count) in counts {
        let message = format!("{count} {what} '{name}' in '{}' were not carried over", path.as_str());
        out.info(codes::IMPORT_SKIPPED, &path.at, &name, message, help.to_owned());
    }
}

#[cfg(test)]
mod tests;
