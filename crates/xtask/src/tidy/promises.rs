//! Whether the tests that `docs/PROMISES.md` names are there: `crate::file::test` in backticks is a function of that crate.

use std::path::{Path, PathBuf};

use anyhow::Result;

const DOCUMENT: &str = "PROMISES.md";

/// Tests that are named and not there.
pub(super) fn problems(root: &Path, files: &[(PathBuf, String)]) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("docs").join(DOCUMENT))?;
    let there = |crate_name: &str, test: &str| {
        let declared = format!("fn {test}(");
        files.iter().any(|(file, text)| is_of(file, crate_name) && text.contains(&declared))
    };
    let missing = named(&text).filter(|(crate_name, test)| !there(crate_name, test));
    Ok(missing.map(|(crate_name, test)| format!("docs/{DOCUMENT}: {crate_name} has no test {test}")).collect())
}

/// Each `crate::file::test` in backticks, as the crate and the test.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|path| Some((path.split_once("::")?.0, path.rsplit_once("::")?.1)))
}

/// Whether a file is one of a crate, or of the root package.
fn is_of(file: &Path, crate_name: &str) -> bool {
    if crate_name == "orrery" { !file.starts_with("crates") } else { file.starts_with(Path::new("crates").join(crate_name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_crate_and_name_and_are_looked_for_in_their_crate() {
        let text = "- A: `gateway::limits::a_text_is_cut`; `orrery::tests::b`. How far: `state` and Database::load";
        assert_eq!(named(text).collect::<Vec<_>>(), [("gateway", "a_text_is_cut"), ("orrery", "b")]);
        assert!(is_of(Path::new("crates/gateway/tests/it/limits.rs"), "gateway") && is_of(Path::new("src/shell.rs"), "orrery"));
        assert!(
            !is_of(Path::new("crates/gateway/src/lib.rs"), "orrery") && !is_of(Path::new("crates/gateway_more/a.rs"), "gateway")
        );
    }
}
