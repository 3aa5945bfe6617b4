//! The licence texts of everything that is linked, as one document: first who is in it, then each text once.
//!
//! Texts are those that the crates ship. Where a crate ships none, that is said, and SPDX's text of its licences stands in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::linked::{Crates, Linked};

/// How names of files with licences begin, in capitals.
const STARTS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
/// Endings of files that are called like that and hold something else.
const NO_TEXTS: [&str; 7] = ["rs", "toml", "json", "py", "sh", "html", "tmpl"];
/// Folders of a crate whose files are in no program.
const NOT_LINKED: [&str; 5] = ["tests", "benches", "examples", "target", ".git"];
/// Folders within folders that are searched.
const DEPTH: usize = 8;
/// A text is longer than this; shorter ones are links that an archive made into files.
const SHORTEST: usize = 60;

/// The document, and what a person should look at.
pub(super) struct Document {
    /// Its text.
    pub(super) text: String,
    /// Crates that ship no licence, as `name version (expression)`.
    pub(super) without: Vec<String>,
}

/// One text, and who is under it.
#[derive(Default)]
struct Part {
    number: usize,
    titles: BTreeSet<String>,
    holders: BTreeSet<String>,
}

/// Makes the document of what is linked and of `others`: names and texts of what is no crate, as fonts.
///
/// # Errors
/// Where a source can't be read, or neither a text nor a licence that is `allowed` can be found for a crate.
pub(super) fn document(
    version: &str,
    crates: &Crates,
    others: &[(String, String)],
    allowed: &BTreeSet<String>,
) -> Result<Document> {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    let (mut list, mut without) = (String::new(), Vec::new());
    for linked in crates.values().filter(|linked| !linked.ours) {
        let name = format!("{} {}", linked.name, linked.version);
        let licence = linked.licence.as_deref().unwrap_or("see its text");
        let mut texts = shipped(linked)?;
        let by = if linked.authors.is_empty() { String::new() } else { format!(", by {}", linked.authors.join(", ")) };
        let mut holder = name.clone();
        if texts.is_empty() {
            texts = of_spdx(linked, allowed).with_context(|| format!("{name} ships no licence"))?;
            without.push(format!("{name} ({licence})"));
            holder = format!("{name}{by}, which ships no text of its own");
        }
        let numbers = texts.into_iter().map(|text| add(&mut parts, text, &holder).to_string()).collect::<Vec<_>>().join(", ");
        let into = linked.into.iter().copied().collect::<Vec<_>>().join(", ");
        writeln!(list, "{name}: {licence} [{numbers}] in {into}").unwrap_or_default();
    }
    for (name, text) in others {
        let number = add(&mut parts, (name.clone(), text.clone()), name);
        writeln!(list, "{name} [{number}]").unwrap_or_default();
    }
    let mut text = format!(
        "Licences of what is linked into Orrery {version}: into its gateway (orrery), its page and its window (orrery-viewer).\n\
         Numbers in brackets are those of the texts below.\n\n{list}"
    );
    let mut ordered: Vec<(String, Part)> = parts.into_iter().collect();
    ordered.sort_by_key(|(_, part)| part.number);
    for (content, part) in ordered {
        let line = "-".repeat(100);
        let titles = part.titles.into_iter().collect::<Vec<_>>().join(", ");
        let holders = part.holders.into_iter().collect::<Vec<_>>().join("\n    ");
        writeln!(text, "\n{line}\n[{}] {titles}\nof  {holders}\n{line}\n\n{content}", part.number).unwrap_or_default();
    }
    Ok(Document { text, without })
}

/// The number of a text, which is new or has one already. Ends of lines and blanks there make no other text.
fn add(parts: &mut BTreeMap<String, Part>, (title, text): (String, String), holder: &str) -> usize {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    let content = lines.join("\n").trim_matches('\n').to_owned();
    let next = parts.len() + 1;
    let part = parts.entry(content).or_insert_with(|| Part { number: next, ..Part::default() });
    part.titles.insert(title);
    part.holders.insert(holder.to_owned());
    part.number
}

/// Names and texts of the licences in a crate's own folder, and of code of others that lies deeper in it, in order.
fn shipped(linked: &Linked) -> Result<Vec<(String, String)>> {
    let mut found = BTreeSet::new();
    search(&linked.folder, "", DEPTH, &mut found)
        .with_context(|| format!("the source of {} {} can't be read", linked.name, linked.version))?;
    found.extend(linked.licence_file.clone());
    let mut texts = Vec::new();
    for name in found {
        let path = linked.folder.join(&name);
        let bytes = std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.trim().len() >= SHORTEST {
            texts.push((name, text));
        }
    }
    Ok(texts)
}

