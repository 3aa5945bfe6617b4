//! What a folder has of any revision that it lists: its manifest, its pieces, its model. Reads, never writes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use twin_publication::{Manifest, PieceHash, PieceRef, PublicationError, Revision, ViewerModel, limits};

use super::folder::{EARLIER, MANIFEST, PIECES, put, read_if_there};
use crate::GatewayError;
use crate::files::read_file;

const GONE: &str = "and the file is gone; restore it from a backup";

/// The bytes of the manifest of a revision, compared with what the list says of it.
///
/// # Errors
/// Where it is missing, or is not what is listed.
pub fn manifest(folder: &Path, revision: &Revision) -> Result<Vec<u8>, GatewayError> {
    let path = folder.join(EARLIER).join(format!("{}.json", revision.number));
    let kept = read_if_there(&path, limits::MANIFEST_BYTES)?;
    // The one in force has no file of its own yet. One that an interrupted compile left there is not what is listed.
    let why = match kept.map(|bytes| revision.manifest.check(&bytes).map(|()| bytes)) {
        Some(Ok(bytes)) => return Ok(bytes),
        Some(Err(damaged)) => damaged,
        None => {
            let at = format!("{EARLIER}/{}.json", revision.number);
            PublicationError::Invalid { at, why: format!("it is listed, {GONE}") }
        }
    };
    let in_force = read_if_there(&folder.join(MANIFEST), limits::MANIFEST_BYTES)?;
    match in_force.filter(|bytes| revision.manifest.check(bytes).is_ok()) {
        Some(bytes) => Ok(bytes),
        None => Err(GatewayError::Publication { path, source: why }),
    }
}

/// Revisions of a list that can't be shown any more, because their manifest or a piece of it is gone, in words. Pieces are not opened.
pub(crate) fn gone(folder: &Path, all: &[Revision]) -> Vec<String> {
    let pieces = folder.join(PIECES);
    let names = std::fs::read_dir(&pieces).into_iter().flatten().flatten();
    let here: BTreeSet<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let lacks = |revision: &Revision| {
        let manifest = match read(folder, revision) {
            Ok(manifest) => manifest,
            Err(error) => return Some(format!("revision {} can't be shown: {}", revision.number, error.in_full())),
        };
        let missing = manifest.pieces().filter(|(_, piece)| !here.contains(&piece.hash.to_string())).count();
        (missing > 0).then(|| {
            let number = revision.number;
            format!("revision {number} can't be shown whole: {missing} of its pieces are gone from {}", pieces.display())
        })
    };
    all.iter().filter_map(lacks).collect()
}

/// Where a piece of that name lies, whether there is one or not.
pub fn place_of(folder: &Path, hash: PieceHash) -> PathBuf {
    folder.join(PIECES).join(hash.to_string())
}

/// A piece of at most `most` bytes, compared with its name; `None` where the folder has none such, or a larger one.
pub fn piece(folder: &Path, hash: PieceHash, most: u64) -> Option<Vec<u8>> {
    read_file(&place_of(folder, hash), most).ok().filter(|bytes| PieceHash::of(bytes) == hash)
}

/// A piece that a manifest names, of at most `most` bytes, compared with its name.
///
/// # Errors
/// Where it is missing or damaged.
pub(crate) fn named(folder: &Path, piece: &PieceRef, most: usize) -> Result<Vec<u8>, GatewayError> {
    let path = place_of(folder, piece.hash);
    let odd = |source| GatewayError::Publication { path: path.clone(), source };
    let most = usize::try_from(piece.bytes).map_or(most, |bytes| bytes.min(most));
    let Some(bytes) = read_if_there(&path, most)? else {
        let at = format!("{PIECES}/{}", piece.hash);
        return Err(odd(PublicationError::Invalid { at, why: format!("the manifest names it, {GONE}") }));
    };
    piece.check(&bytes).map_err(odd)?;
    Ok(bytes)
}

