//! An index as bytes.

use super::{Index, MAGIC, TexturedMaterial, VERSION};
use crate::cells::bytes::{Writer, number};
use crate::geometry::{Aabb, AlphaMode};

impl Index {
    /// The bytes of this index: columns of little-endian numbers, see "Scene pieces" in docs/PROTOCOL.md.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(MAGIC);
        out.u16(VERSION);
        out.u16(0);
        let counts = [self.parts.len(), self.materials.len(), self.images.len(), self.pieces.len(), self.cells.len()];
        out.u32(self.models);
        counts.into_iter().for_each(|count| out.u32(number(count)));
        [self.left_out, self.too_far, self.without_edges].into_iter().for_each(|count| out.u32(count));
        out.place(self.origin);
        out.aabb(&if self.bounds.is_empty() { Aabb { min: glam::Vec3::ZERO, max: glam::Vec3::ZERO } } else { self.bounds });
        self.write_parts(&mut out);
        self.write_looks(&mut out);
        self.pieces.iter().for_each(|length| out.u32(*length));
        self.write_cells(&mut out);
        out.0
    }

    fn write_parts(&self, out: &mut Writer) {
        self.parts.iter().for_each(|part| out.aabb(&part.bounds));
        let mut stream = Writer::default();
        let mut after = (0u32, 0u32);
        let mut counts = vec![0u32; self.models as usize];
        for part in &self.parts {
            if part.model != after.0 {
                after = (part.model, 0);
            }
            stream.varint(part.node - after.1);
            after.1 = part.node + 1;
            stream.varint(part.twin.map_or(0, |twin| twin.0 + 1));
            stream.varint(part.triangles);
            if let Some(count) = counts.get_mut(part.model as usize) {
                *count += 1;
            }
        }
        counts.into_iter().for_each(|count| out.u32(count));
        blob(out, &stream.0);
        blob(out, self.names.bytes());
    }

    fn write_looks(&self, out: &mut Writer) {
        for material in &self.materials {
            let TexturedMaterial { image, alpha, double_sided } = *material;
            let (code, cutoff) = match alpha {
                AlphaMode::Opaque => (0, 0.0),
                AlphaMode::Mask { cutoff } => (1, cutoff),
                AlphaMode::Blend => (2, 0.0),
            };
            out.u32(image);
            out.raw(&[code, u8::from(double_sided), 0, 0]);
            out.f32(cutoff);
        }
        for image in &self.images {
            image.size.into_iter().for_each(|side| out.u32(side));
            out.u32(if image.mime == super::read::PNG { 1 } else { 2 });
        }
    }

    fn write_cells(&self, out: &mut Writer) {
        let mut parts = Writer::default();
        for cell in &self.cells {
            out.place(cell.grid.origin);
            out.aabb(&cell.bounds);
            let [exponent] = cell.grid.exponent.to_le_bytes();
            out.raw(&[exponent, u8::from(cell.grid.wide), cell.levels.len() as u8, 0]);
            out.u32(number(cell.materials.len()));
            out.u32(number(cell.slots.len()));
            cell.materials.iter().for_each(|material| out.u32(*material));
            for level in &cell.levels {
                out.f32(level.error);
                let numbers = [level.triangles, level.vertices, level.edges, level.piece, level.offset, level.length];
                numbers.into_iter().for_each(|number| out.u32(number));
            }
            let mut after = 0;
            for part in self.slots.get(cell.slots.clone()).unwrap_or_default() {
                parts.varint(part.0 - after);
                after = part.0 + 1;
            }
        }
        blob(out, &parts.0);
    }
}

/// A length, as many bytes, and zeros up to a multiple of four.
fn blob(out: &mut Writer, bytes: &[u8]) {
    out.u32(number(bytes.len()));
    out.raw(bytes);
    out.align();
}
