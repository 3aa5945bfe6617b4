//! One level of one cell as bytes: vertices, triangles and edges laid out as a graphics processor takes them.

mod read;
mod view;
mod write;

use std::ops::Range;

pub use view::CellView;
pub(super) use write::write;

use super::CellError;
use super::class::CellClass;
use super::index::Index;

/// How a block begins.
const MAGIC: &[u8; 4] = b"OCEL";
/// The newest format of a block.
const VERSION: u16 = 1;
/// Bytes before the first section.
const HEADER: usize = 100;
/// Most vertices of a group: the last 16-bit number is a restart mark in WebGL2 and stays free.
pub(super) const MOST_VERTICES: usize = 65_535;
/// Length classes of edges, see [`EDGE_CLASSES`](crate::merge::EDGE_CLASSES).
const CLASSES: usize = crate::merge::EDGE_CLASSES.len();

/// What a block must agree with. An index says it; see [`CellShape::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellShape {
    /// Whether positions have 32 bits a component; else 16.
    pub wide: bool,
    /// Parts of the cell.
    pub parts: u32,
    /// Materials of the cell.
    pub materials: u32,
}

/// Triangles that are drawn together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they are drawn with.
    pub class: CellClass,
    /// Which vertices they use. Indices count from the first.
    pub vertices: Range<u32>,
    /// Where their indices lie, three per triangle; the first is an even number, so that it lies at a multiple of four bytes.
    pub indices: Range<u32>,
    /// Which texture coordinates belong to the vertices, one each; empty unless textured.
    pub uvs: Range<u32>,
    /// Which of the cell's runs of triangles these are.
    pub(super) runs: Range<u32>,
}

/// The checked layout of a block, apart from its bytes: a viewer keeps both and looks again without checking again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) shape: CellShape,
    pub(super) groups: Vec<Group>,
    /// First triangle in its group and part of each run, group by group.
    pub(super) runs: Vec<(u32, u16)>,
    pub(super) vertices: usize,
    pub(super) triangles: u32,
    /// Edges of each length class.
    pub(super) edges: [u32; CLASSES],
    pub(super) sections: Sections,
}

/// Where in the block its sections lie, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sections {
    pub(super) positions: Range<usize>,
    pub(super) normals: Range<usize>,
    pub(super) colors: Range<usize>,
    pub(super) surfaces: Range<usize>,
    pub(super) uvs: Range<usize>,
    pub(super) indices: Range<usize>,
    pub(super) edges: Range<usize>,
}

impl CellShape {
    /// What blocks of a cell must agree with; `None` where the index has no such cell.
    pub fn of(index: &Index, cell: u32) -> Option<Self> {
        let info = index.cell(cell)?;
        let parts = super::bytes::number(index.parts_in(cell).len());
        Some(Self { wide: info.grid.wide, parts, materials: super::bytes::number(info.materials.len()) })
    }

    /// Bytes of a vertex's position and part.
    pub(super) fn stride(&self) -> usize {
        if self.wide { 16 } else { 8 }
    }
}

/// The level of a cell, from the bytes that its index names.
pub(super) fn read_listed(index: &Index, cell: u32, level: u32, bytes: &[u8]) -> Result<Layout, CellError> {
    let unlisted = CellError::Unlisted { cell, level };
    let (Some(info), Some(shape)) = (index.level(cell, level), CellShape::of(index, cell)) else { return Err(unlisted) };
    let layout = Layout::read(shape, bytes)?;
    let says =
        [layout.triangles, super::bytes::number(layout.vertices), layout.edges.iter().sum(), super::bytes::number(bytes.len())];
    let should = [info.triangles, info.vertices, info.edges, info.length];
    let fields = ["triangles", "vertices", "edges", "length"];
    for ((found, expected), field) in says.into_iter().zip(should).zip(fields) {
        if found != expected {
            return Err(CellError::Disagrees { piece: read::PIECE, field, found: found.into(), expected: expected.into() });
        }
    }
    Ok(layout)
}
