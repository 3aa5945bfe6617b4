//! Looks into every file of every finished package for paths of the machine that built it.
//!
//! It reads what was written, not what was meant to be: archives are opened again, and packed files within them too. Brotli is
//! not unpacked; such a file must lie beside its plain one, which is looked into.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{ar, pack, tar};

/// Paths that must be in no package, with words for what each is.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths(Vec<(String, String)>);

impl Paths {
    /// Adds a path. One that every machine has (`/`, `/usr`, `/tmp`) tells nothing of this one and is left out.
    pub(super) fn add(&mut self, what: &str, path: &Path) {
        let Some(text) = path.to_str().map(|text| text.trim_end_matches('/')) else { return };
        let parts = path.components().filter(|part| matches!(part, std::path::Component::Normal(_))).count();
        // A short one is a word of other texts as well, but not with a slash behind it.
        let text = if parts < 2 { format!("{text}/") } else { text.to_owned() };
        let common = ["/", "/usr/", "/tmp/", "/home/", "/var/", "/opt/", "/etc/"];
        if path.is_absolute() && !common.contains(&text.as_str()) && !self.0.iter().any(|(_, known)| *known == text) {
            self.0.push((what.to_owned(), text));
        }
    }

    /// Every file of a package that holds one of the paths, one line each: where, which, how often and in what surroundings.
    ///
    /// # Errors
    /// Where the package can't be read back.
    pub(super) fn problems(&self, name: &str, package: &[u8]) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        self.look(name, package, &mut problems).with_context(|| format!("can't read {name} back"))?;
        Ok(problems)
    }

    fn look(&self, name: &str, bytes: &[u8], problems: &mut Vec<String>) -> Result<()> {
        problems.extend(self.found(name, name.as_bytes()));
        if name.ends_with(".deb") {
            return ar::read(bytes)?
                .into_iter()
                .try_for_each(|(member, content)| self.look(&format!("{name}: {member}"), content, problems));
        }
        if let Some(inner) = name.strip_suffix(".gz") {
            return self.look(inner, &pack::gunzip(bytes).with_context(|| name.to_owned())?, problems);
        }
        if !name.ends_with(".tar") {
            problems.extend(self.found(name, bytes));
            return Ok(());
        }
        let files = tar::read(bytes)?;
        let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        for (file, content) in &files {
            match file.strip_suffix(".br") {
                Some(plain) if names.contains(plain) => {}
                Some(_) => bail!("{file} is packed so that it can't be looked into, and its plain form is not beside it"),
                None => self.look(&format!("{name}: {file}"), content, problems)?,
            }
        }
        Ok(())
    }

    fn found(&self, name: &str, bytes: &[u8]) -> Vec<String> {
        let describe = |(what, path): &(String, String)| {
            let needle = path.as_bytes();
            let first = *needle.first()?;
            let starts = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(needle));
            let places = || bytes.iter().enumerate().filter(|(_, byte)| **byte == first).map(|(at, _)| at).filter(starts);
            let at = places().next()?;
            let around = bytes.get(at.saturating_sub(20)..(at + needle.len() + 60).min(bytes.len())).unwrap_or_default();
            let around = String::from_utf8_lossy(around).escape_debug().to_string();
            Some(format!("{name} holds {what} ({path}) {} times, first in \"{around}\"", places().count()))
        };
        self.0.iter().filter_map(describe).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::tree::{PLAIN, Tree};

    fn paths() -> Paths {
        let mut paths = Paths::default();
        paths.add("the home folder", Path::new("/home/builder"));
        paths.add("the workspace", Path::new("/src"));
        paths
    }

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tree = Tree::default();
        for (path, bytes) in files {
            tree.add(path, *bytes, PLAIN).unwrap();
        }
        pack::gzip(&tar::write(&tree, "./", 0).unwrap()).unwrap()
    }

    #[test]
    fn a_path_is_found_however_deep_it_is_packed_and_named_with_its_file() {
        let inner = pack::gzip(b"see /home/builder/.cargo/registry/x.rs").unwrap();
        let data = packed(&[("usr/share/doc/a.txt.gz", &inner), ("usr/bin/clean", b"/srcs and /home/builders2 are others'")]);
        let deb = ar::write(&[("debian-binary", b"2.0\n"), ("data.tar.gz", &data)], 0).unwrap();
        let problems = paths().problems("a.deb", &deb).unwrap();
        let [first, second] = &problems[..] else { panic!("{problems:?}") };
        assert!(
            first.starts_with("a.deb: data.tar: ./usr/bin/clean holds the home folder"),
            "too much rather than too little: {first}"
        );
        assert!(
            second.starts_with("a.deb: data.tar: ./usr/share/doc/a.txt holds the home folder (/home/builder) 1 times"),
            "{second}"
        );
    }

    #[test]
    fn names_of_files_are_looked_at_and_clean_packages_pass() {
        assert_eq!(paths().problems("a.tar.gz", &packed(&[("a", b"/srcs"), ("b", b"src/")])).unwrap(), Vec::<String>::new());
        assert_eq!(paths().problems("a.tar.gz", &packed(&[("home/builder/x", b"")])).unwrap().len(), 1);
        assert_eq!(paths().problems("sbom.json", b"\"/src/a\" \"/src/b\"").unwrap().len(), 1);
    }

    #[test]
    fn brotli_is_taken_only_beside_what_it_packs() {
        let paths = paths();
        assert!(paths.problems("a.tar.gz", &packed(&[("a.js", b"1"), ("a.js.br", b"?")])).unwrap().is_empty());
        assert!(paths.problems("a.tar.gz", &packed(&[("b.js", b"1"), ("a.js.br", b"?")])).is_err());
        assert!(paths.problems("a.tar.gz", b"no archive").is_err());
    }

    #[test]
    fn a_place_that_every_machine_has_tells_nothing() {
        let mut paths = Paths::default();
        for common in ["/", "/usr", "/tmp/", "relative/path"] {
            paths.add("x", Path::new(common));
        }
        assert!(paths.0.is_empty(), "{paths:?}");
        paths.add("root's home", Path::new("/root"));
        assert_eq!(paths.0[0].1, "/root/");
    }
}
