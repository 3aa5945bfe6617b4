//! A publication as it is served: compiled when it is first asked for, packed once, found by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use twin_publication::{PieceHash, PieceKind, PublicationError};

use super::Publication;
use crate::pack::{Coding, Packed};

/// Makes a publication, or says why there is none.
pub type Compile = Box<dyn FnOnce() -> Result<Publication, PublicationError> + Send>;

/// What `/api/publication` and `/api/piece` hand out. Compiling takes time and memory that a server whose visitors ask for none of it
/// need not spend: it begins with the first question, behind the server's back, and until it is done the shelf is empty.
#[derive(Default)]
pub struct Shelf {
    made: OnceLock<Result<Served, String>>,
    waiting: Mutex<Option<Compile>>,
    filled: Notify,
}

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

    /// One that will be filled by this once somebody asks.
    pub fn when_asked(compile: Compile) -> Self {
        Self { waiting: Mutex::new(Some(compile)), ..Self::default() }
    }

    /// What is to be done to fill it; the first to ask gets it, and does it.
    pub fn begin(&self) -> Option<Compile> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts a publication on it, or why there is none; the first counts.
    pub fn fill(&self, compiled: Result<Publication, PublicationError>) {
        self.made.get_or_init(|| compiled.and_then(served).map_err(|error| error.to_string()));
        self.filled.notify_waiters();
    }

    /// Waits until something is on it, at most so long.
    pub async fn wait(&self, most: Duration) {
        let mut filled = std::pin::pin!(self.filled.notified());
        // Heard from here on, also what happens before it is awaited.
        filled.as_mut().enable();
        if self.made.get().is_none() {
            // Whoever comes next sees whether it was in vain.
            tokio::time::timeout(most, filled).await.ok();
        }
    }

    /// What is on it; nothing while it is still compiled, words where that failed.
    pub fn get(&self) -> Option<Result<&Served, &str>> {
        self.made.get().map(|made| made.as_ref().map_err(String::as_str))
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
