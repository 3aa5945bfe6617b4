//! Decodes one primitive into indexed triangles with normals.

use glam::{Vec2, Vec3};

use super::access::{Buffers, Column, Fault};
use super::deform::{Deform, Job};
use super::document::{Document, PrimitiveRecord};
use super::error::{GlbError, Warnings};
use super::extensions;
use super::json::{TextureTransform, Uint};
use super::limits::Account;
use super::material::TextureUse;
use twin_scene::geometry::{Aabb, Primitive, face_normal, flat_shaded};

/// Position, normal, texture coordinates, colour.
const VERTEX_BYTES: u64 = 12 + 12 + 8 + 16;

/// What decoding reads from and charges to.
pub(super) struct Context<'a, 'b> {
    pub(super) document: &'b Document,
    pub(super) buffers: Buffers<'a>,
    pub(super) account: &'b mut Account,
    pub(super) warnings: &'b mut Warnings,
}

/// Decodes a primitive; `None`, with a warning, where it holds nothing that can be shown.
///
/// # Errors
/// [`GlbError::Limit`] and, where the only copy of the data is compressed, [`GlbError::Unsupported`].
pub(super) fn decode(
    at: &str,
    record: &PrimitiveRecord,
    job: &Job,
    context: &mut Context<'_, '_>,
) -> Result<Option<Primitive>, GlbError> {
    if is_lines_or_points(record) {
        let message = format!("points and lines are not shown (mode {}); the primitive is left out", record.mode);
        context.warnings.add(at, message, "export what should be seen as triangles, for example pipes as thin tubes");
        return Ok(None);
    }
    match triangles(at, record, job, context) {
        Ok(primitive) => Ok(Some(primitive)),
        Err(Fault::Fatal(error)) => Err(error),
        Err(Fault::Skip(reason)) => {
            context.warnings.fault(at, format!("{reason}; the primitive is left out"), "export the model again");
            Ok(None)
        }
    }
}

/// Modes 0 to 3 of glTF 2.0 section 3.7.2.1.
pub(super) fn is_lines_or_points(record: &PrimitiveRecord) -> bool {
    record.mode < 4
}

fn triangles(at: &str, record: &PrimitiveRecord, job: &Job, context: &mut Context<'_, '_>) -> Result<Primitive, Fault> {
    if record.mode > 6 {
        return Err(format!("mode {} is unknown", record.mode).into());
    }
    let column = positions_column(at, record, context)?;
    context.account.vertices(at, column.count as u64, VERTEX_BYTES)?;
    let mut primitive = Primitive { material: material(at, record, context), ..Primitive::default() };
    primitive.positions = column.floats::<3>(0.0);
    note_coarse(at, &primitive, context.warnings);
    let deform = Deform::read(at, record, job, primitive.positions.len(), context)?;
    deform.positions(&mut primitive.positions);
    primitive.indices = indices(at, record, primitive.positions.len(), context)?;
    leave_out_broken(at, &mut primitive, context.warnings)?;
    primitive.colors = colors(at, record, primitive.positions.len(), context)?;
    primitive.uvs = uvs(at, record, &primitive, context)?;
    match normals(at, record, &primitive, context)? {
        Some(mut normals) => {
            if !deform.is_none() {
                deform.normals(&mut normals);
                replace_broken(&mut normals, &primitive);
            }
            primitive.normals = normals;
        }
        None => {
            context.account.vertices(at, primitive.indices.len() as u64, VERTEX_BYTES)?;
            primitive = flat_shaded(&primitive);
        }
    }
    Ok(primitive)
}

fn positions_column<'a>(at: &str, record: &PrimitiveRecord, context: &Context<'a, '_>) -> Result<Column<'a>, Fault> {
    let index = record.attributes.position.ok_or_else(|| "it has no positions".to_owned())?;
    let column = context.buffers.column(context.document, index)?;
    if !column.has_data && record.draco {
        return Err(extensions::needed(at, "KHR_draco_mesh_compression").into());
    }
    if !column.has_data {
        return Err("its positions have no data".to_owned().into());
    }
    if column.width != 3 {
        return Err("its positions are not three-dimensional".to_owned().into());
    }
    Ok(column)
}

/// Steps of a 32-bit float across a mesh, below which its shape is visibly rough.
const FEW_STEPS: f32 = 100.0;

/// A mesh that holds coordinates of a country in 32-bit floats has lost its shape before anybody reads it.
fn note_coarse(at: &str, primitive: &Primitive, warnings: &mut Warnings) {
    let bounds = Aabb::of_points(primitive.positions.iter().copied().filter(|at| Vec3::from(*at).is_finite()));
    let (size, reach) = (bounds.size().max_element(), bounds.reach());
    let steps = size / (reach * f32::EPSILON);
    if size > 0.0 && steps < FEW_STEPS {
        let message = format!("its coordinates reach {reach}, where 32-bit floats make only about {steps:.0} steps across it");
        let help = "let the exporter move the mesh to its own origin and write the place into the node's translation";
        warnings.add(at, message, help);
    }
}

