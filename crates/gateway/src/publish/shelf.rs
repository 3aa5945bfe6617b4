//! A publication as it is served: packed once, found by name, and filled in while the server already runs.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use twin_publication::{PieceHash, PieceKind, PublicationError};

use super::Publication;
use crate::pack::{Coding, Packed};

/// What `/api/publication` and `/api/piece` hand out. Compiled behind the server's back: until then it is empty.
#[derive(Default)]
pub struct Shelf(OnceLock<Result<Served, String>>);

/// A publication ready to be sent.
pub struct Served {
    /// The manifest.
    pub manifest: Packed,
    pieces: BTreeMap<PieceHash, (PieceKind, Packed)>,
}

impl Served {
    /// A piece by its name, and what it is for.
    pub fn piece(&self, hash: PieceHash) -> Option<(PieceKind, &Packed)> {
        self.pieces.get(&hash).map(|(kind, content)| (*kind, content))
    }

    /// Packs everything as browsers ask for it, so that the first visitor need not wait.
    pub fn warm(&self) {
        for content in self.pieces.values().map(|(_, content)| content).chain([&self.manifest]) {
            content.best(&[Coding::Brotli]);
        }
    }
}

impl Shelf {
    /// One that is filled.
    pub fn of(compiled: Result<Publication, PublicationError>) -> Self {
        let shelf = Self::default();
        shelf.fill(compiled);
        shelf
    }

    /// Puts a publication on it, or why there is none; the first counts.
    pub fn fill(&self, compiled: Result<Publication, PublicationError>) {
        self.0.get_or_init(|| compiled.and_then(served).map_err(|error| error.to_string()));
    }

    /// What is on it; nothing while it is still compiled, words where that failed.
    pub fn get(&self) -> Option<Result<&Served, &str>> {
        self.0.get().map(|made| made.as_ref().map_err(String::as_str))
    }
}

fn served(publication: Publication) -> Result<Served, PublicationError> {
    let Publication { manifest, mut pieces } = publication;
    let named = manifest.pieces().filter_map(|(kind, piece)| {
        let bytes = pieces.remove(&piece.hash)?;
        Some((piece.hash, (kind, Packed::shared(bytes))))
    });
    Ok(Served { pieces: named.collect(), manifest: Packed::new(manifest.write()?) })
}
