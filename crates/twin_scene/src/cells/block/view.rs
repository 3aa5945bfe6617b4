//! Looking into a block that was checked: ranges for the graphics processor, and single triangles.

use std::ops::Range;

use glam::{DVec3, Vec3};

use super::{CellError, CellShape, Group, Layout, read_listed};
use crate::cells::Index;
use crate::cells::grid::from_octahedral;
use crate::merge::EDGE_CLASSES;

/// One level of one cell. Byte ranges are laid out as vertex buffers take them, little-endian and at multiples of four bytes.
#[derive(Debug, Clone)]
pub struct CellView<'a> {
    pub(in crate::cells) layout: Layout,
    bytes: &'a [u8],
}

impl<'a> CellView<'a> {
    /// Checks the bytes of a level of a cell and looks into them.
    ///
    /// # Errors
    /// Where the index has no such level, the bytes are something else, damaged, of a newer format, or of another scene.
    pub fn read(index: &Index, cell: u32, level: u32, bytes: &'a [u8]) -> Result<Self, CellError> {
        Ok(Self { layout: read_listed(index, cell, level, bytes)?, bytes })
    }

    /// The same without an index: for tools that know the cell's shape from elsewhere.
    ///
    /// # Errors
    /// Where the bytes are something else, damaged, of a newer format, or of another shape.
    pub fn read_shape(shape: CellShape, bytes: &'a [u8]) -> Result<Self, CellError> {
        Ok(Self { layout: Layout::read(shape, bytes)?, bytes })
    }

    /// What is drawn together, opaque first, then textured, then blended.
    pub fn groups(&self) -> &[Group] {
        &self.layout.groups
    }

    /// Number of triangles.
    pub fn triangle_count(&self) -> u32 {
        self.layout.triangles
    }

    /// Positions of all vertices, group by group: three numbers on the cell's lattice and the part's number in the cell, each of
    /// 16 bits, or of 32 where the cell is wide.
    pub fn positions(&self) -> &'a [u8] {
        self.section(&self.layout.sections.positions)
    }

    /// Normals: two signed 16-bit numbers a vertex, see [`from_octahedral`].
    pub fn normals(&self) -> &'a [u8] {
        self.section(&self.layout.sections.normals)
    }

    /// Colours: four bytes a vertex, as in [`Chunk::colors`](crate::merge::Chunk::colors).
    pub fn colors(&self) -> &'a [u8] {
        self.section(&self.layout.sections.colors)
    }

    /// Surfaces: four bytes a vertex, as in [`Chunk::surfaces`](crate::merge::Chunk::surfaces).
    pub fn surfaces(&self) -> &'a [u8] {
        self.section(&self.layout.sections.surfaces)
    }

    /// Texture coordinates: two 32-bit floats for each vertex of textured groups, group by group.
    pub fn uvs(&self) -> &'a [u8] {
        self.section(&self.layout.sections.uvs)
    }

    /// Indices of 16 bits, group by group; each group's begin at an even position, and one of padding lies between where needed.
    pub fn indices(&self) -> &'a [u8] {
        self.section(&self.layout.sections.indices)
    }

    /// Edges as pairs of vertices like those of [`CellView::positions`], short ones first.
    pub fn edges(&self) -> &'a [u8] {
        self.section(&self.layout.sections.edges)
    }

    /// Which of the edges' vertices are of each length class: no edge of it is longer than the number, in the site's units.
    pub fn edge_classes(&self) -> impl Iterator<Item = (f32, Range<u32>)> {
        let mut at = 0u32;
        EDGE_CLASSES.into_iter().zip(self.layout.edges).map(move |(longest, count)| {
            let range = at..at + count * 2;
            at = range.end;
            (longest, range)
        })
    }

    /// Runs of a group: triangles, counted within the group, and the part's number in the cell.
    pub fn runs(&self, group: &Group) -> impl Iterator<Item = (Range<u32>, u16)> {
        self.layout.runs_of(group)
    }

    /// Corners of a triangle of a group, in the site's space.
    pub fn triangle(&self, index: &Index, cell: u32, group: &Group, triangle: u32) -> Option<[DVec3; 3]> {
        let grid = index.cell(cell)?.grid;
        let corners = self.layout.corners(self.positions(), self.indices(), group, triangle)?;
        Some(corners.map(|corner| grid.place(corner)))
    }

    /// Unit normal of a vertex.
    pub fn normal(&self, vertex: u32) -> Option<Vec3> {
        let at = (vertex as usize).checked_mul(4)?;
        let [a, b, c, d] = *self.normals().get(at..)?.first_chunk()?;
        Some(from_octahedral([i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d])]))
    }

    /// Ends of an edge on the cell's lattice, and the part's number in the cell.
    pub fn edge(&self, edge: u32) -> Option<([[u32; 3]; 2], u16)> {
        let (a, part) = self.layout.shape.vertex(self.edges(), edge.checked_mul(2)?)?;
        let (b, _) = self.layout.shape.vertex(self.edges(), edge * 2 + 1)?;
        Some(([a, b], part))
    }

    fn section(&self, range: &Range<usize>) -> &'a [u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }
}

impl CellShape {
    /// Numbers on the lattice and part of the vertex at a position in a list of them.
    pub(in crate::cells) fn vertex(&self, bytes: &[u8], at: u32) -> Option<([u32; 3], u16)> {
        let start = (at as usize).checked_mul(self.stride())?;
        let bytes = bytes.get(start..)?.get(..self.stride())?;
        let number = |at: usize| {
            if self.wide {
                Some(u32::from_le_bytes(*bytes.get(at * 4..)?.first_chunk()?))
            } else {
                Some(u16::from_le_bytes(*bytes.get(at * 2..)?.first_chunk()?).into())
            }
        };
        Some(([number(0)?, number(1)?, number(2)?], u16::try_from(number(3)?).ok()?))
    }
}

impl Layout {
    /// See [`CellView::runs`].
    pub(in crate::cells) fn runs_of(&self, group: &Group) -> impl Iterator<Item = (Range<u32>, u16)> {
        let runs = self.runs.get(group.runs.start as usize..group.runs.end as usize).unwrap_or_default();
        let end = (group.indices.end - group.indices.start) / 3;
        let ends = runs.iter().skip(1).map(|(first, _)| *first).chain([end]);
        runs.iter().zip(ends).map(|((first, part), end)| (*first..end, *part))
    }

    /// Corners of a triangle on the lattice.
    pub(in crate::cells) fn corners(
        &self,
        positions: &[u8],
        indices: &[u8],
        group: &Group,
        triangle: u32,
    ) -> Option<[[u32; 3]; 3]> {
        let first = triangle.checked_mul(3).filter(|first| *first < group.indices.end - group.indices.start)?;
        let at = (group.indices.start + first) as usize * 2;
        let [a, b, c, d, e, f] = *indices.get(at..)?.first_chunk()?;
        let mut corners = [[0; 3]; 3];
        for (corner, bytes) in corners.iter_mut().zip([[a, b], [c, d], [e, f]]) {
            let vertex = group.vertices.start + u32::from(u16::from_le_bytes(bytes));
            *corner = self.shape.vertex(positions, vertex)?.0;
        }
        Some(corners)
    }
}