/// Triangles with a corner that is nowhere are left out; the unused corner then lies where it does no harm to bounds.
fn leave_out_broken(at: &str, primitive: &mut Primitive, warnings: &mut Warnings) -> Result<(), Fault> {
    let fine = |position: &[f32; 3]| Vec3::from(*position).is_finite();
    if primitive.positions.iter().all(fine) {
        return Ok(());
    }
    let Some(safe) = primitive.positions.iter().copied().find(fine) else {
        return Err("none of its positions is finite".to_owned().into());
    };
    let before = primitive.indices.len();
    let whole = |corners: &&[u32]| corners.iter().all(|at| primitive.positions.get(*at as usize).is_some_and(fine));
    primitive.indices = primitive.indices.chunks_exact(3).filter(whole).flatten().copied().collect();
    let lost = (before - primitive.indices.len()) / 3;
    let broken = primitive.positions.iter().filter(|position| !fine(position)).count();
    let message = format!("{broken} positions are not finite; the {lost} triangles on them are left out");
    warnings.fault(at, message, "export the model again");
    primitive.positions.iter_mut().filter(|position| !fine(position)).for_each(|position| *position = safe);
    if primitive.indices.is_empty() { Err("it has no triangles".to_owned().into()) } else { Ok(()) }
}

fn material(at: &str, record: &PrimitiveRecord, context: &mut Context<'_, '_>) -> Option<usize> {
    let index = record.material?;
    if index < context.document.paints.len() {
        return Some(index);
    }
    context.warnings.add(at, format!("material {index} does not exist; the default is used"), "");
    None
}

/// The indices as a list of triangles, all below `vertices`.
fn indices(at: &str, record: &PrimitiveRecord, vertices: usize, context: &mut Context<'_, '_>) -> Result<Vec<u32>, Fault> {
    let raw = match record.indices {
        Some(index) => {
            let column = context.buffers.column(context.document, index)?;
            context.account.triangles(at, triangle_count(record.mode, column.count))?;
            column.indices().ok_or_else(|| "its indices are not unsigned integers with data".to_owned())?
        }
        None => {
            context.account.triangles(at, triangle_count(record.mode, vertices))?;
            (0u32..).take(vertices).collect()
        }
    };
    if record.mode == 4 && raw.len() % 3 != 0 {
        context.warnings.add(at, "the number of indices is not a multiple of three; the rest is ignored", "");
    }
    let anew = raw.iter().filter(|index| restarts(**index, vertices)).count();
    if anew > 0 && !context.document.begins_anew {
        let message =
            format!("{anew} of its indices are the highest of their type, which glTF forbids: triangles on them are left out");
        context.warnings.fault(at, message, "export the model again, or with EXT_mesh_primitive_restart");
    }
    // In a list they are vertices like others, and what stands behind them stays in threes.
    let splits = context.document.begins_anew || record.mode != 4;
    let mut list = unroll(record.mode, &raw, &|index| splits && restarts(*index, vertices));
    let before = list.len();
    if list.iter().any(|&index| index as usize >= vertices) {
        list = list.chunks_exact(3).filter(|t| t.iter().all(|&i| (i as usize) < vertices)).flatten().copied().collect();
        let message = format!("{} triangles use vertices that do not exist; they are left out", (before - list.len()) / 3);
        context.warnings.fault(at, message, "export the model again");
    }
    if list.is_empty() { Err("it has no triangles".to_owned().into()) } else { Ok(list) }
}

fn triangle_count(mode: u64, indices: usize) -> u64 {
    let indices = indices as u64;
    if mode == 4 { indices / 3 } else { indices.saturating_sub(2) }
}

/// Whether an index is the highest of its type and no vertex.
const fn restarts(index: u32, vertices: usize) -> bool {
    matches!(index, 0xFF | 0xFFFF | u32::MAX) && index as usize >= vertices
}

/// Strips and fans as lists (glTF 2.0 section 3.7.2.1): every second triangle of a strip turns the other way. The highest value
/// of an index type begins anew (EXT_mesh_primitive_restart).
fn unroll(mode: u64, raw: &[u32], restart: &dyn Fn(&u32) -> bool) -> Vec<u32> {
    let mut list = Vec::with_capacity(raw.len());
    for run in raw.split(restart) {
        match (mode, run.split_first()) {
            (5, _) => {
                for (at, corners) in run.windows(3).enumerate() {
                    list.extend_from_slice(corners);
                    let first = list.len() - 3;
                    if at % 2 == 1 {
                        list.swap(first, first + 1);
                    }
                }
            }
            (6, Some((&hub, rim))) => rim.windows(2).for_each(|pair| {
                list.extend_from_slice(pair);
                list.push(hub);
            }),
            (6, None) => {}
            _ => list.extend_from_slice(run.get(..run.len() / 3 * 3).unwrap_or_default()),
        }
    }
    list
}

