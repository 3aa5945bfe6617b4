//! Materials, reduced to what the viewer draws, and which image and texture coordinates they use.

use super::error::{GlbError, Warnings, quote};
use super::graph::{extras, named};
use super::json::{self, TextureInfo, Uint};
use super::limits::Account;
use twin_scene::geometry::{AlphaMode, Material};

/// A material and where its base colour texture comes from.
#[derive(Debug)]
pub(super) struct Paint {
    /// `base_color_image` is still empty: it is set once the image has been read.
    pub(super) material: Material,
    pub(super) texture: Option<TextureUse>,
}

/// One use of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TextureUse {
    /// Index in the file's `images`.
    pub(super) image: usize,
    /// Which `TEXCOORD_n`.
    pub(super) set: u64,
    /// Applied to the coordinates while they are read.
    pub(super) transform: json::TextureTransform,
}

/// Reads one material.
pub(super) fn paint(
    at: &str,
    record: json::Material<'_>,
    textures: &[json::Texture],
    images: usize,
    account: &mut Account,
    warnings: &mut Warnings,
) -> Result<Paint, GlbError> {
    let surface = surface(&record);
    let factor = surface.color.map(|value| unit(value, 1.0));
    let strength = record.extensions.as_ref().and_then(|e| e.emissive.as_ref()).and_then(|e| e.emissive_strength);
    let emissive = record.emissive_factor.unwrap_or_default();
    let material = Material {
        extras: extras(at, record.extras, account)?,
        base_color: factor,
        base_color_image: None,
        metallic: unit(surface.metallic, 1.0),
        roughness: unit(surface.roughness, 1.0),
        emissive: emissive.map(|value| finite(value * strength.unwrap_or(1.0)).max(0.0)),
        alpha: alpha(at, record.alpha_mode.as_deref(), record.alpha_cutoff, warnings),
        double_sided: record.double_sided.unwrap_or(false),
        unlit: record.extensions.as_ref().is_some_and(|extensions| extensions.unlit.is_some()),
        name: named(record.name),
    };
    if let Some(why) = invisible(&material) {
        let help = "raise the alpha of the base colour, or export the material as OPAQUE, where its parts are to be seen";
        warnings.add(at, format!("whatever has this material is not drawn: {why}"), help);
    }
    let texture = surface.texture.and_then(|info| resolve(at, info, textures, images, warnings));
    Ok(Paint { material, texture })
}

struct Surface {
    color: [f32; 4],
    texture: Option<TextureInfo>,
    metallic: f32,
    roughness: f32,
}

fn surface(record: &json::Material<'_>) -> Surface {
    if let Some(specular) = record.extensions.as_ref().and_then(|extensions| extensions.specular.as_ref()) {
        // Diffuse is what a part's colour is taken to be; the specular colour is given up.
        return Surface {
            color: specular.diffuse_factor.unwrap_or([1.0; 4]),
            texture: specular.diffuse_texture,
            metallic: 0.0,
            roughness: 1.0 - specular.glossiness_factor.unwrap_or(1.0),
        };
    }
    let pbr = record.pbr_metallic_roughness.as_ref();
    Surface {
        color: pbr.and_then(|pbr| pbr.base_color_factor).unwrap_or([1.0; 4]),
        texture: pbr.and_then(|pbr| pbr.base_color_texture),
        metallic: pbr.and_then(|pbr| pbr.metallic_factor).unwrap_or(1.0),
        roughness: pbr.and_then(|pbr| pbr.roughness_factor).unwrap_or(1.0),
    }
}

fn alpha(at: &str, mode: Option<&str>, cutoff: Option<f32>, warnings: &mut Warnings) -> AlphaMode {
    match mode {
        None | Some("OPAQUE") => AlphaMode::Opaque,
        // Above 1 nothing is drawn (glTF 2.0, 3.9.4).
        Some("MASK") => AlphaMode::Mask { cutoff: cutoff.filter(|cutoff| cutoff.is_finite()).unwrap_or(0.5).clamp(0.0, 2.0) },
        Some("BLEND") => AlphaMode::Blend,
        Some(other) => {
            let message = format!("alpha mode \"{}\" is unknown; taken as OPAQUE", quote(other));
            warnings.add(format!("{at}/alphaMode"), message, "use OPAQUE, MASK or BLEND");
            AlphaMode::Opaque
        }
    }
}

/// Why nothing of a material is ever seen; textures and colours of corners only make its alpha less (glTF 2.0, 3.9.2 and 3.9.4).
fn invisible(material: &Material) -> Option<String> {
    let [.., alpha] = material.base_color;
    material.lets_all_through().then(|| match material.alpha {
        AlphaMode::Mask { cutoff } => format!("the alpha of its base colour, {alpha}, is below its cutoff, {cutoff}"),
        _ => "the alpha of its base colour is 0".to_owned(),
    })
}

fn resolve(
    at: &str,
    info: TextureInfo,
    textures: &[json::Texture],
    images: usize,
    warnings: &mut Warnings,
) -> Option<TextureUse> {
    let transform = info.extensions.and_then(|extensions| extensions.transform).unwrap_or_default();
    let Some(texture) = textures.get(info.index.at()) else {
        warnings.add(at, format!("texture {} does not exist; the material is shown without it", info.index.0), "");
        return None;
    };
    let Some(image) = texture.source else {
        let help = "export with PNG or JPEG textures";
        warnings.add(at, format!("texture {} has no PNG or JPEG image; shown without it", info.index.0), help);
        return None;
    };
    if image.at() >= images {
        warnings.add(at, format!("image {} does not exist; the material is shown without it", image.0), "");
        return None;
    }
    let set = transform.tex_coord.or(info.tex_coord).map_or(0, |Uint(set)| set);
    Some(TextureUse { image: image.at(), set, transform })
}

fn unit(value: f32, otherwise: f32) -> f32 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { otherwise }
}

fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}
