//! Our materials: parts coloured through one palette texture, selection outlines, and the backdrop.
//!
//! Refuses to know twins and health; it speaks texels. See `assets/shaders/part.wgsl` for the drawing itself.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::mesh::{MeshVertexAttribute, MeshVertexBufferLayoutRef, VertexFormat};
use bevy::pbr::{Material, MaterialPipeline, MaterialPipelineKey, MaterialPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, CompareFunction, Face, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::shader::ShaderRef;

const PART_SHADER: Handle<Shader> = uuid_handle!("6f1f3f0a-6c1d-4a6b-9c0e-0c9a8f3f7a01");
const OUTLINE_SHADER: Handle<Shader> = uuid_handle!("6f1f3f0a-6c1d-4a6b-9c0e-0c9a8f3f7a02");
const BACKDROP_SHADER: Handle<Shader> = uuid_handle!("6f1f3f0a-6c1d-4a6b-9c0e-0c9a8f3f7a03");
const MARKS_SHADER: Handle<Shader> = uuid_handle!("6f1f3f0a-6c1d-4a6b-9c0e-0c9a8f3f7a06");
const GRID_SHADER: Handle<Shader> = uuid_handle!("6f1f3f0a-6c1d-4a6b-9c0e-0c9a8f3f7a04");

/// Place on the cell's lattice, and the part's number in the cell. The mesh's transform leads to the scene's space, its tag is the slot
/// of the cell's first part.
pub const ATTRIBUTE_LATTICE16: MeshVertexAttribute =
    MeshVertexAttribute::new("Lattice16", 0x4F52_5259_0001, VertexFormat::Uint16x4);
/// The same where 16 bits are too few.
pub const ATTRIBUTE_LATTICE32: MeshVertexAttribute =
    MeshVertexAttribute::new("Lattice32", 0x4F52_5259_0002, VertexFormat::Uint32x4);
/// Unit normal as a point of the unfolded octahedron.
pub const ATTRIBUTE_NORMAL_OCT: MeshVertexAttribute =
    MeshVertexAttribute::new("NormalOct", 0x4F52_5259_0003, VertexFormat::Snorm16x2);
/// Base colour, encoded as sRGB, and alpha.
pub const ATTRIBUTE_COLOR8: MeshVertexAttribute = MeshVertexAttribute::new("Color8", 0x4F52_5259_0004, VertexFormat::Unorm8x4);
/// Roughness, metal, glow, and flags of the surface.
pub const ATTRIBUTE_SURFACE8: MeshVertexAttribute =
    MeshVertexAttribute::new("Surface8", 0x4F52_5259_0005, VertexFormat::Unorm8x4);

/// Width of the palette texture in texels, the least that WebGL2 promises; slot `s` sits at `(s % 2048, s / 2048)`.
pub const PALETTE_WIDTH: u32 = 2048;

/// What the part shader needs besides the palette; one for the whole scene. Layout as in `marks.wgsl`.
#[derive(Clone, Copy, Debug, ShaderType)]
pub struct Look {
    /// Linear RGB by status code.
    pub fill: [Vec4; 6],
    /// Direction to the key light and its strength.
    pub key: Vec4,
    /// Light from above; w = 1 shows normal parts in the status grey.
    pub sky: Vec4,
    /// Light from below; w = opacity of ghosts.
    pub ground: Vec4,
    /// Metres per pattern period, opacity of what was never seen, saturation of normal parts, pulse of unacknowledged alarms.
    pub style: Vec4,
    /// Edge colour and its cover.
    pub edge: Vec4,
    /// Contact shadow: centre x and z, extent in metres, strength.
    pub floor: Vec4,
}

/// The slim material: all parts of the site share a handful of these, one per kind and image.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
#[bind_group_data(PartKey)]
pub struct PartMaterial {
    /// Lights, colours and style.
    #[uniform(0)]
    pub look: Look,
    /// `Rgba8Uint`, one texel per slot.
    #[texture(1, sample_type = "u_int")]
    pub palette: Handle<Image>,
    /// Baked contact shadow of the floor, one channel.
    #[texture(2)]
    #[sampler(3)]
    pub shadow: Handle<Image>,
    /// Base colour image of what is textured; any image elsewhere.
    #[texture(4)]
    #[sampler(5)]
    pub image: Handle<Image>,
    /// What it draws.
    pub kind: PartKind,
    /// Whether back faces are drawn; glTF's default is that they are not.
    pub double_sided: bool,
}

/// What a [`PartMaterial`] draws.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum PartKind {
    /// Opaque faces.
    #[default]
    Faces,
    /// Opaque faces with an image.
    Textured,
    /// Faces that let light through.
    Blended,
    /// Edges.
    Edges,
    /// Of any faces those that are shown faintly: ghosts while something is isolated, and what was never seen. The other
    /// kinds leave them out, so that opaque ones need not discard.
    Ghosts,
}

