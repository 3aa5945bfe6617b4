//! Licences of everything that is linked, and who may depend on Bevy, read from `deny.toml` and `cargo metadata`.
//!
//! `deny.toml` keeps cargo-deny's format, so that the larger tool works too; building it takes longer than most lanes,
//! so the two checks that the project relies on are made here (docs/decisions/0004).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::util;

/// Checks licences and banned dependencies.
pub(crate) fn check() -> Result<()> {
    let deny = deny()?;
    let metadata = metadata(None)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut problems = licence_problems(&deny, packages);
    problems.extend(ban_problems(&deny, &metadata, packages));
    if problems.is_empty() {
        println!("   {} packages, all under allowed licences", packages.len());
        Ok(())
    } else {
        bail!("{}", problems.join("\n       "))
    }
}

/// Licences that may be linked, those that only named crates may have included.
pub(crate) fn allowed() -> Result<BTreeSet<String>> {
    let deny = deny()?;
    let of_crates = exceptions(&deny).into_values().flatten();
    Ok(strings(&deny, &["licenses", "allow"]).into_iter().chain(of_crates).map(str::to_owned).collect())
}

fn deny() -> Result<toml::Table> {
    Ok(std::fs::read_to_string(util::root().join("deny.toml"))?.parse()?)
}

/// Licences that a crate may have beyond the list, by its name.
fn exceptions(deny: &toml::Table) -> BTreeMap<&str, BTreeSet<&str>> {
    deny.get("licenses")
        .and_then(|licenses| licenses.get("exceptions"))
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.get("crate")?.as_str()?, strings(entry.as_table()?, &["allow"]))))
        .collect()
}

/// What cargo knows of all crates; of a target, without those that it does not use.
pub(crate) fn metadata(target: Option<&str>) -> Result<Value> {
    let of_target = target.into_iter().flat_map(|target| ["--filter-platform", target]);
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(of_target)
        .current_dir(util::root())
        .output()
        .context("can't run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn strings<'a>(table: &'a toml::Table, path: &[&str]) -> BTreeSet<&'a str> {
    let mut value = None;
    let mut at = Some(table);
    for key in path {
        value = at.and_then(|table| table.get(*key));
        at = value.and_then(toml::Value::as_table);
    }
    value.and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn licence_problems(deny: &toml::Table, packages: &[Value]) -> Vec<String> {
    let allowed = strings(deny, &["licenses", "allow"]);
    let exceptions = exceptions(deny);
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(text) = package["license"].as_str() else {
            if package["license_file"].is_null() {
                problems.push(format!("{name}: no licence named"));
            }
            continue;
        };
        let extra = exceptions.get(name);
        let ok = |id: &str| allowed.contains(id) || extra.is_some_and(|extra| extra.contains(id));
        match spdx::Expression::parse_mode(text, spdx::ParseMode::LAX) {
            Ok(expression) => {
                if !expression.evaluate(|requirement| ok(&requirement.to_string())) {
                    problems.push(format!("{name}: licence '{text}' is not on the list in deny.toml"));
                }
            }
            Err(error) => problems.push(format!("{name}: can't read its licence '{text}': {}", error.reason)),
        }
    }
    problems
}

/// `[[bans.deny]]` entries with `wrappers`: only these packages may depend on it directly.
fn ban_problems(deny: &toml::Table, metadata: &Value, packages: &[Value]) -> Vec<String> {
    let names: BTreeMap<&str, &str> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?))).collect();
    let mut problems = Vec::new();
    let bans = deny.get("bans").and_then(|bans| bans.get("deny")).and_then(toml::Value::as_array);
    for ban in bans.into_iter().flatten() {
        let (Some(banned), Some(table)) = (ban.get("crate").and_then(toml::Value::as_str), ban.as_table()) else { continue };
        let wrappers = strings(table, &["wrappers"]);
        for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
            let user = node["id"].as_str().and_then(|id| names.get(id)).copied().unwrap_or_default();
            let uses = node["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| names.get(id.as_str()?))
                .any(|name| *name == banned);
            if uses && !wrappers.contains(user) && !user.starts_with("bevy") {
                problems.push(format!(
                    "{user} depends on {banned}; only {} may",
                    Vec::from_iter(wrappers.iter().copied()).join(", ")
                ));
            }
        }
    }
    problems
}
