//! From a cell's bytes to Bevy meshes: ranges are copied, no vertex is worked on. Parts live inside as numbers with a texel each.

use bevy::asset::RenderAssetUsages;
use bevy::camera::primitives::Aabb;
use bevy::image::{CompressedImageFormats, ImageSampler, ImageType};
use bevy::mesh::{Indices, MeshVertexAttribute, PrimitiveTopology, VertexAttributeValues};
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use twin_scene::cells::{CellScene, CellView, Group};
use twin_scene::merge::PartIndex;

use super::material::{
    ATTRIBUTE_COLOR8, ATTRIBUTE_LATTICE16, ATTRIBUTE_LATTICE32, ATTRIBUTE_NORMAL_OCT, ATTRIBUTE_SURFACE8, PALETTE_WIDTH,
};

fn bounds_of(bounds: &twin_scene::geometry::Aabb) -> Aabb {
    Aabb::from_min_max(bounds.min, bounds.max)
}

/// Numbers of a range of bytes, a fixed count of `N` bytes each; where the bytes end before, fewer.
pub(super) fn rows<const N: usize, T>(bytes: &[u8], of: std::ops::Range<u32>, row: impl Fn([u8; N]) -> T) -> Vec<T> {
    let range = (of.start as usize).saturating_mul(N)..(of.end as usize).saturating_mul(N);
    let bytes = bytes.get(range).unwrap_or_default();
    bytes.as_chunks::<N>().0.iter().map(|bytes| row(*bytes)).collect()
}

pub(super) fn u16x4(b: [u8; 8]) -> [u16; 4] {
    [[b[0], b[1]], [b[2], b[3]], [b[4], b[5]], [b[6], b[7]]].map(u16::from_le_bytes)
}

pub(super) fn u32x4(b: [u8; 16]) -> [u32; 4] {
    let at = |n: usize| u32::from_le_bytes([b[n], b[n + 1], b[n + 2], b[n + 3]]);
    [at(0), at(4), at(8), at(12)]
}

pub(super) fn f32x2(b: [u8; 8]) -> [f32; 2] {
    [[b[0], b[1], b[2], b[3]], [b[4], b[5], b[6], b[7]]].map(f32::from_le_bytes)
}

pub(super) fn i16x2(b: [u8; 4]) -> [i16; 2] {
    [[b[0], b[1]], [b[2], b[3]]].map(i16::from_le_bytes)
}

/// Places on the lattice and numbers of parts, as the attribute of the cell's width.
fn lattice(bytes: &[u8], of: std::ops::Range<u32>, wide: bool) -> (MeshVertexAttribute, VertexAttributeValues) {
    if wide {
        (ATTRIBUTE_LATTICE32, VertexAttributeValues::Uint32x4(rows(bytes, of, u32x4)))
    } else {
        (ATTRIBUTE_LATTICE16, VertexAttributeValues::Uint16x4(rows(bytes, of, u16x4)))
    }
}

/// Indices of a group.
pub(super) fn indices(view: &CellView<'_>, group: &Group) -> Vec<u16> {
    rows(view.indices(), group.indices.clone(), u16::from_le_bytes)
}

/// Texture coordinates of a group; empty unless it is textured.
pub(super) fn uvs(view: &CellView<'_>, group: &Group) -> Vec<[f32; 2]> {
    rows(view.uvs(), group.uvs.clone(), f32x2)
}

/// Faces of one group, on the cell's lattice.
pub(super) fn face_mesh(view: &CellView<'_>, group: &Group, wide: bool) -> Mesh {
    let of = || group.vertices.clone();
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD);
    let (attribute, values) = lattice(view.positions(), of(), wide);
    mesh.insert_attribute(attribute, values);
    mesh.insert_attribute(ATTRIBUTE_NORMAL_OCT, VertexAttributeValues::Snorm16x2(rows(view.normals(), of(), i16x2)));
    mesh.insert_attribute(ATTRIBUTE_COLOR8, VertexAttributeValues::Unorm8x4(rows(view.colors(), of(), |bytes| bytes)));
    mesh.insert_attribute(ATTRIBUTE_SURFACE8, VertexAttributeValues::Unorm8x4(rows(view.surfaces(), of(), |bytes| bytes)));
    let uvs = uvs(view, group);
    if !uvs.is_empty() {
        mesh.insert_attribute(Mesh::ATTRIBUTE_UV_0, uvs);
    }
    mesh.insert_indices(Indices::U16(indices(view, group)));
    mesh
}

