//! Lists the parts of all placed models: which nodes draw, where, for which twin.

use glam::Mat4;
use twin_model::TwinIndex;

use super::{Part, Placed};
use crate::geometry::{Aabb, Mesh, SceneModel};

/// One [`Part`] per drawn node with triangles, by placed model, then by node. Bounds are those of the transformed box of
/// the mesh, which may be larger than the part; no pieces yet. Nodes further than a billion units away are left out.
pub fn list_parts(placed: &[Placed]) -> Vec<Part> {
    let mut parts = Vec::new();
    for (asset, placed) in (0u32..).zip(placed) {
        let twins = inherited(&placed.model, &placed.twins);
        let boxes: Vec<Aabb> = placed.model.meshes.iter().map(Mesh::bounds).collect();
        for (at, node, mesh) in placed.model.drawn() {
            let triangles = u32::try_from(mesh.triangle_count()).unwrap_or(u32::MAX);
            let world = placed.transform * node.world;
            let local = node.mesh.and_then(|mesh| boxes.get(mesh)).copied().unwrap_or(Aabb::EMPTY);
            let bounds = local.transformed(&world);
            if triangles == 0 || !drawable(&world, &bounds) {
                continue;
            }
            parts.push(Part {
                asset,
                node: u32::try_from(at).unwrap_or(u32::MAX),
                twin: twins.get(at).copied().flatten(),
                world,
                bounds,
                center: bounds.center(),
                triangles,
                pieces: Vec::new(),
                lines: Vec::new(),
            });
        }
    }
    parts
}

/// Coordinates beyond this lose all detail in 32-bit floats and would poison every bound.
const FAR: f32 = 1e9;

fn drawable(world: &Mat4, bounds: &Aabb) -> bool {
    world.is_finite() && !bounds.is_empty() && bounds.min.abs().max(bounds.max.abs()).max_element() < FAR
}

/// The twin of every node: its own, or its nearest bound ancestor's.
fn inherited(model: &SceneModel, own: &[Option<TwinIndex>]) -> Vec<Option<TwinIndex>> {
    let mut twins: Vec<Option<TwinIndex>> = (0..model.nodes.len()).map(|at| own.get(at).copied().flatten()).collect();
    let mut stack: Vec<(usize, Option<TwinIndex>)> = model.roots.iter().map(|&root| (root, None)).collect();
    while let Some((at, above)) = stack.pop() {
        let Some(twin) = twins.get_mut(at) else { continue };
        *twin = twin.or(above);
        let twin = *twin;
        if let Some(node) = model.nodes.get(at) {
            stack.extend(node.children.iter().map(|&child| (child, twin)));
        }
    }
    twins
}
