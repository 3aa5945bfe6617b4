//! The JSON of a model file as typed records, nothing checked but types. Field meanings: glTF 2.0 section 5.
//!
//! Arrays are taken apart entry by entry, so that a wrong type is reported with the entry's JSON pointer, and so that
//! text which is never needed (animations, cameras) is never built.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use super::error::{GlbError, quote};
use super::limits::Limits;

pub(super) type Raw<'a> = &'a RawValue;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root<'a> {
    #[serde(borrow)]
    pub(super) asset: Option<Raw<'a>>,
    pub(super) scene: Option<Uint>,
    pub(super) scenes: Option<Vec<Raw<'a>>>,
    pub(super) nodes: Option<Vec<Raw<'a>>>,
    pub(super) meshes: Option<Vec<Raw<'a>>>,
    pub(super) accessors: Option<Vec<Raw<'a>>>,
    pub(super) buffer_views: Option<Vec<Raw<'a>>>,
    pub(super) buffers: Option<Vec<Raw<'a>>>,
    pub(super) materials: Option<Vec<Raw<'a>>>,
    pub(super) textures: Option<Vec<Raw<'a>>>,
    pub(super) images: Option<Vec<Raw<'a>>>,
    pub(super) cameras: Option<Vec<Raw<'a>>>,
    pub(super) skins: Option<Vec<Raw<'a>>>,
    pub(super) animations: Option<Vec<Raw<'a>>>,
    pub(super) extensions_used: Option<Vec<String>>,
    pub(super) extensions_required: Option<Vec<String>>,
    pub(super) extensions: Option<RootExtensions>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RootExtensions {
    #[serde(rename = "CESIUM_RTC")]
    pub(super) rtc: Option<Rtc>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Rtc {
    pub(super) center: [f64; 3],
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Skin {
    pub(super) joints: Vec<Uint>,
    pub(super) inverse_bind_matrices: Option<Uint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asset {
    pub(super) version: String,
    pub(super) min_version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Scene {
    pub(super) nodes: Option<Vec<Uint>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node<'a> {
    pub(super) name: Option<String>,
    pub(super) children: Option<Vec<Uint>>,
    pub(super) mesh: Option<Uint>,
    pub(super) skin: Option<Uint>,
    pub(super) camera: Option<Uint>,
    pub(super) matrix: Option<[f64; 16]>,
    pub(super) translation: Option<[f64; 3]>,
    pub(super) rotation: Option<[f64; 4]>,
    pub(super) scale: Option<[f64; 3]>,
    pub(super) weights: Option<Vec<f32>>,
    #[serde(borrow)]
    pub(super) extras: Option<Raw<'a>>,
    pub(super) extensions: Option<NodeExtensions>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NodeExtensions {
    #[serde(rename = "EXT_mesh_gpu_instancing")]
    pub(super) instancing: Option<Instancing>,
    #[serde(rename = "KHR_node_visibility")]
    pub(super) visibility: Option<Visibility>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Visibility {
    pub(super) visible: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Instancing {
    pub(super) attributes: InstancingAttributes,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct InstancingAttributes {
    #[serde(rename = "TRANSLATION")]
    pub(super) translation: Option<Uint>,
    #[serde(rename = "ROTATION")]
    pub(super) rotation: Option<Uint>,
    #[serde(rename = "SCALE")]
    pub(super) scale: Option<Uint>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Mesh<'a> {
    pub(super) name: Option<String>,
    #[serde(borrow)]
    pub(super) primitives: Vec<Raw<'a>>,
    pub(super) weights: Option<Vec<f32>>,
    pub(super) extras: Option<Raw<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Primitive<'a> {
    pub(super) attributes: Attributes,
    pub(super) indices: Option<Uint>,
    pub(super) material: Option<Uint>,
    pub(super) mode: Option<Uint>,
    #[serde(borrow)]
    pub(super) targets: Option<Vec<Raw<'a>>>,
    pub(super) extras: Option<Raw<'a>>,
    pub(super) extensions: Option<PrimitiveExtensions>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Attributes {
    #[serde(rename = "POSITION")]
    pub(super) position: Option<Uint>,
    #[serde(rename = "NORMAL")]
    pub(super) normal: Option<Uint>,
    #[serde(rename = "COLOR_0")]
    pub(super) color: Option<Uint>,
    #[serde(rename = "TEXCOORD_0")]
    pub(super) uv0: Option<Uint>,
    #[serde(rename = "TEXCOORD_1")]
    pub(super) uv1: Option<Uint>,
    #[serde(rename = "TEXCOORD_2")]
    pub(super) uv2: Option<Uint>,
    #[serde(rename = "TEXCOORD_3")]
    pub(super) uv3: Option<Uint>,
    #[serde(rename = "JOINTS_0")]
    pub(super) joints: Option<Uint>,
    #[serde(rename = "WEIGHTS_0")]
    pub(super) weights: Option<Uint>,
    #[serde(rename = "JOINTS_1")]
    pub(super) joints1: Option<Uint>,
    #[serde(rename = "WEIGHTS_1")]
    pub(super) weights1: Option<Uint>,
}

/// What a morph target moves; other attributes of it change looks only.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Target {
    #[serde(rename = "POSITION")]
    pub(super) position: Option<Uint>,
    #[serde(rename = "NORMAL")]
    pub(super) normal: Option<Uint>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct PrimitiveExtensions {
    #[serde(rename = "KHR_draco_mesh_compression")]
    pub(super) draco: Option<Present>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BufferView {
    pub(super) buffer: Uint,
    pub(super) byte_offset: Option<Uint>,
    pub(super) byte_length: Uint,
    pub(super) byte_stride: Option<Uint>,
    pub(super) extensions: Option<ViewExtensions>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct ViewExtensions {
    #[serde(rename = "EXT_meshopt_compression")]
    pub(super) meshopt: Option<Present>,
    #[serde(rename = "KHR_meshopt_compression")]
    pub(super) khr_meshopt: Option<Present>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accessor {
    pub(super) buffer_view: Option<Uint>,
    pub(super) byte_offset: Option<Uint>,
    pub(super) component_type: Uint,
    pub(super) normalized: Option<bool>,
    pub(super) count: Uint,
    #[serde(rename = "type")]
    pub(super) shape: Shape,
    pub(super) sparse: Option<Sparse>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Shape {
    Scalar,
    Vec2,
    Vec3,
    Vec4,
    Mat2,
    Mat3,
    Mat4,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Sparse {
    pub(super) count: Uint,
    pub(super) indices: SparseIndices,
    pub(super) values: SparseValues,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseIndices {
    pub(super) buffer_view: Uint,
    pub(super) byte_offset: Option<Uint>,
    pub(super) component_type: Uint,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseValues {
    pub(super) buffer_view: Uint,
    pub(super) byte_offset: Option<Uint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Buffer {
    pub(super) uri: Option<String>,
    pub(super) byte_length: Uint,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Material<'a> {
    pub(super) name: Option<String>,
    #[serde(borrow)]
    pub(super) extras: Option<Raw<'a>>,
    pub(super) pbr_metallic_roughness: Option<Pbr>,
    pub(super) emissive_factor: Option<[f32; 3]>,
    pub(super) alpha_mode: Option<String>,
    pub(super) alpha_cutoff: Option<f32>,
    pub(super) double_sided: Option<bool>,
    pub(super) extensions: Option<MaterialExtensions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pbr {
    pub(super) base_color_factor: Option<[f32; 4]>,
    pub(super) base_color_texture: Option<TextureInfo>,
    pub(super) metallic_factor: Option<f32>,
    pub(super) roughness_factor: Option<f32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MaterialExtensions {
    #[serde(rename = "KHR_materials_unlit")]
    pub(super) unlit: Option<Present>,
    #[serde(rename = "KHR_materials_emissive_strength")]
    pub(super) emissive: Option<EmissiveStrength>,
    #[serde(rename = "KHR_materials_pbrSpecularGlossiness")]
    pub(super) specular: Option<SpecularGlossiness>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmissiveStrength {
    pub(super) emissive_strength: Option<f32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpecularGlossiness {
    pub(super) diffuse_factor: Option<[f32; 4]>,
    pub(super) diffuse_texture: Option<TextureInfo>,
    pub(super) glossiness_factor: Option<f32>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureInfo {
    pub(super) index: Uint,
    pub(super) tex_coord: Option<Uint>,
    pub(super) extensions: Option<TextureInfoExtensions>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct TextureInfoExtensions {
    #[serde(rename = "KHR_texture_transform")]
    pub(super) transform: Option<TextureTransform>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureTransform {
    pub(super) offset: Option<[f32; 2]>,
    pub(super) rotation: Option<f32>,
    pub(super) scale: Option<[f32; 2]>,
    pub(super) tex_coord: Option<Uint>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Texture {
    pub(super) source: Option<Uint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    pub(super) name: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) buffer_view: Option<Uint>,
}

/// Something that is there; its contents are not read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present;

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A whole number that is not negative. JSON has one number type, so `1.0` and `1e0` are `1` (glTF 2.0 section 2.8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Uint(pub(super) u64);

impl Uint {
    /// As a position; beyond the address space it saturates and so is out of every bound.
    pub(super) fn at(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<'de> Deserialize<'de> for Uint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UintVisitor).map(Self)
    }
}

struct UintVisitor;

impl Visitor<'_> for UintVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number that is not negative")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<u64, E> {
        // 2^53: above it doubles skip whole numbers.
        if (0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0 {
            return Ok(value as u64);
        }
        Err(E::invalid_value(serde::de::Unexpected::Float(value), &self))
    }
}

/// Reads one JSON object.
pub(super) fn object<'a, T: Deserialize<'a>>(at: &str, raw: Raw<'a>) -> Result<T, GlbError> {
    // Derived records also accept arrays, field by field in order; JSON arrays are never meant where objects stand.
    if !raw.get().starts_with('{') {
        let what = format!("expected an object, found {}", quote(raw.get()));
        return Err(GlbError::malformed(at, what, EXPORT));
    }
    serde_json::from_str(raw.get()).map_err(|error| {
        let whose = name_of(raw).map_or_else(String::new, |name| format!("'{}': ", quote(&name)));
        GlbError::malformed(at, format!("{whose}{}", quote(&reason(&error))), EXPORT)
    })
}

/// The name of a record that can't be read, since people look for names and not for positions.
fn name_of(raw: Raw<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    serde_json::from_str::<Named>(raw.get()).ok().map(|named| named.name)
}

/// Reads an array of objects, after checking that it is not absurdly long.
pub(super) fn objects<'a, T: Deserialize<'a>>(at: &str, raw: &[Raw<'a>], limit: u64) -> Result<Vec<T>, GlbError> {
    Limits::check(at, "entries", raw.len() as u64, limit, "split the model into several files")?;
    raw.iter().enumerate().map(|(index, raw)| object(&format!("{at}/{index}"), raw)).collect()
}

/// The parser's complaint without its line and column, which count inside one entry and would mislead.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

pub(super) const EXPORT: &str = "export the model again, or check it with the Khronos glTF validator";