/// Edges of one length class, on the cell's lattice; `of` counts their ends.
pub(super) fn line_mesh(view: &CellView<'_>, of: std::ops::Range<u32>, wide: bool) -> Mesh {
    let mut mesh = Mesh::new(PrimitiveTopology::LineList, RenderAssetUsages::RENDER_WORLD);
    let (attribute, values) = lattice(view.edges(), of, wide);
    mesh.insert_attribute(attribute, values);
    mesh
}

/// The palette texture for that many slots. Its size never changes, so that updates are plain texture writes.
pub(super) fn palette_image(slots: usize) -> Image {
    let rows = (slots as u32).div_ceil(PALETTE_WIDTH).max(1);
    let mut image = Image::new_fill(
        Extent3d { width: PALETTE_WIDTH, height: rows, depth_or_array_layers: 1 },
        TextureDimension::D2,
        &twin_health::palette::unbound_texel(twin_health::palette::ViewFlags(0)),
        TextureFormat::Rgba8Uint,
        // Kept in both worlds: an image that gives its bytes away can't be updated.
        RenderAssetUsages::default(),
    );
    image.sampler = ImageSampler::nearest();
    image
}

/// A base colour image; `None` where it can't be decoded.
pub(super) fn picture(bytes: &[u8], mime: &str) -> Option<Image> {
    let (kind, sampler) = (ImageType::MimeType(mime), ImageSampler::linear());
    Image::from_buffer(bytes, kind, CompressedImageFormats::NONE, true, sampler, RenderAssetUsages::RENDER_WORLD).ok()
}

/// Triangles of some parts as one mesh with smoothed normals, for the selection outline.
///
/// Vertices at one place share the mean of their faces' normals, or the blown-up hull would gape along hard edges.
pub(super) fn outline_mesh(scene: &CellScene, parts: &[PartIndex]) -> Option<(Mesh, Aabb)> {
    let mut positions: Vec<[f32; 3]> = Vec::new();
    for part in parts {
        scene.triangles_of(*part, &mut |corners| positions.extend(corners.map(|corner| corner.to_array())));
    }
    if positions.is_empty() {
        return None;
    }
    let mut order: Vec<usize> = (0..positions.len()).collect();
    let key = |at: usize| positions[at].map(|c| (c * 2048.0).round() as i64);
    order.sort_by_key(|at| key(*at));
    let face_normal = |corner: usize| {
        let at = corner / 3 * 3;
        let [a, b, c] = [positions[at], positions[at + 1], positions[at + 2]].map(Vec3::from_array);
        (b - a).cross(c - a).normalize_or_zero()
    };
    let mut normals = vec![[0.0_f32; 3]; positions.len()];
    let mut group = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let place = key(order[start]);
        let end = start + order[start..].iter().take_while(|at| key(**at) == place).count();
        group.clear();
        // Each direction counts once, or finely cut sides would outweigh the others.
        for at in &order[start..end] {
            let n = face_normal(*at);
            if n != Vec3::ZERO && !group.iter().any(|other: &Vec3| other.dot(n) > 0.99) {
                group.push(n);
            }
        }
        let mean = group.iter().copied().sum::<Vec3>().normalize_or(Vec3::Y).to_array();
        for at in &order[start..end] {
            normals[*at] = mean;
        }
        start = end;
    }
    let mut bounds = twin_scene::geometry::Aabb::EMPTY;
    for part in parts.iter().filter_map(|part| scene.index().parts.get(part.at())) {
        bounds = bounds.union(&part.bounds);
    }
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD);
    mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, positions);
    mesh.insert_attribute(Mesh::ATTRIBUTE_NORMAL, normals);
    Some((mesh, bounds_of(&bounds)))
}

/// A triangle that covers the screen, for the backdrop.
pub(super) fn screen_triangle() -> Mesh {
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD);
    mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, vec![[-1.0, -1.0, 0.0], [3.0, -1.0, 0.0], [-1.0, 3.0, 0.0]]);
    mesh
}

/// Floor lines every `spacing` metres out to `reach` from a centre, cut at every crossing so that they can fade along the way.
pub(super) fn grid_mesh(centre: Vec2, spacing: f32, reach: f32) -> Mesh {
    let count = (reach / spacing).ceil().clamp(1.0, 40.0) as i32;
    let origin = (centre / spacing).round() * spacing;
    let at = |i: i32| i as f32 * spacing;
    let mut positions = Vec::new();
    for line in -count..=count {
        for step in -count..count {
            for (x, z) in [(line, step), (line, step + 1), (step, line), (step + 1, line)] {
                positions.push([origin.x + at(x), 0.0, origin.y + at(z)]);
            }
        }
    }
    let mut mesh = Mesh::new(PrimitiveTopology::LineList, RenderAssetUsages::RENDER_WORLD);
    mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, positions);
    mesh
}