/// The name of the model of a revision.
///
/// # Errors
/// Where its manifest is missing or damaged.
pub fn model_of(folder: &Path, revision: &Revision) -> Result<PieceHash, GatewayError> {
    read(folder, revision).map(|manifest| manifest.model.hash)
}

fn read(folder: &Path, revision: &Revision) -> Result<Manifest, GatewayError> {
    let odd = |source| GatewayError::Publication { path: folder.to_owned(), source };
    Manifest::read(&manifest(folder, revision)?).map_err(odd)
}

/// A revision with everything that it names.
pub(crate) struct Whole {
    /// The bytes of its manifest.
    pub(crate) manifest: Vec<u8>,
    /// Its pieces.
    pub(crate) pieces: Vec<(PieceRef, Vec<u8>)>,
}

/// The bytes of a revision's manifest, and each of its pieces, compared with its name.
///
/// # Errors
/// Where any of it is missing or damaged.
pub(crate) fn whole(folder: &Path, revision: &Revision) -> Result<Whole, GatewayError> {
    let bytes = manifest(folder, revision)?;
    let odd = |source| GatewayError::Publication { path: folder.to_owned(), source };
    let mut pieces = Vec::new();
    for (_, piece) in Manifest::read(&bytes).map_err(odd)?.pieces() {
        pieces.push((piece, named(folder, &piece, limits::PIECE_BYTES)?));
    }
    Ok(Whole { manifest: bytes, pieces })
}

/// What viewers knew of the site while a revision was in force.
///
/// # Errors
/// Where its manifest or its model is missing, damaged, or of a version that this program does not read.
pub fn model(folder: &Path, revision: &Revision) -> Result<ViewerModel, GatewayError> {
    let piece = read(folder, revision)?.model;
    let bytes = named(folder, &piece, limits::MODEL_BYTES)?;
    ViewerModel::read(&bytes).map_err(|source| GatewayError::Publication { path: place_of(folder, piece.hash), source })
}

/// The model of the newest revision that a folder has; none where it has none, or it can't be read.
pub fn newest_model(folder: &Path) -> Option<twin_model::Model> {
    let all = super::folder::revisions(folder).ok()?;
    model(folder, all.as_slice().last()?).ok().map(|known| known.model)
}

/// The id of the site that a folder has; none where it has none, or it can't be read.
pub fn site_of(folder: &Path) -> Option<String> {
    super::folder::manifest_of(folder).ok()?.map(|(manifest, _)| manifest.site.id)
}

/// Copies what [`newest_model`] needs of a folder: series whose unit no program wrote down have those of that model.
///
/// # Errors
/// Where the disk refuses.
pub(crate) fn copy_newest_model(folder: &Path, to: &Path) -> Result<(), GatewayError> {
    let Ok(Some((manifest, bytes))) = super::folder::manifest_of(folder) else { return Ok(()) };
    let hash = manifest.model.hash;
    let Some(model) = piece(folder, hash, limits::MODEL_BYTES as u64) else { return Ok(()) };
    let pieces = to.join(PIECES);
    std::fs::create_dir_all(&pieces).map_err(|source| GatewayError::Write { path: pieces.clone(), source })?;
    put(&pieces, &hash.to_string(), &model)?;
    put(to, MANIFEST, &bytes)
}

/// Numbers of the revisions in which a signal is in another unit than this, with that unit; those that can't be read are passed over.
pub fn other_units(folder: &Path, id: &str, unit: &str) -> Vec<(u64, String)> {
    let Ok(all) = super::folder::revisions(folder) else { return Vec::new() };
    let other = |revision: &Revision| {
        let model = model(folder, revision).ok()?.model;
        let own = model.signal(model.find_signal(id)?).unit.0.clone();
        (!own.is_empty() && !twin_model::unit::alike(&own, unit)).then_some((revision.number, own))
    };
    all.as_slice().iter().filter_map(other).collect()
}
