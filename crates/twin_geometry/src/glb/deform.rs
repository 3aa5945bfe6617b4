//! Meshes in the shape that their file gives them at rest: morph targets at their default weights, skins on joints that stand
//! where their nodes stand. Time does not run here; animations are not played.

use std::collections::HashMap;

use glam::{DMat3, DMat4, DVec3, Vec3};

use super::access::Fault;
use super::document::{Document, MeshRecord, PrimitiveRecord};
use super::error::GlbError;
use super::json::{self, EXPORT, Uint};
use super::primitive::Context;
use twin_scene::geometry::Node;

/// One mesh to decode: which, and in which shape.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Job {
    pub(super) mesh: usize,
    pub(super) skin: Option<usize>,
    /// Weights of the morph targets; empty where all are 0.
    pub(super) weights: Vec<f32>,
}

/// Joints must be nodes, and there must be one.
pub(super) fn check(skins: &[json::Skin], nodes: usize) -> Result<(), GlbError> {
    for (index, skin) in skins.iter().enumerate() {
        let at = || format!("/skins/{index}/joints");
        if skin.joints.is_empty() {
            return Err(GlbError::malformed(at(), "the skin has no joints", EXPORT));
        }
        if let Some(bad) = skin.joints.iter().find(|joint| joint.at() >= nodes) {
            let what = format!("joint {} does not exist; the file has {nodes} nodes", bad.0);
            return Err(GlbError::malformed(at(), what, EXPORT));
        }
    }
    Ok(())
}

/// The shape in which a node shows its mesh: `None` for a node without a mesh.
pub(super) fn shape(node: &json::Node<'_>, meshes: &[MeshRecord]) -> Option<Job> {
    let mesh = node.mesh?.at();
    let record = meshes.get(mesh)?;
    let jointed = record.primitives.iter().any(|primitive| primitive.attributes.joints.is_some());
    let morphs = record.primitives.iter().any(|primitive| !primitive.targets.is_empty());
    // Weights of the node win over those of the mesh (glTF 2.0 section 3.7.2.2).
    let weights = node.weights.as_ref().unwrap_or(&record.weights);
    let moved = morphs && weights.iter().any(|weight| *weight != 0.0);
    Some(Job {
        mesh,
        skin: node.skin.filter(|_| jointed).map(Uint::at),
        weights: if moved { weights.clone() } else { Vec::new() },
    })
}

/// Gives every shape a job and points the nodes to them. The first shape of a mesh keeps the mesh's index, so that files
/// without skins and morphs keep their numbers.
pub(super) fn jobs(nodes: &mut [Node], meshes: &[MeshRecord], shapes: Vec<Option<Job>>) -> Vec<Job> {
    let mut jobs: Vec<Job> = (0..meshes.len()).map(|mesh| Job { mesh, ..Job::default() }).collect();
    let mut taken = vec![false; meshes.len()];
    // A mesh that some node shows as it is stays as it is.
    for shape in shapes.iter().flatten().filter(|shape| shape.skin.is_none() && shape.weights.is_empty()) {
        if let Some(taken) = taken.get_mut(shape.mesh) {
            *taken = true;
        }
    }
    let mut known: HashMap<(usize, Option<usize>, Vec<u32>), usize> = HashMap::new();
    for (node, shape) in nodes.iter_mut().zip(shapes) {
        let Some(shape) = shape.filter(|shape| shape.skin.is_some() || !shape.weights.is_empty()) else { continue };
        let key = (shape.mesh, shape.skin, shape.weights.iter().map(|weight| weight.to_bits()).collect());
        let free = taken.get_mut(shape.mesh).filter(|taken| !**taken);
        let job = *known.entry(key).or_insert_with(|| match (free, jobs.get_mut(shape.mesh)) {
            (Some(taken), Some(job)) => {
                *taken = true;
                let at = shape.mesh;
                *job = shape;
                at
            }
            _ => {
                jobs.push(shape);
                jobs.len() - 1
            }
        });
        node.mesh = Some(job);
    }
    jobs
}

