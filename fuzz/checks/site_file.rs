//! What must hold of any bytes as a site file. Used by the fuzzer, and by the tests over the kept corpus.

use twin_site::LoadedSite;
use twin_site::check::check as report;

/// Findings that are bounded, in words and inside the file, and the same at every reading. Files that it imports hold the same
/// bytes, or nothing.
pub(crate) fn check(bytes: &[u8]) {
    let site = load(bytes);
    assert!(site.diagnostics.len() <= twin_site::diag::MAX_DIAGNOSTICS + 1);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    for finding in &site.diagnostics {
        assert!(finding.at.file.as_ref() != "site.toml" || finding.at.line as usize <= lines, "{finding}");
        assert!(!finding.message.is_empty());
    }
    let found = report(&site, &[]);
    assert!(found.exit_code() <= 2);
    // One in eight is read twice: an order out of a hash map would show.
    if bytes.len().is_multiple_of(8) {
        assert_eq!(load(bytes).diagnostics, site.diagnostics);
    }
}

fn load(bytes: &[u8]) -> LoadedSite {
    twin_site::load_bytes(bytes, "site.toml", &mut |path| import(path, bytes))
}

fn import(path: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    if path.ends_with("none") { Err("not here".to_owned()) } else { Ok(bytes.to_vec()) }
}