/// Collects paths of files that are called like licences, and of all in folders for licences; what only tests or shows a crate
/// is not linked.
fn search(root: &Path, within: &str, depth: usize, found: &mut BTreeSet<String>) -> Result<()> {
    let folder = root.join(within);
    let for_licences = ["LICENSES", "licenses"].iter().any(|name| folder.ends_with(name));
    for entry in std::fs::read_dir(&folder).with_context(|| format!("no folder {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if within.is_empty() { name.clone() } else { format!("{within}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 && !NOT_LINKED.contains(&name.as_str()) {
            search(root, &path, depth - 1, found)?;
        } else if kind.is_file() && (for_licences || is_licence(&name)) {
            found.insert(path);
        }
    }
    Ok(())
}

fn is_licence(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    STARTS.iter().any(|start| upper.starts_with(start)) && !NO_TEXTS.contains(&ending)
}

/// SPDX's texts of those licences of an expression that may be linked.
fn of_spdx(linked: &Linked, allowed: &BTreeSet<String>) -> Result<Vec<(String, String)>> {
    let licence = linked.licence.as_deref().context("and names none")?;
    let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX)
        .map_err(|error| anyhow::anyhow!("its licence '{licence}' can't be read: {}", error.reason))?;
    let mut texts = Vec::new();
    for requirement in expression.requirements().map(|requirement| &requirement.req) {
        let name = requirement.to_string();
        let Some(id) = requirement.license.id().filter(|_| allowed.contains(name.as_str())) else { continue };
        texts.push((format!("{}, as SPDX has it", id.name), id.text().to_owned()));
        if let Some(spdx::AdditionItem::Spdx(exception)) = &requirement.addition {
            texts.push((format!("{}, as SPDX has it", exception.name), exception.text().to_owned()));
        }
    }
    if texts.is_empty() {
        bail!("no licence of '{licence}' is on the list in deny.toml");
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::testkit::Folder;

    fn linked(folder: &Folder, name: &str, licence: &str) -> ((String, String), Linked) {
        std::fs::create_dir_all(folder.0.join(name)).unwrap();
        let linked = Linked {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some(licence.to_owned()),
            licence_file: None,
            authors: vec!["Ada".to_owned()],
            folder: folder.0.join(name),
            ours: false,
            into: BTreeSet::from(["orrery"]),
            needs: BTreeSet::new(),
        };
        ((name.to_owned(), "1.0.0".to_owned()), linked)
    }

    const TEXT: &str = "Permission is granted to everybody for everything, by Ada, who wrote this in one long evening.";

    #[test]
    fn a_text_stands_once_with_everybody_who_is_under_it() {
        let folder = Folder::new("texts");
        let crates =
            Crates::from([linked(&folder, "a", "MIT"), linked(&folder, "b", "ISC"), linked(&folder, "c", "MIT OR Apache-2.0")]);
        folder.write("a/LICENSE", format!("{TEXT}  \r\n\r\n"));
        folder.write("b/license-mit.txt", TEXT);
        folder.write("b/license.rs", "fn no_text() {}".repeat(9));
        folder.write("b/LICENSES/ISC.txt", TEXT.replace("Ada", "Bob"));
        folder.write("b/src/tables/LICENSE-TABLES", TEXT.replace("Ada", "Eve"));
        folder.write("b/tests/LICENSE", TEXT.replace("Ada", "the tests"));
        folder.write("c/LICENSE", "../LICENSE");
        let others = [("Font".to_owned(), TEXT.to_owned())];
        let document = document("0.1.0", &crates, &others, &BTreeSet::from(["MIT", "ISC"].map(str::to_owned))).unwrap();
        assert_eq!(document.without, ["c 1.0.0 (MIT OR Apache-2.0)"]);
        let text = &document.text;
        assert_eq!(text.matches(TEXT).count(), 1, "{text}");
        for line in [
            "a 1.0.0: MIT [1] in orrery",
            "b 1.0.0: ISC [2, 1, 3] in orrery",
            "c 1.0.0: MIT OR Apache-2.0 [4] in orrery",
            "Font [1]",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(text.contains("[1] Font, LICENSE, license-mit.txt\nof  Font\n    a 1.0.0\n    b 1.0.0\n"), "{text}");
        assert!(
            text.contains("c 1.0.0, by Ada, which ships no text of its own")
                && text.contains("Permission is hereby granted, free of charge")
        );
        assert!(text.contains("[3] src/tables/LICENSE-TABLES") && !text.contains("the tests"), "{text}");
        assert!(!text.contains("no_text") && !text.contains("Apache License"), "MIT was chosen");
        assert!(!text.contains(&*folder.0.to_string_lossy()), "no path of this machine");
    }

    #[test]
    fn a_crate_without_any_licence_is_an_error_by_its_name() {
        let folder = Folder::new("none");
        let allowed = BTreeSet::from(["MIT".to_owned()]);
        for licence in ["GPL-3.0-only", "nonsense licence", "LicenseRef-own"] {
            let error = document("0", &Crates::from([linked(&folder, "a", licence)]), &[], &allowed).err().unwrap();
            assert!(format!("{error:#}").contains("a 1.0.0"), "{error:#}");
        }
        let (key, mut gone) = linked(&folder, "b", "MIT");
        gone.folder = folder.0.join("nowhere");
        assert!(document("0", &Crates::from([(key, gone)]), &[], &allowed).is_err());
    }
}
