//! A copy of everything that a folder publishes: what was in force belongs to the history that is judged by it.

use std::path::Path;

use twin_publication::{Manifest, PublicationError, Revision, limits};

use super::earlier;
use super::folder::{MANIFEST, PIECES, REVISIONS, put, revisions, synced};
use super::target::Target;
use crate::GatewayError;

/// Copies every revision of a folder, with its pieces, into an empty folder, which is made; a gateway may be writing the first one. Answers
/// how many there are, and in words what could not be had: it stays listed, so that nobody takes what was before it for what was in force.
///
/// # Errors
/// Where the folder is damaged, or the disk refuses.
pub(crate) fn copy_all(from: &Path, to: &Path) -> Result<(u64, Vec<String>), GatewayError> {
    let all = revisions(from)?;
    let Some((now, before)) = all.as_slice().split_last() else { return Ok((0, Vec::new())) };
    let target = Target::open(to)?;
    let mut lost = Vec::new();
    for revision in before {
        match earlier::manifest(from, revision) {
            Ok(bytes) => {
                pieces(from, &target, &bytes, revision, &mut lost)?;
                target.earlier(revision.number, &bytes)?;
            }
            Err(error) => lost.push(format!("revision {} is not in the copy: {}", revision.number, error.in_full())),
        }
    }
    let bytes = earlier::manifest(from, now)?;
    pieces(from, &target, &bytes, now, &mut lost)?;
    synced(&to.join(PIECES))?;
    if !before.is_empty() {
        let mut listed = all.clone();
        listed.forget_from(now.number);
        let odd = |source: PublicationError| GatewayError::Publication { path: from.join(REVISIONS), source };
        put(to, REVISIONS, &listed.write().map_err(odd)?)?;
    }
    put(to, MANIFEST, &bytes)?;
    Ok((all.as_slice().len() as u64, lost))
}

/// Copies what a manifest names, piece by piece, each compared with its name.
fn pieces(from: &Path, target: &Target, manifest: &[u8], of: &Revision, lost: &mut Vec<String>) -> Result<(), GatewayError> {
    let odd = |source| GatewayError::Publication { path: from.to_owned(), source };
    for (_, piece) in Manifest::read(manifest).map_err(odd)?.pieces() {
        match earlier::piece(from, piece.hash, piece.bytes.min(limits::PIECE_BYTES as u64)) {
            Some(bytes) => {
                target.piece(piece, &bytes)?;
            }
            None => lost.push(format!("piece {} of revision {} is gone or damaged, and not in the copy", piece.hash, of.number)),
        }
    }
    Ok(())
}
