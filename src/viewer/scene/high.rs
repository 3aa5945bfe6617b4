//! The optional high tier: StandardMaterial with the palette on top, one light that throws shadows. Costs several times the
//! slim material and three times the memory of its vertices; made only while it is asked for.

use bevy::asset::{RenderAssetUsages, load_internal_asset, uuid_handle};
use bevy::light::{CascadeShadowConfigBuilder, GlobalAmbientLight};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::pbr::{ExtendedMaterial, MaterialExtension, MaterialPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{AsBindGroup, Face};
use bevy::shader::ShaderRef;
use twin_scene::cells::{CellView, Group, from_octahedral};
use twin_scene::merge::UNLIT;

use super::material::Look;
use super::{SceneAssets, build};

const HIGH_SHADER: Handle<Shader> = uuid_handle!("6f1f3f0a-6c1d-4a6b-9c0e-0c9a8f3f7a05");

/// Lux of the key light per unit of the slim tier's strength, and ambient light to go with it: chosen so that a white wall
/// facing the light is just below white under Bevy's default exposure.
const KEY_LUX: f32 = 2_400.0;
const AMBIENT: f32 = 380.0;

/// StandardMaterial with status on top.
pub type HighMaterial = ExtendedMaterial<StandardMaterial, HighPart>;

/// What the high tier's shader needs besides StandardMaterial's own.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub struct HighPart {
    /// Colours and style; the lights of it are the slim tier's.
    #[uniform(100)]
    pub look: Look,
    /// `Rgba8Uint`, one texel per part.
    #[texture(101, sample_type = "u_int")]
    pub palette: Handle<Image>,
}

impl MaterialExtension for HighPart {
    fn fragment_shader() -> ShaderRef {
        HIGH_SHADER.into()
    }

    fn enable_prepass() -> bool {
        false
    }
}

/// Marks the light that throws shadows.
#[derive(Component)]
pub(super) struct Sun;

pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, HIGH_SHADER, "../../../assets/shaders/high.wgsl", Shader::from_wgsl);
    app.add_plugins(MaterialPlugin::<HighMaterial>::default());
    app.insert_resource(GlobalAmbientLight { brightness: AMBIENT, ..default() });
    app.add_systems(PostUpdate, shadows_while_whole);
}

/// The key light for a site of that size in metres.
pub(super) fn sun(look: &Look, radius: f32) -> impl Bundle {
    let direction = look.key.truncate();
    (
        Sun,
        DirectionalLight { illuminance: KEY_LUX * look.key.w / 0.46, shadow_maps_enabled: true, ..default() },
        Transform::from_translation(direction * radius).looking_at(Vec3::ZERO, Vec3::Y),
        // WebGL2 has one cascade; a plant is small enough for it.
        CascadeShadowConfigBuilder { num_cascades: 1, maximum_distance: radius * 3.0, ..default() }.build(),
    )
}

/// Ghosts throw no shadow: while something is isolated there are none at all.
fn shadows_while_whole(assets: Res<'_, SceneAssets>, mut suns: Query<'_, '_, &mut DirectionalLight, With<Sun>>) {
    for mut sun in &mut suns {
        if sun.shadow_maps_enabled == assets.isolated {
            sun.shadow_maps_enabled = !assets.isolated;
        }
    }
}

/// Share of light of its own, 0 to 1: what is unlit shines all over.
fn glow(surface: [u8; 4]) -> f32 {
    if surface[3] & UNLIT != 0 { 1.0 } else { f32::from(surface[2]) / 255.0 }
}

/// Faces of one group, on the cell's lattice, with everything that StandardMaterial's shaders read: see `high.wgsl` for the texture
/// coordinates. `first_slot` is that of the cell.
pub(super) fn face_mesh(view: &CellView<'_>, group: &Group, wide: bool, first_slot: u32) -> Mesh {
    let of = || group.vertices.clone();
    let places: Vec<[u32; 4]> = if wide {
        build::rows(view.positions(), of(), build::u32x4)
    } else {
        build::rows(view.positions(), of(), |bytes| build::u16x4(bytes).map(u32::from))
    };
    let linear = |byte: u8| twin_health::palette::Rgb(byte, byte, byte).linear()[0];
    let color = |c: [u8; 4]| [linear(c[0]), linear(c[1]), linear(c[2]), f32::from(c[3]) / 255.0];
    let surfaces: Vec<[u8; 4]> = build::rows(view.surfaces(), of(), |bytes| bytes);
    let mut uvs = build::uvs(view, group);
    if uvs.is_empty() {
        uvs = surfaces.iter().map(|s| [f32::from(s[0]) / 255.0, f32::from(s[1]) / 255.0]).collect();
    }
    let part: Vec<[f32; 2]> = places.iter().zip(&surfaces).map(|(at, s)| [(first_slot + at[3]) as f32, glow(*s)]).collect();
    let positions: Vec<[f32; 3]> = places.iter().map(|at| [at[0] as f32, at[1] as f32, at[2] as f32]).collect();
    let normals: Vec<[f32; 3]> = build::rows(view.normals(), of(), |bytes| from_octahedral(build::i16x2(bytes)).to_array());
    let colors: Vec<[f32; 4]> = build::rows(view.colors(), of(), color);
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD);
    mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, positions);
    mesh.insert_attribute(Mesh::ATTRIBUTE_NORMAL, normals);
    mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colors);
    mesh.insert_attribute(Mesh::ATTRIBUTE_UV_0, uvs);
    mesh.insert_attribute(Mesh::ATTRIBUTE_UV_1, part);
    mesh.insert_indices(Indices::U16(build::indices(view, group)));
    mesh
}

/// StandardMaterial; colour, roughness and metal come from the vertices unless there is an image.
pub(super) fn material(
    blended: bool,
    double_sided: bool,
    image: Option<Handle<Image>>,
    look: Look,
    palette: Handle<Image>,
) -> HighMaterial {
    let base = StandardMaterial {
        base_color_texture: image,
        double_sided,
        cull_mode: if double_sided { None } else { Some(Face::Back) },
        alpha_mode: if blended { AlphaMode::Blend } else { AlphaMode::Opaque },
        perceptual_roughness: 0.8,
        ..default()
    };
    ExtendedMaterial { base, extension: HighPart { look, palette } }
}
