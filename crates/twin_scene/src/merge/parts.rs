//! Lists the parts of all placed models: which nodes draw, where, for which twin; and the origin from which places count.

use glam::{DMat4, DVec3};
use twin_model::TwinIndex;

use super::{Part, Placed};
use crate::geometry::{Aabb, Mesh, SceneModel};

/// What [`list_parts`] finds.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// One per drawn node with triangles, by placed model, then by node. Bounds are those of the transformed box of the mesh,
    /// which may be larger than the part; no pieces yet.
    pub parts: Vec<Part>,
    /// See [`MergePlan::origin`](super::MergePlan::origin).
    pub origin: DVec3,
    /// Nodes that are not drawn because no picture could hold them and the others: by placed model and node, in that order. See
    /// [`MergePlan::too_far`](super::MergePlan::too_far).
    pub too_far: Vec<(u32, u32)>,
}

/// Up to this distance from the origin (2 km) a 32-bit float knows an eighth of a millimetre, and places stay as they are.
/// At 8 km, half a millimetre, faces that touch flicker.
const NEAR: f64 = 2_048.0;
/// The origin is a multiple of this, so that a model that grows a little does not move it.
const STEP: f64 = 512.0;
/// Coordinates beyond this, counted from the origin, would poison every bound and have no detail left.
const FAR: f64 = 1e9;
/// Beyond this a 64-bit float knows no tenth of a millimetre any more: whole plants shrink to points there, and soon after nothing fits
/// into 32 bits.
const NOWHERE: f64 = 1e12;

/// A part with its box in the site's space.
struct Found {
    part: Part,
    corners: [DVec3; 2],
}

/// Lists the parts. Places are sums of what site file and model file say, made in 64 bits; nodes further than a billion units
/// from the others, or a thousand billion from where coordinates begin, are left out and named.
pub fn list_parts(placed: &[Placed]) -> Listed {
    let mut found = Vec::new();
    let mut too_far = Vec::new();
    for (asset, placed) in (0u32..).zip(placed) {
        let twins = inherited(&placed.model, &placed.twins);
        let boxes: Vec<Aabb> = placed.model.meshes.iter().map(Mesh::bounds).collect();
        for (at, node, mesh) in placed.model.drawn() {
            let triangles = u32::try_from(mesh.triangle_count()).unwrap_or(u32::MAX);
            let world = placed.transform * node.world;
            let local = node.mesh.and_then(|mesh| boxes.get(mesh)).copied().unwrap_or(Aabb::EMPTY);
            if triangles == 0 || local.is_empty() {
                continue;
            }
            let node = u32::try_from(at).unwrap_or(u32::MAX);
            let corners = local.corners_after(&world);
            let somewhere = corners.iter().all(|corner| corner.is_finite() && corner.abs().max_element() < NOWHERE);
            if !(world.is_finite() && somewhere) {
                too_far.push((asset, node));
                continue;
            }
            let part = Part {
                asset,
                node,
                twin: twins.get(at).copied().flatten(),
                world,
                bounds: Aabb::EMPTY,
                center: glam::Vec3::ZERO,
                triangles,
                pieces: Vec::new(),
                lines: Vec::new(),
            };
            found.push(Found { part, corners });
        }
    }
    let origin = origin(&found);
    let near = |corner: &DVec3| (*corner - origin).abs().max_element() < FAR;
    let (found, strays): (Vec<Found>, Vec<Found>) = found.into_iter().partition(|found| found.corners.iter().all(near));
    too_far.extend(strays.iter().map(|stray| (stray.part.asset, stray.part.node)));
    too_far.sort_unstable();
    let parts: Vec<Part> = found
        .into_iter()
        .map(|Found { mut part, corners: [min, max] }| {
            part.world = DMat4::from_translation(-origin) * part.world;
            part.bounds = Aabb { min: (min - origin).as_vec3(), max: (max - origin).as_vec3() };
            part.center = part.bounds.center();
            part
        })
        .collect();
    Listed { too_far, parts, origin }
}

/// Zero where everything is near it; else the median of the parts' middles, so that one stray node does not draw the origin
/// away from the plant.
fn origin(found: &[Found]) -> DVec3 {
    let reach = found.iter().flat_map(|found| &found.corners).map(|corner| corner.abs().max_element());
    if reach.fold(0.0, f64::max) <= NEAR {
        return DVec3::ZERO;
    }
    let mut middles: Vec<DVec3> = found.iter().map(|Found { corners: [min, max], .. }| *min * 0.5 + *max * 0.5).collect();
    let middle = middles.len() / 2;
    let mut median = |axis: usize| {
        let (_, value, _) = middles.select_nth_unstable_by(middle, |a, b| a[axis].total_cmp(&b[axis]));
        (value[axis] / STEP).round() * STEP
    };
    DVec3::new(median(0), median(1), median(2))
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
