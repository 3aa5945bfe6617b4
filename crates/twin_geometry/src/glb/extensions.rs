//! What is done about each glTF extension: obeyed, harmless, or a reason to refuse the model.
//!
//! The question is always the same: without it, does a thing stand elsewhere, have another size or shape, or show though it
//! should not? If so it is obeyed, or a model that requires it is refused (glTF 2.0 section 3.12), and one that merely uses it
//! gets a warning. Sources: the Khronos registry (`extensions/README.md` of KhronosGroup/glTF) and what exporters write
//! beyond it.

use super::error::{GlbError, Warnings, quote};
use super::limits::Limits;
use Support::{Changes, Convert, Harmless, Obeyed, Unknown};

/// What is done about an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Support {
    /// Read.
    Obeyed,
    /// Changes only looks, behaviour or metadata that the viewer does not show; left out even when required.
    Harmless,
    /// The data cannot be read without it; the command converts the file.
    Convert(&'static str),
    /// What it can change about place, size or visibility, and that is not read.
    Changes(&'static str),
    /// Nobody here knows what it changes.
    Unknown,
}

/// The Khronos registry lists about a hundred.
const MAX_EXTENSIONS: u64 = 1_000;
const UNPACK: &str = "convert it with `npx @gltf-transform/cli copy in.glb out.glb` (this unpacks the compression)";
const TO_PNG: &str =
    "convert its textures with `npx @gltf-transform/cli png in.glb out.glb`, or export with PNG or JPEG textures";
const EXPORT_WITHOUT: &str = "export the model without it";

/// What is done about the extensions that are known; each stands here once.
const KNOWN: &[(&[&str], Support)] = &[
    (&["KHR_mesh_quantization", "KHR_node_visibility", "CESIUM_RTC", "EXT_mesh_gpu_instancing"], Obeyed),
    (&["KHR_materials_unlit", "KHR_texture_transform", "KHR_materials_emissive_strength"], Obeyed),
    (&["KHR_materials_pbrSpecularGlossiness"], Obeyed),
    (&["KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression"], Convert(UNPACK)),
    (&["KHR_texture_basisu", "EXT_texture_webp", "EXT_texture_avif", "MSFT_texture_dds", "EXT_texture_astc"], Convert(TO_PNG)),
    // Surfaces. Listed one by one: a material extension of the future may displace.
    (
        &[
            "KHR_materials_anisotropy",
            "KHR_materials_clearcoat",
            "KHR_materials_coat",
            "KHR_materials_diffuse_roughness",
            "KHR_materials_diffuse_transmission",
            "KHR_materials_dispersion",
            "KHR_materials_fuzz",
            "KHR_materials_ior",
            "KHR_materials_iridescence",
            "KHR_materials_sheen",
            "KHR_materials_specular",
            "KHR_materials_subsurface",
            "KHR_materials_transmission",
            "KHR_materials_variants",
            "KHR_materials_volume",
            "KHR_materials_volume_scatter",
            "KHR_materials_sss",
            "KHR_materials_common",
            "ADOBE_materials_clearcoat_specular",
            "ADOBE_materials_clearcoat_tint",
            "ADOBE_materials_thin_transparency",
            "EXT_materials_diffuse_roughness",
            "MSFT_packing_normalRoughnessMetallic",
            "MSFT_packing_occlusionRoughnessMetallic",
            "NV_materials_mdl",
            "EXT_textureInfo_constant_lod",
            "EXT_texture_procedurals_mx_1_39",
            "KHR_texture_procedurals",
            "VRMC_materials_mtoon",
            "VRMC_materials_hdr_emissiveMultiplier",
            "NEEDLE_lightmaps",
        ],
        Harmless,
    ),
    // Light, sound, cameras, metadata, interaction.
    (
        &[
            "KHR_lights_punctual",
            "EXT_lights_image_based",
            "EXT_lights_ies",
            "KHR_environment_map",
            "KHR_animation_pointer",
            "KHR_xmp_json_ld",
            "KHR_xmp",
            "KHR_node_selectability",
            "KHR_node_hoverability",
            "KHR_audio",
            "KHR_audio_emitter",
            "KHR_audio_graph",
            "MSFT_audio_emitter",
            "OMI_audio_emitter",
            "EXT_mesh_features",
            "EXT_instance_features",
            "EXT_structural_metadata",
            "EXT_feature_metadata",
            "EXT_mesh_manifold",
            "EXT_mesh_primitive_edge_visibility",
            "CESIUM_primitive_outline",
            "CESIUM_tile_edges",
            "CESIUM_geopose",
            "AGI_stk_metadata",
            "FB_geometry_metadata",
            "FB_ngon_encoding",
            "GODOT_single_root",
            "GRIFFEL_bim_data",
            "MAXAR_image_ortho",
            "MAXAR_temporal_light_traits",
            "OMI_link",
            "OMI_spawn_point",
        ],
        Harmless,
    ),
    // Bodies at rest stand where their nodes stand, and shapes for collisions are not for the eye.
    (
        &[
            "KHR_physics_rigid_bodies",
            "KHR_implicit_shapes",
            "KHR_collision_shapes",
            "KHR_rigid_bodies",
            "MSFT_rigid_bodies",
            "MSFT_collision_primitives",
            "OMI_physics_body",
            "OMI_physics_shape",
            "OMI_physics_joint",
            "OMI_physics_gravity",
            "OMI_collider",
        ],
        Harmless,
    ),
    // The nodes that it names as coarser copies are not part of the scene; the finest is shown.
    (&["MSFT_lod"], Harmless),
    (&["AGI_articulations"], Changes("its stages may move parts")),
    (&["KHR_interactivity", "KHR_behavior"], Changes("its behaviour may move and hide parts")),
    (&["KHR_techniques_webgl"], Changes("its shaders may place vertices themselves")),
    (
        &["KHR_gaussian_splatting", "KHR_gaussian_splatting_compression_spz", "KHR_gaussian_splatting_compression_spz_2"],
        Changes("splats are not drawn"),
    ),
    (&["KHR_accessor_float64"], Changes("numbers of 64 bits in buffers are not read")),
    (&BEGINS_ANEW, Obeyed),
    (&["EXT_primitive_voxels"], Changes("voxels are not drawn")),
    (&["EXT_implicit_cylinder_region", "EXT_implicit_ellipsoid_region"], Changes("shapes without triangles are not drawn")),
    (
        &["CESIUM_mesh_vector", "EXT_mesh_polygon", "BENTLEY_materials_line_style", "BENTLEY_materials_point_style"],
        Changes("lines, points and polygons of it are not drawn"),
    ),
    (&["MAXAR_mesh_variants", "FB_mesh_variants"], Changes("it chooses between meshes; the first is shown")),
    (&["MAXAR_nonvisual_geometry"], Changes("geometry that should not be seen may be shown")),
    (&["NEEDLE_progressive"], Changes("finer meshes are loaded later; the coarse ones are shown")),
    (&["VRM", "VRMC_vrm", "VRMC_node_constraint", "VRMC_springBone"], Changes("its rules may move and hide parts")),
    (&["WEB3D_quantized_attributes", "KHR_binary_glTF"], Changes("it belongs to glTF 1.0")),
];

fn support(name: &str) -> Support {
    match KNOWN.iter().find(|(names, _)| names.contains(&name)) {
        Some((_, support)) => *support,
        None if name.starts_with("MPEG_") => Changes("timed media may change shapes"),
        None => Unknown,
    }
}

const BEGINS_ANEW: [&str; 2] = ["EXT_mesh_primitive_restart", "KHR_mesh_primitive_restart"];

/// Whether strips of a file begin anew at the highest value of an index type.
pub(super) fn begins_anew(used: &[String]) -> bool {
    used.iter().any(|name| BEGINS_ANEW.contains(&name.as_str()))
}

/// Refuses required extensions that cannot be read and notes the optional ones that are left out.
///
/// # Errors
/// [`GlbError::Unsupported`] with the first extension without which the model would be shown wrongly.
pub(super) fn check(used: &[String], required: &[String], warnings: &mut Warnings) -> Result<(), GlbError> {
    let help = "export the model again";
    Limits::check("/extensionsUsed", "extensions", used.len() as u64, MAX_EXTENSIONS, help)?;
    Limits::check("/extensionsRequired", "extensions", required.len() as u64, MAX_EXTENSIONS, help)?;
    for (index, name) in required.iter().enumerate() {
        let help = match support(name) {
            Support::Obeyed | Support::Harmless => None,
            Support::Convert(help) => Some(help.to_owned()),
            Support::Changes(what) => Some(format!("{what}; {EXPORT_WITHOUT}")),
            Support::Unknown => Some(EXPORT_WITHOUT.to_owned()),
        };
        if let Some(help) = help {
            let at = format!("/extensionsRequired/{index}");
            return Err(GlbError::Unsupported { at, extension: quote(name), help });
        }
        if !used.contains(name) {
            warnings.add(format!("/extensionsRequired/{index}"), "the extension is missing from extensionsUsed", "");
        }
    }
    for (index, name) in used.iter().enumerate() {
        let at = format!("/extensionsUsed/{index}");
        let name = (quote(name), support(name));
        match name {
            (_, Support::Obeyed) => {}
            (name, Support::Harmless) => warnings.add(at, format!("{name} is left out; it does not change the shapes"), ""),
            // Files that use a packing without requiring it bring the unpacked data as well.
            (name, Support::Convert(help)) => warnings.add(at, format!("{name} is left out"), help),
            (name, Support::Changes(what)) => warnings.fault(at, format!("{name} is not obeyed: {what}"), EXPORT_WITHOUT),
            (name, Support::Unknown) => {
                let message = format!("{name} is unknown and left out; what it does to place, size or visibility is not shown");
                warnings.fault(at, message, EXPORT_WITHOUT);
            }
        }
    }
    Ok(())
}

/// The error for a part whose only copy is in an extension.
pub(super) fn needed(at: &str, name: &str) -> GlbError {
    let help = if let Support::Convert(help) = support(name) { help } else { UNPACK };
    GlbError::Unsupported { at: at.to_owned(), extension: name.to_owned(), help: help.to_owned() }
}
