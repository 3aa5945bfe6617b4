//! Which crates are linked into what is shipped, as `cargo metadata` resolves them for each target.
//!
//! Everything that is reached by normal dependencies counts, macros included: part of their text ends up in the program. What
//! only builds or tests needs does not. Features are those of the whole workspace, so that a crate too many may be named,
//! never one too few.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::licences::metadata;
use crate::tools;

/// A crate that is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linked {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// What it says of its licence, as SPDX writes it where it can be read as such.
    pub(super) licence: Option<String>,
    /// A file of its own that holds the licence, where it names one.
    pub(super) licence_file: Option<String>,
    /// Who wrote it, where it says so.
    pub(super) authors: Vec<String>,
    /// Where its source lies on this machine.
    pub(super) folder: PathBuf,
    /// Whether it is one of the workspace's.
    pub(super) ours: bool,
    /// The products that it is linked into.
    pub(super) into: BTreeSet<&'static str>,
    /// The crates that it depends on, by their place in [`Crates`].
    pub(super) needs: BTreeSet<Key>,
}

/// Name and version.
pub(super) type Key = (String, String);

/// All linked crates.
pub(super) type Crates = BTreeMap<Key, Linked>;

/// What is linked into the gateway, the window and the page.
///
/// # Errors
/// Where cargo can't resolve the workspace.
pub(super) fn all(target: &str) -> Result<Crates> {
    let mut crates = Crates::new();
    let native = metadata(Some(target))?;
    collect(&native, "gateway", "orrery", &mut crates)?;
    collect(&native, "orrery", "orrery-viewer", &mut crates)?;
    collect(&metadata(Some(tools::WASM))?, "orrery", "page", &mut crates)?;
    Ok(crates)
}

/// Adds what the workspace's package `root` links to `crates`, under the name of the product.
fn collect(metadata: &Value, root: &str, product: &'static str, crates: &mut Crates) -> Result<()> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node["id"]), node)).collect();
    let key = |id: &str| packages.get(id).map(|package| (text(&package["name"]), text(&package["version"])));
    let first = packages.iter().find(|(_, package)| package["name"] == root && package["source"].is_null());
    let mut open = vec![first.with_context(|| format!("the workspace has no package '{root}'"))?.0.clone()];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let package = packages.get(&id).with_context(|| format!("cargo metadata does not describe {id}"))?;
        let node = nodes.get(&id).with_context(|| format!("cargo metadata does not resolve {id}"))?;
        let normal = |dep: &Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let needs: Vec<String> = list(&node["deps"]).iter().filter(|dep| normal(dep)).map(|dep| text(&dep["pkg"])).collect();
        let linked = crates.entry(key(&id).unwrap_or_default()).or_insert_with(|| describe(package));
        linked.into.insert(product);
        linked.needs.extend(needs.iter().filter_map(|id| key(id)));
        open.extend(needs);
    }
    Ok(())
}

fn describe(package: &Value) -> Linked {
    let text = |name: &str| package[name].as_str().map(str::to_owned);
    let authors = package["authors"].as_array().into_iter().flatten().filter_map(|author| Some(author.as_str()?.to_owned()));
    let manifest = PathBuf::from(text("manifest_path").unwrap_or_default());
    let licence = text("license").map(|licence| canonical(&licence));
    Linked {
        name: text("name").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        licence,
        licence_file: text("license_file"),
        authors: authors.collect(),
        folder: manifest.parent().map(PathBuf::from).unwrap_or_default(),
        ours: package["source"].is_null(),
        into: BTreeSet::new(),
        needs: BTreeSet::new(),
    }
}

/// `MIT/Apache-2.0`, as older crates write it, is `MIT OR Apache-2.0`.
fn canonical(licence: &str) -> String {
    spdx::Expression::canonicalize(licence).ok().flatten().unwrap_or_else(|| licence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Value {
        let package = |name: &str, source: Option<&str>, licence: &str| {
            serde_json::json!({
                "id": format!("{name}-id"), "name": name, "version": "1.0.0", "source": source, "license": licence,
                "license_file": null, "authors": ["A"], "manifest_path": format!("/registry/{name}-1.0.0/Cargo.toml"),
            })
        };
        let dep = |name: &str, kinds: &[Option<&str>]| {
            let kinds: Vec<Value> = kinds.iter().map(|kind| serde_json::json!({ "kind": kind, "target": null })).collect();
            serde_json::json!({ "pkg": format!("{name}-id"), "dep_kinds": kinds })
        };
        let node = |name: &str, deps: Vec<Value>| serde_json::json!({ "id": format!("{name}-id"), "deps": deps });
        let registry = Some("registry+https://index.example");
        serde_json::json!({
            "packages": [
                package("gateway", None, "MIT"), package("cc", registry, "MIT"), package("both", registry, "MIT/Apache-2.0"),
                package("deep", registry, "ISC"), package("tests", registry, "MIT"),
            ],
            "resolve": { "nodes": [
                node("gateway", vec![
                    dep("cc", &[Some("build")]), dep("both", &[Some("dev"), None]), dep("tests", &[Some("dev")]),
                ]),
                node("cc", vec![]), node("both", vec![dep("deep", &[None]), dep("both", &[None])]),
                node("deep", vec![]), node("tests", vec![]),
            ] },
        })
    }

    #[test]
    fn what_only_builds_or_tests_need_is_not_linked() {
        let mut crates = Crates::new();
        collect(&example(), "gateway", "orrery", &mut crates).unwrap();
        collect(&example(), "both", "page", &mut crates).unwrap_err();
        assert_eq!(crates.keys().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["both", "deep", "gateway"]);
        let both = &crates[&("both".to_owned(), "1.0.0".to_owned())];
        assert_eq!((both.licence.as_deref(), both.ours, both.needs.len()), (Some("MIT OR Apache-2.0"), false, 2));
        assert_eq!(both.folder, PathBuf::from("/registry/both-1.0.0"));
    }

    #[test]
    fn a_graph_that_does_not_fit_together_is_an_error() {
        let mut broken = example();
        broken["resolve"]["nodes"][3]["id"] = "other".into();
        assert!(collect(&broken, "gateway", "orrery", &mut Crates::new()).unwrap_err().to_string().contains("deep-id"));
        assert!(collect(&serde_json::json!({}), "gateway", "orrery", &mut Crates::new()).is_err());
    }
}
