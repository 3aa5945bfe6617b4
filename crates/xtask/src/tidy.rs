//! Rules that no compiler knows: every file says what it is, platform noise stays in its folder, no modules form
//! a circle, the glossary names what there is, and so do the promises.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::util;

mod circles;
mod glossary;
mod promises;

/// Checks the rules over all files that git tracks.
pub(crate) fn check() -> Result<()> {
    let root = util::root();
    let listed = util::output_of("git", &["ls-files", "*.rs"]).unwrap_or_default();
    let files: Vec<PathBuf> = listed.lines().map(PathBuf::from).filter(|file| root.join(file).is_file()).collect();
    let read = |file: PathBuf| std::fs::read_to_string(root.join(&file)).map(|text| (file, text));
    let files = files.into_iter().map(read).collect::<std::io::Result<Vec<(PathBuf, String)>>>()?;
    let mut problems: Vec<String> = files.iter().flat_map(|(file, text)| problems_of(file, text)).collect();
    problems.extend(version_problems(&root)?);
    problems.extend(circles::problems(&files));
    problems.extend(glossary::problems(&root, &files)?);
    problems.extend(promises::problems(&root, &files)?);
    if problems.is_empty() {
        println!("   {} files", files.len());
        Ok(())
    } else {
        bail!("{}", problems.join("\n       "))
    }
}

fn problems_of(file: &Path, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = file.display();
    if !text.trim_start_matches('\u{feff}').starts_with("//!") {
        problems.push(format!("{name}: must open with a //! line that says what it holds"));
    }
    // The WASM benchmark is nothing but such a switch: its host is node.
    let platform = ["src/platform", "src/main.rs", "benches/wasm"].iter().any(|place| file.starts_with(place));
    if !platform && !file.starts_with("crates/xtask") {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("#[cfg") && line.contains("target_arch") {
                problems.push(format!("{name}:{}: cfg(target_arch) belongs in src/platform", at + 1));
            }
        }
    }
    // Tests clean up behind themselves as they like, and this file names what it looks for.
    let product =
        !file.iter().any(|part| ["tests", "tests.rs", "examples", "benches", "tidy.rs"].iter().any(|name| part == *name));
    for (at, line) in text.lines().enumerate().filter(|(_, line)| product && drops_a_call(line)) {
        let line = line.trim();
        problems.push(format!("{name}:{}: what a call gave is dropped unseen; handle it, or end with .ok(): {line}", at + 1));
    }
    let core = file.starts_with("crates") && !file.starts_with("crates/gateway") && !file.starts_with("crates/xtask");
    if core && (text.contains("use bevy") || text.contains("bevy::")) {
        problems.push(format!("{name}: nothing under crates/ may use Bevy"));
    }
    problems
}

/// Whether a line hands what a call returns to `drop`: errors get lost so without anyone having thought of them.
fn drops_a_call(line: &str) -> bool {
    let code = line.trim_start();
    if code.starts_with("//") {
        return false;
    }
    let whole = |at: usize| {
        !code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"')) && !code[..at].ends_with("fn ")
    };
    code.match_indices("drop(").filter(|(at, _)| whole(*at)).any(|(at, found)| {
        let inside = &code[at + found.len()..];
        let end = inside.find(')').unwrap_or(inside.len());
        // A tuple or a closure is no call.
        inside[..end].find('(').is_some_and(|at| at > 0)
    })
}

/// egui and glam must be the ones that Bevy's side links, or two of them end up in the bundle.
fn version_problems(root: &Path) -> Result<Vec<String>> {
    let lock: toml::Table = std::fs::read_to_string(root.join("Cargo.lock"))?.parse()?;
    let mut problems = Vec::new();
    for name in ["egui", "glam"] {
        let versions = lock
            .get("package")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(name))
            .count();
        if versions != 1 {
            problems.push(format!("Cargo.lock holds {versions} versions of {name}; it must be the one that Bevy uses"));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str, expected: usize) {
        let problems = problems_of(Path::new(file), text);
        assert_eq!(problems.len(), expected, "{problems:?}");
    }

    #[test]
    fn a_file_without_a_head_line_is_named() {
        check("crates/a/src/lib.rs", "fn x() {}", 1);
        check("crates/a/src/lib.rs", "//! Holds x.\nfn x() {}", 0);
    }

    #[test]
    fn platform_switches_stay_in_their_folder() {
        let text = "//! X.\n#[cfg(target_arch = \"wasm32\")]\nfn x() {}";
        check("src/net.rs", text, 1);
        check("src/platform/mod.rs", text, 0);
        check("benches/wasm/src/lib.rs", text, 0);
    }

    #[test]
    fn what_a_call_gives_is_not_dropped_unseen() {
        for (line, found) in [
            ("    drop(std::fs::remove_file(path));", 1),
            ("Job::Sync(done) => drop(self.writer.send(done)),", 1),
            ("drop(timeout(PATIENCE, goodbye).await);", 1),
            ("drop(guard);", 0),
            ("drop((a, b));", 0),
            ("spawn(move || drop(running))", 0),
            ("fn drop(&mut self) {", 0),
            ("self.drop(call());", 0),
            ("// drop(call())", 0),
            ("std::fs::remove_file(path).ok();", 0),
        ] {
            check("src/a.rs", &format!("//! X.\nfn x() {{\n{line}\n}}"), found);
        }
    }

    #[test]
    fn core_crates_do_not_name_bevy() {
        check("crates/twin_ui/src/lib.rs", "//! X.\nuse bevy::prelude::*;", 1);
        check("src/app.rs", "//! X.\nuse bevy::prelude::*;", 0);
    }
}
