//! From merged chunks to Bevy meshes. One entity per chunk; parts live inside as ranges with a texel each.

use bevy::asset::RenderAssetUsages;
use bevy::camera::primitives::Aabb;
use bevy::image::{CompressedImageFormats, ImageSampler, ImageType};
use bevy::mesh::{Indices, PrimitiveTopology, VertexAttributeValues};
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use twin_scene::merge::{Chunk, Class, LineChunk, MergePlan, PartIndex, Placed, UNLIT};

use super::material::{ATTRIBUTE_COLOR8, ATTRIBUTE_NORMAL8, ATTRIBUTE_PART, PALETTE_WIDTH};

/// Byte by which edges are told from faces where a colour is wanted but none is given.
const EDGE_GREY: [u8; 4] = [96, 102, 110, 255];

fn snorm(v: f32) -> i8 {
    (v.clamp(-1.0, 1.0) * 127.0).round() as i8
}

/// Gloss from roughness and metal: how strong the sheen of a vertex is, 0 to 255.
fn gloss(surface: [u8; 4]) -> u8 {
    let (rough, metal) = (f32::from(surface[0]) / 255.0, f32::from(surface[1]) / 255.0);
    ((1.0 - rough) * (0.45 + 0.55 * metal) * 255.0) as u8
}

/// Share of light of its own, 0 to 1: what is unlit shines all over.
pub(super) fn glow(surface: [u8; 4]) -> f32 {
    if surface[3] & UNLIT != 0 { 1.0 } else { f32::from(surface[2]) / 255.0 }
}

fn bounds_of(bounds: &twin_scene::geometry::Aabb) -> Aabb {
    Aabb::from_min_max(bounds.min, bounds.max)
}

/// Faces of one chunk.
pub(super) fn chunk_mesh(chunk: &Chunk) -> (Mesh, Aabb) {
    let packed = chunk.normals.iter().zip(&chunk.surfaces);
    let normals: Vec<[i8; 4]> = packed.map(|(n, s)| [snorm(n[0]), snorm(n[1]), snorm(n[2]), snorm(glow(*s))]).collect();
    let blended = matches!(chunk.class, Class::Blend { .. });
    let colors: Vec<[u8; 4]> = if blended {
        chunk.colors.clone()
    } else {
        chunk.colors.iter().zip(&chunk.surfaces).map(|(c, s)| [c[0], c[1], c[2], gloss(*s)]).collect()
    };
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD);
    mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, chunk.positions.clone());
    mesh.insert_attribute(ATTRIBUTE_NORMAL8, VertexAttributeValues::Snorm8x4(normals));
    mesh.insert_attribute(ATTRIBUTE_COLOR8, VertexAttributeValues::Unorm8x4(colors));
    mesh.insert_attribute(ATTRIBUTE_PART, VertexAttributeValues::Uint32(chunk.parts.clone()));
    if !chunk.uvs.is_empty() {
        mesh.insert_attribute(Mesh::ATTRIBUTE_UV_0, chunk.uvs.clone());
    }
    mesh.insert_indices(if chunk.positions.len() < usize::from(u16::MAX) {
        Indices::U16(chunk.indices.iter().map(|i| *i as u16).collect())
    } else {
        Indices::U32(chunk.indices.clone())
    });
    (mesh, bounds_of(&chunk.bounds))
}

/// Edges of one line chunk.
pub(super) fn line_mesh(lines: &LineChunk) -> (Mesh, Aabb) {
    let count = lines.positions.len();
    let mut mesh = Mesh::new(PrimitiveTopology::LineList, RenderAssetUsages::RENDER_WORLD);
    mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, lines.positions.clone());
    mesh.insert_attribute(ATTRIBUTE_NORMAL8, VertexAttributeValues::Snorm8x4(vec![[0, 127, 0, 0]; count]));
    mesh.insert_attribute(ATTRIBUTE_COLOR8, VertexAttributeValues::Unorm8x4(vec![EDGE_GREY; count]));
    mesh.insert_attribute(ATTRIBUTE_PART, VertexAttributeValues::Uint32(lines.parts.clone()));
    (mesh, bounds_of(&lines.bounds))
}

/// The palette texture for that many parts. Its size never changes, so that updates are plain texture writes.
pub(super) fn palette_image(parts: usize) -> Image {
    let rows = (parts as u32).div_ceil(PALETTE_WIDTH).max(1);
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

/// Base colour image of a textured chunk; `None` where it can't be decoded.
pub(super) fn chunk_image(placed: &[Placed], class: Class) -> Option<Image> {
    let Class::Textured { asset, material } = class else { return None };
    let model = &placed.get(asset as usize)?.model;
    let index = model.materials.get(material as usize)?.base_color_image?;
    let source = model.images.get(index)?;
    let kind = ImageType::MimeType(source.mime);
    Image::from_buffer(
        &source.bytes,
        kind,
        CompressedImageFormats::NONE,
        true,
        ImageSampler::linear(),
        RenderAssetUsages::RENDER_WORLD,
    )
    .ok()
}

/// Triangles of some parts as one mesh with smoothed normals, for the selection outline.
///
/// Vertices at one place share the mean of their faces' normals, or the blown-up hull would gape along hard edges.
pub(super) fn outline_mesh(plan: &MergePlan, parts: &[PartIndex]) -> Option<(Mesh, Aabb)> {
    let mut positions: Vec<[f32; 3]> = Vec::new();
    for part in parts {
        for piece in &plan.parts.get(part.at())?.pieces {
            let chunk = plan.chunks.get(piece.chunk as usize)?;
            let range = piece.triangles.start as usize * 3..piece.triangles.end as usize * 3;
            positions.extend(chunk.indices.get(range)?.iter().map(|i| chunk.positions[*i as usize]));
        }
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
    for part in parts {
        bounds = bounds.union(&plan.parts[part.at()].bounds);
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