/// A column that must go with the positions; `None`, with a warning, where it does not.
fn beside<'a>(
    at: &str,
    what: &str,
    index: Option<Uint>,
    vertices: usize,
    context: &mut Context<'a, '_>,
) -> Result<Option<Column<'a>>, Fault> {
    let Some(index) = index else {
        return Ok(None);
    };
    let reason = match context.buffers.column(context.document, index) {
        Ok(column) if column.count == vertices && column.has_data => return Ok(Some(column)),
        Ok(column) if column.has_data => format!("{} for {vertices} positions", column.count),
        Ok(_) => "no data".to_owned(),
        Err(Fault::Skip(reason)) => reason,
        Err(fatal @ Fault::Fatal(_)) => return Err(fatal),
    };
    context.warnings.add(at, format!("the {what} are ignored: {reason}"), "export the model again");
    Ok(None)
}

fn colors(at: &str, record: &PrimitiveRecord, vertices: usize, context: &mut Context<'_, '_>) -> Result<Vec<[f32; 4]>, Fault> {
    let column = beside(at, "vertex colours", record.attributes.color, vertices, context)?;
    let Some(column) = column.filter(|column| column.width >= 3) else {
        return Ok(Vec::new());
    };
    let mut colors = column.floats::<4>(1.0);
    let clamp = |value: f32| if value.is_finite() { value.clamp(0.0, 1.0) } else { 1.0 };
    colors.iter_mut().for_each(|color| *color = color.map(clamp));
    Ok(colors)
}

/// Texture coordinates, with the texture transform applied; only where the material has an image.
fn uvs(at: &str, record: &PrimitiveRecord, primitive: &Primitive, context: &mut Context<'_, '_>) -> Result<Vec<[f32; 2]>, Fault> {
    let paint = primitive.material.and_then(|index| context.document.paints.get(index));
    let Some(TextureUse { set, transform, .. }) = paint.and_then(|paint| paint.texture) else {
        return Ok(Vec::new());
    };
    let attributes = &record.attributes;
    let index = match set {
        0 => attributes.uv0,
        1 => attributes.uv1,
        2 => attributes.uv2,
        3 => attributes.uv3,
        _ => None,
    };
    let column = beside(at, "texture coordinates", index, primitive.positions.len(), context)?;
    let Some(column) = column.filter(|column| column.width == 2) else {
        context.warnings.add(at, "the material has a texture but the primitive has no coordinates for it", "");
        return Ok(Vec::new());
    };
    let mut uvs = column.floats::<2>(0.0);
    for uv in uvs.iter_mut().filter(|uv| !Vec2::from(**uv).is_finite()) {
        *uv = [0.0; 2];
    }
    if transform != TextureTransform::default() {
        uvs.iter_mut().for_each(|uv| *uv = transformed(*uv, &transform));
    }
    Ok(uvs)
}

/// KHR_texture_transform: scale, then rotate counter-clockwise in the image, then move.
fn transformed(uv: [f32; 2], transform: &TextureTransform) -> [f32; 2] {
    let scaled = Vec2::from(uv) * Vec2::from(transform.scale.unwrap_or([1.0; 2]));
    let (sin, cos) = transform.rotation.unwrap_or(0.0).sin_cos();
    let turned = Vec2::new(cos * scaled.x + sin * scaled.y, cos * scaled.y - sin * scaled.x);
    let moved = turned + Vec2::from(transform.offset.unwrap_or_default());
    if moved.is_finite() { moved.to_array() } else { [0.0; 2] }
}

/// Unit normals; `None` where the file has none that fit.
fn normals(
    at: &str,
    record: &PrimitiveRecord,
    primitive: &Primitive,
    context: &mut Context<'_, '_>,
) -> Result<Option<Vec<[f32; 3]>>, Fault> {
    let column = beside(at, "normals", record.attributes.normal, primitive.positions.len(), context)?;
    let Some(column) = column.filter(|column| column.width == 3) else {
        return Ok(None);
    };
    let mut normals = column.floats::<3>(0.0);
    let mut broken = false;
    for normal in &mut normals {
        let length = Vec3::from(*normal).length();
        let exact = (length - 1.0).abs() < 1e-3;
        if !exact {
            let unit = if length > 1e-6 && length.is_finite() { Vec3::from(*normal) / length } else { Vec3::ZERO };
            broken |= unit == Vec3::ZERO;
            *normal = unit.to_array();
        }
    }
    if broken {
        replace_broken(&mut normals, primitive);
    }
    Ok(Some(normals))
}

/// A normal of no length takes that of a face at its vertex; common at poles and slivers of CAD exports.
fn replace_broken(normals: &mut [[f32; 3]], primitive: &Primitive) {
    for (at, corners) in primitive.indices.chunks_exact(3).enumerate() {
        for &corner in corners {
            if let Some(normal) = normals.get_mut(corner as usize).filter(|normal| **normal == [0.0; 3])
                && let Some([a, b, c]) = primitive.triangle(at)
            {
                *normal = face_normal(a.into(), b.into(), c.into()).to_array();
            }
        }
    }
    for normal in normals.iter_mut().filter(|normal| **normal == [0.0; 3]) {
        *normal = [0.0, 1.0, 0.0];
    }
}
