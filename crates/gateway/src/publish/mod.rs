//! The publication of a site: what a viewer gets, compiled from what people write.
//!
//! Read in this order: [`compile`] (a site becomes manifest and pieces), `model` (what a viewer needs of the site file), `scene`
//! (models read, bound and, in one place, cut into cells), `findings` (what viewers may see of what is wrong), [`shelf`] (served),
//! [`identity`] (whether it is another site's). How it lies in a folder is in [`crate::revisions`], when it is compiled again in
//! [`crate::publisher`]. Refuses to know formats: those are `twin_publication`'s.

mod findings;
pub mod identity;
pub(crate) mod inputs;
mod model;
pub(crate) mod remembered;
pub(crate) mod running;
pub(crate) mod scene;
pub mod shelf;

use std::collections::BTreeMap;

use axum::body::Bytes;
use twin_model::Timestamp;
use twin_publication::{Manifest, PieceHash, PieceRef, PublicationError, Scene, SiteName, ViewerModel};
use twin_site::LoadedSite;
use twin_site::check::CheckReport;

use crate::revisions::Publication;
use crate::site::Site;
use scene::{Models, SceneBytes, scene_pieces};

/// A publication, and what was found while it was compiled: the same as `orrery check` finds.
pub struct Compiled {
    /// The first revision; writing it into a folder gives it its number.
    pub publication: Publication,
    /// For the people who wrote the site; the manifest holds what viewers may see of it.
    pub report: CheckReport,
}

/// Compiles a site, as its first revision and valid from `at`. The same files give the same bytes, in whatever folder they lie.
///
/// # Errors
/// Where the site is larger than a publication can be, or has something that no viewer could read.
pub fn compile(site: &Site, at: Timestamp) -> Result<Compiled, PublicationError> {
    let models = Models::of_site(site);
    let report = models.report(site);
    let publication = publication(&site.loaded, &models, &report, at)?;
    Ok(Compiled { publication, report })
}

/// The same for the site of a recording, whose files are those of the recording.
///
/// # Errors
/// As [`compile`].
pub fn compile_recording(
    site: &LoadedSite,
    files: &BTreeMap<String, Vec<u8>>,
    at: Timestamp,
) -> Result<Publication, PublicationError> {
    let models = Models::of_recording(site, files);
    let report = models.report_with(site, Vec::new());
    publication(site, &models, &report, at)
}

/// What viewers know of a site, as the bytes of its piece.
///
/// # Errors
/// Where the site is larger than a publication can be.
pub fn model_piece(site: &LoadedSite) -> Result<Vec<u8>, PublicationError> {
    model::of(site).write()
}

/// What viewers know of a site before the first sample, as they read it.
///
/// # Errors
/// As [`compile`].
pub fn viewer_model(site: &LoadedSite) -> Result<ViewerModel, PublicationError> {
    ViewerModel::read(&model_piece(site)?)
}

fn publication(site: &LoadedSite, models: &Models, report: &CheckReport, at: Timestamp) -> Result<Publication, PublicationError> {
    let mut pieces = BTreeMap::new();
    let model = model_piece(site)?;
    // Nothing is published that no viewer could read: a knob whose step is too small to be one, for example.
    ViewerModel::read(&model)?;
    let model = keep(&mut pieces, model);
    let scene = scene_pieces(&models.placed(site)).map(|scene| scene_of(&mut pieces, scene));
    let info = site.model.site();
    let manifest = Manifest {
        site: SiteName { id: info.id.clone(), name: info.name.clone() },
        revision: 1,
        valid_from: at,
        model,
        scene,
        assets: Vec::new(),
        history: None,
        live: None,
        findings: findings::public(site, &report.findings),
    };
    // What cannot be written is found here, before anything is served or touched on disk.
    manifest.write()?;
    Ok(Publication { manifest, pieces })
}

/// Keeps a piece under its name.
fn keep(pieces: &mut BTreeMap<PieceHash, Bytes>, bytes: Vec<u8>) -> PieceRef {
    let piece = PieceRef::of(&bytes);
    pieces.entry(piece.hash).or_insert_with(|| bytes.into());
    piece
}

/// The pieces of a scene under their names, in the order of their ordinals.
fn scene_of(pieces: &mut BTreeMap<PieceHash, Bytes>, scene: SceneBytes) -> Scene {
    let mut all = |list: Vec<Vec<u8>>| list.into_iter().map(|bytes| keep(pieces, bytes)).collect();
    let (geometry, images) = (all(scene.geometry), all(scene.images));
    Scene { index: keep(pieces, scene.index), geometry, images, first: scene.first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_scene_keep_their_ordinals_and_equal_ones_are_kept_once() {
        let piece = |text: &str| text.as_bytes().to_vec();
        let scene = SceneBytes {
            index: piece("index"),
            geometry: vec![piece("b"), piece("a"), piece("b"), piece("c")],
            images: vec![piece("a")],
            first: vec![1, 3],
        };
        let mut pieces = BTreeMap::new();
        let made = scene_of(&mut pieces, scene);
        let of = |text: &str| PieceRef::of(text.as_bytes());
        assert_eq!(
            made,
            Scene {
                index: of("index"),
                geometry: ["b", "a", "b", "c"].map(of).to_vec(),
                images: vec![of("a")],
                first: vec![1, 3]
            }
        );
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|(hash, bytes)| PieceHash::of(bytes) == *hash));
    }
}
