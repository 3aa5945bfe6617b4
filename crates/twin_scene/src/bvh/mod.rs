//! Answers "which part is under the pointer" and "which parts are in this box": bounding volume hierarchies over parts and
//! over the triangles of each mesh. Knows nothing of a renderer and needs no graphics processor.
//!
//! Two levels: one tree over the boxes of all parts, and one tree per *mesh* in the mesh's own space, shared by all parts
//! that show it. Trees of meshes are built in steps ([`SceneBvh::step`]) or when a ray first needs one.

mod mesh;
mod ray;
mod scene;
mod tree;

pub use mesh::{LocalHit, MeshBuilder, MeshBvh};
pub use ray::{Ray, ray_triangle};
pub(crate) use scene::reaches_inside;
pub use scene::{Hit, SceneBvh};
pub use tree::{Tree, TreeBuilder};
