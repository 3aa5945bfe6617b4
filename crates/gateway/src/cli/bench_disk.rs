//! Where the databases of `orrery bench` lie: on a disk, as those of users do; where they can't, the figures say so.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// File systems that keep nothing: what is written and synced there is as fast as memory.
const IN_MEMORY: [&str; 3] = ["tmpfs", "ramfs", "devtmpfs"];

/// The folder that a benchmark writes below.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Disk {
    path: PathBuf,
    /// As the system names it, for example `ext4`; none where it does not say.
    file_system: Option<String>,
    /// It is one that keeps nothing.
    in_memory: bool,
}

impl Disk {
    /// `wish`, else the folder for temporary things, else, where that is in memory, the current folder.
    ///
    /// # Errors
    /// The folder is none or can't be written to.
    pub(super) fn choose(wish: Option<&Path>) -> Result<Self> {
        let disk = match wish {
            Some(wish) => Self::at(wish),
            None => [std::env::temp_dir(), PathBuf::from(".")]
                .iter()
                .filter_map(|path| Self::at(path).ok())
                .min_by_key(|disk| disk.in_memory)
                .context("no folder for the databases of the run"),
        }?;
        let made = disk.folder("try")?;
        drop(made);
        Ok(disk)
    }

    fn at(path: &Path) -> Result<Self> {
        let path = path.canonicalize().with_context(|| format!("can't use {} for the databases of the run", path.display()))?;
        let file_system = file_system(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(), &path);
        let in_memory = file_system.as_deref().is_some_and(|kind| IN_MEMORY.contains(&kind));
        Ok(Self { path, file_system, in_memory })
    }

    /// An empty folder for one run, gone after it.
    ///
    /// # Errors
    /// It can't be made.
    pub(super) fn folder(&self, name: &str) -> Result<Folder> {
        let path = self.path.join(format!(".orrery-bench-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("can't write to {}", self.path.display()))?;
        Ok(Folder(path))
    }

    /// For people, under the figures.
    pub(super) fn words(&self) -> String {
        let (path, kind) = (self.path.display(), self.file_system.as_deref().unwrap_or("unknown file system"));
        if self.in_memory {
            format!(
                "The databases were in {path} ({kind}), which is MEMORY: figures of the way to the disk say nothing. Name a folder on a disk with --data."
            )
        } else {
            format!("The databases were in {path} ({kind}).")
        }
    }
}

/// A folder that goes with the run.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is a file that says by its name what it was.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// The kind of file system that a path lies on, by the table of mounts that Linux keeps (proc_pid_mountinfo(5)): the one with the longest mount point
/// above the path, of equals the last.
fn file_system(mounts: &str, path: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        // Blanks in names are written as octal numbers.
        let point = PathBuf::from(before.split(' ').nth(4)?.replace("\\040", " "));
        path.starts_with(&point).then(|| (point.components().count(), after.split(' ').next().unwrap_or_default().to_owned()))
    };
    mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_above_a_path_tells_whether_it_is_a_disk() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n\
                      30 22 0:25 / /tmp rw,nosuid - tmpfs tmpfs rw\n\
                      31 30 254:1 / /tmp/my\\040disk rw - xfs /dev/vdb rw\n\
                      32 22 0:26 / /tmp2 rw shared:4 - tmpfs tmpfs rw\n";
        for (path, kind) in
            [("/", "ext4"), ("/home/x", "ext4"), ("/tmp", "tmpfs"), ("/tmp/a", "tmpfs"), ("/tmp/my disk/a", "xfs")]
        {
            assert_eq!(file_system(mounts, Path::new(path)).as_deref(), Some(kind), "{path}");
        }
        assert_eq!(file_system("", Path::new("/")), None, "no such table: nothing is claimed");
    }

    #[test]
    fn a_folder_is_made_and_goes_and_one_that_is_none_is_refused() {
        let disk = Disk::choose(Some(&std::env::temp_dir())).unwrap();
        let folder = disk.folder("test").unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
        let error = Disk::choose(Some(Path::new("/nowhere/at all"))).unwrap_err();
        assert!(format!("{error:#}").contains("can't use /nowhere/at all"), "{error:#}");
    }
}
