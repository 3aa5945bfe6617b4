//! Known faults of what is linked: Cargo.lock against a RustSec database, with cargo-audit or cargo-deny, never over the network.
//!
//! Neither tool nor database can be had everywhere, so what is missing is said aloud and skips the lane. A database is a
//! checkout of github.com/RustSec/advisory-db; `ORRERY_ADVISORY_DB` names one, else it is looked for where the tools keep it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;

use crate::util::{self, Step};

/// From this age on a database is called old; advisories appear weekly.
const OLD_DAYS: u64 = 30;

/// Fails where the lock file names a version with a known fault.
pub(crate) fn check() -> Result<()> {
    let Some(database) = database() else {
        println!("   SKIPPED (no RustSec database): clone advisory-db and name it in ORRERY_ADVISORY_DB");
        return Ok(());
    };
    let days = age_days(&database);
    if days.is_none_or(|days| days > OLD_DAYS) {
        let age = days.map_or_else(|| "of unknown age".to_owned(), |days| format!("{days} days old"));
        println!("   the RustSec database in {} is {age}; what was found since is not in it", database.display());
    }
    if util::on_path("cargo-audit") {
        return Step::new("cargo audit, offline", "cargo")
            .args(["audit", "--no-fetch", "--stale", "--file", "Cargo.lock", "--db"])
            .args([&database])
            .run();
    }
    // cargo-deny looks nowhere but in its own folder.
    if util::on_path("cargo-deny") && database.parent().is_some_and(|parent| parent.ends_with("advisory-dbs")) {
        return Step::new("cargo deny check advisories, offline", "cargo")
            .args(["deny", "--offline", "check", "advisories"])
            .run();
    }
    println!("   SKIPPED (no cargo-audit for the database in {}): type: cargo install cargo-audit --locked", database.display());
    Ok(())
}

/// A checkout of the database: named, or where cargo-audit or cargo-deny keep theirs.
fn database() -> Option<PathBuf> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let named = std::env::var_os("ORRERY_ADVISORY_DB").map(PathBuf::from);
    let kept = cargo_home.iter().flat_map(|home| {
        let several =
            std::fs::read_dir(home.join("advisory-dbs")).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        std::iter::once(home.join("advisory-db")).chain(several)
    });
    named.into_iter().chain(kept).find(|folder| is_database(folder))
}

/// The database has one folder a crate under `crates/`.
fn is_database(folder: &Path) -> bool {
    folder.join("crates").is_dir()
}

/// Days since the newest crate was added or changed, as the file system tells it.
fn age_days(database: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(database.join("crates")).ok()?;
    let newest = entries.filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok()).max()?;
    SystemTime::now().duration_since(newest).ok().map(|age| age.as_secs() / 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_crates_is_a_database_and_nothing_else() {
        let root = util::root();
        assert!(is_database(&root), "any folder with crates/ passes; the tools judge what lies in it");
        assert!(!is_database(&root.join("docs")));
        assert!(age_days(&root).is_some());
        assert_eq!(age_days(&root.join("nowhere")), None);
    }
}
