//! Whoever writes a folder of a publication: locked, pieces before the manifest that names them, and taken away only when asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use twin_model::Timestamp;
use twin_publication::{Manifest, PieceHash, PieceRef, PublicationError, Revisions};

use super::Publication;
use super::earlier::{self, Whole};
use super::folder::{
    EARLIER, LOCK, MANIFEST, PIECES, REVISIONS, listed, lock, make, manifest_of, put, put_whole, revisions, sweep, synced,
};
use super::intact::intact;
use super::numbering::{Change, Since, follow};
use crate::GatewayError;
use crate::files::read_file;

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// What changed.
    pub change: Change,
    /// The manifest that is in force now.
    pub manifest: Manifest,
    /// Pieces that were not there before.
    pub pieces: Vec<PieceRef>,
    /// Revisions that were to be copied and could not, in words.
    pub left_out: Vec<String>,
}

/// Writes a publication into a folder, which is made where there is none, as the revision after what is there; as the same one
/// where the plant has not changed.
///
/// # Errors
/// Where the folder can't be read or written, holds another site, or the instant is not after the revision before.
pub fn write(folder: &Path, publication: Publication, since: Since) -> Result<Written, GatewayError> {
    Target::open(folder)?.write(publication, None, since)
}

/// A folder that nobody else writes meanwhile.
pub(crate) struct Target {
    folder: PathBuf,
    _lock: File,
}

impl Target {
    /// Makes the folder where there is none, and waits until nobody else writes it.
    ///
    /// # Errors
    /// Where it can't be made or locked.
    pub(crate) fn open(folder: &Path) -> Result<Self, GatewayError> {
        make(folder)?;
        let lock = lock(&folder.join(LOCK))?;
        sweep(folder);
        make(&folder.join(PIECES))?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Lists earlier revisions also where there are none yet: a server of files has no better word for that than an error.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(crate) fn list_revisions(&self) -> Result<(), GatewayError> {
        if self.folder.join(REVISIONS).exists() {
            return Ok(());
        }
        let odd = |source| GatewayError::Publication { path: self.folder.clone(), source };
        put(&self.folder, REVISIONS, &Revisions::default().write().map_err(odd)?)
    }

    /// Puts a piece there, unless it is; true where it was not. Its name is on the disk for good with the next [`Self::write`].
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(crate) fn piece(&self, piece: PieceRef, bytes: &[u8]) -> Result<bool, GatewayError> {
        let folder = self.folder.join(PIECES);
        let name = piece.hash.to_string();
        if read_file(&folder.join(&name), piece.bytes).is_ok_and(|bytes| piece.check(&bytes).is_ok()) {
            return Ok(false);
        }
        put_whole(&folder, &name, bytes).map(|()| true)
    }

    /// Keeps the manifest of a revision that is not in force any more; whoever calls this lists it.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(crate) fn earlier(&self, number: u64, manifest: &[u8]) -> Result<(), GatewayError> {
        let folder = self.folder.join(EARLIER);
        make(&folder)?;
        put(&folder, &format!("{number}.json"), manifest)
    }

    /// As [`write`]; with `numbered_by` as the revision after what that other folder has, whose revisions are copied first.
    ///
    /// # Errors
    /// As [`write`], and where the other folder can't be read.
    pub(crate) fn write(
        &self,
        publication: Publication,
        numbered_by: Option<&Path>,
        since: Since,
    ) -> Result<Written, GatewayError> {
        let folder = &self.folder;
        let odd = |source| GatewayError::Publication { path: folder.clone(), source };
        let Publication { mut manifest, pieces } = publication;
        let own = manifest_of(folder)?;
        let before = match numbered_by {
            Some(other) => manifest_of(other)?,
            None => own.clone(),
        };
        let mut earlier = listed(numbered_by.unwrap_or(folder))?;
        // What is not all there is not gone on with: the next number would stand for two revisions.
        intact(numbered_by.unwrap_or(folder), before.as_ref().map(|(before, _)| before), &earlier)?;
        for (path, (old, _)) in [(folder.as_path(), &own), (numbered_by.unwrap_or(folder), &before)]
            .into_iter()
            .filter_map(|(path, found)| Some((path, found.as_ref()?)))
        {
            same_site(path, old, &manifest)?;
        }
        let known = before.as_ref().map(|(old, bytes)| (old, &bytes[..]));
        let change = follow(&mut manifest, known, &mut earlier, since).map_err(odd)?;
        let bytes = manifest.write().map_err(odd)?;
        let pieces = self.pieces(&manifest, &pieces)?;
        earlier.forget_from(manifest.revision);
        let mut left_out = Vec::new();
        match numbered_by {
            Some(other) => {
                left_out = self.copy(other, &mut earlier)?;
                put(folder, REVISIONS, &earlier.write().map_err(odd)?)?;
            }
            None => {
                if let (Change::Revision, Some((old, old_bytes))) = (change, &before) {
                    self.earlier(old.revision, old_bytes)?;
                    put(folder, REVISIONS, &earlier.write().map_err(odd)?)?;
                }
            }
        }
        if own.is_none_or(|(_, own)| own != bytes) {
            put(folder, MANIFEST, &bytes)?;
        }
        Ok(Written { change, manifest, pieces, left_out })
    }

