//! Model files of a site, read once: for findings, and for the scene of its publication.

use std::collections::BTreeMap;
use std::sync::Arc;

use twin_geometry::glb;
use twin_scene::cells::{self, CellSettings};
use twin_scene::geometry::SceneModel;
use twin_scene::merge::Placed;
use twin_site::bind::AssetNodes;
use twin_site::check::{AssetState, CheckReport, check_with, too_far};
use twin_site::{Diagnostic, LoadedSite, paths};

use crate::site::Site;

/// The pieces of a scene as bytes. They refer to one another by ordinal, the position in these lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SceneBytes {
    /// The header.
    pub(crate) index: Vec<u8>,
    /// Geometry.
    pub(crate) geometry: Vec<Vec<u8>>,
    /// Images of materials.
    pub(crate) images: Vec<Vec<u8>>,
    /// Ordinals of the geometry that a first picture needs.
    pub(crate) first: Vec<u32>,
}

/// The scene of placed models: the one place where models become pieces. `None` of a site without geometry.
pub(crate) fn scene_pieces(placed: &[Placed]) -> Option<SceneBytes> {
    let compiled = cells::compile(placed, &CellSettings::default());
    let images = compiled.images.into_iter().map(|image| image.bytes).collect();
    (compiled.summary.parts > 0).then_some(SceneBytes {
        index: compiled.index,
        geometry: compiled.cells,
        images,
        first: compiled.first,
    })
}

/// The bytes of a file, or words for people.
type FileBytes = Result<Vec<u8>, String>;

/// Every model file of a site by the path that the site file uses, or why it cannot be had.
pub(crate) struct Models(BTreeMap<String, Result<Arc<SceneModel>, String>>);

impl Models {
    /// Reads the models of a site on disk. One file may be placed many times; it is read once.
    pub(crate) fn of_site(site: &Site) -> Self {
        Self::read(&site.loaded, &|path| site.read_file(path), &|path, name| site.read_beside(path, name))
    }

    /// The models of a recording, by the path that its site file uses.
    pub(crate) fn of_recording(site: &LoadedSite, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let get = |path: &str| files.get(path).cloned().ok_or_else(|| "not in the recording".to_owned());
        let beside = |path: &str, name: &str| get(&paths::join(path.rsplit_once('/').map_or("", |(folder, _)| folder), name));
        Self::read(site, &get, &beside)
    }

    fn read(site: &LoadedSite, read: &dyn Fn(&str) -> FileBytes, beside: &dyn Fn(&str, &str) -> FileBytes) -> Self {
        let load = |path: &str| {
            let bytes = read(path)?;
            let mut beside = |name: &str| beside(path, name);
            glb::load(&bytes, &mut beside, &glb::Limits::default()).map(Arc::new).map_err(|error| error.to_string())
        };
        Self(site.model_files().into_iter().map(|path| (path.to_owned(), load(path))).collect())
    }

    /// Checks a site on disk: everything against everything, its tables included.
    pub(crate) fn report(&self, site: &Site) -> CheckReport {
        let mut beside = crate::sources::judge(site);
        beside.extend(crate::assemble::unknown_plants(site));
        self.report_with(&site.loaded, beside)
    }

    /// The same with the findings of whoever read its other files.
    pub(crate) fn report_with(&self, site: &LoadedSite, mut beside: Vec<Diagnostic>) -> CheckReport {
        beside.extend(self.too_far(site));
        check_with(site, &self.states(site), beside)
    }

    /// What became of the file of each asset, in the order of the site's assets.
    fn states(&self, site: &LoadedSite) -> Vec<AssetState<'_>> {
        let missing = "it was not read";
        let state = |(at, path): (usize, &str)| match self.0.get(path) {
            Some(Ok(model)) => AssetState::of(at, model),
            Some(Err(why)) => AssetState::unreadable(why.clone()),
            None => AssetState::unreadable(missing.to_owned()),
        };
        site.assets.iter().map(|asset| asset.path.as_str()).enumerate().map(state).collect()
    }

    /// Models that could be read, where they stand, with the twin of every node; in the order of the site's assets.
    pub(crate) fn placed(&self, site: &LoadedSite) -> Vec<Placed> {
        let models: Vec<(usize, &Arc<SceneModel>)> = self.readable(site).collect();
        let nodes: Vec<AssetNodes<'_>> = models.iter().map(|(at, model)| AssetNodes::of(*at, model)).collect();
        let bound = site.bind(&nodes);
        let placed = models.iter().zip(bound.lists).filter_map(|((at, model), list)| {
            let transform = site.assets.get(*at)?.transform;
            Some(Placed { model: Arc::clone(model), transform, twins: list.twins })
        });
        placed.collect()
    }

    /// Findings about what stands too far away to be drawn.
    fn too_far(&self, site: &LoadedSite) -> Vec<Diagnostic> {
        let placed = self.readable(site).filter_map(|(at, model)| {
            let transform = site.assets.get(at)?.transform;
            Some((at, Placed { model: Arc::clone(model), transform, twins: Vec::new() }))
        });
        too_far(site, &placed.collect::<Vec<_>>())
    }

    fn readable<'a>(&'a self, site: &'a LoadedSite) -> impl Iterator<Item = (usize, &'a Arc<SceneModel>)> {
        let of = |(at, asset): (usize, &'a twin_site::ModelAsset)| Some((at, self.0.get(&asset.path)?.as_ref().ok()?));
        site.assets.iter().enumerate().filter_map(of)
    }
}
