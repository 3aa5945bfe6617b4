//! The kept corpus of a target, for the tests that feed it to the target's check.

use std::path::Path;

/// Feeds every kept file of a target to its check, and names each that fails.
///
/// # Panics
/// Where one fails, or too few are there to mean anything.
pub(crate) fn check_all(target: &str, check: fn(&[u8])) {
    // Seen from a crate.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} files in {}", files.len(), folder.display());
    let fails = |file: &std::path::PathBuf| {
        let bytes = std::fs::read(file).unwrap();
        std::panic::catch_unwind(|| check(&bytes)).is_err()
    };
    files.retain(fails);
    assert!(files.is_empty(), "these fail their check, the words of it are above: {files:?}");
}
