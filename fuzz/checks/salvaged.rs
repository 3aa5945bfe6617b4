//! What must hold of any bytes as a damaged database of history and its log. Used by the fuzzer, and by the tests over the kept
//! corpus.

use gateway::history::salvage::rows_in;

/// Bytes of the database before the log begins, by the first byte: whole pages.
const PAGE: usize = 4_096;

/// Rows and losses that are bounded by what there is, the same at a second reading. Neither panics, nor reads in a circle.
pub(crate) fn check(bytes: &[u8]) {
    let [pages, bytes @ ..] = bytes else { return };
    let (file, log) = bytes.split_at(bytes.len().min(usize::from(*pages % 8) * PAGE));
    let found = rows_in(file, log).expect("memory can be read");
    // A cell takes two bytes of its page's directory; a directory that can't be counts once.
    let most = (bytes.len() / PAGE + 2) as u64 * (PAGE as u64 / 2 + 1);
    assert!(found.0 + found.1 <= most, "{found:?} of {} bytes", bytes.len());
    assert_eq!(rows_in(file, log).expect("memory can be read"), found);
}
