//! Which glTF extensions are read, which may be left out, and how to convert a file that needs another one.

use super::error::{GlbError, Warnings, quote};
use super::limits::Limits;

/// What is done about an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Support {
    /// Read.
    Read,
    /// Changes only looks or metadata that the viewer does not show; left out even when required.
    LeftOut,
    /// The data cannot be read without it; the command converts the file.
    Convert(&'static str),
}

/// The Khronos registry lists about a hundred.
const MAX_EXTENSIONS: u64 = 1_000;
const UNPACK: &str = "convert it with `npx @gltf-transform/cli copy in.glb out.glb` (this unpacks the compression)";
const TO_PNG: &str =
    "convert its textures with `npx @gltf-transform/cli png in.glb out.glb`, or export with PNG or JPEG textures";

fn support(name: &str) -> Support {
    match name {
        "KHR_materials_unlit"
        | "KHR_mesh_quantization"
        | "KHR_texture_transform"
        | "KHR_materials_emissive_strength"
        | "KHR_materials_pbrSpecularGlossiness"
        | "EXT_mesh_gpu_instancing" => Support::Read,
        "KHR_draco_mesh_compression" | "EXT_meshopt_compression" | "KHR_meshopt_compression" => Support::Convert(UNPACK),
        "KHR_texture_basisu" | "EXT_texture_webp" | "EXT_texture_avif" | "MSFT_texture_dds" => Support::Convert(TO_PNG),
        "KHR_lights_punctual"
        | "KHR_animation_pointer"
        | "KHR_xmp_json_ld"
        | "KHR_xmp"
        | "KHR_node_visibility"
        | "KHR_node_selectability"
        | "KHR_node_hoverability"
        | "EXT_lights_image_based"
        | "EXT_lights_ies"
        | "EXT_mesh_features"
        | "EXT_instance_features"
        | "EXT_structural_metadata"
        | "CESIUM_RTC"
        | "MSFT_lod" => Support::LeftOut,
        _ if name.starts_with("KHR_materials_") => Support::LeftOut,
        _ => Support::Convert("export the model without it"),
    }
}

/// Refuses required extensions that cannot be read and notes the optional ones that are left out.
///
/// # Errors
/// [`GlbError::Unsupported`] with the first extension that must be converted away.
pub(super) fn check(used: &[String], required: &[String], warnings: &mut Warnings) -> Result<(), GlbError> {
    let help = "export the model again";
    Limits::check("/extensionsUsed", "extensions", used.len() as u64, MAX_EXTENSIONS, help)?;
    Limits::check("/extensionsRequired", "extensions", required.len() as u64, MAX_EXTENSIONS, help)?;
    for (index, name) in required.iter().enumerate() {
        if let Support::Convert(help) = support(name) {
            let at = format!("/extensionsRequired/{index}");
            return Err(GlbError::Unsupported { at, extension: quote(name), help: help.to_owned() });
        }
        if !used.contains(name) {
            warnings.add(format!("/extensionsRequired/{index}"), "the extension is missing from extensionsUsed", "");
        }
    }
    for (index, name) in used.iter().enumerate() {
        let at = format!("/extensionsUsed/{index}");
        match support(name) {
            Support::Read => {}
            Support::LeftOut => warnings.add(at, format!("{} is left out; it does not change the shapes", quote(name)), ""),
            Support::Convert(help) => warnings.add(at, format!("{} is left out", quote(name)), help),
        }
    }
    Ok(())
}

/// The error for a part whose only copy is in an extension.
pub(super) fn needed(at: &str, name: &str) -> GlbError {
    let help = match support(name) {
        Support::Convert(help) => help,
        Support::Read | Support::LeftOut => UNPACK,
    };
    GlbError::Unsupported { at: at.to_owned(), extension: name.to_owned(), help: help.to_owned() }
}
