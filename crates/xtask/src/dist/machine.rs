//! Paths of the machine that builds: taken out of what the compiler writes, and looked for in what is shipped.

use std::path::{Path, PathBuf};

use super::scan::Paths;
use crate::util;

/// Between the flags in `CARGO_ENCODED_RUSTFLAGS`, as cargo wants it.
const BETWEEN: &str = "\u{1f}";

/// Folders of this machine: what each is, where it is, and what the compiler writes instead.
pub(super) struct Machine(Vec<(&'static str, PathBuf, &'static str)>);

impl Machine {
    /// This machine's: home, cargo's folder (registry and checkouts), the toolchain, the project and where it is built.
    pub(super) fn this() -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(".cargo")));
        let sysroot = util::output_of("rustc", &["--print", "sysroot"]).map(PathBuf::from);
        let all = [
            ("the home folder", home, "/build"),
            ("the registry of crates", cargo, "/cargo"),
            ("the toolchain", sysroot, "/rust"),
            ("the project's folder", Some(util::root()), "/orrery"),
            ("the target folder", Some(util::root().join(util::target_dir())), "/target"),
        ];
        Self::of(all.into_iter().filter_map(|(what, path, instead)| Some((what, path?, instead))))
    }

    /// These folders, and where their links lead.
    fn of(folders: impl IntoIterator<Item = (&'static str, PathBuf, &'static str)>) -> Self {
        let mut all = Vec::new();
        for (what, path, instead) in folders {
            let real = path.canonicalize().ok().filter(|real| *real != path);
            all.push((what, path, instead));
            all.extend(real.map(|real| (what, real, instead)));
        }
        Self(all)
    }

    /// `CARGO_ENCODED_RUSTFLAGS` for a build that writes none of them. Of several that fit rustc takes the last one, so the
    /// longest comes last.
    pub(super) fn flags(&self) -> String {
        let mut folders: Vec<(&Path, &str)> = self
            .0
            .iter()
            .map(|(_, path, instead)| (path.as_path(), *instead))
            .filter(|(path, _)| *path != Path::new("/"))
            .collect();
        folders.sort_by_key(|(path, _)| path.as_os_str().len());
        let flags: Vec<String> =
            folders.into_iter().map(|(path, instead)| format!("--remap-path-prefix={}={instead}", path.display())).collect();
        flags.join(BETWEEN)
    }

    /// What no package may hold.
    pub(super) fn paths(&self) -> Paths {
        let mut paths = Paths::default();
        for (what, path, _) in &self.0 {
            paths.add(what, path);
        }
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_folders_within_each_other_the_inner_one_is_named_last() {
        let machine = Machine::of([
            ("target", PathBuf::from("/home/ann/orrery/target"), "/target"),
            ("home", PathBuf::from("/home/ann"), "/build"),
            ("root", PathBuf::from("/"), "/nothing"),
            ("project", PathBuf::from("/home/ann/orrery"), "/orrery"),
        ]);
        let flags = machine.flags();
        let flags: Vec<&str> = flags.split('\u{1f}').collect();
        let wanted = ["/home/ann=/build", "/home/ann/orrery=/orrery", "/home/ann/orrery/target=/target"];
        assert_eq!(flags, wanted.map(|pair| format!("--remap-path-prefix={pair}")));
    }

    #[test]
    fn the_project_of_this_machine_is_found_in_a_package() {
        let text = format!("panicked at {}", util::root().join("src/x.rs").display());
        let problems = Machine::this().paths().problems("a.txt", text.as_bytes()).unwrap();
        assert!(problems.iter().any(|problem| problem.contains("the project's folder")), "{problems:?}");
    }
}
