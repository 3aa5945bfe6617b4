//! What there is to see of a node: triangles, or the reason why not.

use super::{AlphaMode, Material, Mesh, Node, SceneModel};

/// What there is to see of a node itself, without its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// It has no mesh, or the shown scene does not reach it.
    #[default]
    Nothing,
    /// Triangles.
    Drawn,
    /// Its mesh holds lines or points alone.
    LinesOrPoints,
    /// Its mesh holds nothing, or nothing that could be read.
    Empty,
    /// The file hides it (KHR_node_visibility).
    Hidden,
    /// Every corner of its mesh lies on one point or one line, for example by a scale of 0.
    NoSize,
    /// Its materials let everything through.
    Transparent,
}

impl Look {
    /// Ends the sentence "nothing of it can be seen: …".
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Nothing => "its nodes have no geometry",
            Self::Drawn => "it is drawn",
            Self::LinesOrPoints => "it holds only lines or points",
            Self::Empty => "its mesh holds nothing that can be read",
            Self::Hidden => "the file hides it (KHR_node_visibility)",
            Self::NoSize => "it has no size (all on one point or line; is a scale 0?)",
            Self::Transparent => "its material is fully transparent",
        }
    }
}

impl SceneModel {
    /// What there is to see of each node, in node order.
    pub fn looks(&self) -> Vec<Look> {
        let meshes: Vec<Look> = self.meshes.iter().map(|mesh| self.mesh_look(mesh)).collect();
        self.nodes.iter().map(|node| self.node_look(node, &meshes)).collect()
    }

    fn node_look(&self, node: &Node, meshes: &[Look]) -> Look {
        let Some(mesh) = node.mesh.filter(|_| node.in_scene) else { return Look::Nothing };
        match meshes.get(mesh).copied().unwrap_or(Look::Empty) {
            Look::Drawn if node.hidden => Look::Hidden,
            Look::Drawn if self.meshes.get(mesh).is_some_and(|mesh| flattened(node, mesh)) => Look::NoSize,
            look => look,
        }
    }

    fn mesh_look(&self, mesh: &Mesh) -> Look {
        if mesh.primitives.is_empty() {
            return if mesh.lines_or_points > 0 { Look::LinesOrPoints } else { Look::Empty };
        }
        let clear = mesh.primitives.iter().all(|primitive| {
            let material = primitive.material.and_then(|at| self.materials.get(at));
            material.is_some_and(Material::lets_all_through)
        });
        if clear { Look::Transparent } else { Look::Drawn }
    }
}

/// Whether the mesh, where it stands, has an extent along less than two directions.
fn flattened(node: &Node, mesh: &Mesh) -> bool {
    let size = mesh.bounds().size();
    let axes = [(node.world.x_axis, size.x), (node.world.y_axis, size.y), (node.world.z_axis, size.z)];
    let [a, b, c] = axes.map(|(axis, size)| axis.truncate() * f64::from(size));
    let areas = [a.cross(b), b.cross(c), c.cross(a)];
    areas.iter().all(|area| area.length_squared() == 0.0)
}

impl Material {
    /// Whether nothing of it is ever seen; textures and colours of corners only make its alpha less (glTF 2.0, 3.9.2 and 3.9.4).
    pub fn lets_all_through(&self) -> bool {
        let [.., alpha] = self.base_color;
        match self.alpha {
            AlphaMode::Opaque => false,
            AlphaMode::Mask { cutoff } => alpha < cutoff,
            AlphaMode::Blend => alpha <= 0.0,
        }
    }
}
