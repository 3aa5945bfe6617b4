//! All parts of a site under one tree, each with the tree of its mesh.

use std::collections::BTreeMap;
use std::sync::Arc;

use glam::{DMat3, DMat4, Mat3, Vec3, Vec4};

use super::mesh::{LocalHit, MeshBuilder, MeshBvh};
use super::ray::Ray;
use super::tree::{MARGIN, Tree};
use crate::geometry::face_normal;
use crate::geometry::{Aabb, Mesh, SceneModel};
use crate::merge::{Part, PartIndex, Placed};

/// What a ray met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Along the ray, in units of its direction.
    pub t: f32,
    /// The part.
    pub part: PartIndex,
    /// Triangle in the part's own order: primitives in file order, triangles in file order.
    pub triangle: u32,
    /// Where, in the space of the plan.
    pub point: Vec3,
    /// Unit normal of the triangle, turned towards the ray's origin.
    pub normal: Vec3,
}

/// How many of its own radii a mesh may lie from its origin before rays are tested where it stands instead: from there on
/// a 32-bit float knows less than a hundred-thousandth of its size.
const LOCAL_REACH: f32 = 1_000.0;

/// Finds parts by ray, box or view frustum.
#[derive(Debug, Default)]
pub struct SceneBvh {
    tree: Tree,
    instances: Vec<Instance>,
    shapes: Vec<Shape>,
    /// Shapes before this are built.
    built: usize,
    building: Option<MeshBuilder>,
    done: u64,
    total: u64,
}

/// One part: where its shape stands.
#[derive(Debug)]
struct Instance {
    bounds: Aabb,
    /// A little larger, for rays along its faces.
    grown: Aabb,
    shape: usize,
    /// `None` where the shape is in the plan's space already.
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    inverse: DMat4,
    /// Turns normals of the shape into the plan's space.
    normal: Mat3,
}

#[derive(Debug)]
enum Shape {
    Waiting { model: Arc<SceneModel>, mesh: usize, moved: Option<DMat4> },
    Built(MeshBvh),
}

impl SceneBvh {
    /// Builds the tree over the parts; the trees of the meshes follow in [`SceneBvh::step`] or when a ray needs them.
    ///
    /// `parts` are those of the merge plan made from the same `placed`. Keeps the models until all meshes are built.
    pub fn new(placed: &[Placed], parts: &[Part]) -> Self {
        let mut scene = Self { tree: Tree::build(parts.iter().map(|part| part.bounds)), ..Self::default() };
        let mut known: BTreeMap<(*const SceneModel, usize), usize> = BTreeMap::new();
        for part in parts {
            let instance = scene.instance(placed, part, &mut known);
            scene.instances.push(instance);
        }
        scene.total = scene.shapes.iter().map(|shape| shape.mesh().map_or(0, Mesh::triangle_count) as u64).sum();
        scene
    }

    fn instance(&mut self, placed: &[Placed], part: &Part, known: &mut BTreeMap<(*const SceneModel, usize), usize>) -> Instance {
        let found = placed.get(part.asset as usize).and_then(|placed| {
            let mesh = placed.model.nodes.get(part.node as usize)?.mesh?;
            Some((&placed.model, mesh))
        });
        let Some((model, mesh)) = found else {
            return Instance { bounds: Aabb::EMPTY, grown: Aabb::EMPTY, shape: usize::MAX, place: None };
        };
        let inverse = part.world.inverse();
        // A node may flatten its mesh (scale 0 on one axis); no ray can be taken back through that.
        // A mesh far from its own origin, which its node moves back, has no digits left for a ray there.
        let local = model.meshes.get(mesh).map_or(Aabb::EMPTY, Mesh::bounds);
        let near = local.reach() <= LOCAL_REACH * local.radius();
        let sound = near && inverse.is_finite() && (part.world * inverse).abs_diff_eq(DMat4::IDENTITY, 1e-2);
        let next = self.shapes.len();
        let shape = if sound { *known.entry((Arc::as_ptr(model), mesh)).or_insert(next) } else { next };
        if shape == next {
            let moved = if sound { None } else { Some(part.world) };
            self.shapes.push(Shape::Waiting { model: Arc::clone(model), mesh, moved });
        }
        let normal = DMat3::from_mat4(inverse).transpose().as_mat3();
        let grown = part.bounds.grown(self.tree.bounds().reach() * MARGIN);
        Instance { bounds: part.bounds, grown, shape, place: sound.then_some(Place { inverse, normal }) }
    }

    /// Builds trees of meshes until about `budget` triangles have been sorted once; true when all are built.
    pub fn step(&mut self, budget: usize) -> bool {
        let mut left = budget.max(1);
        while left > 0 && self.built < self.shapes.len() {
            left = self.step_shape(left);
        }
        self.built == self.shapes.len()
    }

    /// Part built, in triangles: done and total.
    pub fn progress(&self) -> (u64, u64) {
        (self.done, self.total)
    }

    /// Works on the next shape; returns what is left of the budget.
    fn step_shape(&mut self, budget: usize) -> usize {
        let Some(shape) = self.shapes.get_mut(self.built) else { return 0 };
        let (model, mesh, moved) = match shape {
            Shape::Waiting { model, mesh, moved } => (model, *mesh, moved),
            Shape::Built(mesh) => {
                // A ray has built it already, perhaps while it was being built here.
                self.building = None;
                self.built += 1;
                self.done += mesh.len() as u64;
                return budget;
            }
        };
        let Some(mesh) = model.meshes.get(mesh) else {
            *shape = Shape::Built(MeshBvh::default());
            return budget;
        };
        let size = mesh.triangle_count();
        let builder = self.building.get_or_insert_with(|| MeshBuilder::new(mesh, moved.as_ref()));
        if !builder.step(budget.saturating_mul(8)) {
            return 0;
        }
        if let Some(builder) = self.building.take() {
            *shape = Shape::Built(builder.finish());
        }
        self.built += 1;
        self.done += size as u64;
        budget.saturating_sub(size)
    }

