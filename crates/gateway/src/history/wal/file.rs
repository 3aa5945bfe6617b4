//! What the database file says of itself that can be checked without SQLite, together with what its log holds.

use std::fs::File;
use std::path::Path;

use super::inspect;
use super::walk::{fill, word};
use crate::GatewayError;

/// What in the header of a database file this program never writes, and SQLite takes without a word; none where all is well or
/// the file cannot be read, which others say.
pub(in super::super) fn odd_header(path: &Path) -> Option<String> {
    let mut header = [0; 100];
    let mut file = File::open(path).ok()?;
    if fill(&mut file, &mut header).ok()? < header.len() {
        return None;
    }
    // Versions for writers and readers, unused bytes of a page, three fixed fractions, format of the schema, UTF-8; the last two
    // are 0 as long as the log has all tables.
    let versions = header.get(18..20).is_some_and(|two| two.iter().all(|version| (1..=2).contains(version)));
    let fixed = header.get(20..24) == Some(&[0, 64, 32, 32]) && word(&header, 44) <= 4 && word(&header, 56) <= 1;
    (!versions || !fixed).then(|| "its header is altered".to_owned())
}

/// Checks that a database file is as long as its header says, where no log could hold what is missing.
///
/// # Errors
/// [`GatewayError::Damaged`] where it is cut short.
pub(in super::super) fn whole(path: &Path) -> Result<(), GatewayError> {
    let failed = |source| GatewayError::Read { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    let mut header = [0; 100];
    let got = fill(&mut file, &mut header).map_err(failed)?;
    if length == 0 || (got == header.len() && !header.starts_with(b"SQLite format 3\0")) {
        // Empty is new; what is no database at all SQLite says itself.
        return Ok(());
    }
    let page = match (got, u64::from(word(&header, 16) >> 16)) {
        (100, 1) => 65_536,
        (100, page) => page,
        _ => return Err(GatewayError::Damaged { path: path.to_owned(), why: format!("it is cut short after {length} bytes") }),
    };
    // The page count is only right where the two change counters agree.
    let pages = if word(&header, 24) == word(&header, 92) { u64::from(word(&header, 28)) } else { 0 };
    let log = inspect(path).map_err(failed)?.is_some_and(|log| log.frames > 0);
    if !log && length < pages * page {
        let why = format!("it is cut short: {length} bytes instead of {}", pages * page);
        return Err(GatewayError::Damaged { path: path.to_owned(), why });
    }
    Ok(())
}
