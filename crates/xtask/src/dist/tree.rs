//! What goes into a package: paths with their bytes and modes, in one order whatever the file system's was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// Mode of a file that everybody reads.
pub(super) const PLAIN: u32 = 0o644;
/// Mode of a program or script.
pub(super) const PROGRAM: u32 = 0o755;
/// Folders within folders that are followed; the page has one level, and a circle of links can't be there.
const DEPTH: usize = 16;

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Its content.
    pub(super) bytes: Vec<u8>,
    /// Its permissions, as of `chmod`.
    pub(super) mode: u32,
}

/// Files by their path, which has `/` between its parts and none before the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree(BTreeMap<String, File>);

impl Tree {
    /// Adds a file.
    ///
    /// # Errors
    /// Where the path would leave the package (`..`, absolute) or is taken, by a file or as a folder.
    pub(super) fn add(&mut self, path: &str, bytes: impl Into<Vec<u8>>, mode: u32) -> Result<()> {
        let good = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', '\n']);
        ensure!(path.split('/').all(good), "'{}' is no path within a package", path.escape_debug());
        let below = format!("{path}/");
        let taken = self.0.contains_key(path)
            || self.0.range(below.clone()..).next().is_some_and(|(next, _)| next.starts_with(&below))
            || folders_of(path).any(|folder| self.0.contains_key(folder));
        ensure!(!taken, "'{path}' would be in the package twice");
        self.0.insert(path.to_owned(), File { bytes: bytes.into(), mode });
        Ok(())
    }

    /// Adds a file of the disk.
    ///
    /// # Errors
    /// As [`Self::add`], and where it can't be read.
    pub(super) fn add_file(&mut self, path: &str, source: &Path, mode: u32) -> Result<()> {
        let bytes = std::fs::read(source).with_context(|| format!("can't read {}", source.display()))?;
        self.add(path, bytes, mode)
    }

    /// Adds what lies in a folder of the disk, but for hidden files and folders, which are for developers.
    ///
    /// # Errors
    /// For links, which would mean something else elsewhere, for names that are no UTF-8, and where something can't be read.
    pub(super) fn add_folder(&mut self, path: &str, source: &Path) -> Result<()> {
        self.add_level(path, source, 0)
    }

    fn add_level(&mut self, path: &str, source: &Path, depth: usize) -> Result<()> {
        ensure!(depth < DEPTH, "{} lies too deep", source.display());
        let entries = std::fs::read_dir(source).with_context(|| format!("can't read the folder {}", source.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("can't read the folder {}", source.display()))?;
            let from = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                bail!("{} has a name that is no UTF-8", from.display());
            };
            if name.starts_with('.') {
                continue;
            }
            let to = format!("{path}/{name}");
            let kind = entry.file_type().with_context(|| format!("can't look at {}", from.display()))?;
            if kind.is_dir() {
                self.add_level(&to, &from, depth + 1)?;
            } else if kind.is_file() {
                self.add_file(&to, &from, PLAIN)?;
            } else {
                bail!("{} is neither a file nor a folder", from.display());
            }
        }
        Ok(())
    }

    /// Adds all of another tree below a folder.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub(super) fn merge(&mut self, folder: &str, other: &Self) -> Result<()> {
        other.files().try_for_each(|(path, file)| self.add(&format!("{folder}/{path}"), file.bytes.clone(), file.mode))
    }

    /// Files by path, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.0.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// All folders that the files lie in, without a slash at the end, each after the one that holds it.
    pub(super) fn folders(&self) -> BTreeSet<&str> {
        self.0.keys().flat_map(|path| folders_of(path)).collect()
    }

    /// What it takes on a disk with blocks of 1 KiB, in KiB, as Debian's `Installed-Size` counts: files rounded up, a KiB a
    /// folder.
    pub(super) fn installed_size(&self) -> u64 {
        let files: u64 = self.0.values().map(|file| (file.bytes.len() as u64).div_ceil(1024)).sum();
        files + self.folders().len() as u64
    }
}

/// `a` and `a/b` of `a/b/c`.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::testkit::Folder;

    #[test]
    fn a_path_that_leaves_the_package_or_is_taken_is_refused() {
        let mut tree = Tree::default();
        tree.add("usr/bin/orrery", *b"x", PROGRAM).unwrap();
        tree.add("usr/bin/orrery-viewer", *b"y", PROGRAM).unwrap();
        for odd in [
            "",
            "/etc/passwd",
            "a//b",
            "../a",
            "a/../b",
            "a/.",
            "a\\b",
            "a\nb",
            "usr/bin/orrery",
            "usr/bin",
            "usr",
            "usr/bin/orrery/x",
        ] {
            assert!(tree.add(odd, *b"", PLAIN).is_err(), "{odd:?}");
        }
        assert_eq!(Vec::from_iter(tree.folders()), ["usr", "usr/bin"]);
        assert_eq!(tree.installed_size(), 4);
    }

    #[test]
    fn a_folder_is_taken_without_what_is_hidden_and_links_are_refused() {
        let folder = Folder::new("tree");
        folder.write("index.html", "hi");
        folder.write("sub/a.js", "1");
        folder.write(".symbols/names", "no");
        let mut tree = Tree::default();
        tree.add_folder("share/web", &folder.0).unwrap();
        assert_eq!(tree.files().map(|(path, _)| path).collect::<Vec<_>>(), ["share/web/index.html", "share/web/sub/a.js"]);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc/passwd", folder.0.join("link")).unwrap();
            assert!(Tree::default().add_folder("web", &folder.0).unwrap_err().to_string().contains("link"));
        }
        assert!(Tree::default().add_folder("web", &folder.0.join("nowhere")).is_err());
    }
}
