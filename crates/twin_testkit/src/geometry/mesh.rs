//! A triangle mesh in parts by material, in local space; knows nothing of nodes or files.

use std::collections::BTreeMap;

use super::material::Mat;
use super::math::{V3, Xf};

/// Triangles of one material.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prim {
    pub(crate) pos: Vec<V3>,
    pub(crate) nor: Vec<V3>,
    pub(crate) idx: Vec<u32>,
}

/// A mesh: one [`Prim`] per material, in the order of the palette.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    pub(crate) prims: BTreeMap<Mat, Prim>,
}

impl Prim {
    /// Adds a vertex and returns its index.
    pub(crate) fn vert(&mut self, p: V3, n: V3) -> u32 {
        let i = self.pos.len() as u32;
        self.pos.push(p);
        self.nor.push(n);
        i
    }

    /// Adds a triangle, counter-clockwise seen from outside.
    pub(crate) fn tri(&mut self, a: u32, b: u32, c: u32) {
        self.idx.extend([a, b, c]);
    }

    /// Adds a quad, counter-clockwise seen from outside.
    pub(crate) fn quad(&mut self, a: u32, b: u32, c: u32, d: u32) {
        self.tri(a, b, c);
        self.tri(a, c, d);
    }

    /// Adds a flat quad with its own vertices; the normal follows from the winding.
    pub(crate) fn flat_quad(&mut self, p: [V3; 4]) {
        let n = (p[1] - p[0]).cross(p[2] - p[0]).norm();
        let [a, b, c, d] = p.map(|q| self.vert(q, n));
        self.quad(a, b, c, d);
    }
}

impl Mesh {
    pub(crate) fn new() -> Mesh {
        Mesh::default()
    }

    /// Builds a mesh in place: `Mesh::of(|m| ...)`.
    pub(crate) fn of(build: impl FnOnce(&mut Mesh)) -> Mesh {
        let mut m = Mesh::new();
        build(&mut m);
        m
    }

    pub(crate) fn prim(&mut self, mat: Mat) -> &mut Prim {
        self.prims.entry(mat).or_default()
    }

    /// Adds a placed copy of another mesh.
    pub(crate) fn add(&mut self, other: &Mesh, xf: Xf) {
        for (mat, src) in &other.prims {
            let dst = self.prim(*mat);
            let base = dst.pos.len() as u32;
            dst.pos.extend(src.pos.iter().map(|p| xf.point(*p)));
            dst.nor.extend(src.nor.iter().map(|n| xf.dir(*n)));
            dst.idx.extend(src.idx.iter().map(|i| i + base));
        }
    }
}
