//! Neutral geometry: what a model file becomes before any renderer sees it. Knows nothing of glTF, Bevy or twins.
//!
//! Units are the file's (metres for glTF), right-handed, Y up. Every mesh is a list of counter-clockwise triangles. Where things
//! stand is kept in 64-bit floats: a site in national coordinates lies thousands of kilometres from its origin, where 32 bits
//! know half metres. Start with [`SceneModel`].

mod aabb;
mod look;
mod normals;

use glam::DMat4;
use serde_json::Value;

pub use aabb::Aabb;
pub use look::Look;
pub use normals::{face_normal, flat_shaded};

/// One loaded model file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SceneModel {
    /// Every node of the file, also those outside the shown scene, at its index in the file; nodes that stand for GPU
    /// instances follow at the end.
    pub nodes: Vec<Node>,
    /// Every mesh of the file at its index in the file; a mesh none of whose primitives could be read has no primitives.
    /// Meshes that skins or weights bring into further shapes follow at the end.
    pub meshes: Vec<Mesh>,
    /// Every material of the file at its index in the file.
    pub materials: Vec<Material>,
    /// Images that some material uses as base colour; [`Material::base_color_image`] points here.
    pub images: Vec<Image>,
    /// Root nodes of the shown scene, in file order.
    pub roots: Vec<usize>,
    /// What was left out or repaired; at most a few hundred, in the order they were met.
    pub warnings: Vec<Warning>,
}

/// One node of the tree of a model file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The name in the file; `None` when absent or empty. Names need not be unique.
    pub name: Option<String>,
    /// Names from the root down joined by `/`; an unnamed node stands as `#<node index>`, a GPU instance as `@<instance>`.
    /// Names are not escaped and duplicates are kept, so two nodes may have the same path.
    pub path: String,
    /// The name of its mesh, where the node itself has none: what modelling programs show for such a node.
    pub mesh_name: Option<String>,
    /// The path with the names of meshes in the place of missing names; `None` where that makes no difference.
    pub alias: Option<String>,
    /// The parent's index; `None` for a root.
    pub parent: Option<usize>,
    /// Indices of the children, in file order.
    pub children: Vec<usize>,
    /// Index of the mesh drawn at this node.
    pub mesh: Option<usize>,
    /// Transform to the parent's space, as the file gives it.
    pub local: DMat4,
    /// From the space of its mesh to the file's space. A mesh that hangs on a skin stands where the joints put it, whatever
    /// the transform of its node says (glTF 2.0 section 3.7.3.3).
    pub world: DMat4,
    /// The file's `extras` of this node; `Null` when absent.
    pub extras: Value,
    /// False for a node that the shown scene does not reach.
    pub in_scene: bool,
    /// Whether the file hides it or a node above it (KHR_node_visibility).
    pub hidden: bool,
}

/// A named list of primitives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mesh {
    /// The name in the file; `None` when absent or empty.
    pub name: Option<String>,
    /// The file's `extras` of this mesh, completed by those of its primitives; `Null` when absent.
    pub extras: Value,
    /// What could be read of it, in file order.
    pub primitives: Vec<Primitive>,
    /// How many of its primitives are lines or points, which are not drawn.
    pub lines_or_points: usize,
}

/// Indexed triangles of one material.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Primitive {
    /// Vertex positions; always finite.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals, one per position; computed per face (and the vertices split) where the file has none, as glTF asks.
    pub normals: Vec<[f32; 3]>,
    /// Texture coordinates of the base colour, one per position; empty where the material has no image.
    pub uvs: Vec<[f32; 2]>,
    /// Linear vertex colours that multiply the base colour, one per position; empty where the file has none.
    pub colors: Vec<[f32; 4]>,
    /// Three per triangle; always below the number of positions.
    pub indices: Vec<u32>,
    /// Index of the material; `None` stands for [`Material::default`].
    pub material: Option<usize>,
}

/// How the alpha of the base colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum AlphaMode {
    /// Alpha is ignored.
    #[default]
    Opaque,
    /// Fully drawn where alpha is at least the cutoff, not drawn below it.
    Mask {
        /// In `0..=2`: above 1 nothing is drawn.
        cutoff: f32,
    },
    /// Blended with what is behind.
    Blend,
}

/// A surface, reduced to what the viewer draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// The name in the file; `None` when absent or empty.
    pub name: Option<String>,
    /// The file's `extras` of this material; `Null` when absent.
    pub extras: Value,
    /// Linear RGBA in `0..=1`.
    pub base_color: [f32; 4],
    /// Position in [`SceneModel::images`]; the texture multiplies the base colour and is sRGB.
    pub base_color_image: Option<usize>,
    /// `0..=1`.
    pub metallic: f32,
    /// `0..=1`.
    pub roughness: f32,
    /// Linear RGB, not negative; may exceed 1.
    pub emissive: [f32; 3],
    /// Use of alpha.
    pub alpha: AlphaMode,
    /// Whether back faces are drawn.
    pub double_sided: bool,
    /// Whether the base colour is shown without lighting.
    pub unlit: bool,
}

