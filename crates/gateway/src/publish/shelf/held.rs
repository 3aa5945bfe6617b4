//! Manifests and pieces of earlier revisions, read from the folder when they are asked for. The last ones are held with their
//! packed forms; large ones are sent as they are read.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use twin_publication::{PieceHash, PieceKind, Revision};

use crate::folder_file::{FolderFile, Known};
use crate::pack::Packed;
use crate::revisions::earlier;

/// Bytes of earlier pieces that are held, before they are packed; then the one that was asked for longest ago goes.
const HELD_BYTES: usize = 64 << 20;
/// A larger piece is not held.
const LARGEST: u64 = 8 << 20;

/// A piece that can be sent.
pub enum Piece {
    /// In memory; what it is for, where that is known.
    Held(Option<PieceKind>, Arc<Packed>),
    /// In a file.
    File(Arc<FolderFile>),
}

/// See the module's head. The last one that was asked for is last.
#[derive(Default)]
pub(super) struct Held(Mutex<VecDeque<(PieceHash, Arc<Packed>)>>);

impl Held {
    /// The manifest of a revision of a folder.
    pub(super) fn manifest(&self, folder: &Path, revision: &Revision) -> Option<Arc<Packed>> {
        let hash = revision.manifest.hash;
        self.find(hash).or_else(|| {
            let content = Arc::new(Packed::new(earlier::manifest(folder, revision).ok()?));
            self.keep(hash, &content);
            Some(content)
        })
    }

    /// A piece of a folder.
    pub(super) fn piece(&self, folder: &Path, hash: PieceHash) -> Option<Piece> {
        if let Some(content) = self.find(hash) {
            return Some(Piece::Held(None, content));
        }
        if let Some(bytes) = earlier::piece(folder, hash, LARGEST) {
            let content = Arc::new(Packed::new(bytes));
            self.keep(hash, &content);
            return Some(Piece::Held(None, content));
        }
        let file = Known::new(earlier::place_of(folder, hash)).open().ok()?;
        // A small one that is here all the same is not what it is called.
        (file.bytes() > LARGEST).then_some(Piece::File(file))
    }

    fn find(&self, hash: PieceHash) -> Option<Arc<Packed>> {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pieces.iter().position(|(known, _)| *known == hash)?;
        let found = pieces.remove(at)?;
        let content = found.1.clone();
        pieces.push_back(found);
        Some(content)
    }

    fn keep(&self, hash: PieceHash, content: &Arc<Packed>) {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pieces.iter().all(|(known, _)| *known != hash) {
            pieces.push_back((hash, content.clone()));
        }
        while pieces.iter().map(|(_, content)| content.plain().len()).sum::<usize>() > HELD_BYTES {
            pieces.pop_front();
        }
    }
}
