//! Whether what `docs/GLOSSARY.md` points at is there: `crate::Item` in backticks is an item or a module of that crate.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// Names that point at nothing.
pub(super) fn problems(root: &Path, files: &[(PathBuf, String)]) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("docs").join("GLOSSARY.md"))?;
    let mut problems = Vec::new();
    for (crate_name, item) in named(&text) {
        let source = Path::new("crates").join(crate_name).join("src");
        let mut own = files.iter().filter(|(file, _)| file.starts_with(&source));
        if !own.any(|(file, text)| is_module(file, item) || declares(text, item)) {
            problems.push(format!("docs/GLOSSARY.md: there is no {crate_name}::{item}"));
        }
    }
    Ok(problems)
}

/// Each `crate::Item` or `crate::module::Item` in backticks, as the crate and the last name.
fn named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let pairs = quoted.filter_map(|path| Some((path.split("::").next()?, path.rsplit_once("::")?.1)));
    pairs.filter(|(name, _)| name.starts_with("twin_") || *name == "gateway").collect()
}

fn is_module(file: &Path, item: &str) -> bool {
    let stem = |path: &Path| path.file_stem().is_some_and(|stem| stem == item);
    stem(file) || file.parent().is_some_and(stem)
}

fn declares(text: &str, item: &str) -> bool {
    ["struct", "enum", "trait", "fn", "type", "const"].iter().any(|kind| {
        let declared = format!("{kind} {item}");
        text.match_indices(&declared).any(|(at, _)| {
            let rest = text.get(at + declared.len()..).unwrap_or_default();
            !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_crate_and_item_and_found_whole() {
        let text = "| a | `twin_a::Thing`, `twin_a::part::Other` and `plain` | `Store::slab` |";
        assert_eq!(named(text), [("twin_a", "Thing"), ("twin_a", "Other")]);
        assert!(declares("pub struct Thing {", "Thing") && !declares("pub struct Things {", "Thing"));
        assert!(is_module(Path::new("crates/a/src/part/mod.rs"), "part") && is_module(Path::new("crates/a/src/part.rs"), "part"));
    }
}
