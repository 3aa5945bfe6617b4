//! The one door to files that a site names: site file, imports, models and what they name, tables.
//!
//! A site may come from somebody else. What it names is read only where it is a regular file (a pipe could hold the program up
//! for ever, a device has no end) inside the site's own folder or one that was allowed by hand, with links resolved first.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use twin_site::paths;

use crate::GatewayError;

/// Folders that a site may read from.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Where relative paths begin.
    base: PathBuf,
    /// Folders with all links resolved.
    allowed: Vec<PathBuf>,
    /// Value of `ORRERY_SHARED`: where the project's own fixtures have their data. Allowed.
    shared: Option<String>,
}

impl Folders {
    /// For a site file, and folders that were allowed by hand (`--allow-dir`). Those that are not there allow nothing.
    pub fn of_site(site_file: &Path, by_hand: &[PathBuf]) -> Self {
        let shared = std::env::var("ORRERY_SHARED").ok().filter(|folder| !folder.is_empty());
        let base = match site_file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let named = [base.clone()].into_iter().chain(by_hand.iter().cloned()).chain(shared.iter().map(PathBuf::from));
        let allowed = named.filter_map(|folder| folder.canonicalize().ok()).collect();
        Self { base, allowed, shared }
    }

    /// Where a path of the site file lies, whatever is there and whether it may be read: for messages, and for tokens, which
    /// may lie anywhere.
    pub fn place(&self, relative: &str) -> PathBuf {
        self.base.join(paths::with_shared(relative, self.shared.as_deref()))
    }

    /// Opens a file that the site names; it begins at byte 0.
    ///
    /// # Errors
    /// Words for people: not there, no regular file, or outside of the folders.
    pub fn open(&self, relative: &str) -> Result<File, String> {
        let path = self.place(relative);
        let real = path.canonicalize().map_err(|error| error.to_string())?;
        if !self.allowed.iter().any(|folder| real.starts_with(folder)) {
            // With the folder that would have to be named; the real one, since links lead there.
            let folder = real.parent().unwrap_or(&real).display().to_string();
            return Err(format!("it lies outside of the site's folder; if that is meant, start with --allow-dir {folder}"));
        }
        regular(&real)
    }

    /// Reads a file that the site names, of at most `most` bytes.
    ///
    /// # Errors
    /// As [`Self::open`], and where it is larger.
    pub fn read(&self, relative: &str, most: u64) -> Result<Vec<u8>, String> {
        read_all(self.open(relative)?, most)
    }
}

/// Opens a regular file named by a person: no pipe, no device, no folder.
///
/// # Errors
/// Words for people.
pub fn regular(path: &Path) -> Result<File, String> {
    // Before it is opened: opening a pipe waits for its other end.
    let is_file = |meta: std::io::Result<std::fs::Metadata>| match meta {
        Ok(meta) if meta.is_file() => Ok(()),
        Ok(meta) if meta.is_dir() => Err("it is a folder".to_owned()),
        Ok(_) => Err("it is no regular file; pipes and devices are not read".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    is_file(std::fs::metadata(path))?;
    let file = File::open(path).map_err(|error| error.to_string())?;
    // And what was opened: it may have been exchanged in between.
    is_file(file.metadata())?;
    Ok(file)
}

/// All bytes of a file, which has at most so many.
///
/// # Errors
/// Words for people.
pub fn read_all(file: File, most: u64) -> Result<Vec<u8>, String> {
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    if size > most {
        return Err(format!("it has {} MiB; at most {} are read", size >> 20, most >> 20));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // It may grow while it is read.
    file.take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// All bytes of a regular file, which has at most so many.
///
/// # Errors
/// With its path.
pub fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, GatewayError> {
    regular(path).and_then(|file| read_all(file, most)).map_err(|why| {
        let source = std::io::Error::other(why);
        GatewayError::Read { path: path.to_owned(), source }
    })
}

/// Brings the names in a folder to the disk: a rename is there after a power cut only then. Where folders can't be opened as files it is
/// as safe as the system makes it.
///
/// # Errors
/// Where that fails.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_regular_files_in_the_sites_folder_are_read_and_links_are_followed_first() {
        use std::os::unix::fs::symlink;
        let root = std::env::temp_dir().join(format!("orrery-files-{}", std::process::id()));
        std::fs::create_dir_all(root.join("site/models")).unwrap();
        std::fs::create_dir_all(root.join("data")).unwrap();
        std::fs::create_dir_all(root.join("site-2")).unwrap();
        for (name, text) in
            [("site/a.csv", "a"), ("site/models/b.bin", "b"), ("data/c.csv", "c"), ("site-2/d.csv", "d"), ("secret", "no")]
        {
            std::fs::write(root.join(name), text).unwrap();
        }
        symlink(root.join("secret"), root.join("site/link")).unwrap();
        symlink("a.csv", root.join("site/inner")).unwrap();
        symlink(root.join("data"), root.join("site/folder")).unwrap();
        symlink("loop", root.join("site/loop")).unwrap();
        std::process::Command::new("mkfifo").arg(root.join("site/pipe")).status().unwrap();
        let site = root.join("site/site.toml");
        let closed = Folders::of_site(&site, &[]);
        let open = Folders::of_site(&site, &[root.join("data"), root.join("nowhere")]);
        let read = |folders: &Folders, path: &str| folders.read(path, 1_000).map(|bytes| String::from_utf8(bytes).unwrap());
        for folders in [&closed, &open] {
            for (path, text) in
                [("a.csv", "a"), ("./models/../a.csv", "a"), ("models/b.bin", "b"), ("inner", "a"), ("../site/a.csv", "a")]
            {
                assert_eq!(read(folders, path).as_deref(), Ok(text), "{path}");
            }
            for (path, words) in [
                ("link", "outside of the site's folder"),
                ("../secret", "--allow-dir"),
                ("../site-2/d.csv", "outside of the site's folder"),
                ("/etc/passwd", "outside of the site's folder"),
                ("/dev/zero", "outside of the site's folder"),
                ("pipe", "no regular file"),
                ("models", "it is a folder"),
                ("gone.csv", "No such file"),
                ("loop", "symbolic links"),
                ("a.csv\0", "NUL"),
                ("http://127.0.0.1:9/x.glb", "No such file"),
            ] {
                let error = read(folders, path).unwrap_err();
                assert!(error.contains(words), "{path}: {error}");
            }
        }
        assert!(read(&closed, "../data/c.csv").is_err() && read(&closed, "folder/c.csv").is_err());
        assert_eq!(read(&open, "../data/c.csv").as_deref(), Ok("c"));
        assert_eq!(read(&open, "folder/c.csv").as_deref(), Ok("c"), "through a link into an allowed folder");
        assert!(closed.read("a.csv", 0).unwrap_err().contains("at most"));
        assert!(regular(&root.join("site/pipe")).is_err() && regular(Path::new("/dev/null")).is_err());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
