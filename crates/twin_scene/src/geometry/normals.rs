//! Face normals for primitives that come without normals.

use glam::Vec3;

use super::Primitive;

/// Splits the vertices so that no two triangles share one, and gives each triangle its face normal.
///
/// glTF 2.0 section 3.7.2.1: "When normals are not specified, client implementations MUST calculate flat normals".
/// Triangles without area get the normal +Y. The result has three vertices per triangle, in triangle order.
pub fn flat_shaded(source: &Primitive) -> Primitive {
    let corners = source.indices.len();
    let mut flat = Primitive {
        positions: pick(&source.positions, &source.indices),
        normals: Vec::with_capacity(corners),
        uvs: pick(&source.uvs, &source.indices),
        colors: pick(&source.colors, &source.indices),
        indices: (0u32..).take(corners).collect(),
        material: source.material,
    };
    for triangle in flat.positions.chunks_exact(3) {
        if let [a, b, c] = triangle {
            let normal = face_normal(Vec3::from(*a), Vec3::from(*b), Vec3::from(*c)).to_array();
            flat.normals.extend([normal; 3]);
        }
    }
    flat
}

/// Unit normal of a counter-clockwise triangle; +Y where it has no area.
pub fn face_normal(a: Vec3, b: Vec3, c: Vec3) -> Vec3 {
    // Scaled before the product: edges of a micron or of a megametre would under- or overflow when squared.
    let (u, v) = (b - a, c - a);
    let scale = u.abs().max(v.abs()).max_element();
    if !(scale > 0.0 && scale.is_finite()) {
        return Vec3::Y;
    }
    (u / scale).cross(v / scale).try_normalize().unwrap_or(Vec3::Y)
}

fn pick<T: Copy>(values: &[T], indices: &[u32]) -> Vec<T> {
    if values.is_empty() {
        return Vec::new();
    }
    indices.iter().filter_map(|&at| values.get(at as usize).copied()).collect()
}