    /// The nearest triangle of the parts that pass the filter, seen from either side; of two at the same distance, that of
    /// the part with the lower number. Builds the trees of the meshes it needs first.
    pub fn raycast(&mut self, ray: &Ray, filter: &dyn Fn(PartIndex) -> bool) -> Option<Hit> {
        let Self { tree, instances, shapes, .. } = self;
        let mut best: Option<(LocalHit, u32)> = None;
        let mut reach = *ray;
        tree.along(ray, &mut |range| {
            for &index in tree.order().get(range).unwrap_or_default() {
                let Some(instance) = instances.get(index as usize) else { continue };
                let near = reach.up_to(reach.max_t.next_up());
                if !filter(PartIndex(index)) || near.enters(&instance.grown).is_none() {
                    continue;
                }
                let mesh = shapes.get_mut(instance.shape).and_then(Shape::built);
                let Some(hit) = mesh.and_then(|mesh| instance.meet(&near, mesh)) else { continue };
                if hit.t < ray.max_t && best.is_none_or(|(best, part)| (hit.t, index) < (best.t, part)) {
                    reach.max_t = hit.t;
                    best = Some((hit, index));
                }
            }
            reach.max_t.next_up()
        });
        let (hit, part) = best?;
        Some(Hit {
            t: hit.t,
            part: PartIndex(part),
            triangle: hit.triangle,
            point: ray.at(hit.t),
            normal: instances.get(part as usize)?.normal(&hit, ray.direction),
        })
    }

    /// Calls `visit` with every part whose bounds share a point with the box.
    pub fn in_box(&self, bounds: &Aabb, visit: &mut dyn FnMut(PartIndex)) {
        self.where_box(&|other| other.intersects(bounds), visit);
    }

    /// Calls `visit` with every part whose bounds are not wholly outside one of the planes. A plane is `(n, d)` with
    /// `n·p + d >= 0` inside. Near the corners of the frustum a few parts too many are visited.
    pub fn in_frustum(&self, planes: &[Vec4], visit: &mut dyn FnMut(PartIndex)) {
        self.where_box(&|bounds| planes.iter().all(|plane| reaches_inside(bounds, plane)), visit);
    }

    fn where_box(&self, test: &dyn Fn(&Aabb) -> bool, visit: &mut dyn FnMut(PartIndex)) {
        self.tree.where_box(test, &mut |index| {
            if self.instances.get(index as usize).is_some_and(|instance| test(&instance.bounds)) {
                visit(PartIndex(index));
            }
        });
    }

    /// Bounds of all parts, a millionth larger than they are.
    pub fn bounds(&self) -> Aabb {
        self.tree.bounds()
    }

    /// Bytes held by trees and corners, without models that are still needed.
    pub fn bytes(&self) -> usize {
        let shape = |shape: &Shape| if let Shape::Built(mesh) = shape { mesh.bytes() } else { 0 };
        self.tree.bytes()
            + self.instances.len() * size_of::<Instance>()
            + self.shapes.iter().map(|at| shape(at) + size_of::<Shape>()).sum::<usize>()
    }
}

/// The corner of the box that lies furthest along the plane's normal decides.
pub(crate) fn reaches_inside(bounds: &Aabb, plane: &Vec4) -> bool {
    let normal = plane.truncate();
    let corner = Vec3::select(normal.cmpge(Vec3::ZERO), bounds.max, bounds.min);
    normal.dot(corner) + plane.w >= 0.0
}

impl Shape {
    fn mesh(&self) -> Option<&Mesh> {
        match self {
            Self::Waiting { model, mesh, .. } => model.meshes.get(*mesh),
            Self::Built(_) => None,
        }
    }

    /// Builds the tree if nobody has yet. A build begun by [`SceneBvh::step`] is done again here; it is thrown away there.
    fn built(&mut self) -> Option<&MeshBvh> {
        if let Self::Waiting { moved, .. } = self {
            let moved = *moved;
            let built = self.mesh().map(|mesh| MeshBuilder::new(mesh, moved.as_ref()).finish());
            *self = Self::Built(built.unwrap_or_default());
        }
        match self {
            Self::Built(mesh) => Some(mesh),
            Self::Waiting { .. } => None,
        }
    }
}

impl Instance {
    /// The nearest triangle on a ray of the plan's space. `t` is the same in both spaces: the direction is not normalized.
    fn meet(&self, ray: &Ray, mesh: &MeshBvh) -> Option<LocalHit> {
        let Some(place) = &self.place else {
            return mesh.raycast(ray);
        };
        let origin = place.inverse.transform_point3(ray.origin.as_dvec3()).as_vec3();
        let direction = place.inverse.transform_vector3(ray.direction.as_dvec3()).as_vec3();
        mesh.raycast(&Ray::new(origin, direction).up_to(ray.max_t))
    }

    fn normal(&self, hit: &LocalHit, direction: Vec3) -> Vec3 {
        let [a, b, c] = hit.corners;
        let local = face_normal(a, b, c);
        let normal = self.place.as_ref().map_or(local, |place| (place.normal * local).normalize_or(Vec3::Y));
        if normal.dot(direction) > 0.0 { -normal } else { normal }
    }
}
