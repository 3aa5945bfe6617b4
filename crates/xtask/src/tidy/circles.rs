//! No circles between the modules of a crate: who reads one module need not know what is built on it.
//!
//! What counts is the first level, `crate::one::of_it` from anywhere within `another`. Tests may look wherever they like. Words of the
//! source are read, not its meaning: a path through a macro or a re-export of the crate's root isn't seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules by name, with what each uses of the others and a file that does.
type Uses<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Path>>;

/// Every circle of modules in the crates that the files belong to.
pub(super) fn problems(files: &[(PathBuf, String)]) -> Vec<String> {
    let mut crates: BTreeMap<&Path, Vec<(&Path, &str)>> = BTreeMap::new();
    for (file, text) in files {
        let root = file.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "src"));
        if let Some(root) = root {
            crates.entry(root).or_default().push((file, text));
        }
    }
    crates.into_iter().flat_map(|(root, files)| circles(root, &uses(root, &files))).collect()
}

/// The module of the first level that a file is of, and how deep the file's own module lies: 1 for that module itself.
fn module_of<'a>(root: &Path, file: &'a Path) -> Option<(&'a str, usize)> {
    let parts: Vec<&str> = file.strip_prefix(root).ok()?.iter().filter_map(|part| part.to_str()).collect();
    let (last, folders) = parts.split_last()?;
    let last = last.strip_suffix(".rs")?;
    let own = usize::from(last != "mod");
    let first = folders.first().copied().unwrap_or(last);
    (!matches!(first, "lib" | "main")).then_some((first, folders.len() + own))
}

fn uses<'a>(root: &Path, files: &[(&'a Path, &'a str)]) -> Uses<'a> {
    let known: BTreeSet<&str> = files.iter().filter_map(|(file, _)| module_of(root, file)).map(|(name, _)| name).collect();
    let mut uses = Uses::new();
    for (file, text) in files {
        let Some((own, depth)) = module_of(root, file) else { continue };
        if file.iter().any(|part| part == "tests" || part == "tests.rs") {
            continue;
        }
        // The tests of a file are its last module.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for name in named(line, depth).filter(|name| *name != own) {
                if let Some(name) = known.get(name) {
                    uses.entry(own).or_default().entry(*name).or_insert(*file);
                }
            }
        }
    }
    uses
}

/// What a line names of the crate's root, from a module so deep.
fn named(line: &str, depth: usize) -> impl Iterator<Item = &str> {
    let up = "super::".repeat(depth);
    // The lists of this house's imports stand in one line, but for long ones of one module.
    let paths = ["crate::".to_owned(), up].into_iter().flat_map(move |path| {
        let found: Vec<&str> =
            line.match_indices(&path).map(|(at, path)| line.get(at + path.len()..).unwrap_or_default()).collect();
        found
    });
    paths.flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list.split([',', '}']).map(word).collect(),
        None => vec![word(rest)],
    })
}

fn word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The modules of one circle each, with who uses whom in it.
fn circles(root: &Path, uses: &Uses<'_>) -> Vec<String> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|from| (*from, reached(uses, from))).collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for from in uses.keys() {
        let mutual = |other: &&str| reach.get(*other).is_some_and(|back| back.contains(from));
        let circle: BTreeSet<&str> = reach[from].iter().copied().filter(mutual).collect();
        if !circle.contains(from) || !told.insert(from) {
            continue;
        }
        told.extend(&circle);
        let within = |(from, to): (&&str, &BTreeMap<&str, &Path>)| -> Vec<String> {
            let to = to.iter().filter(|(to, _)| circle.contains(*to));
            to.map(|(to, file)| format!("{from} uses {to} ({})", file.display())).collect()
        };
        let edges: Vec<String> = uses.iter().filter(|(from, _)| circle.contains(*from)).flat_map(within).collect();
        found.push(format!("{}: modules in a circle: {}", root.display(), edges.join(", ")));
    }
    found
}

/// Everything that a module uses, and what that uses.
fn reached<'a>(uses: &Uses<'a>, from: &'a str) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        open.extend(uses.get(next).into_iter().flat_map(BTreeMap::keys).copied().filter(|name| all.insert(*name)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let files: Vec<(PathBuf, String)> = files.iter().map(|(file, text)| (file.into(), (*text).to_owned())).collect();
        let found = problems(&files);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(found, words)| found.contains(words)), "{found:?}");
    }

    #[test]
    fn modules_that_use_each_other_are_a_circle_however_it_is_written() {
        check(&[("k/src/a.rs", "use crate::b::B;"), ("k/src/b.rs", "use crate::c;"), ("k/src/c.rs", "")], &[]);
        let three = &["k/src: modules in a circle: a uses b (k/src/a.rs), b uses c (k/src/b/d.rs), c uses a (k/src/c.rs)"];
        for end in ["use crate::{a, e};", "    let x = crate::a::f();", "use super::a::A;", "use crate::{x::{y, z}, a::A};"] {
            check(&[("k/src/a.rs", "use crate::b::B;"), ("k/src/b/d.rs", "use super::super::c::C;"), ("k/src/c.rs", end)], three);
        }
        check(&[("src/a.rs", "use crate::b;"), ("k/src/b.rs", "use crate::a;")], &[]);
    }

    #[test]
    fn what_tests_comments_and_a_modules_own_parts_use_is_no_circle() {
        for text in [
            "// use crate::a;",
            "/// [`f`](crate::a::f)",
            "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::a;\n}",
            "use crate::another;",
            "use super::d;",
        ] {
            check(&[("k/src/a.rs", "use crate::b::B;"), ("k/src/b/mod.rs", text), ("k/src/b/tests.rs", "use crate::a;")], &[]);
        }
        check(&[("k/src/a.rs", "use crate::b;"), ("k/src/b/a.rs", "use super::a;"), ("k/src/lib.rs", "use crate::a;")], &[]);
    }
}
