//! What the tests of packaging share: a folder that goes away, and a machine's tool as a judge where it is there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that goes away with the test.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// An empty one.
    pub(super) fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("orrery-dist-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file and the folders that it lies in.
    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// What a program of the machine says to these arguments, in C's language. `None`, and a visible word, where it is not there;
/// fails the test where it refuses.
pub(super) fn judge(program: &str, args: &[&str], folder: &Path) -> Option<String> {
    if !crate::util::on_path(program) {
        println!("SKIPPED (no {program})");
        return None;
    }
    let output = Command::new(program).args(args).current_dir(folder).env("LC_ALL", "C").env("TZ", "UTC").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {args:?}: {out}{err}");
    Some(out.into_owned())
}
