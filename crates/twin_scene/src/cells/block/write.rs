//! A block as bytes.

use super::{CLASSES, CellClass, HEADER, MAGIC, VERSION};
use crate::cells::bytes::{Writer, number};
use crate::cells::grid::{Grid, octahedral};
use crate::cells::shape::{RawGroup, Shape};

/// The bytes of a level; see "Scene pieces" in docs/PROTOCOL.md.
pub(in crate::cells) fn write(shape: &Shape, grid: &Grid) -> Vec<u8> {
    let mut sections: [Writer; 9] = Default::default();
    let [groups, runs, positions, normals, colors, surfaces, uvs, indices, edges] = &mut sections;
    for (at, group) in shape.groups.iter().enumerate() {
        write_group(groups, group);
        for (first, part) in &group.runs {
            runs.u32(*first);
            runs.u16(*part);
            runs.u16(u16::try_from(at).unwrap_or(u16::MAX));
        }
        for vertex in &group.vertices {
            point(positions, grid, vertex.at, vertex.part);
            octahedral(vertex.normal).into_iter().for_each(|value| normals.raw(&value.to_le_bytes()));
            colors.raw(&vertex.color);
            surfaces.raw(&vertex.surface);
            if matches!(group.class, CellClass::Textured { .. }) {
                vertex.uv.into_iter().for_each(|value| uvs.f32(value));
            }
        }
        group.indices.iter().for_each(|index| indices.u16(*index));
        indices.align();
    }
    let mut counts = [0u32; CLASSES];
    for (class, count) in counts.iter_mut().enumerate() {
        for edge in shape.edges.iter().filter(|edge| usize::from(edge.class) == class) {
            *count += 1;
            edge.ends.into_iter().for_each(|end| point(edges, grid, end, edge.part));
        }
    }
    assemble(shape, grid, &counts, &sections)
}

fn assemble(shape: &Shape, grid: &Grid, edges: &[u32; CLASSES], sections: &[Writer; 9]) -> Vec<u8> {
    let length = HEADER + sections.iter().map(|section| section.0.len()).sum::<usize>();
    let size = |section: usize, each: usize| sections.get(section).map_or(0, |section| section.0.len() / each);
    let mut out = Writer(Vec::with_capacity(length));
    out.raw(MAGIC);
    out.u16(VERSION);
    out.raw(&[u8::from(grid.wide), 0]);
    let vertices = size(3, 4);
    let counts = [length, shape.parts, shape.groups.len(), size(1, 8), vertices, size(7, 2), size(6, 8), shape.triangles()];
    counts.into_iter().for_each(|count| out.u32(number(count)));
    edges.iter().for_each(|count| out.u32(*count));
    let mut at = HEADER;
    for section in sections {
        out.u32(number(at));
        at += section.0.len();
    }
    sections.iter().for_each(|section| out.raw(&section.0));
    out.0
}

fn write_group(out: &mut Writer, group: &RawGroup) {
    let (kind, double_sided, material) = match group.class {
        CellClass::Opaque { double_sided } => (0, double_sided, 0),
        CellClass::Textured { material } => (1, false, material),
        CellClass::Blend { double_sided } => (2, double_sided, 0),
    };
    out.raw(&[kind, u8::from(double_sided)]);
    out.u16(material);
    out.u32(number(group.vertices.len()));
    out.u32(number(group.indices.len()));
}

fn point(out: &mut Writer, grid: &Grid, at: glam::DVec3, part: u16) {
    for value in grid.nearest(at).into_iter().chain([u32::from(part)]) {
        if grid.wide {
            out.u32(value);
        } else {
            out.u16(value as u16);
        }
    }
}
