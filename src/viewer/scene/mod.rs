//! What stands in the 3D world: cells, the palette, outlines, backdrop and the camera. Speaks parts and texels.

mod build;
pub mod camera;
mod cells;
mod detail;
pub mod high;
pub mod material;
mod shadow;

use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::{NoFrustumCulling, RenderLayers};
use bevy::camera::{CameraOutputMode, Viewport};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy::render::renderer::RenderAdapterInfo;
use bevy_egui::PrimaryEguiContext;
use twin_health::palette::{Rgb, fill};
use twin_model::Status;
use twin_scene::cells::CellScene;
use twin_scene::geometry::Aabb;
use twin_scene::merge::PartIndex;

use high::HighMaterial;
use material::{BackdropLook, BackdropMaterial, GridLook, GridMaterial, Look, OutlineLook, OutlineMaterial, PartMaterial};

pub use cells::Spawner;
pub use detail::{Beat, beat};

/// Vertical field of view in radians.
pub const FOV_Y: f32 = 0.72;
/// Nearest distance drawn, in metres.
const NEAR_M: f32 = 0.1;
/// How much of a ghost is seen, and of faces of a twin that was never seen (its edges are drawn in full).
const FAINT: (f32, f32) = (0.10, 0.14);

/// Handles of everything that the scene changes later.
#[derive(Resource, Default)]
pub struct SceneAssets {
    /// One texel per slot: see [`Index::slots`](twin_scene::cells::Index::slots).
    pub palette: Handle<Image>,
    /// Materials that carry the look, to be changed together.
    parts: Vec<Handle<PartMaterial>>,
    backdrop: Handle<BackdropMaterial>,
    grid: Handle<GridMaterial>,
    outlines: [Handle<OutlineMaterial>; 2],
    white: Handle<Image>,
    shadow: Handle<Image>,
    floor: Vec4,
    grid_place: Grid,
    high: Vec<Handle<HighMaterial>>,
    beat: Beat,
    /// Whether something is isolated and the rest are ghosts.
    pub isolated: bool,
    /// Whether any part is shown faintly: only then the ghosts' meshes are drawn.
    pub any_ghosts: bool,
    outlined: Vec<Entity>,
    /// What stands there besides cells: grid and light.
    spawned: Vec<Entity>,
    /// The cells that are here.
    cells: cells::World,
}

/// Colours of the surroundings, from the tokens of `twin_ui::theme`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surroundings {
    /// Top and bottom of the background.
    pub ground: [Rgb; 2],
    /// Grid lines.
    pub grid: Rgb,
    /// Whether the theme is light.
    pub light: bool,
}

/// How much goes into the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quality {
    /// Our own material: quick on any machine.
    #[default]
    Slim,
    /// StandardMaterial with shadows: for real graphics chips.
    High,
}

/// The 3D camera.
#[derive(Component)]
pub struct MainCamera;

/// Adds materials and what is there from the beginning.
pub(super) fn plugin(app: &mut App) {
    material::plugin(app);
    high::plugin(app);
    app.init_resource::<SceneAssets>();
    app.add_systems(Startup, (setup, suit_the_adapter).chain());
    app.add_systems(PostUpdate, (detail::edges_worth_drawing, detail::ghosts_worth_drawing));
}

fn setup(
    mut commands: Commands,
    mut assets: ResMut<SceneAssets>,
    mut images: ResMut<Assets<Image>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut backdrops: ResMut<Assets<BackdropMaterial>>,
    mut grids: ResMut<Assets<GridMaterial>>,
    mut outlines: ResMut<Assets<OutlineMaterial>>,
) {
    assets.white = images.add(one_texel(255));
    assets.shadow = images.add(one_texel(0));
    assets.backdrop = backdrops.add(BackdropMaterial { look: BackdropLook { top: Vec4::ZERO, bottom: Vec4::ZERO } });
    assets.grid = grids.add(GridMaterial { look: GridLook { color: Vec4::ZERO, plane: Vec4::ONE } });
    // Black around white: seen on any colour, and no status looks like it.
    assets.outlines = [(Vec4::new(0.0, 0.0, 0.0, 1.0), 3.5), (Vec4::ONE, 2.0)]
        .map(|(color, width)| outlines.add(OutlineMaterial { look: OutlineLook { color, width: Vec4::splat(width) } }));
    commands.spawn((Mesh3d(meshes.add(build::screen_triangle())), MeshMaterial3d(assets.backdrop.clone()), NoFrustumCulling));
    commands.spawn((
        MainCamera,
        Camera3d::default(),
        // Its picture stays in the shared texture; the camera of the panels writes both to the screen.
        Camera {
            order: 0,
            output_mode: CameraOutputMode::Skip,
            clear_color: ClearColorConfig::Custom(Color::BLACK),
            ..default()
        },
        Projection::Perspective(PerspectiveProjection { fov: FOV_Y, near: NEAR_M, far: 10_000.0, ..default() }),
        Tonemapping::None,
        DebandDither::Disabled,
        Msaa::Sample4,
    ));
    commands.spawn((
        PrimaryEguiContext,
        Camera2d,
        RenderLayers::none(),
        Camera { order: 1, clear_color: ClearColorConfig::None, ..default() },
        Tonemapping::None,
        DebandDither::Disabled,
        Msaa::Sample4,
    ));
}

