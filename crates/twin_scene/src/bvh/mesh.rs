//! The triangles of one mesh under a tree, in the mesh's own space.

use glam::{DMat4, Vec3};

use super::ray::{Ray, ray_triangle};
use super::tree::{Tree, TreeBuilder};
use crate::geometry::{Aabb, Mesh};

/// A mesh that can be asked where a ray meets it. Holds its own copy of the corners: 40 bytes per triangle and a tree of
/// about 16 more, so that the model may be dropped.
#[derive(Debug, Default)]
pub struct MeshBvh {
    tree: Tree,
    /// In leaf order.
    triangles: Vec<[Vec3; 3]>,
}

/// A [`MeshBvh`] being built.
#[derive(Debug)]
pub struct MeshBuilder {
    tree: TreeBuilder,
    triangles: Vec<[Vec3; 3]>,
}

/// Where a ray meets a mesh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalHit {
    /// Along the ray, in units of its direction.
    pub t: f32,
    /// Triangle of the mesh: primitives in order, triangles in order.
    pub triangle: u32,
    /// Its corners.
    pub corners: [Vec3; 3],
}

impl MeshBuilder {
    /// Prepares to build; with a transform, the corners are moved by it first.
    pub fn new(mesh: &Mesh, transform: Option<&DMat4>) -> Self {
        let mut triangles: Vec<[Vec3; 3]> = Vec::with_capacity(mesh.triangle_count());
        for primitive in &mesh.primitives {
            let corners = (0..primitive.triangle_count()).map(|at| primitive.triangle(at).unwrap_or_default());
            triangles.extend(corners.map(|corners| corners.map(Vec3::from)));
        }
        if let Some(transform) = transform {
            triangles.iter_mut().flatten().for_each(|corner| *corner = transform.transform_point3(corner.as_dvec3()).as_vec3());
        }
        let boxes = triangles.iter().map(|corners| Aabb::of_points(corners.iter().copied()));
        Self { tree: TreeBuilder::new(boxes), triangles }
    }

    /// Sorts about `budget` entries; true when finished.
    pub fn step(&mut self, budget: usize) -> bool {
        self.tree.step(budget)
    }

    /// The finished tree; does what is left.
    pub fn finish(self) -> MeshBvh {
        let tree = self.tree.finish();
        let in_order = tree.order().iter().map(|&at| self.triangles.get(at as usize).copied().unwrap_or_default());
        MeshBvh { triangles: in_order.collect(), tree }
    }
}

impl MeshBvh {
    /// Builds in one go.
    pub fn build(mesh: &Mesh) -> Self {
        MeshBuilder::new(mesh, None).finish()
    }

    /// The nearest triangle on the ray, seen from either side; of two at the same distance, the one with the lower number.
    pub fn raycast(&self, ray: &Ray) -> Option<LocalHit> {
        let mut ray = *ray;
        let mut best: Option<LocalHit> = None;
        let start = ray;
        self.tree.along(&start, &mut |range| {
            let numbers = self.tree.order().get(range.clone()).unwrap_or_default();
            for (corners, &triangle) in self.triangles.get(range).unwrap_or_default().iter().zip(numbers) {
                // The next float above, so that a triangle at the same distance is still seen and the tie can be broken.
                let probe = ray.up_to(ray.max_t.next_up());
                let Some(t) = ray_triangle(&probe, corners).filter(|&t| t < start.max_t) else { continue };
                if best.is_none_or(|best| (t, triangle) < (best.t, best.triangle)) {
                    best = Some(LocalHit { t, triangle, corners: *corners });
                    ray.max_t = t;
                }
            }
            // Boxes that begin exactly at the hit are still entered: they may hold the tie.
            ray.max_t.next_up()
        });
        best
    }

    /// Bounds of all triangles.
    pub fn bounds(&self) -> Aabb {
        self.tree.bounds()
    }

    /// Number of triangles.
    pub fn len(&self) -> usize {
        self.triangles.len()
    }

    /// Whether there is no triangle.
    pub fn is_empty(&self) -> bool {
        self.triangles.is_empty()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.tree.bytes() + self.triangles.len() * size_of::<[Vec3; 3]>()
    }
}