/// What of a [`PartMaterial`] decides its pipeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(C)]
pub struct PartKey {
    kind: PartKind,
    double_sided: bool,
}

impl From<&PartMaterial> for PartKey {
    fn from(material: &PartMaterial) -> Self {
        Self { kind: material.kind, double_sided: material.double_sided }
    }
}

impl Material for PartMaterial {
    fn vertex_shader() -> ShaderRef {
        PART_SHADER.into()
    }

    fn fragment_shader() -> ShaderRef {
        PART_SHADER.into()
    }

    fn alpha_mode(&self) -> AlphaMode {
        match self.kind {
            PartKind::Faces | PartKind::Textured => AlphaMode::Opaque,
            PartKind::Blended | PartKind::Edges | PartKind::Ghosts => AlphaMode::Blend,
        }
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _pipeline: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        layout: &MeshVertexBufferLayoutRef,
        key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        let PartKey { kind, double_sided } = key.bind_group_data;
        let lattice = if layout.0.contains(ATTRIBUTE_LATTICE32) { ATTRIBUTE_LATTICE32 } else { ATTRIBUTE_LATTICE16 };
        let mut attributes = vec![lattice.at_shader_location(0)];
        if kind != PartKind::Edges {
            attributes.push(ATTRIBUTE_NORMAL_OCT.at_shader_location(1));
            attributes.push(ATTRIBUTE_COLOR8.at_shader_location(2));
            attributes.push(ATTRIBUTE_SURFACE8.at_shader_location(3));
        }
        if kind == PartKind::Textured {
            attributes.push(Mesh::ATTRIBUTE_UV_0.at_shader_location(4));
        }
        descriptor.vertex.buffers = vec![layout.0.get_layout(&attributes)?];
        // Compiling turned the triangles of mirrored parts, so front faces are counter-clockwise everywhere.
        descriptor.primitive.cull_mode = if double_sided { None } else { Some(Face::Back) };
        let kind = match kind {
            PartKind::Faces => None,
            PartKind::Textured => Some("TEXTURED"),
            PartKind::Blended => Some("BLENDED"),
            PartKind::Edges => Some("EDGES"),
            PartKind::Ghosts => Some("GHOSTS"),
        };
        for define in kind.into_iter().chain(double_sided.then_some("DOUBLE_SIDED")) {
            descriptor.vertex.shader_defs.push(define.into());
            if let Some(fragment) = &mut descriptor.fragment {
                fragment.shader_defs.push(define.into());
            }
        }
        Ok(())
    }
}

/// Uniform of [`OutlineMaterial`].
#[derive(Clone, Copy, Debug, ShaderType)]
pub struct OutlineLook {
    /// Linear RGBA.
    pub color: Vec4,
    /// x: width in pixels.
    pub width: Vec4,
}

/// One ring of the selection outline: white inside black.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub struct OutlineMaterial {
    /// Colour and width.
    #[uniform(0)]
    pub look: OutlineLook,
}

