//! A revision ready to be sent: its manifest and pieces, each packed once, and what viewers know of the site.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use twin_model::Model;
use twin_protocol::Revision as Told;
use twin_publication::{Finding, Manifest, PieceHash, PieceKind, PublicationError, ViewerModel, limits};

use crate::pack::{Coding, Packed};

/// See the module's head.
#[derive(Clone)]
pub struct Served {
    plain: Manifest,
    /// The manifest as it is listed and kept.
    pub(super) listed: Arc<Packed>,
    /// The manifest as viewers get it: with a remark of this run, where there is one.
    pub manifest: Arc<Packed>,
    /// What viewers know of the site.
    pub model: Arc<Model>,
    pub(super) pieces: BTreeMap<PieceHash, (PieceKind, Arc<Packed>)>,
}

impl Served {
    /// Pieces that `before` has, too, keep their packed forms.
    pub(super) fn new(
        plain: Manifest,
        mut pieces: BTreeMap<PieceHash, Bytes>,
        before: Option<&Self>,
    ) -> Result<Self, PublicationError> {
        let model = pieces.get(&plain.model.hash).map_or(&[][..], |bytes| bytes);
        let model = Arc::new(ViewerModel::read(model)?.model);
        let listed = Arc::new(Packed::new(plain.write()?));
        let named = plain.pieces().filter_map(|(kind, piece)| {
            let bytes = pieces.remove(&piece.hash)?;
            let known = before.and_then(|before| before.pieces.get(&piece.hash));
            let content = known.map_or_else(|| Arc::new(Packed::shared(bytes)), |(_, content)| content.clone());
            Some((piece.hash, (kind, content)))
        });
        let pieces = named.collect();
        Ok(Self { manifest: listed.clone(), listed, model, pieces, plain })
    }

    /// The same with a remark for viewers, or without the one that it had.
    pub(super) fn with(&self, remark: Option<Finding>) -> Result<Self, PublicationError> {
        let Some(finding) = remark else { return Ok(Self { manifest: self.listed.clone(), ..self.clone() }) };
        let mut manifest = self.plain.clone();
        // Behind the errors, which viewers should see first.
        let at = manifest.findings.iter().take_while(|known| known.severity == "error").count();
        manifest.findings.insert(at.min(limits::FINDINGS - 1), finding);
        manifest.findings.truncate(limits::FINDINGS);
        Ok(Self { manifest: Arc::new(Packed::new(manifest.write()?)), ..self.clone() })
    }

    /// What the manifest says, without remarks of this run.
    pub(super) fn plain(&self) -> &Manifest {
        &self.plain
    }

    /// Packs everything as browsers ask for it, so that the first visitor need not wait. Takes a second per 10 MB.
    pub fn warm(&self) {
        for content in self.pieces.values().map(|(_, content)| content).chain([&self.manifest]) {
            content.best(&[Coding::Brotli]);
        }
    }

    /// What viewers are told of it.
    pub fn told(&self) -> Told {
        Told { number: self.plain.revision, valid_from: self.plain.valid_from }
    }
}
