//! Finds the shared test data, which is not part of the repository.

use std::path::{Path, PathBuf};

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
/// The folder of shared data (`ORRERY_SHARED` where set); `None`, with a visible line, where it is absent.
pub(crate) fn data(test: &str) -> Option<PathBuf> {
    let data = match std::env::var_os("ORRERY_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    if data.is_dir() {
        return Some(data);
    }
    println!("SKIPPED (no shared data): {test}");
    None
}