impl Material for OutlineMaterial {
    fn vertex_shader() -> ShaderRef {
        OUTLINE_SHADER.into()
    }

    fn fragment_shader() -> ShaderRef {
        OUTLINE_SHADER.into()
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _pipeline: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        layout: &MeshVertexBufferLayoutRef,
        _key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        descriptor.vertex.buffers = vec![
            layout
                .0
                .get_layout(&[Mesh::ATTRIBUTE_POSITION.at_shader_location(0), Mesh::ATTRIBUTE_NORMAL.at_shader_location(1)])?,
        ];
        descriptor.primitive.cull_mode = Some(Face::Front);
        Ok(())
    }
}

/// Uniform of [`BackdropMaterial`]; layout as in `backdrop.wgsl`.
#[derive(Clone, Copy, Debug, ShaderType)]
pub struct BackdropLook {
    /// Linear colour at the top of the view.
    pub top: Vec4,
    /// Linear colour at the bottom.
    pub bottom: Vec4,
}

/// Gradient behind everything.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub struct BackdropMaterial {
    /// Colours.
    #[uniform(0)]
    pub look: BackdropLook,
}

impl Material for BackdropMaterial {
    fn vertex_shader() -> ShaderRef {
        BACKDROP_SHADER.into()
    }

    fn fragment_shader() -> ShaderRef {
        BACKDROP_SHADER.into()
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _pipeline: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        layout: &MeshVertexBufferLayoutRef,
        _key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        descriptor.vertex.buffers = vec![layout.0.get_layout(&[Mesh::ATTRIBUTE_POSITION.at_shader_location(0)])?];
        descriptor.primitive.cull_mode = None;
        if let Some(depth) = &mut descriptor.depth_stencil {
            depth.depth_write_enabled = Some(false);
            depth.depth_compare = Some(CompareFunction::GreaterEqual);
        }
        Ok(())
    }
}

/// Uniform of [`GridMaterial`]; layout as in `grid.wgsl`.
#[derive(Clone, Copy, Debug, ShaderType)]
pub struct GridLook {
    /// Linear colour; a = strength.
    pub color: Vec4,
    /// Floor height and fade distance in metres.
    pub plane: Vec4,
}

/// Lines on the floor plane.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub struct GridMaterial {
    /// Colour and place.
    #[uniform(0)]
    pub look: GridLook,
}

impl Material for GridMaterial {
    fn vertex_shader() -> ShaderRef {
        GRID_SHADER.into()
    }

    fn fragment_shader() -> ShaderRef {
        GRID_SHADER.into()
    }

    fn alpha_mode(&self) -> AlphaMode {
        AlphaMode::Blend
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _pipeline: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        layout: &MeshVertexBufferLayoutRef,
        _key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        descriptor.vertex.buffers = vec![layout.0.get_layout(&[Mesh::ATTRIBUTE_POSITION.at_shader_location(0)])?];
        Ok(())
    }
}

/// Registers the materials and their embedded shaders.
pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, MARKS_SHADER, "../../../assets/shaders/marks.wgsl", Shader::from_wgsl);
    load_internal_asset!(app, PART_SHADER, "../../../assets/shaders/part.wgsl", Shader::from_wgsl);
    load_internal_asset!(app, OUTLINE_SHADER, "../../../assets/shaders/outline.wgsl", Shader::from_wgsl);
    load_internal_asset!(app, BACKDROP_SHADER, "../../../assets/shaders/backdrop.wgsl", Shader::from_wgsl);
    load_internal_asset!(app, GRID_SHADER, "../../../assets/shaders/grid.wgsl", Shader::from_wgsl);
    app.add_plugins((
        MaterialPlugin::<PartMaterial>::default(),
        MaterialPlugin::<OutlineMaterial>::default(),
        MaterialPlugin::<BackdropMaterial>::default(),
        MaterialPlugin::<GridMaterial>::default(),
    ));
}
