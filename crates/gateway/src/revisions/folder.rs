//! A publication in a folder, as any file server can hand it out: `manifest.json`, `pieces/<hash>`, and of earlier revisions
//! `revisions/<n>.json` with `revisions.json`, which lists them.
//!
//! Whoever writes holds the lock of the folder (`.lock`), so that two compiles take turns. Every file is written under another
//! name, synced and renamed, pieces before the manifest: whenever it ends, the manifest that is there is whole and so is every
//! piece that it names. Nothing is written twice, and what earlier revisions name stays.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use twin_publication::{Manifest, Revision, Revisions, limits};

use super::Publication;
use super::intact::intact;
pub use super::numbering::{Change, Since};
use crate::GatewayError;
use crate::files::{read_file, sync_folder};

/// The manifest in force.
pub const MANIFEST: &str = "manifest.json";
/// The list of earlier revisions.
pub const REVISIONS: &str = "revisions.json";
/// Folder of pieces.
pub const PIECES: &str = "pieces";
/// Folder of earlier manifests.
pub(crate) const EARLIER: &str = "revisions";
pub(crate) const LOCK: &str = ".lock";
/// Of what the manifest was made; nobody else's business, so it has a dot.
pub(crate) const INPUTS: &str = ".inputs";
/// What a file is called until it is whole.
const PARTIAL: &str = ".partial-";

/// Reads a folder: the manifest in force and every piece that it names, each compared with its name.
///
/// # Errors
/// Where something is missing, damaged or no publication.
pub fn read(folder: &Path) -> Result<Publication, GatewayError> {
    let Some((manifest, _)) = manifest_of(folder)? else {
        let source = std::io::Error::new(ErrorKind::NotFound, "there is no manifest.json; `orrery compile` makes one");
        return Err(GatewayError::Read { path: folder.join(MANIFEST), source });
    };
    let mut pieces = BTreeMap::new();
    for (_, piece) in manifest.pieces() {
        // One that is used twice is read once.
        if let Entry::Vacant(place) = pieces.entry(piece.hash) {
            place.insert(Bytes::from(super::earlier::named(folder, &piece, limits::PIECE_BYTES)?));
        }
    }
    Ok(Publication { manifest, pieces })
}

/// Every revision of a folder in ascending order, the one in force last.
///
/// # Errors
/// As [`read`], but for pieces, which are not looked at; and where a revision that is kept is not listed any more.
pub fn revisions(folder: &Path) -> Result<Revisions, GatewayError> {
    // The manifest first: whoever writes lists an earlier one before it puts the next manifest there, so that a list which is
    // read later lacks none. Where it has more, they were written in between.
    let manifest = manifest_of(folder)?;
    let mut all = listed(folder)?;
    intact(folder, manifest.as_ref().map(|(manifest, _)| manifest), &all)?;
    if let Some((manifest, bytes)) = manifest {
        let odd = |source| GatewayError::Publication { path: folder.join(REVISIONS), source };
        all.forget_from(manifest.revision);
        all.add(Revision::of(&manifest, &bytes)).map_err(odd)?;
    }
    Ok(all)
}

/// The manifest in force with its bytes; `None` where the folder has none.
pub(crate) fn manifest_of(folder: &Path) -> Result<Option<(Manifest, Vec<u8>)>, GatewayError> {
    let path = folder.join(MANIFEST);
    let Some(bytes) = read_if_there(&path, limits::MANIFEST_BYTES)? else { return Ok(None) };
    match Manifest::read(&bytes) {
        Ok(manifest) => Ok(Some((manifest, bytes))),
        Err(source) => Err(GatewayError::Publication { path, source }),
    }
}

pub(crate) fn listed(folder: &Path) -> Result<Revisions, GatewayError> {
    let path = folder.join(REVISIONS);
    let Some(bytes) = read_if_there(&path, limits::REVISIONS_BYTES)? else { return Ok(Revisions::default()) };
    Revisions::read(&bytes).map_err(|source| GatewayError::Publication { path, source })
}

pub(crate) fn read_if_there(path: &Path, most: usize) -> Result<Option<Vec<u8>>, GatewayError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => read_file(path, most as u64).map(Some),
    }
}

pub(crate) fn make(folder: &Path) -> Result<(), GatewayError> {
    fs::create_dir_all(folder).map_err(|source| GatewayError::Write { path: folder.to_owned(), source })
}

/// Writes a file so that it is there whole or not at all, also after a power cut.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), GatewayError> {
    put_whole(folder, name, bytes).and_then(|()| synced(folder))
}

pub(crate) fn synced(folder: &Path) -> Result<(), GatewayError> {
    sync_folder(folder).map_err(|source| GatewayError::Write { path: folder.to_owned(), source })
}

/// Writes a file so that it is there whole or not at all; its name is on the disk once the folder is.
pub(crate) fn put_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), GatewayError> {
    let (path, partial) = (folder.join(name), folder.join(format!("{PARTIAL}{name}")));
    put_under(&partial, bytes).and_then(|()| fs::rename(&partial, &path)).map_err(|source| {
        // What could not be finished is in nobody's way; the error says what matters.
        fs::remove_file(&partial).ok();
        GatewayError::Write { path, source }
    })
}

fn put_under(partial: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // One that a killed compile left, or a link that somebody put there, is not written through.
    match fs::remove_file(partial) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(partial)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Takes away what a killed compile left half written. Whoever calls this holds the lock: nobody is writing.
pub(crate) fn sweep(folder: &Path) {
    for folder in [folder.to_owned(), folder.join(PIECES), folder.join(EARLIER)] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(PARTIAL.as_bytes()) {
                // What can't be removed is written over, or is in nobody's way.
                fs::remove_file(entry.path()).ok();
            }
        }
    }
}

/// Waits until nobody else writes. A file system without locks goes without: renames are whole there, too.
pub(crate) fn lock(path: &PathBuf) -> Result<File, GatewayError> {
    let failed = |source| GatewayError::Write { path: path.clone(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(failed)?;
    match file.lock() {
        Err(error) if error.kind() != ErrorKind::Unsupported => Err(failed(error)),
        _ => Ok(file),
    }
}
