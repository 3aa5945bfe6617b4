//! The node tree: twins, their parts, shared meshes. Knows nothing of bottling machines nor of the file's bytes.

use std::collections::BTreeMap;

use super::material::Mat;
use super::math::{V3, Xf, v};
use super::mesh::Mesh;

/// Positions are kept on this grid (1/4096 m, a quarter of a millimetre): equal shapes become equal bytes.
const POSITION_GRID: f32 = 4096.0;
/// Normals are kept on this grid; the length stays within 0.2 % of 1.
const NORMAL_GRID: f32 = 1024.0;

/// Index of a node in [`Scene::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(pub(crate) usize);

/// One node: a placement in its parent's space and perhaps a mesh.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) xf: Xf,
    pub(crate) mesh: Option<usize>,
    pub(crate) children: Vec<usize>,
    /// The node that is the root of the twin this one belongs to.
    pub(crate) twin: usize,
    pub(crate) world: Xf,
}

/// Vertices on the grid, without doubles, ready to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BakedPrim {
    pub(crate) mat: usize,
    pub(crate) vertices: Vec<[i32; 6]>,
    pub(crate) indices: Vec<u32>,
}

/// A position in metres from its grid numbers.
pub(crate) fn position(g: &[i32; 6]) -> [f32; 3] {
    [g[0] as f32 / POSITION_GRID, g[1] as f32 / POSITION_GRID, g[2] as f32 / POSITION_GRID]
}

/// A normal from its grid numbers.
pub(crate) fn normal(g: &[i32; 6]) -> [f32; 3] {
    [g[3] as f32 / NORMAL_GRID, g[4] as f32 / NORMAL_GRID, g[5] as f32 / NORMAL_GRID]
}

/// The whole scene while it is being built.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(crate) nodes: Vec<Node>,
    pub(crate) roots: Vec<usize>,
    pub(crate) meshes: Vec<Vec<BakedPrim>>,
    by_shape: BTreeMap<Vec<BakedPrim>, usize>,
}

impl Scene {
    /// Adds a twin's root node (no mesh), named exactly `id`.
    pub(crate) fn twin(&mut self, parent: Option<NodeId>, id: &str, xf: Xf) -> NodeId {
        let index = self.nodes.len();
        self.push(parent, id.to_owned(), xf, None, index)
    }

    /// Adds a twin that is a single root node with a mesh.
    pub(crate) fn twin_with_mesh(&mut self, id: &str, xf: Xf, mesh: &Mesh) -> NodeId {
        let index = self.nodes.len();
        let mesh = self.share(mesh);
        self.push(None, id.to_owned(), xf, mesh, index)
    }

    /// Adds a part named `<twin>/<part>` under `parent` (a twin root or another part); an empty mesh makes an empty node.
    pub(crate) fn part(&mut self, parent: NodeId, part: &str, xf: Xf, mesh: &Mesh) -> NodeId {
        let twin = self.nodes[parent.0].twin;
        let name = format!("{}/{part}", self.nodes[twin].name);
        let mesh = self.share(mesh);
        self.push(Some(parent), name, xf, mesh, twin)
    }

    /// As [`Scene::part`], in the parent's own place.
    pub(crate) fn fixed(&mut self, parent: NodeId, part: &str, build: impl FnOnce(&mut Mesh)) -> NodeId {
        self.part(parent, part, Xf::ID, &Mesh::of(build))
    }

    fn push(&mut self, parent: Option<NodeId>, name: String, xf: Xf, mesh: Option<usize>, twin: usize) -> NodeId {
        let index = self.nodes.len();
        let world = match parent {
            Some(p) => self.nodes[p.0].world.then(xf),
            None => xf,
        };
        match parent {
            Some(p) => self.nodes[p.0].children.push(index),
            None => self.roots.push(index),
        }
        self.nodes.push(Node { name, xf, mesh, children: Vec::new(), twin, world });
        NodeId(index)
    }

    /// Equal shapes share one mesh.
    fn share(&mut self, mesh: &Mesh) -> Option<usize> {
        let baked = bake(mesh);
        if baked.is_empty() {
            return None;
        }
        if let Some(known) = self.by_shape.get(&baked) {
            return Some(*known);
        }
        let index = self.meshes.len();
        self.meshes.push(baked.clone());
        self.by_shape.insert(baked, index);
        Some(index)
    }

    /// The corners of a node's own mesh in world space, or `None` without one.
    pub(crate) fn world_bounds(&self, node: usize) -> Option<(V3, V3)> {
        let node = &self.nodes[node];
        let mut bounds: Option<(V3, V3)> = None;
        for prim in &self.meshes[node.mesh?] {
            for g in &prim.vertices {
                let p = node.world.point(position(g).into());
                bounds = Some(grow(bounds, p, p));
            }
        }
        bounds
    }
}

/// The union of a box and a box.
pub(crate) fn grow(bounds: Option<(V3, V3)>, low: V3, high: V3) -> (V3, V3) {
    bounds.map_or((low, high), |(a, b)| {
        (v(a.x.min(low.x), a.y.min(low.y), a.z.min(low.z)), v(b.x.max(high.x), b.y.max(high.y), b.z.max(high.z)))
    })
}

/// Snaps to the grid, merges equal vertices, drops triangles without area.
fn bake(mesh: &Mesh) -> Vec<BakedPrim> {
    let mut out = Vec::new();
    for (mat, prim) in &mesh.prims {
        let mut known: BTreeMap<[i32; 6], u32> = BTreeMap::new();
        let mut baked = BakedPrim { mat: palette_index(*mat), ..BakedPrim::default() };
        for t in prim.idx.chunks_exact(3) {
            let corner: Vec<[i32; 6]> = t.iter().map(|i| snap(prim.pos[*i as usize], prim.nor[*i as usize])).collect();
            let same = |a: usize, b: usize| corner[a][..3] == corner[b][..3];
            if same(0, 1) || same(1, 2) || same(0, 2) {
                continue;
            }
            for c in corner {
                let next = baked.vertices.len() as u32;
                let index = *known.entry(c).or_insert(next);
                if index == next {
                    baked.vertices.push(c);
                }
                baked.indices.push(index);
            }
        }
        if !baked.indices.is_empty() {
            out.push(baked);
        }
    }
    out
}

fn palette_index(mat: Mat) -> usize {
    Mat::ALL.iter().position(|m| *m == mat).unwrap_or(0)
}

fn snap(p: V3, n: V3) -> [i32; 6] {
    let g = |x: f32, grid: f32| libm::roundf(x * grid) as i32;
    let n = n.norm();
    [
        g(p.x, POSITION_GRID),
        g(p.y, POSITION_GRID),
        g(p.z, POSITION_GRID),
        g(n.x, NORMAL_GRID),
        g(n.y, NORMAL_GRID),
        g(n.z, NORMAL_GRID),
    ]
}