/// Without a real GPU smooth edges cost several times the picture itself: leave them out there.
fn suit_the_adapter(adapter: Option<Res<'_, RenderAdapterInfo>>, mut cameras: Query<'_, '_, &mut Msaa>) {
    // By name: the type itself is not handed on by Bevy.
    if adapter.is_some_and(|adapter| format!("{:?}", adapter.device_type) == "Cpu") {
        for mut msaa in &mut cameras {
            *msaa = Msaa::Off;
        }
    }
}

fn one_texel(value: u8) -> Image {
    Image::new_fill(
        Extent3d { width: 1, height: 1, depth_or_array_layers: 1 },
        TextureDimension::D2,
        &[value; 4],
        TextureFormat::Rgba8Unorm,
        RenderAssetUsages::default(),
    )
}

/// Where the floor's lines are and how far they reach, in metres.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Grid {
    height: f32,
    spacing: f32,
    reach: f32,
}

impl Grid {
    /// A grid to suit a site: about ten lines across it, in a power of ten of metres, gone at four times its size.
    fn of(bounds: &Aabb) -> (Self, Vec2) {
        let (min, max) = if bounds.is_empty() { (Vec3::splat(-1.0), Vec3::ONE) } else { (bounds.min, bounds.max) };
        let radius = ((max - min).length() * 0.5).max(0.01);
        let spacing = 10f32.powf((radius / 4.0).log10().round());
        // A little below, or it would flicker through the floor.
        let height = min.y.min(0.0) - radius * 0.001;
        (Self { height, spacing, reach: radius * 4.0 }, Vec2::new(min.x + max.x, min.z + max.z) * 0.5)
    }
}

fn linear(color: Rgb) -> Vec4 {
    let [r, g, b] = color.linear();
    Vec4::new(r, g, b, 1.0)
}

/// Lights and colours of the part material in a theme.
fn look(around: Surroundings, floor: Vec4) -> Look {
    let key = Vec3::new(0.45, 0.78, 0.35).normalize();
    let (sky, ground, strength) = if around.light {
        (Vec3::splat(0.72), Vec3::splat(0.40), 0.42)
    } else {
        (Vec3::new(0.60, 0.63, 0.68), Vec3::splat(0.24), 0.46)
    };
    Look {
        fill: Status::ALL.map(|status| linear(fill(status))),
        key: key.extend(strength),
        sky: sky.extend(0.0),
        ground: ground.extend(FAINT.0),
        style: Vec4::new(1.0, FAINT.1, 0.6, 0.0),
        edge: if around.light { Vec4::new(0.10, 0.12, 0.14, 0.30) } else { Vec4::new(0.02, 0.025, 0.03, 0.42) },
        floor,
    }
}

/// Changes colours to another theme.
pub fn restyle(
    around: Surroundings,
    assets: &SceneAssets,
    materials: &mut Assets<PartMaterial>,
    backdrops: &mut Assets<BackdropMaterial>,
    grids: &mut Assets<GridMaterial>,
    high: &mut Assets<HighMaterial>,
) {
    let look = detail::with_beat(look(around, assets.floor), assets.beat);
    for handle in &assets.parts {
        if let Some(mut material) = materials.get_mut(handle) {
            material.look = look;
        }
    }
    for handle in &assets.high {
        if let Some(mut material) = high.get_mut(handle) {
            material.extension.look = look;
        }
    }
    if let Some(mut backdrop) = backdrops.get_mut(&assets.backdrop) {
        backdrop.look = BackdropLook { top: linear(around.ground[0]), bottom: linear(around.ground[1]) };
    }
    if let Some(mut grid) = grids.get_mut(&assets.grid) {
        let place = assets.grid_place;
        grid.look =
            GridLook { color: linear(around.grid).truncate().extend(0.8), plane: Vec4::new(place.height, place.reach, 0.0, 0.0) };
    }
}

/// Draws the outline around these parts instead of any before.
pub fn outline(
    scene: &CellScene,
    parts: &[PartIndex],
    commands: &mut Commands<'_, '_>,
    meshes: &mut Assets<Mesh>,
    assets: &mut SceneAssets,
) {
    for entity in assets.outlined.drain(..) {
        commands.entity(entity).despawn();
    }
    let Some((mesh, bounds)) = build::outline_mesh(scene, parts) else { return };
    let mesh = meshes.add(mesh);
    for material in assets.outlines.clone() {
        let entity = commands.spawn((Mesh3d(mesh.clone()), MeshMaterial3d(material), bounds)).id();
        assets.outlined.push(entity);
    }
}

/// The camera's viewport for a rectangle in physical pixels; `None` where nothing is left of it.
pub fn viewport(position: UVec2, size: UVec2) -> Option<Viewport> {
    (size.x > 0 && size.y > 0).then(|| Viewport { physical_position: position, physical_size: size, ..default() })
}
