//! An index from bytes. Everything is checked here, so that nobody has to later.

use twin_model::TwinIndex;

use super::{CellInfo, ImageInfo, Index, IndexPart, LevelInfo, Lookup, MAGIC, MOST_LEVELS, Names, TexturedMaterial, VERSION};
use crate::cells::CellError;
use crate::cells::bytes::Cursor;
use crate::cells::grid::Grid;
use crate::geometry::{Aabb, AlphaMode};
use crate::merge::PartIndex;

const PIECE: &str = "scene index";
/// See [`crate::geometry::Image::mime`].
pub(super) const PNG: &str = "image/png";
const JPEG: &str = "image/jpeg";
/// Bytes of a cell's record before its materials and levels, and of each level.
const CELL_BYTES: usize = 60;
const LEVEL_BYTES: usize = 28;
/// Numbers of parts within a cell have 16 bits.
const MOST_PARTS: usize = 65_536;

impl Index {
    /// Reads an index. What follows its last field is left alone: later versions may say more.
    ///
    /// # Errors
    /// Where the bytes are no index, of a newer format, cut short, or say what can't be.
    pub fn read(bytes: &[u8]) -> Result<Self, CellError> {
        let mut cursor = Cursor::new(PIECE, bytes);
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(CellError::Another { piece: PIECE });
        }
        cursor.take(MAGIC.len(), "mark")?;
        let version = cursor.u16("format")?;
        if version != VERSION {
            return Err(CellError::Version { piece: PIECE, found: version, known: VERSION });
        }
        cursor.take(2, "header")?;
        let models = cursor.u32("number of models")?;
        // Each of them takes at least so many bytes of what follows.
        let parts = cursor.count(24, "number of parts")?;
        let materials = cursor.count(12, "number of materials")?;
        let images = cursor.count(12, "number of images")?;
        let pieces = cursor.count(4, "number of pieces")?;
        let cells = cursor.count(CELL_BYTES + LEVEL_BYTES, "number of cells")?;
        let [left_out, too_far, without_edges] =
            [cursor.u32("parts left out")?, cursor.u32("nodes too far")?, cursor.u32("parts without edges")?];
        let origin = cursor.place("origin")?;
        let bounds = cursor.aabb("bounds")?;
        let bounds = if parts == 0 { Aabb::EMPTY } else { bounds };
        cursor.at_most(models as usize, cursor.left() / 4, "number of models")?;
        let parts = read_parts(&mut cursor, models, parts)?;
        let names = Names::read(PIECE, blob(&mut cursor, "paths")?, parts.len())?;
        let materials = (0..materials).map(|_| material(&mut cursor, images)).collect::<Result<Vec<_>, _>>()?;
        let images = (0..images).map(|_| image(&mut cursor)).collect::<Result<Vec<_>, _>>()?;
        let pieces = (0..pieces).map(|_| cursor.u32("length of a piece")).collect::<Result<Vec<_>, _>>()?;
        let mut slots = 0;
        let cells =
            (0..cells).map(|_| cell(&mut cursor, materials.len(), &pieces, &mut slots)).collect::<Result<Vec<CellInfo>, _>>()?;
        let slots = read_slots(&mut cursor, &cells, slots, parts.len())?;
        let lookup = Lookup::new(&parts, &slots, &cells);
        Ok(Self {
            origin,
            bounds,
            parts,
            names,
            models,
            materials,
            images,
            pieces,
            cells,
            left_out,
            too_far,
            without_edges,
            slots,
            lookup,
        })
    }
}

fn blob<'a>(cursor: &mut Cursor<'a>, field: &'static str) -> Result<&'a [u8], CellError> {
    let length = cursor.count(1, field)?;
    let bytes = cursor.take(length, field)?;
    cursor.align()?;
    Ok(bytes)
}

fn read_parts(cursor: &mut Cursor<'_>, models: u32, count: usize) -> Result<Vec<IndexPart>, CellError> {
    let mut boxes = Vec::with_capacity(count);
    for _ in 0..count {
        boxes.push(cursor.aabb("box of a part")?);
    }
    let counts = (0..models).map(|_| cursor.u32("parts of a model")).collect::<Result<Vec<_>, _>>()?;
    let sum: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    cursor.agree(usize::try_from(sum).unwrap_or(usize::MAX), count, "parts of all models")?;
    let mut stream = Cursor::new(PIECE, blob(cursor, "parts")?);
    let mut boxes = boxes.into_iter();
    let mut parts = Vec::with_capacity(count);
    for (model, count) in (0u32..).zip(counts) {
        let mut least = 0u32;
        for bounds in boxes.by_ref().take(count as usize) {
            let skipped = stream.varint("node of a part")?;
            let most = (u32::MAX - 1).saturating_sub(least);
            stream.at_most(skipped as usize, most as usize, "node of a part")?;
            let node = least + skipped;
            least = node + 1;
            let twin = stream.varint("twin of a part")?.checked_sub(1).map(TwinIndex);
            parts.push(IndexPart { model, node, twin, bounds, triangles: stream.varint("triangles of a part")? });
        }
    }
    Ok(parts)
}