/// Moves the nodes with a skin to where their joints are: the transform of the node itself counts for nothing.
pub(super) fn stand(document: &mut Document) {
    if document.skins.is_empty() {
        return;
    }
    document.stands = document.nodes.iter().map(|node| node.world).collect();
    let Document { nodes, jobs, skins, stands, .. } = document;
    for node in nodes.iter_mut() {
        let job = node.mesh.and_then(|mesh| jobs.get(mesh));
        if let Some(base) = job.and_then(|job| base(job, skins, stands)) {
            node.world = DMat4::from_translation(base);
        }
    }
}

/// The first joint's place, from which the positions of a skinned mesh are counted: they are stored in 32 bits and a site
/// may lie far from its origin.
fn base(job: &Job, skins: &[json::Skin], stands: &[DMat4]) -> Option<DVec3> {
    let joint = skins.get(job.skin?)?.joints.first()?;
    Some(stands.get(joint.at())?.w_axis.truncate())
}

/// How the vertices of one primitive move.
#[derive(Debug, Default)]
pub(super) struct Deform {
    shifts: Vec<Shift>,
    joints: Vec<DMat4>,
    /// One set of attributes after the other: a vertex hangs on the joints of all of them.
    influences: Vec<Influence>,
}

/// Numbers of joints and their weights, four of each to a vertex.
type Influence = (Vec<[f32; 4]>, Vec<[f32; 4]>);

#[derive(Debug)]
struct Shift {
    weight: f32,
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
}

impl Deform {
    /// Reads what the job needs of a primitive of `vertices` positions.
    ///
    /// # Errors
    /// [`Fault::Skip`] where something of it cannot be read: nobody knows the shape then, and the primitive is not shown.
    pub(super) fn read(
        at: &str,
        record: &PrimitiveRecord,
        job: &Job,
        vertices: usize,
        context: &mut Context<'_, '_>,
    ) -> Result<Self, Fault> {
        let mut deform = Self::default();
        for (target, weight) in record.targets.iter().zip(&job.weights).filter(|(_, weight)| **weight != 0.0) {
            let positions = floats::<3>(at, target.position, vertices, context)?;
            let normals = floats::<3>(at, target.normal, vertices, context)?;
            deform.shifts.push(Shift { weight: *weight, positions, normals });
        }
        if let Some(skin) = job.skin {
            deform.joints = joints(at, job, skin, context)?;
            let sets =
                [(record.attributes.joints, record.attributes.weights), (record.attributes.joints1, record.attributes.weights1)];
            for (joints, weights) in sets {
                let pair = (floats::<4>(at, joints, vertices, context)?, floats::<4>(at, weights, vertices, context)?);
                if !pair.0.is_empty() && !pair.1.is_empty() {
                    deform.influences.push(pair);
                }
            }
            if deform.influences.is_empty() {
                return Err("it hangs on a skin but has no joints and weights".to_owned().into());
            }
            let wild = |joint: &f32| *joint as usize >= deform.joints.len();
            let used = |(joints, weights): &Influence| {
                joints.iter().flatten().zip(weights.iter().flatten()).any(|(joint, weight)| *weight != 0.0 && wild(joint))
            };
            if deform.influences.iter().any(used) {
                return Err(format!("it hangs on joints beyond the {} of its skin", deform.joints.len()).into());
            }
        }
        Ok(deform)
    }

    /// Whether nothing moves.
    pub(super) fn is_none(&self) -> bool {
        self.shifts.is_empty() && self.joints.is_empty()
    }

    /// Moves the positions.
    pub(super) fn positions(&self, positions: &mut [[f32; 3]]) {
        for shift in &self.shifts {
            add(positions, &shift.positions, shift.weight);
        }
        for (at, position) in positions.iter_mut().enumerate().filter(|_| !self.joints.is_empty()) {
            let moved = self.blend(at).transform_point3(Vec3::from(*position).as_dvec3()).as_vec3();
            *position = moved.to_array();
        }
    }

