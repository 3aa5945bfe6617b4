//! Where the shared data lies, and the one visible line of a test that cannot run without it.

use std::io::Write as _;
use std::path::PathBuf;

/// The folder of shared data: `ORRERY_SHARED` where set, else `shared/data` beside the repository; `None` where absent.
///
/// Prints `SKIPPED (no shared data): <test>` where absent, past the capture of the test runner, so that it is seen.
pub fn shared_data(test: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("ORRERY_SHARED") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(test);
    None
}

/// A file of the shared data by its path inside it; prints the line of [`shared_data`] where it is absent.
pub fn shared_file(test: &str, path: &str) -> Option<PathBuf> {
    let file = shared_data(test)?.join(path);
    if file.exists() {
        return Some(file);
    }
    skipped(test);
    None
}

fn skipped(test: &str) {
    // A handle is not captured, unlike the print macros. A closed stderr is no reason to fail.
    writeln!(std::io::stderr(), "SKIPPED (no shared data): {test}").unwrap_or_default();
}
