//! "Did anything change since?": one line per input file with its size and time, kept beside what was built from them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Result;

use crate::util;

/// Everything that the page and the server are built from.
const INPUTS: [&str; 9] = ["Cargo.toml", "Cargo.lock", ".cargo", "Trunk.toml", "index.html", "src", "crates", "assets", "web"];

/// A fingerprint of the inputs together with `variant` (profile and the like).
pub(crate) fn of_inputs(variant: &str) -> Result<String> {
    let root = util::root();
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut text = format!("{variant}\n");
    for file in files {
        let meta = file.metadata()?;
        let modified = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        writeln!(text, "{} {} {}", file.display(), meta.len(), modified.as_nanos())?;
    }
    Ok(text)
}

/// Whether the stamp of that name equals `now`.
pub(crate) fn is_current(name: &str, now: &str) -> bool {
    std::fs::read_to_string(path(name)).is_ok_and(|before| before == now)
}

/// Remembers `now` under that name.
pub(crate) fn remember(name: &str, now: &str) -> Result<()> {
    let path = path(name);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, now)?;
    Ok(())
}

fn path(name: &str) -> PathBuf {
    util::target_dir().join("stamps").join(name)
}

fn collect(path: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), into)?;
        }
    } else if path.is_file() {
        into.push(path.to_path_buf());
    }
    Ok(())
}