    /// Takes pieces away that no manifest of the folder names, nor `more`, and that were written before `before`. Answers how many.
    ///
    /// # Errors
    /// Where a manifest can't be read: then nothing is taken away.
    pub(crate) fn prune(&self, more: BTreeSet<PieceHash>, before: Timestamp) -> Result<usize, GatewayError> {
        let mut named = more;
        let odd = |source| GatewayError::Publication { path: self.folder.clone(), source };
        for revision in revisions(&self.folder)?.as_slice() {
            let manifest = Manifest::read(&earlier::manifest(&self.folder, revision)?).map_err(odd)?;
            named.extend(manifest.pieces().map(|(_, piece)| piece.hash));
        }
        let folder = self.folder.join(PIECES);
        let read = |source| GatewayError::Read { path: folder.clone(), source };
        let mut gone = 0;
        for entry in fs::read_dir(&folder).map_err(read)? {
            let entry = entry.map_err(read)?;
            let Some(hash) = entry.file_name().to_str().and_then(|name| name.parse::<PieceHash>().ok()) else { continue };
            let old = entry.metadata().and_then(|data| data.modified()).is_ok_and(|written| instant(written) < before);
            if old && !named.contains(&hash) {
                let failed = |source| GatewayError::Write { path: entry.path(), source };
                fs::remove_file(entry.path()).map_err(failed)?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Copies revisions of another folder, manifests and pieces. One that can't be had there leaves the list; answers why.
    fn copy(&self, other: &Path, revisions: &mut Revisions) -> Result<Vec<String>, GatewayError> {
        let mut left_out = Vec::new();
        for revision in revisions.clone().as_slice() {
            match earlier::whole(other, revision) {
                Ok(Whole { manifest, pieces }) => {
                    for (piece, bytes) in pieces {
                        self.piece(piece, &bytes)?;
                    }
                    synced(&self.folder.join(PIECES))?;
                    self.earlier(revision.number, &manifest)?;
                }
                Err(error) => {
                    revisions.forget(revision.number);
                    left_out.push(format!("revision {} can't be had and is left out: {error}", revision.number));
                }
            }
        }
        Ok(left_out)
    }

    /// Writes the pieces of a manifest that are not there yet, or not as they should be.
    fn pieces(&self, manifest: &Manifest, pieces: &BTreeMap<PieceHash, Bytes>) -> Result<Vec<PieceRef>, GatewayError> {
        let mut written = Vec::new();
        let mut seen = BTreeSet::new();
        for (_, piece) in manifest.pieces().filter(|(_, piece)| seen.insert(piece.hash)) {
            if let Some(bytes) = pieces.get(&piece.hash)
                && self.piece(piece, bytes)?
            {
                written.push(piece);
            }
        }
        // Once for all of them, before a manifest names them; also of those that a compile before this one did not come to.
        synced(&self.folder.join(PIECES))?;
        Ok(written)
    }
}

fn instant(of: SystemTime) -> Timestamp {
    let since = of.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    Timestamp::from_micros(i64::try_from(since).unwrap_or(i64::MAX))
}

fn same_site(folder: &Path, old: &Manifest, new: &Manifest) -> Result<(), GatewayError> {
    if old.site.id == new.site.id {
        return Ok(());
    }
    let why = format!(
        "it holds the site '{}', and this one is '{}'; name another folder, or move that one away",
        old.site.id, new.site.id
    );
    let source = PublicationError::Invalid { at: MANIFEST.to_owned(), why };
    Err(GatewayError::Publication { path: folder.to_owned(), source })
}
