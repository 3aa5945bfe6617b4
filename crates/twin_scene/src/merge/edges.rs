//! Finds the edges of a mesh that are worth drawing: outlines and creases, not the diagonals of flat faces.

use glam::Vec3;

use crate::geometry::Mesh;
use crate::geometry::face_normal;

/// Edges where the two faces differ by more than `angle` radians, and edges with one face only, as pairs of corners in
/// the mesh's space, sorted by position. Vertices at the same place count as one, whatever their normals.
pub fn feature_edges(mesh: &Mesh, angle: f32) -> Vec<[[f32; 3]; 2]> {
    edges_below(mesh, angle.cos())
}

/// The same by the cosine of the angle, which does not depend on the platform's own cosine.
pub(crate) fn edges_below(mesh: &Mesh, limit: f32) -> Vec<[[f32; 3]; 2]> {
    let welded = Welded::new(mesh);
    let mut sides: Vec<(u32, u32, u32)> = Vec::with_capacity(welded.triangles.len() * 3);
    for (face, corners) in (0u32..).zip(&welded.triangles) {
        let [a, b, c] = *corners;
        // A triangle without area has no direction and would make edges of its own.
        if a != b && b != c && c != a {
            sides.extend([(a.min(b), a.max(b), face), (b.min(c), b.max(c), face), (c.min(a), c.max(a), face)]);
        }
    }
    sides.sort_unstable();
    let edges = sides.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    edges.filter(|sides| welded.is_feature(sides, limit)).filter_map(|sides| welded.corners(sides)).collect()
}

struct Welded {
    points: Vec<[f32; 3]>,
    triangles: Vec<[u32; 3]>,
}

impl Welded {
    fn new(mesh: &Mesh) -> Self {
        let mut order: Vec<([u32; 3], u32)> = Vec::with_capacity(mesh.vertex_count());
        let positions = mesh.primitives.iter().flat_map(|primitive| &primitive.positions);
        order.extend(positions.zip(0u32..).map(|(position, at)| (key(position), at)));
        order.sort_unstable();
        let mut points = Vec::new();
        let mut point_of = vec![0u32; order.len()];
        for same in order.chunk_by(|one, other| one.0 == other.0) {
            for (_, at) in same {
                if let Some(point) = point_of.get_mut(*at as usize) {
                    *point = u32::try_from(points.len()).unwrap_or(u32::MAX);
                }
            }
            points.extend(same.first().map(|(key, _)| key.map(f32::from_bits)));
        }
        Self { triangles: triangles(mesh, &point_of), points }
    }

    fn point(&self, at: u32) -> Vec3 {
        self.points.get(at as usize).copied().map_or(Vec3::ZERO, Vec3::from)
    }

    fn normal(&self, face: u32) -> Vec3 {
        let [a, b, c] = self.triangles.get(face as usize).copied().unwrap_or_default();
        face_normal(self.point(a), self.point(b), self.point(c))
    }

    fn is_feature(&self, sides: &[(u32, u32, u32)], limit: f32) -> bool {
        match sides {
            [(_, _, one), (_, _, other)] => self.normal(*one).dot(self.normal(*other)) < limit,
            [(_, _, first), _, rest @ ..] => {
                // More than two faces: walls drawn from both sides, or solids that touch. Facing is of no use here.
                let normal = self.normal(*first);
                sides.get(1).into_iter().chain(rest).any(|(_, _, face)| normal.dot(self.normal(*face)).abs() < limit)
            }
            _ => true,
        }
    }

    fn corners(&self, sides: &[(u32, u32, u32)]) -> Option<[[f32; 3]; 2]> {
        sides.first().map(|(a, b, _)| [self.point(*a).to_array(), self.point(*b).to_array()])
    }
}

/// Bits that are equal exactly where the positions are; zero has one sign.
fn key(position: &[f32; 3]) -> [u32; 3] {
    position.map(|value| (value + 0.0).to_bits())
}

fn triangles(mesh: &Mesh, point_of: &[u32]) -> Vec<[u32; 3]> {
    let mut all = Vec::with_capacity(mesh.triangle_count());
    let mut base = 0usize;
    for primitive in &mesh.primitives {
        let point = |index: u32| point_of.get(base + index as usize).copied().unwrap_or_default();
        all.extend(primitive.indices.chunks_exact(3).filter_map(|corners| match corners {
            [a, b, c] => Some([point(*a), point(*b), point(*c)]),
            _ => None,
        }));
        base += primitive.positions.len();
    }
    all
}
