//! A block from bytes: all lengths, numbers and indices are checked, once, in three passes.

use std::ops::Range;

use super::{CLASSES, CellClass, CellShape, Group, HEADER, Layout, MAGIC, MOST_VERTICES, Sections, VERSION};
use crate::cells::CellError;
use crate::cells::bytes::Cursor;

pub(super) const PIECE: &str = "scene cell";

impl Layout {
    /// Checks a block and tells where everything lies.
    pub(in crate::cells) fn read(shape: CellShape, bytes: &[u8]) -> Result<Self, CellError> {
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(CellError::Another { piece: PIECE });
        }
        let header = Header::read(shape, bytes)?;
        let sections = header.sections(shape)?;
        let part = |range: Range<usize>| bytes.get(range).unwrap_or_default();
        let groups = read_groups(shape, &header, part(header.range(0, 12)?))?;
        let mut layout = Self {
            shape,
            groups,
            runs: Vec::new(),
            vertices: header.vertices,
            triangles: header.triangles,
            edges: header.edges,
            sections,
        };
        layout.runs = read_runs(shape, &mut layout.groups, part(header.range(1, 8)?))?;
        layout.check_triangles(bytes)?;
        layout.check_numbers(bytes)?;
        Ok(layout)
    }

    /// Every corner is a vertex of its group and of the run's part.
    fn check_triangles(&self, bytes: &[u8]) -> Result<(), CellError> {
        let cursor = Cursor::new(PIECE, bytes);
        let indices = bytes.get(self.sections.indices.clone()).unwrap_or_default();
        let positions = bytes.get(self.sections.positions.clone()).unwrap_or_default();
        for group in &self.groups {
            let own = |range: &Range<u32>, each: usize| range.start as usize * each..range.end as usize * each;
            let vertices = positions.get(own(&group.vertices, self.shape.stride())).unwrap_or_default();
            let corners = indices.get(own(&group.indices, 2)).unwrap_or_default();
            let count = group.vertices.len();
            let runs = self.runs.get(group.runs.start as usize..group.runs.end as usize).unwrap_or_default();
            let mut following = runs.iter().skip(1).map(|(first, _)| *first as usize);
            let mut start = 0;
            for (_, part) in runs {
                let end = following.next().unwrap_or(group.indices.len() / 3);
                for corner in corners.get(start * 6..end * 6).unwrap_or_default().chunks_exact(2) {
                    let at = corner.first_chunk().map_or(0, |corner| usize::from(u16::from_le_bytes(*corner)));
                    cursor.below(at, count, "corner of a triangle")?;
                    cursor.agree(part_at(self.shape, vertices, at), usize::from(*part), "part of a vertex")?;
                }
                start = end;
            }
        }
        Ok(())
    }

    /// Parts of all vertices and edges are the cell's, and texture coordinates are numbers.
    fn check_numbers(&self, bytes: &[u8]) -> Result<(), CellError> {
        let cursor = Cursor::new(PIECE, bytes);
        let section = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        for points in [section(&self.sections.positions), section(&self.sections.edges)] {
            for point in points.chunks_exact(self.shape.stride()) {
                cursor.below(part_at(self.shape, point, 0), self.shape.parts as usize, "part of a vertex")?;
            }
        }
        for ends in section(&self.sections.edges).chunks_exact(self.shape.stride() * 2) {
            cursor.agree(part_at(self.shape, ends, 1), part_at(self.shape, ends, 0), "part of an edge")?;
        }
        let mut uvs = Cursor::new(PIECE, section(&self.sections.uvs));
        while uvs.left() > 0 {
            uvs.f32("texture coordinates")?;
        }
        Ok(())
    }
}

/// The part of the vertex at a position in a list of them.
fn part_at(shape: CellShape, vertices: &[u8], at: usize) -> usize {
    let last = vertices.get(at * shape.stride()..).unwrap_or_default();
    if shape.wide {
        last.get(12..16).and_then(|part| part.first_chunk()).map_or(usize::MAX, |part| u32::from_le_bytes(*part) as usize)
    } else {
        last.get(6..8).and_then(|part| part.first_chunk()).map_or(usize::MAX, |part| u16::from_le_bytes(*part).into())
    }
}

struct Header {
    counts: [usize; 3],
    vertices: usize,
    indices: usize,
    textured: usize,
    triangles: u32,
    edges: [u32; CLASSES],
    offsets: [usize; 9],
    length: usize,
}

impl Header {
    fn read(shape: CellShape, bytes: &[u8]) -> Result<Self, CellError> {
        let mut cursor = Cursor::new(PIECE, bytes);
        cursor.take(MAGIC.len(), "mark")?;
        let version = cursor.u16("format")?;
        if version != VERSION {
            return Err(CellError::Version { piece: PIECE, found: version, known: VERSION });
        }
        let wide = cursor.u8("width of positions")?;
        cursor.agree((wide & 1).into(), shape.wide.into(), "width of positions")?;
        cursor.take(1, "header")?;
        let length = cursor.u32("length")? as usize;
        cursor.agree(length, bytes.len(), "length")?;
        let parts = cursor.u32("parts")?;
        cursor.agree(parts as usize, shape.parts as usize, "parts")?;
        let mut next = || cursor.u32("counts").map(|count| count as usize);
        let (groups, runs, vertices, indices, textured) = (next()?, next()?, next()?, next()?, next()?);
        let triangles = cursor.u32("triangles")?;
        let mut edges = [0; CLASSES];
        for count in &mut edges {
            *count = cursor.u32("edges")?;
        }
        let mut offsets = [0; 9];
        for offset in &mut offsets {
            *offset = cursor.u32("offset of a section")? as usize;
            cursor.agree(*offset % 4, 0, "offset of a section")?;
        }
        Ok(Self {
            counts: [groups, runs, edges.iter().fold(0usize, |sum, count| sum.saturating_add(*count as usize))],
            vertices,
            indices,
            textured,
            triangles,
            edges,
            offsets,
            length,
        })
    }

