//! The bill of materials in the form of CycloneDX 1.5 (ECMA-424): every linked crate with its sum and licence, and who needs
//! whom.
//!
//! The same lock gives the same bytes; its time is that of the sources. C code that crates bring along has a line of its own
//! where it is a product that others list faults of.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::linked::{Crates, Key, Linked};

/// The document. `time` is RFC 3339, `toolchain` the version of Rust.
///
/// # Errors
/// Where the lock can't be read, or the version of a bundled library can't be found.
pub(super) fn document(version: &str, time: &str, toolchain: &str, lock: &str, crates: &Crates) -> Result<Vec<u8>> {
    let sums = sums(lock)?;
    let mut components: Vec<Value> = crates.iter().map(|(key, linked)| component(linked, sums.get(key))).collect();
    let mut needs: BTreeMap<String, Vec<String>> =
        crates.values().map(|linked| (reference(linked), needs(linked, crates))).collect();
    if let Some(binding) = crates.values().find(|linked| linked.name == "libsqlite3-sys") {
        components.push(sqlite(&sqlite_version(&binding.folder)?));
        needs.entry(reference(binding)).or_default().push("sqlite".to_owned());
        needs.insert("sqlite".to_owned(), Vec::new());
    }
    components.push(json!({
        "type": "library", "bom-ref": "rust-std", "name": "rust-std", "version": toolchain,
        "cpe": format!("cpe:2.3:a:rust-lang:rust:{toolchain}:*:*:*:*:*:*:*"), "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    }));
    needs.insert("rust-std".to_owned(), Vec::new());
    let is_program = |linked: &&Linked| linked.ours && ["gateway", "orrery"].contains(&linked.name.as_str());
    let programs = crates.values().filter(is_program).map(reference).chain(["rust-std".to_owned()]);
    needs.insert("product".to_owned(), programs.collect());
    let dependencies: Vec<Value> = needs.into_iter().map(|(from, to)| json!({ "ref": from, "dependsOn": to })).collect();
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "component": { "type": "application", "bom-ref": "product", "name": "orrery", "version": version,
                "licenses": [{ "expression": "MIT OR Apache-2.0" }] },
        },
        "components": components,
        "dependencies": dependencies,
    });
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn sqlite(version: &str) -> Value {
    json!({
        "type": "library", "bom-ref": "sqlite", "name": "sqlite", "version": version,
        "purl": format!("pkg:generic/sqlite@{version}"),
        "cpe": format!("cpe:2.3:a:sqlite:sqlite:{version}:*:*:*:*:*:*:*"), "licenses": [{ "license": { "id": "blessing" } }],
        "description": "compiled into libsqlite3-sys",
    })
}

/// SHA-256 of the crates' archives, as Cargo.lock has them.
fn sums(lock: &str) -> Result<BTreeMap<Key, String>> {
    let lock: toml::Table = lock.parse().context("can't read Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock lists no packages")?;
    let text = |entry: &toml::Value, name| Some(entry.get(name)?.as_str()?.to_owned());
    let row = |entry| Some(((text(entry, "name")?, text(entry, "version")?), text(entry, "checksum")?));
    Ok(packages.iter().filter_map(row).collect())
}

fn reference(linked: &Linked) -> String {
    if linked.ours {
        format!("workspace/{}@{}", linked.name, linked.version)
    } else {
        format!("pkg:cargo/{}@{}", linked.name, linked.version)
    }
}

fn component(linked: &Linked, sum: Option<&String>) -> Value {
    let into = linked.into.iter().copied().collect::<Vec<_>>().join(" ");
    let mut out = json!({
        "type": "library", "bom-ref": reference(linked), "name": linked.name, "version": linked.version,
        "properties": [{ "name": "orrery:linked-into", "value": into }],
    });
    if !linked.ours {
        out["purl"] = reference(linked).into();
    }
    if let Some(sum) = sum {
        out["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    if let Some(licence) = &linked.licence {
        out["licenses"] = json!([{ "expression": licence }]);
    }
    out
}

fn needs(linked: &Linked, crates: &Crates) -> Vec<String> {
    linked.needs.iter().filter_map(|key| crates.get(key)).map(reference).collect()
}

/// The version that the bundled header says.
fn sqlite_version(folder: &Path) -> Result<String> {
    let path = folder.join("sqlite3").join("sqlite3.h");
    let text = std::fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("#define SQLITE_VERSION "));
    let version = line.map(|rest| rest.trim().trim_matches('"').to_owned()).filter(|version| !version.is_empty());
    version.with_context(|| format!("{} says no version", path.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dist::testkit::Folder;

    fn crates(folder: &Folder) -> Crates {
        let linked = |name: &str, ours: bool, needs: &[&str]| {
            let key = |name: &str| (name.to_owned(), "1.0.0".to_owned());
            let linked = Linked {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
                licence: Some("MIT".to_owned()),
                licence_file: None,
                authors: Vec::new(),
                folder: folder.0.clone(),
                ours,
                into: BTreeSet::from(["orrery", "page"]),
                needs: needs.iter().map(|name| key(name)).collect(),
            };
            (key(name), linked)
        };
        Crates::from([
            linked("gateway", true, &["libsqlite3-sys", "twin_model"]),
            linked("libsqlite3-sys", false, &[]),
            linked("twin_model", true, &[]),
        ])
    }

    const LOCK: &str = "
[[package]]
name = \"libsqlite3-sys\"
version = \"1.0.0\"
checksum = \"abc\"

[[package]]
name = \"gateway\"
version = \"1.0.0\"
";

    #[test]
    fn every_crate_has_its_sum_licence_and_needs_and_so_has_what_it_brings_along() {
        let folder = Folder::new("sbom");
        folder.write(
            "sqlite3/sqlite3.h",
            "/* */\n#define SQLITE_VERSION        \"3.54.1\"\n#define SQLITE_VERSION_NUMBER 3054001\n",
        );
        let write = || document("0.1.0", "2026-03-02T08:15:04Z", "1.95.0", LOCK, &crates(&folder)).unwrap();
        let bytes = write();
        assert_eq!(bytes, write(), "two runs, the same bytes");
        let bom: Value = serde_json::from_slice(&bytes).unwrap();
        let at = |list: &str, key: &str, name: &str| {
            bom[list].as_array().unwrap().iter().find(|entry| entry[key] == name).cloned().unwrap_or_default()
        };
        let sqlite = at("components", "name", "libsqlite3-sys");
        assert_eq!(sqlite["hashes"][0]["content"], "abc");
        assert_eq!(
            (&sqlite["purl"], &sqlite["licenses"][0]["expression"]),
            (&json!("pkg:cargo/libsqlite3-sys@1.0.0"), &json!("MIT"))
        );
        assert_eq!(at("components", "name", "sqlite")["version"], "3.54.1");
        assert_eq!(at("dependencies", "ref", "pkg:cargo/libsqlite3-sys@1.0.0")["dependsOn"], json!(["sqlite"]));
        assert_eq!(at("dependencies", "ref", "product")["dependsOn"], json!(["workspace/gateway@1.0.0", "rust-std"]));
        assert_eq!(bom["metadata"]["timestamp"], "2026-03-02T08:15:04Z");
        // Whatever is pointed at is there.
        let known: BTreeSet<&str> =
            bom["components"].as_array().unwrap().iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
        for entry in bom["dependencies"].as_array().unwrap() {
            assert!(entry["dependsOn"].as_array().unwrap().iter().all(|to| known.contains(to.as_str().unwrap())), "{entry}");
        }
        assert!(!String::from_utf8(bytes).unwrap().contains(&*folder.0.to_string_lossy()), "no path of this machine");
    }

    #[test]
    fn a_bundled_library_without_a_version_is_an_error() {
        let folder = Folder::new("sbom-none");
        assert!(document("0", "", "1", LOCK, &crates(&folder)).is_err());
        folder.write("sqlite3/sqlite3.h", "#define SQLITE_VERSION \"\"\n");
        assert!(document("0", "", "1", LOCK, &crates(&folder)).is_err());
        assert!(document("0", "", "1", "no lock", &Crates::new()).is_err());
    }
}
