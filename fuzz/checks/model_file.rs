//! What must hold of any bytes as a model file. Used by the fuzzer, and by the tests over the kept corpus.

use std::sync::Arc;

use twin_geometry::glb::{self, GlbError, Limits, Loader, Stage};
use twin_scene::geometry::SceneModel;
use twin_scene::merge::{Placed, list_parts};
use twin_site::bind::AssetNodes;

/// An error, or a model that is sound and within the limits. The bytes are read as they are, and as JSON (up to the first zero) and
/// binary part of a GLB, so that the fuzzer need not keep the lengths of a container right.
pub(crate) fn check(bytes: &[u8]) {
    read(bytes);
    let json = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (json, binary) = bytes.split_at(json);
    read(&container(json, binary.get(1..).unwrap_or_default()));
}

fn limits() -> Limits {
    Limits { max_decoded_bytes: 1 << 20, max_vertices: 10_000, max_triangles: 10_000, max_nodes: 1_000, ..Limits::default() }
}

fn read(bytes: &[u8]) {
    let mut beside = |_: &str| Ok(vec![0; 64]);
    let model = glb::load(bytes, &mut beside, &limits());
    if let Ok(model) = &model {
        sound(model);
    }
    // One in eight is read in small steps too.
    if bytes.len() % 8 == 3 {
        match (model, in_steps(bytes)) {
            // Not compared whole: a NaN of the file is not equal to itself.
            (Ok(at_once), Ok(in_steps)) => assert_eq!(format!("{at_once:?}"), format!("{in_steps:?}")),
            (at_once, in_steps) => assert_eq!(at_once.is_ok(), in_steps.is_ok()),
        }
    }
}

fn in_steps(bytes: &[u8]) -> Result<SceneModel, GlbError> {
    let mut loader = Loader::new(bytes, limits())?;
    while loader.step(1)?.stage != Stage::Done {
        for path in loader.missing() {
            loader.provide(&path, Ok(vec![0; 64]));
        }
    }
    loader.finish()
}

/// Everything that one part says about another is there.
fn sound(model: &SceneModel) {
    let limits = limits();
    assert!(model.nodes.len() as u64 <= limits.max_nodes);
    for (at, node) in model.nodes.iter().enumerate() {
        assert!(node.parent.is_none_or(|parent| model.nodes.get(parent).is_some_and(|parent| parent.children.contains(&at))));
        assert!(node.children.iter().all(|child| *child < model.nodes.len()));
        assert!(node.mesh.is_none_or(|mesh| mesh < model.meshes.len()));
    }
    assert!(model.nodes.iter().all(|node| node.world.is_finite()));
    assert_eq!(model.looks().len(), model.nodes.len());
    assert_eq!(AssetNodes::of(0, model).nodes.len(), model.nodes.len());
    let placed = [Placed { model: Arc::new(model.clone()), transform: Default::default(), twins: Vec::new() }];
    let listed = list_parts(&placed);
    assert!(listed.origin.is_finite() && listed.parts.iter().all(|part| part.center.is_finite()));
    assert!(model.roots.iter().all(|root| *root < model.nodes.len()));
    assert!(model.materials.iter().all(|material| material.base_color_image.is_none_or(|image| image < model.images.len())));
    for primitive in model.meshes.iter().flat_map(|mesh| &mesh.primitives) {
        let vertices = primitive.positions.len();
        assert!(vertices as u64 <= limits.max_vertices);
        assert_eq!(primitive.normals.len(), vertices);
        assert!(primitive.indices.iter().all(|index| (*index as usize) < vertices));
        assert!(primitive.material.is_none_or(|material| material < model.materials.len()));
    }
}

fn container(json: &[u8], binary: &[u8]) -> Vec<u8> {
    let padded = |bytes: &[u8], with: u8| {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), with);
        bytes
    };
    let (json, binary) = (padded(json, b' '), padded(binary, 0));
    let word = |length: usize| (length as u32).to_le_bytes();
    let mut out = b"glTF".to_vec();
    out.extend(word(2));
    out.extend(word(12 + 8 + json.len() + 8 + binary.len()));
    for (kind, part) in [(b"JSON", json), (b"BIN\0", binary)] {
        out.extend(word(part.len()));
        out.extend(kind);
        out.extend(part);
    }
    out
}
