//! Reads `.glb` and `.gltf` files (glTF 2.0) into [`SceneModel`](twin_scene::geometry::SceneModel). Trusts nothing in them.
//!
//! Written without a glTF library on purpose: the bounds of every byte that is read and of every vector that is allocated
//! are checked here, against [`Limits`], before it happens; trees are walked without recursion; and a primitive that
//! cannot be read costs only itself. Does no input or output: files beside the model come from the caller.
//! Start with [`load`], or with [`Loader`] where a page must keep drawing.

mod access;
mod container;
mod deform;
mod document;
mod error;
mod extensions;
mod graph;
mod image;
mod instancing;
mod json;
mod limits;
mod loader;
mod material;
mod primitive;
mod resources;
mod uri;

pub use error::GlbError;
pub use limits::Limits;
pub use loader::{Loader, Progress, Stage};

use twin_scene::geometry::SceneModel;

/// Loads a model file in one go.
///
/// `external` reads a file beside the model, named by its decoded relative path, which never leaves the model's folder.
///
/// # Errors
/// [`GlbError`] where nothing sensible can be shown; lesser faults become [`SceneModel::warnings`].
pub fn load(
    bytes: &[u8],
    external: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    limits: &Limits,
) -> Result<SceneModel, GlbError> {
    let mut loader = Loader::new(bytes, limits.clone())?;
    loader.step(1)?;
    for path in loader.missing() {
        let file = external(&path);
        loader.provide(&path, file);
    }
    loader.finish()
}
