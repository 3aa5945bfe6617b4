//! The geometry of one cell while it is made: places in 64 bits, in the site's space.

use glam::{DVec3, Vec3};

use super::class::CellClass;

/// One level of one cell before it is written.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// Number of parts of the cell.
    pub(super) parts: usize,
    /// By class.
    pub(super) groups: Vec<RawGroup>,
    /// In the order of the parts' places.
    pub(super) edges: Vec<Edge>,
}

#[derive(Debug, Clone)]
pub(super) struct RawGroup {
    pub(super) class: CellClass,
    pub(super) vertices: Vec<Vertex>,
    pub(super) indices: Vec<u16>,
    /// First triangle and part of each run.
    pub(super) runs: Vec<(u32, u16)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vertex {
    pub(super) at: DVec3,
    pub(super) normal: Vec3,
    pub(super) color: [u8; 4],
    pub(super) surface: [u8; 4],
    pub(super) uv: [f32; 2],
    /// Number of the part in the cell.
    pub(super) part: u16,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    /// Position in [`EDGE_CLASSES`](crate::merge::EDGE_CLASSES).
    pub(super) class: u8,
    pub(super) part: u16,
    pub(super) ends: [DVec3; 2],
}

impl RawGroup {
    pub(super) fn new(class: CellClass) -> Self {
        Self { class, vertices: Vec::new(), indices: Vec::new(), runs: Vec::new() }
    }

    pub(super) fn triangles(&self) -> usize {
        self.indices.len() / 3
    }

    /// The triangles that are appended from here on are of this part.
    pub(super) fn open_run(&mut self, part: u16) {
        let first = super::bytes::number(self.triangles());
        match self.runs.last_mut() {
            Some((start, last)) if *start == first => *last = part,
            Some((_, last)) if *last == part => {}
            _ => self.runs.push((first, part)),
        }
    }

    /// Takes back a run to which nothing was appended.
    pub(super) fn close_run(&mut self) {
        if self.runs.last().is_some_and(|(first, _)| *first as usize == self.triangles()) {
            self.runs.pop();
        }
    }
}

impl Shape {
    pub(super) fn triangles(&self) -> usize {
        self.groups.iter().map(RawGroup::triangles).sum()
    }

    pub(super) fn vertices(&self) -> usize {
        self.groups.iter().map(|group| group.vertices.len()).sum()
    }

    /// All places, of faces and edges.
    pub(super) fn places(&self) -> impl Iterator<Item = DVec3> {
        let vertices = self.groups.iter().flat_map(|group| &group.vertices).map(|vertex| vertex.at);
        vertices.chain(self.edges.iter().flat_map(|edge| edge.ends))
    }
}
