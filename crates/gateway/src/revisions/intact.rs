//! Whether a folder still lists all that it keeps: a manifest, a list or an entry of it that somebody took away would change what was
//! in force at an instant, without a word. What is left tells of it.

use std::collections::BTreeSet;
use std::path::Path;

use twin_publication::{Manifest, PublicationError, Revisions, limits};

use super::folder::{EARLIER, INPUTS, MANIFEST, REVISIONS};
use crate::GatewayError;

/// What to do about each of them.
const HELP: &str = "restore it from a backup, or move the folder away, and what was in force before is not known any more";

/// Compares what a folder says of its revisions with what it has. `listed` are those of its list.
///
/// # Errors
/// In words, where something is gone.
pub(crate) fn intact(folder: &Path, manifest: Option<&Manifest>, listed: &Revisions) -> Result<(), GatewayError> {
    let gone = |at: &str, why: String| {
        let source = PublicationError::Invalid { at: at.to_owned(), why: format!("{why}; {HELP}") };
        Err(GatewayError::Publication { path: folder.join(at), source })
    };
    let first = listed.as_slice().first().map(|first| first.number);
    let kept = kept(folder);
    let Some(manifest) = manifest else {
        // The file of inputs is written behind a manifest, earlier revisions before the one that replaces it.
        if first.is_some() || !kept.is_empty() || folder.join(INPUTS).exists() {
            return gone(MANIFEST, "the folder was published into, and the manifest in force is gone".to_owned());
        }
        return Ok(());
    };
    if manifest.revision > 1 && !folder.join(REVISIONS).exists() {
        let why = format!("the manifest is of revision {}, and the list of those before it is gone", manifest.revision);
        return gone(REVISIONS, why);
    }
    // A full list loses its oldest: what lies before its first is not missed then. The one in force may be kept already, by a compile
    // that did not come to its end.
    let known: BTreeSet<u64> = listed.as_slice().iter().map(|revision| revision.number).collect();
    let from = first.filter(|_| known.len() >= limits::REVISIONS).unwrap_or(0);
    match kept.range(from..manifest.revision).find(|number| !known.contains(number)) {
        Some(number) => {
            gone(REVISIONS, format!("revision {number} is kept, and the list of revisions does not have it any more"))
        }
        None => Ok(()),
    }
}

/// Numbers of the earlier manifests that lie in a folder.
fn kept(folder: &Path) -> BTreeSet<u64> {
    let names = std::fs::read_dir(folder.join(EARLIER)).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.to_str()?.strip_suffix(".json")?.parse().ok()).collect()
}