fn material(cursor: &mut Cursor<'_>, images: usize) -> Result<TexturedMaterial, CellError> {
    let image = cursor.u32("image of a material")?;
    cursor.below(image as usize, images, "image of a material")?;
    let [alpha, sides, _, _] = cursor.array("look of a material")?;
    let cutoff = cursor.f32("cutoff of a material")?;
    let alpha = match alpha {
        0 => AlphaMode::Opaque,
        1 => AlphaMode::Mask { cutoff },
        2 => AlphaMode::Blend,
        found => return Err(CellError::Beyond { piece: PIECE, field: "alpha of a material", found: found.into(), most: 2 }),
    };
    Ok(TexturedMaterial { image, alpha, double_sided: sides & 1 != 0 })
}

fn image(cursor: &mut Cursor<'_>) -> Result<ImageInfo, CellError> {
    let size = [cursor.u32("width of an image")?, cursor.u32("height of an image")?];
    let mime = match cursor.u32("kind of an image")? {
        1 => PNG,
        2 => JPEG,
        found => return Err(CellError::Beyond { piece: PIECE, field: "kind of an image", found: found.into(), most: 2 }),
    };
    Ok(ImageInfo { mime, size })
}

fn cell(cursor: &mut Cursor<'_>, materials: usize, pieces: &[u32], slots: &mut usize) -> Result<CellInfo, CellError> {
    let origin = cursor.place("origin of a cell")?;
    let bounds = cursor.aabb("box of a cell")?;
    let [exponent, wide, levels, _] = cursor.array("lattice of a cell")?;
    let grid = Grid::read(origin, i8::from_le_bytes([exponent]), wide & 1 != 0);
    let grid = grid.ok_or(CellError::NoNumber { piece: PIECE, field: "step of a cell" })?;
    let own = cursor.count(4, "materials of a cell")?;
    let parts = cursor.count(1, "parts of a cell")?;
    cursor.at_most(parts, MOST_PARTS, "parts of a cell")?;
    let levels = cursor.at_most(usize::from(levels), MOST_LEVELS, "levels of a cell")?;
    let mut chosen = Vec::with_capacity(own);
    for _ in 0..own {
        let material = cursor.u32("material of a cell")?;
        cursor.below(material as usize, materials, "material of a cell")?;
        chosen.push(material);
    }
    let levels = (0..levels).map(|_| level(cursor, pieces)).collect::<Result<Vec<_>, _>>()?;
    if levels.is_empty() {
        return Err(CellError::NoNumber { piece: PIECE, field: "levels of a cell" });
    }
    let start = *slots;
    *slots += parts;
    Ok(CellInfo { grid, bounds, levels, materials: chosen, slots: start..*slots })
}

fn level(cursor: &mut Cursor<'_>, pieces: &[u32]) -> Result<LevelInfo, CellError> {
    let error = cursor.f32("error of a level")?;
    let mut next = || cursor.u32("numbers of a level");
    let (triangles, vertices, edges) = (next()?, next()?, next()?);
    let (piece, offset, length) = (next()?, next()?, next()?);
    let Some(whole) = pieces.get(piece as usize) else {
        return Err(CellError::Beyond {
            piece: PIECE,
            field: "piece of a level",
            found: piece.into(),
            most: pieces.len() as u64,
        });
    };
    let end = u64::from(offset) + u64::from(length);
    if end > u64::from(*whole) {
        return Err(CellError::Beyond { piece: PIECE, field: "end of a level", found: end, most: u64::from(*whole) });
    }
    if error < 0.0 || !offset.is_multiple_of(4) {
        return Err(CellError::NoNumber { piece: PIECE, field: "error and offset of a level" });
    }
    Ok(LevelInfo { error, triangles, vertices, edges, piece, offset, length })
}

fn read_slots(cursor: &mut Cursor<'_>, cells: &[CellInfo], count: usize, parts: usize) -> Result<Vec<PartIndex>, CellError> {
    let bytes = blob(cursor, "parts of cells")?;
    let mut stream = Cursor::new(PIECE, bytes);
    // A part takes a byte at least.
    stream.at_most(count, bytes.len(), "parts of all cells")?;
    let mut slots = Vec::with_capacity(count);
    for cell in cells {
        let mut least = 0usize;
        for _ in cell.slots.clone() {
            let part = least.saturating_add(stream.varint("part of a cell")? as usize);
            stream.below(part, parts, "part of a cell")?;
            slots.push(PartIndex(super::super::bytes::number(part)));
            least = part + 1;
        }
    }
    Ok(slots)
}