    /// Turns the normals, which are unit vectors again afterwards wherever they have a direction at all.
    pub(super) fn normals(&self, normals: &mut [[f32; 3]]) {
        for shift in &self.shifts {
            add(normals, &shift.normals, shift.weight);
        }
        for (at, normal) in normals.iter_mut().enumerate() {
            let mut turned = Vec3::from(*normal).as_dvec3();
            if !self.joints.is_empty() {
                let DMat3 { x_axis: x, y_axis: y, z_axis: z } = DMat3::from_mat4(self.blend(at));
                // Cofactors, as in merging: they exist for flattening matrices too.
                turned = y.cross(z) * turned.x + z.cross(x) * turned.y + x.cross(y) * turned.z;
            }
            *normal = turned.normalize_or_zero().as_vec3().to_array();
        }
    }

    /// The weighted sum of the joints' matrices. Weights that do not add up to 1 are scaled, as every player does; a vertex
    /// without weights follows the first joint.
    fn blend(&self, vertex: usize) -> DMat4 {
        let (mut sum, mut total) = (DMat4::ZERO, 0.0f64);
        for (joints, weights) in &self.influences {
            let (Some(joints), Some(weights)) = (joints.get(vertex), weights.get(vertex)) else { continue };
            for (joint, weight) in joints.iter().zip(weights).filter(|(_, weight)| weight.is_finite() && **weight != 0.0) {
                if let Some(matrix) = self.joints.get(*joint as usize) {
                    sum += *matrix * f64::from(*weight);
                    total += f64::from(*weight);
                }
            }
        }
        if total.abs() > 1e-9 { sum * (1.0 / total) } else { self.joints.first().copied().unwrap_or(DMat4::IDENTITY) }
    }
}

fn add(values: &mut [[f32; 3]], deltas: &[[f32; 3]], weight: f32) {
    for (value, delta) in values.iter_mut().zip(deltas) {
        *value = (Vec3::from(*value) + Vec3::from(*delta) * weight).to_array();
    }
}

/// An attribute of every vertex; empty where the file has none.
fn floats<const N: usize>(
    at: &str,
    index: Option<Uint>,
    vertices: usize,
    context: &mut Context<'_, '_>,
) -> Result<Vec<[f32; N]>, Fault> {
    let Some(index) = index else { return Ok(Vec::new()) };
    let column = context.buffers.column(context.document, index)?;
    if column.count != vertices || column.width != N {
        return Err(
            format!("accessor {} has {} values for {vertices} positions, or of another kind", index.0, column.count).into()
        );
    }
    context.account.decoded(at, (vertices as u64).saturating_mul(N as u64 * 4))?;
    Ok(column.floats(0.0))
}

/// From the mesh's space to that of the base, by joint.
fn joints(at: &str, job: &Job, skin: usize, context: &mut Context<'_, '_>) -> Result<Vec<DMat4>, Fault> {
    let document = context.document;
    let (Some(skin), Some(base)) = (document.skins.get(skin), base(job, &document.skins, &document.stands)) else {
        return Err("its skin does not exist".to_owned().into());
    };
    context.account.decoded(at, (skin.joints.len() as u64).saturating_mul(256))?;
    let inverse: Vec<[f32; 16]> = match skin.inverse_bind_matrices {
        // Without them the mesh has been brought into the joints' space already (glTF 2.0 section 3.7.3.1).
        None => vec![DMat4::IDENTITY.as_mat4().to_cols_array(); skin.joints.len()],
        Some(index) => {
            let column = context.buffers.matrices(document, index)?;
            if column.count < skin.joints.len() {
                return Err(format!("{} inverse bind matrices for {} joints", column.count, skin.joints.len()).into());
            }
            context.account.decoded(at, (column.count as u64).saturating_mul(64))?;
            column.floats(0.0)
        }
    };
    let back = DMat4::from_translation(-base);
    let each = skin.joints.iter().zip(inverse).map(|(joint, inverse)| {
        let stand = document.stands.get(joint.at()).copied().unwrap_or(DMat4::IDENTITY);
        back * stand * DMat4::from_cols_array(&inverse.map(f64::from))
    });
    let matrices: Vec<DMat4> = each.collect();
    if matrices.iter().all(DMat4::is_finite) { Ok(matrices) } else { Err("its joints have no finite place".to_owned().into()) }
}
