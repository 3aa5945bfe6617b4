//! Which revisions of its site another gateway has, beside the one in force: those that came between two questions, and those of
//! before.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use twin_model::Timestamp;
use twin_publication::{Manifest, PieceHash, Revision, Revisions, limits, revision_at};

use super::Remote;
use crate::GatewayError;
use crate::revisions::Publication;

/// The manifest in force.
pub(super) const NOW: &str = "/api/publication";

/// What comes after a revision.
pub struct Following {
    /// The next one; the same manifest again where there is none. Without the pieces that were known before.
    pub publication: Publication,
    /// Whether others come after it.
    pub more: bool,
}

impl Remote {
    /// What is in force after a manifest that was in force before: of several changes the first that is still to be had. `known`
    /// are pieces that nobody needs again.
    ///
    /// # Errors
    /// Where an answer is missing or makes no sense.
    pub async fn following(&self, before: &Manifest, known: &BTreeSet<PieceHash>) -> Result<Following, GatewayError> {
        let (_, body) = self.get(NOW, limits::MANIFEST_BYTES as u64).await?;
        let now = Manifest::read(&body).map_err(|e| self.fail(e))?;
        // By instants: a gateway that was started again may count from 1 anew.
        let between =
            |it: &&Revision| it.valid_from > before.valid_from && it.valid_from < now.valid_from && it.number < now.revision;
        match self.revisions().await?.as_slice().iter().find(between) {
            Some(missed) => Ok(Following { publication: self.revision(missed, known).await?, more: true }),
            None => Ok(Following { publication: self.with_pieces(now, known).await?, more: false }),
        }
    }

    /// The revisions before a manifest that were in force at an instant or later.
    ///
    /// # Errors
    /// Where the answer is missing or makes no sense.
    pub async fn earlier(&self, since: Timestamp, now: &Manifest) -> Result<Vec<Revision>, GatewayError> {
        if now.valid_from <= since {
            return Ok(Vec::new());
        }
        let listed = self.revisions().await?;
        let before = |it: &&Revision| it.number < now.revision && it.valid_from < now.valid_from;
        let before: Vec<Revision> = listed.as_slice().iter().take_while(before).copied().collect();
        let first = revision_at(&before, since).map_or(0, |first| first.number);
        Ok(before.into_iter().filter(|it| it.number >= first).collect())
    }

    /// A revision as it is listed, without the pieces that are `known`.
    ///
    /// # Errors
    /// Where an answer is missing, or is something else than was listed.
    pub async fn revision(&self, listed: &Revision, known: &BTreeSet<PieceHash>) -> Result<Publication, GatewayError> {
        let (_, body) = self.get(&format!("{NOW}/{}", listed.number), limits::MANIFEST_BYTES as u64).await?;
        listed.manifest.check(&body).map_err(|e| self.fail(e))?;
        let manifest = Manifest::read(&body).map_err(|e| self.fail(e))?;
        self.with_pieces(manifest, known).await
    }

    /// A gateway of before there were revisions has no list.
    async fn revisions(&self) -> Result<Revisions, GatewayError> {
        let path = "/api/publication/revisions";
        match self.get_if_there(path, limits::REVISIONS_BYTES as u64).await? {
            Some(body) => Revisions::read(&body).map_err(|e| self.fail(e)),
            None => Ok(Revisions::default()),
        }
    }

    /// A manifest and its pieces, each compared with its name.
    pub(super) async fn with_pieces(&self, manifest: Manifest, known: &BTreeSet<PieceHash>) -> Result<Publication, GatewayError> {
        let mut pieces = BTreeMap::new();
        for (_, piece) in manifest.pieces().filter(|(_, piece)| !known.contains(&piece.hash)) {
            if let btree_map::Entry::Vacant(place) = pieces.entry(piece.hash) {
                let (_, bytes) = self.get(&format!("/api/piece/{}", piece.hash), piece.bytes).await?;
                piece.check(&bytes).map_err(|e| self.fail(e))?;
                place.insert(bytes.into());
            }
        }
        Ok(Publication { manifest, pieces })
    }
}