    /// Bytes of a section of that many bytes an entry; the first two have counts of their own.
    fn range(&self, section: usize, each: usize) -> Result<Range<usize>, CellError> {
        let count = match section {
            0 | 1 => self.counts.get(section).copied().unwrap_or_default(),
            6 => self.textured,
            7 => self.indices,
            8 => self.counts[2].saturating_mul(2),
            _ => self.vertices,
        };
        let start = self.offsets.get(section).copied().unwrap_or_default();
        let end = count.checked_mul(each).and_then(|bytes| bytes.checked_add(start)).filter(|end| *end <= self.length);
        let short = CellError::Short { piece: PIECE, field: "sections", at: self.length };
        if start < HEADER { Err(short) } else { end.map(|end| start..end).ok_or(short) }
    }

    fn sections(&self, shape: CellShape) -> Result<Sections, CellError> {
        Ok(Sections {
            positions: self.range(2, shape.stride())?,
            normals: self.range(3, 4)?,
            colors: self.range(4, 4)?,
            surfaces: self.range(5, 4)?,
            uvs: self.range(6, 8)?,
            indices: self.range(7, 2)?,
            edges: self.range(8, shape.stride())?,
        })
    }
}

/// Groups follow one another in vertices, indices and texture coordinates, and use all of them.
fn read_groups(shape: CellShape, header: &Header, bytes: &[u8]) -> Result<Vec<Group>, CellError> {
    let mut cursor = Cursor::new(PIECE, bytes);
    let mut groups: Vec<Group> = Vec::with_capacity(header.counts[0]);
    let (mut vertex, mut index, mut uv, mut triangles) = (0u32, 0u32, 0u32, 0u32);
    for _ in 0..header.counts[0] {
        let [kind, sides] = cursor.array("class of a group")?;
        let material = cursor.u16("material of a group")?;
        let double_sided = sides & 1 != 0;
        let class = match kind {
            0 => CellClass::Opaque { double_sided },
            1 => {
                cursor.below(usize::from(material), shape.materials as usize, "material of a group")?;
                CellClass::Textured { material }
            }
            2 => CellClass::Blend { double_sided },
            found => return Err(CellError::Beyond { piece: PIECE, field: "class of a group", found: found.into(), most: 2 }),
        };
        let vertices = cursor.u32("vertices of a group")?;
        cursor.at_most(vertices as usize, MOST_VERTICES.min(header.vertices - vertex as usize), "vertices of a group")?;
        let own = cursor.u32("indices of a group")?;
        cursor.agree((own % 3) as usize, 0, "indices of a group beyond whole triangles")?;
        cursor.at_most(own as usize, header.indices.saturating_sub(index as usize), "indices of a group")?;
        let uvs = if kind == 1 { vertices } else { 0 };
        let group =
            Group { class, vertices: vertex..vertex + vertices, indices: index..index + own, uvs: uv..uv + uvs, runs: 0..0 };
        (vertex, index, uv) = (group.vertices.end, group.indices.end.next_multiple_of(2), group.uvs.end);
        triangles += own / 3;
        groups.push(group);
    }
    cursor.agree(header.vertices, vertex as usize, "vertices of all groups")?;
    cursor.agree(header.indices, index as usize, "indices of all groups")?;
    cursor.agree(header.textured, uv as usize, "texture coordinates of all groups")?;
    cursor.agree(header.triangles as usize, triangles as usize, "triangles of all groups")?;
    Ok(groups)
}

/// Runs of a group begin at its first triangle and ascend; each group has at least one where it has triangles.
fn read_runs(shape: CellShape, groups: &mut [Group], bytes: &[u8]) -> Result<Vec<(u32, u16)>, CellError> {
    let mut cursor = Cursor::new(PIECE, bytes);
    let mut runs: Vec<(u32, u16)> = Vec::with_capacity(bytes.len() / 8);
    let mut open: Option<usize> = None;
    while cursor.left() > 0 {
        let first = cursor.u32("first triangle of a run")?;
        let part = cursor.u16("part of a run")?;
        let number = usize::from(cursor.u16("group of a run")?);
        cursor.below(usize::from(part), shape.parts as usize, "part of a run")?;
        cursor.below(number, groups.len(), "group of a run")?;
        let Some(group) = groups.get_mut(number) else { continue };
        cursor.below(first as usize, group.indices.len() / 3, "first triangle of a run")?;
        let at = crate::cells::bytes::number(runs.len());
        if open == Some(number) {
            let least = runs.last().map_or(0, |(first, _)| *first as usize + 1);
            cursor.at_most(least, first as usize, "first triangle of a run")?;
            group.runs.end = at + 1;
        } else {
            // Groups come in order, and none is left out that has triangles.
            cursor.at_most(open.map_or(0, |open| open + 1), number, "group of a run")?;
            cursor.agree(first as usize, 0, "first triangle of a group")?;
            group.runs = at..at + 1;
            open = Some(number);
        }
        runs.push((first, part));
    }
    for group in groups.iter().filter(|group| group.runs.is_empty()) {
        cursor.agree(group.indices.len(), 0, "triangles without a run")?;
    }
    Ok(runs)
}