impl Default for Material {
    /// glTF 2.0 section 3.9: white, fully metallic and rough is the format's default for a *given* material without
    /// values; for "no material at all" it is the same, and it looks black without an environment, so metallic is 0 here.
    fn default() -> Self {
        Self {
            name: None,
            extras: Value::Null,
            base_color: [1.0; 4],
            base_color_image: None,
            metallic: 0.0,
            roughness: 1.0,
            emissive: [0.0; 3],
            alpha: AlphaMode::Opaque,
            double_sided: false,
            unlit: false,
        }
    }
}

/// An encoded image, not decoded here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The name in the file; `None` when absent or empty.
    pub name: Option<String>,
    /// `image/png` or `image/jpeg`, from the first bytes rather than from what the file claims.
    pub mime: &'static str,
    /// Width and height in pixels, from the header.
    pub size: [u32; 2],
    /// The encoded bytes.
    pub bytes: Vec<u8>,
}

/// Something in the file that was left out or repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, as a JSON pointer (`/meshes/3/primitives/0`) or a part of the container (`GLB chunk 2`).
    pub at: String,
    /// What was found and what was done about it.
    pub message: String,
    /// How to mend the file; empty where there is nothing to do.
    pub help: String,
    /// Whether something may be missing, or elsewhere, or of another shape than the file says.
    pub matters: bool,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.at, self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, " ({})", self.help) }
    }
}

impl Primitive {
    /// Number of triangles.
    pub fn triangle_count(&self) -> usize {
        self.indices.len() / 3
    }

    /// Bounds of all positions, in the mesh's space.
    pub fn bounds(&self) -> Aabb {
        Aabb::of_points(self.positions.iter().copied())
    }

    /// The corners of a triangle; `None` beyond the last.
    pub fn triangle(&self, index: usize) -> Option<[[f32; 3]; 3]> {
        let corners = self.indices.get(index * 3..index * 3 + 3)?;
        let corner = |at: usize| self.positions.get(*corners.get(at)? as usize).copied();
        Some([corner(0)?, corner(1)?, corner(2)?])
    }
}

impl Mesh {
    /// Number of triangles of all primitives.
    pub fn triangle_count(&self) -> usize {
        self.primitives.iter().map(Primitive::triangle_count).sum()
    }

    /// Number of vertices of all primitives.
    pub fn vertex_count(&self) -> usize {
        self.primitives.iter().map(|p| p.positions.len()).sum()
    }

    /// Bounds of all primitives, in the mesh's space.
    pub fn bounds(&self) -> Aabb {
        self.primitives.iter().fold(Aabb::EMPTY, |all, p| all.union(&p.bounds()))
    }
}

impl SceneModel {
    /// The material of a primitive: its own, or the default.
    pub fn material_of(&self, primitive: &Primitive) -> Material {
        primitive.material.and_then(|at| self.materials.get(at)).cloned().unwrap_or_default()
    }

    /// Indices and meshes of all nodes that the shown scene draws, in node order; hidden ones are not drawn.
    pub fn drawn(&self) -> impl Iterator<Item = (usize, &Node, &Mesh)> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.in_scene && !node.hidden).filter_map(|(at, node)| {
            let mesh = self.meshes.get(node.mesh?)?;
            Some((at, node, mesh))
        })
    }

    /// Triangles drawn in the shown scene: a mesh counts once per node that shows it.
    pub fn scene_triangles(&self) -> usize {
        self.drawn().map(|(_, _, mesh)| mesh.triangle_count()).sum()
    }

    /// Bounds of the shown scene in the file's space; [`Aabb::EMPTY`] when nothing is drawn.
    pub fn bounds(&self) -> Aabb {
        let boxes: Vec<Aabb> = self.meshes.iter().map(Mesh::bounds).collect();
        let mut all = Aabb::EMPTY;
        for (_, node, _) in self.drawn() {
            if let Some(local) = node.mesh.and_then(|at| boxes.get(at)) {
                all = all.union(&local.transformed(&node.world));
            }
        }
        all
    }

    /// Bytes held by vertices, indices and images.
    pub fn bytes(&self) -> usize {
        let primitive = |p: &Primitive| {
            p.positions.len() * 12 + p.normals.len() * 12 + p.uvs.len() * 8 + p.colors.len() * 16 + p.indices.len() * 4
        };
        let meshes: usize = self.meshes.iter().flat_map(|mesh| &mesh.primitives).map(primitive).sum();
        meshes + self.images.iter().map(|image| image.bytes.len()).sum::<usize>()
    }
}
